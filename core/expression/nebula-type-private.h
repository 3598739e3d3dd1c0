/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-expression-check-internal.h"
#include "nebula-syntax-private.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_MEMBERSHIP_POSSIBLE, /* nothing is known */
  NEBULA_MEMBERSHIP_SURE,
  NEBULA_MEMBERSHIP_UNNAMED, /* others are named, and this could be there, too */
  NEBULA_MEMBERSHIP_NONE,
} NebulaMembership;

NebulaType _nebula_type_join (NebulaType a, NebulaType b);
NebulaType _nebula_type_get_member (const NebulaType *self, const char *key, NebulaMembership *ret);
NebulaValue *_nebula_type_get_members (const NebulaType *self);
NebulaType _nebula_type_get_item (const NebulaType *self);
/* For people: where nothing is known an example tells the kind. */
NebulaType _nebula_type_guess (NebulaType self);

/* The parameter of a lambda. */
typedef struct {
  const char *name;
  NebulaType type;
} NebulaLocal;

typedef struct _NebulaProbe NebulaProbe;

typedef struct {
  const NebulaTypeScope *scope;
  NebulaParser *parser;
  NebulaFunctionSet *functions;
  GArray *locals;   /* NebulaLocal, the innermost last */
  GPtrArray *types; /* NebulaType that live until the end */
  NebulaProbe *probe; /* nullable */
} NebulaChecker;

/* nebula-check.c */
NebulaType _nebula_checker_infer (NebulaChecker *self, const NebulaSyntax *node);
void _nebula_checker_report (NebulaChecker *self,
                             const NebulaSyntax *node,
                             NebulaError code,
                             const char *hint,
                             const char *format,
                             ...) G_GNUC_PRINTF (5, 6);
const NebulaType *_nebula_checker_keep (NebulaChecker *self, NebulaType type);
void _nebula_checker_push (NebulaChecker *self, const char *name, NebulaType type);
void _nebula_checker_pop (NebulaChecker *self, guint count);

/* nebula-probe.c */
void _nebula_probe_visit (NebulaProbe *self,
                          NebulaChecker *checker,
                          const NebulaSyntax *node,
                          const NebulaType *type);

/* nebula-check-operators.c */
NebulaType _nebula_checker_infer_binary (NebulaChecker *self, const NebulaSyntax *node);
NebulaType _nebula_checker_infer_unary (NebulaChecker *self, const NebulaSyntax *node);
void _nebula_checker_check_condition (NebulaChecker *self, const NebulaSyntax *node);

/* nebula-check-call.c */
NebulaType _nebula_checker_infer_call (NebulaChecker *self, const NebulaSyntax *node);

G_END_DECLS
