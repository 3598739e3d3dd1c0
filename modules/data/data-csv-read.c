/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads separated values as RFC 4180 has them: fields in quotes may hold delimiters, line ends and doubled quotes; a
 * line ends with CR LF, LF or CR. A quote inside a bare field is an error, so that damage is not taken for data.
 */
#include "data.h"

#include <glib/gi18n-lib.h>
#include <string.h>

typedef struct
{
  const char *at;
  const char *end;
  const char *line_start; /* of the line that `line` counts */
  guint line;             /* from 1 */
  const NebulaDataTable *table;
  GString *field;     /* of a quoted field */
  GPtrArray *fields;  /* NebulaValue: the present row */
  guint row_line;     /* where the present row begins */
  GPtrArray *names;   /* char *: columns; NULL where nothing names them */
  gsize n_cells;
} Reader;

static gboolean
fail_at (Reader *self, const char *place, NebulaError code, const char *reason, GError **error)
{
  glong column = g_utf8_strlen (self->line_start, place - self->line_start) + 1;

  g_set_error (error, NEBULA_ERROR, code,
               /* TRANSLATORS: line and column of a text, then what is wrong there */
               _("Line %u, column %ld: %s"), self->line, column, reason);
  return FALSE;
}

/* Takes one line end; CR LF is one. */
static void
take_line_end (Reader *self)
{
  if (*self->at == '\r' && self->at + 1 < self->end && self->at[1] == '\n')
    self->at++;
  self->at++;
  self->line++;
  self->line_start = self->at;
}

static gboolean
is_line_end (char letter)
{
  return letter == '\n' || letter == '\r';
}

static gboolean
is_field_end (Reader *self)
{
  return self->at >= self->end || *self->at == self->table->delimiter || is_line_end (*self->at);
}

static void
copy_quoted (Reader *self)
{
  gboolean is_pair = *self->at == '\r' && self->at + 1 < self->end && self->at[1] == '\n';

  g_string_append_len (self->field, self->at, is_pair ? 2 : 1);
  if (is_line_end (*self->at))
    take_line_end (self);
  else
    self->at++;
}

static gboolean
read_quoted (Reader *self, GError **error)
{
  Reader opened = *self;

  self->at++;
  g_string_truncate (self->field, 0);
  while (self->at < self->end) {
    if (*self->at != '"') {
      copy_quoted (self);
      continue;
    }
    if (self->at + 1 < self->end && self->at[1] == '"') {
      g_string_append_c (self->field, '"');
      self->at += 2;
      continue;
    }
    self->at++;
    if (!is_field_end (self))
      return fail_at (self, self->at, NEBULA_ERROR_SYNTAX,
                      _("text stands after a closing quote. Double each quote inside a field"), error);
    g_ptr_array_add (self->fields, nebula_value_new_string_length (self->field->str, self->field->len));
    return TRUE;
  }
  return fail_at (&opened, opened.at, NEBULA_ERROR_SYNTAX, _("a quote is opened here and never closed"), error);
}

static gboolean
read_bare (Reader *self, GError **error)
{
  const char *start = self->at;

  while (!is_field_end (self)) {
    if (*self->at == '"')
      return fail_at (self, self->at, NEBULA_ERROR_SYNTAX,
                      _("a quote stands inside a field without quotes. Put the whole field in quotes"), error);
    self->at++;
  }
  g_ptr_array_add (self->fields, nebula_value_new_string_length (start, (gsize) (self->at - start)));
  return TRUE;
}

static gboolean
read_row (Reader *self, GError **error)
{
  g_ptr_array_set_size (self->fields, 0);
  self->row_line = self->line;
  for (;;) {
    gboolean quoted = self->at < self->end && *self->at == '"';

    if (!(quoted ? read_quoted (self, error) : read_bare (self, error)))
      return FALSE;
    if (++self->n_cells > NEBULA_LIMIT_DOCUMENT_ITEMS)
      return fail_at (self, self->at, NEBULA_ERROR_TOO_LARGE, _("there are too many fields. Split the text"), error);
    if (self->at >= self->end)
      return TRUE;
    if (is_line_end (*self->at)) {
      take_line_end (self);
      return TRUE;
    }
    self->at++;
  }
}

