/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-cache.h"
#include "nebula-engine.h"
#include "nebula-executor.h"
#include "nebula-gate-internal.h"
#include "nebula-heap-internal.h"
#include "nebula-journal-internal.h"
#include "nebula-kernel-internal.h"
#include "nebula-mailbox-internal.h"
#include "nebula-peers-private.h"
#include "nebula-scope.h"
#include "nebula-sync-internal.h"

G_BEGIN_DECLS

/*
 * The engine is a thin face; the work is done by
 *   nebula-deploy.c     workflows that can be started
 *   nebula-revisions.c  those that the store has, in all their revisions
 *   nebula-publish.c    how new revisions get there
 *   nebula-start.c      how executions begin
 *   nebula-rerun.c      executions that begin where an earlier one has been
 *   nebula-once.c       starts with an idempotency key
 *   nebula-instance.c   one execution in memory: turns, units, commits
 *   nebula-away.c       what happens to it in order, and turns that are too heavy for the loop
 *   nebula-runner.c     attempts: starts actions, takes their results
 *   nebula-guard.c      what a policy puts in front of attempts: limits, breakers, bulkheads, hedges
 *   nebula-scheduler.c  the run queue, the timers, the one source of the engine's loop
 *   nebula-recovery.c   from the store into memory and out of it again
 *   nebula-loader.c     loads many executions at once, off the loop
 *   nebula-sleepers.c   waiting executions that are not in memory
 *   nebula-narrator.c   events out of committed facts
 *   nebula-janitor.c    lets go of what need not stay
 *   nebula-teller.c     the facts of an execution in the store, one after the other
 *   nebula-history-page.c  histories in pages
 *   nebula-event-reader.c  events from a position on
 *   nebula-gatekeeper.c gates: concurrency keys, locks
 *   nebula-batches.c    what a gate has collected becomes one execution
 *   nebula-post.c       messages between executions and gates
 *   nebula-children.c   executions that others have called
 *   nebula-peers.c      other engines over the same store, and who owns which shard
 *   nebula-ask.c        what callers ask of an execution, and the answer after the commit
 *   nebula-spilled.c    stored values: what the kernel reads, what goes into units
 *   nebula-execution.c  the handle
 *   nebula-text.c       the words by which it is found
 *   nebula-steer.c      what operators ask of it
 *   nebula-why.c        why it does not go on
 */

#define NEBULA_RUN_AHEAD_FACTS 4096
#define NEBULA_RUN_AHEAD_BYTES (1024 * 1024)
#define NEBULA_TURN_USEC       1000
#define NEBULA_TURN_FACTS      1024
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
typedef struct _NebulaStimulus NebulaStimulus;
typedef struct _NebulaAwayJob NebulaAwayJob;
typedef struct _NebulaAttempt NebulaAttempt;
typedef struct _NebulaAsk NebulaAsk;
typedef struct _NebulaGate NebulaGate;
typedef struct _NebulaPass NebulaPass;
typedef struct _NebulaOnce NebulaOnce;
typedef struct _NebulaJanitor NebulaJanitor;

/* What the engine has done so far. */
typedef struct {
  guint64 n_pieces;    /* of work that the loop has done: turns, timers, letters, commits */
  guint64 n_long;      /* that took more than 200 µs */
  gint64 longest_usec;
  const char *longest_what; /* NULL: none */
  guint64 n_away;      /* turns on the executor */
  guint64 n_loads;     /* executions out of the store */
  guint64 n_load_jobs; /* batches of them */
  guint64 n_started;   /* executions; committed, as are the ends */
  guint64 n_ended[NEBULA_EXECUTION_STATUS_TIMED_OUT + 1]; /* by status */
} NebulaEngineStatistics;

typedef struct _NebulaLoad NebulaLoad;

/* What a state was folded from. */
typedef struct {
  guint64 checkpoint; /* the fact that it holds; 0: none */
  gsize checkpoint_bytes;
  gsize segment_bytes; /* of the segments since */
} NebulaFolded;

