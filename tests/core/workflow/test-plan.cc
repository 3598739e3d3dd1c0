/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan: its arrays, its hash, large graphs, retries; the input's schema. */
#include "nebula-test.h"

#include <algorithm>
#include <set>
#include <vector>

#include "nebula-completion.h"
#include "nebula-input-internal.h"
#include "nebula-limits.h"
#include "nebula-plan-internal.h"
#include "nebula-plan-names.h"
#include "test-resolver.h"

namespace
{

using nebula::Error;
using nebula::Ref;
using nebula::Value;
using Plan = nebula::Owned<NebulaPlan, nebula_plan_unref>;

Ref<TestResolver>
make_resolver ()
{
  return Ref<TestResolver> ((TestResolver *) g_object_new (TEST_TYPE_RESOLVER, nullptr));
}

std::string
describe (GPtrArray *diagnostics)
{
  std::string whole;
  for (guint i = 0; i < diagnostics->len; i++) {
    char *line = nebula_diagnostic_to_string ((NebulaDiagnostic *) g_ptr_array_index (diagnostics, i));
    whole += std::string (line) + "\n";
    g_free (line);
  }
  return whole;
}

Plan
compile (const std::string &text)
{
  Ref<TestResolver> resolver = make_resolver ();
  GPtrArray *diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  GBytes *bytes = g_bytes_new (text.data (), text.size ());
  Error error;
  Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, "x.yaml", diagnostics, error.out ()));
  g_bytes_unref (bytes);
  Plan plan;
  if (workflow)
    plan.reset (nebula_workflow_compile (workflow.get (), NEBULA_ACTION_RESOLVER (resolver.get ()), diagnostics, error.out ()));
  EXPECT_TRUE (plan) << text << describe (diagnostics);
  g_ptr_array_unref (diagnostics);
  return plan;
}

guint32
node (const Plan &plan, const char *id, guint32 scope = 0)
{
  return nebula_plan_find_node (plan.get (), scope, id);
}

/* "a>b" of all edges in the plan's order. */
std::string
edges (const Plan &plan)
{
  std::string text;
  for (guint i = 0; i < plan.get ()->n_edges; i++) {
    NebulaPlanEdge *edge = &plan.get ()->edges[i];
    text += std::string (text.empty () ? "" : " ") + plan.get ()->nodes[edge->from].id + (edge->port ? "." : "")
            + (edge->port ? edge->port : "") + ">" + plan.get ()->nodes[edge->to].id;
  }
  return text;
}

TEST (Plan, HasScopesNodesAndEdgesInOrder)
{
  Plan plan = compile ("name: x\nnodes:\n"
                       "  a: { action: data.set }\n"
                       "  l: { action: flow.repeat, with: { times: 2 }, body: { nodes: { x: { action: data.set }, y: { action: data.set } }, connections: [x -> y], result: 7 } }\n"
                       "  c: { action: data.set, after: [a.error] }\n"
                       "connections: [l -> c, a -> l, a -> c]\n");
  NebulaPlan *p = plan.get ();
  ASSERT_NE (p, nullptr);
  ASSERT_EQ (p->n_scopes, 2u);
  ASSERT_EQ (p->n_nodes, 5u);
  EXPECT_EQ (nebula_plan_get_n_nodes (p), 5u);
  EXPECT_EQ (p->scopes[0].owner, NEBULA_PLAN_NONE);
  EXPECT_EQ (p->scopes[0].parent, NEBULA_PLAN_NONE);
  EXPECT_EQ (p->scopes[0].n_nodes, 3u);
  EXPECT_EQ (p->scopes[1].first_node, 3u);
  EXPECT_EQ (p->scopes[1].n_nodes, 2u);
  EXPECT_EQ (p->scopes[1].owner, 1u);
  EXPECT_EQ (p->scopes[1].parent, 0u);
  EXPECT_EQ (p->nodes[1].body, 1u);
  EXPECT_EQ (p->nodes[0].body, NEBULA_PLAN_NONE);
  EXPECT_EQ (p->nodes[1].construct, NEBULA_CONSTRUCT_REPEAT);
  ASSERT_NE (p->scopes[1].result, nullptr);
  EXPECT_EQ (p->scopes[0].result, nullptr);

  EXPECT_EQ (edges (plan), "a>l a>c a.error>c l>c x>y");
  EXPECT_EQ (p->scopes[0].first_edge, 0u);
  EXPECT_EQ (p->scopes[0].n_edges, 4u);
  EXPECT_EQ (p->scopes[1].first_edge, 4u);
  EXPECT_EQ (p->scopes[1].n_edges, 1u);
  /* Into c, as written: l -> c, a -> c, then `after`. */
  NebulaPlanNode *c = &p->nodes[2];
  ASSERT_EQ (c->n_in, 3u);
  EXPECT_EQ (p->in_edges[c->first_in], 3u);
  EXPECT_EQ (p->in_edges[c->first_in + 1], 1u);
  EXPECT_EQ (p->in_edges[c->first_in + 2], 2u);
  for (guint32 i = 0; i < p->n_edges; i++) {
    NebulaPlanEdge *edge = &p->edges[i];
    EXPECT_EQ (p->in_edges[p->nodes[edge->to].first_in + edge->in_index], i);
    EXPECT_EQ (p->nodes[edge->from].scope, p->nodes[edge->to].scope);
  }
  EXPECT_TRUE (p->nodes[0].has_error_edge);
  EXPECT_FALSE (p->nodes[1].has_error_edge);
  EXPECT_TRUE (p->nodes[0].single_input);
  EXPECT_FALSE (c->single_input);
  EXPECT_EQ (p->edges[2].port, g_intern_static_string ("error"));
  EXPECT_TRUE (p->ids_are_unique);
}

