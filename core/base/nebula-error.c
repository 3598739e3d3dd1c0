/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-error.h"

#include "nebula-error-private.h"

typedef struct
{
  const char *name;
  NebulaRetryClass retry_class;
} NebulaErrorRow;

#define TERMINAL NEBULA_RETRY_CLASS_TERMINAL
#define RETRY NEBULA_RETRY_CLASS_RETRY

/* In the order of the enum; a test walks both. */
static const NebulaErrorRow rows[] = {
  [NEBULA_ERROR_FAILED] = { "failed", RETRY },
  [NEBULA_ERROR_CANCELLED] = { "cancelled", NEBULA_RETRY_CLASS_CANCELLED },
  [NEBULA_ERROR_TIMED_OUT] = { "timed-out", RETRY },
  [NEBULA_ERROR_INTERNAL] = { "internal", TERMINAL },
  [NEBULA_ERROR_INVALID_ARGUMENT] = { "invalid-argument", TERMINAL },
  [NEBULA_ERROR_INVALID_DATA] = { "invalid-data", TERMINAL },
  [NEBULA_ERROR_INVALID_WORKFLOW] = { "invalid-workflow", TERMINAL },
  [NEBULA_ERROR_NOT_FOUND] = { "not-found", TERMINAL },
  [NEBULA_ERROR_EXISTS] = { "exists", TERMINAL },
  [NEBULA_ERROR_CONFLICT] = { "conflict", TERMINAL },
  [NEBULA_ERROR_UNSUPPORTED] = { "unsupported", TERMINAL },
  [NEBULA_ERROR_PERMISSION_DENIED] = { "permission-denied", TERMINAL },
  [NEBULA_ERROR_UNAVAILABLE] = { "unavailable", RETRY },
  [NEBULA_ERROR_THROTTLED] = { "throttled", NEBULA_RETRY_CLASS_THROTTLE },
  [NEBULA_ERROR_LIMIT_EXCEEDED] = { "limit-exceeded", TERMINAL },
  [NEBULA_ERROR_BUDGET_EXCEEDED] = { "budget-exceeded", TERMINAL },
  [NEBULA_ERROR_TOO_DEEP] = { "too-deep", TERMINAL },
  [NEBULA_ERROR_TOO_LARGE] = { "too-large", TERMINAL },
  [NEBULA_ERROR_SYNTAX] = { "syntax", TERMINAL },
  [NEBULA_ERROR_DUPLICATE_KEY] = { "duplicate-key", TERMINAL },
  [NEBULA_ERROR_TYPE] = { "type", TERMINAL },
  [NEBULA_ERROR_UNKNOWN_NAME] = { "unknown-name", TERMINAL },
  [NEBULA_ERROR_MISSING_PROPERTY] = { "missing-property", TERMINAL },
  [NEBULA_ERROR_ARITY] = { "arity", TERMINAL },
  [NEBULA_ERROR_OVERFLOW] = { "overflow", TERMINAL },
  [NEBULA_ERROR_DIVISION_BY_ZERO] = { "division-by-zero", TERMINAL },
  [NEBULA_ERROR_REGEX] = { "regex", TERMINAL },
  [NEBULA_ERROR_MISSING_PARAMETER] = { "missing-parameter", TERMINAL },
  [NEBULA_ERROR_UNKNOWN_PARAMETER] = { "unknown-parameter", TERMINAL },
  [NEBULA_ERROR_INVALID_PARAMETER] = { "invalid-parameter", TERMINAL },
  [NEBULA_ERROR_UNKNOWN_ACTION] = { "unknown-action", TERMINAL },
  [NEBULA_ERROR_ACTION_CONTRACT] = { "action-contract", TERMINAL },
  [NEBULA_ERROR_UNKNOWN_OUTCOME] = { "unknown-outcome", TERMINAL },
  [NEBULA_ERROR_LOOP_LIMIT] = { "loop-limit", TERMINAL },
  [NEBULA_ERROR_HTTP_STATUS] = { "http-status", RETRY },
  [NEBULA_ERROR_NETWORK] = { "network", RETRY },
  [NEBULA_ERROR_PROCESS_FAILED] = { "process-failed", RETRY },
  [NEBULA_ERROR_IO] = { "io", RETRY },
  [NEBULA_ERROR_MODULE_MISSING] = { "module-missing", TERMINAL },
  [NEBULA_ERROR_MODULE_BROKEN] = { "module-broken", TERMINAL },
  [NEBULA_ERROR_MODULE_ABI] = { "module-abi", TERMINAL },
  [NEBULA_ERROR_MODULE_REFUSED] = { "module-refused", TERMINAL },
  [NEBULA_ERROR_STORE] = { "store", TERMINAL },
  [NEBULA_ERROR_STORE_BUSY] = { "store-busy", RETRY },
  [NEBULA_ERROR_STORE_FULL] = { "store-full", RETRY },
  [NEBULA_ERROR_STORE_CORRUPT] = { "store-corrupt", TERMINAL },
  [NEBULA_ERROR_STORE_SEALED] = { "store-sealed", TERMINAL },
  [NEBULA_ERROR_STORE_VERSION] = { "store-version", TERMINAL },
  [NEBULA_ERROR_STALE] = { "stale", TERMINAL },
  [NEBULA_ERROR_CONFIG] = { "config", TERMINAL },
};

