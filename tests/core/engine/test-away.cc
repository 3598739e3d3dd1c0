/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns that are too heavy for the loop: where they run, what waits for them, and that nothing of it shows. */
#include "engine-test.h"

#include "nebula-engine-private.h"
#include "nebula-limits.h"

using namespace nebula;

/* An executor whose work is held until a test lets it go, in a thread of its own. */
typedef struct {
  GObject parent_instance;
  std::vector<std::pair<NebulaExecutorFunction, gpointer>> *held;
} HeldExecutor;
typedef struct {
  GObjectClass parent_class;
} HeldExecutorClass;

static void
held_executor_push (NebulaExecutor *self, void (*function) (gpointer), gpointer data)
{
  ((HeldExecutor *) self)->held->push_back ({function, data});
}

static void
held_executor_iface_init (gpointer iface, gpointer data)
{
  ((NebulaExecutorInterface *) iface)->push = held_executor_push;
}

GType held_executor_get_type (void);
G_DEFINE_TYPE_WITH_CODE (HeldExecutor,
                         held_executor,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (NEBULA_TYPE_EXECUTOR,
                                                held_executor_iface_init))

static void
held_executor_finalize (GObject *object)
{
  delete ((HeldExecutor *) object)->held;
  G_OBJECT_CLASS (held_executor_parent_class)->finalize (object);
}

static void
held_executor_class_init (HeldExecutorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = held_executor_finalize;
}

static void
held_executor_init (HeldExecutor *self)
{
  self->held = new std::vector<std::pair<NebulaExecutorFunction, gpointer>>;
}

class AwayTest : public EngineFixture
{
protected:
  void SetUp () override
  {
    take_evaluated ();
    EngineFixture::SetUp ();
  }

  void TearDown () override
  {
    if (held_)
      release ();
    EngineFixture::TearDown ();
  }

  /* The engine again, with an executor that is held. */
  void hold ()
  {
    close ();
    executor = Ref<NebulaExecutor> (
        (NebulaExecutor *) g_object_new (held_executor_get_type (), nullptr));
    held_ = (HeldExecutor *) executor.get ();
    open ();
  }

  bool is_away ()
  {
    return held_ && !held_->held->empty ();
  }

  /* Does what is held, off the loop. */
  void release ()
  {
    while (is_away ()) {
      auto work = held_->held->front ();

      held_->held->erase (held_->held->begin ());
      g_thread_join (g_thread_new ("held", run, new auto (work)));
    }
  }

  bool settle ()
  {
    return run_until ([this] {
      release ();
      return nebula_execution_status_is_terminal (
          nebula_execution_get_status (execution.get ()));
    });
  }

  /* How often this engine's executions left the loop. */
  guint64 count_away ()
  {
    return engine.get ()->statistics.n_away;
  }

  void expect_away_from_loop (size_t n)
  {
    std::vector<GThread *> threads = take_evaluated ();

    EXPECT_EQ (threads.size (), n);
    for (GThread *thread : threads)
      EXPECT_NE (thread, g_thread_self ()) << "a heavy evaluation ran on the loop";
  }

  static gpointer run (gpointer data)
  {
    auto work = (std::pair<NebulaExecutorFunction, gpointer> *) data;

    work->first (work->second);
    delete work;
    return nullptr;
  }

  static gpointer let_go (gpointer data)
  {
    ((AwayTest *) data)->release ();
    return nullptr;
  }

  HeldExecutor *held_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P (Stores,
                          AwayTest,
                          testing::Values ("memory", "sqlite"),
                          [] (const auto &info) { return info.param; });

static const char heavy[] =
    "{name: w, nodes: {a: {action: test.where, with: {v: '{{ range(length($input), 100) | map(x => sum(range(x, 9000))) | sum() }}'}},"
    " b: {action: test.effect, with: {v: 1}, after: [a]}}}";

TEST_P (AwayTest, EvaluatesAMillionStepsOffTheLoop)
{
  start (heavy);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (count_away (), 1u);
  expect_away_from_loop (1);
}

TEST_P (AwayTest, WorksOnTenMegabytesOffTheLoop)
{
  std::string input = "{\"v\": \"" + std::string (10 * 1000 * 1000, 'x') + "\"}";

  start ("{name: w, nodes: {a: {action: test.where, with: {v: '{{ $input.v }}'}},"
         " b: {action: test.where, with: {n: '{{ length($json.v) }}'}, after: [a]},"
         " c: {action: flow.no-op, after: [b]}}}",
         input.c_str ());
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"n":10000000})");
  EXPECT_GE (count_away (), 1u);
  expect_away_from_loop (2);
}

