/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string>

#include "nebula-document.h"
#include "nebula-limits.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

using Document = nebula::Owned<NebulaDocument, nebula_document_unref>;

struct Failure
{
  Error error;
  guint line = 0;
  guint column = 0;
};

Document
parse (const std::string &text, Failure &failure, NebulaDocumentFormat format = NEBULA_DOCUMENT_FORMAT_AUTO)
{
  GBytes *bytes = g_bytes_new (text.data (), text.size ());
  Document document (
    nebula_document_parse (bytes, format, &failure.line, &failure.column, failure.error.out ()));
  g_bytes_unref (bytes);
  return document;
}

/* What a YAML text says, as JSON. */
std::string
yaml (const std::string &text)
{
  Failure failure;
  Document document = parse (text, failure, NEBULA_DOCUMENT_FORMAT_YAML);
  if (!document)
    return std::string ("error: ") + failure.error.message ();
  return to_json (nebula_document_get_value (document.get ()));
}

std::string
place (const Document &document, const char *pointer, bool of_key = false)
{
  guint line = 0, column = 0;
  nebula_document_locate (document.get (), pointer, of_key, &line, &column);
  return std::to_string (line) + ":" + std::to_string (column);
}

} // namespace

TEST (Document, TypesOnlyWhatTheNarrowSchemaTypes)
{
  EXPECT_EQ (yaml ("[true, false, null, ~, 1, -2, 1.5, 1e3, 0.1]"), "[true,false,null,null,1,-2,1.5,1000,0.1]");
  EXPECT_EQ (yaml ("[True, no, yes, on, off, NULL, 0777, +1, .5, 0x1f, 0o7, .inf, .nan, 1_000, 12:30, 1.]"),
             "[\"True\",\"no\",\"yes\",\"on\",\"off\",\"NULL\",\"0777\",\"+1\",\".5\",\"0x1f\",\"0o7\",\".inf\",\".nan\",\"1_"
             "000\",\"12:30\",\"1.\"]");
  EXPECT_EQ (yaml ("[2026-03-29, 2026-03-29T01:30:00Z, 1h30m]"),
             "[\"2026-03-29\",\"2026-03-29T01:30:00Z\",\"1h30m\"]");
  EXPECT_EQ (yaml ("[\"true\", '1', \"~\"]"), "[\"true\",\"1\",\"~\"]");
  EXPECT_EQ (yaml ("a:\nb: ''\n"), "{\"a\":null,\"b\":\"\"}");
  EXPECT_EQ (yaml ("1: a\ntrue: b\n~: c\n"), "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\"}");
  EXPECT_EQ (yaml ("<<: {a: 1}\n"), "{\"<<\":{\"a\":1}}");
  EXPECT_EQ (yaml ("12345678901234567890"), "12345678901234567890");
  EXPECT_EQ (yaml ("a: |\n  one\n  two\nb: >\n  one\n  two\n"), "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\\n\"}");
  EXPECT_EQ (yaml (""), "null");
  EXPECT_EQ (yaml ("# nothing\n"), "null");
  EXPECT_EQ (yaml ("\xef\xbb\xbf" "a: 1"), "{\"a\":1}");
}

TEST (Document, AliasesShareAndAreCounted)
{
  EXPECT_EQ (yaml ("a: &x [1, 2]\nb: *x\nc: {d: *x}\n"), "{\"a\":[1,2],\"b\":[1,2],\"c\":{\"d\":[1,2]}}");
  EXPECT_EQ (yaml ("a: &x 1\nb: *x\n"), "{\"a\":1,\"b\":1}");

  Failure failure;
  std::string many = "a: &x 1\nb:\n";
  for (int i = 0; i < NEBULA_LIMIT_YAML_ALIASES; i++)
    many += "  - *x\n";
  EXPECT_TRUE (parse (many, failure));
  EXPECT_FALSE (parse (many + "  - *x\n", failure));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_TOO_LARGE));
  EXPECT_EQ (failure.line, 103u);

  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; i++) {
    std::string last = "*a" + std::to_string (i - 1);
    bomb += "a" + std::to_string (i) + ": &a" + std::to_string (i) + " [" + last;
    for (int k = 0; k < 8; k++)
      bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_FALSE (parse (bomb, failure));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_TOO_LARGE));

  EXPECT_FALSE (parse ("a: *x\n", failure));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_SYNTAX));
  EXPECT_FALSE (parse ("a: &x [*x]\n", failure));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_SYNTAX));
}

