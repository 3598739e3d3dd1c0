/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arithmetic on decimals: digits in the order in which they are written, and how many of them stand behind the point.
 * Sums, differences and products are exact and keep the digits behind the point that their operands have; a quotient has
 * 34 significant digits, halves to the even neighbour. An integer or float that meets a decimal is taken as it is
 * written: 0.1 is a tenth.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-decimals-private.h"

#define DIGITS_MAX      1000 /* of any result */
#define QUOTIENT_DIGITS 34

typedef struct {
  gboolean is_negative;
  GString *digits; /* '0' to '9', no zeros in front; empty is zero */
  int scale;       /* digits behind the point; negative: zeros that are not written */
} Number;

static void
number_clear (Number *self)
{
  if (self->digits != NULL)
    g_string_free (self->digits, TRUE);
  self->digits = NULL;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Number, number_clear)

static void
strip (Number *self)
{
  gsize zeros = strspn (self->digits->str, "0");

  g_string_erase (self->digits, 0, (gssize) zeros);
  if (self->digits->len == 0)
    self->is_negative = FALSE;
}

static void
number_init (Number *self)
{
  *self = (Number){.digits = g_string_new (NULL)};
}

/* FALSE: it has more digits than are computed with. */
static gboolean
number_parse (Number *self, const char *text)
{
  gint64 exponent = 0;
  gboolean has_point = FALSE;

  number_init (self);
  self->is_negative = *text == '-';
  for (text += self->is_negative ? 1 : 0; *text != '\0'; text++) {
    if (*text == 'e' || *text == 'E') {
      exponent = g_ascii_strtoll (text + 1, NULL, 10);
      break;
    }
    if (*text == '.') {
      has_point = TRUE;
      continue;
    }
    g_string_append_c (self->digits, *text);
    self->scale += has_point ? 1 : 0;
  }
  if (exponent > DIGITS_MAX || exponent < -DIGITS_MAX || self->digits->len > DIGITS_MAX)
    return FALSE;
  self->scale -= (int) exponent;
  strip (self);
  return TRUE;
}

static gboolean
fail_digits (NebulaVm *vm)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW,
                          _ ("Round it with round (x, digits), or compute with float (x)."),
                          _ ("The decimal has more than %d digits"), DIGITS_MAX);
}

static gboolean
number_load (NebulaVm *vm, Number *self, const NebulaCell *cell)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *written = NULL;
  g_autoptr (NebulaValue) value = NULL;

  if (cell->tag == NEBULA_CELL_INTEGER) {
    g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, cell->as.integer);
    return number_parse (self, text) || fail_digits (vm);
  }
  if (cell->tag == NEBULA_CELL_FLOAT) {
    value = nebula_value_new_float (cell->as.number);
    written = nebula_value_to_text (value);
    return number_parse (self, written) || fail_digits (vm);
  }
  if (!_nebula_vm_burn (vm, nebula_value_get_string_length (cell->as.value) / 16))
    return FALSE;
  return number_parse (self, nebula_value_get_string (cell->as.value)) ||
         fail_digits (vm);
}

/* Writes zeros behind, so that there are @scale digits behind the point. */
static void
extend (Number *self, int scale)
{
  for (; self->scale < scale; self->scale++)
    if (self->digits->len > 0)
      g_string_append_c (self->digits, '0');
}

static char *
number_write (const Number *self)
{
  GString *text = g_string_new (self->is_negative ? "-" : "");
  int whole = (int) self->digits->len - self->scale;

  if (self->digits->len == 0)
    whole = MIN (-self->scale, 0);
  if (whole > 0)
    g_string_append_len (text, self->digits->str,
                         MIN (whole, (int) self->digits->len));
  else
    g_string_append_c (text, '0');
  for (int i = (int) self->digits->len; i < whole; i++)
    g_string_append_c (text, '0');
  if (self->scale <= 0)
    return g_string_free (text, FALSE);
  g_string_append_c (text, '.');
  for (int i = whole; i < 0; i++)
    g_string_append_c (text, '0');
  g_string_append (text, self->digits->str + MAX (whole, 0));
  return g_string_free (text, FALSE);
}

static gboolean
number_give (NebulaVm *vm, Number *self, NebulaCell *ret)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  NebulaValue *value;

  strip (self);
  if (self->digits->len > DIGITS_MAX || self->scale > DIGITS_MAX ||
      self->scale < -DIGITS_MAX)
    return fail_digits (vm);
  text = number_write (self);
  value = nebula_value_new_decimal (text, &error);
  if (value == NULL)
    return _nebula_vm_fail (vm, (NebulaError) error->code, NULL, "%s", error->message);
  return _nebula_vm_charge (vm, strlen (text) + 32) && _nebula_vm_give (vm, value, ret);
}

