/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document with a repeated key does not parse. So that its other mistakes can be listed too, each second key is
 * renamed in a copy of the text, letter by letter, so that all places stay as they are; the copy is read, and the renamed
 * members are taken out of the value again.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-workflow-private.h"

#define MAX_REPAIRS 32
#define MAX_NAMES 40

typedef struct
{
  guint line;
  guint column;
  char *name;    /* what it was */
  char *renamed; /* what stands in the copy */
  char *message;
} NebulaDuplicate;

static void
clear_duplicate (gpointer data)
{
  NebulaDuplicate *self = data;

  g_free (self->name);
  g_free (self->renamed);
  g_free (self->message);
}

/* The character at a place that counts from 1, or NULL. */
static char *
find_place (char *text, guint line, guint column)
{
  for (; line > 1; line--) {
    text = strchr (text, '\n');
    if (!text)
      return NULL;
    text++;
  }
  for (; column > 1 && *text && *text != '\n'; column--)
    text = g_utf8_next_char (text);
  return *text ? text : NULL;
}

/* The letters of the key that stands at @place: plain or in quotes, ASCII only. */
static gsize
measure_key (char **place)
{
  gsize length = 0;

  if (**place == '"' || **place == '\'')
    (*place)++;
  while (g_ascii_isalnum ((*place)[length]) || (*place)[length] == '_' || (*place)[length] == '-')
    length++;
  return length;
}

/* The @number-th name of that many letters. */
static void
write_name (char *place, gsize length, guint number)
{
  static const char letters[] = "zqxjkvbyZQXJKVBYwfghWFGHmnprtMNPRTcdlsCDLSaeiou";

  for (gsize i = 0; i < length; i++) {
    place[i] = letters[(number + i * 7) % (sizeof letters - 1)];
    if (i % 2 == 1)
      number /= 3;
  }
}

static NebulaDocument *
parse_copy (const char *text, gsize length, guint *ret_line, guint *ret_column, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, length); /* the document keeps them, and reads its places there */

  return nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_AUTO, ret_line, ret_column, error);
}

/* Renames the key at a place until reading gets past it. FALSE if that does not work. */
static gboolean
rename_key (char *text, gsize length, NebulaDuplicate *duplicate, NebulaDocument **ret_document, guint *ret_line, guint *ret_column, GError **ret_error)
{
  char *place = find_place (text, duplicate->line, duplicate->column);
  gsize n = place ? measure_key (&place) : 0;

  if (n == 0)
    return FALSE;
  duplicate->name = g_strndup (place, n);
  for (guint i = 0; i < MAX_NAMES; i++) {
    g_autoptr (GError) problem = NULL;

    write_name (place, n, i);
    *ret_document = parse_copy (text, length, ret_line, ret_column, &problem);
    if (*ret_document || !g_error_matches (problem, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY)
        || *ret_line != duplicate->line || *ret_column != duplicate->column) {
      duplicate->renamed = g_strndup (place, n);
      *ret_error = g_steal_pointer (&problem);
      return TRUE;
    }
  }
  return FALSE;
}

/* @array with another item at @index. */
static NebulaValue *
with_item (NebulaValue *array, gsize index, NebulaValue *item)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < nebula_value_get_length (array); i++)
    nebula_value_builder_add (builder, i == index ? item : nebula_value_get_item (array, i));
  return nebula_value_builder_end (builder);
}

/* Whether the renamed member of this object is the one that was renamed, not one that had that name already. */
static gboolean
is_renamed (NebulaDocument *document, NebulaValue *object, const NebulaDuplicate *duplicate, const NebulaPath *path)
{
  g_autofree char *pointer = NULL;
  guint line;
  guint column;

  if (!nebula_value_has_member (object, duplicate->renamed))
    return FALSE;
  pointer = _nebula_path_to_pointer (&(NebulaPath) { path, duplicate->renamed, 0 });
  nebula_document_locate (document, pointer, TRUE, &line, &column);
  return line == duplicate->line && column == duplicate->column;
}

