/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiling costs each node the same, however many there are: what it asks of malloc is counted, and what the plan keeps. */
#include "nebula-test.h"

#include "counted-malloc.h"
#include "nebula-limits.h"
#include "nebula-plan-internal.h"
#include "test-resolver.h"

using namespace nebula;
using Plan = Owned<NebulaPlan, nebula_plan_unref>;

namespace
{

struct Cost
{
  double calls;
  double bytes;
};

std::string
make_node (const std::string &id, const std::string &after)
{
  return "\"" + id + "\": {\"action\": \"data.set\", \"with\": {\"v\": \"{{ $input.n + 1 }}\"}" +
         (after.empty () ? "" : ", \"after\": [" + after + "]") + "}";
}

std::string
quote (const std::string &id)
{
  return "\"" + id + "\"";
}

std::string
chain (guint n)
{
  std::string nodes;
  for (guint i = 0; i < n; i++)
    nodes += (i ? ", " : "") + make_node ("n" + std::to_string (i), i ? quote ("n" + std::to_string (i - 1)) : "");
  return nodes;
}

std::string
fan (guint n)
{
  std::string nodes = make_node ("first", "");
  std::string all;
  for (guint i = 0; i < n; i++) {
    std::string id = "n" + std::to_string (i);
    nodes += ", " + make_node (id, quote ("first"));
    all += (i ? ", " : "") + quote (id);
  }
  return nodes + ", " + make_node ("last", all);
}

/* Layers of ten, each node after two of the layer before. */
std::string
layers (guint n)
{
  std::string nodes;
  for (guint i = 0; i < n; i++) {
    guint layer = i / 10;
    std::string after;
    if (layer > 0)
      after = quote ("n" + std::to_string ((layer - 1) * 10 + i % 10)) + ", " +
              quote ("n" + std::to_string ((layer - 1) * 10 + (i + 3) % 10));
    nodes += (i ? ", " : "") + make_node ("n" + std::to_string (i), after);
  }
  return nodes;
}

Cost
compile (const std::string &nodes, guint n)
{
  Ref<TestResolver> resolver ((TestResolver *) g_object_new (TEST_TYPE_RESOLVER, nullptr));
  GPtrArray *diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  std::string text = "{\"nebula\": 1, \"name\": \"x\", \"nodes\": {" + nodes + "}}";
  GBytes *bytes = g_bytes_new (text.data (), text.size ());
  Error error;
  Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, "x.json", diagnostics, error.out ()));
  EXPECT_TRUE (workflow) << error.message ();
  guint64 calls_before = n_mallocs;
  guint64 asked_before = malloc_bytes;
  Plan plan (nebula_workflow_compile_limited (workflow.get (), NEBULA_ACTION_RESOLVER (resolver.get ()),
                                              NEBULA_LIMIT_NODES_MAX, 2 * NEBULA_LIMIT_NODES_MAX,
                                              diagnostics, error.out ()));
  Cost cost = { (double) (n_mallocs - calls_before) / n, (double) (malloc_bytes - asked_before) / n };

  EXPECT_TRUE (plan) << error.message ();
  if (plan) {
    EXPECT_GE (plan.get ()->n_nodes, n);
  }
  g_bytes_unref (bytes);
  g_ptr_array_unref (diagnostics);
  return cost;
}

} // namespace

class PlanScale : public testing::TestWithParam<std::string (*) (guint)>
{
};

TEST_P (PlanScale, EachNodeCostsTheSame)
{
#ifndef COUNTS
  GTEST_SKIP () << "calls of malloc cannot be counted here (sanitizers have their own)";
#endif
  compile (GetParam () (100), 100); /* fills caches */
  Cost small = compile (GetParam () (1000), 1000);
  for (guint n : { 10000u, 30000u }) {
    Cost large = compile (GetParam () (n), n);
    EXPECT_LE (large.calls, small.calls * 1.3) << n;
    EXPECT_LE (large.bytes, small.bytes * 1.5) << n;
    g_print ("%u nodes: %.1f calls, %.0f bytes each (1,000: %.1f, %.0f)\n", n, large.calls, large.bytes,
             small.calls, small.bytes);
  }
}

INSTANTIATE_TEST_SUITE_P (Shapes, PlanScale, testing::Values (chain, fan, layers));