TEST (Plan, FindsNodesOfOuterScopesOnly)
{
  Plan plan = compile ("name: x\nnodes:\n"
                       "  a: { action: data.set }\n"
                       "  l: { action: flow.repeat, with: { times: 2 }, body: { nodes: { x: { action: data.set } } } }\n"
                       "  m: { action: flow.repeat, with: { times: 2 }, body: { nodes: { x: { action: data.set }, a: { action: data.set } } } }\n");
  EXPECT_FALSE (plan.get ()->ids_are_unique);
  EXPECT_EQ (node (plan, "x"), NEBULA_PLAN_NONE);
  EXPECT_EQ (node (plan, "nowhere"), NEBULA_PLAN_NONE);
  EXPECT_EQ (node (plan, "a"), 0u);
  EXPECT_EQ (node (plan, "x", 1), 3u);
  EXPECT_EQ (node (plan, "x", 2), 4u);
  EXPECT_EQ (node (plan, "a", 1), 0u);
  EXPECT_EQ (node (plan, "a", 2), 5u);
  EXPECT_EQ (node (plan, "l", 2), 1u);

  Plan unique = compile ("name: x\nnodes:\n  l: { action: flow.repeat, with: { times: 2 }, body: { nodes: { x: { action: data.set } } } }\n");
  EXPECT_EQ (node (unique, "x"), NEBULA_PLAN_NONE);
  EXPECT_EQ (node (unique, "x", 1), 1u);
  EXPECT_EQ (node (unique, "l", 1), 0u);
}

TEST (Plan, HoldsSettings)
{
  Plan plan = compile ("name: x\n"
                       "settings: { timeout: 1h, durability: relaxed, on-error: finish, priority: 4, concurrency: { limit: 3, key: '{{ $input.k }}' } }\n"
                       "variables: { a: 1 }\ninput: { type: object }\noutput: { n: '{{ $nodes.a.result }}' }\n"
                       "nodes:\n"
                       "  a:\n"
                       "    action: http.request\n    with: { url: u }\n"
                       "    retry: { attempts: 5, backoff: linear, factor: 3, initial: 20ms, max: 2s, jitter: true }\n"
                       "    timeout: 30s\n    total-timeout: 1m\n    on-error: continue\n    on-unknown: retry\n    effect: idempotent\n    priority: 9\n"
                       "  b: { action: http.request, with: { url: u }, disabled: true }\n"
                       "  c: { action: data.set, after: [a, b], join: { need: any, rest: cancel } }\n"
                       "  d: { action: data.set, after: [a, b], join: { need: 1, rest: block } }\n"
                       "  e: { action: data.set, after: [a], join: { need: '{{ $nodes.a.result.n }}' } }\n"
                       "  f: { action: flow.for-each, with: { items: [] }, on-error: collect, body: { nodes: { g: { action: data.set } } } }\n");
  NebulaPlan *p = plan.get ();
  ASSERT_NE (p, nullptr);
  EXPECT_STREQ (nebula_plan_get_name (p), "x");
  EXPECT_STREQ (p->file, "x.yaml");
  EXPECT_EQ (p->timeout_usec, (gint64) 3600 * G_USEC_PER_SEC);
  EXPECT_EQ (p->durability, NEBULA_DURABILITY_RELAXED);
  EXPECT_EQ (p->on_error, NEBULA_ON_ERROR_FINISH);
  ASSERT_EQ (p->n_gates, 1u);
  EXPECT_EQ (p->gates[0].limit, 3u);
  ASSERT_NE (p->gates[0].key, nullptr);
  EXPECT_EQ (p->priority, 4);
  EXPECT_EQ (nebula::to_json (p->variables), "{\"a\":1}");
  ASSERT_NE (p->input_schema, nullptr);
  ASSERT_NE (p->scopes[0].result, nullptr);

  NebulaPlanNode *a = &p->nodes[0];
  EXPECT_EQ (a->retry.attempts, 5u);
  EXPECT_EQ (a->retry.backoff, NEBULA_BACKOFF_LINEAR);
  EXPECT_EQ (a->retry.factor, 3.0);
  EXPECT_EQ (a->retry.initial_usec, 20000);
  EXPECT_EQ (a->retry.max_usec, 2 * G_USEC_PER_SEC);
  EXPECT_TRUE (a->retry.jitter);
  EXPECT_EQ (a->timeout_usec, 30 * G_USEC_PER_SEC);
  EXPECT_EQ (a->total_timeout_usec, 60 * G_USEC_PER_SEC);
  EXPECT_EQ (a->on_error, NEBULA_ON_ERROR_CONTINUE);
  EXPECT_EQ (a->on_unknown, NEBULA_ON_UNKNOWN_RETRY);
  EXPECT_EQ (a->effect, NEBULA_EFFECT_IDEMPOTENT);
  EXPECT_TRUE (a->effect_given);
  EXPECT_EQ (a->priority, 9);
  EXPECT_FALSE (a->disabled);

  NebulaPlanNode *b = &p->nodes[1];
  EXPECT_EQ (b->retry.attempts, 1u);
  EXPECT_EQ (b->on_error, NEBULA_ON_ERROR_FINISH);
  EXPECT_EQ (b->on_unknown, NEBULA_ON_UNKNOWN_FAIL);
  EXPECT_EQ (b->effect, NEBULA_EFFECT_EFFECTFUL);
  EXPECT_FALSE (b->effect_given);
  EXPECT_TRUE (b->disabled);
  EXPECT_EQ (b->priority, 4);
  EXPECT_EQ (b->timeout_usec, 0);

  EXPECT_EQ (p->nodes[2].need, NEBULA_JOIN_ANY);
  EXPECT_EQ (p->nodes[2].rest, NEBULA_JOIN_REST_CANCEL);
  EXPECT_EQ (p->nodes[3].need, NEBULA_JOIN_COUNT);
  EXPECT_EQ (p->nodes[3].need_count, 1u);
  EXPECT_EQ (p->nodes[3].rest, NEBULA_JOIN_REST_BLOCK);
  EXPECT_EQ (p->nodes[4].need, NEBULA_JOIN_EXPRESSION);
  ASSERT_NE (p->nodes[4].need_expression, nullptr);
  EXPECT_EQ (p->nodes[5].on_error, NEBULA_ON_ERROR_COLLECT);
}

