/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and what is read from them: $json.a.b, $nodes.id.result.a, $loop.each.item, x.total. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-compiler-private.h"

typedef struct {
  NebulaSyntax *base;
  GPtrArray *steps; /* of NebulaSyntax, in the order of the text */
  guint used;       /* steps that the base has taken */
} Path;

/* The key of a step, or NULL if it is computed. */
static const char *
get_key (const NebulaSyntax *step)
{
  gsize length;
  const char *key;

  if (step->kind == NEBULA_SYNTAX_MEMBER)
    return step->name;
  if (step->kind != NEBULA_SYNTAX_INDEX || step->b->kind != NEBULA_SYNTAX_LITERAL ||
      !_nebula_cell_is (&step->b->literal, NEBULA_VALUE_KIND_STRING))
    return NULL;
  key = _nebula_cell_get_string (&step->b->literal, &length);
  return strlen (key) == length ? key : NULL;
}

static void
collect (Path *path, NebulaSyntax *node)
{
  g_autoptr (GPtrArray) backwards = g_ptr_array_new ();

  while ((node->kind == NEBULA_SYNTAX_MEMBER || node->kind == NEBULA_SYNTAX_INDEX) &&
         get_key (node) != NULL) {
    g_ptr_array_add (backwards, node);
    node = node->a;
  }
  path->base = node;
  path->steps = g_ptr_array_new ();
  for (guint i = backwards->len; i > 0; i--)
    g_ptr_array_add (path->steps, g_ptr_array_index (backwards, i - 1));
}

/* Lines and columns are counted on from the last place: a long template has many. */
static void
locate (NebulaCompiler *self, guint32 at, guint *ret_line, guint *ret_column)
{
  const char *text = self->parser->text;

  if (at < self->located) {
    self->located = 0;
    self->line = self->column = 1;
  }
  for (const char *p = text + self->located; p < text + at; p = g_utf8_next_char (p)) {
    self->column = *p == '\n' ? 1 : self->column + 1;
    self->line += *p == '\n' ? 1 : 0;
  }
  self->located = at;
  *ret_line = self->line;
  *ret_column = self->column;
}

/* @id_at is the place of the id, or that of the name again. */
static void
add_read (NebulaCompiler *self,
          const NebulaExternal *external,
          guint32 at,
          guint32 id_at)
{
  NebulaReference read = {
      .name = external->name, .id = external->id, .field = external->field};

  locate (self, at, &read.line, &read.column);
  locate (self, id_at, &read.id_line, &read.id_column);
  g_array_append_val (self->reads, read);
}

/* Where the key of a step stands: a name, or what is in brackets. */
static guint32
get_key_place (const NebulaSyntax *step)
{
  return step->kind == NEBULA_SYNTAX_INDEX ? step->b->start : step->at;
}

static guint
add_external (NebulaCompiler *self, NebulaExternal external, const Path *path)
{
  guint32 at = path->base->at;
  guint32 id_at =
      external.id != NULL ? get_key_place (g_ptr_array_index (path->steps, 0)) : at;
  g_autofree char *key =
      g_strdup_printf ("%d %d %s\n%s\n%s", (int) external.kind, external.is_optional,
                       external.name, external.id != NULL ? external.id : "",
                       external.field != NULL ? external.field : "");
  guint known = GPOINTER_TO_UINT (g_hash_table_lookup (self->external_index, key));

  external.name = g_intern_string (external.name);
  external.id = g_intern_string (external.id);
  external.field = g_intern_string (external.field);
  add_read (self, &external, at, id_at);
  if (known > 0)
    return known - 1;
  g_array_append_val (self->externals, external);
  g_hash_table_insert (self->external_index, g_steal_pointer (&key),
                       GUINT_TO_POINTER (self->externals->len));
  return self->externals->len - 1;
}

static void
emit_keys (NebulaCompiler *self, const Path *path)
{
  for (guint i = path->used; i < path->steps->len; i++) {
    NebulaSyntax *step = g_ptr_array_index (path->steps, i);
    guint32 word = _nebula_compiler_add_string (self, get_key (step));

    _nebula_compiler_emit_word (
        self, word | (step->is_optional ? NEBULA_KEY_OPTIONAL : 0), step);
  }
}

/* The base is on the stack: read the rest of the path from it. */
static void
emit_members (NebulaCompiler *self, const Path *path, const NebulaSyntax *node)
{
  guint count = path->steps->len - path->used;

  if (count == 0)
    return;
  _nebula_compiler_emit (self, NEBULA_OP_MEMBERS, count, node);
  emit_keys (self, path);
}

