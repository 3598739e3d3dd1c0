/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-test.h"

#include "nebula-evaluated-test.h"

using TimeTest = nebula::ModuleTest;

class DocumentedTest : public nebula::EvaluatedTest
{
};

TEST_F (DocumentedTest, ActionsHaveHelpAndExamplesThatFit)
{
  expect_documented ("time", 2);
  expect_documented ("file", 7);
  expect_documented ("process", 1);
  expect_documented ("http", 1);
}

TEST_F (TimeTest, NowIsATimestampBetweenTwoLooksAtTheClock)
{
  gint64 before = g_get_real_time ();
  NebulaResult *result = run ("time.now", "{}");
  gint64 after = g_get_real_time ();

  ASSERT_NE (result, nullptr);
  NebulaValue *now = nebula_result_get_value (result);
  ASSERT_EQ (nebula_value_get_kind (now), NEBULA_VALUE_KIND_TIMESTAMP);
  EXPECT_GE (nebula_value_get_usec (now), before);
  EXPECT_LE (nebula_value_get_usec (now), after);
  EXPECT_EQ (nebula_value_get_offset_seconds (now), 0);
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_READ);
}

TEST_F (TimeTest, NowIsWrittenInTheZoneAskedFor)
{
  NebulaResult *result = run ("time.now", R"({"timezone": "+05:30"})");

  ASSERT_NE (result, nullptr);
  EXPECT_EQ (nebula_value_get_offset_seconds (nebula_result_get_value (result)), 19800);
  EXPECT_EQ (value ("time.now", R"({"timezone": "Mars/Olympus"})"), "!invalid-parameter");
  EXPECT_THAT (message (), testing::HasSubstr ("Mars/Olympus"));
}

TEST_F (TimeTest, ZonesNeverReachFilesElsewhere)
{
  EXPECT_EQ (value ("time.now", R"({"timezone": "/etc/localtime"})"), "!invalid-parameter");
  EXPECT_EQ (value ("time.now", R"({"timezone": "../../../etc/passwd"})"), "!invalid-parameter");
  EXPECT_EQ (value ("time.now", R"({"timezone": ""})"), "!invalid-parameter");
}

TEST_F (TimeTest, FormatsTextAndTimestamps)
{
  nebula::Value object (nebula_value_new_empty_object ());
  nebula::Value stamp (nebula_value_new_timestamp (G_GINT64_CONSTANT (1893499200) * G_USEC_PER_SEC + 250000, 3600));
  object.reset (nebula_value_with_member (object.get (), "value", stamp.get ()));

  EXPECT_EQ (value ("time.format", object), "\"2030-01-01T13:00:00.25+01:00\"");
  EXPECT_EQ (value ("time.format", R"({"value": "2030-01-31T12:00:00Z", "format": "%d.%m.%Y %H:%M"})"), "\"31.01.2030 12:00\"");
  EXPECT_EQ (value ("time.format", R"({"value": "2030-01-31T12:00:00+03:00", "format": "%H:%M %z"})"), "\"12:00 +0300\"");
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_PURE);
}

TEST_F (TimeTest, FormatsInAZoneWithSummerTime)
{
  EXPECT_EQ (value ("time.format", R"({"value": "2030-07-01T12:00:00Z", "format": "%H:%M", "timezone": "Europe/Rome"})"), "\"14:00\"");
  EXPECT_EQ (value ("time.format", R"({"value": "2030-01-01T12:00:00Z", "format": "%H:%M", "timezone": "Europe/Rome"})"), "\"13:00\"");
  EXPECT_EQ (value ("time.format", R"({"value": "2030-01-01T12:00:00Z", "timezone": "Europe/Rome"})"), "\"2030-01-01T13:00:00+01:00\"");
}

TEST_F (TimeTest, NamesAreEnglishInAnyLocale)
{
  EXPECT_EQ (value ("time.format", R"({"value": "2030-01-31T12:00:00Z", "format": "%A %B"})"), "\"Thursday January\"");
}

TEST_F (TimeTest, TimesBeforeTheEpochKeepTheirFraction)
{
  EXPECT_EQ (value ("time.format", R"({"value": "1969-12-31T23:59:59.5Z", "format": "%S.%f"})"), "\"59.500000\"");
}

TEST_F (TimeTest, RefusesWhatIsNoTimeOrFormat)
{
  EXPECT_EQ (refusal ("time.format", R"({"value": "yesterday"})"), "invalid-parameter");
  EXPECT_EQ (refusal ("time.format", R"({})"), "missing-parameter");
  EXPECT_EQ (value ("time.format", R"({"value": "2030-01-31T12:00:00Z", "format": "%Q"})"), "!invalid-parameter");
}

TEST_F (TimeTest, CatalogueTellsWhatTheActionsAre)
{
  NebulaActionResolver *resolver = NEBULA_ACTION_RESOLVER (nebula::registry ());
  nebula::Info format (nebula_action_resolver_lookup (resolver, "time.format", nullptr, nullptr));

  ASSERT_TRUE (format);
  EXPECT_TRUE (nebula_action_info_is_evaluated (format.get ()));
  EXPECT_STREQ (nebula_action_info_get_module_id (format.get ()), "time");
  EXPECT_NE (nebula_action_info_get_example (format.get ()), nullptr);
}
