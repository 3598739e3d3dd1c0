/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every store must do with blobs, and what the SQLite store does with its files when something fails. */

#include <dirent.h>
#include <sys/stat.h>

#include "nebula-fault-vfs.h"
#include "nebula-memory-store.h"
#include "nebula-sqlite-private.h"
#include "nebula-sqlite-store.h"
#include "nebula-store-test.h"

using namespace nebula;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

constexpr NebulaOutcome COMMITTED = NEBULA_OUTCOME_COMMITTED;
constexpr NebulaOutcome STALE = NEBULA_OUTCOME_REFUSED_STALE;
constexpr gint64 FUTURE = G_GINT64_CONSTANT (1) << 60;

using Writer = Ref<NebulaBlobWriter>;
using Stream = Ref<GInputStream>;

std::string
make_text (size_t size, unsigned seed = 1)
{
  std::string text (size, '\0');
  std::mt19937 random (seed);
  for (size_t i = 0; i < size; i += 1 + random () % 97)
    text[i] = (char) random ();
  return text;
}

std::string
digest_of (const std::string &text)
{
  char *digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text.data (), text.size ());
  std::string copy = digest;
  g_free (digest);
  return copy;
}

NebulaUnit *
with_blob (NebulaUnit *unit, const std::string &text)
{
  GBytes *content = bytes (text);
  nebula_unit_add_blob (unit, nebula_blob_new (content));
  g_bytes_unref (content);
  return unit;
}

std::string
read_blob (NebulaStore *store, const std::string &digest, GError **error = nullptr)
{
  return take_text (nebula_store_read_blob (store, digest.c_str (), error));
}

std::string
read_stream (NebulaStore *store, const std::string &digest, guint64 *ret_size, GError **error, gsize step = 70000)
{
  Stream stream (nebula_store_open_blob (store, digest.c_str (), ret_size, error));
  std::string text;
  std::vector<char> buffer (step);
  gssize n_read = 0;
  if (!stream)
    return "(none)";
  while ((n_read = g_input_stream_read (stream.get (), buffer.data (), step, nullptr, error)) > 0)
    text.append (buffer.data (), (size_t) n_read);
  return n_read < 0 ? "(failed)" : text;
}

/* The reference, or NULL. */
NebulaValue *
write_blob (NebulaStore *store, const std::string &text, size_t step, GError **error)
{
  Writer writer (nebula_store_create_blob (store, error));
  if (!writer)
    return nullptr;
  for (size_t at = 0; at < text.size (); at += step) {
    size_t length = std::min (step, text.size () - at);
    if (!nebula_blob_writer_write (writer.get (), (const guint8 *) text.data () + at, length, error))
      return nullptr;
  }
  return nebula_blob_writer_finish (writer.get (), error);
}

