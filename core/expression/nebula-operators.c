/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operators mean: arithmetic that is checked, order, conditions, text. */

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-decimals-private.h"

#define EXACT_IN_FLOAT (G_GINT64_CONSTANT (1) << 53)

gboolean
_nebula_cell_is_number (const NebulaCell *cell)
{
  return cell->tag == NEBULA_CELL_INTEGER || cell->tag == NEBULA_CELL_FLOAT ||
         _nebula_cell_is (cell, NEBULA_VALUE_KIND_DECIMAL);
}

double
_nebula_cell_to_double (const NebulaCell *cell)
{
  if (cell->tag == NEBULA_CELL_INTEGER)
    return (double) cell->as.integer;
  if (cell->tag == NEBULA_CELL_FLOAT)
    return cell->as.number;
  return nebula_value_get_float (cell->as.value);
}

static gboolean
fail_overflow (NebulaVm *vm)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                          _ ("The number leaves its range"));
}

static gboolean
fail_zero (NebulaVm *vm)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_DIVISION_BY_ZERO,
                          _ ("Test the divisor first: b == 0 ? … : a / b."),
                          _ ("This divides by zero"));
}

/* Neither NaN nor infinity is a value. */
gboolean
_nebula_vm_give_float (NebulaVm *vm, double number, NebulaCell *ret)
{
  if (!isfinite (number))
    return fail_overflow (vm);
  *ret = _nebula_cell_float (number);
  return TRUE;
}

static gboolean
power_integers (NebulaVm *vm, gint64 base, gint64 exponent, NebulaCell *ret)
{
  gint64 result = 1;

  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow (result, base, &result))
      return fail_overflow (vm);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow (base, base, &base))
      return fail_overflow (vm);
  }
  *ret = _nebula_cell_integer (result);
  return TRUE;
}

static gboolean
operate_integers (NebulaVm *vm, NebulaOp op, gint64 a, gint64 b, NebulaCell *ret)
{
  gint64 result = 0;
  gboolean is_over = FALSE;

  if (op == NEBULA_OP_ADD)
    is_over = __builtin_add_overflow (a, b, &result);
  else if (op == NEBULA_OP_SUBTRACT)
    is_over = __builtin_sub_overflow (a, b, &result);
  else if (op == NEBULA_OP_MULTIPLY)
    is_over = __builtin_mul_overflow (a, b, &result);
  else if (b == 0)
    return fail_zero (vm);
  else if (op == NEBULA_OP_DIVIDE)
    return _nebula_vm_give_float (vm, (double) a / (double) b, ret);
  else
    result = b == -1 ? 0 : a % b;
  if (is_over)
    return fail_overflow (vm);
  *ret = _nebula_cell_integer (result);
  return TRUE;
}

static gboolean
operate_floats (NebulaVm *vm, NebulaOp op, double a, double b, NebulaCell *ret)
{
  gboolean is_zero = fpclassify (b) == FP_ZERO;

  if (op == NEBULA_OP_ADD)
    return _nebula_vm_give_float (vm, a + b, ret);
  if (op == NEBULA_OP_SUBTRACT)
    return _nebula_vm_give_float (vm, a - b, ret);
  if (op == NEBULA_OP_MULTIPLY)
    return _nebula_vm_give_float (vm, a * b, ret);
  if (op == NEBULA_OP_POWER)
    return fpclassify (a) == FP_ZERO && b < 0
               ? fail_zero (vm)
               : _nebula_vm_give_float (vm, pow (a, b), ret);
  if (is_zero)
    return fail_zero (vm);
  return _nebula_vm_give_float (vm, op == NEBULA_OP_DIVIDE ? a / b : fmod (a, b), ret);
}

static gboolean
join_strings (NebulaVm *vm,
              const NebulaCell *left,
              const NebulaCell *right,
              NebulaCell *ret)
{
  gsize length_a, length_b;
  const char *a = _nebula_cell_get_string (left, &length_a);
  const char *b = _nebula_cell_get_string (right, &length_b);
  GString *text;

  if (!_nebula_vm_charge (vm, length_a + length_b))
    return FALSE;
  text = g_string_sized_new (length_a + length_b);
  g_string_append_len (text, a, (gssize) length_a);
  g_string_append_len (text, b, (gssize) length_b);
  return _nebula_vm_give_text (vm, text, ret);
}

