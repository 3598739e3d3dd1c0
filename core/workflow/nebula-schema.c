/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of a workflow file. The tables below are the one place that says which keys there are, what they hold, in
 * which order they are written, and what is left out of the structural hash; data/schema/workflow-1.json says the same
 * to other programs (a test compares them).
 */
#include "nebula-schema-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const backoffs[] = { "fixed", "linear", "exponential", "fibonacci", NULL };
static const char *const durabilities[] = { "strict", "relaxed", "memory", NULL };
static const char *const effects[] = { "pure", "read", "transactional", "idempotent", "effectful", NULL };
static const char *const on_errors[] = { "fail", "finish", "continue", NULL };
static const char *const node_on_errors[] = { "fail", "finish", "continue", "collect", NULL };
static const char *const on_unknowns[] = { "fail", "retry", "ask", NULL };
static const char *const presets[] = { "database", "http-api", "file", "long-running", "critical", NULL };
static const char *const rests[] = { "ignore", "block", "cancel", NULL };

#define KEY(name_, kind_, ...)                                                                   \
  {                                                                                              \
    .name = name_, .kind = NEBULA_FIELD_##kind_, __VA_ARGS__                                     \
  }
#define REQUIRED .flags = NEBULA_FIELD_FLAGS_REQUIRED
#define COMMENT .flags = NEBULA_FIELD_FLAGS_COMMENT

static const NebulaField connection_fields[] = {
  KEY ("from", TEXT, REQUIRED),
  KEY ("to", TEXT, REQUIRED),
  KEY ("when", TEXT),
  KEY ("loop", BOOLEAN, .fallback = "false"),
  KEY ("max", INTEGER, .fallback = "10000"),
};
const NebulaSchemaShape _nebula_schema_shape_connection = {
  N_ ("a connection"), "schema", connection_fields, G_N_ELEMENTS (connection_fields)
};

static const NebulaField retry_fields[] = {
  KEY ("attempts", INTEGER, .fallback = "1"),
  KEY ("backoff", CHOICE, .choices = backoffs, .fallback = "\"exponential\""),
  KEY ("factor", NUMBER, .fallback = "2"),
  KEY ("initial", DURATION, .fallback = "\"1s\""),
  KEY ("max", DURATION, .fallback = "\"1h\""),
  KEY ("jitter", BOOLEAN, .fallback = "false"),
  KEY ("delays", TEXTS),
  KEY ("budget", DURATION),
  KEY ("codes", TEXTS),
};
const NebulaSchemaShape _nebula_schema_shape_retry = {
  N_ ("“retry”"), "bad-retry", retry_fields, G_N_ELEMENTS (retry_fields)
};

static const NebulaField join_fields[] = {
  KEY ("need", ANY, .fallback = "\"all\""),
  KEY ("rest", CHOICE, .choices = rests, .fallback = "\"ignore\""),
};
const NebulaSchemaShape _nebula_schema_shape_join = {
  N_ ("“join”"), "schema", join_fields, G_N_ELEMENTS (join_fields)
};

static const NebulaSchemaShape node_shape;

static const NebulaField body_fields[] = {
  KEY ("nodes", NODES, .shape = &node_shape),
  KEY ("connections", CONNECTIONS, .shape = &_nebula_schema_shape_connection, .fallback = "[]"),
  KEY ("result", ANY),
  KEY ("layout", ANY, COMMENT),
};
const NebulaSchemaShape _nebula_schema_shape_body = {
  N_ ("a body"), "schema", body_fields, G_N_ELEMENTS (body_fields)
};

/* Nothing is left out when a policy is written: what equals a default here may differ from what its preset says. What the
 * parts hold is checked by the library of policies itself. */
static const NebulaField policy_fields[] = {
  KEY ("preset", CHOICE, .choices = presets),
  KEY ("name", TEXT),
  KEY ("shed", INTEGER),
  KEY ("retry", OBJECT),
  KEY ("limit", OBJECT),
  KEY ("breaker", OBJECT),
  KEY ("bulkhead", OBJECT),
  KEY ("hedge", OBJECT),
  KEY ("timeout", DURATION),
  KEY ("total-timeout", DURATION),
  KEY ("fallback", ANY),
};
const NebulaSchemaShape _nebula_schema_shape_policy = {
  N_ ("“policy”"), "schema", policy_fields, G_N_ELEMENTS (policy_fields)
};

