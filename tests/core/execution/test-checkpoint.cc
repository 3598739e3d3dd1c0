/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What checkpoints hold and refuse. That they give every state again is checked at each commit of the kernel's tests
 * (KernelDriver) and at every step of the simulation. */
#include "busy-workflow.h"
#include "kernel-driver.h"

#include "nebula-checkpoint-private.h"

using namespace nebula;

class CheckpointTest : public testing::Test
{
protected:
  /* Somewhere in the middle: rounds, retries, waits, tokens, a signal that nobody took. */
  void begin (const std::string &text)
  {
    Value one = json ("{\"n\":1}");

    plan = compile (resolver.get (), text.c_str ());
    driver = std::make_unique<KernelDriver> (plan.get ());
    driver->start (R"({"name":"somebody","numbers":[1,2,3]})");
    driver->settle ();
    driver->now += 1500000;
    nebula_kernel_tick (driver->kernel, driver->now);
    driver->settle ();
    nebula_kernel_signal (driver->kernel, "other", one.get (), driver->now);
    driver->commit ();
  }
  std::string checkpoint ()
  {
    GBytes *bytes = nebula_state_to_checkpoint (driver->state ());
    std::string text ((const char *) g_bytes_get_data (bytes, nullptr),
                      g_bytes_get_size (bytes));

    g_bytes_unref (bytes);
    return text;
  }
  static std::string sum_up (std::string text)
  {
    text.resize (text.size () - NEBULA_CHECKPOINT_SUM_BYTES);
    guint64 sum = _nebula_checkpoint_sum ((const guint8 *) text.data (), text.size ());

    for (guint i = 0; i < NEBULA_CHECKPOINT_SUM_BYTES; i++)
      text += (char) (sum >> (8 * i));
    return text;
  }
  NebulaState *read (const std::string &text, Error &error, NebulaPlan *other = nullptr)
  {
    GBytes *bytes = g_bytes_new (text.data (), text.size ());
    NebulaState *state = nebula_state_from_checkpoint (other ? other : plan.get (), bytes,
                                                       error.out ());

    g_bytes_unref (bytes);
    return state;
  }

  Ref<NebulaActionResolver> resolver = new_world_resolver ();
  Plan plan;
  std::unique_ptr<KernelDriver> driver;
};

TEST_F (CheckpointTest, HoldsABusyState)
{
  begin (busy_workflow);
  NebulaState *state = driver->state ();

  EXPECT_EQ (state->signals.length, 1u);
  EXPECT_GE (g_hash_table_size (state->lanes), 2u);
  EXPECT_GE (state->works.length, 5u);
  driver->check_checkpoint ();
  driver->run ();
}

TEST_F (CheckpointTest, EndsAsItWouldHaveWithout)
{
  begin (busy_workflow);
  KernelDriver other (plan.get ());
  Error error;

  for (GBytes *segment : driver->segments)
    ASSERT_TRUE (nebula_state_fold (other.state (), segment, nullptr));
  other.now = driver->now;
  NebulaState *restored = read (checkpoint (), error);
  ASSERT_TRUE (restored) << error.message ();
  nebula_kernel_take_state (driver->kernel, restored);
  size_t n_before = driver->segments.size ();
  for (KernelDriver *each : {driver.get (), &other}) {
    nebula_kernel_recover (each->kernel, each->now);
    each->settle ();
    for (gint64 due; (due = nebula_kernel_get_next_due (each->kernel)) != 0;) {
      each->now = MAX (each->now, due);
      nebula_kernel_tick (each->kernel, each->now);
      each->settle ();
    }
  }
  EXPECT_EQ (other.status (), driver->status ());
  ASSERT_EQ (other.segments.size (), driver->segments.size () - n_before);
  for (size_t i = 0; i < other.segments.size (); i++)
    EXPECT_TRUE (g_bytes_equal (other.segments[i], driver->segments[n_before + i])) << i;
  EXPECT_EQ (StateDump::of (other.state ()), StateDump::of (driver->state ()));
}

/* An empty state is one as well: before the first fact. */
TEST_F (CheckpointTest, HoldsNothing)
{
  Error error;

  plan = compile (resolver.get (), "{name: n, nodes: {a: {action: flow.no-op}}}");
  NebulaState *state = nebula_state_new (plan.get ());
  GBytes *bytes = nebula_state_to_checkpoint (state);
  NebulaState *again = nebula_state_from_checkpoint (plan.get (), bytes, error.out ());

  ASSERT_TRUE (again) << error.message ();
  EXPECT_EQ (StateDump::of (again), StateDump::of (state));
  EXPECT_LT (g_bytes_get_size (bytes), 20u);
  g_bytes_unref (bytes);
  nebula_state_free (again);
  nebula_state_free (state);
}

