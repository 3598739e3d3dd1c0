/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-parameter-private.h"

#include <glib/gi18n-lib.h>

#include "nebula-condition.h"
#include "nebula-error.h"
#include "nebula-regex-internal.h"

G_DEFINE_BOXED_TYPE (NebulaParameter, nebula_parameter, nebula_parameter_ref, nebula_parameter_unref)

gboolean
_nebula_parameter_refuse (NebulaParameter *self, GError **error, const char *reason)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER, _("The parameter “%s” is refused: %s"), self->name,
               reason);
  return FALSE;
}

gboolean
_nebula_parameter_is_late (NebulaParameter *self)
{
  return _nebula_parameter_kind_get_info (self->kind)->is_late;
}

/**
 * nebula_parameter_new:
 * @name: its key in `with`; letters, digits, `-` and `_`
 * @kind: what it holds
 *
 * Makes an optional parameter without title, default or limits.
 *
 * Returns: (transfer full): a new parameter
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_parameter_new (const char *name, NebulaParameterKind kind)
{
  NebulaParameter *self;

  g_return_val_if_fail (name != NULL && *name != '\0', NULL);

  self = g_new0 (NebulaParameter, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_intern_string (name);
  self->kind = kind;
  self->min_length = -1;
  self->max_length = -1;
  return self;
}

/**
 * nebula_parameter_ref:
 * @self: a parameter
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_parameter_ref (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * nebula_parameter_unref:
 * @self: (transfer full): a parameter
 *
 * Gives a reference back; the last one frees it.
 *
 * Since: 1.0
 */
void
nebula_parameter_unref (NebulaParameter *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_free (self->title);
  g_free (self->description);
  g_free (self->group);
  g_free (self->placeholder);
  g_free (self->pattern);
  g_clear_pointer (&self->rules, nebula_value_unref);
  g_clear_pointer (&self->validator, nebula_validator_unref);
  g_clear_pointer (&self->regex, g_regex_unref);
  g_clear_pointer (&self->default_value, nebula_value_unref);
  g_clear_pointer (&self->show_if, nebula_value_unref);
  g_clear_pointer (&self->hide_if, nebula_value_unref);
  g_strfreev (self->options);
  g_free (self);
}

/**
 * nebula_parameter_get_name:
 * @self: a parameter
 *
 * Its key in `with`.
 *
 * Returns: an interned text
 *
 * Since: 1.0
 */
const char *
nebula_parameter_get_name (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->name;
}

/**
 * nebula_parameter_get_kind:
 * @self: a parameter
 *
 * What it holds.
 *
 * Returns: the kind
 *
 * Since: 1.0
 */
NebulaParameterKind
nebula_parameter_get_kind (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_PARAMETER_KIND_TEXT);

  return self->kind;
}

/**
 * nebula_parameter_get_flags:
 * @self: a parameter
 *
 * Whether it is required, nullable, secret and so on.
 *
 * Returns: the flags
 *
 * Since: 1.0
 */
NebulaParameterFlags
nebula_parameter_get_flags (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_PARAMETER_FLAGS_NONE);

  return self->flags;
}

/**
 * nebula_parameter_get_title:
 * @self: a parameter
 *
 * Its label in a form: the nick of the property.
 *
 * Returns: text that lives as long as @self; the name if there is no other
 *
 * Since: 1.0
 */
const char *
nebula_parameter_get_title (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->title != NULL ? self->title : self->name;
}

/**
 * nebula_parameter_get_description:
 * @self: a parameter
 *
 * One sentence of help: the blurb of the property.
 *
 * Returns: text that lives as long as @self; empty if there is none
 *
 * Since: 1.0
 */
const char *
nebula_parameter_get_description (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->description != NULL ? self->description : "";
}

/**
 * nebula_parameter_get_default:
 * @self: a parameter
 *
 * The value that an unset parameter has.
 *
 * Returns: (transfer none) (nullable): a value that lives as long as @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_parameter_get_default (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->default_value;
}

/**
 * nebula_parameter_get_options:
 * @self: a parameter
 *
 * The choices of a select or multi-select.
 *
 * Returns: (transfer none) (nullable) (array zero-terminated=1): texts that live as long as @self
 *
 * Since: 1.0
 */
const char *const *
nebula_parameter_get_options (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return (const char *const *) self->options;
}

/**
 * nebula_parameter_get_group:
 * @self: a parameter
 *
 * The group of a form that it is shown in.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_parameter_get_group (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->group;
}

/**
 * nebula_parameter_get_placeholder:
 * @self: a parameter
 *
 * What an empty field of a form shows.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_parameter_get_placeholder (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->placeholder;
}

/**
 * nebula_parameter_get_order:
 * @self: a parameter
 *
 * Its place in a form; lower comes first, equal ones keep the order of the class.
 *
 * Returns: the place
 *
 * Since: 1.0
 */
