/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compiler walks the tree once. What is constant is compiled, run at once and replaced by its value; where that
 * fails (1 / 0) the code stays, so that the error comes when and only when it is reached.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-compiler-private.h"
#include "nebula-expression-check-internal.h"

#define FOLD_FUEL  1000
#define FOLD_BYTES 4096

static void
clear_constant (gpointer cell)
{
  _nebula_cell_release (cell);
}

static void
compiler_init (NebulaCompiler *self, NebulaParser *parser)
{
  *self = (NebulaCompiler){.parser = parser, .line = 1, .column = 1};
  self->code = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->positions = g_array_new (FALSE, FALSE, sizeof (NebulaPosition));
  self->constants = g_array_new (FALSE, FALSE, sizeof (NebulaCell));
  g_array_set_clear_func (self->constants, clear_constant);
  self->externals = g_array_new (FALSE, FALSE, sizeof (NebulaExternal));
  self->reads = g_array_new (FALSE, FALSE, sizeof (NebulaReference));
  self->patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_pattern_free);
  self->paths = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_jsonpath_unref);
  self->queries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_jmespath_unref);
  self->functions = g_ptr_array_new ();
  self->strings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->external_index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->path_index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
compiler_clear (NebulaCompiler *self)
{
  g_clear_pointer (&self->code, g_array_unref);
  g_clear_pointer (&self->positions, g_array_unref);
  g_clear_pointer (&self->constants, g_array_unref);
  g_clear_pointer (&self->externals, g_array_unref);
  g_clear_pointer (&self->reads, g_array_unref);
  g_clear_pointer (&self->patterns, g_ptr_array_unref);
  g_clear_pointer (&self->paths, g_ptr_array_unref);
  g_clear_pointer (&self->queries, g_ptr_array_unref);
  g_clear_pointer (&self->functions, g_ptr_array_unref);
  g_clear_pointer (&self->strings, g_hash_table_unref);
  g_clear_pointer (&self->path_index, g_hash_table_unref);
  g_clear_pointer (&self->external_index, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaCompiler, compiler_clear)

void
_nebula_compiler_emit_word (NebulaCompiler *self, guint32 word, const NebulaSyntax *node)
{
  NebulaPosition position = {node->start, node->at};

  g_array_append_val (self->code, word);
  g_array_append_val (self->positions, position);
}

guint
_nebula_compiler_emit (NebulaCompiler *self,
                       NebulaOp op,
                       guint operand,
                       const NebulaSyntax *node)
{
  _nebula_compiler_emit_word (self, (guint32) op | operand << 8, node);
  return self->code->len - 1;
}

void
_nebula_compiler_patch (NebulaCompiler *self, guint word)
{
  guint32 *code = &g_array_index (self->code, guint32, word);

  *code = (*code & 0xff) | (self->code->len - word - 1) << 8;
}

guint
_nebula_compiler_add_constant (NebulaCompiler *self, const NebulaCell *cell)
{
  NebulaCell copy = *cell;

  copy.is_owned = FALSE;
  _nebula_cell_own (&copy);
  g_array_append_val (self->constants, copy);
  return self->constants->len - 1;
}

guint
_nebula_compiler_add_string (NebulaCompiler *self, const char *text)
{
  guint known = GPOINTER_TO_UINT (g_hash_table_lookup (self->strings, text));
  NebulaCell cell = {.tag = NEBULA_CELL_VALUE, .is_owned = TRUE};

  if (known > 0)
    return known - 1;
  cell.as.value = nebula_value_new_string (text);
  g_array_append_val (self->constants, cell);
  g_hash_table_insert (self->strings, g_strdup (text),
                       GUINT_TO_POINTER (self->constants->len));
  return self->constants->len - 1;
}

void
_nebula_compiler_push (NebulaCompiler *self, guint cells)
{
  self->depth += cells;
  self->max_depth = MAX (self->max_depth, self->depth);
}

int
_nebula_compiler_find_local (NebulaCompiler *self, const char *name)
{
  for (guint i = self->n_locals; i > 0; i--)
    if (strcmp (self->locals[i - 1], name) == 0)
      return (int) i - 1;
  return -1;
}

static gboolean
compile_literal (NebulaCompiler *self, NebulaSyntax *node)
{
  _nebula_compiler_emit (self, NEBULA_OP_CONSTANT,
                         _nebula_compiler_add_constant (self, &node->literal), node);
  _nebula_compiler_push (self, 1);
  return TRUE;
}

static gboolean
compile_binary (NebulaCompiler *self, NebulaSyntax *node)
{
  if (!_nebula_compiler_compile (self, node->a) ||
      !_nebula_compiler_compile (self, node->b))
    return FALSE;
  if (node->op == NEBULA_OP_MATCH && !_nebula_compiler_add_pattern (self, node->b, NULL))
    return FALSE;
  _nebula_compiler_emit (self, node->op, 0, node);
  self->depth--;
  return TRUE;
}

static gboolean
compile_unary (NebulaCompiler *self, NebulaSyntax *node)
{
  if (!_nebula_compiler_compile (self, node->a))
    return FALSE;
  _nebula_compiler_emit (self, node->op, 0, node);
  return TRUE;
}

static gboolean
compile_logic (NebulaCompiler *self, NebulaSyntax *node)
{
  NebulaOp op = node->kind == NEBULA_SYNTAX_AND ? NEBULA_OP_AND : NEBULA_OP_OR;
  guint jump;

  if (node->kind == NEBULA_SYNTAX_COALESCE)
    op = NEBULA_OP_COALESCE;
  if (!_nebula_compiler_compile (self, node->a))
    return FALSE;
  jump = _nebula_compiler_emit (self, op, 0, op == NEBULA_OP_COALESCE ? node : node->a);
  self->depth--;
  if (!_nebula_compiler_compile (self, node->b))
    return FALSE;
  if (op != NEBULA_OP_COALESCE)
    _nebula_compiler_emit (self, NEBULA_OP_CONDITION, 0, node->b);
  _nebula_compiler_patch (self, jump);
  return TRUE;
}

static gboolean
compile_choice (NebulaCompiler *self, NebulaSyntax *node)
{
  guint otherwise, end;

  if (!_nebula_compiler_compile (self, node->a))
    return FALSE;
  otherwise = _nebula_compiler_emit (self, NEBULA_OP_JUMP_IF_FALSE, 0, node->a);
  self->depth--;
  if (!_nebula_compiler_compile (self, node->b))
    return FALSE;
  end = _nebula_compiler_emit (self, NEBULA_OP_JUMP, 0, node);
  self->depth--;
  _nebula_compiler_patch (self, otherwise);
  if (!_nebula_compiler_compile (self, node->c))
    return FALSE;
  _nebula_compiler_patch (self, end);
  return TRUE;
}

static gboolean
compile_array (NebulaCompiler *self, NebulaSyntax *node)
{
  for (NebulaSyntax *item = node->first; item != NULL; item = item->next) {
    gboolean is_spread = item->kind == NEBULA_SYNTAX_SPREAD;

    if (!_nebula_compiler_compile (self, is_spread ? item->a : item))
      return FALSE;
    if (is_spread)
      _nebula_compiler_emit (self, NEBULA_OP_SPREAD, 0, item->a);
  }
  _nebula_compiler_emit (self, NEBULA_OP_ARRAY, node->count, node);
  self->depth -= node->count;
  _nebula_compiler_push (self, 1);
  return TRUE;
}

static gboolean
compile_object (NebulaCompiler *self, NebulaSyntax *node)
{
  for (NebulaSyntax *entry = node->first; entry != NULL; entry = entry->next) {
    gboolean is_spread = entry->kind == NEBULA_SYNTAX_SPREAD;

    if (is_spread) {
      _nebula_compiler_emit (self, NEBULA_OP_SPREAD_KEY, 0, entry->a);
      _nebula_compiler_push (self, 1);
    } else if (!_nebula_compiler_compile (self, entry->a)) {
      return FALSE;
    }
    if (!_nebula_compiler_compile (self, is_spread ? entry->a : entry->b))
      return FALSE;
  }
  _nebula_compiler_emit (self, NEBULA_OP_OBJECT, node->count, node);
  self->depth -= 2u * node->count;
  _nebula_compiler_push (self, 1);
  return TRUE;
}

static gboolean
compile_text (NebulaCompiler *self, NebulaSyntax *node)
{
  for (NebulaSyntax *part = node->first; part != NULL; part = part->next)
    if (!_nebula_compiler_compile (self, part))
      return FALSE;
  _nebula_compiler_emit (self, NEBULA_OP_TEXT, node->count, node);
  self->depth -= node->count;
  _nebula_compiler_push (self, 1);
  return TRUE;
}

static gboolean
compile_index (NebulaCompiler *self, NebulaSyntax *node)
{
  if (!_nebula_compiler_compile (self, node->a) ||
      !_nebula_compiler_compile (self, node->b))
    return FALSE;
  _nebula_compiler_emit (self, NEBULA_OP_INDEX, node->is_optional, node);
  self->depth--;
  return TRUE;
}

static gboolean
compile_slice (NebulaCompiler *self, NebulaSyntax *node)
{
  guint bits = (node->b != NULL ? 1u : 0) | (node->c != NULL ? 2u : 0) |
               (node->is_optional ? 4u : 0);

  if (!_nebula_compiler_compile (self, node->a) ||
      (node->b != NULL && !_nebula_compiler_compile (self, node->b)) ||
      (node->c != NULL && !_nebula_compiler_compile (self, node->c)))
    return FALSE;
  _nebula_compiler_emit (self, NEBULA_OP_SLICE, bits, node);
  self->depth -= (node->b != NULL ? 1u : 0) + (node->c != NULL ? 1u : 0);
  return TRUE;
}

static gboolean
compile_lambda (NebulaCompiler *self, NebulaSyntax *node)
{
  return _nebula_parser_fail (
      self->parser, NEBULA_ERROR_SYNTAX, node->at, NULL,
      _ ("A lambda stands only among the arguments of a function"));
}

typedef gboolean (*CompileFunction) (NebulaCompiler *self, NebulaSyntax *node);

static const CompileFunction compile_functions[] = {
    [NEBULA_SYNTAX_LITERAL] = compile_literal,
    [NEBULA_SYNTAX_NAME] = _nebula_compiler_compile_path,
    [NEBULA_SYNTAX_VARIABLE] = _nebula_compiler_compile_path,
    [NEBULA_SYNTAX_MEMBER] = _nebula_compiler_compile_path,
    [NEBULA_SYNTAX_INDEX] = compile_index,
    [NEBULA_SYNTAX_SLICE] = compile_slice,
    [NEBULA_SYNTAX_CALL] = _nebula_compiler_compile_call,
    [NEBULA_SYNTAX_METHOD] = _nebula_compiler_compile_call,
    [NEBULA_SYNTAX_UNARY] = compile_unary,
    [NEBULA_SYNTAX_BINARY] = compile_binary,
    [NEBULA_SYNTAX_AND] = compile_logic,
    [NEBULA_SYNTAX_OR] = compile_logic,
    [NEBULA_SYNTAX_COALESCE] = compile_logic,
    [NEBULA_SYNTAX_CHOICE] = compile_choice,
    [NEBULA_SYNTAX_ARRAY] = compile_array,
    [NEBULA_SYNTAX_OBJECT] = compile_object,
    [NEBULA_SYNTAX_ENTRY] = compile_lambda,
    [NEBULA_SYNTAX_SPREAD] = compile_lambda,
    [NEBULA_SYNTAX_LAMBDA] = compile_lambda,
    [NEBULA_SYNTAX_TEXT] = compile_text,
};

static gboolean
compile_node (NebulaCompiler *self, NebulaSyntax *node)
{
  gboolean is_path = node->kind == NEBULA_SYNTAX_INDEX &&
                     _nebula_cell_is (&node->b->literal, NEBULA_VALUE_KIND_STRING);
  gboolean is_node =
      node->kind == NEBULA_SYNTAX_INDEX && node->a->kind == NEBULA_SYNTAX_VARIABLE;

  if (is_path || is_node)
    return _nebula_compiler_compile_path (self, node);
  return compile_functions[node->kind](self, node);
}

/* Runs the code from @start, which needs no environment; FALSE if it has no value or a large one. */
static gboolean
run_constant (NebulaCompiler *self, guint start, NebulaCell *ret)
{
  NebulaCell frame[NEBULA_INLINE_CELLS];
  NebulaExpression program = {
      .text = (char *) self->parser->text,
      .code = (guint32 *) (gpointer) self->code->data,
      .positions = (NebulaPosition *) (gpointer) self->positions->data,
      .constants = (NebulaCell *) (gpointer) self->constants->data,
      .patterns = self->patterns,
      .paths = self->paths,
      .queries = self->queries,
      .functions = (const NebulaFunction **) self->functions->pdata,
      .n_code = self->code->len,
      .n_locals = self->max_locals,
      .n_stack = self->max_depth,
  };
  NebulaVm vm = {.program = &program,
                 .pc = start,
                 .fuel = FOLD_FUEL,
                 .limits = nebula_expression_limits_get ()};

  if (!_nebula_vm_start (&vm, frame, ret)) {
    g_clear_error (&vm.error);
    return FALSE;
  }
  if (ret->tag == NEBULA_CELL_VALUE &&
      nebula_value_get_size_bytes (ret->as.value) > FOLD_BYTES) {
    _nebula_cell_release (ret);
    return FALSE;
  }
  return TRUE;
}

static gboolean
compile_folded (NebulaCompiler *self, NebulaSyntax *node)
{
  guint start = self->code->len;
  NebulaCell result;
  gboolean is_done;

  self->can_fold = FALSE;
  is_done = compile_node (self, node);
  self->can_fold = TRUE;
  if (!is_done)
    return FALSE;
  _nebula_compiler_emit (self, NEBULA_OP_RETURN, 0, node);
  is_done = run_constant (self, start, &result);
  g_array_set_size (self->code, is_done ? start : self->code->len - 1);
  g_array_set_size (self->positions, self->code->len);
  if (!is_done)
    return TRUE;
  _nebula_compiler_emit (self, NEBULA_OP_CONSTANT,
                         _nebula_compiler_add_constant (self, &result), node);
  _nebula_cell_release (&result);
  return TRUE;
}

/* Code that leaves one more cell on the stack. */
gboolean
_nebula_compiler_compile (NebulaCompiler *self, NebulaSyntax *node)
{
  if (self->can_fold && node->is_constant && node->kind != NEBULA_SYNTAX_LITERAL &&
      node->kind != NEBULA_SYNTAX_LAMBDA)
    return compile_folded (self, node);
  return compile_node (self, node);
}

/* Takes what the compiler made; constants go with their references. */
static NebulaExpression *
make_program (NebulaCompiler *self, const char *text)
{
  NebulaExpression *program = g_new0 (NebulaExpression, 1);
  gsize length;

  g_atomic_ref_count_init (&program->references);
  program->text = g_strdup (text);
  program->n_locals = self->max_locals;
  program->n_stack = self->max_depth;
  program->code = g_array_steal (self->code, &length);
  program->n_code = (guint) length;
  program->hints = g_new0 (guint32, length);
  program->positions = g_array_steal (self->positions, NULL);
  program->constants = g_array_steal (self->constants, &length);
  program->n_constants = (guint) length;
  program->externals = g_array_steal (self->externals, &length);
  program->n_externals = (guint) length;
  program->reads = g_array_steal (self->reads, &length);
  program->n_reads = (guint) length;
  program->patterns = g_steal_pointer (&self->patterns);
  program->paths = g_steal_pointer (&self->paths);
  program->queries = g_steal_pointer (&self->queries);
  program->n_functions = self->functions->len;
  program->functions =
      (const NebulaFunction **) g_ptr_array_steal (self->functions, NULL);
  program->n_cached = self->n_cached;
  program->set = self->set != NULL ? nebula_function_set_ref (self->set) : NULL;
  if ((program->code[0] & 0xff) == NEBULA_OP_CONSTANT && program->n_code == 2)
    program->constant =
        _nebula_cell_ref_value (&program->constants[program->code[0] >> 8]);
  return program;
}

static gboolean
check_text (const char *text, gboolean is_template, GError **error)
{
  gsize length = strlen (text);
  gsize limit = nebula_expression_limits_get ()->characters;
  const char *end;

  if (length > NEBULA_LIMIT_STRING_BYTES ||
      (!is_template && length > limit &&
       (length > 4 * limit || (gsize) g_utf8_strlen (text, -1) > limit))) {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
        _ ("The expression is too long: at most %d characters are taken. Compute parts of it in other nodes."),
        is_template ? NEBULA_LIMIT_STRING_BYTES : (int) limit);
    return FALSE;
  }
  if (!g_utf8_validate (text, -1, &end)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
                 _ ("The expression is not valid UTF-8 at byte %zu. Save it as UTF-8."),
                 (gsize) (end - text));
    return FALSE;
  }
  return TRUE;
}

