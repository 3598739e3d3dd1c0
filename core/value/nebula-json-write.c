/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "nebula-duration.h"
#include "nebula-json-internal.h"
#include "nebula-value-private.h"

/* Characters that may stand in a string as they are. */
static inline gboolean
is_plain (guchar character)
{
  return character >= 0x20 && character != '"' && character != '\\' && character != 0x7f;
}

/* Room at the end of a text, to be filled. */
static inline char *
append_room (GString *text, gsize length)
{
  gsize end = text->len;

  if (G_LIKELY (text->allocated_len - end > length)) {
    text->len = end + length;
    text->str[text->len] = '\0';
  } else {
    g_string_set_size (text, end + length);
  }
  return text->str + end;
}

static void
append_escape (guchar character, GString *text)
{
  static const char codes[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
  const char *found = character ? strchr (codes, character) : NULL;

  if (found) {
    g_string_append_c (text, '\\');
    g_string_append_c (text, names[found - codes]);
  } else {
    g_string_append_printf (text, "\\u%04x", (guint) character);
  }
}

void
_nebula_json_append_string (const char *string, gsize length, GString *text)
{
  gsize from = 0, at = 0;

  while (at < length && is_plain ((guchar) string[at]))
    at++;
  if (G_LIKELY (at == length)) {
    char *place = append_room (text, length + 2);

    place[0] = place[length + 1] = '"';
    _nebula_bytes_copy (place + 1, string, length);
    return;
  }
  g_string_append_c (text, '"');
  for (; at < length; at++) {
    if (is_plain ((guchar) string[at]))
      continue;
    g_string_append_len (text, string + from, (gssize) (at - from));
    append_escape ((guchar) string[at], text);
    from = at + 1;
  }
  g_string_append_len (text, string + from, (gssize) (length - from));
  g_string_append_c (text, '"');
}

/* With @fraction digits behind the point, without zeros at the end of them. */
static void
append_digits (gint64 integer, guint fraction, GString *text)
{
  char buffer[24];
  guint at = sizeof buffer;
  guint64 left = integer < 0 ? -(guint64) integer : (guint64) integer;
  gboolean is_trailing = TRUE;

  for (guint i = 0; i < fraction; i++, left /= 10) {
    is_trailing = is_trailing && left % 10 == 0;
    if (!is_trailing)
      buffer[--at] = (char) ('0' + left % 10);
  }
  if (!is_trailing)
    buffer[--at] = '.';
  do {
    buffer[--at] = (char) ('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (integer < 0)
    buffer[--at] = '-';
  _nebula_bytes_copy (append_room (text, sizeof buffer - at), buffer + at, sizeof buffer - at);
}

/*
 * Amounts and rates have few digits. If n / 10^k gives the number again, the text of n / 10^k reads back as the number too: both
 * are the double nearest to that quotient. Up to 15 digits it is the shortest such text.
 */
static gboolean
append_short_float (double number, GString *text)
{
  static const double powers[] = { 1e1, 1e2, 1e3, 1e4 };

  if (!(fabs (number) < 1e11) || !(fabs (number) >= 1e-4))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (powers); i++) {
    double scaled = number * powers[i];

    if (scaled > floor (scaled) || scaled / powers[i] < number || scaled / powers[i] > number)
      continue;
    append_digits ((gint64) scaled, i + 1, text);
    return TRUE;
  }
  return FALSE;
}

void
_nebula_json_append_float (double number, GString *text)
{
  static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (fabs (number) < 1e15 && !(number > floor (number)) && !(number < 0.0 && number > -1.0)
      && !(signbit (number) && !(number < 0.0))) {
    append_digits ((gint64) number, 0, text);
    return;
  }
  if (append_short_float (number, text))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    double back = 0.0;

    g_ascii_formatd (buffer, sizeof buffer, formats[i], number);
    back = g_ascii_strtod (buffer, NULL);
    if (!(back < number) && !(back > number))
      break;
  }
  g_string_append (text, buffer);
}

static void
append_quoted (char *owned, GString *text)
{
  _nebula_json_append_string (owned, strlen (owned), text);
  g_free (owned);
}

static char *
date_to_text (NebulaValue *self)
{
  int year = 0, month = 0, day = 0;

  nebula_value_get_date (self, &year, &month, &day);
  return g_strdup_printf ("%04d-%02d-%02d", year, month, day);
}

static char *
time_to_text (NebulaValue *self)
{
  gint64 usec = nebula_value_get_usec (self);
  int seconds = (int) (usec / G_USEC_PER_SEC), fraction = (int) (usec % G_USEC_PER_SEC);

  if (fraction > 0)
    return g_strdup_printf ("%02d:%02d:%02d.%06d", seconds / 3600, seconds / 60 % 60, seconds % 60, fraction);
  return g_strdup_printf ("%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static char *
bytes_to_text (NebulaValue *self)
{
  GBytes *bytes = ((NebulaBytes *) self)->bytes;
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return g_base64_encode (data, size);
}

static char *
timestamp_to_text (NebulaValue *self)
{
  gint64 usec = nebula_value_get_usec (self);
  gint64 fraction = (usec % G_USEC_PER_SEC + G_USEC_PER_SEC) % G_USEC_PER_SEC;
  guint nanoseconds = nebula_value_get_nanoseconds (self);
  g_autofree char *whole = NULL;
  const char *point = NULL, *zone = NULL;

  if (nanoseconds == 0)
    return nebula_timestamp_to_string (usec, nebula_value_get_offset_seconds (self));
  whole = nebula_timestamp_to_string (usec, nebula_value_get_offset_seconds (self));
  point = strchr (whole, 'T') + strlen ("T00:00:00");
  zone = point + strcspn (point, "Z+-");
  return g_strdup_printf ("%.*s.%09" G_GINT64_FORMAT "%s", (int) (point - whole), whole, fraction * 1000 + nanoseconds,
                          zone);
}

/* The text of kinds that JSON has no form for. */
static char *
foreign_to_text (NebulaValue *self)
{
  if (self->kind == NEBULA_VALUE_KIND_BYTES)
    return bytes_to_text (self);
  if (self->kind == NEBULA_VALUE_KIND_DATE)
    return date_to_text (self);
  if (self->kind == NEBULA_VALUE_KIND_TIME)
    return time_to_text (self);
  if (self->kind == NEBULA_VALUE_KIND_TIMESTAMP)
    return timestamp_to_text (self);
  return nebula_duration_to_string (nebula_value_get_usec (self));
}

void
_nebula_json_append_scalar (NebulaValue *value, GString *text)
{
  NebulaText *chars = (NebulaText *) value;

  switch ((NebulaValueKind) value->kind) {
  case NEBULA_VALUE_KIND_NULL:
    g_string_append_len (text, "null", 4);
    return;
  case NEBULA_VALUE_KIND_BOOLEAN:
    g_string_append (text, nebula_value_get_boolean (value) ? "true" : "false");
    return;
  case NEBULA_VALUE_KIND_INTEGER:
    append_digits (nebula_value_get_integer (value), 0, text);
    return;
  case NEBULA_VALUE_KIND_FLOAT:
    _nebula_json_append_float (nebula_value_get_float (value), text);
    return;
  case NEBULA_VALUE_KIND_DECIMAL:
    g_string_append_len (text, chars->data, (gssize) chars->length);
    return;
  case NEBULA_VALUE_KIND_STRING:
    _nebula_json_append_string (chars->data, chars->length, text);
    return;
  case NEBULA_VALUE_KIND_REFERENCE:
    g_string_append (text, "{\"$ref\":");
    _nebula_json_append_string (chars->data, chars->length, text);
    g_string_append_c (text, '}');
    return;
  case NEBULA_VALUE_KIND_BYTES:
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
  default:
    append_quoted (foreign_to_text (value), text);
    return;
  }
}

static void
append_line (GString *text, NebulaJsonFlags flags, gsize depth)
{
  if (!(flags & NEBULA_JSON_FLAGS_PRETTY))
    return;
  g_string_append_c (text, '\n');
  for (gsize i = 0; i < depth; i++)
    g_string_append_len (text, "  ", 2);
}

/* What stands before a child: the opening bracket or a comma, then the key. */
static void
append_lead (NebulaFrame *frame, NebulaJsonFlags flags, gsize depth, GString *text)
{
  gboolean is_object = frame->self->kind == NEBULA_VALUE_KIND_OBJECT;
  const NebulaKey *key = NULL;

  g_string_append_c (text, frame->next > 0 ? ',' : is_object ? '{' : '[');
  append_line (text, flags, depth);
  if (!is_object)
    return;
  key = &((NebulaObject *) frame->self)->shape->keys[frame->next];
  _nebula_json_append_string (key->text, key->length, text);
  g_string_append (text, flags & NEBULA_JSON_FLAGS_PRETTY ? ": " : ":");
}

static void
append_value (NebulaValue *value, NebulaJsonFlags flags, NebulaWalk *walk, GString *text)
{
  if (!_nebula_value_is_container (value))
    _nebula_json_append_scalar (value, text);
  else if (_nebula_value_get_count (value) == 0)
    g_string_append (text, value->kind == NEBULA_VALUE_KIND_OBJECT ? "{}" : "[]");
  else
    _nebula_walk_push (walk, value, NULL);
}

/**
 * nebula_value_append_json: (skip)
 * @self: a value
 * @flags: how to write
 * @text: where to add
 *
 * Writes a value as JSON behind a text.
 *
 * Since: 1.0
 */
void
nebula_value_append_json (NebulaValue *self, NebulaJsonFlags flags, GString *text)
{
  g_auto (NebulaWalk) walk;
  NebulaFrame *frame = NULL;

  _nebula_walk_init (&walk);
  g_return_if_fail (self != NULL && text != NULL);

  append_value (self, flags, &walk, text);
  while ((frame = _nebula_walk_top (&walk)) != NULL) {
    if (frame->next == _nebula_value_get_count (frame->self)) {
      append_line (text, flags, walk.length - 1);
      g_string_append_c (text, frame->self->kind == NEBULA_VALUE_KIND_OBJECT ? '}' : ']');
      walk.length--;
      continue;
    }
    append_lead (frame, flags, walk.length, text);
    append_value (_nebula_value_peek_children (frame->self)[frame->next++], flags, &walk, text);
  }
  if (flags & NEBULA_JSON_FLAGS_PRETTY)
    g_string_append_c (text, '\n');
}

/**
 * nebula_value_to_json:
 * @self: a value
 * @flags: how to write
 *
 * Writes a value as JSON. Floats get the shortest text that reads back the same; bytes become base64, dates and
 * times RFC 3339, durations ISO 8601 text, references `{"$ref": uri}`.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_value_to_json (NebulaValue *self, NebulaJsonFlags flags)
{
  GString *text = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  text = g_string_sized_new (64);
  nebula_value_append_json (self, flags, text);
  return g_string_free (text, FALSE);
}

/**
 * nebula_value_to_text:
 * @self: a value
 *
 * Writes a value for people and templates: strings and references as they are, null as nothing, containers as JSON,
 * dates and times without quotes.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_value_to_text (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  switch ((NebulaValueKind) self->kind) {
  case NEBULA_VALUE_KIND_NULL:
    return g_strdup ("");
  case NEBULA_VALUE_KIND_STRING:
  case NEBULA_VALUE_KIND_REFERENCE:
    return g_strdup (nebula_value_get_string (self));
  case NEBULA_VALUE_KIND_BYTES:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
    return foreign_to_text (self);
  case NEBULA_VALUE_KIND_BOOLEAN:
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
  default:
    return nebula_value_to_json (self, NEBULA_JSON_FLAGS_NONE);
  }
}
