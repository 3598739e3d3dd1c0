/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stack machine. Each instruction has a handler; a handler that gives FALSE ends the run, with an error or (return)
 * without. Lambdas run in the same machine, above the cells of the function that calls them, and leave their value on
 * the stack.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

#define COPIED_BYTES 64 /* of a text that is a result */

static inline NebulaCell *
get_top (NebulaVm *vm)
{
  return &vm->stack[vm->depth - 1];
}

static inline guint32
take_word (NebulaVm *vm)
{
  return vm->program->code[vm->pc++];
}

static void
drop (NebulaVm *vm, gsize count)
{
  while (count-- > 0)
    _nebula_cell_release (&vm->stack[--vm->depth]);
}

static gboolean
run_return (NebulaVm *vm, guint operand)
{
  return FALSE;
}

static gboolean
run_constant (NebulaVm *vm, guint operand)
{
  NebulaCell cell = vm->program->constants[operand];

  cell.is_owned = FALSE;
  cell.is_shared = TRUE;
  _nebula_vm_push (vm, cell);
  return TRUE;
}

static gboolean
run_local (NebulaVm *vm, guint operand)
{
  NebulaCell cell = vm->locals[operand];

  cell.is_owned = FALSE;
  _nebula_vm_push (vm, cell);
  return TRUE;
}

static gboolean
run_external (NebulaVm *vm, guint operand)
{
  NebulaCell *external = _nebula_vm_external (vm, operand);
  NebulaCell cell;

  if (external == NULL)
    return FALSE;
  cell = *external;
  cell.is_owned = FALSE;
  _nebula_vm_push (vm, cell);
  return TRUE;
}

static gboolean
run_members (NebulaVm *vm, guint operand)
{
  return _nebula_vm_members (vm, get_top (vm), operand);
}

static gboolean
run_local_members (NebulaVm *vm, guint operand)
{
  guint32 count = take_word (vm);

  return run_local (vm, operand) && _nebula_vm_members (vm, get_top (vm), count);
}

static gboolean
run_external_members (NebulaVm *vm, guint operand)
{
  guint32 word = take_word (vm);
  guint count = word & NEBULA_PATH_COUNT;
  NebulaCell *cached = NULL;

  if (word > NEBULA_PATH_COUNT)
    cached = &vm->cached[(word >> NEBULA_PATH_SLOT_SHIFT) - 1];
  if (cached != NULL && cached->tag != NEBULA_CELL_UNSET) {
    vm->pc += count;
    _nebula_vm_push (vm, *cached);
    return TRUE;
  }
  if (!run_external (vm, operand) || !_nebula_vm_members (vm, get_top (vm), count))
    return FALSE;
  /* What is read from an external is borrowed from it, and it stays to the end. */
  if (cached != NULL)
    *cached = *get_top (vm);
  return TRUE;
}

static gboolean
run_node (NebulaVm *vm, guint operand)
{
  NebulaCell *id = get_top (vm);
  NebulaCell result;

  if (!_nebula_vm_node (vm, id, operand, &result))
    return FALSE;
  _nebula_cell_release (id);
  *id = result;
  return TRUE;
}

static gboolean
run_index (NebulaVm *vm, guint operand)
{
  NebulaCell *index = get_top (vm);

  if (!_nebula_vm_index (vm, index - 1, index, operand != 0))
    return FALSE;
  drop (vm, 1);
  return TRUE;
}

static gboolean
run_slice (NebulaVm *vm, guint operand)
{
  guint count = (operand & 1) + (operand >> 1 & 1);
  NebulaCell *container = get_top (vm) - count;
  const NebulaCell *start = (operand & 1) != 0 ? container + 1 : NULL;
  const NebulaCell *end = (operand & 2) != 0 ? container + count : NULL;

  if (!_nebula_vm_slice (vm, container, start, end, (operand & 4) != 0))
    return FALSE;
  drop (vm, count);
  return TRUE;
}

