/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-budget.h"
#include "nebula-clock.h"
#include "nebula-event-bus.h"
#include "nebula-idempotency.h"
#include "nebula-metrics.h"
#include "nebula-store.h"
#include "nebula-workflow.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_ENGINE (nebula_engine_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaEngine, nebula_engine, NEBULA, ENGINE, GObject)

#define NEBULA_TYPE_EXECUTION (nebula_execution_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaExecution, nebula_execution, NEBULA, EXECUTION, GObject)

/* The engine turns in the thread-default context in which it was made. @store NULL: memory; @clock NULL: the system's. */
NEBULA_API NebulaEngine *nebula_engine_new (NebulaActionResolver *resolver, NebulaStore *store, NebulaClock *clock);
NEBULA_API NebulaEventBus *nebula_engine_get_event_bus (NebulaEngine *self);
NEBULA_API NebulaStore *nebula_engine_get_store (NebulaEngine *self);
NEBULA_API NebulaClock *nebula_engine_get_clock (NebulaEngine *self);
/* The largest workflow that is deployed; 0: the default of nebula-limits.h. */
NEBULA_API void nebula_engine_set_limits (NebulaEngine *self, guint max_nodes, guint max_connections);
/* Several engines over one store, each with its shards of 0 … 255; a new peer has none. */
NEBULA_API NebulaEngine *nebula_engine_new_peer (NebulaEngine *self);
NEBULA_API gboolean nebula_engine_set_shards (NebulaEngine *self, guint first, guint n_shards, GError **error);
NEBULA_API guint nebula_engine_get_n_shards (NebulaEngine *self);
/* While @budget is short, new executions are throttled; NULL: none. */
NEBULA_API void nebula_engine_set_budget (NebulaEngine *self, NebulaBudget *budget);
/* Compiles and links; problems go to @diagnostics (element-type NebulaDiagnostic). */
NEBULA_API NebulaPlan *nebula_engine_deploy (NebulaEngine *self, NebulaWorkflow *workflow, GPtrArray *diagnostics, GError **error);
/* @input NULL: an empty object. @options: NULL or an object {id, durability, timeout, env, trigger, user,
 * tenant, priority, idempotency-key, idempotency-ttl, pins, mocks, breakpoints}. */
NEBULA_API NebulaExecution *nebula_engine_start (NebulaEngine *self, NebulaPlan *plan, NebulaValue *input, NebulaValue *options, GError **error);
/* Again what an execution did, or from a node on; that one stays as it is. @options: NULL or an object {from, failed,
 * revision, input, pins, mocks, breakpoints, id, durability, timeout}. */
