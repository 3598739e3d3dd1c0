/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalogue's entry of an action, and its form as a value:
 *
 *   {"id": "http.request", "version": "1.0.0", "title": …, "description": …, "category": …, "module": …, "type": …,
 *    "effect": "effectful", "construct": "none", "evaluated": false, "ports": {"out": title}, "dynamic-ports": …,
 *    "capabilities": [ … ], "example": …, "result": …, "parameters": [ … ]}
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-action-private.h"
#include "nebula-json.h"

struct _NebulaActionInfo
{
  gatomicrefcount ref_count;
  char *id;
  char *version;
  char *title;
  char *description;
  char *category;
  char *module_id;
  char *type_name;
  char *example;
  NebulaValue *result; /* may be NULL */
  char *dynamic_ports;
  NebulaEffect effect;
  NebulaConstruct construct;
  gboolean is_evaluated;
  GStrv ports;
  GStrv port_titles;
  GStrv capabilities;
  NebulaParameterTable *parameters;
};

G_DEFINE_BOXED_TYPE (NebulaActionInfo, nebula_action_info, nebula_action_info_ref, nebula_action_info_unref)

static const char *const effect_names[] = { "pure", "read", "transactional", "idempotent", "effectful", NULL };
static const char *const construct_names[] = { "none",     "for-each", "repeat", "while", "wait",   "stop", "fail", "break",
                                               "continue", "try",      "race",   "call",  "cancel", "add", "token", NULL };

static NebulaActionInfo *
nebula_action_info_alloc (void)
{
  NebulaActionInfo *self = g_new0 (NebulaActionInfo, 1);

  g_atomic_ref_count_init (&self->ref_count);
  return self;
}

/**
 * nebula_action_info_ref:
 * @self: an entry
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaActionInfo *
nebula_action_info_ref (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * nebula_action_info_unref:
 * @self: (transfer full): an entry
 *
 * Gives a reference back; the last one frees it.
 *
 * Since: 1.0
 */
void
nebula_action_info_unref (NebulaActionInfo *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_free (self->id);
  g_free (self->version);
  g_free (self->title);
  g_free (self->description);
  g_free (self->category);
  g_free (self->module_id);
  g_free (self->type_name);
  g_free (self->example);
  g_clear_pointer (&self->result, nebula_value_unref);
  g_free (self->dynamic_ports);
  g_strfreev (self->ports);
  g_strfreev (self->port_titles);
  g_strfreev (self->capabilities);
  g_clear_pointer (&self->parameters, nebula_parameter_table_unref);
  g_free (self);
}

static gboolean
is_id (const char *text)
{
  return g_regex_match_simple ("^[a-z0-9][a-z0-9-]*(\\.[a-z0-9][a-z0-9-]*)+$", text, G_REGEX_DOLLAR_ENDONLY, 0);
}

static gboolean
is_version (const char *text)
{
  return g_regex_match_simple ("^[0-9]{1,9}\\.[0-9]{1,9}(\\.[0-9]{1,9})?$", text, G_REGEX_DOLLAR_ENDONLY, 0);
}

static gboolean
check_names (NebulaActionInfo *self, GError **error)
{
  if (!is_id (self->id) || strlen (self->id) > 128) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 _("“%s” is no id of an action. Write it as “module.verb” with small letters, digits and hyphens"), self->id);
    return FALSE;
  }
  if (!is_version (self->version)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 _("The action “%s” has no valid version. Write it as “1.0.0”"), self->id);
    return FALSE;
  }
  return TRUE;
}

static GStrv
copy_texts (GPtrArray *texts, const char *fallback)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < texts->len; i++)
    g_strv_builder_add (builder, g_ptr_array_index (texts, i));
  if (texts->len == 0 && fallback != NULL)
    g_strv_builder_add (builder, fallback);
  return g_strv_builder_end (builder);
}

/* A schema begins with a brace; all else is a word. */
static gboolean
read_result (NebulaActionInfo *self, const char *text, GError **error)
{
  if (*text == '{')
    self->result = nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_NONE, error);
  else
    self->result = nebula_value_new_string (text);
  return self->result != NULL;
}

