/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"
#include "nebula-heap-internal.h"
#include "nebula-journal-internal.h"
#include "nebula-kernel-internal.h"
#include "nebula-mailbox-internal.h"
#include "nebula-scope.h"

G_BEGIN_DECLS

/*
 * The engine is a thin face; the work is done by
 *   nebula-instance.c   one execution in memory: turns, units, commits
 *   nebula-runner.c     attempts: starts actions, takes their results
 *   nebula-scheduler.c  the run queue, the timers, the one source of the engine's loop
 *   nebula-recovery.c   loads executions from the store
 *   nebula-sleepers.c   waiting executions that are not in memory
 *   nebula-narrator.c   events out of committed facts
 *   nebula-gatekeeper.c gates: concurrency keys
 *   nebula-spilled.c    stored values: what the kernel reads, what goes into units
 *   nebula-execution.c  the handle
 */

#define NEBULA_RUN_AHEAD_FACTS 4096
#define NEBULA_RUN_AHEAD_BYTES (1024 * 1024)
#define NEBULA_TURN_USEC       1000
#define NEBULA_CACHED_BYTES    (32 * 1024 * 1024) /* of stored values that were used last */

/*
 * Loading an execution reads its last checkpoint and the segments since. A unit carries a new checkpoint when the
 * segments since the last one exceed half its size, so checkpoints never cost more than a constant times the facts, and
 * loading never more than one and a half times the checkpoint. Few facts are folded faster than a checkpoint is
 * written: below these sizes there is none. An execution that comes to rest may be loaded again and again, once a wake,
 * so it gets one sooner; it rides in the unit that brings it to rest, costs no sync of its own, and a sleeper of a
 * handful of facts never has any.
 */
#define NEBULA_CHECKPOINT_BYTES      (64 * 1024)
#define NEBULA_CHECKPOINT_REST_BYTES (4 * 1024)

typedef struct _NebulaInstance NebulaInstance;
typedef struct _NebulaSleeper NebulaSleeper;

/* A place in the heap of wakes: an instance's or a sleeper's. */
typedef struct {
  NebulaHeapEntry entry;
  gboolean is_sleeper;
} NebulaWake;

struct _NebulaEngine {
  GObject parent_instance;

  GMainContext *context;
  NebulaActionResolver *resolver;
  NebulaStore *store;
  NebulaClock *clock;
  NebulaEventBus *bus;
  NebulaScope *scope; /* ends when the engine stops; outside of those of its executions */
  NebulaJournal *journal;
  NebulaMailbox *mailbox; /* results of attempts */
  NebulaBlobCache *blobs; /* stored values that are in memory */
  GHashTable *instances;  /* id → NebulaInstance (owned) */
  GHashTable *plans;      /* hash → NebulaPlan */
  GHashTable *stored;     /* hashes of definitions that the store has */
  GHashTable *sleepers;   /* id → NebulaSleeper: waiting executions that left memory */
  GPtrArray *sleeper_blocks;
  NebulaSleeper *free_sleepers;
  guint n_slept; /* since memory was given back */
  GHashTable *gates;      /* key → NebulaGate */
  GQueue run_queue;       /* NebulaInstance that want a turn */
  NebulaHeap wakes;       /* real time: instances and sleepers with a timer */
  NebulaHeap deadlines;   /* monotonic time: attempts with a time-out */
  GSource *turn_source;   /* ready while the run queue holds anybody */
  GSource *timer_source;  /* NULL: nothing is due */
  gint64 timer_usec;
  guint max_nodes, max_connections; /* of a workflow that is deployed; 0: the default */
  gboolean is_stopped;
  gboolean is_sealed;    /* the store failed for good */
  gboolean has_listener; /* somebody hears events; asked once a turn */
};

/* An event that is told when its fact is committed. */
typedef struct {
  guint64 sequence;
  NebulaEvent *event;
} NebulaPendingEvent;