typedef struct
{
  gint foreign;
  NebulaError code;
} NebulaErrorMapping;

/* The retry class follows from the code that a foreign error maps to. */
static const NebulaErrorMapping io_mappings[] = {
  { G_IO_ERROR_NOT_FOUND, NEBULA_ERROR_NOT_FOUND },
  { G_IO_ERROR_EXISTS, NEBULA_ERROR_EXISTS },
  { G_IO_ERROR_IS_DIRECTORY, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_NOT_DIRECTORY, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_NOT_EMPTY, NEBULA_ERROR_CONFLICT },
  { G_IO_ERROR_NOT_REGULAR_FILE, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_NOT_SYMBOLIC_LINK, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_NOT_MOUNTABLE_FILE, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_FILENAME_TOO_LONG, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_INVALID_FILENAME, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_TOO_MANY_LINKS, NEBULA_ERROR_LIMIT_EXCEEDED },
  { G_IO_ERROR_NO_SPACE, NEBULA_ERROR_IO },
  { G_IO_ERROR_INVALID_ARGUMENT, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_IO_ERROR_PERMISSION_DENIED, NEBULA_ERROR_PERMISSION_DENIED },
  { G_IO_ERROR_NOT_SUPPORTED, NEBULA_ERROR_UNSUPPORTED },
  { G_IO_ERROR_CLOSED, NEBULA_ERROR_CONFLICT },
  { G_IO_ERROR_CANCELLED, NEBULA_ERROR_CANCELLED },
  { G_IO_ERROR_PENDING, NEBULA_ERROR_CONFLICT },
  { G_IO_ERROR_READ_ONLY, NEBULA_ERROR_PERMISSION_DENIED },
  { G_IO_ERROR_CANT_CREATE_BACKUP, NEBULA_ERROR_IO },
  { G_IO_ERROR_WRONG_ETAG, NEBULA_ERROR_CONFLICT },
  { G_IO_ERROR_TIMED_OUT, NEBULA_ERROR_TIMED_OUT },
  { G_IO_ERROR_BUSY, NEBULA_ERROR_UNAVAILABLE },
  { G_IO_ERROR_WOULD_BLOCK, NEBULA_ERROR_UNAVAILABLE },
  { G_IO_ERROR_HOST_NOT_FOUND, NEBULA_ERROR_NETWORK },
  { G_IO_ERROR_HOST_UNREACHABLE, NEBULA_ERROR_NETWORK },
  { G_IO_ERROR_NETWORK_UNREACHABLE, NEBULA_ERROR_NETWORK },
  { G_IO_ERROR_CONNECTION_REFUSED, NEBULA_ERROR_NETWORK },
  { G_IO_ERROR_CONNECTION_CLOSED, NEBULA_ERROR_NETWORK },
  { G_IO_ERROR_NOT_CONNECTED, NEBULA_ERROR_NETWORK },
  { G_IO_ERROR_ADDRESS_IN_USE, NEBULA_ERROR_UNAVAILABLE },
  { G_IO_ERROR_PROXY_FAILED, NEBULA_ERROR_NETWORK },
  { G_IO_ERROR_PROXY_AUTH_FAILED, NEBULA_ERROR_PERMISSION_DENIED },
  { G_IO_ERROR_PROXY_NEED_AUTH, NEBULA_ERROR_PERMISSION_DENIED },
  { G_IO_ERROR_PROXY_NOT_ALLOWED, NEBULA_ERROR_PERMISSION_DENIED },
  { G_IO_ERROR_TOO_MANY_OPEN_FILES, NEBULA_ERROR_UNAVAILABLE },
  { G_IO_ERROR_NOT_INITIALIZED, NEBULA_ERROR_INTERNAL },
  { G_IO_ERROR_PARTIAL_INPUT, NEBULA_ERROR_INVALID_DATA },
  { G_IO_ERROR_INVALID_DATA, NEBULA_ERROR_INVALID_DATA },
  { G_IO_ERROR_MESSAGE_TOO_LARGE, NEBULA_ERROR_TOO_LARGE },
  { G_IO_ERROR_NO_SUCH_DEVICE, NEBULA_ERROR_NOT_FOUND },
};