TEST (Document, RefusesWithThePlace)
{
  struct
  {
    std::string text;
    NebulaError code;
    guint line, column;
  } cases[] = {
    { "a: 1\nb: 2\na: 3\n", NEBULA_ERROR_DUPLICATE_KEY, 3, 1 },
    { "x:\n  {é: 1, \"é\": 2}\n", NEBULA_ERROR_DUPLICATE_KEY, 2, 10 },
    { "a: !!str 1\n", NEBULA_ERROR_UNSUPPORTED, 1, 4 },
    { "a: !x {}\n", NEBULA_ERROR_UNSUPPORTED, 1, 4 },
    { "a: ! b\n", NEBULA_ERROR_UNSUPPORTED, 1, 4 },
    { "%TAG ! tag:x,2000:\n---\na: 1\n", NEBULA_ERROR_UNSUPPORTED, 1, 1 },
    { "a: 1\n---\nb: 2\n", NEBULA_ERROR_SYNTAX, 2, 1 },
    { "? [1]\n: 2\n", NEBULA_ERROR_UNSUPPORTED, 1, 3 },
    { "a: &x b\n*x : c\n", NEBULA_ERROR_UNSUPPORTED, 2, 1 },
    { "&x a: b\n", NEBULA_ERROR_UNSUPPORTED, 1, 1 },
    { "a:\n\tb: 1\n", NEBULA_ERROR_SYNTAX, 2, 1 },
    { "a: b: c\n", NEBULA_ERROR_SYNTAX, 1, 5 },
    { "a: 'x\n", NEBULA_ERROR_SYNTAX, 2, 1 },
    { "a: [1e400]\n", NEBULA_ERROR_OVERFLOW, 1, 5 },
    { "a: \xff\n", NEBULA_ERROR_SYNTAX, 1, 1 },
  };
  for (auto &c : cases) {
    Failure failure;
    EXPECT_FALSE (parse (c.text, failure, NEBULA_DOCUMENT_FORMAT_YAML)) << c.text;
    EXPECT_TRUE (has_error (failure.error, c.code)) << c.text;
    EXPECT_EQ (failure.line, c.line) << c.text << failure.error.message ();
    EXPECT_EQ (failure.column, c.column) << c.text << failure.error.message ();
  }
}

TEST (Document, NestsTo128Levels)
{
  Failure failure;
  EXPECT_TRUE (parse (std::string (128, '[') + std::string (128, ']'), failure, NEBULA_DOCUMENT_FORMAT_YAML));
  EXPECT_FALSE (parse (std::string (129, '[') + std::string (129, ']'), failure, NEBULA_DOCUMENT_FORMAT_YAML));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_TOO_DEEP));
  EXPECT_FALSE (parse (std::string (129, '[') + std::string (129, ']'), failure));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_TOO_DEEP));
  EXPECT_EQ (failure.column, 129u);
  std::string aliased = "a: &x " + std::string (100, '[') + std::string (100, ']') + "\nb: ";
  EXPECT_FALSE (parse (aliased + std::string (40, '[') + "*x" + std::string (40, ']'), failure));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_TOO_DEEP));
}

TEST (Document, LocatesParts)
{
  Failure failure;
  for (NebulaDocumentFormat format : { NEBULA_DOCUMENT_FORMAT_JSON, NEBULA_DOCUMENT_FORMAT_YAML }) {
    Document document = parse ("{\n  \"é\": {\"a/b\": [1, {\"~\": 2}, 3]},\n  \"z\": []\n}\n", failure, format);
    ASSERT_TRUE (document) << failure.error.message ();
    EXPECT_EQ (place (document, ""), "1:1");
    EXPECT_EQ (place (document, "/é", true), "2:3");
    EXPECT_EQ (place (document, "/é"), "2:8");
    EXPECT_EQ (place (document, "/é/a~1b", true), "2:9");
    EXPECT_EQ (place (document, "/é/a~1b"), "2:16");
    EXPECT_EQ (place (document, "/é/a~1b/0"), "2:17");
    EXPECT_EQ (place (document, "/é/a~1b/1/~0"), "2:26");
    EXPECT_EQ (place (document, "/é/a~1b/2"), "2:30");
    EXPECT_EQ (place (document, "/é/a~1b/3"), "2:16");
    EXPECT_EQ (place (document, "/é/a~1b/x"), "2:16");
    EXPECT_EQ (place (document, "/é/none/0", true), "2:8");
    EXPECT_EQ (place (document, "/z"), "3:8");
    EXPECT_EQ (place (document, "/z/0"), "3:8");
    EXPECT_EQ (place (document, "/z/0/1"), "3:8");
  }
  Document document = parse ("a: &x\n  b: 1\nc: *x\nd: 2\n", failure);
  EXPECT_EQ (place (document, "/a/b"), "2:6");
  EXPECT_EQ (place (document, "/c/b"), "3:4");
  EXPECT_EQ (place (document, "/d", true), "4:1");
}

TEST (Document, ChoosesTheFormat)
{
  Failure failure;
  EXPECT_EQ (to_json (nebula_document_get_value (parse (" {\"a\": no}", failure).get ())), "{\"a\":\"no\"}");
  EXPECT_EQ (to_json (nebula_document_get_value (parse ("{\"a\": -0}", failure).get ())), "{\"a\":-0}");
  EXPECT_FALSE (parse ("{a: 1}", failure, NEBULA_DOCUMENT_FORMAT_JSON));
  EXPECT_FALSE (parse ("{\"a\":1,\"a\":2}", failure));
  EXPECT_TRUE (has_error (failure.error, NEBULA_ERROR_DUPLICATE_KEY));
  EXPECT_EQ (failure.column, 8u);
  EXPECT_THAT (failure.error.message (), testing::Not (testing::HasSubstr ("Line")));

  Error error;
  GBytes *bytes = g_bytes_new ("a: [", 4);
  EXPECT_FALSE (Document (
    nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_YAML, nullptr, nullptr, error.out ())));
  EXPECT_THAT (error.message (), testing::HasSubstr ("Line 2, column 1"));
  g_bytes_unref (bytes);
}