static const NebulaField undo_fields[] = {
  KEY ("action", TEXT, REQUIRED),
  KEY ("with", OBJECT, .fallback = "{}"),
  KEY ("effect", CHOICE, .choices = effects),
  KEY ("retry", SHAPE, .shape = &_nebula_schema_shape_retry, .fallback = "{}"),
  KEY ("timeout", DURATION),
  KEY ("total-timeout", DURATION),
  KEY ("on-unknown", CHOICE, .choices = on_unknowns, .fallback = "\"fail\""),
};
static const NebulaSchemaShape undo_shape = {
  N_ ("“undo”"), "schema", undo_fields, G_N_ELEMENTS (undo_fields)
};

static const NebulaField node_fields[] = {
  KEY ("action", TEXT, REQUIRED),
  KEY ("with", OBJECT, .fallback = "{}"),
  KEY ("after", TEXTS, .fallback = "[]"),
  KEY ("join", SHAPE, .shape = &_nebula_schema_shape_join, .fallback = "{}"),
  KEY ("effect", CHOICE, .choices = effects),
  KEY ("retry", SHAPE, .shape = &_nebula_schema_shape_retry, .fallback = "{}"),
  KEY ("timeout", DURATION),
  KEY ("total-timeout", DURATION),
  KEY ("policy", CHOICE_OR_SHAPE, .choices = presets, .shape = &_nebula_schema_shape_policy),
  KEY ("on-error", CHOICE, .choices = node_on_errors),
  KEY ("on-unknown", CHOICE, .choices = on_unknowns, .fallback = "\"fail\""),
  KEY ("undo", SHAPE, .shape = &undo_shape),
  KEY ("body", SHAPE, .shape = &_nebula_schema_shape_body),
  KEY ("catch", SHAPE, .shape = &_nebula_schema_shape_body),
  KEY ("finally", SHAPE, .shape = &_nebula_schema_shape_body),
  KEY ("bodies", MAP, .shape = &_nebula_schema_shape_body),
  KEY ("credentials", OBJECT),
  KEY ("priority", INTEGER),
  KEY ("lock", TEXT),
  KEY ("region", TEXT),
  KEY ("disabled", BOOLEAN, .fallback = "false"),
  KEY ("title", TEXT, COMMENT),
  KEY ("notes", TEXT, COMMENT),
};
static const NebulaSchemaShape node_shape = {
  N_ ("a node"), "schema", node_fields, G_N_ELEMENTS (node_fields)
};

static const char *const gate_strategies[] = { "queue", "reject", "cancel-running", "cancel-newest", NULL };
static const char *const whiles_waiting[] = { "release", "keep", NULL };
static const NebulaField concurrency_fields[] = {
  KEY ("limit", INTEGER),
  KEY ("key", TEXT),
  KEY ("strategy", CHOICE, .choices = gate_strategies, .fallback = "\"queue\""),
  KEY ("share", TEXT),
  KEY ("while-waiting", CHOICE, .choices = whiles_waiting, .fallback = "\"release\""),
};
static const NebulaSchemaShape concurrency_shape = {
  N_ ("“concurrency”"), "schema", concurrency_fields, G_N_ELEMENTS (concurrency_fields)
};

static const NebulaField rate_fields[] = {
  KEY ("limit", INTEGER, REQUIRED),
  KEY ("per", DURATION, REQUIRED),
  KEY ("key", TEXT),
};
static const NebulaSchemaShape rate_shape = {
  N_ ("“rate”"), "schema", rate_fields, G_N_ELEMENTS (rate_fields)
};
static const NebulaSchemaShape throttle_shape = {
  N_ ("“throttle”"), "schema", rate_fields, G_N_ELEMENTS (rate_fields)
};

