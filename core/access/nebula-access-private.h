/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-access-internal.h"
#include "nebula-executor.h"

G_BEGIN_DECLS

#define NEBULA_TOKEN_PREFIX       "nbl_"
#define NEBULA_TOKEN_ID_LENGTH    16
#define NEBULA_TOKEN_SECRET_BYTES 32
#define NEBULA_TOKEN_LENGTH                                                              \
  (4 + NEBULA_TOKEN_ID_LENGTH + 1 + 2 * NEBULA_TOKEN_SECRET_BYTES)
#define NEBULA_HASH_BYTES 32

struct _NebulaAccess {
  gatomicrefcount references;
  NebulaJournal *journal; /* NULL: closed; owner's context only */
  NebulaClock *clock;
  NebulaExecutor *executor; /* for passwords; NULL until the first */
  gint n_passwords;         /* that wait for it */
  GMutex lock;              /* guards all below */
  GHashTable *users;        /* name → NebulaValue, as stored */
  GHashTable *tokens;       /* id → NebulaValue, as stored */
  GHashTable *
      proven; /* keyed hash of user and password → the password's hash that it was found right for */
  guint8 proven_key[NEBULA_HASH_BYTES];
  char *set_up; /* hash of the secret that makes the first user; NULL: none */
};

gboolean _nebula_access_read (NebulaAccess *self, GError **error);
/* In hex; full. */
char *_nebula_access_hash (const char *text);
char *_nebula_access_make_random (gsize n_bytes);
gboolean _nebula_access_hash_equal (const char *first, const char *second);
/* Takes it over into memory, after its commit; NULL removes. */
void _nebula_access_keep (NebulaAccess *self,
                          const char *collection,
                          const char *key,
                          NebulaValue *document);
NebulaValue *_nebula_access_find (NebulaAccess *self,
                                  const char *collection,
                                  const char *key); /* full, NULL: none */
/* What is told of a document: no hashes. */
NebulaValue *_nebula_access_describe_user (NebulaValue *user, const char *tenant);
NebulaValue *_nebula_access_describe_token (NebulaValue *token);
/* Whether @user could still be managed if @without went or lost its role. */
gboolean _nebula_access_has_other_admin (NebulaAccess *self,
                                         const char *tenant,
                                         const char *without);

/* Passwords. Both call back in the thread-default context; @hash is NULL with error: too many wait. */
typedef void (*NebulaPasswordDone) (const char *hash,
                                    gboolean is_right,
                                    const GError *error,
                                    gpointer user_data);
gboolean _nebula_password_check (const char *password, GError **error);
void _nebula_password_hash (NebulaAccess *access,
                            const char *password,
                            NebulaPasswordDone done,
                            gpointer user_data);
/* @hash NULL: takes as long, and is wrong. */
void _nebula_password_verify (NebulaAccess *access,
                              const char *hash,
                              const char *password,
                              NebulaPasswordDone done,
                              gpointer user_data);
/* A name for what was proven, that tells nothing. */
char *_nebula_password_make_proof (NebulaAccess *access,
                                   const char *user,
                                   const char *password);

G_END_DECLS
