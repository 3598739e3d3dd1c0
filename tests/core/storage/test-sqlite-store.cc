/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only the SQLite store does: its file, its lock, and failures of the disk at every place. */

#include <fcntl.h>

#include "nebula-fault-vfs.h"
#include "nebula-sqlite-private.h"
#include "nebula-sqlite-store.h"
#include "nebula-store-test.h"

using namespace nebula;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

constexpr NebulaOutcome COMMITTED = NEBULA_OUTCOME_COMMITTED;
constexpr NebulaOutcome FAILED = NEBULA_OUTCOME_FAILED;
constexpr NebulaOutcome UNKNOWN = NEBULA_OUTCOME_UNKNOWN;

using Store = Ref<NebulaStore>;

NebulaStore *
open_store (const std::string &path, GError **error, bool is_read_only = false)
{
  return nebula_sqlite_store_open (path.c_str (),
                                   is_read_only ? NEBULA_SQLITE_STORE_FLAGS_READ_ONLY
                                                : NEBULA_SQLITE_STORE_FLAGS_NONE,
                                   error);
}

std::vector<std::string>
verify (NebulaStore *store)
{
  Error error;
  g_auto (GStrv) problems = nebula_sqlite_store_verify (NEBULA_SQLITE_STORE (store), error.out ());
  std::vector<std::string> found;
  EXPECT_TRUE (problems) << error.message ();
  for (char **problem = problems; problem && *problem; problem++)
    found.push_back (*problem);
  return found;
}

void
execute (const std::string &path, const char *sql)
{
  sqlite3 *db = nullptr;
  char *message = nullptr;
  ASSERT_EQ (sqlite3_open (path.c_str (), &db), SQLITE_OK);
  EXPECT_EQ (sqlite3_exec (db, sql, nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_free (message);
  sqlite3_close (db);
}

std::string
read_file (const std::string &path)
{
  std::ifstream file (path, std::ios::binary);
  return std::string (std::istreambuf_iterator<char> (file), {});
}

void
write_file (const std::string &path, const std::string &content)
{
  std::ofstream (path, std::ios::binary) << content;
}

class SqliteStore : public testing::Test
{
protected:
  void SetUp () override { FaultVfs::get ().forget (); }
  void TearDown () override { FaultVfs::get ().forget (); }

  TempDir dir;
  std::string path = dir.file ("s.db");
  Error error;
};

TEST_F (SqliteStore, HasOneWriterWhomTheMessageNames)
{
  Store first (open_store (path, error.out ()));
  ASSERT_TRUE (first) << error.message ();
  Store second (open_store (path, error.out ()));
  EXPECT_FALSE (second);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_BUSY));
  EXPECT_THAT (error.message (), HasSubstr ("process " + std::to_string (getpid ())));
  EXPECT_EQ (nebula_error_get_retry_class (error.get ()), NEBULA_RETRY_CLASS_RETRY);

  ASSERT_EQ (commit_one (first.get (), facts_unit ("a", 0, 1, "x")), COMMITTED);
  Store reader (open_store (path, error.out (), true));
  ASSERT_TRUE (reader) << error.message ();
  EXPECT_EQ (read_facts (reader.get (), "a"), "x");
  EXPECT_EQ (commit_one (reader.get (), facts_unit ("a", 1, 1, "y"), true, error.out ()), FAILED);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_PERMISSION_DENIED));
  EXPECT_FALSE (nebula_store_sync (reader.get (), error.out ()));
  reader = Store ();

  first = Store ();
  second = Store (open_store (path, error.out ()));
  EXPECT_TRUE (second) << error.message ();
  EXPECT_STREQ (nebula_sqlite_store_get_path (NEBULA_SQLITE_STORE (second.get ())), path.c_str ());
}

