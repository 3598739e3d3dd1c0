/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-catalog.h"
#include "nebula-value.h"

G_BEGIN_DECLS

/* RFC 9457: what `application/problem+json` holds. */
NEBULA_API NebulaValue *nebula_error_to_problem (const GError *error,
                                                 NebulaCatalog *catalog,
                                                 const char *language,
                                                 const char *instance);

G_END_DECLS
