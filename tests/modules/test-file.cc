/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "nebula-limits.h"

using nebula::json;
using nebula::to_json;
using nebula::Value;
using testing::HasSubstr;

class FileTest : public nebula::ModuleTest
{
protected:
  /* {"path": …, "content": value} */
  static Value
  writing (const char *path, NebulaValue *content)
  {
    Value object = json ("{}");
    Value text (nebula_value_new_string (path));
    object.reset (nebula_value_with_member (object.get (), "path", text.get ()));
    object.reset (nebula_value_with_member (object.get (), "content", content));
    return object;
  }
  static Value
  bytes (const void *data, gsize size)
  {
    GBytes *made = g_bytes_new (data, size);
    Value value (nebula_value_new_bytes (made));
    g_bytes_unref (made);
    return value;
  }
  guint
  mode (const std::string &name) const
  {
    struct stat info = {};
    EXPECT_EQ (stat (path (name).c_str (), &info), 0);
    return info.st_mode & 07777;
  }
  guint
  count_files () const
  {
    guint count = 0;
    GDir *dir = g_dir_open (folder_.c_str (), 0, nullptr);
    while (g_dir_read_name (dir))
      count++;
    g_dir_close (dir);
    return count;
  }
};

/* Reading */

TEST_F (FileTest, ReadsTextJsonBytesAndLines)
{
  put ("a.txt", "one\ntwo\r\n\nlast");
  put ("a.json", "\xef\xbb\xbf{\"n\": 9007199254740993}");

  EXPECT_EQ (value ("file.read", R"({"path": "a.txt"})"), R"("one\ntwo\r\n\nlast")");
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_READ);
  EXPECT_EQ (value ("file.read", R"({"path": "a.txt", "as": "lines"})"), R"(["one","two","","last"])");
  EXPECT_EQ (value ("file.read", R"({"path": "a.json", "as": "json"})"), R"({"n":9007199254740993})");
  EXPECT_EQ (value ("file.read", R"({"path": "a.txt", "offset": 4})"), R"("two\r\n\nlast")");
  NebulaResult *result = run ("file.read", R"({"path": "a.txt", "as": "bytes"})");
  ASSERT_NE (result, nullptr);
  EXPECT_EQ (nebula_value_get_kind (nebula_result_get_value (result)), NEBULA_VALUE_KIND_BYTES);
}

TEST_F (FileTest, ReadsEmptyFilesAndFilesOfTheKernel)
{
  put ("empty", "");

  EXPECT_EQ (value ("file.read", R"({"path": "empty"})"), "\"\"");
  EXPECT_EQ (value ("file.read", R"({"path": "empty", "as": "lines"})"), "[]");
  EXPECT_EQ (value ("file.read", R"({"path": "empty", "as": "json"})"), "!syntax");
  EXPECT_EQ (value ("file.read", R"({"path": "empty", "lines": 5})"), R"({"lines":[],"next":null})");
  EXPECT_THAT (value ("file.read", R"({"path": "/proc/self/status"})"), HasSubstr ("Name:"));
}

TEST_F (FileTest, CopiesByBlob)
{
  std::string content (3000000, 'c');
  for (size_t i = 0; i < content.size (); i += 7)
    content[i] = (char) i;
  put ("large", content);
  put ("empty", "");

  for (const char *name : { "large", "empty" }) {
    NebulaResult *result = run ("file.read", (std::string (R"({"as": "blob", "path": ")") + name + "\"}").c_str ());
    ASSERT_NE (result, nullptr);
    Value blob (nebula_value_ref (nebula_result_get_value (result)));
    ASSERT_TRUE (nebula_value_is_blob (blob.get ()));
    EXPECT_EQ (nebula_value_get_blob_size (blob.get ()), get (name).size ());
    for (const char *options : { R"({"path": "copy"})", R"({"path": "copy", "atomic": false})" }) {
      Value parameters (nebula_value_with_member (json (options).get (), "content", blob.get ()));
      EXPECT_EQ (value ("file.write", parameters), R"({"path":"copy","written":)" + std::to_string (get (name).size ()) + "}");
      EXPECT_TRUE (get ("copy") == get (name));
    }
    Value parameters (nebula_value_with_member (json (R"({"path": "copy", "append": true})").get (), "content", blob.get ()));
    value ("file.write", parameters);
    EXPECT_TRUE (get ("copy") == get (name) + get (name));
  }
  EXPECT_EQ (value ("file.read", R"({"path": "large", "as": "blob", "max-size": 2999999})"), "!too-large");
  EXPECT_THAT (value ("file.read", R"({"path": "large", "as": "blob", "offset": 2999990, "max-size": 10})"), HasSubstr ("?size=10"));
  EXPECT_EQ (value ("file.read", R"({"path": "large", "as": "blob", "lines": 2})"), "!invalid-parameter");
}

