/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A resolver with the actions that tests and the fuzzer name; C and C++. */
#pragma once

#include <string.h>

#include "nebula-action-resolver.h"

G_BEGIN_DECLS

typedef struct
{
  const char *id;
  const char *construct;
  const char *effect;
  const char *ports;         /* separated by spaces; empty: out */
  const char *dynamic_ports; /* NULL: none */
  const char *parameters;    /* NAME:KIND[:FLAG] separated by spaces */
} TestAction;

static const TestAction test_actions[] = {
  { "data.set", "none", "pure", "", NULL, "values:object:rest" },
  { "flow.if", "none", "pure", "true false", NULL, "condition:json:required" },
  { "flow.switch", "none", "pure", "default", "cases", "value:json:required cases:object:required" },
  { "flow.merge", "none", "pure", "", NULL, "mode:text" },
  { "flow.no-op", "none", "pure", "", NULL, "" },
  { "flow.for-each", "for-each", "pure", "", NULL, "items:json:required concurrency:integer batch:integer" },
  { "flow.repeat", "repeat", "pure", "", NULL, "times:integer:required" },
  { "flow.while", "while", "pure", "", NULL, "condition:expression:required max:integer" },
  { "flow.wait", "wait", "pure", "", NULL, "duration:duration" },
  { "flow.stop", "stop", "pure", "", NULL, "output:json" },
  { "flow.fail", "fail", "pure", "", NULL, "message:text code:text" },
  { "flow.break", "break", "pure", "", NULL, "" },
  { "flow.try", "try", "pure", "", NULL, "" },
  { "flow.cancel", "cancel", "pure", "", NULL, "node:text region:text keep:boolean" },
  { "flow.add", "add", "pure", "", NULL, "items:json:required" },
  { "flow.race", "race", "pure", "", NULL, "success:boolean" },
  { "data.filter", "none", "pure", "", NULL, "items:list:required where:expression:required" },
  { "data.aggregate", "none", "pure", "", NULL, "items:list:required by:expression compute:expressions:required" },
  { "data.sort", "none", "pure", "", NULL, "items:list:required by:expression descending:boolean" },
  { "data.limit", "none", "pure", "", NULL, "items:list:required count:integer:required" },
  { "data.parse", "none", "read", "", NULL, "text:textarea file:file format:text header:boolean columns:strings comment:text delimiter:text" },
  { "file.read", "none", "read", "", NULL, "path:file:required as:text offset:integer lines:integer" },
  { "file.write", "none", "effectful", "", NULL, "path:file:required content:json append:boolean" },
  { "http.request", "none", "effectful", "", NULL, "url:text:required method:text timeout:duration retries:integer:no-template" },
};

static inline void
test_parameters_add (NebulaValueBuilder *list, const char *spec)
{
  char **parts = g_strsplit (spec, ":", 3);
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "name", parts[0]);
  nebula_value_builder_set_string (builder, "kind", parts[1]);
  if (parts[2]) {
    const char *flags[] = { parts[2], NULL };

    nebula_value_builder_set_take (builder, "flags", nebula_value_new_strv (flags));
  }
  nebula_value_builder_add_take (list, nebula_value_builder_end (builder));
  nebula_value_builder_unref (builder);
  g_strfreev (parts);
}

