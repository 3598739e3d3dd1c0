/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <glib/gstdio.h>

#include "nebula-catalog.h"
#include "nebula-error-chain.h"
#include "nebula-error-problem.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::Ref;

namespace
{

using Entries = std::vector<std::pair<std::string, std::string>>;

/* Builds what msgfmt would write. */
std::string
make_mo (const Entries &entries, bool swapped = false)
{
  std::string tables, texts;
  guint32 count = (guint32) entries.size ();
  guint32 at = 28 + 16 * count;
  auto word = [&] (guint32 value) {
    if (swapped)
      value = GUINT32_SWAP_LE_BE (value);
    return std::string ((const char *) &value, 4);
  };
  std::string originals, translations;
  for (auto &entry : entries) {
    originals += word ((guint32) entry.first.size ()) + word (at + (guint32) texts.size ());
    texts += entry.first + '\0';
  }
  for (auto &entry : entries) {
    translations += word ((guint32) entry.second.size ()) + word (at + (guint32) texts.size ());
    texts += entry.second + '\0';
  }
  return word (0x950412de) + word (0) + word (count) + word (28) + word (28 + 8 * count) + word (0) + word (at) + originals
         + translations + texts;
}

std::string
header (const char *plural)
{
  return std::string ("Content-Type: text/plain; charset=UTF-8\nPlural-Forms: ") + plural + "\n";
}

bool
add (NebulaCatalog *catalog, const char *language, const std::string &mo, Error &error)
{
  GBytes *bytes = g_bytes_new (mo.data (), mo.size ());
  gboolean added = nebula_catalog_add (catalog, language, bytes, error.out ());
  g_bytes_unref (bytes);
  return added;
}

const char *const german = "nplurals=2; plural=(n != 1);";
const char *const russian = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);";

} // namespace

TEST (Catalog, TranslatesInAnyLanguageWithFallback)
{
  Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "nebula"));
  Error error;
  ASSERT_TRUE (add (catalog.get (), "de", make_mo ({ { "", header (german) }, { "Yes", "Ja" }, { "No", "Nein" },
                                                     { std::string ("menu\004Open"), "Öffnen" } }),
                    error))
    << error.message ();
  ASSERT_TRUE (add (catalog.get (), "de_AT", make_mo ({ { "No", "Na" } }, true), error)) << error.message ();
  ASSERT_TRUE (add (catalog.get (), "fr", make_mo ({ { "Perhaps", "Peut-être" } }), error));

  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de", "Yes"), "Ja");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de-AT", "No"), "Na");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de_AT.UTF-8", "Yes"), "Ja");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de_AT:fr", "Perhaps"), "Peut-être");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de@latin", "Yes"), "Ja");
  EXPECT_STREQ (nebula_catalog_translate_in (catalog.get (), "de", "menu", "Open"), "Öffnen");
  EXPECT_EQ (nebula_catalog_get_n_missing (catalog.get ()), 0u);
  EXPECT_STREQ (nebula_catalog_translate_in (catalog.get (), "de", "door", "Open"), "Open");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "it", "Yes"), "Yes");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de", "Perhaps"), "Perhaps");
  EXPECT_EQ (nebula_catalog_get_n_missing (catalog.get ()), 3u);
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "en", "Yes"), "Yes");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), nullptr, "Yes"), "Yes");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "../../etc", "Yes"), "Yes");
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de", ""), "");

  char **languages = nebula_catalog_list_languages (catalog.get ());
  char *joined = g_strjoinv (" ", languages);
  EXPECT_STREQ (joined, "de de_AT fr");
  g_free (joined);
  g_strfreev (languages);

  EXPECT_FALSE (add (catalog.get (), "de", make_mo ({}), error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_EXISTS));
  EXPECT_FALSE (add (catalog.get (), "../x", make_mo ({}), error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
}

TEST (Catalog, ManyMadeUpLanguagesStayBounded)
{
  Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "nebula"));
  Error error;
  ASSERT_TRUE (add (catalog.get (), "de", make_mo ({ { "Yes", "Ja" } }), error));
  for (int i = 0; i < 1000; i++) {
    std::string language = "de_" + std::to_string (i);
    EXPECT_STREQ (nebula_catalog_translate (catalog.get (), language.c_str (), "Yes"), "Ja");
  }
}

