/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A test that runs workflows with an engine, over a store in memory and one in a file. */
#pragma once

#include <glib/gstdio.h>

#include "test-world.h"

#include <functional>

#include "nebula-engine.h"
#include "nebula-executor.h"
#include "nebula-memory-store.h"
#include "nebula-scope.h"
#include "nebula-sqlite-store.h"

namespace nebula
{

/* Each test runs over both stores, in a context of its own. With a number behind its store, like `sqlite3`, so many engines
 * share it, and executions begin in each of them in turn. */
class EngineFixture : public LoopTest, public testing::WithParamInterface<const char *>
{
protected:
  void SetUp () override
  {
    LoopTest::SetUp ();
    folder_ = g_dir_make_tmp ("nebula-engine-XXXXXX", nullptr);
    path_ = std::string (folder_) + "/x.db";
    open ();
  }

  void TearDown () override
  {
    close ();
    for (const char *suffix : {"", "-wal", "-shm", ".lock"})
      g_unlink ((path_ + suffix).c_str ());
    remove_blobs ();
    g_rmdir (folder_);
    g_free (folder_);
    LoopTest::TearDown ();
  }

  void remove_blobs ()
  {
    std::string folder = path_ + ".blobs";
    GDir *dir = g_dir_open (folder.c_str (), 0, nullptr);

    while (const char *name = dir ? g_dir_read_name (dir) : nullptr)
      g_unlink ((folder + "/" + name).c_str ());
    g_clear_pointer (&dir, g_dir_close);
    g_rmdir (folder.c_str ());
  }

  bool is_durable ()
  {
    return g_str_has_prefix (GetParam (), "sqlite");
  }

  void open ()
  {
    Error error;
    Ref<NebulaStore> store (
        is_durable () ? nebula_sqlite_store_open (
                            path_.c_str (), NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ())
                      : nebula_memory_store_new ());

    ASSERT_TRUE (store) << error.message ();
    engine = Ref<NebulaEngine> ((NebulaEngine *) g_object_new (
        NEBULA_TYPE_ENGINE, "resolver", resolver.get (), "store", store.get (), "clock",
        clock.get (), "executor", executor.get (), nullptr));
    open_peers ();
  }

  guint count_engines ()
  {
    char last = GetParam ()[strlen (GetParam ()) - 1];

    return g_ascii_isdigit (last) ? (guint) (last - '0') : 1;
  }

  /* Divides the shards. */
  void open_peers ()
  {
    guint n_engines = count_engines ();
    guint share = 256 / n_engines;
    Error error;

    ASSERT_TRUE (nebula_engine_set_shards (engine.get (), 0, 256 - share * (n_engines - 1),
                                           error.out ()))
        << error.message ();
    for (guint i = 1; i < n_engines; i++) {
      peers_.emplace_back (nebula_engine_new_peer (engine.get ()));
      ASSERT_TRUE (nebula_engine_set_shards (peers_.back ().get (), 256 - share * i, share,
                                             error.out ()))
          << error.message ();
    }
  }

  /* Each engine takes up what lies in its shards; how many there are. */
  gint recover ()
  {
    Error error;
    gint n_open = nebula_engine_recover (engine.get (), error.out ());

    for (Ref<NebulaEngine> &peer : peers_)
      n_open += nebula_engine_recover (peer.get (), error.out ());
    EXPECT_FALSE (error) << error.message ();
    return n_open;
  }

  /* The engine in which the next execution begins. */
  NebulaEngine *next_engine ()
  {
    guint turn = n_started_++ % count_engines ();

    return turn == 0 ? engine.get () : peers_[turn - 1].get ();
  }

  void close ()
  {
    execution = Ref<NebulaExecution> ();
    for (Ref<NebulaEngine> &peer : peers_)
      nebula_engine_stop (peer.get ());
    peers_.clear ();
    if (engine)
      nebula_engine_stop (engine.get ());
    engine = Ref<NebulaEngine> ();
  }

  std::string metrics_text ()
  {
    char *text = nebula_metrics_to_text (nebula_engine_get_metrics (engine.get ()));
    std::string result = text;

    g_free (text);
    return result;
  }

  void start (const char *text, const char *input = nullptr)
  {
    Error error;
    GPtrArray *diagnostics =
        g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
    GBytes *bytes = g_bytes_new (text, strlen (text));
    Ref<NebulaWorkflow> workflow (
        nebula_workflow_read_bytes (bytes, "test.yaml", diagnostics, error.out ()));
    Plan plan (workflow ? nebula_engine_deploy (engine.get (), workflow.get (),
                                                diagnostics, error.out ())
                        : nullptr);
    Value value = input ? json (input) : Value ();

    g_bytes_unref (bytes);
    for (guint i = 0; i < diagnostics->len; i++)
      ADD_FAILURE () << nebula_diagnostic_get_message (
          (NebulaDiagnostic *) diagnostics->pdata[i]);
    g_ptr_array_unref (diagnostics);
    ASSERT_TRUE (plan) << error.message ();
    execution = Ref<NebulaExecution> (nebula_engine_start (
        next_engine (), plan.get (), value.get (), nullptr, error.out ()));
    ASSERT_TRUE (execution) << error.message ();
  }

  bool wait ()
  {
    return run_until ([this] {
      return nebula_execution_status_is_terminal (
          nebula_execution_get_status (execution.get ()));
    });
  }

  bool wait_for (NebulaExecutionStatus status)
  {
    return run_until ([this, status] {
      return nebula_execution_get_status (execution.get ()) == status;
    });
  }

  std::string status ()
  {
    return nebula_execution_status_to_string (
        nebula_execution_get_status (execution.get ()));
  }

  std::string output ()
  {
    Value value (nebula_execution_get_output (execution.get ()));

    return to_json (value.get ());
  }

  Ref<NebulaActionResolver> resolver = new_world_resolver ();
  Ref<NebulaManualClock> clock{
      nebula_manual_clock_new (G_GINT64_CONSTANT (1700000000000000), 7)};
  Ref<NebulaExecutor> executor; /* none: the process's pool */
  Ref<NebulaEngine> engine;
  Ref<NebulaExecution> execution;
  std::string path_;
  std::vector<Ref<NebulaEngine>> peers_;

private:
  guint n_started_ = 0;
  char *folder_ = nullptr;
};

} // namespace nebula
