/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers, texts, values and fields of a checkpoint. */

#include "nebula-checkpoint-reader-private.h"
#include "nebula-msgpack-internal.h"
#include "nebula-wire-private.h"

gboolean
_nebula_reader_require (NebulaReader *self, gboolean holds)
{
  self->is_broken |= !holds;
  return !self->is_broken;
}

guint64
_nebula_reader_read_number (NebulaReader *self)
{
  guint64 number = 0;

  if (self->is_broken)
    return 0;
  _nebula_reader_require (
      self, _nebula_wire_read_varint (self->data, self->size, &self->offset, &number));
  return self->is_broken ? 0 : number;
}

guint32
_nebula_reader_read_limited (NebulaReader *self, guint32 maximum)
{
  guint64 number = _nebula_reader_read_number (self);

  return _nebula_reader_require (self, number <= maximum) ? (guint32) number : 0;
}

gint64
_nebula_reader_read_signed (NebulaReader *self)
{
  gint64 number = 0;

  if (self->is_broken)
    return 0;
  _nebula_reader_require (
      self, _nebula_wire_read_zigzag (self->data, self->size, &self->offset, &number));
  return self->is_broken ? 0 : number;
}

static guint64
read_bits (NebulaReader *self)
{
  guint64 bits = 0;

  if (!_nebula_reader_require (self, self->size - self->offset >= sizeof bits))
    return 0;
  for (guint i = 0; i < sizeof bits; i++)
    bits |= (guint64) self->data[self->offset++] << (8 * i);
  return bits;
}

static gint64
read_time (NebulaReader *self)
{
  gint64 usec =
      (gint64) ((guint64) self->last_usec + (guint64) _nebula_reader_read_signed (self));

  if (!_nebula_reader_require (self, usec >= 0 && usec <= NEBULA_CHECKPOINT_TIME_MAX))
    return 0;
  self->last_usec = usec;
  return usec;
}

/* NULL: none, or broken. */
const char *
_nebula_reader_read_text (NebulaReader *self)
{
  guint64 number = _nebula_reader_read_number (self);
  char *text = NULL;

  if (number == NEBULA_TEXT_NONE || self->is_broken)
    return NULL;
  if (number >= NEBULA_TEXT_KNOWN) {
    number -= NEBULA_TEXT_KNOWN;
    return _nebula_reader_require (self, number < self->texts->len)
               ? self->texts->pdata[number]
               : NULL;
  }
  if (!_nebula_reader_require (
          self, _nebula_wire_read_text (self->data, self->size, &self->offset, &text)))
    return NULL;
  g_ptr_array_add (self->texts, text);
  return _nebula_reader_require (self, g_utf8_validate (text, -1, NULL)) ? text : NULL;
}

void
_nebula_reader_number_value (NebulaReader *self, NebulaValue *value)
{
  if (value && _nebula_checkpoint_shares (value))
    g_ptr_array_add (self->values, nebula_value_ref (value));
}

static NebulaValue *
read_packed (NebulaReader *self)
{
  NebulaValue *value =
      nebula_value_read_msgpack_own (self->data, self->size, &self->offset, NULL);

  if (_nebula_reader_require (self, value != NULL))
    _nebula_reader_number_value (self, value);
  return value;
}

/* NULL: none, or broken. */
NebulaValue *
_nebula_reader_read_value (NebulaReader *self)
{
  guint64 number = _nebula_reader_read_number (self);

  if (number == NEBULA_VALUE_NONE || self->is_broken)
    return NULL;
  if (number == NEBULA_VALUE_PACKED)
    return read_packed (self);
  if (!_nebula_reader_require (self, number != NEBULA_VALUE_MEMBERS &&
                                         number - NEBULA_VALUE_KNOWN < self->values->len))
    return NULL;
  return nebula_value_ref (self->values->pdata[number - NEBULA_VALUE_KNOWN]);
}

static NebulaValue *
read_members (NebulaReader *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  guint64 length = _nebula_reader_read_number (self);
  NebulaValue *inputs;

  for (guint64 i = 0; i < length && !self->is_broken; i++) {
    const char *key = _nebula_reader_read_text (self);
    g_autoptr (NebulaValue) member = _nebula_reader_read_value (self);

    if (_nebula_reader_require (self, key && member))
      nebula_value_builder_set (builder, key, member);
  }
  if (self->is_broken)
    return NULL;
  inputs = nebula_value_builder_end (builder);
  _nebula_reader_number_value (self, inputs);
  return inputs;
}

static NebulaValue *
read_inputs (NebulaReader *self)
{
  gsize start = self->offset;

  if (_nebula_reader_read_number (self) == NEBULA_VALUE_MEMBERS && !self->is_broken)
    return read_members (self);
  self->offset = start;
  return _nebula_reader_read_value (self);
}

/* The field is zero before. */
static void
read_field (NebulaReader *self,
            const NebulaStruct *structure,
            const NebulaField *field,
            gpointer data)
{
  switch ((NebulaFieldType) field->type) {
  case NEBULA_FIELD_UINT8:
    G_STRUCT_MEMBER (guint8, data, field->offset) =
        (guint8) _nebula_reader_read_limited (self, G_MAXUINT8);
    break;
  case NEBULA_FIELD_UINT16:
    G_STRUCT_MEMBER (guint16, data, field->offset) =
        (guint16) _nebula_reader_read_limited (self, G_MAXUINT16);
    break;
  case NEBULA_FIELD_UINT32:
    G_STRUCT_MEMBER (guint32, data, field->offset) =
        _nebula_reader_read_limited (self, G_MAXUINT32);
    break;
  case NEBULA_FIELD_UINT64:
    G_STRUCT_MEMBER (guint64, data, field->offset) = _nebula_reader_read_number (self);
    break;
  case NEBULA_FIELD_INT64:
    G_STRUCT_MEMBER (gint64, data, field->offset) = _nebula_reader_read_signed (self);
    break;
  case NEBULA_FIELD_BITS:
    G_STRUCT_MEMBER (guint64, data, field->offset) = read_bits (self);
    break;
  case NEBULA_FIELD_TIME:
    G_STRUCT_MEMBER (gint64, data, field->offset) = read_time (self);
    break;
  case NEBULA_FIELD_TEXT:
    G_STRUCT_MEMBER (char *, data, field->offset) =
        g_strdup (_nebula_reader_read_text (self));
    break;
  case NEBULA_FIELD_NAME:
    G_STRUCT_MEMBER (const char *, data, field->offset) =
        g_intern_string (_nebula_reader_read_text (self));
    break;
  case NEBULA_FIELD_VALUE:
    G_STRUCT_MEMBER (NebulaValue *, data, field->offset) =
        _nebula_reader_read_value (self);
    break;
  case NEBULA_FIELD_INPUTS:
    G_STRUCT_MEMBER (NebulaValue *, data, field->offset) = read_inputs (self);
    break;
  case NEBULA_FIELD_FLAGS:
    structure->set_flags (data,
                          _nebula_reader_read_limited (self, structure->flags_mask));
    break;
  default:
    g_return_if_reached ();
  }
}

void
_nebula_reader_read_fields (NebulaReader *self,
                            const NebulaStruct *structure,
                            gpointer data)
{
  guint32 present = _nebula_reader_read_limited (self, (1u << structure->n_fields) - 1);

  for (guint i = 0; i < structure->n_fields && !self->is_broken; i++) {
    if (present & (1u << i))
      read_field (self, structure, &structure->fields[i], data);
  }
}