/*
 * A path that stands in the program more than once is read once for each evaluation: the first place keeps its value in
 * a cell, which it gets only when a second place is found. Gives what stands above the count of keys.
 */
static guint32
share_path (NebulaCompiler *self, guint external, const Path *path)
{
  g_autoptr (GString) key = g_string_new (NULL);
  guint32 *first;
  guint known;

  g_string_append_printf (key, "%u", external);
  for (guint i = path->used; i < path->steps->len; i++) {
    NebulaSyntax *step = g_ptr_array_index (path->steps, i);

    g_string_append_printf (key, "%c%u", step->is_optional ? '?' : '.',
                            _nebula_compiler_add_string (self, get_key (step)));
  }
  known = GPOINTER_TO_UINT (g_hash_table_lookup (self->path_index, key->str));
  if (known == 0) {
    g_hash_table_insert (self->path_index, g_strdup (key->str),
                         GUINT_TO_POINTER (self->code->len + 1));
    return 0;
  }
  first = &g_array_index (self->code, guint32, known - 1);
  if (*first <= NEBULA_PATH_COUNT)
    *first |= ++self->n_cached << NEBULA_PATH_SLOT_SHIFT;
  return *first & ~NEBULA_PATH_COUNT;
}

/* A local or external and the members of it in one instruction. */
static void
emit_fused (NebulaCompiler *self,
            NebulaOp alone,
            NebulaOp fused,
            guint index,
            const Path *path)
{
  guint count = path->steps->len - path->used;

  _nebula_compiler_emit (self, count == 0 ? alone : fused, index, path->base);
  if (count > 0) {
    guint32 slot =
        fused == NEBULA_OP_EXTERNAL_MEMBERS ? share_path (self, index, path) : 0;

    _nebula_compiler_emit_word (self, count | slot, path->base);
    emit_keys (self, path);
  }
  _nebula_compiler_push (self, 1);
}

static const char *const node_fields[] = {
    [NEBULA_NODE_FIELD_RESULT] = "result",     [NEBULA_NODE_FIELD_STATUS] = "status",
    [NEBULA_NODE_FIELD_SUCCESS] = "success",   [NEBULA_NODE_FIELD_ERROR] = "error",
    [NEBULA_NODE_FIELD_ATTEMPTS] = "attempts", NULL,
};

/* The field that the next step names; all of the node if there is no step. */
static gboolean
take_field (NebulaCompiler *self, Path *path, guint *ret_field)
{
  NebulaSyntax *step;
  const char *key;

  *ret_field = NEBULA_NODE_FIELD_ALL;
  if (path->used == path->steps->len)
    return TRUE;
  step = g_ptr_array_index (path->steps, path->used++);
  key = get_key (step);
  for (guint i = 0; node_fields[i] != NULL; i++)
    if (strcmp (node_fields[i], key) == 0) {
      *ret_field = i;
      return TRUE;
    }
  return _nebula_parser_fail (
      self->parser, NEBULA_ERROR_UNKNOWN_NAME, step->at,
      _ ("A node has result, status, success, error and attempts."),
      _ ("A node has no “%s”"), key);
}

static gboolean
compile_node_path (NebulaCompiler *self, Path *path)
{
  NebulaSyntax *step = g_ptr_array_index (path->steps, 0);
  NebulaExternal external = {
      .kind = NEBULA_EXTERNAL_NODE, .name = "nodes", .id = get_key (step)};
  guint index;

  path->used = 1;
  if (!take_field (self, path, &external.node_field))
    return FALSE;
  external.field = external.node_field < NEBULA_NODE_FIELD_ALL
                       ? node_fields[external.node_field]
                       : NULL;
  external.is_optional = step->is_optional;
  index = add_external (self, external, path);
  emit_fused (self, NEBULA_OP_EXTERNAL, NEBULA_OP_EXTERNAL_MEMBERS, index, path);
  return TRUE;
}

/* `$nodes[expression].field`. */
static gboolean
compile_computed_node (NebulaCompiler *self, Path *path, NebulaSyntax *node)
{
  NebulaExternal external = {.name = "nodes"};
  guint field;

  if (!take_field (self, path, &field) || !_nebula_compiler_compile (self, path->base->b))
    return FALSE;
  external.name = g_intern_static_string ("nodes");
  external.field =
      field < NEBULA_NODE_FIELD_ALL ? g_intern_static_string (node_fields[field]) : NULL;
  add_read (self, &external, path->base->a->at, path->base->a->at);
  _nebula_compiler_emit (self, NEBULA_OP_NODE,
                         field | (path->base->is_optional ? 1u << 8 : 0), path->base);
  emit_members (self, path, node);
  return TRUE;
}