/* Somebody who is answered when a fact is committed. */
typedef struct {
  guint64 sequence;
  GTask *task;
} NebulaWaiter;

struct _NebulaInstance {
  NebulaEngine *engine;
  char *id;
  char *tenant;
  NebulaPlan *plan;
  NebulaKernel *kernel;
  NebulaDurability durability;
  NebulaExecutionStatus committed_status;
  guint64 committed; /* sequence */
  guint64 submitted;
  gsize ahead_bytes; /* of units that are not committed */
  guint n_units;     /* in the journal */
  guint64 checkpoint;      /* sequence that the last checkpoint holds; 0: there is none */
  gsize checkpoint_bytes;  /* its size */
  gsize segment_bytes;     /* of the segments since */
  guint64 epoch;
  gint64 created_usec;
  GQueue attempts; /* NebulaAttempt that run */
  guint32 n_cancelled_seen;
  GArray *pending_events; /* NebulaPendingEvent, in order of their facts */
  GPtrArray *consumed;    /* ids of messages that the next unit uses up */
  GPtrArray *messages;    /* NebulaMessage that the next unit sends */
  GQueue waiters;         /* NebulaWaiter, by sequence */
  GPtrArray *end_waiters; /* GTask that wait for the end */
  GList run_link;         /* in run_queue while wants_turn */
  NebulaWake wake;
  gboolean wants_turn;
  gboolean is_held_back;   /* too far ahead of its commits: the next one brings it back */
  gboolean is_dropped;     /* no longer in instances; freed when its units are answered */
  gboolean is_asking_gate; /* a message to its gate is on the way */
  gboolean is_from_store;  /* loaded, and nothing that ran before was taken up yet */
  NebulaExecution *handle; /* the one handle, not owned; NULL if nobody holds one */
  NebulaScope *scope;      /* NULL until somebody asks; ends with the execution, or when it leaves memory */
};

/* A waiting execution that is not in memory. */
struct _NebulaSleeper
{
  NebulaWake wake; /* first */
  NebulaSleeper *next_free;
  char *long_id; /* an id that does not fit below; else NULL */
  char short_id[32];
};

typedef struct {
  NebulaInstance *instance; /* NULL once the instance is gone */
  NebulaEngine *engine;
  NebulaMailbox *mailbox; /* the engine's; outlives all attempts */
  NebulaCommand command;
  NebulaInvocation *invocation;
  NebulaAction *action;
  NebulaHeapEntry deadline;
  GList link; /* in instance->attempts */
  gboolean is_abandoned;
} NebulaAttempt;

/* nebula-engine.c */
NebulaPlan *_nebula_engine_deploy_limited (NebulaEngine *self,
                                           NebulaWorkflow *workflow,
                                           guint max_nodes,
                                           guint max_connections,
                                           GPtrArray *diagnostics,
                                           GError **error);

/* nebula-instance.c */
NebulaInstance *_nebula_instance_new (NebulaEngine *engine,
                                      const char *id,
                                      const char *tenant,
                                      NebulaPlan *plan);
void _nebula_instance_free (NebulaInstance *self);
void _nebula_instance_set_durability (NebulaInstance *self, NebulaDurability durability);
/* Asks for a turn. */
void _nebula_instance_wake (NebulaInstance *self);
/* One turn: decisions, commands, a unit. */
void _nebula_instance_turn (NebulaInstance *self);
/* The task is answered when all that is recorded so far is committed. */
void _nebula_instance_add_waiter (NebulaInstance *self, GTask *task);
gboolean _nebula_instance_is_durable (NebulaInstance *self);
/* Drops it from memory without a trace: another owner has it, or the engine stops. */
void _nebula_instance_drop (NebulaInstance *self, const GError *error);

NebulaScope *_nebula_instance_get_scope (NebulaInstance *self);
/* Lets it leave memory if nobody needs it there. */
void _nebula_instance_settle (NebulaInstance *self);