TEST_F (FileTest, CompressesAndDecompresses)
{
  std::string content;
  for (int i = 0; i < 400000; i++)
    content += std::to_string (i % 1009);
  put ("large", content);
  NebulaResult *result = run ("file.read", R"({"as": "blob", "path": "large"})");
  ASSERT_NE (result, nullptr);
  Value blob (nebula_value_ref (nebula_result_get_value (result)));

  for (const char *options : { R"({})", R"({"format": "zstd", "level": 1})", R"({"format": "gzip"})", R"({"format": "gzip", "level": 9})" }) {
    Value parameters (nebula_value_with_member (json (options).get (), "content", blob.get ()));
    result = run ("file.compress", parameters);
    ASSERT_NE (result, nullptr) << options;
    Value small (nebula_value_ref (nebula_result_get_value (result)));
    ASSERT_TRUE (nebula_value_is_blob (small.get ())) << options;
    EXPECT_LT (nebula_value_get_blob_size (small.get ()), content.size () / 2);
    std::string format = strstr (options, "gzip") ? "gzip" : "zstd";
    Value back (nebula_value_with_member (json (("{\"format\": \"" + format + "\"}").c_str ()).get (), "content", small.get ()));
    result = run ("file.decompress", back);
    ASSERT_NE (result, nullptr) << options;
    EXPECT_TRUE (nebula_value_equal (nebula_result_get_value (result), blob.get ())) << "the same bytes are the same blob";
    /* As bytes and text, and not more than allowed. */
    back.reset (nebula_value_with_member (json (("{\"as\": \"text\", \"format\": \"" + format + "\"}").c_str ()).get (), "content", small.get ()));
    EXPECT_EQ (value ("file.decompress", back), "\"" + content + "\"");
    for (const char *as : { "blob", "bytes" }) {
      std::string limited = "{\"as\": \"" + std::string (as) + "\", \"max-size\": 1000000, \"format\": \"" + format + "\"}";
      back.reset (nebula_value_with_member (json (limited.c_str ()).get (), "content", small.get ()));
      EXPECT_EQ (value ("file.decompress", back), "!too-large");
    }
  }
}

TEST_F (FileTest, CompressesWhatLiesInMemory)
{
  EXPECT_EQ (value ("file.compress", R"({"content": "hello", "as": "bytes", "format": "gzip", "level": 12})"), "!invalid-parameter");
  for (const char *text : { "", "hello" }) {
    for (const char *format : { "gzip", "zstd" }) {
      std::string options = std::string ("{\"as\": \"bytes\", \"format\": \"") + format + "\"}";
      Value content (nebula_value_new_string (text));
      Value parameters (nebula_value_with_member (json (options.c_str ()).get (), "content", content.get ()));
      NebulaResult *result = run ("file.compress", parameters);
      ASSERT_NE (result, nullptr);
      Value small (nebula_value_ref (nebula_result_get_value (result)));
      GBytes *once = nebula_value_ref_bytes (small.get ());
      gsize size = 0;
      const char *data = (const char *) g_bytes_get_data (once, &size);
      std::string twice = std::string (data, size) + std::string (data, size);
      Value both = bytes (twice.data (), twice.size ());
      options = std::string ("{\"as\": \"text\", \"format\": \"") + format + "\"}";
      parameters.reset (nebula_value_with_member (json (options.c_str ()).get (), "content", small.get ()));
      EXPECT_EQ (value ("file.decompress", parameters), "\"" + std::string (text) + "\"") << format;
      parameters.reset (nebula_value_with_member (json (options.c_str ()).get (), "content", both.get ()));
      EXPECT_EQ (value ("file.decompress", parameters), "\"" + std::string (text) + text + "\"") << format << ": two behind each other";
      Value cut = bytes (data, size - 1);
      parameters.reset (nebula_value_with_member (json (options.c_str ()).get (), "content", cut.get ()));
      EXPECT_EQ (value ("file.decompress", parameters), "!invalid-data") << format;
      std::string more = std::string (data, size) + "rest";
      Value followed = bytes (more.data (), more.size ());
      parameters.reset (nebula_value_with_member (json (options.c_str ()).get (), "content", followed.get ()));
      EXPECT_EQ (value ("file.decompress", parameters), "!invalid-data") << format;
      g_bytes_unref (once);
    }
  }
  EXPECT_EQ (value ("file.decompress", R"({"content": "no such format", "as": "text"})"), "!invalid-data");
}

