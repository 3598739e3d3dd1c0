/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes separated values: a field that holds a quote, delimiter, line end or outer space gets quotes (RFC 4180). */
#include "data.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static gboolean
needs_quotes (const char *text, char delimiter)
{
  const char special[] = { '"', '\n', '\r', delimiter, '\0' };
  gsize length = strlen (text);

  if (length == 0)
    return FALSE;
  return strpbrk (text, special) != NULL || g_ascii_isspace (text[0]) || g_ascii_isspace (text[length - 1]);
}

static void
append_field (GString *output, const char *text, char delimiter)
{
  if (!needs_quotes (text, delimiter)) {
    g_string_append (output, text);
    return;
  }
  g_string_append_c (output, '"');
  for (const char *letter = text; *letter != '\0'; letter++) {
    if (*letter == '"')
      g_string_append_c (output, '"');
    g_string_append_c (output, *letter);
  }
  g_string_append_c (output, '"');
}

static void
append_value (GString *output, NebulaValue *value, char delimiter)
{
  g_autofree char *text = value != NULL ? nebula_value_to_text (value) : NULL;

  if (text != NULL)
    append_field (output, text, delimiter);
}

static void
append_array (GString *output, NebulaValue *row, char delimiter)
{
  for (gsize i = 0; i < nebula_value_get_length (row); i++) {
    if (i > 0)
      g_string_append_c (output, delimiter);
    append_value (output, nebula_value_get_item (row, i), delimiter);
  }
  g_string_append_c (output, '\n');
}

static void
append_object (GString *output, NebulaValue *row, NebulaValue *columns, char delimiter)
{
  for (gsize i = 0; i < nebula_value_get_length (columns); i++) {
    if (i > 0)
      g_string_append_c (output, delimiter);
    append_value (output, nebula_value_get_member (row, nebula_value_get_string (nebula_value_get_item (columns, i))),
                  delimiter);
  }
  g_string_append_c (output, '\n');
}

/* All keys of all rows, in order of first sight. */
static NebulaValue *
collect_columns (NebulaValue *rows)
{
  g_autoptr (NebulaValueBuilder) columns = nebula_value_builder_new_array ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (gsize i = 0; i < nebula_value_get_length (rows); i++) {
    NebulaValue *row = nebula_value_get_item (rows, i);
    gboolean is_object = nebula_value_get_kind (row) == NEBULA_VALUE_KIND_OBJECT;

    for (gsize j = 0; is_object && j < nebula_value_get_length (row); j++) {
      const char *key = nebula_value_get_key (row, j, NULL);

      if (g_hash_table_add (seen, g_strdup (key)))
        nebula_value_builder_add_take (columns, nebula_value_new_string (key));
    }
  }
  return nebula_value_builder_end (columns);
}

static gboolean
append_row (GString *output, NebulaValue *row, gsize index, NebulaValue *columns, char delimiter, GError **error)
{
  switch (nebula_value_get_kind (row)) {
  case NEBULA_VALUE_KIND_ARRAY:
    append_array (output, row, delimiter);
    return TRUE;
  case NEBULA_VALUE_KIND_OBJECT:
    append_object (output, row, columns, delimiter);
    return TRUE;
  case NEBULA_VALUE_KIND_NULL:
  case NEBULA_VALUE_KIND_BOOLEAN:
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_STRING:
  case NEBULA_VALUE_KIND_BYTES:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
  case NEBULA_VALUE_KIND_REFERENCE:
  default:
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                 _("Row %zu is neither an object nor an array. Give rows of one of these"), index);
    return FALSE;
  }
}

char *
nebula_data_csv_write (NebulaValue *rows, const NebulaDataTable *table, GError **error)
{
  g_autoptr (NebulaValue) columns = NULL;
  GString *output;

  if (nebula_value_get_kind (rows) != NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE, _("Separated values are made of an array of rows"));
    return NULL;
  }

  columns = table->columns != NULL ? nebula_value_ref (table->columns) : collect_columns (rows);
  output = g_string_new (NULL);
  if (table->header && nebula_value_get_length (columns) > 0)
    append_array (output, columns, table->delimiter);
  for (gsize i = 0; i < nebula_value_get_length (rows); i++) {
    if (append_row (output, nebula_value_get_item (rows, i), i, columns, table->delimiter, error))
      continue;
    g_string_free (output, TRUE);
    return NULL;
  }
  return g_string_free (output, FALSE);
}
