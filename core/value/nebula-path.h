/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/* A path is a JSON pointer (RFC 6901) if it is empty or begins with `/`, else dotted: `a.b[0]["odd key"]`. */
NEBULA_API NebulaValue *nebula_value_get_path (NebulaValue *self, const char *path);
NEBULA_API gboolean nebula_value_has_path (NebulaValue *self, const char *path);
NEBULA_API NebulaValue *nebula_value_set_path (NebulaValue *self, const char *path, NebulaValue *part, GError **error);
NEBULA_API NebulaValue *nebula_value_remove_path (NebulaValue *self, const char *path, GError **error);

G_END_DECLS
