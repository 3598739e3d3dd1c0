/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The schemas that routes name. Requests are checked against them, and the document shows them. */

#include "api-private.h"

static const struct {
  const char *name;
  const char *schema;
} schemas[] = {
    {"Any", "{\"description\":\"Any value\"}"},
    {"Problem",
     "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"code\"],\"properties\":{"
     "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
     "\"detail\":{\"type\":\"string\"},\"instance\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"},"
     "\"retry\":{\"type\":\"string\",\"enum\":[\"retry\",\"terminal\",\"throttle\",\"cancelled\"]},"
     "\"retry_after_ms\":{\"type\":\"integer\"},\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
     "\"diagnostics\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Diagnostic\"}}}}"},
    {"Diagnostic",
     "{\"type\":\"object\",\"properties\":{\"file\":{\"type\":[\"string\",\"null\"]},\"line\":{\"type\":\"integer\"},"
     "\"column\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"},\"severity\":{\"type\":\"string\"},"
     "\"message\":{\"type\":\"string\"},\"hint\":{\"type\":[\"string\",\"null\"]}}}"},
    {"Status", "{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{\"status\":{\"type\":\"string\"}}}"},
    {"SetUp",
     "{\"type\":\"object\",\"required\":[\"secret\",\"user\",\"password\"],\"additionalProperties\":false,"
     "\"properties\":{\"secret\":{\"type\":\"string\"},\"user\":{\"type\":\"string\"},\"password\":{\"type\":\"string\"}}}"},
    {"User",
     "{\"type\":\"object\",\"required\":[\"user\"],\"properties\":{\"user\":{\"type\":\"string\"},"
     "\"role\":{\"type\":[\"string\",\"null\"]},\"disabled\":{\"type\":\"boolean\"},"
     "\"created\":{\"type\":[\"string\",\"null\"]}}}"},
    {"Users", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/User\"}}"},
    {"NewUser",
     "{\"type\":\"object\",\"required\":[\"user\",\"password\",\"role\"],\"additionalProperties\":false,"
     "\"properties\":{\"user\":{\"type\":\"string\"},\"password\":{\"type\":\"string\"},"
     "\"role\":{\"type\":\"string\",\"enum\":[\"viewer\",\"operator\",\"editor\",\"admin\"]}}}"},
    {"UserChange",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"password\":{\"type\":\"string\"},"
     "\"role\":{\"type\":\"string\",\"enum\":[\"viewer\",\"operator\",\"editor\",\"admin\"]},"
     "\"disabled\":{\"type\":\"boolean\"}}}"},
    {"Self",
     "{\"type\":\"object\",\"properties\":{\"user\":{\"type\":[\"string\",\"null\"]},\"tenant\":{\"type\":\"string\"},"
     "\"role\":{\"type\":[\"string\",\"null\"]},\"credential\":{\"type\":[\"string\",\"null\"]},"
     "\"permissions\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}"},
    {"Roles",
     "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"role\":{\"type\":\"string\"},"
     "\"permissions\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}"},
    {"Token",
     "{\"type\":\"object\",\"required\":[\"token\"],\"properties\":{\"token\":{\"type\":\"string\"},"
     "\"title\":{\"type\":[\"string\",\"null\"]},\"tenant\":{\"type\":[\"string\",\"null\"]},"
     "\"role\":{\"type\":[\"string\",\"null\"]},\"user\":{\"type\":[\"string\",\"null\"]},"
     "\"created\":{\"type\":[\"string\",\"null\"]},\"expires\":{\"type\":[\"string\",\"null\"]},"
     "\"secret\":{\"type\":\"string\",\"description\":\"Told once, when it is made\"}}}"},
    {"Tokens", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Token\"}}"},
    {"NewToken",
     "{\"type\":\"object\",\"required\":[\"title\"],\"additionalProperties\":false,\"properties\":{"
     "\"title\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200},"
     "\"role\":{\"type\":\"string\",\"enum\":[\"viewer\",\"operator\",\"editor\",\"admin\"]},"
     "\"user\":{\"type\":\"string\"},\"expires-in\":{\"type\":\"string\",\"description\":\"A duration, such as 90d\"}}}"},
    {"Definition", "{\"type\":\"object\",\"description\":\"A workflow, as workflow-1.json describes it\"}"},
    {"Workflow",
     "{\"type\":\"object\",\"required\":[\"workflow\",\"revision\"],\"properties\":{\"workflow\":{\"type\":\"string\"},"
     "\"revision\":{\"type\":\"integer\"},\"hash\":{\"type\":\"string\"},"
     "\"labels\":{\"type\":[\"array\",\"object\"]},\"definition\":{\"$ref\":\"#/components/schemas/Definition\"}}}"},
    {"WorkflowPage",
     "{\"type\":\"object\",\"required\":[\"items\",\"next\"],\"properties\":{\"items\":{\"type\":\"array\","
     "\"items\":{\"$ref\":\"#/components/schemas/Workflow\"}},\"next\":{\"type\":[\"string\",\"integer\",\"null\"]}}}"},
    {"Published",
     "{\"type\":\"object\",\"required\":[\"workflow\",\"revision\",\"hash\",\"changed\"],\"properties\":{"
     "\"workflow\":{\"type\":\"string\"},\"revision\":{\"type\":\"integer\"},\"hash\":{\"type\":\"string\"},"
     "\"changed\":{\"type\":\"boolean\"}}}"},
    {"Verdict",
     "{\"type\":\"object\",\"required\":[\"valid\",\"diagnostics\"],\"properties\":{\"valid\":{\"type\":\"boolean\"},"
     "\"diagnostics\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Diagnostic\"}}}}"},
    {"Difference",
     "{\"type\":\"object\",\"properties\":{\"same\":{\"type\":\"boolean\"},\"changes\":{\"type\":[\"array\",\"object\"]}}}"},
    {"Which",
     "{\"type\":\"object\",\"required\":[\"revision\"],\"additionalProperties\":false,\"properties\":{"
     "\"revision\":{\"type\":\"string\",\"description\":\"A number or a label\"},"
     "\"message\":{\"type\":\"string\"}}}"},
    {"Start",
     "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"workflow\"],\"properties\":{"
     "\"workflow\":{\"type\":\"string\"},\"revision\":{\"type\":\"string\"},\"input\":{\"type\":\"object\"},"
     "\"durability\":{\"type\":\"string\",\"enum\":[\"strict\",\"relaxed\",\"memory\"]},"
     "\"timeout\":{\"type\":\"string\"},\"priority\":{\"type\":\"integer\"},\"pins\":{\"type\":\"object\"},"
     "\"mocks\":{\"type\":\"object\"},\"breakpoints\":{},\"wait\":{\"type\":\"boolean\"}}}"},
    {"Execute",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
     "\"revision\":{\"type\":\"string\"},\"input\":{\"type\":\"object\"},"
     "\"durability\":{\"type\":\"string\",\"enum\":[\"strict\",\"relaxed\",\"memory\"]},"
     "\"timeout\":{\"type\":\"string\"},\"priority\":{\"type\":\"integer\"},\"pins\":{\"type\":\"object\"},"
     "\"mocks\":{\"type\":\"object\"},\"breakpoints\":{},\"wait\":{\"type\":\"boolean\"}}}"},
    {"Execution",
     "{\"type\":\"object\",\"required\":[\"execution\"],\"properties\":{\"execution\":{\"type\":\"string\"},"
     "\"workflow\":{\"type\":[\"string\",\"null\"]},\"status\":{\"type\":\"string\"},\"output\":{},\"error\":{},"
     "\"nodes\":{\"type\":\"object\"}}}"},
    {"ExecutionPage",
     "{\"type\":\"object\",\"required\":[\"items\",\"next\"],\"properties\":{\"items\":{\"type\":\"array\","
     "\"items\":{\"$ref\":\"#/components/schemas/Execution\"}},\"next\":{\"type\":[\"string\",\"null\"]}}}"},
    {"Why",
     "{\"type\":\"object\",\"required\":[\"execution\",\"status\",\"reasons\"],\"properties\":{"
     "\"execution\":{\"type\":\"string\"},\"status\":{\"type\":\"string\"},"
     "\"reasons\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}"},
    {"Nothing", "{\"type\":\"object\",\"additionalProperties\":false}"},
    {"Reason",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"reason\":{\"type\":\"string\"}}}"},
    {"Signal",
     "{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false,\"properties\":{"
     "\"name\":{\"type\":\"string\"},\"value\":{}}}"},
    {"Answer",
     "{\"type\":\"object\",\"required\":[\"token\"],\"additionalProperties\":false,\"properties\":{"
     "\"token\":{\"type\":\"string\"},\"value\":{}}}"},
    {"Decision",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"node\":{\"type\":\"string\"},"
     "\"comment\":{\"type\":\"string\"}}}"},
    {"Rerun",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"options\":{\"type\":\"object\","
     "\"additionalProperties\":false,\"properties\":{\"from\":{\"type\":\"string\"},\"failed\":{\"type\":\"boolean\"},"
     "\"revision\":{\"type\":[\"string\",\"integer\"]},\"input\":{\"type\":\"object\"},\"pins\":{\"type\":\"object\"},"
     "\"mocks\":{\"type\":\"object\"},\"breakpoints\":{}}},\"wait\":{\"type\":\"boolean\"}}}"},
    {"Action",
     "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"string\"},"
     "\"version\":{\"type\":\"string\"},\"title\":{\"type\":[\"string\",\"null\"]},"
     "\"description\":{\"type\":[\"string\",\"null\"]},\"category\":{\"type\":[\"string\",\"null\"]}}}"},
    {"Actions", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Action\"}}"},
    {"Module",
     "{\"type\":\"object\",\"required\":[\"id\",\"status\"],\"properties\":{\"id\":{\"type\":\"string\"},"
     "\"version\":{\"type\":[\"string\",\"null\"]},\"status\":{\"type\":\"string\"},"
     "\"reason\":{\"type\":[\"string\",\"null\"]}}}"},
    {"Modules", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Module\"}}"},
    {"Queue",
     "{\"type\":\"object\",\"required\":[\"key\"],\"properties\":{\"key\":{\"type\":\"string\"},"
     "\"kind\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\"},\"inside\":{\"type\":\"integer\"},"
     "\"waiting\":{\"type\":\"integer\"}}}"},
    {"Queues", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Queue\"}}"},
};

NebulaValue *
api_schemas_get (void)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++) {
    NebulaValue *schema =
        nebula_value_parse_json (schemas[i].schema, -1, NEBULA_JSON_FLAGS_UNIQUE_KEYS, NULL);

    g_assert (schema != NULL);
    nebula_value_builder_set_take (builder, schemas[i].name, schema);
  }
  return nebula_value_builder_end (builder);
}

NebulaJsonSchema *
api_schemas_compile (NebulaValue *all, const char *name, GError **error)
{
  g_autoptr (NebulaValueBuilder) document = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) components = nebula_value_builder_new_object ();
  g_autofree char *reference = g_strconcat ("#/components/schemas/", name, NULL);
  g_autoptr (NebulaValue) whole = NULL;

  nebula_value_builder_set (components, "schemas", all);
  nebula_value_builder_set_string (document, "$ref", reference);
  nebula_value_builder_set_take (document, "components",
                                 nebula_value_builder_end (components));
  whole = nebula_value_builder_end (document);
  return nebula_json_schema_new (whole, NEBULA_JSON_SCHEMA_DRAFT_2020_12,
                                 NEBULA_JSON_SCHEMA_FLAGS_NONE, NULL, error);
}
