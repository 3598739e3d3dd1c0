/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compiled form of an expression and the machine that runs it.
 *
 * A program is one flat array of 32-bit words. An instruction is a word with the operation in its low 8 bits and an
 * operand in the upper 24, followed by the words that the operation needs. Beside the code stand a position for each
 * word, the constants, the externals (names that the environment answers, asked at most once for each evaluation)
 * and the regular expressions and JSONPaths that were written out.
 *
 * The machine works on cells: null, booleans, integers and floats are held inline, everything else is a pointer to a
 * NebulaValue that the cell owns or borrows. What a cell borrows lives at least as long as the evaluation step that
 * uses it: constants, externals, and items of a container that a built-in function holds while it calls a lambda.
 */
#pragma once

#include "nebula-compile-private.h"
#include "nebula-error.h"
#include "nebula-expression-limits.h"
#include "nebula-expression.h"
#include "nebula-function-set-private.h"
#include "nebula-jsonpath.h"
#include "nebula-limits.h"
#include "nebula-value-layout-internal.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_CELL_NULL,
  NEBULA_CELL_BOOLEAN,
  NEBULA_CELL_INTEGER,
  NEBULA_CELL_FLOAT,
  NEBULA_CELL_VALUE, /* anything else */
  NEBULA_CELL_LAMBDA, /* integer is the word where its header stands; only among arguments */
  NEBULA_CELL_SPREAD, /* stands for the key before the value of `...value` in an object */
  NEBULA_CELL_UNSET,
} NebulaCellTag;

struct _NebulaCell {
  guint8 tag;
  guint8 is_owned;  /* of a value: unref it when done */
  guint8 is_spread; /* in an array literal: `...value` */
  guint8 is_shared; /* a constant of the program, which threads share */
  union {
    gboolean boolean;
    gint64 integer;
    double number;
    NebulaValue *value;
  } as;
};

typedef enum {
  NEBULA_OP_RETURN,
  NEBULA_OP_CONSTANT,         /* constant */
  NEBULA_OP_LOCAL,            /* slot */
  NEBULA_OP_EXTERNAL,         /* external */
  NEBULA_OP_MEMBERS,          /* count, then keys */
  NEBULA_OP_LOCAL_MEMBERS,    /* slot, then count, keys */
  NEBULA_OP_EXTERNAL_MEMBERS, /* external, then count and cell, keys */
  NEBULA_OP_NODE,             /* field; id on the stack */
  NEBULA_OP_INDEX,            /* 1 if optional */
  NEBULA_OP_SLICE,            /* bits: has start, has end, optional */
  NEBULA_OP_NOT,
  NEBULA_OP_NEGATE,
  NEBULA_OP_ADD,
  NEBULA_OP_SUBTRACT,
  NEBULA_OP_MULTIPLY,
  NEBULA_OP_DIVIDE,
  NEBULA_OP_MODULO,
  NEBULA_OP_POWER,
  NEBULA_OP_EQUAL,
  NEBULA_OP_NOT_EQUAL,
  NEBULA_OP_LESS,
  NEBULA_OP_GREATER,
  NEBULA_OP_LESS_EQUAL,
  NEBULA_OP_GREATER_EQUAL,
  NEBULA_OP_MATCH,
  NEBULA_OP_IN,
  NEBULA_OP_JUMP,          /* words forward */
  NEBULA_OP_JUMP_IF_FALSE, /* takes a condition */
  NEBULA_OP_AND,           /* takes a condition; if false leaves false and jumps */
  NEBULA_OP_OR,
  NEBULA_OP_COALESCE,  /* if not null jumps, else drops it */
  NEBULA_OP_SKIP_NULL, /* if null leaves it and jumps */
  NEBULA_OP_CONDITION, /* condition to boolean */
  NEBULA_OP_SPREAD,
  NEBULA_OP_SPREAD_KEY,
  NEBULA_OP_ARRAY,        /* items */
  NEBULA_OP_OBJECT,       /* pairs */
  NEBULA_OP_LAMBDA,       /* words to jump, then parameters | slot << 8, then the body */
  NEBULA_OP_CALL,         /* function, then arguments */
  NEBULA_OP_METHOD_GUARD, /* constant: name */
  NEBULA_OP_TEXT,         /* parts */
  NEBULA_OP_COUNT,
} NebulaOp;