static gboolean
join_arrays (NebulaVm *vm,
             const NebulaCell *left,
             const NebulaCell *right,
             NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  const NebulaCell *sides[] = {left, right};

  _nebula_collector_init (&collector, vm, FALSE);
  for (guint side = 0; side < 2; side++) {
    NebulaValue *array = sides[side]->as.value;
    gsize length = nebula_value_get_length (array);

    if (!_nebula_vm_burn (vm, length))
      return FALSE;
    for (gsize i = 0; i < length; i++)
      if (!_nebula_collector_add_value (&collector, nebula_value_get_item (array, i)))
        return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
move_timestamp (NebulaVm *vm,
                NebulaOp op,
                const NebulaCell *moment,
                const NebulaCell *duration,
                NebulaCell *ret)
{
  gint64 usec = nebula_value_get_usec (moment->as.value);
  gint64 by = nebula_value_get_usec (duration->as.value);

  if (op == NEBULA_OP_ADD ? __builtin_add_overflow (usec, by, &usec)
                          : __builtin_sub_overflow (usec, by, &usec))
    return fail_overflow (vm);
  return _nebula_vm_give (vm,
                          nebula_value_new_timestamp (
                              usec, nebula_value_get_offset_seconds (moment->as.value)),
                          ret);
}

static gboolean
give_duration (NebulaVm *vm, gint64 usec, NebulaCell *ret)
{
  return _nebula_vm_charge (vm, 32) &&
         _nebula_vm_give (vm, nebula_value_new_duration (usec), ret);
}

/* Sums and differences of durations, and a duration so many times. */
static gboolean
operate_durations (NebulaVm *vm,
                   NebulaOp op,
                   const NebulaCell *left,
                   const NebulaCell *right,
                   NebulaCell *ret)
{
  gint64 a = nebula_value_get_usec (left->as.value), b, usec;
  double number;

  if (_nebula_cell_is (right, NEBULA_VALUE_KIND_DURATION)) {
    b = nebula_value_get_usec (right->as.value);
    if (op == NEBULA_OP_DIVIDE)
      return b == 0 ? fail_zero (vm)
                    : _nebula_vm_give_float (vm, (double) a / (double) b, ret);
    if (op == NEBULA_OP_ADD ? __builtin_add_overflow (a, b, &usec)
                            : __builtin_sub_overflow (a, b, &usec))
      return fail_overflow (vm);
    return give_duration (vm, usec, ret);
  }
  if (op == NEBULA_OP_MULTIPLY && right->tag == NEBULA_CELL_INTEGER) {
    if (__builtin_mul_overflow (a, right->as.integer, &usec))
      return fail_overflow (vm);
    return give_duration (vm, usec, ret);
  }
  number = _nebula_cell_to_double (right);
  if (op == NEBULA_OP_DIVIDE && fpclassify (number) == FP_ZERO)
    return fail_zero (vm);
  number = op == NEBULA_OP_DIVIDE ? (double) a / number : (double) a * number;
  if (!(fabs (number) < 9.2e18))
    return fail_overflow (vm);
  return give_duration (vm, (gint64) round (number), ret);
}

/* Whether operate_durations () takes them. */
static gboolean
is_duration_work (NebulaOp op, NebulaValueKind a, const NebulaCell *right)
{
  if (a != NEBULA_VALUE_KIND_DURATION)
    return FALSE;
  if (_nebula_cell_is (right, NEBULA_VALUE_KIND_DURATION))
    return op == NEBULA_OP_ADD || op == NEBULA_OP_SUBTRACT || op == NEBULA_OP_DIVIDE;
  return _nebula_cell_is_number (right) &&
         (op == NEBULA_OP_MULTIPLY || op == NEBULA_OP_DIVIDE);
}

static const char *
get_mix_hint (NebulaVm *vm, const NebulaCell *left, const NebulaCell *right)
{
  gboolean is_text = _nebula_cell_is (left, NEBULA_VALUE_KIND_STRING) ||
                     _nebula_cell_is (right, NEBULA_VALUE_KIND_STRING);
  gboolean is_time = _nebula_cell_is (left, NEBULA_VALUE_KIND_TIMESTAMP) ||
                     _nebula_cell_is (right, NEBULA_VALUE_KIND_TIMESTAMP);

  if (left->tag == NEBULA_CELL_NULL || right->tag == NEBULA_CELL_NULL)
    return _ ("Give a default for null: a ?? 0.");
  if (is_time)
    return _ ("A timestamp moves by a duration: $now + duration (\"1h\").");
  if (is_text && (_nebula_cell_is_number (left) || _nebula_cell_is_number (right)))
    return _ (
        "Turn one into the other: string (x) or number (x), or write \"${a}${b}\".");
  if (is_text)
    return _ ("Turn it into text with string (x), or write \"${a}${b}\".");
  return NULL;
}

static gboolean
fail_operands (NebulaVm *vm, const NebulaCell *left, const NebulaCell *right)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, get_mix_hint (vm, left, right),
                          _ ("This operator does not take %s and %s"),
                          _nebula_cell_to_words (left), _nebula_cell_to_words (right));
}