static gboolean
run_not (NebulaVm *vm, guint operand)
{
  NebulaCell *cell = get_top (vm);
  gboolean is_true;

  if (!_nebula_operate_condition (vm, cell, &is_true))
    return FALSE;
  *cell = _nebula_cell_boolean (!is_true);
  return TRUE;
}

static gboolean
run_negate (NebulaVm *vm, guint operand)
{
  return _nebula_operate_negate (vm, get_top (vm));
}

static gboolean
run_binary (NebulaVm *vm, guint operand)
{
  NebulaOp op = (NebulaOp) (vm->program->code[vm->at] & 0xff);
  NebulaCell *right = get_top (vm);
  NebulaCell result;

  if (!_nebula_operate (vm, op, right - 1, right, &result))
    return FALSE;
  _nebula_cell_release (right);
  _nebula_cell_release (right - 1);
  right[-1] = result;
  vm->depth--;
  return TRUE;
}

static gboolean
run_jump (NebulaVm *vm, guint operand)
{
  vm->pc = vm->at + 1 + operand;
  return TRUE;
}

static gboolean
run_jump_if_false (NebulaVm *vm, guint operand)
{
  const NebulaCell *cell = get_top (vm);
  gboolean is_true = cell->as.boolean;

  if (G_UNLIKELY (cell->tag != NEBULA_CELL_BOOLEAN) &&
      !_nebula_operate_condition (vm, cell, &is_true))
    return FALSE;
  vm->depth--;
  if (!is_true)
    vm->pc = vm->at + 1 + operand;
  return TRUE;
}

static gboolean
run_logic (NebulaVm *vm, guint operand)
{
  gboolean is_and = (vm->program->code[vm->at] & 0xff) == NEBULA_OP_AND;
  gboolean is_true;

  if (!_nebula_operate_condition (vm, get_top (vm), &is_true))
    return FALSE;
  if (is_true == is_and) {
    vm->depth--;
    return TRUE;
  }
  *get_top (vm) = _nebula_cell_boolean (is_true);
  return run_jump (vm, operand);
}

static gboolean
run_coalesce (NebulaVm *vm, guint operand)
{
  if (get_top (vm)->tag != NEBULA_CELL_NULL)
    return run_jump (vm, operand);
  vm->depth--;
  return TRUE;
}

static gboolean
run_skip_null (NebulaVm *vm, guint operand)
{
  return get_top (vm)->tag != NEBULA_CELL_NULL || run_jump (vm, operand);
}

static gboolean
run_condition (NebulaVm *vm, guint operand)
{
  gboolean is_true;

  if (!_nebula_operate_condition (vm, get_top (vm), &is_true))
    return FALSE;
  *get_top (vm) = _nebula_cell_boolean (is_true);
  return TRUE;
}

static gboolean
run_spread (NebulaVm *vm, guint operand)
{
  get_top (vm)->is_spread = TRUE;
  return TRUE;
}

static gboolean
run_spread_key (NebulaVm *vm, guint operand)
{
  _nebula_vm_push (vm, (NebulaCell){.tag = NEBULA_CELL_SPREAD});
  return TRUE;
}

static gboolean
run_array (NebulaVm *vm, guint operand)
{
  NebulaCell result;

  if (!_nebula_vm_build_array (vm, vm->stack + vm->depth - operand, operand, &result))
    return FALSE;
  drop (vm, operand);
  _nebula_vm_push (vm, result);
  return TRUE;
}

static gboolean
run_object (NebulaVm *vm, guint operand)
{
  NebulaCell result;

  if (!_nebula_vm_build_object (vm, vm->stack + vm->depth - 2 * (gsize) operand, operand,
                                &result))
    return FALSE;
  drop (vm, 2 * (gsize) operand);
  _nebula_vm_push (vm, result);
  return TRUE;
}

static gboolean
run_lambda (NebulaVm *vm, guint operand)
{
  _nebula_vm_push (vm, (NebulaCell){.tag = NEBULA_CELL_LAMBDA, .as.integer = vm->pc});
  return run_jump (vm, operand);
}

