/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-error-chain.h"

#include <glib/gi18n-lib.h>
#include <stdarg.h>

#include "nebula-error-private.h"
#include "nebula-limits.h"

static guint
count_causes (const GError *error)
{
  guint count = 0;

  while ((error = nebula_error_get_cause (error)) != NULL)
    count++;
  return count;
}

/* Longer chains keep their root; the message still has every level. */
static GError *
cut_chain (GError *error)
{
  g_autoptr (GError) whole = error;

  if (count_causes (error) < NEBULA_LIMIT_CAUSES)
    return g_steal_pointer (&whole);
  return g_error_copy (nebula_error_get_root_cause (error));
}

/* Takes @context and @message. */
static GError *
wrap (GError *error, char *context, char *message)
{
  g_autofree char *text = message;
  GError *wrapped =
      g_error_new_literal (NEBULA_ERROR, (gint) _nebula_error_map (error), text);
  NebulaErrorDetail *detail = _nebula_error_get_detail (wrapped);

  detail->context = context;
  detail->retry_after_ms = nebula_error_get_retry_after_ms (error);
  detail->cause = cut_chain (error);
  return wrapped;
}

/**
 * nebula_error_wrap: (skip)
 * @error: (transfer full): an error of any domain
 * @context: what was being done, such as “Reading the order”
 *
 * Gives an error context: the message becomes `context: message`, and the error stays behind as the cause.
 *
 * Code, retry class and pause stay as they are, so whoever decides what to do need not look behind.
 *
 * Thread: any.
 *
 * Returns: (transfer full): an error of %NEBULA_ERROR
 *
 * Since: 1.0
 */
GError *
nebula_error_wrap (GError *error, const char *context)
{
  g_return_val_if_fail (error != NULL, NULL);
  g_return_val_if_fail (context != NULL, error);

  return wrap (error, g_strdup (context),
               g_strdup_printf ("%s: %s", context, error->message));
}

/**
 * nebula_error_add_context: (skip)
 * @error: (inout) (nullable) (optional): where an error may be
 * @format: what was being done, as for printf()
 * @...: its arguments
 *
 * Does nebula_error_wrap() on the way up, if there is an error and anybody wants it.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_error_add_context (GError **error, const char *format, ...)
{
  g_autofree char *context = NULL;
  va_list arguments;

  g_return_if_fail (format != NULL);

  if (error == NULL || *error == NULL)
    return;
  va_start (arguments, format);
  context = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  *error = nebula_error_wrap (*error, context);
}

/**
 * nebula_error_convert: (skip)
 * @error: (transfer full): an error of any domain
 *
 * Makes an error of Nebula out of one of GIO, GLib or json-glib: the same message, the code that means the same, and the
 * error itself as the cause. Errors of Nebula stay as they are.
 *
 * Thread: any.
 *
 * Returns: (transfer full): an error of %NEBULA_ERROR
 *
 * Since: 1.0
 */
GError *
nebula_error_convert (GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);

  if (error->domain == NEBULA_ERROR)
    return error;
  return wrap (error, NULL, g_strdup (error->message));
}

/**
 * nebula_error_get_context:
 * @error: an error of any domain
 *
 * Gives what an error says beyond its cause: the context that it was given last, else its whole message.
 *
 * Thread: any.
 *
 * Returns: a text that lives as long as @error
 *
 * Since: 1.0
 */
const char *
nebula_error_get_context (const GError *error)
{
  const NebulaErrorDetail *detail = NULL;

  g_return_val_if_fail (error != NULL, NULL);

  detail = _nebula_error_get_detail (error);
  return detail != NULL && detail->context != NULL ? detail->context : error->message;
}

/**
 * nebula_error_get_cause: (skip)
 * @error: an error of any domain
 *
 * Gives the error that this one gave context to.
 *
 * Thread: any.
 *
 * Returns: (transfer none) (nullable): the cause, which lives as long as @error
 *
 * Since: 1.0
 */
const GError *
nebula_error_get_cause (const GError *error)
{
  const NebulaErrorDetail *detail = NULL;

  g_return_val_if_fail (error != NULL, NULL);

  detail = _nebula_error_get_detail (error);
  return detail != NULL ? detail->cause : NULL;
}

/**
 * nebula_error_get_root_cause: (skip)
 * @error: an error of any domain
 *
 * Gives the first error of the chain, as it was raised; an error without a cause is its own.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the root, which lives as long as @error
 *
 * Since: 1.0
 */
const GError *
nebula_error_get_root_cause (const GError *error)
{
  const GError *cause = NULL;

  g_return_val_if_fail (error != NULL, NULL);

  while ((cause = nebula_error_get_cause (error)) != NULL)
    error = cause;
  return error;
}

/**
 * nebula_error_print_chain:
 * @error: an error of any domain
 *
 * Writes all levels of an error, the last context first, a line each; each line below the first is indented, and the
 * last one ends with the code: `Reading the order`, `  The disk failed (io)`.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the text, without a line end behind it
 *
 * Since: 1.0
 */
char *
nebula_error_print_chain (const GError *error)
{
  g_autoptr (GString) text = NULL;

  g_return_val_if_fail (error != NULL, NULL);

  text = g_string_new (NULL);
  for (const GError *level = error; level != NULL;
       level = nebula_error_get_cause (level)) {
    const NebulaErrorDetail *detail = _nebula_error_get_detail (level);

    /* What nebula_error_convert() made says nothing of its own. */
    if (detail != NULL && detail->cause != NULL && detail->context == NULL)
      continue;
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n  " : "",
                            nebula_error_get_context (level));
  }
  g_string_append_printf (text, " (%s)", nebula_error_get_code (error));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * nebula_error_set_retry_after_ms: (skip)
 * @error: an error of %NEBULA_ERROR
 * @retry_after_ms: milliseconds to wait; negative for not known
 *
 * Says when trying again makes sense. A retry waits at least so long.
 *
 * Thread: one at a time.
 *
 * Since: 1.0
 */
void
nebula_error_set_retry_after_ms (GError *error, gint64 retry_after_ms)
{
  NebulaErrorDetail *detail = NULL;

  g_return_if_fail (error != NULL && error->domain == NEBULA_ERROR);

  detail = _nebula_error_get_detail (error);
  detail->retry_after_ms = MAX (retry_after_ms, -1);
}

/**
 * nebula_error_get_retry_after_ms:
 * @error: an error of any domain
 *
 * Tells when trying again makes sense.
 *
 * Thread: any.
 *
 * Returns: milliseconds to wait; -1 if nobody said so
 *
 * Since: 1.0
 */
gint64
nebula_error_get_retry_after_ms (const GError *error)
{
  const NebulaErrorDetail *detail = NULL;

  g_return_val_if_fail (error != NULL, -1);

  detail = _nebula_error_get_detail (error);
  return detail != NULL ? detail->retry_after_ms : -1;
}