static gboolean
operate_others (NebulaVm *vm,
                NebulaOp op,
                const NebulaCell *left,
                const NebulaCell *right,
                NebulaCell *ret)
{
  NebulaValueKind a = _nebula_cell_get_kind (left);
  NebulaValueKind b = _nebula_cell_get_kind (right);
  gint64 usec;

  if (op == NEBULA_OP_ADD && a == b && a == NEBULA_VALUE_KIND_STRING)
    return join_strings (vm, left, right, ret);
  if (op == NEBULA_OP_ADD && a == b && a == NEBULA_VALUE_KIND_ARRAY)
    return join_arrays (vm, left, right, ret);
  if ((op == NEBULA_OP_ADD || op == NEBULA_OP_SUBTRACT) &&
      a == NEBULA_VALUE_KIND_TIMESTAMP && b == NEBULA_VALUE_KIND_DURATION)
    return move_timestamp (vm, op, left, right, ret);
  if (op == NEBULA_OP_ADD && a == NEBULA_VALUE_KIND_DURATION &&
      b == NEBULA_VALUE_KIND_TIMESTAMP)
    return move_timestamp (vm, op, right, left, ret);
  if (op == NEBULA_OP_SUBTRACT && a == b && a == NEBULA_VALUE_KIND_TIMESTAMP) {
    if (__builtin_sub_overflow (nebula_value_get_usec (left->as.value),
                                nebula_value_get_usec (right->as.value), &usec))
      return fail_overflow (vm);
    return _nebula_vm_give (vm, nebula_value_new_duration (usec), ret);
  }
  if (is_duration_work (op, a, right))
    return operate_durations (vm, op, left, right, ret);
  if (op == NEBULA_OP_MULTIPLY && is_duration_work (op, b, left))
    return operate_durations (vm, op, right, left, ret);
  return fail_operands (vm, left, right);
}

static gboolean
operate_arithmetic (NebulaVm *vm,
                    NebulaOp op,
                    const NebulaCell *left,
                    const NebulaCell *right,
                    NebulaCell *ret)
{
  if (left->tag == NEBULA_CELL_INTEGER && right->tag == NEBULA_CELL_INTEGER) {
    if (op != NEBULA_OP_POWER)
      return operate_integers (vm, op, left->as.integer, right->as.integer, ret);
    if (left->as.integer >= 0 && right->as.integer >= 0)
      return power_integers (vm, left->as.integer, right->as.integer, ret);
  }
  if (!_nebula_cell_is_number (left) || !_nebula_cell_is_number (right))
    return operate_others (vm, op, left, right, ret);
  if (left->tag == NEBULA_CELL_VALUE || right->tag == NEBULA_CELL_VALUE)
    return _nebula_decimals_operate (vm, op, left, right, ret);
  return operate_floats (vm, op, _nebula_cell_to_double (left),
                         _nebula_cell_to_double (right), ret);
}

