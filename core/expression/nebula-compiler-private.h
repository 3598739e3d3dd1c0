/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the syntax tree to byte code. */
#pragma once

#include "nebula-syntax-private.h"

G_BEGIN_DECLS

#define NEBULA_COMPILER_LOCALS 255

typedef struct {
  NebulaParser *parser;
  GArray *code;      /* guint32 */
  GArray *positions; /* NebulaPosition */
  GArray *constants; /* NebulaCell */
  GArray *externals; /* NebulaExternal */
  GArray *reads;     /* NebulaReference */
  GPtrArray *patterns;        /* NebulaPattern */
  GPtrArray *paths;           /* NebulaJsonpath */
  GPtrArray *queries;         /* NebulaJmespath */
  GPtrArray *functions;       /* NebulaFunction that are called */
  NebulaFunctionSet *set;     /* nullable, borrowed */
  GHashTable *strings;        /* text → constant + 1 */
  GHashTable *external_index; /* key → external + 1 */
  GHashTable *path_index;     /* key → word of the first path with this external and these members + 1 */
  guint n_cached;             /* paths that are read more than once */
  const char *locals[NEBULA_COMPILER_LOCALS];
  guint n_locals, max_locals;
  guint depth, max_depth; /* cells on the stack */
  gboolean can_fold;
  gsize located; /* the place of the last reference */
  guint line, column;
} NebulaCompiler;

/* nebula-compiler.c */
gboolean _nebula_compiler_compile (NebulaCompiler *self, NebulaSyntax *node);
guint _nebula_compiler_emit (NebulaCompiler *self,
                             NebulaOp op,
                             guint operand,
                             const NebulaSyntax *node);
void
_nebula_compiler_emit_word (NebulaCompiler *self, guint32 word, const NebulaSyntax *node);
void _nebula_compiler_patch (NebulaCompiler *self, guint word); /* a jump: to here */
guint _nebula_compiler_add_constant (NebulaCompiler *self, const NebulaCell *cell);
guint _nebula_compiler_add_string (NebulaCompiler *self, const char *text);
void _nebula_compiler_push (NebulaCompiler *self, guint cells);
int _nebula_compiler_find_local (NebulaCompiler *self, const char *name);

/* nebula-compiler-path.c */
gboolean _nebula_compiler_compile_path (NebulaCompiler *self, NebulaSyntax *node);

/* nebula-compiler-call.c */
gboolean _nebula_compiler_compile_call (NebulaCompiler *self, NebulaSyntax *node);
gboolean _nebula_compiler_add_pattern (NebulaCompiler *self,
                                       const NebulaSyntax *pattern,
                                       const NebulaSyntax *flags);

G_END_DECLS
