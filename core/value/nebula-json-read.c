/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A strict reader of RFC 8259. It keeps an explicit stack, so nesting costs no stack of the thread, and looks at eight
 * bytes at a time inside strings. Integers of 64 bits stay exact; longer numbers and those with more than 17
 * significant digits become decimals; what no double can hold is refused.
 */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "nebula-error.h"
#include "nebula-json-internal.h"
#include "nebula-value-private.h"

#define ONES G_GUINT64_CONSTANT (0x0101010101010101)
#define HIGHS G_GUINT64_CONSTANT (0x8080808080808080)
#define EXACT_POWER 22
#define SIGNIFICANT_MAX 17

typedef struct
{
  NebulaValueBuilder *builder;
  gboolean is_object;
  gsize slot;
} Level;

typedef struct
{
  const char *start;
  const char *at;
  const char *end;
  NebulaJsonFlags flags;
  const NebulaJsonLimits *limits;
  GArray *places;
  guint32 key_place;
  gsize n_items;
  guint depth;
  GString *scratch;
  gboolean place_apart; /* the caller wants the place, not a message with it */
  NebulaValue *result;
  GError **error;
  Level *levels;                                  /* NEBULA_LIMIT_DEPTH of them */
  NebulaValueBuilder *arrays[NEBULA_LIMIT_DEPTH]; /* kept for the next container at that depth */
  NebulaValueBuilder *objects[NEBULA_LIMIT_DEPTH];
} Reader;

static const double powers_of_ten[EXACT_POWER + 1]
  = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

void
_nebula_text_locate (const char *text, gsize length, gsize offset, guint *ret_line, guint *ret_column)
{
  guint line = 1, column = 1;

  for (gsize i = 0; i < MIN (offset, length); i++) {
    if (text[i] == '\n') {
      line++;
      column = 1;
    } else if (((guchar) text[i] & 0xc0) != 0x80) {
      column++;
    }
  }
  *ret_line = line;
  *ret_column = column;
}

static gboolean
fail (Reader *reader, NebulaError code, const char *message)
{
  guint line = 0, column = 0;

  if (reader->place_apart) {
    g_set_error_literal (reader->error, NEBULA_ERROR, code, message);
    return FALSE;
  }
  _nebula_text_locate (reader->start, (gsize) (reader->end - reader->start), (gsize) (reader->at - reader->start), &line,
                       &column);
  /* TRANSLATORS: line, column, then a sentence that says what is wrong with the JSON text there */
  g_set_error (reader->error, NEBULA_ERROR, code, _ ("Line %u, column %u: %s"), line, column, message);
  return FALSE;
}

static gboolean
fail_unexpected (Reader *reader)
{
  const char *message = NULL;

  if (reader->at >= reader->end)
    message = _ ("The JSON text ends too early.");
  else if (reader->at == reader->start && reader->end - reader->at >= 3 && memcmp (reader->at, "\xef\xbb\xbf", 3) == 0)
    message = _ ("JSON may not begin with a byte order mark; remove it.");
  else
    message = _ ("This is not JSON; expected a value, or one of , : ] } here.");
  return fail (reader, NEBULA_ERROR_SYNTAX, message);
}

static inline void
skip_space (Reader *reader)
{
  const char *at = reader->at, *end = reader->end;

  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  reader->at = at;
}

/* The length of one well-formed sequence that starts with a byte above 0x7f, or 0. */
static inline gsize
utf8_sequence (const guchar *at, const guchar *end)
{
  gsize left = (gsize) (end - at);

  if (at[0] < 0xc2 || at[0] > 0xf4)
    return 0;
  if (at[0] < 0xe0)
    return left >= 2 && (at[1] & 0xc0) == 0x80 ? 2 : 0;
  if (left < 3 || (at[1] & 0xc0) != 0x80 || (at[2] & 0xc0) != 0x80)
    return 0;
  if (at[0] < 0xf0) {
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f))
      return 0;
    return 3;
  }
  if (left < 4 || (at[3] & 0xc0) != 0x80 || (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
    return 0;
  return 4;
}

/* Moves over plain characters up to a quote, a backslash, or a byte that may not stand here. */
static const char *
scan_plain (const char *at, const char *end)
{
  while (TRUE) {
    guint64 word = 0;
    gsize sequence = 0;

    while (end - at >= 8) {
      guint64 quote = 0, escape = 0, control = 0;

      _nebula_bytes_copy (&word, at, 8);
      quote = word ^ (ONES * '"');
      escape = word ^ (ONES * '\\');
      control = (word - ONES * 0x20) & ~word;
      if (((quote - ONES) | (escape - ONES) | control | word) & HIGHS)
        break;
      at += 8;
    }
    while (at < end && (guchar) *at >= 0x20 && (guchar) *at < 0x80 && *at != '"' && *at != '\\')
      at++;
    if (at >= end || (guchar) *at < 0x80)
      return at;
    sequence = utf8_sequence ((const guchar *) at, (const guchar *) end);
    if (sequence == 0)
      return at;
    at += sequence;
  }
}

static gboolean
read_hex (Reader *reader, guint32 *ret_unit)
{
  guint32 unit = 0;

  if (reader->end - reader->at < 4)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("Four hexadecimal digits must follow \\u."));
  for (guint i = 0; i < 4; i++) {
    int digit = g_ascii_xdigit_value (reader->at[i]);

    if (digit < 0)
      return fail (reader, NEBULA_ERROR_SYNTAX, _ ("Four hexadecimal digits must follow \\u."));
    unit = unit << 4 | (guint32) digit;
  }
  reader->at += 4;
  *ret_unit = unit;
  return TRUE;
}

