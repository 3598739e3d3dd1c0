/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base classes for state, triggers and resources. */
#include "nebula-test.h"

#include "nebula-error-chain.h"
#include "nebula-stateful-action.h"
#include "nebula-supply-action.h"
#include "nebula-trigger-action.h"

namespace
{

using nebula::Error;
using nebula::json;
using nebula::Ref;
using nebula::to_json;
using nebula::Value;

/* Counts its calls; version 1 kept a bare number, version 2 an object. */
struct TestCounter
{
  NebulaStatefulAction parent;
};
struct TestCounterClass
{
  NebulaStatefulActionClass parent_class;
};

G_DEFINE_TYPE (TestCounter, test_counter, NEBULA_TYPE_STATEFUL_ACTION)

NebulaResult *
test_counter_run (NebulaProcessAction *action, NebulaInvocation *, GCancellable *, GError **)
{
  auto *self = NEBULA_STATEFUL_ACTION (action);
  gint64 count = nebula_value_get_member_integer (nebula_stateful_action_get_state (self), "count", 0) + 1;
  Value next (nebula_value_new_integer (count));
  Value state (nebula_value_with_member (nebula_stateful_action_get_state (self), "count", next.get ()));
  nebula_stateful_action_keep_state (self, state.get ());
  return nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, nullptr, next.get (), 0);
}

NebulaValue *
test_counter_migrate (NebulaStatefulAction *, NebulaValue *state, guint version, GError **error)
{
  if (version != 1) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, "too old");
    return nullptr;
  }
  if (nebula_value_is_null (state))
    return nullptr;
  Value empty (nebula_value_new_empty_object ());
  return nebula_value_with_member (empty.get (), "count", state);
}

void
test_counter_class_init (TestCounterClass *klass)
{
  NEBULA_PROCESS_ACTION_CLASS (klass)->run = test_counter_run;
  NEBULA_STATEFUL_ACTION_CLASS (klass)->migrate_state = test_counter_migrate;
  nebula_stateful_action_class_set_state_version (NEBULA_STATEFUL_ACTION_CLASS (klass), 2);
}

void
test_counter_init (TestCounter *)
{
}

const NebulaInvocationSink ignore = { [] (NebulaInvocation *, NebulaResult *, gpointer) {}, nullptr, nullptr };

class StatefulTest : public nebula::LoopTest
{
protected:
  void
  SetUp () override
  {
    LoopTest::SetUp ();
    self_ = NEBULA_STATEFUL_ACTION (g_object_new (test_counter_get_type (), nullptr));
    invocation_ = nebula_invocation_new (nullptr, nullptr, nullptr, &ignore, nullptr, nullptr);
  }
  void
  TearDown () override
  {
    g_object_unref (self_);
    g_object_unref (invocation_);
    LoopTest::TearDown ();
  }
  std::string
  run ()
  {
    NebulaResult *result = nebula_process_action_run (NEBULA_PROCESS_ACTION (self_), invocation_, nullptr, nullptr);
    std::string text = to_json (nebula_result_get_value (result));
    nebula_result_unref (result);
    return text;
  }
  NebulaStatefulAction *self_ = nullptr;
  NebulaInvocation *invocation_ = nullptr;
  Error error_;
};

TEST_F (StatefulTest, StateIsKeptBetweenCalls)
{
  EXPECT_EQ (nebula_stateful_action_get_state_version (self_), 2u);
  EXPECT_EQ (run (), "1");
  EXPECT_EQ (run (), "2");
  Value kept (nebula_value_ref (nebula_stateful_action_get_state (self_)));
  Ref<NebulaStatefulAction> next (NEBULA_STATEFUL_ACTION (g_object_new (test_counter_get_type (), nullptr)));
  ASSERT_TRUE (nebula_stateful_action_restore_state (next.get (), kept.get (), 2, error_.out ()));
  EXPECT_EQ (to_json (nebula_stateful_action_get_state (next.get ())), "{\"count\":2}");
}

TEST_F (StatefulTest, OlderStateIsMigrated)
{
  Value old = json ("41");
  ASSERT_TRUE (nebula_stateful_action_restore_state (self_, old.get (), 1, error_.out ())) << error_.message ();
  EXPECT_EQ (run (), "42");
}

