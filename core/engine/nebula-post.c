/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Messages between executions and gates, through the durable inboxes.
 *
 * What the facts of a unit imply for others is written in the same unit, and delivered when it is committed. Whoever gets
 * a message records its fact and uses the message up in one unit; until then it stays in the inbox, and is delivered
 * again when an engine takes the store up. A message that changes nothing is used up by a unit without facts.
 *
 *   to an execution  start    it does not exist yet: nebula-children.c
 *                    cancel   who called it no longer waits, or a newer one takes its place
 *                    end      another one has ended that it waits for
 *                    watch    another one waits for its end
 *                    grant    a gate let it in, or gave a lock
 *                    refuse   a gate does not let it in
 *                    batched  a gate has made another execution of it and others
 *   to a gate        ask, release
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-msgpack-internal.h"

void
_nebula_post_add (NebulaInstance *instance,
                  const char *id,
                  const char *stream,
                  NebulaValue *payload)
{
  g_autoptr (NebulaValue) tenant = nebula_value_new_string (instance->tenant);
  g_autoptr (NebulaValue) whole = nebula_value_with_member (payload, "tenant", tenant);
  g_autoptr (GBytes) bytes = nebula_value_to_msgpack (whole);
  gint64 now = nebula_clock_get_real_usec (instance->engine->clock);

  if (!instance->messages)
    instance->messages =
        g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_message_free);
  g_ptr_array_add (instance->messages, nebula_message_new (id, stream, bytes, now));
}

/* What is collected is kept as well as those that it is collected of. */
static void
add_gates_post (NebulaInstance *instance, const NebulaPost *post, const char *stream)
{
  NebulaValue *value = nebula_value_get_member (post->payload, "value");
  g_autoptr (NebulaValue) durability = NULL;
  g_autoptr (NebulaValue) whole = NULL;
  g_autoptr (NebulaValue) payload = NULL;

  if (post->is_gate && value) {
    durability = nebula_value_new_integer (instance->durability);
    whole = nebula_value_with_member (value, "durability", durability);
    payload = nebula_value_with_member (post->payload, "value", whole);
  }
  _nebula_post_add (instance, post->id, stream, payload ? payload : post->payload);
}

static void
add_post (NebulaInstance *instance, const NebulaPost *post)
{
  g_autofree char *stream =
      post->is_gate ? _nebula_gate_make_stream (post->to) : g_strdup (post->to);
  g_autoptr (NebulaValue) durability = NULL;
  g_autoptr (NebulaValue) payload = NULL;

  if (g_strcmp0 (nebula_value_get_member_string (post->payload, "kind", NULL), "start") != 0) {
    add_gates_post (instance, post, stream);
    return;
  }
  durability = nebula_value_new_integer (instance->durability);
  payload = nebula_value_with_member (post->payload, "durability", durability);
  _nebula_post_add (instance, post->id, stream, payload);
}

void
_nebula_post_attach (NebulaInstance *instance)
{
  g_autoptr (GPtrArray) posts = nebula_kernel_take_posts (instance->kernel);

  for (guint i = 0; posts && i < posts->len; i++)
    add_post (instance, posts->pdata[i]);
}

static void
used_up (const NebulaUnit *unit, NebulaOutcome outcome, const GError *error, gpointer data)
{
  NebulaEngine *engine = data;

  if (outcome == NEBULA_OUTCOME_COMMITTED)
    _nebula_post_deliver (engine, unit->messages);
  else
    g_debug ("Messages of %s stay in its inbox: %s", unit->stream, error->message);
}

void
_nebula_post_use_up (NebulaEngine *engine,
                     const char *stream,
                     const char *message_id,
                     GPtrArray *replies)
{
  NebulaUnit *unit;

  if (engine->is_stopped || engine->is_sealed) {
    g_clear_pointer (&replies, g_ptr_array_unref);
    return;
  }
  unit = nebula_unit_new (stream, 0);
  unit->strict = TRUE;
  unit->messages = replies;
  nebula_unit_add_consumed (unit, message_id);
  nebula_journal_submit (engine->journal, unit, used_up, engine);
}

/* A message on its way into an execution. */
typedef struct {
  NebulaEngine *engine;
  char *id;
  char *stream;
  NebulaValue *payload;
  gboolean is_news;
} Letter;

static void
letter_free (gpointer data)
{
  Letter *self = data;

  g_free (self->id);
  g_free (self->stream);
  nebula_value_unref (self->payload);
  g_free (self);
}

