/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading, mistakes and their places, writing, pictures. */
#include "nebula-test.h"

#include <glib/gstdio.h>

#include <algorithm>
#include <vector>

#include "nebula-limits.h"
#include "nebula-plan-internal.h"
#include "test-resolver.h"

namespace
{

using nebula::Error;
using nebula::Ref;
using nebula::Value;
using Plan = nebula::Owned<NebulaPlan, nebula_plan_unref>;

struct Diagnostics {
  GPtrArray *array = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  Diagnostics () = default;
  Diagnostics (const Diagnostics &) = delete;
  ~Diagnostics () { g_ptr_array_unref (array); }
  guint size () const { return array->len; }
  NebulaDiagnostic *at (guint i) const { return (NebulaDiagnostic *) g_ptr_array_index (array, i); }
  NebulaDiagnostic *
  find (const char *code) const
  {
    for (guint i = 0; i < array->len; i++)
      if (g_str_equal (nebula_diagnostic_get_code (at (i)), code))
        return at (i);
    return nullptr;
  }
  std::vector<std::string>
  codes () const
  {
    std::vector<std::string> list;
    for (guint i = 0; i < array->len; i++)
      list.push_back (nebula_diagnostic_get_code (at (i)));
    std::sort (list.begin (), list.end ());
    return list;
  }
  std::string
  text () const
  {
    std::string whole;
    for (guint i = 0; i < array->len; i++) {
      char *line = nebula_diagnostic_to_string (at (i));
      whole += std::string (line) + "\n";
      g_free (line);
    }
    return whole;
  }
};

Ref<TestResolver>
make_resolver ()
{
  return Ref<TestResolver> ((TestResolver *) g_object_new (TEST_TYPE_RESOLVER, nullptr));
}

GBytes *
bytes_of (const std::string &text)
{
  return g_bytes_new (text.data (), text.size ());
}

Ref<NebulaWorkflow>
read (const std::string &text, Diagnostics &diagnostics, Error &error)
{
  GBytes *bytes = bytes_of (text);
  NebulaWorkflow *workflow = nebula_workflow_read_bytes (bytes, "test.yaml", diagnostics.array, error.out ());
  g_bytes_unref (bytes);
  return Ref<NebulaWorkflow> (workflow);
}

Ref<NebulaWorkflow>
read_good (const std::string &text)
{
  Diagnostics diagnostics;
  Error error;
  Ref<NebulaWorkflow> workflow = read (text, diagnostics, error);
  EXPECT_TRUE (workflow) << text << diagnostics.text ();
  return workflow;
}

bool
validate (const std::string &text, Diagnostics &diagnostics)
{
  Ref<TestResolver> resolver = make_resolver ();
  GBytes *bytes = bytes_of (text);
  Error error;
  bool valid = nebula_workflow_validate_bytes (
      bytes, "test.yaml", NEBULA_ACTION_RESOLVER (resolver.get ()), diagnostics.array, error.out ());
  g_bytes_unref (bytes);
  if (!valid)
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_WORKFLOW));
  else
    EXPECT_FALSE (error);
  return valid;
}

const char *const good = R"(nebula: 1
name: order-intake
description: Prices new orders and files them
tags: [orders]
owner: sales
input: { type: object, properties: { customer: { type: string, default: acme } }, required: [customer] }
variables: { currency: EUR }
settings: { timeout: 1h, durability: strict, on-error: fail, concurrency: { limit: 10, key: "{{ $input.customer }}" } }
triggers:
  nightly: { trigger: time.cron, with: { schedule: "0 3 * * *", timezone: Europe/Rome } }
  other: { trigger: some.module, with: { x: 1 } }
nodes:
  fetch:
    action: http.request
    with: { url: "https://example.com/orders?c={{ $input.customer }}" }
    retry: { attempts: 3, backoff: exponential, initial: 1s, max: 30s, jitter: true }
    timeout: 30s
  each:
    action: flow.for-each@1.0
    with: { items: "{{ $nodes.fetch.result.body.orders }}", concurrency: 8 }
    body:
      nodes:
        price: { action: data.set, with: { total: "{{ $item.qty * $item.unit }}" } }
      result: "{{ $nodes.price.result }}"
  big: { action: flow.if, with: { condition: "{{ ($nodes.each.result | sum(x => x.total)) > 1000 }}" } }
  alert: { action: data.set, with: { to: ops@example.com, subject: Big order } }
  store: { action: data.set, with: { rows: "{{ $nodes.each.result }}" } }
connections:
  - fetch -> each
  - each -> big
  - big.true -> alert
  - big.false -> store
  - { from: fetch.error, to: store, when: "$json.retry == 'terminal'" }
output: { count: "{{ length($nodes.each.result ?? []) }}" }
layout: { fetch: [0, 0] }
)";

TEST (Workflow, ReadsTheWholeFormat)
{
  Diagnostics diagnostics;
  EXPECT_TRUE (validate (good, diagnostics)) << diagnostics.text ();
  EXPECT_EQ (diagnostics.size (), 0u) << diagnostics.text ();

  Ref<NebulaWorkflow> workflow = read_good (good);
  EXPECT_STREQ (nebula_workflow_get_name (workflow.get ()), "order-intake");
  EXPECT_STREQ (nebula_workflow_get_description (workflow.get ()), "Prices new orders and files them");
  EXPECT_STREQ (nebula_workflow_get_file (workflow.get ()), "test.yaml");
  char *name = nullptr, *description = nullptr, *file = nullptr;
  NebulaValue *definition = nullptr;
  g_object_get (workflow.get (), "name", &name, "description", &description, "file", &file, "definition", &definition, nullptr);
  EXPECT_STREQ (name, "order-intake");
  EXPECT_STREQ (description, "Prices new orders and files them");
  EXPECT_STREQ (file, "test.yaml");
  EXPECT_TRUE (nebula_value_equal (definition, nebula_workflow_get_definition (workflow.get ())));
  nebula_value_unref (definition);
  g_free (name);
  g_free (description);
  g_free (file);
}

struct Case {
  const char *name;
  const char *text;
  std::vector<std::string> codes; /* all diagnostics, sorted */
  guint line;                     /* of the first of codes[0]; 0: not checked */
  guint column;
  const char *hint; /* part of the hint of codes[0]; NULL: not checked */
};

void
PrintTo (const Case &c, std::ostream *out)
{
  *out << c.name;
}

#define HEAD "name: x\nnodes:\n"
#define NODE_A "  a: { action: data.set }\n"
#define NODE_B "  b: { action: data.set }\n"
#define NODE_C "  c: { action: data.set }\n"
#define IN_A "name: x\nnodes:\n  a:\n    action: data.set\n"

