/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-evaluated-test.h"
#include "nebula-invocation.h"

#include <glib/gstdio.h>

namespace
{

class DataTest : public nebula::EvaluatedTest
{
protected:
  struct Answer
  {
    NebulaResult *result = nullptr;
    gint done = 0;
  };
  /* data.parse is a simple action: it runs on the executor. */
  std::string
  parse (const char *parameters, const char *directory = nullptr)
  {
    static const NebulaInvocationSink sink = { [] (NebulaInvocation *, NebulaResult *result, gpointer data) {
                                                auto *answer = static_cast<Answer *> (data);
                                                answer->result = nebula_result_ref (result);
                                                g_atomic_int_set (&answer->done, 1);
                                              },
                                               nullptr, nullptr };
    nebula::Info info = lookup ("data.parse");
    nebula::Ref<NebulaAction> action (NEBULA_ACTION (g_object_new (G_TYPE_FROM_CLASS (load (info)), nullptr)));
    nebula::Value values = nebula::json (parameters);
    NebulaArguments arguments = {};
    arguments.parameters = values.get ();
    arguments.table = nebula_action_info_get_parameters (info.get ());
    if (!nebula_action_set_parameters (action.get (), &arguments, error_.out ()))
      return nebula_error_get_code (error_.get ());
    effect_ = nebula_action_get_effect (action.get ());

    Answer answer;
    NebulaInvocationInfo about = {};
    about.directory = directory;
    nebula::Ref<NebulaInvocation> invocation (nebula_invocation_new (&about, values.get (), nullptr, &sink, &answer, nullptr));
    nebula_action_invoke (action.get (), invocation.get ());
    EXPECT_TRUE (run_until ([&] { return g_atomic_int_get (&answer.done) != 0; }));
    NebulaValue *value = nebula_result_get_value (answer.result);
    std::string text = nebula::to_json (value);
    if (nebula_result_get_kind (answer.result) == NEBULA_RESULT_KIND_FAILURE)
      text = std::string (nebula_value_get_member_string (value, "code", "")) + ": " +
             nebula_value_get_member_string (value, "message", "");
    nebula_result_unref (answer.result);
    return text;
  }
  /* The text of `text` as a parameter. */
  std::string
  parse_text (const std::string &text, const std::string &more)
  {
    nebula::Value value (nebula_value_new_string (text.c_str ()));
    return parse (("{\"text\": " + nebula::to_json (value) + ", " + more + "}").c_str ());
  }
  NebulaEffect effect_ = NEBULA_EFFECT_EFFECTFUL;
};

TEST_F (DataTest, EachActionIsDocumented)
{
  expect_documented ("data", 11);
}

TEST_F (DataTest, SetGivesItsParameters)
{
  EXPECT_EQ (evaluate ("data.set", R"({"a": 1, "values": null, "b": {"c": [2]}})"), R"({"a":1,"values":null,"b":{"c":[2]}})");
  EXPECT_EQ (evaluate ("data.set", "{}"), "{}");
}

TEST_F (DataTest, Template)
{
  EXPECT_EQ (evaluate ("data.template", R"({"text": "hello"})"), "\"hello\"");
  EXPECT_EQ (evaluate ("data.template", R"({"text": {"a": 1}})"), R"("{\"a\":1}")");
  EXPECT_EQ (evaluate ("data.template", R"({"text": null})"), "\"\"");
}

TEST_F (DataTest, Filter)
{
  EXPECT_EQ (evaluate ("data.filter", R"({"items": [1, 5, 3], "where": "$item > 2"})"), "[5,3]");
  EXPECT_EQ (evaluate ("data.filter", R"({"items": [1, 5, 3], "where": "$index != 1"})"), "[1,3]");
  EXPECT_EQ (evaluate ("data.filter", R"({"items": [1, 2], "where": "null"})"), "[]");
  EXPECT_EQ (evaluate ("data.filter", R"({"items": [1], "where": "$item"})"), "type");
  EXPECT_EQ (evaluate ("data.filter", R"({"items": [1], "where": "$item.x"})"), "type");
  EXPECT_EQ (evaluate ("data.filter", R"({"items": [1]})"), "missing-parameter");
  EXPECT_EQ (evaluate ("data.filter", R"({"items": {}, "where": "true"})"), "invalid-parameter");
}

TEST_F (DataTest, Map)
{
  EXPECT_EQ (evaluate ("data.map", R"({"items": [1, 2], "to": "$item * 10 + $index"})"), "[10,21]");
  EXPECT_EQ (evaluate ("data.map", R"({"items": [], "to": "$item"})"), "[]");
  EXPECT_EQ (evaluate ("data.map", R"({"items": ["x"], "to": "$item * 10"})"), "type");
}

TEST_F (DataTest, Sort)
{
  EXPECT_EQ (evaluate ("data.sort", R"({"items": [3, 1, 2]})"), "[1,2,3]");
  EXPECT_EQ (evaluate ("data.sort", R"({"items": [3, 1, 2], "descending": true})"), "[3,2,1]");
  /* Equal ones keep their order, also when the greatest come first. */
  EXPECT_EQ (evaluate ("data.sort", R"({"items": [{"k": 1, "n": 1}, {"k": 0, "n": 2}, {"k": 1, "n": 3}], "by": "$item.k"})"),
             R"([{"k":0,"n":2},{"k":1,"n":1},{"k":1,"n":3}])");
  EXPECT_EQ (evaluate ("data.sort", R"({"items": [{"k": 1, "n": 1}, {"k": 0, "n": 2}, {"k": 1, "n": 3}], "by": "$item.k", "descending": true})"),
             R"([{"k":1,"n":1},{"k":1,"n":3},{"k":0,"n":2}])");
  EXPECT_EQ (evaluate ("data.sort", R"({"items": [1, "a"]})"), "type");
}

TEST_F (DataTest, Limit)
{
  EXPECT_EQ (evaluate ("data.limit", R"({"items": [1, 2, 3], "count": 2})"), "[1,2]");
  EXPECT_EQ (evaluate ("data.limit", R"({"items": [1, 2, 3], "count": 9})"), "[1,2,3]");
  EXPECT_EQ (evaluate ("data.limit", R"({"items": [1, 2, 3], "count": 0})"), "[]");
  EXPECT_EQ (evaluate ("data.limit", R"({"items": [1, 2, 3], "count": -1})"), "invalid-parameter");
  EXPECT_EQ (evaluate ("data.limit", R"({"items": [1, 2, 3]})"), "missing-parameter");
}

TEST_F (DataTest, Dedupe)
{
  EXPECT_EQ (evaluate ("data.dedupe", R"({"items": [1, 1.0, "1", 2, {"a": 1}, {"a": 1}]})"), R"([1,"1",2,{"a":1}])");
  EXPECT_EQ (evaluate ("data.dedupe", R"({"items": [{"k": 1, "n": 1}, {"k": 1, "n": 2}], "by": "$item.k"})"), R"([{"k":1,"n":1}])");
}

TEST_F (DataTest, Group)
{
  EXPECT_EQ (evaluate ("data.group", R"({"items": [{"c": "b"}, {"c": "a"}, {"c": "b", "n": 1}], "by": "$item.c"})"),
             R"({"b":[{"c":"b"},{"c":"b","n":1}],"a":[{"c":"a"}]})");
  EXPECT_EQ (evaluate ("data.group", R"({"items": [2, 1, 2], "by": "$item"})"), R"({"2":[2,2],"1":[1]})");
  EXPECT_EQ (evaluate ("data.group", R"({"items": [null], "by": "$item"})"), R"({"null":[null]})");
  EXPECT_EQ (evaluate ("data.group", R"({"items": [[1]], "by": "$item"})"), "type");
  EXPECT_EQ (evaluate ("data.group", R"({"items": [1, "1"], "by": "$item"})"), "duplicate-key");
}

TEST_F (DataTest, Aggregate)
{
  const char *items = R"([{"c": "x", "n": 1}, {"c": "y", "n": 10}, {"c": "x", "n": 2}])";
  std::string all = std::string (R"({"items": )") + items + R"x(, "compute": {"count": "length($items)", "sum": "sum($items, x => x.n)"}})x";
  EXPECT_EQ (evaluate ("data.aggregate", all.c_str ()), R"({"count":3,"sum":13})");
  std::string grouped = std::string (R"({"items": )") + items + R"x(, "by": "$item.c", "compute": {"sum": "sum($items, x => x.n)", "k": "$key"}})x";
  EXPECT_EQ (evaluate ("data.aggregate", grouped.c_str ()), R"([{"key":"x","sum":3,"k":"x"},{"key":"y","sum":10,"k":"y"}])");
  EXPECT_EQ (evaluate ("data.aggregate", R"({"items": [], "by": "$item", "compute": {"n": "1"}})"), "[]");
  EXPECT_EQ (evaluate ("data.aggregate", R"({"items": [1], "compute": {"n": "$items.x.y"}})"), "type");
}

/* Formats */

TEST_F (DataTest, FormatJsonAndYaml)
{
  EXPECT_EQ (evaluate ("data.format", R"({"value": {"a": [1, null]}})"), R"("{\"a\":[1,null]}")");
  EXPECT_EQ (evaluate ("data.format", R"({"value": {"a": 1}, "pretty": true})"), R"("{\n  \"a\": 1\n}\n")");
  EXPECT_EQ (evaluate ("data.format", "{}", "[1]"), R"("[1]")");
  EXPECT_EQ (evaluate ("data.format", R"({"value": {"a": 1}, "format": "yaml"})"), R"("a: 1\n")");
}

TEST_F (DataTest, FormatCsv)
{
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "value": [{"a": 1, "b": "x,y"}, {"b": "q\"q", "c": null}]})"),
             R"("a,b,c\n1,\"x,y\",\n,\"q\"\"q\",\n")");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "tsv", "value": [["a", "b\tc"], [1.5, true]]})"), R"("a\t\"b\tc\"\n1.5\ttrue\n")");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "header": false, "columns": ["b"], "value": [{"a": 1, "b": " x"}]})"),
             R"("\" x\"\n")");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "delimiter": ";", "value": [{"a": "1;2", "b": "l\nl"}]})"),
             R"("a;b\n\"1;2\";\"l\nl\"\n")");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "value": []})"), R"("")");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "value": 1})"), "type");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "value": [1]})"), "type");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "delimiter": "\n", "value": []})"), "invalid-parameter");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "csv", "delimiter": "ä", "value": []})"), "invalid-parameter");
}