/* Called on the loop; @instance is NULL with @error. It stays only if it is given something to do, or a handle. */
typedef void (*NebulaLoaded) (NebulaEngine *engine,
                              const char *id,
                              NebulaInstance *instance,
                              const GError *error,
                              gpointer data);

/* What comes to the loop from other threads, by the engine's mailbox; the first member of each letter. */
typedef struct {
  const char *name; /* for the watchdog */
  void (*receive) (gpointer letter);
  void (*discard) (gpointer letter); /* the engine has stopped */
} NebulaLetterClass;

typedef struct {
  const NebulaLetterClass *klass;
} NebulaLetter;

/* A place in the heap of wakes: an instance's or a sleeper's. */
typedef struct {
  NebulaHeapEntry entry;
  gboolean is_sleeper;
  gboolean is_gate;
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
  NebulaMailbox *mailbox; /* of NebulaLetter */
  NebulaBlobCache *blobs; /* stored values that are in memory */
  NebulaBudget *budget;   /* NULL: none */
  gint64 intake_usec;     /* monotonic: when the next execution may start under high pressure */
  NebulaExecutor *executor; /* for heavy turns */
  guint64 inline_fuel;      /* of one evaluation on the loop */
  GMutex away_lock;         /* guards n_away, and is_finished of each job */
  GCond away_done;
  guint n_away; /* jobs that are not finished, of loads as well */
  NebulaExecutor *readers; /* of the store */
  GHashTable *loads;       /* id → NebulaLoad (owned) */
  GQueue load_queue;       /* NebulaLoad that no reader has yet */
  guint n_load_jobs;       /* that the readers have */
  NebulaEngineStatistics statistics;
  NebulaMetrics *metrics; /* NULL until somebody asks */
  guint collector;
  GHashTable *instances;  /* id → NebulaInstance (owned) */
  NebulaPeers *peers;     /* what it shares with other engines over its store, plans too */
  NebulaEngine *peer;     /* only while it is made: the one beside it */
  GHashTable *stored;     /* hashes of definitions that the store has */
  GHashTable *sleepers;   /* id → NebulaSleeper: waiting executions that left memory */
  GPtrArray *sleeper_blocks;
  GPtrArray *pages;       /* of histories, from which the next page goes on; NULL: none */
  NebulaJanitor *janitor; /* NULL: everything stays */
  GPtrArray *followers;   /* NebulaEventReader that wait for a commit; NULL: none */
  NebulaSleeper *free_sleepers;
  guint n_slept; /* since memory was given back */
  GHashTable *gates;      /* key → NebulaGate */
  NebulaIdempotency *idempotency; /* NULL until somebody asks */
  GHashTable *onces;      /* key → NebulaInstance whose start is not committed; NULL: there was none */
  GHashTable *guards;     /* key → NebulaGuard; NULL: no node had a policy yet */
  GQueue run_queue;       /* NebulaInstance that want a turn */
  NebulaHeap wakes;       /* real time: instances and sleepers with a timer */
  NebulaHeap deadlines;   /* monotonic time: attempts with a time-out */
  GSource *turn_source;   /* ready while the run queue holds anybody */
  GSource *timer_source;  /* NULL: nothing is due */
  gint64 timer_usec;
  guint max_nodes, max_connections; /* of a workflow that is deployed; 0: the default */
  gboolean is_stopped;
  gboolean is_sealed;    /* the store failed for good */
  gboolean is_unhurried; /* for simulations: nothing depends on how fast the machine is */
  guint n_left; /* engines that had left when it looked into the inboxes last */
  gboolean has_picked_up[NEBULA_N_SHARDS]; /* what lay in the inboxes when it took the shard */
  gboolean has_full_text; /* the store has */
  gboolean has_listener; /* somebody hears events; asked once a turn */
};

