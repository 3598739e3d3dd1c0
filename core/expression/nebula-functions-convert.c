/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From one kind to another, and asking for the kind. */

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-decimals-private.h"
#include "nebula-json.h"

static gboolean
fail_convert (NebulaVm *vm, const NebulaCell *cell, const char *into)
{
  g_autofree char *text = NULL;

  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING)) {
    const char *start = _nebula_cell_get_string (cell, NULL);

    text = g_strndup (start, (gsize) (g_utf8_offset_to_pointer (
                                          start, MIN (40, g_utf8_strlen (start, -1))) -
                                      start));
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_DATA, NULL,
                            _ ("The text “%s” is not %s"), text, into);
  }
  return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL, _ ("%s cannot become %s"),
                          _nebula_cell_to_words (cell), into);
}

static gboolean
call_string (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  GString *text;

  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_STRING)) {
    *ret = arguments[0];
    ret->is_owned = FALSE;
    return TRUE;
  }
  if (arguments[0].tag == NEBULA_CELL_NULL)
    return _nebula_vm_give_string (vm, "null", -1, ret);
  text = g_string_new (NULL);
  _nebula_cell_append_text (arguments, text);
  return _nebula_vm_give_text (vm, text, ret);
}

/* A number written as in JSON, with blanks around it and perhaps a plus sign. */
static gboolean
read_number (const NebulaCell *cell, NebulaCell *ret)
{
  g_autofree char *text = g_strstrip (g_strdup (_nebula_cell_get_string (cell, NULL)));
  const char *digits = *text == '+' ? text + 1 : text;
  gint64 integer;
  double number;
  char *end;

  if (strlen (_nebula_cell_get_string (cell, NULL)) !=
          nebula_value_get_string_length (cell->as.value) ||
      !(g_ascii_isdigit (*digits) || *digits == '.' ||
        (*digits == '-' && digits == text)) ||
      strspn (digits, "0123456789.eE+-") != strlen (digits))
    return FALSE;
  if (g_ascii_string_to_signed (digits, 10, G_MININT64, G_MAXINT64, &integer, NULL)) {
    *ret = _nebula_cell_integer (integer);
    return TRUE;
  }
  number = g_ascii_strtod (digits, &end);
  if (*end != '\0' || end == digits || !isfinite (number))
    return FALSE;
  *ret = _nebula_cell_float (number);
  return TRUE;
}

static gboolean
to_number (NebulaVm *vm, const NebulaCell *cell, NebulaCell *ret)
{
  if (_nebula_cell_is_number (cell)) {
    *ret = *cell;
    ret->is_owned = FALSE;
    return TRUE;
  }
  if (cell->tag == NEBULA_CELL_BOOLEAN) {
    *ret = _nebula_cell_integer (cell->as.boolean ? 1 : 0);
    return TRUE;
  }
  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING) && read_number (cell, ret))
    return TRUE;
  return fail_convert (vm, cell, _ ("a number"));
}

static gboolean
call_number (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return to_number (vm, arguments, ret);
}

static gboolean
call_float (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return to_number (vm, arguments, ret) &&
         _nebula_vm_give_float (vm, _nebula_cell_to_double (ret), ret);
}

static gboolean
call_int (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  double number;

  if (!to_number (vm, arguments, ret))
    return FALSE;
  if (ret->tag == NEBULA_CELL_INTEGER)
    return TRUE;
  if (ret->tag == NEBULA_CELL_VALUE)
    return _nebula_decimals_to_integer (vm, arguments, NEBULA_ROUNDING_CUT, ret);
  number = trunc (_nebula_cell_to_double (ret));
  if (!(number >= -9223372036854775808.0 && number < 9223372036854775808.0))
    return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                            _ ("The number does not fit into an integer of 64 bits"));
  *ret = _nebula_cell_integer ((gint64) number);
  return TRUE;
}

static gboolean
call_boolean (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  static const char *const yes[] = {"true", "yes", "on", "1", NULL};
  static const char *const no[] = {"false", "no", "off", "0", "", NULL};
  g_autofree char *text = NULL;

  if (arguments[0].tag == NEBULA_CELL_BOOLEAN || arguments[0].tag == NEBULA_CELL_NULL) {
    *ret = _nebula_cell_boolean (arguments[0].tag == NEBULA_CELL_BOOLEAN &&
                                 arguments[0].as.boolean);
    return TRUE;
  }
  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_DECIMAL)) {
    *ret = _nebula_cell_boolean (_nebula_decimals_get_sign (arguments) != 0);
    return TRUE;
  }
  if (_nebula_cell_is_number (arguments)) {
    *ret =
        _nebula_cell_boolean (fpclassify (_nebula_cell_to_double (arguments)) != FP_ZERO);
    return TRUE;
  }
  if (!_nebula_cell_is (arguments, NEBULA_VALUE_KIND_STRING))
    return fail_convert (vm, arguments, _ ("a boolean"));
  text = g_ascii_strdown (_nebula_cell_get_string (arguments, NULL), -1);
  g_strstrip (text);
  if (!g_strv_contains (yes, text) && !g_strv_contains (no, text))
    return fail_convert (vm, arguments, _ ("a boolean"));
  *ret = _nebula_cell_boolean (g_strv_contains (yes, text));
  return TRUE;
}

