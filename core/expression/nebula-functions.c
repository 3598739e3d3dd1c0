/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All functions in one index, the check of their arguments, and the help. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

static const NebulaFunction *const tables[] = {
    _nebula_functions_array,    _nebula_functions_array_more, _nebula_functions_convert,
    _nebula_functions_csv,      _nebula_functions_encoding,   _nebula_functions_jmespath,
    _nebula_functions_jsonpath, _nebula_functions_number,     _nebula_functions_object,
    _nebula_functions_regex,    _nebula_functions_string,     _nebula_functions_time,
    _nebula_functions_valid,    _nebula_functions_rules,
};

typedef struct {
  GPtrArray *functions; /* of NebulaFunction, sorted by name */
  GHashTable *names;    /* name or alias → index + 1 */
} Index;

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const NebulaFunction *left = *(const NebulaFunction *const *) a;
  const NebulaFunction *right = *(const NebulaFunction *const *) b;

  return strcmp (left->name, right->name);
}

static void
add_names (Index *self, guint index)
{
  const NebulaFunction *function = g_ptr_array_index (self->functions, index);
  g_auto (GStrv) aliases =
      function->aliases != NULL ? g_strsplit (function->aliases, " ", -1) : NULL;

  g_hash_table_insert (self->names, g_strdup (function->name),
                       GUINT_TO_POINTER (index + 1));
  for (guint i = 0; aliases != NULL && aliases[i] != NULL; i++)
    if (!g_hash_table_contains (self->names, aliases[i]))
      g_hash_table_insert (self->names, g_strdup (aliases[i]),
                           GUINT_TO_POINTER (index + 1));
}

/* Made once and never changed, so any thread may read it. */
static const Index *
get_index (void)
{
  static gsize ready = 0;
  static Index index;

  if (g_once_init_enter (&ready)) {
    index.functions = g_ptr_array_new ();
    index.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
      for (const NebulaFunction *function = tables[i]; function->name != NULL; function++)
        g_ptr_array_add (index.functions, (gpointer) function);
    g_ptr_array_sort (index.functions, compare_names);
    for (guint i = 0; i < index.functions->len; i++)
      add_names (&index, i);
    g_once_init_leave (&ready, 1);
  }
  return &index;
}

/* `sortBy` is `sort_by`. */
static char *
make_snake_case (const char *name)
{
  GString *snake = g_string_new (NULL);

  for (const char *p = name; *p != '\0'; p++) {
    if (g_ascii_isupper (*p) && p > name)
      g_string_append_c (snake, '_');
    g_string_append_c (snake, g_ascii_tolower (*p));
  }
  return g_string_free (snake, FALSE);
}

static const NebulaFunction *
find_own (const Index *index, const char *name)
{
  guint found = GPOINTER_TO_UINT (g_hash_table_lookup (index->names, name));
  g_autofree char *snake = NULL;

  if (found == 0 && g_ascii_islower (name[0])) {
    snake = make_snake_case (name);
    found = GPOINTER_TO_UINT (g_hash_table_lookup (index->names, snake));
  }
  return found == 0 ? NULL : g_ptr_array_index (index->functions, found - 1);
}

const NebulaFunction *
_nebula_functions_find (const char *name, NebulaFunctionSet *set)
{
  const NebulaFunction *function = find_own (get_index (), name);
  g_autofree char *snake = NULL;

  if (function == NULL)
    function = _nebula_function_set_find (set, name);
  if (function == NULL && set != NULL && g_ascii_islower (name[0])) {
    snake = make_snake_case (name);
    function = _nebula_function_set_find (set, snake);
  }
  return function;
}

guint
_nebula_functions_count (void)
{
  return get_index ()->functions->len;
}

const NebulaFunction *
_nebula_functions_get (guint index)
{
  return g_ptr_array_index (get_index ()->functions, index);
}