TEST_F (StatefulTest, StateThatCannotBeUsed)
{
  Value state = json ("{}");
  EXPECT_FALSE (nebula_stateful_action_restore_state (self_, state.get (), 3, error_.out ()));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_UNSUPPORTED));
  EXPECT_FALSE (nebula_stateful_action_restore_state (self_, state.get (), 0, error_.out ()));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_UNSUPPORTED));
  Value null = json ("null");
  EXPECT_FALSE (nebula_stateful_action_restore_state (self_, null.get (), 1, error_.out ()));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_ACTION_CONTRACT));
  ASSERT_TRUE (nebula_stateful_action_restore_state (self_, nullptr, 0, error_.out ()));
  EXPECT_EQ (to_json (nebula_stateful_action_get_state (self_)), "{}");
}

/* Triggers */

struct TestTrigger
{
  NebulaTriggerAction parent;
  gboolean broken;
  int starts, stops;
};
struct TestTriggerClass
{
  NebulaTriggerActionClass parent_class;
};

G_DEFINE_TYPE (TestTrigger, test_trigger, NEBULA_TYPE_TRIGGER_ACTION)

gboolean
test_trigger_start (NebulaTriggerAction *action, GError **error)
{
  auto *self = reinterpret_cast<TestTrigger *> (action);
  self->starts++;
  if (self->broken)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE, "broken");
  return !self->broken;
}

void
test_trigger_stop (NebulaTriggerAction *action)
{
  reinterpret_cast<TestTrigger *> (action)->stops++;
}

void
test_trigger_class_init (TestTriggerClass *klass)
{
  NEBULA_TRIGGER_ACTION_CLASS (klass)->start = test_trigger_start;
  NEBULA_TRIGGER_ACTION_CLASS (klass)->stop = test_trigger_stop;
}

void
test_trigger_init (TestTrigger *)
{
}

TEST (TriggerTest, LifeOfATrigger)
{
  Error error;
  Ref<TestTrigger> object ((TestTrigger *) g_object_new (test_trigger_get_type (), nullptr));
  auto *self = NEBULA_TRIGGER_ACTION (object.get ());
  std::string fired;
  int notified = 0;
  Value payload = json ("{\"a\":1}");
  g_signal_connect (self, "fired", G_CALLBACK (+[] (NebulaTriggerAction *, const char *key, NebulaValue *value, std::string *data) {
                      *data += std::string (key ? key : "-") + to_json (value);
                    }),
                    &fired);
  g_signal_connect (self, "notify::state", G_CALLBACK (+[] (GObject *, GParamSpec *, int *data) { ++*data; }), &notified);

  EXPECT_FALSE (nebula_trigger_action_fire (self, "k", payload.get ()));
  ASSERT_TRUE (nebula_trigger_action_start (self, error.out ()));
  EXPECT_EQ (nebula_trigger_action_get_state (self), NEBULA_TRIGGER_STATE_ACTIVE);
  EXPECT_FALSE (nebula_trigger_action_start (self, error.out ()));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_CONFLICT));
  EXPECT_TRUE (nebula_trigger_action_fire (self, "k", payload.get ()));
  nebula_trigger_action_pause (self);
  EXPECT_FALSE (nebula_trigger_action_fire (self, "k", payload.get ()));
  nebula_trigger_action_resume (self);
  EXPECT_TRUE (nebula_trigger_action_fire (self, nullptr, payload.get ()));
  EXPECT_EQ (fired, "k{\"a\":1}-{\"a\":1}");
  nebula_trigger_action_stop (self);
  nebula_trigger_action_stop (self);
  EXPECT_EQ (object.get ()->stops, 1);
  int state = 0;
  g_object_get (self, "state", &state, nullptr);
  EXPECT_EQ (state, NEBULA_TRIGGER_STATE_STOPPED);
  EXPECT_EQ (notified, 6);
}

TEST (TriggerTest, FailuresAreToldAndCanBeStartedAgain)
{
  Error error;
  Ref<TestTrigger> object ((TestTrigger *) g_object_new (test_trigger_get_type (), nullptr));
  auto *self = NEBULA_TRIGGER_ACTION (object.get ());
  std::string message;
  g_signal_connect (self, "failed", G_CALLBACK (+[] (NebulaTriggerAction *, GError *why, std::string *data) { *data = why->message; }), &message);
  object.get ()->broken = TRUE;
  EXPECT_FALSE (nebula_trigger_action_start (self, error.out ()));
  EXPECT_EQ (nebula_trigger_action_get_state (self), NEBULA_TRIGGER_STATE_FAILED);
  object.get ()->broken = FALSE;
  ASSERT_TRUE (nebula_trigger_action_start (self, error.out ()));
  GError *why = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_IO, "gone");
  nebula_trigger_action_fail (self, why);
  nebula_trigger_action_fail (self, why);
  g_error_free (why);
  EXPECT_EQ (message, "gone");
  nebula_trigger_action_stop (self);
  EXPECT_EQ (object.get ()->stops, 0);
}