TEST_F (SqliteStore, FileIsForItsOwnerOnly)
{
  Store store (open_store (path, error.out ()));
  struct stat info;
  ASSERT_EQ (commit_one (store.get (), facts_unit ("a", 0, 1, "x")), COMMITTED);
  for (const char *suffix : { "", "-wal", "-shm", ".lock" }) {
    ASSERT_EQ (stat ((path + suffix).c_str (), &info), 0) << suffix;
    EXPECT_EQ (info.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F (SqliteStore, RefusesWhatItCannotOpen)
{
  EXPECT_FALSE (Store (open_store (dir.file ("no/s.db"), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE));
  EXPECT_FALSE (Store (open_store (path, error.out (), true)));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE));

  write_file (path, "This is no database, but long enough to be taken for one by its length alone. ............");
  EXPECT_FALSE (Store (open_store (path, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));

  ASSERT_EQ (symlink ("/etc/hostname", dir.file ("link").c_str ()), 0);
  EXPECT_FALSE (Store (open_store (dir.file ("link"), error.out ())));
  EXPECT_TRUE (error);
}

TEST_F (SqliteStore, RefusesANewerFormatAndLeavesItAlone)
{
  Store store (open_store (path, error.out ()));
  ASSERT_TRUE (store);
  store = Store ();
  execute (path, "PRAGMA user_version = 99");
  std::string before = read_file (path);

  EXPECT_FALSE (Store (open_store (path, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_VERSION));
  EXPECT_FALSE (Store (open_store (path, error.out (), true)));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_VERSION));
  EXPECT_EQ (read_file (path), before);
}

TEST_F (SqliteStore, RefusesAnothersDatabase)
{
  execute (path, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
  std::string before = read_file (path);

  EXPECT_FALSE (Store (open_store (path, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));
  EXPECT_EQ (read_file (path), before);
}

TEST_F (SqliteStore, ReadersWaitForTheFirstWriter)
{
  execute (path, "PRAGMA journal_mode = WAL; PRAGMA application_id = 1313161804");
  EXPECT_FALSE (Store (open_store (path, error.out (), true)));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_VERSION));
  EXPECT_TRUE (Store (open_store (path, error.out ()))) << error.message ();
  EXPECT_TRUE (Store (open_store (path, error.out (), true))) << error.message ();
}

TEST_F (SqliteStore, LockedByAProgramIsBusyAndWorksAgain)
{
  Store store (open_store (path, error.out ()));
  sqlite3 *shell = nullptr;
  ASSERT_EQ (sqlite3_open (path.c_str (), &shell), SQLITE_OK);
  ASSERT_EQ (sqlite3_exec (shell, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);

  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 0, 1, "x"), true, error.out ()), FAILED);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_BUSY));
  EXPECT_FALSE (nebula_sqlite_store_is_sealed (NEBULA_SQLITE_STORE (store.get ())));

  sqlite3_exec (shell, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close (shell);
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 0, 1, "x"), true, error.out ()), COMMITTED);
}

TEST_F (SqliteStore, FailedSyncSealsForEver)
{
  FaultVfs &vfs = FaultVfs::get ();
  Store store (open_store (path, error.out ()));
  ASSERT_EQ (commit_one (store.get (), facts_unit ("a", 0, 1, "x")), COMMITTED);

  vfs.arm (FaultVfs::SYNC_ERROR, 1, false);
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 1, 1, "y"), true, error.out ()), UNKNOWN);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_SEALED));
  EXPECT_EQ (nebula_error_get_retry_class (error.get ()), NEBULA_RETRY_CLASS_TERMINAL);
  EXPECT_EQ (vfs.n_hits (), 1);
  vfs.disarm ();

  unsigned n_syncs = vfs.n_syncs ();
  EXPECT_TRUE (nebula_sqlite_store_is_sealed (NEBULA_SQLITE_STORE (store.get ())));
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 1, 1, "y"), true, error.out ()), FAILED);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_SEALED));
  EXPECT_FALSE (nebula_store_sync (store.get (), error.out ()));
  EXPECT_FALSE (nebula_store_commit (store.get (), nullptr, 0, FALSE, nullptr, error.out ()));
  EXPECT_EQ (read_facts (store.get (), "a"), "x");
  store = Store ();
  EXPECT_EQ (vfs.n_syncs (), n_syncs) << "a sealed store must not sync, not even when it closes";
}

