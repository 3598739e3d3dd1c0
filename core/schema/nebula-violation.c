/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-violation.h"

#include <glib/gi18n-lib.h>

struct _NebulaViolation {
  gatomicrefcount references;
  char *pointer;
  char *rule;
  char *source;
  char *reason;
};

G_DEFINE_BOXED_TYPE (NebulaViolation,
                     nebula_violation,
                     nebula_violation_ref,
                     nebula_violation_unref)

/**
 * nebula_violation_new:
 * @pointer: JSON pointer of the part that is wrong; empty for the whole value
 * @rule: the keyword or validator that refuses it
 * @source: (nullable): where the rule stands, such as `#/properties/name/minLength`
 * @reason: why, as a clause: “it must not be empty”
 *
 * Makes a violation.
 *
 * Returns: (transfer full): the violation
 *
 * Since: 1.0
 */
NebulaViolation *
nebula_violation_new (const char *pointer,
                      const char *rule,
                      const char *source,
                      const char *reason)
{
  NebulaViolation *self;

  g_return_val_if_fail (pointer != NULL, NULL);
  g_return_val_if_fail (rule != NULL, NULL);
  g_return_val_if_fail (reason != NULL, NULL);

  self = g_new0 (NebulaViolation, 1);
  g_atomic_ref_count_init (&self->references);
  self->pointer = g_strdup (pointer);
  self->rule = g_strdup (rule);
  self->source = g_strdup (source);
  self->reason = g_strdup (reason);
  return self;
}

/**
 * nebula_violation_ref:
 * @self: a violation
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaViolation *
nebula_violation_ref (NebulaViolation *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_violation_unref:
 * @self: (transfer full): a violation
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_violation_unref (NebulaViolation *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_free (self->pointer);
  g_free (self->rule);
  g_free (self->source);
  g_free (self->reason);
  g_free (self);
}

/**
 * nebula_violation_get_pointer:
 * @self: a violation
 *
 * Gives the JSON pointer (RFC 6901) of the part that is wrong; empty for the whole value.
 *
 * Returns: (transfer none): the pointer
 *
 * Since: 1.0
 */
const char *
nebula_violation_get_pointer (NebulaViolation *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->pointer;
}

/**
 * nebula_violation_get_rule:
 * @self: a violation
 *
 * Gives the keyword or validator that refuses the part, such as `minLength`; it is never translated.
 *
 * Returns: (transfer none): the rule
 *
 * Since: 1.0
 */
const char *
nebula_violation_get_rule (NebulaViolation *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->rule;
}

/**
 * nebula_violation_get_source:
 * @self: a violation
 *
 * Gives where the rule stands: the URI of the schema, if it has one, and a JSON pointer behind `#`.
 *
 * Returns: (transfer none) (nullable): the place
 *
 * Since: 1.0
 */
const char *
nebula_violation_get_source (NebulaViolation *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->source;
}

/**
 * nebula_violation_get_reason:
 * @self: a violation
 *
 * Gives why, as a clause that follows a colon.
 *
 * Returns: (transfer none): the reason
 *
 * Since: 1.0
 */
const char *
nebula_violation_get_reason (NebulaViolation *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->reason;
}

/**
 * nebula_violation_to_text:
 * @self: a violation
 *
 * Writes place and reason as one sentence for people.
 *
 * Returns: (transfer full): the sentence
 *
 * Since: 1.0
 */
char *
nebula_violation_to_text (NebulaViolation *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (*self->pointer == '\0')
    /* TRANSLATORS: %s is a clause such as “it must not be empty” */
    return g_strdup_printf (_ ("The value is refused: %s."), self->reason);
  /* TRANSLATORS: a place such as “/items/0” and a clause such as “it must not be empty” */
  return g_strdup_printf (_ ("“%s” is refused: %s."), self->pointer, self->reason);
}

/**
 * nebula_violation_to_value:
 * @self: a violation
 *
 * Gives it as data: an object with `pointer`, `rule`, `source` and `message`.
 *
 * Returns: (transfer full): the object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_violation_to_value (NebulaViolation *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *message = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  message = nebula_violation_to_text (self);
  nebula_value_builder_set_string (builder, "pointer", self->pointer);
  nebula_value_builder_set_string (builder, "rule", self->rule);
  if (self->source)
    nebula_value_builder_set_string (builder, "source", self->source);
  nebula_value_builder_set_string (builder, "message", message);
  return nebula_value_builder_end (builder);
}