/* Behind `\u`. Surrogates must come in pairs. */
static gboolean
read_unicode_escape (Reader *reader)
{
  const char *from = reader->at - 2;
  guint32 unit = 0, low = 0;
  gboolean lone = FALSE;

  if (!read_hex (reader, &unit))
    return FALSE;
  if (unit >= 0xd800 && unit < 0xdc00 && reader->end - reader->at >= 2 && reader->at[0] == '\\'
      && reader->at[1] == 'u') {
    reader->at += 2;
    if (!read_hex (reader, &low))
      return FALSE;
    lone = low < 0xdc00 || low > 0xdfff;
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  } else {
    lone = unit >= 0xd800 && unit <= 0xdfff;
  }
  if (lone) {
    reader->at = from;
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("Half of a surrogate pair is no character; write both halves."));
  }
  g_string_append_unichar (reader->scratch, unit);
  return TRUE;
}

static gboolean
read_escape (Reader *reader)
{
  static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  const char *found = NULL;

  reader->at++;
  if (reader->at >= reader->end)
    return fail_unexpected (reader);
  if (*reader->at == 'u') {
    reader->at++;
    return read_unicode_escape (reader);
  }
  found = *reader->at ? strchr (names, *reader->at) : NULL;
  if (!found)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("There is no such escape; write a backslash as \\\\."));
  g_string_append_c (reader->scratch, meanings[found - names]);
  reader->at++;
  return TRUE;
}

static gboolean
fail_in_string (Reader *reader)
{
  if (reader->at >= reader->end)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A string lacks its closing quote."));
  if ((guchar) *reader->at < 0x20)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A control character must be escaped, a line end as \\n."));
  return fail (reader, NEBULA_ERROR_SYNTAX, _ ("The text is not UTF-8 here."));
}

/* Reads a string. The result lies in the text itself, or in the scratch buffer until the next string. */
static gboolean
read_string (Reader *reader, const char **ret_text, gsize *ret_length)
{
  const char *from = ++reader->at;

  reader->at = scan_plain (from, reader->end);
  if (G_LIKELY (reader->at < reader->end && *reader->at == '"')) {
    *ret_text = from;
    *ret_length = (gsize) (reader->at++ - from);
  } else {
    g_string_truncate (reader->scratch, 0);
    while (TRUE) {
      g_string_append_len (reader->scratch, from, reader->at - from);
      if (reader->at >= reader->end || (*reader->at != '"' && *reader->at != '\\'))
        return fail_in_string (reader);
      if (*reader->at == '"')
        break;
      if (!read_escape (reader))
        return FALSE;
      from = reader->at;
      reader->at = scan_plain (from, reader->end);
    }
    reader->at++;
    *ret_text = reader->scratch->str;
    *ret_length = reader->scratch->len;
  }
  if (*ret_length > reader->limits->max_string_bytes)
    return fail (reader, NEBULA_ERROR_TOO_LARGE, _ ("A string is longer than the limit; keep long texts in a blob."));
  return TRUE;
}

typedef struct
{
  const char *from;
  guint64 mantissa; /* of the first 19 significant digits */
  gint64 exponent;  /* of ten, for the mantissa */
  guint n_digits;   /* significant ones, without zeros at the end */
  guint n_zeros;    /* zeros at the end that are not counted yet */
  gboolean is_negative;
  gboolean is_whole; /* neither point nor exponent */
} Number;

