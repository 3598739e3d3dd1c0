/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-cache.h"
#include "nebula-store.h"

G_BEGIN_DECLS

/*
 * What the engines of one store in one process share: who owns which shard, the plans, the writer of the journal. An
 * execution lives in the shard that its tenant and its id give, a gate in the one that its key gives (tenant included).
 * Only the owner of a shard reads, folds, decides and writes streams of it; others reach them by messages.
 *
 * A committed message is handed to the owner by a letter. If there is no owner, or the letter is lost with it, the message
 * lies in the inbox, and whoever takes the shard next picks it up.
 *
 * Thread: any, locked.
 */

#define NEBULA_N_SHARDS        256
#define NEBULA_PLANS_MAX_BYTES (256 * 1024 * 1024)

typedef struct _NebulaEngine NebulaEngine;
typedef struct _NebulaPeers NebulaPeers;

struct _NebulaPeers {
  gatomicrefcount ref_count;
  NebulaEngine *owners[NEBULA_N_SHARDS]; /* atomic; NULL: nobody */
  guint n_left;                          /* engines, so far; atomic */
  GMutex lock;                           /* guards the rest */
  GPtrArray *engines;                    /* those that have not stopped; not owned */
  NebulaCache *plans; /* hash → NebulaPlan; what is not there is in the store, or held by names or a caller */
  GHashTable *names;  /* of workflows that were deployed here → NebulaPlan of the last one */
};

NebulaPeers *_nebula_peers_new (void);
NebulaPeers *_nebula_peers_ref (NebulaPeers *self);
void _nebula_peers_unref (NebulaPeers *self);

/* @is_first: it owns all shards. */
void _nebula_peers_join (NebulaEngine *engine, gboolean is_first);
/* The shards of an engine that has stopped are nobody's. What it committed last may lie in the inboxes of the others without
 * their knowing: they look. */
void _nebula_peers_leave (NebulaEngine *engine);

guint _nebula_shard_of_execution (const char *tenant, const char *id);
guint _nebula_shard_of_gate (const char *stream);
gboolean _nebula_peers_owns (NebulaEngine *engine, guint shard);
/* Whether it is another engine's, not this one's and not nobody's. */
gboolean _nebula_peers_has_other_owner (NebulaEngine *engine, guint shard);
/* Where a message belongs; FALSE: it does not say so, and the header of its stream must be asked. */
gboolean _nebula_peers_find_shard (const NebulaMessage *message, NebulaValue *payload, guint *ret_shard);
/* To the owner of a shard, if there is one. */
void _nebula_peers_forward (NebulaEngine *engine, guint shard, const NebulaMessage *message);
/* Reads the inbox of one of its streams in its next turn: what was on its way in is still there. */
void _nebula_peers_look_again (NebulaEngine *engine, const char *stream);
/* Lets the owner of an execution take it up. */
void _nebula_peers_take_up (NebulaEngine *engine, const char *tenant, const char *id);
/* Who owns the shard, if that engine turns in the context of this one; else NULL with error. */
NebulaEngine *_nebula_peers_get_neighbour (NebulaEngine *engine, guint shard, const char *id, GError **error);
/* An engine of this context that has an execution in memory; NULL: none. */
NebulaEngine *_nebula_peers_find_holder (NebulaEngine *engine, const char *id);

G_END_DECLS