TEST (Catalog, ChoosesPluralsByTheLanguagesRule)
{
  Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "nebula"));
  Error error;
  std::string original = std::string ("%d file") + '\0' + "%d files";
  ASSERT_TRUE (add (catalog.get (), "ru",
                    make_mo ({ { "", header (russian) }, { original, std::string ("%d файл") + '\0' + "%d файла" + '\0' + "%d файлов" } }),
                    error))
    << error.message ();
  ASSERT_TRUE (add (catalog.get (), "ja", make_mo ({ { "", header ("nplurals=1; plural=0;") }, { original, "%d個" } }), error));
  ASSERT_TRUE (add (catalog.get (), "xx", make_mo ({ { "", header ("nplurals=3; plural=n;") }, { original, std::string ("a") + '\0' + "b" } }), error));
  auto russian_form = [&] (gulong n) {
    return std::string (nebula_catalog_translate_plural (catalog.get (), "ru", "%d file", "%d files", n));
  };
  EXPECT_EQ (russian_form (1), "%d файл");
  EXPECT_EQ (russian_form (21), "%d файл");
  EXPECT_EQ (russian_form (2), "%d файла");
  EXPECT_EQ (russian_form (104), "%d файла");
  EXPECT_EQ (russian_form (5), "%d файлов");
  EXPECT_EQ (russian_form (11), "%d файлов");
  EXPECT_EQ (russian_form (112), "%d файлов");
  EXPECT_STREQ (nebula_catalog_translate_plural (catalog.get (), "ja", "%d file", "%d files", 7), "%d個");
  EXPECT_STREQ (nebula_catalog_translate_plural (catalog.get (), "xx", "%d file", "%d files", 1), "b");
  EXPECT_STREQ (nebula_catalog_translate_plural (catalog.get (), "xx", "%d file", "%d files", 2), "a");
  EXPECT_STREQ (nebula_catalog_translate_plural (catalog.get (), "de", "%d file", "%d files", 1), "%d file");
  EXPECT_STREQ (nebula_catalog_translate_plural (catalog.get (), "de", "%d file", "%d files", 0), "%d files");
}

TEST (Catalog, EvaluatesEveryOperator)
{
  Error error;
  std::string original = std::string ("s") + '\0' + "p";
  std::string forms;
  for (char c = '0'; c <= '9'; c++)
    forms += std::string (1, c) + '\0';
  forms.pop_back ();
  struct
  {
    const char *rule;
    gulong n;
    const char *form;
  } cases[] = {
    { "n+1", 2, "3" },       { "n-1", 2, "1" },        { "n*3", 2, "6" },       { "n/2", 9, "4" },      { "n%4", 7, "3" },
    { "n/0", 7, "0" },       { "n%0", 7, "0" },        { "!n", 0, "1" },        { "!!n", 5, "1" },      { "n<=2", 2, "1" },
    { "n>=3", 2, "0" },      { "n<3", 2, "1" },        { "n>3", 2, "0" },       { "n==2", 2, "1" },     { "n!=2", 2, "0" },
    { "n||0", 2, "1" },      { "n&&0", 2, "0" },       { "1+2*3", 0, "7" },     { "(1+2)*3", 0, "9" },  { "9-4-3", 0, "2" },
    { "n?2:3", 1, "2" },     { "n?2:n==0?4:5", 0, "4" }, { " ( n ) ", 6, "6" }, { "n-1", 0, "0" },
  };
  for (auto &c : cases) {
    Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "x"));
    std::string rule = std::string ("nplurals=10; plural=") + c.rule + ";";
    ASSERT_TRUE (add (catalog.get (), "xx", make_mo ({ { "", header (rule.c_str ()) }, { original, forms } }), error)) << c.rule;
    EXPECT_STREQ (nebula_catalog_translate_plural (catalog.get (), "xx", "s", "p", c.n), c.form) << c.rule;
  }
  std::string many = "nplurals=2; plural=";
  for (int i = 0; i < 200; i++)
    many += "n+";
  for (std::string rule : { std::string ("nplurals=2; plural=;"), std::string ("nplurals=2; plural=n n;"),
                            std::string ("nplurals=0; plural=n;"), std::string ("nplurals=99; plural=n;"),
                            std::string ("nplurals=x; plural=n;"), std::string ("plural=n;"), std::string ("nplurals=2;"),
                            std::string ("nplurals=2; plural=(n;"), std::string ("nplurals=2; plural=n?1;"),
                            std::string ("nplurals=2; plural=m;"), std::string ("nplurals=2; plural=99999999999;"),
                            "nplurals=2; plural=" + std::string (100, '(') + "n" + std::string (100, ')') + ";",
                            "nplurals=2; plural=" + std::string (100, '!') + "n;", many + "n;" }) {
    Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "x"));
    EXPECT_FALSE (add (catalog.get (), "xx", make_mo ({ { "", header (rule.c_str ()) } }), error)) << rule;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  }
}