#define NEBULA_KEY_OPTIONAL (1u << 31)

/* The count of a path of an external; above it the cell, plus 1, that keeps the value if it is read more than once. */
#define NEBULA_PATH_COUNT      0x3ffu
#define NEBULA_PATH_SLOT_SHIFT 10

typedef struct {
  guint32 start; /* byte where the whole operand begins, for paths in messages */
  guint32 at;    /* byte to point at */
} NebulaPosition;

typedef enum {
  NEBULA_EXTERNAL_VARIABLE,
  NEBULA_EXTERNAL_NODE,
  NEBULA_EXTERNAL_LOOP,
} NebulaExternalKind;

#define NEBULA_NODE_FIELD_ALL                                                            \
  (NEBULA_NODE_FIELD_ATTEMPTS + 1) /* `$nodes.x` with no field */

typedef struct {
  NebulaExternalKind kind;
  const char *name;  /* variable, or `nodes`, `loop`; interned */
  const char *id;    /* of a node or loop; interned */
  const char *field; /* interned; NULL for all of a node */
  guint node_field;
  gboolean is_optional; /* an unknown id gives null */
} NebulaExternal;

typedef struct _NebulaPattern NebulaPattern;
typedef struct _NebulaJmespath NebulaJmespath;

struct _NebulaExpression {
  gatomicrefcount references;
  char *text;
  NebulaValue *constant; /* nullable */
  guint32 *code;
  guint32 *hints; /* for each word: where its key was last; any thread may write; NULL: none */
  NebulaPosition *positions;
  NebulaCell *constants; /* owned values; strings double as member keys */
  NebulaExternal *externals;
  GPtrArray *patterns; /* of NebulaPattern */
  GPtrArray *paths;    /* of NebulaJsonpath */
  GPtrArray *queries;  /* of NebulaJmespath */
  const NebulaFunction **functions; /* that are called */
  NebulaFunctionSet *set;           /* keeps those of modules alive; nullable */
  NebulaReference *reads;
  guint n_code, n_constants, n_externals, n_reads, n_functions, n_cached;
  gboolean is_template;
  guint n_locals, n_stack;
};

/* Cells in the frame of the C stack; larger programs take theirs from the heap. */
#define NEBULA_INLINE_CELLS 64

struct _NebulaVm {
  NebulaExpression *program;
  NebulaEnvironment *environment; /* nullable */
  NebulaCell *locals;
  NebulaCell *externals;
  NebulaCell *cached; /* paths that are read more than once; borrowed from externals */
  NebulaCell *stack;
  const NebulaExpressionLimits *limits;
  guint pc;
  guint at;    /* word of the instruction that runs */
  gsize depth; /* cells on the stack */
  gint64 fuel;    /* steps up to the next look at the clock */
  gint64 reserve; /* steps after that */
  gint64 deadline_usec;
  gsize allocated; /* bytes made since the last count of what lives */
  gsize total;     /* bytes made in all */
  gsize held;      /* bytes in containers that built-in functions are making */
  GError *error;
};

/* nebula-cell.c */
NebulaValue *
_nebula_cell_to_value (NebulaCell *cell); /* takes the cell's reference, or makes one */
NebulaValue *_nebula_cell_ref_value (const NebulaCell *cell);
NebulaValueKind _nebula_cell_get_kind (const NebulaCell *cell);
gboolean _nebula_cell_equal (const NebulaCell *a, const NebulaCell *b);
const char *_nebula_kind_to_words (NebulaValueKind kind);
const char *_nebula_cell_to_words (const NebulaCell *cell);
NebulaValue *_nebula_value_hide_secrets (NebulaValue *value); /* full */
const char *_nebula_cell_get_string (const NebulaCell *cell, gsize *ret_length);

