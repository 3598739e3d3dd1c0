/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-kernel-internal.h"
#include "nebula-state-private.h"

G_BEGIN_DECLS

struct _NebulaKernel {
  NebulaPlan *plan;
  NebulaState *state;
  NebulaFactWriter writer;
  GArray *commands; /* NebulaCommand */
  char *execution;
  char *tenant;
  NebulaKernelHost host;
  gint64 now_usec;
  gint64 timeout_usec; /* of the execution; 0: none */
  guint64 inline_fuel; /* of one evaluation on the loop; 0: it is not on the loop */
  guint64 turn_end;    /* facts in the writer after which the turn ends */
  gsize turn_end_bytes; /* facts and blobs, likewise */
  gboolean is_put_off; /* the decision cannot be taken here: it records nothing more */
  gboolean is_left;    /* the turn ended at a decision that was put off: it comes first, whatever the budget */
  gboolean is_partial; /* the decision ends for now and goes on in the next turn */
  gboolean spills;
  gboolean may_block;
  GPtrArray *blobs;       /* NebulaBlob of the facts that nobody has taken yet */
  gsize n_blob_bytes;
  GPtrArray *blob_uses;   /* char *: digests */
  GHashTable *known_uses; /* digests that were noted; NULL: none */
  GPtrArray *posts;       /* NebulaPost of the facts that nobody has taken yet; NULL: none */
};

/* Where expressions of one node-run, or of one lane as a whole, find their names. */
typedef struct {
  NebulaEnvironment environment;
  NebulaKernel *kernel;
  NebulaLane *lane;
  NebulaWork *work; /* NULL: the lane as a whole */
  NebulaValue *
      last; /* `$last` and `$index` of a round that is about to open; NULL: the lane's own */
  gint64 index; /* -1: the lane's own */
  NebulaValue *items;  /* `$items`; NULL: none */
  NebulaValue *result; /* of the work's node, which is about to complete; NULL: the recorded one */
  gint64 now_usec;
} NebulaScopeEnvironment;

void _nebula_kernel_init_environment (NebulaKernel *self,
                                      NebulaScopeEnvironment *ret_environment,
                                      NebulaLane *lane,
                                      NebulaWork *work);
guint64 _nebula_kernel_random (NebulaKernel *self,
                               NebulaLane *lane,
                               guint32 node,
                               guint32 firing,
                               guint call_index);

/* Puts the decision off if the value (or NULL) is too large for the loop and the kernel is there. */
gboolean _nebula_kernel_is_too_large (NebulaKernel *self, NebulaValue *value);
/* The same for the length of what is about to be built. */
gboolean _nebula_kernel_is_too_long (NebulaKernel *self, gsize length);
/* Puts the decision off if the error only says that it cannot be taken here. */
gboolean _nebula_kernel_put_off (NebulaKernel *self, const GError *error);
/* Ends a decision; whether it was put off. */
gboolean _nebula_kernel_end_decision (NebulaKernel *self);
void _nebula_kernel_set_now (NebulaKernel *self, gint64 now_usec);
/* nebula-decide-gate.c */
/* Whether a gate is to be asked now: the next one in front of it, or the one that it left. */
gboolean _nebula_kernel_gate_is_due (NebulaKernel *self);
void _nebula_kernel_decide_gate (NebulaKernel *self);
/* FALSE: it has given its place back and must not go on. */
gboolean _nebula_kernel_has_place (NebulaKernel *self);
/* Gives its place back if it only waits. */
void _nebula_kernel_leave_gate (NebulaKernel *self);
/* Begins if the time has come. */
void _nebula_kernel_begin_late (NebulaKernel *self);
/* It comes again by itself, after a time. */
gboolean _nebula_work_tries_again (NebulaState *state, NebulaWork *work);
/* What a fact means for gates. */
void _nebula_kernel_post_gates (NebulaKernel *self, const NebulaFact *fact);
/* Gives a place back that nobody wants. */
void _nebula_kernel_post_void (NebulaKernel *self, const char *key, const char *holder);
/* FALSE: it is no part of the execution that has ended. */
gboolean
_nebula_kernel_end_batched (NebulaKernel *self, NebulaValue *end, gint64 now_usec);
/* The error of another execution, with its place. */
NebulaValue *_nebula_failure_of_other (NebulaValue *end);
/* Takes @id and @payload. */
void _nebula_kernel_post (NebulaKernel *self,
                          gboolean is_gate,
                          char *id,
                          const char *to,
                          NebulaValue *payload);
/* Records a fact: encodes it, applies it. Does nothing once the decision is put off. */
void _nebula_kernel_record (NebulaKernel *self, NebulaFact *fact);
/* nebula-spill.c */
void _nebula_kernel_init_spill (NebulaKernel *self);
void _nebula_kernel_clear_spill (NebulaKernel *self);
/* What stands in the fact for its value: a new reference. */
NebulaValue *_nebula_kernel_spill (NebulaKernel *self, const NebulaFact *fact);
void
_nebula_kernel_store_results (NebulaKernel *self, NebulaWork *work, guint32 index);
NebulaValue *_nebula_kernel_collect_results (NebulaKernel *self, NebulaLoop *loop);
/* Put the decision off if the kernel is on the loop and the end of this round, or the result of the loop, has to be
 * encoded. */
