/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a node's policy puts in front of its attempts, in this order: shedding, limit, breaker, bulkhead; then the call, and
 * the hedge beside it. Retry, time-outs and fallback are none of this: they are the kernel's, and durable.
 *
 * A guard belongs to one process. Attempts share it if they have the same tenant, the same options and the same name; where
 * a policy has no name, it is the action and the server that is called. All waiting is done by the engine's clock and loop.
 *
 * A pass is the way of one attempt through its guard. It ends with the last call that was made for it.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-breaker.h"
#include "nebula-bulkhead.h"
#include "nebula-duration.h"
#include "nebula-engine-private.h"
#include "nebula-error-chain.h"
#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-limiter.h"

#define GUARDS_MAX 1024 /* with so many, those that nobody uses go */

typedef struct {
  grefcount count;
  NebulaEngine *engine; /* holds it; passes that outlive it touch only the parts */
  char *key;
  char *tenant;
  char *name;
  NebulaLimiter *limiter; /* these three may be NULL */
  NebulaBreaker *breaker;
  NebulaBulkhead *bulkhead;
  gint64 shed;
  gint64 hedge_usec;

  guint n_passes; /* that hold it */
  guint n_running, n_waiting;
  guint64 n_attempts, n_refused, n_hedged;
  NebulaBreakerState told;
} NebulaGuard;

struct _NebulaPass {
  grefcount count; /* one for each attempt, one while it waits for a place */
  NebulaGuard *guard;
  NebulaAttempt *first; /* that waits; NULL: none does */
  GPtrArray *attempts;  /* that were called and are not over; borrowed */
  GPtrArray *spares;    /* NebulaAction */
  NebulaValue *parameters, *input;
  char *identity;
  GSource *source; /* the limiter's, then the hedge's */
  GCancellable *cancellable;
  guint n_open; /* calls without an answer */
  gint64 started_usec;
  gboolean is_starting;
  gboolean is_waiting;
  gboolean has_started;
  gboolean has_entered; /* the breaker, and it was not told how it went */
  gboolean has_place;
};

static void step (NebulaPass *pass);

void
_nebula_guard_free (gpointer data)
{
  NebulaGuard *self = data;

  if (!g_ref_count_dec (&self->count))
    return;
  g_clear_pointer (&self->limiter, nebula_limiter_unref);
  g_clear_object (&self->breaker);
  g_clear_object (&self->bulkhead);
  g_free (self->key);
  g_free (self->tenant);
  g_free (self->name);
  g_free (self);
}

static gint64
now (NebulaGuard *self)
{
  return nebula_clock_get_monotonic_usec (self->engine->clock);
}

/* The server that is called, if the action says it in a parameter of the usual name. */
static char *
dup_resource (const char *action, NebulaValue *parameters)
{
  const char *url = nebula_value_get_member_string (parameters, "url", NULL);
  const char *host = nebula_value_get_member_string (parameters, "host", NULL);
  g_autofree char *scheme = NULL, *name = NULL;
  int port = -1;

  if (url && g_uri_split_network (url, G_URI_FLAGS_NONE, &scheme, &name, &port, NULL))
    return port > 0 ? g_strdup_printf ("%s %s://%s:%d", action, scheme, name, port)
                    : g_strdup_printf ("%s %s://%s", action, scheme, name);
  return host ? g_strconcat (action, " ", host, NULL) : g_strdup (action);
}

/* Calls for one attempt, and after which time each further one is made; 1: no hedge. */
static guint
read_hedge (NebulaValue *options, gint64 *ret_usec)
{
  NebulaValue *hedge = nebula_value_get_member (options, "hedge");

  *ret_usec = G_USEC_PER_SEC;
  if (!hedge)
    return 1;
  nebula_duration_parse (nebula_value_get_member_string (hedge, "after", "1s"), ret_usec,
                         NULL);
  return (guint) nebula_value_get_member_integer (hedge, "calls", 2);
}