/* What the end of another execution gave may be stored by that one: it becomes this one's own. */
static NebulaValue *
load_payload (NebulaKernel *kernel, NebulaValue *payload)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) loaded = NULL;
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (!nebula_value_has_stored (payload))
    return nebula_value_ref (payload);
  loaded = nebula_kernel_load (kernel, payload, &error);
  if (loaded)
    return g_steal_pointer (&loaded);
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set (builder, "execution",
                            nebula_value_get_member (payload, "execution"));
  nebula_value_builder_set_string (builder, "status", "failed");
  nebula_value_builder_set_take (builder, "error", nebula_failure_new_from_error (error));
  return nebula_value_builder_end (builder);
}

static gboolean
tell_end (NebulaKernel *kernel, NebulaValue *payload, gint64 now_usec)
{
  g_autoptr (NebulaValue) loaded = load_payload (kernel, payload);

  return nebula_kernel_tell_end (kernel, loaded, now_usec);
}

static gboolean
grant (NebulaKernel *kernel, NebulaValue *payload, gint64 now_usec)
{
  const char *key = nebula_value_get_member_string (payload, "key", "");
  const char *holder = nebula_value_get_member_string (payload, "holder", "");
  const char *rest = strchr (holder, '#');
  guint64 stay = 0;

  if (rest && rest[1] != '@')
    return nebula_kernel_grant_lock (kernel, key, rest + 1, now_usec);
  if (rest && !g_ascii_string_to_unsigned (rest + 2, 10, 1, G_MAXUINT32, &stay, NULL))
    return FALSE;
  return nebula_kernel_grant (kernel, key, (guint) stay, now_usec);
}

static gboolean
refuse (NebulaKernel *kernel, NebulaValue *payload, gint64 now_usec)
{
  NebulaState *state = nebula_kernel_get_state (kernel);

  return g_strcmp0 (state->gate_key,
                    nebula_value_get_member_string (payload, "key", NULL)) == 0 &&
         nebula_kernel_refuse_gate (kernel, now_usec);
}

static gboolean
watch (NebulaKernel *kernel, Letter *letter, gint64 now_usec)
{
  const char *watcher =
      nebula_value_get_member_string (letter->payload, "execution", "");

  if (nebula_execution_status_is_terminal (nebula_kernel_get_state (kernel)->status))
    nebula_kernel_answer_watch (kernel, watcher, letter->id);
  return nebula_kernel_watch (kernel, watcher, now_usec);
}

static gboolean
cancel (NebulaKernel *kernel, NebulaValue *payload, gint64 now_usec)
{
  NebulaState *state = nebula_kernel_get_state (kernel);
  guint64 before = state->sequence;

  nebula_kernel_cancel (kernel, NEBULA_EXECUTION_STATUS_CANCELLED,
                        nebula_value_get_member_string (payload, "reason", NULL),
                        now_usec);
  return state->sequence != before;
}

static gboolean
letter_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  Letter *self = data;
  const char *kind = nebula_value_get_member_string (self->payload, "kind", "");

  if (g_str_equal (kind, "end"))
    self->is_news = tell_end (kernel, self->payload, now_usec);
  else if (g_str_equal (kind, "grant"))
    self->is_news = grant (kernel, self->payload, now_usec);
  else if (g_str_equal (kind, "refuse"))
    self->is_news = refuse (kernel, self->payload, now_usec);
  else if (g_str_equal (kind, "watch"))
    self->is_news = watch (kernel, self, now_usec);
  else if (g_str_equal (kind, "cancel"))
    self->is_news = cancel (kernel, self->payload, now_usec);
  else if (g_str_equal (kind, "batched"))
    self->is_news = nebula_kernel_tell_batch (
        kernel, nebula_value_get_member_string (self->payload, "execution", ""), now_usec);
  return TRUE;
}

/* What is answered without a fact goes out with the unit that uses the message up. */
static GPtrArray *
take_replies (NebulaInstance *instance)
{
  if (!nebula_kernel_has_posts (instance->kernel) ||
      nebula_kernel_get_n_facts (instance->kernel) > 0)
    return NULL;
  _nebula_post_attach (instance);
  return g_steal_pointer (&instance->messages);
}

static void
letter_answer (NebulaInstance *instance, const GError *error, gpointer data)
{
  Letter *self = data;

  if (error)
    return; /* it stays in the inbox */
  /* What is no news may be so because of a fact that is not committed yet: the message goes with that one. */
  if ((!self->is_news && nebula_kernel_get_n_facts (instance->kernel) == 0) ||
      !_nebula_instance_is_durable (instance)) {
    _nebula_post_use_up (self->engine, self->stream, self->id, take_replies (instance));
    return;
  }
  if (!instance->consumed)
    instance->consumed = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (instance->consumed, g_strdup (self->id));
}

