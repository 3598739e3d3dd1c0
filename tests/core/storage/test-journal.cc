/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal, on a store that fails as the test says. */

#include "nebula-journal-internal.h"
#include "nebula-memory-store.h"
#include "nebula-sqlite-store.h"
#include "nebula-store-test.h"
#include "nebula-sync-internal.h"

using namespace nebula;
using testing::ElementsAre;
using testing::IsEmpty;

/* A store in memory that follows a script: one step a commit, then it works. */
typedef enum
{
  STEP_WORK,
  STEP_BUSY,
  STEP_FULL,
  STEP_FAIL,
  STEP_SEALED,
  STEP_UNKNOWN_DONE,   /* it is written, and nobody says so */
  STEP_UNKNOWN_UNDONE, /* it is not written, and nobody says so */
  STEP_BLOCK,          /* waits until the test lets it go on */
} Step;

typedef struct
{
  GObject parent_instance;
  NebulaStore *inner;
  GMutex lock;
  GCond changed;
  std::vector<Step> *script;
  std::vector<guint> *groups; /* sizes of the committed groups */
  std::vector<bool> *synced;
  bool is_released;
  bool is_blocked;
  bool is_durable;
  guint n_syncs;
  guint n_idle;
  guint n_read_failures;
} ScriptStore;
typedef GObjectClass ScriptStoreClass;

static GType script_store_get_type (void);
static void script_store_iface_init (NebulaStoreInterface *iface);
G_DEFINE_TYPE_WITH_CODE (ScriptStore,
                         script_store,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (NEBULA_TYPE_STORE, script_store_iface_init))

static ScriptStore *
script (NebulaStore *store)
{
  return (ScriptStore *) store;
}

static gboolean
script_fail (NebulaOutcome *outcomes, guint n, NebulaOutcome outcome, GError **error, NebulaError code)
{
  for (guint i = 0; i < n; i++)
    outcomes[i] = outcome;
  g_set_error_literal (error, NEBULA_ERROR, code, "as scripted");
  return FALSE;
}

static gboolean
script_commit (NebulaStore *store, NebulaUnit **units, guint n, gboolean sync, NebulaOutcome *outcomes, GError **error)
{
  ScriptStore *self = script (store);
  Step step = STEP_WORK;

  _nebula_sync_lock (&self->lock);
  if (n == 0) {
    self->n_idle++;
    g_cond_broadcast (&self->changed);
    _nebula_sync_unlock (&self->lock);
    return TRUE;
  }
  if (!self->script->empty ()) {
    step = self->script->front ();
    self->script->erase (self->script->begin ());
  }
  while (step == STEP_BLOCK && !self->is_released) {
    self->is_blocked = true;
    g_cond_broadcast (&self->changed);
    _nebula_sync_wait (&self->changed, &self->lock);
  }
  if (step == STEP_WORK || step == STEP_BLOCK) {
    self->groups->push_back (n);
    self->synced->push_back (sync);
  }
  _nebula_sync_unlock (&self->lock);

  switch (step) {
  case STEP_BUSY:
    return script_fail (outcomes, n, NEBULA_OUTCOME_FAILED, error, NEBULA_ERROR_STORE_BUSY);
  case STEP_FULL:
    return script_fail (outcomes, n, NEBULA_OUTCOME_FAILED, error, NEBULA_ERROR_STORE_FULL);
  case STEP_FAIL:
    return script_fail (outcomes, n, NEBULA_OUTCOME_FAILED, error, NEBULA_ERROR_STORE);
  case STEP_SEALED:
    return script_fail (outcomes, n, NEBULA_OUTCOME_UNKNOWN, error, NEBULA_ERROR_STORE_SEALED);
  case STEP_UNKNOWN_DONE:
    nebula_store_commit (self->inner, units, n, sync, outcomes, nullptr);
    return script_fail (outcomes, n, NEBULA_OUTCOME_UNKNOWN, error, NEBULA_ERROR_STORE);
  case STEP_UNKNOWN_UNDONE:
    return script_fail (outcomes, n, NEBULA_OUTCOME_UNKNOWN, error, NEBULA_ERROR_STORE);
  case STEP_WORK:
  case STEP_BLOCK:
  default:
    return nebula_store_commit (self->inner, units, n, sync, outcomes, error);
  }
}