static inline gboolean
_nebula_cell_is (const NebulaCell *cell, NebulaValueKind kind)
{
  return cell->tag == NEBULA_CELL_VALUE && cell->as.value->kind == kind;
}

static inline NebulaCell
_nebula_cell_null (void)
{
  return (NebulaCell){.tag = NEBULA_CELL_NULL};
}

static inline NebulaCell
_nebula_cell_boolean (gboolean boolean)
{
  return (NebulaCell){.tag = NEBULA_CELL_BOOLEAN, .as.boolean = !!boolean};
}

static inline NebulaCell
_nebula_cell_integer (gint64 integer)
{
  return (NebulaCell){.tag = NEBULA_CELL_INTEGER, .as.integer = integer};
}

static inline NebulaCell
_nebula_cell_float (double number)
{
  return (NebulaCell){.tag = NEBULA_CELL_FLOAT, .as.number = number};
}

/* A cell for a value that others keep; scalars are unboxed. */
static inline NebulaCell
_nebula_cell_borrow (NebulaValue *value)
{
  switch (value->kind) {
  case NEBULA_VALUE_KIND_INTEGER:
    return _nebula_cell_integer (((const NebulaScalar *) value)->as.integer);
  case NEBULA_VALUE_KIND_FLOAT:
    return _nebula_cell_float (((const NebulaScalar *) value)->as.number);
  case NEBULA_VALUE_KIND_BOOLEAN:
    return _nebula_cell_boolean (nebula_value_get_boolean (value));
  case NEBULA_VALUE_KIND_NULL:
    return _nebula_cell_null ();
  default:
    return (NebulaCell){.tag = NEBULA_CELL_VALUE, .as.value = value};
  }
}

/* The same for a value that is taken. */
static inline NebulaCell
_nebula_cell_from_value (NebulaValue *value)
{
  NebulaCell cell = _nebula_cell_borrow (value);

  if (cell.tag == NEBULA_CELL_VALUE)
    cell.is_owned = TRUE;
  else
    nebula_value_unref (value);
  return cell;
}

static inline void
_nebula_cell_own (NebulaCell *cell)
{
  if (cell->tag != NEBULA_CELL_VALUE || cell->is_owned)
    return;
  _nebula_value_ref_fast (cell->as.value);
  cell->is_owned = TRUE;
}

static inline void
_nebula_cell_release (NebulaCell *cell)
{
  if (cell->tag == NEBULA_CELL_VALUE && cell->is_owned)
    nebula_value_unref (cell->as.value);
  *cell = _nebula_cell_null ();
}

/* nebula-vm.c */
gboolean _nebula_vm_start (NebulaVm *vm, NebulaCell *frame, NebulaCell *ret);
gboolean _nebula_vm_run (NebulaVm *vm);
gboolean _nebula_vm_call (NebulaVm *vm,
                          const NebulaCell *function,
                          const NebulaCell *arguments,
                          guint count,
                          NebulaCell *ret);
gboolean _nebula_vm_call_condition (NebulaVm *vm,
                                    const NebulaCell *function,
                                    const NebulaCell *arguments,
                                    guint count,
                                    gboolean *ret);
guint _nebula_vm_get_parameters (NebulaVm *vm, const NebulaCell *function);
gboolean _nebula_vm_fail (NebulaVm *vm,
                          NebulaError code,
                          const char *hint,
                          const char *format,
                          ...) G_GNUC_PRINTF (4, 5);
gboolean _nebula_vm_fail_at (NebulaVm *vm,
                             guint word,
                             NebulaError code,
                             const char *hint,
                             const char *message);
