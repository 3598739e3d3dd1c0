/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-evaluated-test.h"

namespace
{

class FlowTest : public nebula::EvaluatedTest
{
};

TEST_F (FlowTest, EachActionIsDocumented)
{
  expect_documented ("flow", 19);
}

TEST_F (FlowTest, If)
{
  EXPECT_EQ (evaluate ("flow.if", R"({"condition": true})", "{\"a\":1}"), "{\"a\":1}");
  EXPECT_EQ (port_, "true");
  EXPECT_EQ (evaluate ("flow.if", R"({"condition": false})", "7"), "7");
  EXPECT_EQ (port_, "false");
  EXPECT_EQ (evaluate ("flow.if", R"({"condition": null})"), "null");
  EXPECT_EQ (port_, "false");
  EXPECT_EQ (evaluate ("flow.if", R"({"condition": 1})"), "invalid-parameter");
  EXPECT_EQ (evaluate ("flow.if", "{}"), "missing-parameter");
}

TEST_F (FlowTest, Switch)
{
  EXPECT_EQ (evaluate ("flow.switch", R"({"value": 2, "cases": {"one": 1, "two": 2, "too": 2}})", "\"in\""), "\"in\"");
  EXPECT_EQ (port_, "two");
  evaluate ("flow.switch", R"({"value": 2.0, "cases": {"two": 2}})");
  EXPECT_EQ (port_, "two");
  evaluate ("flow.switch", R"({"value": "2", "cases": {"two": 2}})");
  EXPECT_EQ (port_, "default");
  evaluate ("flow.switch", R"({"value": null, "cases": {"none": null}})");
  EXPECT_EQ (port_, "none");
  evaluate ("flow.switch", R"({"value": {"a": [1]}, "cases": {"deep": {"a": [1]}}})");
  EXPECT_EQ (port_, "deep");
  evaluate ("flow.switch", R"({"value": 1, "cases": {}})");
  EXPECT_EQ (port_, "default");
  nebula::Info info = lookup ("flow.switch");
  EXPECT_STREQ (nebula_action_info_get_dynamic_ports (info.get ()), "cases");
  EXPECT_STREQ (nebula_action_info_get_ports (info.get ())[0], "default");
}

TEST_F (FlowTest, Merge)
{
  const char *input = R"({"left": 1, "right": {"x": 2}})";
  EXPECT_EQ (evaluate ("flow.merge", "{}", input), R"({"left":1,"right":{"x":2}})");
  EXPECT_EQ (evaluate ("flow.merge", R"({"mode": "array"})", input), R"([1,{"x":2}])");
  EXPECT_EQ (evaluate ("flow.merge", R"({"mode": "first"})", input), "1");
  EXPECT_EQ (evaluate ("flow.merge", R"({"mode": "first"})", "{}"), "null");
  EXPECT_EQ (evaluate ("flow.merge", R"({"mode": "other"})", input), "invalid-parameter");
  EXPECT_EQ (evaluate ("flow.merge", "{}", "1"), "type");
}

TEST_F (FlowTest, NoOpAndLog)
{
  EXPECT_EQ (evaluate ("flow.no-op", "{}", "[1]"), "[1]");
  EXPECT_EQ (port_, "out");
  for (const char *level : { "debug", "info", "message" })
    EXPECT_EQ (evaluate ("flow.log", (std::string (R"({"message": {"a": 1}, "level": ")") + level + "\"}").c_str (), "3"), "3");
  EXPECT_EQ (evaluate ("flow.log", R"({"message": "x", "level": "loud"})"), "invalid-parameter");
}

TEST_F (FlowTest, LogWritesTheMessage)
{
  static std::string written;
  written.clear ();
  guint handler = g_log_set_handler ("nebula-flow", G_LOG_LEVEL_WARNING,
                                     [] (const char *, GLogLevelFlags, const char *message, gpointer) { written = message; }, nullptr);
  evaluate ("flow.log", R"({"message": {"a": 1}, "level": "warning"})");
  g_log_remove_handler ("nebula-flow", handler);
  EXPECT_EQ (written, "{\"a\":1}");
}

TEST_F (FlowTest, Constructs)
{
  const struct
  {
    const char *id;
    NebulaConstruct construct;
    const char *good, *bad;
  } constructs[] = {
    { "flow.for-each", NEBULA_CONSTRUCT_FOR_EACH, R"({"items": [1], "concurrency": 8})", R"({"items": 5})" },
    { "flow.repeat", NEBULA_CONSTRUCT_REPEAT, R"({"times": 0})", R"({"times": -1})" },
    { "flow.while", NEBULA_CONSTRUCT_WHILE, R"({"max": 5})", R"({"max": 0})" },
    { "flow.wait", NEBULA_CONSTRUCT_WAIT, R"({"duration": "1s"})", R"({"duration": 1})" },
    { "flow.stop", NEBULA_CONSTRUCT_STOP, R"({"output": null})", R"({"outputs": 1})" },
    { "flow.fail", NEBULA_CONSTRUCT_FAIL, R"({"message": "x", "code": "bad-thing"})", R"({"message": "x", "code": "Bad thing"})" },
    { "flow.break", NEBULA_CONSTRUCT_BREAK, "{}", R"({"x": 1})" },
    { "flow.continue", NEBULA_CONSTRUCT_CONTINUE, "{}", R"({"x": 1})" },
    { "flow.try", NEBULA_CONSTRUCT_TRY, "{}", R"({"x": 1})" },
    { "flow.cancel", NEBULA_CONSTRUCT_CANCEL, R"({"region": "r", "keep": true})", R"({"nodes": "a"})" },
    { "flow.add", NEBULA_CONSTRUCT_ADD, R"({"items": [1]})", "{}" },
    { "flow.call", NEBULA_CONSTRUCT_CALL, R"({"workflow": "a", "mode": "detach"})", R"({"workflow": "a", "mode": "wait"})" },
    { "flow.token", NEBULA_CONSTRUCT_TOKEN, "{}", R"({"x": 1})" },
    { "flow.race", NEBULA_CONSTRUCT_RACE, R"({"success": true})", R"({"success": 1})" },
  };
  for (const auto &entry : constructs) {
    nebula::Info info = lookup (entry.id);
    ASSERT_TRUE (info);
    EXPECT_EQ (nebula_action_info_get_construct (info.get ()), entry.construct) << entry.id;
    EXPECT_EQ (nebula_action_info_get_effect (info.get ()), NEBULA_EFFECT_PURE) << entry.id;
    EXPECT_FALSE (nebula_action_info_is_evaluated (info.get ())) << entry.id;
    NebulaParameterTable *table = nebula_action_info_get_parameters (info.get ());
    nebula::Value good = nebula::json (entry.good), bad = nebula::json (entry.bad);
    EXPECT_TRUE (nebula_parameter_table_validate (table, good.get (), nullptr, error_.out ())) << entry.id << error_.message ();
    EXPECT_FALSE (nebula_parameter_table_validate (table, bad.get (), nullptr, error_.out ())) << entry.id;
  }
}

} // namespace