static inline NebulaActionInfo *
test_action_info_new (const TestAction *action, gboolean evaluated)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();
  NebulaValueBuilder *ports = nebula_value_builder_new_object ();
  NebulaValueBuilder *parameters = nebula_value_builder_new_array ();
  char **port_names = g_strsplit (*action->ports ? action->ports : "out", " ", -1);
  char **specs = g_strsplit (action->parameters, " ", -1);
  NebulaActionInfo *info;
  NebulaValue *value;
  GError *error = NULL;

  for (guint i = 0; port_names[i]; i++)
    nebula_value_builder_set_string (ports, port_names[i], port_names[i]);
  for (guint i = 0; specs[i]; i++)
    if (*specs[i])
      test_parameters_add (parameters, specs[i]);
  nebula_value_builder_set_string (builder, "id", action->id);
  nebula_value_builder_set_string (builder, "version", "1.0.0");
  nebula_value_builder_set_string (builder, "title", action->id);
  nebula_value_builder_set_string (builder, "type", "TestAction");
  nebula_value_builder_set_string (builder, "effect", action->effect);
  nebula_value_builder_set_string (builder, "construct", action->construct);
  nebula_value_builder_set_boolean (builder, "evaluated", evaluated);
  nebula_value_builder_set_take (builder, "ports", nebula_value_builder_end (ports));
  if (strcmp (action->id, "data.set") == 0)
    nebula_value_builder_set_string (builder, "result", "parameters");
  if (action->dynamic_ports)
    nebula_value_builder_set_string (builder, "dynamic-ports", action->dynamic_ports);
  nebula_value_builder_set_take (builder, "parameters", nebula_value_builder_end (parameters));
  value = nebula_value_builder_end (builder);
  info = nebula_action_info_new_from_value (value, &error);
  if (!info)
    g_critical ("%s: %s", action->id, error->message);

  g_clear_error (&error);
  nebula_value_unref (value);
  nebula_value_builder_unref (builder);
  nebula_value_builder_unref (ports);
  nebula_value_builder_unref (parameters);
  g_strfreev (port_names);
  g_strfreev (specs);
  return info;
}

/* A class for data.set, to be linked. */
#define TEST_TYPE_SET (test_set_get_type ())
G_DECLARE_FINAL_TYPE (TestSet, test_set, TEST, SET, NebulaAction)
struct _TestSet
{
  NebulaAction parent_instance;
};
G_DEFINE_TYPE (TestSet, test_set, NEBULA_TYPE_ACTION)

static NebulaValue *
test_set_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  return nebula_value_ref (arguments->parameters);
}

static void
test_set_class_init (TestSetClass *klass)
{
  NebulaActionClass *action_class = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action_class, "data.set", "1.0.0", "Set", "Sets.", "data");
  nebula_action_class_set_evaluate (action_class, test_set_evaluate);
}

static void
test_set_init (TestSet *self)
{
}

#define TEST_TYPE_RESOLVER (test_resolver_get_type ())
G_DECLARE_FINAL_TYPE (TestResolver, test_resolver, TEST, RESOLVER, GObject)
struct _TestResolver
{
  GObject parent_instance;
  GHashTable *infos;
  guint n_lookups;
  guint n_loads;
  gboolean load_fails;
};

static NebulaActionInfo *
test_resolver_lookup (NebulaActionResolver *resolver, const char *id, const char *version, GError **error)
{
  TestResolver *self = (TestResolver *) resolver;
  NebulaActionInfo *info = (NebulaActionInfo *) g_hash_table_lookup (self->infos, id);

  self->n_lookups++;
  if (info && (!version || strcmp (version, "1.0") == 0))
    return nebula_action_info_ref (info);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_ACTION, "No module brings “%s”", id);
  return NULL;
}

static NebulaActionClass *
test_resolver_load (NebulaActionResolver *resolver, NebulaActionInfo *info, GError **error)
{
  TestResolver *self = (TestResolver *) resolver;

  self->n_loads++;
  if (!self->load_fails)
    return (NebulaActionClass *) g_type_class_ref (TEST_TYPE_SET);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_MISSING, "gone");
  return NULL;
}

static void
test_resolver_iface_init (NebulaActionResolverInterface *iface)
{
  iface->lookup = test_resolver_lookup;
  iface->load = test_resolver_load;
}

G_DEFINE_TYPE_WITH_CODE (TestResolver,
                         test_resolver,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (NEBULA_TYPE_ACTION_RESOLVER, test_resolver_iface_init))

static void
test_resolver_finalize (GObject *object)
{
  g_hash_table_unref (((TestResolver *) object)->infos);
  G_OBJECT_CLASS (test_resolver_parent_class)->finalize (object);
}

static void
test_resolver_class_init (TestResolverClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_resolver_finalize;
}

static void
test_resolver_init (TestResolver *self)
{
  self->infos = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) nebula_action_info_unref);
  for (gsize i = 0; i < G_N_ELEMENTS (test_actions); i++) {
    gboolean evaluated = strcmp (test_actions[i].id, "data.set") == 0;

    g_hash_table_insert (self->infos, (gpointer) test_actions[i].id, test_action_info_new (&test_actions[i], evaluated));
  }
}

G_END_DECLS
