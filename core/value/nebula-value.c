/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "nebula-error.h"
#include "nebula-value-private.h"

#define SMALL_FIRST (-128)
#define SMALL_COUNT 1152

/* Values that exist from the start and for ever. */
#define HEAD(k, s) { .refs = 1, .kind = NEBULA_VALUE_KIND_##k, .flags = NEBULA_VALUE_IMMORTAL, .size = (s) }
#define ONE(n) { .head = HEAD (INTEGER, NEBULA_SCALAR_SIZE), .as.integer = SMALL_FIRST + (n) }
#define FOUR(n) ONE (n), ONE ((n) + 1), ONE ((n) + 2), ONE ((n) + 3)
#define SIXTEEN(n) FOUR (n), FOUR ((n) + 4), FOUR ((n) + 8), FOUR ((n) + 12)
#define SIXTY_FOUR(n) SIXTEEN (n), SIXTEEN ((n) + 16), SIXTEEN ((n) + 32), SIXTEEN ((n) + 48)

static NebulaScalar small_integers[SMALL_COUNT] = {
  SIXTY_FOUR (0),   SIXTY_FOUR (64),  SIXTY_FOUR (128), SIXTY_FOUR (192),  SIXTY_FOUR (256),  SIXTY_FOUR (320),
  SIXTY_FOUR (384), SIXTY_FOUR (448), SIXTY_FOUR (512), SIXTY_FOUR (576),  SIXTY_FOUR (640),  SIXTY_FOUR (704),
  SIXTY_FOUR (768), SIXTY_FOUR (832), SIXTY_FOUR (896), SIXTY_FOUR (960),  SIXTY_FOUR (1024), SIXTY_FOUR (1088),
};
static NebulaScalar the_null = { .head = HEAD (NULL, NEBULA_SCALAR_SIZE) };
static NebulaScalar the_true = { .head = HEAD (BOOLEAN, NEBULA_SCALAR_SIZE), .as.integer = 1 };
static NebulaScalar the_false = { .head = HEAD (BOOLEAN, NEBULA_SCALAR_SIZE) };
static NebulaText the_empty_string = { .head = HEAD (STRING, NEBULA_SCALAR_SIZE), .data = (char *) "" };

G_DEFINE_BOXED_TYPE (NebulaValue, nebula_value, nebula_value_ref, nebula_value_unref)

static NebulaValue *
scalar_new (NebulaValueKind kind, gint64 integer)
{
  NebulaScalar *self = g_malloc (sizeof (NebulaScalar));

  self->head = (NebulaValue){ .refs = 1, .kind = (guint8) kind, .size = NEBULA_SCALAR_SIZE };
  self->as.integer = integer;
  self->offset_seconds = 0;
  self->nanoseconds = 0;
  return &self->head;
}

NebulaValue *
_nebula_text_new (NebulaValueKind kind, const char *text, gsize length)
{
  NebulaText *self = g_malloc (sizeof (NebulaText) + length + 1);

  self->head = (NebulaValue){ .refs = 1, .kind = (guint8) kind, .size = NEBULA_SCALAR_SIZE + length };
  self->length = length;
  self->data = (char *) (self + 1);
  _nebula_bytes_copy (self->data, text, length);
  self->data[length] = '\0';
  return &self->head;
}

/* Takes one reference away; whether it was the last. */
static inline gboolean
value_release (NebulaValue *self)
{
  return !(self->flags & NEBULA_VALUE_IMMORTAL) && g_atomic_int_dec_and_test (&self->refs);
}

static void
value_free_leaf (NebulaValue *self)
{
  if (self->kind == NEBULA_VALUE_KIND_BYTES)
    g_bytes_unref (((NebulaBytes *) self)->bytes);
  else if (self->flags & NEBULA_VALUE_TAKEN)
    g_free (((NebulaText *) self)->data);
  else if (self->flags & NEBULA_VALUE_SLICE)
    _nebula_slice_clear ((NebulaSlice *) self);
  g_free (self);
}

