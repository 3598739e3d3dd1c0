/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Workflows that the store has, in all their revisions. */
#include "engine-test.h"

#include "nebula-engine-private.h"
#include "nebula-revisions.h"

using namespace nebula;

namespace
{

std::string
workflow (const char *name, int x, const char *rest = "")
{
  return std::string ("nebula: 1\nname: ") + name +
         "\nnodes:\n  a: { action: data.set, with: { x: " + std::to_string (x) + " } }\n" + rest;
}

const char *const caller = R"(
nebula: 1
name: caller
nodes:
  call: { action: flow.call, with: { workflow: orders } }
)";

} // namespace

class RevisionTest : public EngineFixture
{
protected:
  static void answered (GObject *source, GAsyncResult *result, gpointer data)
  {
    RevisionTest *self = static_cast<RevisionTest *> (data);

    Error problem;
    Value answer (
        nebula_engine_publish_finish (NEBULA_ENGINE (source), result, problem.out ()));

    self->answers.push_back (answer ? digest (answer.get ())
                                    : nebula_error_get_code (problem.get ()));
  }

  /* The answer as JSON, or the code of the error. */
  std::string wait_for_answer ()
  {
    EXPECT_TRUE (run_until ([this] { return !answers.empty (); }));
    std::string first = answers.empty () ? "" : answers.front ();
    answers.erase (answers.begin (), answers.begin () + (answers.empty () ? 0 : 1));
    return first;
  }

  static std::string digest (NebulaValue *items)
  {
    std::string text;

    for (gsize i = 0; i < nebula_value_get_length (items); i++) {
      NebulaValue *item = nebula_value_get_item (items, i);

      text += text.empty () ? "" : " ";
      text += nebula_value_get_member_string (item, "workflow", "");
      text += "@" + std::to_string (nebula_value_get_member_integer (item, "revision", 0));
      if (nebula_value_get_member_boolean (item, "changed", FALSE))
        text += "!";
      if (nebula_value_has_member (item, "restores"))
        text += "<" + std::to_string (nebula_value_get_member_integer (item, "restores", 0));
    }
    return text;
  }

  void begin_publish (std::vector<std::string> texts, const char *options = "{}")
  {
    GPtrArray *workflows = g_ptr_array_new_with_free_func (g_object_unref);
    Value choices = json (options);

    for (const std::string &text : texts) {
      Error problem;
      GBytes *bytes = g_bytes_new (text.data (), text.size ());
      NebulaWorkflow *read =
          nebula_workflow_read_bytes (bytes, nullptr, nullptr, problem.out ());

      g_bytes_unref (bytes);
      ASSERT_NE (read, nullptr) << problem.message ();
      g_ptr_array_add (workflows, read);
    }
    nebula_engine_publish_async (engine.get (), workflows, choices.get (), nullptr, nullptr,
                                 answered, this);
    g_ptr_array_unref (workflows);
  }

  std::string publish (std::vector<std::string> texts, const char *options = "{}")
  {
    begin_publish (texts, options);
    return wait_for_answer ();
  }

  std::string roll_back (const char *name, const char *which)
  {
    nebula_engine_roll_back_async (engine.get (), name, which, nullptr, nullptr, answered, this);
    return wait_for_answer ();
  }

  std::string label (const char *name, const char *text, const char *which)
  {
    nebula_engine_label_async (engine.get (), name, text, which, nullptr, answered, this);
    return wait_for_answer ();
  }

  std::string history (const char *name, gint64 before = 0, guint limit = 0)
  {
    Error problem;
    Value page (nebula_engine_list_revisions (engine.get (), name, before, limit, problem.out ()));

    return page ? digest (nebula_value_get_member (page.get (), "items"))
                : nebula_error_get_code (problem.get ());
  }

  std::string run (const char *name, const char *which = nullptr)
  {
    Error problem;

    execution = Ref<NebulaExecution> (nebula_engine_start_revision (
        engine.get (), name, which, nullptr, nullptr, problem.out ()));
    if (!execution)
      return nebula_error_get_code (problem.get ());
    EXPECT_TRUE (wait ());
    return output ();
  }

  gint64 reported_revision ()
  {
    Value report (nebula_execution_get_report (execution.get (), nullptr));

    return nebula_value_get_member_integer (report.get (), "revision", 0);
  }