TEST_F (FileTest, ConvertsNothingWithoutItsBlob)
{
  Value blob (nebula_value_new_blob (std::string (64, '0').c_str (), 9));
  Value parameters (nebula_value_with_member (json ("{}").get (), "content", blob.get ()));

  EXPECT_EQ (value ("file.compress", parameters), "!not-found");
  EXPECT_EQ (value ("file.decompress", parameters), "!not-found");
}

TEST_F (FileTest, WritesNothingWithoutItsBlob)
{
  put ("kept", "old");
  Value blob (nebula_value_new_blob (std::string (64, '0').c_str (), 9));
  Value text (nebula_value_new_string (nebula_value_get_string (blob.get ())));
  Value lost (nebula_value_with_member (json (R"({"path": "kept"})").get (), "content", blob.get ()));
  Value plain (nebula_value_with_member (json (R"({"path": "plain"})").get (), "content", text.get ()));

  EXPECT_EQ (value ("file.write", lost), "!not-found");
  EXPECT_EQ (get ("kept"), "old");
  value ("file.write", plain);
  EXPECT_EQ (get ("plain"), nebula_value_get_string (blob.get ()));
}

TEST_F (FileTest, TellsWhatIsWrong)
{
  put ("latin", "caf\xe9");
  put ("bad.json", "{\"a\": 1, \"a\": 2}");

  EXPECT_EQ (value ("file.read", R"({"path": "missing.txt"})"), "!not-found");
  EXPECT_THAT (message (), HasSubstr ("“missing.txt”"));
  EXPECT_EQ (retry (), "terminal");
  EXPECT_EQ (value ("file.read", R"({"path": "latin/inside"})"), "!not-found");
  EXPECT_EQ (value ("file.read", R"({"path": "."})"), "!invalid-argument");
  EXPECT_EQ (value ("file.read", R"({"path": "/dev/null"})"), "!invalid-argument");
  EXPECT_EQ (value ("file.read", R"({"path": "latin"})"), "!invalid-data");
  EXPECT_THAT (message (), HasSubstr ("byte 3"));
  EXPECT_EQ (value ("file.read", R"({"path": "bad.json", "as": "json"})"), "!duplicate-key");
  EXPECT_EQ (value ("file.read", R"({"path": "latin", "as": "bytes", "lines": 2})"), "!invalid-parameter");
}

TEST_F (FileTest, RefusesParametersBeforeAnythingRuns)
{
  EXPECT_EQ (refusal ("file.read", R"({"path": "a\u0000b"})"), "invalid-parameter");
  EXPECT_EQ (refusal ("file.write", R"({"path": "a\u0000b", "content": ""})"), "invalid-parameter");
  EXPECT_EQ (refusal ("file.read", R"({"path": ""})"), "invalid-parameter");
  EXPECT_EQ (refusal ("file.read", R"({})"), "missing-parameter");
  EXPECT_EQ (refusal ("file.read", R"({"path": "a", "as": "xml"})"), "invalid-parameter");
  EXPECT_EQ (refusal ("file.read", R"({"path": "a", "lines": 0})"), "invalid-parameter");
  EXPECT_EQ (refusal ("file.read", R"({"path": "a", "offset": -1})"), "invalid-parameter");
}

TEST_F (FileTest, PipesAreRefusedWithoutWaiting)
{
  ASSERT_EQ (mkfifo (path ("pipe").c_str (), 0600), 0);

  EXPECT_EQ (value ("file.read", R"({"path": "pipe"})"), "!invalid-argument");
  EXPECT_EQ (value ("file.write", R"({"path": "pipe", "content": "x"})"), "!invalid-argument");
}

