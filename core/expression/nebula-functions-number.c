/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions on numbers. */

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-decimals-private.h"

#define INTEGER_EDGE 9223372036854775808.0 /* 2⁶³ */

static gboolean
give_whole (NebulaVm *vm, double number, NebulaCell *ret)
{
  if (!(number >= -INTEGER_EDGE && number < INTEGER_EDGE))
    return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                            _ ("The number does not fit into an integer of 64 bits"));
  *ret = _nebula_cell_integer ((gint64) number);
  return TRUE;
}

static gboolean
round_with (NebulaVm *vm,
            const NebulaCell *cell,
            double (*function) (double),
            NebulaRounding rounding,
            NebulaCell *ret)
{
  if (cell->tag == NEBULA_CELL_VALUE)
    return _nebula_decimals_to_integer (vm, cell, rounding, ret);
  if (cell->tag == NEBULA_CELL_INTEGER) {
    *ret = *cell;
    return TRUE;
  }
  return give_whole (vm, function (_nebula_cell_to_double (cell)), ret);
}

static gboolean
call_ceil (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return round_with (vm, arguments, ceil, NEBULA_ROUNDING_CEIL, ret);
}

static gboolean
call_floor (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return round_with (vm, arguments, floor, NEBULA_ROUNDING_FLOOR, ret);
}

static gboolean
call_trunc (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return round_with (vm, arguments, trunc, NEBULA_ROUNDING_CUT, ret);
}

/* Text with so many digits after the point, read back: what people mean by rounding 1.005. */
static double
round_digits (double number, int digits)
{
  double scale = pow (10, digits);
  double scaled = number * scale;

  if (!isfinite (scaled) || fabs (scaled) > 1e15)
    return number;
  /* A nudge by one unit in the last place, so that 1.005, stored as 1.00499…, goes up. */
  return round (nextafter (scaled, copysign ((double) INFINITY, scaled))) / scale;
}

static gboolean
call_round (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 digits = count > 1 ? arguments[1].as.integer : 0;

  if (digits < -15 || digits > 15)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("Rounding takes -15 to 15 digits"));
  if (count == 1)
    return round_with (vm, arguments, round, NEBULA_ROUNDING_NEAREST, ret);
  if (arguments[0].tag == NEBULA_CELL_VALUE)
    return _nebula_decimals_round (vm, arguments, (int) digits, NEBULA_ROUNDING_NEAREST,
                                   ret);
  if (arguments[0].tag == NEBULA_CELL_INTEGER && digits >= 0) {
    *ret = arguments[0];
    return TRUE;
  }
  if (digits <= 0)
    return give_whole (
        vm,
        round (_nebula_cell_to_double (arguments) / pow (10, (double) -digits)) *
            pow (10, (double) -digits),
        ret);
  return _nebula_vm_give_float (
      vm, round_digits (_nebula_cell_to_double (arguments), (int) digits), ret);
}

static gboolean
call_abs (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaCell number = arguments[0];

  number.is_owned = FALSE;
  if (_nebula_cell_to_double (&number) < 0 && !_nebula_operate_negate (vm, &number))
    return FALSE;
  *ret = number;
  return TRUE;
}

static gboolean
call_sign (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  double number;

  if (arguments[0].tag == NEBULA_CELL_VALUE) {
    *ret = _nebula_cell_integer (_nebula_decimals_get_sign (arguments));
    return TRUE;
  }
  number = _nebula_cell_to_double (arguments);
  *ret = _nebula_cell_integer ((number > 0) - (number < 0));
  return TRUE;
}

static gboolean
call_sqrt (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_give_float (vm, sqrt (_nebula_cell_to_double (arguments)), ret);
}

static gboolean
call_exp (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_give_float (vm, exp (_nebula_cell_to_double (arguments)), ret);
}

static gboolean
call_log (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  double number = log (_nebula_cell_to_double (arguments));

  return _nebula_vm_give_float (
      vm, count > 1 ? number / log (_nebula_cell_to_double (&arguments[1])) : number,
      ret);
}

static gboolean
call_log10 (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_give_float (vm, log10 (_nebula_cell_to_double (arguments)), ret);
}