/* Whether the double of a number is the number. */
static gboolean
is_exact (const NebulaCell *cell)
{
  return cell->tag != NEBULA_CELL_INTEGER ||
         (cell->as.integer <= EXACT_IN_FLOAT && cell->as.integer >= -EXACT_IN_FLOAT);
}

static gboolean
compare_numbers (const NebulaCell *left, const NebulaCell *right, int *ret_order)
{
  double a, b;

  if (left->tag == NEBULA_CELL_INTEGER && right->tag == NEBULA_CELL_INTEGER) {
    *ret_order =
        (left->as.integer > right->as.integer) - (left->as.integer < right->as.integer);
    return TRUE;
  }
  if ((left->tag != NEBULA_CELL_INTEGER && left->tag != NEBULA_CELL_FLOAT) ||
      (right->tag != NEBULA_CELL_INTEGER && right->tag != NEBULA_CELL_FLOAT) ||
      !is_exact (left) || !is_exact (right))
    return FALSE;
  a = _nebula_cell_to_double (left);
  b = _nebula_cell_to_double (right);
  *ret_order = (a > b) - (a < b);
  return TRUE;
}

gboolean
_nebula_operate_compare (NebulaVm *vm,
                         const NebulaCell *left,
                         const NebulaCell *right,
                         int *ret_order)
{
  g_autoptr (NebulaValue) a = NULL;
  g_autoptr (NebulaValue) b = NULL;
  g_autoptr (GError) error = NULL;
  gint order;

  if (compare_numbers (left, right, ret_order))
    return TRUE;
  a = _nebula_cell_ref_value (left);
  b = _nebula_cell_ref_value (right);
  if (!nebula_value_compare (a, b, &order, &error))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, get_mix_hint (vm, left, right),
                            _ ("There is no order between %s and %s"),
                            _nebula_cell_to_words (left), _nebula_cell_to_words (right));
  *ret_order = order;
  return _nebula_vm_burn (vm, (nebula_value_get_size_bytes (a)) / 256);
}

static gboolean
operate_order (NebulaVm *vm,
               NebulaOp op,
               const NebulaCell *left,
               const NebulaCell *right,
               NebulaCell *ret)
{
  int order;
  gboolean is_true;

  if (!_nebula_operate_compare (vm, left, right, &order))
    return FALSE;
  if (op == NEBULA_OP_LESS)
    is_true = order < 0;
  else if (op == NEBULA_OP_GREATER)
    is_true = order > 0;
  else if (op == NEBULA_OP_LESS_EQUAL)
    is_true = order <= 0;
  else
    is_true = order >= 0;
  *ret = _nebula_cell_boolean (is_true);
  return TRUE;
}

static gboolean
contains_item (NebulaVm *vm, const NebulaCell *needle, NebulaValue *array, gboolean *ret)
{
  gsize length = nebula_value_get_length (array);

  *ret = FALSE;
  if (!_nebula_vm_burn (vm, length / 4))
    return FALSE;
  for (gsize i = 0; i < length && !*ret; i++) {
    NebulaCell item = _nebula_cell_borrow (nebula_value_get_item (array, i));

    *ret = _nebula_cell_equal (needle, &item);
  }
  return TRUE;
}