/* nebula-runner.c */
gint _nebula_runner_get_effect (NebulaPlanNode *node,
                                const NebulaArguments *arguments,
                                gpointer data,
                                GError **error);
void _nebula_runner_start (NebulaInstance *instance, const NebulaCommand *command);
/* Cancels attempts whose node no longer wants them. */
void _nebula_runner_sweep (NebulaInstance *instance);
void _nebula_runner_abandon_all (NebulaInstance *instance);
void _nebula_runner_receive (gpointer letter, gpointer user_data);
void _nebula_runner_discard (gpointer letter);
void _nebula_runner_time_out (NebulaAttempt *attempt);

/* nebula-scheduler.c */
void _nebula_scheduler_start (NebulaEngine *engine);
void _nebula_scheduler_stop (NebulaEngine *engine);
void _nebula_scheduler_push (NebulaEngine *engine, NebulaInstance *instance);
void _nebula_scheduler_remove (NebulaEngine *engine, NebulaInstance *instance);
/* Sets the loop's timer to the earliest of wakes and deadlines. */
void _nebula_scheduler_arm (NebulaEngine *engine);
/* @real_usec 0: no timer. */
void
_nebula_scheduler_set_wake (NebulaEngine *engine, NebulaWake *wake, gint64 real_usec);

/* nebula-recovery.c */
NebulaPlan *
_nebula_recovery_load_plan (NebulaEngine *engine, const char *hash, GError **error);
GBytes *_nebula_recovery_pack_definition (NebulaPlan *plan);
/* Loads an execution into memory as it is in the store; does not resume it. */
NebulaInstance *
_nebula_recovery_load (NebulaEngine *engine, const char *id, GError **error);
/* Lets it go on after a pause, or after the engine that ran it went away. */
void _nebula_recovery_take_up (NebulaInstance *instance);
/* A waiting instance that nobody holds leaves memory. */
void _nebula_recovery_put_to_sleep (NebulaInstance *instance);
void _nebula_recovery_wake_sleeper (NebulaEngine *engine, NebulaSleeper *sleeper);

/* nebula-sleepers.c */
void _nebula_sleepers_init (NebulaEngine *engine);
void _nebula_sleepers_clear (NebulaEngine *engine);
void _nebula_sleepers_add (NebulaEngine *engine, const char *id, gint64 wake_usec);
void _nebula_sleepers_remove (NebulaEngine *engine, NebulaSleeper *sleeper);
const char *_nebula_sleeper_get_id (NebulaSleeper *sleeper);

/* nebula-narrator.c */
void _nebula_narrator_recorded (const NebulaFact *fact, gpointer data);
void _nebula_narrator_publish (NebulaInstance *instance);
void _nebula_narrator_tell (NebulaInstance *instance,
                            const char *topic,
                            const char *node,
                            NebulaValue *data);

/* nebula-gatekeeper.c */
/* Adds to the next unit what the execution has to tell its gate. */
void _nebula_gatekeeper_attach (NebulaInstance *instance);
/* Committed messages go to whom they are for. */
void _nebula_gatekeeper_deliver (NebulaEngine *engine, GPtrArray *messages);
gboolean _nebula_gatekeeper_recover (NebulaEngine *engine, GError **error);
void _nebula_gate_free (gpointer data);

/* nebula-spilled.c */
NebulaKernelHost _nebula_spilled_make_host (NebulaInstance *instance);
/* Puts what the kernel spilled into the unit of its facts; their bytes are held until it is released. */
void _nebula_spilled_attach (NebulaInstance *instance, NebulaUnit *unit);
void _nebula_spilled_release (NebulaEngine *engine, const NebulaUnit *unit);
/* Bytes of a unit that count as run ahead. */
gsize _nebula_spilled_get_size (const NebulaUnit *unit);

/* nebula-execution.c */
NebulaExecution *_nebula_execution_get_for (NebulaInstance *instance);
/* The instance leaves memory under its handle. */
void _nebula_execution_detach (NebulaInstance *instance);

G_END_DECLS
