/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"

G_BEGIN_DECLS

/* Whether the effect depends on the parameters that are set; else the class's effect holds. */
gboolean nebula_action_class_asks_for_effect (NebulaActionClass *klass);

G_END_DECLS