TEST_F (SqliteStore, FailedSyncOfRelaxedGroupsSeals)
{
  Store store (open_store (path, error.out ()));
  ASSERT_EQ (commit_one (store.get (), facts_unit ("a", 0, 1, "x"), false), COMMITTED);
  FaultVfs::get ().arm (FaultVfs::SYNC_ERROR, 1, false);
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 1, 1, "y"), false), COMMITTED);
  EXPECT_FALSE (nebula_store_sync (store.get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_SEALED));
}

TEST_F (SqliteStore, SyncsOnlyWhenAsked)
{
  FaultVfs &vfs = FaultVfs::get ();
  Store store (open_store (path, error.out ()));
  ASSERT_EQ (commit_one (store.get (), facts_unit ("a", 0, 1, "x")), COMMITTED);

  unsigned before = vfs.n_syncs ();
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 1, 1, "y"), false), COMMITTED);
  EXPECT_EQ (vfs.n_syncs (), before);
  EXPECT_TRUE (nebula_store_sync (store.get (), error.out ()));
  EXPECT_EQ (vfs.n_syncs (), before + 1);

  /* A strict unit that is there already must still be synced: it may have come in a relaxed group. */
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 2, 1, "z"), false), COMMITTED);
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 2, 1, "z"), true), COMMITTED);
  EXPECT_EQ (vfs.n_syncs (), before + 2);

  /* A group is one sync however many units it has. */
  commit (store.get (), { facts_unit ("b", 0, 1, "x"), facts_unit ("c", 0, 1, "x") });
  EXPECT_EQ (vfs.n_syncs (), before + 3);
}

TEST_F (SqliteStore, FullDiskLosesNothingAndWorksAgain)
{
  FaultVfs &vfs = FaultVfs::get ();
  Store store (open_store (path, error.out ()));
  ASSERT_EQ (commit_one (store.get (), facts_unit ("a", 0, 1, "x")), COMMITTED);

  vfs.arm (FaultVfs::WRITE_FULL, 1, true);
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 1, 1, "y"), true, error.out ()), FAILED);
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_FULL));
  }
  EXPECT_FALSE (nebula_store_sync (store.get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_FULL));
  vfs.disarm ();

  EXPECT_FALSE (nebula_sqlite_store_is_sealed (NEBULA_SQLITE_STORE (store.get ())));
  EXPECT_EQ (read_facts (store.get (), "a"), "x");
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 1, 1, "y"), true, error.out ()), COMMITTED);
  EXPECT_EQ (read_facts (store.get (), "a"), "x|y");
  EXPECT_THAT (verify (store.get ()), IsEmpty ());
}

TEST_F (SqliteStore, UnitThatCannotBeWrittenFailsAlone)
{
  Store store (open_store (path, error.out ()));
  NebulaUnit *huge = nebula_unit_new ("docs", 0);
  gsize length = 300 * 1024 * 1024;
  GBytes *value = g_bytes_new_take (g_malloc0 (length), length);
  nebula_unit_add_document (huge, "c", "k", value, 0);
  g_bytes_unref (value);

  auto outcomes = commit (store.get (), { facts_unit ("a", 0, 1, "x"), huge, facts_unit ("b", 0, 1, "x") });
  EXPECT_THAT (outcomes, testing::ElementsAre (COMMITTED, FAILED, COMMITTED));
  EXPECT_EQ (read_sequence (store.get (), "b"), 1u);
}

