/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-module-info.h"

#include <glib/gi18n-lib.h>

#include "nebula-json.h"
#include "nebula-module-internal.h"

/* All data lives in one GVariant, which may lie in the memory-mapped cache; the texts below point into it. */
struct _NebulaModuleInfo
{
  gatomicrefcount ref_count;
  GVariant *entry;
  GVariant *actions;
  const char *path;
  NebulaModuleKey key;
  guint8 status;
  guint32 code;
  const char *reason;
  const char *id;
  const char *version;
  const char *title;
  guint n_actions;
};

G_DEFINE_BOXED_TYPE (NebulaModuleInfo, nebula_module_info, nebula_module_info_ref, nebula_module_info_unref)

NebulaModuleInfo *
nebula_module_info_new_from_entry (GVariant *entry)
{
  NebulaModuleInfo *self = g_new0 (NebulaModuleInfo, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->entry = g_variant_ref_sink (entry);
  g_variant_get_child (entry, 0, "&s", &self->path);
  g_variant_get_child (entry, 1, "t", &self->key.device);
  g_variant_get_child (entry, 2, "t", &self->key.inode);
  g_variant_get_child (entry, 3, "t", &self->key.size_bytes);
  g_variant_get_child (entry, 4, "x", &self->key.mtime_nsec);
  g_variant_get_child (entry, 5, "y", &self->status);
  g_variant_get_child (entry, 6, "u", &self->code);
  g_variant_get_child (entry, 7, "&s", &self->reason);
  g_variant_get_child (entry, 8, "&s", &self->id);
  g_variant_get_child (entry, 9, "&s", &self->version);
  g_variant_get_child (entry, 10, "&s", &self->title);
  self->actions = g_variant_get_child_value (entry, 12);
  self->n_actions = (guint) g_variant_n_children (self->actions);
  return self;
}

static void
add_action (GVariantBuilder *actions, NebulaValue *action)
{
  g_autofree char *json = nebula_value_to_json (action, NEBULA_JSON_FLAGS_NONE);

  g_variant_builder_add (actions, "(sss)", nebula_value_get_member_string (action, "id", ""),
                         nebula_value_get_member_string (action, "version", ""), json);
}

/* An action whose description cannot be read back makes the whole module broken, now rather than at its first use. */
static gboolean
add_actions (GVariantBuilder *builder, NebulaValue *actions, GError **error)
{
  if (actions == NULL || nebula_value_get_kind (actions) != NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, _("The module host gave no catalogue"));
    return FALSE;
  }
  for (gsize i = 0; i < nebula_value_get_length (actions); i++) {
    NebulaValue *action = nebula_value_get_item (actions, i);
    g_autoptr (NebulaActionInfo) info = nebula_action_info_new_from_value (action, error);

    if (info == NULL)
      return FALSE;
    add_action (builder, action);
  }
  return TRUE;
}

static void
add_types (GVariantBuilder *builder, NebulaValue *types)
{
  gsize n_types = types != NULL && nebula_value_get_kind (types) == NEBULA_VALUE_KIND_ARRAY ? nebula_value_get_length (types) : 0;

  for (gsize i = 0; i < n_types; i++) {
    NebulaValue *type = nebula_value_get_item (types, i);

    if (nebula_value_get_kind (type) == NEBULA_VALUE_KIND_STRING)
      g_variant_builder_add (builder, "s", nebula_value_get_string (type));
  }
}

static void
add_services (GVariantBuilder *builder, NebulaValue *services)
{
  gsize n_services = services != NULL && nebula_value_get_kind (services) == NEBULA_VALUE_KIND_ARRAY ? nebula_value_get_length (services) : 0;

  for (gsize i = 0; i < n_services; i++) {
    NebulaValue *service = nebula_value_get_item (services, i);

    g_variant_builder_add (builder, "(sss)", nebula_value_get_member_string (service, "name", ""),
                           nebula_value_get_member_string (service, "title", ""),
                           nebula_value_get_member_string (service, "type", ""));
  }
}

