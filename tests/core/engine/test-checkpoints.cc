/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When an engine writes checkpoints, what they cost, and what it does with them and without them. */
#include "test-world.h"

#include <functional>

#include "nebula-engine.h"
#include "nebula-memory-store.h"
#include "nebula-sqlite-store.h"
#include "nebula-store-test.h"

using namespace nebula;

/* Counts what passes to and from another store, and may change the checkpoints that are read. */
struct Counts {
  gsize facts_written = 0;
  gsize checkpoints_written = 0;
  guint n_checkpoints = 0;
  guint n_units = 0;
  guint n_strict = 0;
  gsize facts_read = 0;
  guint64 read_after = 0; /* sequence behind which facts were read last */
  gsize checkpoint_read = 0;
  std::function<GBytes *(GBytes *)> change;
};

struct CountingStore {
  GObject parent_instance;
  NebulaStore *store;
  Counts *counts;
};

struct CountingStoreClass {
  GObjectClass parent_class;
};

static CountingStore *
self_of (NebulaStore *store)
{
  return (CountingStore *) (gpointer) store;
}

static gboolean
counting_commit (NebulaStore *store,
                 NebulaUnit **units,
                 guint n_units,
                 gboolean sync,
                 NebulaOutcome *ret_outcomes,
                 GError **error)
{
  Counts *counts = self_of (store)->counts;

  for (guint i = 0; i < n_units; i++) {
    counts->n_units++;
    counts->n_strict += units[i]->strict ? 1 : 0;
    if (units[i]->facts)
      counts->facts_written += g_bytes_get_size (units[i]->facts);
    if (!units[i]->checkpoint)
      continue;
    counts->n_checkpoints++;
    counts->checkpoints_written += g_bytes_get_size (units[i]->checkpoint);
    EXPECT_GT (units[i]->n_facts, 0u) << "a checkpoint has a unit of its own";
    EXPECT_EQ (units[i]->header->checkpoint, units[i]->header->sequence);
  }
  return nebula_store_commit (self_of (store)->store, units, n_units, sync, ret_outcomes,
                              error);
}

static GPtrArray *
counting_read_segments (
    NebulaStore *store, const char *stream, guint64 after, guint limit, GError **error)
{
  GPtrArray *segments =
      nebula_store_read_segments (self_of (store)->store, stream, after, limit, error);

  self_of (store)->counts->read_after = after;
  for (guint i = 0; segments && i < segments->len; i++)
    self_of (store)->counts->facts_read +=
        g_bytes_get_size (((NebulaSegment *) segments->pdata[i])->facts);
  return segments;
}

static GBytes *
counting_read_checkpoint (NebulaStore *store,
                          const char *stream,
                          guint64 *ret_sequence,
                          GError **error)
{
  Counts *counts = self_of (store)->counts;
  GBytes *bytes =
      nebula_store_read_checkpoint (self_of (store)->store, stream, ret_sequence, error);

  if (bytes)
    counts->checkpoint_read = g_bytes_get_size (bytes);
  if (!bytes || !counts->change)
    return bytes;
  GBytes *changed = counts->change (bytes);
  g_bytes_unref (bytes);
  if (!changed)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT, "planned");
  return changed;
}

static gboolean
counting_get_is_durable (NebulaStore *)
{
  return TRUE; /* executions leave memory, whatever is behind */
}