static gboolean
run_call (NebulaVm *vm, guint operand)
{
  guint32 count = take_word (vm);
  NebulaCell *arguments = vm->stack + vm->depth - count;
  NebulaCell result = {.tag = NEBULA_CELL_NULL};

  if (!_nebula_function_call (vm, vm->program->functions[operand], arguments, count,
                              &result))
    return FALSE;
  _nebula_cell_own (&result);
  drop (vm, count);
  _nebula_vm_push (vm, result);
  return TRUE;
}

static gboolean
run_method_guard (NebulaVm *vm, guint operand)
{
  const NebulaCell *object = get_top (vm);
  const char *name = _nebula_cell_get_string (&vm->program->constants[operand], NULL);

  if (!_nebula_cell_is (object, NEBULA_VALUE_KIND_OBJECT) ||
      !nebula_value_has_member (object->as.value, name))
    return TRUE;
  return _nebula_vm_fail (
      vm, NEBULA_ERROR_TYPE, _ ("To call the function write it in front: f (object)."),
      _ ("The object has a member “%s”, which cannot be called"), name);
}

static gboolean
run_text (NebulaVm *vm, guint operand)
{
  NebulaCell result;

  if (!_nebula_operate_text (vm, vm->stack + vm->depth - operand, operand, &result))
    return FALSE;
  drop (vm, operand);
  _nebula_vm_push (vm, result);
  return TRUE;
}

typedef gboolean (*RunFunction) (NebulaVm *vm, guint operand);

static const RunFunction run_functions[NEBULA_OP_COUNT] = {
    [NEBULA_OP_RETURN] = run_return,
    [NEBULA_OP_CONSTANT] = run_constant,
    [NEBULA_OP_LOCAL] = run_local,
    [NEBULA_OP_EXTERNAL] = run_external,
    [NEBULA_OP_MEMBERS] = run_members,
    [NEBULA_OP_LOCAL_MEMBERS] = run_local_members,
    [NEBULA_OP_EXTERNAL_MEMBERS] = run_external_members,
    [NEBULA_OP_NODE] = run_node,
    [NEBULA_OP_INDEX] = run_index,
    [NEBULA_OP_SLICE] = run_slice,
    [NEBULA_OP_NOT] = run_not,
    [NEBULA_OP_NEGATE] = run_negate,
    [NEBULA_OP_ADD] = run_binary,
    [NEBULA_OP_SUBTRACT] = run_binary,
    [NEBULA_OP_MULTIPLY] = run_binary,
    [NEBULA_OP_DIVIDE] = run_binary,
    [NEBULA_OP_MODULO] = run_binary,
    [NEBULA_OP_POWER] = run_binary,
    [NEBULA_OP_EQUAL] = run_binary,
    [NEBULA_OP_NOT_EQUAL] = run_binary,
    [NEBULA_OP_LESS] = run_binary,
    [NEBULA_OP_GREATER] = run_binary,
    [NEBULA_OP_LESS_EQUAL] = run_binary,
    [NEBULA_OP_GREATER_EQUAL] = run_binary,
    [NEBULA_OP_MATCH] = run_binary,
    [NEBULA_OP_IN] = run_binary,
    [NEBULA_OP_JUMP] = run_jump,
    [NEBULA_OP_JUMP_IF_FALSE] = run_jump_if_false,
    [NEBULA_OP_AND] = run_logic,
    [NEBULA_OP_OR] = run_logic,
    [NEBULA_OP_COALESCE] = run_coalesce,
    [NEBULA_OP_SKIP_NULL] = run_skip_null,
    [NEBULA_OP_CONDITION] = run_condition,
    [NEBULA_OP_SPREAD] = run_spread,
    [NEBULA_OP_SPREAD_KEY] = run_spread_key,
    [NEBULA_OP_ARRAY] = run_array,
    [NEBULA_OP_OBJECT] = run_object,
    [NEBULA_OP_LAMBDA] = run_lambda,
    [NEBULA_OP_CALL] = run_call,
    [NEBULA_OP_METHOD_GUARD] = run_method_guard,
    [NEBULA_OP_TEXT] = run_text,
};