TEST_F (SqliteStore, LogIsCopiedIntoTheDatabase)
{
  Store store (open_store (path, error.out ()));
  struct stat info;
  std::string facts (64 * 1024, 'x');
  for (guint64 i = 0; i < 400; i++)
    ASSERT_EQ (commit_one (store.get (), facts_unit ("a", i, 1, facts), false), COMMITTED);
  ASSERT_EQ (stat ((path + "-wal").c_str (), &info), 0);
  EXPECT_LT (info.st_size, 20 * 1024 * 1024) << "25 MiB were written, the log is copied at 16";
  ASSERT_EQ (stat (path.c_str (), &info), 0);
  EXPECT_GT (info.st_size, 10 * 1024 * 1024);

  /* In an idle moment the rest follows. */
  EXPECT_TRUE (nebula_store_commit (store.get (), nullptr, 0, FALSE, nullptr, error.out ()));
  ASSERT_EQ (stat (path.c_str (), &info), 0);
  EXPECT_GT (info.st_size, 25 * 1024 * 1024);
  EXPECT_THAT (verify (store.get ()), IsEmpty ());
}

TEST_F (SqliteStore, OldConsumedMessagesGo)
{
  const gint64 day = G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC;
  Store store (open_store (path, error.out ()));
  NebulaUnit *unit = nebula_unit_new ("a", 0);
  nebula_unit_add_message (unit, "old", "a", nullptr, 1 * day);
  nebula_unit_add_message (unit, "new", "a", nullptr, 9 * day);
  nebula_unit_add_message (unit, "waits", "a", nullptr, 1 * day);
  commit_one (store.get (), unit);
  unit = nebula_unit_new ("a", 0);
  nebula_unit_add_consumed (unit, "old");
  nebula_unit_add_consumed (unit, "new");
  commit_one (store.get (), unit);
  EXPECT_TRUE (nebula_store_commit (store.get (), nullptr, 0, FALSE, nullptr, error.out ()));

  unit = nebula_unit_new ("a", 0);
  nebula_unit_add_message (unit, "old", "a", nullptr, 10 * day);
  nebula_unit_add_message (unit, "new", "a", nullptr, 10 * day);
  commit_one (store.get (), unit);
  EXPECT_THAT (list_inbox (store.get (), "a"), testing::ElementsAre ("waits", "old"));
}

/* Each row is spoilt in turn: the check names it, and the read of it fails rather than tell it. */
TEST_F (SqliteStore, WrongRowsAreFound)
{
  struct
  {
    const char *sql;
    const char *problem;
  } cases[] = {
    { "UPDATE segment SET facts = x'00' WHERE first = 1", "checksum of the facts" },
    { "UPDATE segment SET checksum = 1 WHERE first = 2", "digest of its facts" },
    { "DELETE FROM segment WHERE first = 1", "do not follow" },
    { "DELETE FROM segment WHERE first = 3", "the header ends at 3" },
    { "DELETE FROM stream", "facts without a header" },
    { "UPDATE stream SET status = 5", "checksum of the header" },
    { "UPDATE checkpoint SET state = x'00'", "checksum of the checkpoint" },
    { "DELETE FROM checkpoint", "names checkpoint" },
    { "UPDATE inbox SET payload = x'00'", "message m" },
    { "UPDATE document SET value = x'00'", "document c/k" },
  };

  for (auto &item : cases) {
    dir.clear ();
    Store store (open_store (path, error.out ()));
    GBytes *value = bytes ("v");
    for (guint64 i = 0; i < 3; i++)
      commit_one (store.get (), facts_unit ("a", i, 1, "x"));
    NebulaUnit *unit = nebula_unit_new ("a", 3);
    unit->checkpoint = g_bytes_ref (value);
    nebula_unit_add_message (unit, "m", "a", value, 1);
    nebula_unit_add_document (unit, "c", "k", value, 0);
    EXPECT_EQ (commit_one (store.get (), unit), COMMITTED);
    EXPECT_THAT (verify (store.get ()), IsEmpty ());
    g_bytes_unref (value);

    execute (path, item.sql);
    std::vector<std::string> problems = verify (store.get ());
    EXPECT_THAT (problems, testing::Contains (HasSubstr (item.problem))) << item.sql;
  }
}