TEST (Plan, SplitsLateExpressionsFromTemplates)
{
  Plan plan = compile ("name: x\nnodes:\n"
                       "  a: { action: data.aggregate, with: { compute: { n: length($items), k: 3 }, items: [1, '{{ $input.x }}'], by: $item.k } }\n"
                       "  b: { action: data.set }\n"
                       "  c: { action: data.set, with: { x: 1 }, after: [b] }\n");
  NebulaPlan *p = plan.get ();
  ASSERT_NE (p, nullptr);
  NebulaLateExpressions *late = p->nodes[0].late;
  ASSERT_NE (late, nullptr);
  ASSERT_EQ (late->n_items, 3u);
  EXPECT_EQ (late->items[0].parameter, g_intern_static_string ("compute"));
  EXPECT_EQ (late->items[0].key, g_intern_static_string ("n"));
  EXPECT_EQ (late->items[1].key, g_intern_static_string ("k"));
  EXPECT_STREQ (nebula_expression_get_text (late->items[1].expression), "3");
  EXPECT_EQ (late->items[2].parameter, g_intern_static_string ("by"));
  EXPECT_EQ (late->items[2].key, nullptr);
  EXPECT_EQ (nebula::to_json (nebula_template_get_value (p->nodes[0].with)), "{\"items\":[1,\"{{ $input.x }}\"]}");
  EXPECT_FALSE (nebula_template_is_constant (p->nodes[0].with));
  EXPECT_EQ (p->nodes[1].late, nullptr);
  EXPECT_EQ (nebula::to_json (nebula_template_get_value (p->nodes[1].with)), "{}");
  EXPECT_TRUE (nebula_template_is_constant (p->nodes[2].with));
}

/* What completion offers for the parameters of a node. */
std::string
offered (const Plan &plan, const char *node_id, const char *text)
{
  nebula::Owned<NebulaExpressionScope, nebula_expression_scope_unref> scope (nebula_plan_describe_names (plan.get (), node_id));
  GPtrArray *found = nebula_expression_complete (text, FALSE, (guint) strlen (text), scope.get ());
  std::string labels;
  for (guint i = 0; i < found->len; i++) {
    auto *one = (NebulaCompletion *) g_ptr_array_index (found, i);
    if (nebula_completion_get_kind (one) != NEBULA_COMPLETION_KIND_FUNCTION)
      labels += std::string (labels.empty () ? "" : " ") + nebula_completion_get_label (one);
  }
  g_ptr_array_unref (found);
  return labels;
}

