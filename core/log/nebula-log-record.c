/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A record is one block: the struct, the table of fields, then all texts. It is cut to a size, so that a buffer of them is
 * bounded; what is cut is cleaned of secrets before, lest the cut leaves half of one.
 */
#include <string.h>

#include "nebula-log-private.h"

#define VALUE_BYTES 4096

G_DEFINE_BOXED_TYPE (NebulaLogRecord, nebula_log_record, nebula_log_record_ref, nebula_log_record_unref)

static const char *const source_keys[] = { "CODE_FILE", "CODE_LINE", "CODE_FUNC" };

static gboolean
is_kept (const char *key)
{
  if (g_str_has_prefix (key, NEBULA_LOG_FIELD_PREFIX))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (source_keys); i++)
    if (strcmp (source_keys[i], key) == 0)
      return TRUE;
  return FALSE;
}

static gsize
get_length (const GLogField *field)
{
  return field->length < 0 ? strlen (field->value) : strnlen (field->value, (gsize) field->length);
}

/* A text on its way into a record. */
typedef struct
{
  const char *text;
  gsize length;
  char *owned;
} Part;

static void
part_clear (Part *self)
{
  g_free (self->owned);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Part, part_clear)

static void
part_init (Part *self, const GLogField *field, gsize limit, NebulaRedaction *redaction)
{
  self->text = field->value;
  self->length = get_length (field);
  if (self->length <= limit)
    return;
  self->owned = redaction ? _nebula_redaction_apply (redaction, self->text, self->length) : NULL;
  if (self->owned) {
    self->text = self->owned;
    self->length = strlen (self->owned);
  }
  self->length = MIN (self->length, limit);
}

static char *
put_text (char **at, const char *text, gsize length)
{
  char *start = *at;

  /* Lengths were counted before the block was made. */
  for (gsize i = 0; i < length; i++)
    start[i] = text[i];
  start[length] = '\0';
  *at += length + 1;
  return start;
}

/* The fields that a record keeps, then message and domain. */
typedef struct
{
  const char *keys[NEBULA_LOG_FIELDS_MAX];
  Part values[NEBULA_LOG_FIELDS_MAX];
  guint n_fields;
  Part message, domain;
} Parts;

static void
parts_clear (Parts *self)
{
  for (guint i = 0; i < self->n_fields; i++)
    part_clear (&self->values[i]);
  part_clear (&self->message);
  part_clear (&self->domain);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parts, parts_clear)

static void
collect (Parts *self, const GLogField *fields, gsize n_fields, NebulaRedaction *redaction)
{
  for (gsize i = 0; i < n_fields; i++) {
    const char *key = fields[i].key;

    if (strcmp (key, "MESSAGE") == 0)
      part_init (&self->message, &fields[i], NEBULA_LOG_MESSAGE_BYTES, redaction);
    else if (strcmp (key, "GLIB_DOMAIN") == 0)
      part_init (&self->domain, &fields[i], VALUE_BYTES, redaction);
    else if (self->n_fields < NEBULA_LOG_FIELDS_MAX && is_kept (key)) {
      self->keys[self->n_fields] = key;
      part_init (&self->values[self->n_fields++], &fields[i], VALUE_BYTES, redaction);
    }
  }
}

NebulaLogRecord *
_nebula_log_record_new (GLogLevelFlags level,
                        gint64 real_usec,
                        const GLogField *fields,
                        gsize n_fields,
                        NebulaRedaction *redaction)
{
  g_auto (Parts) parts = { .domain = { "default", 7, NULL }, .message = { "", 0, NULL } };
  NebulaLogRecord *self = NULL;
  gsize size = sizeof (NebulaLogRecord);
  char *at = NULL;

  collect (&parts, fields, n_fields, redaction);
  size += parts.n_fields * sizeof (NebulaLogRecordField) + parts.message.length + parts.domain.length + 2;
  for (guint i = 0; i < parts.n_fields; i++)
    size += strlen (parts.keys[i]) + parts.values[i].length + 2;
  self = g_malloc (size);
  *self = (NebulaLogRecord){ .level = level & G_LOG_LEVEL_MASK, .real_usec = real_usec, .size = size };
  g_atomic_ref_count_init (&self->count);
  self->redaction = redaction ? _nebula_redaction_ref (redaction) : NULL;
  self->n_fields = parts.n_fields;
  at = (char *) &self->fields[parts.n_fields];
  self->message = put_text (&at, parts.message.text, parts.message.length);
  self->domain = put_text (&at, parts.domain.text, parts.domain.length);
  for (guint i = 0; i < parts.n_fields; i++) {
    self->fields[i].key = put_text (&at, parts.keys[i], strlen (parts.keys[i]));
    self->fields[i].value = put_text (&at, parts.values[i].text, parts.values[i].length);
  }
  return self;
}