TEST_F (DataTest, ParseJsonAndYaml)
{
  EXPECT_EQ (parse_text ("{\"a\": [1]}", "\"format\": \"json\""), "{\"a\":[1]}");
  EXPECT_EQ (effect_, NEBULA_EFFECT_PURE);
  EXPECT_THAT (parse_text ("{\"a\": ", "\"format\": \"json\""), testing::StartsWith ("syntax: "));
  EXPECT_EQ (parse_text ("a: [1, no]\n", "\"format\": \"yaml\""), "{\"a\":[1,\"no\"]}");
  EXPECT_THAT (parse_text ("a: [", "\"format\": \"yaml\""), testing::StartsWith ("syntax: "));
  EXPECT_THAT (parse_text ("", "\"format\": \"json\""), testing::StartsWith ("syntax: "));
}

TEST_F (DataTest, ParseXml)
{
  const char *xml = "\"format\": \"xml\"";
  EXPECT_EQ (parse_text ("<a/>", xml), R"({"a":null})");
  EXPECT_EQ (effect_, NEBULA_EFFECT_PURE);
  EXPECT_EQ (parse_text ("<?xml version='1.0' encoding='ISO-8859-1'?><!-- c --><a>\xc3\xa4 &lt;&#65;<![CDATA[<b>]]></a>", xml),
             "{\"a\":\"\xc3\xa4 <A<b>\"}");
  EXPECT_EQ (parse_text ("<a x='1' y=''><b>1</b><c/><b> </b>t<b>3</b></a>", xml),
             R"({"a":{"@x":"1","@y":"","b":["1",null,"3"],"c":null,"#text":"t"}})");
  EXPECT_EQ (parse_text ("<p:a xmlns:p='urn:p'><p:b/></p:a>", xml), R"({"p:a":{"@xmlns:p":"urn:p","p:b":null}})");
  EXPECT_EQ (parse_text ("<!DOCTYPE html><html>x</html>", xml), R"({"html":"x"})");
}

TEST_F (DataTest, ParseXmlErrors)
{
  const char *xml = "\"format\": \"xml\"";
  std::string deep, end;
  EXPECT_THAT (parse_text ("<a>\n<b></a>", xml), testing::StartsWith ("syntax: Line 2, column "));
  EXPECT_THAT (parse_text ("", xml), testing::StartsWith ("syntax: "));
  EXPECT_THAT (parse_text ("<a/><b/>", xml), testing::StartsWith ("syntax: Line 1, column "));
  EXPECT_THAT (parse_text ("<a>", xml), testing::StartsWith ("syntax: "));
  EXPECT_THAT (parse_text ("<a>&b;</a>", xml), testing::StartsWith ("syntax: "));
  EXPECT_THAT (parse_text ("no", xml), testing::StartsWith ("syntax: "));
  EXPECT_THAT (parse_text ("<!DOCTYPE a [<!ENTITY b 'c'><!ENTITY d '&b;&b;&b;'>]><a x='&d;'>&d;</a>", xml),
               testing::HasSubstr ("declares entities"));
  EXPECT_THAT (parse_text ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", xml),
               testing::HasSubstr ("declares entities"));
  for (int i = 0; i < 65; i++) {
    deep += "<a>";
    end += "</a>";
  }
  EXPECT_THAT (parse_text ((deep + end).c_str (), xml), testing::HasSubstr ("too deep"));
  EXPECT_THAT (parse_text ((deep.substr (3) + end.substr (4)).c_str (), xml), testing::StartsWith ("{\"a\":{\"a\""));
}

TEST_F (DataTest, FormatXml)
{
  EXPECT_EQ (evaluate ("data.format", R"({"format": "xml", "value": {"a": {"@x": "1 < \"2\"", "b": ["1", null, {"c": true}], "#text": "t&t"}}})"),
             R"("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a x=\"1 &lt; &quot;2&quot;\"><b>1</b><b/><b><c>true</c></b>t&amp;t</a>\n")");
  EXPECT_EQ (evaluate ("data.format", R"({"format": "xml", "pretty": true, "value": {"a": {"b": 1}}})"),
             R"("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <b>1</b>\n</a>\n")");
  for (const char *value : {"1", "{}", R"({"a": 1, "b": 2})", R"({"a": [1]})", R"({"a": {"b": [[1]]}})", R"({"a b": 1})",
                            R"({"a": "\u0001"})", R"({"a": {"@": 1}})", R"({"a": {"@x": "\u0002"}})", R"({"": 1})"})
    EXPECT_EQ (evaluate ("data.format", (std::string (R"({"format": "xml", "value": )") + value + "}").c_str ()), "invalid-data")
        << value;
}