TEST (Plan, DescribesTheNamesOfANode)
{
  Plan plan = compile ("name: x\ninput: { type: object, properties: { order: { type: object, properties: { total: {} } } } }\n"
                       "variables: { rate: 2, deep: { er: 1 } }\nnodes:\n  a: { action: data.set }\n"
                       "  b: { action: data.set, after: [a] }\n  other: { action: data.set }\n"
                       "  each:\n    action: flow.for-each\n    after: [b]\n    with: { items: [1] }\n"
                       "    body: { nodes: { one: { action: data.set }, two: { action: data.set, after: [one] } } }\n");

  EXPECT_EQ (offered (plan, "a", "$nodes."), "");
  EXPECT_EQ (offered (plan, "b", "$nodes."), "a");
  EXPECT_EQ (offered (plan, "each", "$nodes."), "b a");
  EXPECT_EQ (offered (plan, "two", "$nodes."), "one b a");
  EXPECT_EQ (offered (plan, "two", "$loop."), "each");
  EXPECT_EQ (offered (plan, "two", "$it"), "$item");
  EXPECT_EQ (offered (plan, "b", "$it"), "");
  EXPECT_EQ (offered (plan, "b", "$input.order."), "total");
  EXPECT_EQ (offered (plan, "a", "$json.order."), "total");
  EXPECT_EQ (offered (plan, "two", "$vars."), "rate deep");
  EXPECT_EQ (offered (plan, "two", "$vars.deep."), "er");
  EXPECT_EQ (offered (plan, "b", "$workf"), "$workflow");
  EXPECT_EQ (nebula_plan_describe_names (plan.get (), "nobody"), nullptr);
}

TEST (Plan, IsLinkedOnce)
{
  Plan plan = compile ("name: x\nnodes:\n  a: { action: data.set }\n  b: { action: data.set }\n  c: { action: flow.no-op }\n");
  Ref<TestResolver> resolver = make_resolver ();
  Error error;
  EXPECT_EQ (plan.get ()->nodes[0].evaluate, nullptr);
  EXPECT_TRUE (nebula_plan_link (plan.get (), NEBULA_ACTION_RESOLVER (resolver.get ()), error.out ())) << error.message ();
  EXPECT_EQ (plan.get ()->nodes[0].evaluate, &test_set_evaluate);
  EXPECT_NE (plan.get ()->nodes[1].klass, nullptr);
  EXPECT_EQ (plan.get ()->nodes[2].evaluate, nullptr);
  EXPECT_EQ (resolver.get ()->n_loads, 1u);

  resolver.get ()->load_fails = TRUE;
  EXPECT_FALSE (nebula_plan_link (plan.get (), NEBULA_ACTION_RESOLVER (resolver.get ()), error.out ()));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_MODULE_MISSING));
}

std::string
hash_of (const std::string &text)
{
  Plan plan = compile (text);
  return plan ? nebula_plan_get_hash (plan.get ()) : "";
}

TEST (Plan, HashIsOfWhatMatters)
{
  const std::string base = "name: x\nnodes:\n"
                           "  a: { action: data.set, with: { p: 1, q: { r: 2, s: [3, 4] } } }\n"
                           "  b: { action: data.set, after: [a] }\n"
                           "connections: [{ from: a.out, to: b }]\n";
  const std::string hash = hash_of (base);
  EXPECT_EQ (hash.size (), 64u);

  EXPECT_EQ (hash_of ("nebula: 1\ndescription: d\ntags: [t]\nowner: o\nlayout: { a: [1, 2] }\n"
                      "connections: [a.out->b]\nsettings: { on-error: fail }\nname: x\nnodes:\n"
                      "  a: { title: T, notes: N, with: { q: { s: [3, 4], r: 2 }, p: 1 }, action: data.set, disabled: false }\n"
                      "  b: { after: [a], action: data.set, join: {} }\n"),
             hash);
  for (const char *other : {
           "name: y\nnodes:\n  a: { action: data.set, with: { p: 1, q: { r: 2, s: [3, 4] } } }\n  b: { action: data.set, after: [a] }\nconnections: [a.out -> b]\n",
           "name: x\nnodes:\n  a: { action: data.set, with: { p: 2, q: { r: 2, s: [3, 4] } } }\n  b: { action: data.set, after: [a] }\nconnections: [a.out -> b]\n",
           "name: x\nnodes:\n  a: { action: data.set, with: { p: 1, q: { r: 2, s: [4, 3] } } }\n  b: { action: data.set, after: [a] }\nconnections: [a.out -> b]\n",
           "name: x\nnodes:\n  a: { action: data.set, with: { p: 1, q: { r: 2, s: [3, 4] } } }\n  b: { action: data.set, after: [a] }\nconnections: [a.error -> b]\n",
           "name: x\nnodes:\n  b: { action: data.set, after: [a] }\n  a: { action: data.set, with: { p: 1, q: { r: 2, s: [3, 4] } } }\nconnections: [a.out -> b]\n",
           "name: x\nnodes:\n  a: { action: data.set, with: { p: 1, q: { r: 2, s: [3, 4] } } }\n  b: { action: data.set, after: [a], disabled: true }\nconnections: [a.out -> b]\n",
       })
    EXPECT_NE (hash_of (other), hash) << other;
}

