/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-channel-internal.h"
#include "nebula-host-pool-internal.h"
#include "nebula-host-work-private.h"
#include "nebula-mailbox-internal.h"

G_BEGIN_DECLS

typedef struct _NebulaHostGroup NebulaHostGroup;
typedef struct _NebulaHostProcess NebulaHostProcess;
typedef struct _NebulaHostCall NebulaHostCall;

struct _NebulaHostPool {
  gatomicrefcount ref_count; /* its actions hold it */
  NebulaHostOptions options;
  GMainContext *context;
  NebulaMailbox *mailbox; /* of letters: work that comes, and cancels */
  GHashTable *groups;     /* state of a file → NebulaHostGroup */
  GHashTable *calls;      /* number → NebulaHostCall: all that are not answered */
  GSource *sweep;
  guint64 last_number;
  guint64 last_epoch;
  gboolean is_stopped;
};

/* All hosts of one module file, and what waits for one. */
struct _NebulaHostGroup {
  NebulaHostPool *pool;
  NebulaModuleInfo *module;
  NebulaIsolation isolation;
  GStrv capabilities; /* of a sandbox */
  GQueue waiting;     /* NebulaHostCall */
  GPtrArray *processes;
  char *hash;       /* of the file; NULL until it matters */
  char *verdict;    /* why it is not run any more; NULL: it is */
  guint n_failures; /* hosts that died since the last result */
  GSource *restart; /* no host is started before it */
};

/* How far a call is. */
typedef enum {
  NEBULA_HOST_CALL_WAITING,
  NEBULA_HOST_CALL_SENT,
  NEBULA_HOST_CALL_BEGUN,
} NebulaHostCallState;

struct _NebulaHostCall {
  guint64 number;
  NebulaHostGroup *group;
  NebulaHostProcess *process; /* NULL: it waits */
  NebulaHostCallState state;
  NebulaInvocation *invocation;
  NebulaActionInfo *info;
  NebulaValue *parameters;
  gulong cancel_handler;
  GSource *kill;   /* when it was cancelled */
  guint n_repeats; /* after the end of its host */
  guint n_words;   /* progress and log lines */
};

struct _NebulaHostProcess {
  NebulaHostGroup *group;
  GPid pid;
  NebulaChannel *channel;
  guint64 epoch;
  guint credit;
  guint n_calls; /* that it has */
  guint n_served;
  gint64 started_usec;
  gint64 used_usec; /* when it last had a call */
  gint64 measured_usec;
  GSource *io;
  GIOCondition condition;
  GSource *child;
  GSource *kill; /* when it must be ready, or must be gone */
  gboolean is_ready;
  gboolean is_draining;
  gboolean is_closed;   /* it closed its end, dead or not */
  gboolean is_expected; /* to end: it was asked to, or could not load its module */
  char *fault;          /* why it was killed; NULL: it was not */
  gboolean is_guilty;   /* its module's fault */
};

/* nebula-host-pool.c */
NebulaHostPool *_nebula_host_pool_ref (NebulaHostPool *self);
void _nebula_host_pool_unref (NebulaHostPool *self);
GSource *_nebula_host_pool_add_timer (NebulaHostPool *self,
                                      gint64 usec,
                                      GSourceFunc function,
                                      gpointer data);
void _nebula_host_pool_sweep_later (NebulaHostPool *self);
void _nebula_host_drop_source (GSource **source);

/* nebula-host-group.c */
NebulaHostGroup *_nebula_host_group_find (NebulaHostPool *pool,
                                          NebulaModuleInfo *module,
                                          NebulaIsolation isolation,
                                          const char *const *capabilities);
void _nebula_host_group_free (gpointer group);
void _nebula_host_group_dispatch (NebulaHostGroup *self);
/* A host ended: its calls are answered or wait again. */
void _nebula_host_group_lost (NebulaHostGroup *self,
                              NebulaHostProcess *process,
                              const char *reason);
void _nebula_host_group_fail_waiting (NebulaHostGroup *self, GError *error);

/* nebula-host-pool.c */
NebulaHostCall *_nebula_host_pool_find_call (NebulaHostPool *self,
                                             NebulaHostProcess *process,
                                             guint64 number);
/* These consume the call. */
void _nebula_host_call_answer (NebulaHostCall *self, NebulaResult *result);
void _nebula_host_call_fail (NebulaHostCall *self, const GError *error);
void _nebula_host_call_answer_cancelled (NebulaHostCall *self);
void _nebula_host_call_answer_unknown (NebulaHostCall *self, const char *reason);
void _nebula_host_pool_post (NebulaHostPool *self,
                             NebulaHostGroup *group,
                             NebulaInvocation *invocation,
                             NebulaActionInfo *info,
                             NebulaValue *parameters);

/* nebula-host-process.c */
NebulaHostProcess *_nebula_host_process_start (NebulaHostGroup *group, GError **error);
void _nebula_host_process_free (gpointer process);
/* The pool ends: asks an idle host to end. A function for g_ptr_array_foreach (). */
void _nebula_host_process_let_go (gpointer process, gpointer user_data);
/* TRUE: it ended, or was not asked to. */
gboolean _nebula_host_process_has_ended (NebulaHostProcess *self);
gboolean _nebula_host_process_send (NebulaHostProcess *self,
                                    NebulaFrameKind kind,
                                    guint64 number,
                                    NebulaValue *payload,
                                    GError **error);
void _nebula_host_process_kill (NebulaHostProcess *self,
                                const char *reason,
                                gboolean is_guilty);
void _nebula_host_process_drain (NebulaHostProcess *self);
/* Whether it has done enough. */
gboolean _nebula_host_process_is_worn (NebulaHostProcess *self);

guint64 _nebula_host_get_resident_bytes (GPid pid);
/* How a host ended, after “The host …”; @is_closed: it was killed because it closed its channel. Full. */
char *_nebula_host_describe_end (gint status, gboolean is_closed);

/* nebula-host-spawn.c */
/* What a host is started from; all borrowed. */
typedef struct {
  const NebulaHostOptions *options;
  NebulaModuleInfo *module;
  NebulaIsolation isolation;
  GStrv capabilities; /* nullable */
} NebulaHostLaunch;

/* Starts the program for a module file; the other end of its channel. -1 with error. */
int _nebula_host_spawn (const NebulaHostLaunch *launch, GPid *ret_pid, GError **error);
char *_nebula_host_hash_file (NebulaModuleInfo *module);

/* nebula-quarantine.c */
/* TRUE: it was one too many. */
gboolean _nebula_quarantine_add_crash (const char *file,
                                       const char *hash,
                                       const char *id,
                                       const char *reason,
                                       gint64 now_usec);

/* nebula-hosted-action.c */
NebulaAction *_nebula_hosted_action_new (NebulaHostPool *pool,
                                         NebulaHostGroup *group,
                                         NebulaActionInfo *info);

G_END_DECLS