NebulaModuleInfo *
nebula_module_info_new_ok (const char *path, const NebulaModuleKey *key, NebulaValue *catalogue, GError **error)
{
  g_auto (GVariantBuilder) types = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("as"));
  g_auto (GVariantBuilder) actions = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sss)"));
  g_auto (GVariantBuilder) services = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sss)"));
  g_autofree char *id = nebula_module_file_get_id (path);
  g_autofree char *functions = NULL;

  if (g_strcmp0 (nebula_value_get_member_string (catalogue, "id", ""), id) != 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("The catalogue is not that of the module “%s”"), id);
    return NULL;
  }
  add_types (&types, nebula_value_get_member (catalogue, "types"));
  if (!add_actions (&actions, nebula_value_get_member (catalogue, "actions"), error))
    return NULL;
  add_services (&services, nebula_value_get_member (catalogue, "services"));
  if (nebula_value_has_member (catalogue, "functions"))
    functions = nebula_value_to_json (nebula_value_get_member (catalogue, "functions"), NEBULA_JSON_FLAGS_NONE);

  return nebula_module_info_new_from_entry (g_variant_new (
      NEBULA_MODULE_ENTRY_TYPE, path, key->device, key->inode, key->size_bytes, key->mtime_nsec,
      (guint8) NEBULA_MODULE_STATUS_OK, 0, "", id, nebula_value_get_member_string (catalogue, "version", ""),
      nebula_value_get_member_string (catalogue, "title", id), &types, &actions, functions != NULL ? functions : "[]", &services));
}

NebulaModuleInfo *
nebula_module_info_new_failed (const char *path, const NebulaModuleKey *key, const GError *error)
{
  g_autofree char *id = nebula_module_file_get_id (path);
  g_autofree char *valid_path = g_utf8_make_valid (path, -1);
  g_autofree char *valid_id = g_utf8_make_valid (id, -1);
  g_autofree char *reason = g_utf8_make_valid (error->message, -1);
  gboolean refused = g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_REFUSED);
  guint8 status = refused ? NEBULA_MODULE_STATUS_REFUSED : NEBULA_MODULE_STATUS_BROKEN;
  guint32 code = error->domain == NEBULA_ERROR ? (guint32) error->code : NEBULA_ERROR_MODULE_BROKEN;
  NebulaModuleKey none = { 0 };

  if (key == NULL)
    key = &none;
  return nebula_module_info_new_from_entry (g_variant_new (
      NEBULA_MODULE_ENTRY_TYPE, valid_path, key->device, key->inode, key->size_bytes, key->mtime_nsec, status, code,
      reason, valid_id, "", "", NULL, NULL, "[]", NULL));
}

/**
 * nebula_module_info_ref:
 * @self: an info
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaModuleInfo *
nebula_module_info_ref (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * nebula_module_info_unref:
 * @self: (transfer full): an info
 *
 * Gives a reference back; the last one frees it.
 *
 * Since: 1.0
 */
void
nebula_module_info_unref (NebulaModuleInfo *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_variant_unref (self->actions);
  g_variant_unref (self->entry);
  g_free (self);
}

/**
 * nebula_module_info_get_id:
 * @self: an info
 *
 * The id of the module; it is also the name of its file.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_module_info_get_id (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->id;
}

/**
 * nebula_module_info_get_version:
 * @self: an info
 *
 * The semantic version of the module.
 *
 * Returns: text that lives as long as @self; empty unless its status is ok
 *
 * Since: 1.0
 */
const char *
nebula_module_info_get_version (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->version;
}

/**
 * nebula_module_info_get_title:
 * @self: an info
 *
 * The name of the module for people, not translated.
 *
 * Returns: text that lives as long as @self; empty unless its status is ok
 *
 * Since: 1.0
 */
const char *
nebula_module_info_get_title (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->title;
}

/**
 * nebula_module_info_get_path:
 * @self: an info
 *
 * Where its file lies.
 *
 * Returns: a path that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_module_info_get_path (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->path;
}

/**
 * nebula_module_info_get_status:
 * @self: an info
 *
 * Whether it can be used.
 *
 * Returns: the status
 *
 * Since: 1.0
 */
NebulaModuleStatus
nebula_module_info_get_status (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_MODULE_STATUS_BROKEN);

  return (NebulaModuleStatus) self->status;
}

/**
 * nebula_module_info_get_reason:
 * @self: an info
 *
 * Why it cannot be used, as a sentence for people.
 *
 * Returns: (nullable): text that lives as long as @self; %NULL if its status is ok
 *
 * Since: 1.0
 */
const char *
nebula_module_info_get_reason (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->status == NEBULA_MODULE_STATUS_OK ? NULL : self->reason;
}

/**
 * nebula_module_info_get_n_actions:
 * @self: an info
 *
 * How many actions it brings.
 *
 * Returns: their number
 *
 * Since: 1.0
 */
guint
nebula_module_info_get_n_actions (NebulaModuleInfo *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_actions;
}

/**
 * nebula_module_info_list_services:
 * @self: an info
 *
 * The parts of the server that it brings: an array of `{name, title, type}`.
 *
 * Returns: (transfer full): an array
 *
 * Since: 1.0
 */
