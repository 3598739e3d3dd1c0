/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-document-private.h"
#include "nebula-error.h"
#include "nebula-json-internal.h"
#include "nebula-value-private.h"

struct _NebulaDocument
{
  gint refs;
  NebulaValue *value;
  GArray *places; /* NebulaPlace */
  GBytes *bytes;
};

G_DEFINE_BOXED_TYPE (NebulaDocument, nebula_document, nebula_document_ref, nebula_document_unref)

typedef struct
{
  const char *text;
  gsize offset;
  guint32 line;
  guint32 column;
} LineCounter;

/* Offsets only ever grow, so all places together cost one pass over the text. */
static void
line_counter_move (LineCounter *self, gsize offset)
{
  for (; self->offset < offset; self->offset++) {
    if (self->text[self->offset] == '\n') {
      self->line++;
      self->column = 1;
    } else if (((guchar) self->text[self->offset] & 0xc0) != 0x80) {
      self->column++;
    }
  }
}

static void
set_places (const char *text, GArray *offsets, GArray *places)
{
  LineCounter counter = { .text = text, .line = 1, .column = 1 };

  g_array_set_size (places, offsets->len);
  for (guint i = 0; i < offsets->len; i++) {
    NebulaJsonPlace *offset = &g_array_index (offsets, NebulaJsonPlace, i);
    NebulaPlace *place = &g_array_index (places, NebulaPlace, i);

    line_counter_move (&counter, offset->key);
    place->key_line = counter.line;
    place->key_column = counter.column;
    line_counter_move (&counter, offset->value);
    place->line = counter.line;
    place->column = counter.column;
    place->end = i + 1;
  }
}

/* Walks the value in the order of the text and notes where each container ends. */
static void
set_ends (NebulaValue *value, GArray *places)
{
  g_auto (NebulaWalk) walk;
  NebulaFrame *frame = NULL;
  guint32 number = 1;

  _nebula_walk_init (&walk);
  if (_nebula_value_is_container (value))
    _nebula_walk_push (&walk, value, NULL);
  while ((frame = _nebula_walk_top (&walk)) != NULL) {
    NebulaValue *child = NULL;

    if (frame->next == _nebula_value_get_count (frame->self)) {
      g_array_index (places, NebulaPlace, frame->sum).end = number;
      walk.length--;
      continue;
    }
    child = _nebula_value_peek_children (frame->self)[frame->next++];
    if (_nebula_value_is_container (child))
      _nebula_walk_push (&walk, child, NULL)->sum = number;
    number++;
  }
}

static NebulaValue *
read_json (const char *text, gsize length, GArray *places, NebulaPlace *ret_place, GError **error)
{
  static const NebulaJsonLimits limits = { NEBULA_DOCUMENT_BYTES, NEBULA_DOCUMENT_ITEMS, G_MAXSIZE };
  g_autoptr (GArray) offsets = g_array_new (FALSE, FALSE, sizeof (NebulaJsonPlace));
  gsize offset = 0;
  NebulaValue *value = NULL;

  value = _nebula_json_read (text, length, NEBULA_JSON_FLAGS_UNIQUE_KEYS, &limits, offsets, &offset, error);
  if (value) {
    set_places (text, offsets, places);
    set_ends (value, places);
  } else {
    _nebula_text_locate (text, length, offset, &ret_place->line, &ret_place->column);
  }
  return value;
}

static gboolean
looks_like_json (const char *text, gsize length)
{
  gsize at = 0;

  while (at < length && g_ascii_isspace (text[at]))
    at++;
  return at < length && (text[at] == '{' || text[at] == '[');
}

static NebulaValue *
read_any (const char *text,
          gsize length,
          NebulaDocumentFormat format,
          GArray *places,
          NebulaPlace *ret_place,
          GError **error)
{
  g_autoptr (GError) json_error = NULL;
  NebulaValue *value = NULL;

  if (length > NEBULA_DOCUMENT_BYTES) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE, _ ("The text is larger than %d MiB; split it."),
                 NEBULA_DOCUMENT_BYTES >> 20);
    return NULL;
  }
  if (format == NEBULA_DOCUMENT_FORMAT_JSON)
    return read_json (text, length, places, ret_place, error);
  if (format == NEBULA_DOCUMENT_FORMAT_AUTO && looks_like_json (text, length)) {
    NebulaPlace json_place = *ret_place;

    value = read_json (text, length, places, &json_place, &json_error);
    if (value)
      return value;
    g_array_set_size (places, 0);
    /* A text that is JSON but for its limits is not to be read a second time as YAML. */
    if (!g_error_matches (json_error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX)) {
      *ret_place = json_place;
      g_propagate_error (error, g_steal_pointer (&json_error));
      return NULL;
    }
  }
  return _nebula_yaml_read (text, length, places, ret_place, error);
}

