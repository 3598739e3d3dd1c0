/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-error-problem.h"

#include <glib/gi18n-lib.h>

#include "nebula-error-chain.h"

#define TYPE_PREFIX "urn:nebula:error:"

static void
set_text (NebulaValueBuilder *builder, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  nebula_value_builder_set_string (builder, key, valid);
}

/* Each level below the first, the root last. */
static void
add_causes (const GError *error, NebulaValueBuilder *builder)
{
  g_autoptr (NebulaValueBuilder) causes = nebula_value_builder_new_array ();

  while ((error = nebula_error_get_cause (error)) != NULL) {
    g_autoptr (NebulaValueBuilder) level = nebula_value_builder_new_object ();

    nebula_value_builder_set_string (level, "code", nebula_error_get_code (error));
    set_text (level, "message", nebula_error_get_context (error));
    nebula_value_builder_add_take (causes, nebula_value_builder_end (level));
  }
  if (nebula_value_builder_get_length (causes) > 0)
    nebula_value_builder_set_take (builder, "causes", nebula_value_builder_end (causes));
}

static const char *
get_title (const GError *error, NebulaCatalog *catalog, const char *language)
{
  NebulaError code = NEBULA_ERROR_FAILED;
  const char *title = NULL;

  nebula_error_code_from_string (nebula_error_get_code (error), &code);
  title = nebula_error_code_get_title (code);
  return catalog != NULL && language != NULL
             ? nebula_catalog_translate (catalog, language, title)
             : g_dgettext (GETTEXT_PACKAGE, title);
}

/**
 * nebula_error_to_problem:
 * @error: an error of any domain
 * @catalog: (nullable): translations; %NULL for those of the process
 * @language: (nullable): the language of the request; %NULL for that of the process
 * @instance: (nullable): a URI of what failed, such as that of a request
 *
 * Makes the object that a server answers with, as RFC 9457 has it: `{type, title, status, detail, instance}`, and with
 * members of ours `code`, `retry`, and where they are known `retry_after_ms` and `causes`.
 *
 * Thread: any.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_error_to_problem (const GError *error,
                         NebulaCatalog *catalog,
                         const char *language,
                         const char *instance)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autofree char *type = NULL;
  g_autofree char *detail = NULL;
  gint64 retry_after_ms;

  g_return_val_if_fail (error != NULL, NULL);

  builder = nebula_value_builder_new_object ();
  type = g_strconcat (TYPE_PREFIX, nebula_error_get_code (error), NULL);
  detail = nebula_error_dup_localized_message (error, catalog, language);
  retry_after_ms = nebula_error_get_retry_after_ms (error);
  nebula_value_builder_set_string (builder, "type", type);
  nebula_value_builder_set_string (builder, "title",
                                   get_title (error, catalog, language));
  nebula_value_builder_set_integer (builder, "status",
                                    nebula_error_get_http_status (error));
  nebula_value_builder_set_string (builder, "detail", detail);
  if (instance != NULL)
    set_text (builder, "instance", instance);
  nebula_value_builder_set_string (builder, "code", nebula_error_get_code (error));
  nebula_value_builder_set_string (
      builder, "retry",
      nebula_retry_class_to_string (nebula_error_get_retry_class (error)));
  if (retry_after_ms >= 0)
    nebula_value_builder_set_integer (builder, "retry_after_ms", retry_after_ms);
  add_causes (error, builder);
  return nebula_value_builder_end (builder);
}