/* Compiling has checked the options. */
static void
read_options (NebulaGuard *self, NebulaValue *options)
{
  NebulaValue *limit = nebula_value_get_member (options, "limit");
  NebulaValue *breaker = nebula_value_get_member (options, "breaker");
  NebulaValue *bulkhead = nebula_value_get_member (options, "bulkhead");

  if (limit)
    self->limiter = nebula_limiter_new (limit, NULL);
  if (breaker)
    self->breaker = nebula_breaker_new (breaker, NULL);
  if (bulkhead)
    self->bulkhead = nebula_bulkhead_new (self->engine->clock, bulkhead, NULL);
  self->shed = nebula_value_get_member_integer (options, "shed", 0);
  read_hedge (options, &self->hedge_usec);
}

static gboolean
is_idle (gpointer key, gpointer value, gpointer data)
{
  NebulaGuard *self = value;

  return self->n_passes == 0 &&
         (!self->breaker ||
          nebula_breaker_get_state (self->breaker) == NEBULA_BREAKER_STATE_CLOSED);
}

static NebulaGuard *
find_guard (NebulaInstance *instance, NebulaPlanNode *node, NebulaValue *parameters)
{
  NebulaEngine *engine = instance->engine;
  const char *given = nebula_value_get_member_string (node->policy, "name", NULL);
  g_autofree char *name =
      given ? g_strdup (given)
            : dup_resource (nebula_action_info_get_id (node->info), parameters);
  g_autofree char *options = nebula_value_to_json (node->policy, NEBULA_JSON_FLAGS_NONE);
  g_autofree char *key =
      g_strjoin ("\n", instance->tenant ? instance->tenant : "", name, options, NULL);
  NebulaGuard *self = NULL;

  if (!engine->guards)
    engine->guards =
        g_hash_table_new_full (g_str_hash, g_str_equal, NULL, _nebula_guard_free);
  self = g_hash_table_lookup (engine->guards, key);
  if (self)
    return self;
  if (g_hash_table_size (engine->guards) >= GUARDS_MAX)
    g_hash_table_foreach_remove (engine->guards, is_idle, NULL);
  self = g_new0 (NebulaGuard, 1);
  g_ref_count_init (&self->count);
  self->engine = engine;
  self->key = g_steal_pointer (&key);
  self->tenant = g_strdup (instance->tenant);
  self->name = g_steal_pointer (&name);
  read_options (self, node->policy);
  g_hash_table_insert (engine->guards, self->key, self);
  return self;
}

static const char *
get_breaker_state (NebulaGuard *self)
{
  static const char *const states[] = {"closed", "open", "half-open"};

  return self->breaker ? states[nebula_breaker_get_state (self->breaker)] : NULL;
}

/* Tells of a breaker that changed. */
static void
tell (NebulaGuard *self)
{
  NebulaEventBus *bus = self->engine->bus;
  NebulaEventInfo info = {.topic = "resource.breaker"};
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) data = NULL;
  g_autoptr (NebulaEvent) event = NULL;

  if (!self->breaker || nebula_breaker_get_state (self->breaker) == self->told)
    return;
  self->told = nebula_breaker_get_state (self->breaker);
  if (!nebula_event_bus_has_subscriber (bus, "resource.breaker"))
    return;
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "name", self->name);
  nebula_value_builder_set_string (builder, "state", get_breaker_state (self));
  data = nebula_value_builder_end (builder);
  info.time_usec = nebula_clock_get_real_usec (self->engine->clock);
  info.tenant = self->tenant;
  event = nebula_event_new (&info, data);
  nebula_event_bus_publish (bus, event);
}

static void
clear_source (NebulaPass *pass)
{
  if (pass->source)
    g_source_destroy (pass->source);
  g_clear_pointer (&pass->source, g_source_unref);
}