/* Leaves out comments and empty lines. */
static void
skip_lines (Reader *self)
{
  gsize n_comment = self->table->comment != NULL ? strlen (self->table->comment) : 0;

  while (self->at < self->end) {
    gboolean is_comment = n_comment > 0 && (gsize) (self->end - self->at) >= n_comment &&
                          strncmp (self->at, self->table->comment, n_comment) == 0;

    if (!is_comment && !is_line_end (*self->at))
      return;
    while (self->at < self->end && !is_line_end (*self->at))
      self->at++;
    if (self->at < self->end)
      take_line_end (self);
  }
}

static gboolean
add_name (Reader *self, const char *name, GError **error)
{
  g_autofree char *copy = *name != '\0' ? g_strdup (name) : g_strdup_printf ("column%u", self->names->len + 1);
  g_autofree char *reason = NULL;

  if (!g_ptr_array_find_with_equal_func (self->names, copy, g_str_equal, NULL)) {
    g_ptr_array_add (self->names, g_steal_pointer (&copy));
    return TRUE;
  }
  reason = g_strdup_printf (_("two columns are named “%s”. Name them by the parameter “columns”"), copy);
  self->line = self->row_line;
  return fail_at (self, self->line_start, NEBULA_ERROR_DUPLICATE_KEY, reason, error);
}

/* `columns` wins over the header, which is left out then. */
static gboolean
read_names (Reader *self, GError **error)
{
  NebulaValue *columns = self->table->columns;

  skip_lines (self);
  if (self->table->header && self->at < self->end && !read_row (self, error))
    return FALSE;
  if (columns == NULL && !self->table->header)
    return TRUE;

  self->names = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; columns != NULL && i < nebula_value_get_length (columns); i++) {
    if (!add_name (self, nebula_value_get_string (nebula_value_get_item (columns, i)), error))
      return FALSE;
  }
  for (guint i = 0; columns == NULL && i < self->fields->len; i++) {
    if (!add_name (self, nebula_value_get_string (g_ptr_array_index (self->fields, i)), error))
      return FALSE;
  }
  return TRUE;
}

static NebulaValue *
make_row (Reader *self, GError **error)
{
  g_autoptr (NebulaValueBuilder) row = NULL;
  gboolean may_be_short = self->table->columns != NULL;

  if (self->names == NULL)
    return nebula_value_new_array ((NebulaValue **) self->fields->pdata, self->fields->len);
  /* Who names the columns knows that the last ones may be left out; under a header a short row is a damaged one. */
  if (self->fields->len > self->names->len || (self->fields->len < self->names->len && !may_be_short)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 _("Line %u, column 1: the row has %u fields and there are %u columns"), self->row_line, self->fields->len,
                 self->names->len);
    return NULL;
  }

  row = nebula_value_builder_new_object ();
  for (guint i = 0; i < self->fields->len; i++)
    nebula_value_builder_set (row, g_ptr_array_index (self->names, i), g_ptr_array_index (self->fields, i));
  for (guint i = self->fields->len; i < self->names->len; i++)
    nebula_value_builder_set_take (row, g_ptr_array_index (self->names, i), nebula_value_new_null ());
  return nebula_value_builder_end (row);
}

static NebulaValue *
read_rows (Reader *self, GError **error)
{
  g_autoptr (NebulaValueBuilder) rows = nebula_value_builder_new_array ();

  if (!read_names (self, error))
    return NULL;
  for (skip_lines (self); self->at < self->end; skip_lines (self)) {
    NebulaValue *row = read_row (self, error) ? make_row (self, error) : NULL;

    if (row == NULL)
      return NULL;
    nebula_value_builder_add_take (rows, row);
  }
  return nebula_value_builder_end (rows);
}

NebulaValue *
nebula_data_csv_read (const char *text, gsize length, const NebulaDataTable *table, GError **error)
{
  Reader self = { .at = text, .end = text + length, .line_start = text, .line = 1, .row_line = 1, .table = table };
  NebulaValue *rows;

  if (length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0)
    self.at = self.line_start = text + 3;
  self.field = g_string_new (NULL);
  self.fields = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);

  rows = read_rows (&self, error);
  g_string_free (self.field, TRUE);
  g_ptr_array_unref (self.fields);
  g_clear_pointer (&self.names, g_ptr_array_unref);
  return rows;
}