static const NebulaStimulusClass letter_class = {letter_apply, letter_answer, letter_free};

/* Whether a call in the plan may have to evaluate something when it ends. */
static gboolean
may_evaluate (NebulaPlan *plan)
{
  for (guint32 i = 0; i < plan->n_nodes; i++) {
    guint8 construct = plan->nodes[i].construct;

    if ((construct == NEBULA_CONSTRUCT_CALL || construct == NEBULA_CONSTRUCT_WAIT) &&
        nebula_kernel_evaluates_at_end (plan, i))
      return TRUE;
  }
  return FALSE;
}

static void
put_in (NebulaInstance *instance, Letter *letter)
{
  gboolean is_end = g_str_equal (
      nebula_value_get_member_string (letter->payload, "kind", ""), "end");
  gboolean is_heavy = is_end && (nebula_kernel_is_large (letter->payload) ||
                                 nebula_value_has_stored (letter->payload) ||
                                 may_evaluate (instance->plan));

  _nebula_away_stimulate (instance, &letter_class, letter, is_heavy);
}

static GPtrArray *
make_reply (Letter *letter, const char *id, const char *to, NebulaValueBuilder *builder)
{
  g_autoptr (NebulaValue) payload = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gint64 now = nebula_clock_get_real_usec (letter->engine->clock);
  GPtrArray *replies = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_message_free);

  nebula_value_builder_set_string (
      builder, "tenant",
      nebula_value_get_member_string (letter->payload, "tenant", "default"));
  payload = nebula_value_builder_end (builder);
  bytes = nebula_value_to_msgpack (payload);
  g_ptr_array_add (replies, nebula_message_new (id, to, bytes, now));
  return replies;
}

/* Who waits for an execution that does not exist is told so. */
static GPtrArray *
refuse_watch (Letter *letter, const GError *error)
{
  g_autofree char *id = g_strdup_printf ("%s:end", letter->id);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "kind", "end");
  nebula_value_builder_set_string (builder, "execution", letter->stream);
  nebula_value_builder_set_string (builder, "status", "not-found");
  nebula_value_builder_set_take (builder, "error", nebula_failure_new_from_error (error));
  return make_reply (letter, id,
                     nebula_value_get_member_string (letter->payload, "execution", ""), builder);
}

/* A place that was kept for it is free. */
static GPtrArray *
give_back (Letter *letter)
{
  const char *holder = nebula_value_get_member_string (letter->payload, "holder", "");
  const char *key = nebula_value_get_member_string (letter->payload, "key", "");
  g_autofree char *id = g_strdup_printf ("%s:void:%s", holder, key);
  g_autofree char *stream = _nebula_gate_make_stream (key);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "kind", "release");
  nebula_value_builder_set_string (builder, "holder", holder);
  nebula_value_builder_set_string (builder, "key", key);
  return make_reply (letter, id, stream, builder);
}

/* What is said in the place of an execution that does not exist. */
static GPtrArray *
answer_for (Letter *letter, const GError *error)
{
  const char *kind = nebula_value_get_member_string (letter->payload, "kind", "");

  if (g_str_equal (kind, "watch"))
    return refuse_watch (letter, error);
  return g_str_equal (kind, "grant") ? give_back (letter) : NULL;
}

/* It lies in another shard than its message said: its header tells. Takes @letter. */
static void
send_on (NebulaEngine *engine, Letter *letter)
{
  g_autoptr (NebulaHeader) header =
      nebula_store_read_header (engine->store, letter->stream, NULL);
  g_autoptr (GBytes) bytes = nebula_value_to_msgpack (letter->payload);
  g_autoptr (NebulaMessage) message =
      nebula_message_new (letter->id, letter->stream, bytes, 0);

  if (header && !_nebula_peers_owns (engine, header->shard))
    _nebula_peers_forward (engine, header->shard, message);
  letter_free (letter);
}

static void
letter_loaded (NebulaEngine *engine,
               const char *id,
               NebulaInstance *instance,
               const GError *error,
               gpointer data)
{
  Letter *letter = data;

  if (instance) {
    put_in (instance, letter);
    return;
  }
  if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE)) {
    send_on (engine, letter);
    return;
  }
  g_debug ("A message for %s cannot be delivered: %s", id, error->message);
  if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND))
    _nebula_post_use_up (engine, letter->stream, letter->id, answer_for (letter, error));
  letter_free (letter);
}

