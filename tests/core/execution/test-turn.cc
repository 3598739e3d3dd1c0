/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a kernel puts off because it is too heavy for the loop, and that nothing of it shows in the facts. */
#include "kernel-driver.h"

#include "nebula-kernel-private.h"
#include "nebula-limits.h"

using namespace nebula;

class TurnTest : public testing::Test
{
protected:
  /* Runs a workflow with this fuel on the loop; 0: away from it. */
  KernelDriver &run (const char *text, guint64 fuel, const std::string &input = "{}")
  {
    driver.reset ();
    plan = compile (resolver.get (), text);
    driver = std::make_unique<KernelDriver> (plan.get (), spills);
    watch_reads ();
    driver->start (input.c_str ());
    driver->work_inline (fuel);
    driver->run ();
    return *driver;
  }

  std::string facts ()
  {
    std::string all;

    for (GBytes *segment : driver->segments) {
      gsize size;
      auto data = (const char *) g_bytes_get_data (segment, &size);

      all.append (data, size);
    }
    return all;
  }

  /* Away and inline it gives the same facts; returns how often it left the loop. */
  guint count_away (const char *text,
                    guint64 fuel = NEBULA_LIMIT_FUEL_INLINE,
                    const std::string &input = "{}")
  {
    run (text, 0, input);
    EXPECT_EQ (driver->n_away, 0u);
    std::string expected = facts ();
    run (text, fuel, input);
    EXPECT_EQ (facts (), expected);
    return driver->n_away;
  }

  static std::string numbers (guint n)
  {
    std::string text = "[0";

    for (guint i = 1; i < n; i++)
      text += "," + std::to_string (i);
    return text + "]";
  }

  static std::string text_of (gsize length)
  {
    return "\"" + std::string (length, 'x') + "\"";
  }

  Ref<NebulaActionResolver> resolver = new_world_resolver ();
  Plan plan;
  std::unique_ptr<KernelDriver> driver;
  bool spills = false;
  guint n_loop_reads = 0;

private:
  void watch_reads ()
  {
    NebulaKernelHost host = {effect_of_class, nullptr, this, read_blob, driver->blobs.cache};

    nebula_kernel_set_host (driver->kernel, &host);
  }

  static GBytes *
  read_blob (const char *digest, gboolean may_block, gpointer data, GError **error)
  {
    TurnTest *self = (TurnTest *) data;

    self->n_loop_reads += self->driver->kernel->inline_fuel > 0;
    return self->driver->blobs.read_bytes (digest);
  }
};

TEST_F (TurnTest, KeepsLightWorkOnTheLoop)
{
  EXPECT_EQ (count_away (R"(
name: light
nodes:
  a: { action: data.set, with: { x: "{{ range(0, 100 + length($input)) | sum() }}" } }
  b: { action: test.effect, with: { y: "{{ $json.x }}" }, after: [a] }
  c: { action: flow.for-each, with: { items: [1, 2] }, after: [b], body: { nodes: { d: { action: flow.no-op } } } }
)"),
             0u);
}

TEST_F (TurnTest, PutsOffWhatRunsOutOfInlineFuel)
{
  EXPECT_EQ (count_away (R"(
name: fuel
nodes:
  a: { action: data.set, with: { x: "{{ range(0, 20000 + length($input)) | sum() }}" } }
  b: { action: data.set, with: { x: 1 }, after: [a] }
)"),
             1u);
  EXPECT_EQ (driver->status (), "completed");
  EXPECT_EQ (driver->result ("a"), R"({"x":199990000})");
}

TEST_F (TurnTest, EndsAnEndlessExpressionByItsFuel)
{
  EXPECT_EQ (count_away (R"(
name: endless
nodes:
  a: { action: data.set, with: { x: "{{ range(length($input), 3000) | map(x => sum(range(x, 9000))) | sum() }}" } }
)"),
             1u);
  EXPECT_EQ (driver->status (), "failed");
  EXPECT_EQ (driver->error_code (), "budget-exceeded");
}

