/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Multiples by the digits that people write: 0.0075 is a multiple of 0.0001 although no double is. A number is taken as
 * mantissa × 10^exponent from its shortest text; the remainder is that of a long division, digit by digit.
 */
#include <math.h>
#include <string.h>

#include "nebula-json-schema-private.h"

/* More digits than these, or zeros behind them, are not worth a long division. */
#define DIGITS_OF_DIVISOR 18
#define ZEROS             2000

typedef struct {
  char *digits; /* without leading and trailing zeros; empty is 0 */
  gsize n_digits;
  gint64 exponent;
} Digits;

static void
digits_clear (Digits *self)
{
  g_free (self->digits);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Digits, digits_clear)

static void
digits_init (Digits *self, NebulaValue *number)
{
  g_autofree char *text = nebula_value_to_text (number);
  GString *digits = g_string_new (NULL);
  gboolean is_fraction = FALSE;
  const char *p = text;

  self->exponent = 0;
  for (; *p != '\0' && *p != 'e' && *p != 'E'; p++) {
    if (*p == '.')
      is_fraction = TRUE;
    if (!g_ascii_isdigit (*p))
      continue;
    if (digits->len > 0 || *p != '0')
      g_string_append_c (digits, *p);
    if (is_fraction)
      self->exponent--;
  }
  if (*p != '\0')
    self->exponent += CLAMP (g_ascii_strtoll (p + 1, NULL, 10), -1000000, 1000000);
  while (digits->len > 0 && digits->str[digits->len - 1] == '0') {
    g_string_truncate (digits, digits->len - 1);
    self->exponent++;
  }
  self->n_digits = digits->len;
  self->digits = g_string_free (digits, FALSE);
}

gboolean
_nebula_number_is_whole (NebulaValue *number)
{
  g_auto (Digits) digits = {NULL, 0, 0};

  if (nebula_value_get_kind (number) == NEBULA_VALUE_KIND_INTEGER)
    return TRUE;
  if (nebula_value_get_kind (number) == NEBULA_VALUE_KIND_FLOAT)
    return fabs (nebula_value_get_float (number) -
                 nearbyint (nebula_value_get_float (number))) <= 0;
  digits_init (&digits, number);
  return digits.n_digits == 0 || digits.exponent >= 0;
}

gboolean
_nebula_number_is_multiple (NebulaValue *number, NebulaValue *of)
{
  g_auto (Digits) dividend = {NULL, 0, 0};
  g_auto (Digits) divisor = {NULL, 0, 0};
  guint64 modulus, rest = 0;

  if (nebula_value_get_kind (number) == NEBULA_VALUE_KIND_INTEGER &&
      nebula_value_get_kind (of) == NEBULA_VALUE_KIND_INTEGER)
    return nebula_value_get_integer (of) == -1 ||
           nebula_value_get_integer (number) % nebula_value_get_integer (of) == 0;
  digits_init (&dividend, number);
  digits_init (&divisor, of);
  if (dividend.n_digits == 0)
    return TRUE;
  /* The last digit of the dividend is not 0, so a coarser step cannot meet it. */
  if (dividend.exponent < divisor.exponent)
    return FALSE;
  if (divisor.n_digits > DIGITS_OF_DIVISOR ||
      dividend.exponent - divisor.exponent > ZEROS)
    return fmod (nebula_value_get_float (number), nebula_value_get_float (of)) <= 0;
  modulus = g_ascii_strtoull (divisor.digits, NULL, 10);
  for (gsize i = 0; i < dividend.n_digits; i++)
    rest =
        (guint64) (((unsigned __int128) rest * 10 + (guint) (dividend.digits[i] - '0')) %
                   modulus);
  for (gint64 i = divisor.exponent; i < dividend.exponent && rest != 0; i++)
    rest = (guint64) ((unsigned __int128) rest * 10 % modulus);
  return rest == 0;
}