static const NebulaErrorMapping file_mappings[] = {
  { G_FILE_ERROR_NOENT, NEBULA_ERROR_NOT_FOUND },
  { G_FILE_ERROR_EXIST, NEBULA_ERROR_EXISTS },
  { G_FILE_ERROR_ACCES, NEBULA_ERROR_PERMISSION_DENIED },
  { G_FILE_ERROR_PERM, NEBULA_ERROR_PERMISSION_DENIED },
  { G_FILE_ERROR_ROFS, NEBULA_ERROR_PERMISSION_DENIED },
  { G_FILE_ERROR_ISDIR, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_FILE_ERROR_NOTDIR, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_FILE_ERROR_NAMETOOLONG, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_FILE_ERROR_INVAL, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_FILE_ERROR_LOOP, NEBULA_ERROR_INVALID_ARGUMENT },
  { G_FILE_ERROR_AGAIN, NEBULA_ERROR_UNAVAILABLE },
  { G_FILE_ERROR_INTR, NEBULA_ERROR_UNAVAILABLE },
  { G_FILE_ERROR_MFILE, NEBULA_ERROR_UNAVAILABLE },
  { G_FILE_ERROR_NFILE, NEBULA_ERROR_UNAVAILABLE },
};

static const NebulaErrorMapping resolver_mappings[] = {
  { G_RESOLVER_ERROR_NOT_FOUND, NEBULA_ERROR_NETWORK },
  { G_RESOLVER_ERROR_TEMPORARY_FAILURE, NEBULA_ERROR_NETWORK },
  { G_RESOLVER_ERROR_INTERNAL, NEBULA_ERROR_NETWORK },
};

static NebulaError
map_code (const NebulaErrorMapping *mappings, gsize n_mappings, gint code, NebulaError fallback)
{
  for (gsize i = 0; i < n_mappings; i++)
    if (mappings[i].foreign == code)
      return mappings[i].code;
  return fallback;
}

/* Domains of which every code means one thing to us. */
static NebulaError
map_domain (GQuark domain)
{
  if (domain == G_REGEX_ERROR)
    return NEBULA_ERROR_REGEX;
  if (domain == G_SPAWN_ERROR || domain == G_SPAWN_EXIT_ERROR)
    return NEBULA_ERROR_PROCESS_FAILED;
  if (domain == G_TLS_ERROR)
    return NEBULA_ERROR_NETWORK;
  if (domain == G_CONVERT_ERROR || domain == G_NUMBER_PARSER_ERROR || domain == G_URI_ERROR)
    return NEBULA_ERROR_INVALID_DATA;
  if (domain == G_MARKUP_ERROR || domain == G_KEY_FILE_ERROR || domain == G_VARIANT_PARSE_ERROR)
    return NEBULA_ERROR_SYNTAX;
  if (g_strcmp0 (g_quark_to_string (domain), "json-parser-error-quark") == 0)
    return NEBULA_ERROR_SYNTAX;
  return NEBULA_ERROR_FAILED;
}

NebulaError
_nebula_error_map (const GError *error)
{
  if (error->domain == NEBULA_ERROR)
    return error->code >= 0 && error->code < (gint) G_N_ELEMENTS (rows) ? (NebulaError) error->code
                                                                        : NEBULA_ERROR_FAILED;
  if (error->domain == G_IO_ERROR)
    return map_code (io_mappings, G_N_ELEMENTS (io_mappings), error->code, NEBULA_ERROR_FAILED);
  if (error->domain == G_FILE_ERROR)
    return map_code (file_mappings, G_N_ELEMENTS (file_mappings), error->code, NEBULA_ERROR_IO);
  if (error->domain == G_RESOLVER_ERROR)
    return map_code (resolver_mappings, G_N_ELEMENTS (resolver_mappings), error->code, NEBULA_ERROR_NETWORK);
  return map_domain (error->domain);
}

static void
init_detail (GError *error)
{
  _nebula_error_get_detail (error)->retry_after_ms = -1;
}