gint
nebula_parameter_get_order (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->order;
}

/**
 * nebula_parameter_set_kind:
 * @self: a parameter
 * @kind: what it holds
 *
 * Says more than a GParamSpec can, such as that a text is a duration.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_kind (NebulaParameter *self, NebulaParameterKind kind)
{
  g_return_if_fail (self != NULL);

  self->kind = kind;
}

/**
 * nebula_parameter_add_flags:
 * @self: a parameter
 * @flags: what holds besides
 *
 * Adds flags.
 *
 * Since: 1.0
 */
void
nebula_parameter_add_flags (NebulaParameter *self, NebulaParameterFlags flags)
{
  g_return_if_fail (self != NULL);

  self->flags |= flags;
}

/**
 * nebula_parameter_set_range:
 * @self: a parameter
 * @minimum: the least number
 * @maximum: the greatest number
 *
 * Limits a number; both ends belong to the range, an infinite end is open.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_range (NebulaParameter *self, double minimum, double maximum)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (minimum <= maximum);

  self->has_range = TRUE;
  self->minimum = minimum;
  self->maximum = maximum;
}

/**
 * nebula_parameter_set_pattern:
 * @self: a parameter
 * @pattern: (nullable): a regular expression that a text must contain; anchor it to match the whole
 *
 * Limits a text. A pattern that does not compile is a programmer error.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_pattern (NebulaParameter *self, const char *pattern)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->regex, g_regex_unref);
  g_free (self->pattern);
  self->pattern = g_strdup (pattern);
  if (pattern == NULL)
    return;

  self->regex = nebula_regex_new (pattern, -1, 0, &error);
  if (self->regex == NULL)
    g_critical ("The pattern of the parameter %s does not compile: %s", self->name, error->message);
}

/**
 * nebula_parameter_set_length:
 * @self: a parameter
 * @minimum: fewest characters, items or members; -1 for no limit
 * @maximum: most characters, items or members; -1 for no limit
 *
 * Limits the length of a text, array or object.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_length (NebulaParameter *self, gint64 minimum, gint64 maximum)
{
  g_return_if_fail (self != NULL);

  self->min_length = minimum;
  self->max_length = maximum;
}

/**
 * nebula_parameter_set_options:
 * @self: a parameter
 * @options: (nullable) (array zero-terminated=1): the choices
 *
 * Sets the choices of a select or multi-select.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_options (NebulaParameter *self, const char *const *options)
{
  GStrv copy;

  g_return_if_fail (self != NULL);

  copy = g_strdupv ((char **) options);
  g_strfreev (self->options);
  self->options = copy;
}

static void
replace_value (NebulaValue **place, NebulaValue *value)
{
  NebulaValue *old = *place;

  *place = value != NULL ? nebula_value_ref (value) : NULL;
  if (old != NULL)
    nebula_value_unref (old);
}

static void
replace_text (char **place, const char *text)
{
  char *copy = g_strdup (text);

  g_free (*place);
  *place = copy;
}

/**
 * nebula_parameter_set_default:
 * @self: a parameter
 * @value: (nullable): the value that an unset parameter has
 *
 * Sets the default.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_default (NebulaParameter *self, NebulaValue *value)
{
  g_return_if_fail (self != NULL);

  replace_value (&self->default_value, value);
}

/**
 * nebula_parameter_set_group:
 * @self: a parameter
 * @group: (nullable): name of a group
 *
 * Sets the group of a form that it is shown in.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_group (NebulaParameter *self, const char *group)
{
  g_return_if_fail (self != NULL);

  replace_text (&self->group, group);
}

/**
 * nebula_parameter_set_order:
 * @self: a parameter
 * @order: its place
 *
 * Sets its place in a form.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_order (NebulaParameter *self, gint order)
{
  g_return_if_fail (self != NULL);

  self->order = order;
}

/**
 * nebula_parameter_set_placeholder:
 * @self: a parameter
 * @placeholder: (nullable): what an empty field shows
 *
 * Sets what an empty field of a form shows.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_placeholder (NebulaParameter *self, const char *placeholder)
{
  g_return_if_fail (self != NULL);

  replace_text (&self->placeholder, placeholder);
}

/**
 * nebula_parameter_set_title:
 * @self: a parameter
 * @title: (nullable): its label
 *
 * Sets its label in a form.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_title (NebulaParameter *self, const char *title)
{
  g_return_if_fail (self != NULL);

  replace_text (&self->title, title);
}

/**
 * nebula_parameter_set_description:
 * @self: a parameter
 * @description: (nullable): one sentence of help
 *
 * Sets its help.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_description (NebulaParameter *self, const char *description)
{
  g_return_if_fail (self != NULL);

  replace_text (&self->description, description);
}

static void
set_condition (NebulaParameter *self, NebulaValue **place, NebulaValue *condition)
{
  g_autoptr (GError) error = NULL;

  if (condition != NULL && !_nebula_condition_check (condition, &error))
    g_critical ("A condition of the parameter %s is wrong: %s", self->name, error->message);
  else
    replace_value (place, condition);
}

/**
 * nebula_parameter_set_show_if:
 * @self: a parameter
 * @condition: (nullable): an object such as `{"equals": {"method": "POST"}}`
 *
 * Shows it only while @condition holds over the other parameters. A malformed condition is a programmer error.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_show_if (NebulaParameter *self, NebulaValue *condition)
{
  g_return_if_fail (self != NULL);

  set_condition (self, &self->show_if, condition);
}

/**
 * nebula_parameter_set_hide_if:
 * @self: a parameter
 * @condition: (nullable): an object such as `{"empty": "body"}`
 *
 * Hides it while @condition holds over the other parameters, whatever the condition to show it says.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_hide_if (NebulaParameter *self, NebulaValue *condition)
{
  g_return_if_fail (self != NULL);

  set_condition (self, &self->hide_if, condition);
}

/**
 * nebula_parameter_is_visible:
 * @self: a parameter
 * @values: an object: the parameters of the action, with their defaults filled in
 *
 * Whether a form shows it. What is not shown is not required.
 *
 * Returns: %TRUE if it is shown; hiding wins over showing
 *
 * Since: 1.0
 */
