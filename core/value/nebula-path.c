/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-path.h"

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-value-private.h"

typedef struct
{
  char *key;
  gsize length;
  gboolean is_index; /* written in brackets: makes an array where nothing is */
} Step;

static void
step_clear (gpointer data)
{
  g_free (((Step *) data)->key);
}

static void
add_step (GArray *steps, GString *text, gboolean is_index)
{
  Step step = { .length = text->len, .is_index = is_index };

  step.key = g_string_free (text, FALSE);
  g_array_append_val (steps, step);
}

static void
parse_pointer (const char *at, GArray *steps)
{
  while (*at == '/') {
    GString *text = g_string_new (NULL);

    for (at++; *at && *at != '/'; at++) {
      if (*at == '~' && (at[1] == '0' || at[1] == '1'))
        g_string_append_c (text, *++at == '0' ? '~' : '/');
      else
        g_string_append_c (text, *at);
    }
    add_step (steps, text, FALSE);
  }
}

/* Behind `[`: digits, or a text in quotes with backslash escapes. */
static const char *
parse_bracket (const char *at, GArray *steps)
{
  GString *text = g_string_new (NULL);
  char quote = *at == '"' || *at == '\'' ? *at++ : '\0';

  for (; *at && *at != (quote ? quote : ']'); at++) {
    if (!quote && !g_ascii_isdigit (*at))
      break;
    if (*at == '\\' && at[1])
      at++;
    g_string_append_c (text, *at);
  }
  if (quote && *at == quote)
    at++;
  else if (quote || text->len == 0)
    at = "";
  add_step (steps, text, !quote);
  return *at == ']' ? at + 1 : NULL;
}

static gboolean
parse_dotted (const char *at, GArray *steps)
{
  gboolean is_first = TRUE;

  while (at && *at) {
    GString *text = NULL;

    if (*at == '[') {
      at = parse_bracket (at + 1, steps);
      is_first = FALSE;
      continue;
    }
    if (!is_first && *at++ != '.')
      return FALSE;
    text = g_string_new (NULL);
    for (; *at && *at != '.' && *at != '['; at++)
      g_string_append_c (text, *at);
    is_first = FALSE;
    add_step (steps, text, FALSE);
    if (g_array_index (steps, Step, steps->len - 1).length == 0)
      return FALSE;
  }
  return at != NULL;
}

static GArray *
parse_path (const char *path, GError **error)
{
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (Step));
  gboolean is_good = TRUE;

  g_array_set_clear_func (steps, step_clear);
  if (*path == '/')
    parse_pointer (path, steps);
  else
    is_good = parse_dotted (path, steps);
  if (!is_good) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX, _ ("“%s” is not a path; write it like a.b[0] or /a/b/0."),
                 path);
    return NULL;
  }
  if (steps->len > NEBULA_LIMIT_DEPTH) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP, _ ("The path has more than 128 steps."));
    return NULL;
  }
  return g_steal_pointer (&steps);
}

/* The item number that a step means; -1 for none. */
static gint64
get_index (const Step *step)
{
  guint64 index = 0;

  if (step->length > 1 && step->key[0] == '0')
    return -1;
  return g_ascii_string_to_unsigned (step->key, 10, 0, G_MAXINT32, &index, NULL) ? (gint64) index : -1;
}

static NebulaValue *
take_step (NebulaValue *value, const Step *step)
{
  gint64 index = 0;

  if (value->kind == NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_get_member_length (value, step->key, step->length);
  if (value->kind != NEBULA_VALUE_KIND_ARRAY)
    return NULL;
  index = get_index (step);
  return index >= 0 ? nebula_value_get_item (value, (gsize) index) : NULL;
}

/**
 * nebula_value_get_path:
 * @self: a value
 * @path: a path
 *
 * Gets a part of a value.
 *
 * Returns: (transfer none) (nullable): the part, which lives as long as @self; %NULL if there is none
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_get_path (NebulaValue *self, const char *path)
{
  g_autoptr (GArray) steps = NULL;
  NebulaValue *part = self;

  g_return_val_if_fail (self != NULL && path != NULL, NULL);

  steps = parse_path (path, NULL);
  if (!steps)
    return NULL;
  for (guint i = 0; part && i < steps->len; i++)
    part = take_step (part, &g_array_index (steps, Step, i));
  return part;
}

/**
 * nebula_value_has_path:
 * @self: a value
 * @path: a path
 *
 * Tells whether a value has a part.
 *
 * Returns: whether it has
 *
 * Since: 1.0
 */
gboolean
nebula_value_has_path (NebulaValue *self, const char *path)
{
  return nebula_value_get_path (self, path) != NULL;
}

static NebulaValue *
fail_step (const Step *step, NebulaError code, GError **error)
{
  if (code == NEBULA_ERROR_TYPE)
    g_set_error (error, NEBULA_ERROR, code, _ ("“%s” cannot be set: what holds it is neither an object nor an array."),
                 step->key);
  else
    g_set_error (error, NEBULA_ERROR, code, _ ("There is no part “%s”; check the path."), step->key);
  return NULL;
}

/* A copy of an array with an item put at a place, or taken out if part is NULL. */
static NebulaValue *
array_with_item (NebulaValue *array, gsize index, NebulaValue *part)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gsize length = nebula_value_get_length (array);

  for (gsize i = 0; i < length; i++)
    if (i != index)
      nebula_value_builder_add (builder, nebula_value_get_item (array, i));
    else if (part)
      nebula_value_builder_add (builder, part);
  if (part && index == length)
    nebula_value_builder_add (builder, part);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
object_with_member (NebulaValue *object, const Step *step, NebulaValue *part)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gsize count = nebula_value_get_length (object), length = 0;

  for (gsize i = 0; i < count; i++) {
    const char *key = nebula_value_get_key (object, i, &length);

    if (part || length != step->length || memcmp (key, step->key, length) != 0)
      nebula_value_builder_set_length_take (builder, key, length,
                                            nebula_value_ref (nebula_value_get_member_at (object, i)));
  }
  if (part)
    nebula_value_builder_set_length_take (builder, step->key, step->length, nebula_value_ref (part));
  return nebula_value_builder_end (builder);
}