TEST_F (CheckpointTest, TakesTensOfBytesForANodeRun)
{
  std::string text = "{name: n, nodes: {n0: {action: data.set, with: {v: 0}}";
  const guint n = 1000;

  for (guint i = 1; i < n; i++)
    text += ", n" + std::to_string (i) + ": {action: data.set, with: {v: 1}, after: [n" +
            std::to_string (i - 1) + "]}";
  text += ", w: {action: flow.wait, with: {signal: s}, after: [n999]}}}";
  begin (text);
  EXPECT_LT (checkpoint ().size (), 30 * n);
}

/* A value that many hold is written once, and is one value afterwards. */
TEST_F (CheckpointTest, SharesValues)
{
  std::string big (10000, 'x');
  std::string text = "{name: n, nodes: {a: {action: data.set, with: {v: " + big + "}}";
  Error error;

  for (guint i = 0; i < 20; i++)
    text += ", n" + std::to_string (i) + ": {action: flow.no-op, after: [a]}";
  text += ", w: {action: flow.wait, with: {signal: s}, after: [a, n3]}}}";
  begin (text);
  std::string bytes = checkpoint ();
  EXPECT_LT (bytes.size (), 11000u);
  NebulaState *restored = read (bytes, error);
  ASSERT_TRUE (restored) << error.message ();
  EXPECT_EQ (restored->root->runs[0].value, restored->root->runs[5].value);
  nebula_state_free (restored);
}

/* Nodes are named by id: another place in the plan is the same node. */
TEST_F (CheckpointTest, NamesNodesById)
{
  Error error;

  begin ("{name: n, nodes: {a: {action: data.set, with: {v: 7}}, "
         "b: {action: flow.wait, with: {signal: s}, after: [a]}}}");
  Plan other = compile (resolver.get (),
                        "{name: n, nodes: {new: {action: flow.no-op}, b: {action: "
                        "flow.wait, with: {signal: s}, after: [a]}, a: {action: "
                        "data.set, with: {v: 7}}}}");
  NebulaState *restored = read (checkpoint (), error, other.get ());
  ASSERT_TRUE (restored) << error.message ();
  EXPECT_EQ (restored->root->runs[0].status, NEBULA_NODE_PENDING);
  EXPECT_EQ (restored->root->runs[1].status, NEBULA_NODE_WAITING);
  EXPECT_EQ (to_json (restored->root->runs[2].value), R"({"v":7})");
  nebula_state_free (restored);

  Plan without = compile (resolver.get (),
                          "{name: n, nodes: {a: {action: data.set, with: {v: 7}}}}");
  EXPECT_FALSE (read (checkpoint (), error, without.get ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));
}

TEST_F (CheckpointTest, RefusesNewerFormats)
{
  Error error;

  begin (busy_workflow);
  std::string text = checkpoint ();
  ASSERT_EQ (text[0], NEBULA_CHECKPOINT_FORMAT);
  text[0]++;
  EXPECT_FALSE (read (sum_up (text), error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_VERSION));
}

TEST_F (CheckpointTest, RefusesDamage)
{
  begin (busy_workflow);
  std::string good = checkpoint ();

  for (size_t i = 0; i < good.size (); i++) {
    for (int bit : {0, 3, 7}) {
      std::string bad = good;
      Error error;

      bad[i] = (char) (bad[i] ^ (1 << bit));
      ASSERT_FALSE (read (bad, error)) << "byte " << i;
      EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));
    }
    Error error;
    ASSERT_FALSE (read (good.substr (0, i), error));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));
  }
}

/* Bytes that somebody made up, with a sum that is right: refused, or a state that the kernel can live with. */
TEST_F (CheckpointTest, SurvivesLies)
{
  guint n_accepted = 0;
  guint n_refused = 0;

  begin (busy_workflow);
  std::string good = checkpoint ();
  for (size_t i = 0; i + NEBULA_CHECKPOINT_SUM_BYTES < good.size (); i++) {
    for (guint change = 0; change < 12; change++) {
      std::string bad = good;
      Error error;

      bad[i] = (char) (change < 8 ? bad[i] ^ (1 << change)
                                  : (const char[]) {0, 1, 127, -1}[change - 8]);
      NebulaState *state = read (sum_up (bad), error);
      if (!state) {
        n_refused++;
        ASSERT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT) ||
                     has_error (error, NEBULA_ERROR_STORE_VERSION));
        continue;
      }
      n_accepted++;
      KernelDriver other (plan.get ());
      nebula_kernel_take_state (other.kernel, state);
      nebula_kernel_recover (other.kernel, driver->now);
      while (nebula_kernel_turn (other.kernel, 256, driver->now) &&
             nebula_kernel_get_n_facts (other.kernel) < 1000)
        ;
      nebula_kernel_tick (other.kernel, driver->now + G_TIME_SPAN_DAY);
      nebula_kernel_cancel (other.kernel, NEBULA_EXECUTION_STATUS_CANCELLED, nullptr,
                            driver->now);
      nebula_kernel_turn (other.kernel, 256, driver->now);
    }
  }
  EXPECT_GT (n_refused, n_accepted);
  EXPECT_GT (n_accepted, 0u) << "a number here or there may be any";
}