/* Takes @record; gives it, or one without the secrets that were alive when it was made. */
NebulaLogRecord *
_nebula_log_record_clean (NebulaLogRecord *record)
{
  g_autoptr (NebulaLogRecord) dirty = record;
  GLogField fields[NEBULA_LOG_FIELDS_MAX + 2];
  char *owned[NEBULA_LOG_FIELDS_MAX + 2] = { NULL };
  gboolean is_changed = FALSE;
  gsize n_fields = 0;
  NebulaLogRecord *clean = NULL;

  if (!dirty->redaction)
    return g_steal_pointer (&dirty);
  fields[n_fields++] = (GLogField){ "MESSAGE", dirty->message, -1 };
  fields[n_fields++] = (GLogField){ "GLIB_DOMAIN", dirty->domain, -1 };
  for (guint i = 0; i < dirty->n_fields; i++)
    fields[n_fields++] = (GLogField){ dirty->fields[i].key, dirty->fields[i].value, -1 };
  for (gsize i = 0; i < n_fields; i++) {
    owned[i] = _nebula_redaction_apply (dirty->redaction, fields[i].value, strlen (fields[i].value));
    if (owned[i])
      fields[i].value = owned[i];
    is_changed |= owned[i] != NULL;
  }
  if (is_changed)
    clean = _nebula_log_record_new (dirty->level, dirty->real_usec, fields, n_fields, NULL);
  for (gsize i = 0; i < n_fields; i++)
    g_free (owned[i]);
  return clean ? clean : g_steal_pointer (&dirty);
}

/**
 * nebula_log_record_ref:
 * @self: an entry
 *
 * Holds an entry.
 *
 * Thread: any.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaLogRecord *
nebula_log_record_ref (NebulaLogRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->count);
  return self;
}

/**
 * nebula_log_record_unref:
 * @self: (transfer full): an entry
 *
 * Lets an entry go.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_record_unref (NebulaLogRecord *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->count))
    return;
  g_clear_pointer (&self->redaction, _nebula_redaction_unref);
  g_free (self);
}

/**
 * nebula_log_record_get_level:
 * @self: an entry
 *
 * Tells how urgent it is.
 *
 * Returns: the level
 *
 * Since: 1.0
 */
GLogLevelFlags
nebula_log_record_get_level (NebulaLogRecord *self)
{
  g_return_val_if_fail (self != NULL, G_LOG_LEVEL_DEBUG);

  return self->level;
}

/**
 * nebula_log_record_get_real_usec:
 * @self: an entry
 *
 * Tells when it was made.
 *
 * Returns: microseconds since 1970 in UTC
 *
 * Since: 1.0
 */
gint64
nebula_log_record_get_real_usec (NebulaLogRecord *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->real_usec;
}

/**
 * nebula_log_record_get_domain:
 * @self: an entry
 *
 * Tells which part of the program made it.
 *
 * Returns: (transfer none): the log domain
 *
 * Since: 1.0
 */
const char *
nebula_log_record_get_domain (NebulaLogRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->domain;
}

/**
 * nebula_log_record_get_message:
 * @self: an entry
 *
 * Gets what it says.
 *
 * Returns: (transfer none): the message
 *
 * Since: 1.0
 */
const char *
nebula_log_record_get_message (NebulaLogRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->message;
}

/**
 * nebula_log_record_get_n_fields:
 * @self: an entry
 *
 * Counts its fields besides message, domain and level.
 *
 * Returns: their number
 *
 * Since: 1.0
 */
guint
nebula_log_record_get_n_fields (NebulaLogRecord *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_fields;
}

/**
 * nebula_log_record_get_key:
 * @self: an entry
 * @index: which field
 *
 * Gets the name of a field, such as `NEBULA_EXECUTION`.
 *
 * Returns: (transfer none): the name
 *
 * Since: 1.0
 */
const char *
nebula_log_record_get_key (NebulaLogRecord *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->n_fields, NULL);

  return self->fields[index].key;
}

/**
 * nebula_log_record_get_value:
 * @self: an entry
 * @index: which field
 *
 * Gets the text of a field.
 *
 * Returns: (transfer none): the text
 *
 * Since: 1.0
 */
const char *
nebula_log_record_get_value (NebulaLogRecord *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->n_fields, NULL);

  return self->fields[index].value;
}

/**
 * nebula_log_record_format:
 * @self: an entry
 * @format: how it shall look
 * @has_colour: whether a terminal will show it
 *
 * Writes an entry as one line. Whatever stands in it, the line stays one and is valid UTF-8.
 *
 * Returns: (transfer full): the line, with its line end
 *
 * Since: 1.0
 */
char *
nebula_log_record_format (NebulaLogRecord *self, NebulaLogFormat format, gboolean has_colour)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_string_free (_nebula_log_line (self, format, has_colour), FALSE);
}
