/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-blob-cache-internal.h"
#include "nebula-invocation.h"
#include "nebula-state-internal.h"

G_BEGIN_DECLS

/*
 * The kernel of one execution: (plan, state, stimulus) → (facts, commands).
 *
 * A stimulus records facts and applies them at once; nebula_kernel_turn () then takes what the state's agenda asks for
 * until nothing is due or the budget is spent. Facts collect in a unit that its owner commits; a command waits under
 * the sequence number of the fact that it follows from. It does no I/O, reads no clock and draws no random number.
 *
 * Nothing may keep the engine's loop for long, so the kernel can be told to work inline: then a decision whose evaluation
 * needs more than the inline fuel, or that works on a large value, is put off. It has recorded nothing, it stays in
 * front, and the turn answers HEAVY: the owner takes the whole kernel to a thread that may work for long, and turns it
 * there. A host callback may put a decision off as well, by the error NEBULA_KERNEL_WOULD_BLOCK: “not in this thread”.
 * What is recorded is the same wherever the kernel is turned.
 *
 * Thread: one at a time.
 */

#define NEBULA_KERNEL_WOULD_BLOCK G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK

typedef struct _NebulaKernel NebulaKernel;

typedef enum {
  NEBULA_TURN_IDLE,  /* nothing is due */
  NEBULA_TURN_MORE,  /* there is more to do; away from the loop also: the next decision must be taken there */
  NEBULA_TURN_HEAVY, /* the next decision must be taken away from the loop */
} NebulaTurn;

/* What the kernel needs of its owner: the effect of an action with the parameters that are set (-1 with error if they
 * are refused). Any but `recorded` may fail with NEBULA_KERNEL_WOULD_BLOCK. */
typedef struct {
  gint (*get_effect) (NebulaPlanNode *node,
                      const NebulaArguments *arguments,
                      gpointer data,
                      GError **error);
  /* Sees each fact after it was applied; may be NULL. */
  void (*recorded) (const NebulaFact *fact, gpointer data);
  gpointer data;
  /* The bytes of a blob of the store; NULL without error if there is none. May be NULL. */
  GBytes *(*read_blob) (const char *digest,
                        gboolean may_block,
                        gpointer data,
                        GError **error);
  NebulaBlobCache *cache; /* may be NULL: then nothing is spilled */
  /* The revision of the workflow with this name; NULL without error if there is none. May be NULL. */
  char *(*find_workflow) (const char *name,
                          gboolean may_block,
                          gpointer data,
                          GError **error);
  /* At least 32 characters that nobody can guess. May be NULL. */
  char *(*make_secret) (gpointer data);
} NebulaKernelHost;

/* A message to another execution, or to a gate: it belongs into the unit of the facts that it follows from. */
typedef struct {
  char *id;
  char *to; /* an execution; or a gate's key */
  gboolean is_gate;
  NebulaValue *payload; /* object with `kind` */
} NebulaPost;

/* What somebody says to an approval. */
typedef struct {
  const char *by;
  gboolean is_approval;
  const char *comment; /* may be NULL */
} NebulaDecision;

/* An attempt that should be started. It may begin once `sequence` is committed, or at once if `runs_ahead`. */
typedef struct {
  guint64 sequence;
  guint32 lane;
  guint32 node;
  guint32 firing;
  guint32 attempt;
  gboolean runs_ahead;
} NebulaCommand;

NebulaKernel *nebula_kernel_new (NebulaPlan *plan,
                                 const char *execution,
                                 const char *tenant,
                                 const NebulaKernelHost *host);
void nebula_kernel_free (NebulaKernel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaKernel, nebula_kernel_free)
NebulaState *nebula_kernel_get_state (NebulaKernel *self);
void nebula_kernel_set_host (NebulaKernel *self, const NebulaKernelHost *host);
/* Works inline with this fuel for one evaluation; 0, as at first: away from the loop, with the limit of
 * nebula_expression_limits_get (). */
void nebula_kernel_set_inline_fuel (NebulaKernel *self, guint64 fuel);
/* Whether a value (or NULL) is too large to be encoded, compared or copied on the loop. */
gboolean nebula_kernel_is_large (NebulaValue *value);
/* Goes on from another state of the same plan, which becomes its own: one that was read from a checkpoint. */
void nebula_kernel_take_state (NebulaKernel *self, NebulaState *state);
/* The status as others see it: running, suspended and paused are told apart. */
NebulaExecutionStatus nebula_kernel_get_status (NebulaKernel *self);

/* Stimuli. @now_usec: real time. Those that give a boolean “whether it is done” were put off with FALSE: some of it may
 * be recorded; the same call in the other place does the rest. What carries a value does not look how large it is, and
 * results and signals do all that they have to where they are called. */