static gboolean
call_decimal (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  NebulaValue *value;

  _nebula_cell_append_text (arguments, text);
  value = nebula_value_new_decimal (text->str, &error);
  if (value == NULL)
    return fail_convert (vm, arguments, _ ("a decimal"));
  return _nebula_vm_charge (vm, text->len) && _nebula_vm_give (vm, value, ret);
}

static gboolean
call_array (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_ARRAY)) {
    *ret = arguments[0];
    ret->is_owned = FALSE;
    return TRUE;
  }
  _nebula_collector_init (&collector, vm, FALSE);
  if (arguments[0].tag != NEBULA_CELL_NULL &&
      !_nebula_collector_add (&collector, &arguments[0]))
    return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_bytes (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GBytes) bytes = NULL;
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);

  bytes = g_bytes_new (text, length);
  return _nebula_vm_charge (vm, length) &&
         _nebula_vm_give (vm, nebula_value_new_bytes (bytes), ret);
}

static gboolean
call_from_json (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  NebulaValue *value;

  if (!_nebula_vm_burn (vm, length / 16) || !_nebula_vm_charge (vm, length))
    return FALSE;
  value = nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_NONE, &error);
  if (value == NULL)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_DATA, NULL,
                            _ ("This is not JSON: %s"), error->message);
  if (!_nebula_vm_charge (vm, nebula_value_get_size_bytes (value))) {
    nebula_value_unref (value);
    return FALSE;
  }
  return _nebula_vm_give (vm, value, ret);
}

static gboolean
call_to_json (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (NebulaValue) given = _nebula_cell_ref_value (arguments);
  g_autoptr (NebulaValue) value = _nebula_value_hide_secrets (given);
  gboolean is_pretty = count > 1 && arguments[1].as.boolean;
  GString *text;

  if (!_nebula_vm_burn (vm, nebula_value_get_size_bytes (value) / 32) ||
      !_nebula_vm_charge (vm, nebula_value_get_size_bytes (value)))
    return FALSE;
  text = g_string_new (NULL);
  nebula_value_append_json (
      value, is_pretty ? NEBULA_JSON_FLAGS_PRETTY : NEBULA_JSON_FLAGS_NONE, text);
  if (is_pretty && text->len > 0 && text->str[text->len - 1] == '\n')
    g_string_truncate (text, text->len - 1);
  return _nebula_vm_give_text (vm, text, ret);
}

static gboolean
call_type_of (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_give_string (
      vm, nebula_value_kind_to_string (_nebula_cell_get_kind (arguments)), -1, ret);
}

#define DEFINE_IS(name, condition)                                                       \
  static gboolean call_is_##name (NebulaVm *vm, NebulaCell *arguments, guint count,      \
                                  NebulaCell *ret)                                       \
  {                                                                                      \
    NebulaValueKind kind = _nebula_cell_get_kind (arguments);                            \
    *ret = _nebula_cell_boolean (condition);                                             \
    return TRUE;                                                                         \
  }

DEFINE_IS (null, kind == NEBULA_VALUE_KIND_NULL)
DEFINE_IS (boolean, kind == NEBULA_VALUE_KIND_BOOLEAN)
DEFINE_IS (integer, kind == NEBULA_VALUE_KIND_INTEGER)
DEFINE_IS (number, kind >= NEBULA_VALUE_KIND_INTEGER && kind <= NEBULA_VALUE_KIND_DECIMAL)
DEFINE_IS (string, kind == NEBULA_VALUE_KIND_STRING)
DEFINE_IS (array, kind == NEBULA_VALUE_KIND_ARRAY)
DEFINE_IS (object, kind == NEBULA_VALUE_KIND_OBJECT)
DEFINE_IS (timestamp, kind == NEBULA_VALUE_KIND_TIMESTAMP)

static gboolean
is_numeric (const NebulaCell *cell)
{
  NebulaCell number;

  return _nebula_cell_is_number (cell) ||
         (_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING) &&
          read_number (cell, &number));
}

static gboolean
call_is_numeric (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_boolean (is_numeric (arguments));
  return TRUE;
}

static gboolean
call_coalesce (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_null ();
  for (guint i = 0; i < count && ret->tag == NEBULA_CELL_NULL; i++)
    *ret = arguments[i];
  ret->is_owned = FALSE;
  return TRUE;
}