const Case cases[] = {
  { "no_name", "nodes:\n" NODE_A, { "empty-name" }, 1, 1, "name:" },
  { "empty_name", "name: ''\nnodes:\n" NODE_A, { "empty-name" }, 1, 7, nullptr },
  { "name_of_wrong_kind", "name: [x]\nnodes:\n" NODE_A, { "schema" }, 1, 7, nullptr },
  { "no_nodes", "name: x\nnodes: {}\n", { "no-nodes" }, 2, 8, nullptr },
  { "nodes_missing", "name: x\n", { "no-nodes" }, 1, 1, nullptr },
  { "nodes_of_wrong_kind", "name: x\nnodes: [a]\n", { "schema" }, 2, 8, nullptr },
  { "no_nodes_in_body", HEAD "  a: { action: flow.repeat, with: { times: 1 }, body: { nodes: {} } }\n", { "no-nodes" }, 3, 64, nullptr },
  { "newer_format", "nebula: 2\nname: x\nnodes:\n" NODE_A, { "schema" }, 1, 9, "version 1" },
  { "duplicate_id", HEAD NODE_A NODE_A, { "duplicate-id" }, 4, 3, nullptr },
  { "duplicate_key", "name: x\nname: y\nnodes:\n" NODE_A, { "duplicate-key" }, 2, 1, nullptr },
  { "syntax", "name: x\nnodes: [\n", { "yaml-syntax" }, 0, 0, nullptr },
  { "not_an_object", "- a\n", { "schema" }, 1, 1, nullptr },
  { "unknown_key", "name: x\nnodez: {}\nnodes:\n" NODE_A, { "schema" }, 2, 1, "“nodes”" },
  { "unknown_node_key", HEAD "  a:\n    action: data.set\n    retyr: {}\n", { "schema" }, 5, 5, "“retry”" },
  { "unknown_retry_key", IN_A "    retry: { atempts: 2 }\n", { "schema" }, 5, 14, "“attempts”" },
  { "bad_id", HEAD "  1a: { action: data.set }\n", { "schema" }, 3, 3, "letter" },
  { "no_action", HEAD "  a: { with: {} }\n", { "schema" }, 3, 3, nullptr },
  { "unknown_action", HEAD "  a: { action: data.sett }\n", { "unknown-action" }, 3, 16, nullptr },
  { "unknown_version", HEAD "  a: { action: data.set@9.9 }\n", { "unknown-action" }, 3, 16, nullptr },
  { "malformed_version", HEAD "  a: { action: data.set@1 }\n", { "unknown-action" }, 3, 16, nullptr },
  { "unknown_from", HEAD "  alpha: { action: data.set }\n" NODE_B "connections:\n  - alhpa -> b\n", { "unknown-node" }, 6, 5, "“alpha”" },
  { "unknown_to", HEAD NODE_A "connections: [a -> zebra]\n", { "unknown-node" }, 4, 15, nullptr },
  { "unknown_after", HEAD "  a: { action: data.set, after: [zebra] }\n", { "unknown-node" }, 3, 34, nullptr },
  { "malformed_after", HEAD "  a: { action: data.set, after: ['1 2'] }\n", { "schema" }, 3, 34, nullptr },
  { "malformed_connection", HEAD NODE_A "connections: [a to b]\n", { "schema" }, 4, 15, "->" },
  { "connection_without_to", HEAD NODE_A "connections: [{ from: a }]\n", { "schema" }, 4, 15, nullptr },
  { "unknown_port", HEAD NODE_A NODE_B "connections: [a.tru -> b]\n", { "unknown-port" }, 5, 15, "error" },
  { "unknown_port_near", HEAD "  a: { action: flow.if, with: { condition: true } }\n" NODE_B "connections: [a.tru -> b]\n", { "unknown-port" }, 5, 15, "“true”" },
  { "unknown_switch_port", HEAD "  a: { action: flow.switch, with: { value: 1, cases: { one: 1 } } }\n" NODE_B "connections: [a.one -> b, a.two -> b, a.default -> b]\n", { "unknown-port" }, 5, 27, "default" },
  { "unknown_parameter", HEAD "  a: { action: http.request, with: { url: x, methd: GET } }\n", { "unknown-parameter" }, 3, 46, "“method”" },
  { "missing_parameter", HEAD "  a: { action: http.request }\n", { "missing-parameter" }, 3, 3, nullptr },
  { "missing_body", HEAD "  a: { action: flow.repeat, with: { times: 3 } }\n", { "missing-parameter" }, 3, 3, "body" },
  { "body_for_none", HEAD "  a: { action: data.set, body: { nodes: { b: { action: data.set } } } }\n", { "unknown-parameter" }, 3, 26, nullptr },
  { "wrong_kind", HEAD "  a: { action: flow.repeat, with: { times: many }, body: { nodes: { b: { action: data.set } } } }\n", { "type-mismatch" }, 3, 44, nullptr },
  { "wrong_constant", HEAD "  a: { action: flow.repeat, with: { times: \"{{ 'x' + 'y' }}\" }, body: { nodes: { b: { action: data.set } } } }\n", { "type-mismatch" }, 3, 44, nullptr },
  { "folded_template_refused", HEAD "  a: { action: http.request, with: { url: x, retries: '{{ 1 }}' } }\n", { "type-mismatch" }, 3, 55, nullptr },
  { "template_refused", HEAD "  a: { action: http.request, with: { url: x, retries: '{{ $input.n }}' } }\n", { "type-mismatch" }, 3, 55, nullptr },
  { "expression_of_wrong_kind", HEAD "  a: { action: data.filter, with: { items: [], where: [1] } }\n", { "type-mismatch" }, 3, 55, nullptr },
  { "expressions_of_wrong_kind", HEAD "  a: { action: data.aggregate, with: { items: [], compute: x } }\n", { "type-mismatch" }, 3, 60, nullptr },
  { "self_loop", HEAD NODE_A "connections: [a -> a]\n", { "self-loop" }, 4, 15, nullptr },
  { "two_cycle", HEAD NODE_A NODE_B NODE_C "connections: [c -> a, a -> b, b -> a]\n", { "cycle" }, 6, 31, nullptr },
  { "no_entry", HEAD NODE_A NODE_B "connections: [a -> b, b -> a]\n", { "cycle", "no-entry" }, 5, 23, nullptr },
  { "unreachable", HEAD NODE_A NODE_B NODE_C "connections: [b -> c, c -> b]\n", { "cycle", "unreachable", "unreachable" }, 6, 23, nullptr },
  { "bad_template", HEAD "  a: { action: data.set, with: { x: { y: ['{{ 1 + }}'] } } }\n", { "bad-expression" }, 3, 51, nullptr },
  { "bad_late_expression", HEAD "  a: { action: data.filter, with: { items: [], where: '1 +' } }\n", { "bad-expression" }, 3, 59, nullptr },
  { "bad_when", HEAD NODE_A NODE_B "connections: [{ from: a, to: b, when: '(' }]\n", { "bad-expression" }, 5, 41, nullptr },
  { "bad_output", HEAD NODE_A "output: '{{ ) }}'\n", { "bad-expression" }, 4, 13, nullptr },
  { "unknown_name", HEAD "  a: { action: data.set, with: { x: '{{ $imput.n }}' } }\n", { "bad-expression" }, 3, 41, "“input”" },
  { "item_without_loop", HEAD "  a: { action: data.set, with: { x: '{{ $item }}' } }\n", { "bad-expression" }, 3, 41, "$json" },
  { "unknown_in_expression", HEAD "  alpha: { action: data.set }\n  b: { action: data.set, after: [alpha], with: { x: '{{ $nodes.alhpa.result }}' } }\n", { "unknown-node" }, 4, 64, "“alpha”" },
  { "unknown_in_output", HEAD NODE_A "output: '{{ $nodes.zebra.result }}'\n", { "unknown-node" }, 4, 20, nullptr },
  { "unknown_in_escapes", HEAD NODE_A "output: \"\\u00e9 {{ $nodes[\\\"zebra\\\"].result }}\"\n", { "unknown-node" }, 4, 27, nullptr },
  { "unknown_in_doubled_quotes", HEAD NODE_A "output: 'it''s {{ $nothing }}'\n", { "bad-expression" }, 4, 19, nullptr },
  { "second_unknown_in_a_block", HEAD NODE_A "output: |\n  {{ $now }}\n  and é {{ 1 + $nodes.zebra.result }}\n", { "unknown-node" }, 6, 23, nullptr },
  { "unknown_in_a_condition", HEAD NODE_A NODE_B "connections: [{ from: a, to: b, when: $nodes.zebra.success }]\n", { "unknown-node" }, 5, 46, nullptr },
  { "unknown_in_a_late_expression", HEAD "  a: { action: data.filter, with: { items: [], where: '$item > $vrs.x' } }\n", { "bad-expression" }, 3, 64, "“vars”" },
  { "unknown_field", HEAD NODE_A "output: '{{ $nodes.a.reslt }}'\n", { "bad-expression" }, 4, 22, "A node has result" },
  { "wrong_operands", HEAD NODE_A "output: '{{ $now + 1 }}'\n", { "type-mismatch" }, 4, 18, nullptr },
  { "wrong_argument", HEAD NODE_A "output: { x: \"{{ upper($now) }}\" }\n", { "type-mismatch" }, 4, 24, nullptr },
  { "wrong_in_a_block", HEAD NODE_A "output: |\n  one\n    {{ $now + 1 }}\n", { "type-mismatch" }, 6, 13, nullptr },
  { "wrong_result", HEAD "  a: { action: data.limit, with: { items: [], count: '{{ string($now) }}' } }\n", { "type-mismatch" }, 3, 55, nullptr },
  { "no_condition", HEAD NODE_A NODE_B "connections: [{ from: a, to: b, when: '$now' }]\n", { "type-mismatch" }, 5, 40, "Compare" },
  { "no_such_member", HEAD "  a: { action: data.set, with: { total: '{{ 1 + $now.x }}' } }\noutput: '{{ $nodes.a.result.totl }}'\n", { "bad-expression", "type-mismatch" }, 0, 0, nullptr },
  { "wrong_arity", HEAD NODE_A "output: '{{ upper() }}'\n", { "bad-expression" }, 4, 13, "upper(text)" },
  { "not_upstream", HEAD NODE_A "  b: { action: data.set, with: { x: '{{ $nodes.a.result }}' } }\n", { "not-upstream" }, 4, 48, "connection" },
  { "downstream", HEAD "  a: { action: data.set, with: { x: '{{ $nodes.b.result }}' } }\n" NODE_B "connections: [a -> b]\n", { "not-upstream" }, 3, 48, nullptr },
  { "own_result", HEAD "  a: { action: data.set, with: { x: '{{ $nodes.a.result }}' } }\n", { "not-upstream" }, 3, 48, "$json" },
  { "own_loop", HEAD "  a: { action: flow.repeat, with: { times: 1 }, body: { nodes: { b: { action: data.set, with: { x: '{{ $nodes.a.result }}' } } } } }\n", { "not-upstream" }, 3, 111, "$last" },
  { "inside_a_body", HEAD "  a: { action: flow.repeat, with: { times: 1 }, body: { nodes: { b: { action: data.set } } } }\n  c: { action: data.set, after: [a], with: { x: '{{ $nodes.b.result }}' } }\n", { "unknown-node" }, 4, 60, "$nodes[\"a\"]" },
  { "out_of_a_body", HEAD NODE_C "  a: { action: flow.repeat, with: { times: 1 }, body: { nodes: { b: { action: data.set } }, connections: [c -> b] } }\n", { "unknown-node" }, 0, 0, "within one body" },
  { "outer_not_upstream", HEAD NODE_C "  a: { action: flow.repeat, with: { times: 1 }, body: { nodes: { b: { action: data.set, with: { x: '{{ $nodes.c.result }}' } } } } }\n", { "not-upstream" }, 4, 111, "“c” to “a”" },
  { "unknown_loop", HEAD "  a: { action: flow.repeat, with: { times: 1 }, body: { nodes: { b: { action: data.set, with: { x: '{{ $loop.z.item }}' } } } } }\n", { "unknown-node" }, 3, 110, "$loop" },
  { "node_in_concurrency", HEAD NODE_A "settings: { concurrency: { limit: 1, key: '{{ $nodes.a.result }}' } }\n", { "not-upstream" }, 4, 54, nullptr },
  { "retry_zero", IN_A "    retry: { attempts: 0 }\n", { "bad-retry" }, 5, 24, nullptr },
  { "retry_endless", IN_A "    retry: { attempts: 99999999 }\n", { "bad-retry" }, 5, 24, nullptr },
  { "retry_text", IN_A "    retry: { attempts: many }\n", { "bad-retry" }, 5, 24, nullptr },
  { "retry_number", IN_A "    retry: 3\n", { "schema" }, 5, 12, nullptr },
  { "retry_backoff", IN_A "    retry: { backoff: sometimes }\n", { "bad-retry" }, 5, 23, "fibonacci" },
  { "retry_factor", IN_A "    retry: { factor: 0.5 }\n", { "bad-retry" }, 5, 22, nullptr },
  { "retry_max_below_initial", IN_A "    retry: { initial: 10s, max: 1s }\n", { "bad-retry" }, 5, 33, nullptr },
  { "retry_without_delay", IN_A "    retry: { attempts: 1000, initial: 0s }\n", { "bad-retry" }, 5, 39, nullptr },
  { "retry_duration", IN_A "    retry: { initial: 5 }\n", { "bad-duration" }, 5, 23, nullptr },
  { "retry_no_delays", IN_A "    retry: { delays: [] }\n", { "bad-retry" }, 5, 22, nullptr },
  { "retry_bad_delay", IN_A "    retry: { delays: [1s, soon] }\n", { "bad-retry" }, 5, 22, nullptr },
  { "retry_bad_code", IN_A "    retry: { codes: [no-such-code] }\n", { "bad-retry" }, 5, 21, nullptr },
  { "retry_bad_budget", IN_A "    retry: { budget: long }\n", { "bad-duration" }, 5, 22, nullptr },
  { "duration_number", IN_A "    timeout: 5\n", { "bad-duration" }, 5, 14, "30s" },
  { "duration_text", IN_A "    timeout: soon\n", { "bad-duration" }, 5, 14, nullptr },
  { "duration_negative", IN_A "    total-timeout: -5s\n", { "bad-duration" }, 5, 20, nullptr },
  { "duration_of_settings", HEAD NODE_A "settings: { timeout: 1 fortnight }\n", { "bad-duration" }, 4, 22, nullptr },
  { "duration_parameter", HEAD "  a: { action: flow.wait, with: { duration: 5 } }\n", { "bad-duration" }, 3, 45, nullptr },
  { "trigger_without_kind", HEAD NODE_A "triggers: { t: { with: {} } }\n", { "bad-trigger" }, 4, 16, nullptr },
  { "trigger_of_wrong_kind", HEAD NODE_A "triggers: { t: 5 }\n", { "bad-trigger" }, 4, 16, nullptr },
  { "trigger_without_schedule", HEAD NODE_A "triggers: { t: { trigger: time.cron } }\n", { "bad-trigger" }, 0, 0, "five fields" },
  { "trigger_with_minute_61", HEAD NODE_A "triggers: { t: { trigger: time.cron, with: { schedule: \"61 * * * *\" } } }\n", { "bad-trigger" }, 4, 56, nullptr },
  { "trigger_that_never_comes", HEAD NODE_A "triggers: { t: { trigger: time.cron, with: { schedule: \"0-59/0 * * * *\" } } }\n", { "bad-trigger" }, 4, 56, nullptr },
  { "trigger_in_a_zone_of_nowhere", HEAD NODE_A "triggers: { t: { trigger: time.cron, with: { schedule: \"0 3 * * *\", timezone: ../../etc/passwd } } }\n", { "bad-trigger" }, 4, 79, "Europe/Rome" },
  { "trigger_every_never", HEAD NODE_A "triggers: { t: { trigger: time.interval, with: {} } }\n", { "bad-trigger" }, 0, 0, "5m" },
  { "trigger_every_nanosecond", HEAD NODE_A "triggers: { t: { trigger: time.interval, with: { every: 1ms } } }\n", { "bad-trigger" }, 4, 57, "1s" },
  { "trigger_every_soon", HEAD NODE_A "triggers: { t: { trigger: time.interval, with: { every: soon } } }\n", { "bad-trigger" }, 4, 57, "1s" },
  { "trigger_with_bad_schedule", HEAD NODE_A "triggers: { t: { trigger: time.cron, with: { schedule: often } } }\n", { "bad-trigger" }, 4, 56, nullptr },
  { "duplicate_connection", HEAD NODE_A NODE_B "connections: [a -> b, a->b]\n", { "duplicate-connection" }, 5, 23, nullptr },
  { "duplicate_after", HEAD NODE_A "  b: { action: data.set, after: [a] }\nconnections: [a -> b]\n", { "duplicate-connection" }, 4, 34, nullptr },
  { "join_of_nothing", IN_A "    join: { need: some }\n", { "schema" }, 5, 19, "any" },
  { "join_of_too_many", HEAD NODE_A "  b: { action: data.set, after: [a], join: { need: 2 } }\n", { "schema" }, 4, 44, nullptr },
  { "choice", IN_A "    effect: none\n", { "schema" }, 5, 13, "idempotent" },
  { "collect_elsewhere", IN_A "    on-error: collect\n", { "schema" }, 5, 15, nullptr },
  { "break_outside", HEAD "  a: { action: flow.break }\n", { "schema" }, 3, 16, "loop" },
  { "limit_zero", HEAD NODE_A "settings: { concurrency: { limit: 0 } }\n", { "schema" }, 4, 35, nullptr },
  { "while_waiting", HEAD NODE_A "settings: { concurrency: { limit: 1, while-waiting: sleep } }\n", { "schema" }, 4, 53, "release, keep" },
  { "priority_word", HEAD NODE_A "settings: { priority: high }\n", { "schema" }, 4, 23, nullptr },
  { "priority_text", HEAD NODE_A "settings: { priority: \"{{ 'a' + 'b' }}\" }\n", { "type-mismatch" }, 0, 0, nullptr },
  { "priority_of_node", HEAD NODE_A "settings: { priority: '{{ $nodes.a.attempts }}' }\n", { "not-upstream" }, 0, 0, "$input" },
  { "priority_syntax", HEAD NODE_A "settings: { priority: '{{ 1 + }}' }\n", { "bad-expression" }, 0, 0, nullptr },
  { "batch_without_timeout", HEAD NODE_A "settings: { batch: { size: 5 } }\n", { "schema" }, 0, 0, nullptr },
  { "batch_size", HEAD NODE_A "settings: { batch: { size: 0, timeout: 1s } }\n", { "schema" }, 4, 28, nullptr },
  { "batch_of_singletons", HEAD NODE_A "settings: { batch: { timeout: 1s }, singleton: {} }\n", { "schema" }, 4, 37, "concurrency" },
  { "batch_of_the_last", HEAD NODE_A "settings: { batch: { timeout: 1s }, debounce: { wait: 1s } }\n", { "schema" }, 4, 37, "concurrency" },
  { "batch_is_a_list", HEAD NODE_A "input: { type: object }\nsettings: { batch: { timeout: 1s, key: '{{ upper($input.a) }}' } }\noutput: '{{ $input.a }}'\n", { "type-mismatch" }, 6, 20, nullptr },
  { "input_keyword", HEAD NODE_A "input: { typ: object }\n", { "schema" }, 4, 10, "“type”" },
  { "input_keyword_value", HEAD NODE_A "input: { properties: { n: { type: int } } }\n", { "schema" }, 4, 35, nullptr },
  { "input_pattern", HEAD NODE_A "input: { properties: { n: { pattern: '(' } } }\n", { "schema" }, 4, 38, nullptr },
  { "break_in_finally", HEAD "  a: { action: flow.try, body: { nodes: { b: { action: data.set } } },\n       finally: { nodes: { c: { action: flow.break } } } }\n", { "schema" }, 4, 41, "loop" },
  { "break_in_try", HEAD "  a: { action: flow.try, body: { nodes: { b: { action: flow.break } } } }\n", { "schema" }, 3, 56, "loop" },
  { "try_without_body", HEAD "  a: { action: flow.try, catch: { nodes: { b: { action: data.set } } } }\n", { "missing-parameter" }, 3, 3, "body" },
  { "race_without_bodies", HEAD "  a: { action: flow.race }\n", { "missing-parameter" }, 3, 3, "bodies" },
  { "bodies_elsewhere", IN_A "    bodies: { x: { nodes: { b: { action: data.set } } } }\n", { "unknown-parameter" }, 5, 5, "flow.race" },
  { "catch_elsewhere", IN_A "    catch: { nodes: { b: { action: data.set } } }\n", { "unknown-parameter" }, 5, 5, "flow.try" },
  { "error_elsewhere", HEAD "  a: { action: data.set, with: { x: \"{{ $error }}\" } }\n", { "bad-expression" }, 3, 41, "port" },
  { "loop_that_is_open", HEAD NODE_A NODE_B "connections: [{ from: a, to: b, loop: true }]\n", { "schema" }, 5, 15, "lead back" },
  { "loop_limit_zero", HEAD NODE_A "connections: [{ from: a, to: a, loop: true, max: 0 }]\n", { "schema" }, 4, 50, "turn" },
  { "limit_without_loop", HEAD NODE_A NODE_B "connections: [{ from: a, to: b, max: 5 }]\n", { "schema" }, 5, 33, "loop: true" },
  { "undo_by_control_flow", IN_A "    undo: { action: flow.stop }\n", { "schema" }, 5, 21, "control flow" },
  { "undo_parameter", HEAD "  a:\n    action: data.set\n    undo: { action: flow.if, with: { condition: \"{{ $nodes.b.result }}\" } }\n", { "unknown-node" }, 5, 60, nullptr },
  { "lock_of_nothing", IN_A "    lock: \"{{ $nodes.b.result }}\"\n", { "unknown-node" }, 5, 22, nullptr },
  { "cancel_nobody", HEAD "  a: { action: flow.cancel, with: { node: b } }\n", { "unknown-node" }, 3, 35, nullptr },
  { "cancel_no_region", HEAD "  a: { action: flow.cancel, with: { region: b } }\n", { "unknown-node" }, 3, 35, "region" },
  { "add_outside", HEAD "  a: { action: flow.repeat, with: { times: 1 }, body: { nodes: { b: { action: flow.add, with: { items: [1] } } } } }\n", { "schema" }, 3, 79, "for-each" },
  { "credentials", IN_A "    credentials: { c: d }\n", { "unsupported" }, 5, 5, nullptr },
  { "policy_unknown", IN_A "    policy: databse\n", { "schema" }, 5, 13, "http-api" },
  { "policy_kind", IN_A "    policy: 5\n", { "schema" }, 5, 13, nullptr },
  { "policy_key", IN_A "    policy: { braker: {} }\n", { "schema" }, 5, 15, "breaker" },
  { "policy_option", IN_A "    policy:\n      breaker: { failures: 3, opn: 1s }\n", { "schema" }, 6, 36, "file format" },
  { "policy_value", IN_A "    policy:\n      preset: file\n      bulkhead: { permits: 0 }\n", { "schema" }, 7, 28, "file format" },
  { "policy_retry_budget", IN_A "    policy: { retry: { budget: never } }\n", { "schema" }, 5, 32, "file format" },
  { "policy_retry_endless", IN_A "    policy: { retry: { attempts: 101, initial: 0s } }\n", { "schema" }, 5, 22, "initial" },
  { "policy_timeout", IN_A "    policy: { timeout: 30 }\n", { "bad-duration" }, 5, 24, "30s" },
  { "policy_hedge_of_effects", IN_A "    effect: effectful\n    policy: { hedge: {} }\n", { "schema" }, 6, 5, "idempotent" },
  { "policy_of_a_loop", HEAD "  a:\n    action: flow.repeat\n    policy: file\n    with: { times: 1 }\n    body: { nodes: { b: { action: data.set } } }\n", { "schema" }, 5, 5, "body" },
};

