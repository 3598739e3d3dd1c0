/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-caller.h"
#include "nebula-clock.h"
#include "nebula-journal-internal.h"

G_BEGIN_DECLS

/*
 * Documents of the store:
 *   user/NAME   {user, roles: {tenant: role}, password: argon2id, created, disabled?}
 *   token/ID    {token: ID, hash: BLAKE2b-256 in hex, tenant, role, user?, title, created, expires?}   times in µs
 *
 * A token is the text `nbl_ID_SECRET`: ID of 16, SECRET of 64 hexadecimal digits. What it may do is what both its own role
 * and the role of its user hold at the moment of use. A token without a user was made by the owner of the machine.
 */
#define NEBULA_ACCESS_USERS  "user"
#define NEBULA_ACCESS_TOKENS "token"

typedef struct _NebulaAccess NebulaAccess;

/* @answer is NULL with @error. */
typedef void (*NebulaAccessDone) (NebulaValue *answer, const GError *error, gpointer user_data);

/* Reads all there is; blocks. @journal is borrowed and must outlive the last order. */
NebulaAccess *_nebula_access_open (NebulaJournal *journal, NebulaClock *clock, GError **error);
NebulaAccess *_nebula_access_ref (NebulaAccess *self);
void _nebula_access_unref (NebulaAccess *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaAccess, _nebula_access_unref)
/* No order is taken any more. */
void _nebula_access_close (NebulaAccess *self);

/* Thread: any. */
NebulaCaller *_nebula_access_authenticate (NebulaAccess *self, const char *token, GError **error);
gboolean _nebula_access_has_users (NebulaAccess *self);
/* Arrays, without hashes, of the caller's tenant; tokens of others only with user.manage. */
NebulaValue *_nebula_access_list_users (NebulaAccess *self, NebulaCaller *caller);
NebulaValue *_nebula_access_list_tokens (NebulaAccess *self, NebulaCaller *caller);

/* A secret that makes the first user, once; NULL if there are users. An earlier one is void. Thread: owner. */
char *_nebula_access_begin_set_up (NebulaAccess *self);

/*
 * Orders, in the owner's context; answered there after the commit.
 *   set-up          secret, user, password
 *   log-in          user, password                      → {user, role, tenant}
 *   user-create     user, password, role
 *   user-update     user, password?, role?, disabled?
 *   user-delete     user
 *   token-create    title, role?, user?, expires-in?    → with `secret`, told this once
 *   token-revoke    token
 */
void _nebula_access_order (NebulaAccess *self,
                           NebulaCaller *caller,
                           NebulaValue *request,
                           NebulaAccessDone done,
                           gpointer user_data);

G_END_DECLS