NebulaValue *
nebula_module_info_list_services (NebulaModuleInfo *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (GVariant) services = NULL;
  GVariantIter iter;
  const char *name, *title, *type;

  g_return_val_if_fail (self != NULL, NULL);

  builder = nebula_value_builder_new_array ();
  services = g_variant_get_child_value (self->entry, 14);
  g_variant_iter_init (&iter, services);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &name, &title, &type)) {
    g_autoptr (NebulaValueBuilder) service = nebula_value_builder_new_object ();

    nebula_value_builder_set_string (service, "name", name);
    nebula_value_builder_set_string (service, "title", title);
    nebula_value_builder_set_string (service, "type", type);
    nebula_value_builder_add_take (builder, nebula_value_builder_end (service));
  }
  return nebula_value_builder_end (builder);
}

NebulaValue *
nebula_module_info_dup_functions (NebulaModuleInfo *self)
{
  const char *json = NULL;
  NebulaValue *functions;

  g_variant_get_child (self->entry, 13, "&s", &json);
  functions = nebula_value_parse_json (json, -1, NEBULA_JSON_FLAGS_NONE, NULL);
  if (functions != NULL && nebula_value_get_kind (functions) == NEBULA_VALUE_KIND_ARRAY)
    return functions;
  g_clear_pointer (&functions, nebula_value_unref);
  return nebula_value_new_array (NULL, 0);
}

/**
 * nebula_module_info_to_value:
 * @self: an info
 *
 * Writes it as an object: `{id, version, title, path, status, reason, actions, functions, services}`, the actions as ids.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_module_info_to_value (NebulaModuleInfo *self)
{
  static const char *const names[] = { "ok", "broken", "refused" };
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValueBuilder) actions = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  actions = nebula_value_builder_new_array ();
  for (guint i = 0; i < self->n_actions; i++) {
    const char *id = NULL;

    nebula_module_info_get_action_name (self, i, &id, NULL);
    nebula_value_builder_add_take (actions, nebula_value_new_string (id));
  }

  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "id", self->id);
  nebula_value_builder_set_string (builder, "version", self->version);
  nebula_value_builder_set_string (builder, "title", self->title);
  nebula_value_builder_set_string (builder, "path", self->path);
  nebula_value_builder_set_string (builder, "status", names[MIN (self->status, NEBULA_MODULE_STATUS_REFUSED)]);
  nebula_value_builder_set_string (builder, "reason", nebula_module_info_get_reason (self));
  nebula_value_builder_set_take (builder, "actions", nebula_value_builder_end (actions));
  nebula_value_builder_set_take (builder, "functions", nebula_module_info_dup_functions (self));
  nebula_value_builder_set_take (builder, "services", nebula_module_info_list_services (self));
  return nebula_value_builder_end (builder);
}

GVariant *
nebula_module_info_get_entry (NebulaModuleInfo *self)
{
  return self->entry;
}

void
nebula_module_info_get_key (NebulaModuleInfo *self, NebulaModuleKey *ret_key)
{
  *ret_key = self->key;
}

GStrv
nebula_module_info_dup_types (NebulaModuleInfo *self)
{
  g_autoptr (GVariant) types = g_variant_get_child_value (self->entry, 11);

  return g_variant_dup_strv (types, NULL);
}

void
nebula_module_info_get_action_name (NebulaModuleInfo *self, guint index, const char **ret_id, const char **ret_version)
{
  g_autoptr (GVariant) action = g_variant_get_child_value (self->actions, index);

  if (ret_id != NULL)
    g_variant_get_child (action, 0, "&s", ret_id);
  if (ret_version != NULL)
    g_variant_get_child (action, 1, "&s", ret_version);
}

NebulaActionInfo *
nebula_module_info_read_action (NebulaModuleInfo *self, guint index, GError **error)
{
  g_autoptr (GVariant) action = g_variant_get_child_value (self->actions, index);
  g_autoptr (NebulaValue) value = NULL;
  const char *json = NULL;

  g_variant_get_child (action, 2, "&s", &json);
  value = nebula_value_parse_json (json, -1, NEBULA_JSON_FLAGS_NONE, error);
  return value != NULL ? nebula_action_info_new_from_value (value, error) : NULL;
}

gboolean
nebula_module_info_set_error (NebulaModuleInfo *self, GError **error)
{
  g_set_error_literal (error, NEBULA_ERROR, (gint) self->code, self->reason);
  return FALSE;
}
