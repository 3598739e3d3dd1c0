/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of all kinds as digits, so that integer, float and decimal compare exactly. */
#include <errno.h>
#include <math.h>

#include "nebula-value-private.h"

#define EXPONENT_MAX 1000000

/* The digits of the finest double: 767 significant ones and room for sign, point and exponent. */
#define DOUBLE_TEXT 800

static gsize
skip_digits (const char *text, gsize at, gsize length)
{
  while (at < length && g_ascii_isdigit (text[at]))
    at++;
  return at;
}

gboolean
_nebula_number_text_is_valid (const char *text, gsize length)
{
  gsize at = length > 0 && text[0] == '-' ? 1 : 0;
  gsize from = at;

  at = skip_digits (text, at, length);
  if (at == from || (text[from] == '0' && at > from + 1))
    return FALSE;
  if (at < length && text[at] == '.') {
    from = ++at;
    at = skip_digits (text, at, length);
    if (at == from)
      return FALSE;
  }
  if (at < length && (text[at] == 'e' || text[at] == 'E')) {
    at++;
    if (at < length && (text[at] == '+' || text[at] == '-'))
      at++;
    from = at;
    at = skip_digits (text, at, length);
    if (at == from)
      return FALSE;
  }
  return at == length;
}

/* Exponents beyond any use are cut; such a number is refused or 0 anyhow. */
static gint64
read_exponent (const char *text)
{
  gint64 exponent = g_ascii_strtoll (text, NULL, 10);

  return CLAMP (exponent, -EXPONENT_MAX, EXPONENT_MAX);
}

static void
decimal_init_text (NebulaDecimal *self, const char *text, gsize length)
{
  gsize point = 0, first = 0, n_digits = 0;
  gboolean has_point = FALSE;
  gint64 exponent = 0;

  self->digits = length < sizeof self->small ? self->small : g_malloc (length + 1);
  self->negative = text[0] == '-';
  for (gsize i = self->negative ? 1 : 0; i < length; i++) {
    if (g_ascii_isdigit (text[i]))
      self->digits[n_digits++] = text[i];
    else if (text[i] == '.') {
      has_point = TRUE;
      point = n_digits;
    } else {
      exponent = read_exponent (text + i + 1);
      break;
    }
  }
  if (!has_point)
    point = n_digits;
  while (first < n_digits && self->digits[first] == '0')
    first++;
  while (n_digits > first && self->digits[n_digits - 1] == '0')
    n_digits--;
  memmove (self->digits, self->digits + first, n_digits - first);
  self->n_digits = n_digits - first;
  self->exponent = self->n_digits > 0 ? exponent + (gint64) point - (gint64) first : 0;
  if (self->n_digits == 0)
    self->negative = FALSE;
}

void
_nebula_decimal_init (NebulaDecimal *self, NebulaValue *number)
{
  char buffer[DOUBLE_TEXT];

  if (number->kind == NEBULA_VALUE_KIND_DECIMAL) {
    decimal_init_text (self, ((NebulaText *) number)->data, ((NebulaText *) number)->length);
    return;
  }
  if (number->kind == NEBULA_VALUE_KIND_FLOAT)
    g_ascii_formatd (buffer, sizeof buffer, "%.766e", ((NebulaScalar *) number)->as.number);
  else
    g_snprintf (buffer, sizeof buffer, "%" G_GINT64_FORMAT, ((NebulaScalar *) number)->as.integer);
  decimal_init_text (self, buffer, strlen (buffer));
}

void
_nebula_decimal_clear (NebulaDecimal *self)
{
  if (self->digits != self->small)
    g_free (self->digits);
}

static gint
compare_magnitude (const NebulaDecimal *self, const NebulaDecimal *other)
{
  gint order = 0;

  if (self->n_digits == 0 || other->n_digits == 0)
    return (self->n_digits > 0) - (other->n_digits > 0);
  if (self->exponent != other->exponent)
    return self->exponent < other->exponent ? -1 : 1;
  order = memcmp (self->digits, other->digits, MIN (self->n_digits, other->n_digits));
  if (order != 0)
    return order < 0 ? -1 : 1;
  return (self->n_digits > other->n_digits) - (self->n_digits < other->n_digits);
}

gint
_nebula_decimal_compare (const NebulaDecimal *self, const NebulaDecimal *other)
{
  if (self->negative != other->negative)
    return self->negative ? -1 : 1;
  return self->negative ? compare_magnitude (other, self) : compare_magnitude (self, other);
}

/* Whether the number is a whole one of 64 bits. */
gboolean
_nebula_decimal_get_integer (const NebulaDecimal *self, gint64 *ret_integer)
{
  guint64 magnitude = 0;
  guint64 limit = self->negative ? (guint64) G_MAXINT64 + 1 : (guint64) G_MAXINT64;

  if (self->exponent < (gint64) self->n_digits || self->exponent > 19)
    return FALSE;
  for (gint64 i = 0; i < self->exponent; i++) {
    guint64 digit = i < (gint64) self->n_digits ? (guint64) (self->digits[i] - '0') : 0;

    if (!g_uint64_checked_mul (&magnitude, magnitude, 10) || !g_uint64_checked_add (&magnitude, magnitude, digit))
      return FALSE;
  }
  if (magnitude > limit)
    return FALSE;
  *ret_integer = self->negative ? (gint64) (0 - magnitude) : (gint64) magnitude;
  return TRUE;
}

/* Exact: a double above 2^53 is a whole number, and below every integer of 53 bits is a double. */
static gint
compare_integer_float (gint64 integer, double number)
{
  gint64 whole = 0;
  double floor_of = floor (number);

  if (number >= 9223372036854775808.0)
    return -1;
  if (number < -9223372036854775808.0)
    return 1;
  whole = (gint64) floor_of;
  if (integer != whole)
    return integer < whole ? -1 : 1;
  return number > floor_of ? -1 : 0;
}

gint
_nebula_number_compare (NebulaValue *self, NebulaValue *other)
{
  g_auto (NebulaDecimal) left = { 0 }, right = { 0 };
  gboolean self_float = self->kind == NEBULA_VALUE_KIND_FLOAT;
  gboolean other_float = other->kind == NEBULA_VALUE_KIND_FLOAT;
  NebulaScalar *a = (NebulaScalar *) self, *b = (NebulaScalar *) other;

  if (self->kind == NEBULA_VALUE_KIND_DECIMAL || other->kind == NEBULA_VALUE_KIND_DECIMAL) {
    _nebula_decimal_init (&left, self);
    _nebula_decimal_init (&right, other);
    return _nebula_decimal_compare (&left, &right);
  }
  left.digits = left.small;
  right.digits = right.small;
  if (self_float && other_float)
    return (a->as.number > b->as.number) - (a->as.number < b->as.number);
  if (self_float)
    return -compare_integer_float (b->as.integer, a->as.number);
  if (other_float)
    return compare_integer_float (a->as.integer, b->as.number);
  return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
}