TEST (Catalog, LeavesOutWhatWouldPrintOtherArguments)
{
  Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "nebula"));
  Error error;
  Entries entries = { { "a %s", "A %n" },         { "b %s", "B %s %s" },          { "c %s %d", "C %2$d %1$s" },
                      { "d %s %d", "D %1$d %2$s" }, { "e", "E %s" },              { "f %s", "F" },
                      { "g %lu", "G %u" },          { "h 100%% %s", "H %s 100%%" }, { "i %s", "I %17$s" },
                      { "j %.2f", "J %5.1f" },      { "k %d", "K %" } };
  ASSERT_TRUE (add (catalog.get (), "de", make_mo (entries), error));
  auto shown = [&] (const char *message) {
    return std::string (nebula_catalog_translate (catalog.get (), "de", message));
  };
  EXPECT_EQ (shown ("a %s"), "a %s");
  EXPECT_EQ (shown ("b %s"), "b %s");
  EXPECT_EQ (shown ("c %s %d"), "C %2$d %1$s");
  EXPECT_EQ (shown ("d %s %d"), "d %s %d");
  EXPECT_EQ (shown ("e"), "e");
  EXPECT_EQ (shown ("f %s"), "F");
  EXPECT_EQ (shown ("g %lu"), "g %lu");
  EXPECT_EQ (shown ("h 100%% %s"), "H %s 100%%");
  EXPECT_EQ (shown ("i %s"), "i %s");
  EXPECT_EQ (shown ("j %.2f"), "J %5.1f");
  EXPECT_EQ (shown ("k %d"), "k %d");
}

TEST (Catalog, RefusesBrokenFiles)
{
  Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "nebula"));
  std::string good = make_mo ({ { "", header (german) }, { "Yes", "Ja" } });
  for (size_t length = 0; length < good.size (); length++) {
    Error error;
    EXPECT_FALSE (add (catalog.get (), "de", good.substr (0, length), error)) << length;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA)) << length;
  }
  /* Every word of the head and the tables made huge. */
  for (size_t at = 0; at < 28 + 16 * 2; at += 4) {
    std::string bad = good;
    std::memset (&bad[at], 0xff, 4);
    Error error;
    Ref<NebulaCatalog> fresh (nebula_catalog_new (nullptr, "nebula"));
    bool used = at != 20 && at != 24;
    EXPECT_EQ (add (fresh.get (), "de", bad, error), !used) << at;
  }
  for (std::string translation : { std::string ("\xff"), std::string ("a\0\xc0", 3) }) {
    Error error;
    EXPECT_FALSE (add (catalog.get (), "de", make_mo ({ { "x", translation } }), error));
  }
  Error error;
  EXPECT_FALSE (add (catalog.get (), "de", make_mo ({ { "", "Content-Type: text/plain; charset=ISO-8859-1\n" } }), error));
}

TEST (Catalog, ReadsFilesWhenAsked)
{
  char *directory = g_dir_make_tmp ("nebula-XXXXXX", nullptr);
  char *folder = g_build_filename (directory, "de", "LC_MESSAGES", nullptr);
  char *file = g_build_filename (folder, "nebula.mo", nullptr);
  g_mkdir_with_parents (folder, 0700);
  std::string mo = make_mo ({ { "Yes", "Ja" } });
  g_file_set_contents (file, mo.data (), (gssize) mo.size (), nullptr);
  Ref<NebulaCatalog> catalog (nebula_catalog_new (directory, "nebula"));
  EXPECT_STREQ (nebula_catalog_translate (catalog.get (), "de_CH", "Yes"), "Ja");
  char *best = nebula_catalog_negotiate (catalog.get (), "fr, de-CH;q=0.8, en;q=0.5");
  EXPECT_STREQ (best, "de_CH");
  g_free (best);
  for (const char *wanted : { "", "fr", "*", "en-GB, de;q=0.9", "x;q=abc" }) {
    best = nebula_catalog_negotiate (catalog.get (), wanted);
    EXPECT_STREQ (best, "en") << wanted;
    g_free (best);
  }
  best = nebula_catalog_negotiate (catalog.get (), nullptr);
  EXPECT_STREQ (best, "en");
  g_free (best);
  char **languages = nebula_catalog_list_languages (catalog.get ());
  EXPECT_EQ (g_strv_length (languages), 1u);
  g_strfreev (languages);
  g_unlink (file);
  for (char *path : { folder, g_build_filename (directory, "de", nullptr), directory }) {
    g_rmdir (path);
    g_free (path);
  }
  g_free (file);
}