gboolean _nebula_vm_refill (NebulaVm *vm, gsize steps);
gsize _nebula_vm_get_fuel (NebulaVm *vm);
gboolean _nebula_vm_charge (NebulaVm *vm, gsize bytes);
gboolean _nebula_vm_check_output (NebulaVm *vm, const NebulaCell *cell);
guint64 _nebula_vm_random (NebulaVm *vm);
/* Take a new value into a cell after checking what it costs; they fail with FALSE and free it. */
gboolean _nebula_vm_give (NebulaVm *vm, NebulaValue *value, NebulaCell *ret);
gboolean
_nebula_vm_give_text (NebulaVm *vm, GString *text, NebulaCell *ret); /* takes it */
gboolean
_nebula_vm_give_string (NebulaVm *vm, const char *text, gssize length, NebulaCell *ret);

static inline gboolean
_nebula_vm_burn (NebulaVm *vm, gsize steps)
{
  if (G_UNLIKELY (steps > (gsize) MAX (vm->fuel, 0)))
    return _nebula_vm_refill (vm, steps);
  vm->fuel -= (gint64) steps;
  return TRUE;
}

static inline void
_nebula_vm_push (NebulaVm *vm, NebulaCell cell)
{
  vm->stack[vm->depth++] = cell;
}

/* nebula-vm-access.c */
gboolean _nebula_vm_members (NebulaVm *vm, NebulaCell *cell, guint count);
gboolean _nebula_vm_index (NebulaVm *vm,
                           NebulaCell *container,
                           NebulaCell *index,
                           gboolean is_optional);
gboolean _nebula_vm_slice (NebulaVm *vm,
                           NebulaCell *container,
                           const NebulaCell *start,
                           const NebulaCell *end,
                           gboolean is_optional);
NebulaCell *_nebula_vm_external (NebulaVm *vm, guint index);
gboolean
_nebula_vm_node (NebulaVm *vm, const NebulaCell *id, guint field, NebulaCell *ret);
gboolean _nebula_vm_variable (NebulaVm *vm, const char *name, NebulaCell *ret);
char *_nebula_vm_get_source (NebulaVm *vm, guint word);

/* nebula-operators.c; each leaves its result in @ret, which may be @left */
gboolean _nebula_operate (NebulaVm *vm,
                          NebulaOp op,
                          NebulaCell *left,
                          NebulaCell *right,
                          NebulaCell *ret);
gboolean _nebula_operate_negate (NebulaVm *vm, NebulaCell *cell);
gboolean _nebula_operate_compare (NebulaVm *vm,
                                  const NebulaCell *left,
                                  const NebulaCell *right,
                                  int *ret_order);
gboolean _nebula_operate_contains (NebulaVm *vm,
                                   const NebulaCell *needle,
                                   const NebulaCell *haystack,
                                   gboolean *ret);
gboolean _nebula_operate_condition (NebulaVm *vm, const NebulaCell *cell, gboolean *ret);
gboolean _nebula_operate_text (NebulaVm *vm,
                               const NebulaCell *parts,
                               guint count,
                               NebulaCell *ret);
void _nebula_cell_append_text (const NebulaCell *cell, GString *text);
double _nebula_cell_to_double (const NebulaCell *cell);
gboolean _nebula_cell_is_number (const NebulaCell *cell);
gboolean _nebula_vm_give_float (NebulaVm *vm, double number, NebulaCell *ret);

/* nebula-collector.c: makes arrays and objects and holds their bytes while it does */
typedef struct {
  NebulaVm *vm;
  NebulaValueBuilder *builder;
  gsize held;
  guint depth;
} NebulaCollector;

void _nebula_collector_init (NebulaCollector *self, NebulaVm *vm, gboolean is_object);
void _nebula_collector_hold (NebulaCollector *self, const NebulaCell *cell);
gboolean _nebula_collector_add (NebulaCollector *self,
                                NebulaCell *item); /* takes the cell */
gboolean _nebula_collector_add_value (NebulaCollector *self,
                                      NebulaValue *item); /* borrowed */
gboolean
_nebula_collector_add_string (NebulaCollector *self, const char *text, gssize length);
gboolean _nebula_collector_set (NebulaCollector *self,
                                const char *key,
                                gsize length,
                                NebulaCell *member); /* takes the cell */