/* The definition of a plan is what is stored: it compiles to the same plan. */
TEST (Plan, DefinitionGivesTheSamePlanAgain)
{
  Plan plan = compile ("nodes:\n  b: { after: [a], action: data.set }\n  a: { with: { z: 1, y: 2 }, action: data.set }\nname: x\n");
  Ref<TestResolver> resolver = make_resolver ();
  Error error;
  Ref<NebulaWorkflow> workflow (nebula_workflow_new_from_value (plan.get ()->definition, nullptr, error.out ()));
  ASSERT_TRUE (workflow) << error.message ();
  Plan again (nebula_workflow_compile (workflow.get (), NEBULA_ACTION_RESOLVER (resolver.get ()), nullptr, error.out ()));
  ASSERT_TRUE (again) << error.message ();
  EXPECT_STREQ (nebula_plan_get_hash (again.get ()), nebula_plan_get_hash (plan.get ()));
  EXPECT_TRUE (nebula_value_equal (again.get ()->definition, plan.get ()->definition));
  EXPECT_EQ (again.get ()->definition, nebula_workflow_get_definition (workflow.get ()));
  EXPECT_EQ (again.get ()->file, nullptr);
}

/* Graphs made from values: node i has `with` from the function; connections likewise. */
struct Graph {
  NebulaValueBuilder *nodes = nebula_value_builder_new_object ();
  NebulaValueBuilder *connections = nebula_value_builder_new_array ();
  ~Graph ()
  {
    nebula_value_builder_unref (nodes);
    nebula_value_builder_unref (connections);
  }
  void
  add_node (const std::string &id, const std::string &text = "")
  {
    NebulaValueBuilder *node = nebula_value_builder_new_object ();
    nebula_value_builder_set_string (node, "action", "data.set");
    if (!text.empty ()) {
      NebulaValueBuilder *with = nebula_value_builder_new_object ();
      nebula_value_builder_set_string (with, "x", text.c_str ());
      nebula_value_builder_set_take (node, "with", nebula_value_builder_end (with));
      nebula_value_builder_unref (with);
    }
    nebula_value_builder_set_take (nodes, id.c_str (), nebula_value_builder_end (node));
    nebula_value_builder_unref (node);
  }
  void
  connect (const std::string &from, const std::string &to)
  {
    nebula_value_builder_add_take (connections, nebula_value_new_string ((from + " -> " + to).c_str ()));
  }
  Ref<NebulaWorkflow>
  end ()
  {
    NebulaValueBuilder *whole = nebula_value_builder_new_object ();
    nebula_value_builder_set_integer (whole, "nebula", 1);
    nebula_value_builder_set_string (whole, "name", "graph");
    nebula_value_builder_set_take (whole, "nodes", nebula_value_builder_end (nodes));
    nebula_value_builder_set_take (whole, "connections", nebula_value_builder_end (connections));
    Value definition (nebula_value_builder_end (whole));
    nebula_value_builder_unref (whole);
    Error error;
    NebulaWorkflow *workflow = nebula_workflow_new_from_value (definition.get (), nullptr, error.out ());
    EXPECT_NE (workflow, nullptr) << error.message ();
    return Ref<NebulaWorkflow> (workflow);
  }
};

struct Outcome {
  Plan plan;
  std::string diagnostics;
  std::vector<std::string> codes;
};

Outcome
compile_graph (Graph &graph, guint max_nodes = 0, guint max_connections = 0)
{
  Outcome outcome;
  Ref<TestResolver> resolver = make_resolver ();
  Ref<NebulaWorkflow> workflow = graph.end ();
  GPtrArray *diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  Error error;
  outcome.plan.reset (nebula_workflow_compile_limited (
      workflow.get (), NEBULA_ACTION_RESOLVER (resolver.get ()), max_nodes, max_connections, diagnostics, error.out ()));
  outcome.diagnostics = describe (diagnostics);
  for (guint i = 0; i < diagnostics->len; i++)
    outcome.codes.push_back (nebula_diagnostic_get_code ((NebulaDiagnostic *) g_ptr_array_index (diagnostics, i)));
  g_ptr_array_unref (diagnostics);
  return outcome;
}

std::string
name (int i)
{
  return "n" + std::to_string (i);
}

