/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-error-chain.h"
#include "nebula-invocation.h"

struct _NebulaResult
{
  gatomicrefcount ref_count;
  NebulaResultKind kind;
  const char *port; /* interned */
  NebulaValue *value;
  gint64 delay_usec;
};

G_DEFINE_BOXED_TYPE (NebulaResult, nebula_result, nebula_result_ref, nebula_result_unref)

/**
 * nebula_result_new:
 * @kind: how it ended
 * @port: (nullable): the port to leave by; %NULL for `out`
 * @value: (nullable): result, object of port → value, or error object; %NULL for null
 * @delay_usec: for %NEBULA_RESULT_KIND_WAIT the time to wait in microseconds, else 0
 *
 * Makes a result.
 *
 * Returns: (transfer full): a new result
 *
 * Since: 1.0
 */
NebulaResult *
nebula_result_new (NebulaResultKind kind, const char *port, NebulaValue *value, gint64 delay_usec)
{
  NebulaResult *self = g_new0 (NebulaResult, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->kind = kind;
  self->port = port != NULL ? g_intern_string (port) : "out";
  self->value = value != NULL ? nebula_value_ref (value) : nebula_value_new_null ();
  self->delay_usec = MAX (delay_usec, 0);
  return self;
}

/**
 * nebula_result_new_error:
 * @error: what went wrong
 *
 * Makes a failure that leaves by the port `error`.
 *
 * Returns: (transfer full): a new result
 *
 * Since: 1.0
 */
NebulaResult *
nebula_result_new_error (const GError *error)
{
  g_autoptr (NebulaValue) failure = NULL;

  g_return_val_if_fail (error != NULL, NULL);

  failure = nebula_failure_new_from_error (error);
  return nebula_result_new (NEBULA_RESULT_KIND_FAILURE, "error", failure, 0);
}

/**
 * nebula_result_ref:
 * @self: a result
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaResult *
nebula_result_ref (NebulaResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * nebula_result_unref:
 * @self: (transfer full): a result
 *
 * Gives a reference back; the last one frees it.
 *
 * Since: 1.0
 */
void
nebula_result_unref (NebulaResult *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  nebula_value_unref (self->value);
  g_free (self);
}

/**
 * nebula_result_get_kind:
 * @self: a result
 *
 * How it ended.
 *
 * Returns: the kind
 *
 * Since: 1.0
 */
NebulaResultKind
nebula_result_get_kind (NebulaResult *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_RESULT_KIND_UNKNOWN);

  return self->kind;
}

/**
 * nebula_result_get_port:
 * @self: a result
 *
 * The port that it leaves by.
 *
 * Returns: an interned text
 *
 * Since: 1.0
 */
const char *
nebula_result_get_port (NebulaResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->port;
}

/**
 * nebula_result_get_value:
 * @self: a result
 *
 * The result itself, an object of port → value, or the error object.
 *
 * Returns: (transfer none): a value that lives as long as @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_result_get_value (NebulaResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->value;
}

/**
 * nebula_result_get_delay_usec:
 * @self: a result
 *
 * How long to wait before the action is invoked again.
 *
 * Returns: microseconds
 *
 * Since: 1.0
 */
gint64
nebula_result_get_delay_usec (NebulaResult *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->delay_usec;
}

/**
 * nebula_failure_new:
 * @code: kebab-case code
 * @message: a sentence for people
 * @retry_class: what to do about it
 * @details: (nullable): facts for programs
 *
 * Makes an error object: `{code, message, retry, details}`.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_failure_new (const char *code, const char *message, NebulaRetryClass retry_class, NebulaValue *details)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  g_return_val_if_fail (code != NULL && message != NULL, NULL);

  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "code", code);
  nebula_value_builder_set_string (builder, "message", message);
  nebula_value_builder_set_string (builder, "retry", nebula_retry_class_to_string (retry_class));
  if (details != NULL && !nebula_value_is_null (details))
    nebula_value_builder_set (builder, "details", details);
  return nebula_value_builder_end (builder);
}

/**
 * nebula_failure_new_from_error:
 * @error: an error of any domain
 *
 * Makes the error object of a GError; the pause of nebula_error_get_retry_after_ms() goes into the details, where a retry
 * looks for it.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_failure_new_from_error (const GError *error)
{
  g_autofree char *valid = NULL;
  g_autoptr (NebulaValueBuilder) details = NULL;
  g_autoptr (NebulaValue) pause = NULL;
  gint64 retry_after_ms;

  g_return_val_if_fail (error != NULL, NULL);

  valid = g_utf8_make_valid (error->message, -1);
  retry_after_ms = nebula_error_get_retry_after_ms (error);
  if (retry_after_ms >= 0) {
    details = nebula_value_builder_new_object ();
    nebula_value_builder_set_integer (details, "retry_after_ms", retry_after_ms);
    pause = nebula_value_builder_end (details);
  }
  return nebula_failure_new (nebula_error_get_code (error), valid, nebula_error_get_retry_class (error), pause);
}
