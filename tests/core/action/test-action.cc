/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classes, parameters, arguments, invocations, simple and process actions. */
#include "nebula-test.h"

#include <array>
#include <atomic>
#include <thread>

#include "nebula-late-expressions-internal.h"
#include "nebula-parameter-enums.h"
#include "nebula-scope.h"
#include "nebula-simple-action.h"

namespace
{

using nebula::Error;
using nebula::json;
using nebula::Ref;
using nebula::to_json;
using nebula::Value;
using Info = nebula::Owned<NebulaActionInfo, nebula_action_info_unref>;
using Result = nebula::Owned<NebulaResult, nebula_result_unref>;

/* A simple action with a property of each type. What it does is chosen by `mode`. */
struct TestSimple
{
  NebulaSimpleAction parent;
  gboolean boolean;
  gint number;
  gint64 large;
  double fraction;
  char *text;
  GStrv texts;
  NebulaParameterKind kind;
  NebulaParameterFlags flags;
  GDateTime *time;
  GBytes *bytes;
  NebulaValue *value;
  NebulaExpression *expression;
  gint64 duration;
};
struct TestSimpleClass
{
  NebulaSimpleActionClass parent_class;
};

enum
{
  PROP_BOOLEAN = 1,
  PROP_NUMBER,
  PROP_LARGE,
  PROP_FRACTION,
  PROP_TEXT,
  PROP_TEXTS,
  PROP_KIND,
  PROP_FLAGS,
  PROP_TIME,
  PROP_BYTES,
  PROP_VALUE,
  PROP_EXPRESSION,
  PROP_DURATION,
};

G_DEFINE_TYPE (TestSimple, test_simple, NEBULA_TYPE_SIMPLE_ACTION)

std::atomic<int> finalized { 0 };

void
test_simple_finalize (GObject *object)
{
  auto *self = reinterpret_cast<TestSimple *> (object);
  g_free (self->text);
  g_strfreev (self->texts);
  g_clear_pointer (&self->time, g_date_time_unref);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->value, nebula_value_unref);
  g_clear_pointer (&self->expression, nebula_expression_unref);
  finalized++;
  G_OBJECT_CLASS (test_simple_parent_class)->finalize (object);
}

template <typename T>
void
take (T *&place, T *value, void (*destroy) (T *))
{
  if (place)
    destroy (place);
  place = value;
}

void
test_simple_set_property (GObject *object, guint id, const GValue *value, GParamSpec *)
{
  auto *self = reinterpret_cast<TestSimple *> (object);
  switch (id) {
  case PROP_BOOLEAN: self->boolean = g_value_get_boolean (value); break;
  case PROP_NUMBER: self->number = g_value_get_int (value); break;
  case PROP_LARGE: self->large = g_value_get_int64 (value); break;
  case PROP_FRACTION: self->fraction = g_value_get_double (value); break;
  case PROP_TEXT: g_free (self->text); self->text = g_value_dup_string (value); break;
  case PROP_TEXTS: g_strfreev (self->texts); self->texts = (GStrv) g_value_dup_boxed (value); break;
  case PROP_KIND: self->kind = (NebulaParameterKind) g_value_get_enum (value); break;
  case PROP_FLAGS: self->flags = (NebulaParameterFlags) g_value_get_flags (value); break;
  case PROP_TIME: take (self->time, (GDateTime *) g_value_dup_boxed (value), g_date_time_unref); break;
  case PROP_BYTES: take (self->bytes, (GBytes *) g_value_dup_boxed (value), g_bytes_unref); break;
  case PROP_VALUE: take (self->value, (NebulaValue *) g_value_dup_boxed (value), nebula_value_unref); break;
  case PROP_EXPRESSION: take (self->expression, (NebulaExpression *) g_value_dup_boxed (value), nebula_expression_unref); break;
  case PROP_DURATION: self->duration = g_value_get_int64 (value); break;
  }
}

NebulaValue *
test_simple_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *, GError **error)
{
  auto *self = reinterpret_cast<TestSimple *> (action);
  std::string mode = self->text ? self->text : "";
  if (mode == "fail" || mode == "both")
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_NETWORK, "down");
  if (mode == "fail" || mode == "neither")
    return nullptr;
  nebula_invocation_report_progress (invocation, 0.5, "half");
  nebula_invocation_report_log (invocation, G_LOG_LEVEL_INFO, "line");
  return nebula_value_ref (nebula_invocation_get_input (invocation));
}

NebulaEffect
test_simple_get_effect (NebulaAction *action)
{
  return nebula_action_is_set (action, "text") ? NEBULA_EFFECT_READ : NEBULA_EFFECT_EFFECTFUL;
}

