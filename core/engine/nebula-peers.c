/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several engines over one store. */

#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"

#define PLANS_MAX 1024

NebulaPeers *
_nebula_peers_new (void)
{
  NebulaPeers *self = g_new0 (NebulaPeers, 1);
  NebulaCacheLimits limits = {.max_entries = PLANS_MAX, .max_bytes = NEBULA_PLANS_MAX_BYTES};

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->engines = g_ptr_array_new ();
  self->plans = nebula_cache_new (&limits, (GBoxedCopyFunc) nebula_plan_ref,
                                  (GBoxedFreeFunc) nebula_plan_unref, NULL);
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify) nebula_plan_unref);
  return self;
}

NebulaPeers *
_nebula_peers_ref (NebulaPeers *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
_nebula_peers_unref (NebulaPeers *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->engines);
  nebula_cache_unref (self->plans);
  g_hash_table_unref (self->names);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
_nebula_peers_join (NebulaEngine *engine, gboolean is_first)
{
  NebulaPeers *self = engine->peers;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  g_ptr_array_add (self->engines, engine);
  for (guint i = 0; i < NEBULA_N_SHARDS && is_first; i++)
    g_atomic_pointer_set (&self->owners[i], engine);
}

guint
_nebula_shard_of_execution (const char *tenant, const char *id)
{
  return (g_str_hash (tenant) * 33 + g_str_hash (id)) % NEBULA_N_SHARDS;
}

guint
_nebula_shard_of_gate (const char *stream)
{
  return g_str_hash (stream) % NEBULA_N_SHARDS;
}

gboolean
_nebula_peers_owns (NebulaEngine *engine, guint shard)
{
  return g_atomic_pointer_get (&engine->peers->owners[shard % NEBULA_N_SHARDS]) == engine;
}

gboolean
_nebula_peers_has_other_owner (NebulaEngine *engine, guint shard)
{
  NebulaEngine *owner =
      g_atomic_pointer_get (&engine->peers->owners[shard % NEBULA_N_SHARDS]);

  return owner && owner != engine;
}

gboolean
_nebula_peers_find_shard (const NebulaMessage *message, NebulaValue *payload, guint *ret_shard)
{
  const char *tenant = nebula_value_get_member_string (payload, "tenant", NULL);

  if (g_str_has_prefix (message->stream, "gate_"))
    *ret_shard = _nebula_shard_of_gate (message->stream);
  else if (tenant)
    *ret_shard = _nebula_shard_of_execution (tenant, message->stream);
  else
    return FALSE;
  return TRUE;
}

typedef enum {
  PEER_DELIVER, /* the message */
  PEER_TAKE_UP, /* the execution @id */
  PEER_LOOK,    /* into the inbox of @id; NULL: into all */
} PeerLetterKind;

/* From one engine to another, or to itself for later. */
typedef struct {
  NebulaLetter letter;  /* first */
  NebulaEngine *engine; /* to whom; it is there as long as its mailbox is open */
  PeerLetterKind kind;
  NebulaMessage *message;
  char *id;
} PeerLetter;

static void
letter_free (gpointer data)
{
  PeerLetter *self = data;

  g_clear_pointer (&self->message, nebula_message_free);
  g_free (self->id);
  g_free (self);
}

static void
look (NebulaEngine *engine, const char *stream)
{
  g_autoptr (GError) error = NULL;
  gboolean is_done = stream ? _nebula_post_look_into (engine, stream, &error)
                            : _nebula_post_pick_up (engine, &error);

  if (!is_done)
    g_warning ("The inboxes cannot be read: %s", error->message);
}

static void
letter_receive (gpointer data)
{
  PeerLetter *self = data;

  /* Whoever takes the shards of one that has stopped looks for himself. */
  if (!self->engine->is_stopped) {
    if (self->kind == PEER_DELIVER)
      _nebula_post_deliver_one (self->engine, self->message);
    else if (self->kind == PEER_TAKE_UP)
      _nebula_recovery_take_up_other (self->engine, self->id);
    else
      look (self->engine, self->id);
  }
  letter_free (self);
}

static const NebulaLetterClass letter_class = {"peer", letter_receive, letter_free};

/* Takes @letter; TRUE: somebody gets it. */
static gboolean
send (NebulaEngine *engine, guint shard, PeerLetter *letter)
{
  NebulaPeers *self = engine->peers;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  letter->letter.klass = &letter_class;
  letter->engine = g_atomic_pointer_get (&self->owners[shard % NEBULA_N_SHARDS]);
  /* An engine leaves before it closes its mailbox. */
  if (letter->engine && nebula_mailbox_post (letter->engine->mailbox, letter))
    return TRUE;
  letter_free (letter);
  return FALSE;
}

static void
ask_to_look (NebulaEngine *engine, const char *stream)
{
  PeerLetter *letter = g_new0 (PeerLetter, 1);

  letter->letter.klass = &letter_class;
  letter->engine = engine;
  letter->kind = PEER_LOOK;
  letter->id = g_strdup (stream);
  if (!nebula_mailbox_post (engine->mailbox, letter))
    letter_free (letter);
}

void
_nebula_peers_leave (NebulaEngine *engine)
{
  NebulaPeers *self = engine->peers;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  g_ptr_array_remove (self->engines, engine);
  for (guint i = 0; i < NEBULA_N_SHARDS; i++)
    g_atomic_pointer_compare_and_exchange (&self->owners[i], engine, NULL);
  g_atomic_int_inc (&self->n_left);
  for (guint i = 0; i < self->engines->len; i++)
    ask_to_look (self->engines->pdata[i], NULL);
}

void
_nebula_peers_look_again (NebulaEngine *engine, const char *stream)
{
  if (!engine->is_stopped)
    ask_to_look (engine, stream);
}

void
_nebula_peers_forward (NebulaEngine *engine, guint shard, const NebulaMessage *message)
{
  PeerLetter *letter = g_new0 (PeerLetter, 1);

  letter->message = nebula_message_new (message->id, message->stream, message->payload,
                                        message->created_usec);
  if (!send (engine, shard, letter))
    g_debug ("Nobody owns shard %u: message %s stays in its inbox", shard, message->id);
}

void
_nebula_peers_take_up (NebulaEngine *engine, const char *tenant, const char *id)
{
  guint shard = _nebula_shard_of_execution (tenant, id);
  PeerLetter *letter;

  if (_nebula_peers_owns (engine, shard)) {
    _nebula_recovery_take_up_other (engine, id);
    return;
  }
  letter = g_new0 (PeerLetter, 1);
  letter->kind = PEER_TAKE_UP;
  letter->id = g_strdup (id);
  send (engine, shard, letter);
}

NebulaEngine *
_nebula_peers_get_neighbour (NebulaEngine *engine, guint shard, const char *id, GError **error)
{
  NebulaPeers *self = engine->peers;
  NEBULA_SYNC_AUTO (guard, &self->lock);
  NebulaEngine *owner = g_atomic_pointer_get (&self->owners[shard % NEBULA_N_SHARDS]);

  if (owner && owner->context == engine->context)
    return owner;
  if (owner)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                 _ ("“%s” belongs to another engine of this store, in another thread. Ask that one."), id);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                 _ ("“%s” belongs to a shard that no engine owns now. Let one take it, or try again later."), id);
  return NULL;
}