static gboolean
script_sync (NebulaStore *store, GError **)
{
  ScriptStore *self = script (store);
  _nebula_sync_lock (&self->lock);
  self->n_syncs++;
  g_cond_broadcast (&self->changed);
  _nebula_sync_unlock (&self->lock);
  return TRUE;
}

static void
script_store_iface_init (NebulaStoreInterface *iface)
{
  iface->commit = script_commit;
  iface->sync = script_sync;
  iface->read_header = [] (NebulaStore *store, const char *stream, GError **error) {
    return nebula_store_read_header (script (store)->inner, stream, error);
  };
  iface->read_segments = [] (NebulaStore *store, const char *stream, guint64 after, guint limit,
                             GError **error) -> GPtrArray * {
    if (script (store)->n_read_failures > 0) {
      script (store)->n_read_failures--;
      g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY, "as scripted");
      return nullptr;
    }
    return nebula_store_read_segments (script (store)->inner, stream, after, limit, error);
  };
  iface->read_document = [] (NebulaStore *store, const char *collection, const char *key,
                             gint64 *revision, GError **error) {
    return nebula_store_read_document (script (store)->inner, collection, key, revision, error);
  };
  iface->get_is_durable = [] (NebulaStore *store) -> gboolean { return script (store)->is_durable; };
}

static void
script_store_finalize (GObject *object)
{
  ScriptStore *self = (ScriptStore *) object;
  g_object_unref (self->inner);
  delete self->script;
  delete self->groups;
  delete self->synced;
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (script_store_parent_class)->finalize (object);
}

static void
script_store_class_init (ScriptStoreClass *klass)
{
  klass->finalize = script_store_finalize;
}

