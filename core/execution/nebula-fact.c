/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-fact-internal.h"
#include "nebula-msgpack-internal.h"
#include "nebula-wire-private.h"

enum {
  FIELD_LANE = 1 << 0,
  FIELD_NODE = 1 << 1,
  FIELD_NUMBER = 1 << 2,
  FIELD_ATTEMPT = 1 << 3,
  FIELD_TIME = 1 << 4,
  FIELD_TEXT = 1 << 5,
  FIELD_VALUE = 1 << 6,
  FIELD_DUE = 1 << 7,
  FIELD_CODE = 1 << 8,
  FIELD_ALL = (1 << 9) - 1,
};

#define SHORT_TEXT 64

static gboolean
truncated (GError **error)
{
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                       _ ("A segment of the journal ends in the middle of a fact."));
  return FALSE;
}

static gboolean
read_varint (NebulaFactReader *self, guint64 *ret_number, GError **error)
{
  return _nebula_wire_read_varint (self->data, self->size, &self->offset, ret_number) ||
         truncated (error);
}

static gboolean
read_zigzag (NebulaFactReader *self, gint64 *ret_number, GError **error)
{
  return _nebula_wire_read_zigzag (self->data, self->size, &self->offset, ret_number) ||
         truncated (error);
}

static gboolean
read_text (NebulaFactReader *self, char **ret_text, GError **error)
{
  return _nebula_wire_read_text (self->data, self->size, &self->offset, ret_text) ||
         truncated (error);
}

void
nebula_fact_writer_init (NebulaFactWriter *self)
{
  self->bytes = NULL;
  self->last_usec = 0;
  self->n_facts = 0;
}

void
nebula_fact_writer_clear (NebulaFactWriter *self)
{
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  self->n_facts = 0;
}

static void
nebula_fact_writer_begin (NebulaFactWriter *self, gint64 base_usec)
{
  guint64 time = GUINT64_TO_LE ((guint64) base_usec);

  self->bytes = g_byte_array_sized_new (256);
  _nebula_wire_append_varint (self->bytes, NEBULA_FACT_FORMAT);
  g_byte_array_append (self->bytes, (const guint8 *) &time, sizeof time);
  self->last_usec = base_usec;
}

static guint
fields_of (const NebulaFact *fact, gint64 last_usec)
{
  return (fact->lane ? FIELD_LANE : 0u) |
         (fact->number ? FIELD_NUMBER : 0u) | (fact->attempt ? FIELD_ATTEMPT : 0u) |
         (fact->time_usec != last_usec ? FIELD_TIME : 0u) |
         (fact->text ? FIELD_TEXT : 0u) | (fact->value ? FIELD_VALUE : 0u) |
         (fact->due_usec ? FIELD_DUE : 0u) | (fact->code ? FIELD_CODE : 0u);
}

/* A fact is mostly small numbers: they are put together before they are appended. */
typedef struct {
  guint8 bytes[2 * SHORT_TEXT + 8 * NEBULA_WIRE_VARINT_BYTES];
  guint length;
  GByteArray *target;
} Draft;

static void
draft_flush (Draft *self)
{
  g_byte_array_append (self->target, self->bytes, self->length);
  self->length = 0;
}

static void
draft_number (Draft *self, guint64 number)
{
  self->length += _nebula_wire_put_varint (self->bytes + self->length, number);
}

static void
draft_text (Draft *self, const char *text)
{
  gsize length = strlen (text);

  if (length > SHORT_TEXT) {
    draft_flush (self);
    _nebula_wire_append_text (self->target, text);
    return;
  }
  draft_number (self, length);
  memcpy (self->bytes + self->length, text, length);
  self->length += (guint) length;
}

static void
draft_value (Draft *self, NebulaValue *value)
{
  draft_flush (self);
  nebula_value_append_msgpack (value, self->target);
}

void
nebula_fact_writer_add_named (NebulaFactWriter *self, const char *node, const NebulaFact *fact)
{
  Draft draft;
  guint fields;

  if (!self->bytes)
    nebula_fact_writer_begin (self, fact->time_usec);
  fields = fields_of (fact, self->last_usec) | (node ? FIELD_NODE : 0u);
  draft.target = self->bytes;
  draft.length = 0;
  draft.bytes[draft.length++] = (guint8) fact->kind;
  draft_number (&draft, fields);
  if (fields & FIELD_LANE)
    draft_number (&draft, fact->lane);
  if (fields & FIELD_NODE)
    draft_text (&draft, node);
  if (fields & FIELD_NUMBER)
    draft_number (&draft, _nebula_wire_zigzag (fact->number));
  if (fields & FIELD_ATTEMPT)
    draft_number (&draft, fact->attempt);
  if (fields & FIELD_TIME)
    draft_number (&draft, _nebula_wire_zigzag (fact->time_usec - self->last_usec));
  if (fields & FIELD_TEXT)
    draft_text (&draft, fact->text);
  if (fields & FIELD_VALUE)
    draft_value (&draft, fact->value);
  if (fields & FIELD_DUE)
    draft_number (&draft, _nebula_wire_zigzag (fact->due_usec - fact->time_usec));
  if (fields & FIELD_CODE)
    draft_number (&draft, fact->code);
  draft_flush (&draft);
  self->last_usec = fact->time_usec;
  self->n_facts++;
}

void
nebula_fact_writer_add (NebulaFactWriter *self, NebulaPlan *plan, const NebulaFact *fact)
{
  nebula_fact_writer_add_named (
      self, fact->node != NEBULA_PLAN_NONE ? plan->nodes[fact->node].id : NULL, fact);
}