TEST_F (DataTest, ParseCsv)
{
  const char *csv = "\"format\": \"csv\"";
  EXPECT_EQ (parse_text ("a,b\n1,2\n3,\n", csv), R"([{"a":"1","b":"2"},{"a":"3","b":""}])");
  EXPECT_EQ (parse_text ("\xef\xbb\xbf" "a,b\r\n1,2", csv), R"([{"a":"1","b":"2"}])");
  EXPECT_EQ (parse_text ("a\r1\r2\r", csv), R"([{"a":"1"},{"a":"2"}])");
  EXPECT_EQ (parse_text ("a,b\n\"x,\"\"y\"\"\",\"l\r\nm\"\n", csv), R"([{"a":"x,\"y\"","b":"l\r\nm"}])");
  EXPECT_EQ (parse_text ("a,b\n\"\",\"l\rm\nn\"\n", csv), R"([{"a":"","b":"l\rm\nn"}])");
  EXPECT_EQ (parse_text ("", csv), "[]");
  EXPECT_EQ (parse_text ("a,b\n", csv), "[]");
  EXPECT_EQ (parse_text ("a,,c\n1,2,3\n", csv), R"([{"a":"1","column2":"2","c":"3"}])");
  EXPECT_EQ (parse_text ("# c\n\na,b\n#x,y\n1,2\n", "\"format\": \"csv\", \"comment\": \"#\""), R"([{"a":"1","b":"2"}])");
  EXPECT_EQ (parse_text ("1,2\n", "\"format\": \"csv\", \"header\": false"), R"([["1","2"]])");
  EXPECT_EQ (parse_text ("1,2\n", "\"format\": \"csv\", \"header\": false, \"columns\": [\"x\", \"y\"]"), R"([{"x":"1","y":"2"}])");
  EXPECT_EQ (parse_text ("a,b\n1,2\n", "\"format\": \"csv\", \"columns\": [\"x\", \"y\"]"), R"([{"x":"1","y":"2"}])");
  EXPECT_EQ (parse_text ("a\tb\n1,5\t2\n", "\"format\": \"tsv\""), R"([{"a":"1,5","b":"2"}])");
  EXPECT_EQ (parse_text ("a;b\n1;2\n", "\"format\": \"csv\", \"delimiter\": \";\""), R"([{"a":"1","b":"2"}])");
}