  /* What is in memory goes; the store stays. */
  void reopen ()
  {
    Ref<NebulaStore> store ((NebulaStore *) g_object_ref (nebula_engine_get_store (engine.get ())));

    close ();
    engine = Ref<NebulaEngine> ((NebulaEngine *) g_object_new (
        NEBULA_TYPE_ENGINE, "resolver", resolver.get (), "store", store.get (), "clock",
        clock.get (), "executor", executor.get (), nullptr));
  }

  std::vector<std::string> answers;
};

TEST_P (RevisionTest, EachChangeIsARevision)
{
  EXPECT_EQ (publish ({workflow ("orders", 1)}), "orders@1!");
  EXPECT_EQ (publish ({workflow ("orders", 1)}), "orders@1");
  EXPECT_EQ (publish ({workflow ("orders", 2)}), "orders@2!");
  /* Drawing is kept, although it runs alike. */
  EXPECT_EQ (publish ({workflow ("orders", 2, "layout: { a: [1, 2] }\n")}), "orders@3!");
  EXPECT_EQ (history ("orders"), "orders@3 orders@2 orders@1");
  EXPECT_EQ (history ("orders", 0, 2), "orders@3 orders@2");
  EXPECT_EQ (history ("orders", 2, 2), "orders@1");
  EXPECT_EQ (history ("nobody"), "not-found");
}

TEST_P (RevisionTest, ExecutionsNameTheRevisionThatTheyRun)
{
  publish ({workflow ("orders", 1)});
  publish ({workflow ("orders", 2)}, R"({"label": "live"})");
  publish ({workflow ("orders", 3)});
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ (run ("orders"), R"({"x":3})");
    EXPECT_EQ (reported_revision (), 3);
    EXPECT_EQ (run ("orders", "1"), R"({"x":1})");
    EXPECT_EQ (reported_revision (), 1);
    EXPECT_EQ (run ("orders", "live"), R"({"x":2})");
    EXPECT_EQ (reported_revision (), 2);
    EXPECT_EQ (run ("orders", "4"), "not-found");
    EXPECT_EQ (run ("orders", "0"), "not-found");
    EXPECT_EQ (run ("orders", "test"), "not-found");
    EXPECT_EQ (run ("nobody"), "not-found");
    reopen ();
  }
}

TEST_P (RevisionTest, AllOrNone)
{
  publish ({workflow ("a", 1)});
  EXPECT_EQ (publish ({workflow ("a", 2), workflow ("b", 1)}), "a@2! b@1!");
  EXPECT_EQ (publish ({workflow ("a", 3), "nebula: 1\nname: c\nnodes:\n  a: { action: no.such }\n"}),
             "invalid-workflow");
  EXPECT_EQ (publish ({workflow ("a", 3), workflow ("a", 4)}), "invalid-argument");
  EXPECT_EQ (publish ({workflow ("a", 3), workflow ("b", 3)}, R"({"if-revision": 2})"), "conflict");
  EXPECT_EQ (publish ({workflow ("a", 3)}, R"({"label": "3"})"), "invalid-argument");
  EXPECT_EQ (history ("a"), "a@2 a@1");
  EXPECT_EQ (publish ({workflow ("a", 3)}, R"({"if-revision": 2})"), "a@3!");
  EXPECT_EQ (publish ({workflow ("d", 3)}, R"({"if-revision": 1})"), "conflict");
  EXPECT_EQ (publish ({workflow ("d", 3)}, R"({"if-revision": 0})"), "d@1!");
}

TEST_P (RevisionTest, TwoAtOnceDoNotOverwriteEachOther)
{
  publish ({workflow ("orders", 1)});
  nebula_journal_hold (engine.get ()->journal);
  begin_publish ({workflow ("orders", 2)});
  begin_publish ({workflow ("orders", 3)});
  nebula_journal_let_go (engine.get ()->journal);
  EXPECT_EQ (wait_for_answer (), "orders@2!");
  EXPECT_EQ (wait_for_answer (), "conflict");
  EXPECT_EQ (history ("orders"), "orders@2 orders@1");
  EXPECT_EQ (run ("orders"), R"({"x":2})");
}

TEST_P (RevisionTest, RollingBackAddsARevision)
{
  publish ({workflow ("orders", 1)});
  publish ({workflow ("orders", 2)}, R"({"label": "live"})");
  EXPECT_EQ (roll_back ("orders", "1"), "orders@3!");
  EXPECT_EQ (history ("orders"), "orders@3<1 orders@2 orders@1");
  EXPECT_EQ (run ("orders"), R"({"x":1})");
  EXPECT_EQ (roll_back ("orders", "1"), "orders@3");
  EXPECT_EQ (roll_back ("orders", "live"), "orders@4!");
  EXPECT_EQ (roll_back ("orders", "9"), "not-found");
}