TEST_F (SqliteStore, ReadOfASpoiltRowFailsAndSeals)
{
  Store store (open_store (path, error.out ()));
  commit_one (store.get (), facts_unit ("a", 0, 1, "x"));
  execute (path, "UPDATE segment SET facts = x'00'");

  EXPECT_FALSE (Rows (nebula_store_read_segments (store.get (), "a", 0, 0, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));
  EXPECT_TRUE (nebula_sqlite_store_is_sealed (NEBULA_SQLITE_STORE (store.get ())));
  EXPECT_EQ (commit_one (store.get (), facts_unit ("a", 1, 1, "y"), true, error.out ()), FAILED);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_SEALED));
}

/* One bit of the file flips: every answer is the right one or an error. */
/* It is made of facts, and they are there: whoever reads it can do without it, and go on writing. */
TEST_F (SqliteStore, DamagedCheckpointDoesNotSealIt)
{
  guint64 sequence = 7;
  Store store (open_store (path, error.out ()));
  NebulaUnit *unit = facts_unit ("a", 0, 1, "x");
  unit->checkpoint = bytes ("state");
  EXPECT_EQ (commit_one (store.get (), unit), COMMITTED);
  execute (path, "UPDATE checkpoint SET state = x'00'");

  EXPECT_EQ (nebula_store_read_checkpoint (store.get (), "a", &sequence, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));
  EXPECT_EQ (sequence, 7u);
  EXPECT_FALSE (nebula_sqlite_store_is_sealed (NEBULA_SQLITE_STORE (store.get ())));
  EXPECT_EQ (read_facts (store.get (), "a"), "x");
  unit = facts_unit ("a", 1, 1, "y");
  unit->checkpoint = bytes ("another");
  EXPECT_EQ (commit_one (store.get (), unit), COMMITTED);
  EXPECT_EQ (take_text (nebula_store_read_checkpoint (store.get (), "a", &sequence, nullptr)), "another");
  EXPECT_THAT (verify (store.get ()), IsEmpty ());
}

TEST_F (SqliteStore, FlippedBitsAreNeverServed)
{
  {
    Store store (open_store (path, error.out ()));
    for (guint64 i = 0; i < 200; i++)
      commit_one (store.get (), facts_unit ("a", i, 1, "fact " + std::to_string (i)), false);
  }
  const std::string good = read_file (path);
  std::string facts;
  {
    Store store (open_store (path, error.out ()));
    facts = read_facts (store.get (), "a");
  }

  std::mt19937 random (20240501);
  int n_refused = 0;
  for (int i = 0; i < 300; i++) {
    std::string bad = good;
    size_t bit = random () % (good.size () * 8);
    bad[bit / 8] = (char) (bad[bit / 8] ^ (1 << bit % 8));
    write_file (path, bad);

    Store store (open_store (path, error.out ()));
    if (!store) {
      EXPECT_TRUE (error);
      n_refused++;
      continue;
    }
    Rows rows (nebula_store_read_segments (store.get (), "a", 0, 0, error.out ()));
    Header header;
    if (rows)
      header.reset (nebula_store_read_header (store.get (), "a", error.out ()));
    if (!rows || error) {
      n_refused++;
      continue;
    }
    std::string found = read_facts (store.get (), "a");
    if (found != facts || !header || header.get ()->sequence != 200) {
      EXPECT_THAT (verify (store.get ()), testing::Not (IsEmpty ())) << "bit " << bit;
    }
    n_refused += found != facts;
  }
  EXPECT_GE (n_refused, 15); /* the rest hits pages that no read needs */
}

/*
 * The same work is done again and again; the n-th write or sync fails, n = 1, 2, … until a run meets no fault. After
 * each the store is opened anew, holds together, and has all that was acknowledged.
 */