class Mistake : public testing::TestWithParam<Case>
{
};

TEST_P (Mistake, IsFoundWithPlaceAndHint)
{
  const Case &c = GetParam ();
  Diagnostics diagnostics;

  EXPECT_FALSE (validate (c.text, diagnostics));
  EXPECT_EQ (diagnostics.codes (), c.codes) << diagnostics.text ();
  NebulaDiagnostic *first = diagnostics.find (c.codes[0].c_str ());
  ASSERT_NE (first, nullptr);
  EXPECT_EQ (nebula_diagnostic_get_severity (first), NEBULA_SEVERITY_ERROR);
  EXPECT_STREQ (nebula_diagnostic_get_file (first), "test.yaml");
  if (c.line > 0) {
    EXPECT_EQ (nebula_diagnostic_get_line (first), c.line) << diagnostics.text ();
    EXPECT_EQ (nebula_diagnostic_get_column (first), c.column) << diagnostics.text ();
  }
  if (c.hint) {
    ASSERT_NE (nebula_diagnostic_get_hint (first), nullptr) << diagnostics.text ();
    EXPECT_THAT (nebula_diagnostic_get_hint (first), testing::HasSubstr (c.hint));
  }
}

INSTANTIATE_TEST_SUITE_P (All, Mistake, testing::ValuesIn (cases), [] (const auto &info) {
  return std::string (info.param.name);
});