/* Something that happens to an execution. */
typedef struct {
  /* Touches nothing but the kernel and its data: it may run on the executor. FALSE: the kernel put it off, so it must be
   * applied again in the other place. */
  gboolean (*apply) (NebulaKernel *kernel, gint64 now_usec, gpointer data);
  /* On the loop, once it is applied; or with an error instead, if the instance is dropped. May be NULL. */
  void (*answer) (NebulaInstance *instance, const GError *error, gpointer data);
  GDestroyNotify free; /* may be NULL */
} NebulaStimulusClass;

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
  GPtrArray *pinned;      /* NebulaPlan whose definitions the first unit brings; NULL: its own only */
  GQueue waiters;         /* NebulaWaiter, by sequence */
  GPtrArray *end_waiters; /* GTask that wait for the end */
  GList run_link;         /* in run_queue while wants_turn */
  NebulaWake wake;
  GQueue stimuli;         /* NebulaStimulus that wait, in order */
  NebulaAwayJob *away_job; /* while away */
  GArray *away_events;    /* NebulaPendingEvent of a turn away; that turn's */
  guint64 away_topics;    /* which facts somebody wants to hear of while it is away */
  gboolean is_away;       /* the kernel is on the executor: the loop does not touch it */
  gboolean is_tick_queued;
  gboolean is_resolving;  /* commands wait until their parameters are resolved away */
  gboolean wants_turn;
  gboolean is_held_back;   /* too far ahead of its commits: the next one brings it back */
  gboolean is_dropped;     /* no longer in instances; freed when its units are answered */
  gboolean is_from_store;  /* loaded, and nothing that ran before was taken up yet */
  NebulaExecution *handle; /* the one handle, not owned; NULL if nobody holds one */
  NebulaOnce *once;        /* it was started with a key, and that is not committed yet; else NULL */
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

struct _NebulaAttempt {
  NebulaInstance *instance; /* NULL once the instance is gone */
  NebulaEngine *engine;
  NebulaMailbox *mailbox; /* the engine's; outlives all attempts */
  NebulaCommand command;
  NebulaInvocation *invocation;
  NebulaAction *action;
  NebulaHeapEntry deadline;
  GList link; /* in instance->attempts */
  NebulaPass *pass; /* of its node's policy; NULL: it has none, or its instance is gone */
  gboolean is_abandoned;
};

/* nebula-deploy.c */
NebulaPlan *_nebula_engine_deploy_limited (NebulaEngine *self,
                                           NebulaWorkflow *workflow,
                                           guint max_nodes,
                                           guint max_connections,
                                           GPtrArray *diagnostics,
                                           GError **error);

/* The links that an execution of @plan captures, or NULL; @ret_plans takes it and all that it may call. */
NebulaValue *
_nebula_engine_pin (NebulaEngine *self, NebulaPlan *plan, GPtrArray *ret_plans);
/* A new reference, or NULL. Thread: any. */
NebulaPlan *_nebula_engine_find_plan (NebulaEngine *self, const char *hash);
NebulaPlan *_nebula_engine_find_name (NebulaEngine *self, const char *name);
/* What flow.call finds by its name from now on. */
void _nebula_engine_remember_name (NebulaEngine *self, NebulaPlan *plan);
NebulaPlan *_nebula_engine_relink (NebulaEngine *self,
                                   NebulaPlan *plan,
                                   NebulaValue *links,
                                   GError **error);

/* nebula-once.c */
/* Both stay NULL if the start has no key. @ret_execution: it was started before; else @ret_once is to be taken. */
gboolean _nebula_once_find (NebulaEngine *engine,
                            NebulaPlan *plan,
                            NebulaValue *input,
                            NebulaValue *options,
                            NebulaOnce **ret_once,
                            NebulaExecution **ret_execution,
                            GError **error);
void _nebula_once_free (NebulaOnce *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaOnce, _nebula_once_free)
/* Takes @once. */
void _nebula_once_take (NebulaInstance *instance, NebulaOnce *once);
/* Puts the record into the unit of the start. */
void _nebula_once_attach (NebulaInstance *instance, NebulaUnit *unit);
/* It is committed, or the instance goes. */
void _nebula_once_forget (NebulaInstance *instance);