TEST_F (TurnTest, PutsOffEveryKindOfEvaluation)
{
  const char *const all[] = {
      "{name: w, nodes: {a: {action: test.effect, with: {x: '{{ range(0, 50 + length($input)) | sum() }}'}}}}",
      "{name: w, nodes: {a: {action: flow.stop, with: {output: '{{ range(0, 50 + length($input)) | sum() }}'}}}}",
      "{name: w, nodes: {a: {action: flow.fail, with: {message: '{{ range(0, 50 + length($input)) | sum() | to_string() }}'}}}}",
      "{name: w, nodes: {a: {action: flow.wait, with: {duration: '{{ range(0, 50 + length($input)) | length() }}ms'}}}}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: '{{ range(0, 50 + length($input)) }}'}, body: {nodes: {b: {action: flow.no-op}}}}}}",
      "{name: w, nodes: {a: {action: flow.while, with: {condition: 'sum(range(0, 50 + length($input))) < $index'}, body: {nodes: {b: {action: flow.no-op}}}}}}",
      "{name: w, nodes: {a: {action: flow.no-op}, b: {action: flow.no-op}}, connections: [{from: a, to: b, when: 'sum(range(0, 50 + length($input))) > 1'}]}",
      "{name: w, nodes: {a: {action: flow.no-op}, b: {action: flow.no-op}, c: {action: flow.no-op, after: [a, b], join: {need: '{{ range(0, 50 + length($input)) | filter(x => x < 1) | length() }}'}}}}",
      "{name: w, nodes: {a: {action: flow.no-op}}, output: '{{ range(0, 50 + length($input)) | sum() }}'}",
      "{name: w, settings: {concurrency: {limit: 1, key: '{{ range(0, 50 + length($input)) | sum() }}'}}, nodes: {a: {action: flow.no-op}}}",
      "{name: w, nodes: {a: {action: flow.repeat, with: {times: '{{ range(0, 50 + length($input)) | length() }}'}, body: {nodes: {b: {action: flow.no-op}}}}}}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: [1, 2, 3], done-when: 'sum(range(0, 50 + length($items))) < $index'}, body: {nodes: {b: {action: flow.no-op}}}}}}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: [1, 2, 3], concurrency: 3, done-when: 'sum(range(0, 50 + length($items))) > $index', rest: ignore}, body: {nodes: {b: {action: flow.wait, with: {duration: 1s}}}}}}}",
      "{name: w, nodes: {a: {action: flow.no-op, lock: 'l{{ range(0, 50 + length($input)) | sum() }}'}}}",
      "{name: w, nodes: {a: {action: flow.wait, with: {duration: 1h}, region: r1225}, b: {action: flow.cancel, with: {region: \"{{ 'r' + to_string (sum (range (0, 50 + length ($input)))) }}\"}}}}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: [60, 1]}, body: {nodes: {b: {action: flow.add, with: {items: '{{ range(0, 60) | filter(x => x + 1 == $item - 1) }}'}, undo: {action: data.set, with: {v: 1}}}}}}}}",
      "{name: w, nodes: {a: {action: data.set, with: {v: 1}, undo: {action: data.set, with: {v: '{{ range(0, 50 + length($input)) | sum() }}'}}}, b: {action: flow.fail, after: [a]}}}",
      "{name: w, nodes: {a: {action: flow.wait, with: {duration: 1s}, undo: {action: test.effect, with: {v: '{{ range(0, 50 + length($input)) | sum() }}'}}}, b: {action: flow.fail, after: [a]}}}",
      "{name: w, nodes: {a: {action: flow.try, body: {nodes: {b: {action: data.set, with: {v: '{{ range(0, 50 + length($input)) | sum() }}'}}}}}}}",
      "{name: w, nodes: {a: {action: flow.race, with: {success: '{{ sum(range(0, 50 + length($input))) > 1 }}'}, bodies: {x: {nodes: {b: {action: flow.no-op}}}, y: {nodes: {c: {action: flow.no-op}}}}}}}",
  };

  for (const char *text : all)
    EXPECT_GE (count_away (text, 20), 1u) << text;
}

