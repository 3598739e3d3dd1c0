/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Schema: what violations say, how schemas are refused, defaults, formats, limits, threads. The public suites of
 * both drafts run in tests/conformance. */
#include "nebula-test.h"

#include <string>
#include <thread>
#include <vector>

#include "nebula-json-schema.h"

using nebula::Error;
using nebula::Value;

namespace
{

using Schema = nebula::Owned<NebulaJsonSchema, nebula_json_schema_unref>;

const auto DRAFT_7 = NEBULA_JSON_SCHEMA_DRAFT_7;
const auto DRAFT_2020 = NEBULA_JSON_SCHEMA_DRAFT_2020_12;

Schema
compile (const char *text, int flags = 0, NebulaJsonSchemaDraft draft = DRAFT_2020, const char *remotes = nullptr)
{
  Error error;
  Value document = nebula::json (text);
  Value registry = remotes ? nebula::json (remotes) : Value ();
  Schema schema (nebula_json_schema_new (document.get (), draft, NebulaJsonSchemaFlags (flags), registry.get (), error.out ()));

  EXPECT_TRUE (schema) << text << ": " << error.message ();
  return schema;
}

std::vector<std::string>
list (GPtrArray *violations)
{
  std::vector<std::string> lines;

  for (guint i = 0; i < violations->len; i++) {
    NebulaViolation *violation = (NebulaViolation *) g_ptr_array_index (violations, i);

    lines.push_back (std::string (nebula_violation_get_pointer (violation)) + " " + nebula_violation_get_rule (violation) + ": " +
                     nebula_violation_get_reason (violation));
  }
  g_ptr_array_unref (violations);
  return lines;
}

std::vector<std::string>
check (const Schema &schema, const char *value)
{
  Error error;
  Value instance = nebula::json (value);
  GPtrArray *violations = nebula_json_schema_check (schema.get (), instance.get (), error.out ());

  EXPECT_NE (violations, nullptr) << error.message ();
  return violations ? list (violations) : std::vector<std::string> ();
}

bool
is_valid (const Schema &schema, const char *value)
{
  Error error;
  Value instance = nebula::json (value);
  bool valid = nebula_json_schema_validate (schema.get (), instance.get (), error.out ());

  EXPECT_TRUE (valid || nebula::has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_EQ (valid, check (schema, value).empty ()) << value;
  return valid;
}

struct ReasonCase {
  const char *schema;
  const char *value;
  const char *violation; /* pointer, rule and reason of the only one */
};

class Reason : public testing::TestWithParam<ReasonCase>
{
};

TEST_P (Reason, NamesPlaceAndRule)
{
  const ReasonCase &c = GetParam ();

  EXPECT_THAT (check (compile (c.schema, NEBULA_JSON_SCHEMA_FLAGS_FORMATS), c.value), testing::ElementsAre (c.violation));
}

const ReasonCase reasons[] = {
    {R"({"type":"string"})", "1", " type: it must be of type string, not integer"},
    {R"({"type":["string","null"]})", "[]", " type: it must be of type string | null, not array"},
    {R"({"enum":["a",1]})", "2", " enum: it must be one of [\"a\",1]"},
    {R"({"const":"a"})", "\"b\"", " const: it must be a"},
    {R"({"multipleOf":0.01})", "1.001", " multipleOf: it must be a multiple of 0.01"},
    {R"({"minimum":1})", "0", " minimum: it must be at least 1"},
    {R"({"maximum":1})", "1.5", " maximum: it must be at most 1"},
    {R"({"exclusiveMinimum":1})", "1", " exclusiveMinimum: it must be more than 1"},
    {R"({"exclusiveMaximum":1})", "1.0", " exclusiveMaximum: it must be less than 1"},
    {R"({"minLength":2})", "\"ä\"", " minLength: it must have at least 2 characters"},
    {R"({"maxLength":1})", "\"äö\"", " maxLength: it must have at most 1 characters"},
    {R"({"pattern":"^a+$"})", "\"b\"", " pattern: it must match the pattern “^a+$”"},
    {R"({"format":"ipv4"})", "\"b\"", " format: it must have the format “ipv4”"},
    {R"({"minItems":1})", "[]", " minItems: it must have at least 1 items"},
    {R"({"maxItems":1})", "[1,2]", " maxItems: it must have at most 1 items"},
    {R"({"uniqueItems":true})", "[1,2,1.0]", " uniqueItems: no two items may be equal, and item 2 comes twice"},
    {R"({"minProperties":1})", "{}", " minProperties: it must have at least 1 members"},
    {R"({"maxProperties":0})", R"({"a":1})", " maxProperties: it must have at most 0 members"},
    {R"({"properties":{"a":{"required":["b/c"]}}})", R"({"a":{}})", "/a/b~1c required: it is required; give it a value"},
    {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})", "/b dependentRequired: it is required; give it a value"},
    {R"({"dependentSchemas":{"a":{"required":["c"]}}})", R"({"a":1})", "/c required: it is required; give it a value"},
    {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1,"b":2})",
     "/b additionalProperties: there is no such member; correct its name or remove it"},
    {R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})", "/ab maxLength: it must have at most 1 characters"},
    {R"({"patternProperties":{"^a":{"type":"null"}}})", R"({"ab":1})", "/ab type: it must be of type null, not integer"},
    {R"({"prefixItems":[{"type":"null"}]})", "[1]", "/0 type: it must be of type null, not integer"},
    {R"({"items":{"type":"null"}})", "[null,1]", "/1 type: it must be of type null, not integer"},
    {R"({"prefixItems":[{}],"items":false})", "[1,2]", "/1 false: nothing may stand here; remove it"},
    {R"({"contains":{"type":"null"}})", "[1]", " contains: at least 1 items must fit “contains”, 0 do"},
    {R"({"contains":{"type":"null"},"maxContains":1})", "[null,null]", " contains: at most 1 items may fit “contains”, 2 do"},
    {R"({"not":{"type":"null"}})", "null", " not: it is just what it must not be (see “not”)"},
    {R"({"oneOf":[{},{"type":"null"}]})", "null", " oneOf: it fits more than one of the alternatives; it must fit just one"},
    {R"({"if":{"type":"integer"},"then":{"minimum":1},"else":{"type":"null"}})", "0", " minimum: it must be at least 1"},
    {R"({"if":{"type":"integer"},"then":{"minimum":1},"else":{"type":"null"}})", "\"a\"", " type: it must be of type null, not string"},
    {R"({"properties":{"a":{}},"unevaluatedProperties":false})", R"({"a":1,"b":1})", "/b false: nothing may stand here; remove it"},
    {R"({"prefixItems":[{}],"unevaluatedItems":{"type":"null"}})", "[1,2]", "/1 type: it must be of type null, not integer"},
};