NEBULA_API NebulaExecution *nebula_engine_rerun (NebulaEngine *self, const char *id, NebulaValue *options, GError **error);
/* The handle of an execution in the store, in memory or not. Error: not-found. */
NEBULA_API NebulaExecution *nebula_engine_get_execution (NebulaEngine *self, const char *id, GError **error);
NEBULA_API void nebula_engine_get_execution_async (NebulaEngine *self, const char *id, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API NebulaExecution *nebula_engine_get_execution_finish (NebulaEngine *self, GAsyncResult *result, GError **error);
NEBULA_API NebulaValue *nebula_engine_get_statistics (NebulaEngine *self);
/* Takes up all that did not end: what was running goes on, what waits is woken in time. Returns how many there are. */
NEBULA_API gint nebula_engine_recover (NebulaEngine *self, GError **error);
/* Executions that are in memory and have not ended. */
NEBULA_API guint nebula_engine_get_n_active (NebulaEngine *self);
NEBULA_API guint nebula_engine_get_n_waiting (NebulaEngine *self);
/* Commits, syncs and transactions so far: an object of counters. */
NEBULA_API NebulaValue *nebula_engine_get_counters (NebulaEngine *self);
/* Gates: concurrency keys, rates, locks. An array of {key, kind, limit, inside, waiting}; one with all its entries. */
NEBULA_API NebulaValue *nebula_engine_list_queues (NebulaEngine *self, GError **error);
NEBULA_API NebulaValue *nebula_engine_get_queue (NebulaEngine *self, const char *key, GError **error);
/* What runs once for each key, in this engine's store; it is the engine's. */
NEBULA_API NebulaIdempotency *nebula_engine_get_idempotency (NebulaEngine *self);
/* Counters, gauges and histograms. */
NEBULA_API NebulaMetrics *nebula_engine_get_metrics (NebulaEngine *self);
/* What policies of nodes hold back, limit and break in this process: an array of objects. */
NEBULA_API NebulaValue *nebula_engine_list_policies (NebulaEngine *self);
/* Stops taking new work, cancels what runs in this process without a word to the journal, commits what is pending. */
NEBULA_API void nebula_engine_stop (NebulaEngine *self);

NEBULA_API const char *nebula_execution_get_id (NebulaExecution *self);
NEBULA_API const char *nebula_execution_get_workflow (NebulaExecution *self);
/* The status as far as it is committed. */
NEBULA_API NebulaExecutionStatus nebula_execution_get_status (NebulaExecution *self);
/* The run object; of committed facts only. NULL with error when the store cannot be read. */
NEBULA_API NebulaValue *nebula_execution_get_report (NebulaExecution *self, GError **error);
/* A node by its path, `each[3].price`: {status, attempts, duration_us, result | error}. */
NEBULA_API NebulaValue *nebula_execution_get_node_report (NebulaExecution *self, const char *path, GError **error);
NEBULA_API NebulaValue *nebula_execution_explain (NebulaExecution *self);
NEBULA_API NebulaValue *nebula_execution_get_output (NebulaExecution *self); /* NULL unless completed; full */
/* Each is answered when its fact is committed; the callback runs in the engine's context. Error: conflict if it has ended. */
NEBULA_API void nebula_execution_cancel_async (NebulaExecution *self, const char *reason, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gboolean nebula_execution_cancel_finish (NebulaExecution *self, GAsyncResult *result, GError **error);
NEBULA_API void nebula_execution_signal_async (NebulaExecution *self, const char *name, NebulaValue *value, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gboolean nebula_execution_signal_finish (NebulaExecution *self, GAsyncResult *result, GError **error);
NEBULA_API void nebula_execution_resume_async (NebulaExecution *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gboolean nebula_execution_resume_finish (NebulaExecution *self, GAsyncResult *result, GError **error);
/* Steering, each ended by nebula_execution_steer_finish (). @path NULL: the only node that waits for an approval. */
NEBULA_API void nebula_execution_decide_async (NebulaExecution *self, const char *path, const char *by, gboolean is_approval, const char *comment, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API void nebula_execution_answer_async (NebulaExecution *self, const char *token, NebulaValue *value, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API void nebula_execution_terminate_async (NebulaExecution *self, const char *reason, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API void nebula_execution_cancel_node_async (NebulaExecution *self, const char *path, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API void nebula_execution_cancel_region_async (NebulaExecution *self, const char *region, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API void nebula_execution_pause_async (NebulaExecution *self, const char *reason, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* Pauses before a node, in all rounds or in one; @condition: NULL or an expression. @is_set FALSE: takes it away. */
NEBULA_API void nebula_execution_break_async (NebulaExecution *self, const char *path, const char *condition, gboolean is_set, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* Lets one that is paused do one node. */
NEBULA_API void nebula_execution_step_async (NebulaExecution *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gboolean nebula_execution_steer_finish (NebulaExecution *self, GAsyncResult *result, GError **error);
/* Until all that has happened so far is committed: one that was just started is in the store then. Ended by steer_finish. */
NEBULA_API void nebula_execution_settle_async (NebulaExecution *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* Until it has ended and that is committed; TRUE whatever the end. */
NEBULA_API void nebula_execution_wait_async (NebulaExecution *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gboolean nebula_execution_wait_finish (NebulaExecution *self, GAsyncResult *result, GError **error);
/* Turns the engine's context until it has ended. Not for use inside a callback of that context. */
NEBULA_API gboolean nebula_execution_wait_sync (NebulaExecution *self, GCancellable *cancellable, GError **error);

G_END_DECLS
