/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"
#include "nebula-registry.h"
#include "nebula-system-monitor.h"

G_BEGIN_DECLS

typedef struct _NebulaControlServer NebulaControlServer; /* nebula-control-private.h */

/* What a command works with: the actions there are, a store, an engine over both. */
typedef struct {
  NebulaRegistry *registry;
  NebulaStore *store; /* NULL: memory */
  NebulaEngine *engine;
  NebulaControlServer *control; /* NULL: no store file */
  NebulaSystemMonitor *monitor; /* NULL: memory has no limit */
} NebulaSession;

typedef enum {
  NEBULA_SESSION_OWN,  /* takes the store, and answers others who ask for it */
  NEBULA_SESSION_LOOK, /* reads only, whoever owns it */
} NebulaSessionMode;

NebulaRegistry *nebula_registry_open (GError **error);
/* @store: a path, or NULL or “:memory:”. */
gboolean nebula_session_open (NebulaSession *self,
                              const char *store,
                              NebulaSessionMode mode,
                              GError **error);
/* While so much memory of the machine is in use, nothing new starts; 0: no limit. */
void nebula_session_watch_memory (NebulaSession *self, guint64 limit_bytes);
void nebula_session_clear (NebulaSession *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaSession, nebula_session_clear)
gboolean nebula_store_is_memory (const char *store);
/* Whether @store names a file that is there. */
gboolean nebula_store_check (const char *store, GError **error);

/* The first SIGINT or SIGTERM calls back in the default context; the second one kills. */
typedef void (*NebulaInterrupted) (gpointer user_data);
void nebula_interrupts_watch (NebulaInterrupted callback, gpointer user_data);
void nebula_interrupts_unwatch (void);

/* Follows an execution while somebody turns the default context. */
typedef struct _NebulaFollower NebulaFollower;

NebulaFollower *nebula_follower_new (NebulaExecution *execution);
void nebula_follower_unref (NebulaFollower *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaFollower, nebula_follower_unref)
NebulaExecution *nebula_follower_get_execution (NebulaFollower *self);
/* Whether it has ended, or the engine lost it (@error). */
gboolean nebula_follower_is_over (NebulaFollower *self, GError **error);
/* Whether it waits for what no timer brings: a signal, a decision, somebody who resumes it. It may take a turn of the
 * context and a second question to tell. */
gboolean nebula_follower_is_stuck (NebulaFollower *self);

/* Turns the context until @execution has ended or, if @allow_stuck, waits for what no timer brings. FALSE with @error if
 * the engine lost it or @cancellable was cancelled. */
gboolean nebula_execution_run (NebulaExecution *execution,
                               gboolean allow_stuck,
                               GCancellable *cancellable,
                               GError **error);
/* Lets all that was said to the default context be heard. */
void nebula_drain_context (void);

int nebula_exit_from_status (NebulaExecutionStatus status);

G_END_DECLS