static void
counting_store_iface_init (NebulaStoreInterface *iface)
{
  iface->commit = counting_commit;
  iface->read_segments = counting_read_segments;
  iface->read_checkpoint = counting_read_checkpoint;
  iface->get_is_durable = counting_get_is_durable;
  iface->sync = [] (NebulaStore *self, GError **error) {
    return nebula_store_sync (self_of (self)->store, error);
  };
  iface->read_header = [] (NebulaStore *self, const char *stream, GError **error) {
    return nebula_store_read_header (self_of (self)->store, stream, error);
  };
  iface->list_headers = [] (NebulaStore *self, const NebulaHeaderQuery *query,
                            GError **error) {
    return nebula_store_list_headers (self_of (self)->store, query, error);
  };
  iface->read_inbox = [] (NebulaStore *self, const char *stream, guint limit,
                          GError **error) {
    return nebula_store_read_inbox (self_of (self)->store, stream, limit, error);
  };
  iface->read_document = [] (NebulaStore *self, const char *collection, const char *key,
                             gint64 *ret_revision, GError **error) {
    return nebula_store_read_document (self_of (self)->store, collection, key,
                                       ret_revision, error);
  };
  iface->read_blob = [] (NebulaStore *self, const char *digest, GError **error) {
    return nebula_store_read_blob (self_of (self)->store, digest, error);
  };
  iface->list_documents = [] (NebulaStore *self, const char *collection,
                              const char *after, guint limit, GError **error) {
    return nebula_store_list_documents (self_of (self)->store, collection, after, limit,
                                        error);
  };
}

static GType counting_store_get_type (void);

G_DEFINE_TYPE_WITH_CODE (CountingStore,
                         counting_store,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (NEBULA_TYPE_STORE,
                                                counting_store_iface_init))

static void
counting_store_init (CountingStore *)
{
}

static void
counting_store_finalize (GObject *object)
{
  g_object_unref (((CountingStore *) object)->store);
  G_OBJECT_CLASS (counting_store_parent_class)->finalize (object);
}

static void
counting_store_class_init (CountingStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = counting_store_finalize;
}

class CheckpointTest : public LoopTest
{
protected:
  void SetUp () override
  {
    LoopTest::SetUp ();
    use (Ref<NebulaStore> (nebula_memory_store_new ()));
    open ();
  }
  void TearDown () override
  {
    close ();
    store = Ref<NebulaStore> ();
    LoopTest::TearDown ();
  }

  void use (Ref<NebulaStore> inner)
  {
    CountingStore *counting =
        (CountingStore *) g_object_new (counting_store_get_type (), nullptr);

    counting->store = inner.steal ();
    counting->counts = &counts;
    store = Ref<NebulaStore> (NEBULA_STORE (counting));
  }
  void open ()
  {
    engine = Ref<NebulaEngine> (nebula_engine_new (resolver.get (), store.get (),
                                                   (NebulaClock *) clock.get ()));
  }
  void close ()
  {
    execution = Ref<NebulaExecution> ();
    if (engine)
      nebula_engine_stop (engine.get ());
    engine = Ref<NebulaEngine> ();
  }