void
test_simple_class_init (TestSimpleClass *klass)
{
  auto *object_class = G_OBJECT_CLASS (klass);
  auto *action = NEBULA_ACTION_CLASS (klass);
  const auto rw = (GParamFlags) (G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  object_class->set_property = test_simple_set_property;
  object_class->finalize = test_simple_finalize;
  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = test_simple_run;
  action->get_effect = test_simple_get_effect;
  auto install = [&] (guint id, GParamSpec *pspec) { g_object_class_install_property (object_class, id, pspec); };
  install (PROP_BOOLEAN, g_param_spec_boolean ("boolean", "Boolean", "B.", TRUE, rw));
  install (PROP_NUMBER, g_param_spec_int ("number", nullptr, nullptr, -10, 10, 7, rw));
  install (PROP_LARGE, g_param_spec_int64 ("large", nullptr, nullptr, G_MININT64, G_MAXINT64, 0, rw));
  install (PROP_FRACTION, g_param_spec_double ("fraction", nullptr, nullptr, 0, 1, 0.5, rw));
  install (PROP_TEXT, g_param_spec_string ("text", nullptr, nullptr, "hello", rw));
  install (PROP_TEXTS, g_param_spec_boxed ("texts", nullptr, nullptr, G_TYPE_STRV, rw));
  install (PROP_KIND, g_param_spec_enum ("kind", nullptr, nullptr, NEBULA_TYPE_PARAMETER_KIND, 0, rw));
  install (PROP_FLAGS, g_param_spec_flags ("flags", nullptr, nullptr, NEBULA_TYPE_PARAMETER_FLAGS, 0, rw));
  install (PROP_TIME, g_param_spec_boxed ("time", nullptr, nullptr, G_TYPE_DATE_TIME, rw));
  install (PROP_BYTES, g_param_spec_boxed ("bytes", nullptr, nullptr, G_TYPE_BYTES, rw));
  install (PROP_VALUE, g_param_spec_boxed ("value", nullptr, nullptr, NEBULA_TYPE_VALUE, rw));
  install (PROP_EXPRESSION, g_param_spec_boxed ("expression", nullptr, nullptr, NEBULA_TYPE_EXPRESSION, rw));
  install (PROP_DURATION, g_param_spec_int64 ("duration", nullptr, nullptr, 0, G_MAXINT64, 0, rw));
  nebula_action_class_set_details (action, "test.simple", "1.2.0", "Simple", "Does it.", "Test");
  nebula_action_class_set_example (action, "action: test.simple\n");
  nebula_action_class_add_capability (action, "files");
  nebula_action_class_add_port (action, "good", "Good");
  nebula_action_class_add_port (action, "bad", nullptr);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "duration"), NEBULA_PARAMETER_KIND_DURATION);
  nebula_parameter_set_range (nebula_action_class_describe (action, "duration"), 0, 1e18);
  nebula_parameter_add_flags (nebula_action_class_describe (action, "value"), NEBULA_PARAMETER_FLAGS_NULLABLE);
  nebula_parameter_add_flags (nebula_action_class_describe (action, "texts"), NEBULA_PARAMETER_FLAGS_NULLABLE);
  nebula_action_class_add_parameter (action, "extra", NEBULA_PARAMETER_KIND_JSON, "Extra", "No property.");
}

void
test_simple_init (TestSimple *)
{
}

struct TestProcess
{
  NebulaProcessAction parent;
};
struct TestProcessClass
{
  NebulaProcessActionClass parent_class;
};

G_DEFINE_TYPE (TestProcess, test_process, NEBULA_TYPE_PROCESS_ACTION)

NebulaResult *
test_process_run (NebulaProcessAction *, NebulaInvocation *invocation, GCancellable *, GError **)
{
  return nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, "left", nebula_invocation_get_input (invocation), 0);
}

void
test_process_class_init (TestProcessClass *klass)
{
  NEBULA_PROCESS_ACTION_CLASS (klass)->run = test_process_run;
  nebula_action_class_set_details (NEBULA_ACTION_CLASS (klass), "test.process", "1.0.0", "Process", nullptr, nullptr);
}

void
test_process_init (TestProcess *)
{
}

/* Answers of one invocation. */
struct Answer
{
  std::atomic<NebulaResult *> result { nullptr };
  std::atomic<int> count { 0 };
  std::string progress, log;
  ~Answer ()
  {
    if (result)
      nebula_result_unref (result);
  }
};

