/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What some expressions may name, kept: so that an action can evaluate them on any thread, after the engine went on.
 */
#pragma once

#include "nebula-expression.h"

G_BEGIN_DECLS

/* Thread: any (immutable, but for the fuel, which all evaluations share). */
typedef struct _NebulaFrozen NebulaFrozen;

/* Asks @environment for all names that the expressions read; what it does not have stays unknown. */
NebulaFrozen *nebula_frozen_new (const NebulaEnvironment *environment, NebulaExpression *const *expressions, guint n_expressions);
NebulaFrozen *nebula_frozen_ref (NebulaFrozen *self);
void nebula_frozen_unref (NebulaFrozen *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaFrozen, nebula_frozen_unref)
/* An environment over @self for one thread; give back what it used with nebula_frozen_settle (). */
void nebula_frozen_init_environment (NebulaFrozen *self, NebulaEnvironment *ret_environment);
void nebula_frozen_settle (NebulaFrozen *self, const NebulaEnvironment *environment);

G_END_DECLS