/* Integers are compared here; everything else has its way in nebula-operators.c. */
static inline gboolean
compare_integers (NebulaOp op, gint64 a, gint64 b)
{
  switch ((guint) op) {
  case NEBULA_OP_EQUAL:
    return a == b;
  case NEBULA_OP_NOT_EQUAL:
    return a != b;
  case NEBULA_OP_LESS:
    return a < b;
  case NEBULA_OP_GREATER:
    return a > b;
  case NEBULA_OP_LESS_EQUAL:
    return a <= b;
  default:
    return a >= b;
  }
}

/* Sums, differences and products of integers that stay within 64 bits; FALSE: the long way. */
static inline gboolean
add_integers (NebulaOp op, gint64 a, gint64 b, gint64 *ret)
{
  if (op == NEBULA_OP_ADD)
    return !__builtin_add_overflow (a, b, ret);
  if (op == NEBULA_OP_SUBTRACT)
    return !__builtin_sub_overflow (a, b, ret);
  return op == NEBULA_OP_MULTIPLY && !__builtin_mul_overflow (a, b, ret);
}

static inline gboolean
run_fast_binary (NebulaVm *vm, NebulaOp op)
{
  NebulaCell *right = get_top (vm);
  NebulaCell *left = right - 1;
  gint64 result;

  if (left->tag != NEBULA_CELL_INTEGER || right->tag != NEBULA_CELL_INTEGER)
    return run_binary (vm, 0);
  if (op >= NEBULA_OP_EQUAL)
    *left = _nebula_cell_boolean (
        compare_integers (op, left->as.integer, right->as.integer));
  else if (add_integers (op, left->as.integer, right->as.integer, &result))
    left->as.integer = result;
  else
    return run_binary (vm, 0);
  vm->depth--;
  return TRUE;
}

/* What most programs are made of, without a call; the table has the rest. */
static inline gboolean
run_one (NebulaVm *vm, NebulaOp op, guint operand)
{
  switch ((guint) op) {
  case NEBULA_OP_CONSTANT:
    return run_constant (vm, operand);
  case NEBULA_OP_LOCAL:
    return run_local (vm, operand);
  case NEBULA_OP_LOCAL_MEMBERS:
    return run_local_members (vm, operand);
  case NEBULA_OP_EXTERNAL_MEMBERS:
    return run_external_members (vm, operand);
  case NEBULA_OP_JUMP:
    return run_jump (vm, operand);
  case NEBULA_OP_JUMP_IF_FALSE:
    return run_jump_if_false (vm, operand);
  case NEBULA_OP_ADD:
  case NEBULA_OP_SUBTRACT:
  case NEBULA_OP_MULTIPLY:
  case NEBULA_OP_EQUAL:
  case NEBULA_OP_NOT_EQUAL:
  case NEBULA_OP_LESS:
  case NEBULA_OP_GREATER:
  case NEBULA_OP_LESS_EQUAL:
  case NEBULA_OP_GREATER_EQUAL:
    return run_fast_binary (vm, op);
  default:
    return run_functions[op](vm, operand);
  }
}

/* Runs from `pc` to the next return; the value is then on the stack. */
gboolean
_nebula_vm_run (NebulaVm *vm)
{
  const guint32 *code = vm->program->code;
  guint32 word;

  do {
    vm->at = vm->pc++;
    word = code[vm->at];
    if (G_UNLIKELY (--vm->fuel < 0) && !_nebula_vm_refill (vm, 0))
      return FALSE;
    if ((word & 0xff) == NEBULA_OP_RETURN)
      return TRUE;
  } while (run_one (vm, (NebulaOp) (word & 0xff), word >> 8));
  return vm->error == NULL;
}

guint
_nebula_vm_get_parameters (NebulaVm *vm, const NebulaCell *function)
{
  return function->tag == NEBULA_CELL_LAMBDA
             ? vm->program->code[function->as.integer] & 0xff
             : 1;
}

