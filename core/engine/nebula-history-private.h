/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-teller-private.h"

G_BEGIN_DECLS

/* {sequence, time, fact, node?, path?, attempt?, …}: what else there is depends on the kind. */
NebulaValue *_nebula_history_make_item (NebulaTeller *teller,
                                        const NebulaFact *fact,
                                        const char *node,
                                        guint64 sequence);

G_END_DECLS
