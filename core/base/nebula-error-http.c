/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors and the status codes of HTTP. */

#include <glib/gi18n-lib.h>

#include "nebula-error-chain.h"
#include "nebula-error-private.h"

typedef struct {
  guint status;
  NebulaError code;
} Row;

/* What a server's answer means to us. */
static const Row answers[] = {
    {400, NEBULA_ERROR_INVALID_ARGUMENT},  {401, NEBULA_ERROR_PERMISSION_DENIED},
    {403, NEBULA_ERROR_PERMISSION_DENIED}, {404, NEBULA_ERROR_NOT_FOUND},
    {405, NEBULA_ERROR_UNSUPPORTED},       {407, NEBULA_ERROR_PERMISSION_DENIED},
    {408, NEBULA_ERROR_TIMED_OUT},         {409, NEBULA_ERROR_CONFLICT},
    {410, NEBULA_ERROR_NOT_FOUND},         {412, NEBULA_ERROR_CONFLICT},
    {413, NEBULA_ERROR_TOO_LARGE},         {414, NEBULA_ERROR_TOO_LARGE},
    {415, NEBULA_ERROR_UNSUPPORTED},       {422, NEBULA_ERROR_INVALID_DATA},
    {425, NEBULA_ERROR_UNAVAILABLE},       {429, NEBULA_ERROR_THROTTLED},
    {431, NEBULA_ERROR_TOO_LARGE},         {501, NEBULA_ERROR_UNSUPPORTED},
    {502, NEBULA_ERROR_UNAVAILABLE},       {503, NEBULA_ERROR_UNAVAILABLE},
    {504, NEBULA_ERROR_TIMED_OUT},         {505, NEBULA_ERROR_UNSUPPORTED},
};

/* What we answer; codes that are not here are faults of ours: 500. */
static const Row statuses[] = {
    {499, NEBULA_ERROR_CANCELLED},
    {504, NEBULA_ERROR_TIMED_OUT},
    {400, NEBULA_ERROR_INVALID_ARGUMENT},
    {422, NEBULA_ERROR_INVALID_DATA},
    {422, NEBULA_ERROR_INVALID_WORKFLOW},
    {404, NEBULA_ERROR_NOT_FOUND},
    {409, NEBULA_ERROR_EXISTS},
    {409, NEBULA_ERROR_CONFLICT},
    {501, NEBULA_ERROR_UNSUPPORTED},
    {403, NEBULA_ERROR_PERMISSION_DENIED},
    {503, NEBULA_ERROR_UNAVAILABLE},
    {429, NEBULA_ERROR_THROTTLED},
    {429, NEBULA_ERROR_LIMIT_EXCEEDED},
    {422, NEBULA_ERROR_BUDGET_EXCEEDED},
    {422, NEBULA_ERROR_TOO_DEEP},
    {413, NEBULA_ERROR_TOO_LARGE},
    {400, NEBULA_ERROR_SYNTAX},
    {400, NEBULA_ERROR_DUPLICATE_KEY},
    {422, NEBULA_ERROR_TYPE},
    {422, NEBULA_ERROR_UNKNOWN_NAME},
    {422, NEBULA_ERROR_MISSING_PROPERTY},
    {422, NEBULA_ERROR_ARITY},
    {422, NEBULA_ERROR_OVERFLOW},
    {422, NEBULA_ERROR_DIVISION_BY_ZERO},
    {422, NEBULA_ERROR_REGEX},
    {422, NEBULA_ERROR_MISSING_PARAMETER},
    {422, NEBULA_ERROR_UNKNOWN_PARAMETER},
    {422, NEBULA_ERROR_INVALID_PARAMETER},
    {422, NEBULA_ERROR_UNKNOWN_ACTION},
    {502, NEBULA_ERROR_HTTP_STATUS},
    {502, NEBULA_ERROR_NETWORK},
    {503, NEBULA_ERROR_STORE_BUSY},
    {507, NEBULA_ERROR_STORE_FULL},
    {503, NEBULA_ERROR_STORE_SEALED},
    {409, NEBULA_ERROR_STALE},
};

static NebulaError
get_answer (guint status)
{
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    if (answers[i].status == status)
      return answers[i].code;
  return status < 500 ? NEBULA_ERROR_INVALID_ARGUMENT : NEBULA_ERROR_HTTP_STATUS;
}

/**
 * nebula_error_from_http_status:
 * @status: the status of an answer
 * @reason: (nullable): its reason phrase
 * @retry_after_ms: milliseconds out of `Retry-After`; -1 if there is none
 *
 * Makes an error of a server's answer. 408, 425 and the 5xx but 501 and 505 can be tried again, 429 after a pause; other
 * errors are terminal.
 *
 * Thread: any.
 *
 * Returns: (transfer full) (nullable): the error; %NULL for statuses below 400, which are none
 *
 * Since: 1.0
 */
GError *
nebula_error_from_http_status (guint status, const char *reason, gint64 retry_after_ms)
{
  g_autofree char *valid = NULL;
  GError *error = NULL;

  if (status < 400)
    return NULL;
  if (reason != NULL && *reason != '\0') {
    valid = g_utf8_make_valid (reason, -1);
    error = g_error_new (NEBULA_ERROR, (gint) get_answer (status),
                         _ ("The server answered with the status %u: %s"), status, valid);
  } else {
    error = g_error_new (NEBULA_ERROR, (gint) get_answer (status),
                         _ ("The server answered with the status %u"), status);
  }
  nebula_error_set_retry_after_ms (error, retry_after_ms);
  return error;
}

/**
 * nebula_error_get_http_status:
 * @error: an error of any domain
 *
 * Gives the status with which a server of ours answers a request that ended with an error.
 *
 * Thread: any.
 *
 * Returns: a status from 400 to 599
 *
 * Since: 1.0
 */
guint
nebula_error_get_http_status (const GError *error)
{
  NebulaError code;

  g_return_val_if_fail (error != NULL, 500);

  code = _nebula_error_map (error);
  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++)
    if (statuses[i].code == code)
      return statuses[i].status;
  return 500;
}