TEST_F (TurnTest, PutsOffLargeValues)
{
  std::string large = "{\"v\": " + text_of (70000) + ", \"items\": " + numbers (1500) + "}";
  const char *const all[] = {
      "{name: w, nodes: {a: {action: flow.no-op}}}",
      "{name: w, nodes: {a: {action: data.set, with: {v: '{{ $input.v }}'}}}}",
      "{name: w, nodes: {a: {action: test.effect, with: {v: '{{ $input.v }}'}}}}",
      "{name: w, nodes: {a: {action: flow.stop, with: {output: '{{ $input.v }}'}}}}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: ['{{ $input.v }}']}, body: {nodes: {b: {action: flow.break}}}}}}",
      "{name: w, nodes: {a: {action: flow.no-op, disabled: true}}}",
      "{name: w, nodes: {a: {action: test.effect}}, output: '{{ $input.v }}'}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: '{{ $input.items }}'}, body: {nodes: {b: {action: flow.no-op}}}}}}",
  };

  for (const char *text : all)
    EXPECT_GE (count_away (text, NEBULA_LIMIT_FUEL_INLINE, large), 1u) << text;
}

/* What is stored is read away from the loop; what was read or written of late is in memory. */
TEST_F (TurnTest, ReadsAndStoresAwayFromTheLoop)
{
  const char *const all[] = {
      "{name: w, nodes: {a: {action: data.set, with: {v: \"{{ repeat('x', 70000) }}\"}}, b: {action: data.set, with: {n: '{{ length($nodes.a.result.v) }}'}, after: [a]}}}",
      "{name: w, nodes: {a: {action: test.effect, with: {v: \"{{ repeat('x', 70000) }}\"}}, b: {action: test.effect, with: {n: '{{ $json.v }}'}, after: [a]}}}",
      "{name: w, nodes: {a: {action: test.effect, with: {v: \"{{ repeat('x', 70000) }}\"}, undo: {action: test.effect, with: {v: '{{ $json.v }}', w: '{{ length($json.v) }}'}}}, b: {action: flow.fail, after: [a]}}}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: '{{ range(0, 1200) }}', concurrency: 30}, body: {nodes: {b: {action: data.set, with: {v: '{{ $item }}'}}}}}}, output: '{{ $nodes.a.result | sum(x => x.v) }}'}",
      "{name: w, nodes: {a: {action: flow.for-each, with: {items: '{{ range(0, 1200) }}', concurrency: 900, done-when: '$index == 1100'}, body: {nodes: {b: {action: test.pure, with: {v: '{{ $item }}'}}}}}}, output: '{{ $nodes.a.result | sum(x => x.v) }}'}",
  };

  spills = true;
  for (const char *text : all) {
    EXPECT_GE (count_away (text), 1u) << text;
    EXPECT_EQ (n_loop_reads, 0u) << text;
    EXPECT_GT (driver->blobs.n_reads + driver->blobs.stored.size (), 0u) << text;
  }
}

TEST_F (TurnTest, AnUndoSeesALargeResult)
{
  spills = true;
  run ("{name: w, nodes: {a: {action: test.effect, with: {v: \"{{ repeat('x', 70000) }}\"}, undo: {action: test.effect, with: {n: '{{ length($json.v) }}'}}}, b: {action: flow.fail, after: [a]}}}",
       NEBULA_LIMIT_FUEL_INLINE);
  EXPECT_EQ (driver->answers.back (), R"({"n":70000})");
}

TEST_F (TurnTest, TakesNoSmallValueAwayForTheSizeOfOthers)
{
  std::string large = "{\"v\": " + text_of (70000) + "}";
  const char *text = R"(
name: rounds
nodes:
  each: { action: flow.for-each, with: { items: [1, 2, 3, 4] }, body: { nodes: {
    a: { action: data.set, with: { n: "{{ length($input.v) + $item }}" } } } } }
)";

  EXPECT_EQ (count_away (text, NEBULA_LIMIT_FUEL_INLINE, large), 0u);
  EXPECT_EQ (driver->status (), "completed");
}

