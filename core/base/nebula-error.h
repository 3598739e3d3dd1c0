/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

#define NEBULA_ERROR (nebula_error_quark ())

/**
 * NebulaError:
 * @NEBULA_ERROR_FAILED: something failed that has no better code
 * @NEBULA_ERROR_CANCELLED: somebody cancelled it
 * @NEBULA_ERROR_TIMED_OUT: a time limit passed
 * @NEBULA_ERROR_INTERNAL: a fault in Nebula itself
 * @NEBULA_ERROR_INVALID_ARGUMENT: a caller gave what the function does not take
 * @NEBULA_ERROR_INVALID_DATA: data from outside is not what it should be
 * @NEBULA_ERROR_INVALID_WORKFLOW: a workflow has diagnostics of severity error
 * @NEBULA_ERROR_NOT_FOUND: no such thing
 * @NEBULA_ERROR_EXISTS: there is one already
 * @NEBULA_ERROR_CONFLICT: it changed in the meantime, or its state forbids it
 * @NEBULA_ERROR_UNSUPPORTED: this build or version cannot do it
 * @NEBULA_ERROR_PERMISSION_DENIED: not allowed
 * @NEBULA_ERROR_UNAVAILABLE: it cannot be reached now
 * @NEBULA_ERROR_THROTTLED: too many requests, come back later
 * @NEBULA_ERROR_LIMIT_EXCEEDED: a limit that configuration can raise
 * @NEBULA_ERROR_BUDGET_EXCEEDED: an evaluation used up its steps, memory or output
 * @NEBULA_ERROR_TOO_DEEP: nested deeper than the limit
 * @NEBULA_ERROR_TOO_LARGE: more bytes or items than the limit
 * @NEBULA_ERROR_SYNTAX: text that does not parse
 * @NEBULA_ERROR_DUPLICATE_KEY: an object names a key twice
 * @NEBULA_ERROR_TYPE: a value of the wrong kind
 * @NEBULA_ERROR_UNKNOWN_NAME: an expression names what does not exist
 * @NEBULA_ERROR_MISSING_PROPERTY: no such member or index
 * @NEBULA_ERROR_ARITY: a function got too few or too many arguments
 * @NEBULA_ERROR_OVERFLOW: a number left its range
 * @NEBULA_ERROR_DIVISION_BY_ZERO: division by zero
 * @NEBULA_ERROR_REGEX: a pattern that is not accepted
 * @NEBULA_ERROR_MISSING_PARAMETER: a required parameter is not set
 * @NEBULA_ERROR_UNKNOWN_PARAMETER: an action has no such parameter
 * @NEBULA_ERROR_INVALID_PARAMETER: a parameter's value is refused
 * @NEBULA_ERROR_UNKNOWN_ACTION: no module brings this action
 * @NEBULA_ERROR_ACTION_CONTRACT: an action broke its contract (neither value nor error)
 * @NEBULA_ERROR_UNKNOWN_OUTCOME: an attempt began and nobody knows how it ended
 * @NEBULA_ERROR_LOOP_LIMIT: a loop ran its greatest number of rounds
 * @NEBULA_ERROR_HTTP_STATUS: a server answered with an error status
 * @NEBULA_ERROR_NETWORK: a connection failed
 * @NEBULA_ERROR_PROCESS_FAILED: a program ended with another exit code than 0
 * @NEBULA_ERROR_IO: a file or device failed
 * @NEBULA_ERROR_MODULE_MISSING: a module that is needed is not installed
 * @NEBULA_ERROR_MODULE_BROKEN: a module cannot be loaded
 * @NEBULA_ERROR_MODULE_ABI: a module was built for another version
 * @NEBULA_ERROR_MODULE_REFUSED: a module's file or folder is not trusted
 * @NEBULA_ERROR_STORE: the store failed
 * @NEBULA_ERROR_STORE_BUSY: the store is locked by another process
 * @NEBULA_ERROR_STORE_FULL: no room on the disk
 * @NEBULA_ERROR_STORE_CORRUPT: the store's data does not hold together
 * @NEBULA_ERROR_STORE_SEALED: the store was sealed after a failed sync
 * @NEBULA_ERROR_STORE_VERSION: the store was written by a newer version
 * @NEBULA_ERROR_STALE: the stream moved on, or another owner holds it
 * @NEBULA_ERROR_CONFIG: a configuration file or value is refused
 *
 * What went wrong. The kebab-case nick is the stable code that a person or program sees.
 */