const NebulaInvocationSink sink = {
  [] (NebulaInvocation *, NebulaResult *result, gpointer data) {
    auto *answer = static_cast<Answer *> (data);
    answer->count++;
    answer->result = nebula_result_ref (result);
    g_main_context_wakeup (nullptr);
  },
  [] (NebulaInvocation *, double fraction, const char *message, gpointer data) {
    static_cast<Answer *> (data)->progress = std::to_string ((int) (fraction * 100)) + message;
  },
  [] (NebulaInvocation *, GLogLevelFlags, const char *message, gpointer data) { static_cast<Answer *> (data)->log = message; },
};

class ActionTest : public nebula::LoopTest
{
protected:
  TestSimple *
  set (const char *parameters)
  {
    action_ = Ref<TestSimple> ((TestSimple *) g_object_new (test_simple_get_type (), nullptr));
    parameters_ = json (parameters);
    NebulaArguments arguments = {};
    arguments.parameters = parameters_.get ();
    ok_ = nebula_action_set_parameters (NEBULA_ACTION (action_.get ()), &arguments, error_.out ());
    return action_.get ();
  }
  /* Invokes and waits for the answer. */
  NebulaResult *
  invoke (gpointer action, bool cancelled = false)
  {
    Value input = json ("{\"a\": 1}");
    Ref<NebulaInvocation> invocation (nebula_invocation_new (nullptr, nullptr, input.get (), &sink, &answer_, nullptr));
    if (cancelled)
      g_cancellable_cancel (nebula_invocation_get_cancellable (invocation.get ()));
    nebula_action_invoke (NEBULA_ACTION (action), invocation.get ());
    EXPECT_TRUE (run_until ([&] { return answer_.result != nullptr; }));
    return answer_.result;
  }
  Ref<TestSimple> action_;
  Value parameters_;
  bool ok_ = false;
  Error error_;
  Answer answer_;
};

TEST_F (ActionTest, PropertiesAreSet)
{
  TestSimple *self = set (R"({"boolean": false, "number": 3, "large": 9223372036854775807, "fraction": 0.25, "text": "x",
                              "texts": ["a", "b"], "kind": "code", "flags": ["secret", "rest"],
                              "time": "2030-01-31T12:00:00.25+02:00", "bytes": "raw", "value": {"k": [1]}, "duration": "1m"})");
  ASSERT_TRUE (ok_) << error_.message ();
  EXPECT_FALSE (self->boolean);
  EXPECT_EQ (self->number, 3);
  EXPECT_EQ (self->large, G_MAXINT64);
  EXPECT_EQ (self->fraction, 0.25);
  EXPECT_STREQ (self->text, "x");
  EXPECT_STREQ (self->texts[1], "b");
  EXPECT_EQ (self->kind, NEBULA_PARAMETER_KIND_CODE);
  EXPECT_EQ (self->flags, NEBULA_PARAMETER_FLAGS_SECRET | NEBULA_PARAMETER_FLAGS_REST);
  g_autofree char *time = g_date_time_format_iso8601 (self->time);
  EXPECT_STREQ (time, "2030-01-31T12:00:00.250000+02");
  EXPECT_EQ (g_bytes_get_size (self->bytes), 3u);
  EXPECT_EQ (to_json (self->value), "{\"k\":[1]}");
  EXPECT_EQ (self->duration, 60 * G_USEC_PER_SEC);
}

TEST_F (ActionTest, ValuesOfOtherKindsAreConverted)
{
  Value zone (nebula_value_new_timestamp (-1500000, 3600));
  Value span (nebula_value_new_duration (5));
  GBytes *raw = g_bytes_new ("\0\1", 2);
  Value bytes (nebula_value_new_bytes (raw));
  g_bytes_unref (raw);
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();
  nebula_value_builder_set (builder, "time", zone.get ());
  nebula_value_builder_set (builder, "duration", span.get ());
  nebula_value_builder_set (builder, "bytes", bytes.get ());
  Value parameters (nebula_value_builder_end (builder));
  nebula_value_builder_unref (builder);
  Ref<TestSimple> self ((TestSimple *) g_object_new (test_simple_get_type (), nullptr));
  NebulaArguments arguments = {};
  arguments.parameters = parameters.get ();
  ASSERT_TRUE (nebula_action_set_parameters (NEBULA_ACTION (self.get ()), &arguments, error_.out ())) << error_.message ();
  EXPECT_EQ (self.get ()->duration, 5);
  EXPECT_EQ (g_bytes_get_size (self.get ()->bytes), 2u);
  EXPECT_EQ (g_date_time_get_microsecond (self.get ()->time), 500000);
  EXPECT_EQ (g_date_time_to_unix (self.get ()->time), -2);
}

