/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several engines over one store: who owns what, engines in threads of their own, one that dies. */
#include "engine-test.h"

#include "nebula-engine-private.h"

using namespace nebula;

namespace
{

const char *const child = R"(
nebula: 1
name: child
nodes: { give: { action: data.set, with: { n: "{{ $input.n }}" } } }
)";

const char *const parent = R"(
nebula: 1
name: parent
nodes:
  each:
    action: flow.for-each
    with: { items: "{{ range (0, 20) }}", concurrency: 20 }
    body: { nodes: { call: { action: flow.call, with: { workflow: child, input: { n: "{{ $item }}" } }, lock: "{{ 'l' + to_string ($item % 3) }}" } } }
)";

const char *const sleeper = R"(
nebula: 1
name: sleeper
nodes: { wait: { action: flow.wait, with: { duration: 10s } } }
)";

/* An engine in a thread of its own, beside another one. */
class Helper
{
public:
  explicit Helper (NebulaEngine *engine) : engine_ (engine)
  {
    thread_ = g_thread_new ("helper", run, this);
    g_mutex_lock (&lock_);
    while (!is_ready_)
      g_cond_wait (&cond_, &lock_);
    g_mutex_unlock (&lock_);
  }
  ~Helper ()
  {
    g_main_loop_quit (loop_);
    g_main_context_wakeup (context_);
    g_thread_join (thread_);
    g_main_loop_unref (loop_);
    g_main_context_unref (context_);
  }

private:
  static gpointer run (gpointer data)
  {
    Helper *self = (Helper *) data;

    self->context_ = g_main_context_new ();
    g_main_context_push_thread_default (self->context_);
    self->loop_ = g_main_loop_new (self->context_, FALSE);
    NebulaEngine *peer = nebula_engine_new_peer (self->engine_);
    EXPECT_TRUE (nebula_engine_set_shards (peer, 100, 156, nullptr));
    g_mutex_lock (&self->lock_);
    self->is_ready_ = true;
    g_cond_signal (&self->cond_);
    g_mutex_unlock (&self->lock_);
    g_main_loop_run (self->loop_);
    nebula_engine_stop (peer);
    g_object_unref (peer);
    g_main_context_pop_thread_default (self->context_);
    return nullptr;
  }

  NebulaEngine *engine_;
  GThread *thread_;
  GMainContext *context_ = nullptr;
  GMainLoop *loop_ = nullptr;
  GMutex lock_ = {};
  GCond cond_ = {};
  bool is_ready_ = false;
};

} // namespace

class PeerTest : public EngineFixture
{
protected:
  guint n_headers (guint first, guint last)
  {
    NebulaHeaderQuery query = {};

    query.limit = 10000;
    g_autoptr (GPtrArray) headers =
        nebula_store_list_headers (nebula_engine_get_store (engine.get ()), &query, nullptr);
    guint n = 0;

    for (guint i = 0; i < headers->len; i++) {
      NebulaHeader *header = (NebulaHeader *) headers->pdata[i];

      EXPECT_EQ (header->shard, _nebula_shard_of_execution (header->tenant, header->stream));
      n += header->shard >= first && header->shard <= last;
    }
    return n;
  }
};

INSTANTIATE_TEST_SUITE_P (Stores, PeerTest, testing::Values ("memory", "sqlite"),
                          [] (const auto &info) { return info.param; });

TEST_P (PeerTest, ShardsHaveOneOwner)
{
  Error error;
  Ref<NebulaEngine> peer (nebula_engine_new_peer (engine.get ()));

  EXPECT_EQ (nebula_engine_get_n_shards (engine.get ()), 256u);
  EXPECT_EQ (nebula_engine_get_n_shards (peer.get ()), 0u);
  EXPECT_EQ (nebula_engine_get_store (peer.get ()), nebula_engine_get_store (engine.get ()));
  EXPECT_FALSE (nebula_engine_set_shards (peer.get (), 0, 1, error.out ()));
  EXPECT_TRUE (g_error_matches (error.get (), NEBULA_ERROR, NEBULA_ERROR_CONFLICT));
  Plan plan (compile (resolver.get (), sleeper));
  EXPECT_FALSE (Ref<NebulaExecution> (
      nebula_engine_start (peer.get (), plan.get (), nullptr, nullptr, error.out ())));
  EXPECT_TRUE (g_error_matches (error.get (), NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE));
  ASSERT_TRUE (nebula_engine_set_shards (engine.get (), 10, 20, error.out ()));
  ASSERT_TRUE (nebula_engine_set_shards (peer.get (), 30, 226, error.out ()));
  EXPECT_EQ (nebula_engine_get_n_shards (engine.get ()), 20u);
  EXPECT_EQ (nebula_engine_get_n_shards (peer.get ()), 226u);
  /* What an engine works on cannot be given away. */
  start (sleeper);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  EXPECT_FALSE (nebula_engine_set_shards (engine.get (), 0, 0, error.out ()));
  EXPECT_TRUE (g_error_matches (error.get (), NEBULA_ERROR, NEBULA_ERROR_CONFLICT));
  EXPECT_EQ (n_headers (10, 29), 1u);
  nebula_engine_stop (peer.get ());
  EXPECT_TRUE (nebula_engine_set_shards (engine.get (), 0, 256, error.out ()));
}