static inline void
add_digit (Number *number, guint digit)
{
  if (number->n_digits == 0 && number->n_zeros == 0 && digit == 0)
    return;
  if (digit == 0) {
    number->n_zeros++;
    return;
  }
  number->n_digits += number->n_zeros + 1;
  if (number->n_digits <= 19) {
    for (; number->n_zeros > 0; number->n_zeros--)
      number->mantissa *= 10;
    number->mantissa = number->mantissa * 10 + digit;
  }
  number->n_zeros = 0;
}

static gboolean
scan_digits (Reader *reader, Number *number, gboolean is_fraction)
{
  const char *from = reader->at;

  while (reader->at < reader->end && g_ascii_isdigit (*reader->at))
    add_digit (number, (guint) (*reader->at++ - '0'));
  if (reader->at == from)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A digit is missing here."));
  if (is_fraction)
    number->exponent -= reader->at - from;
  return TRUE;
}

static gboolean
scan_exponent (Reader *reader, Number *number)
{
  gboolean negative = FALSE;
  gint64 exponent = 0;
  const char *from = NULL;

  reader->at++;
  if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-'))
    negative = *reader->at++ == '-';
  from = reader->at;
  for (; reader->at < reader->end && g_ascii_isdigit (*reader->at); reader->at++)
    exponent = MIN (exponent * 10 + (*reader->at - '0'), 100000000);
  if (reader->at == from)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A digit is missing here."));
  number->exponent += negative ? -exponent : exponent;
  return TRUE;
}

static gboolean
scan_number (Reader *reader, Number *number)
{
  number->from = reader->at;
  number->is_whole = TRUE;
  if (*reader->at == '-') {
    number->is_negative = TRUE;
    reader->at++;
  }
  if (reader->at + 1 < reader->end && *reader->at == '0' && g_ascii_isdigit (reader->at[1]))
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A number may not begin with 0; quote it if it is a text."));
  if (!scan_digits (reader, number, FALSE))
    return FALSE;
  if (reader->at < reader->end && *reader->at == '.') {
    number->is_whole = FALSE;
    reader->at++;
    if (!scan_digits (reader, number, TRUE))
      return FALSE;
  }
  if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
    number->is_whole = FALSE;
    return scan_exponent (reader, number);
  }
  return TRUE;
}

/* Whole numbers whose zeros at the end were left out are put together again; FALSE if 64 bits do not suffice. */
static gboolean
get_integer (const Number *number, gint64 *ret_integer)
{
  guint64 magnitude = number->mantissa;

  if (number->n_digits + number->n_zeros > 19)
    return FALSE;
  for (guint i = 0; i < number->n_zeros; i++)
    magnitude *= 10;
  if (magnitude > (guint64) G_MAXINT64 + (number->is_negative ? 1 : 0))
    return FALSE;
  *ret_integer = number->is_negative ? (gint64) (0 - magnitude) : (gint64) magnitude;
  return TRUE;
}

/* Exact where mantissa and power of ten are both exact doubles, which is nearly always. */
static double
get_double (Reader *reader, const Number *number)
{
  gint64 exponent = number->exponent + number->n_zeros;
  double magnitude = (double) number->mantissa;

  if (number->n_digits == 0)
    return number->is_negative ? -0.0 : 0.0;
  if (number->n_digits <= 19 && number->mantissa <= (G_GUINT64_CONSTANT (1) << 53) && exponent >= -EXACT_POWER
      && exponent <= EXACT_POWER) {
    magnitude = exponent < 0 ? magnitude / powers_of_ten[-exponent] : magnitude * powers_of_ten[exponent];
    return number->is_negative ? -magnitude : magnitude;
  }
  g_string_truncate (reader->scratch, 0);
  g_string_append_len (reader->scratch, number->from, reader->at - number->from);
  return g_ascii_strtod (reader->scratch->str, NULL);
}

static NebulaValue *
read_number (Reader *reader)
{
  Number number = { 0 };
  gint64 integer = 0;
  double approximation = 0.0;

  if (!scan_number (reader, &number))
    return NULL;
  /* -0 is a float, because an integer has no such thing. */
  if (number.is_whole && (number.n_digits > 0 || !number.is_negative) && get_integer (&number, &integer))
    return nebula_value_new_integer (integer);

  approximation = get_double (reader, &number);
  if (!isfinite (approximation)) {
    reader->at = number.from;
    fail (reader, NEBULA_ERROR_OVERFLOW, _ ("The number is too large; the greatest is about 1.8e308."));
    return NULL;
  }
  if (number.n_digits > SIGNIFICANT_MAX || (number.is_whole && number.n_digits > 0))
    return _nebula_decimal_new_unchecked (number.from, (gsize) (reader->at - number.from));
  return nebula_value_new_float (approximation);
}