TEST_F (ActionTest, WhatDoesNotFitIsRefused)
{
  for (const char *text : { R"({"number": 11})", R"({"number": "x"})", R"({"kind": "odd"})", R"({"flags": ["odd"]})", R"({"texts": [1]})",
                            R"({"text": "a\u0000b"})", R"({"texts": ["a\u0000b"]})", R"({"bytes": 1})", R"({"unknown": 1})",
                            R"({"boolean": null})", R"({"duration": "soon"})", R"({"time": "soon"})" }) {
    set (text);
    EXPECT_FALSE (ok_) << text;
    EXPECT_TRUE (error_) << text;
  }
}

TEST_F (ActionTest, UnsetNullAndValue)
{
  auto *action = NEBULA_ACTION (set (R"({"value": null, "number": 3, "texts": null})"));
  ASSERT_TRUE (ok_) << error_.message ();
  EXPECT_TRUE (nebula_action_is_set (action, "value"));
  EXPECT_TRUE (nebula_action_is_set (action, "number"));
  EXPECT_FALSE (nebula_action_is_set (action, "text"));
  EXPECT_TRUE (nebula_value_is_null (nebula_action_get_parameter (action, "value")));
  EXPECT_EQ (to_json (nebula_action_get_parameter (action, "text")), "\"hello\"");
  EXPECT_EQ (nebula_action_get_parameter (action, "bytes"), nullptr);
  EXPECT_EQ (nebula_action_get_parameter (action, "nothing"), nullptr);
  EXPECT_TRUE (nebula_value_is_null (action_.get ()->value));
  EXPECT_EQ (action_.get ()->texts, nullptr);
}

TEST_F (ActionTest, EffectFollowsParameters)
{
  EXPECT_EQ (nebula_action_get_effect (NEBULA_ACTION (set ("{}"))), NEBULA_EFFECT_EFFECTFUL);
  EXPECT_EQ (nebula_action_get_effect (NEBULA_ACTION (set (R"({"text": "x"})"))), NEBULA_EFFECT_READ);
}

TEST_F (ActionTest, SimpleActionRunsOnTheExecutor)
{
  int before = finalized;
  set ("{}");
  NebulaAction *action = NEBULA_ACTION (g_object_ref (action_.get ()));
  action_ = Ref<TestSimple> ();
  Value input = json ("5");
  Ref<NebulaInvocation> invocation (nebula_invocation_new (nullptr, nullptr, input.get (), &sink, &answer_, nullptr));
  nebula_action_invoke (action, invocation.get ());
  g_object_unref (action);
  ASSERT_TRUE (run_until ([&] { return answer_.result != nullptr; }));
  /* The answer comes after the action is gone. */
  EXPECT_EQ (finalized, before + 1);
  EXPECT_EQ (nebula_result_get_kind (answer_.result), NEBULA_RESULT_KIND_SUCCESS);
  EXPECT_STREQ (nebula_result_get_port (answer_.result), "out");
  EXPECT_EQ (to_json (nebula_result_get_value (answer_.result)), "5");
  EXPECT_EQ (answer_.progress, "50half");
  EXPECT_EQ (answer_.log, "line");
}

TEST_F (ActionTest, ErrorsBecomeFailures)
{
  NebulaResult *result = invoke (set (R"({"text": "fail"})"));
  EXPECT_EQ (nebula_result_get_kind (result), NEBULA_RESULT_KIND_FAILURE);
  EXPECT_STREQ (nebula_result_get_port (result), "error");
  EXPECT_EQ (to_json (nebula_result_get_value (result)), R"({"code":"network","message":"down","retry":"retry"})");
}

TEST_F (ActionTest, NeitherValueNorErrorBreaksTheContract)
{
  NebulaResult *result = invoke (set (R"({"text": "neither"})"));
  EXPECT_EQ (nebula_result_get_kind (result), NEBULA_RESULT_KIND_FAILURE);
  EXPECT_STREQ (nebula_value_get_member_string (nebula_result_get_value (result), "code", ""), "action-contract");
}

TEST_F (ActionTest, ValueAndErrorBreaksTheContract)
{
  NebulaResult *result = invoke (set (R"({"text": "both"})"));
  EXPECT_STREQ (nebula_value_get_member_string (nebula_result_get_value (result), "code", ""), "action-contract");
}

TEST_F (ActionTest, CancelledBeforeItBegins)
{
  NebulaResult *result = invoke (set ("{}"), true);
  EXPECT_STREQ (nebula_value_get_member_string (nebula_result_get_value (result), "retry", ""), "cancelled");
  EXPECT_EQ (answer_.log, "");
}

TEST_F (ActionTest, ProcessActionChoosesThePort)
{
  Ref<GObject> action ((GObject *) g_object_new (test_process_get_type (), nullptr));
  NebulaResult *result = invoke (action.get ());
  EXPECT_STREQ (nebula_result_get_port (result), "left");
  EXPECT_EQ (to_json (nebula_result_get_value (result)), "{\"a\":1}");
}