/* Both have the same scale. */
static int
compare_digits (const GString *a, const GString *b)
{
  int order;

  if (a->len != b->len)
    return a->len < b->len ? -1 : 1;
  order = memcmp (a->str, b->str, a->len);
  return (order > 0) - (order < 0);
}

/* a + b, or a - b where a is not the smaller one. */
static GString *
combine_digits (const GString *a, const GString *b, gboolean is_difference)
{
  gsize length = MAX (a->len, b->len) + 1;
  GString *sum = g_string_sized_new (length);
  int carry = 0;

  g_string_set_size (sum, length);
  for (gsize i = 0; i < length; i++) {
    int left = i < a->len ? a->str[a->len - 1 - i] - '0' : 0;
    int right = i < b->len ? b->str[b->len - 1 - i] - '0' : 0;
    int digit = (is_difference ? left - right : left + right) + carry;

    carry = digit < 0 ? -1 : digit > 9 ? 1 : 0;
    sum->str[length - 1 - i] = (char) ('0' + digit - 10 * carry);
  }
  return sum;
}

static gboolean
add (NebulaVm *vm, Number *a, Number *b, gboolean is_minus, NebulaCell *ret)
{
  g_auto (Number) sum = {0};
  gboolean b_negative = b->is_negative != is_minus && b->digits->len > 0;
  int scale = MAX (a->scale, b->scale);
  int order;

  extend (a, scale);
  extend (b, scale);
  order = compare_digits (a->digits, b->digits);
  sum.scale = scale;
  if (a->is_negative == b_negative || a->digits->len == 0 || b->digits->len == 0) {
    sum.is_negative = a->digits->len > 0 ? a->is_negative : b_negative;
    sum.digits = combine_digits (a->digits, b->digits, FALSE);
  } else {
    sum.is_negative = order >= 0 ? a->is_negative : b_negative;
    sum.digits = order >= 0 ? combine_digits (a->digits, b->digits, TRUE)
                            : combine_digits (b->digits, a->digits, TRUE);
  }
  return number_give (vm, &sum, ret);
}

static void
multiply_into (const Number *a, const Number *b, Number *product)
{
  gsize n = a->digits->len, m = b->digits->len;
  g_autofree guint *sums = g_new0 (guint, n + m + 1);
  guint carry = 0;

  product->is_negative = a->is_negative != b->is_negative;
  product->scale = a->scale + b->scale;
  product->digits = g_string_sized_new (n + m);
  for (gsize i = 0; i < n; i++)
    for (gsize j = 0; j < m; j++)
      sums[i + j + 1] +=
          (guint) ((a->digits->str[i] - '0') * (b->digits->str[j] - '0'));
  g_string_set_size (product->digits, n + m);
  for (gsize i = n + m; i > 0; i--) {
    guint digit = sums[i - 1] + carry;

    product->digits->str[i - 1] = (char) ('0' + digit % 10);
    carry = digit / 10;
  }
  strip (product);
}

static gboolean
burn_product (NebulaVm *vm, const Number *a, const Number *b)
{
  return _nebula_vm_burn (vm, a->digits->len * b->digits->len / 64);
}

/* Takes @b off @rest as often as it goes; both are whole. Gives the digit. */
static char
take_off (GString **rest, const GString *b)
{
  char digit = '0';

  while (compare_digits (*rest, b) >= 0) {
    GString *less = combine_digits (*rest, b, TRUE);

    g_string_erase (less, 0, (gssize) strspn (less->str, "0"));
    g_string_free (*rest, TRUE);
    *rest = less;
    digit++;
  }
  return digit;
}

/* Rounds to the even neighbour by what is left of the division. */
static void
round_quotient (Number *quotient, GString **rest, const GString *b)
{
  static const char one[] = "1";
  g_autoptr (GString) unit = g_string_new (one);
  g_autoptr (GString) twice = combine_digits (*rest, *rest, FALSE);
  gboolean is_odd;
  GString *up;
  int order;

  g_string_erase (twice, 0, (gssize) strspn (twice->str, "0"));
  order = compare_digits (twice, b);
  is_odd = quotient->digits->len > 0 &&
           (quotient->digits->str[quotient->digits->len - 1] - '0') % 2 == 1;
  if (order < 0 || (order == 0 && !is_odd))
    return;
  up = combine_digits (quotient->digits, unit, FALSE);
  g_string_free (quotient->digits, TRUE);
  quotient->digits = up;
}