static NebulaValue *
read_word (Reader *reader, const char *word, gsize length, NebulaValue *value)
{
  if ((gsize) (reader->end - reader->at) < length || memcmp (reader->at, word, length) != 0) {
    fail_unexpected (reader);
    return NULL;
  }
  reader->at += length;
  return value;
}

static NebulaValue *
read_scalar (Reader *reader)
{
  const char *text = NULL;
  gsize length = 0;

  switch (*reader->at) {
  case '"':
    return read_string (reader, &text, &length) ? nebula_value_new_string_length (text, length) : NULL;
  case 't':
    return read_word (reader, "true", 4, nebula_value_new_boolean (TRUE));
  case 'f':
    return read_word (reader, "false", 5, nebula_value_new_boolean (FALSE));
  case 'n':
    return read_word (reader, "null", 4, nebula_value_new_null ());
  default:
    if (*reader->at == '-' || g_ascii_isdigit (*reader->at))
      return read_number (reader);
    fail_unexpected (reader);
    return NULL;
  }
}

static void
deliver (Reader *reader, NebulaValue *value)
{
  Level *level = NULL;

  if (reader->depth == 0) {
    reader->result = value;
    return;
  }
  level = &reader->levels[reader->depth - 1];
  if (level->is_object)
    _nebula_value_builder_fill (level->builder, level->slot, value);
  else
    nebula_value_builder_add_take (level->builder, value);
}

/* Reads `"key" :` and makes the member's place. */
static gboolean
read_key (Reader *reader)
{
  Level *level = &reader->levels[reader->depth - 1];
  const char *from = reader->at, *key = NULL;
  gsize length = 0;
  gboolean existed = FALSE;

  if (reader->at >= reader->end || *reader->at != '"')
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A key in double quotes is expected here."));
  if (!read_string (reader, &key, &length))
    return FALSE;
  level->slot = _nebula_value_builder_reserve (level->builder, key, length, &existed);
  if (existed && (reader->flags & (NEBULA_JSON_FLAGS_UNIQUE_KEYS | NEBULA_JSON_FLAGS_LIMITED))) {
    g_autofree char *shown = g_strndup (key, MIN (length, 80));
    g_autofree char *valid = g_utf8_make_valid (shown, -1);
    g_autofree char *message
      = g_strdup_printf (_ ("The key “%s” stands here a second time; remove one."), valid);

    reader->at = from;
    return fail (reader, NEBULA_ERROR_DUPLICATE_KEY, message);
  }
  reader->key_place = (guint32) (from - reader->start);
  skip_space (reader);
  if (reader->at >= reader->end || *reader->at != ':')
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A colon is expected behind a key."));
  reader->at++;
  return TRUE;
}

/* At `[` or `{`. */
static gboolean
open_container (Reader *reader, gboolean is_object)
{
  NebulaValueBuilder **kept = is_object ? reader->objects : reader->arrays;
  Level *level = NULL;

  if (reader->depth >= NEBULA_LIMIT_DEPTH)
    return fail (reader, NEBULA_ERROR_TOO_DEEP, _ ("The JSON text is nested deeper than 128 levels."));
  kept += reader->depth;
  if (!*kept)
    *kept = is_object ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();
  level = &reader->levels[reader->depth++];
  level->builder = *kept;
  level->is_object = is_object;
  reader->at++;
  return TRUE;
}

static void
close_container (Reader *reader)
{
  NebulaValue *value = nebula_value_builder_end (reader->levels[reader->depth - 1].builder);

  reader->depth--;
  reader->at++;
  deliver (reader, value);
}

static gboolean
count_item (Reader *reader)
{
  NebulaJsonPlace place = { .value = (guint32) (reader->at - reader->start), .key = reader->key_place };

  if (++reader->n_items > reader->limits->max_items)
    return fail (reader, NEBULA_ERROR_TOO_LARGE, _ ("The JSON text holds more values than the limit."));
  if (reader->places) {
    if (reader->depth == 0 || !reader->levels[reader->depth - 1].is_object)
      place.key = place.value;
    g_array_append_val (reader->places, place);
  }
  return TRUE;
}

/* Reads a scalar, or opens a container and, unless it is empty, stops before its first value. */
static gboolean
read_value (Reader *reader, gboolean *ret_opened)
{
  gboolean is_object = FALSE;
  NebulaValue *value = NULL;

  skip_space (reader);
  *ret_opened = FALSE;
  if (reader->at >= reader->end)
    return fail_unexpected (reader);
  if (!count_item (reader))
    return FALSE;
  is_object = *reader->at == '{';
  if (!is_object && *reader->at != '[') {
    value = read_scalar (reader);
    if (!value)
      return FALSE;
    deliver (reader, value);
    return TRUE;
  }
  if (!open_container (reader, is_object))
    return FALSE;
  skip_space (reader);
  if (reader->at < reader->end && *reader->at == (is_object ? '}' : ']')) {
    close_container (reader);
    return TRUE;
  }
  *ret_opened = TRUE;
  return is_object ? read_key (reader) : TRUE;
}