const char *
_nebula_functions_suggest (const char *name, NebulaFunctionSet *set)
{
  const Index *index = get_index ();
  const NebulaFunction *function;
  const char *nearest = NULL;
  guint best = G_MAXUINT;

  for (guint i = 0; i < index->functions->len; i++) {
    function = g_ptr_array_index (index->functions, i);
    if (_nebula_problem_is_near (name, function->name, &best))
      nearest = function->name;
  }
  for (guint i = 0; (function = _nebula_function_set_get (set, i)) != NULL; i++)
    if (_nebula_problem_is_near (name, function->name, &best))
      nearest = function->name;
  return nearest;
}

char
_nebula_function_get_kind (const NebulaFunction *self, guint argument)
{
  gsize length = strlen (self->kinds);

  if (length == 0)
    return 'v';
  return self->kinds[MIN (argument, length - 1)];
}

#define BIT(kind)   (1u << NEBULA_VALUE_KIND_##kind)
#define BITS_NUMBER (BIT (INTEGER) | BIT (FLOAT) | BIT (DECIMAL))
#define BITS_TEXT   BIT (STRING)

typedef struct {
  char letter;
  gboolean is_checked; /* here, before the call; else the function itself does */
  guint32 kinds;
  const char *words;
} Letter;

static const Letter letters[] = {
    {'s', TRUE, BITS_TEXT, N_ ("text")},
    {'g', TRUE, BITS_TEXT, N_ ("text")},
    {'r', TRUE, BITS_TEXT, N_ ("a regular expression as text")},
    {'p', TRUE, BITS_TEXT, N_ ("a JSONPath as text")},
    {'q', TRUE, BITS_TEXT, N_ ("a JMESPath query as text")},
    {'i', TRUE, BIT (INTEGER), N_ ("an integer")},
    {'n', TRUE, BITS_NUMBER, N_ ("a number")},
    {'b', TRUE, BIT (BOOLEAN), N_ ("a boolean")},
    {'a', TRUE, BIT (ARRAY), N_ ("an array")},
    {'o', TRUE, BIT (OBJECT), N_ ("an object")},
    {'f', TRUE, BITS_TEXT | NEBULA_KINDS_LAMBDA,
     N_ ("a lambda (x => …) or the key of a member")},
    {'l', FALSE, BIT (ARRAY) | BITS_TEXT | BIT (BYTES), NULL},
    {'w', FALSE, BIT (ARRAY) | BIT (OBJECT), NULL},
    {'t', FALSE, BIT (TIMESTAMP) | BIT (DATE) | BITS_TEXT, NULL},
    {'y', FALSE, BITS_TEXT | BIT (BYTES), NULL},
    {'v', FALSE, NEBULA_KINDS_ANY, NULL},
};

static const struct {
  char letter;
  guint32 kinds;
} result_letters[] = {
    {'x', BIT (FLOAT)},     {'m', BIT (DECIMAL)},  {'y', BIT (BYTES)},
    {'t', BIT (TIMESTAMP)}, {'D', BIT (DATE)},     {'d', BIT (DURATION)},
    {'z', BIT (NULL)},      {'1', NEBULA_KINDS_ANY},
};

/* Of a result: what a letter means as an argument where it does not mean something else here. */
guint32
_nebula_kinds_from_letters (const char *text)
{
  guint32 kinds = 0;

  for (const char *p = text; *p != '\0'; p++) {
    guint32 found = 0;

    for (guint i = 0; i < G_N_ELEMENTS (letters); i++)
      if (letters[i].letter == *p)
        found = letters[i].kinds;
    for (guint i = 0; i < G_N_ELEMENTS (result_letters); i++)
      if (result_letters[i].letter == *p)
        found = result_letters[i].kinds;
    kinds |= found;
  }
  return kinds;
}

static const Letter *
find_letter (char letter)
{
  for (guint i = 0; i < G_N_ELEMENTS (letters); i++)
    if (letters[i].letter == letter)
      return &letters[i];
  return NULL;
}

guint32
_nebula_function_get_argument_kinds (const NebulaFunction *self, guint argument)
{
  const Letter *letter;

  if (self->foreign != NULL)
    return _nebula_foreign_get_argument_kinds (self->foreign, argument);
  letter = find_letter (_nebula_function_get_kind (self, argument));
  return letter != NULL ? letter->kinds : NEBULA_KINDS_ANY;
}