TEST_F (FileTest, TheLimitCountsWhatIsRead)
{
  put ("a", "0123456789");

  EXPECT_EQ (value ("file.read", R"({"path": "a", "max-size": 10})"), "\"0123456789\"");
  EXPECT_EQ (value ("file.read", R"({"path": "a", "max-size": 9})"), "!too-large");
  EXPECT_THAT (message (), HasSubstr ("“a”"));
  EXPECT_EQ (value ("file.read", R"({"path": "a", "max-size": "1kB"})"), "\"0123456789\"");
  EXPECT_EQ (value ("file.read", R"({"path": "/proc/self/maps", "max-size": 10})"), "!too-large");
}

TEST_F (FileTest, DefaultLimitIsTenMebibytes)
{
  put ("big", std::string (NEBULA_LIMIT_DOCUMENT_BYTES + 1, 'x'));

  EXPECT_EQ (value ("file.read", R"({"path": "big"})"), "!too-large");
}

TEST_F (FileTest, LinksAreFollowed)
{
  put ("real", "content");
  ASSERT_EQ (symlink ("real", path ("link").c_str ()), 0);
  ASSERT_EQ (symlink ("loop", path ("loop").c_str ()), 0);

  EXPECT_EQ (value ("file.read", R"({"path": "link"})"), "\"content\"");
  EXPECT_EQ (value ("file.read", R"({"path": "loop"})"), "!invalid-argument");
  EXPECT_EQ (value ("file.write", R"({"path": "loop", "content": ""})"), "!invalid-argument");
}

TEST_F (FileTest, PermissionDeniedHasItsCode)
{
  put ("secret", "x");
  ASSERT_EQ (chmod (path ("secret").c_str (), 0), 0);
  if (geteuid () == 0)
    GTEST_SKIP () << "root may read everything";

  EXPECT_EQ (value ("file.read", R"({"path": "secret"})"), "!permission-denied");
  EXPECT_EQ (value ("file.write", R"({"path": "secret", "content": "y"})"), "!permission-denied");
}

/* Pieces */

TEST_F (FileTest, PiecesOfLinesLeadToTheEnd)
{
  put ("a", "one\ntwo\nthree\nfour");

  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 2})"), R"({"lines":["one","two"],"next":8})");
  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 1, "offset": 8})"), R"({"lines":["three"],"next":14})");
  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 1, "offset": 14})"), R"({"lines":["four"],"next":null})");
  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 4})"), R"({"lines":["one","two","three","four"],"next":null})");
  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 4, "offset": 99})"), R"({"lines":[],"next":null})");
}

TEST_F (FileTest, PiecesStopAtTheLimitAndRefuseOneLongLine)
{
  put ("a", "aaaa\nbbbb\n" + std::string (200000, 'c') + "\n");

  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 3, "max-size": 10})"), R"({"lines":["aaaa","bbbb"],"next":10})");
  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 3, "max-size": 9})"), R"({"lines":["aaaa"],"next":5})");
  EXPECT_EQ (value ("file.read", R"({"path": "a", "lines": 3, "max-size": 100000, "offset": 10})"), "!too-large");
}

TEST_F (FileTest, APieceThatEndsWithABlockKnowsTheEnd)
{
  put ("a", std::string (65535, 'x') + "\n");

  NebulaResult *result = run ("file.read", R"({"path": "a", "lines": 1})");
  ASSERT_NE (result, nullptr);
  EXPECT_TRUE (nebula_value_is_null (nebula_value_get_member (nebula_result_get_value (result), "next")));
}

static long
resident_kib ()
{
  char *text = nullptr;
  EXPECT_TRUE (g_file_get_contents ("/proc/self/status", &text, nullptr, nullptr));
  const char *line = strstr (text, "VmRSS:");
  long kib = line ? strtol (line + 6, nullptr, 10) : 0;
  g_free (text);
  return kib;
}

