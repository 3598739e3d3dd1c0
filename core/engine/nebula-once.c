/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Starts with an idempotency key. The key's record is committed with the first facts of the execution, in one unit: either
 * both are there or neither. Until then the engine remembers the key itself, so of a hundred starts at once the first one
 * starts, and the others get its handle.
 */

#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-idempotency-internal.h"

struct _NebulaOnce {
  char *key; /* the hash of all that it holds for */
  NebulaIdempotencyRecord *record;
  gboolean is_attached; /* its unit is on the way, or there is none */
};

void
_nebula_once_free (NebulaOnce *self)
{
  g_free (self->key);
  _nebula_idempotency_record_free (self->record);
  g_free (self);
}

static NebulaOnce *
make (NebulaEngine *engine, NebulaPlan *plan, NebulaValue *input, NebulaValue *options, GError **error)
{
  const char *key = nebula_value_get_member_string (options, "idempotency-key", NULL);
  const char *ttl = nebula_value_get_member_string (options, "idempotency-ttl", NULL);
  const char *tenant = nebula_value_get_member_string (options, "tenant", "default");
  g_autofree char *fingerprint = NULL, *scope = NULL;
  gint64 ttl_usec = NEBULA_IDEMPOTENCY_TTL_USEC;
  NebulaOnce *self = NULL;

  if (!nebula_idempotency_check_key (key, error)
      || (ttl && !nebula_duration_parse (ttl, &ttl_usec, error)))
    return NULL;
  scope = g_strjoin ("\n", "workflow", tenant, plan->name, NULL);
  fingerprint = nebula_idempotency_make_fingerprint (input);
  self = g_new0 (NebulaOnce, 1);
  self->key = nebula_idempotency_make_key (scope, key, NULL);
  self->record = _nebula_idempotency_record_new (
      fingerprint, nebula_clock_get_real_usec (engine->clock) + ttl_usec);
  return self;
}

static gboolean
check_same (NebulaOnce *self, NebulaIdempotencyRecord *found, GError **error)
{
  if (g_str_equal (self->record->fingerprint, found->fingerprint))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                       _ ("This idempotency key was used with another input. Take a new key, or the same input."));
  return FALSE;
}

/* The execution that a record names, in memory or in the store; gone counts as never been. */
static NebulaExecution *
find_execution (NebulaEngine *engine, const char *id, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  NebulaExecution *execution = nebula_engine_get_execution (engine, id, &local_error);

  if (!execution && !g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local_error));
  return execution;
}

/* What is on its way to the store; its instance holds it. */
static NebulaExecution *
find_pending (NebulaEngine *engine, NebulaOnce *once, gboolean *ret_is_known, GError **error)
{
  NebulaInstance *instance = engine->onces ? g_hash_table_lookup (engine->onces, once->key) : NULL;

  *ret_is_known = instance != NULL;
  if (!instance || !check_same (once, instance->once->record, error))
    return NULL;
  return _nebula_execution_get_for (instance);
}

gboolean
_nebula_once_find (NebulaEngine *engine,
                   NebulaPlan *plan,
                   NebulaValue *input,
                   NebulaValue *options,
                   NebulaOnce **ret_once,
                   NebulaExecution **ret_execution,
                   GError **error)
{
  NebulaOnce *once = NULL;
  g_autoptr (NebulaIdempotencyRecord) found = NULL;
  g_autoptr (GError) local_error = NULL;
  gboolean is_known = FALSE;

  if (!nebula_value_has_member (options, "idempotency-key"))
    return TRUE;
  once = *ret_once = make (engine, plan, input, options, error);
  if (!once)
    return FALSE;
  *ret_execution = find_pending (engine, once, &is_known, error);
  if (is_known)
    return *ret_execution != NULL;
  if (!_nebula_idempotency_record_read (engine->store, once->key, &found, error))
    return FALSE;
  once->record->revision = found ? found->revision : 0;
  if (!found || found->expires_usec <= nebula_clock_get_real_usec (engine->clock) || !found->execution)
    return TRUE;
  if (!check_same (once, found, error))
    return FALSE;
  *ret_execution = find_execution (engine, found->execution, &local_error);
  if (!local_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

void
_nebula_once_take (NebulaInstance *instance, NebulaOnce *once)
{
  NebulaEngine *engine = instance->engine;

  if (!engine->onces)
    engine->onces = g_hash_table_new (g_str_hash, g_str_equal);
  once->record->execution = g_strdup (instance->id);
  instance->once = once;
  g_hash_table_insert (engine->onces, once->key, instance);
}

void
_nebula_once_attach (NebulaInstance *instance, NebulaUnit *unit)
{
  NebulaOnce *once = instance->once;

  if (!once || once->is_attached)
    return;
  _nebula_idempotency_record_add (once->record, once->key, unit);
  once->is_attached = TRUE;
}

void
_nebula_once_forget (NebulaInstance *instance)
{
  if (!instance->once)
    return;
  if (instance->engine->onces)
    g_hash_table_remove (instance->engine->onces, instance->once->key);
  g_clear_pointer (&instance->once, _nebula_once_free);
}

/**
 * nebula_engine_get_idempotency:
 * @self: an engine
 *
 * Gets the table of keys in the engine's store, to do other things than starts once for each key.
 *
 * Returns: (transfer none): the table, which lives as long as the engine
 *
 * Since: 1.0
 */
NebulaIdempotency *
nebula_engine_get_idempotency (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);

  if (!self->idempotency)
    self->idempotency = _nebula_idempotency_new (self->journal, self->clock);
  return self->idempotency;
}