TEST (Graph, LimitsAreKept)
{
  Graph nodes;
  for (int i = 0; i <= NEBULA_LIMIT_NODES; i++)
    nodes.add_node (name (i));
  Outcome outcome = compile_graph (nodes);
  EXPECT_FALSE (outcome.plan);
  EXPECT_EQ (outcome.codes, std::vector<std::string> { "too-many-nodes" });

  Graph fits;
  for (int i = 0; i < NEBULA_LIMIT_NODES; i++)
    fits.add_node (name (i));
  EXPECT_TRUE (compile_graph (fits).plan);

  Graph connections;
  for (int i = 0; i < 4; i++)
    connections.add_node (name (i));
  for (int i = 0; i < 3; i++)
    connections.connect (name (i), name (i + 1));
  outcome = compile_graph (connections, 0, 2);
  EXPECT_EQ (outcome.codes, std::vector<std::string> { "too-many-connections" });
}

/* Written from the end to the start, so that nothing is in order; each node names its predecessor and the first node. */
TEST (Graph, AMillionNodesInAChainCompile)
{
#ifdef __SANITIZE_ADDRESS__
  const int n = NEBULA_LIMIT_NODES_MAX / 20; /* sanitizers make it slow, not different */
#else
  const int n = NEBULA_LIMIT_NODES_MAX;
#endif
  Graph graph;
  for (int i = n - 1; i >= 0; i--)
    graph.add_node (name (i), i % 1000 == 999 ? "{{ [$nodes.n0.result, $nodes." + name (i - 1) + ".result] }}" : "");
  for (int i = 0; i + 1 < n; i++)
    graph.connect (name (i), name (i + 1));
  Outcome outcome = compile_graph (graph, NEBULA_LIMIT_NODES_MAX, NEBULA_LIMIT_NODES_MAX);
  ASSERT_TRUE (outcome.plan) << outcome.diagnostics;
  EXPECT_EQ (outcome.plan.get ()->n_nodes, (guint) n);
  EXPECT_EQ (outcome.plan.get ()->n_edges, (guint) n - 1);
}

TEST (Graph, ACycleOfAHundredThousandNodesIsNamed)
{
  const int n = 100000;
  Graph graph;
  for (int i = 0; i < n; i++)
    graph.add_node (name (i));
  for (int i = 0; i < n; i++)
    graph.connect (name (i), name ((i + 1) % n));
  Outcome outcome = compile_graph (graph, n, n);
  EXPECT_FALSE (outcome.plan);
  std::sort (outcome.codes.begin (), outcome.codes.end ());
  EXPECT_EQ (outcome.codes, (std::vector<std::string> { "cycle", "no-entry" }));
  EXPECT_THAT (outcome.diagnostics, testing::HasSubstr ("n0 → n1 → "));
  EXPECT_THAT (outcome.diagnostics, testing::HasSubstr ("… → n0 "));
}

/* Every pair of nodes of random graphs: the compiler's “upstream” is that of a plain search. */
TEST (Graph, UpstreamIsThatOfASearch)
{
  GRand *random = g_rand_new_with_seed (4711);
  for (int round = 0; round < 40; round++) {
    const int n = g_rand_int_range (random, 2, 40);
    std::vector<int> order (n);
    std::vector<std::vector<int>> out (n);
    std::set<std::pair<int, int>> wanted;
    for (int i = 0; i < n; i++)
      order[i] = i;
    for (int i = n - 1; i > 0; i--)
      std::swap (order[i], order[g_rand_int_range (random, 0, i + 1)]);
    for (int i = 0; i < n; i++)
      for (int j = i + 1; j < n; j++)
        if (g_rand_int_range (random, 0, n) < 2)
          out[order[i]].push_back (order[j]);
    for (int start = 0; start < n; start++) {
      std::vector<int> queue = out[start];
      std::set<int> seen (queue.begin (), queue.end ());
      while (!queue.empty ()) {
        int here = queue.back ();
        queue.pop_back ();
        for (int next : out[here])
          if (seen.insert (next).second)
            queue.push_back (next);
      }
      for (int node : seen)
        wanted.insert ({ start, node });
    }

    for (int trial = 0; trial < 12; trial++) {
      int target = g_rand_int_range (random, 0, n);
      std::vector<int> bad;
      Graph graph;
      for (int i = 0; i < n; i++) {
        bool named = i != target && g_rand_boolean (random);
        graph.add_node (name (i), named ? "{{ $nodes." + name (target) + ".result }}" : "");
        if (named && !wanted.count ({ target, i }))
          bad.push_back (i);
      }
      for (int i = 0; i < n; i++)
        for (int j : out[i])
          graph.connect (name (i), name (j));
      Outcome outcome = compile_graph (graph);
      EXPECT_EQ (outcome.codes.size (), bad.size ()) << outcome.diagnostics;
      for (int i : bad)
        EXPECT_THAT (outcome.diagnostics, testing::HasSubstr ("“" + name (i) + "” uses the result of “" + name (target) + "”"));
    }
  }
  g_rand_free (random);
}