static void
copy_ports (NebulaActionInfo *self, NebulaActionDetails *details)
{
  const char *fallback = self->dynamic_ports != NULL ? "default" : "out";

  self->ports = copy_texts (details->ports, fallback);
  self->port_titles = copy_texts (details->port_titles, fallback);
}

/**
 * nebula_action_info_new_from_class: (skip)
 * @klass: a class whose set-up is finished
 * @module_id: (nullable): the module that brings it; %NULL if it comes from code
 *
 * Makes the catalogue's entry of a class.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal) if it has no details, id or version; %NEBULA_ERROR_UNSUPPORTED
 * (terminal) if a property cannot be a parameter.
 *
 * Returns: (transfer full): a new entry
 *
 * Since: 1.0
 */
NebulaActionInfo *
nebula_action_info_new_from_class (NebulaActionClass *klass, const char *module_id, GError **error)
{
  g_autoptr (NebulaActionInfo) self = NULL;
  NebulaActionDetails *details;
  NebulaParameterTable *table;

  g_return_val_if_fail (NEBULA_IS_ACTION_CLASS (klass), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  details = _nebula_action_class_get_details (klass);
  if (details->id == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 _("The class %s has no details. Call nebula_action_class_set_details () in its class_init"),
                 G_OBJECT_CLASS_NAME (klass));
    return NULL;
  }
  table = _nebula_action_class_get_table (klass, error);
  if (table == NULL)
    return NULL;

  self = nebula_action_info_alloc ();
  self->id = g_strdup (details->id);
  self->version = g_strdup (details->version);
  self->title = g_strdup (details->title);
  self->description = g_strdup (details->description != NULL ? details->description : "");
  self->category = g_strdup (details->category != NULL ? details->category : "");
  self->module_id = g_strdup (module_id);
  self->type_name = g_strdup (G_OBJECT_CLASS_NAME (klass));
  self->example = g_strdup (details->example);
  if (details->result != NULL && !read_result (self, details->result, error))
    return NULL;
  self->dynamic_ports = g_strdup (details->dynamic_ports);
  self->effect = _nebula_action_details_get_effect (details);
  self->construct = details->construct;
  self->is_evaluated = details->evaluate != NULL;
  copy_ports (self, details);
  self->capabilities = copy_texts (details->capabilities, NULL);
  self->parameters = nebula_parameter_table_ref (table);
  if (!check_names (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

static NebulaValue *
ports_to_value (NebulaActionInfo *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; self->ports[i] != NULL; i++)
    nebula_value_builder_set_string (builder, self->ports[i], self->port_titles[i]);
  return nebula_value_builder_end (builder);
}

/**
 * nebula_action_info_to_value:
 * @self: an entry
 *
 * Writes the entry as an object, the form of the catalogue.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_action_info_to_value (NebulaActionInfo *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "id", self->id);
  nebula_value_builder_set_string (builder, "version", self->version);
  nebula_value_builder_set_string (builder, "title", self->title);
  nebula_value_builder_set_string (builder, "description", self->description);
  nebula_value_builder_set_string (builder, "category", self->category);
  if (self->module_id != NULL)
    nebula_value_builder_set_string (builder, "module", self->module_id);
  nebula_value_builder_set_string (builder, "type", self->type_name);
  nebula_value_builder_set_string (builder, "effect", effect_names[self->effect]);
  nebula_value_builder_set_string (builder, "construct", construct_names[self->construct]);
  nebula_value_builder_set_boolean (builder, "evaluated", self->is_evaluated);
  nebula_value_builder_set_take (builder, "ports", ports_to_value (self));
  if (self->dynamic_ports != NULL)
    nebula_value_builder_set_string (builder, "dynamic-ports", self->dynamic_ports);
  if (self->capabilities[0] != NULL)
    nebula_value_builder_set_take (builder, "capabilities", nebula_value_new_strv ((const char *const *) self->capabilities));
  if (self->example != NULL)
    nebula_value_builder_set_string (builder, "example", self->example);
  if (self->result != NULL)
    nebula_value_builder_set (builder, "result", self->result);
  nebula_value_builder_set_take (builder, "parameters", nebula_parameter_table_to_value (self->parameters));
  return nebula_value_builder_end (builder);
}

static gboolean
refuse_member (GError **error, NebulaActionInfo *self, const char *member)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _("The description of the action “%s” is damaged at “%s”. Write the catalogue anew"), self->id, member);
  return FALSE;
}

static gboolean
read_name (NebulaActionInfo *self, NebulaValue *value, const char *member, const char *const *names, guint *ret_index,
           GError **error)
{
  const char *name = nebula_value_get_member_string (value, member, "");

  for (guint i = 0; names[i] != NULL; i++) {
    if (!g_str_equal (names[i], name))
      continue;
    *ret_index = i;
    return TRUE;
  }
  return refuse_member (error, self, member);
}

static gboolean
read_ports (NebulaActionInfo *self, NebulaValue *ports, GError **error)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) titles = g_strv_builder_new ();

  if (ports == NULL || nebula_value_get_kind (ports) != NEBULA_VALUE_KIND_OBJECT)
    return refuse_member (error, self, "ports");

  for (gsize i = 0; i < nebula_value_get_length (ports); i++) {
    const char *name = nebula_value_get_key (ports, i, NULL);

    g_strv_builder_add (names, name);
    g_strv_builder_add (titles, nebula_value_get_member_string (ports, name, name));
  }
  self->ports = g_strv_builder_end (names);
  self->port_titles = g_strv_builder_end (titles);
  return TRUE;
}

static gboolean
read_capabilities (NebulaActionInfo *self, NebulaValue *capabilities, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (capabilities != NULL && nebula_value_get_kind (capabilities) != NEBULA_VALUE_KIND_ARRAY)
    return refuse_member (error, self, "capabilities");

  for (gsize i = 0; capabilities != NULL && i < nebula_value_get_length (capabilities); i++) {
    NebulaValue *item = nebula_value_get_item (capabilities, i);

    if (nebula_value_get_kind (item) != NEBULA_VALUE_KIND_STRING)
      return refuse_member (error, self, "capabilities");
    g_strv_builder_add (builder, nebula_value_get_string (item));
  }
  self->capabilities = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
read_members (NebulaActionInfo *self, NebulaValue *value, GError **error)
{
  NebulaValue *parameters = nebula_value_get_member (value, "parameters");
  guint effect = 0, construct = 0;

  self->version = g_strdup (nebula_value_get_member_string (value, "version", ""));
  self->title = g_strdup (nebula_value_get_member_string (value, "title", self->id));
  self->description = g_strdup (nebula_value_get_member_string (value, "description", ""));
  self->category = g_strdup (nebula_value_get_member_string (value, "category", ""));
  self->module_id = g_strdup (nebula_value_get_member_string (value, "module", NULL));
  self->type_name = g_strdup (nebula_value_get_member_string (value, "type", ""));
  self->example = g_strdup (nebula_value_get_member_string (value, "example", NULL));
  if (nebula_value_has_member (value, "result"))
    self->result = nebula_value_ref (nebula_value_get_member (value, "result"));
  self->dynamic_ports = g_strdup (nebula_value_get_member_string (value, "dynamic-ports", NULL));
  self->is_evaluated = nebula_value_get_member_boolean (value, "evaluated", FALSE);

  if (!check_names (self, error) || !read_name (self, value, "effect", effect_names, &effect, error) ||
      !read_name (self, value, "construct", construct_names, &construct, error))
    return FALSE;
  self->effect = (NebulaEffect) effect;
  self->construct = (NebulaConstruct) construct;

  if (!read_ports (self, nebula_value_get_member (value, "ports"), error) ||
      !read_capabilities (self, nebula_value_get_member (value, "capabilities"), error))
    return FALSE;
  if (parameters == NULL)
    return refuse_member (error, self, "parameters");
  self->parameters = nebula_parameter_table_new_from_value (parameters, error);
  return self->parameters != NULL;
}

/**
 * nebula_action_info_new_from_value:
 * @value: what nebula_action_info_to_value() gave
 *
 * Reads an entry back. @value may come from another process: everything in it is checked.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_DUPLICATE_KEY, %NEBULA_ERROR_TOO_DEEP (terminal).
 *
 * Returns: (transfer full): a new entry
 *
 * Since: 1.0
 */
NebulaActionInfo *
nebula_action_info_new_from_value (NebulaValue *value, GError **error)
{
  g_autoptr (NebulaActionInfo) self = NULL;

  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = nebula_action_info_alloc ();
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _("The description of an action must be an object. Write the catalogue anew"));
    return NULL;
  }
  self->id = g_strdup (nebula_value_get_member_string (value, "id", ""));
  if (!read_members (self, value, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * nebula_action_info_get_id:
 * @self: an entry
 *
 * Its id, such as `http.request`.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_id (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->id;
}

/**
 * nebula_action_info_get_version:
 * @self: an entry
 *
 * Its semantic version.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_version (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->version;
}

/**
 * nebula_action_info_get_title:
 * @self: an entry
 *
 * Its name for people, not translated.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_title (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->title;
}

/**
 * nebula_action_info_get_description:
 * @self: an entry
 *
 * One or two sentences of help, not translated.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_description (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->description;
}

/**
 * nebula_action_info_get_category:
 * @self: an entry
 *
 * Where lists show it.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_category (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->category;
}

/**
 * nebula_action_info_get_module_id:
 * @self: an entry
 *
 * The module that brings it.
 *
 * Returns: (nullable): text that lives as long as @self; %NULL if it comes from code
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_module_id (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->module_id;
}

/**
 * nebula_action_info_get_type_name:
 * @self: an entry
 *
 * The name of its GType.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_type_name (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->type_name;
}

/**
 * nebula_action_info_get_example:
 * @self: an entry
 *
 * One node in YAML.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_example (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->example;
}

/**
 * nebula_action_info_get_result:
 * @self: an entry
 *
 * What the action declares of its result: a JSON Schema, or the word `input` or `parameters`.
 *
 * Returns: (transfer none) (nullable): a value that lives as long as @self; %NULL if nothing is declared
 *
 * Since: 1.0
 */
NebulaValue *
nebula_action_info_get_result (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->result;
}

/**
 * nebula_action_info_get_effect:
 * @self: an entry
 *
 * What running it does to the world, unless parameters or node say otherwise.
 *
 * Returns: the effect
 *
 * Since: 1.0
 */
NebulaEffect
nebula_action_info_get_effect (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_EFFECT_EFFECTFUL);

  return self->effect;
}

/**
 * nebula_action_info_get_construct:
 * @self: an entry
 *
 * The control flow that it stands for.
 *
 * Returns: the construct
 *
 * Since: 1.0
 */
NebulaConstruct
nebula_action_info_get_construct (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_CONSTRUCT_NONE);

  return self->construct;
}

/**
 * nebula_action_info_is_evaluated:
 * @self: an entry
 *
 * Whether its class brings an evaluation.
 *
 * Returns: %TRUE if it does
 *
 * Since: 1.0
 */
gboolean
nebula_action_info_is_evaluated (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->is_evaluated;
}

/**
 * nebula_action_info_get_ports:
 * @self: an entry
 *
 * The ports that it leaves by, without `error`.
 *
 * Returns: (transfer none) (array zero-terminated=1): texts that live as long as @self
 *
 * Since: 1.0
 */
const char *const *
nebula_action_info_get_ports (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return (const char *const *) self->ports;
}

/**
 * nebula_action_info_get_dynamic_ports:
 * @self: an entry
 *
 * The object parameter whose keys are ports besides.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_action_info_get_dynamic_ports (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->dynamic_ports;
}

/**
 * nebula_action_info_get_capabilities:
 * @self: an entry
 *
 * What it needs from the machine.
 *
 * Returns: (transfer none) (array zero-terminated=1): texts that live as long as @self
 *
 * Since: 1.0
 */
const char *const *
nebula_action_info_get_capabilities (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return (const char *const *) self->capabilities;
}

/**
 * nebula_action_info_get_parameters:
 * @self: an entry
 *
 * Its parameters.
 *
 * Returns: (transfer none): a table that lives as long as @self
 *
 * Since: 1.0
 */
NebulaParameterTable *
nebula_action_info_get_parameters (NebulaActionInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->parameters;
}