INSTANTIATE_TEST_SUITE_P (All, Reason, testing::ValuesIn (reasons));

TEST (JsonSchema, TellsAllAtOnce)
{
  Schema schema = compile (R"({"$id":"https://example.com/order","type":"object","required":["id","lines"],"properties":{
    "id":{"type":"string","minLength":3},"lines":{"items":{"properties":{"qty":{"type":"integer","minimum":1}}}}}})");

  EXPECT_THAT (check (schema, R"({"id":"a","lines":[{"qty":0},{"qty":"x"},{"qty":1}]})"),
               testing::ElementsAre ("/id minLength: it must have at least 3 characters", "/lines/0/qty minimum: it must be at least 1",
                                     "/lines/1/qty type: it must be of type integer, not string"));

  Value instance = nebula::json (R"({"id":"abc","lines":[{"qty":0}]})");
  Error error;
  GPtrArray *violations = nebula_json_schema_check (schema.get (), instance.get (), error.out ());
  ASSERT_EQ (violations->len, 1u);
  Value first (nebula_violation_to_value ((NebulaViolation *) violations->pdata[0]));
  EXPECT_EQ (nebula::to_json (first),
             R"({"pointer":"/lines/0/qty","rule":"minimum","source":"https://example.com/order#/properties/lines/items/properties/qty/minimum","message":"“/lines/0/qty” is refused: it must be at least 1."})");
  g_ptr_array_unref (violations);
}

TEST (JsonSchema, GoesOnWithTheNearestAlternative)
{
  Schema schema = compile (R"({"anyOf":[{"type":"string"},{"properties":{"kind":{"const":"a"},"size":{"type":"integer"}}},{"properties":{"kind":{"const":"b"}}}]})");

  EXPECT_THAT (check (schema, R"({"kind":"c","size":"x"})"),
               testing::ElementsAre (" anyOf: it fits none of the 3 alternatives", "/kind const: it must be a", "/size type: it must be of type integer, not string"));
  EXPECT_TRUE (is_valid (schema, "\"x\""));
}