static gboolean
call_log2 (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_give_float (vm, log2 (_nebula_cell_to_double (arguments)), ret);
}

static gboolean
call_sin (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_give_float (vm, sin (_nebula_cell_to_double (arguments)), ret);
}

static gboolean
call_cos (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_give_float (vm, cos (_nebula_cell_to_double (arguments)), ret);
}

static gboolean
call_pi (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_float (G_PI);
  return TRUE;
}

static gboolean
call_pow (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_operate (vm, NEBULA_OP_POWER, &arguments[0], &arguments[1], ret);
}

static gboolean
call_mod (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_operate (vm, NEBULA_OP_MODULO, &arguments[0], &arguments[1], ret);
}

static gboolean
call_div (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaCell quotient;
  gint64 a, b;

  if (arguments[0].tag == NEBULA_CELL_VALUE || arguments[1].tag == NEBULA_CELL_VALUE) {
    gboolean is_done =
        _nebula_operate (vm, NEBULA_OP_DIVIDE, &arguments[0], &arguments[1], &quotient);

    if (is_done) {
      is_done = _nebula_decimals_to_integer (vm, &quotient, NEBULA_ROUNDING_CUT, ret);
      _nebula_cell_release (&quotient);
    }
    return is_done;
  }
  if (arguments[0].tag != NEBULA_CELL_INTEGER || arguments[1].tag != NEBULA_CELL_INTEGER)
    return _nebula_operate (vm, NEBULA_OP_DIVIDE, &arguments[0], &arguments[1],
                            &quotient) &&
           give_whole (vm, trunc (quotient.as.number), ret);
  a = arguments[0].as.integer;
  b = arguments[1].as.integer;
  if (b == 0)
    return _nebula_operate (vm, NEBULA_OP_DIVIDE, &arguments[0], &arguments[1], ret);
  if (a == G_MININT64 && b == -1)
    return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                            _ ("The number leaves its range"));
  *ret = _nebula_cell_integer (a / b);
  return TRUE;
}

/* The least or greatest of the arguments, or of the items of one array; null if there is none. */
static gboolean
choose (NebulaVm *vm, const NebulaCell *arguments, guint count, int sign, NebulaCell *ret)
{
  gboolean is_list = count == 1 && _nebula_cell_is (arguments, NEBULA_VALUE_KIND_ARRAY);
  gsize length = is_list ? nebula_value_get_length (arguments[0].as.value) : count;
  NebulaCell best = _nebula_cell_null ();

  if (!_nebula_vm_burn (vm, length))
    return FALSE;
  for (gsize i = 0; i < length; i++) {
    NebulaCell item =
        is_list ? _nebula_cell_borrow (nebula_value_get_item (arguments[0].as.value, i))
                : arguments[i];
    int order = 0;

    item.is_owned = FALSE;
    if (!_nebula_operate_compare (vm, &item, i == 0 ? &item : &best, &order))
      return FALSE;
    if (i == 0 || order * sign < 0)
      best = item;
  }
  *ret = best;
  return TRUE;
}

static gboolean
call_min (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return choose (vm, arguments, count, 1, ret);
}

static gboolean
call_max (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return choose (vm, arguments, count, -1, ret);
}

static gboolean
call_clamp (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  int order;

  if (!_nebula_operate_compare (vm, &arguments[1], &arguments[2], &order))
    return FALSE;
  if (order > 0)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("The lower bound is above the upper one"));
  *ret = arguments[0];
  if (!_nebula_operate_compare (vm, &arguments[0], &arguments[1], &order))
    return FALSE;
  if (order < 0)
    *ret = arguments[1];
  if (!_nebula_operate_compare (vm, &arguments[0], &arguments[2], &order))
    return FALSE;
  if (order > 0)
    *ret = arguments[2];
  ret->is_owned = FALSE;
  return TRUE;
}

static gboolean
call_is_even (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_boolean (arguments[0].as.integer % 2 == 0);
  return TRUE;
}

static gboolean
call_is_odd (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_boolean (arguments[0].as.integer % 2 != 0);
  return TRUE;
}

static gboolean
call_bit_and (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_integer (arguments[0].as.integer & arguments[1].as.integer);
  return TRUE;
}