class Folder : public testing::Test
{
protected:
  void TearDown () override
  {
    g_clear_object (&store);
    for (const std::string &name : list ())
      g_remove ((path + ".blobs/" + name).c_str ());
    g_rmdir ((path + ".blobs").c_str ());
    FaultVfs::get ().forget ();
  }
  void open ()
  {
    Error error;
    store = nebula_sqlite_store_open (path.c_str (), NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ());
    ASSERT_TRUE (store) << error.message ();
  }
  std::vector<std::string> list () const
  {
    std::vector<std::string> names;
    GDir *folder = g_dir_open ((path + ".blobs").c_str (), 0, nullptr);
    while (folder) {
      const char *name = g_dir_read_name (folder);
      if (!name)
        break;
      names.push_back (name);
    }
    if (folder)
      g_dir_close (folder);
    return names;
  }
  std::vector<std::string> verify ()
  {
    Error error;
    g_auto (GStrv) problems = nebula_sqlite_store_verify (NEBULA_SQLITE_STORE (store), error.out ());
    std::vector<std::string> found;
    EXPECT_TRUE (problems) << error.message ();
    for (char **problem = problems; problem && *problem; problem++)
      found.push_back (*problem);
    return found;
  }
  void execute (const char *sql)
  {
    sqlite3 *db = nullptr;
    char *message = nullptr;
    g_clear_object (&store);
    ASSERT_EQ (sqlite3_open (path.c_str (), &db), SQLITE_OK);
    EXPECT_EQ (sqlite3_exec (db, sql, nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_free (message);
    sqlite3_close (db);
  }
  std::string file (const std::string &name) const { return path + ".blobs/" + name; }

  TempDir dir;
  std::string path = dir.file ("s.db");
  NebulaStore *store = nullptr;
  Error error;
};

class BlobConformance : public Folder, public testing::WithParamInterface<const char *>
{
protected:
  void SetUp () override { open_any (); }
  bool is_durable () const { return !g_str_equal (GetParam (), "memory"); }
  void open_any ()
  {
    if (is_durable ())
      open ();
    else
      store = nebula_memory_store_new ();
  }
  void reopen ()
  {
    if (!is_durable ())
      return;
    g_clear_object (&store);
    open ();
  }
};

TEST_P (BlobConformance, HasNoneAtFirst)
{
  std::string digest = digest_of ("x");
  EXPECT_EQ (read_blob (store, digest, error.out ()), "(none)");
  EXPECT_FALSE (error);
  EXPECT_EQ (read_stream (store, digest, nullptr, error.out ()), "(none)");
  EXPECT_FALSE (error);
  EXPECT_EQ (nebula_store_collect_blobs (store, FUTURE, error.out ()), 0);
}

TEST_P (BlobConformance, KeepsTheBlobsOfAUnit)
{
  const std::string texts[] = { "", "small", make_text (100000), make_text (1048576), make_text (1048577), make_text (3000000) };
  NebulaUnit *unit = facts_unit ("a", 0, 1, "one");
  for (const std::string &text : texts)
    with_blob (unit, text);
  ASSERT_EQ (commit_one (store, unit), COMMITTED);
  reopen ();

  for (const std::string &text : texts) {
    guint64 size = 0;
    EXPECT_TRUE (read_blob (store, digest_of (text), error.out ()) == text) << text.size ();
    EXPECT_TRUE (read_stream (store, digest_of (text), &size, error.out ()) == text) << text.size ();
    EXPECT_EQ (size, text.size ());
  }
  EXPECT_FALSE (error) << error.message ();
  EXPECT_EQ (nebula_store_collect_blobs (store, FUTURE, error.out ()), 0);
  EXPECT_EQ (read_blob (store, digest_of (texts[5])).size (), texts[5].size ());
}

TEST_P (BlobConformance, TakesOneThatIsThere)
{
  std::string text = make_text (2000000), other = make_text (500);
  for (const char *stream : { "a", "b", "c" })
    ASSERT_EQ (commit_one (store, with_blob (with_blob (facts_unit (stream, 0, 1, "f"), text), other)), COMMITTED);
  reopen ();
  EXPECT_TRUE (read_blob (store, digest_of (text)) == text);
  if (is_durable ()) {
    EXPECT_EQ (list ().size (), 1u);
    EXPECT_THAT (verify (), IsEmpty ());
  }
}

TEST_P (BlobConformance, ARefusedUnitKeepsNothing)
{
  std::string small = make_text (1000), large = make_text (1500000);
  EXPECT_EQ (commit_one (store, with_blob (with_blob (facts_unit ("a", 7, 1, "gap"), small), large)), STALE);
  reopen ();
  EXPECT_EQ (read_blob (store, digest_of (small)), "(none)");
  EXPECT_EQ (read_blob (store, digest_of (large)), "(none)");
}

TEST_P (BlobConformance, WritesInChunksOfAnySize)
{
  for (size_t size : { (size_t) 0, (size_t) 1, (size_t) 1048576, (size_t) 1048577, (size_t) 2500000 })
    for (size_t step : { (size_t) 4096, (size_t) 1048576, (size_t) 3000000 }) {
      std::string text = make_text (size, (unsigned) (size + step));
      Value reference (write_blob (store, text, step, error.out ()));
      ASSERT_TRUE (reference) << error.message ();
      EXPECT_TRUE (nebula_value_is_blob (reference.get ()));
      EXPECT_EQ (nebula_value_get_blob_size (reference.get ()), size);
      char *digest = nebula_value_dup_blob_digest (reference.get ());
      EXPECT_EQ (digest, digest_of (text));
      EXPECT_TRUE (read_blob (store, digest) == text);
      EXPECT_TRUE (read_stream (store, digest, nullptr, error.out ()) == text);
      g_free (digest);
    }
}

TEST_P (BlobConformance, AFinishedWriterIsOver)
{
  Writer writer (nebula_store_create_blob (store, error.out ()));
  Value reference (nebula_blob_writer_finish (writer.get (), error.out ()));
  EXPECT_TRUE (reference);
  EXPECT_FALSE (nebula_blob_writer_write (writer.get (), (const guint8 *) "x", 1, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFLICT));
  EXPECT_EQ (nebula_blob_writer_finish (writer.get (), nullptr), nullptr);
}

TEST_P (BlobConformance, WhatIsNotFinishedLeavesNothing)
{
  std::string text = make_text (2500000);
  {
    Writer writer (nebula_store_create_blob (store, error.out ()));
    ASSERT_TRUE (nebula_blob_writer_write (writer.get (), (const guint8 *) text.data (), text.size (), error.out ()));
    EXPECT_EQ (list ().size (), is_durable () ? 1u : 0u);
  }
  EXPECT_THAT (list (), IsEmpty ());
  EXPECT_EQ (read_blob (store, digest_of (text)), "(none)");
}

TEST_P (BlobConformance, CollectsWhatNobodyUses)
{
  std::string used = make_text (2000000, 1), unused = make_text (2000000, 2), small = make_text (10, 3);
  for (const std::string *text : { &used, &unused, &small })
    Value (write_blob (store, *text, 500000, error.out ()));
  NebulaUnit *unit = facts_unit ("a", 0, 1, "f");
  nebula_unit_add_blob_use (unit, digest_of (used).c_str ());
  nebula_unit_add_blob_use (unit, digest_of ("never written").c_str ());
  ASSERT_EQ (commit_one (store, unit), COMMITTED);

  EXPECT_EQ (nebula_store_collect_blobs (store, 1000, error.out ()), 0);
  EXPECT_TRUE (read_blob (store, digest_of (unused)) == unused);
  EXPECT_EQ (nebula_store_collect_blobs (store, FUTURE, error.out ()), 2);
  reopen ();
  EXPECT_TRUE (read_blob (store, digest_of (used)) == used);
  EXPECT_EQ (read_blob (store, digest_of (unused)), "(none)");
  EXPECT_EQ (read_blob (store, digest_of (small)), "(none)");
  EXPECT_EQ (list ().size (), is_durable () ? 1u : 0u);

  /* What was collected can come again. */
  ASSERT_EQ (commit_one (store, with_blob (facts_unit ("b", 0, 1, "f"), unused)), COMMITTED);
  EXPECT_EQ (nebula_store_collect_blobs (store, FUTURE, error.out ()), 0);
  EXPECT_TRUE (read_blob (store, digest_of (unused)) == unused);
}

TEST_P (BlobConformance, CollectsWhileOthersWrite)
{
  auto collect = [] (gpointer data) -> gpointer {
    for (int i = 0; i < 50; i++)
      if (nebula_store_collect_blobs ((NebulaStore *) data, 1000, nullptr) < 0)
        return GINT_TO_POINTER (1);
    return nullptr;
  };
  auto write = [] (gpointer data) -> gpointer {
    for (unsigned i = 0; i < 20; i++) {
      std::string text = make_text (1200000, i);
      Value reference (write_blob ((NebulaStore *) data, text, 400000, nullptr));
      if (!reference || read_blob ((NebulaStore *) data, digest_of (text)) != text)
        return GINT_TO_POINTER (1);
    }
    return nullptr;
  };
  GThread *threads[] = { g_thread_new ("collect", collect, store), g_thread_new ("write", write, store),
                         g_thread_new ("write", write, store) };
  for (guint64 i = 0; i < 30; i++)
    EXPECT_EQ (commit_one (store, with_blob (facts_unit ("a", i, 1, "f"), make_text (70000, (unsigned) i)), false), COMMITTED);
  for (GThread *thread : threads)
    EXPECT_EQ (g_thread_join (thread), nullptr);
}

INSTANTIATE_TEST_SUITE_P (Backends,
                          BlobConformance,
                          testing::Values ("memory", "sqlite"),
                          [] (const testing::TestParamInfo<const char *> &info) {
                            return std::string (info.param);
                          });

using SqliteBlobs = Folder;

TEST_F (SqliteBlobs, RemovesWhatACrashLeft)
{
  open ();
  std::string text = make_text (2000000);
  ASSERT_EQ (commit_one (store, with_blob (facts_unit ("a", 0, 1, "f"), text)), COMMITTED);
  g_clear_object (&store);
  ASSERT_TRUE (g_file_set_contents (file ("left.tmp").c_str (), "half", 4, nullptr));
  ASSERT_TRUE (g_file_set_contents (file (digest_of ("orphan")).c_str (), "orphan", 6, nullptr));
  ASSERT_TRUE (g_file_set_contents (file ("README").c_str (), "not ours", 8, nullptr));
  open ();
  EXPECT_EQ (list ().size (), 3u); /* the temporary file is gone, the orphan may be on its way */
  EXPECT_EQ (nebula_store_collect_blobs (store, 1000, error.out ()), 0);
  EXPECT_EQ (list ().size (), 3u);
  EXPECT_EQ (nebula_store_collect_blobs (store, FUTURE, error.out ()), 0);
  EXPECT_EQ (list ().size (), 2u);
  EXPECT_TRUE (read_blob (store, digest_of (text)) == text);
}

TEST_F (SqliteBlobs, FilesAreForTheirOwnerOnly)
{
  struct stat info;
  open ();
  std::string text = make_text (2000000);
  ASSERT_EQ (commit_one (store, with_blob (facts_unit ("a", 0, 1, "f"), text)), COMMITTED);
  ASSERT_EQ (stat ((path + ".blobs").c_str (), &info), 0);
  EXPECT_EQ (info.st_mode & 0777, 0700u);
  ASSERT_EQ (stat (file (digest_of (text)).c_str (), &info), 0);
  EXPECT_EQ (info.st_mode & 0777, 0600u);
}

TEST_F (SqliteBlobs, DamageIsToldAndSealsNothing)
{
  open ();
  std::string small = make_text (70000), large = make_text (2000000), lost = make_text (2000001);
  NebulaUnit *unit = with_blob (with_blob (with_blob (facts_unit ("a", 0, 1, "f"), small), large), lost);
  ASSERT_EQ (commit_one (store, unit), COMMITTED);
  EXPECT_THAT (verify (), IsEmpty ());
  execute ("UPDATE blob SET data = zeroblob (70000) WHERE data IS NOT NULL");
  std::string damaged = large;
  damaged[1999999] ^= 1;
  ASSERT_TRUE (g_file_set_contents (file (digest_of (large)).c_str (), damaged.data (), (gssize) damaged.size (), nullptr));
  g_remove (file (digest_of (lost)).c_str ());
  open ();

  for (const std::string *text : { &small, &large, &lost }) {
    Error one, two;
    EXPECT_EQ (read_blob (store, digest_of (*text), one.out ()), "(none)");
    EXPECT_TRUE (has_error (one, NEBULA_ERROR_STORE_CORRUPT)) << text->size ();
    EXPECT_THAT (read_stream (store, digest_of (*text), nullptr, two.out ()), testing::StartsWith ("("));
    EXPECT_TRUE (has_error (two, NEBULA_ERROR_STORE_CORRUPT)) << text->size ();
  }
  EXPECT_FALSE (nebula_sqlite_store_is_sealed (NEBULA_SQLITE_STORE (store)));
  EXPECT_THAT (verify (), testing::Contains (HasSubstr ("not what its digest says")).Times (3));
  EXPECT_EQ (commit_one (store, facts_unit ("a", 1, 1, "g")), COMMITTED);

  /* Who has the bytes heals the file. */
  Value (write_blob (store, large, 1000000, error.out ()));
  EXPECT_TRUE (read_blob (store, digest_of (large)) == large);
  ASSERT_EQ (commit_one (store, with_blob (facts_unit ("b", 0, 1, "f"), lost)), COMMITTED);
  EXPECT_TRUE (read_blob (store, digest_of (lost)) == lost);
}

TEST_F (SqliteBlobs, AStoreOfTheFirstFormatIsBroughtUpToDate)
{
  open ();
  ASSERT_EQ (commit_one (store, facts_unit ("a", 0, 1, "f")), COMMITTED);
  execute ("DROP TABLE blob; DROP TABLE blob_use; DROP TABLE stream_text;"
           " DROP TABLE stream_tag; ALTER TABLE stream DROP COLUMN tags; DROP INDEX stream_by_created; PRAGMA user_version = 1");
  EXPECT_EQ (nebula_sqlite_store_open (path.c_str (), NEBULA_SQLITE_STORE_FLAGS_READ_ONLY, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_VERSION));
  open ();
  EXPECT_EQ (read_facts (store, "a"), "f");
  ASSERT_EQ (commit_one (store, with_blob (facts_unit ("a", 1, 1, "g"), "blob")), COMMITTED);
  EXPECT_EQ (read_blob (store, digest_of ("blob")), "blob");
  EXPECT_THAT (verify (), IsEmpty ());
}

TEST_F (SqliteBlobs, AReaderCannotWrite)
{
  open ();
  g_clear_object (&store);
  store = nebula_sqlite_store_open (path.c_str (), NEBULA_SQLITE_STORE_FLAGS_READ_ONLY, error.out ());
  ASSERT_TRUE (store);
  EXPECT_EQ (nebula_store_create_blob (store, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_PERMISSION_DENIED));
  EXPECT_EQ (nebula_store_collect_blobs (store, FUTURE, nullptr), -1);
}

/* At each write and sync of a commit with blobs: after the failure and after a power cut all of the unit is there or
 * nothing of it. */
class BlobFaults : public Folder, public testing::WithParamInterface<FaultVfs::Kind>
{
};

TEST_P (BlobFaults, AUnitIsWholeOrNotThere)
{
  std::string small = make_text (300000, 5), large = make_text (1100000, 6);
  bool was_hit = true;
  int n_rounds = 0;

  for (int nth = 1; was_hit && nth < 400; nth += 1 + nth / 8, n_rounds++) {
    TempDir place;
    std::string there = place.file ("s.db");
    FaultVfs::get ().forget ();
    NebulaStore *faulty = nebula_sqlite_store_open (there.c_str (), NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ());
    ASSERT_TRUE (faulty) << error.message ();
    ASSERT_EQ (commit_one (faulty, facts_unit ("a", 0, 1, "before")), COMMITTED);
    FaultVfs::get ().arm (GetParam (), nth, true);
    NebulaOutcome outcome = commit_one (faulty, with_blob (with_blob (facts_unit ("a", 1, 1, "after"), small), large));
    was_hit = FaultVfs::get ().n_hits () > 0;
    FaultVfs::get ().disarm ();

    TempDir after;
    FaultVfs::get ().crash (place.path (), after.path (), (unsigned) nth);
    g_object_unref (faulty);
    std::string blobs = after.file ("s.db") + ".blobs";
    ASSERT_EQ (rename ((there + ".blobs").c_str (), blobs.c_str ()), 0);
    FaultVfs::get ().forget ();
    NebulaStore *left = nebula_sqlite_store_open (after.file ("s.db").c_str (), NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ());
    ASSERT_TRUE (left) << error.message ();
    bool is_there = read_sequence (left, "a") == 2;
    EXPECT_TRUE (is_there || outcome != COMMITTED) << nth;
    EXPECT_EQ (read_blob (left, digest_of (small)) == small, is_there) << nth;
    EXPECT_EQ (read_blob (left, digest_of (large)) == large, is_there) << nth;
    nebula_store_collect_blobs (left, FUTURE, error.out ());
    EXPECT_EQ (read_blob (left, digest_of (large)) == large, is_there) << nth;
    g_object_unref (left);
    g_remove ((blobs + "/" + digest_of (large)).c_str ());
    EXPECT_EQ (g_rmdir (blobs.c_str ()), 0) << nth;
  }
  EXPECT_FALSE (was_hit);
  EXPECT_GE (n_rounds, 2);
}

INSTANTIATE_TEST_SUITE_P (Kinds,
                          BlobFaults,
                          testing::Values (FaultVfs::WRITE_ERROR, FaultVfs::WRITE_TORN, FaultVfs::SYNC_ERROR));

TEST (BlobTest, ReferencesAreReadStrictly)
{
  std::string digest = digest_of ("x");
  Value good (nebula_value_new_blob (digest.c_str (), 12));
  EXPECT_STREQ (nebula_value_get_string (good.get ()), ("blob:sha256-" + digest + "?size=12").c_str ());
  for (std::string uri : { "blob:sha256-" + digest, "blob:sha256-" + digest + "?size=", "blob:sha256-" + digest + "?size=-1",
                           "blob:sha256-" + digest.substr (1) + "0?size=1x", "blob:sha256-" + digest.substr (1) + "G?size=1",
                           "blob:md5-" + digest + "?size=1", std::string ("blob:"), std::string ("") }) {
    Value bad (nebula_value_new_reference (uri.c_str ()));
    EXPECT_FALSE (nebula_value_is_blob (bad.get ())) << uri;
    EXPECT_EQ (nebula_value_dup_blob_digest (bad.get ()), nullptr);
    EXPECT_EQ (nebula_value_get_blob_size (bad.get ()), 0u);
  }
  Value text (nebula_value_new_string (nebula_value_get_string (good.get ())));
  EXPECT_FALSE (nebula_value_is_blob (text.get ()));
  EXPECT_FALSE (nebula_blob_digest_is_valid ("0"));
}

} // namespace
