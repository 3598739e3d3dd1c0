/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-state-internal.h"

G_BEGIN_DECLS

NebulaLane *_nebula_lane_new (NebulaState *self, guint32 number, guint32 scope);
void _nebula_lane_free (NebulaState *self, NebulaLane *lane);
void _nebula_signal_free (gpointer data);
NebulaLoop *_nebula_loop_new (NebulaWork *work);
void _nebula_loop_begin_results (NebulaLoop *loop);
/* What a round works on: its item, or its items if they come in batches; NULL: nothing. */
NebulaValue *_nebula_loop_dup_item (NebulaLoop *loop, guint32 index);
void _nebula_loop_add_items (NebulaLoop *loop, NebulaValue *items);
void _nebula_loop_free (NebulaState *self, NebulaLoop *loop);
NebulaWork *_nebula_work_new (NebulaState *self, NebulaLane *lane, guint32 node);
/* Ends the activity of a run; the lane may become quiet. */
void _nebula_work_free (NebulaState *self, NebulaWork *work);
/* Moves a work between the counters of ready and waiting ones. */
void
_nebula_work_set_status (NebulaState *self, NebulaWork *work, NebulaNodeStatus status);
void _nebula_state_push_agenda (NebulaState *self,
                                NebulaAgendaKind kind,
                                NebulaLane *lane,
                                guint32 index);
/* Fires the nodes of a new lane that have no incoming connection. */
void _nebula_tokens_seed (NebulaState *self, NebulaLane *lane, gint64 time_usec);
/* Puts tokens on the outgoing edges of a run that has ended. */
void _nebula_tokens_leave (NebulaState *self,
                           NebulaLane *lane,
                           guint32 node,
                           gint64 time_usec);
/* Ends a run's activity: frees its work, sends its tokens, lets it fire again if tokens wait. */
void _nebula_tokens_end_work (NebulaState *self,
                              NebulaLane *lane,
                              guint32 node,
                              gint64 time_usec);
/* Cancels all that is active in a lane and below it; what has to run whatever happens stays. */
void _nebula_tokens_cancel_lane (NebulaState *self, NebulaLane *lane, gint64 time_usec);
/* Cancels one run. */
void
_nebula_scope_cancel_run (NebulaState *self, NebulaLane *lane, NebulaRun *run, gint64 time_usec);
/* Whether the bodies of a node are ended one by one, not all at once with it. */
gboolean _nebula_scope_ends_gently (NebulaState *self, NebulaLoop *loop);
/* Whether it must be decided if what is done is enough. */
gboolean _nebula_loop_wants_judgement (NebulaState *self, NebulaLoop *loop);
/* An open lane of a loop that has not been told yet to end; NULL: none. */
NebulaLane *_nebula_scope_find_going (NebulaState *self, NebulaLoop *loop);
void _nebula_tokens_guard (NebulaState *self,
                           NebulaLane *lane,
                           guint32 edge,
                           gboolean holds,
                           gint64 time_usec);
void _nebula_tokens_need (NebulaState *self,
                          NebulaLane *lane,
                          guint32 node,
                          gint64 need,
                          gint64 time_usec);
/* Puts a token behind those that wait; NULL: a skip. */
void _nebula_edge_push (NebulaEdgeState *edge, NebulaValue *value);
void _nebula_edge_clear (NebulaEdgeState *edge);
/* Puts a skip on an edge from which nothing came and nothing can come any more. */
void _nebula_tokens_skip_edge (NebulaState *self,
                               NebulaLane *lane,
                               guint32 edge,
                               gint64 time_usec);
/* After tokens have moved: joins in cycles that nothing can reach any more, and cycles that are quiet. */
void _nebula_cycles_settle (NebulaState *self, NebulaLane *lane, gint64 time_usec);

