/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The details of action classes, kept as data of their GType. */
#include "nebula-action-private.h"

static G_DEFINE_QUARK (nebula-action-details, nebula_action_details);

static NebulaActionDetails *
nebula_action_details_new (void)
{
  NebulaActionDetails *self = g_new0 (NebulaActionDetails, 1);

  self->effect = NEBULA_EFFECT_EFFECTFUL;
  self->ports = g_ptr_array_new ();
  self->port_titles = g_ptr_array_new ();
  self->capabilities = g_ptr_array_new ();
  self->described = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_parameter_unref);
  self->added = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_parameter_unref);
  g_mutex_init (&self->lock);
  return self;
}

/* Class set-up is serialised by GObject, so that making the details needs no lock of its own. */
NebulaActionDetails *
_nebula_action_class_get_details (NebulaActionClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);
  NebulaActionDetails *details = g_type_get_qdata (type, nebula_action_details_quark ());

  if (details == NULL) {
    details = nebula_action_details_new ();
    g_type_set_qdata (type, nebula_action_details_quark (), details);
  }
  return details;
}

NebulaEffect
_nebula_action_details_get_effect (NebulaActionDetails *details)
{
  if (details->effect_given)
    return details->effect;
  if (details->evaluate != NULL || details->construct != NEBULA_CONSTRUCT_NONE)
    return NEBULA_EFFECT_PURE;
  return NEBULA_EFFECT_EFFECTFUL;
}

/**
 * nebula_action_class_set_details: (skip)
 * @klass: a class in its set-up
 * @id: `module.verb`, such as `http.request`
 * @version: semantic version, such as `1.0.0`
 * @title: name for people, marked for translation
 * @description: one or two sentences of help, marked for translation
 * @category: where lists show it
 *
 * Says what the action is. All texts must be static.
 *
 * Since: 1.0
 */
void
nebula_action_class_set_details (NebulaActionClass *klass, const char *id, const char *version, const char *title,
                                 const char *description, const char *category)
{
  NebulaActionDetails *details;

  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));
  g_return_if_fail (id != NULL && version != NULL && title != NULL);

  details = _nebula_action_class_get_details (klass);
  details->id = id;
  details->version = version;
  details->title = title;
  details->description = description;
  details->category = category;
}

/**
 * nebula_action_class_set_effect: (skip)
 * @klass: a class in its set-up
 * @effect: what running it does to the world
 *
 * Sets the effect. Without it a class with an evaluation is pure and any other effectful.
 *
 * Since: 1.0
 */
void
nebula_action_class_set_effect (NebulaActionClass *klass, NebulaEffect effect)
{
  NebulaActionDetails *details;

  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));

  details = _nebula_action_class_get_details (klass);
  details->effect = effect;
  details->effect_given = TRUE;
}

/**
 * nebula_action_class_set_construct: (skip)
 * @klass: a class in its set-up
 * @construct: the control flow that it stands for
 *
 * Marks a class that brings parameters and help only, because the kernel does its work.
 *
 * Since: 1.0
 */
void
nebula_action_class_set_construct (NebulaActionClass *klass, NebulaConstruct construct)
{
  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));

  _nebula_action_class_get_details (klass)->construct = construct;
}

/**
 * nebula_action_class_set_evaluate: (skip)
 * @klass: a class in its set-up
 * @evaluate: the whole work as a function
 *
 * Gives a pure action its class-level evaluation.
 *
 * Since: 1.0
 */
void
nebula_action_class_set_evaluate (NebulaActionClass *klass, NebulaEvaluate evaluate)
{
  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));

  _nebula_action_class_get_details (klass)->evaluate = evaluate;
}

/**
 * nebula_action_class_add_port: (skip)
 * @klass: a class in its set-up
 * @name: name of the port
 * @title: name for people, marked for translation
 *
 * Adds a port to leave by. A class without any has the port `out`; every class has `error` besides.
 *
 * Since: 1.0
 */
void
nebula_action_class_add_port (NebulaActionClass *klass, const char *name, const char *title)
{
  NebulaActionDetails *details;

  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));
  g_return_if_fail (name != NULL);

  details = _nebula_action_class_get_details (klass);
  g_ptr_array_add (details->ports, (gpointer) name);
  g_ptr_array_add (details->port_titles, (gpointer) (title != NULL ? title : name));
}

/**
 * nebula_action_class_set_dynamic_ports: (skip)
 * @klass: a class in its set-up
 * @parameter: name of an object parameter
 *
 * Makes the keys of a parameter ports, beside `default`.
 *
 * Since: 1.0
 */
void
nebula_action_class_set_dynamic_ports (NebulaActionClass *klass, const char *parameter)
{
  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));

  _nebula_action_class_get_details (klass)->dynamic_ports = parameter;
}

/**
 * nebula_action_class_set_example: (skip)
 * @klass: a class in its set-up
 * @yaml: one node in YAML
 *
 * Sets the example of the help.
 *
 * Since: 1.0
 */
void
nebula_action_class_set_example (NebulaActionClass *klass, const char *yaml)
{
  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));

  _nebula_action_class_get_details (klass)->example = yaml;
}

/**
 * nebula_action_class_set_result: (skip)
 * @klass: a class in its set-up
 * @schema: a JSON Schema as text, or `input` if it gives its input, or `parameters` if it gives an object of them
 *
 * Declares the result, so that expressions that read it can be checked before anything runs.
 *
 * Since: 1.0
 */
void
nebula_action_class_set_result (NebulaActionClass *klass, const char *schema)
{
  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));

  _nebula_action_class_get_details (klass)->result = schema;
}