static gboolean
call_bit_or (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_integer (arguments[0].as.integer | arguments[1].as.integer);
  return TRUE;
}

static gboolean
call_bit_xor (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_integer (arguments[0].as.integer ^ arguments[1].as.integer);
  return TRUE;
}

static gboolean
shift (NebulaVm *vm, const NebulaCell *arguments, gboolean is_left, NebulaCell *ret)
{
  gint64 by = arguments[1].as.integer;
  gint64 result;

  if (by < 0 || by > 63)
    return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                            _ ("An integer is shifted by 0 to 63 bits"));
  if (!is_left)
    result = arguments[0].as.integer >> by;
  else if (arguments[0].as.integer != 0 &&
           (by == 63 || __builtin_mul_overflow (arguments[0].as.integer,
                                                G_GINT64_CONSTANT (1) << by, &result)))
    return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                            _ ("The number leaves its range"));
  else if (arguments[0].as.integer == 0)
    result = 0;
  *ret = _nebula_cell_integer (result);
  return TRUE;
}

static gboolean
call_shift_left (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return shift (vm, arguments, TRUE, ret);
}

static gboolean
call_shift_right (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return shift (vm, arguments, FALSE, ret);
}

static gboolean
call_random (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret =
      _nebula_cell_float ((double) (_nebula_vm_random (vm) >> 11) / 9007199254740992.0);
  return TRUE;
}

static gboolean
call_random_int (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 low = arguments[0].as.integer;
  guint64 span;

  if (arguments[1].as.integer < low)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("The lower bound is above the upper one"));
  span = (guint64) arguments[1].as.integer - (guint64) low + 1;
  *ret = _nebula_cell_integer (
      (gint64) ((guint64) low +
                (span == 0 ? _nebula_vm_random (vm) : _nebula_vm_random (vm) % span)));
  return TRUE;
}

/* Fixed digits, never in the language of the process. */
static char *
format_fixed (double number, int digits)
{
  char buffer[400];
  char format[8];

  g_snprintf (format, sizeof format, "%%.%df", digits);
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, format, number));
}

static gboolean
take_digits (NebulaVm *vm,
             const NebulaCell *arguments,
             guint count,
             int fallback,
             int *ret)
{
  gint64 digits = count > 1 ? arguments[1].as.integer : fallback;

  if (digits < 0 || digits > 20)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("A number is written with 0 to 20 digits"));
  *ret = (int) digits;
  return TRUE;
}

/* NULL with an error. */
static char *
write_fixed (NebulaVm *vm, const NebulaCell *number, int digits)
{
  if (number->tag == NEBULA_CELL_VALUE)
    return _nebula_decimals_to_fixed (vm, number, digits);
  return format_fixed (round_digits (_nebula_cell_to_double (number), MIN (digits, 15)),
                       digits);
}

static gboolean
call_to_fixed (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autofree char *text = NULL;
  int digits = 0;

  if (!take_digits (vm, arguments, count, 0, &digits))
    return FALSE;
  text = write_fixed (vm, arguments, digits);
  return text != NULL && _nebula_vm_give_string (vm, text, -1, ret);
}