static void
script_store_init (ScriptStore *self)
{
  self->inner = nebula_memory_store_new ();
  self->script = new std::vector<Step>;
  self->groups = new std::vector<guint>;
  self->synced = new std::vector<bool>;
  self->is_durable = true;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

namespace
{

constexpr NebulaOutcome COMMITTED = NEBULA_OUTCOME_COMMITTED;
constexpr NebulaOutcome STALE = NEBULA_OUTCOME_REFUSED_STALE;
constexpr NebulaOutcome REVISION = NEBULA_OUTCOME_REFUSED_REVISION;
constexpr NebulaOutcome FAILED = NEBULA_OUTCOME_FAILED;
constexpr NebulaOutcome UNKNOWN = NEBULA_OUTCOME_UNKNOWN;

NebulaUnit *
fact_unit (const char *stream, guint64 expected, bool is_strict = true)
{
  NebulaUnit *unit = facts_unit (stream, expected, 1, "f" + std::to_string (expected));
  unit->strict = is_strict;
  return unit;
}

NebulaUnit *
document_unit (const char *stream, const char *key, const char *text, gint64 expected)
{
  NebulaUnit *unit = nebula_unit_new (stream, 0);
  GBytes *value = bytes (text);
  nebula_unit_add_document (unit, "c", key, value, expected);
  g_bytes_unref (value);
  unit->strict = TRUE;
  return unit;
}

/* Each test runs with the writer's thread and, where it makes sense, inline. */
class Journal : public LoopTest, public testing::WithParamInterface<bool>
{
protected:
  void
  SetUp () override
  {
    LoopTest::SetUp ();
    store = script ((NebulaStore *) g_object_new (script_store_get_type (), nullptr));
    journal = nebula_journal_new ((NebulaStore *) store, GetParam ());
    nebula_journal_set_watch (journal, on_event, this);
  }
  void
  TearDown () override
  {
    if (journal)
      free_journal ();
    g_object_unref (store);
    LoopTest::TearDown ();
  }
  static void
  on_event (NebulaJournalEvent event, const GError *, gpointer data)
  {
    static const char *const names[] = { "paused", "resumed", "fatal" };
    ((Journal *) data)->log.push_back (names[event]);
  }
  static void
  on_answer (const NebulaUnit *unit, NebulaOutcome outcome, const GError *error, gpointer data)
  {
    Journal *self = (Journal *) data;
    static const char *const names[] = { "ok", "stale", "revision", "failed", "unknown" };
    EXPECT_EQ (outcome == COMMITTED, error == nullptr);
    EXPECT_FALSE (self->is_submitting) << "a callback must not run inside the submission";
    self->log.push_back (std::string (unit->stream) + std::to_string (unit->expected_sequence) +
                         " " + names[outcome]);
    self->outcomes.push_back (outcome);
    if (error)
      self->code = nebula_error_get_code (error);
    if (self->next)
      self->next ();
  }
  void
  submit (NebulaUnit *unit)
  {
    is_submitting = true;
    nebula_journal_submit (journal, unit, on_answer, this);
    is_submitting = false;
  }
  /* Holds the writer in a commit, so that what is submitted meanwhile forms the next group. */
  void
  block ()
  {
    store->script->push_back (STEP_BLOCK);
    submit (fact_unit ("block", n_blocks++));
    _nebula_sync_lock (&store->lock);
    while (!store->is_blocked)
      _nebula_sync_wait (&store->changed, &store->lock);
    _nebula_sync_unlock (&store->lock);
  }
  void
  release ()
  {
    _nebula_sync_lock (&store->lock);
    store->is_released = true;
    g_cond_broadcast (&store->changed);
    _nebula_sync_unlock (&store->lock);
  }
  void
  free_journal ()
  {
    nebula_journal_free (journal); /* callbacks may still submit */
    journal = nullptr;
  }
  bool
  settle ()
  {
    return run_until ([this] { return nebula_journal_get_n_pending (journal) == 0; });
  }

  ScriptStore *store = nullptr;
  NebulaJournal *journal = nullptr;
  std::vector<std::string> log;
  std::vector<NebulaOutcome> outcomes;
  std::string code;
  std::function<void ()> next;
  bool is_submitting = false;
  guint64 n_blocks = 0;
};

TEST_P (Journal, AnswersInOrder)
{
  EXPECT_EQ (nebula_journal_get_store (journal), (NebulaStore *) store);
  for (guint64 i = 0; i < 3; i++) {
    submit (fact_unit ("a", i));
    submit (fact_unit ("b", i));
  }
  EXPECT_EQ (nebula_journal_get_n_pending (journal), 6u);
  EXPECT_TRUE (settle ());
  EXPECT_THAT (log, ElementsAre ("a0 ok", "b0 ok", "a1 ok", "b1 ok", "a2 ok", "b2 ok"));
  EXPECT_EQ (read_facts (store->inner, "a"), "f0|f1|f2");

  NebulaJournalCounters counters;
  nebula_journal_get_counters (journal, &counters);
  EXPECT_EQ (counters.units, 6u);
  EXPECT_GE (counters.groups, 1u);
  EXPECT_EQ (counters.syncs, counters.groups);
}

TEST_P (Journal, FlushAnswersEverything)
{
  submit (fact_unit ("a", 0));
  submit (fact_unit ("a", 1));
  nebula_journal_flush (journal);
  EXPECT_EQ (nebula_journal_get_n_pending (journal), 0u);
  EXPECT_EQ (outcomes.size (), 2u);
  nebula_journal_flush (journal);
}

TEST_P (Journal, CallbacksMaySubmitAndFlush)
{
  int n_left = 3;
  guint64 expected = 1;
  next = [&] {
    if (n_left-- > 0)
      submit (fact_unit ("a", expected++));
    if (n_left == 1)
      nebula_journal_flush (journal);
  };
  submit (fact_unit ("a", 0));
  submit (fact_unit ("b", 0));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (read_sequence (store->inner, "a"), 4u);
  EXPECT_EQ (outcomes.size (), 5u);
}

TEST_P (Journal, HeldUnitsAreOneGroup)
{
  nebula_journal_hold (journal);
  nebula_journal_hold (journal);
  for (guint64 i = 0; i < 3; i++) {
    submit (fact_unit ("a", i));
    submit (fact_unit ("b", i));
  }
  nebula_journal_let_go (journal);
  EXPECT_THAT (*store->groups, IsEmpty ());
  EXPECT_EQ (nebula_journal_get_n_pending (journal), 6u);
  nebula_journal_let_go (journal);
  EXPECT_TRUE (settle ());
  EXPECT_THAT (*store->groups, ElementsAre (6));
  EXPECT_THAT (log, ElementsAre ("a0 ok", "b0 ok", "a1 ok", "b1 ok", "a2 ok", "b2 ok"));
}

TEST_P (Journal, FlushDoesNotWaitForTheHolder)
{
  nebula_journal_hold (journal);
  submit (fact_unit ("a", 0));
  nebula_journal_flush (journal);
  EXPECT_EQ (outcomes.size (), 1u);
  submit (fact_unit ("a", 1));
  nebula_journal_let_go (journal);
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.size (), 2u);
}

TEST_P (Journal, FreeingFlushes)
{
  submit (fact_unit ("a", 0));
  next = [&] {
    next = nullptr;
    submit (fact_unit ("a", 1));
  };
  free_journal ();
  EXPECT_THAT (log, ElementsAre ("a0 ok", "a1 ok"));
}

TEST_P (Journal, CallbackMayFreeIt)
{
  next = [&] {
    next = nullptr;
    free_journal ();
  };
  submit (fact_unit ("a", 0));
  submit (fact_unit ("a", 1));
  EXPECT_TRUE (run_until ([&] { return journal == nullptr; }));
  EXPECT_THAT (log, ElementsAre ("a0 ok", "a1 ok"));
}

TEST_P (Journal, LaterUnitsOfAFailedStreamFailWithIt)
{
  submit (fact_unit ("a", 5));                    /* refused */
  submit (document_unit ("a", "k", "v", 0));      /* checks nothing itself, but was built on it */
  submit (document_unit ("b", "k", "w", 0));
  submit (fact_unit ("a", 0));                    /* would be right, but the owner does not know yet */
  EXPECT_TRUE (settle ());
  EXPECT_THAT (log, ElementsAre ("a5 stale", "a0 failed", "b0 ok", "a0 failed"));
  EXPECT_EQ (read_sequence (store->inner, "a"), 0u);

  submit (fact_unit ("a", 0)); /* now the owner knows */
  submit (document_unit ("a", "k", "x", 1));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.back (), COMMITTED);
}