/* @value without the renamed member, NULL if it is not below; *ret_in is the key that holds its object. */
static NebulaValue *
take_out (NebulaDocument *document,
          NebulaValue *value,
          const NebulaDuplicate *duplicate,
          const NebulaPath *path,
          const char **ret_in)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  gboolean is_object = kind == NEBULA_VALUE_KIND_OBJECT;

  if (!is_object && kind != NEBULA_VALUE_KIND_ARRAY)
    return NULL;
  if (is_object && is_renamed (document, value, duplicate, path)) {
    *ret_in = path ? path->key : NULL;
    return nebula_value_without_member (value, duplicate->renamed);
  }

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    const char *key = is_object ? nebula_value_get_key (value, i, NULL) : NULL;
    NebulaValue *part = is_object ? nebula_value_get_member_at (value, i) : nebula_value_get_item (value, i);
    g_autoptr (NebulaValue) changed
        = take_out (document, part, duplicate, &(NebulaPath) { path, key, i }, ret_in);

    if (changed)
      return is_object ? nebula_value_with_member (value, key, changed) : with_item (value, i, changed);
  }
  return NULL;
}

static void
report (GPtrArray *diagnostics, const char *file, const NebulaDuplicate *duplicate, gboolean is_id)
{
  g_autofree char *message = NULL;

  if (is_id)
    message = g_strdup_printf (_("There are two nodes with the id “%s”"), duplicate->name);
  g_ptr_array_add (diagnostics,
                   nebula_diagnostic_new (NEBULA_SEVERITY_ERROR,
                                          is_id ? "duplicate-id" : "duplicate-key",
                                          file,
                                          duplicate->line,
                                          duplicate->column,
                                          is_id ? message : duplicate->message,
                                          is_id ? _("Give each node an id of its own.") : NULL));
}

static void
report_rest (GPtrArray *diagnostics, const char *file, guint line, guint column, const GError *error)
{
  gboolean is_key = g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY);

  g_ptr_array_add (diagnostics,
                   nebula_diagnostic_new (NEBULA_SEVERITY_ERROR,
                                          is_key ? "duplicate-key" : "yaml-syntax",
                                          file,
                                          line,
                                          column,
                                          error->message,
                                          NULL));
}

NebulaDocument *
_nebula_document_read (GBytes *bytes, const char *file, GPtrArray *diagnostics, NebulaValue **ret_value)
{
  g_autoptr (GArray) duplicates = g_array_new (FALSE, TRUE, sizeof (NebulaDuplicate));
  g_autoptr (NebulaDocument) document = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = NULL;
  gsize length = g_bytes_get_size (bytes);
  guint line = 1;
  guint column = 1;

  g_array_set_clear_func (duplicates, clear_duplicate);
  document = nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_AUTO, &line, &column, &error);
  while (!document && g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY)
         && duplicates->len < MAX_REPAIRS) {
    NebulaDuplicate duplicate = { line, column, NULL, NULL, g_strdup (error->message) };
    g_autoptr (GError) next = NULL;
    gboolean renamed;

    if (!copy)
      copy = g_strndup (g_bytes_get_data (bytes, NULL), length);
    renamed = rename_key (copy, length, &duplicate, &document, &line, &column, &next);
    if (!renamed) {
      clear_duplicate (&duplicate);
      break;
    }
    g_array_append_val (duplicates, duplicate);
    g_clear_error (&error);
    error = g_steal_pointer (&next);
  }

  value = document ? nebula_value_ref (nebula_document_get_value (document)) : NULL;
  for (guint i = 0; i < duplicates->len; i++) {
    NebulaDuplicate *duplicate = &g_array_index (duplicates, NebulaDuplicate, i);
    const char *in = NULL;
    NebulaValue *shorter = value ? take_out (document, value, duplicate, NULL, &in) : NULL;

    report (diagnostics, file, duplicate, g_strcmp0 (in, "nodes") == 0);
    if (shorter) {
      nebula_value_unref (value);
      value = shorter;
    }
  }
  if (!document) {
    report_rest (diagnostics, file, line, column, error);
    return NULL;
  }
  *ret_value = g_steal_pointer (&value);
  return g_steal_pointer (&document);
}