/* Zeros behind the point that the operands did not ask for. */
static void
trim_zeros (Number *self, int least)
{
  while (self->scale > least && self->digits->len > 0 &&
         self->digits->str[self->digits->len - 1] == '0') {
    g_string_truncate (self->digits, self->digits->len - 1);
    self->scale--;
  }
}

static gboolean
divide (NebulaVm *vm, const Number *a, const Number *b, NebulaCell *ret)
{
  g_auto (Number) quotient = {.digits = g_string_new (NULL)};
  GString *rest = g_string_new (NULL);
  gsize next = 0;
  int ideal = a->scale - b->scale;
  gboolean is_done = FALSE;

  quotient.is_negative = a->is_negative != b->is_negative;
  quotient.scale = ideal;
  if (!_nebula_vm_burn (vm, (a->digits->len + QUOTIENT_DIGITS) *
                                (b->digits->len + 8) / 64)) {
    g_string_free (rest, TRUE);
    return FALSE;
  }
  while (!is_done) {
    if (next >= a->digits->len)
      quotient.scale++;
    if (next < a->digits->len || rest->len > 0)
      g_string_append_c (rest, next < a->digits->len ? a->digits->str[next] : '0');
    if (rest->len > 0 && rest->str[0] == '0')
      g_string_erase (rest, 0, 1);
    next++;
    g_string_append_c (quotient.digits, take_off (&rest, b->digits));
    strip (&quotient);
    is_done = next >= a->digits->len &&
              (rest->len == 0 || quotient.digits->len >= QUOTIENT_DIGITS);
  }
  round_quotient (&quotient, &rest, b->digits);
  g_string_free (rest, TRUE);
  quotient.is_negative = a->is_negative != b->is_negative;
  if (a->digits->len == 0)
    quotient.scale = ideal;
  trim_zeros (&quotient, MAX (ideal, 0));
  return number_give (vm, &quotient, ret);
}

/* What is left of a whole division; the sign is that of @a. */
static gboolean
modulo (NebulaVm *vm, Number *a, Number *b, NebulaCell *ret)
{
  g_auto (Number) rest = {.digits = g_string_new (NULL)};
  int scale = MAX (a->scale, b->scale);

  extend (a, scale);
  extend (b, scale);
  if (!_nebula_vm_burn (vm, a->digits->len * (b->digits->len + 8) / 64))
    return FALSE;
  for (gsize i = 0; i < a->digits->len; i++) {
    g_string_append_c (rest.digits, a->digits->str[i]);
    strip (&rest);
    take_off (&rest.digits, b->digits);
  }
  rest.scale = scale;
  rest.is_negative = a->is_negative;
  return number_give (vm, &rest, ret);
}

static gboolean
raise_to (NebulaVm *vm, const Number *base, gint64 exponent, NebulaCell *ret)
{
  g_auto (Number) power = {.digits = g_string_new ("1")};
  g_auto (Number) one = {.digits = g_string_new ("1")};
  gint64 times = exponent < 0 ? -exponent : exponent;

  if (times > 4 * DIGITS_MAX && base->digits->len > 0)
    return fail_digits (vm);
  for (; times > 0; times--) {
    Number product = {0};

    if (!burn_product (vm, &power, base) || !_nebula_vm_burn (vm, 1))
      return FALSE;
    multiply_into (&power, base, &product);
    number_clear (&power);
    power = product;
    if (power.digits->len > DIGITS_MAX)
      return fail_digits (vm);
    if (power.digits->len == 0)
      break;
  }
  return exponent < 0 ? divide (vm, &one, &power, ret) : number_give (vm, &power, ret);
}

static gboolean
fail_zero (NebulaVm *vm)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_DIVISION_BY_ZERO,
                          _ ("Test the divisor first: b == 0 ? … : a / b."),
                          _ ("This divides by zero"));
}