static NebulaExpression *
compile (const char *text,
         NebulaCompileFlags flags,
         NebulaFunctionSet *functions,
         gsize *ret_at,
         GError **error)
{
  g_auto (NebulaParser) parser = {0};
  g_auto (NebulaCompiler) compiler = {0};
  gboolean is_template = (flags & NEBULA_COMPILE_TEMPLATE) != 0;
  NebulaExpression *program;
  NebulaSyntax *tree;

  if (!check_text (text, is_template, error))
    return NULL;
  _nebula_parser_init (&parser, text, strlen (text));
  parser.functions = functions;
  compiler_init (&compiler, &parser);
  compiler.can_fold = (flags & NEBULA_COMPILE_NO_FOLDING) == 0;
  compiler.set = functions;
  tree = is_template ? _nebula_parser_parse_template (&parser)
                     : _nebula_parser_parse (&parser);
  if (tree == NULL || !_nebula_compiler_compile (&compiler, tree)) {
    *ret_at = parser.error_at;
    g_propagate_error (error, g_steal_pointer (&parser.error));
    return NULL;
  }
  _nebula_compiler_emit (&compiler, NEBULA_OP_RETURN, 0, tree);
  program = make_program (&compiler, text);
  program->is_template = is_template;
  return program;
}

NebulaExpression *
_nebula_expression_compile_with (const char *text,
                                 NebulaCompileFlags flags,
                                 NebulaFunctionSet *functions,
                                 GError **error)
{
  gsize at;

  return compile (text, flags, functions, &at, error);
}

gboolean
nebula_expression_find_error (const char *text,
                              gboolean is_template,
                              NebulaFunctionSet *functions,
                              guint *ret_line,
                              guint *ret_column)
{
  gsize at = G_MAXSIZE;
  g_autoptr (NebulaExpression) expression = NULL;

  expression = compile (text, is_template ? NEBULA_COMPILE_TEMPLATE : NEBULA_COMPILE_NONE,
                        functions, &at, NULL);
  if (expression != NULL || at == G_MAXSIZE)
    return FALSE;
  _nebula_problem_locate (text, MIN (at, strlen (text)), ret_line, ret_column);
  return TRUE;
}

NebulaExpression *
_nebula_expression_compile_full (const char *text,
                                 NebulaCompileFlags flags,
                                 GError **error)
{
  return _nebula_expression_compile_with (text, flags, NULL, error);
}