static gboolean
compile_loop (NebulaCompiler *self, Path *path)
{
  static const char *const fields[] = {"item", "index", "last", NULL};
  NebulaExternal external = {.kind = NEBULA_EXTERNAL_LOOP, .name = "loop"};
  guint index;

  if (path->steps->len < 2)
    return _nebula_parser_fail (self->parser, NEBULA_ERROR_SYNTAX, path->base->at,
                                _ ("Write $loop.<loop id>.item, .index or .last."),
                                _ ("This says nothing about a loop"));
  external.id = get_key (g_ptr_array_index (path->steps, 0));
  external.field = get_key (g_ptr_array_index (path->steps, 1));
  path->used = 2;
  if (!g_strv_contains (fields, external.field))
    return _nebula_parser_fail (self->parser, NEBULA_ERROR_UNKNOWN_NAME,
                                ((NebulaSyntax *) g_ptr_array_index (path->steps, 1))->at,
                                _ ("A loop has item, index and last."),
                                _ ("A loop has no “%s”"), external.field);
  index = add_external (self, external, path);
  emit_fused (self, NEBULA_OP_EXTERNAL, NEBULA_OP_EXTERNAL_MEMBERS, index, path);
  return TRUE;
}

static gboolean
compile_variable (NebulaCompiler *self, Path *path)
{
  NebulaExternal external = {.kind = NEBULA_EXTERNAL_VARIABLE, .name = path->base->name};
  guint index;

  if (strcmp (external.name, "nodes") == 0 && path->steps->len > 0)
    return compile_node_path (self, path);
  if (strcmp (external.name, "loop") == 0)
    return compile_loop (self, path);
  index = add_external (self, external, path);
  emit_fused (self, NEBULA_OP_EXTERNAL, NEBULA_OP_EXTERNAL_MEMBERS, index, path);
  return TRUE;
}

static gboolean
fail_unknown_name (NebulaCompiler *self, const NebulaSyntax *node)
{
  g_autofree char *hint = NULL;
  const char *nearest = NULL;
  guint best = G_MAXUINT;

  for (guint i = 0; i < self->n_locals; i++)
    if (_nebula_problem_is_near (node->name, self->locals[i], &best))
      nearest = self->locals[i];
  if (nearest != NULL)
    hint = g_strdup_printf (_ ("Did you mean “%s”?"), nearest);
  else if (_nebula_functions_find (node->name, self->set) != NULL)
    hint = g_strdup_printf (_ ("Call it with parentheses: %s ()."), node->name);
  else
    hint = g_strdup_printf (_ ("Write $%s for a variable, \"%s\" for text."), node->name,
                            node->name);
  return _nebula_parser_fail (self->parser, NEBULA_ERROR_UNKNOWN_NAME, node->at, hint,
                              _ ("There is no name “%s”"), node->name);
}

static gboolean
compile_base (NebulaCompiler *self, Path *path, NebulaSyntax *node)
{
  NebulaSyntax *base = path->base;
  int slot;

  if (base->kind == NEBULA_SYNTAX_VARIABLE)
    return compile_variable (self, path);
  if (base->kind == NEBULA_SYNTAX_INDEX && base->a->kind == NEBULA_SYNTAX_VARIABLE &&
      strcmp (base->a->name, "nodes") == 0)
    return compile_computed_node (self, path, node);
  if (base->kind == NEBULA_SYNTAX_NAME) {
    slot = _nebula_compiler_find_local (self, base->name);
    if (slot < 0)
      return fail_unknown_name (self, base);
    emit_fused (self, NEBULA_OP_LOCAL, NEBULA_OP_LOCAL_MEMBERS, (guint) slot, path);
    return TRUE;
  }
  if (path->steps->len == 0) {
    /* An index on a variable that is no path after all. */
    if (!_nebula_compiler_compile (self, base->a) ||
        !_nebula_compiler_compile (self, base->b))
      return FALSE;
    _nebula_compiler_emit (self, NEBULA_OP_INDEX, base->is_optional, base);
    self->depth--;
    return TRUE;
  }
  if (!_nebula_compiler_compile (self, base))
    return FALSE;
  emit_members (self, path, node);
  return TRUE;
}

gboolean
_nebula_compiler_compile_path (NebulaCompiler *self, NebulaSyntax *node)
{
  Path path = {0};
  gboolean is_done;

  collect (&path, node);
  is_done = compile_base (self, &path, node);
  g_ptr_array_unref (path.steps);
  return is_done;
}
