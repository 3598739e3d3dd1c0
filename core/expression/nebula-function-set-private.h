/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One function, built in or of a module, and the set of those that modules bring. */
#pragma once

#include "nebula-function-set.h"

G_BEGIN_DECLS

typedef struct _NebulaVm NebulaVm;
typedef struct _NebulaCell NebulaCell;
typedef struct _NebulaForeign NebulaForeign;

typedef enum {
  NEBULA_FUNCTION_PURE = 0,
  NEBULA_FUNCTION_IMPURE = 1 << 0, /* reads time or random numbers, or is not ours: never folded */
} NebulaFunctionFlags;

typedef gboolean (*NebulaFunctionCall) (NebulaVm *vm,
                                        NebulaCell *arguments,
                                        guint count,
                                        NebulaCell *ret);

/*
 * `kinds` has a letter for each argument, the last one repeats. What is checked before the call: s text, i integer,
 * n number, b boolean, a array, o object, f lambda (or the key of a member), r regular expression (text), g its flags,
 * p JSONPath (text), q JMESPath (text). What the function checks itself: v anything, l list (array, text or bytes),
 * w array or object, t moment (timestamp, date, text), y text or bytes.
 * `result` has the letters of what it may give: those above and x float, m decimal, y bytes, t timestamp, D date,
 * d duration, z null, v anything, 1 what its first argument is.
 * `signature` names the arguments for help, optional ones with a question mark.
 */
typedef struct {
  const char *name;
  const char *
      aliases; /* separated by spaces, nullable; camelCase forms are found without being listed */
  const char *kinds;
  const char *result;
  const char *signature;
  const char *description;
  NebulaFunctionCall call;
  guint8 min, max;
  guint8 lambda_arguments; /* how many arguments a lambda gets at most */
  guint8 flags;
  NebulaForeign *foreign; /* of a module; NULL: built in */
} NebulaFunction;

#define NEBULA_ARITY_ANY 255

/* Sets of kinds as bits: 1 << NebulaValueKind. */
#define NEBULA_KINDS_ANY    ((1u << (NEBULA_VALUE_KIND_REFERENCE + 1)) - 1)
#define NEBULA_KINDS_LAMBDA (1u << 31)

guint32 _nebula_function_get_argument_kinds (const NebulaFunction *self, guint argument);
guint32 _nebula_function_get_result_kinds (const NebulaFunction *self); /* of `1`: any */
/* "text", "an integer or a float", …; full. */
char *_nebula_kinds_to_words (guint32 kinds);
guint32 _nebula_kinds_from_letters (const char *letters);

/* Loads the module's function if need be. */
gboolean _nebula_foreign_load (const NebulaForeign *self, GError **error);
guint32 _nebula_foreign_get_argument_kinds (const NebulaForeign *self, guint argument);
guint32 _nebula_foreign_get_result_kinds (const NebulaForeign *self);
const char *_nebula_foreign_get_examples (const NebulaForeign *self); /* lines; nullable */
gboolean _nebula_foreign_run (NebulaVm *vm,
                              const NebulaFunction *function,
                              NebulaCell *arguments,
                              guint count,
                              NebulaCell *ret);
const NebulaFunction *_nebula_function_set_find (NebulaFunctionSet *self, const char *name);
const NebulaFunction *_nebula_function_set_get (NebulaFunctionSet *self, guint index);

G_END_DECLS
