/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Separated values as RFC 4180 has them: text to rows and back. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

typedef struct {
  NebulaVm *vm;
  const char *at;
  const char *end;
  char delimiter;
  GPtrArray *names; /* of the columns; NULL: rows are arrays */
  guint line;
} Reader;

static gboolean
take_delimiter (NebulaVm *vm, const NebulaCell *arguments, guint count, char *ret)
{
  const char *text;
  gsize length;

  *ret = ',';
  if (count < 2)
    return TRUE;
  text = _nebula_cell_get_string (&arguments[1], &length);
  if (length != 1 || strchr ("\"\r\n", *text) != NULL)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("The delimiter of separated values is one character"));
  *ret = *text;
  return TRUE;
}

static gboolean
fail_quote (Reader *self)
{
  return _nebula_vm_fail (self->vm, NEBULA_ERROR_INVALID_DATA,
                          _ ("Write a quote inside a field twice."),
                          _ ("Line %u of the separated values has a quote that is not closed "
                             "or stands alone"),
                          self->line);
}

/* A field in quotes; what is between them is kept, line ends too. */
static gboolean
read_quoted (Reader *self, GString *field)
{
  for (self->at++; self->at < self->end; self->at++) {
    if (*self->at == '\n')
      self->line++;
    if (*self->at != '"') {
      g_string_append_c (field, *self->at);
    } else if (self->at + 1 < self->end && self->at[1] == '"') {
      g_string_append_c (field, '"');
      self->at++;
    } else {
      self->at++;
      return self->at == self->end || *self->at == self->delimiter || *self->at == '\r' ||
             *self->at == '\n' || fail_quote (self);
    }
  }
  return fail_quote (self);
}

static gboolean
read_field (Reader *self, GString *field)
{
  g_string_truncate (field, 0);
  if (self->at < self->end && *self->at == '"')
    return read_quoted (self, field);
  for (; self->at < self->end && *self->at != self->delimiter && *self->at != '\r' &&
         *self->at != '\n';
       self->at++) {
    if (*self->at == '"')
      return fail_quote (self);
    g_string_append_c (field, *self->at);
  }
  return TRUE;
}

/* Whether another field of the row follows; else the end of the line is taken. */
static gboolean
go_on (Reader *self)
{
  if (self->at < self->end && *self->at == self->delimiter) {
    self->at++;
    return TRUE;
  }
  if (self->at < self->end && *self->at == '\r')
    self->at++;
  if (self->at < self->end && *self->at == '\n')
    self->at++;
  self->line++;
  return FALSE;
}

static gboolean
read_names (Reader *self)
{
  g_autoptr (GString) field = g_string_new (NULL);

  self->names = g_ptr_array_new_with_free_func (g_free);
  do {
    if (!_nebula_vm_burn (self->vm, 1) || !read_field (self, field))
      return FALSE;
    g_ptr_array_add (self->names, g_strdup (field->str));
  } while (go_on (self));
  return TRUE;
}

/* A row with more fields than there are columns is damage. */
static gboolean
add_field (Reader *self, NebulaCollector *row, guint index, const GString *field)
{
  const char *name;
  NebulaCell cell;

  if (self->names == NULL)
    return _nebula_collector_add_string (row, field->str, (gssize) field->len);
  if (index >= self->names->len)
    return _nebula_vm_fail (self->vm, NEBULA_ERROR_INVALID_DATA, NULL,
                            _ ("Line %u of the separated values has more fields than there "
                               "are columns"),
                            self->line);
  name = g_ptr_array_index (self->names, index);
  return _nebula_vm_give_string (self->vm, field->str, (gssize) field->len, &cell) &&
         _nebula_collector_set (row, name, strlen (name), &cell);
}

static gboolean
read_row (Reader *self, NebulaCollector *rows)
{
  g_auto (NebulaCollector) row = {0};
  g_autoptr (GString) field = g_string_new (NULL);
  NebulaCell cell;
  guint index = 0;

  _nebula_collector_init (&row, self->vm, self->names != NULL);
  do {
    if (!_nebula_vm_burn (self->vm, 1) || !read_field (self, field) ||
        !add_field (self, &row, index++, field))
      return FALSE;
  } while (go_on (self));
  return _nebula_collector_end (&row, &cell) && _nebula_collector_add (rows, &cell);
}