static const NebulaField debounce_fields[] = {
  KEY ("wait", DURATION, REQUIRED),
  KEY ("key", TEXT),
};
static const NebulaSchemaShape debounce_shape = {
  N_ ("“debounce”"), "schema", debounce_fields, G_N_ELEMENTS (debounce_fields)
};

static const NebulaField batch_fields[] = {
  KEY ("size", INTEGER, .fallback = "100"),
  KEY ("timeout", DURATION, REQUIRED),
  KEY ("key", TEXT),
};
static const NebulaSchemaShape batch_shape = {
  N_ ("“batch”"), "schema", batch_fields, G_N_ELEMENTS (batch_fields)
};

static const NebulaField singleton_fields[] = {
  KEY ("key", TEXT),
};
static const NebulaSchemaShape singleton_shape = {
  N_ ("“singleton”"), "schema", singleton_fields, G_N_ELEMENTS (singleton_fields)
};

static const NebulaField settings_fields[] = {
  KEY ("timeout", DURATION),
  KEY ("durability", CHOICE, .choices = durabilities, .fallback = "\"strict\""),
  KEY ("on-error", CHOICE, .choices = on_errors, .fallback = "\"fail\""),
  KEY ("priority", INTEGER_OR_TEMPLATE, .fallback = "0"),
  KEY ("missing-is-null", BOOLEAN, .fallback = "false"),
  KEY ("concurrency", SHAPE, .shape = &concurrency_shape, .fallback = "{}"),
  KEY ("rate", SHAPE, .shape = &rate_shape),
  KEY ("throttle", SHAPE, .shape = &throttle_shape),
  KEY ("debounce", SHAPE, .shape = &debounce_shape),
  KEY ("batch", SHAPE, .shape = &batch_shape),
  KEY ("singleton", SHAPE, .shape = &singleton_shape),
};
static const NebulaSchemaShape settings_shape = {
  N_ ("“settings”"), "schema", settings_fields, G_N_ELEMENTS (settings_fields)
};

static const NebulaField trigger_fields[] = {
  KEY ("trigger", TEXT),
  KEY ("with", OBJECT, .fallback = "{}"),
  KEY ("input", ANY),
  KEY ("disabled", BOOLEAN, .fallback = "false"),
  KEY ("title", TEXT, COMMENT),
  KEY ("notes", TEXT, COMMENT),
};
const NebulaSchemaShape _nebula_schema_shape_trigger = {
  N_ ("a trigger"), "bad-trigger", trigger_fields, G_N_ELEMENTS (trigger_fields)
};

static const NebulaField workflow_fields[] = {
  KEY ("nebula", INTEGER),
  KEY ("name", ANY),
  KEY ("description", TEXT, COMMENT),
  KEY ("tags", TEXTS, COMMENT),
  KEY ("owner", TEXT, COMMENT),
  KEY ("input", OBJECT),
  KEY ("variables", OBJECT, .fallback = "{}"),
  KEY ("settings", SHAPE, .shape = &settings_shape, .fallback = "{}"),
  KEY ("triggers", MAP, .shape = &_nebula_schema_shape_trigger, .fallback = "{}"),
  KEY ("nodes", NODES, .shape = &node_shape),
  KEY ("connections", CONNECTIONS, .shape = &_nebula_schema_shape_connection, .fallback = "[]"),
  KEY ("output", ANY),
  KEY ("layout", ANY, COMMENT),
};
const NebulaSchemaShape _nebula_schema_shape_workflow = {
  N_ ("a workflow"), "schema", workflow_fields, G_N_ELEMENTS (workflow_fields)
};

G_STATIC_ASSERT (G_N_ELEMENTS (node_fields) <= NEBULA_SCHEMA_MAX_FIELDS);
G_STATIC_ASSERT (G_N_ELEMENTS (workflow_fields) <= NEBULA_SCHEMA_MAX_FIELDS);

const NebulaField *
_nebula_schema_shape_find (const NebulaSchemaShape *self, const char *key, gsize length)
{
  for (gsize i = 0; i < self->n_fields; i++)
    if (strcmp (self->fields[i].name, key) == 0 && strlen (key) == length)
      return &self->fields[i];
  return NULL;
}
