/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-jsonpath.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-jsonpath-private.h"
#include "nebula-limits.h"

G_DEFINE_BOXED_TYPE (NebulaJsonpath,
                     nebula_jsonpath,
                     nebula_jsonpath_ref,
                     nebula_jsonpath_unref)

void
_nebula_jsonpath_selector_free (NebulaJsonpathSelector *self)
{
  g_free (self->name);
  g_clear_pointer (&self->filter, _nebula_jsonpath_term_free);
  g_free (self);
}

void
_nebula_jsonpath_segment_free (NebulaJsonpathSegment *self)
{
  g_ptr_array_unref (self->selectors);
  g_free (self);
}

void
_nebula_jsonpath_query_free (NebulaJsonpathQuery *self)
{
  g_ptr_array_unref (self->segments);
  g_free (self);
}

void
_nebula_jsonpath_term_free (NebulaJsonpathTerm *self)
{
  g_clear_pointer (&self->terms, g_ptr_array_unref);
  g_clear_pointer (&self->literal, nebula_value_unref);
  g_clear_pointer (&self->query, _nebula_jsonpath_query_free);
  g_clear_pointer (&self->regex, g_regex_unref);
  g_free (self);
}

static gboolean
check_text (const char *text, GError **error)
{
  if (strlen (text) > NEBULA_LIMIT_EXPRESSION_BYTES) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                 _ ("The JSONPath is longer than %d bytes."),
                 NEBULA_LIMIT_EXPRESSION_BYTES);
    return FALSE;
  }
  if (g_utf8_validate (text, -1, NULL))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
                       _ ("The JSONPath is not UTF-8."));
  return FALSE;
}

/**
 * nebula_jsonpath_new:
 * @text: a query such as `$.orders[?@.total > 100].id`
 * @error: where to put an error
 *
 * Parses a JSONPath query as RFC 9535 has it and checks it, the types of its functions included.
 *
 * Errors: %NEBULA_ERROR_SYNTAX (terminal) with the character where the mistake is; %NEBULA_ERROR_TOO_LARGE (terminal)
 * above 10,000 bytes; %NEBULA_ERROR_TOO_DEEP (terminal) for more than 64 filters, parentheses and calls in one another.
 *
 * Returns: (transfer full): the query
 *
 * Since: 1.0
 */
NebulaJsonpath *
nebula_jsonpath_new (const char *text, GError **error)
{
  NebulaJsonpathReader reader = {.text = text, .at = text};
  g_autoptr (NebulaJsonpathQuery) query = NULL;
  NebulaJsonpath *self = NULL;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_text (text, error))
    return NULL;
  if (*text != '$')
    _nebula_jsonpath_fail (&reader, _ ("A JSONPath begins with “$”."));
  else
    query = _nebula_jsonpath_read_query (&reader);
  if (query && *reader.at != '\0')
    _nebula_jsonpath_fail (
        &reader, _ ("This is no part of a path; “.name”, “..” or “[” may follow here."));
  if (reader.error) {
    g_propagate_error (error, reader.error);
    return NULL;
  }
  self = g_new0 (NebulaJsonpath, 1);
  g_atomic_ref_count_init (&self->references);
  self->text = g_strdup (text);
  self->query = g_steal_pointer (&query);
  return self;
}

/**
 * nebula_jsonpath_ref:
 * @self: a query
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaJsonpath *
nebula_jsonpath_ref (NebulaJsonpath *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_jsonpath_unref:
 * @self: (transfer full): a query
 *
 * Gives a reference back; the last one frees it.
 *
 * Since: 1.0
 */
void
nebula_jsonpath_unref (NebulaJsonpath *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  _nebula_jsonpath_query_free (self->query);
  g_free (self->text);
  g_free (self);
}

/**
 * nebula_jsonpath_get_text:
 * @self: a query
 *
 * Gives the text that the query was made from.
 *
 * Returns: the text, which lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_jsonpath_get_text (NebulaJsonpath *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->text;
}

/**
 * nebula_jsonpath_query:
 * @self: a query
 * @value: what to look in
 * @error: where to put an error
 *
 * Finds the parts of a value that a query selects, in the order of RFC 9535; members come in the order of their object.
 *
 * Dates, times and durations, which JSON does not have, are compared with `<` and the like among their own kind.
 *
 * Errors: %NEBULA_ERROR_BUDGET_EXCEEDED (terminal) if more than 1,000,000 values would have to be looked at, or a regular
 * expression takes too many steps.
 *
 * Thread: any.
 *
 * Returns: (transfer full): an array, empty if nothing was found
 *
 * Since: 1.0
 */
NebulaValue *
nebula_jsonpath_query (NebulaJsonpath *self, NebulaValue *value, GError **error)
{
  gsize steps = NEBULA_LIMIT_JSONPATH_STEPS;

  g_return_val_if_fail (self != NULL && value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return _nebula_jsonpath_query (self, value, &steps, error);
}