const char *const accepted[] = {
  HEAD "  a: { action: data.set, with: { v: '{{ 2 * 3 }}' } }\n  b: { action: data.set, with: { w: '{{ $nodes.a.result.v * 7 }}' }, after: [a] }\n",
  HEAD NODE_A,
  /* A pipe from b.error, an outer node named inside a body, a reference to a node two steps above. */
  HEAD NODE_A NODE_B "  c: { action: data.set, after: [b.error], with: { x: '{{ $nodes.a.result }}' } }\nconnections: [a -> b]\n",
  HEAD NODE_A "  l: { action: flow.repeat, after: [a], with: { times: 2 }, body: { nodes: { b: { action: data.set, with: { x: '{{ [$nodes.a.result, $index, $last, $loop.l.index] }}' } } } } }\n",
  HEAD "  w: { action: flow.while, with: { condition: '{{ $index < 3 }}' }, body: { nodes: { b: { action: data.set } } } }\n",
  HEAD "  a: { action: data.filter, with: { items: [1, 2], where: '$item > 1' } }\n",
  HEAD "  a: { action: data.filter, with: { items: [1, 2], where: true } }\n",
  HEAD "  a: { action: flow.repeat, with: { times: '{{ 1 + 2 }}' }, body: { nodes: { b: { action: data.set } } } }\n",
  HEAD "  a: { action: data.aggregate, with: { items: [], by: $item.k, compute: { n: 'length($items)', k: $key } } }\n",
  HEAD "  a: { action: flow.switch, with: { value: 1, cases: { 'much more': 1 } } }\n" NODE_B "connections: ['a.much more -> b']\n",
  HEAD NODE_A NODE_B "connections: [{ from: a, to: b, when: $json.ok }, { from: a, to: b, when: '{{ !$json.ok }}' }, { from: a, to: b, when: '$nodes.a.result?.x == 1' }]\n",
  HEAD NODE_A "  b: { action: data.set, after: [a], join: { need: '{{ length($nodes.a.result ?? []) }}', rest: cancel } }\n",
  HEAD NODE_A "triggers: { t: { trigger: time.cron, with: { schedule: '@daily' } } }\n",
  HEAD "  a: { action: data.set, with: { x: '{{ $nodes[\"a\" + \"b\"] }}' } }\n",
  HEAD "  a: { action: data.set, on-error: finish, on-unknown: ask, priority: -3, disabled: true, title: T, notes: N, effect: read }\n",
};