/* Invocations */

TEST_F (ActionTest, EachReturnHasItsKind)
{
  Value value = json ("{\"x\": 1}");
  auto run = [&] (auto function) {
    Answer answer;
    Ref<NebulaInvocation> invocation (nebula_invocation_new (nullptr, nullptr, nullptr, &sink, &answer, nullptr));
    EXPECT_FALSE (nebula_invocation_is_returned (invocation.get ()));
    function (invocation.get ());
    EXPECT_TRUE (nebula_invocation_is_returned (invocation.get ()));
    EXPECT_EQ (answer.count, 1);
    nebula_invocation_report_progress (invocation.get (), 1, "late");
    nebula_invocation_report_log (invocation.get (), G_LOG_LEVEL_INFO, "late");
    EXPECT_EQ (answer.progress + answer.log, "");
    return Result (nebula_result_ref (answer.result));
  };
  Result result = run ([&] (NebulaInvocation *i) { nebula_invocation_return_value (i, value.get ()); });
  EXPECT_EQ (nebula_result_get_kind (result.get ()), NEBULA_RESULT_KIND_SUCCESS);
  result = run ([&] (NebulaInvocation *i) { nebula_invocation_return_port (i, "side", value.get ()); });
  EXPECT_STREQ (nebula_result_get_port (result.get ()), "side");
  result = run ([&] (NebulaInvocation *i) { nebula_invocation_return_ports (i, value.get ()); });
  EXPECT_EQ (nebula_result_get_kind (result.get ()), NEBULA_RESULT_KIND_MULTI);
  result = run ([&] (NebulaInvocation *i) { nebula_invocation_return_skip (i); });
  EXPECT_EQ (nebula_result_get_kind (result.get ()), NEBULA_RESULT_KIND_SKIP);
  result = run ([&] (NebulaInvocation *i) { nebula_invocation_return_wait (i, 7); });
  EXPECT_EQ (nebula_result_get_kind (result.get ()), NEBULA_RESULT_KIND_WAIT);
  EXPECT_EQ (nebula_result_get_delay_usec (result.get ()), 7);
  result = run ([&] (NebulaInvocation *i) { nebula_invocation_return_terminate (i, nullptr); });
  EXPECT_EQ (nebula_result_get_kind (result.get ()), NEBULA_RESULT_KIND_TERMINATE);
  EXPECT_TRUE (nebula_value_is_null (nebula_result_get_value (result.get ())));
  result = run ([&] (NebulaInvocation *i) {
    nebula_invocation_return_failure (i, "odd", "It is odd", NEBULA_RETRY_CLASS_THROTTLE, value.get ());
  });
  EXPECT_EQ (to_json (nebula_result_get_value (result.get ())),
             R"({"code":"odd","message":"It is odd","retry":"throttle","details":{"x":1}})");

  for (auto broken : { +[] (NebulaInvocation *i) { nebula_invocation_return_value (i, nullptr); },
                       +[] (NebulaInvocation *i) { nebula_invocation_return_ports (i, nullptr); },
                       +[] (NebulaInvocation *i) { nebula_invocation_return_error (i, nullptr); },
                       +[] (NebulaInvocation *i) { nebula_invocation_return_result (i, nullptr); } }) {
    result = run (broken);
    EXPECT_STREQ (nebula_value_get_member_string (nebula_result_get_value (result.get ()), "code", ""), "action-contract");
  }
}

TEST_F (ActionTest, InvocationKnowsItsPlace)
{
  NebulaInvocationInfo info = { "exe_1", "orders", "fetch", "http.request", "acme", "key", 3, 99, "/folder" };
  Value parameters = json ("{\"a\": 1}");
  static bool destroyed;
  destroyed = false;
  {
    Ref<NebulaInvocation> invocation (
        nebula_invocation_new (&info, parameters.get (), nullptr, &sink, &answer_, [] (gpointer) { destroyed = true; }));
    NebulaInvocation *self = invocation.get ();
    EXPECT_STREQ (nebula_invocation_get_execution_id (self), "exe_1");
    EXPECT_STREQ (nebula_invocation_get_workflow (self), "orders");
    EXPECT_STREQ (nebula_invocation_get_node_id (self), "fetch");
    EXPECT_STREQ (nebula_invocation_get_action_id (self), "http.request");
    EXPECT_STREQ (nebula_invocation_get_tenant (self), "acme");
    EXPECT_STREQ (nebula_invocation_get_idempotency_key (self), "key");
    EXPECT_STREQ (nebula_invocation_get_directory (self), "/folder");
    EXPECT_EQ (nebula_invocation_get_attempt (self), 3u);
    EXPECT_EQ (nebula_invocation_get_deadline_usec (self), 99);
    EXPECT_EQ (to_json (nebula_invocation_get_parameters (self)), "{\"a\":1}");
    EXPECT_TRUE (nebula_value_is_null (nebula_invocation_get_input (self)));
    NebulaContext *context = nebula_has_context_get_context (NEBULA_HAS_CONTEXT (self));
    EXPECT_STREQ (nebula_context_get_tenant (context), "acme");
    EXPECT_STREQ (nebula_context_get_execution (context), "exe_1");
    EXPECT_STREQ (nebula_context_get_node (context), "fetch");
    EXPECT_EQ (nebula_context_get_deadline (context), 99);
    EXPECT_EQ (nebula_has_context_get_context (NEBULA_HAS_CONTEXT (self)), context);
  }
  EXPECT_TRUE (destroyed);
}