/* Resources */

struct TestSupply
{
  NebulaSupplyAction parent;
  int created, destroyed;
  gboolean refuse;
  GObject *stale;
};
struct TestSupplyClass
{
  NebulaSupplyActionClass parent_class;
};

G_DEFINE_TYPE (TestSupply, test_supply, NEBULA_TYPE_SUPPLY_ACTION)

GObject *
test_supply_create (NebulaSupplyAction *action, GCancellable *, GError **)
{
  auto *self = reinterpret_cast<TestSupply *> (action);
  if (self->refuse)
    return nullptr;
  self->created++;
  return (GObject *) g_object_new (G_TYPE_OBJECT, nullptr);
}

gboolean
test_supply_check (NebulaSupplyAction *action, GObject *resource, GError **)
{
  return reinterpret_cast<TestSupply *> (action)->stale != resource;
}

void
test_supply_destroy (NebulaSupplyAction *action, GObject *resource)
{
  reinterpret_cast<TestSupply *> (action)->destroyed++;
  g_object_unref (resource);
}

void
test_supply_class_init (TestSupplyClass *klass)
{
  NEBULA_SUPPLY_ACTION_CLASS (klass)->create = test_supply_create;
  NEBULA_SUPPLY_ACTION_CLASS (klass)->check = test_supply_check;
  NEBULA_SUPPLY_ACTION_CLASS (klass)->destroy = test_supply_destroy;
}

void
test_supply_init (TestSupply *)
{
}

TEST (SupplyTest, ReleasedOnesAreGivenAgain)
{
  Error error;
  Ref<TestSupply> object ((TestSupply *) g_object_new (test_supply_get_type (), nullptr));
  auto *self = NEBULA_SUPPLY_ACTION (object.get ());
  GObject *first = nebula_supply_action_acquire (self, nullptr, error.out ());
  GObject *second = nebula_supply_action_acquire (self, nullptr, error.out ());
  EXPECT_EQ (object.get ()->created, 2);
  nebula_supply_action_release (self, first);
  nebula_supply_action_release (self, second);
  EXPECT_EQ (nebula_supply_action_get_n_idle (self), 2u);
  EXPECT_EQ (nebula_supply_action_acquire (self, nullptr, error.out ()), second);
  nebula_supply_action_release (self, second);

  object.get ()->stale = second;
  EXPECT_EQ (nebula_supply_action_acquire (self, nullptr, error.out ()), first);
  EXPECT_EQ (object.get ()->destroyed, 1);
  nebula_supply_action_release (self, first);
  g_object_run_dispose (G_OBJECT (self));
  EXPECT_EQ (object.get ()->destroyed, 2);

  object.get ()->refuse = TRUE;
  EXPECT_EQ (nebula_supply_action_acquire (self, nullptr, error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_ACTION_CONTRACT));
}

TEST (SupplyTest, CannotBeInvoked)
{
  Ref<TestSupply> object ((TestSupply *) g_object_new (test_supply_get_type (), nullptr));
  std::string code;
  NebulaInvocationSink sink = { [] (NebulaInvocation *, NebulaResult *result, gpointer data) {
                                 *static_cast<std::string *> (data) =
                                     nebula_value_get_member_string (nebula_result_get_value (result), "code", "");
                               },
                                nullptr, nullptr };
  Ref<NebulaInvocation> invocation (nebula_invocation_new (nullptr, nullptr, nullptr, &sink, &code, nullptr));
  nebula_action_invoke (NEBULA_ACTION (object.get ()), invocation.get ());
  EXPECT_EQ (code, "unsupported");
}

} // namespace

/* The kernel looks for the pause in the details of a failure. */
TEST (Failure, KeepsThePauseOfAnError)
{
  GError *error = nebula_error_from_http_status (429, "Slow down", 1500);
  Value failure (nebula_failure_new_from_error (error));
  EXPECT_EQ (to_json (nebula_value_get_member (failure.get (), "details")), "{\"retry_after_ms\":1500}");
  EXPECT_STREQ (nebula_value_get_member_string (failure.get (), "retry", ""), "throttle");
  nebula_error_set_retry_after_ms (error, -1);
  Value plain (nebula_failure_new_from_error (error));
  EXPECT_FALSE (nebula_value_has_member (plain.get (), "details"));
  g_error_free (error);
}