TEST (JsonSchema, StopsAtAHundredViolations)
{
  std::string value = "[0";
  for (int i = 0; i < 300; i++)
    value += ",0";
  EXPECT_EQ (check (compile (R"({"items":{"minimum":1}})"), (value + "]").c_str ()).size (), 100u);
}

TEST (JsonSchema, NeverShowsTheValue)
{
  Schema schema = compile (R"({"properties":{"password":{"type":"string","minLength":20,"pattern":"^[a-z]+$","format":"uuid","const":"a"}}})",
                           NEBULA_JSON_SCHEMA_FLAGS_FORMATS);

  for (const std::string &line : check (schema, R"({"password":"S3cr3t!"})"))
    EXPECT_EQ (line.find ("S3cr3t"), std::string::npos) << line;
}

TEST (JsonSchema, TakesWhatIsWrittenAsTextForStrings)
{
  Schema schema = compile (R"({"type":"string","pattern":"^2024-"})");
  Error error;
  Value date (nebula_value_new_date (2024, 2, 29, error.out ()));
  Value other (nebula_value_new_date (2023, 2, 28, error.out ()));

  EXPECT_TRUE (nebula_json_schema_validate (schema.get (), date.get (), error.out ()));
  EXPECT_FALSE (nebula_json_schema_validate (schema.get (), other.get (), error.out ()));
}

TEST (JsonSchema, ChecksFormatsOnlyIfAsked)
{
  EXPECT_TRUE (is_valid (compile (R"({"format":"email"})"), "\"x\""));
  EXPECT_FALSE (is_valid (compile (R"({"format":"email"})", NEBULA_JSON_SCHEMA_FLAGS_FORMATS), "\"x\""));
  EXPECT_TRUE (is_valid (compile (R"({"format":"colour"})", NEBULA_JSON_SCHEMA_FLAGS_FORMATS), "\"x\""));
  EXPECT_TRUE (is_valid (compile (R"({"format":"email"})", NEBULA_JSON_SCHEMA_FLAGS_FORMATS), "1"));
}

TEST (JsonSchema, FindsSchemasInTheRegistryOnly)
{
  const char *remotes = R"({"https://example.com/a":{"$defs":{"n":{"$anchor":"number","type":"integer"}}},"https://example.com/b#":{"type":"null"}})";
  Schema schema = compile (R"({"$id":"https://example.com/x/y","properties":{"a":{"$ref":"/a#number"},"b":{"$ref":"../b"},"c":{"$ref":"https://json-schema.org/draft/2020-12/schema"}}})",
                           0, DRAFT_2020, remotes);

  EXPECT_TRUE (is_valid (schema, R"({"a":1,"b":null,"c":{"type":"string"}})"));
  EXPECT_FALSE (is_valid (schema, R"({"a":"1"})"));
  EXPECT_FALSE (is_valid (schema, R"({"b":1})"));
  EXPECT_FALSE (is_valid (schema, R"({"c":{"type":"text"}})"));
}

TEST (JsonSchema, MetaSchemasDescribeThemselves)
{
  for (const char *uri : {"https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"}) {
    std::string text = std::string ("{\"$ref\":\"") + uri + "\"}";
    Schema schema = compile (text.c_str ());

    EXPECT_TRUE (is_valid (schema, R"({"type":"object","properties":{"a":{"minLength":1}},"required":["a"]})"));
    EXPECT_TRUE (is_valid (schema, "true"));
    EXPECT_FALSE (is_valid (schema, R"({"properties":{"a":{"minLength":-1}}})"));
    EXPECT_FALSE (is_valid (schema, R"({"properties":{"a":[]}})"));
    EXPECT_FALSE (is_valid (schema, "3"));
  }
}

struct RefusedCase {
  const char *schema;
  int flags;
  const char *violation;
};

class Refused : public testing::TestWithParam<RefusedCase>
{
};

