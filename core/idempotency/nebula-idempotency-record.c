/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-idempotency-internal.h"
#include "nebula-json.h"

NebulaIdempotencyRecord *
_nebula_idempotency_record_new (const char *fingerprint, gint64 expires_usec)
{
  NebulaIdempotencyRecord *self = g_new0 (NebulaIdempotencyRecord, 1);

  self->fingerprint = g_strdup (fingerprint);
  self->expires_usec = expires_usec;
  self->attempt = 1;
  return self;
}

void
_nebula_idempotency_record_free (NebulaIdempotencyRecord *self)
{
  g_free (self->fingerprint);
  g_free (self->run);
  g_free (self->execution);
  g_clear_pointer (&self->value, nebula_value_unref);
  g_clear_pointer (&self->failure, nebula_value_unref);
  g_free (self);
}

static NebulaValue *
dup_member (NebulaValue *object, const char *key)
{
  NebulaValue *member = nebula_value_get_member (object, key);

  return member ? nebula_value_ref (member) : NULL;
}

static NebulaIdempotencyRecord *
parse (GBytes *bytes)
{
  gsize size = 0;
  const char *text = g_bytes_get_data (bytes, &size);
  g_autoptr (NebulaValue) value
      = nebula_value_parse_json (text, (gssize) size, NEBULA_JSON_FLAGS_NONE, NULL);
  NebulaIdempotencyRecord *self = NULL;

  if (!value || nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return NULL;
  self = _nebula_idempotency_record_new (nebula_value_get_member_string (value, "fingerprint", ""),
                                         nebula_value_get_member_integer (value, "expires", 0));
  self->attempt = (guint) nebula_value_get_member_integer (value, "attempt", 1);
  self->run = g_strdup (nebula_value_get_member_string (value, "run", NULL));
  self->execution = g_strdup (nebula_value_get_member_string (value, "execution", NULL));
  self->value = dup_member (value, "value");
  self->failure = dup_member (value, "error");
  return self;
}

gboolean
_nebula_idempotency_record_read (NebulaStore *store,
                                 const char *key,
                                 NebulaIdempotencyRecord **ret,
                                 GError **error)
{
  gint64 revision = 0;
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GBytes) bytes
      = nebula_store_read_document (store, NEBULA_IDEMPOTENCY_COLLECTION, key, &revision, &local_error);

  *ret = NULL;
  if (!bytes && (!local_error || g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND)))
    return TRUE;
  if (!bytes) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  *ret = parse (bytes);
  if (!*ret) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                         _ ("The stored outcome of an idempotency key cannot be read."));
    return FALSE;
  }
  (*ret)->revision = revision;
  return TRUE;
}

void
_nebula_idempotency_record_add (NebulaIdempotencyRecord *self, const char *key, NebulaUnit *unit)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GBytes) bytes = NULL;
  char *text = NULL;

  nebula_value_builder_set_string (builder, "fingerprint", self->fingerprint);
  nebula_value_builder_set_integer (builder, "expires", self->expires_usec);
  if (self->execution)
    nebula_value_builder_set_string (builder, "execution", self->execution);
  else
    nebula_value_builder_set_integer (builder, "attempt", self->attempt);
  if (self->run)
    nebula_value_builder_set_string (builder, "run", self->run);
  if (self->value)
    nebula_value_builder_set (builder, "value", self->value);
  if (self->failure)
    nebula_value_builder_set (builder, "error", self->failure);
  value = nebula_value_builder_end (builder);
  text = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
  bytes = g_bytes_new_take (text, strlen (text));
  nebula_unit_add_document (unit, NEBULA_IDEMPOTENCY_COLLECTION, key, bytes,
                            self->revision > 0    ? self->revision
                            : self->revision == 0 ? -1
                                                  : 0);
  unit->strict = TRUE;
}