TEST_P (Journal, UnitsSentByTheFailedCallbackAreFine)
{
  submit (document_unit ("a", "k", "v", 7));
  submit (fact_unit ("a", 0));
  next = [&] {
    next = nullptr;
    submit (fact_unit ("a", 0));
    submit (fact_unit ("a", 1));
  };
  EXPECT_TRUE (settle ());
  EXPECT_THAT (outcomes, ElementsAre (REVISION, FAILED, COMMITTED, COMMITTED));
  EXPECT_EQ (code, "stale");
}

TEST_P (Journal, BusyAndFullStoresAreTriedAgain)
{
  *store->script = { STEP_BUSY, STEP_FULL };
  submit (fact_unit ("a", 0));
  EXPECT_TRUE (settle ());
  EXPECT_TRUE (run_until ([&] { return log.size () == 3; }));
  EXPECT_EQ (read_sequence (store->inner, "a"), 1u);
  EXPECT_EQ (std::count (log.begin (), log.end (), "paused"), 1);
  EXPECT_EQ (std::count (log.begin (), log.end (), "resumed"), 1);
  EXPECT_EQ (outcomes, std::vector<NebulaOutcome> { COMMITTED });
}

TEST_P (Journal, OtherFailuresFailTheirGroupOnly)
{
  *store->script = { STEP_FAIL };
  submit (fact_unit ("a", 0));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (code, "store");
  submit (fact_unit ("a", 0));
  EXPECT_TRUE (settle ());
  EXPECT_THAT (log, ElementsAre ("a0 failed", "a0 ok"));
}