/* Instead of the plan's own, before the start; 0: none. */
void nebula_kernel_set_timeout (NebulaKernel *self, gint64 timeout_usec);
void nebula_kernel_start (NebulaKernel *self,
                          NebulaValue *input,
                          NebulaValue *environment,
                          guint64 seed,
                          gint64 now_usec);
/* FALSE: the result is of an attempt that no longer counts, and changed nothing. */
gboolean nebula_kernel_result (NebulaKernel *self,
                               const NebulaCommand *attempt,
                               NebulaResult *result,
                               gint64 now_usec);
/* All timers that are due. Whether it is done. */
gboolean nebula_kernel_tick (NebulaKernel *self, gint64 now_usec);
void nebula_kernel_signal (NebulaKernel *self,
                           const char *name,
                           NebulaValue *value,
                           gint64 now_usec);
/* Asks it to end; @status is cancelled or timed-out. FALSE: it has ended already. */
gboolean nebula_kernel_cancel (NebulaKernel *self,
                               NebulaExecutionStatus status,
                               const char *reason,
                               gint64 now_usec);
gboolean nebula_kernel_cancel_node (NebulaKernel *self,
                                    guint32 lane,
                                    guint32 node,
                                    gint64 now_usec);
/* An active node, or a round (`each[3]`), by its path; what is active in a region. FALSE with error: there is none. */
gboolean nebula_kernel_cancel_at (NebulaKernel *self,
                                  const char *path,
                                  gint64 now_usec,
                                  GError **error);
gboolean nebula_kernel_cancel_region (NebulaKernel *self,
                                      const char *region,
                                      gint64 now_usec,
                                      GError **error);
/* Ends it at once: nothing is undone, no `finally` runs. FALSE: it has ended already. */
gboolean
nebula_kernel_terminate (NebulaKernel *self, const char *reason, gint64 now_usec);
/* @key: of the gate that lets it in; @round: how often it had left then. Whether that changed anything; what it no longer
 * wants is given back by a post. */
gboolean nebula_kernel_grant (NebulaKernel *self, const char *key, guint round, gint64 now_usec);
/* The gate has collected it: it ends as @execution does. */
gboolean nebula_kernel_tell_batch (NebulaKernel *self, const char *execution, gint64 now_usec);
/* Whether what is captured so has a gate in front of it. */
gboolean nebula_kernel_has_gates (NebulaPlan *plan, NebulaValue *environment);
/* What an execution that is about to start has to be captured with; it may work on the loop with @fuel (0: it is not there).
 * FALSE with error: there is none, or no integer. */
typedef struct {
  NebulaPlan *plan;
  const char *id;
  const char *tenant;
  NebulaValue *input;
  NebulaValue *captured;
  guint64 seed;
  guint64 fuel;
} NebulaOutset;
gboolean
nebula_kernel_find_priority (const NebulaOutset *outset, gint64 now_usec, gint64 *ret_priority, GError **error);
/* The gate that stands in front of it; NULL: none any more. */
const NebulaPlanGate *nebula_kernel_get_gate (NebulaKernel *self);
/* The gate does not let it in: it ends without having begun. Whether that changed anything. */
gboolean nebula_kernel_refuse_gate (NebulaKernel *self, gint64 now_usec);
/* Instead of what the plan says: it fails at once, because its input does not fit. */
void nebula_kernel_refuse (NebulaKernel *self, const GError *error, gint64 now_usec);
/* Messages of others; those that give a boolean tell whether that changed anything. */
/* @end: {execution, status, output | error} */
gboolean
nebula_kernel_tell_end (NebulaKernel *self, NebulaValue *end, gint64 now_usec);
/* @watcher wants to be told the end. */
gboolean nebula_kernel_watch (NebulaKernel *self, const char *watcher, gint64 now_usec);
/* The same of one that has ended already. */
void nebula_kernel_answer_watch (NebulaKernel *self,
                                 const char *watcher,
                                 const char *message_id);
/* @key: of the gate that has the lock. */
gboolean nebula_kernel_grant_lock (NebulaKernel *self,
                                   const char *key,
                                   const char *holder,
                                   gint64 now_usec);
/* FALSE with error: it is refused, and nothing has changed. @path: of the node; NULL: the only one that waits for it. */
gboolean nebula_kernel_decide_approval (NebulaKernel *self,
                                        const char *path,
                                        const NebulaDecision *decision,
                                        gint64 now_usec,
                                        GError **error);
gboolean nebula_kernel_answer (NebulaKernel *self,
                               const char *token,
                               NebulaValue *value,
                               gint64 now_usec,
                               GError **error);