TEST (Workflow, AcceptsWhatIsRight)
{
  for (const char *text : accepted) {
    Diagnostics diagnostics;
    EXPECT_TRUE (validate (text, diagnostics)) << text << diagnostics.text ();
    EXPECT_EQ (diagnostics.size (), 0u) << text << diagnostics.text ();
  }
}

TEST (Workflow, ExamplesCompile)
{
  const char *tests = g_getenv ("G_TEST_SRCDIR");
  if (!tests)
    GTEST_SKIP () << "G_TEST_SRCDIR is not set";
  for (const char *name : { "quickstart.yaml", "sales.yaml", "zones.yaml" }) {
    char *path = g_build_filename (tests, "..", "data", "examples", name, nullptr);
    char *text = nullptr;
    ASSERT_TRUE (g_file_get_contents (path, &text, nullptr, nullptr)) << path;
    Diagnostics diagnostics;
    EXPECT_TRUE (validate (text, diagnostics)) << diagnostics.text ();
    EXPECT_EQ (diagnostics.size (), 0u) << diagnostics.text ();
    g_free (text);
    g_free (path);
  }
}

TEST (Workflow, ListsMistakesOfStructureAndMeaningAtOnceInOrder)
{
  Diagnostics diagnostics;
  EXPECT_FALSE (validate ("name: ''\nnodes:\n"
                          "  a: { action: nothing, timeout: 5, colour: red }\n"
                          "  b: { action: http.request, retry: { attempts: 0 }, with: { x: '{{ $nodes.zebra.result }}' } }\n"
                          "connections: [a -> b, b -> a, a -> zebra, a -> a]\n",
                          diagnostics));
  std::vector<std::string> wanted = { "bad-duration",      "bad-retry",    "cycle",        "empty-name",
                                      "missing-parameter", "no-entry",     "schema",       "self-loop",
                                      "unknown-action",    "unknown-node", "unknown-node", "unknown-parameter" };
  EXPECT_EQ (diagnostics.codes (), wanted) << diagnostics.text ();
  for (guint i = 1; i < diagnostics.size (); i++)
    EXPECT_LE (nebula_diagnostic_get_line (diagnostics.at (i - 1)), nebula_diagnostic_get_line (diagnostics.at (i)));
}