  void start (const std::string &text, const char *input = "{}")
  {
    Error error;
    Plan plan = deploy (text);
    Value value = json (input);

    ASSERT_TRUE (plan);
    execution = Ref<NebulaExecution> (nebula_engine_start (
        engine.get (), plan.get (), value.get (), nullptr, error.out ()));
    ASSERT_TRUE (execution) << error.message ();
    id = nebula_execution_get_id (execution.get ());
  }
  Plan deploy (const std::string &text)
  {
    Error error;
    GBytes *content = bytes (text);
    Ref<NebulaWorkflow> workflow (
        nebula_workflow_read_bytes (content, "test.yaml", nullptr, error.out ()));
    NebulaPlan *plan =
        workflow ? nebula_engine_deploy (engine.get (), workflow.get (), nullptr,
                                         error.out ())
                 : nullptr;

    g_bytes_unref (content);
    EXPECT_TRUE (plan) << error.message ();
    return Plan (plan);
  }
  void find ()
  {
    Error error;

    execution = Ref<NebulaExecution> (
        nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
    ASSERT_TRUE (execution) << error.message ();
  }
  NebulaExecutionStatus status ()
  {
    return nebula_execution_get_status (execution.get ());
  }
  bool wait ()
  {
    return run_until (
        [this] { return nebula_execution_status_is_terminal (status ()); });
  }
  std::string output ()
  {
    Value value (nebula_execution_get_output (execution.get ()));

    return to_json (value.get ());
  }
  /* Waits until it has left memory. */
  void leave ()
  {
    execution = Ref<NebulaExecution> ();
    ASSERT_TRUE (run_until (
        [this] { return nebula_engine_get_n_active (engine.get ()) == 0; }));
  }

  Counts counts;
  Ref<NebulaActionResolver> resolver = new_world_resolver ();
  Ref<NebulaManualClock> clock{
      nebula_manual_clock_new (G_GINT64_CONSTANT (1700000000000000), 7)};
  Ref<NebulaStore> store;
  Ref<NebulaEngine> engine;
  Ref<NebulaExecution> execution;
  std::string id;
};

static std::string
for_each (guint n_items, const char *body)
{
  std::string items = "[0";

  for (guint i = 1; i < n_items; i++)
    items += "," + std::to_string (i);
  return "{name: big, nodes: {each: {action: flow.for-each, with: {items: " + items +
         "], concurrency: 4}, body: {nodes: {a: {" + body + "}}}}}}";
}

/* The state grows with the facts. A checkpoint comes when half its size was written since the last, so all of them
 * together are never more than twice the facts and the state at the end. */
TEST_F (CheckpointTest, CostsNoMoreThanAConstantTimesTheFacts)
{
  for (guint n_items : {2000, 8000}) {
    counts = Counts ();
    start (for_each (n_items,
                     "action: test.effect, with: {v: 'thirty-two bytes of text, or so'}"));
    ASSERT_TRUE (wait ());
    EXPECT_GT (counts.n_checkpoints, 1u);
    EXPECT_LT (counts.checkpoints_written, 3 * counts.facts_written);
    EXPECT_LT (counts.n_checkpoints, 20u) << "they do not become rarer";
  }
}

TEST_F (CheckpointTest, SmallStateCostsLessThanTheFacts)
{
  start ("{name: w, nodes: {r: {action: flow.repeat, with: {times: 4000}, body: {nodes: "
         "{a: {action: test.effect, with: {v: 1}}}}}}}");
  ASSERT_TRUE (wait ());
  EXPECT_GT (counts.n_checkpoints, 2u);
  EXPECT_LT (counts.checkpoints_written * 20, counts.facts_written);
}

TEST_F (CheckpointTest, ShortExecutionsHaveNone)
{
  Plan plan = deploy (
      "{name: s, nodes: {a: {action: test.effect, with: {v: 1}}, w: {action: flow.wait, "
      "with: {duration: 1h}, after: [a]}}}");
  const guint n = 1000;

  for (guint i = 0; i < n; i++) {
    Ref<NebulaExecution> one (
        nebula_engine_start (engine.get (), plan.get (), nullptr, nullptr, nullptr));
    ASSERT_TRUE (one);
  }
  ASSERT_TRUE (run_until (
      [this] { return nebula_engine_get_n_waiting (engine.get ()) == n; }));
  EXPECT_EQ (counts.n_checkpoints, 0u);
  EXPECT_EQ (counts.n_units, 2 * n) << "one to start the effect, one to fall asleep";
  nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_HOUR);
  ASSERT_TRUE (run_until ([this] {
    return nebula_engine_get_n_waiting (engine.get ()) == 0 &&
           nebula_engine_get_n_active (engine.get ()) == 0;
  }));
  EXPECT_EQ (counts.n_checkpoints, 0u);
}

/* It sleeps and wakes for ever: each wake reads a bounded number of bytes, not its whole life. */
TEST_F (CheckpointTest, WakesOfALongLifeReadLittle)
{
  gsize most = 0;

  start ("{name: poll, nodes: {r: {action: flow.repeat, with: {times: 600}, body: {nodes: "
         "{a: {action: test.effect, with: {v: 'some text, to have a few bytes'}}, "
         "w: {action: flow.wait, with: {duration: 1m}, after: [a]}}}}}}");
  for (guint i = 0; i < 600; i++) {
    leave ();
    gsize before = counts.facts_read;
    guint n_units = counts.n_units;
    nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_MINUTE);
    ASSERT_TRUE (run_until ([&] { return counts.n_units > n_units; }));
    most = MAX (most, counts.facts_read - before);
  }
  leave ();
  EXPECT_GT (counts.facts_written, 60000u);
  EXPECT_LT (most, 6000u);
  EXPECT_LT (counts.checkpoint_read, 1000u);
  EXPECT_LT (counts.checkpoints_written * 4, counts.facts_written);
  find ();
  EXPECT_EQ (status (), NEBULA_EXECUTION_STATUS_COMPLETED);
}