TEST_F (DataTest, CsvErrorsHaveAPlace)
{
  const char *csv = "\"format\": \"csv\"";
  EXPECT_THAT (parse_text ("a,b\n1,\"x\n", csv), testing::StartsWith ("syntax: Line 2, column 3:"));
  EXPECT_THAT (parse_text ("a,b\nä,\"x\"y\n", csv), testing::StartsWith ("syntax: Line 2, column 6:"));
  EXPECT_THAT (parse_text ("a,b\n1,x\"y\n", csv), testing::StartsWith ("syntax: Line 2, column 4:"));
  EXPECT_THAT (parse_text ("a,b\n\"l\nl\",2\n1\n", csv), testing::StartsWith ("invalid-data: Line 4, column 1:"));
  EXPECT_THAT (parse_text ("a,a\n1,2\n", csv), testing::StartsWith ("duplicate-key: Line 1"));
}

TEST_F (DataTest, CsvGoesThereAndBack)
{
  const char *rows = R"([{"a":"x, \"y\"","b":" l\r\nm "},{"a":"","b":"ä"}])";
  std::string text = evaluate ("data.format", (std::string (R"({"format": "csv", "value": )") + rows + "}").c_str ());
  EXPECT_EQ (parse (("{\"format\": \"csv\", \"text\": " + text + "}").c_str ()), rows);
}