/* nebula-instance.c */
/* Takes @kernel; NULL for a new one. */
NebulaInstance *_nebula_instance_new (NebulaEngine *engine,
                                      const char *id,
                                      const char *tenant,
                                      NebulaPlan *plan,
                                      NebulaKernel *kernel);
void _nebula_instance_free (NebulaInstance *self);
void _nebula_instance_set_durability (NebulaInstance *self, NebulaDurability durability);
/* Asks for a turn. */
void _nebula_instance_wake (NebulaInstance *self);
/* One turn: decisions, commands, a unit. */
void _nebula_instance_turn (NebulaInstance *self);
/* What follows from the decisions of a turn, wherever they were taken. */
void _nebula_instance_end_turn (NebulaInstance *self, NebulaTurn turn);
/* Gives back a unit, or what counts as one so that @self stays while somebody is answered. */
void _nebula_instance_release (NebulaInstance *self);
/* Timers that are due. */
void _nebula_instance_tick (NebulaInstance *self);
/* The task is answered when all that is recorded so far is committed. */
void _nebula_instance_add_waiter (NebulaInstance *self, GTask *task);
gboolean _nebula_instance_is_durable (NebulaInstance *self);
/* Drops it from memory without a trace: another owner has it, or the engine stops. */
void _nebula_instance_drop (NebulaInstance *self, const GError *error);

NebulaScope *_nebula_instance_get_scope (NebulaInstance *self);
/* Lets it leave memory if nobody needs it there. */
void _nebula_instance_settle (NebulaInstance *self);

/* nebula-away.c */
/* Whether the kernel is at home and nothing waits: a light stimulus may be applied directly. */
gboolean _nebula_away_is_free (NebulaInstance *self);
/* Takes @data. @is_heavy: do not try on the loop. */
void _nebula_away_stimulate (NebulaInstance *self,
                             const NebulaStimulusClass *klass,
                             gpointer data,
                             gboolean is_heavy);
/* A job that the engine waits for when it stops. */
void _nebula_away_begin (NebulaEngine *engine);
/* From any thread: @is_finished (or NULL) is set and the letter posted as one. */
void
_nebula_away_finish (NebulaEngine *engine, gboolean *is_finished, gpointer letter);
/* Applies what waits; TRUE: the next one must be applied away. */
gboolean _nebula_away_drain (NebulaInstance *self);
/* Takes the kernel away for the stimulus at the head of the queue, if there is one, and a turn. */
void _nebula_away_send (NebulaInstance *self);
/* Blocks until the turn away is over; the kernel may then be read. */
void _nebula_away_wait (NebulaInstance *self);
void _nebula_away_wait_for_all (NebulaEngine *engine);
void _nebula_away_clear (NebulaInstance *self, const GError *error);

/* nebula-runner.c */
gint _nebula_runner_get_effect (NebulaPlanNode *node,
                                const NebulaArguments *arguments,
                                gpointer data,
                                GError **error);
/* FALSE: the parameters must be resolved away first. */
gboolean _nebula_runner_start (NebulaInstance *instance, const NebulaCommand *command);
/* Cancels attempts whose node no longer wants them. */
void _nebula_runner_sweep (NebulaInstance *instance);
void _nebula_runner_abandon_all (NebulaInstance *instance);
void _nebula_runner_time_out (NebulaAttempt *attempt);

/* What an attempt is called with; borrowed. */
typedef struct {
  NebulaValue *parameters;
  NebulaValue *input;
  const char *identity; /* NULL: it needs none */
} NebulaCall;

/* Calls the action of an attempt that waited for its policy. */
void _nebula_runner_launch (NebulaAttempt *attempt, const NebulaCall *call);
/* A second attempt of the same command, for the same pass. Takes @action. */
NebulaAttempt *_nebula_runner_double (NebulaAttempt *attempt, NebulaAction *action);
/* Ends an attempt that was never made. */
void _nebula_runner_refuse (NebulaAttempt *attempt, const GError *error, gboolean is_starting);
void _nebula_runner_abandon (NebulaAttempt *attempt);

