/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the help says of each built-in function beside its table. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *name;
  const char *errors;   /* codes, separated by blanks; arity and budget-exceeded go without saying */
  const char *first;    /* `expression → JSON of its value` */
  const char *second;
} NebulaFunctionExamples;

/* Both sorted by name, one after the other; ended by an entry without a name. */
extern const NebulaFunctionExamples _nebula_function_examples[];
extern const NebulaFunctionExamples _nebula_function_examples_more[];

G_END_DECLS