/**
 * nebula_document_parse:
 * @bytes: YAML or JSON text in UTF-8
 * @format: which of them
 * @ret_line: (out) (optional): on failure the line, from 1
 * @ret_column: (out) (optional): on failure the column in characters, from 1
 * @error: where to put an error; its message names the place unless @ret_line is there
 *
 * Reads a text as a value that remembers where each part stands.
 *
 * Errors, all terminal: %NEBULA_ERROR_SYNTAX, %NEBULA_ERROR_DUPLICATE_KEY, %NEBULA_ERROR_UNSUPPORTED for tags,
 * %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_TOO_LARGE, %NEBULA_ERROR_OVERFLOW.
 *
 * Returns: (transfer full): the document
 *
 * Since: 1.0
 */
NebulaDocument *
nebula_document_parse (GBytes *bytes,
                       NebulaDocumentFormat format,
                       guint *ret_line,
                       guint *ret_column,
                       GError **error)
{
  g_autoptr (GArray) places = NULL;
  g_autoptr (GError) local_error = NULL;
  NebulaPlace place = { .line = 1, .column = 1 };
  NebulaValue *value = NULL;
  NebulaDocument *self = NULL;
  const char *text = NULL;
  gsize length = 0;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  places = g_array_new (FALSE, FALSE, sizeof (NebulaPlace));
  text = g_bytes_get_data (bytes, &length);
  value = read_any (text ? text : "", length, format, places, &place, &local_error);
  if (!value) {
    if (ret_line)
      *ret_line = place.line;
    else
      g_prefix_error (&local_error, _ ("Line %u, column %u: "), place.line, place.column);
    if (ret_column)
      *ret_column = place.column;
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  self = g_new (NebulaDocument, 1);
  self->refs = 1;
  self->value = value;
  self->places = g_steal_pointer (&places);
  self->bytes = g_bytes_ref (bytes);
  return self;
}

/**
 * nebula_document_ref:
 * @self: a document
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaDocument *
nebula_document_ref (NebulaDocument *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_document_unref:
 * @self: a document
 *
 * Counts one holder less and frees the document with the last.
 *
 * Since: 1.0
 */
void
nebula_document_unref (NebulaDocument *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  nebula_value_unref (self->value);
  g_array_unref (self->places);
  g_bytes_unref (self->bytes);
  g_free (self);
}

/**
 * nebula_document_get_value:
 * @self: a document
 *
 * Gets what the text says.
 *
 * Returns: (transfer none): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_document_get_value (NebulaDocument *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->value;
}

/* The child that a reference token names, or the count if there is none. */
static gsize
find_child (NebulaValue *value, const char *token, gsize length)
{
  gsize count = _nebula_value_get_count (value);
  guint64 number = 0;

  if (value->kind == NEBULA_VALUE_KIND_OBJECT) {
    guint32 place = _nebula_shape_find (((NebulaObject *) value)->shape, token, length);

    return place == NEBULA_SHAPE_NONE ? count : place;
  }
  if (!g_ascii_string_to_unsigned (token, 10, 0, G_MAXUINT32, &number, NULL))
    return count;
  return MIN ((gsize) number, count);
}

/* Takes the next token off a pointer and undoes its escapes: `~1` is a slash, `~0` a tilde. */
static char *
take_token (const char **pointer, gsize *ret_length)
{
  const char *from = *pointer + 1, *to = strchr (from, '/');
  GString *token = NULL;

  if (!to)
    to = from + strlen (from);
  token = g_string_sized_new ((gsize) (to - from));
  for (const char *at = from; at < to; at++) {
    if (*at == '~' && at + 1 < to && (at[1] == '0' || at[1] == '1'))
      g_string_append_c (token, *++at == '0' ? '~' : '/');
    else
      g_string_append_c (token, *at);
  }
  *pointer = to;
  *ret_length = token->len;
  return g_string_free (token, FALSE);
}

/**
 * nebula_document_locate:
 * @self: a document
 * @pointer: a JSON pointer (RFC 6901); the empty one is the whole
 * @of_key: whether to find the member's key instead of its value
 * @ret_line: (out) (optional): the line, from 1
 * @ret_column: (out) (optional): the column in characters, from 1
 *
 * Tells where a part stands. A pointer that names nothing gives the place of its nearest ancestor; a part of an
 * alias the place of the alias.
 *
 * Since: 1.0
 */
void
nebula_document_locate (NebulaDocument *self,
                        const char *pointer,
                        gboolean of_key,
                        guint *ret_line,
                        guint *ret_column)
{
  NebulaValue *value = NULL;
  NebulaPlace *place = NULL;
  guint32 number = 0;
  gboolean is_exact = TRUE;

  g_return_if_fail (self != NULL && pointer != NULL);

  value = self->value;
  while (*pointer == '/' && is_exact) {
    gsize length = 0, child = 0;
    g_autofree char *token = take_token (&pointer, &length);

    is_exact = _nebula_value_is_container (value) && g_array_index (self->places, NebulaPlace, number).end > number + 1;
    if (is_exact)
      child = find_child (value, token, length);
    is_exact = is_exact && child < _nebula_value_get_count (value);
    if (!is_exact)
      break;
    value = _nebula_value_peek_children (value)[child];
    for (number++; child > 0; child--)
      number = g_array_index (self->places, NebulaPlace, number).end;
  }
  place = &g_array_index (self->places, NebulaPlace, number);
  if (ret_line)
    *ret_line = of_key && is_exact ? place->key_line : place->line;
  if (ret_column)
    *ret_column = of_key && is_exact ? place->key_column : place->column;
}

/* The start of a line, from 1; NULL: there are not so many. */
static const char *
find_line (const char *text, const char *end, guint line)
{
  for (guint i = 1; i < line; i++) {
    text = memchr (text, '\n', (gsize) (end - text));
    if (!text)
      return NULL;
    text++;
  }
  return text;
}

/* Whether @length bytes stand at @place. */
static gboolean
stands_at (const char *place, const char *end, const char *text, gsize length)
{
  return (gsize) (end - place) >= length && memcmp (place, text, length) == 0;
}

/* In a block each line of the text is a line of the document, behind the same blanks. */
static void
locate_in_block (const char *begin, const char *end, const char *text, guint text_line, guint text_column, guint *line,
                 guint *column)
{
  const char *shown = find_line (begin, end, *line + text_line);
  const char *meant = find_line (text, text + strlen (text), text_line);
  gsize blanks = 0;

  if (!shown || !meant)
    return;
  while (shown + blanks < end && shown[blanks] == ' ')
    blanks++;
  /* What goes beyond the block's own blanks belongs to the text. */
  blanks -= MIN (blanks, strspn (meant, " "));
  if (!stands_at (shown + blanks, end, meant, strcspn (meant, "\n")))
    return;
  *line += text_line;
  *column = (guint) blanks + text_column;
}

/* How many bytes show one character of a text in quotes; 0: it cannot be told, as where a line is folded. */
static gsize
measure_quoted (const char *place, const char *end, char quote)
{
  gsize left = (gsize) (end - place);
  gboolean is_escape = quote == '"' && *place == '\\';

  if (left < 2 || *place == '\n' || *place == '\r' || (*place == quote && place[1] != quote))
    return 0;
  if (!is_escape)
    return *place == quote ? (quote == '\'' ? 2 : 0) : (gsize) (g_utf8_next_char (place) - place);
  switch (place[1]) {
  case '\n':
  case '\r':
    return 0;
  case 'x':
    return 4;
  case 'U':
    return 10;
  case 'u':
    /* Two of them, if it is the first half of a pair. */
    return left > 12 && g_ascii_tolower (place[2]) == 'd' && strchr ("89abAB", place[3]) ? 12 : 6;
  default:
    return 2;
  }
}

/* Goes through the document and the text side by side, since escapes are longer than what they mean. */
static void
locate_in_quotes (const char *place, const char *end, const char *text, guint text_line, guint text_column, guint *column)
{
  char quote = *place++;
  guint shown = *column + 1;
  guint line = 1;
  guint at = 1;

  while (line != text_line || at != text_column) {
    gsize length = place < end ? measure_quoted (place, end, quote) : 0;

    if (length == 0 || length > (gsize) (end - place) || *text == '\0' || (*place != '\\' && *place != *text))
      return;
    at = *text == '\n' ? 1 : at + 1;
    line += *text == '\n' ? 1 : 0;
    shown += (guint) g_utf8_strlen (place, (gssize) length);
    place += length;
    text = g_utf8_next_char (text);
  }
  *column = shown;
}

/**
 * nebula_document_locate_inside:
 * @self: a document
 * @text: a text value of it
 * @text_line: a line of @text, from 1
 * @text_column: a column of that line in characters, from 1
 * @line: (inout): the line of the value, then that of the place in it
 * @column: (inout): the column of the value, then that of the place in it
 *
 * Finds a place inside a text, also behind escapes in quotes. Where the document folds lines the place of the value stays.
 *
 * Since: 1.0
 */
void
nebula_document_locate_inside (NebulaDocument *self,
                               const char *text,
                               guint text_line,
                               guint text_column,
                               guint *line,
                               guint *column)
{
  gsize length = 0;
  const char *begin;
  const char *end;
  const char *place;

  g_return_if_fail (self != NULL && text != NULL);
  g_return_if_fail (line != NULL && column != NULL);

  begin = g_bytes_get_data (self->bytes, &length);
  end = begin + length;
  place = begin ? find_line (begin, end, *line) : NULL;
  for (guint i = 1; place && i < *column; i++)
    place = place < end ? g_utf8_next_char (place) : NULL;
  if (!place || place >= end)
    return;
  if (*place == '|') {
    locate_in_block (begin, end, text, text_line, text_column, line, column);
    return;
  }
  if (*place == '"' || *place == '\'')
    locate_in_quotes (place, end, text, text_line, text_column, column);
  else if (text_line == 1 && stands_at (place, end, text, strlen (text)))
    *column += text_column - 1;
}
