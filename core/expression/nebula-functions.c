/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All functions in one index, the check of their arguments, and the help. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

static const NebulaFunction *const tables[] = {
    _nebula_functions_array,    _nebula_functions_array_more, _nebula_functions_convert,
    _nebula_functions_encoding, _nebula_functions_jsonpath,   _nebula_functions_number,
    _nebula_functions_object,   _nebula_functions_regex,      _nebula_functions_string,
    _nebula_functions_time,
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

guint
_nebula_functions_find (const char *name)
{
  const Index *index = get_index ();
  guint found = GPOINTER_TO_UINT (g_hash_table_lookup (index->names, name));
  g_autofree char *snake = NULL;

  if (found == 0 && g_ascii_islower (name[0])) {
    snake = make_snake_case (name);
    found = GPOINTER_TO_UINT (g_hash_table_lookup (index->names, snake));
  }
  return found == 0 ? NEBULA_NO_FUNCTION : found - 1;
}

const NebulaFunction *
_nebula_functions_get (guint index)
{
  return g_ptr_array_index (get_index ()->functions, index);
}

const char *
_nebula_functions_suggest (const char *name)
{
  const Index *index = get_index ();
  const char *nearest = NULL;
  guint best = G_MAXUINT;

  for (guint i = 0; i < index->functions->len; i++) {
    const NebulaFunction *function = g_ptr_array_index (index->functions, i);

    if (_nebula_problem_is_near (name, function->name, &best))
      nearest = function->name;
  }
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

typedef struct {
  char letter;
  NebulaValueKind kind;
  const char *words;
} ArgumentKind;

static const ArgumentKind argument_kinds[] = {
    {'s', NEBULA_VALUE_KIND_STRING, N_ ("text")},
    {'g', NEBULA_VALUE_KIND_STRING, N_ ("text")},
    {'r', NEBULA_VALUE_KIND_STRING, N_ ("a regular expression as text")},
    {'p', NEBULA_VALUE_KIND_STRING, N_ ("a JSONPath as text")},
    {'i', NEBULA_VALUE_KIND_INTEGER, N_ ("an integer")},
    {'n', NEBULA_VALUE_KIND_NULL, N_ ("a number")},
    {'b', NEBULA_VALUE_KIND_BOOLEAN, N_ ("a boolean")},
    {'a', NEBULA_VALUE_KIND_ARRAY, N_ ("an array")},
    {'o', NEBULA_VALUE_KIND_OBJECT, N_ ("an object")},
    {'f', NEBULA_VALUE_KIND_STRING, N_ ("a lambda (x => …) or the key of a member")},
};

static gboolean
is_of_kind (const ArgumentKind *wanted, const NebulaCell *cell)
{
  if (wanted->letter == 'f' && cell->tag == NEBULA_CELL_LAMBDA)
    return TRUE;
  if (wanted->letter == 'n')
    return _nebula_cell_is_number (cell);
  return _nebula_cell_get_kind (cell) == wanted->kind;
}

static gboolean
check_argument (NebulaVm *vm,
                const NebulaFunction *self,
                const NebulaCell *cell,
                guint argument,
                char letter)
{
  const ArgumentKind *wanted = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (argument_kinds); i++)
    if (argument_kinds[i].letter == letter)
      wanted = &argument_kinds[i];
  if (wanted == NULL || is_of_kind (wanted, cell))
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