TEST_P (RevisionTest, LabelsMove)
{
  Error problem;

  publish ({workflow ("orders", 1)}, R"({"label": "live", "message": "first", "by": "ada"})");
  publish ({workflow ("orders", 2)});
  EXPECT_EQ (run ("orders", "live"), R"({"x":1})");
  EXPECT_EQ (label ("orders", "live", nullptr), "orders@2");
  EXPECT_EQ (run ("orders", "live"), R"({"x":2})");
  EXPECT_EQ (label ("orders", "old", "1"), "orders@1");
  EXPECT_EQ (label ("orders", "old", "7"), "not-found");
  EXPECT_EQ (label ("orders", "7", "1"), "invalid-argument");
  Value one (nebula_engine_get_revision (engine.get (), "orders", "old", problem.out ()));
  EXPECT_EQ (nebula_value_get_member_integer (one.get (), "revision", 0), 1);
  EXPECT_STREQ (nebula_value_get_member_string (one.get (), "message", ""), "first");
  EXPECT_STREQ (nebula_value_get_member_string (one.get (), "by", ""), "ada");
  EXPECT_EQ (to_json (nebula_value_get_member (one.get (), "labels")), R"(["old"])");
  EXPECT_FALSE (nebula_value_get_member_boolean (one.get (), "current", TRUE));
  EXPECT_EQ (label ("orders", "live", ""), "orders@2");
  EXPECT_EQ (run ("orders", "live"), "not-found");
}

TEST_P (RevisionTest, CallsFindTheCurrentRevision)
{
  publish ({workflow ("orders", 1), caller});
  EXPECT_EQ (run ("caller"), R"({"x":1})");
  reopen ();
  EXPECT_EQ (run ("caller"), R"({"x":1})");
  publish ({workflow ("orders", 2)});
  EXPECT_EQ (run ("caller"), R"({"x":2})");
  roll_back ("orders", "1");
  EXPECT_EQ (run ("caller"), R"({"x":1})");
}

TEST_P (RevisionTest, WhatRunsKeepsItsRevision)
{
  const char *const rest = "  w: { action: flow.wait, with: { signal: go }, after: [a] }\n"
                           "  call: { action: flow.call, with: { workflow: orders }, after: [w] }\n";
  Error problem;

  publish ({workflow ("orders", 1), workflow ("long", 10, rest)});
  execution = Ref<NebulaExecution> (nebula_engine_start_revision (
      engine.get (), "long", nullptr, nullptr, nullptr, problem.out ()));
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  publish ({workflow ("orders", 2), workflow ("long", 20)});
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"x":1})");
  EXPECT_EQ (reported_revision (), 1);
}

TEST_P (RevisionTest, Lists)
{
  Error problem;

  publish ({workflow ("b", 1), workflow ("a", 1), workflow ("c@1", 1)});
  publish ({workflow ("a", 2)});
  Value page (nebula_engine_list_workflows (engine.get (), nullptr, 2, problem.out ()));
  EXPECT_EQ (digest (nebula_value_get_member (page.get (), "items")), "a@2 b@1");
  Value rest (nebula_engine_list_workflows (
      engine.get (), nebula_value_get_member_string (page.get (), "next", nullptr), 2,
      problem.out ()));
  EXPECT_EQ (digest (nebula_value_get_member (rest.get (), "items")), "c@1@1");
  EXPECT_EQ (to_json (nebula_value_get_member (rest.get (), "next")), "null");
}

TEST_P (RevisionTest, PlansThatLeftTheCacheAreReadAgain)
{
  NebulaCacheStatistics statistics;

  publish ({workflow ("orders", 1), caller});
  reopen ();
  EXPECT_EQ (run ("orders"), R"({"x":1})");
  nebula_cache_shrink (engine.get ()->peers->plans, 0);
  nebula_cache_get_statistics (engine.get ()->peers->plans, &statistics);
  EXPECT_EQ (statistics.n_entries, 0u);
  EXPECT_EQ (run ("caller"), R"({"x":1})");
  EXPECT_EQ (run ("orders"), R"({"x":1})");
}

TEST_P (RevisionTest, NothingAfterTheEnd)
{
  nebula_engine_stop (engine.get ());
  EXPECT_EQ (publish ({workflow ("orders", 1)}), "unavailable");
}

INSTANTIATE_TEST_SUITE_P (Stores, RevisionTest, testing::Values ("memory", "sqlite"));