/* More targets than one batch holds, all across a fan: 600 branches, and each end names the start of every other branch. */
TEST (Graph, ManyTargetsAreAnsweredInBatches)
{
  const int n = 600;
  Graph graph;
  graph.add_node ("start");
  for (int i = 0; i < n; i++)
    graph.add_node ("b" + std::to_string (i));
  graph.add_node ("join");
  for (int part = 0; part < 3; part++) {
    std::string some = "{{ [0";
    for (int i = part; i < n; i += 3)
      some += ", $nodes.b" + std::to_string (i) + ".status";
    graph.add_node ("after" + std::to_string (part), some + "] }}");
  }
  graph.add_node ("beside", "{{ [$nodes.b7.status, $nodes.b599.status] }}");
  for (int i = 0; i < n; i++) {
    graph.connect ("start", "b" + std::to_string (i));
    graph.connect ("b" + std::to_string (i), "join");
  }
  for (int part = 0; part < 3; part++)
    graph.connect ("join", "after" + std::to_string (part));
  graph.connect ("b7", "beside");
  Outcome outcome = compile_graph (graph);
  ASSERT_EQ (outcome.codes, std::vector<std::string> { "not-upstream" }) << outcome.diagnostics;
  EXPECT_THAT (outcome.diagnostics, testing::HasSubstr ("“beside” uses the result of “b599”"));
}

NebulaRetry
retry (NebulaBackoff backoff, gint64 initial, gint64 max, double factor = 2.0)
{
  NebulaRetry result = {};
  result.attempts = 10;
  result.backoff = backoff;
  result.initial_usec = initial;
  result.max_usec = max;
  result.factor = factor;
  return result;
}

TEST (Retry, DelaysGrowAsSaid)
{
  auto delays = [] (NebulaRetry policy) {
    std::vector<gint64> list;
    for (guint attempt = 2; attempt < 8; attempt++)
      list.push_back (nebula_retry_get_delay_usec (&policy, attempt));
    return list;
  };
  EXPECT_EQ (delays (retry (NEBULA_BACKOFF_FIXED, 10, 1000)), (std::vector<gint64> { 10, 10, 10, 10, 10, 10 }));
  EXPECT_EQ (delays (retry (NEBULA_BACKOFF_LINEAR, 10, 45)), (std::vector<gint64> { 10, 20, 30, 40, 45, 45 }));
  EXPECT_EQ (delays (retry (NEBULA_BACKOFF_EXPONENTIAL, 10, 100)), (std::vector<gint64> { 10, 20, 40, 80, 100, 100 }));
  EXPECT_EQ (delays (retry (NEBULA_BACKOFF_EXPONENTIAL, 10, 1000, 1.0)), (std::vector<gint64> { 10, 10, 10, 10, 10, 10 }));
  EXPECT_EQ (delays (retry (NEBULA_BACKOFF_FIBONACCI, 10, 1000)), (std::vector<gint64> { 10, 10, 20, 30, 50, 80 }));
  gint64 list[] = { 5, 7, 9 };
  NebulaRetry listed = retry (NEBULA_BACKOFF_FIXED, 10, 1000);
  listed.delays_usec = list;
  listed.n_delays = G_N_ELEMENTS (list);
  EXPECT_EQ (delays (listed), (std::vector<gint64> { 5, 7, 9, 9, 9, 9 }));
}

TEST (Retry, NeverOverflows)
{
  const gint64 most = G_MAXINT64;
  for (NebulaBackoff backoff : { NEBULA_BACKOFF_FIXED, NEBULA_BACKOFF_LINEAR, NEBULA_BACKOFF_EXPONENTIAL, NEBULA_BACKOFF_FIBONACCI })
    for (guint attempt : { 0u, 1u, 2u, 63u, 64u, 65u, 100u, 1000000u, G_MAXUINT }) {
      NebulaRetry policy = retry (backoff, most / 2, most);
      EXPECT_GE (nebula_retry_get_delay_usec (&policy, attempt), policy.initial_usec) << backoff << " " << attempt;
      policy = retry (backoff, 1000, 5000);
      EXPECT_LE (nebula_retry_get_delay_usec (&policy, attempt), 5000);
      EXPECT_GE (nebula_retry_get_delay_usec (&policy, attempt), 1000);
      policy = retry (backoff, 0, 5000);
      EXPECT_EQ (nebula_retry_get_delay_usec (&policy, attempt), 0);
    }
}

TEST (Durability, HasNames)
{
  NebulaDurability durability = NEBULA_DURABILITY_STRICT;
  EXPECT_STREQ (nebula_durability_to_string (NEBULA_DURABILITY_RELAXED), "relaxed");
  EXPECT_TRUE (nebula_durability_from_string ("memory", &durability));
  EXPECT_EQ (durability, NEBULA_DURABILITY_MEMORY);
  EXPECT_FALSE (nebula_durability_from_string ("eternal", &durability));
  EXPECT_FALSE (nebula_durability_from_string (nullptr, &durability));
}