static void
deliver_to_execution (NebulaEngine *engine,
                      const NebulaMessage *message,
                      NebulaValue *payload)
{
  NebulaInstance *instance = g_hash_table_lookup (engine->instances, message->stream);
  Letter *letter = g_new0 (Letter, 1);

  letter->engine = engine;
  letter->id = g_strdup (message->id);
  letter->stream = g_strdup (message->stream);
  letter->payload = nebula_value_ref (payload);
  if (instance)
    put_in (instance, letter);
  else
    _nebula_loader_ask (engine, message->stream, letter_loaded, letter);
}

/* Whether it was for somebody else. */
static gboolean
give_away (NebulaEngine *engine, const NebulaMessage *message, NebulaValue *payload)
{
  guint shard;

  if (!_nebula_peers_find_shard (message, payload, &shard) ||
      _nebula_peers_owns (engine, shard))
    return FALSE;
  _nebula_peers_forward (engine, shard, message);
  return TRUE;
}

void
_nebula_post_deliver_one (NebulaEngine *engine, const NebulaMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) payload =
      nebula_value_from_msgpack_own (message->payload, &error);
  const char *kind;

  if (!payload || nebula_value_get_kind (payload) != NEBULA_VALUE_KIND_OBJECT) {
    g_warning ("Message %s cannot be read: %s", message->id,
               error ? error->message : "not an object");
    return;
  }
  if (give_away (engine, message, payload))
    return;
  kind = nebula_value_get_member_string (payload, "kind", "");
  if (g_str_equal (kind, "ask") || g_str_equal (kind, "release"))
    _nebula_gatekeeper_handle (engine, message, payload);
  else if (g_str_equal (kind, "start"))
    _nebula_children_start (engine, message, payload);
  else if (g_str_equal (kind, "check"))
    _nebula_gatekeeper_check (engine, payload);
  else
    deliver_to_execution (engine, message, payload);
}

void
_nebula_post_deliver (NebulaEngine *engine, GPtrArray *messages)
{
  for (guint i = 0; messages && i < messages->len && !engine->is_stopped; i++)
    _nebula_post_deliver_one (engine, messages->pdata[i]);
}

/* Whether this engine has the shards of the message since it last looked. */
static gboolean
is_new_here (NebulaEngine *engine, const NebulaMessage *message)
{
  g_autoptr (NebulaValue) payload = nebula_value_from_msgpack_own (message->payload, NULL);
  g_autoptr (NebulaHeader) header = NULL;
  guint shard;

  if (!payload || !_nebula_peers_find_shard (message, payload, &shard)) {
    header = nebula_store_read_header (engine->store, message->stream, NULL);
    shard = header ? header->shard : 0;
  }
  return _nebula_peers_owns (engine, shard) && !engine->has_picked_up[shard];
}

static GPtrArray *
choose (NebulaEngine *engine, GPtrArray *inbox)
{
  GPtrArray *chosen = g_ptr_array_new ();

  for (guint i = 0; i < inbox->len; i++)
    if (is_new_here (engine, inbox->pdata[i]))
      g_ptr_array_add (chosen, inbox->pdata[i]);
  return chosen;
}

/* An engine that left may have committed messages that it never handed over, to whatever shard. */
static void
forget_if_any_left (NebulaEngine *engine)
{
  guint n_left = g_atomic_int_get (&engine->peers->n_left);

  if (n_left == engine->n_left)
    return;
  engine->n_left = n_left;
  memset (engine->has_picked_up, 0, sizeof engine->has_picked_up);
}

static gboolean
has_news (NebulaEngine *engine)
{
  forget_if_any_left (engine);
  for (guint i = 0; i < NEBULA_N_SHARDS; i++)
    if (!engine->has_picked_up[i] && _nebula_peers_owns (engine, i))
      return TRUE;
  return FALSE;
}

gboolean
_nebula_post_pick_up (NebulaEngine *engine, GError **error)
{
  g_autoptr (GPtrArray) inbox = NULL;
  g_autoptr (GPtrArray) chosen = NULL;

  if (!has_news (engine))
    return TRUE;
  inbox = nebula_store_read_inbox (engine->store, NULL, 0, error);
  if (!inbox)
    return FALSE;
  chosen = choose (engine, inbox);
  for (guint i = 0; i < NEBULA_N_SHARDS; i++)
    engine->has_picked_up[i] = _nebula_peers_owns (engine, i);
  _nebula_post_deliver (engine, chosen);
  return TRUE;
}

gboolean
_nebula_post_look_into (NebulaEngine *engine, const char *stream, GError **error)
{
  g_autoptr (GPtrArray) inbox = nebula_store_read_inbox (engine->store, stream, 0, error);

  _nebula_post_deliver (engine, inbox);
  return inbox != NULL;
}