TEST_P (Refused, SaysWhereAndWhy)
{
  const RefusedCase &c = GetParam ();
  Value document = nebula::json (c.schema);
  Error error;

  EXPECT_THAT (list (nebula_json_schema_review (document.get (), DRAFT_2020, NebulaJsonSchemaFlags (c.flags), nullptr)), testing::Contains (c.violation));
  Schema schema (nebula_json_schema_new (document.get (), DRAFT_2020, NebulaJsonSchemaFlags (c.flags), nullptr, error.out ()));
  EXPECT_FALSE (schema);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA));
}

const int STRICT = NEBULA_JSON_SCHEMA_FLAGS_STRICT;

const RefusedCase refused[] = {
    {"3", 0, " schema: a schema is an object, true or false"},
    {R"({"type":"text"})", 0, "/type type: “type” of this schema has a value that it cannot have"},
    {R"({"properties":{"a":{"minLength":-1}}})", 0, "/properties/a/minLength minLength: “minLength” of this schema has a value that it cannot have"},
    {R"({"minLength":1.5})", 0, "/minLength minLength: “minLength” of this schema has a value that it cannot have"},
    {R"({"multipleOf":0})", 0, "/multipleOf multipleOf: “multipleOf” of this schema has a value that it cannot have"},
    {R"({"allOf":[]})", 0, "/allOf allOf: “allOf” of this schema has a value that it cannot have"},
    {R"({"properties":{"a":1}})", 0, "/properties properties: “properties” of this schema has a value that it cannot have"},
    {R"({"required":"a"})", 0, "/required required: “required” of this schema has a value that it cannot have"},
    {R"({"dependentRequired":{"a":[1]}})", 0, "/dependentRequired dependentRequired: “dependentRequired” of this schema has a value that it cannot have"},
    {R"({"uniqueItems":1})", 0, "/uniqueItems uniqueItems: “uniqueItems” of this schema has a value that it cannot have"},
    {R"x({"pattern":"a("})x", 0, "/pattern pattern: The regular expression “a(” is not valid"},
    {R"x({"patternProperties":{"(?R)":{}}})x", 0, "/patternProperties patternProperties: A regular expression cannot have recursion or callouts"},
    {R"({"$ref":"#/$defs/a"})", 0, "/$ref $ref: there is no schema “#/$defs/a”; add it to the registry or correct the reference"},
    {R"({"$ref":"https://example.com/"})", 0, "/$ref $ref: there is no schema “https://example.com/”; add it to the registry or correct the reference"},
    {R"({"$ref":"#name"})", 0, "/$ref $ref: there is no schema “#name”; add it to the registry or correct the reference"},
    {R"({"const":1,"$ref":"#/const"})", 0, "/$ref $ref: there is no schema “#/const”; add it to the registry or correct the reference"},
    {R"({"properties":{"a":{"minLenght":1}}})", STRICT, "/properties/a/minLenght minLenght: there is no keyword “minLenght”; correct it or remove it"},
    {R"({"format":"e-mail"})", STRICT | NEBULA_JSON_SCHEMA_FLAGS_FORMATS, "/format format: there is no format “e-mail”; correct it or remove it"},
};

INSTANTIATE_TEST_SUITE_P (All, Refused, testing::ValuesIn (refused));

TEST (JsonSchema, CountsItsMistakes)
{
  Error error;
  Value document = nebula::json (R"({"type":1,"minLength":-1})");

  EXPECT_EQ (nebula_json_schema_new (document.get (), DRAFT_7, NEBULA_JSON_SCHEMA_FLAGS_NONE, nullptr, error.out ()), nullptr);
  EXPECT_THAT (error.message (), testing::HasSubstr ("2 mistakes"));
}

struct FillCase {
  const char *schema;
  const char *value;
  const char *filled;
};

TEST (JsonSchema, FillsDefaultsIn)
{
  const FillCase cases[] = {
      {R"({"properties":{"a":{"default":1}}})", R"({"b":2})", R"({"b":2,"a":1})"},
      {R"({"properties":{"a":{"default":1}}})", R"({"a":null})", R"({"a":null})"},
      {R"({"properties":{"a":{"default":1}}})", "[]", "[]"},
      {R"({"properties":{"a":{"default":{},"properties":{"b":{"default":2}}}}})", "{}", R"({"a":{"b":2}})"},
      {R"({"items":{"properties":{"a":{"default":1}}}})", "[{},3]", R"([{"a":1},3])"},
      {R"({"prefixItems":[{}],"items":{"properties":{"a":{"default":1}}}})", "[{},{}]", R"([{},{"a":1}])"},
      {R"({"properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"default":7}}})", "{}", R"({"a":7})"},
      {R"({"allOf":[{"properties":{"a":{"default":1}}},{"$ref":"#/$defs/b"}],"$defs":{"b":{"properties":{"b":{"default":2}}}}})", "{}", R"({"a":1,"b":2})"},
      {R"({"properties":{"a":{"$ref":"#","default":{}}}})", R"({"a":{"a":{"a":1}}})", R"({"a":{"a":{"a":1}}})"},
      {R"({"anyOf":[{"properties":{"a":{"default":1}}}]})", "{}", "{}"},
      {"true", "1", "1"},
  };
  for (const FillCase &c : cases) {
    Value value = nebula::json (c.value);
    Value filled (nebula_json_schema_fill (compile (c.schema).get (), value.get ()));

    EXPECT_EQ (nebula::to_json (filled), c.filled) << c.schema;
  }
}

TEST (JsonSchema, FillsWithoutEnd)
{
  Value value = nebula::json ("{}");
  Value filled (nebula_json_schema_fill (compile (R"({"properties":{"a":{"$ref":"#","default":{}}}})").get (), value.get ()));

  EXPECT_LE (nebula_value_get_depth (filled.get ()), 140u) << "a default that holds itself ends somewhere";
}

TEST (JsonSchema, IsInferredFromExamples)
{
  const char *cases[][2] = {
      {"[]", "{}"},
      {"[1,2]", R"({"type":"integer"})"},
      {"[1,2.5]", R"({"type":"number"})"},
      {"[1,\"a\",null]", R"({"type":["null","integer","string"]})"},
      {R"([{"a":1,"b":true},{"a":2}])", R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"boolean"}},"required":["a"]})"},
      {R"([[1],[],["x"]])", R"({"type":"array","items":{"type":["integer","string"]}})"},
      {R"(["2024-02-29T00:00:00Z","1999-01-01T00:00:00Z"])", R"({"type":"string","format":"date-time"})"},
      {R"(["a@example.com"])", R"({"type":"string","format":"email"})"},
      {R"(["2024-02-29","soon"])", R"({"type":"string"})"},
  };
  for (auto &c : cases) {
    Value examples = nebula::json (c[0]);
    Value document (nebula_json_schema_infer (examples.get ()));
    Schema schema = compile (c[1], NEBULA_JSON_SCHEMA_FLAGS_FORMATS);

    EXPECT_EQ (nebula::to_json (document), c[1]);
    for (gsize i = 0; i < nebula_value_get_length (examples.get ()); i++)
      EXPECT_TRUE (nebula_json_schema_validate (schema.get (), nebula_value_get_item (examples.get (), i), nullptr)) << c[0];
  }
}

TEST (JsonSchema, InfersMapsWithoutTheirKeys)
{
  std::string text = "[{\"always\":1";
  for (int i = 0; i < 400; i++)
    text += ",\"k" + std::to_string (i) + "\":" + std::to_string (i);
  Value examples = nebula::json ((text + "},{\"always\":2}]").c_str ());
  Value document (nebula_json_schema_infer (examples.get ()));

  EXPECT_EQ (nebula::to_json (document), R"({"type":"object","required":["always"]})");
}

/* Schemas that lead back to themselves, or that ask the same again and again, end with an error and not with the process. */
TEST (JsonSchema, HostileSchemasRunOutOfBudget)
{
  std::string bomb = R"({"$defs":{"a0":{"type":"null"})";
  for (int i = 1; i < 30; i++) {
    std::string reference = "{\"$ref\":\"#/$defs/a" + std::to_string (i - 1) + "\"}";
    bomb += ",\"a" + std::to_string (i) + "\":{\"anyOf\":[" + reference + "," + reference + "]}";
  }
  bomb += "},\"$ref\":\"#/$defs/a29\"}";

  for (const char *text : {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})", R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"not":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"})", bomb.c_str ()}) {
    Schema schema = compile (text);
    Value value = nebula::json ("1");
    Error error;

    EXPECT_FALSE (nebula_json_schema_validate (schema.get (), value.get (), error.out ()));
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED)) << text;
  }
}

