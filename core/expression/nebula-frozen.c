/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frozen environments: only the names that are used, each with its value. */

#include "nebula-frozen-internal.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

struct _NebulaFrozen {
  gatomicrefcount references;
  GHashTable *values; /* `name`, `nodes\nid\nfield` or `loop\nid\nfield` → NebulaValue */
  GHashTable *errors; /* the same → GError, for names that are refused */
  gboolean missing_is_null;
  guint64 seed;
  gsize fuel;         /* atomic: what is left for all evaluations */
  gint random_calls;  /* atomic */
};

static const char *const node_fields[] = {"result", "status", "success", "error",
                                          "attempts"};

static char *
make_key (const char *name, const char *id, const char *field)
{
  return id != NULL ? g_strjoin ("\n", name, id, field, NULL) : g_strdup (name);
}

/* Takes the value or the error; a name that is just unknown is kept by its absence. */
static void
keep (NebulaFrozen *self, char *key, NebulaValue *value, GError *error)
{
  if (value != NULL)
    g_hash_table_insert (self->values, key, value);
  else if (error != NULL)
    g_hash_table_insert (self->errors, key, g_error_copy (error));
  else
    g_free (key);
  g_clear_error (&error);
}

static void
freeze_node (NebulaFrozen *self,
             const NebulaEnvironment *environment,
             const char *id,
             const char *field)
{
  for (guint i = 0; i < G_N_ELEMENTS (node_fields); i++) {
    g_autofree char *key = make_key ("nodes", id, node_fields[i]);
    GError *error = NULL;
    NebulaValue *value;

    if ((field != NULL && strcmp (field, node_fields[i]) != 0) ||
        g_hash_table_contains (self->values, key))
      continue;
    value = environment->get_node (environment, id, (NebulaNodeField) i, &error);
    keep (self, g_steal_pointer (&key), value, error);
  }
}

/* `$nodes[expression]`: any node may be meant. */
static void
freeze_nodes (NebulaFrozen *self,
              const NebulaEnvironment *environment,
              const char *field)
{
  g_auto (GStrv) ids =
      environment->list_nodes != NULL ? environment->list_nodes (environment) : NULL;

  for (guint i = 0; ids != NULL && ids[i] != NULL; i++)
    freeze_node (self, environment, ids[i], field);
}

static void
freeze_reference (NebulaFrozen *self,
                  const NebulaEnvironment *environment,
                  const NebulaReference *reference)
{
  g_autofree char *key = make_key (reference->name, reference->id, reference->field);
  GError *error = NULL;
  NebulaValue *value = NULL;

  if (strcmp (reference->name, "nodes") == 0) {
    if (environment->get_node == NULL)
      return;
    if (reference->id != NULL)
      freeze_node (self, environment, reference->id, reference->field);
    else
      freeze_nodes (self, environment, reference->field);
    return;
  }
  if (g_hash_table_contains (self->values, key))
    return;
  if (strcmp (reference->name, "loop") == 0 && environment->get_loop != NULL)
    value = environment->get_loop (environment, reference->id, reference->field, &error);
  else if (strcmp (reference->name, "loop") != 0 && environment->get_variable != NULL)
    value = environment->get_variable (environment, reference->name, &error);
  keep (self, g_steal_pointer (&key), value, error);
}

NebulaFrozen *
nebula_frozen_new (const NebulaEnvironment *environment,
                   NebulaExpression *const *expressions,
                   guint n_expressions)
{
  NebulaFrozen *self = g_new0 (NebulaFrozen, 1);

  g_atomic_ref_count_init (&self->references);
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) nebula_value_unref);
  self->errors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) g_error_free);
  self->missing_is_null = environment->missing_is_null;
  self->fuel = (gsize) environment->fuel;
  if (environment->get_random != NULL)
    self->seed = environment->get_random (environment, G_MAXUINT);
  for (guint i = 0; i < n_expressions; i++) {
    guint count;
    const NebulaReference *references =
        nebula_expression_get_references (expressions[i], &count);

    for (guint j = 0; j < count; j++)
      freeze_reference (self, environment, &references[j]);
  }
  return self;
}

NebulaFrozen *
nebula_frozen_ref (NebulaFrozen *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
nebula_frozen_unref (NebulaFrozen *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->values);
  g_hash_table_unref (self->errors);
  g_free (self);
}

static NebulaValue *
look_up (NebulaFrozen *self, const char *key, GError **error)
{
  NebulaValue *value = g_hash_table_lookup (self->values, key);
  const GError *refusal = g_hash_table_lookup (self->errors, key);

  if (value != NULL)
    return nebula_value_ref (value);
  if (refusal != NULL)
    g_propagate_error (error, g_error_copy (refusal));
  return NULL;
}

static NebulaValue *
frozen_get_variable (const NebulaEnvironment *environment, const char *name, GError **error)
{
  return look_up (environment->data, name, error);
}

static NebulaValue *
frozen_get_node (const NebulaEnvironment *environment,
                 const char *id,
                 NebulaNodeField field,
                 GError **error)
{
  g_autofree char *key = make_key ("nodes", id, node_fields[field]);
  NebulaValue *value = look_up (environment->data, key, error);

  if (value == NULL && error != NULL && *error == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME,
                 _ ("There is no node “%s” here"), id);
  return value;
}

static NebulaValue *
frozen_get_loop (const NebulaEnvironment *environment,
                 const char *loop_id,
                 const char *field,
                 GError **error)
{
  g_autofree char *key = make_key ("loop", loop_id, field);
  NebulaValue *value = look_up (environment->data, key, error);

  if (value == NULL && error != NULL && *error == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME,
                 _ ("There is no loop “%s” around this"), loop_id);
  return value;
}

/* SplitMix64's finalizer: the same call gives the same bits. */
static guint64
frozen_get_random (const NebulaEnvironment *environment, guint call_index)
{
  const NebulaFrozen *self = environment->data;
  guint64 bits = self->seed + (call_index + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  bits = (bits ^ (bits >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  bits = (bits ^ (bits >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return bits ^ (bits >> 31);
}

void
nebula_frozen_init_environment (NebulaFrozen *self, NebulaEnvironment *ret_environment)
{
  *ret_environment = (NebulaEnvironment){
      .get_variable = frozen_get_variable,
      .get_node = frozen_get_node,
      .get_loop = frozen_get_loop,
      .get_random = frozen_get_random,
      .data = self,
      .missing_is_null = self->missing_is_null,
      .fuel = __atomic_load_n (&self->fuel, __ATOMIC_RELAXED),
      .random_calls = (guint) g_atomic_int_get (&self->random_calls),
  };
}

void
nebula_frozen_settle (NebulaFrozen *self, const NebulaEnvironment *environment)
{
  gsize left = __atomic_load_n (&self->fuel, __ATOMIC_RELAXED);

  /* Threads that evaluate at once may overdraw together by what one of them used. */
  while (environment->fuel < left &&
         !__atomic_compare_exchange_n (&self->fuel, &left, (gsize) environment->fuel, FALSE,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    continue;
  g_atomic_int_set (&self->random_calls, (gint) environment->random_calls);
}