typedef enum
{
  NEBULA_ERROR_FAILED,
  NEBULA_ERROR_CANCELLED,
  NEBULA_ERROR_TIMED_OUT,
  NEBULA_ERROR_INTERNAL,
  NEBULA_ERROR_INVALID_ARGUMENT,
  NEBULA_ERROR_INVALID_DATA,
  NEBULA_ERROR_INVALID_WORKFLOW,
  NEBULA_ERROR_NOT_FOUND,
  NEBULA_ERROR_EXISTS,
  NEBULA_ERROR_CONFLICT,
  NEBULA_ERROR_UNSUPPORTED,
  NEBULA_ERROR_PERMISSION_DENIED,
  NEBULA_ERROR_UNAVAILABLE,
  NEBULA_ERROR_THROTTLED,
  NEBULA_ERROR_LIMIT_EXCEEDED,
  NEBULA_ERROR_BUDGET_EXCEEDED,
  NEBULA_ERROR_TOO_DEEP,
  NEBULA_ERROR_TOO_LARGE,
  NEBULA_ERROR_SYNTAX,
  NEBULA_ERROR_DUPLICATE_KEY,
  NEBULA_ERROR_TYPE,
  NEBULA_ERROR_UNKNOWN_NAME,
  NEBULA_ERROR_MISSING_PROPERTY,
  NEBULA_ERROR_ARITY,
  NEBULA_ERROR_OVERFLOW,
  NEBULA_ERROR_DIVISION_BY_ZERO,
  NEBULA_ERROR_REGEX,
  NEBULA_ERROR_MISSING_PARAMETER,
  NEBULA_ERROR_UNKNOWN_PARAMETER,
  NEBULA_ERROR_INVALID_PARAMETER,
  NEBULA_ERROR_UNKNOWN_ACTION,
  NEBULA_ERROR_ACTION_CONTRACT,
  NEBULA_ERROR_UNKNOWN_OUTCOME,
  NEBULA_ERROR_LOOP_LIMIT,
  NEBULA_ERROR_HTTP_STATUS,
  NEBULA_ERROR_NETWORK,
  NEBULA_ERROR_PROCESS_FAILED,
  NEBULA_ERROR_IO,
  NEBULA_ERROR_MODULE_MISSING,
  NEBULA_ERROR_MODULE_BROKEN,
  NEBULA_ERROR_MODULE_ABI,
  NEBULA_ERROR_MODULE_REFUSED,
  NEBULA_ERROR_STORE,
  NEBULA_ERROR_STORE_BUSY,
  NEBULA_ERROR_STORE_FULL,
  NEBULA_ERROR_STORE_CORRUPT,
  NEBULA_ERROR_STORE_SEALED,
  NEBULA_ERROR_STORE_VERSION,
  NEBULA_ERROR_STALE,
  NEBULA_ERROR_CONFIG,
} NebulaError;

/**
 * NebulaRetryClass:
 * @NEBULA_RETRY_CLASS_TERMINAL: trying again gives the same answer
 * @NEBULA_RETRY_CLASS_RETRY: trying again may help
 * @NEBULA_RETRY_CLASS_THROTTLE: trying again helps after a pause
 * @NEBULA_RETRY_CLASS_CANCELLED: somebody asked to stop
 *
 * What a caller should do about an error.
 */
typedef enum
{
  NEBULA_RETRY_CLASS_TERMINAL,
  NEBULA_RETRY_CLASS_RETRY,
  NEBULA_RETRY_CLASS_THROTTLE,
  NEBULA_RETRY_CLASS_CANCELLED,
} NebulaRetryClass;

NEBULA_API GQuark nebula_error_quark (void);
NEBULA_API const char *nebula_error_get_code (const GError *error);
NEBULA_API NebulaRetryClass nebula_error_get_retry_class (const GError *error);
NEBULA_API const char *nebula_error_code_to_string (NebulaError code);
NEBULA_API gboolean nebula_error_code_from_string (const char *text, NebulaError *ret_code);
NEBULA_API const char *nebula_retry_class_to_string (NebulaRetryClass retry_class);

G_END_DECLS