static gboolean
call_format_number (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  const char *separator = count > 2 ? _nebula_cell_get_string (&arguments[2], NULL) : ",";
  const char *point = count > 3 ? _nebula_cell_get_string (&arguments[3], NULL) : ".";
  g_autofree char *text = NULL;
  GString *result;
  const char *p;
  gsize whole;
  int digits = 0;

  if (!take_digits (vm, arguments, count, arguments[0].tag == NEBULA_CELL_INTEGER ? 0 : 2,
                    &digits))
    return FALSE;
  if (arguments[0].tag == NEBULA_CELL_INTEGER && digits == 0)
    text = g_strdup_printf ("%" G_GINT64_FORMAT, arguments[0].as.integer);
  else
    text = write_fixed (vm, arguments, digits);
  if (text == NULL)
    return FALSE;
  result = g_string_new (*text == '-' ? "-" : "");
  p = *text == '-' ? text + 1 : text;
  for (whole = strcspn (p, "."); whole > 0; whole--, p++) {
    g_string_append_c (result, *p);
    if (whole > 1 && whole % 3 == 1)
      g_string_append (result, separator);
  }
  if (*p == '.')
    g_string_append_printf (result, "%s%s", point, p + 1);
  return _nebula_vm_give_text (vm, result, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_number[] = {
  { "abs", NULL, "n", "n", "number", N_("without its sign"), call_abs, 1, 1 },
  { "bit_and", NULL, "i", "i", "a, b", N_("bits that both have"), call_bit_and, 2, 2 },
  { "bit_or", NULL, "i", "i", "a, b", N_("bits that either has"), call_bit_or, 2, 2 },
  { "bit_xor", NULL, "i", "i", "a, b", N_("bits that just one has"), call_bit_xor, 2, 2 },
  { "ceil", "ceiling", "n", "i", "number", N_("the integer at or above"), call_ceil, 1, 1 },
  { "clamp", NULL, "n", "n", "number, low, high", N_("the number, kept within bounds"), call_clamp, 3, 3 },
  { "cos", NULL, "n", "x", "number", N_("cosine of radians"), call_cos, 1, 1 },
  { "div", NULL, "n", "i", "a, b", N_("the quotient as an integer, cut towards zero"), call_div, 2, 2 },
  { "exp", NULL, "n", "x", "number", N_("e to this power"), call_exp, 1, 1 },
  { "floor", NULL, "n", "i", "number", N_("the integer at or below"), call_floor, 1, 1 },
  { "format_number", "number_format", "niss", "s", "number, digits?, separator?, point?", N_("text such as 1,234.50"), call_format_number, 1, 4 },
  { "is_even", NULL, "i", "b", "integer", N_("whether two divides it"), call_is_even, 1, 1 },
  { "is_odd", NULL, "i", "b", "integer", N_("whether two does not divide it"), call_is_odd, 1, 1 },
  { "log", "ln", "n", "x", "number, base?", N_("logarithm, natural without a base"), call_log, 1, 2 },
  { "log10", NULL, "n", "x", "number", N_("logarithm to base ten"), call_log10, 1, 1 },
  { "log2", NULL, "n", "x", "number", N_("logarithm to base two"), call_log2, 1, 1 },
  { "max", NULL, "v", "v", "a, b…", N_("the greatest argument, or item of one array"), call_max, 1, NEBULA_ARITY_ANY },
  { "min", NULL, "v", "v", "a, b…", N_("the least argument, or item of one array"), call_min, 1, NEBULA_ARITY_ANY },
  { "mod", "modulo", "n", "n", "a, b", N_("the rest of a division, with the sign of a"), call_mod, 2, 2 },
  { "pi", NULL, "", "x", "", N_("the number pi"), call_pi, 0, 0 },
  { "pow", "power", "n", "n", "base, exponent", N_("base to the power of exponent"), call_pow, 2, 2 },
  { "random", "rand", "", "x", "", N_("a float from 0 to below 1, the same when it is computed again"), call_random, 0, 0, 0, NEBULA_FUNCTION_IMPURE },
  { "random_int", "random_integer", "i", "i", "low, high", N_("an integer within bounds"), call_random_int, 2, 2, 0, NEBULA_FUNCTION_IMPURE },
  { "round", NULL, "ni", "n", "number, digits?", N_("the nearest integer, or so many digits; halves go away from zero"), call_round, 1, 2 },
  { "shift_left", NULL, "i", "i", "integer, bits", N_("bits moved left, by 0 to 63"), call_shift_left, 2, 2 },
  { "shift_right", NULL, "i", "i", "integer, bits", N_("bits moved right with the sign, by 0 to 63"), call_shift_right, 2, 2 },
  { "sign", NULL, "n", "i", "number", N_("-1, 0 or 1"), call_sign, 1, 1 },
  { "sin", NULL, "n", "x", "number", N_("sine of radians"), call_sin, 1, 1 },
  { "sqrt", "square_root", "n", "x", "number", N_("square root"), call_sqrt, 1, 1 },
  { "to_fixed", NULL, "ni", "s", "number, digits?", N_("text with just so many digits after the point"), call_to_fixed, 1, 2 },
  { "trunc", NULL, "n", "i", "number", N_("the integer towards zero"), call_trunc, 1, 1 },
  { NULL },
};
/* clang-format on */
