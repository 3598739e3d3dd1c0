/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queries whose cost somebody else counts: expressions burn their fuel with them. */
#pragma once

#include "nebula-jsonpath.h"

G_BEGIN_DECLS

/* Takes what it used off @steps, also on failure. */
NebulaValue *_nebula_jsonpath_query (NebulaJsonpath *self,
                                     NebulaValue *value,
                                     gsize *steps,
                                     GError **error);

G_END_DECLS