/* Behind a value: closes what ends here, up to the next comma or the end of all. */
static gboolean
read_after_value (Reader *reader)
{
  while (reader->depth > 0) {
    Level *level = &reader->levels[reader->depth - 1];

    skip_space (reader);
    if (reader->at >= reader->end)
      return fail_unexpected (reader);
    if (*reader->at == ',') {
      reader->at++;
      if (!level->is_object)
        return TRUE;
      skip_space (reader);
      return read_key (reader);
    }
    if (*reader->at != (level->is_object ? '}' : ']'))
      return fail (reader, NEBULA_ERROR_SYNTAX,
                   level->is_object ? _ ("A comma or } is expected here.") : _ ("A comma or ] is expected here."));
    close_container (reader);
  }
  return TRUE;
}

static gboolean
read_document (Reader *reader)
{
  gboolean opened = FALSE;

  do {
    if (!read_value (reader, &opened))
      return FALSE;
    if (!opened && !read_after_value (reader))
      return FALSE;
  } while (!reader->result);

  skip_space (reader);
  if (reader->at < reader->end)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("The JSON text should end here; one text holds one value."));
  return TRUE;
}

static void
reader_clear (Reader *reader)
{
  for (guint i = 0; i < NEBULA_LIMIT_DEPTH && (reader->arrays[i] || reader->objects[i]); i++) {
    g_clear_pointer (&reader->arrays[i], nebula_value_builder_unref);
    g_clear_pointer (&reader->objects[i], nebula_value_builder_unref);
  }
  g_string_free (reader->scratch, TRUE);
}

NebulaValue *
_nebula_json_read (const char *text,
                   gsize length,
                   NebulaJsonFlags flags,
                   const NebulaJsonLimits *limits,
                   GArray *ret_places,
                   gsize *ret_offset,
                   GError **error)
{
  Level levels[NEBULA_LIMIT_DEPTH]; /* on the stack: a large block would have malloc tidy up each time */
  Reader reader = { .start = text, .at = text, .end = text + length, .flags = flags, .limits = limits };

  reader.places = ret_places;
  reader.place_apart = ret_offset != NULL;
  reader.error = error;
  if (length > limits->max_bytes) {
    fail (&reader, NEBULA_ERROR_TOO_LARGE, _ ("The JSON text is larger than the limit."));
    return NULL;
  }
  reader.levels = levels;
  reader.scratch = g_string_sized_new (256);
  if (!read_document (&reader)) {
    if (ret_offset)
      *ret_offset = (gsize) (reader.at - text);
    g_clear_pointer (&reader.result, nebula_value_unref);
  }
  reader_clear (&reader);
  return reader.result;
}

/**
 * nebula_value_parse_json:
 * @text: JSON text in UTF-8
 * @length: its bytes, or -1 if it ends with 0
 * @flags: how to read
 * @error: where to put an error
 *
 * Reads JSON strictly as RFC 8259 says.
 *
 * Integers of 64 bits stay exact; longer ones and numbers of more than 17 significant digits become decimals. Texts
 * of up to 64 MiB are read; with %NEBULA_JSON_FLAGS_LIMITED the limits for what comes from outside hold.
 *
 * Errors, all terminal: %NEBULA_ERROR_SYNTAX, %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_TOO_LARGE,
 * %NEBULA_ERROR_OVERFLOW for a number that no double can hold, %NEBULA_ERROR_DUPLICATE_KEY.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_parse_json (const char *text, gssize length, NebulaJsonFlags flags, GError **error)
{
  static const NebulaJsonLimits wide = { 64 << 20, G_MAXSIZE, G_MAXSIZE };
  static const NebulaJsonLimits narrow
    = { NEBULA_LIMIT_DOCUMENT_BYTES, NEBULA_LIMIT_DOCUMENT_ITEMS, NEBULA_LIMIT_STRING_BYTES };

  g_return_val_if_fail (text != NULL || length == 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return _nebula_json_read (text ? text : "", length < 0 ? strlen (text) : (gsize) length, flags,
                            flags & NEBULA_JSON_FLAGS_LIMITED ? &narrow : &wide, NULL, NULL, error);
}