guint32
_nebula_function_get_result_kinds (const NebulaFunction *self)
{
  return self->foreign != NULL ? _nebula_foreign_get_result_kinds (self->foreign)
                               : _nebula_kinds_from_letters (self->result);
}

char *
_nebula_kinds_to_words (guint32 kinds)
{
  GString *words = g_string_new (NULL);

  if ((kinds & NEBULA_KINDS_ANY) == NEBULA_KINDS_ANY)
    g_string_append (words, _ ("anything"));
  else if ((kinds & BITS_NUMBER) == BITS_NUMBER) {
    g_string_append (words, _ ("a number"));
    kinds &= ~BITS_NUMBER;
  }
  for (guint i = 0; i <= NEBULA_VALUE_KIND_REFERENCE; i++) {
    if (!(kinds & 1u << i) || (kinds & NEBULA_KINDS_ANY) == NEBULA_KINDS_ANY)
      continue;
    if (words->len > 0)
      /* TRANSLATORS: between two kinds of values, as in “text or an array”. */
      g_string_append (words, _ (" or "));
    g_string_append (words, _nebula_kind_to_words ((NebulaValueKind) i));
  }
  if (kinds & NEBULA_KINDS_LAMBDA)
    g_string_append_printf (words, "%s%s", words->len > 0 ? _ (" or ") : "",
                            _ ("a lambda"));
  return g_string_free (words, FALSE);
}

static gboolean
is_of_kind (const Letter *wanted, const NebulaCell *cell)
{
  if (cell->tag == NEBULA_CELL_LAMBDA)
    return (wanted->kinds & NEBULA_KINDS_LAMBDA) != 0;
  return (wanted->kinds & 1u << _nebula_cell_get_kind (cell)) != 0;
}

static gboolean
check_argument (NebulaVm *vm,
                const NebulaFunction *self,
                const NebulaCell *cell,
                guint argument,
                char letter)
{
  const Letter *wanted = find_letter (letter);

  if (wanted == NULL || !wanted->is_checked || is_of_kind (wanted, cell))
    return TRUE;
  return _nebula_vm_fail (
      vm, NEBULA_ERROR_TYPE,
      cell->tag == NEBULA_CELL_NULL ? _ ("Give a default for null with “??”.") : NULL,
      _ ("“%s” takes %s as argument %u, not %s"), self->name, _ (wanted->words),
      argument + 1, _nebula_cell_to_words (cell));
}

gboolean
_nebula_function_call (NebulaVm *vm,
                       const NebulaFunction *self,
                       NebulaCell *arguments,
                       guint count,
                       NebulaCell *ret)
{
  const char *kind = self->kinds;

  if (G_UNLIKELY (self->foreign != NULL))
    return _nebula_foreign_run (vm, self, arguments, count, ret);
  for (guint i = 0; i < count; i++) {
    if (*kind != 'v' && *kind != '\0' &&
        !check_argument (vm, self, &arguments[i], i, *kind))
      return FALSE;
    if (*kind != '\0' && kind[1] != '\0')
      kind++;
  }
  return self->call (vm, arguments, count, ret);
}

/**
 * nebula_expression_list_functions:
 *
 * Lists the functions that expressions may call, sorted by name, one string for each: `name(a, b?) — description`.
 *
 * The descriptions are in the language of the process.
 *
 * Thread: any.
 *
 * Returns: (transfer full) (array zero-terminated=1): the lines
 *
 * Since: 1.0
 */
char **
nebula_expression_list_functions (void)
{
  const Index *index = get_index ();
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();

  for (guint i = 0; i < index->functions->len; i++) {
    const NebulaFunction *function = g_ptr_array_index (index->functions, i);
    g_autofree char *line = g_strdup_printf (
        "%s(%s) — %s", function->name, function->signature, _ (function->description));

    g_strv_builder_add (lines, line);
  }
  return g_strv_builder_end (lines);
}
