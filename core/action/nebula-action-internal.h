/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"
#include "nebula-invocation.h"

G_BEGIN_DECLS

/* Whether the effect depends on the parameters that are set; else the class's effect holds. */
gboolean nebula_action_class_asks_for_effect (NebulaActionClass *klass);
/* Nobody waits for its result any more: it is cancelled, and lets go of the store, which others may want to own. */
void nebula_invocation_abandon (NebulaInvocation *self);

G_END_DECLS
