/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cells: what the machine's stack is made of. */

#include <glib/gi18n-lib.h>

#include "nebula-expression-private.h"

NebulaValue *
_nebula_cell_ref_value (const NebulaCell *cell)
{
  if (cell->tag == NEBULA_CELL_VALUE)
    return nebula_value_ref (cell->as.value);
  if (cell->tag == NEBULA_CELL_INTEGER)
    return nebula_value_new_integer (cell->as.integer);
  if (cell->tag == NEBULA_CELL_FLOAT)
    return nebula_value_new_float (cell->as.number);
  if (cell->tag == NEBULA_CELL_BOOLEAN)
    return nebula_value_new_boolean (cell->as.boolean);
  return nebula_value_new_null ();
}

NebulaValue *
_nebula_cell_to_value (NebulaCell *cell)
{
  NebulaValue *value;

  if (cell->tag == NEBULA_CELL_VALUE && cell->is_owned)
    value = cell->as.value;
  else
    value = _nebula_cell_ref_value (cell);
  *cell = _nebula_cell_null ();
  return value;
}

NebulaValueKind
_nebula_cell_get_kind (const NebulaCell *cell)
{
  if (cell->tag == NEBULA_CELL_VALUE)
    return nebula_value_get_kind (cell->as.value);
  if (cell->tag == NEBULA_CELL_INTEGER)
    return NEBULA_VALUE_KIND_INTEGER;
  if (cell->tag == NEBULA_CELL_FLOAT)
    return NEBULA_VALUE_KIND_FLOAT;
  if (cell->tag == NEBULA_CELL_BOOLEAN)
    return NEBULA_VALUE_KIND_BOOLEAN;
  return NEBULA_VALUE_KIND_NULL;
}

gboolean
_nebula_cell_equal (const NebulaCell *a, const NebulaCell *b)
{
  g_autoptr (NebulaValue) left = NULL;
  g_autoptr (NebulaValue) right = NULL;

  if (a->tag == b->tag && a->tag == NEBULA_CELL_INTEGER)
    return a->as.integer == b->as.integer;
  if (a->tag == b->tag && a->tag == NEBULA_CELL_BOOLEAN)
    return a->as.boolean == b->as.boolean;
  if (a->tag == NEBULA_CELL_NULL || b->tag == NEBULA_CELL_NULL)
    return a->tag == b->tag;
  if (a->tag == NEBULA_CELL_VALUE && b->tag == NEBULA_CELL_VALUE)
    return a->as.value == b->as.value || nebula_value_equal (a->as.value, b->as.value);
  left = _nebula_cell_ref_value (a);
  right = _nebula_cell_ref_value (b);
  return nebula_value_equal (left, right);
}

const char *
_nebula_cell_get_string (const NebulaCell *cell, gsize *ret_length)
{
  if (ret_length != NULL)
    *ret_length = nebula_value_get_string_length (cell->as.value);
  return nebula_value_get_string (cell->as.value);
}

/* With an article, for sentences; each form is translated as a whole. */
static const char *const kind_words[] = {
    [NEBULA_VALUE_KIND_NULL] = N_ ("null"),
    [NEBULA_VALUE_KIND_BOOLEAN] = N_ ("a boolean"),
    [NEBULA_VALUE_KIND_INTEGER] = N_ ("an integer"),
    [NEBULA_VALUE_KIND_FLOAT] = N_ ("a float"),
    [NEBULA_VALUE_KIND_DECIMAL] = N_ ("a decimal"),
    [NEBULA_VALUE_KIND_STRING] = N_ ("text"),
    [NEBULA_VALUE_KIND_BYTES] = N_ ("bytes"),
    [NEBULA_VALUE_KIND_ARRAY] = N_ ("an array"),
    [NEBULA_VALUE_KIND_OBJECT] = N_ ("an object"),
    [NEBULA_VALUE_KIND_DATE] = N_ ("a date"),
    [NEBULA_VALUE_KIND_TIME] = N_ ("a time"),
    [NEBULA_VALUE_KIND_TIMESTAMP] = N_ ("a timestamp"),
    [NEBULA_VALUE_KIND_DURATION] = N_ ("a duration"),
    [NEBULA_VALUE_KIND_REFERENCE] = N_ ("a reference"),
};

const char *
_nebula_kind_to_words (NebulaValueKind kind)
{
  return _ (kind_words[kind]);
}

const char *
_nebula_cell_to_words (const NebulaCell *cell)
{
  if (cell->tag == NEBULA_CELL_LAMBDA)
    return _ ("a lambda");
  return _nebula_kind_to_words (_nebula_cell_get_kind (cell));
}

#define SECRET_SCHEME "secret:"
#define SECRET_TEXT   "•••"

static gboolean
is_secret (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_REFERENCE &&
         g_str_has_prefix (nebula_value_get_string (value), SECRET_SCHEME);
}

static NebulaValue *
hide_items (NebulaValue *value)
{
  gboolean is_object = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
  g_autoptr (NebulaValueBuilder) builder =
      is_object ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *part = is_object ? nebula_value_get_member_at (value, i)
                                  : nebula_value_get_item (value, i);
    NebulaValue *shown = _nebula_value_hide_secrets (part);
    gsize length;
    const char *key = is_object ? nebula_value_get_key (value, i, &length) : NULL;

    if (is_object)
      nebula_value_builder_set_length_take (builder, key, length, shown);
    else
      nebula_value_builder_add_take (builder, shown);
  }
  return nebula_value_builder_end (builder);
}

static gboolean
has_secret (NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  gboolean is_object = kind == NEBULA_VALUE_KIND_OBJECT;

  if (!is_object && kind != NEBULA_VALUE_KIND_ARRAY)
    return is_secret (value);
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (has_secret (is_object ? nebula_value_get_member_at (value, i)
                              : nebula_value_get_item (value, i)))
      return TRUE;
  return FALSE;
}

/* A secret is a handle, not a value: what becomes text has dots in its place. */
NebulaValue *
_nebula_value_hide_secrets (NebulaValue *value)
{
  if (!has_secret (value))
    return nebula_value_ref (value);
  return is_secret (value) ? nebula_value_new_string (SECRET_TEXT) : hide_items (value);
}