/* nebula-guard.c */
/* How many actions an attempt of a node may need besides its own. */
guint _nebula_guard_count_spares (NebulaPlanNode *node, NebulaEffect effect);
/* Lets an attempt begin as its node's policy allows: now, later, or never. Takes @spares (NebulaAction). */
void _nebula_guard_begin (NebulaAttempt *attempt, const NebulaCall *call, GPtrArray *spares);
/* An attempt has its result: whether it is the one that counts. */
gboolean _nebula_guard_end (NebulaAttempt *attempt, NebulaResult *result);
/* The attempt is over in every way, or its instance is gone. */
void _nebula_guard_release (NebulaAttempt *attempt);
void _nebula_guard_free (gpointer data);

/* After a commit, before the instance takes the status on. */
void _nebula_meter_note (NebulaInstance *instance, NebulaExecutionStatus status);
void _nebula_meter_stop (NebulaEngine *self);

/* nebula-scheduler.c */
void _nebula_scheduler_start (NebulaEngine *engine);
void _nebula_scheduler_stop (NebulaEngine *engine);
void _nebula_scheduler_push (NebulaEngine *engine, NebulaInstance *instance);
void _nebula_scheduler_remove (NebulaEngine *engine, NebulaInstance *instance);
/* Measures a piece of work that began at a monotonic time; gives the time now. */
gint64
_nebula_watchdog_note (NebulaEngine *engine, const char *what, gint64 start_usec);
/* Lets the turn source look at what there is to do. */
void _nebula_scheduler_poke (NebulaEngine *engine);
/* Sets the loop's timer to the earliest of wakes and deadlines. */
void _nebula_scheduler_arm (NebulaEngine *engine);
/* @real_usec 0: no timer. */
void
_nebula_scheduler_set_wake (NebulaEngine *engine, NebulaWake *wake, gint64 real_usec);

/* nebula-recovery.c */
NebulaPlan *
_nebula_recovery_load_plan (NebulaEngine *engine, const char *hash, GError **error);
GBytes *_nebula_recovery_pack_definition (NebulaPlan *plan);
/* Folds a history into a new kernel and checks that it is whole. Thread: any. */
gboolean _nebula_recovery_fold (NebulaStore *store,
                                NebulaKernel *kernel,
                                NebulaPlan *plan,
                                const NebulaHistory *history,
                                NebulaFolded *ret_folded,
                                GError **error);
/* Puts a folded execution into memory. Takes @kernel. */
NebulaInstance *_nebula_recovery_take_in (NebulaEngine *engine,
                                          NebulaHeader *header,
                                          NebulaPlan *plan,
                                          NebulaKernel *kernel,
                                          const NebulaFolded *folded);
/* Loads an execution into memory as it is in the store; does not resume it. Blocks. */
NebulaInstance *
_nebula_recovery_load (NebulaEngine *engine, const char *id, GError **error);
/* Lets it go on after a pause, or after the engine that ran it went away. Takes @ask. */
void _nebula_recovery_take_up (NebulaInstance *instance, NebulaAsk *ask);
/* The same of one that nobody asked for: another one waits for it. */
void _nebula_recovery_take_up_other (NebulaEngine *engine, const char *id);
/* A waiting instance that nobody holds leaves memory. */
void _nebula_recovery_put_to_sleep (NebulaInstance *instance);
void _nebula_recovery_wake_sleeper (NebulaEngine *engine, NebulaSleeper *sleeper);

/* nebula-loader.c */
void _nebula_loader_ask (NebulaEngine *engine,
                         const char *id,
                         NebulaLoaded loaded,
                         gpointer data);