NebulaEngine *
_nebula_peers_find_holder (NebulaEngine *engine, const char *id)
{
  NebulaPeers *self = engine->peers;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  for (guint i = 0; i < self->engines->len; i++) {
    NebulaEngine *other = self->engines->pdata[i];

    if (other->context == engine->context && g_hash_table_contains (other->instances, id))
      return other;
  }
  return NULL;
}

/* The public face. */

/**
 * nebula_engine_new_peer:
 * @self: an engine that has not stopped
 *
 * Creates another engine over the same store, with the same resolver, clock and executor, that turns in the thread-default
 * context of the caller. Both know the workflows that either deploys, and share the writer of the store. The new one owns
 * no shard until nebula_engine_set_shards() gives it some. Call it before the engine that is given stops.
 *
 * Events are told by the bus of the engine that owns the execution; engines in one context share theirs.
 *
 * Thread: any; the new engine belongs to the caller's context.
 *
 * Returns: (transfer full): a new engine
 *
 * Since: 1.0
 */
NebulaEngine *
nebula_engine_new_peer (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (!self->is_stopped, NULL);

  return g_object_new (NEBULA_TYPE_ENGINE, "peer", self, NULL);
}

static gboolean
is_inside (guint shard, guint first, guint n_shards)
{
  return shard >= first && shard - first < n_shards;
}