TEST_F (FileTest, ABigFileStreamsInFlatMemory)
{
  const gsize n_lines = 400000;
  std::string content;
  content.reserve (n_lines * 52);
  for (gsize i = 0; i < n_lines; i++)
    content += std::to_string (i) + ",customer,2030-01-31,some text to fill the line\n";
  ASSERT_GT (content.size (), 20u * 1000 * 1000);
  put ("big.csv", content);
  content.clear ();
  content.shrink_to_fit ();

  gsize seen = 0;
  gint64 next = 0;
  long highest = 0;
  long first = 0;
  do {
    Value parameters = json (R"({"path": "big.csv", "lines": 5000})");
    Value offset (nebula_value_new_integer (next));
    parameters.reset (nebula_value_with_member (parameters.get (), "offset", offset.get ()));
    NebulaResult *result = run ("file.read", parameters);
    ASSERT_NE (result, nullptr);
    NebulaValue *piece = nebula_result_get_value (result);
    NebulaValue *lines = nebula_value_get_member (piece, "lines");
    ASSERT_NE (lines, nullptr) << to_json (piece);
    std::string start = std::to_string (seen) + ",";
    ASSERT_TRUE (g_str_has_prefix (nebula_value_get_string (nebula_value_get_item (lines, 0)), start.c_str ()));
    seen += nebula_value_get_length (lines);
    next = nebula_value_get_member_integer (piece, "next", -1);
    if (first == 0)
      first = resident_kib ();
    highest = MAX (highest, resident_kib ());
  } while (next >= 0);

  EXPECT_EQ (seen, n_lines);
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT (highest - first, 8 * 1024) << "the memory grew with the file";
#endif
}

/* Writing */

TEST_F (FileTest, WritesTextBytesAndValues)
{
  EXPECT_EQ (value ("file.write", R"({"path": "a", "content": "h\u00e9"})"), R"({"path":"a","written":3})");
  EXPECT_EQ (get ("a"), "h\u00e9");
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_IDEMPOTENT);
  value ("file.write", R"({"path": "a", "content": {"n": [1, null]}})");
  EXPECT_EQ (get ("a"), R"({"n":[1,null]})");
  value ("file.write", R"({"path": "a", "content": null})");
  EXPECT_EQ (get ("a"), "null");
  value ("file.write", writing ("a", bytes ("\x00\xff", 2).get ()));
  EXPECT_EQ (get ("a"), std::string ("\x00\xff", 2));
  EXPECT_EQ (count_files (), 1u) << "a temporary file was left behind";
}

TEST_F (FileTest, AppendsToTheEnd)
{
  EXPECT_EQ (value ("file.write", R"({"path": "log", "content": "one\n", "append": true})"), R"({"path":"log","written":4})");
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_EFFECTFUL);
  value ("file.write", R"({"path": "log", "content": "two\n", "append": true})");
  EXPECT_EQ (get ("log"), "one\ntwo\n");
}

TEST_F (FileTest, ReplacingMakesANewFileAndInPlaceKeepsTheOld)
{
  struct stat before = {};
  struct stat after = {};
  put ("a", "long old content");
  ASSERT_EQ (link (path ("a").c_str (), path ("other").c_str ()), 0);

  ASSERT_EQ (stat (path ("a").c_str (), &before), 0);
  value ("file.write", R"({"path": "a", "content": "new", "atomic": false})");
  ASSERT_EQ (stat (path ("a").c_str (), &after), 0);
  EXPECT_EQ (before.st_ino, after.st_ino);
  EXPECT_EQ (get ("other"), "new");

  value ("file.write", R"({"path": "a", "content": "newer"})");
  EXPECT_EQ (get ("a"), "newer");
  EXPECT_EQ (get ("other"), "new") << "whoever had the old file open must keep it whole";
}

TEST_F (FileTest, KeepsTheModeOfAFile)
{
  put ("a", "old");
  ASSERT_EQ (chmod (path ("a").c_str (), 0640), 0);
  value ("file.write", R"({"path": "a", "content": "new"})");
  EXPECT_EQ (mode ("a"), 0640u);

  mode_t mask = umask (027);
  value ("file.write", R"({"path": "fresh", "content": "new"})");
  umask (mask);
  EXPECT_EQ (mode ("fresh"), 0640u);
}

TEST_F (FileTest, WritingThroughALinkKeepsTheLink)
{
  ASSERT_EQ (mkdir (path ("real").c_str (), 0700), 0);
  put ("real/a", "old");
  ASSERT_EQ (symlink ("real/a", path ("link").c_str ()), 0);
  ASSERT_EQ (symlink ("real/fresh", path ("dangling").c_str ()), 0);

  value ("file.write", R"({"path": "link", "content": "new"})");
  value ("file.write", R"({"path": "dangling", "content": "made"})");
  EXPECT_TRUE (g_file_test (path ("link").c_str (), G_FILE_TEST_IS_SYMLINK));
  EXPECT_EQ (get ("real/a"), "new");
  EXPECT_TRUE (g_file_test (path ("dangling").c_str (), G_FILE_TEST_IS_SYMLINK));
  EXPECT_EQ (get ("real/fresh"), "made");
}