/* The execution came into memory by another way. */
void _nebula_loader_mark_stale (NebulaEngine *engine, const char *id);
/* Gives the readers what was asked for. */
void _nebula_loader_pump (NebulaEngine *engine);
void _nebula_loader_stop (NebulaEngine *engine);
void _nebula_load_free (gpointer data);

/* nebula-sleepers.c */
void _nebula_sleepers_init (NebulaEngine *engine);
void _nebula_sleepers_clear (NebulaEngine *engine);
void _nebula_sleepers_add (NebulaEngine *engine, const char *id, gint64 wake_usec);
void _nebula_sleepers_remove (NebulaEngine *engine, NebulaSleeper *sleeper);
const char *_nebula_sleeper_get_id (NebulaSleeper *sleeper);

/* nebula-narrator.c */
/* What an event is made of besides its fact; without a kernel it names no place in loops. */
typedef struct {
  NebulaKernel *kernel;
  gboolean may_block; /* for stored values */
  const char *tenant;
  const char *workflow;
  const char *execution;
  const char *node;
  guint64 sequence;
  const char *position; /* NULL: live */
} NebulaNarration;

/* NULL: nobody is told of such a fact. */
const char *_nebula_narrator_get_topic (const NebulaFact *fact);
NebulaEvent *
_nebula_narrator_make_event (const NebulaNarration *narration, const NebulaFact *fact);
void _nebula_narrator_recorded (const NebulaFact *fact, gpointer data);
/* Notes what somebody wants to hear of while the kernel is away. */
void _nebula_narrator_capture (NebulaInstance *instance);
void _nebula_narrator_publish (NebulaInstance *instance);
void _nebula_narrator_tell (NebulaInstance *instance,
                            const char *topic,
                            const char *node,
                            NebulaValue *data);

/* nebula-gatekeeper.c */
/* A message to a gate. */
void _nebula_gatekeeper_handle (NebulaEngine *engine,
                                const NebulaMessage *message,
                                NebulaValue *payload);
/* Another engine's gate asks whether somebody is still there; if not, it is told. */
void _nebula_gatekeeper_check (NebulaEngine *engine, NebulaValue *payload);
/* Its time has come. */
void _nebula_gatekeeper_tick (NebulaGate *gate);
/* Takes up the gate that somebody waits for, so that its time comes. Blocks for the store. */
void _nebula_gatekeeper_take_up (NebulaEngine *engine, const char *key);
/* When a gate of this engine looks again by itself; 0: it does not, or is another engine's. */
gint64 _nebula_gatekeeper_get_due (NebulaEngine *engine, const char *key);
char *_nebula_gate_make_stream (const char *key);
/* The execution that a holder is, or belongs to. */
char *_nebula_gate_dup_execution (const char *holder);
gboolean _nebula_gatekeeper_recover (NebulaEngine *engine, GError **error);
void _nebula_gate_free (gpointer data);

/* nebula-batches.c */
/* The messages of a batch, in the unit of the gate. */
void _nebula_batch_add (const char *gate,
                        const char *key,
                        const char *tenant,
                        const NebulaGateAnswer *answer,
                        NebulaUnit *unit,
                        gint64 now_usec);

/* nebula-post.c */
/* Adds a message to the next unit of an instance. */
void _nebula_post_add (NebulaInstance *instance,
                       const char *id,
                       const char *stream,
                       NebulaValue *payload);
/* Adds all that the facts of the next unit imply for others. */
void _nebula_post_attach (NebulaInstance *instance);
/* Committed messages go to whom they are for. */
void _nebula_post_deliver (NebulaEngine *engine, GPtrArray *messages);
void _nebula_post_deliver_one (NebulaEngine *engine, const NebulaMessage *message);
/* Uses up a message that changed nothing, and sends replies (or NULL), which it takes. */
void _nebula_post_use_up (NebulaEngine *engine,
                          const char *stream,
                          const char *message_id,
                          GPtrArray *replies);