class SqliteFaults
    : public SqliteStore,
      public testing::WithParamInterface<std::tuple<FaultVfs::Kind, bool>>
{
protected:
  static constexpr guint64 N_UNITS = 5;

  /* Commits what is not acknowledged yet; false at the first unit that fails. */
  bool
  work (NebulaStore *store, std::vector<bool> &acknowledged)
  {
    for (guint64 i = 0; i < N_UNITS; i++) {
      if (acknowledged[i])
        continue;
      GBytes *value = bytes ("value " + std::to_string (i));
      NebulaUnit *unit = facts_unit ("a", i, 1, std::string (i % 3 ? 20 : 5000, (char) ('a' + i)));
      unit->header->status = i % 4 ? NEBULA_EXECUTION_STATUS_RUNNING : NEBULA_EXECUTION_STATUS_SUSPENDED;
      unit->header->wake_usec = i % 4 ? 0 : 100;
      if (i % 5 == 4)
        unit->checkpoint = g_bytes_ref (value);
      nebula_unit_add_message (unit, ("m" + std::to_string (i)).c_str (), "b", value, 1);
      nebula_unit_add_document (unit, "c", ("k" + std::to_string (i)).c_str (), value, -1);
      g_bytes_unref (value);
      if (commit_one (store, unit, i % 4 != 1) != COMMITTED)
        return false;
      acknowledged[i] = true;
      if (i % 4 == 2 && !nebula_store_commit (store, nullptr, 0, FALSE, nullptr, nullptr))
        return false;
    }
    return true;
  }

  void
  check (NebulaStore *store, const std::vector<bool> &acknowledged)
  {
    guint64 sequence = read_sequence (store, "a");
    size_t n_inbox = list_inbox (store, "b").size ();
    g_auto (GStrv) keys = nebula_store_list_documents (store, "c", nullptr, 0, nullptr);
    EXPECT_THAT (verify (store), IsEmpty ());
    for (guint64 i = 0; i < N_UNITS; i++)
      if (acknowledged[i]) {
        EXPECT_GT (sequence, i) << "acknowledged and lost";
      }
    EXPECT_EQ (n_inbox, sequence) << "a unit must be there wholly or not at all";
    EXPECT_EQ (g_strv_length (keys), sequence);
  }
};

TEST_P (SqliteFaults, EveryPlaceIsSurvived)
{
  FaultVfs &vfs = FaultVfs::get ();
  auto [kind, is_forever] = GetParam ();
  bool is_untouched = false;
  int n = 0;

  while (!is_untouched) {
    n++;
    ASSERT_LT (n, 2000);
    SCOPED_TRACE (n);
    dir.clear ();
    vfs.forget ();
    vfs.arm (kind, n, is_forever);
    std::vector<bool> acknowledged (N_UNITS, false);
    {
      Store store (open_store (path, error.out ()));
      if (store && !work (store.get (), acknowledged) && kind == FaultVfs::WRITE_FULL) {
        EXPECT_FALSE (nebula_sqlite_store_is_sealed (NEBULA_SQLITE_STORE (store.get ())));
        vfs.disarm ();
        EXPECT_TRUE (work (store.get (), acknowledged)) << "a full disk is no end";
      }
    }
    is_untouched = vfs.n_hits () == 0;
    vfs.disarm ();

    Store store (open_store (path, error.out ()));
    ASSERT_TRUE (store) << error.message ();
    check (store.get (), acknowledged);
    EXPECT_TRUE (work (store.get (), acknowledged));
    check (store.get (), std::vector<bool> (N_UNITS, true));
    if (testing::Test::HasFailure ())
      return;
  }
  EXPECT_GT (n, 10) << "the faults must have met something";
}

using Fault = std::tuple<FaultVfs::Kind, bool>;

INSTANTIATE_TEST_SUITE_P (Faults,
                          SqliteFaults,
                          testing::Values (Fault (FaultVfs::WRITE_ERROR, true),
                                           Fault (FaultVfs::WRITE_SHORT, false),
                                           Fault (FaultVfs::WRITE_TORN, false),
                                           Fault (FaultVfs::WRITE_FULL, false),
                                           Fault (FaultVfs::WRITE_FULL, true),
                                           Fault (FaultVfs::SYNC_ERROR, false),
                                           Fault (FaultVfs::SYNC_ERROR, true)));

