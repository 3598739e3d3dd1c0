/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "nebula-plan-builder-private.h"
#include "nebula-workflow-private.h"

G_DEFINE_BOXED_TYPE (NebulaPlan, nebula_plan, nebula_plan_ref, nebula_plan_unref)

static const char *const durability_names[] = { "strict", "relaxed", "memory" };

NebulaPlan *
_nebula_plan_new (void)
{
  NebulaPlan *self = g_new0 (NebulaPlan, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->ids = g_string_chunk_new (4096);
  return self;
}

static void
clear_late_expressions (NebulaLateExpressions *late)
{
  for (guint i = 0; i < late->n_items; i++)
    g_clear_pointer (&late->items[i].expression, nebula_expression_unref);
  g_free (late);
}

static void
clear_node (NebulaPlanNode *node)
{
  _nebula_retry_clear (&node->retry);
  g_clear_pointer (&node->need_expression, nebula_expression_unref);
  g_clear_pointer (&node->info, nebula_action_info_unref);
  g_clear_pointer (&node->fallback, nebula_value_unref);
  g_clear_pointer (&node->policy, nebula_value_unref);
  g_clear_pointer (&node->with, nebula_template_unref);
  g_clear_pointer (&node->lock, nebula_template_unref);
  g_clear_pointer (&node->late, clear_late_expressions);
}

static void
nebula_plan_free (NebulaPlan *self)
{
  for (guint i = 0; i < self->n_nodes; i++)
    clear_node (&self->nodes[i]);
  for (guint i = 0; i < self->n_edges; i++)
    g_clear_pointer (&self->edges[i].when, nebula_expression_unref);
  for (guint i = 0; i < self->n_scopes; i++)
    g_clear_pointer (&self->scopes[i].result, nebula_template_unref);

  g_clear_pointer (&self->node_index, g_hash_table_unref);
  g_clear_pointer (&self->scoped_index, g_hash_table_unref);
  g_clear_pointer (&self->ids, g_string_chunk_free);
  for (guint i = 0; i < self->n_gates; i++) {
    g_clear_pointer (&self->gates[i].key, nebula_expression_unref);
    g_clear_pointer (&self->gates[i].share, nebula_expression_unref);
  }
  g_clear_pointer (&self->priority_expression, nebula_expression_unref);
  g_clear_pointer (&self->definition, nebula_value_unref);
  g_clear_pointer (&self->input_schema, nebula_json_schema_unref);
  g_clear_pointer (&self->variables, nebula_value_unref);
  g_clear_pointer (&self->links, nebula_value_unref);
  g_clear_pointer (&self->called, g_ptr_array_unref);
  g_free (self->nodes);
  g_free (self->edges);
  g_free (self->scopes);
  g_free (self->in_edges);
  g_free (self->cycles);
  g_free (self->cycle_nodes);
  g_free (self->name);
  g_free (self->hash);
  g_free (self->file);
  g_free (self);
}

/**
 * nebula_plan_ref:
 * @self: a plan
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaPlan *
nebula_plan_ref (NebulaPlan *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * nebula_plan_unref:
 * @self: (transfer full): a plan
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_plan_unref (NebulaPlan *self)
{
  g_return_if_fail (self != NULL);

  if (g_atomic_ref_count_dec (&self->ref_count))
    nebula_plan_free (self);
}

/**
 * nebula_plan_get_name:
 * @self: a plan
 *
 * Gives the name of the workflow.
 *
 * Returns: (transfer none): the name
 *
 * Since: 1.0
 */
const char *
nebula_plan_get_name (NebulaPlan *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->name;
}

/**
 * nebula_plan_get_hash:
 * @self: a plan
 *
 * Gives the SHA-256 of the structure in hex.
 *
 * Two workflows have the same hash if they run alike: drawing, titles, notes, descriptions, the file's form and the
 * order of keys do not matter.
 *
 * Returns: (transfer none): the hash
 *
 * Since: 1.0
 */
const char *
nebula_plan_get_hash (NebulaPlan *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->hash;
}

/**
 * nebula_plan_get_n_nodes:
 * @self: a plan
 *
 * Gives the number of nodes, those of bodies included.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
nebula_plan_get_n_nodes (NebulaPlan *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_nodes;
}

/* A node as the key of scoped_index. */
static guint
hash_scoped (gconstpointer key)
{
  const NebulaPlanNode *node = key;

  return g_str_hash (node->id) ^ (node->scope * 2654435761u);
}

static gboolean
equal_scoped (gconstpointer first, gconstpointer second)
{
  const NebulaPlanNode *a = first;
  const NebulaPlanNode *b = second;

  return a->scope == b->scope && strcmp (a->id, b->id) == 0;
}

void
_nebula_plan_index (NebulaPlan *self)
{
  self->node_index = g_hash_table_new (g_str_hash, g_str_equal);
  self->ids_are_unique = TRUE;

  for (guint i = 0; i < self->n_nodes; i++) {
    gpointer id = (gpointer) self->nodes[i].id;

    if (g_hash_table_contains (self->node_index, id))
      self->ids_are_unique = FALSE;
    else
      g_hash_table_insert (self->node_index, id, GUINT_TO_POINTER (i + 1));
  }
  if (self->ids_are_unique)
    return;

  self->scoped_index = g_hash_table_new (hash_scoped, equal_scoped);
  for (guint i = 0; i < self->n_nodes; i++)
    g_hash_table_add (self->scoped_index, &self->nodes[i]);
}

/* Whether @outer is @scope or one of those around it. */
static gboolean
scope_is_within (NebulaPlan *self, guint32 scope, guint32 outer)
{
  for (; scope != NEBULA_PLAN_NONE; scope = self->scopes[scope].parent)
    if (scope == outer)
      return TRUE;
  return FALSE;
}

guint32
nebula_plan_find_node (NebulaPlan *self, guint32 scope, const char *id)
{
  gpointer found = g_hash_table_lookup (self->node_index, id);
  guint32 index;

  if (!found)
    return NEBULA_PLAN_NONE;
  if (self->ids_are_unique) {
    index = GPOINTER_TO_UINT (found) - 1;
    return scope_is_within (self, scope, self->nodes[index].scope) ? index : NEBULA_PLAN_NONE;
  }

  for (; scope != NEBULA_PLAN_NONE; scope = self->scopes[scope].parent) {
    NebulaPlanNode key = { .id = id, .scope = scope };
    NebulaPlanNode *node = g_hash_table_lookup (self->scoped_index, &key);

    if (node)
      return (guint32) (node - self->nodes);
  }
  return NEBULA_PLAN_NONE;
}

guint32
nebula_plan_find_part (NebulaPlan *self, guint32 node, NebulaPart part)
{
  NebulaPlanNode *owner = &self->nodes[node];

  for (guint32 i = 0; i < owner->n_bodies; i++)
    if (self->scopes[owner->body + i].part == part)
      return owner->body + i;
  return NEBULA_PLAN_NONE;
}

gboolean
nebula_construct_is_loop (NebulaConstruct construct)
{
  return construct == NEBULA_CONSTRUCT_FOR_EACH || construct == NEBULA_CONSTRUCT_REPEAT
         || construct == NEBULA_CONSTRUCT_WHILE;
}

gboolean
nebula_plan_link (NebulaPlan *self, NebulaActionResolver *resolver, GError **error)
{
  g_autoptr (GHashTable) classes = g_hash_table_new (g_direct_hash, g_direct_equal);

  for (guint i = 0; i < self->n_nodes; i++) {
    NebulaPlanNode *node = &self->nodes[i];
    NebulaActionClass *klass;

    if (!nebula_action_info_is_evaluated (node->info))
      continue;
    klass = g_hash_table_lookup (classes, node->info);
    if (!klass) {
      klass = nebula_action_resolver_load (resolver, node->info, error);
      if (!klass)
        return FALSE;
      g_hash_table_insert (classes, node->info, klass);
    }
    node->klass = klass;
    node->evaluate = nebula_action_class_get_evaluate (klass);
  }
  return TRUE;
}

const char *
nebula_durability_to_string (NebulaDurability durability)
{
  g_return_val_if_fail (durability < G_N_ELEMENTS (durability_names), NULL);

  return durability_names[durability];
}

gboolean
nebula_durability_from_string (const char *text, NebulaDurability *ret_durability)
{
  for (guint i = 0; i < G_N_ELEMENTS (durability_names); i++)
    if (g_strcmp0 (text, durability_names[i]) == 0) {
      *ret_durability = (NebulaDurability) i;
      return TRUE;
    }
  return FALSE;
}