/* The fallback also for what is there but empty. */
static gboolean
call_if_empty (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gboolean is_empty = arguments[0].tag == NEBULA_CELL_NULL;

  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_STRING))
    is_empty = nebula_value_get_string_length (arguments[0].as.value) == 0;
  else if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_ARRAY) ||
           _nebula_cell_is (arguments, NEBULA_VALUE_KIND_OBJECT))
    is_empty = nebula_value_get_length (arguments[0].as.value) == 0;
  *ret = arguments[is_empty ? 1 : 0];
  ret->is_owned = FALSE;
  return TRUE;
}

/* English: box → boxes, city → cities, day → days. */
static char *
make_plural (const char *word)
{
  gsize length = strlen (word);
  char last = length > 0 ? word[length - 1] : '\0';
  char before = length > 1 ? word[length - 2] : '\0';

  if (last == 'y' && before != '\0' && strchr ("aeiou", before) == NULL) {
    g_autofree char *stem = g_strndup (word, length - 1);

    return g_strconcat (stem, "ies", NULL);
  }
  if (last == 's' || last == 'x' || last == 'z' ||
      (last == 'h' && (before == 'c' || before == 's')))
    return g_strconcat (word, "es", NULL);
  return g_strconcat (word, length > 0 ? "s" : "", NULL);
}

static gboolean
call_pluralize (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  const char *one = _nebula_cell_get_string (&arguments[1], NULL);
  g_autofree char *many = NULL;
  NebulaCell unit = _nebula_cell_integer (1);
  int order = 0;

  if (!_nebula_operate_compare (vm, &arguments[0], &unit, &order))
    return FALSE;
  if (order == 0)
    return _nebula_vm_give_string (vm, one, -1, ret);
  if (count > 2)
    return _nebula_vm_give_string (vm, _nebula_cell_get_string (&arguments[2], NULL), -1,
                                   ret);
  many = make_plural (one);
  return _nebula_vm_give_string (vm, many, -1, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_convert[] = {
  { "array", "to_array", "v", "a", "value", N_("an array: as it is, with one item, or empty for null"), call_array, 1, 1 },
  { "boolean", "bool to_boolean", "v", "b", "value", N_("true for true, yes, on, 1 and numbers but zero"), call_boolean, 1, 1 },
  { "bytes", "to_bytes", "s", "y", "text", N_("the bytes of a text in UTF-8"), call_bytes, 1, 1 },
  { "coalesce", "default first_not_null", "v", "v", "value…", N_("the first argument that is not null"), call_coalesce, 1, NEBULA_ARITY_ANY },
  { "decimal", "to_decimal", "v", "m", "value", N_("a decimal number, kept digit by digit"), call_decimal, 1, 1 },
  { "float", "to_float", "v", "x", "value", N_("a float out of a number, a text or a boolean"), call_float, 1, 1 },
  { "from_json", "parse_json json_parse json_decode", "s", "v", "text", N_("the value of a JSON text"), call_from_json, 1, 1 },
  { "if_empty", "default_if_empty", "v", "v", "value, fallback", N_("the fallback if the value is null or empty"), call_if_empty, 2, 2 },
  { "int", "integer to_int to_integer", "v", "i", "value", N_("an integer, cut towards zero"), call_int, 1, 1 },
  { "is_array", NULL, "v", "b", "value", N_("whether it is an array"), call_is_array, 1, 1 },
  { "is_boolean", NULL, "v", "b", "value", N_("whether it is a boolean"), call_is_boolean, 1, 1 },
  { "is_integer", NULL, "v", "b", "value", N_("whether it is an integer"), call_is_integer, 1, 1 },
  { "is_null", NULL, "v", "b", "value", N_("whether it is null"), call_is_null, 1, 1 },
  { "is_number", NULL, "v", "b", "value", N_("whether it is an integer, a float or a decimal"), call_is_number, 1, 1 },
  { "is_numeric", NULL, "v", "b", "value", N_("whether it is a number or a text that says one"), call_is_numeric, 1, 1 },
  { "is_object", NULL, "v", "b", "value", N_("whether it is an object"), call_is_object, 1, 1 },
  { "is_string", "is_text", "v", "b", "value", N_("whether it is text"), call_is_string, 1, 1 },
  { "is_timestamp", NULL, "v", "b", "value", N_("whether it is a timestamp"), call_is_timestamp, 1, 1 },
  { "number", "to_number", "v", "n", "value", N_("a number out of a text or a boolean"), call_number, 1, 1 },
  { "pluralize", "plural", "nss", "s", "count, one, many?", N_("the word for one or for many; English if many is not given"), call_pluralize, 2, 3 },
  { "string", "to_string str", "v", "s", "value", N_("text; containers as JSON"), call_string, 1, 1 },
  { "to_json", "json json_stringify json_encode stringify", "vb", "s", "value, pretty?", N_("the value as JSON text"), call_to_json, 1, 2 },
  { "type_of", "type typeof", "v", "s", "value", N_("the name of the kind of a value"), call_type_of, 1, 1 },
  { NULL },
};
/* clang-format on */
