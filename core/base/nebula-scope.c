/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-scope.h"

typedef struct
{
  guint id;
  gpointer data;
  GDestroyNotify destroy;
} Binding;

/**
 * NebulaScope:
 *
 * How long things live: global ⊃ tenant ⊃ workflow ⊃ execution ⊃ action. What is bound to a scope is released when it
 * ends, the newest first and inner scopes before outer ones, whether the end is a success, a failure or a cancel.
 *
 * Thread: owner context.
 *
 * Since: 1.0
 */
struct _NebulaScope
{
  GObject parent_instance;

  NebulaScopeKind kind;
  char *id;
  NebulaScope *parent;
  GPtrArray *children; /* NebulaScope, borrowed: each takes itself out */
  GArray *bindings;    /* Binding */
  guint last_binding;
  gboolean is_ended;
};

static void nebula_scope_identifiable_init (NebulaIdentifiableInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaScope,
                               nebula_scope,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_IDENTIFIABLE, nebula_scope_identifiable_init))

static const char *
nebula_scope_identifiable_get_id (NebulaIdentifiable *identifiable)
{
  return NEBULA_SCOPE (identifiable)->id;
}

static void
nebula_scope_identifiable_init (NebulaIdentifiableInterface *iface)
{
  iface->get_id = nebula_scope_identifiable_get_id;
}

static void
nebula_scope_dispose (GObject *object)
{
  NebulaScope *self = NEBULA_SCOPE (object);

  nebula_scope_end (self);
  if (self->parent)
    g_ptr_array_remove (self->parent->children, self);
  g_clear_object (&self->parent);
  G_OBJECT_CLASS (nebula_scope_parent_class)->dispose (object);
}

static void
nebula_scope_finalize (GObject *object)
{
  NebulaScope *self = NEBULA_SCOPE (object);

  g_ptr_array_unref (self->children);
  g_array_unref (self->bindings);
  g_free (self->id);
  G_OBJECT_CLASS (nebula_scope_parent_class)->finalize (object);
}

static void
nebula_scope_class_init (NebulaScopeClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = nebula_scope_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_scope_finalize;
}

static void
nebula_scope_init (NebulaScope *self)
{
  self->children = g_ptr_array_new ();
  self->bindings = g_array_new (FALSE, FALSE, sizeof (Binding));
}

/**
 * nebula_scope_new_global:
 *
 * Makes a scope that has no outer one.
 *
 * Returns: (transfer full): the scope
 *
 * Since: 1.0
 */
NebulaScope *
nebula_scope_new_global (void)
{
  NebulaScope *self = g_object_new (NEBULA_TYPE_SCOPE, NULL);

  self->id = g_strdup ("global");
  return self;
}

/**
 * nebula_scope_new_child:
 * @self: the outer scope, not ended
 * @kind: a narrower kind than that of @self
 * @id: what it is the scope of
 *
 * Makes an inner scope, which keeps the outer one.
 *
 * Returns: (transfer full): the scope
 *
 * Since: 1.0
 */
NebulaScope *
nebula_scope_new_child (NebulaScope *self, NebulaScopeKind kind, const char *id)
{
  NebulaScope *child = NULL;

  g_return_val_if_fail (NEBULA_IS_SCOPE (self) && !self->is_ended, NULL);
  g_return_val_if_fail (kind > self->kind && kind <= NEBULA_SCOPE_KIND_ACTION, NULL);
  g_return_val_if_fail (id != NULL, NULL);

  child = g_object_new (NEBULA_TYPE_SCOPE, NULL);
  child->kind = kind;
  child->id = g_strdup (id);
  child->parent = g_object_ref (self);
  g_ptr_array_add (self->children, child);
  return child;
}

/**
 * nebula_scope_get_kind:
 * @self: a scope
 *
 * Tells how wide a scope is.
 *
 * Returns: the kind
 *
 * Since: 1.0
 */
NebulaScopeKind
nebula_scope_get_kind (NebulaScope *self)
{
  g_return_val_if_fail (NEBULA_IS_SCOPE (self), NEBULA_SCOPE_KIND_GLOBAL);

  return self->kind;
}

/**
 * nebula_scope_get_id:
 * @self: a scope
 *
 * Tells what it is the scope of.
 *
 * Returns: (nullable): the id, which lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_scope_get_id (NebulaScope *self)
{
  g_return_val_if_fail (NEBULA_IS_SCOPE (self), NULL);

  return self->id;
}

/**
 * nebula_scope_get_parent:
 * @self: a scope
 *
 * Gets the scope around a scope.
 *
 * Returns: (transfer none) (nullable): the outer scope, %NULL for a global one
 *
 * Since: 1.0
 */
NebulaScope *
nebula_scope_get_parent (NebulaScope *self)
{
  g_return_val_if_fail (NEBULA_IS_SCOPE (self), NULL);

  return self->parent;
}

/**
 * nebula_scope_contains:
 * @self: a scope
 * @other: another scope
 *
 * Tells whether a scope is, or lies within, another: whether what lives in @self may be used in @other.
 *
 * Returns: whether @self contains @other
 *
 * Since: 1.0
 */
gboolean
nebula_scope_contains (NebulaScope *self, NebulaScope *other)
{
  g_return_val_if_fail (NEBULA_IS_SCOPE (self) && NEBULA_IS_SCOPE (other), FALSE);

  while (other && other != self)
    other = other->parent;
  return other == self;
}