/**
 * nebula_action_class_add_capability: (skip)
 * @klass: a class in its set-up
 * @capability: such as `network` or `files`
 *
 * Says what the action needs from the machine.
 *
 * Since: 1.0
 */
void
nebula_action_class_add_capability (NebulaActionClass *klass, const char *capability)
{
  g_return_if_fail (NEBULA_IS_ACTION_CLASS (klass));
  g_return_if_fail (capability != NULL);

  g_ptr_array_add (_nebula_action_class_get_details (klass)->capabilities, (gpointer) capability);
}

static NebulaParameter *
find_parameter (GPtrArray *parameters, const char *name)
{
  for (guint i = 0; i < parameters->len; i++) {
    NebulaParameter *parameter = g_ptr_array_index (parameters, i);

    if (g_str_equal (nebula_parameter_get_name (parameter), name))
      return parameter;
  }
  return NULL;
}

/**
 * nebula_action_class_describe: (skip)
 * @klass: a class in its set-up, after its properties are installed
 * @property: name of one of them
 *
 * The parameter of a property, to add what a GParamSpec cannot say. A property that does not exist or whose type is
 * refused is a programmer error.
 *
 * Returns: (transfer none): a parameter that lives as long as the class
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_action_class_describe (NebulaActionClass *klass, const char *property)
{
  g_autoptr (GError) error = NULL;
  NebulaActionDetails *details;
  NebulaParameter *parameter;
  GParamSpec *pspec;

  g_return_val_if_fail (NEBULA_IS_ACTION_CLASS (klass), NULL);
  g_return_val_if_fail (property != NULL, NULL);

  details = _nebula_action_class_get_details (klass);
  pspec = g_object_class_find_property (G_OBJECT_CLASS (klass), property);
  g_return_val_if_fail (pspec != NULL, NULL);

  parameter = find_parameter (details->described, pspec->name);
  if (parameter != NULL)
    return parameter;

  parameter = nebula_parameter_new_from_pspec (pspec, &error);
  if (parameter == NULL)
    g_critical ("%s", error->message);
  else
    g_ptr_array_add (details->described, parameter);
  return parameter;
}

/**
 * nebula_action_class_add_parameter: (skip)
 * @klass: a class in its set-up
 * @name: its key in `with`
 * @kind: what it holds
 * @title: label, marked for translation
 * @description: one sentence of help, marked for translation
 *
 * Adds a parameter that has no property: expressions, and those of constructs and evaluated actions.
 *
 * Returns: (transfer none): a parameter that lives as long as the class
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_action_class_add_parameter (NebulaActionClass *klass, const char *name, NebulaParameterKind kind,
                                   const char *title, const char *description)
{
  NebulaActionDetails *details;
  NebulaParameter *parameter;

  g_return_val_if_fail (NEBULA_IS_ACTION_CLASS (klass), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  details = _nebula_action_class_get_details (klass);
  g_return_val_if_fail (find_parameter (details->added, name) == NULL, NULL);

  parameter = nebula_parameter_new (name, kind);
  nebula_parameter_set_title (parameter, title);
  nebula_parameter_set_description (parameter, description);
  g_ptr_array_add (details->added, parameter);
  return parameter;
}

/**
 * nebula_action_class_get_evaluate: (skip)
 * @klass: a class
 *
 * The class-level evaluation.
 *
 * Thread: any.
 *
 * Returns: (nullable): a function
 *
 * Since: 1.0
 */
NebulaEvaluate
nebula_action_class_get_evaluate (NebulaActionClass *klass)
{
  g_return_val_if_fail (NEBULA_IS_ACTION_CLASS (klass), NULL);

  return _nebula_action_class_get_details (klass)->evaluate;
}

static gboolean
add_property (NebulaParameterTable *table, NebulaActionDetails *details, GParamSpec *pspec, GError **error)
{
  NebulaParameter *described = find_parameter (details->described, pspec->name);
  g_autoptr (NebulaParameter) parameter = NULL;

  if (described != NULL)
    parameter = nebula_parameter_ref (described);
  else
    parameter = nebula_parameter_new_from_pspec (pspec, error);
  if (parameter == NULL)
    return FALSE;

  nebula_parameter_table_add (table, parameter);
  return TRUE;
}

static NebulaParameterTable *
make_table (NebulaActionClass *klass, NebulaActionDetails *details, GError **error)
{
  g_autoptr (NebulaParameterTable) table = nebula_parameter_table_new ();
  g_autofree GParamSpec **pspecs = NULL;
  guint n_pspecs = 0;

  pspecs = g_object_class_list_properties (G_OBJECT_CLASS (klass), &n_pspecs);
  for (guint i = 0; i < n_pspecs; i++) {
    if (!g_type_is_a (pspecs[i]->owner_type, NEBULA_TYPE_ACTION))
      continue;
    if (!add_property (table, details, pspecs[i], error))
      return NULL;
  }
  for (guint i = 0; i < details->added->len; i++) {
    NebulaParameter *parameter = g_ptr_array_index (details->added, i);

    if (nebula_parameter_table_lookup (table, nebula_parameter_get_name (parameter)) == NULL)
      nebula_parameter_table_add (table, parameter);
  }
  return g_steal_pointer (&table);
}

NebulaParameterTable *
_nebula_action_class_get_table (NebulaActionClass *klass, GError **error)
{
  NebulaActionDetails *details = _nebula_action_class_get_details (klass);
  NebulaParameterTable *table;

  g_mutex_lock (&details->lock);
  if (details->table == NULL)
    details->table = make_table (klass, details, error);
  table = details->table;
  g_mutex_unlock (&details->lock);
  return table;
}