void nebula_kernel_pause (NebulaKernel *self, const char *reason, gint64 now_usec);
/* If it is not done, nebula_kernel_restart () does the rest. */
gboolean nebula_kernel_resume (NebulaKernel *self, gint64 now_usec);
/* After a fold: what was in flight is started again, or its outcome is unknown. As nebula_kernel_resume (). */
gboolean nebula_kernel_recover (NebulaKernel *self, gint64 now_usec);
gboolean nebula_kernel_restart (NebulaKernel *self, gint64 now_usec);

/* Takes agenda items until nothing is due, about @budget facts were recorded, or an item was put off. */
NebulaTurn nebula_kernel_turn (NebulaKernel *self, guint budget, gint64 now_usec);

/* What was recorded since the last call: the encoded facts; NULL if none. */
GBytes *nebula_kernel_take_facts (NebulaKernel *self, guint64 *ret_n_facts);
/* What these facts imply for others, NebulaPost; NULL if nothing. */
GPtrArray *nebula_kernel_take_posts (NebulaKernel *self);
gboolean nebula_kernel_has_posts (NebulaKernel *self);
/* Blobs that came with these facts and belong into their unit, NebulaBlob; NULL if none. They are held in the cache,
 * and whoever takes them releases them there when the unit is answered. */
GPtrArray *nebula_kernel_take_blobs (NebulaKernel *self);
/* Digests of blobs of actions that these facts name first, char *; NULL if none. */
GPtrArray *nebula_kernel_take_blob_uses (NebulaKernel *self);
guint nebula_kernel_get_n_facts (NebulaKernel *self);
gsize nebula_kernel_get_n_bytes (NebulaKernel *self);
/* Commands in order; the array is the kernel's and is emptied by whoever takes them over. */
GArray *nebula_kernel_get_commands (NebulaKernel *self);
/* Whether an attempt still is what its node wants. */
gboolean nebula_kernel_is_current (NebulaKernel *self, const NebulaCommand *attempt);
/* Whether the result of a running attempt would still count (also while paused). */
gboolean nebula_kernel_wants_result (NebulaKernel *self, const NebulaCommand *attempt);
/* A command that will not run: its node-run surely did not start. */
void nebula_kernel_withdraw (NebulaKernel *self,
                             const NebulaCommand *attempt,
                             gint64 now_usec);
/* Resolves the parameters of an attempt if they are not; FALSE with error if they do not resolve as before, or with
 * NEBULA_KERNEL_WOULD_BLOCK if it must be done away from the loop. */
gboolean nebula_kernel_resolve (NebulaKernel *self, const NebulaCommand *attempt, GError **error);
/* The work of an attempt that now begins, with its parameters resolved; NULL as nebula_kernel_resolve (). */
NebulaWork *
nebula_kernel_prepare (NebulaKernel *self, const NebulaCommand *attempt, GError **error);
/* What names a node-run; the idempotency key is its SHA-256. */
char *nebula_kernel_dup_identity (NebulaKernel *self, NebulaWork *work);
/* Real time of the next timer; 0: none. */
gint64 nebula_kernel_get_next_due (NebulaKernel *self);
/* Whether values above 64 KiB and long loops go into blobs; not by default. */
void nebula_kernel_set_spills (NebulaKernel *self, gboolean spills);
/* What the host's read_blob is told; TRUE by default. */
void nebula_kernel_set_may_block (NebulaKernel *self, gboolean may_block);
/* @value with all that is stored read; a new reference, NULL with error. */
NebulaValue *nebula_kernel_load (NebulaKernel *self, NebulaValue *value, GError **error);
/* Bytes that loading @value would read, about. */
guint64 nebula_kernel_get_stored_bytes (NebulaValue *value);
/* The input of a work that was prepared; borrowed. */
NebulaValue *nebula_kernel_get_input (NebulaWork *work);
/* Late expressions evaluated by an invoked action find their names here, as long as the work lives. */
void nebula_kernel_fill_arguments (NebulaKernel *self,
                                   NebulaWork *work,
                                   NebulaArguments *ret_arguments);
/* Whether the end of a node has to evaluate something: results and signals for it are too heavy for the loop. */
gboolean nebula_kernel_evaluates_at_end (NebulaPlan *plan, guint32 node);
/* The names that the late expressions of a node use, with the values that they had when it was prepared; full, once for
 * each time; NULL: it has none. */
struct _NebulaFrozen *nebula_kernel_freeze (NebulaKernel *self, NebulaWork *work);
/* The run object of DESIGN.md section 14; what is stored stands in it as references. */
NebulaValue *nebula_kernel_report (NebulaKernel *self);
/* Why it does not go on: an array of {node, reason, since, …}. */
NebulaValue *nebula_kernel_explain (NebulaKernel *self);

G_END_DECLS