/* A copy of a container in which a step leads to a part; in an array `-` is the place behind the last item. */
static NebulaValue *
put_step (NebulaValue *container, const Step *step, NebulaValue *part, GError **error)
{
  gint64 index = 0;

  if (container->kind == NEBULA_VALUE_KIND_OBJECT)
    return object_with_member (container, step, part);
  if (container->kind != NEBULA_VALUE_KIND_ARRAY)
    return fail_step (step, NEBULA_ERROR_TYPE, error);
  index = strcmp (step->key, "-") == 0 ? (gint64) nebula_value_get_length (container) : get_index (step);
  if (index < 0 || (gsize) index > nebula_value_get_length (container))
    return fail_step (step, NEBULA_ERROR_MISSING_PROPERTY, error);
  return array_with_item (container, (gsize) index, part);
}

/**
 * nebula_value_set_path:
 * @self: a value
 * @path: a path
 * @part: what shall be there
 * @error: where to put an error
 *
 * Copies a value with one part set. Objects and arrays that are missing on the way are made; an index just behind the
 * end of an array, or `-` in a pointer, adds an item.
 *
 * Errors, all terminal: %NEBULA_ERROR_SYNTAX, %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_MISSING_PROPERTY for an index
 * farther behind the end, %NEBULA_ERROR_TYPE if the way leads through a scalar.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_set_path (NebulaValue *self, const char *path, NebulaValue *part, GError **error)
{
  g_autoptr (GArray) steps = NULL;
  g_autoptr (GPtrArray) way = NULL;
  g_autoptr (NebulaValue) result = NULL;

  g_return_val_if_fail (self != NULL && path != NULL && part != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  steps = parse_path (path, error);
  if (!steps)
    return NULL;
  way = g_ptr_array_new ();
  g_ptr_array_add (way, self);
  for (guint i = 0; i + 1 < steps->len; i++) {
    NebulaValue *next = take_step (g_ptr_array_index (way, i), &g_array_index (steps, Step, i));

    if (!next)
      next = g_array_index (steps, Step, i + 1).is_index ? nebula_value_new_array (NULL, 0)
                                                         : nebula_value_new_empty_object ();
    g_ptr_array_add (way, next);
  }
  result = nebula_value_ref (part);
  for (guint i = steps->len; i > 0; i--) {
    NebulaValue *outer
      = put_step (g_ptr_array_index (way, i - 1), &g_array_index (steps, Step, i - 1), result, error);

    if (!outer)
      return NULL;
    nebula_value_unref (result);
    result = outer;
  }
  return g_steal_pointer (&result);
}

/**
 * nebula_value_remove_path:
 * @self: a value
 * @path: a path, not the empty one
 * @error: where to put an error
 *
 * Copies a value without one part.
 *
 * Errors, all terminal: %NEBULA_ERROR_SYNTAX, %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_MISSING_PROPERTY if there is no
 * such part.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_remove_path (NebulaValue *self, const char *path, GError **error)
{
  g_autoptr (GArray) steps = NULL;
  g_autoptr (GPtrArray) way = NULL;
  NebulaValue *result = NULL;

  g_return_val_if_fail (self != NULL && path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  steps = parse_path (path, error);
  if (!steps)
    return NULL;
  way = g_ptr_array_new ();
  g_ptr_array_add (way, self);
  for (guint i = 0; i < steps->len; i++) {
    NebulaValue *next = take_step (g_ptr_array_index (way, i), &g_array_index (steps, Step, i));

    if (!next)
      return fail_step (&g_array_index (steps, Step, i), NEBULA_ERROR_MISSING_PROPERTY, error);
    g_ptr_array_add (way, next);
  }
  if (steps->len == 0) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PROPERTY,
                         _ ("The whole cannot be removed; name a part of it."));
    return NULL;
  }
  for (guint i = steps->len; i > 0; i--) {
    NebulaValue *inner = result;

    result = put_step (g_ptr_array_index (way, i - 1), &g_array_index (steps, Step, i - 1), inner, NULL);
    g_clear_pointer (&inner, nebula_value_unref);
  }
  return result;
}
