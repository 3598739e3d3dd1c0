/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-json-schema.h"

G_BEGIN_DECLS

/* Calls @offer with the name of each keyword of @draft, for hints such as “did you mean …?”. */
void nebula_json_schema_offer_keywords (NebulaJsonSchemaDraft draft,
                                        GFunc offer,
                                        gpointer data);

G_END_DECLS
