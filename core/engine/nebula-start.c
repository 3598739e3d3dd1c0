/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How executions begin. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-id.h"
#include "nebula-input-internal.h"
#include "nebula-rerun-private.h"

#define TENANT_BYTES_MAX 64
#define DELAY_MAX_USEC (G_GINT64_CONSTANT (1000) * 365 * 86400 * G_USEC_PER_SEC)

/* One that lies in a shard of this engine. */
static char *
make_id (NebulaEngine *self, const char *tenant)
{
  for (;;) {
    g_autoptr (NebulaId) id = nebula_id_new (NEBULA_ID_KIND_EXECUTION, self->clock);
    g_autofree char *text = nebula_id_to_string (id);

    if (_nebula_peers_owns (self, _nebula_shard_of_execution (tenant, text)))
      return g_steal_pointer (&text);
  }
}

typedef struct {
  NebulaValue *input;
  NebulaValue *captured;
  NebulaValue *given;       /* NULL: nothing */
  NebulaValue *breakpoints; /* NULL: none */
  guint64 seed;
  gint64 begins_usec; /* 0: now */
  gint64 priority;    /* that the settings give it for this input */
  gboolean has_priority;
} Start;

/* What is captured when an execution is created: `env`, `trigger`, `user`, `priority`, its revision, those of what it calls,
 * and when it begins, if that is put off. */
static NebulaValue *
capture (NebulaValue *links, NebulaValue *options, const Start *asked)
{
  static const char *const names[] = {"env", "trigger", "user", "priority", "revision", "origin"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    NebulaValue *value = nebula_value_get_member (options, names[i]);

    if (value)
      nebula_value_builder_set (builder, names[i], value);
  }
  if (links)
    nebula_value_builder_set (builder, "links", links);
  if (asked->begins_usec > 0)
    nebula_value_builder_set_integer (builder, "begins", asked->begins_usec);
  if (asked->has_priority)
    nebula_value_builder_set_integer (builder, "priority", asked->priority);
  return nebula_value_builder_end (builder);
}

static gboolean
start_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  Start *start = data;

  nebula_kernel_start (kernel, start->input, start->captured, start->seed, now_usec);
  nebula_kernel_give (kernel, start->given, start->breakpoints, now_usec);
  return TRUE;
}

static void
start_free (gpointer data)
{
  Start *start = data;

  nebula_value_unref (start->input);
  nebula_value_unref (start->captured);
  g_clear_pointer (&start->given, nebula_value_unref);
  g_clear_pointer (&start->breakpoints, nebula_value_unref);
  g_free (start);
}

static const NebulaStimulusClass start_class = {start_apply, NULL, start_free};

/* What the start was asked to give and where to stop moves into it. */
static void
start_kernel (NebulaInstance *instance,
              NebulaValue *input,
              NebulaValue *captured,
              Start *asked)
{
  NebulaClock *clock = instance->engine->clock;
  gint64 now_usec = nebula_clock_get_real_usec (clock);
  Start *start;

  if (!nebula_kernel_is_large (input) && !nebula_kernel_is_large (captured) &&
      !asked->given) {
    nebula_kernel_start (instance->kernel, input, captured, asked->seed, now_usec);
    nebula_kernel_give (instance->kernel, NULL, asked->breakpoints, now_usec);
    _nebula_instance_wake (instance);
    return;
  }
  start = g_memdup2 (asked, sizeof *asked);
  *asked = (Start){0};
  start->input = nebula_value_ref (input);
  start->captured = nebula_value_ref (captured);
  _nebula_away_stimulate (instance, &start_class, start, TRUE);
}

static void
asked_clear (Start *asked)
{
  g_clear_pointer (&asked->given, nebula_value_unref);
  g_clear_pointer (&asked->breakpoints, nebula_value_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Start, asked_clear)

/* Those that an execution had before, or those of today. */
static NebulaValue *
find_links (NebulaInstance *instance, NebulaValue *options)
{
  NebulaValue *links = nebula_value_get_member (options, "links");
  g_autoptr (GPtrArray) pinned =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_plan_unref);

  if (links)
    return nebula_value_ref (links);
  links = _nebula_engine_pin (instance->engine, instance->plan, pinned);
  if (links)
    instance->pinned = g_steal_pointer (&pinned);
  return links;
}

/* Of the workflow's own time limit and the one that is asked for the tighter one holds. */
static gboolean
tighten (const char *timeout, gint64 *timeout_usec, GError **error)
{
  gint64 usec;

  if (!nebula_duration_parse (timeout, &usec, error))
    return FALSE;
  if (*timeout_usec == 0 || usec < *timeout_usec)
    *timeout_usec = usec;
  return TRUE;
}

