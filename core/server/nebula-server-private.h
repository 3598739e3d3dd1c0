/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-access-internal.h"
#include "nebula-executor.h"
#include "nebula-mailbox-internal.h"
#include "nebula-server.h"

G_BEGIN_DECLS

typedef struct _NebulaOperation NebulaOperation;
typedef struct _NebulaServiceThread NebulaServiceThread;

struct _NebulaServer {
  GObject parent_instance;

  NebulaEngine *engine;
  NebulaRegistry *registry;
  NebulaValue *options;
  NebulaJournal *journal; /* beside the engine's; NULL: stopped */
  NebulaAccess *access;
  NebulaMailbox *mailbox; /* letters: NebulaServerLetter */
  NebulaExecutor *readers;
  GPtrArray *threads;       /* NebulaServiceThread */
  GMutex lock;              /* guards listeners and next_listener */
  GHashTable *listeners;    /* id → NebulaListener */
  guint next_listener;
  GTask *drain; /* NULL: nobody waits */
  GSource *patience;
  gboolean is_stopped;
};

/* What comes to the engine's context from other threads. */
typedef struct {
  void (*receive) (NebulaServer *server, gpointer data);
  void (*discard) (gpointer data); /* the server has stopped */
  gpointer data;
} NebulaServerLetter;

void _nebula_server_post (NebulaServer *self,
                          void (*receive) (NebulaServer *server, gpointer data),
                          void (*discard) (gpointer data),
                          gpointer data);

/* Threads of services. Owner's context; the service is called in its own. */
NebulaServiceThread *_nebula_service_thread_new (NebulaServer *server, NebulaService *service);
NebulaService *_nebula_service_thread_get_service (NebulaServiceThread *self);
gboolean _nebula_service_thread_start (NebulaServiceThread *self, GError **error); /* blocks until it is ready */
/* _nebula_server_drained () is called when it is done. */
void _nebula_service_thread_drain (NebulaServiceThread *self);
gboolean _nebula_service_thread_is_drained (NebulaServiceThread *self);
void _nebula_service_thread_free (NebulaServiceThread *self); /* stops and joins */
void _nebula_server_drained (NebulaServer *self);

/* Operations. */
struct _NebulaOperation {
  gatomicrefcount references;
  NebulaServer *server;
  NebulaCaller *caller;
  NebulaValue *request; /* without `idempotency` */
  GTask *task;          /* the asker's, or that of idempotency */
  gboolean is_once;     /* the latter */
  char *once_key;       /* for engines that keep it in the unit of the effect; NULL: none */
  NebulaExecution *execution; /* while it is ordered */
};

typedef struct {
  const char *op;
  NebulaPermission permission;
  /* One of the three. */
  NebulaValue *(*now) (NebulaOperation *operation, GError **error);
  NebulaValue *(*read) (NebulaOperation *operation, GError **error);
  void (*begin) (NebulaOperation *operation);
} NebulaOperationClass;

NebulaOperation *_nebula_operation_ref (NebulaOperation *self);
void _nebula_operation_unref (NebulaOperation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaOperation, _nebula_operation_unref)
/* Answers; takes both. */
void _nebula_operation_return (NebulaOperation *self, NebulaValue *answer, GError *error);
const char *_nebula_operation_get (NebulaOperation *self, const char *key); /* NULL: not there */
/* An operation that reads in a reader's thread first, and goes on in the engine's context; @next takes the operation. */
void _nebula_operation_read_then (NebulaOperation *self,
                                  gboolean (*read) (NebulaOperation *operation, GError **error),
                                  void (*next) (NebulaOperation *operation));
void _nebula_operation_ask (NebulaServer *server, NebulaCaller *caller, NebulaValue *request, GTask *task);
/* Whether it is the one that no tenant owns. Workflows belong to the default tenant until tenants have their own. */
gboolean _nebula_operation_check_tenant (NebulaOperation *self, GError **error);

extern const NebulaOperationClass _nebula_operations_access[];
extern const NebulaOperationClass _nebula_operations_catalogue[];
extern const NebulaOperationClass _nebula_operations_execution[];
extern const NebulaOperationClass _nebula_operations_workflow[];

/* Events. Thread: any. */
typedef struct _NebulaListener NebulaListener;
void _nebula_listener_unref (gpointer data);
guint _nebula_server_subscribe (NebulaServiceHost *host,
                                NebulaCaller *caller,
                                NebulaValue *filter,
                                NebulaEventCallback callback,
                                gpointer user_data,
                                GDestroyNotify destroy);
void _nebula_server_unsubscribe (NebulaServiceHost *host, guint id);

G_END_DECLS