TEST_P (Journal, SealedStoreIsFatalOnce)
{
  *store->script = { STEP_SEALED };
  submit (fact_unit ("a", 0));
  EXPECT_TRUE (settle ());
  submit (fact_unit ("a", 0));
  submit (fact_unit ("b", 0));
  EXPECT_TRUE (settle ());
  EXPECT_THAT (outcomes, ElementsAre (UNKNOWN, FAILED, FAILED));
  EXPECT_EQ (std::count (log.begin (), log.end (), "fatal"), 1);
  EXPECT_EQ (code, "store-sealed");
  EXPECT_TRUE (store->groups->empty ()) << "nothing is written after the end";
}

TEST_P (Journal, UnknownOutcomesAreReadBack)
{
  *store->script = { STEP_UNKNOWN_DONE };
  submit (fact_unit ("a", 0));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.back (), COMMITTED);
  EXPECT_EQ (store->n_syncs, 1u) << "what is read back may not have been synced";

  *store->script = { STEP_UNKNOWN_UNDONE };
  submit (fact_unit ("a", 1));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.back (), FAILED);
  EXPECT_EQ (code, "store");
  EXPECT_EQ (read_sequence (store->inner, "a"), 1u);

  *store->script = { STEP_UNKNOWN_DONE };
  submit (document_unit ("d", "k", "v", -1));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.back (), COMMITTED);
  *store->script = { STEP_UNKNOWN_UNDONE };
  submit (document_unit ("d", "k", "w", 1));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.back (), FAILED);

  /* A message is simply sent once more. */
  *store->script = { STEP_UNKNOWN_UNDONE };
  NebulaUnit *unit = nebula_unit_new ("m", 0);
  nebula_unit_add_message (unit, "m1", "a", nullptr, 1);
  submit (unit);
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.back (), COMMITTED);
  EXPECT_THAT (list_inbox (store->inner, "a"), ElementsAre ("m1"));

  /* Reading back waits until the store can be read. */
  store->n_read_failures = 1;
  *store->script = { STEP_UNKNOWN_DONE };
  submit (fact_unit ("a", 1));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (outcomes.back (), COMMITTED);
}

TEST_P (Journal, RelaxedUnitsAreSyncedSoon)
{
  submit (fact_unit ("a", 0, false));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (store->synced->back (), false);
  EXPECT_TRUE (run_until ([&] {
    _nebula_sync_lock (&store->lock);
    bool is_synced = store->n_syncs == 1;
    _nebula_sync_unlock (&store->lock);
    return is_synced;
  }));

  submit (fact_unit ("a", 1, false));
  EXPECT_TRUE (settle ());
  submit (fact_unit ("a", 2, true));
  EXPECT_TRUE (settle ());
  EXPECT_EQ (store->synced->back (), true);
  submit (fact_unit ("a", 3, false));
  free_journal ();
  EXPECT_EQ (store->n_syncs, 2u) << "the end syncs what is not synced yet";
}

TEST_P (Journal, NothingIsSyncedInMemory)
{
  store->is_durable = false;
  submit (fact_unit ("a", 0, false));
  free_journal ();
  EXPECT_EQ (store->n_syncs, 0u);
}

INSTANTIATE_TEST_SUITE_P (Modes, Journal, testing::Bool (), [] (const testing::TestParamInfo<bool> &info) {
  return std::string (info.param ? "inline" : "thread");
});