/* A tenant's name is a part of keys and of settings' paths. */
static gboolean
check_tenant (const char *tenant, GError **error)
{
  gsize length = strspn (tenant, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

  if (length > 0 && length <= TENANT_BYTES_MAX && tenant[length] == '\0')
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%.80s” is no tenant. Its name has 1 to 64 letters, digits, hyphens and underscores."), tenant);
  return FALSE;
}

static gboolean
check_start (NebulaEngine *self,
             NebulaValue *options,
             NebulaDurability *ret_durability,
             gint64 *ret_timeout_usec,
             GError **error)
{
  const char *timeout = nebula_value_get_member_string (options, "timeout", NULL);
  const char *durability = nebula_value_get_member_string (options, "durability", NULL);
  const char *id = nebula_value_get_member_string (options, "id", NULL);
  NebulaValue *priority = nebula_value_get_member (options, "priority");

  if (priority && nebula_value_get_kind (priority) != NEBULA_VALUE_KIND_INTEGER) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("A priority is an integer; greater ones go first."));
    return FALSE;
  }
  if (self->is_stopped || self->is_sealed) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
        _ ("The engine takes no new executions: it is stopping, or its store failed."));
    return FALSE;
  }
  if (id && g_hash_table_contains (self->instances, id)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS,
                 _ ("There is an execution “%s” already."), id);
    return FALSE;
  }
  if (!check_tenant (nebula_value_get_member_string (options, "tenant", "default"), error))
    return FALSE;
  if (timeout && !tighten (timeout, ret_timeout_usec, error))
    return FALSE;
  if (!durability || nebula_durability_from_string (durability, ret_durability))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no durability level. Use strict, relaxed or memory."),
               durability);
  return FALSE;
}

/* A time of day without seconds has them at 0. */
static gboolean
parse_time (const char *text, gint64 *ret_usec, GError **error)
{
  const char *clock = strpbrk (text, "Tt ");
  gsize before = clock ? (gsize) (clock - text) + strlen ("T00:00") : 0;
  g_autofree char *whole = NULL;
  int offset;

  if (before > 0 && strlen (text) > before && clock[3] == ':' && text[before] != ':')
    whole = g_strdup_printf ("%.*s:00%s", (int) before, text, text + before);
  return nebula_timestamp_parse (whole ? whole : text, ret_usec, &offset, error);
}

static gboolean
read_time (NebulaValue *at, gint64 *ret_usec, GError **error)
{
  if (nebula_value_get_kind (at) == NEBULA_VALUE_KIND_TIMESTAMP) {
    *ret_usec = nebula_value_get_usec (at);
    return TRUE;
  }
  if (nebula_value_get_kind (at) == NEBULA_VALUE_KIND_STRING)
    return parse_time (nebula_value_get_string (at), ret_usec, error);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                       _ ("“at” is a time such as 2030-01-31T12:00:00Z."));
  return FALSE;
}

/* When it begins; 0: now. */
static gboolean
read_begin (NebulaEngine *self, NebulaValue *options, gint64 *ret_usec, GError **error)
{
  const char *delay = nebula_value_get_member_string (options, "delay", NULL);
  NebulaValue *at = nebula_value_get_member (options, "at");
  gint64 now_usec = nebula_clock_get_real_usec (self->clock);
  gint64 usec = 0;

  if (nebula_value_has_member (options, "delay") && (!delay || at)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("A start is put off by “delay”, a duration such as 5m, or to “at”, a time."));
    return FALSE;
  }
  if (delay && !nebula_duration_parse (delay, &usec, error))
    return FALSE;
  if (at && !read_time (at, &usec, error))
    return FALSE;
  if (delay)
    usec = MIN (usec, DELAY_MAX_USEC) + now_usec;
  *ret_usec = usec > now_usec ? usec : 0;
  return TRUE;
}

/* The priority that the settings give for this input, if none was asked for. */
static gboolean
find_priority (NebulaEngine *self, NebulaOutset *outset, NebulaValue *options, Start *asked, GError **error)
{
  g_autoptr (NebulaValue) captured = NULL;

  asked->seed = nebula_clock_get_random (self->clock);
  if (!outset->plan->priority_expression || nebula_value_has_member (options, "priority"))
    return TRUE;
  captured = capture (NULL, options, asked);
  outset->captured = captured;
  outset->seed = asked->seed;
  outset->fuel = self->inline_fuel;
  asked->has_priority = TRUE;
  return nebula_kernel_find_priority (outset, nebula_clock_get_real_usec (self->clock),
                                      &asked->priority, error);
}

/* Whoever owns the shard of an id that is given; else this engine, if it owns any. */
static NebulaEngine *
choose_engine (NebulaEngine *self, const char *tenant, const char *id, GError **error)
{
  guint shard = id ? _nebula_shard_of_execution (tenant, id) : 0;

  if (self->is_stopped || (id && _nebula_peers_owns (self, shard)) ||
      (!id && nebula_engine_get_n_shards (self) > 0))
    return self;
  if (id)
    return _nebula_peers_get_neighbour (self, shard, id, error);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                       _ ("The engine owns no shards. Give it some, or start with another engine of the store."));
  return NULL;
}

