/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store in memory that can die: from one commit on nothing is written any more, and what was written is there again for
 * the next engine. It can also be made to lie, for bugs that are planted. */
#pragma once

#include <functional>

#include "nebula-error.h"
#include "nebula-memory-store.h"
#include "nebula-test.h"

typedef struct _CrashStore CrashStore;

/* Changes a unit before it is written. */
using CrashStoreLie = std::function<void (NebulaUnit *unit)>;

struct _CrashStore {
  GObject parent_instance;

  NebulaStore *inner;
  gint n_left;        /* units until it dies; -1: it lives */
  gboolean writes_last; /* the unit at which it dies is written, and nobody is told */
  CrashStoreLie *lie;
};

typedef struct {
  GObjectClass parent_class;
} CrashStoreClass;

static void crash_store_iface_init (NebulaStoreInterface *iface);

G_DEFINE_TYPE_WITH_CODE (CrashStore,
                         crash_store,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (NEBULA_TYPE_STORE, crash_store_iface_init))

static inline NebulaStore *
crash_store_inner (NebulaStore *self)
{
  return ((CrashStore *) self)->inner;
}

static gboolean
crash_store_commit (NebulaStore *store,
                    NebulaUnit **units,
                    guint n_units,
                    gboolean sync,
                    NebulaOutcome *ret_outcomes,
                    GError **error)
{
  CrashStore *self = (CrashStore *) store;

  for (guint i = 0; i < n_units; i++) {
    gint n_left = g_atomic_int_get (&self->n_left);

    if (n_left == 0 && self->writes_last) {
      self->writes_last = FALSE;
      nebula_store_commit (self->inner, &units[i], 1, sync, &ret_outcomes[i], nullptr);
    }
    if (n_left == 0) {
      for (guint k = i; k < n_units; k++)
        ret_outcomes[k] = NEBULA_OUTCOME_FAILED;
      g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_SEALED, "It has died.");
      return FALSE;
    }
    if (n_left > 0)
      g_atomic_int_set (&self->n_left, n_left - 1);
    if (self->lie)
      (*self->lie) (units[i]);
    if (!nebula_store_commit (self->inner, &units[i], 1, sync, &ret_outcomes[i], error))
      return FALSE;
  }
  return TRUE;
}

static void
crash_store_iface_init (NebulaStoreInterface *iface)
{
  iface->commit = crash_store_commit;
  iface->sync = [] (NebulaStore *self, GError **error) -> gboolean { return TRUE; };
  iface->read_header = [] (NebulaStore *self, const char *stream, GError **error) {
    return nebula_store_read_header (crash_store_inner (self), stream, error);
  };
  iface->list_headers = [] (NebulaStore *self, const NebulaHeaderQuery *query, GError **error) {
    return nebula_store_list_headers (crash_store_inner (self), query, error);
  };
  iface->read_segments = [] (NebulaStore *self, const char *stream, guint64 after,
                             guint limit, GError **error) {
    return nebula_store_read_segments (crash_store_inner (self), stream, after, limit, error);
  };
  iface->read_checkpoint = [] (NebulaStore *self, const char *stream, guint64 *ret_sequence,
                               GError **error) {
    return nebula_store_read_checkpoint (crash_store_inner (self), stream, ret_sequence, error);
  };
  iface->read_inbox = [] (NebulaStore *self, const char *stream, guint limit, GError **error) {
    return nebula_store_read_inbox (crash_store_inner (self), stream, limit, error);
  };
  iface->read_document = [] (NebulaStore *self, const char *collection, const char *key,
                             gint64 *ret_revision, GError **error) {
    return nebula_store_read_document (crash_store_inner (self), collection, key,
                                       ret_revision, error);
  };
  iface->list_documents = [] (NebulaStore *self, const char *collection, const char *after,
                              guint limit, GError **error) {
    return nebula_store_list_documents (crash_store_inner (self), collection, after, limit,
                                        error);
  };
  /* So that what waits leaves memory. */
  iface->get_is_durable = [] (NebulaStore *self) -> gboolean { return TRUE; };
  iface->read_blob = [] (NebulaStore *self, const char *digest, GError **error) {
    return nebula_store_read_blob (crash_store_inner (self), digest, error);
  };
}

static void
crash_store_finalize (GObject *object)
{
  g_object_unref (((CrashStore *) object)->inner);
  G_OBJECT_CLASS (crash_store_parent_class)->finalize (object);
}

static void
crash_store_class_init (CrashStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = crash_store_finalize;
}

static void
crash_store_init (CrashStore *self)
{
  self->n_left = -1;
}

/* Over the same data as another one that has died. */
static inline CrashStore *
crash_store_new (NebulaStore *inner)
{
  CrashStore *self = (CrashStore *) g_object_new (crash_store_get_type (), nullptr);

  self->inner = (NebulaStore *) g_object_ref (inner);
  return self;
}