gboolean _nebula_collector_set_value (NebulaCollector *self,
                                      const char *key,
                                      gsize length,
                                      NebulaValue *member);
gboolean _nebula_collector_end (NebulaCollector *self, NebulaCell *ret);
void _nebula_collector_clear (NebulaCollector *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaCollector, _nebula_collector_clear)
gboolean
_nebula_vm_build_array (NebulaVm *vm, NebulaCell *items, guint count, NebulaCell *ret);
gboolean
_nebula_vm_build_object (NebulaVm *vm, NebulaCell *pairs, guint count, NebulaCell *ret);

/* nebula-pattern.c */

NebulaPattern *
_nebula_pattern_new (const char *text, gsize length, const char *flags, GError **error);
void _nebula_pattern_free (NebulaPattern *self);
gboolean _nebula_pattern_is (NebulaPattern *self, const char *text, const char *flags);
GRegex *_nebula_pattern_get_regex (NebulaPattern *self);
/* The pattern in @cell, compiled with the program or now; owned by the caller. */
GRegex *
_nebula_vm_ref_regex (NebulaVm *vm, const NebulaCell *pattern, const NebulaCell *flags);
gboolean _nebula_vm_match (NebulaVm *vm,
                           GRegex *regex,
                           const NebulaCell *subject,
                           gsize start,
                           GMatchInfo **ret_match);
gboolean _nebula_vm_match_next (NebulaVm *vm, GMatchInfo *match);

/* nebula-functions.c */
extern const NebulaFunction _nebula_functions_array[];
extern const NebulaFunction _nebula_functions_array_more[];
extern const NebulaFunction _nebula_functions_convert[];
extern const NebulaFunction _nebula_functions_encoding[];
extern const NebulaFunction _nebula_functions_csv[];
extern const NebulaFunction _nebula_functions_jmespath[];
extern const NebulaFunction _nebula_functions_jsonpath[];
extern const NebulaFunction _nebula_functions_number[];
extern const NebulaFunction _nebula_functions_object[];
extern const NebulaFunction _nebula_functions_regex[];
extern const NebulaFunction _nebula_functions_rules[];
extern const NebulaFunction _nebula_functions_string[];
extern const NebulaFunction _nebula_functions_time[];
extern const NebulaFunction _nebula_functions_valid[];

/* NULL: there is none; @set is nullable. */
const NebulaFunction *_nebula_functions_find (const char *name, NebulaFunctionSet *set);
guint _nebula_functions_count (void);
const NebulaFunction *_nebula_functions_get (guint index); /* of the built-in ones, sorted */
const char *_nebula_functions_suggest (const char *name, NebulaFunctionSet *set);
char _nebula_function_get_kind (const NebulaFunction *self, guint argument);
gboolean _nebula_function_call (NebulaVm *vm,
                                const NebulaFunction *self,
                                NebulaCell *arguments,
                                guint count,
                                NebulaCell *ret);

/* nebula-function-help.c */
NebulaValue *_nebula_function_describe (const NebulaFunction *function);

/* nebula-jmespath-read.c */
NebulaJmespath *_nebula_jmespath_new (const char *text, GError **error);
void _nebula_jmespath_unref (NebulaJmespath *self);

/* nebula-problem.c */
GError *_nebula_problem_new (NebulaError code,
                             const char *text,
                             gsize at,
                             const char *message,
                             const char *hint);
void
_nebula_problem_locate (const char *text, gsize at, guint *ret_line, guint *ret_column);
gboolean _nebula_problem_is_near (const char *wanted, const char *candidate, guint *best);
const char *_nebula_problem_suggest (const char *wanted, const char *const *candidates);

/* nebula-data-environment.c */
typedef struct {
  NebulaEnvironment parent;
  NebulaValue *values; /* borrowed */
} NebulaDataEnvironment;

void _nebula_data_environment_init (NebulaDataEnvironment *self, NebulaValue *values);

G_END_DECLS