/**
 * nebula_engine_start:
 * @self: an engine
 * @plan: a plan of this engine
 * @input: (nullable): the input; %NULL for an empty object
 * @options: (nullable): an object {id, durability, timeout, env, trigger, user, tenant, priority, delay, at,
 *   idempotency-key, idempotency-ttl, pins, mocks, breakpoints}
 * @error: where the failure goes
 *
 * Starts an execution.
 *
 * Nothing has run and nothing is committed when this returns; wait for the handle. The input is checked against the
 * workflow's schema and its defaults are filled in.
 *
 * `pins` and `mocks` are objects of results by the paths of nodes (`price`, `each[3].price`, `each.price` for all rounds):
 * such a node does not run and gives this result. The two differ only in what reports say. `breakpoints` is an object of
 * conditions (expressions, or null) by paths: the execution pauses before these nodes.
 *
 * A priority goes before that of the workflow's settings where the execution has to wait its turn: the greatest goes first.
 * If the settings have an expression for it, it is evaluated now, and a result that is no integer is an error.
 *
 * With `delay` (a duration) or `at` (a time) the execution is created now and begins then: it waits in the store, survives the
 * engine, and can be cancelled before. Its time limit counts from when it begins.
 *
 * With an idempotency key, which holds for one workflow of one tenant, only the first start with a key starts; until the key
 * expires (`24h`) the others get the handle of that execution, whatever became of it. The key is committed together with the
 * start. This reads one document of the store.
 *
 * Of several engines over one store, the execution begins in a shard of this one; with an id that is given, in the shard
 * of that id, whose owner must turn in the same context.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal): an option is no good; %NEBULA_ERROR_TYPE (terminal), or what the
 * expression of the priority fails with; %NEBULA_ERROR_INVALID_DATA (terminal): the input does not fit; %NEBULA_ERROR_EXISTS (terminal): the id is
 * taken; %NEBULA_ERROR_CONFLICT (terminal): the key was used with another input; %NEBULA_ERROR_UNAVAILABLE (retry): the
 * engine is stopping; %NEBULA_ERROR_THROTTLED (throttle): memory is short, see nebula_engine_set_budget().
 *
 * Returns: (transfer full): the handle
 *
 * Since: 1.0
 */
NebulaExecution *
nebula_engine_start (NebulaEngine *self,
                     NebulaPlan *plan,
                     NebulaValue *input,
                     NebulaValue *options,
                     GError **error)
{
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();
  g_autoptr (NebulaValue) filled = NULL;
  g_autoptr (NebulaValue) captured = NULL;
  g_autoptr (NebulaValue) links = NULL;
  g_auto (Start) asked = {0};
  g_autofree char *id = NULL;
  g_autoptr (NebulaOnce) once = NULL;
  NebulaExecution *former = NULL;
  NebulaDurability durability = plan->durability;
  gint64 timeout_usec = plan->timeout_usec;
  const char *tenant;
  NebulaOutset outset;
  NebulaInstance *instance;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (plan != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!options)
    options = empty;
  if (!input)
    input = empty;
  tenant = nebula_value_get_member_string (options, "tenant", "default");
  self = choose_engine (self, tenant, nebula_value_get_member_string (options, "id", NULL),
                        error);
  if (!self || !_nebula_engine_check_intake (self, error) ||
      !check_start (self, options, &durability, &timeout_usec, error) ||
      !read_begin (self, options, &asked.begins_usec, error) ||
      !_nebula_rerun_read_options (plan, options, &asked.given, &asked.breakpoints,
                                   error) ||
      (plan->input_schema &&
       !nebula_input_check (plan->input_schema, input, &filled, error)))
    return NULL;
  if (!_nebula_once_find (self, plan, filled ? filled : input, options, &once, &former, error))
    return NULL;
  if (former)
    return former;
  id = g_strdup (nebula_value_get_member_string (options, "id", NULL));
  if (!id)
    id = make_id (self, tenant);
  outset = (NebulaOutset){plan, id, tenant, filled ? filled : input, NULL, 0, 0};
  if (!find_priority (self, &outset, options, &asked, error))
    return NULL;
  instance = _nebula_instance_new (self, id, tenant, plan, NULL);
  _nebula_instance_set_durability (instance, durability);
  if (once)
    _nebula_once_take (instance, g_steal_pointer (&once));
  links = find_links (instance, options);
  captured = capture (links, options, &asked);
  self->has_listener = nebula_event_bus_has_any_subscriber (self->bus);
  nebula_kernel_set_timeout (instance->kernel, timeout_usec);
  start_kernel (instance, filled ? filled : input, captured, &asked);
  return _nebula_execution_get_for (instance);
}