static void
pass_unref (NebulaPass *pass)
{
  if (!g_ref_count_dec (&pass->count))
    return;
  pass->guard->n_passes--;
  _nebula_guard_free (pass->guard);
  g_ptr_array_unref (pass->attempts);
  g_ptr_array_unref (pass->spares);
  nebula_value_unref (pass->parameters);
  g_clear_pointer (&pass->input, nebula_value_unref);
  g_clear_object (&pass->cancellable);
  g_free (pass->identity);
  g_free (pass);
}

static void
set_waiting (NebulaPass *pass, gboolean is_waiting)
{
  if (pass->is_waiting != is_waiting)
    pass->guard->n_waiting += is_waiting ? 1 : (guint) -1;
  pass->is_waiting = is_waiting;
}

static void
arm (NebulaPass *pass, gint64 delay_usec, GSourceFunc func)
{
  clear_source (pass);
  pass->source = nebula_clock_create_source (pass->guard->engine->clock,
                                             now (pass->guard) + delay_usec);
  g_source_set_static_name (pass->source, "nebula-guard");
  g_source_set_callback (pass->source, func, pass, NULL);
  g_source_attach (pass->source, pass->guard->engine->context);
}

static void
refuse (NebulaPass *pass, GError *error)
{
  NebulaAttempt *attempt = g_steal_pointer (&pass->first);
  g_autoptr (GError) given = error;

  pass->guard->n_refused++;
  _nebula_runner_refuse (attempt, given, pass->is_starting);
}

static void
make_call (NebulaPass *pass, NebulaAttempt *attempt)
{
  NebulaCall call = {pass->parameters, pass->input, pass->identity};

  g_ptr_array_add (pass->attempts, attempt);
  pass->n_open++;
  pass->guard->n_attempts++;
  _nebula_runner_launch (attempt, &call);
}

/* No answer for so long: another call beside the others, and the first good answer counts. */
static gboolean
on_hedge (gpointer data)
{
  NebulaPass *pass = data;
  NebulaAttempt *first =
      pass->attempts->len > 0 ? g_ptr_array_index (pass->attempts, 0) : NULL;
  NebulaAttempt *attempt = NULL;

  clear_source (pass);
  if (!first || !first->instance || pass->spares->len == 0)
    return G_SOURCE_REMOVE;
  attempt = _nebula_runner_double (
      first, g_ptr_array_steal_index (pass->spares, pass->spares->len - 1));
  attempt->pass = pass;
  g_ref_count_inc (&pass->count);
  pass->guard->n_hedged++;
  if (pass->spares->len > 0)
    arm (pass, pass->guard->hedge_usec, on_hedge);
  make_call (pass, attempt);
  return G_SOURCE_REMOVE;
}

static void
launch (NebulaPass *pass)
{
  NebulaAttempt *attempt = g_steal_pointer (&pass->first);
  NebulaInstance *instance = attempt->instance;

  set_waiting (pass, FALSE);
  pass->started_usec = now (pass->guard);
  pass->has_started = TRUE;
  pass->guard->n_running++;
  _nebula_narrator_tell (instance, "node.started",
                         instance->plan->nodes[attempt->command.node].id, NULL);
  if (pass->spares->len > 0)
    arm (pass, pass->guard->hedge_usec, on_hedge);
  make_call (pass, attempt);
}

static void
on_place (GObject *source, GAsyncResult *result, gpointer data)
{
  NebulaPass *pass = data;
  NebulaBulkhead *bulkhead = NEBULA_BULKHEAD (source);
  g_autoptr (GError) error = NULL;
  gboolean has_place = nebula_bulkhead_enter_finish (bulkhead, result, &error);

  if (!pass->first && has_place)
    nebula_bulkhead_leave (bulkhead); /* cancelled meanwhile */
  if (pass->first) {
    pass->has_place = has_place;
    if (has_place)
      launch (pass);
    else
      refuse (pass, g_steal_pointer (&error));
  }
  pass_unref (pass);
}