gboolean
nebula_parameter_is_visible (NebulaParameter *self, NebulaValue *values)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (values != NULL, FALSE);

  if (self->hide_if != NULL && _nebula_condition_holds (self->hide_if, values))
    return FALSE;
  return self->show_if == NULL || _nebula_condition_holds (self->show_if, values);
}

static gboolean
refuse_kind (NebulaParameter *self, NebulaValue *value, const NebulaParameterKindInfo *info, GError **error)
{
  const char *kind = nebula_value_kind_to_string (nebula_value_get_kind (value));

  if (self->kind == NEBULA_PARAMETER_KIND_INTEGER && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_FLOAT)
    return _nebula_parameter_refuse (self, error,
                                     _("it takes an integer and was given a float; use div (a, b), floor or round"));

  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
               /* TRANSLATORS: name of a parameter, what it takes (such as “a number”), the kind of value given */
               _("The parameter “%s” takes %s and was given a value of the kind %s"), self->name, _(info->expected), kind);
  return FALSE;
}

/**
 * nebula_parameter_validate:
 * @self: a parameter
 * @value: a value that was set
 *
 * Checks one value: null, kind, range, length, pattern, options, rules. The message never shows the value itself.
 *
 * Errors: %NEBULA_ERROR_INVALID_PARAMETER (terminal).
 *
 * Thread: any.
 *
 * Returns: %TRUE if it is accepted
 *
 * Since: 1.0
 */
gboolean
nebula_parameter_validate (NebulaParameter *self, NebulaValue *value, GError **error)
{
  const NebulaParameterKindInfo *info;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (nebula_value_is_null (value)) {
    if (self->flags & NEBULA_PARAMETER_FLAGS_NULLABLE)
      return TRUE;
    return _nebula_parameter_refuse (self, error, _("it must not be null; leave it out to use its default"));
  }

  info = _nebula_parameter_kind_get_info (self->kind);
  if ((info->accepts & (1u << nebula_value_get_kind (value))) == 0)
    return refuse_kind (self, value, info, error);
  return (info->check == NULL || info->check (self, value, error)) && _nebula_parameter_check_rules (self, value, error);
}

/**
 * nebula_parameter_get_accepted_kinds:
 * @self: a parameter
 *
 * What kinds of values it takes, null included if it may be null.
 *
 * Thread: any.
 *
 * Returns: a set of bits: 1 << #NebulaValueKind
 *
 * Since: 1.0
 */
guint32
nebula_parameter_get_accepted_kinds (NebulaParameter *self)
{
  guint32 kinds;

  g_return_val_if_fail (self != NULL, 0);

  kinds = _nebula_parameter_kind_get_info (self->kind)->accepts;
  if (self->flags & NEBULA_PARAMETER_FLAGS_NULLABLE)
    kinds |= 1u << NEBULA_VALUE_KIND_NULL;
  return kinds;
}
