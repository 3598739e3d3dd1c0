/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-json-schema.h"

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-json-schema-private.h"
#include "nebula-limits.h"

G_DEFINE_BOXED_TYPE (NebulaJsonSchema,
                     nebula_json_schema,
                     nebula_json_schema_ref,
                     nebula_json_schema_unref)

static GPtrArray *
new_violations (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_violation_unref);
}

/**
 * nebula_json_schema_new:
 * @document: the schema: an object, true or false
 * @draft: the draft that holds where `$schema` does not name one
 * @flags: how the schema is read
 * @remotes: (nullable): an object of URI → schema; nothing is ever fetched
 * @error: where to put an error
 *
 * Compiles a JSON Schema: finds all that it refers to and readies its patterns. The meta-schemas of both drafts are
 * known without a registry.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), which tells the first mistake and how many more there are; see
 * nebula_json_schema_review () for all of them.
 *
 * Returns: (transfer full): the schema
 *
 * Since: 1.0
 */
NebulaJsonSchema *
nebula_json_schema_new (NebulaValue *document,
                        NebulaJsonSchemaDraft draft,
                        NebulaJsonSchemaFlags flags,
                        NebulaValue *remotes,
                        GError **error)
{
  g_autoptr (GPtrArray) violations = new_violations ();
  NebulaJsonSchema *self;
  g_autofree char *first = NULL;

  g_return_val_if_fail (document != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = _nebula_schema_compile (document, draft, flags, remotes, violations);
  if (self)
    return self;
  if (violations->len == 0) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP,
                         _ ("A schema of the registry is nested too deep."));
    return NULL;
  }
  first = nebula_violation_to_text (g_ptr_array_index (violations, 0));
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               g_dngettext (GETTEXT_PACKAGE, "The schema has %u mistake. %s",
                            "The schema has %u mistakes. The first: %s", violations->len),
               violations->len, first);
  return NULL;
}

/**
 * nebula_json_schema_review:
 * @document: a schema
 * @draft: the draft that holds where `$schema` does not name one
 * @flags: how the schema is read
 * @remotes: (nullable): an object of URI → schema
 *
 * Lists what is wrong with a schema: keywords with values that they cannot have, references to nothing, patterns that
 * are not valid, and with %NEBULA_JSON_SCHEMA_FLAGS_STRICT keywords that do not exist. At most 100.
 *
 * Returns: (transfer container) (element-type NebulaViolation): the mistakes; empty if it can be used
 *
 * Since: 1.0
 */
GPtrArray *
nebula_json_schema_review (NebulaValue *document,
                           NebulaJsonSchemaDraft draft,
                           NebulaJsonSchemaFlags flags,
                           NebulaValue *remotes)
{
  g_autoptr (NebulaJsonSchema) self = NULL;
  GPtrArray *violations;

  g_return_val_if_fail (document != NULL, NULL);

  violations = new_violations ();
  self = _nebula_schema_compile (document, draft, flags, remotes, violations);
  return violations;
}

/**
 * nebula_json_schema_ref:
 * @self: a schema
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaJsonSchema *
nebula_json_schema_ref (NebulaJsonSchema *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_json_schema_unref:
 * @self: (transfer full): a schema
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_json_schema_unref (NebulaJsonSchema *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->nodes);
  g_hash_table_unref (self->uris);
  g_hash_table_unref (self->dynamics);
  g_ptr_array_unref (self->resources);
  g_free (self);
}

static gboolean
run_all (NebulaJsonSchema *self,
         NebulaValue *value,
         guint limit,
         GPtrArray *violations,
         GError **error)
{
  NebulaSchemaRun run = {.schema = self, .violations = violations, .limit = limit};

  _nebula_schema_run (&run, self->root, value, NULL, NULL);
  if (!run.is_exhausted)
    return TRUE;
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED,
      _ ("The schema takes more steps on this value than a validation may; "
         "make it simpler, above all references that lead back to themselves."));
  return FALSE;
}

/**
 * nebula_json_schema_validate:
 * @self: a schema
 * @value: what to validate
 * @error: where to put an error
 *
 * Validates a value and stops at the first violation. What JSON can only write as text (bytes, dates, durations) counts
 * as a string.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal) with the place and the reason; %NEBULA_ERROR_BUDGET_EXCEEDED (terminal)
 * if schema and value together take more than ten million steps or a thousand schemas in one another.
 *
 * Returns: whether the value is valid
 *
 * Since: 1.0
 */
gboolean
nebula_json_schema_validate (NebulaJsonSchema *self, NebulaValue *value, GError **error)
{
  g_autoptr (GPtrArray) violations = NULL;
  g_autofree char *text = NULL;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  violations = new_violations ();
  if (!run_all (self, value, 1, violations, error))
    return FALSE;
  if (violations->len == 0)
    return TRUE;
  text = nebula_violation_to_text (g_ptr_array_index (violations, 0));
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, text);
  return FALSE;
}

/**
 * nebula_json_schema_check:
 * @self: a schema
 * @value: what to validate
 * @error: where to put an error
 *
 * Validates a value and lists all that is wrong with it, at most 100 violations. Where no alternative of `anyOf` or
 * `oneOf` fits, the list goes on with what the alternative that came nearest says.
 *
 * Errors: %NEBULA_ERROR_BUDGET_EXCEEDED (terminal) as in nebula_json_schema_validate ().
 *
 * Returns: (transfer container) (element-type NebulaViolation): the violations; empty if the value is valid
 *
 * Since: 1.0
 */
GPtrArray *
nebula_json_schema_check (NebulaJsonSchema *self, NebulaValue *value, GError **error)
{
  g_autoptr (GPtrArray) violations = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  violations = new_violations ();
  if (!run_all (self, value, NEBULA_LIMIT_DIAGNOSTICS, violations, error))
    return NULL;
  return g_steal_pointer (&violations);
}