static const char long_wait[] =
    "{name: l, nodes: {r: {action: flow.repeat, with: {times: 100}, body: {nodes: "
    "{a: {action: test.effect, with: {v: '{{ $index }}'}}}}}, "
    "w: {action: flow.wait, with: {signal: go}, after: [r]}, "
    "z: {action: data.set, with: {r: '{{ $nodes.r.result.v }}', "
    "w: '{{ $nodes.w.result.value }}'}, after: [w]}}}";

TEST_F (CheckpointTest, IsReadInsteadOfTheFactsBefore)
{
  Value seven = json ("7");

  start (long_wait);
  leave ();
  EXPECT_EQ (counts.n_checkpoints, 1u);
  find ();
  EXPECT_GT (counts.read_after, 200u);
  EXPECT_EQ (counts.facts_read, 0u);
  nebula_execution_signal_async (execution.get (), "go", seven.get (), nullptr, nullptr,
                                 nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"r":99,"w":7})");
  Header header (nebula_store_read_header (store.get (), id.c_str (), nullptr));
  EXPECT_GT (header.get ()->checkpoint, 200u) << "later units forget the checkpoint";
}

class BrokenCheckpointTest : public CheckpointTest, public testing::WithParamInterface<int>
{
};

INSTANTIATE_TEST_SUITE_P (Ways, BrokenCheckpointTest, testing::Range (0, 4));

/* All facts are there: what is wrong with the checkpoint is told, and does no harm. */
TEST_P (BrokenCheckpointTest, FallsBackToTheFacts)
{
  start (long_wait);
  leave ();
  ASSERT_EQ (counts.n_checkpoints, 1u);
  counts.change = [] (GBytes *good) -> GBytes * {
    std::string text ((const char *) g_bytes_get_data (good, nullptr),
                      g_bytes_get_size (good));

    switch (GetParam ()) {
    case 0:
      return nullptr; /* the store itself finds it damaged */
    case 1:
      text[text.size () / 2] ^= 4;
      break;
    case 2:
      text.clear ();
      break;
    default:
      text[0] = 99; /* and the sum is wrong */
      break;
    }
    return bytes (text);
  };
  find ();
  EXPECT_EQ (counts.read_after, 0u);
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr,
                                 nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"r":99,"w":null})");
}

/* The engine is gone in the middle of a loop; another finds the state in the file and goes on. */
TEST_F (CheckpointTest, AnotherEngineGoesOnFromIt)
{
  TempDir dir;
  Error error;

  close ();
  use (Ref<NebulaStore> (nebula_sqlite_store_open (
      dir.file ("x.db").c_str (), NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ())));
  open ();
  start (for_each (3000, "action: test.effect, with: {v: '{{ $item }}'}"));
  ASSERT_TRUE (run_until ([this] { return counts.n_checkpoints > 0; }));
  close ();
  counts.facts_read = 0;
  open ();
  EXPECT_EQ (nebula_engine_recover (engine.get (), error.out ()), 1) << error.message ();
  ASSERT_TRUE (run_until ([this] { return counts.read_after > 0; }));
  EXPECT_LT (counts.facts_read, counts.facts_written / 2);
  find ();
  ASSERT_TRUE (wait ());
  /* An effect whose end was not committed is not repeated: the loop may fail for that, but never stand still. */
  EXPECT_TRUE (nebula_execution_status_is_terminal (status ()));
  close ();
  g_auto (GStrv) problems = nebula_sqlite_store_verify (
      NEBULA_SQLITE_STORE (((CountingStore *) (gpointer) store.get ())->store),
      error.out ());
  ASSERT_TRUE (problems) << error.message ();
  EXPECT_STREQ (problems[0], nullptr);
  store = Ref<NebulaStore> ();
}