TEST (Workflow, DiagnosesIntoANewArray)
{
  Ref<TestResolver> resolver = make_resolver ();
  auto *actions = NEBULA_ACTION_RESOLVER (resolver.get ());
  auto check = [] (GPtrArray *found, guint line) {
    ASSERT_EQ (found->len, 1u);
    auto *problem = (NebulaDiagnostic *) found->pdata[0];
    EXPECT_STREQ (nebula_diagnostic_get_code (problem), "unknown-action");
    EXPECT_EQ (nebula_diagnostic_get_line (problem), line);
    g_ptr_array_unref (found);
  };
  GBytes *bytes = bytes_of ("name: x\nnodes:\n  a: { action: nothing }\n");
  check (nebula_workflow_diagnose_bytes (bytes, nullptr, actions), 3);
  g_bytes_unref (bytes);
  Value definition = nebula::json (R"({"name": "x", "nodes": {"a": {"action": "nothing"}}})");
  check (nebula_workflow_diagnose_value (definition.get (), actions), 0);
}

TEST (Workflow, ListsOtherMistakesBesideRepeatedKeys)
{
  Diagnostics diagnostics;
  EXPECT_FALSE (validate ("name: x\nnodes:\n" NODE_A "  a: { action: data.set, timeout: 1, retry: { attempts: 0 } }\n  a: { action: data.set }\n"
                          "  b: { action: flow.repeat, timeout: 5, with: { times: 1, 'times': 1 }, body: { nodes: { zz: { action: data.set }, \"zz\": 1 } } }\n",
                          diagnostics));
  std::vector<std::string> wanted = { "bad-duration", "duplicate-id", "duplicate-id", "duplicate-id", "duplicate-key" };
  EXPECT_EQ (diagnostics.codes (), wanted) << diagnostics.text ();
  NebulaDiagnostic *duration = diagnostics.find ("bad-duration");
  EXPECT_EQ (nebula_diagnostic_get_line (duration), 6u);
  EXPECT_EQ (nebula_diagnostic_get_column (duration), 38u);
  EXPECT_THAT (nebula_diagnostic_get_message (diagnostics.at (0)), testing::HasSubstr ("“a”"));
}

