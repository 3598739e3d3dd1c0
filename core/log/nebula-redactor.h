/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define NEBULA_TYPE_REDACTOR (nebula_redactor_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaRedactor, nebula_redactor, NEBULA, REDACTOR, GObject)

#define NEBULA_REDACTED "••••••"
#define NEBULA_SECRET_BYTES_MIN 4

NEBULA_API NebulaRedactor *nebula_redactor_new (void);
NEBULA_API NebulaRedactor *nebula_redactor_get_default (void);
NEBULA_API gboolean nebula_redactor_add (NebulaRedactor *self, GBytes *secret);
NEBULA_API void nebula_redactor_remove (NebulaRedactor *self, GBytes *secret);
NEBULA_API guint nebula_redactor_get_n_secrets (NebulaRedactor *self);
NEBULA_API char *nebula_redactor_redact (NebulaRedactor *self, const char *text);

G_END_DECLS