/* Delivers what lay in the inboxes before this engine; only once. Blocks for the store. */
gboolean _nebula_post_pick_up (NebulaEngine *engine, GError **error);
/* Delivers what lies in the inbox of one stream; what is on its way already may come twice. */
gboolean _nebula_post_look_into (NebulaEngine *engine, const char *stream, GError **error);

/* nebula-children.c */
void _nebula_children_start (NebulaEngine *engine,
                             const NebulaMessage *message,
                             NebulaValue *payload);
/* Takes up the executions that this one waits for. */
void _nebula_children_take_up (NebulaInstance *instance);
/* For the kernel's host; any thread. */
char *_nebula_children_find_workflow (const char *name,
                                      gboolean may_block,
                                      gpointer data,
                                      GError **error);
char *_nebula_children_make_secret (gpointer data);

/* nebula-why.c */
/* The reasons of a kernel with what others have to say to them. Blocks for the store. */
NebulaValue *_nebula_why_complete (NebulaInstance *instance, NebulaValue *reasons);

/* nebula-ask.c */
NebulaAsk *_nebula_ask_new (GTask *task);
void _nebula_ask_free (NebulaAsk *self);
/* Whether the execution has ended already, so that nothing may be done with it. */
gboolean _nebula_ask_is_refused (NebulaAsk *self, NebulaKernel *kernel);
/* Answers when what was asked for is committed; or at once, if it was refused or with an error. */
void _nebula_ask_answer (NebulaAsk *self, NebulaInstance *instance, const GError *error);
/* Answers with an error at once. */
void _nebula_ask_fail (NebulaAsk *self, const GError *error);
/* Both take @ask. @reason may be NULL. */
void _nebula_ask_cancel (NebulaInstance *instance, NebulaAsk *ask, const char *reason);
void _nebula_ask_signal (NebulaInstance *instance,
                         NebulaAsk *ask,
                         const char *name,
                         NebulaValue *value);

/* nebula-text.c */
/* Puts the words by which the execution is found into the unit that begins or ends it, if the store wants them. */
void _nebula_text_attach (NebulaInstance *instance, NebulaUnit *unit, NebulaExecutionStatus status);

/* nebula-spilled.c */
NebulaKernelHost _nebula_spilled_make_host (NebulaInstance *instance);
/* Puts what the kernel spilled into the unit of its facts; their bytes are held until it is released. */
void _nebula_spilled_attach (NebulaInstance *instance, NebulaUnit *unit);
void _nebula_spilled_release (NebulaEngine *engine, const NebulaUnit *unit);
/* Bytes of a unit that count as run ahead. */
gsize _nebula_spilled_get_size (const NebulaUnit *unit);

/* nebula-execution.c */
NebulaExecution *_nebula_execution_get_for (NebulaInstance *instance);
NebulaInstance *_nebula_execution_get_instance (NebulaExecution *self);
/* The task of an asynchronous call; NULL: it is answered already, the engine no longer holds the execution. */
GTask *_nebula_execution_begin (NebulaExecution *self,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
/* The instance leaves memory under its handle. */
void _nebula_execution_detach (NebulaInstance *instance);

/* nebula-history-page.c, nebula-event-reader.c */
void _nebula_history_forget_all (NebulaEngine *engine);
void _nebula_followers_kick (NebulaEngine *engine);

/* nebula-janitor.c */
void _nebula_janitor_stop (NebulaEngine *engine);

/* nebula-engine.c */
void _nebula_engine_watch_journal (NebulaEngine *self);

/* nebula-inline.c */
/* For simulations, before anything else: all happens in this thread, in an order that depends on nothing but what is asked.
 * @peer: an inline one that it was made beside; or NULL. */
void _nebula_engine_make_inline (NebulaEngine *self, NebulaEngine *peer);

/* For simulations, inline ones only: it dies. What is not written never is. */
void _nebula_engine_crash (NebulaEngine *self);

/* FALSE with throttled while the budget is short. */
gboolean _nebula_engine_check_intake (NebulaEngine *self, GError **error);

G_END_DECLS