static void
copy_detail (const GError *source, GError *target)
{
  const NebulaErrorDetail *from = _nebula_error_get_detail (source);
  NebulaErrorDetail *to = _nebula_error_get_detail (target);

  to->cause = from->cause != NULL ? g_error_copy (from->cause) : NULL;
  to->context = g_strdup (from->context);
  to->retry_after_ms = from->retry_after_ms;
}

static void
clear_detail (GError *error)
{
  NebulaErrorDetail *detail = _nebula_error_get_detail (error);

  g_clear_error (&detail->cause);
  g_clear_pointer (&detail->context, g_free);
}

/**
 * nebula_error_quark:
 *
 * Names the error domain of Nebula.
 *
 * Thread: any.
 *
 * Returns: the quark of %NEBULA_ERROR
 *
 * Since: 1.0
 */
GQuark
nebula_error_quark (void)
{
  static gsize quark = 0;

  if (g_once_init_enter (&quark)) {
    GQuark domain = g_error_domain_register_static ("nebula-error-quark", sizeof (NebulaErrorDetail), init_detail,
                                                    copy_detail, clear_detail);

    g_once_init_leave (&quark, domain);
  }
  return (GQuark) quark;
}

/* A binding may make an error out of the name of the domain alone, so the domain is there before anybody can. */
__attribute__ ((constructor)) static void
register_domain (void)
{
  nebula_error_quark ();
}

/* GLib puts the detail right before the error, its size rounded up to two words. */
NebulaErrorDetail *
_nebula_error_get_detail (const GError *error)
{
  const gsize unit = 2 * sizeof (gsize);
  const gsize size = (sizeof (NebulaErrorDetail) + unit - 1) / unit * unit;

  return error->domain == NEBULA_ERROR ? (NebulaErrorDetail *) (gpointer) ((guint8 *) error - size) : NULL;
}

/**
 * nebula_error_get_code:
 * @error: an error of any domain
 *
 * Gives the stable kebab-case code of an error, such as `not-found`.
 *
 * Errors of GIO and GLib map to the code that means the same; what has no better name is `failed`.
 *
 * Thread: any.
 *
 * Returns: the code; static
 *
 * Since: 1.0
 */
const char *
nebula_error_get_code (const GError *error)
{
  g_return_val_if_fail (error != NULL, "failed");

  return rows[_nebula_error_map (error)].name;
}

/**
 * nebula_error_get_retry_class:
 * @error: an error of any domain
 *
 * Tells what a caller should do about an error.
 *
 * A domain that Nebula does not know counts as retry, like %NEBULA_ERROR_FAILED.
 *
 * Thread: any.
 *
 * Returns: the class
 *
 * Since: 1.0
 */
NebulaRetryClass
nebula_error_get_retry_class (const GError *error)
{
  g_return_val_if_fail (error != NULL, NEBULA_RETRY_CLASS_TERMINAL);

  return rows[_nebula_error_map (error)].retry_class;
}

/**
 * nebula_error_code_to_string:
 * @code: a code
 *
 * Gives the stable text of a code.
 *
 * Thread: any.
 *
 * Returns: kebab-case text; static
 *
 * Since: 1.0
 */
const char *
nebula_error_code_to_string (NebulaError code)
{
  g_return_val_if_fail ((gsize) code < G_N_ELEMENTS (rows), "failed");

  return rows[code].name;
}

/**
 * nebula_error_code_from_string:
 * @text: kebab-case text
 * @ret_code: (out) (optional): the code it names, untouched when it names none
 *
 * Finds the code that a text names.
 *
 * Thread: any.
 *
 * Returns: whether there is such a code
 *
 * Since: 1.0
 */
gboolean
nebula_error_code_from_string (const char *text, NebulaError *ret_code)
{
  g_return_val_if_fail (text != NULL, FALSE);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (g_strcmp0 (rows[i].name, text) != 0)
      continue;
    if (ret_code)
      *ret_code = (NebulaError) i;
    return TRUE;
  }
  return FALSE;
}

/**
 * nebula_retry_class_to_string:
 * @retry_class: a class
 *
 * Gives the text of a retry class as it stands in error objects.
 *
 * Thread: any.
 *
 * Returns: `retry`, `terminal`, `throttle` or `cancelled`; static
 *
 * Since: 1.0
 */
const char *
nebula_retry_class_to_string (NebulaRetryClass retry_class)
{
  static const char *const names[] = { "terminal", "retry", "throttle", "cancelled" };

  g_return_val_if_fail ((gsize) retry_class < G_N_ELEMENTS (names), "terminal");

  return names[retry_class];
}