static void
enter_bulkhead (NebulaPass *pass)
{
  NebulaBulkhead *bulkhead = pass->guard->bulkhead;

  if (!bulkhead || nebula_bulkhead_try_enter (bulkhead)) {
    pass->has_place = bulkhead != NULL;
    launch (pass);
    return;
  }
  set_waiting (pass, TRUE);
  pass->cancellable = g_cancellable_new ();
  g_ref_count_inc (&pass->count);
  nebula_bulkhead_enter_async (bulkhead, pass->cancellable, on_place, pass);
}

static gboolean
on_limit (gpointer data)
{
  NebulaPass *pass = data;

  clear_source (pass);
  step (pass);
  return G_SOURCE_REMOVE;
}

static GError *
make_open_error (NebulaGuard *self)
{
  gint64 remaining = nebula_breaker_get_remaining_usec (self->breaker, now (self));
  GError *error = g_error_new (NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                               _ ("“%s” failed too often and is not called for a while."),
                               self->name);

  if (remaining > 0)
    nebula_error_set_retry_after_ms (error, (remaining + 999) / 1000);
  return error;
}

/* From the limit on. */
static void
step (NebulaPass *pass)
{
  NebulaGuard *guard = pass->guard;
  gint64 wait_usec =
      guard->limiter ? nebula_limiter_take_usec (guard->limiter, now (guard)) : 0;

  if (wait_usec > 0) {
    set_waiting (pass, TRUE);
    arm (pass, wait_usec, on_limit);
    return;
  }
  pass->has_entered =
      guard->breaker && nebula_breaker_enter (guard->breaker, now (guard));
  tell (guard);
  if (guard->breaker && !pass->has_entered)
    refuse (pass, make_open_error (guard));
  else
    enter_bulkhead (pass);
}

guint
_nebula_guard_count_spares (NebulaPlanNode *node, NebulaEffect effect)
{
  gint64 after_usec = 0;

  if (effect == NEBULA_EFFECT_EFFECTFUL || effect == NEBULA_EFFECT_TRANSACTIONAL)
    return 0;
  return read_hedge (node->policy, &after_usec) - 1;
}

void
_nebula_guard_begin (NebulaAttempt *attempt, const NebulaCall *call, GPtrArray *spares)
{
  NebulaPlanNode *node = &attempt->instance->plan->nodes[attempt->command.node];
  NebulaPass *pass = g_new0 (NebulaPass, 1);
  NebulaGuard *guard = find_guard (attempt->instance, node, call->parameters);

  g_ref_count_init (&pass->count);
  g_ref_count_inc (&pass->count); /* until the end of this function */
  pass->guard = guard;
  guard->n_passes++;
  g_ref_count_inc (&guard->count);
  pass->first = attempt;
  pass->attempts = g_ptr_array_new ();
  pass->spares = spares;
  pass->parameters = nebula_value_ref (call->parameters);
  pass->input = call->input ? nebula_value_ref (call->input) : NULL;
  pass->identity = g_strdup (call->identity);
  attempt->pass = pass;
  pass->is_starting = TRUE;
  if (guard->shed > 0 && guard->n_running + guard->n_waiting >= guard->shed)
    refuse (pass,
            g_error_new (NEBULA_ERROR, NEBULA_ERROR_THROTTLED,
                         _ ("“%s” has too much to do; the attempt was turned away."),
                         guard->name));
  else
    step (pass);
  pass->is_starting = FALSE;
  pass_unref (pass);
}

/* Whether the failure is the other side's: what the caller did wrong opens no breaker. */
static gboolean
is_theirs (NebulaResult *result)
{
  NebulaValue *failure = nebula_result_get_value (result);
  const char *retry =
      failure && nebula_value_get_kind (failure) == NEBULA_VALUE_KIND_OBJECT
          ? nebula_value_get_member_string (failure, "retry", "terminal")
          : "terminal";

  return g_str_equal (retry, "retry") || g_str_equal (retry, "throttle");
}