gboolean
_nebula_decimals_operate (NebulaVm *vm,
                          NebulaOp op,
                          const NebulaCell *left,
                          const NebulaCell *right,
                          NebulaCell *ret)
{
  g_auto (Number) a = {0};
  g_auto (Number) b = {0};
  Number product = {0};

  if (!number_load (vm, &a, left) || !number_load (vm, &b, right))
    return FALSE;
  if (op == NEBULA_OP_ADD || op == NEBULA_OP_SUBTRACT)
    return add (vm, &a, &b, op == NEBULA_OP_SUBTRACT, ret);
  if (op == NEBULA_OP_POWER) {
    if (right->tag != NEBULA_CELL_INTEGER)
      return _nebula_vm_fail (
          vm, NEBULA_ERROR_TYPE, _ ("Compute with float (x), which is not exact."),
          _ ("A decimal is raised to an integer only"));
    if (a.digits->len == 0 && right->as.integer < 0)
      return fail_zero (vm);
    return raise_to (vm, &a, right->as.integer, ret);
  }
  if (op == NEBULA_OP_MULTIPLY) {
    gboolean is_given;

    if (!burn_product (vm, &a, &b))
      return FALSE;
    multiply_into (&a, &b, &product);
    is_given = number_give (vm, &product, ret);
    number_clear (&product);
    return is_given;
  }
  if (b.digits->len == 0)
    return fail_zero (vm);
  return op == NEBULA_OP_DIVIDE ? divide (vm, &a, &b, ret) : modulo (vm, &a, &b, ret);
}

gboolean
_nebula_decimals_negate (NebulaVm *vm, const NebulaCell *cell, NebulaCell *ret)
{
  g_auto (Number) number = {0};

  if (!number_load (vm, &number, cell))
    return FALSE;
  number.is_negative = !number.is_negative && number.digits->len > 0;
  return number_give (vm, &number, ret);
}

int
_nebula_decimals_get_sign (const NebulaCell *cell)
{
  const char *text = nebula_value_get_string (cell->as.value);

  if (text[strcspn (text, "123456789eE")] < '1' ||
      text[strcspn (text, "123456789eE")] > '9')
    return 0;
  return *text == '-' ? -1 : 1;
}

/* Whether what is cut off raises the last digit that stays. */
static gboolean
goes_up (const Number *self, gsize kept, NebulaRounding rounding)
{
  const char *cut = self->digits->str + kept;
  gboolean is_more = cut[strspn (cut, "0")] != '\0';

  if (rounding == NEBULA_ROUNDING_FLOOR)
    return self->is_negative && is_more;
  if (rounding == NEBULA_ROUNDING_CEIL)
    return !self->is_negative && is_more;
  return rounding == NEBULA_ROUNDING_NEAREST && *cut >= '5';
}

static void
number_round (Number *self, int digits, NebulaRounding rounding)
{
  g_autoptr (GString) unit = g_string_new ("1");
  gsize cut;
  GString *up;
  gboolean is_up;

  if (self->scale <= digits)
    return;
  cut = (gsize) (self->scale - digits);
  if (cut > self->digits->len) {
    g_autofree char *zeros = g_strnfill (cut - self->digits->len, '0');

    g_string_prepend (self->digits, zeros);
  }
  is_up = goes_up (self, self->digits->len - cut, rounding);
  g_string_truncate (self->digits, self->digits->len - cut);
  self->scale = digits;
  if (!is_up)
    return;
  up = combine_digits (self->digits, unit, FALSE);
  g_string_free (self->digits, TRUE);
  self->digits = up;
}

gboolean
_nebula_decimals_round (NebulaVm *vm,
                        const NebulaCell *cell,
                        int digits,
                        NebulaRounding rounding,
                        NebulaCell *ret)
{
  g_auto (Number) number = {0};

  if (!number_load (vm, &number, cell))
    return FALSE;
  number_round (&number, digits, rounding);
  return number_give (vm, &number, ret);
}

gboolean
_nebula_decimals_to_integer (NebulaVm *vm,
                             const NebulaCell *cell,
                             NebulaRounding rounding,
                             NebulaCell *ret)
{
  g_auto (Number) number = {0};
  g_autofree char *text = NULL;
  gint64 integer;

  if (!number_load (vm, &number, cell))
    return FALSE;
  number_round (&number, 0, rounding);
  extend (&number, 0);
  strip (&number);
  text = number_write (&number);
  if (!g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
    return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                            _ ("The number does not fit into an integer of 64 bits"));
  *ret = _nebula_cell_integer (integer);
  return TRUE;
}

/* With just so many digits behind the point; NULL with an error. */
char *
_nebula_decimals_to_fixed (NebulaVm *vm, const NebulaCell *cell, int digits)
{
  g_auto (Number) number = {0};

  if (!number_load (vm, &number, cell))
    return NULL;
  number_round (&number, digits, NEBULA_ROUNDING_NEAREST);
  extend (&number, digits);
  strip (&number);
  return number_write (&number);
}
