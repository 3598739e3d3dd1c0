/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exact arithmetic, for cells of which one is a decimal. */
#pragma once

#include "nebula-expression-private.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_ROUNDING_NEAREST, /* halves away from zero */
  NEBULA_ROUNDING_FLOOR,
  NEBULA_ROUNDING_CEIL,
  NEBULA_ROUNDING_CUT,
} NebulaRounding;

gboolean _nebula_decimals_operate (NebulaVm *vm,
                                   NebulaOp op,
                                   const NebulaCell *left,
                                   const NebulaCell *right,
                                   NebulaCell *ret);
gboolean _nebula_decimals_negate (NebulaVm *vm, const NebulaCell *cell, NebulaCell *ret);
int _nebula_decimals_get_sign (const NebulaCell *cell); /* of a decimal */
gboolean _nebula_decimals_round (NebulaVm *vm,
                                 const NebulaCell *cell,
                                 int digits,
                                 NebulaRounding rounding,
                                 NebulaCell *ret);
gboolean _nebula_decimals_to_integer (NebulaVm *vm,
                                      const NebulaCell *cell,
                                      NebulaRounding rounding,
                                      NebulaCell *ret);
char *_nebula_decimals_to_fixed (NebulaVm *vm, const NebulaCell *cell, int digits);

G_END_DECLS