TEST (Workflow, ReadingListsWhatNeedsNoActionsWithMistakesOfStructure)
{
  Diagnostics diagnostics;
  Error error;
  EXPECT_FALSE (read ("name: x\ncolour: red\nnodes:\n  a: { action: nothing, timeout: 5 }\nconnections: [a -> a]\n", diagnostics, error));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_WORKFLOW));
  std::vector<std::string> wanted = { "bad-duration", "schema", "self-loop" };
  EXPECT_EQ (diagnostics.codes (), wanted) << diagnostics.text ();
}

TEST (Workflow, NamesTheCycle)
{
  Diagnostics diagnostics;
  EXPECT_FALSE (validate (HEAD NODE_A NODE_B NODE_C "connections: [a -> b, b -> c, c -> b]\n", diagnostics));
  NebulaDiagnostic *cycle = diagnostics.find ("cycle");
  ASSERT_NE (cycle, nullptr) << diagnostics.text ();
  EXPECT_THAT (nebula_diagnostic_get_message (cycle), testing::HasSubstr ("b → c → b"));
}

TEST (Workflow, WarnsOfHiddenIdsAndOfNodesAfterAnEnd)
{
  Diagnostics diagnostics;
  EXPECT_TRUE (validate (HEAD NODE_A
                         "  l: { action: flow.repeat, with: { times: 2 }, body: { nodes: { a: { action: data.set } } } }\n"
                         "  s: { action: flow.fail, with: { message: no } }\n"
                         "  t: { action: data.set, after: [s] }\n"
                         "  u: { action: data.set, after: [s.error] }\n",
                         diagnostics));
  std::vector<std::string> wanted = { "duplicate-id", "unreachable" };
  EXPECT_EQ (diagnostics.codes (), wanted) << diagnostics.text ();
  for (guint i = 0; i < diagnostics.size (); i++)
    EXPECT_EQ (nebula_diagnostic_get_severity (diagnostics.at (i)), NEBULA_SEVERITY_WARNING);
  EXPECT_EQ (nebula_diagnostic_get_line (diagnostics.find ("unreachable")), 6u);
}

TEST (Workflow, KeepsTheFirstHundredAndPrefersErrors)
{
  std::string text = "name: x\nnodes:\n  l:\n    action: flow.repeat\n    with: { times: 1 }\n    body:\n      nodes:\n";
  for (int i = 0; i < 150; i++)
    text += "        n" + std::to_string (i) + ": { action: data.set }\n";
  for (int i = 0; i < 150; i++)
    text += "  n" + std::to_string (i) + ": { action: data.set, timeout: 1 }\n";
  Diagnostics diagnostics;
  EXPECT_FALSE (validate (text, diagnostics));
  EXPECT_EQ (diagnostics.size (), (guint) NEBULA_LIMIT_DIAGNOSTICS);
  for (guint i = 0; i < diagnostics.size (); i++)
    EXPECT_STREQ (nebula_diagnostic_get_code (diagnostics.at (i)), "bad-duration");
}