TEST_F (ActionTest, OnlyTheFirstOfManyThreadsReturns)
{
  /* The losers are programmer errors and log criticals, which must not end this test. */
  GLogLevelFlags fatal = g_log_set_always_fatal ((GLogLevelFlags) G_LOG_FATAL_MASK);
  guint handler = g_log_set_handler ("nebula-action", G_LOG_LEVEL_CRITICAL, +[] (const gchar *, GLogLevelFlags, const gchar *, gpointer) {}, nullptr);
  for (int round = 0; round < 50; round++) {
    Answer answer;
    Ref<NebulaInvocation> invocation (nebula_invocation_new (nullptr, nullptr, nullptr, &sink, &answer, nullptr));
    std::thread threads[4];
    for (auto &thread : threads)
      thread = std::thread ([&] { nebula_invocation_return_skip (invocation.get ()); });
    for (auto &thread : threads)
      thread.join ();
    EXPECT_EQ (answer.count, 1);
  }
  g_log_remove_handler ("nebula-action", handler);
  g_log_set_always_fatal (fatal);
}

/* Infos */

TEST_F (ActionTest, InfoOfAClassSurvivesTheCatalogue)
{
  auto *klass = NEBULA_ACTION_CLASS (g_type_class_ref (test_simple_get_type ()));
  Info info (nebula_action_info_new_from_class (klass, "test", error_.out ()));
  ASSERT_TRUE (info) << error_.message ();
  Value value (nebula_action_info_to_value (info.get ()));
  Info copy (nebula_action_info_new_from_value (value.get (), error_.out ()));
  ASSERT_TRUE (copy) << error_.message ();
  EXPECT_EQ (to_json (Value (nebula_action_info_to_value (copy.get ()))), to_json (value));
  NebulaActionInfo *self = copy.get ();
  EXPECT_STREQ (nebula_action_info_get_id (self), "test.simple");
  EXPECT_STREQ (nebula_action_info_get_version (self), "1.2.0");
  EXPECT_STREQ (nebula_action_info_get_title (self), "Simple");
  EXPECT_STREQ (nebula_action_info_get_description (self), "Does it.");
  EXPECT_STREQ (nebula_action_info_get_category (self), "Test");
  EXPECT_STREQ (nebula_action_info_get_module_id (self), "test");
  EXPECT_STREQ (nebula_action_info_get_type_name (self), "TestSimple");
  EXPECT_STREQ (nebula_action_info_get_example (self), "action: test.simple\n");
  EXPECT_STREQ (nebula_action_info_get_ports (self)[1], "bad");
  EXPECT_STREQ (nebula_action_info_get_capabilities (self)[0], "files");
  EXPECT_EQ (nebula_action_info_get_dynamic_ports (self), nullptr);
  EXPECT_EQ (nebula_action_info_get_effect (self), NEBULA_EFFECT_EFFECTFUL);
  EXPECT_EQ (nebula_action_info_get_construct (self), NEBULA_CONSTRUCT_NONE);
  EXPECT_FALSE (nebula_action_info_is_evaluated (self));
  NebulaParameterTable *table = nebula_action_info_get_parameters (self);
  EXPECT_EQ (nebula_parameter_table_get_length (table), 14u);
  EXPECT_STREQ (nebula_parameter_get_title (nebula_parameter_table_lookup (table, "boolean")), "Boolean");
  EXPECT_EQ (nebula_parameter_get_kind (nebula_parameter_table_lookup (table, "duration")), NEBULA_PARAMETER_KIND_DURATION);
}