gboolean
_nebula_operate_contains (NebulaVm *vm,
                          const NebulaCell *needle,
                          const NebulaCell *haystack,
                          gboolean *ret)
{
  gboolean is_text = _nebula_cell_is (needle, NEBULA_VALUE_KIND_STRING);
  const char *part, *whole;
  gsize length, whole_length;

  if (_nebula_cell_is (haystack, NEBULA_VALUE_KIND_ARRAY))
    return contains_item (vm, needle, haystack->as.value, ret);
  if (!_nebula_cell_is (haystack, NEBULA_VALUE_KIND_OBJECT) &&
      !_nebula_cell_is (haystack, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_TYPE,
        haystack->tag == NEBULA_CELL_NULL ? _ ("Give a default for null: x in (a ?? []).")
                                          : NULL,
        _ ("Only an array, an object or text can contain something, not %s"),
        _nebula_cell_to_words (haystack));
  if (!is_text)
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_TYPE, _ ("Turn it into text with string (x)."),
        _ ("%s contains text only, not %s"), _nebula_cell_to_words (haystack),
        _nebula_cell_to_words (needle));
  part = _nebula_cell_get_string (needle, &length);
  if (_nebula_cell_is (haystack, NEBULA_VALUE_KIND_OBJECT)) {
    *ret = nebula_value_get_member_length (haystack->as.value, part, length) != NULL;
    return TRUE;
  }
  whole = _nebula_cell_get_string (haystack, &whole_length);
  *ret = memmem (whole, whole_length, part, length) != NULL;
  return _nebula_vm_burn (vm, whole_length / 64);
}

static gboolean
operate_match (NebulaVm *vm,
               const NebulaCell *left,
               const NebulaCell *right,
               NebulaCell *ret)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GMatchInfo) match = NULL;

  if (!_nebula_cell_is (left, NEBULA_VALUE_KIND_STRING) ||
      !_nebula_cell_is (right, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("“=~” takes text and a regular expression, not %s and %s"),
                            _nebula_cell_to_words (left), _nebula_cell_to_words (right));
  regex = _nebula_vm_ref_regex (vm, right, NULL);
  if (regex == NULL || !_nebula_vm_match (vm, regex, left, 0, &match))
    return FALSE;
  *ret = _nebula_cell_boolean (g_match_info_matches (match));
  return TRUE;
}

static gboolean
operate_equal (NebulaVm *vm,
               NebulaOp op,
               const NebulaCell *left,
               const NebulaCell *right,
               NebulaCell *ret)
{
  if (left->tag == NEBULA_CELL_VALUE && right->tag == NEBULA_CELL_VALUE &&
      !_nebula_vm_burn (vm, MIN (nebula_value_get_size_bytes (left->as.value),
                                 nebula_value_get_size_bytes (right->as.value)) /
                                256))
    return FALSE;
  *ret =
      _nebula_cell_boolean (_nebula_cell_equal (left, right) == (op == NEBULA_OP_EQUAL));
  return TRUE;
}

gboolean
_nebula_operate (NebulaVm *vm,
                 NebulaOp op,
                 NebulaCell *left,
                 NebulaCell *right,
                 NebulaCell *ret)
{
  gboolean is_true;

  if (op <= NEBULA_OP_POWER)
    return operate_arithmetic (vm, op, left, right, ret);
  if (op <= NEBULA_OP_NOT_EQUAL)
    return operate_equal (vm, op, left, right, ret);
  if (op <= NEBULA_OP_GREATER_EQUAL)
    return operate_order (vm, op, left, right, ret);
  if (op == NEBULA_OP_MATCH)
    return operate_match (vm, left, right, ret);
  if (!_nebula_operate_contains (vm, left, right, &is_true))
    return FALSE;
  *ret = _nebula_cell_boolean (is_true);
  return TRUE;
}

gboolean
_nebula_operate_negate (NebulaVm *vm, NebulaCell *cell)
{
  NebulaCell result;

  if (cell->tag == NEBULA_CELL_INTEGER) {
    if (cell->as.integer == G_MININT64)
      return fail_overflow (vm);
    cell->as.integer = -cell->as.integer;
    return TRUE;
  }
  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_DURATION)) {
    if (nebula_value_get_usec (cell->as.value) == G_MININT64)
      return fail_overflow (vm);
    result = _nebula_cell_from_value (
        nebula_value_new_duration (-nebula_value_get_usec (cell->as.value)));
    _nebula_cell_release (cell);
    *cell = result;
    return TRUE;
  }
  if (!_nebula_cell_is_number (cell))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("Only a number has a negative, not %s"),
                            _nebula_cell_to_words (cell));
  if (cell->tag == NEBULA_CELL_VALUE
          ? !_nebula_decimals_negate (vm, cell, &result)
          : !_nebula_vm_give_float (vm, -cell->as.number, &result))
    return FALSE;
  _nebula_cell_release (cell);
  *cell = result;
  return TRUE;
}

