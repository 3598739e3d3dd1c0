/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's side of module hosts. A pool starts the hosts of isolated modules when work comes, hands them work as they
 * ask for it, starts them again when they die, and gives a module up that keeps killing its host.
 *
 * Thread: owner context, the thread-default one when the pool is made; actions may be invoked from any.
 */
#pragma once

#include "nebula-action.h"
#include "nebula-module-info.h"

G_BEGIN_DECLS

/* Where a module's code runs. */
typedef enum {
  NEBULA_ISOLATION_IN_PROCESS,
  NEBULA_ISOLATION_PROCESS,
  NEBULA_ISOLATION_SANDBOX,
} NebulaIsolation;

typedef struct {
  char *
      program; /* the host for native modules; those for scripts lie beside it. NULL: the default */
  char *quarantine_file; /* NULL: the default */
  gint64 grace_usec;     /* from a cancel to the kill */
  gint64 function_usec;  /* what the call of a function may take */
  gint64 start_usec;     /* a host that is not ready by then has crashed */
  gint64 back_off_usec;  /* before the second restart; doubled with each that follows */
  gint64 age_usec;  /* a host that is older ends after the work that it has; 0: never */
  gint64 idle_usec; /* the same for one that has had none for so long */
  guint64 memory_bytes; /* the same for one that is larger; 0: never */
  guint n_calls;        /* the same for one that had so many; 0: never */
  guint n_processes;    /* hosts of one module at once */
} NebulaHostOptions;

void nebula_host_options_init (NebulaHostOptions *self);
/* Completes it with the default paths. */
void nebula_host_options_copy (const NebulaHostOptions *self, NebulaHostOptions *ret_copy);
void nebula_host_options_clear (NebulaHostOptions *self);

typedef struct _NebulaHostPool NebulaHostPool;

/* Copies @options. */
NebulaHostPool *nebula_host_pool_new (const NebulaHostOptions *options);
/* Ends all hosts at once; what they work on is unknown. */
void nebula_host_pool_free (NebulaHostPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaHostPool, nebula_host_pool_free)
/* An action that runs in a host of its module; @capabilities: what a sandbox allows besides, NULL: nothing. */
NebulaAction *nebula_host_pool_create_action (NebulaHostPool *self,
                                              NebulaModuleInfo *module,
                                              NebulaActionInfo *info,
                                              NebulaIsolation isolation,
                                              const char *const *capabilities);
/* Its class: for whoever asks what an action is. */
GType nebula_hosted_action_get_type (void);
guint nebula_host_pool_get_n_processes (NebulaHostPool *self);

/* Why a module's file is not run any more, from the file of a quarantine; full, NULL: it may run. */
char *nebula_quarantine_look_up (const char *file, const char *hash);
char *nebula_quarantine_look_up_module (const char *file, NebulaModuleInfo *module);
char *nebula_quarantine_get_default_file (void);

G_END_DECLS
