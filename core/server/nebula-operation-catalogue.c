/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Actions, modules, gates, and the state of the server. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-server-private.h"

#define SEARCH_MOST 100

static NebulaValue *
describe_briefly (NebulaActionInfo *info)
{
  g_autoptr (NebulaValue) whole = nebula_action_info_to_value (info);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  static const char *const members[] = {"id",          "version",  "title",
                                        "description", "category", "effect"};

  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    NebulaValue *member = nebula_value_get_member (whole, members[i]);

    if (member)
      nebula_value_builder_set (builder, members[i], member);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
list_actions (NebulaOperation *self, GError **error)
{
  const char *text = _nebula_operation_get (self, "search");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (GPtrArray) actions =
      text ? nebula_registry_search (self->server->registry, text, SEARCH_MOST)
           : nebula_registry_list_actions (self->server->registry);

  for (guint i = 0; i < actions->len; i++)
    nebula_value_builder_add_take (builder, describe_briefly (actions->pdata[i]));
  return nebula_value_builder_end (builder);
}

static NebulaActionInfo *
find_action (NebulaOperation *self, GError **error)
{
  const char *id = _nebula_operation_get (self, "action");
  NebulaActionInfo *info = nebula_action_resolver_lookup (
      NEBULA_ACTION_RESOLVER (self->server->registry), id ? id : "",
      _nebula_operation_get (self, "version"), NULL);

  if (!info)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no action “%.200s”."), id ? id : "");
  return info;
}

static NebulaValue *
get_action (NebulaOperation *self, GError **error)
{
  g_autoptr (NebulaActionInfo) info = find_action (self, error);

  return info ? nebula_action_info_to_value (info) : NULL;
}

static NebulaValue *
get_schema (NebulaOperation *self, GError **error)
{
  g_autoptr (NebulaActionInfo) info = find_action (self, error);

  return info ? nebula_parameter_table_to_json_schema (
                    nebula_action_info_get_parameters (info))
              : NULL;
}

/* Where its file lies is nobody's business outside. */
static NebulaValue *
describe_module (NebulaModuleInfo *module)
{
  g_autoptr (NebulaValue) whole = nebula_module_info_to_value (module);

  return nebula_value_without_member (whole, "path");
}

static NebulaValue *
list_modules (NebulaOperation *self, GError **error)
{
  g_autoptr (GPtrArray) modules = nebula_registry_list_modules (self->server->registry);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; i < modules->len; i++)
    nebula_value_builder_add_take (builder, describe_module (modules->pdata[i]));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
get_module (NebulaOperation *self, GError **error)
{
  g_autoptr (GPtrArray) modules = nebula_registry_list_modules (self->server->registry);
  const char *id = _nebula_operation_get (self, "module");

  for (guint i = 0; i < modules->len; i++)
    if (g_strcmp0 (nebula_module_info_get_id (modules->pdata[i]), id) == 0)
      return describe_module (modules->pdata[i]);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
               _ ("There is no module “%.200s”."), id ? id : "");
  return NULL;
}

/* Keys are TENANT/…, or KIND:TENANT/…. */
static gboolean
is_of_tenant (NebulaOperation *self, const char *key)
{
  const char *slash = strchr (key, '/');
  const char *colon = strchr (key, ':');
  const char *tenant = colon && slash && colon < slash ? colon + 1 : key;
  const char *own = nebula_caller_get_tenant (self->caller);

  return slash && (gsize) (slash - tenant) == strlen (own) &&
         strncmp (tenant, own, strlen (own)) == 0;
}

static NebulaValue *
list_queues (NebulaOperation *self, GError **error)
{
  g_autoptr (NebulaValue) all = nebula_engine_list_queues (self->server->engine, error);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  if (!all)
    return NULL;
  for (gsize i = 0; i < nebula_value_get_length (all); i++) {
    NebulaValue *queue = nebula_value_get_item (all, i);

    if (is_of_tenant (self, nebula_value_get_member_string (queue, "key", "")))
      nebula_value_builder_add (builder, queue);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
get_queue (NebulaOperation *self, GError **error)
{
  const char *key = _nebula_operation_get (self, "queue");

  if (key && is_of_tenant (self, key))
    return nebula_engine_get_queue (self->server->engine, key, error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND, _ ("There is no queue “%.200s”."),
               key ? key : "");
  return NULL;
}

static NebulaValue *
get_metrics (NebulaOperation *self, GError **error)
{
  char *text = nebula_metrics_to_text (nebula_engine_get_metrics (self->server->engine));

  return nebula_value_new_string_take (text, strlen (text));
}

/* An answer proves that the engine's loop turns. */
static NebulaValue *
get_ready (NebulaOperation *self, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "status", "ready");
  return nebula_value_builder_end (builder);
}

const NebulaOperationClass _nebula_operations_catalogue[] = {
    {"ready", NEBULA_PERMISSION_NONE, .now = get_ready},
    {"metrics", NEBULA_PERMISSION_METRICS_READ, .now = get_metrics},
    {"action-list", NEBULA_PERMISSION_CATALOGUE_READ, .now = list_actions},
    {"action-get", NEBULA_PERMISSION_CATALOGUE_READ, .now = get_action},
    {"action-schema", NEBULA_PERMISSION_CATALOGUE_READ, .now = get_schema},
    {"module-list", NEBULA_PERMISSION_CATALOGUE_READ, .now = list_modules},
    {"module-get", NEBULA_PERMISSION_CATALOGUE_READ, .now = get_module},
    {"queue-list", NEBULA_PERMISSION_QUEUE_READ, .read = list_queues},
    {"queue-get", NEBULA_PERMISSION_QUEUE_READ, .read = get_queue},
    {NULL, NEBULA_PERMISSION_NONE, NULL, NULL, NULL},
};