TEST_F (ActionTest, TypesOfOtherLanguagesAreDescribed)
{
  auto make = [n = 0] () mutable {
    return g_type_register_static_simple (NEBULA_TYPE_SIMPLE_ACTION, ("Described" + std::to_string (n++)).c_str (),
                                          sizeof (NebulaSimpleActionClass), nullptr, sizeof (NebulaSimpleAction),
                                          nullptr, (GTypeFlags) 0);
  };
  GType type = make ();
  ASSERT_TRUE (nebula_action_describe_type (type, json (R"({"id": "a.b", "effect": "read", "category": "C",
      "ports": {"yes": "Yes"}, "capabilities": ["net"], "parameters": {"x": {"kind": "integer"}}})").get (), error_.out ()));
  Info info (nebula_action_info_new_from_class (NEBULA_ACTION_CLASS (g_type_class_peek (type)), nullptr, error_.out ()));
  ASSERT_TRUE (info) << error_.message ();
  EXPECT_STREQ (nebula_action_info_get_title (info.get ()), "a.b");
  EXPECT_EQ (nebula_action_info_get_effect (info.get ()), NEBULA_EFFECT_READ);
  EXPECT_STREQ (nebula_action_info_get_ports (info.get ())[0], "yes");
  EXPECT_EQ (nebula_parameter_table_get_length (nebula_action_info_get_parameters (info.get ())), 1u);
  EXPECT_FALSE (nebula_action_describe_type (type, json (R"({"id": "a.c"})").get (), error_.out ()));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_EXISTS));

  for (const char *bad : { "[]", "{}", R"({"id": 5})", R"({"id": "a.b", "x": 1})", R"({"id": "a.b", "effect": "odd"})" }) {
    EXPECT_FALSE (nebula_action_describe_type (make (), json (bad).get (), error_.out ())) << bad;
    EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_INVALID_ARGUMENT)) << bad;
  }
}

TEST_F (ActionTest, DamagedInfosAreRefused)
{
  const std::string head = R"({"id": "a.b", "version": "1.0.0", )";
  const std::string good = R"("effect": "pure", "construct": "none", )";
  for (const std::string &text :
       { std::string ("1"), std::string ("{}"), head + "\"effect\": \"odd\"}", head + R"("effect": "pure", "construct": "odd"})",
         head + good + R"("ports": 1})", head + good + R"("ports": {}, "capabilities": 1})",
         head + good + R"("ports": {}, "capabilities": [1], "parameters": []})", head + good + R"("ports": {}})",
         head + good + R"("ports": {}, "parameters": [1]})", std::string (R"({"id": "x", "version": "1.0.0"})") }) {
    Value value = json (text.c_str ());
    EXPECT_EQ (nebula_action_info_new_from_value (value.get (), error_.out ()), nullptr) << text;
    EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_INVALID_DATA)) << text;
  }
  Value least = json ((head + good + R"("ports": {"out": "Out"}, "parameters": []})").c_str ());
  EXPECT_TRUE (Info (nebula_action_info_new_from_value (least.get (), error_.out ()))) << error_.message ();
}

/* Arguments */

class ArgumentsTest : public ActionTest
{
protected:
  struct Late
  {
    NebulaLateExpressions *self;
    Late (std::initializer_list<std::array<const char *, 3>> list)
    {
      self = (NebulaLateExpressions *) g_malloc0 (sizeof *self + list.size () * sizeof self->items[0]);
      for (const auto &entry : list) {
        Error error;
        auto &item = self->items[self->n_items++];
        item.parameter = entry[0];
        item.key = entry[1];
        item.expression = nebula_expression_compile (entry[2], error.out ());
        EXPECT_NE (item.expression, nullptr) << error.message ();
      }
    }
    ~Late ()
    {
      for (guint i = 0; i < self->n_items; i++)
        nebula_expression_unref (self->items[i].expression);
      g_free (self);
    }
  };
  static NebulaValue *
  get_variable (const NebulaEnvironment *, const char *name, GError **)
  {
    if (strcmp (name, "item") == 0)
      return nebula_value_new_string ("outer");
    return strcmp (name, "json") == 0 ? nebula_value_new_integer (100) : nullptr;
  }
  static NebulaValue *
  get_node (const NebulaEnvironment *, const char *, NebulaNodeField, GError **)
  {
    return nebula_value_new_integer (1000);
  }
  NebulaEnvironment
  outer (guint64 fuel = 100000)
  {
    NebulaEnvironment environment = {};
    environment.get_variable = get_variable;
    environment.get_node = get_node;
    environment.fuel = fuel;
    return environment;
  }
};