TEST_P (AwayTest, KeepsLightWorkOnTheLoop)
{
  start ("{name: w, nodes: {a: {action: test.where, with: {v: '{{ length($input) }}'}}}}");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (count_away (), 0u);
  EXPECT_EQ (take_evaluated (), std::vector<GThread *> ({g_thread_self ()}));
}

TEST_P (AwayTest, TakesALargeResultOffTheLoop)
{
  std::string input = "{\"v\": \"" + std::string (100000, 'x') + "\"}";

  start ("{name: w, nodes: {a: {action: test.effect, with: {v: '{{ $input.v }}'}},"
         " b: {action: data.set, with: {n: '{{ length($json.v) }}'}, after: [a]}}}",
         input.c_str ());
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"n":100000})");
  EXPECT_GE (count_away (), 2u);
}

TEST_P (AwayTest, EndsAnEndlessExpressionByItsFuel)
{
  start ("{name: w, nodes: {a: {action: data.set, with: {v: '{{ range(length($input), 3000) |"
         " map(x => sum(range(x, 9000))) | sum() }}'}}}}");
  /* Ten million steps, under a sanitizer too. */
  ASSERT_TRUE (run_until (
      [this] {
        return nebula_execution_status_is_terminal (
            nebula_execution_get_status (execution.get ()));
      },
      100 * G_USEC_PER_SEC));
  EXPECT_EQ (status (), "failed");
}

TEST_P (AwayTest, IsCancelledWhileItIsAway)
{
  bool is_answered = false;

  hold ();
  start (heavy);
  ASSERT_TRUE (run_until ([this] { return is_away (); }));
  nebula_execution_cancel_async (
      execution.get (), "enough", nullptr,
      [] (GObject *object, GAsyncResult *result, gpointer data) {
        EXPECT_TRUE (
            nebula_execution_cancel_finish ((NebulaExecution *) object, result, nullptr));
        *(bool *) data = true;
      },
      &is_answered);
  EXPECT_FALSE (run_until ([&] { return is_answered; }, 50000));
  ASSERT_TRUE (settle ());
  EXPECT_TRUE (run_until ([&] { return is_answered; }));
  EXPECT_EQ (status (), "cancelled");
}

TEST_P (AwayTest, KeepsTheOrderOfWhatComesWhileItIsAway)
{
  std::vector<int> order;
  static std::vector<int> *seen;

  seen = &order;
  hold ();
  start ("{name: w, nodes: {a: {action: data.set, with: {v: '{{ range(length($input), 100) | map(x => sum(range(x, 9000))) | sum() }}'}},"
         " s: {action: flow.wait, with: {signal: go}, after: [a]},"
         " t: {action: flow.wait, with: {duration: 10s}}}}");
  ASSERT_TRUE (run_until ([this] { return is_away (); }));
  for (int i = 0; i < 3; i++)
    nebula_execution_signal_async (
        execution.get (), "go", nullptr, nullptr,
        [] (GObject *object, GAsyncResult *result, gpointer data) {
          EXPECT_TRUE (nebula_execution_signal_finish ((NebulaExecution *) object, result,
                                                       nullptr));
          seen->push_back (GPOINTER_TO_INT (data));
        },
        GINT_TO_POINTER (i));
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  run_until ([] { return false; }, 50000);
  EXPECT_TRUE (order.empty ());
  ASSERT_TRUE (settle ());
  EXPECT_TRUE (run_until ([&] { return order.size () == 3; }));
  EXPECT_EQ (order, std::vector<int> ({0, 1, 2}));
  EXPECT_EQ (status (), "completed");
}

TEST_P (AwayTest, TellsOnlyWhatIsCommittedWhileItIsAway)
{
  Error error;

  if (!is_durable ())
    return; /* a memory store is read in the same way */
  hold ();
  start ("{name: w, nodes: {a: {action: test.effect, with: {v: 1}},"
         " b: {action: data.set, with: {v: '{{ range(length($input), 100) | map(x => sum(range(x, 9000))) | sum() }}'}, after: [a]}}}");
  ASSERT_TRUE (run_until ([this] { return is_away (); }));
  run_until ([] { return false; }, 50000);
  Value report (nebula_execution_get_report (execution.get (), error.out ()));
  ASSERT_TRUE (report) << error.message ();
  EXPECT_STREQ (nebula_value_get_member_string (report.get (), "status", ""), "running");
  Value reasons (nebula_execution_explain (execution.get ()));
  EXPECT_TRUE (reasons);
  EXPECT_FALSE (nebula_execution_get_output (execution.get ()));
  ASSERT_TRUE (settle ());
  EXPECT_EQ (status (), "completed");
}