/* The key of a member stands for a lambda that reads it. */
static gboolean
call_key (NebulaVm *vm, const NebulaCell *key, const NebulaCell *item, NebulaCell *ret)
{
  NebulaCell container = *item;
  NebulaCell index = *key;

  container.is_owned = index.is_owned = FALSE;
  if (!_nebula_vm_index (vm, &container, &index, FALSE))
    return FALSE;
  _nebula_cell_own (&container);
  *ret = container;
  return TRUE;
}

/*
 * Calls a lambda with borrowed arguments of which it takes as many as it names. The result is owned, or a lambda's
 * scalar.
 */
gboolean
_nebula_vm_call (NebulaVm *vm,
                 const NebulaCell *function,
                 const NebulaCell *arguments,
                 guint count,
                 NebulaCell *ret)
{
  guint at = vm->at, pc = vm->pc;
  guint32 header;
  NebulaCell *slots;

  if (function->tag != NEBULA_CELL_LAMBDA)
    return call_key (vm, function, arguments, ret);
  header = vm->program->code[function->as.integer];
  slots = vm->locals + (header >> 8);
  if (G_UNLIKELY ((header & 0xff) > count))
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_ARITY, NULL,
        _ ("The lambda has more parameters than there are arguments"));
  for (guint i = 0; i < (header & 0xff); i++) {
    slots[i] = arguments[i];
    slots[i].is_owned = FALSE;
  }
  vm->pc = (guint) function->as.integer + 1;
  if (!_nebula_vm_run (vm))
    return FALSE;
  vm->at = at;
  vm->pc = pc;
  *ret = vm->stack[--vm->depth];
  _nebula_cell_own (ret);
  return TRUE;
}

gboolean
_nebula_vm_call_condition (NebulaVm *vm,
                           const NebulaCell *function,
                           const NebulaCell *arguments,
                           guint count,
                           gboolean *ret)
{
  NebulaCell result;
  gboolean is_done;

  if (!_nebula_vm_call (vm, function, arguments, count, &result))
    return FALSE;
  is_done = _nebula_operate_condition (vm, &result, ret);
  _nebula_cell_release (&result);
  return is_done;
}

/*
 * The result outlives the cells. A short text of the program is copied: if threads that share the program counted its
 * references, each would wait for the others' caches.
 */
static void
own_result (NebulaCell *cell)
{
  gsize length;
  const char *text;

  if (cell->is_owned || !cell->is_shared ||
      !_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING)) {
    _nebula_cell_own (cell);
    return;
  }
  text = _nebula_cell_get_string (cell, &length);
  if (length <= COPIED_BYTES) {
    cell->as.value = nebula_value_new_string_length (text, length);
    cell->is_owned = TRUE;
    return;
  }
  _nebula_cell_own (cell);
}

/* Runs a program from `pc` in cells that it finds or makes; @ret is owned. */
gboolean
_nebula_vm_start (NebulaVm *vm, NebulaCell *frame, NebulaCell *ret)
{
  NebulaExpression *program = vm->program;
  gsize cells = (gsize) program->n_locals + program->n_externals + program->n_cached +
                program->n_stack;
  g_autofree NebulaCell *heap =
      cells > NEBULA_INLINE_CELLS ? g_new (NebulaCell, cells) : NULL;
  gboolean is_done;

  vm->locals = heap != NULL ? heap : frame;
  vm->externals = vm->locals + program->n_locals;
  vm->cached = vm->externals + program->n_externals;
  vm->stack = vm->cached + program->n_cached;
  for (guint i = 0; i < program->n_locals; i++)
    vm->locals[i] = _nebula_cell_null ();
  for (guint i = 0; i < program->n_externals + program->n_cached; i++)
    vm->externals[i] = (NebulaCell){.tag = NEBULA_CELL_UNSET};

  is_done = _nebula_vm_run (vm);
  if (is_done) {
    *ret = vm->stack[--vm->depth];
    is_done = _nebula_vm_check_output (vm, ret);
    if (is_done)
      own_result (ret);
    else
      _nebula_cell_release (ret);
  }
  drop (vm, vm->depth);
  for (guint i = 0; i < program->n_externals; i++)
    _nebula_cell_release (&vm->externals[i]);
  return is_done;
}