/* Power cuts in a model: what was not synced arrives by sectors at random. The number of acknowledged units lost. */
int
count_lost (TempDir &dir, TempDir &after, bool is_lying, bool sync, unsigned seed)
{
  FaultVfs &vfs = FaultVfs::get ();
  Error error;
  guint64 n_units = 3 + seed % 7;
  dir.clear ();
  after.clear ();
  vfs.forget ();
  {
    Store store (open_store (dir.file ("s.db"), error.out ()));
    vfs.set_lying (is_lying);
    for (guint64 i = 0; i < n_units; i++) {
      EXPECT_EQ (commit_one (store.get (), facts_unit ("a", i, 1, std::string (700, 'x')), sync), COMMITTED);
      if (seed % 5 == i)
        nebula_store_commit (store.get (), nullptr, 0, FALSE, nullptr, nullptr);
    }
    vfs.crash (dir.path (), after.path (), seed);
  }
  vfs.forget ();

  Store store (open_store (after.file ("s.db"), error.out ()));
  if (!store)
    return (int) n_units;
  if (!is_lying) {
    EXPECT_THAT (verify (store.get ()), IsEmpty ()) << "seed " << seed;
  }
  Header header (nebula_store_read_header (store.get (), "a", nullptr));
  return (int) n_units - (header ? (int) header.get ()->sequence : 0);
}

TEST_F (SqliteStore, PowerCutsLoseNothingThatWasSynced)
{
  TempDir after;
  for (unsigned seed = 0; seed < 40; seed++)
    EXPECT_EQ (count_lost (dir, after, false, true, seed), 0) << "seed " << seed;
}

/* The controls: without syncs, and with a disk that lies, the same test must find losses. */
TEST_F (SqliteStore, PowerCutModelFindsMissingSyncs)
{
  TempDir after;
  int n_lost = 0;
  for (unsigned seed = 0; seed < 20; seed++)
    n_lost += count_lost (dir, after, false, false, seed);
  EXPECT_GT (n_lost, 0);
  n_lost = 0;
  for (unsigned seed = 0; seed < 20; seed++)
    n_lost += count_lost (dir, after, true, true, seed);
  EXPECT_GT (n_lost, 0);
}

} // namespace

TEST (SqliteError, ResultCodesBecomeErrors)
{
  struct
  {
    int result;
    NebulaError code;
    NebulaRetryClass retry_class;
  } cases[] = {
    { SQLITE_BUSY, NEBULA_ERROR_STORE_BUSY, NEBULA_RETRY_CLASS_RETRY },
    { SQLITE_BUSY_SNAPSHOT, NEBULA_ERROR_STORE_BUSY, NEBULA_RETRY_CLASS_RETRY },
    { SQLITE_LOCKED, NEBULA_ERROR_STORE_BUSY, NEBULA_RETRY_CLASS_RETRY },
    { SQLITE_FULL, NEBULA_ERROR_STORE_FULL, NEBULA_RETRY_CLASS_RETRY },
    { SQLITE_CORRUPT, NEBULA_ERROR_STORE_CORRUPT, NEBULA_RETRY_CLASS_TERMINAL },
    { SQLITE_NOTADB, NEBULA_ERROR_STORE_CORRUPT, NEBULA_RETRY_CLASS_TERMINAL },
    { SQLITE_IOERR_FSYNC, NEBULA_ERROR_STORE, NEBULA_RETRY_CLASS_TERMINAL },
    { SQLITE_CANTOPEN, NEBULA_ERROR_STORE, NEBULA_RETRY_CLASS_TERMINAL },
    { SQLITE_READONLY, NEBULA_ERROR_STORE, NEBULA_RETRY_CLASS_TERMINAL },
  };
  for (auto &c : cases) {
    Error error;
    _nebula_sqlite_set_error (nullptr, c.result, error.out ());
    EXPECT_TRUE (has_error (error, c.code)) << c.result;
    EXPECT_EQ (nebula_error_get_retry_class (error.get ()), c.retry_class) << c.result;
    EXPECT_THAT (error.message (), HasSubstr (sqlite3_errstr (c.result)));
  }
}
