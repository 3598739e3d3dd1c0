/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "nebula-value.h"

G_BEGIN_DECLS

NEBULA_API NebulaValue *nebula_value_from_json_node (JsonNode *node, GError **error);
NEBULA_API JsonNode *nebula_value_to_json_node (NebulaValue *self, GError **error);
/* Kinds that GVariant lacks are `(sv)`, the name of the kind and its content; null is an empty `mv`. */
NEBULA_API NebulaValue *nebula_value_from_variant (GVariant *variant, GError **error);
NEBULA_API GVariant *nebula_value_to_variant (NebulaValue *self, GError **error);
/* A GValue of a property's type: boolean, numbers, string, GStrv, enum and flags by nick, GDateTime, GBytes, GVariant,
 * NebulaValue. */
NEBULA_API NebulaValue *nebula_value_from_gvalue (const GValue *gvalue, GError **error);
NEBULA_API gboolean nebula_value_to_gvalue (NebulaValue *self, GValue *gvalue, GError **error);

G_END_DECLS
