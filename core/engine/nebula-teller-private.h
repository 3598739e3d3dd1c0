/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine-private.h"

G_BEGIN_DECLS

/*
 * Goes through the facts of one execution in order and tells each, with the state as it was just then: so pages of history
 * and replayed events name places in loops as live events do. It holds the state, never the facts.
 *
 * Thread: one at a time.
 */
typedef struct _NebulaTeller NebulaTeller;

/* @node: the id of the fact's node; NULL: none. Without a plan (get_plan() is NULL) there is no kernel either. */
typedef void (*NebulaTold) (NebulaTeller *self,
                            const NebulaFact *fact,
                            const char *node,
                            guint64 sequence,
                            gpointer data);

/* @plan: NULL if the workflow can no longer be compiled: facts are told all the same, without places in loops. */
NebulaTeller *
_nebula_teller_new (NebulaEngine *engine, const NebulaHeader *header, NebulaPlan *plan);
void _nebula_teller_free (NebulaTeller *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaTeller, _nebula_teller_free)
const NebulaHeader *_nebula_teller_get_header (NebulaTeller *self);
NebulaKernel *_nebula_teller_get_kernel (NebulaTeller *self);
/* The last fact that it knows. */
guint64 _nebula_teller_get_sequence (NebulaTeller *self);
/* The segment that follows; @told may be NULL. */
gboolean _nebula_teller_take (NebulaTeller *self,
                              const NebulaSegment *segment,
                              NebulaTold told,
                              gpointer data,
                              GError **error);
/* From the beginning, or a checkpoint, up to the fact @sequence, or to the last one of the segment before it. Blocks. */
gboolean _nebula_teller_catch_up (NebulaTeller *self, guint64 sequence, GError **error);

G_END_DECLS