TEST (Document, CountsReferences)
{
  Failure failure;
  Document document = parse ("a: 1", failure);
  Document other (nebula_document_ref (document.get ()));
  document.reset (nullptr);
  EXPECT_EQ (to_json (nebula_document_get_value (other.get ())), "{\"a\":1}");
  GType type = nebula_document_get_type ();
  Document copy ((NebulaDocument *) g_boxed_copy (type, other.get ()));
  EXPECT_EQ (copy.get (), other.get ());
}

TEST (Yaml, WritesWhatPeopleWouldWrite)
{
  Value value = json (R"({"nebula":1,"name":"order-intake","empty":[],"none":{},"timeout":"1h30m","text":"two\nlines\n",
    "list":["a -> b",["x",1],{"k":true,"l":null}],"nodes":{"fetch":{"with":{"url":"https://example.com/?a=1","q":"{{ $x }}"}}},
    "odd":["no","12","1e3","-x",""," a","a ","a: b","a:","a #b","2026-01-01","true"]})");
  char *text = nebula_value_to_yaml (value.get ());
  EXPECT_STREQ (text, R"(nebula: 1
name: order-intake
empty: []
none: {}
timeout: 1h30m
text: |
  two
  lines
list:
  - a -> b
  - - x
    - 1
  - k: true
    l: null
nodes:
  fetch:
    with:
      url: https://example.com/?a=1
      q: "{{ $x }}"
odd:
  - "no"
  - "12"
  - "1e3"
  - "-x"
  - ""
  - " a"
  - "a "
  - "a: b"
  - "a:"
  - "a #b"
  - "2026-01-01"
  - "true"
)");
  g_free (text);
}

namespace
{

/* Random values out of a small generator, with texts that are hard to quote. */
class Maker
{
public:
  explicit Maker (guint32 seed) : rand_ (g_rand_new_with_seed (seed)) {}
  ~Maker () { g_rand_free (rand_); }
  int
  below (int n)
  {
    return g_rand_int_range (rand_, 0, n);
  }
  std::string
  text ()
  {
    static const char *const parts[]
      = { "a",  "B",  " ",  "\n", ": ",     "#",  "-",     "'",      "\"",     "\\",     "{",  "[",        "é",      "😀",
          "\t", "\r", "\x7f", "\x01", "true", "1", "\u0085", "\u2028", "\ufeff", "|", ">", "*", "&", "!", "%", "@", "`", "0x", ".",
          "~", "null", "---", "...", "\n\n", "  ", ",", "]", "}", "?", "<<" };
    std::string result;
    for (int i = below (6); i > 0; i--)
      result += parts[below (G_N_ELEMENTS (parts))];
    if (below (200) == 0)
      result += std::string (400, 'k');
    return result;
  }
  Value
  value (int depth)
  {
    int kind = below (depth > 0 ? 8 : 6);
    if (kind == 0)
      return Value (nebula_value_new_integer (below (5000) - 2500));
    if (kind == 1)
      return Value (nebula_value_new_boolean (below (2)));
    if (kind == 2)
      return Value (nebula_value_new_null ());
    if (kind == 3)
      return Value (nebula_value_new_float (below (1000) / 7.0));
    if (kind < 6) {
      std::string string = text ();
      return Value (nebula_value_new_string_length (string.data (), string.size ()));
    }
    nebula::Owned<NebulaValueBuilder, nebula_value_builder_unref> builder (
      kind == 6 ? nebula_value_builder_new_array () : nebula_value_builder_new_object ());
    for (int i = below (5); i > 0; i--) {
      std::string key = text ();
      if (kind == 6)
        nebula_value_builder_add_take (builder.get (), value (depth - 1).steal ());
      else
        nebula_value_builder_set_length_take (builder.get (), key.data (), key.size (), value (depth - 1).steal ());
    }
    return Value (nebula_value_builder_end (builder.get ()));
  }

private:
  GRand *rand_;
};

} // namespace

TEST (Yaml, EveryValueReadsBackFromYamlAndJson)
{
  for (guint32 seed = 0; seed < 4000; seed++) {
    Maker maker (seed);
    Value value = maker.value (4);
    char *text = nebula_value_to_yaml (value.get ());
    Failure failure;
    Document document = parse (text, failure, NEBULA_DOCUMENT_FORMAT_YAML);
    ASSERT_TRUE (document) << seed << ": " << failure.line << ":" << failure.column << failure.error.message () << "\n"
                           << text;
    ASSERT_EQ (to_json (nebula_document_get_value (document.get ())), to_json (value)) << seed << "\n" << text;
    ASSERT_TRUE (nebula_value_equal (json (to_json (value).c_str ()).get (), value.get ())) << seed;
    g_free (text);
  }
}