TEST_P (PeerTest, AnExecutionIsFoundWhereverItLies)
{
  Error error;
  Ref<NebulaEngine> peer (nebula_engine_new_peer (engine.get ()));

  ASSERT_TRUE (nebula_engine_set_shards (engine.get (), 0, 128, error.out ()));
  ASSERT_TRUE (nebula_engine_set_shards (peer.get (), 128, 128, error.out ()));
  start (sleeper);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  std::string id = nebula_execution_get_id (execution.get ());
  Ref<NebulaExecution> same (
      nebula_engine_get_execution (peer.get (), id.c_str (), error.out ()));
  EXPECT_EQ (same.get (), execution.get ());
  if (!is_durable ())
    return;
  same = Ref<NebulaExecution> ();
  execution = Ref<NebulaExecution> (); /* it leaves memory */
  EXPECT_EQ (nebula_engine_get_n_waiting (engine.get ()), 1u);
  nebula_engine_get_execution_async (
      peer.get (), id.c_str (), nullptr,
      [] (GObject *source, GAsyncResult *result, gpointer data) {
        *(Ref<NebulaExecution> *) data = Ref<NebulaExecution> (
            nebula_engine_get_execution_finish ((NebulaEngine *) source, result, nullptr));
      },
      &execution);
  ASSERT_TRUE (run_until ([this] { return (bool) execution; }));
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 1u);
  EXPECT_EQ (nebula_engine_get_n_active (peer.get ()), 0u);
  /* An id that is asked for decides where it begins. */
  for (const char *name : {"a", "b", "c", "d", "e", "f"}) {
    Value options = json ((std::string ("{\"id\":\"") + name + "\"}").c_str ());
    Plan plan (compile (resolver.get (), child));
    Ref<NebulaExecution> named (nebula_engine_start (engine.get (), plan.get (), nullptr,
                                                     options.get (), error.out ()));
    ASSERT_TRUE (named) << error.message ();
  }
  ASSERT_TRUE (run_until ([this] { return n_headers (0, 255) == 7; }));
}

TEST_P (PeerTest, TreesGrowOverThreads)
{
  Error error;

  ASSERT_TRUE (nebula_engine_set_shards (engine.get (), 0, 100, error.out ()));
  {
    Helper helper (engine.get ());

    start (child, R"({"n":1})"); /* known by name to both */
    ASSERT_TRUE (wait ());
    start (parent);
    ASSERT_TRUE (wait ());
    EXPECT_EQ (status (), "completed");
    EXPECT_EQ (n_headers (0, 255), 22u);
    EXPECT_GT (n_headers (100, 255), 0u);
    EXPECT_GT (n_headers (0, 99), 0u);
  }
}

TEST_P (PeerTest, AnotherEngineGoesOn)
{
  Error error;
  Ref<NebulaEngine> peer (nebula_engine_new_peer (engine.get ()));

  ASSERT_TRUE (nebula_engine_set_shards (engine.get (), 0, 128, error.out ()));
  ASSERT_TRUE (nebula_engine_set_shards (peer.get (), 128, 128, error.out ()));
  start (sleeper);
  GBytes *bytes = g_bytes_new_static (sleeper, strlen (sleeper));
  Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, nullptr, nullptr, nullptr));
  g_bytes_unref (bytes);
  Plan plan (nebula_engine_deploy (engine.get (), workflow.get (), nullptr, error.out ()));
  Ref<NebulaExecution> other (
      nebula_engine_start (peer.get (), plan.get (), nullptr, nullptr, error.out ()));
  ASSERT_TRUE (other) << error.message ();
  ASSERT_TRUE (run_until ([&] {
    return nebula_execution_get_status (other.get ()) == NEBULA_EXECUTION_STATUS_SUSPENDED;
  }));
  std::string id = nebula_execution_get_id (other.get ());
  other = Ref<NebulaExecution> ();
  nebula_engine_stop (peer.get ());
  EXPECT_FALSE (Ref<NebulaExecution> (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ())));
  EXPECT_TRUE (g_error_matches (error.get (), NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE));
  ASSERT_TRUE (nebula_engine_set_shards (engine.get (), 0, 256, error.out ()));
  ASSERT_EQ (nebula_engine_recover (engine.get (), error.out ()), 2) << error.message ();
  execution = Ref<NebulaExecution> (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
  ASSERT_TRUE (execution) << error.message ();
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
}