class JournalThread : public Journal
{
};

TEST_P (JournalThread, WhatQueuesUpIsOneGroup)
{
  block ();
  for (guint64 i = 0; i < 50; i++) {
    submit (fact_unit ("a", i));
    submit (fact_unit ("b", i, false));
  }
  release ();
  EXPECT_TRUE (settle ());
  EXPECT_THAT (*store->groups, ElementsAre (1, 100));
  EXPECT_THAT (*store->synced, ElementsAre (true, true));
  EXPECT_EQ (std::count (outcomes.begin (), outcomes.end (), COMMITTED), 101);
}

TEST_P (JournalThread, RelaxedGroupsAreNotSynced)
{
  block ();
  for (guint64 i = 0; i < 10; i++)
    submit (fact_unit ("a", i, false));
  release ();
  EXPECT_TRUE (settle ());
  EXPECT_THAT (*store->synced, ElementsAre (true, false));
}

TEST_P (JournalThread, UnitsThatCheckNothingGetAGroupOfTheirOwn)
{
  block ();
  submit (fact_unit ("a", 0));
  submit (document_unit ("a", "k", "v", 0));
  submit (fact_unit ("a", 1));
  release ();
  EXPECT_TRUE (settle ());
  EXPECT_THAT (*store->groups, ElementsAre (1, 1, 1, 1));
}

TEST_P (JournalThread, HugeQueuesAreCutIntoGroups)
{
  block ();
  for (guint64 i = 0; i < 3000; i++)
    submit (fact_unit ("a", i));
  release ();
  EXPECT_TRUE (settle ());
  EXPECT_EQ (store->groups->size (), 3u);
  EXPECT_EQ (read_sequence (store->inner, "a"), 3000u);
}

TEST_P (JournalThread, IdleMomentsAreForTheStore)
{
  submit (fact_unit ("a", 0));
  EXPECT_TRUE (settle ());
  _nebula_sync_lock (&store->lock);
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  while (store->n_idle == 0 && _nebula_sync_wait_until (&store->changed, &store->lock, end))
    ;
  EXPECT_EQ (store->n_idle, 1u);
  _nebula_sync_unlock (&store->lock);
}

/* The end does not wait for a disk that stays full. */
TEST_P (JournalThread, FreeingEndsAPause)
{
  store->script->assign (1000, STEP_FULL);
  submit (fact_unit ("a", 0));
  EXPECT_TRUE (run_until ([&] { return !log.empty (); }));
  EXPECT_THAT (log, ElementsAre ("paused"));
  free_journal ();
  EXPECT_THAT (outcomes, ElementsAre (FAILED));
  EXPECT_EQ (code, "store-full");
}

INSTANTIATE_TEST_SUITE_P (Thread, JournalThread, testing::Values (false));

/* The whole way to a file, with a chain and a crowd. */
class JournalSqlite : public LoopTest
{
};

TEST_F (JournalSqlite, WritesThroughToTheFile)
{
  TempDir dir;
  Error error;
  Ref<NebulaStore> store (nebula_sqlite_store_open (dir.file ("s.db").c_str (),
                                                    NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ()));
  NebulaJournal *journal = nebula_journal_new (store.get (), FALSE);
  int n_committed = 0;
  auto count = [] (const NebulaUnit *, NebulaOutcome outcome, const GError *, gpointer data) {
    *(int *) data += outcome == COMMITTED;
  };
  for (guint64 i = 0; i < 20; i++)
    for (const char *name : { "a", "b", "c", "d" })
      nebula_journal_submit (journal, fact_unit (name, i, name[0] == 'a'), count, &n_committed);
  nebula_journal_free (journal);
  EXPECT_EQ (n_committed, 80);
  for (const char *name : { "a", "b", "c", "d" })
    EXPECT_EQ (read_sequence (store.get (), name), 20u);
}

} // namespace