TEST (Workflow, ReadsFiles)
{
  char *folder = g_dir_make_tmp ("nebula-XXXXXX", nullptr);
  char *path = g_build_filename (folder, "a.yaml", nullptr);
  ASSERT_TRUE (g_file_set_contents (path, good, -1, nullptr));
  GFile *file = g_file_new_for_path (path);
  Error error;
  Ref<NebulaWorkflow> workflow (nebula_workflow_read (file, nullptr, error.out ()));
  ASSERT_TRUE (workflow) << error.message ();
  EXPECT_STREQ (nebula_workflow_get_file (workflow.get ()), path);
  g_object_unref (file);

  std::string big ((gsize) NEBULA_LIMIT_DOCUMENT_BYTES + 1, '#');
  ASSERT_TRUE (g_file_set_contents (path, big.data (), (gssize) big.size (), nullptr));
  file = g_file_new_for_path (path);
  EXPECT_EQ (nebula_workflow_read (file, nullptr, error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_TOO_LARGE));
  g_unlink (path);
  EXPECT_EQ (nebula_workflow_read (file, nullptr, error.out ()), nullptr);
  EXPECT_TRUE (g_error_matches (error.get (), G_IO_ERROR, G_IO_ERROR_NOT_FOUND));
  g_object_unref (file);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

TEST (Workflow, RefusesValuesThatAreTooDeep)
{
  Value value = nebula::json ("{\"name\":\"x\",\"nodes\":{\"a\":{\"action\":\"data.set\"}}}");
  NebulaValue *deep = nebula_value_new_integer (1);
  for (int i = 0; i < NEBULA_LIMIT_DEPTH + 1; i++) {
    NebulaValue *outer = nebula_value_new_array (&deep, 1);
    nebula_value_unref (deep);
    deep = outer;
  }
  Value whole (nebula_value_with_member (value.get (), "output", deep));
  nebula_value_unref (deep);
  Diagnostics diagnostics;
  Error error;
  EXPECT_FALSE (Ref<NebulaWorkflow> (nebula_workflow_new_from_value (whole.get (), diagnostics.array, error.out ())));
  ASSERT_EQ (diagnostics.size (), 1u);
  EXPECT_STREQ (nebula_diagnostic_get_code (diagnostics.at (0)), "schema");
  EXPECT_EQ (nebula_diagnostic_get_line (diagnostics.at (0)), 0u);
}

/* Whatever the order and form, writing, reading and writing again gives the same text. */
TEST (Workflow, WritesStably)
{
  Ref<NebulaWorkflow> first = read_good (good);
  for (bool as_json : { false, true }) {
    char *text = as_json ? nebula_workflow_to_json (first.get ()) : nebula_workflow_to_yaml (first.get ());
    Ref<NebulaWorkflow> second = read_good (text);
    ASSERT_TRUE (second) << text;
    char *yaml = nebula_workflow_to_yaml (second.get ());
    char *json = nebula_workflow_to_json (second.get ());
    EXPECT_STREQ (as_json ? json : yaml, text);
    g_free (yaml);
    g_free (json);
    g_free (text);
  }
}

TEST (Workflow, WritesKeysInOrderWithoutDefaults)
{
  Ref<NebulaWorkflow> workflow = read_good ("connections: [{ to: b, from: a.out }]\n"
                                            "settings: { on-error: fail, durability: strict }\n"
                                            "nodes:\n"
                                            "  b: { title: B, join: { need: all }, disabled: false, action: data.set, with: {} }\n"
                                            "  a: { with: { z: 1, a: 2 }, action: data.set, retry: { attempts: 1, jitter: true } }\n"
                                            "name: x\n");
  char *text = nebula_workflow_to_json (workflow.get ());
  Value written = nebula::json (text);
  EXPECT_EQ (nebula::to_json (written),
             "{\"nebula\":1,\"name\":\"x\",\"nodes\":{\"b\":{\"action\":\"data.set\",\"title\":\"B\"},"
             "\"a\":{\"action\":\"data.set\",\"with\":{\"z\":1,\"a\":2},\"retry\":{\"jitter\":true}}},"
             "\"connections\":[\"a.out -> b\"]}");
  g_free (text);
}

TEST (Workflow, DrawsDot)
{
  Ref<NebulaWorkflow> workflow = read_good ("name: 'a \"b\"'\nnodes:\n  graph: { action: flow.if, title: 'Say \"x\"' }\n"
                                            "  l: { action: flow.repeat, after: [graph.true], body: { nodes: { end: { action: data.set } } } }\n");
  char *text = nebula_workflow_to_dot (workflow.get ());
  EXPECT_STREQ (text,
                "digraph \"a \\\"b\\\"\" {\n"
                "  node [shape=box, style=rounded];\n"
                "  \"0.graph\" [label=\"Say \\\"x\\\"\\nflow.if\"];\n"
                "  \"0.l\" [label=\"l\\nflow.repeat\"];\n"
                "  subgraph cluster_1 {\n"
                "    label=\"l\";\n"
                "    \"1.\" [shape=point];\n"
                "    \"1.end\" [label=\"end\\ndata.set\"];\n"
                "  }\n"
                "  \"0.l\" -> \"1.\" [style=dotted, arrowhead=none];\n"
                "  \"0.graph\" -> \"0.l\" [label=\"true\"];\n"
                "}\n");
  g_free (text);
}

TEST (Workflow, DrawsBodiesLoopsAndConditions)
{
  Ref<NebulaWorkflow> workflow = read_good ("name: x\nnodes:\n"
                                            "  t: { action: flow.try, body: { nodes: { a: { action: data.set } } }, catch: { nodes: { b: { action: data.set } } } }\n"
                                            "  r: { action: flow.race, bodies: { one: { nodes: { c: { action: data.set } } } } }\n"
                                            "connections: [{ from: t, to: r, when: $json.ok }, { from: r, to: t, loop: true }]\n");
  char *mermaid = nebula_workflow_to_mermaid (workflow.get ());
  char *dot = nebula_workflow_to_dot (workflow.get ());
  EXPECT_STREQ (mermaid,
                "flowchart TD\n"
                "  n0_t[\"t<br/>flow.try\"]\n"
                "  n0_r[\"r<br/>flow.race\"]\n"
                "  subgraph s1[\"t\"]\n"
                "    n1_a[\"a<br/>data.set\"]\n"
                "  end\n"
                "  n0_t -.- s1\n"
                "  subgraph s2[\"t.catch\"]\n"
                "    n2_b[\"b<br/>data.set\"]\n"
                "  end\n"
                "  n0_t -.- s2\n"
                "  subgraph s3[\"r.one\"]\n"
                "    n3_c[\"c<br/>data.set\"]\n"
                "  end\n"
                "  n0_r -.- s3\n"
                "  n0_t -->|\"$json.ok\"| n0_r\n"
                "  n0_r -.-> n0_t\n");
  EXPECT_NE (strstr (dot, "\"0.t\" -> \"0.r\" [label=\"$json.ok\"];"), nullptr) << dot;
  EXPECT_NE (strstr (dot, "\"0.r\" -> \"0.t\" [style=dashed];"), nullptr) << dot;
  EXPECT_NE (strstr (dot, "label=\"t.catch\";"), nullptr) << dot;
  g_free (mermaid);
  g_free (dot);
}

TEST (Workflow, DrawsMermaid)
{
  Ref<NebulaWorkflow> workflow = read_good ("name: x\nnodes:\n  end: { action: flow.if, title: '<b> #1 \"x\"' }\n"
                                            "  l: { action: flow.repeat, body: { nodes: { a: { action: data.set }, b: { action: data.set, after: [a] } } } }\n"
                                            "connections: [end.true -> l]\n");
  char *text = nebula_workflow_to_mermaid (workflow.get ());
  EXPECT_STREQ (text,
                "flowchart TD\n"
                "  n0_end[\"#lt;b#gt; #35;1 #quot;x#quot;<br/>flow.if\"]\n"
                "  n0_l[\"l<br/>flow.repeat\"]\n"
                "  subgraph s1[\"l\"]\n"
                "    n1_a[\"a<br/>data.set\"]\n"
                "    n1_b[\"b<br/>data.set\"]\n"
                "    n1_a --> n1_b\n"
                "  end\n"
                "  n0_l -.- s1\n"
                "  n0_end -->|\"true\"| n0_l\n");
  g_free (text);
}

TEST (Diagnostic, IsAValueAndAText)
{
  NebulaDiagnostic *diagnostic
      = nebula_diagnostic_new (NEBULA_SEVERITY_WARNING, "cycle", "a.yaml", 3, 7, "It turns.", "Stop it.");
  Value value (nebula_diagnostic_to_value (diagnostic));
  EXPECT_EQ (nebula::to_json (value),
             "{\"file\":\"a.yaml\",\"line\":3,\"column\":7,\"code\":\"cycle\",\"severity\":\"warning\","
             "\"message\":\"It turns.\",\"hint\":\"Stop it.\"}");
  char *text = nebula_diagnostic_to_string (diagnostic);
  EXPECT_STREQ (text, "a.yaml:3:7: warning: It turns. [cycle]");
  g_free (text);
  NebulaDiagnostic *copy = (NebulaDiagnostic *) g_boxed_copy (NEBULA_TYPE_DIAGNOSTIC, diagnostic);
  nebula_diagnostic_unref (diagnostic);
  EXPECT_EQ (nebula_diagnostic_get_column (copy), 7u);
  nebula_diagnostic_unref (copy);

  diagnostic = nebula_diagnostic_new (NEBULA_SEVERITY_ERROR, "cycle", nullptr, 0, 0, "It turns.", nullptr);
  text = nebula_diagnostic_to_string (diagnostic);
  EXPECT_STREQ (text, "error: It turns. [cycle]");
  g_free (text);
  nebula_diagnostic_unref (diagnostic);
}

} // namespace