gboolean
_nebula_kernel_stores_elsewhere (NebulaKernel *self, NebulaWork *work, guint32 index);
gboolean _nebula_kernel_collects_elsewhere (NebulaKernel *self, NebulaLoop *loop);
/* nebula-load.c; on the loop what is not in memory puts the decision off. */
NebulaValue *
_nebula_kernel_load_take (NebulaKernel *self, NebulaValue *value, GError **error);
gboolean
_nebula_kernel_load_input (NebulaKernel *self, NebulaWork *work, GError **error);
/* Makes what nebula_kernel_freeze () gives. */
gboolean _nebula_kernel_freeze (NebulaKernel *self, NebulaWork *work, GError **error);
void _nebula_kernel_decide_node (NebulaKernel *self, NebulaLane *lane, guint32 node);
void _nebula_kernel_decide_guard (NebulaKernel *self, NebulaLane *lane, guint32 edge);
void _nebula_kernel_decide_need (NebulaKernel *self, NebulaLane *lane, guint32 node);
void _nebula_kernel_decide_loop (NebulaKernel *self, NebulaLane *lane, guint32 node);
void _nebula_kernel_decide_lane (NebulaKernel *self, NebulaLane *lane);
/* Whether the execution pauses before a node: it has a breakpoint, or comes after a step. */
gboolean _nebula_kernel_stops_before (NebulaKernel *self, NebulaWork *work);
/* Whether what the node gives was given, so that it has ended; or that is put off. Else its input may be another one now. */
gboolean _nebula_kernel_is_given (NebulaKernel *self, NebulaWork *work);
/* Starts what a node does, for its first attempt or a later one. */
void _nebula_kernel_begin (NebulaKernel *self, NebulaWork *work, guint attempt);
void _nebula_kernel_open_loop (NebulaKernel *self, NebulaWork *work, guint attempt);
/* Bodies of try and race. */
void _nebula_kernel_open_bodies (NebulaKernel *self, NebulaWork *work, guint attempt);
/* Also loops that were cancelled: what has to run runs, then the node ends. */
void _nebula_kernel_decide_bodies (NebulaKernel *self, NebulaWork *work);
/* Ends the lanes of a scope that is ending; TRUE: nothing keeps it from ending now. */
gboolean _nebula_kernel_end_rest (NebulaKernel *self, NebulaWork *work);
/* Ends a loop that has completed before its last rounds were over. */
void _nebula_kernel_clear_loop (NebulaKernel *self, NebulaWork *work);
void _nebula_kernel_decide_cancel (NebulaKernel *self, NebulaWork *work, guint attempt);
void _nebula_kernel_decide_add (NebulaKernel *self, NebulaWork *work, guint attempt);
/* Asks for the lock that a node wants; FALSE: it has to wait, or failed. */
gboolean _nebula_kernel_takes_lock (NebulaKernel *self, NebulaWork *work);
/* Records that a node completed; before that what undoes it, if something does. */
void _nebula_kernel_record_end (NebulaKernel *self, NebulaWork *work, NebulaFact *fact);
/* Puts the decision off if the kernel is on the loop and something undoes the node, so that its end might have to be put off:
 * for decisions that record something before it. */
gboolean _nebula_kernel_ends_elsewhere (NebulaKernel *self, NebulaWork *work);
/* Undoes what this lane has to undo, one at a time; FALSE: nothing is left. */
gboolean _nebula_kernel_undo_next (NebulaKernel *self, guint32 owner);
void _nebula_kernel_close_undo (NebulaKernel *self, NebulaLane *lane);
void _nebula_kernel_begin_wait (NebulaKernel *self, NebulaWork *work, guint attempt);
/* The time of a wait is over. */
void _nebula_kernel_end_wait (NebulaKernel *self, NebulaWork *work);
/* @fact: the one that says that it waits, as far as it is known. */
void _nebula_kernel_begin_approval (NebulaKernel *self,
                                    NebulaWork *work,
                                    NebulaFact *fact,
                                    NebulaValue *approval);
void _nebula_kernel_end_approval_time (NebulaKernel *self, NebulaWork *work);
void _nebula_kernel_decide_token (NebulaKernel *self, NebulaWork *work, guint attempt);
void _nebula_kernel_decide_call (NebulaKernel *self, NebulaWork *work, guint attempt);
void _nebula_kernel_post_end (NebulaKernel *self);
void _nebula_kernel_post_partings (NebulaKernel *self);
void _nebula_kernel_post_watch (NebulaKernel *self, NebulaWork *work);
void _nebula_kernel_post_lock (NebulaKernel *self, NebulaWork *work);
/* Nobody knows whether the attempt did its work. What may be repeated is; else the node's rule decides. */
void _nebula_kernel_handle_unknown (NebulaKernel *self,
                                    NebulaWork *work,
                                    guint attempt,
                                    NebulaValue *failure);
void
_nebula_kernel_end_by_signal (NebulaKernel *self, NebulaWork *work, NebulaValue *payload);
gboolean _nebula_kernel_is_true (NebulaValue *value, gboolean *ret_truth, GError **error);
/* Ends an attempt badly: it comes again by the retry policy, or the node fails for good. */
void _nebula_kernel_fail (NebulaKernel *self,
                          NebulaWork *work,
                          guint attempt,
                          NebulaValue *failure);
void _nebula_kernel_fail_error (NebulaKernel *self,
                                NebulaWork *work,
                                guint attempt,
                                const GError *error);
void _nebula_kernel_fail_for_good (NebulaKernel *self,
                                   NebulaWork *work,
                                   guint attempt,
                                   NebulaValue *failure);
/* The first or next attempt of an invoked action. */
void _nebula_kernel_ready (NebulaKernel *self, NebulaWork *work, guint attempt);
/* The evaluated `with` of a node-run, checked against the table of its action; NULL with error. */
NebulaValue *_nebula_kernel_resolve (NebulaKernel *self,
                                     NebulaWork *work,
                                     NebulaScopeEnvironment *environment,
                                     GError **error);
void _nebula_kernel_end_node (NebulaKernel *self,
                              NebulaWork *work,
                              guint attempt,
                              const char *port,
                              NebulaValue *value);

G_END_DECLS
