/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-bench-private.h"
#include "nebula-engine.h"
#include "nebula-registry.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_BENCH_STORE_MEMORY,
  NEBULA_BENCH_STORE_SQLITE,
} NebulaBenchStore;

/* An engine over a store of its own, in the default context. */
typedef struct {
  char *path; /* of the store; NULL: memory */
  NebulaRegistry *registry;
  NebulaStore *store;
  NebulaEngine *engine;
  NebulaValue *options; /* of each execution; may be NULL */
} NebulaBenchWorld;

/* What a crowd of executions cost. */
typedef struct {
  double seconds;
  double syncs;
  NebulaValue *output; /* of the last one that ended; its owner is the crowd's caller */
} NebulaBenchCost;

gboolean nebula_bench_world_open (NebulaBenchWorld *self,
                                  NebulaBench *bench,
                                  NebulaBenchStore store,
                                  GError **error);
/* Stops the engine and opens the same store again, without an engine. */
gboolean nebula_bench_world_reopen_store (NebulaBenchWorld *self, GError **error);
void nebula_bench_world_start_engine (NebulaBenchWorld *self);
void nebula_bench_world_stop_engine (NebulaBenchWorld *self);
void nebula_bench_world_clear (NebulaBenchWorld *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaBenchWorld, nebula_bench_world_clear)
NebulaWorkflow *nebula_bench_read_workflow (const char *json, GError **error);
NebulaPlan *
nebula_bench_world_deploy (NebulaBenchWorld *self, const char *json, GError **error);
/* Runs @total executions, @at_once at any time, to their ends; each must complete. */
gboolean nebula_bench_world_run (NebulaBenchWorld *self,
                                 NebulaPlan *plan,
                                 guint total,
                                 guint at_once,
                                 NebulaBenchCost *ret_cost,
                                 GError **error);
/* Turns the loop until @is_over; an error if nothing happens any more. */
gboolean nebula_bench_world_turn_until (NebulaBenchWorld *self,
                                        gboolean (*is_over) (NebulaBenchWorld *self,
                                                             gpointer data),
                                        gpointer data,
                                        GError **error);

/* bench.effect, an action of effect effectful that gives back its parameters at once. */
GType nebula_bench_effect_get_type (void);
guint64 nebula_bench_effect_get_count (void);

/* A chain of @length nodes, each of which adds one to the number of the node before; {"n": length} comes out. */
char *nebula_bench_build_chain (const char *action, guint length);
/* One for-each over 0 … @n_items - 1. */
char *nebula_bench_build_loop (const char *action,
                               guint n_items,
                               guint concurrency,
                               const char *output);

G_END_DECLS