TEST_F (ArgumentsTest, ExpressionsAreFoundByName)
{
  Late late { { "by", nullptr, "1" }, { "compute", "a", "2" }, { "compute", "b", "3" } };
  NebulaArguments arguments = {};
  arguments.expressions = late.self;
  EXPECT_EQ (nebula_arguments_get_n_expressions (&arguments, "compute"), 2u);
  EXPECT_EQ (nebula_arguments_get_n_expressions (&arguments, "by"), 1u);
  EXPECT_EQ (nebula_arguments_get_n_expressions (&arguments, "to"), 0u);
  const char *key = nullptr;
  EXPECT_EQ (nebula_arguments_get_expression_at (&arguments, "compute", 1, &key), late.self->items[2].expression);
  EXPECT_STREQ (key, "b");
  EXPECT_EQ (nebula_arguments_get_expression_at (&arguments, "compute", 2, &key), nullptr);
  EXPECT_EQ (nebula_arguments_get_expression (&arguments, "by"), late.self->items[0].expression);
  EXPECT_EQ (nebula_arguments_get_expression (&arguments, "to"), nullptr);
}

TEST_F (ArgumentsTest, ItemsHideOuterNamesAndFuelIsCharged)
{
  Late late { { "to", nullptr, "$item + $index + $json + $nodes.a.result" } };
  NebulaEnvironment environment = outer ();
  NebulaArguments arguments = {};
  arguments.environment = &environment;
  Value item (nebula_value_new_integer (1));
  Value sum (nebula_arguments_evaluate_item (&arguments, late.self->items[0].expression, item.get (), 10, error_.out ()));
  ASSERT_TRUE (sum) << error_.message ();
  EXPECT_EQ (to_json (sum), "1111");
  guint64 once = 100000 - environment.fuel;
  EXPECT_GT (once, 0u);
  Value again (nebula_arguments_evaluate_item (&arguments, late.self->items[0].expression, item.get (), 10, error_.out ()));
  EXPECT_EQ (100000 - environment.fuel, 2 * once);

  environment.fuel = 1;
  EXPECT_EQ (nebula_arguments_evaluate_item (&arguments, late.self->items[0].expression, item.get (), 10, error_.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_BUDGET_EXCEEDED));
}

TEST_F (ArgumentsTest, UnsetNamesAreTheOuterOnes)
{
  Late late { { "to", nullptr, "$item" } };
  NebulaEnvironment environment = outer ();
  NebulaArguments arguments = {};
  arguments.environment = &environment;
  Value value (nebula_arguments_evaluate_item (&arguments, late.self->items[0].expression, nullptr, -1, error_.out ()));
  EXPECT_EQ (to_json (value), "\"outer\"");
}

TEST_F (ArgumentsTest, GroupsSeeItemsAndKey)
{
  Late late { { "compute", "n", "length($items)" }, { "compute", "k", "$key" } };
  NebulaArguments arguments = {};
  Value items = json ("[1, 2, 3]");
  Value key = json ("\"x\"");
  Value n (nebula_arguments_evaluate_group (&arguments, late.self->items[0].expression, items.get (), key.get (), error_.out ()));
  EXPECT_EQ (to_json (n), "3") << error_.message ();
  Value k (nebula_arguments_evaluate_group (&arguments, late.self->items[1].expression, items.get (), key.get (), error_.out ()));
  EXPECT_EQ (to_json (k), "\"x\"");
}

TEST_F (ArgumentsTest, WithoutEnvironmentOnlyTheItemIsSeen)
{
  Late late { { "to", nullptr, "$item" }, { "to", nullptr, "$nodes.a.result" }, { "to", nullptr, "$json" } };
  NebulaArguments arguments = {};
  Value item (nebula_value_new_integer (1));
  EXPECT_EQ (to_json (Value (nebula_arguments_evaluate_item (&arguments, late.self->items[0].expression, item.get (), 0, error_.out ()))), "1");
  for (int i : { 1, 2 }) {
    EXPECT_EQ (nebula_arguments_evaluate_item (&arguments, late.self->items[i].expression, item.get (), 0, error_.out ()), nullptr);
    EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_UNKNOWN_NAME));
  }
}

TEST_F (ArgumentsTest, ActionKeepsItsExpressions)
{
  Value parameters = json ("{}");
  {
    Late late { { "expression", nullptr, "1 + 1" } };
    action_ = Ref<TestSimple> ((TestSimple *) g_object_new (test_simple_get_type (), nullptr));
    NebulaArguments arguments = {};
    arguments.parameters = parameters.get ();
    arguments.expressions = late.self;
    ASSERT_TRUE (nebula_action_set_parameters (NEBULA_ACTION (action_.get ()), &arguments, error_.out ()));
  }
  EXPECT_TRUE (nebula_action_is_set (NEBULA_ACTION (action_.get ()), "expression"));
  ASSERT_NE (action_.get ()->expression, nullptr);
  EXPECT_STREQ (nebula_expression_get_text (action_.get ()->expression), "1 + 1");
}

} // namespace