/* What has only memory waits for the turn; it would deadlock if the turn needed the loop. */
TEST_P (AwayTest, ReadsMemoryAfterTheTurn)
{
  Error error;

  start ("{name: w, settings: {durability: memory}, nodes: {a: {action: data.set, with:"
         " {v: '{{ range(length($input), 100) | map(x => sum(range(x, 9000))) | sum() }}'}}, w: {action: flow.wait, with: {signal: go}}}}");
  ASSERT_TRUE (run_until ([this] { return count_away () == 1; }));
  Value report (nebula_execution_get_report (execution.get (), error.out ()));
  ASSERT_TRUE (report) << error.message ();
  NebulaValue *nodes = nebula_value_get_member (report.get (), "nodes");
  EXPECT_STREQ (nebula_value_get_member_string (nebula_value_get_member (nodes, "a"),
                                                "status", ""),
                "completed");
}

TEST_P (AwayTest, StopsWhileItIsAway)
{
  start (heavy);
  ASSERT_TRUE (run_until ([this] { return count_away () == 1; }));
  nebula_engine_stop (engine.get ());
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 0u);
}

TEST_P (AwayTest, IsTakenUpAfterAStopWhileItWasAway)
{
  if (!is_durable ())
    return;
  start (heavy);
  std::string id = nebula_execution_get_id (execution.get ());
  ASSERT_TRUE (run_until ([this] { return count_away () == 1; }));
  close ();
  open ();
  Error error;
  nebula_engine_recover (engine.get (), error.out ());
  execution = Ref<NebulaExecution> (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
  ASSERT_TRUE (execution) << error.message ();
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
}

TEST_P (AwayTest, AnswersWhoAskedWhenItIsDropped)
{
  int code = -1;

  hold ();
  start (heavy);
  ASSERT_TRUE (run_until ([this] { return is_away (); }));
  nebula_execution_cancel_async (
      execution.get (), nullptr, nullptr,
      [] (GObject *object, GAsyncResult *result, gpointer data) {
        GError *error = nullptr;

        EXPECT_FALSE (
            nebula_execution_cancel_finish ((NebulaExecution *) object, result, &error));
        *(int *) data = error->code;
        g_error_free (error);
      },
      &code);
  /* Held by the test alone, so the stop would wait for ever. */
  GThread *helper = g_thread_new ("helper", let_go, this);
  nebula_engine_stop (engine.get ());
  g_thread_join (helper);
  EXPECT_TRUE (run_until ([&] { return code >= 0; }));
  EXPECT_EQ (code, NEBULA_ERROR_CANCELLED);
}

/* The same events in the same order, wherever decisions are taken. */
TEST_P (AwayTest, RecordsTheSameWithAndWithoutFuel)
{
  const char *const all[] = {
      "{name: w, nodes: {a: {action: test.effect, with: {x: '{{ range(0, 9 + length($input)) | sum() }}'}}, b: {action: data.set, with: {y: '{{ $json.x + 1 }}'}, after: [a]}}}",
      "{name: w, nodes: {e: {action: flow.for-each, with: {items: '{{ range(0, 9 + length($input)) }}'}, body: {nodes: {a: {action: test.read, with: {x: '{{ $item * 2 }}'}}}}}}}",
      "{name: w, nodes: {a: {action: flow.fail, with: {message: '{{ to_string(sum(range(0, 9 + length($input)))) }}'}, retry: {attempts: 3, initial: 1ms}}}}",
      "{name: w, nodes: {a: {action: flow.wait, with: {duration: '{{ length(range(0, 9 + length($input))) }}ms'}}, b: {action: test.idempotent, with: {x: '{{ sum(range(0, 9 + length($input))) }}', fail: no, fail-until: 2}, retry: {attempts: 3, initial: 1ms}, after: [a]}}}",
  };

  for (const char *text : all) {
    std::string expected;

    for (guint64 fuel : {(guint64) 0, (guint64) 3, (guint64) 40}) {
      std::string told;
      gulong id = g_signal_connect (
          nebula_engine_get_event_bus (engine.get ()), "event",
          G_CALLBACK (+[] (NebulaEventBus *, NebulaEvent *event, gpointer data) {
            const char *node = nebula_event_get_node (event);

            *(std::string *) data += std::string (nebula_event_get_topic (event)) + " " +
                                     (node ? node : "-") + " " +
                                     to_json (nebula_event_get_data (event)) + "\n";
          }),
          &told);

      engine.get ()->inline_fuel = fuel;
      start (text);
      ASSERT_TRUE (run_until ([this] {
        nebula_manual_clock_advance (clock.get (), 1000);
        return nebula_execution_status_is_terminal (
            nebula_execution_get_status (execution.get ()));
      }));
      while (g_main_context_iteration (context_, FALSE))
        ;
      told += output ();
      execution = Ref<NebulaExecution> ();
      g_signal_handler_disconnect (nebula_engine_get_event_bus (engine.get ()), id);
      if (fuel == 0)
        expected = told;
      EXPECT_EQ (told, expected) << fuel;
    }
  }
}