GBytes *
nebula_fact_writer_end (NebulaFactWriter *self)
{
  self->n_facts = 0;
  return g_byte_array_free_to_bytes (g_steal_pointer (&self->bytes));
}

gboolean
nebula_fact_reader_init (NebulaFactReader *self,
                         GBytes *segment,
                         NebulaFactFindNode find_node,
                         gpointer data,
                         GError **error)
{
  guint64 format;
  guint64 time;

  self->data = g_bytes_get_data (segment, &self->size);
  self->offset = 0;
  self->text = NULL;
  self->find_node = find_node;
  self->find_data = data;
  if (!read_varint (self, &format, error))
    return FALSE;
  if (format != NEBULA_FACT_FORMAT) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_VERSION,
                 _ ("The journal has facts of format %llu; this version reads format %d. "
                    "Use a newer version of Nebula."),
                 (unsigned long long) format, NEBULA_FACT_FORMAT);
    return FALSE;
  }
  if (self->size - self->offset < sizeof time)
    return truncated (error);
  memcpy (&time, self->data + self->offset, sizeof time);
  self->offset += sizeof time;
  self->last_usec = (gint64) GUINT64_FROM_LE (time);
  return TRUE;
}

static gboolean
read_node (NebulaFactReader *self, NebulaFact *fact, GError **error)
{
  g_autofree char *id = NULL;

  if (!read_text (self, &id, error))
    return FALSE;
  fact->node = self->find_node (fact->lane, id, self->find_data);
  if (fact->node != NEBULA_PLAN_NONE)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
               _ ("The journal names a node “%s” that its workflow does not have."), id);
  return FALSE;
}

static gboolean
read_small (NebulaFactReader *self, guint32 *ret_number, GError **error)
{
  guint64 number;

  if (!read_varint (self, &number, error))
    return FALSE;
  if (number > G_MAXUINT32)
    return truncated (error);
  *ret_number = (guint32) number;
  return TRUE;
}

static gboolean
read_fields (NebulaFactReader *self, guint64 fields, NebulaFact *fact, GError **error)
{
  gint64 delta;

  if ((fields & FIELD_LANE) && !read_small (self, &fact->lane, error))
    return FALSE;
  if ((fields & FIELD_NODE) && !read_node (self, fact, error))
    return FALSE;
  if ((fields & FIELD_NUMBER) && !read_zigzag (self, &fact->number, error))
    return FALSE;
  if ((fields & FIELD_ATTEMPT) && !read_small (self, &fact->attempt, error))
    return FALSE;
  if (fields & FIELD_TIME) {
    if (!read_zigzag (self, &delta, error))
      return FALSE;
    fact->time_usec += delta;
  }
  if (fields & FIELD_TEXT) {
    if (!read_text (self, &self->text, error))
      return FALSE;
    fact->text = self->text;
  }
  if (fields & FIELD_VALUE) {
    fact->value =
        nebula_value_read_msgpack_own (self->data, self->size, &self->offset, error);
    if (!fact->value)
      return FALSE;
  }
  if (fields & FIELD_DUE) {
    if (!read_zigzag (self, &delta, error))
      return FALSE;
    fact->due_usec = fact->time_usec + delta;
  }
  return !(fields & FIELD_CODE) || read_small (self, &fact->code, error);
}

void
nebula_fact_reader_clear (NebulaFactReader *self)
{
  g_clear_pointer (&self->text, g_free);
}

gboolean
nebula_fact_reader_next (NebulaFactReader *self, NebulaFact *ret_fact, GError **error)
{
  NebulaFact fact = {.node = NEBULA_PLAN_NONE, .time_usec = self->last_usec};
  guint64 fields;
  guint8 kind;

  nebula_fact_reader_clear (self);
  if (self->offset == self->size)
    return FALSE;
  kind = self->data[self->offset++];
  if (!read_varint (self, &fields, error))
    return FALSE;
  if (kind < NEBULA_FACT_STARTED || kind > NEBULA_FACT_LAST ||
      (fields & ~(guint64) FIELD_ALL)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _ ("The journal has a fact of unknown kind %u."), (guint) kind);
    return FALSE;
  }
  fact.kind = kind;
  if (!read_fields (self, fields, &fact, error)) {
    g_clear_pointer (&fact.value, nebula_value_unref);
    nebula_fact_reader_clear (self);
    return FALSE;
  }
  self->last_usec = fact.time_usec;
  *ret_fact = fact;
  return TRUE;
}

const char *
nebula_fact_kind_to_string (NebulaFactKind kind)
{
  static const char *const names[] = {
      NULL,
      "started",
      "node-ready",
      "attempt-started",
      "attempt-failed",
      "node-waiting",
      "node-ended",
      "node-failed",
      "node-skipped",
      "node-cancelled",
      "guard",
      "need",
      "loop-opened",
      "lane-opened",
      "lane-closed",
      "lane-cancelled",
      "signalled",
      "cancel-asked",
      "gate-asked",
      "gate-granted",
      "paused",
      "resumed",
      "withdrawn",
      "ended",
      "results-stored",
      "undo-kept",
      "undo-opened",
      "undo-closed",
      "loop-ending",
      "loop-cleared",
      "items-added",
      "lock-asked",
      "lock-granted",
      "watched",
      "decided",
      "given",
      "input-given",
      "breakpoints",
      "begun",
      "gate-left",
      "batched",
  };

  g_return_val_if_fail (kind >= NEBULA_FACT_STARTED && kind <= NEBULA_FACT_LAST,
                        "unknown");
  return names[kind];
}