static gboolean
call_from_csv (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) rows = {0};
  Reader reader = {.vm = vm, .line = 1};
  gboolean has_header = count < 3 || arguments[2].as.boolean;
  gboolean is_done = TRUE;
  gsize length;

  if (!take_delimiter (vm, arguments, count, &reader.delimiter))
    return FALSE;
  reader.at = _nebula_cell_get_string (&arguments[0], &length);
  reader.end = reader.at + length;
  if (g_str_has_prefix (reader.at, "\xef\xbb\xbf"))
    reader.at += 3;
  _nebula_collector_init (&rows, vm, FALSE);
  if (has_header && reader.at < reader.end)
    is_done = read_names (&reader);
  while (is_done && reader.at < reader.end)
    is_done = read_row (&reader, &rows);
  g_clear_pointer (&reader.names, g_ptr_array_unref);
  return is_done && _nebula_collector_end (&rows, ret);
}

static void
append_field (GString *text, NebulaValue *value, char delimiter)
{
  const char special[] = {'"', '\n', '\r', delimiter, '\0'};
  g_autoptr (NebulaValue) shown =
      value != NULL ? _nebula_value_hide_secrets (value) : nebula_value_new_null ();
  g_autofree char *field = nebula_value_to_text (shown);
  gsize length = strlen (field);
  gboolean is_bare =
      length == 0 || (strpbrk (field, special) == NULL && !g_ascii_isspace (field[0]) &&
                      !g_ascii_isspace (field[length - 1]));

  if (is_bare) {
    g_string_append (text, field);
    return;
  }
  g_string_append_c (text, '"');
  for (const char *p = field; *p != '\0'; p++) {
    if (*p == '"')
      g_string_append_c (text, '"');
    g_string_append_c (text, *p);
  }
  g_string_append_c (text, '"');
}

/* The keys of all rows in order of first sight; NULL with an error. */
static GPtrArray *
collect_names (NebulaVm *vm, NebulaValue *rows)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (gsize i = 0; i < nebula_value_get_length (rows); i++) {
    NebulaValue *row = nebula_value_get_item (rows, i);
    gboolean is_object = nebula_value_get_kind (row) == NEBULA_VALUE_KIND_OBJECT;

    if (!is_object && nebula_value_get_kind (row) != NEBULA_VALUE_KIND_ARRAY) {
      _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                       _ ("Separated values are made of objects or of arrays, not of %s"),
                       _nebula_kind_to_words (nebula_value_get_kind (row)));
      return NULL;
    }
    if (!_nebula_vm_burn (vm, nebula_value_get_length (row) + 1))
      return NULL;
    for (gsize j = 0; is_object && j < nebula_value_get_length (row); j++) {
      const char *key = nebula_value_get_key (row, j, NULL);

      if (g_hash_table_add (seen, (gpointer) key))
        g_ptr_array_add (names, (gpointer) key);
    }
  }
  return g_steal_pointer (&names);
}

static void
append_row (GString *text, NebulaValue *row, GPtrArray *names, char delimiter)
{
  gboolean is_object = nebula_value_get_kind (row) == NEBULA_VALUE_KIND_OBJECT;
  gsize count = is_object ? names->len : nebula_value_get_length (row);

  for (gsize i = 0; i < count; i++) {
    if (i > 0)
      g_string_append_c (text, delimiter);
    append_field (text,
                  is_object
                      ? nebula_value_get_member (row, g_ptr_array_index (names, i))
                      : nebula_value_get_item (row, i),
                  delimiter);
  }
  g_string_append_c (text, '\n');
}

static gboolean
call_to_csv (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaValue *rows = arguments[0].as.value;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) names = collect_names (vm, rows);
  char delimiter;

  if (names == NULL || !take_delimiter (vm, arguments, count, &delimiter))
    return FALSE;
  for (guint i = 0; i < names->len; i++) {
    g_autoptr (NebulaValue) name =
        nebula_value_new_string (g_ptr_array_index (names, i));

    if (i > 0)
      g_string_append_c (text, delimiter);
    append_field (text, name, delimiter);
  }
  if (names->len > 0)
    g_string_append_c (text, '\n');
  for (gsize i = 0; i < nebula_value_get_length (rows); i++) {
    append_row (text, nebula_value_get_item (rows, i), names, delimiter);
    if (text->len > vm->limits->memory_bytes || !_nebula_vm_burn (vm, names->len))
      return _nebula_vm_charge (vm, G_MAXSIZE / 2);
  }
  return _nebula_vm_give_text (vm, g_steal_pointer (&text), ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_csv[] = {
  { "from_csv", "parse_csv csv_parse", "ssb", "a", "text, delimiter?, header?", N_("objects, or arrays without a header, out of separated values"), call_from_csv, 1, 3 },
  { "to_csv", "csv csv_stringify", "as", "s", "rows, delimiter?", N_("separated values out of objects or arrays"), call_to_csv, 1, 2 },
  { NULL },
};
/* clang-format on */
