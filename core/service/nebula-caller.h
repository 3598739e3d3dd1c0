/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-context.h"
#include "nebula-permission.h"

G_BEGIN_DECLS

/**
 * NebulaCaller:
 *
 * On whose behalf something is asked of the server: a context with tenant, user, language and trace, and a role.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaCaller NebulaCaller;

#define NEBULA_TYPE_CALLER (nebula_caller_get_type ())
NEBULA_API GType nebula_caller_get_type (void);
/* @credential: the id of what proved it, never the secret; NULL: none. */
NEBULA_API NebulaCaller *nebula_caller_new (NebulaContext *context, const char *role, const char *credential);
/* The owner of the machine: may do all, in one tenant. */
NEBULA_API NebulaCaller *nebula_caller_new_owner (const char *tenant);
NEBULA_API NebulaCaller *nebula_caller_ref (NebulaCaller *self);
NEBULA_API void nebula_caller_unref (NebulaCaller *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaCaller, nebula_caller_unref)
/* The same one with the language, trace and deadline of a request. */
NEBULA_API NebulaCaller *nebula_caller_with_request (NebulaCaller *self, const char *language, const char *trace, gint64 deadline_usec);
NEBULA_API NebulaContext *nebula_caller_get_context (NebulaCaller *self);
NEBULA_API const char *nebula_caller_get_tenant (NebulaCaller *self); /* never NULL */
NEBULA_API const char *nebula_caller_get_user (NebulaCaller *self);
NEBULA_API const char *nebula_caller_get_role (NebulaCaller *self);
NEBULA_API const char *nebula_caller_get_credential (NebulaCaller *self);
NEBULA_API gboolean nebula_caller_may (NebulaCaller *self, NebulaPermission permission);

G_END_DECLS