/**
 * nebula_scope_is_ended:
 * @self: a scope
 *
 * Tells whether a scope has ended.
 *
 * Returns: whether it has
 *
 * Since: 1.0
 */
gboolean
nebula_scope_is_ended (NebulaScope *self)
{
  g_return_val_if_fail (NEBULA_IS_SCOPE (self), TRUE);

  return self->is_ended;
}

/**
 * nebula_scope_bind: (skip)
 * @self: a scope
 * @data: a thing
 * @destroy: how to release it
 *
 * Binds a thing to a scope. If the scope has ended already the thing is released at once.
 *
 * Returns: a number for nebula_scope_release(), 0 if the thing is released already
 *
 * Since: 1.0
 */
guint
nebula_scope_bind (NebulaScope *self, gpointer data, GDestroyNotify destroy)
{
  Binding binding = { .data = data, .destroy = destroy };

  g_return_val_if_fail (NEBULA_IS_SCOPE (self), 0);
  g_return_val_if_fail (destroy != NULL, 0);

  if (self->is_ended) {
    destroy (data);
    return 0;
  }
  binding.id = ++self->last_binding;
  g_array_append_val (self->bindings, binding);
  return binding.id;
}

/**
 * nebula_scope_bind_object:
 * @self: a scope
 * @object: an object
 *
 * Keeps an object until the scope ends.
 *
 * Returns: a number for nebula_scope_release(), 0 if the scope has ended
 *
 * Since: 1.0
 */
guint
nebula_scope_bind_object (NebulaScope *self, GObject *object)
{
  g_return_val_if_fail (G_IS_OBJECT (object), 0);

  return nebula_scope_bind (self, g_object_ref (object), g_object_unref);
}

/**
 * nebula_scope_release:
 * @self: a scope
 * @binding: what nebula_scope_bind() gave
 *
 * Releases one thing before the scope ends.
 *
 * Returns: whether it was still bound
 *
 * Since: 1.0
 */
gboolean
nebula_scope_release (NebulaScope *self, guint binding)
{
  g_return_val_if_fail (NEBULA_IS_SCOPE (self), FALSE);

  for (guint i = self->bindings->len; i > 0; i--) {
    Binding found = g_array_index (self->bindings, Binding, i - 1);

    if (found.id != binding)
      continue;
    g_array_remove_index (self->bindings, i - 1);
    found.destroy (found.data);
    return TRUE;
  }
  return FALSE;
}

/**
 * nebula_scope_end:
 * @self: a scope
 *
 * Ends a scope: first the scopes within it, the newest first, then what is bound to it, the newest first. Ending it
 * again does nothing.
 *
 * Since: 1.0
 */
void
nebula_scope_end (NebulaScope *self)
{
  g_autoptr (NebulaScope) kept = NULL;

  g_return_if_fail (NEBULA_IS_SCOPE (self));

  if (self->is_ended)
    return;
  kept = g_object_ref (self);
  self->is_ended = TRUE;
  while (self->children->len > 0) {
    NebulaScope *child = g_ptr_array_steal_index (self->children, self->children->len - 1);

    nebula_scope_end (child);
  }
  while (self->bindings->len > 0) {
    Binding binding = g_array_index (self->bindings, Binding, self->bindings->len - 1);

    g_array_set_size (self->bindings, self->bindings->len - 1);
    binding.destroy (binding.data);
  }
}

/**
 * NebulaIdentifiable:
 *
 * For objects with an id.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (NebulaIdentifiable, nebula_identifiable, G_TYPE_OBJECT)

static void
nebula_identifiable_default_init (NebulaIdentifiableInterface *iface)
{
}

/**
 * nebula_identifiable_get_id:
 * @self: an object
 *
 * Tells what names an object.
 *
 * Returns: (nullable): the id, borrowed
 *
 * Since: 1.0
 */
const char *
nebula_identifiable_get_id (NebulaIdentifiable *self)
{
  g_return_val_if_fail (NEBULA_IS_IDENTIFIABLE (self), NULL);

  return NEBULA_IDENTIFIABLE_GET_IFACE (self)->get_id (self);
}

/**
 * NebulaHasContext:
 *
 * For objects that act for somebody.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (NebulaHasContext, nebula_has_context, G_TYPE_OBJECT)

static void
nebula_has_context_default_init (NebulaHasContextInterface *iface)
{
}

/**
 * nebula_has_context_get_context:
 * @self: an object
 *
 * Tells for whom an object acts.
 *
 * Returns: (transfer none) (nullable): the context
 *
 * Since: 1.0
 */
NebulaContext *
nebula_has_context_get_context (NebulaHasContext *self)
{
  g_return_val_if_fail (NEBULA_IS_HAS_CONTEXT (self), NULL);

  return NEBULA_HAS_CONTEXT_GET_IFACE (self)->get_context (self);
}

/**
 * NebulaScoped:
 *
 * For objects that live no longer than a scope.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (NebulaScoped, nebula_scoped, G_TYPE_OBJECT)

static void
nebula_scoped_default_init (NebulaScopedInterface *iface)
{
}

/**
 * nebula_scoped_get_scope:
 * @self: an object
 *
 * Tells how long an object lives.
 *
 * Returns: (transfer none) (nullable): the scope
 *
 * Since: 1.0
 */
NebulaScope *
nebula_scoped_get_scope (NebulaScoped *self)
{
  g_return_val_if_fail (NEBULA_IS_SCOPED (self), NULL);

  return NEBULA_SCOPED_GET_IFACE (self)->get_scope (self);
}
