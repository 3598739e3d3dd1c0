/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which members and items a schema looked at, as bits; and the two keywords that ask what is left. */
#include <string.h>

#include "nebula-json-schema-private.h"

void
_nebula_schema_marks_init (NebulaSchemaMarks *self, NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  memset (self, 0, sizeof *self);
  if (kind == NEBULA_VALUE_KIND_ARRAY || kind == NEBULA_VALUE_KIND_OBJECT)
    self->n = nebula_value_get_length (value);
  self->bits = self->n <= 64 * G_N_ELEMENTS (self->small)
                   ? self->small
                   : g_new0 (guint64, (self->n + 63) / 64);
}

void
_nebula_schema_marks_clear (NebulaSchemaMarks *self)
{
  if (self->bits != self->small)
    g_free (self->bits);
  self->bits = NULL;
}

void
_nebula_schema_marks_add (NebulaSchemaMarks *self, gsize index)
{
  if (self)
    self->bits[index / 64] |= G_GUINT64_CONSTANT (1) << (index % 64);
}

void
_nebula_schema_marks_merge (NebulaSchemaMarks *self, const NebulaSchemaMarks *other)
{
  for (gsize i = 0; i < (self->n + 63) / 64; i++)
    self->bits[i] |= other->bits[i];
}

gboolean
_nebula_schema_marks_has (const NebulaSchemaMarks *self, gsize index)
{
  return (self->bits[index / 64] >> (index % 64)) & 1;
}

gboolean
_nebula_schema_rule_unevaluated_items (NebulaSchemaRun *run,
                                       const NebulaSchemaFrame *frame,
                                       const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_ARRAY)
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (frame->value); i++) {
    NebulaSchemaPlace place = {frame->place, NULL, 0, i};

    if (_nebula_schema_marks_has (frame->marks, i))
      continue;
    if (_nebula_schema_run (run, check->node, nebula_value_get_item (frame->value, i),
                            &place, NULL))
      _nebula_schema_marks_add (frame->marks, i);
    else if (!_nebula_schema_wants_more (run))
      return FALSE;
    else
      is_valid = FALSE;
  }
  return is_valid;
}

gboolean
_nebula_schema_rule_unevaluated_properties (NebulaSchemaRun *run,
                                            const NebulaSchemaFrame *frame,
                                            const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_OBJECT)
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (frame->value); i++) {
    NebulaSchemaPlace place = {frame->place, NULL, 0, 0};

    if (_nebula_schema_marks_has (frame->marks, i))
      continue;
    place.key = nebula_value_get_key (frame->value, i, &place.length);
    if (_nebula_schema_run (run, check->node,
                            nebula_value_get_member_at (frame->value, i), &place, NULL))
      _nebula_schema_marks_add (frame->marks, i);
    else if (!_nebula_schema_wants_more (run))
      return FALSE;
    else
      is_valid = FALSE;
  }
  return is_valid;
}