struct InputCase {
  const char *schema;
  const char *input;
  const char *filled; /* NULL: refused */
  const char *message;
};

class Input : public testing::TestWithParam<InputCase>
{
};

TEST_P (Input, IsCheckedAndFilled)
{
  const InputCase &c = GetParam ();
  Value document = nebula::json (c.schema);
  Value input = nebula::json (c.input);
  NebulaValue *filled = nullptr;
  Error error;
  nebula::Owned<NebulaJsonSchema, nebula_json_schema_unref> schema (
      nebula_json_schema_new (document.get (), NEBULA_INPUT_DRAFT, NEBULA_INPUT_FLAGS, nullptr, error.out ()));
  ASSERT_TRUE (schema) << error.message ();
  gboolean ok = nebula_input_check (schema.get (), input.get (), &filled, error.out ());
  Value owned (filled);

  if (c.filled) {
    ASSERT_TRUE (ok) << error.message ();
    EXPECT_EQ (nebula::to_json (owned), c.filled);
  } else {
    EXPECT_FALSE (ok);
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA));
    EXPECT_THAT (error.message (), testing::HasSubstr (c.message));
  }
}

const InputCase inputs[] = {
  { "{}", "[1]", "[1]", nullptr },
  { R"({"type":"object","properties":{"a":{"type":"string","default":"x"},"b":{"default":[1]}}})", R"({"c":1})", R"({"c":1,"a":"x","b":[1]})", nullptr },
  { R"({"properties":{"a":{"type":"object","default":{},"properties":{"b":{"default":2}}}}})", "{}", R"({"a":{"b":2}})", nullptr },
  { R"({"items":{"properties":{"a":{"default":1}}}})", R"([{},{"a":2}])", R"([{"a":1},{"a":2}])", nullptr },
  { R"({"type":"object"})", "[]", nullptr, "The input" },
  { R"({"properties":{"a":{"type":"integer"}}})", R"({"a":"1"})", nullptr, "“/a”" },
  { R"({"properties":{"a":{"items":{"type":"integer"}}}})", R"({"a":[1,2.5]})", nullptr, "“/a/1”" },
  { R"({"properties":{"a":{"properties":{"b":{"type":"null"}}}}})", R"({"a":{"b":1}})", nullptr, "“/a/b”" },
  { R"({"required":["a"],"properties":{"a":{"default":1}}})", "{}", R"({"a":1})", nullptr },
  { R"({"required":["a"]})", "{}", nullptr, "“/a”" },
  { R"({"type":"integer"})", "3.0", "3", nullptr },
  { R"({"type":"integer"})", "3.5", nullptr, "integer" },
  { R"({"type":"number"})", "3", "3", nullptr },
  { R"({"type":"boolean"})", "1", nullptr, "boolean" },
  { R"({"type":"string"})", "null", nullptr, "string" },
  { R"({"type":"array"})", "{}", nullptr, "array" },
  { R"({"type":["string","null"]})", "null", "null", nullptr },
  { R"({"type":["string","null"]})", "1", nullptr, "string | null" },
  { R"({"enum":["a",1,null]})", "1.0", "1", nullptr },
  { R"({"enum":["a",1]})", "2", nullptr, "[\"a\",1]" },
  { R"({"minimum":1,"maximum":2})", "1", "1", nullptr },
  { R"({"minimum":1,"maximum":2})", "2", "2", nullptr },
  { R"({"minimum":1})", "0.5", nullptr, "at least 1" },
  { R"({"maximum":2})", "3", nullptr, "at most 2" },
  { R"({"maximum":2})", "\"text\"", "\"text\"", nullptr },
  { R"({"minLength":2,"maxLength":3})", "\"äö\"", "\"äö\"", nullptr },
  { R"({"minLength":2})", "\"ä\"", nullptr, "at least 2" },
  { R"({"maxLength":2})", "\"abc\"", nullptr, "at most 2" },
  { R"({"pattern":"^a+$"})", "\"aaa\"", "\"aaa\"", nullptr },
  { R"({"pattern":"^a+$"})", "\"ab\"", nullptr, "^a+$" },
  { R"({"pattern":"^(a+)+$"})", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", nullptr, "too long" },
  { R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})", R"({"a":1})", nullptr },
  { R"({"properties":{"a":{}},"additionalProperties":false})", R"({"b":1})", nullptr, "“/b”" },
  { R"({"additionalProperties":true})", R"({"b":1})", R"({"b":1})", nullptr },
  { R"({"additionalProperties":{"type":"integer"}})", R"({"b":1})", R"({"b":1})", nullptr },
  { R"({"additionalProperties":{"type":"integer"}})", R"({"b":"x"})", nullptr, "“/b”" },
};

INSTANTIATE_TEST_SUITE_P (All, Input, testing::ValuesIn (inputs));

} // namespace