TEST_F (FileTest, WritingTellsWhatIsWrong)
{
  EXPECT_EQ (value ("file.write", R"({"path": "no/such/folder/a", "content": ""})"), "!not-found");
  EXPECT_EQ (value ("file.write", R"({"path": ".", "content": ""})"), "!invalid-argument");
  EXPECT_EQ (value ("file.write", R"({"path": "/dev/null", "content": ""})"), "!invalid-argument");
  EXPECT_EQ (value ("file.write", R"({"path": "/dev/null", "content": "", "append": true})"), "!invalid-argument");
  EXPECT_EQ (value ("file.write", R"({"path": "/dev/full", "content": "x", "atomic": false})"), "!invalid-argument");
  Value name (nebula_value_new_string ((std::string (300, 'n')).c_str ()));
  EXPECT_EQ (value ("file.write", writing (nebula_value_get_string (name.get ()), name.get ())), "!invalid-argument");
  EXPECT_EQ (refusal ("file.write", R"({"path": "a"})"), "missing-parameter");
}

TEST_F (FileTest, NothingIsWrittenAfterACancel)
{
  put ("a", "old");
  nebula::Attempt attempt ("file.write", json (R"({"path": "a", "content": "new"})"), folder_);
  attempt.cancel ();
  attempt.start ();
  ASSERT_TRUE (run_until ([&] { return attempt.is_done (); }));
  EXPECT_STREQ (nebula_value_get_member_string (nebula_result_get_value (attempt.result ()), "code", ""), "cancelled");
  EXPECT_EQ (get ("a"), "old");
  EXPECT_EQ (count_files (), 1u);
}

/* Listing */

TEST_F (FileTest, ListsSortedWithKinds)
{
  put ("b.csv", "12345");
  put ("a.txt", "");
  ASSERT_EQ (mkdir (path ("sub").c_str (), 0700), 0);
  put ("sub/c.csv", "");
  ASSERT_EQ (symlink ("sub", path ("z").c_str ()), 0);

  NebulaResult *result = run ("file.list", R"({"path": "."})");
  ASSERT_NE (result, nullptr);
  NebulaValue *list = nebula_result_get_value (result);
  ASSERT_EQ (nebula_value_get_length (list), 4u) << to_json (list);
  NebulaValue *second = nebula_value_get_item (list, 1);
  EXPECT_STREQ (nebula_value_get_member_string (nebula_value_get_item (list, 0), "name", ""), "a.txt");
  EXPECT_STREQ (nebula_value_get_member_string (second, "path", ""), "./b.csv");
  EXPECT_EQ (nebula_value_get_member_integer (second, "size", -1), 5);
  EXPECT_STREQ (nebula_value_get_member_string (second, "type", ""), "file");
  EXPECT_EQ (nebula_value_get_kind (nebula_value_get_member (second, "modified")), NEBULA_VALUE_KIND_TIMESTAMP);
  EXPECT_STREQ (nebula_value_get_member_string (nebula_value_get_item (list, 2), "type", ""), "folder");
  EXPECT_STREQ (nebula_value_get_member_string (nebula_value_get_item (list, 3), "type", ""), "link");
}

static std::string
paths_of (NebulaResult *result)
{
  std::string paths;
  NebulaValue *list = nebula_result_get_value (result);
  for (gsize i = 0; i < nebula_value_get_length (list); i++)
    paths += std::string (nebula_value_get_member_string (nebula_value_get_item (list, i), "path", "(null)")) + " ";
  return paths;
}

TEST_F (FileTest, ListsByPatternAndFoldersInside)
{
  ASSERT_EQ (mkdir (path ("in").c_str (), 0700), 0);
  ASSERT_EQ (mkdir (path ("in/sub").c_str (), 0700), 0);
  put ("in/b.csv", "");
  put ("in/a.txt", "");
  put ("in/sub/c.csv", "");
  ASSERT_EQ (symlink ("..", path ("in/sub/up").c_str ()), 0);

  EXPECT_EQ (paths_of (run ("file.list", R"({"path": "in", "pattern": "*.csv"})")), "in/b.csv ");
  EXPECT_EQ (paths_of (run ("file.list", R"({"path": "in", "pattern": "*.csv", "recursive": true})")), "in/b.csv in/sub/c.csv ");
  EXPECT_EQ (paths_of (run ("file.list", R"({"path": "in", "pattern": "sub/[a-c]*", "recursive": true})")), "in/sub/c.csv ");
  EXPECT_EQ (paths_of (run ("file.list", R"({"path": "in", "recursive": true})")), "in/a.txt in/b.csv in/sub in/sub/c.csv in/sub/up ");
  EXPECT_EQ (value ("file.list", R"({"path": "missing"})"), "!not-found");
  EXPECT_EQ (value ("file.list", R"({"path": "in/a.txt"})"), "!not-found");
}