static gboolean
is_bad (NebulaResult *result)
{
  NebulaResultKind kind = nebula_result_get_kind (result);

  return kind == NEBULA_RESULT_KIND_FAILURE || kind == NEBULA_RESULT_KIND_UNKNOWN;
}

gboolean
_nebula_guard_end (NebulaAttempt *attempt, NebulaResult *result)
{
  NebulaPass *pass = attempt->pass;
  NebulaGuard *guard = pass ? pass->guard : NULL;

  if (!pass)
    return TRUE;
  pass->n_open--;
  /* A failure waits for the other calls, if there are any. */
  if (is_bad (result) && pass->n_open > 0)
    return FALSE;
  clear_source (pass);
  if (pass->has_entered) {
    pass->has_entered = FALSE;
    nebula_breaker_record (guard->breaker, now (guard),
                           !is_bad (result) || !is_theirs (result),
                           now (guard) - pass->started_usec);
    tell (guard);
  }
  for (guint i = 0; i < pass->attempts->len; i++)
    if (g_ptr_array_index (pass->attempts, i) != attempt)
      _nebula_runner_abandon (g_ptr_array_index (pass->attempts, i));
  return TRUE;
}

/* The last attempt of a pass is over. */
static void
leave (NebulaPass *pass)
{
  NebulaGuard *guard = pass->guard;

  clear_source (pass);
  set_waiting (pass, FALSE);
  if (pass->cancellable)
    g_cancellable_cancel (pass->cancellable);
  if (pass->has_started)
    guard->n_running--;
  if (pass->has_entered)
    nebula_breaker_withdraw (guard->breaker);
  pass->has_entered = FALSE;
  if (pass->has_place)
    nebula_bulkhead_leave (guard->bulkhead);
  pass->has_place = FALSE;
}

void
_nebula_guard_release (NebulaAttempt *attempt)
{
  NebulaPass *pass = g_steal_pointer (&attempt->pass);

  if (!pass)
    return;
  if (pass->first == attempt)
    pass->first = NULL;
  g_ptr_array_remove (pass->attempts, attempt);
  if (!pass->first && pass->attempts->len == 0)
    leave (pass);
  pass_unref (pass);
}

static NebulaValue *
describe (NebulaGuard *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "name", self->name);
  if (self->tenant)
    nebula_value_builder_set_string (builder, "tenant", self->tenant);
  nebula_value_builder_set_integer (builder, "running", self->n_running);
  nebula_value_builder_set_integer (builder, "waiting", self->n_waiting);
  nebula_value_builder_set_integer (builder, "attempts", (gint64) self->n_attempts);
  nebula_value_builder_set_integer (builder, "refused", (gint64) self->n_refused);
  nebula_value_builder_set_integer (builder, "hedged", (gint64) self->n_hedged);
  if (self->breaker)
    nebula_value_builder_set_string (builder, "breaker", get_breaker_state (self));
  return nebula_value_builder_end (builder);
}

/**
 * nebula_engine_list_policies:
 * @self: an engine
 *
 * Tells the state of what policies of nodes put in front of attempts in this process: an array of objects with `name` (the
 * policy's, or the action and the server), `tenant`, `running`, `waiting`, `attempts`, `refused`, `hedged` and `breaker`
 * (`closed`, `open`, `half-open`).
 *
 * Returns: (transfer full): an array, ordered by name
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_list_policies (NebulaEngine *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (GList) keys = NULL;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);

  keys = self->guards ? g_hash_table_get_keys (self->guards) : NULL;
  keys = g_list_sort (keys, (GCompareFunc) (gpointer) strcmp);
  for (GList *link = keys; link; link = link->next)
    nebula_value_builder_add_take (
        builder, describe (g_hash_table_lookup (self->guards, link->data)));
  return nebula_value_builder_end (builder);
}