/* What is in memory cannot be given away. */
static gboolean
is_in_use (NebulaEngine *self, guint first, guint n_shards)
{
  GHashTableIter iter;
  gpointer key, value;

  if (g_hash_table_size (self->sleepers) > 0 || g_hash_table_size (self->loads) > 0)
    return TRUE;
  g_hash_table_iter_init (&iter, self->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    NebulaInstance *instance = value;

    if (!is_inside (_nebula_shard_of_execution (instance->tenant, instance->id), first, n_shards))
      return TRUE;
  }
  g_hash_table_iter_init (&iter, self->gates);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!is_inside (_nebula_shard_of_gate (key), first, n_shards))
      return TRUE;
  return FALSE;
}

/* With the lock held: whether it gives up any, and whether what it wants is free. */
static gboolean
check_shards (NebulaEngine *self, guint first, guint n_shards, GError **error)
{
  gboolean gives_up = FALSE;

  for (guint i = 0; i < NEBULA_N_SHARDS; i++) {
    NebulaEngine *owner = self->peers->owners[i];

    gives_up |= owner == self && !is_inside (i, first, n_shards);
    if (!owner || owner == self || !is_inside (i, first, n_shards))
      continue;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                 _ ("Shard %u belongs to another engine. Stop that one, or let it give the shard up."), i);
    return FALSE;
  }
  if (!gives_up || !is_in_use (self, first, n_shards))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                       _ ("The engine works on executions of the shards that it should give up. Stop it, and let another one take them."));
  return FALSE;
}

/**
 * nebula_engine_set_shards:
 * @self: an engine
 * @first: the first shard, 0 to 255
 * @n_shards: how many, from @first on; 0: none
 * @error: where the failure goes
 *
 * Sets which shards the engine owns: these and no others. A new engine owns all 256, one that was made beside another
 * none, one that has stopped none. What it gives up must not be in use: divide the shards before anything runs. What it
 * takes must be nobody's. Call nebula_engine_recover() afterwards to go on with what lies in them.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal).
 *
 * Returns: %TRUE if it owns them now
 *
 * Since: 1.0
 */
gboolean
nebula_engine_set_shards (NebulaEngine *self, guint first, guint n_shards, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), FALSE);
  g_return_val_if_fail (first <= NEBULA_N_SHARDS && n_shards <= NEBULA_N_SHARDS - first, FALSE);
  g_return_val_if_fail (!self->is_stopped, FALSE);

  NEBULA_SYNC_AUTO (guard, &self->peers->lock);
  if (!check_shards (self, first, n_shards, error))
    return FALSE;
  for (guint i = 0; i < NEBULA_N_SHARDS; i++) {
    gboolean is_mine = is_inside (i, first, n_shards);

    if (is_mine != (self->peers->owners[i] == self)) {
      self->has_picked_up[i] = FALSE;
      g_atomic_pointer_set (&self->peers->owners[i], is_mine ? self : NULL);
    }
  }
  return TRUE;
}

/**
 * nebula_engine_get_n_shards:
 * @self: an engine
 *
 * Counts the shards that the engine owns.
 *
 * Returns: 0 to 256
 *
 * Since: 1.0
 */
guint
nebula_engine_get_n_shards (NebulaEngine *self)
{
  guint n_shards = 0;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), 0);
  for (guint i = 0; i < NEBULA_N_SHARDS; i++)
    n_shards += _nebula_peers_owns (self, i);
  return n_shards;
}