TEST_F (TurnTest, OpensManyRoundsInSeveralTurns)
{
  std::string text =
      "{name: w, nodes: {each: {action: flow.for-each, with: {items: '{{ range(0, 900) }}', concurrency: 900},"
      " body: {nodes: {a: {action: flow.no-op}}}}}}";

  run (text.c_str (), 0);
  EXPECT_EQ (driver->status (), "completed");
  plan = compile (resolver.get (), text.c_str ());
  driver = std::make_unique<KernelDriver> (plan.get ());
  driver->start ();
  while (nebula_kernel_turn (driver->kernel, 10, driver->now) == NEBULA_TURN_MORE) {
    ASSERT_LE (nebula_kernel_get_n_facts (driver->kernel), 12u);
    driver->commit ();
  }
  EXPECT_EQ (driver->status (), "completed");
  driver->commit ();
  driver->check_fold ();
}

TEST_F (TurnTest, IsCancelledWhileADecisionIsPutOff)
{
  plan = compile (resolver.get (),
                  "{name: w, nodes: {a: {action: data.set, with: {x: '{{ range(0, 50 + length($input)) | sum() }}'}}}}");
  driver = std::make_unique<KernelDriver> (plan.get ());
  driver->start ();
  nebula_kernel_set_inline_fuel (driver->kernel, 5);
  guint64 before = driver->state ()->sequence;
  EXPECT_EQ (nebula_kernel_turn (driver->kernel, 64, driver->now), NEBULA_TURN_HEAVY);
  EXPECT_EQ (nebula_kernel_turn (driver->kernel, 64, driver->now), NEBULA_TURN_HEAVY);
  EXPECT_EQ (driver->state ()->sequence, before) << "what is put off leaves a trace";
  nebula_kernel_cancel (driver->kernel, NEBULA_EXECUTION_STATUS_CANCELLED, "enough", driver->now);
  driver->n_away = 0;
  driver->work_inline (5);
  driver->settle ();
  EXPECT_EQ (driver->status (), "cancelled");
  driver->check_fold ();
}

/* The host may ask for the loop, as for a class of actions that is not loaded: the parameters are resolved once. */
TEST_F (TurnTest, ComesHomeForWhatOnlyTheLoopMayDo)
{
  struct World {
    bool is_home;
    guint n_asked;
  } world = {true, 0};
  NebulaKernelHost host = {
      [] (NebulaPlanNode *node, const NebulaArguments *arguments, gpointer data,
          GError **error) -> gint {
        auto self = (World *) data;

        self->n_asked++;
        if (self->is_home)
          return nebula_action_info_get_effect (node->info);
        g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "not here");
        return -1;
      },
      nullptr, &world};

  plan = compile (resolver.get (),
                  "{name: w, nodes: {a: {action: test.effect, with: {x: '{{ range(0, 50 + length($input)) | sum() }}'}}}}");
  driver = std::make_unique<KernelDriver> (plan.get ());
  nebula_kernel_set_host (driver->kernel, &host);
  driver->start ();
  nebula_kernel_set_inline_fuel (driver->kernel, 5);
  EXPECT_EQ (nebula_kernel_turn (driver->kernel, 64, driver->now), NEBULA_TURN_HEAVY);
  EXPECT_EQ (world.n_asked, 0u);
  world.is_home = false;
  nebula_kernel_set_inline_fuel (driver->kernel, 0);
  EXPECT_EQ (nebula_kernel_turn (driver->kernel, 64, driver->now), NEBULA_TURN_MORE);
  EXPECT_EQ (world.n_asked, 1u);
  world.is_home = true;
  nebula_kernel_set_inline_fuel (driver->kernel, 5);
  EXPECT_EQ (nebula_kernel_turn (driver->kernel, 64, driver->now), NEBULA_TURN_IDLE);
  EXPECT_EQ (driver->commit ().size (), 1u);
  driver->check_fold ();
}