TEST (JsonSchema, SlowPatternsAreStopped)
{
  Schema schema = compile (R"x({"pattern":"^(a+)+$"})x");
  Value value = nebula::json ("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"");
  Error error;

  EXPECT_FALSE (nebula_json_schema_validate (schema.get (), value.get (), error.out ()));
  EXPECT_THAT (error.message (), testing::HasSubstr ("takes too long"));
}

TEST (JsonSchema, DeepValuesAreFine)
{
  std::string value;
  for (int i = 0; i < 120; i++)
    value += "{\"a\":";
  value += "1" + std::string (120, '}');
  EXPECT_TRUE (is_valid (compile (R"({"properties":{"a":{"$ref":"#"}},"unevaluatedProperties":false})"), value.c_str ()));
}

TEST (JsonSchema, MarksMoreMembersThanFitInAWord)
{
  std::string value = "{\"known\":1";
  for (int i = 0; i < 300; i++)
    value += ",\"m" + std::to_string (i) + "\":1";
  Schema schema = compile (R"({"anyOf":[{"patternProperties":{"^m":{}}}],"properties":{"known":{}},"unevaluatedProperties":false})");

  EXPECT_TRUE (is_valid (schema, (value + "}").c_str ()));
  EXPECT_FALSE (is_valid (schema, (value + ",\"x\":1}").c_str ()));
}

TEST (JsonSchema, DynamicReferencesMeanTheOutermost)
{
  Schema schema = compile (R"({"$id":"https://example.com/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false})", 0, DRAFT_2020,
                           R"({"https://example.com/tree":{"$id":"https://example.com/tree","$dynamicAnchor":"node","properties":{"children":{"items":{"$dynamicRef":"#node"}}}}})");

  EXPECT_TRUE (is_valid (schema, R"({"children":[{"children":[]}]})"));
  EXPECT_FALSE (is_valid (schema, R"({"children":[{"daat":1}]})"));
}

TEST (JsonSchema, Draft7ReadsNothingBesideAReference)
{
  Schema schema = compile (R"({"definitions":{"a":{"type":"integer"}},"properties":{"a":{"$ref":"#/definitions/a","minimum":5}},"dependencies":{"a":["b"],"b":{"required":["c"]}}})", 0, DRAFT_7);

  EXPECT_TRUE (is_valid (schema, R"({"a":1,"b":2,"c":3})"));
  EXPECT_FALSE (is_valid (schema, R"({"a":1})"));
  EXPECT_FALSE (is_valid (schema, R"({"b":1})"));
}

TEST (JsonSchema, IsSharedBetweenThreads)
{
  Schema schema = compile (R"({"$defs":{"n":{"pattern":"^[a-z]+$"}},"items":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]},"unevaluatedItems":false})");
  Value good = nebula::json (R"(["a",null,"b"])");
  Value bad = nebula::json (R"(["a",null,"B"])");
  std::vector<std::thread> threads;

  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 500; i++) {
        EXPECT_TRUE (nebula_json_schema_validate (schema.get (), good.get (), nullptr));
        EXPECT_FALSE (nebula_json_schema_validate (schema.get (), bad.get (), nullptr));
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
}

TEST (JsonSchema, IsCounted)
{
  Schema schema = compile ("{}");
  NebulaJsonSchema *other = nebula_json_schema_ref (schema.get ());

  schema.reset (nullptr);
  Value value = nebula::json ("1");
  EXPECT_TRUE (nebula_json_schema_validate (other, value.get (), nullptr));
  nebula_json_schema_unref (other);
}

TEST (Violation, IsCountedAndWritten)
{
  NebulaViolation *violation = nebula_violation_new ("", "not-empty", nullptr, "it must not be empty");
  NebulaViolation *other = nebula_violation_ref (violation);
  char *text = nebula_violation_to_text (violation);
  Value value (nebula_violation_to_value (violation));

  EXPECT_STREQ (text, "The value is refused: it must not be empty.");
  EXPECT_EQ (nebula_violation_get_source (violation), nullptr);
  EXPECT_EQ (nebula::to_json (value), R"({"pointer":"","rule":"not-empty","message":"The value is refused: it must not be empty."})");
  g_free (text);
  nebula_violation_unref (violation);
  nebula_violation_unref (other);
}

} // namespace
