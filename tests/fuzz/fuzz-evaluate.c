/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Evaluates programs that always compile: the bytes choose among the rules of a grammar, so that each input reaches the
 * machine and the functions. With and without the compiler's folding the outcome must be the same, never more fuel may be
 * used than there is, and what comes out must be a value that can be written.
 */
#include <string.h>

#include "fuzz.h"

#include "nebula-compile-private.h"
#include "nebula-error.h"
#include "nebula-expression.h"
#include "nebula-json.h"

#define FUEL  20000
#define DEPTH 7

static const char values[] =
    "{\"json\": {\"a\": 1, \"b\": 2.5, \"s\": \"text, more\", \"l\": [3, null, \"x\", {\"k\": true}], \"o\": {\"k\": [1]}, "
    "\"d\": \"2026-03-01T10:20:30Z\", \"t\": true}, \"now\": \"2026-03-01T10:20:30Z\"}";

/* What chooses: bytes from the front, then always 0, which is the shortest rule. */
typedef struct {
  const guint8 *data;
  gsize left;
  GString *text;
  guint n_locals;
} Writer;

static guint
pick (Writer *self, guint count)
{
  guint byte = 0;

  if (self->left > 0) {
    byte = *self->data++;
    self->left--;
  }
  return byte % count;
}

static void write_any (Writer *self, guint depth);

static const char *
pick_function (Writer *self)
{
  static char **lines;
  static guint n_lines;
  static GPtrArray *names;

  if (names == NULL) {
    lines = nebula_expression_list_functions ();
    n_lines = g_strv_length (lines);
    names = g_ptr_array_new ();
    for (guint i = 0; i < n_lines; i++)
      g_ptr_array_add (names, g_strndup (lines[i], strcspn (lines[i], "(")));
  }
  return g_ptr_array_index (names, (pick (self, 256) | pick (self, 256) << 8) % n_lines);
}

static void
write_leaf (Writer *self)
{
  static const char *const leaves[] = {
      "1",        "$json.a", "'ab'",     "null",   "true",   "$json.l", "$json.o", "2.5",
      "$json.s",  "[]",      "{}",       "-3",     "'é😀'",  "$now",    "0",       "$json",
      "$json.d",  "''",      "$json.t",  "'a,b'",  "[1, 2]", "1e300",   "100",     "'\\\\d+'",
      "9223372036854775807", "duration ('90m')", "decimal ('1.10')", "bytes ('xy')", "{k: 1, 'a b': 2}", "'%Y'", "'$.k'", "7"};

  if (self->n_locals > 0 && pick (self, 3) == 1)
    g_string_append_printf (self->text, "x%u", pick (self, self->n_locals));
  else
    g_string_append (self->text, leaves[pick (self, G_N_ELEMENTS (leaves))]);
}

/* An argument of a function: often a lambda, or the key or name that stands for one. */
static void
write_argument (Writer *self, guint depth)
{
  switch (pick (self, 6)) {
  case 1:
    g_string_append_printf (self->text, "(x%u, x%u) => ", self->n_locals, self->n_locals + 1);
    self->n_locals += 2;
    write_any (self, depth);
    self->n_locals -= 2;
    break;
  case 2:
    g_string_append_printf (self->text, "x%u => ", self->n_locals);
    self->n_locals++;
    write_any (self, depth);
    self->n_locals--;
    break;
  case 3:
    g_string_append (self->text, "'k'");
    break;
  default:
    write_any (self, depth);
  }
}

static void
write_call (Writer *self, guint depth)
{
  guint count = 1 + pick (self, 3);

  g_string_append_printf (self->text, "%s (", pick_function (self));
  write_any (self, depth);
  for (guint i = 1; i < count; i++) {
    g_string_append (self->text, ", ");
    write_argument (self, depth);
  }
  g_string_append (self->text, ")");
}

static void
write_pair (Writer *self, const char *before, const char *between, const char *after, guint depth)
{
  g_string_append (self->text, before);
  write_any (self, depth);
  g_string_append (self->text, between);
  write_any (self, depth);
  g_string_append (self->text, after);
}

static void
write_operation (Writer *self, guint depth)
{
  static const char *const operators[] = {" + ",  " - ", " * ", " / ",  " % ",  " ** ", " == ", " != ", " < ",
                                          " >= ", " && ", " || ", " ?? ", " in ", " =~ ", " <= "};

  write_pair (self, "(", operators[pick (self, G_N_ELEMENTS (operators))], ")", depth);
}

static void
write_any (Writer *self, guint depth)
{
  guint rule = depth == 0 ? 0 : pick (self, 14);

  if (depth > 0)
    depth--;
  switch (rule) {
  case 1:
  case 2:
  case 3:
  case 4:
    write_call (self, depth);
    break;
  case 5:
  case 6:
    write_operation (self, depth);
    break;
  case 7:
    write_pair (self, "[", ", ...", "]", depth);
    break;
  case 8:
    write_pair (self, "{a: ", ", ['k']: ", "}", depth);
    break;
  case 9:
    write_pair (self, "", "?[", "]", depth);
    break;
  case 10:
    write_pair (self, "(", ")[", ":]", depth);
    break;
  case 11:
    write_pair (self, "(true && ", " ? 1 : ", ")", depth);
    break;
  case 12:
    write_pair (self, "\"a${", "}b${", "}\"", depth);
    break;
  case 13:
    g_string_append (self->text, pick (self, 2) == 0 ? "-" : "!");
    write_any (self, depth);
    break;
  default:
    write_leaf (self);
  }
}

static NebulaValue *
get_variable (const NebulaEnvironment *environment, const char *name, GError **error)
{
  NebulaValue *value = nebula_value_get_member (environment->data, name);

  return value != NULL ? nebula_value_ref (value) : NULL;
}

static guint64
get_random (const NebulaEnvironment *environment, guint call_index)
{
  return (call_index + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
}

/* "JSON" or "! message"; NULL: it was the budget, which folding spares. */
static char *
run (const char *text, NebulaCompileFlags flags, NebulaValue *data)
{
  NebulaEnvironment environment = {.get_variable = get_variable, .get_random = get_random, .data = data, .fuel = FUEL};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaExpression) expression = _nebula_expression_compile_full (text, flags, &error);
  g_autoptr (NebulaValue) value = NULL;

  if (expression != NULL)
    value = nebula_expression_evaluate (expression, &environment, &error);
  g_assert_true ((value != NULL) == (error == NULL));
  g_assert_cmpuint (environment.fuel, <=, FUEL);
  if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED))
    return NULL;
  return value != NULL ? nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE) : g_strconcat ("! ", error->message, NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static NebulaValue *object;
  Writer writer = {data, size, g_string_new (NULL), 0};
  g_autofree char *folded = NULL;
  g_autofree char *plain = NULL;

  if (object == NULL)
    object = nebula_value_parse_json (values, -1, NEBULA_JSON_FLAGS_NONE, NULL);
  write_any (&writer, DEPTH);
  folded = run (writer.text->str, NEBULA_COMPILE_NONE, object);
  plain = run (writer.text->str, NEBULA_COMPILE_NO_FOLDING, object);
  if (folded != NULL && plain != NULL && g_strcmp0 (folded, plain) != 0)
    g_printerr ("%s\n  folded %s\n  plain  %s\n", writer.text->str, folded, plain);
  g_assert_true (folded == NULL || plain == NULL || g_strcmp0 (folded, plain) == 0);
  g_string_free (writer.text, TRUE);
  return 0;
}