gboolean
_nebula_operate_condition (NebulaVm *vm, const NebulaCell *cell, gboolean *ret)
{
  if (cell->tag != NEBULA_CELL_BOOLEAN && cell->tag != NEBULA_CELL_NULL)
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_TYPE,
        _ ("Compare it with something, as in x != 0 or length (x) > 0."),
        _ ("A condition is a boolean, not %s"), _nebula_cell_to_words (cell));
  *ret = cell->tag == NEBULA_CELL_BOOLEAN && cell->as.boolean;
  return TRUE;
}

void
_nebula_cell_append_text (const NebulaCell *cell, GString *text)
{
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (NebulaValue) shown = NULL;
  g_autofree char *words = NULL;
  char digits[24];
  gsize length;
  const char *string;

  if (cell->tag == NEBULA_CELL_NULL)
    return;
  if (cell->tag == NEBULA_CELL_INTEGER) {
    g_snprintf (digits, sizeof digits, "%" G_GINT64_FORMAT, cell->as.integer);
    g_string_append (text, digits);
    return;
  }
  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING)) {
    string = _nebula_cell_get_string (cell, &length);
    g_string_append_len (text, string, (gssize) length);
    return;
  }
  value = _nebula_cell_ref_value (cell);
  shown = _nebula_value_hide_secrets (value);
  words = nebula_value_to_text (shown);
  g_string_append (text, words);
}

#define INTEGER_DIGITS 24
#define SHORT_TEXT     512 /* is put together without an allocation */

/* The digits from the end of @buffer; gives how many characters. */
static gsize
write_integer (gint64 integer, char buffer[INTEGER_DIGITS])
{
  guint64 rest = integer < 0 ? 0 - (guint64) integer : (guint64) integer;
  gsize length = 0;

  do
    buffer[INTEGER_DIGITS - ++length] = (char) ('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (integer < 0)
    buffer[INTEGER_DIGITS - ++length] = '-';
  return length;
}

/* What most templates are made of: text, integers and null, and short. FALSE: not here. */
static gboolean
join_short (const NebulaCell *parts, guint count, char *text, gsize *ret_length)
{
  gsize length = 0;

  for (guint i = 0; i < count; i++) {
    const NebulaCell *part = &parts[i];
    const NebulaText *string = (const NebulaText *) part->as.value;
    char digits[INTEGER_DIGITS];
    gsize size;

    if (part->tag == NEBULA_CELL_NULL)
      continue;
    if (part->tag == NEBULA_CELL_INTEGER) {
      size = write_integer (part->as.integer, digits);
    } else if (_nebula_cell_is (part, NEBULA_VALUE_KIND_STRING)) {
      size = string->length;
    } else {
      return FALSE;
    }
    if (size > SHORT_TEXT - length)
      return FALSE;
    if (part->tag == NEBULA_CELL_INTEGER)
      memmove (text + length, digits + INTEGER_DIGITS - size, size);
    else
      memmove (text + length, string->data, size);
    length += size;
  }
  *ret_length = length;
  return TRUE;
}

/* Joins the texts of the parts: what interpolation and templates do. */
gboolean
_nebula_operate_text (NebulaVm *vm, const NebulaCell *parts, guint count, NebulaCell *ret)
{
  char short_text[SHORT_TEXT];
  gsize length;
  GString *text;

  if (join_short (parts, count, short_text, &length))
    return _nebula_vm_charge (vm, length) &&
           _nebula_vm_give_string (vm, short_text, (gssize) length, ret);
  text = g_string_sized_new (64);
  for (guint i = 0; i < count; i++) {
    gsize before = text->len;

    _nebula_cell_append_text (&parts[i], text);
    if (!_nebula_vm_charge (vm, text->len - before)) {
      g_string_free (text, TRUE);
      return FALSE;
    }
  }
  return _nebula_vm_give_text (vm, text, ret);
}