/* Containers that died wait in a list that runs through their own heads, so no nesting needs a stack. */
static void
value_free (NebulaValue *self)
{
  NebulaValue *waiting = NULL;

  if (!_nebula_value_is_container (self)) {
    value_free_leaf (self);
    return;
  }
  self->size = 0;
  waiting = self;
  while (waiting) {
    NebulaValue *dead = waiting;
    NebulaValue *const *children = _nebula_value_peek_children (dead);
    gsize count = _nebula_value_get_count (dead);

    waiting = GSIZE_TO_POINTER (dead->size);
    for (gsize i = 0; i < count; i++) {
      if (!value_release (children[i]))
        continue;
      if (!_nebula_value_is_container (children[i])) {
        value_free_leaf (children[i]);
        continue;
      }
      children[i]->size = GPOINTER_TO_SIZE (waiting);
      waiting = children[i];
    }
    if (dead->kind == NEBULA_VALUE_KIND_OBJECT)
      _nebula_shape_unref (((NebulaObject *) dead)->shape);
    g_free (dead);
  }
}

/**
 * nebula_value_ref:
 * @self: a value
 *
 * Counts one more holder.
 *
 * Thread: any.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_ref (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (!(self->flags & NEBULA_VALUE_IMMORTAL))
    g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_value_unref:
 * @self: a value
 *
 * Counts one holder less and frees the value with the last.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_value_unref (NebulaValue *self)
{
  g_return_if_fail (self != NULL);

  if (value_release (self))
    value_free (self);
}

/**
 * nebula_value_new_null:
 *
 * Gives null.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_null (void)
{
  return &the_null.head;
}

/**
 * nebula_value_new_boolean:
 * @boolean: what it is
 *
 * Gives true or false.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_boolean (gboolean boolean)
{
  return boolean ? &the_true.head : &the_false.head;
}

/**
 * nebula_value_new_integer:
 * @integer: a number
 *
 * Makes an integer.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_integer (gint64 integer)
{
  if (integer >= SMALL_FIRST && integer < SMALL_FIRST + SMALL_COUNT)
    return &small_integers[integer - SMALL_FIRST].head;
  return scalar_new (NEBULA_VALUE_KIND_INTEGER, integer);
}

/**
 * nebula_value_new_float:
 * @number: a finite number
 *
 * Makes a float. Infinity and “not a number” have no place among values: check before.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_float (double number)
{
  NebulaValue *self = NULL;

  g_return_val_if_fail (isfinite (number), nebula_value_new_null ());

  self = scalar_new (NEBULA_VALUE_KIND_FLOAT, 0);
  ((NebulaScalar *) self)->as.number = number;
  return self;
}

NebulaValue *
_nebula_decimal_new_unchecked (const char *text, gsize length)
{
  return _nebula_text_new (NEBULA_VALUE_KIND_DECIMAL, text, length);
}

/**
 * nebula_value_new_decimal:
 * @text: a number as JSON writes it
 * @error: where to put an error
 *
 * Makes a decimal number that keeps every digit of its text.
 *
 * Errors: %NEBULA_ERROR_SYNTAX (terminal) if it is no number; %NEBULA_ERROR_OVERFLOW (terminal) above 1.8e308;
 * %NEBULA_ERROR_TOO_LARGE (terminal) above 1 MiB.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_decimal (const char *text, GError **error)
{
  gsize length = 0;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  length = strlen (text);
  if (length > NEBULA_LIMIT_STRING_BYTES) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE, _ ("A number may have at most %d digits."),
                 NEBULA_LIMIT_STRING_BYTES);
    return NULL;
  }
  if (!_nebula_number_text_is_valid (text, length)) {
    g_autofree char *shown = g_utf8_make_valid (text, (gssize) MIN (length, 40));

    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX, _ ("“%s” is not a number; write it like -12.50."), shown);
    return NULL;
  }
  if (!isfinite (g_ascii_strtod (text, NULL))) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_OVERFLOW,
                         _ ("The number is too large; the greatest is about 1.8e308."));
    return NULL;
  }
  return _nebula_decimal_new_unchecked (text, length);
}

/**
 * nebula_value_new_string:
 * @text: UTF-8 text
 *
 * Makes a string.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_string (const char *text)
{
  g_return_val_if_fail (text != NULL, NULL);

  return nebula_value_new_string_length (text, strlen (text));
}

/**
 * nebula_value_new_string_length: (skip)
 * @text: UTF-8 text, which may hold U+0000
 * @length: its bytes
 *
 * Makes a string.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_string_length (const char *text, gsize length)
{
  g_return_val_if_fail (text != NULL || length == 0, NULL);

  if (length == 0)
    return &the_empty_string.head;
  return _nebula_text_new (NEBULA_VALUE_KIND_STRING, text, length);
}

/**
 * nebula_value_new_string_take: (skip)
 * @text: (transfer full): UTF-8 text with a 0 after its last byte, to be freed with g_free()
 * @length: its bytes without that 0
 *
 * Makes a string out of a buffer without copying it, unless it is short.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_string_take (char *text, gsize length)
{
  NebulaText *self = NULL;
  NebulaValue *copy = NULL;

  g_return_val_if_fail (text != NULL && text[length] == '\0', NULL);

  if (length < 256) {
    copy = nebula_value_new_string_length (text, length);
    g_free (text);
    return copy;
  }
  self = g_new0 (NebulaText, 1);
  self->head.refs = 1;
  self->head.kind = NEBULA_VALUE_KIND_STRING;
  self->head.flags = NEBULA_VALUE_TAKEN;
  self->head.size = NEBULA_SCALAR_SIZE + length;
  self->length = length;
  self->data = text;
  return &self->head;
}

/**
 * nebula_value_new_bytes:
 * @bytes: bytes
 *
 * Makes a value of bytes, which it shares.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_bytes (GBytes *bytes)
{
  NebulaBytes *self = NULL;

  g_return_val_if_fail (bytes != NULL, NULL);

  self = g_new0 (NebulaBytes, 1);
  self->head.refs = 1;
  self->head.kind = NEBULA_VALUE_KIND_BYTES;
  self->head.size = NEBULA_SCALAR_SIZE + g_bytes_get_size (bytes);
  self->bytes = g_bytes_ref (bytes);
  return &self->head;
}

/**
 * nebula_value_new_date:
 * @year: 1 to 9999
 * @month: 1 to 12
 * @day: 1 to 31
 * @error: where to put an error
 *
 * Makes a calendar day.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal) if the calendar has no such day.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_date (int year, int month, int day, GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31
      || !g_date_valid_dmy ((GDateDay) day, (GDateMonth) month, (GDateYear) year)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT, _ ("The calendar has no day %04d-%02d-%02d."),
                 year, month, day);
    return NULL;
  }
  return scalar_new (NEBULA_VALUE_KIND_DATE, (gint64) year * 10000 + month * 100 + day);
}

/**
 * nebula_value_new_time:
 * @usec: microseconds since midnight
 * @error: where to put an error
 *
 * Makes a time of day.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal) if the day has no such time.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_time (gint64 usec, GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (usec < 0 || usec >= 24 * 3600 * (gint64) G_USEC_PER_SEC) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("A time of day lies between 00:00:00 and 23:59:59.999999."));
    return NULL;
  }
  return scalar_new (NEBULA_VALUE_KIND_TIME, usec);
}

/**
 * nebula_value_new_timestamp:
 * @unix_usec: microseconds since 1970 in UTC
 * @offset_seconds: the offset from UTC that it is written in
 *
 * Makes an instant.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_timestamp (gint64 unix_usec, int offset_seconds)
{
  NebulaValue *self = scalar_new (NEBULA_VALUE_KIND_TIMESTAMP, unix_usec);

  ((NebulaScalar *) self)->offset_seconds = offset_seconds;
  return self;
}

/**
 * nebula_value_new_timestamp_full:
 * @unix_usec: microseconds since 1970 in UTC
 * @nanoseconds: 0 to 999, beyond the microseconds
 * @offset_seconds: the offset from UTC that it is written in
 *
 * Makes an instant that is finer than a microsecond, as other programs may write it.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_timestamp_full (gint64 unix_usec, guint nanoseconds, int offset_seconds)
{
  NebulaValue *self = NULL;

  g_return_val_if_fail (nanoseconds < 1000, NULL);

  self = nebula_value_new_timestamp (unix_usec, offset_seconds);
  ((NebulaScalar *) self)->nanoseconds = (guint16) nanoseconds;
  return self;
}

/**
 * nebula_value_new_duration:
 * @usec: microseconds
 *
 * Makes a span of time.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_duration (gint64 usec)
{
  return scalar_new (NEBULA_VALUE_KIND_DURATION, usec);
}

/**
 * nebula_value_new_reference:
 * @uri: what names the stored thing
 *
 * Makes a reference to a blob or other stored thing.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_reference (const char *uri)
{
  NebulaValue *self = NULL;

  g_return_val_if_fail (uri != NULL, NULL);

  self = _nebula_text_new (NEBULA_VALUE_KIND_REFERENCE, uri, strlen (uri));
  self->flags |= NEBULA_VALUE_REFERS;
  return self;
}
