/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each code is called by people, in the language of the process or of one request. */

#include <glib/gi18n-lib.h>

#include "nebula-error-chain.h"
#include "nebula-error-private.h"

/* In the order of the enum; a test walks both. */
static const char *const titles[] = {
    [NEBULA_ERROR_FAILED] = N_ ("It failed"),
    [NEBULA_ERROR_CANCELLED] = N_ ("It was cancelled"),
    [NEBULA_ERROR_TIMED_OUT] = N_ ("The time was up"),
    [NEBULA_ERROR_INTERNAL] = N_ ("Nebula itself has a fault"),
    [NEBULA_ERROR_INVALID_ARGUMENT] = N_ ("An argument is not accepted"),
    [NEBULA_ERROR_INVALID_DATA] = N_ ("The data is not valid"),
    [NEBULA_ERROR_INVALID_WORKFLOW] = N_ ("The workflow is not valid"),
    [NEBULA_ERROR_NOT_FOUND] = N_ ("It does not exist"),
    [NEBULA_ERROR_EXISTS] = N_ ("It exists already"),
    [NEBULA_ERROR_CONFLICT] = N_ ("It changed in the meantime"),
    [NEBULA_ERROR_UNSUPPORTED] = N_ ("It is not supported"),
    [NEBULA_ERROR_PERMISSION_DENIED] = N_ ("It is not allowed"),
    [NEBULA_ERROR_UNAVAILABLE] = N_ ("It cannot be reached now"),
    [NEBULA_ERROR_THROTTLED] = N_ ("There were too many requests"),
    [NEBULA_ERROR_LIMIT_EXCEEDED] = N_ ("A limit is exceeded"),
    [NEBULA_ERROR_BUDGET_EXCEEDED] = N_ ("The evaluation takes too much"),
    [NEBULA_ERROR_TOO_DEEP] = N_ ("It nests too deep"),
    [NEBULA_ERROR_TOO_LARGE] = N_ ("It is too large"),
    [NEBULA_ERROR_SYNTAX] = N_ ("The text cannot be read"),
    [NEBULA_ERROR_DUPLICATE_KEY] = N_ ("A key stands twice"),
    [NEBULA_ERROR_TYPE] = N_ ("The value is of the wrong kind"),
    [NEBULA_ERROR_UNKNOWN_NAME] = N_ ("There is no such name"),
    [NEBULA_ERROR_MISSING_PROPERTY] = N_ ("There is no such member"),
    [NEBULA_ERROR_ARITY] = N_ ("The number of arguments is wrong"),
    [NEBULA_ERROR_OVERFLOW] = N_ ("The number is out of range"),
    [NEBULA_ERROR_DIVISION_BY_ZERO] = N_ ("Division by zero"),
    [NEBULA_ERROR_REGEX] = N_ ("The regular expression is not accepted"),
    [NEBULA_ERROR_MISSING_PARAMETER] = N_ ("A parameter is missing"),
    [NEBULA_ERROR_UNKNOWN_PARAMETER] = N_ ("There is no such parameter"),
    [NEBULA_ERROR_INVALID_PARAMETER] = N_ ("A parameter is not accepted"),
    [NEBULA_ERROR_UNKNOWN_ACTION] = N_ ("There is no such action"),
    [NEBULA_ERROR_ACTION_CONTRACT] = N_ ("The action broke its contract"),
    [NEBULA_ERROR_UNKNOWN_OUTCOME] = N_ ("Nobody knows how it ended"),
    [NEBULA_ERROR_LOOP_LIMIT] = N_ ("The loop ran too often"),
    [NEBULA_ERROR_HTTP_STATUS] = N_ ("The server answered with an error"),
    [NEBULA_ERROR_NETWORK] = N_ ("The connection failed"),
    [NEBULA_ERROR_PROCESS_FAILED] = N_ ("The program failed"),
    [NEBULA_ERROR_IO] = N_ ("A file or device failed"),
    [NEBULA_ERROR_MODULE_MISSING] = N_ ("A module is missing"),
    [NEBULA_ERROR_MODULE_BROKEN] = N_ ("A module cannot be loaded"),
    [NEBULA_ERROR_MODULE_ABI] = N_ ("A module was built for another version"),
    [NEBULA_ERROR_MODULE_REFUSED] = N_ ("A module is not trusted"),
    [NEBULA_ERROR_STORE] = N_ ("The store failed"),
    [NEBULA_ERROR_STORE_BUSY] = N_ ("The store is locked"),
    [NEBULA_ERROR_STORE_FULL] = N_ ("The store has no room"),
    [NEBULA_ERROR_STORE_CORRUPT] = N_ ("The store is damaged"),
    [NEBULA_ERROR_STORE_SEALED] = N_ ("The store was sealed"),
    [NEBULA_ERROR_STORE_VERSION] = N_ ("The store is of a newer version"),
    [NEBULA_ERROR_STALE] = N_ ("Somebody else went on with it"),
    [NEBULA_ERROR_CONFIG] = N_ ("The configuration is not accepted"),
};

/**
 * nebula_error_code_get_title:
 * @code: a code
 *
 * Gives the title of a code in English; nebula_error_dup_localized_message() and gettext translate it.
 *
 * Thread: any.
 *
 * Returns: a short sentence without a full stop; static
 *
 * Since: 1.0
 */
const char *
nebula_error_code_get_title (NebulaError code)
{
  g_return_val_if_fail ((gsize) code < G_N_ELEMENTS (titles),
                        titles[NEBULA_ERROR_FAILED]);

  return titles[code];
}

/**
 * nebula_error_dup_localized_message:
 * @error: an error of any domain
 * @catalog: (nullable): translations; %NULL for those of the process
 * @language: (nullable): the language of a request; %NULL for that of the process
 *
 * Says what happened in the language of whoever asked.
 *
 * A message is made in the language of the process, and what it names cannot be taken out again. Where the whole message
 * has a translation that is given, else the title of its code; in a language without translations (English is one) the
 * message itself.
 *
 * Thread: any.
 *
 * Returns: (transfer full): a sentence
 *
 * Since: 1.0
 */
char *
nebula_error_dup_localized_message (const GError *error,
                                    NebulaCatalog *catalog,
                                    const char *language)
{
  const char *title = NULL;
  const char *text = NULL;

  g_return_val_if_fail (error != NULL, NULL);

  if (catalog == NULL || language == NULL)
    return g_utf8_make_valid (error->message, -1);
  text = nebula_catalog_translate (catalog, language, error->message);
  if (g_strcmp0 (text, error->message) != 0)
    return g_strdup (text);
  title = nebula_error_code_get_title (_nebula_error_map (error));
  text = nebula_catalog_translate (catalog, language, title);
  return g_strcmp0 (text, title) != 0 ? g_strdup (text)
                                      : g_utf8_make_valid (error->message, -1);
}
