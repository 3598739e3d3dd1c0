/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-kernel-internal.h"

G_BEGIN_DECLS

/*
 * What is given to an execution when it starts: an object whose keys say for whom.
 *
 *   =PATH      what this node-run gave in an earlier execution: it does not run. PATH is each[3].price; a node that fired
 *              more than once in its lane has #2, #3, … behind it
 *   PATH       the pinned result of a node-run, or with each.price of the node in all rounds
 *   <PATH      the input of a node-run instead of what comes to it
 *
 *   entry      {value, port?, by?: "port" (value is an object port → value), as?: "pin" | "mock"}
 *              {failure} · {skipped: true} · of an input {value}
 *
 * What is given stands in facts of the new execution, so nothing of the earlier one is needed to recover it. Conditions of
 * connections, joins and items of loops are evaluated again. Nobody undoes what was given: it was not done here.
 */

/* Behind the start, before the first turn; either may be NULL. */
void nebula_kernel_give (NebulaKernel *self,
                         NebulaValue *given,
                         NebulaValue *breakpoints,
                         gint64 now_usec);
/* @breakpoints: an object path → condition or null. */
void nebula_kernel_set_breakpoints (NebulaKernel *self, NebulaValue *breakpoints, gint64 now_usec);
/* Goes on for one node. As nebula_kernel_resume (). */
gboolean nebula_kernel_step (NebulaKernel *self, gint64 now_usec);

/* Whether @path names a node of @plan; with @is_exact every loop in it needs its round. */
gboolean nebula_plan_check_path (NebulaPlan *plan,
                                 const char *path,
                                 gboolean is_exact,
                                 GError **error);

/* Collects from a history what is to be given to another execution that begins at a node. */
typedef struct _NebulaRecall NebulaRecall;

/* @plan: of the new execution; @from: where it begins. NULL with error: there is no such node. */
NebulaRecall *nebula_recall_new (NebulaPlan *plan, const char *from, GError **error);
void nebula_recall_free (NebulaRecall *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaRecall, nebula_recall_free)
/* Sees the facts of the fold of @state from its beginning. */
void nebula_recall_watch (NebulaRecall *self, NebulaState *state);
/* When the fold is over: an object as above; what is stored stands in it as references of the earlier execution. */
NebulaValue *nebula_recall_end (NebulaRecall *self, NebulaState *state);

G_END_DECLS