TEST_F (DataTest, ParseFile)
{
  char *folder = g_dir_make_tmp ("nebula-data-XXXXXX", nullptr);
  std::string path = std::string (folder) + "/rows.csv";
  g_file_set_contents (path.c_str (), "a\n1\n", -1, nullptr);
  EXPECT_EQ (parse (R"({"file": "rows.csv", "format": "csv"})", folder), R"([{"a":"1"}])");
  EXPECT_EQ (effect_, NEBULA_EFFECT_READ);
  EXPECT_EQ (parse (("{\"file\": \"" + path + "\", \"format\": \"csv\"}").c_str ()), R"([{"a":"1"}])");
  EXPECT_THAT (parse (R"({"file": "gone.csv"})", folder), testing::HasSubstr (": "));
  EXPECT_THAT (parse (R"({"file": "."})", folder), testing::StartsWith ("io: "));
  g_file_set_contents (path.c_str (), "\xff\xfe", 2, nullptr);
  EXPECT_THAT (parse (R"({"file": "rows.csv"})", folder), testing::StartsWith ("invalid-data: "));
  EXPECT_THAT (parse ("{}"), testing::StartsWith ("missing-parameter: "));
  EXPECT_THAT (parse (R"({"file": "a", "text": "b"})"), testing::StartsWith ("missing-parameter: "));
  g_remove (path.c_str ());
  g_rmdir (folder);
  g_free (folder);
}

} // namespace
