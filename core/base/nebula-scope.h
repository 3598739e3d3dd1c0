/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-context.h"

G_BEGIN_DECLS

/**
 * NebulaScopeKind:
 * @NEBULA_SCOPE_KIND_GLOBAL: the process
 * @NEBULA_SCOPE_KIND_TENANT: one tenant
 * @NEBULA_SCOPE_KIND_WORKFLOW: one workflow of a tenant
 * @NEBULA_SCOPE_KIND_EXECUTION: one execution of a workflow
 * @NEBULA_SCOPE_KIND_ACTION: one attempt of a node
 *
 * How wide a scope is, widest first.
 */
typedef enum
{
  NEBULA_SCOPE_KIND_GLOBAL,
  NEBULA_SCOPE_KIND_TENANT,
  NEBULA_SCOPE_KIND_WORKFLOW,
  NEBULA_SCOPE_KIND_EXECUTION,
  NEBULA_SCOPE_KIND_ACTION,
} NebulaScopeKind;

#define NEBULA_TYPE_SCOPE (nebula_scope_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaScope, nebula_scope, NEBULA, SCOPE, GObject)

NEBULA_API NebulaScope *nebula_scope_new_global (void);
NEBULA_API NebulaScope *nebula_scope_new_child (NebulaScope *self, NebulaScopeKind kind, const char *id);
NEBULA_API NebulaScopeKind nebula_scope_get_kind (NebulaScope *self);
NEBULA_API const char *nebula_scope_get_id (NebulaScope *self);
NEBULA_API NebulaScope *nebula_scope_get_parent (NebulaScope *self);
NEBULA_API gboolean nebula_scope_contains (NebulaScope *self, NebulaScope *other);
NEBULA_API gboolean nebula_scope_is_ended (NebulaScope *self);
NEBULA_API guint nebula_scope_bind (NebulaScope *self, gpointer data, GDestroyNotify destroy);
NEBULA_API guint nebula_scope_bind_object (NebulaScope *self, GObject *object);
NEBULA_API gboolean nebula_scope_release (NebulaScope *self, guint binding);
NEBULA_API void nebula_scope_end (NebulaScope *self);

#define NEBULA_TYPE_IDENTIFIABLE (nebula_identifiable_get_type ())
NEBULA_API G_DECLARE_INTERFACE (NebulaIdentifiable, nebula_identifiable, NEBULA, IDENTIFIABLE, GObject)

/**
 * NebulaIdentifiableInterface:
 * @get_id: what names it; borrowed
 *
 * For objects with an id.
 */
struct _NebulaIdentifiableInterface
{
  GTypeInterface parent_iface;

  const char *(*get_id) (NebulaIdentifiable *self);

  gpointer _reserved[8];
};

NEBULA_API const char *nebula_identifiable_get_id (NebulaIdentifiable *self);

#define NEBULA_TYPE_HAS_CONTEXT (nebula_has_context_get_type ())
NEBULA_API G_DECLARE_INTERFACE (NebulaHasContext, nebula_has_context, NEBULA, HAS_CONTEXT, GObject)

/**
 * NebulaHasContextInterface:
 * @get_context: the context; borrowed
 *
 * For objects that act for somebody.
 */
struct _NebulaHasContextInterface
{
  GTypeInterface parent_iface;

  NebulaContext *(*get_context) (NebulaHasContext *self);

  gpointer _reserved[8];
};

NEBULA_API NebulaContext *nebula_has_context_get_context (NebulaHasContext *self);

#define NEBULA_TYPE_SCOPED (nebula_scoped_get_type ())
NEBULA_API G_DECLARE_INTERFACE (NebulaScoped, nebula_scoped, NEBULA, SCOPED, GObject)

/**
 * NebulaScopedInterface:
 * @get_scope: the scope; borrowed
 *
 * For objects that live no longer than a scope.
 */
struct _NebulaScopedInterface
{
  GTypeInterface parent_iface;

  NebulaScope *(*get_scope) (NebulaScoped *self);

  gpointer _reserved[8];
};

NEBULA_API NebulaScope *nebula_scoped_get_scope (NebulaScoped *self);

G_END_DECLS