/* nebula-apply-scope.c: facts about loops, bodies and their lanes. */
void _nebula_apply_loop_opened (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_lane_opened (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_lane_closed (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_lane_cancelled (NebulaState *self,
                                   const NebulaFact *fact,
                                   NebulaLane *lane,
                                   NebulaRun *run);

/* nebula-apply-gate.c */
void _nebula_apply_started (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run);
void _nebula_apply_begun (NebulaState *self,
                          const NebulaFact *fact,
                          NebulaLane *lane,
                          NebulaRun *run);
void _nebula_apply_gate_asked (NebulaState *self,
                               const NebulaFact *fact,
                               NebulaLane *lane,
                               NebulaRun *run);
void _nebula_apply_gate_granted (NebulaState *self,
                                 const NebulaFact *fact,
                                 NebulaLane *lane,
                                 NebulaRun *run);
void _nebula_apply_gate_left (NebulaState *self,
                              const NebulaFact *fact,
                              NebulaLane *lane,
                              NebulaRun *run);
void _nebula_apply_batched (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run);
void _nebula_apply_paused (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run);
void _nebula_apply_resumed (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run);

/* nebula-apply-lock.c */
void _nebula_lock_free (gpointer lock);
/* Lets go of what a work holds or waits for; whoever comes next gets it. */
void _nebula_lock_release (NebulaState *self, NebulaWork *work);
void _nebula_apply_lock_asked (NebulaState *self,
                               const NebulaFact *fact,
                               NebulaLane *lane,
                               NebulaRun *run);
void _nebula_apply_loop_ending (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_loop_cleared (NebulaState *self,
                                 const NebulaFact *fact,
                                 NebulaLane *lane,
                                 NebulaRun *run);
void _nebula_apply_items_added (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
/* Sends the tokens of a node that has completed but stays active. */
void _nebula_tokens_pass (NebulaState *self,
                          NebulaLane *lane,
                          guint32 node,
                          gint64 time_usec);
/* Ends the activity of such a node. */
void _nebula_tokens_end_trailing (NebulaState *self,
                                  NebulaLane *lane,
                                  guint32 node,
                                  gint64 time_usec);

/* nebula-apply-other.c */
void _nebula_parting_free (gpointer parting);
/* Who holds a lock at a gate, within the execution. */
char *_nebula_work_dup_holder (NebulaState *self, NebulaWork *work);
/* It no longer waits for whom it waited; a child that it called is noted as left. */
void _nebula_work_stop_waiting (NebulaState *self, NebulaWork *work);
void _nebula_work_let_go (NebulaState *self, NebulaWork *work);
/* Arrays that are NULL while they are empty. */
NebulaValue *_nebula_array_with (NebulaValue *array, NebulaValue *item);
gboolean _nebula_array_has_text (NebulaValue *array, const char *text);
void _nebula_array_add_text (NebulaValue **array, const char *text);
void _nebula_array_remove_text (NebulaValue **array, const char *text);
void _nebula_apply_watched (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run);
void _nebula_apply_decided (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run);
void _nebula_apply_lock_granted (NebulaState *self,
                                 const NebulaFact *fact,
                                 NebulaLane *lane,
                                 NebulaRun *run);

/* nebula-apply-undo.c */
void _nebula_undo_free (gpointer undo);
NebulaUndo *_nebula_state_get_undo (NebulaState *self, gint64 number);
/* What a body kept is its surroundings' to undo from now on. */
void _nebula_undo_hand_over (NebulaState *self, NebulaLane *body);
void _nebula_apply_undo_kept (NebulaState *self,
                              const NebulaFact *fact,
                              NebulaLane *lane,
                              NebulaRun *run);
void _nebula_apply_undo_opened (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_undo_closed (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_given (NebulaState *self,
                          const NebulaFact *fact,
                          NebulaLane *lane,
                          NebulaRun *run);
void _nebula_apply_input_given (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_breakpoints (NebulaState *self,
                                const NebulaFact *fact,
                                NebulaLane *lane,
                                NebulaRun *run);
void _nebula_apply_set_value (NebulaValue **place, NebulaValue *value);

G_END_DECLS