TEST (Catalog, AnswersManyThreadsInTheirLanguages)
{
  Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "nebula"));
  Error error;
  for (int i = 0; i < 8; i++) {
    std::string language = std::string ("a") + (char) ('a' + i);
    ASSERT_TRUE (add (catalog.get (), language.c_str (), make_mo ({ { "Yes", language } }), error));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++)
    threads.emplace_back ([&catalog, i] {
      std::string language = std::string ("a") + (char) ('a' + i);
      for (int k = 0; k < 1000; k++)
        ASSERT_EQ (language, nebula_catalog_translate (catalog.get (), language.c_str (), "Yes"));
    });
  for (std::thread &thread : threads)
    thread.join ();
}

namespace
{

/* One title and one message in German. */
Ref<NebulaCatalog>
make_german ()
{
  Error error;
  Ref<NebulaCatalog> catalog (nebula_catalog_new (nullptr, "nebula"));
  EXPECT_TRUE (add (catalog.get (), "de",
                    make_mo ({ { "", header ("nplurals=2; plural=n != 1;") },
                               { "It does not exist", "Das gibt es nicht" },
                               { "The lamp is off", "Die Lampe ist aus" } }),
                    error))
      << error.message ();
  return catalog;
}

std::string
localize (NebulaCatalog *catalog, const char *language, int code, const char *message)
{
  GError *error = g_error_new_literal (NEBULA_ERROR, code, message);
  char *text = nebula_error_dup_localized_message (error, catalog, language);
  std::string copy (text);
  g_free (text);
  g_error_free (error);
  return copy;
}

} // namespace

TEST (ErrorText, SpeaksTheLanguageOfTheRequest)
{
  Ref<NebulaCatalog> catalog = make_german ();
  EXPECT_EQ (localize (catalog.get (), "de", NEBULA_ERROR_IO, "The lamp is off"), "Die Lampe ist aus");
  EXPECT_EQ (localize (catalog.get (), "de", NEBULA_ERROR_NOT_FOUND, "There is no order 7"), "Das gibt es nicht");
  EXPECT_EQ (localize (catalog.get (), "de", NEBULA_ERROR_IO, "The disk 7 failed"), "The disk 7 failed");
  EXPECT_EQ (localize (catalog.get (), "en", NEBULA_ERROR_NOT_FOUND, "There is no order 7"), "There is no order 7");
  EXPECT_EQ (localize (nullptr, nullptr, NEBULA_ERROR_NOT_FOUND, "There is no order 7"), "There is no order 7");
}

TEST (ErrorText, IsAProblemOfRfc9457)
{
  Ref<NebulaCatalog> catalog = make_german ();
  GError *error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no such file");
  error = nebula_error_wrap (error, "Opening");
  nebula_error_set_retry_after_ms (error, 250);
  nebula::Value problem (nebula_error_to_problem (error, nullptr, nullptr, "/orders/7"));
  EXPECT_EQ (nebula::to_json (problem),
             "{\"type\":\"urn:nebula:error:not-found\",\"title\":\"It does not exist\",\"status\":404,"
             "\"detail\":\"Opening: no such file\",\"instance\":\"/orders/7\",\"code\":\"not-found\","
             "\"retry\":\"terminal\",\"retry_after_ms\":250,"
             "\"causes\":[{\"code\":\"not-found\",\"message\":\"no such file\"}]}");
  nebula::Value german (nebula_error_to_problem (error, catalog.get (), "de", nullptr));
  EXPECT_STREQ (nebula_value_get_member_string (german.get (), "title", ""), "Das gibt es nicht");
  EXPECT_STREQ (nebula_value_get_member_string (german.get (), "detail", ""), "Das gibt es nicht");
  EXPECT_FALSE (nebula_value_has_member (german.get (), "instance"));
  g_error_free (error);
  GError *plain = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_TYPE, "bad \xff byte");
  nebula::Value other (nebula_error_to_problem (plain, nullptr, nullptr, nullptr));
  EXPECT_FALSE (nebula_value_has_member (other.get (), "causes"));
  EXPECT_FALSE (nebula_value_has_member (other.get (), "retry_after_ms"));
  EXPECT_EQ (nebula_value_get_member_integer (other.get (), "status", 0), 422);
  g_error_free (plain);
}
