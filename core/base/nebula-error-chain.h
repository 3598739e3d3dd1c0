/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-catalog.h"
#include "nebula-error.h"

G_BEGIN_DECLS

/* An error that was given context is one of NEBULA_ERROR with the code, class and pause of its cause, which it keeps. */
NEBULA_API GError *nebula_error_wrap (GError *error, const char *context);
NEBULA_API void nebula_error_add_context (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
NEBULA_API GError *nebula_error_convert (GError *error);
NEBULA_API const char *nebula_error_get_context (const GError *error);
NEBULA_API const GError *nebula_error_get_cause (const GError *error);
NEBULA_API const GError *nebula_error_get_root_cause (const GError *error);
NEBULA_API char *nebula_error_print_chain (const GError *error);

/* When trying again makes sense; milliseconds, -1: not known. */
NEBULA_API void nebula_error_set_retry_after_ms (GError *error, gint64 retry_after_ms);
NEBULA_API gint64 nebula_error_get_retry_after_ms (const GError *error);

/* HTTP, as client and as server. */
NEBULA_API GError *nebula_error_from_http_status (guint status, const char *reason, gint64 retry_after_ms);
NEBULA_API guint nebula_error_get_http_status (const GError *error);

/* For people. */
NEBULA_API const char *nebula_error_code_get_title (NebulaError code);
NEBULA_API char *nebula_error_dup_localized_message (const GError *error, NebulaCatalog *catalog, const char *language);

G_END_DECLS