TEST_F (FileTest, ListsNamesThatAreNoText)
{
  put ("caf\xe9", "");

  EXPECT_EQ (paths_of (run ("file.list", R"({"path": "."})")), "(null) ");
}

/* Moving and deleting */

TEST_F (FileTest, MovesAndOverwritesOnlyWhenTold)
{
  put ("a", "one");
  put ("b", "two");

  EXPECT_EQ (value ("file.move", R"({"path": "a", "to": "b"})"), "!exists");
  EXPECT_THAT (message (), HasSubstr ("“b”"));
  EXPECT_EQ (get ("a"), "one");
  EXPECT_EQ (value ("file.move", R"({"path": "a", "to": "b", "overwrite": true})"), R"({"path":"b"})");
  EXPECT_EQ (get ("b"), "one");
  EXPECT_EQ (value ("file.move", R"({"path": "a", "to": "c"})"), "!not-found");
  EXPECT_THAT (message (), HasSubstr ("“a”"));
  EXPECT_EQ (value ("file.move", R"({"path": "b", "to": "no/c"})"), "!not-found");
  EXPECT_THAT (message (), HasSubstr ("“no/c”"));
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_EFFECTFUL);
}

TEST_F (FileTest, MovesBetweenFileSystems)
{
  struct stat here = {};
  struct stat there = {};
  if (stat (folder_.c_str (), &here) != 0 || stat ("/dev/shm", &there) != 0 || here.st_dev == there.st_dev)
    GTEST_SKIP () << "no second file system";
  std::string target = "/dev/shm/nebula-test-" + std::to_string (getpid ());
  put ("a", "one");

  EXPECT_EQ (value ("file.move", json ((R"({"path": "a", "to": ")" + target + "\"}").c_str ())), R"({"path":")" + target + "\"}");
  EXPECT_EQ (get ("a"), "(no file)");
  char *content = nullptr;
  EXPECT_TRUE (g_file_get_contents (target.c_str (), &content, nullptr, nullptr));
  EXPECT_STREQ (content, "one");
  g_free (content);
  g_remove (target.c_str ());
}

TEST_F (FileTest, DeletesFilesLinksAndEmptyFolders)
{
  put ("a", "");
  ASSERT_EQ (symlink ("a", path ("link").c_str ()), 0);
  ASSERT_EQ (mkdir (path ("folder").c_str (), 0700), 0);
  put ("folder/b", "");

  EXPECT_EQ (value ("file.delete", R"({"path": "link"})"), R"({"deleted":true})");
  EXPECT_EQ (get ("a"), "");
  EXPECT_EQ (value ("file.delete", R"({"path": "folder"})"), "!conflict");
  EXPECT_EQ (value ("file.delete", R"({"path": "folder/b"})"), R"({"deleted":true})");
  EXPECT_EQ (value ("file.delete", R"({"path": "folder"})"), R"({"deleted":true})");
}

TEST_F (FileTest, AMissingFileIsAnErrorUnlessItMayBe)
{
  EXPECT_EQ (value ("file.delete", R"({"path": "a"})"), "!not-found");
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_EFFECTFUL);
  EXPECT_EQ (value ("file.delete", R"({"path": "a", "missing-ok": true})"), R"({"deleted":false})");
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_IDEMPOTENT);
}

/* The properties are the parameters, for bindings and debuggers. */
TEST_F (FileTest, PropertiesHoldWhatWasSet)
{
  run ("file.read", R"({"path": "a", "max-size": "2KiB", "offset": 7})");
  char *path = nullptr;
  char *as = nullptr;
  gint64 size = 0;
  gint64 offset = 0;
  g_object_get (last_->action (), "path", &path, "as", &as, "max-size", &size, "offset", &offset, nullptr);
  EXPECT_STREQ (path, "a");
  EXPECT_STREQ (as, "text");
  EXPECT_EQ (size, 2048);
  EXPECT_EQ (offset, 7);
  g_free (path);
  g_free (as);
}
