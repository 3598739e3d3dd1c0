/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-channel-internal.h"
#include "nebula-host-work-private.h"
#include "nebula-host.h"
#include "nebula-module-internal.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_HOST_MODE_PROBE,
  NEBULA_HOST_MODE_SERVE,
} NebulaHostMode;

/* An action as the host knows it. */
typedef struct {
  NebulaActionInfo *info;
  GType type; /* G_TYPE_INVALID: the language runs it */
} NebulaHostEntry;

struct _NebulaHost {
  GObject parent_instance;

  NebulaHostMode mode;
  char *path;
  char *id;
  int module_fd;
  int answer_fd;           /* of a probe */
  gboolean is_shut_in;     /* it shuts itself in before the module is loaded */
  guint64 memory_bytes;    /* then: the most that it may have; 0: any */
  GPtrArray *capabilities; /* then: what it may besides */
  char *version;
  char *title;
  GHashTable *entries;    /* `id@version` → NebulaHostEntry */
  GPtrArray *order;       /* NebulaHostEntry, borrowed, as they came */
  NebulaFunctionSet *functions; /* that expressions may call */
  GHashTable *calls; /* of a native module: name → NebulaForeignCall; nullable */
  NebulaValue *catalogue; /* of a native module that is probed */
  gboolean is_failed;
  gboolean is_started;

  GMainContext *context;
  GSource *source;
  guint credits;
  guint64 epoch;

  GMutex lock; /* guards all that follows */
  NebulaChannel *channel;
  GQueue work;          /* NebulaHostWork, received and not begun */
  GHashTable *attempts; /* number → NebulaHostAttempt */
  GPtrArray *finished;  /* objects that the host's own thread lets go of */
  gboolean is_draining;
  gboolean is_gone;

  GThread *watcher;
  GCond wake;
  gboolean is_busy; /* the module runs in the host's own thread */
  guint64 turn;     /* counts how often it became so */
  gboolean is_watcher_idle;
};

/* One piece of work that has begun; owned by its invocation, which the table of attempts owns until it is returned. */
typedef struct {
  NebulaHost *host;
  guint64 number;
  NebulaInvocation *invocation; /* guarded by the host's lock; NULL once it is returned */
  NebulaAction *action;         /* guarded by the host's lock; may be NULL */
  NebulaHostEntry *entry;       /* NULL: there is no such action */
  gboolean is_call;             /* of a function, whose name stands for the action */
  NebulaValue *parameters;
} NebulaHostAttempt;

/* nebula-host-channel.c */
gboolean _nebula_host_start (NebulaHost *self);
void _nebula_host_stop (NebulaHost *self);
/* The next piece of work, taken; NULL: there will be none. */
NebulaHostWork *_nebula_host_wait (NebulaHost *self, guint64 *ret_number);
void _nebula_host_set_busy (NebulaHost *self, gboolean is_busy);
/* With the lock held. FALSE: it does not fit, and nothing was sent. */
gboolean _nebula_host_send_locked (NebulaHost *self,
                                   NebulaFrameKind kind,
                                   guint64 number,
                                   NebulaValue *payload,
                                   GError **error);

/* nebula-host-attempt.c */
NebulaInvocation *
_nebula_host_attempt_begin (NebulaHost *self, NebulaHostWork *work, guint64 number);
NebulaHostAttempt *_nebula_host_attempt_find (NebulaHost *self,
                                              NebulaInvocation *invocation);

/* nebula-host-catalogue.c */
void _nebula_host_entry_free (gpointer entry);
gboolean _nebula_host_add_entry (NebulaHost *self,
                                 NebulaActionInfo *info,
                                 GType type,
                                 GError **error);
NebulaHostEntry *
_nebula_host_find_entry (NebulaHost *self, const char *id, const char *version);
gboolean _nebula_host_print_catalogue (NebulaHost *self);
gboolean
_nebula_host_print_error (NebulaHost *self, const char *code, const char *message);

/* nebula-host-sandbox.c */
/* Before any code of the module runs; there is no way back. */
gboolean _nebula_host_shut_in (NebulaHost *self,
                               const char *const *capabilities,
                               guint64 memory_bytes,
                               GError **error);

G_END_DECLS
