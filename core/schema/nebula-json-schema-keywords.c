/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keywords of both drafts: what their values look like and which rule they stand for. */
#include <string.h>

#include "nebula-json-schema-internal.h"
#include "nebula-json-schema-private.h"

#define BOTH        NEBULA_SCHEMA_IN_BOTH
#define DRAFT_7     NEBULA_SCHEMA_IN_7
#define DRAFT_2020  NEBULA_SCHEMA_IN_2020
#define VALIDATION  NEBULA_SCHEMA_IS_VALIDATION
#define SHAPE(name) NEBULA_SCHEMA_SHAPE_##name
#define FIRST       NEBULA_SCHEMA_STAGE_FIRST
#define REST        NEBULA_SCHEMA_STAGE_REST
#define UNEVALUATED NEBULA_SCHEMA_STAGE_UNEVALUATED
#define RULE(name)  _nebula_schema_rule_##name

/* clang-format off */
static const NebulaSchemaKeyword keywords[] = {
  { "$anchor", DRAFT_2020, SHAPE (TEXT), FIRST, NULL },
  { "$comment", BOTH, SHAPE (TEXT), FIRST, NULL },
  { "$defs", BOTH, SHAPE (SCHEMA_MAP), FIRST, NULL },
  { "$dynamicAnchor", DRAFT_2020, SHAPE (TEXT), FIRST, NULL },
  { "$dynamicRef", DRAFT_2020, SHAPE (TEXT), FIRST, RULE (ref) },
  { "$id", BOTH, SHAPE (TEXT), FIRST, NULL },
  { "$ref", BOTH, SHAPE (TEXT), FIRST, RULE (ref) },
  { "$schema", BOTH, SHAPE (TEXT), FIRST, NULL },
  { "$vocabulary", DRAFT_2020, SHAPE (OBJECT), FIRST, NULL },
  { "additionalItems", DRAFT_7, SHAPE (SCHEMA), REST, RULE (items) },
  { "additionalProperties", BOTH, SHAPE (SCHEMA), REST, RULE (additional_properties) },
  { "allOf", BOTH, SHAPE (SCHEMAS), FIRST, RULE (all_of) },
  { "anyOf", BOTH, SHAPE (SCHEMAS), FIRST, RULE (any_of) },
  { "const", BOTH | VALIDATION, SHAPE (ANY), FIRST, RULE (const) },
  { "contains", BOTH, SHAPE (SCHEMA), FIRST, RULE (contains) },
  { "contentEncoding", BOTH, SHAPE (TEXT), FIRST, NULL },
  { "contentMediaType", BOTH, SHAPE (TEXT), FIRST, NULL },
  { "contentSchema", DRAFT_2020, SHAPE (SCHEMA), FIRST, NULL },
  { "default", BOTH, SHAPE (ANY), FIRST, NULL },
  { "definitions", BOTH, SHAPE (SCHEMA_MAP), FIRST, NULL },
  { "dependencies", DRAFT_7, SHAPE (DEPENDENCIES), FIRST, RULE (dependent_schemas) },
  { "dependentRequired", DRAFT_2020 | VALIDATION, SHAPE (TEXTS_MAP), FIRST, RULE (dependent_required) },
  { "dependentSchemas", DRAFT_2020, SHAPE (SCHEMA_MAP), FIRST, RULE (dependent_schemas) },
  { "deprecated", DRAFT_2020, SHAPE (BOOLEAN), FIRST, NULL },
  { "description", BOTH, SHAPE (TEXT), FIRST, NULL },
  { "else", BOTH, SHAPE (SCHEMA), FIRST, NULL },
  { "enum", BOTH | VALIDATION, SHAPE (ARRAY), FIRST, RULE (enum) },
  { "examples", BOTH, SHAPE (ARRAY), FIRST, NULL },
  { "exclusiveMaximum", BOTH | VALIDATION, SHAPE (NUMBER), FIRST, RULE (bound) },
  { "exclusiveMinimum", BOTH | VALIDATION, SHAPE (NUMBER), FIRST, RULE (bound) },
  { "format", BOTH, SHAPE (TEXT), FIRST, RULE (format) },
  { "if", BOTH, SHAPE (SCHEMA), FIRST, RULE (if) },
  { "items", DRAFT_2020, SHAPE (SCHEMA), REST, RULE (items) },
  { "items", DRAFT_7, SHAPE (ITEMS), FIRST, RULE (prefix_items) },
  { "maxContains", DRAFT_2020 | VALIDATION, SHAPE (COUNT), FIRST, NULL },
  { "maxItems", BOTH | VALIDATION, SHAPE (COUNT), FIRST, RULE (item_count) },
  { "maxLength", BOTH | VALIDATION, SHAPE (COUNT), FIRST, RULE (length) },
  { "maxProperties", BOTH | VALIDATION, SHAPE (COUNT), FIRST, RULE (member_count) },
  { "maximum", BOTH | VALIDATION, SHAPE (NUMBER), FIRST, RULE (bound) },
  { "minContains", DRAFT_2020 | VALIDATION, SHAPE (COUNT), FIRST, NULL },
  { "minItems", BOTH | VALIDATION, SHAPE (COUNT), FIRST, RULE (item_count) },
  { "minLength", BOTH | VALIDATION, SHAPE (COUNT), FIRST, RULE (length) },
  { "minProperties", BOTH | VALIDATION, SHAPE (COUNT), FIRST, RULE (member_count) },
  { "minimum", BOTH | VALIDATION, SHAPE (NUMBER), FIRST, RULE (bound) },
  { "multipleOf", BOTH | VALIDATION, SHAPE (POSITIVE), FIRST, RULE (multiple_of) },
  { "not", BOTH, SHAPE (SCHEMA), FIRST, RULE (not) },
  { "oneOf", BOTH, SHAPE (SCHEMAS), FIRST, RULE (one_of) },
  { "pattern", BOTH | VALIDATION, SHAPE (PATTERN), FIRST, RULE (pattern) },
  { "patternProperties", BOTH, SHAPE (PATTERN_MAP), FIRST, RULE (pattern_properties) },
  { "prefixItems", DRAFT_2020, SHAPE (SCHEMAS), FIRST, RULE (prefix_items) },
  { "properties", BOTH, SHAPE (SCHEMA_MAP), FIRST, RULE (properties) },
  { "propertyNames", BOTH, SHAPE (SCHEMA), FIRST, RULE (property_names) },
  { "readOnly", BOTH, SHAPE (BOOLEAN), FIRST, NULL },
  { "required", BOTH | VALIDATION, SHAPE (TEXTS), FIRST, RULE (required) },
  { "then", BOTH, SHAPE (SCHEMA), FIRST, NULL },
  { "title", BOTH, SHAPE (TEXT), FIRST, NULL },
  { "type", BOTH | VALIDATION, SHAPE (TYPES), FIRST, RULE (type) },
  { "unevaluatedItems", DRAFT_2020, SHAPE (SCHEMA), UNEVALUATED, RULE (unevaluated_items) },
  { "unevaluatedProperties", DRAFT_2020, SHAPE (SCHEMA), UNEVALUATED, RULE (unevaluated_properties) },
  { "uniqueItems", BOTH | VALIDATION, SHAPE (BOOLEAN), FIRST, RULE (unique_items) },
  { "writeOnly", BOTH, SHAPE (BOOLEAN), FIRST, NULL },
};
/* clang-format on */

const NebulaSchemaKeyword *
_nebula_schema_find_keyword (const char *name, NebulaJsonSchemaDraft draft)
{
  gsize from = 0, to = G_N_ELEMENTS (keywords);

  while (from < to) {
    gsize middle = (from + to) / 2;

    if (strcmp (keywords[middle].name, name) < 0)
      from = middle + 1;
    else
      to = middle;
  }
  for (; from < G_N_ELEMENTS (keywords); from++) {
    if (strcmp (keywords[from].name, name) != 0)
      return NULL;
    if (keywords[from].flags & (1u << draft))
      return &keywords[from];
  }
  return NULL;
}

void
nebula_json_schema_offer_keywords (NebulaJsonSchemaDraft draft,
                                   GFunc offer,
                                   gpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keywords); i++)
    if (keywords[i].flags & (1u << draft))
      offer ((gpointer) keywords[i].name, data);
}
