/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiling costs each node the same, however many there are: what it asks of malloc is counted, and what the plan keeps. */
#include "nebula-test.h"

#include "nebula-limits.h"
#include "nebula-plan-internal.h"
#include "test-resolver.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER
#endif

using namespace nebula;
using Plan = Owned<NebulaPlan, nebula_plan_unref>;

static thread_local guint64 calls;
static thread_local guint64 asked;

#if !defined(HAS_SANITIZER) && defined(__GLIBC__)
#define COUNTS
extern "C" {
void *__libc_malloc (size_t size);
void *__libc_calloc (size_t count, size_t size);
void *__libc_realloc (void *block, size_t size);

void *
malloc (size_t size)
{
  calls++;
  asked += size;
  return __libc_malloc (size);
}

void *
calloc (size_t count, size_t size)
{
  calls++;
  asked += count * size;
  return __libc_calloc (count, size);
}

void *
realloc (void *block, size_t size)
{
  calls++;
  asked += size;
  return __libc_realloc (block, size);
}
}
#endif

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
  guint64 calls_before = calls;
  guint64 asked_before = asked;
  Plan plan (nebula_workflow_compile_limited (workflow.get (), NEBULA_ACTION_RESOLVER (resolver.get ()),
                                              NEBULA_LIMIT_NODES_MAX, 2 * NEBULA_LIMIT_NODES_MAX,
                                              diagnostics, error.out ()));
  Cost cost = { (double) (calls - calls_before) / n, (double) (asked - asked_before) / n };

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
