/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executions that call others, wait for others, and hold locks against others. */
#include "engine-test.h"

using namespace nebula;

namespace
{

const char *const child = R"(
nebula: 1
name: child
input: { type: object, properties: { n: { type: integer } }, required: [n] }
nodes:
  wait: { action: flow.wait, with: { duration: 5s } }
  twice: { action: data.set, with: { n: "{{ $input.n * 2 }}" }, after: [wait] }
)";

const char *const parent = R"(
nebula: 1
name: parent
nodes:
  call: { action: flow.call, with: { workflow: child, input: { n: "{{ 3 * 7 }}" } } }
)";

} // namespace

class CallTest : public EngineFixture
{
protected:
  void deploy (const char *text)
  {
    Error error;
    GBytes *bytes = g_bytes_new (text, strlen (text));
    Ref<NebulaWorkflow> workflow (
        nebula_workflow_read_bytes (bytes, nullptr, nullptr, error.out ()));
    Plan plan (workflow ? nebula_engine_deploy (engine.get (), workflow.get (), nullptr,
                                                error.out ())
                        : nullptr);

    g_bytes_unref (bytes);
    ASSERT_TRUE (plan) << error.message ();
  }

  static std::string pattern (const char *name)
  {
    const char *tests = g_getenv ("G_TEST_SRCDIR");

    return std::string (tests ? tests : "../tests") + "/../data/examples/patterns/" + name +
           ".yaml";
  }

  NebulaPlan *deploy_file (const char *path, std::string &ret_problems, GError **error)
  {
    GPtrArray *diagnostics =
        g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
    GFile *file = g_file_new_for_path (path);
    Ref<NebulaWorkflow> workflow (nebula_workflow_read (file, diagnostics, error));
    NebulaPlan *plan = workflow ? nebula_engine_deploy (engine.get (), workflow.get (),
                                                        diagnostics, error)
                                : nullptr;

    for (guint i = 0; i < diagnostics->len; i++)
      ret_problems += nebula_diagnostic_get_message (
          (NebulaDiagnostic *) diagnostics->pdata[i]);
    g_ptr_array_unref (diagnostics);
    g_object_unref (file);
    return plan;
  }

  /* Why a file cannot be deployed. */
  std::string refusal (const std::string &path)
  {
    Error error;
    std::string problems;
    Plan plan (deploy_file (path.c_str (), problems, error.out ()));

    EXPECT_FALSE (plan);
    return problems;
  }

  void start_file (const char *path, const char *input = nullptr)
  {
    Error error;
    std::string problems;
    Plan plan (deploy_file (path, problems, error.out ()));
    Value value = input ? json (input) : Value ();

    ASSERT_TRUE (plan) << error.message () << problems;
    execution = Ref<NebulaExecution> (nebula_engine_start (
        next_engine (), plan.get (), value.get (), nullptr, error.out ()));
    ASSERT_TRUE (execution) << error.message ();
  }

  std::vector<NebulaHeader *> headers (const char *workflow)
  {
    NebulaHeaderQuery query = {};
    Error error;

    query.kind = NEBULA_STREAM_KIND_EXECUTION;
    query.workflow = workflow;
    query.limit = 10000;
    g_clear_pointer (&listed_, g_ptr_array_unref);
    listed_ = nebula_store_list_headers (nebula_engine_get_store (engine.get ()), &query,
                                         error.out ());
    EXPECT_TRUE (listed_) << error.message ();
    std::vector<NebulaHeader *> found;
    for (guint i = 0; listed_ && i < listed_->len; i++)
      found.push_back ((NebulaHeader *) listed_->pdata[i]);
    return found;
  }

  std::string status_of (const char *workflow)
  {
    std::string text;

    for (NebulaHeader *header : headers (workflow))
      text += std::string (text.empty () ? "" : " ") +
              nebula_execution_status_to_string ((NebulaExecutionStatus) header->status);
    return text;
  }

  guint count_messages ()
  {
    Error error;
    GPtrArray *inbox = nebula_store_read_inbox (nebula_engine_get_store (engine.get ()),
                                                nullptr, 0, error.out ());
    guint n_messages = inbox ? inbox->len : 1000;

    g_clear_pointer (&inbox, g_ptr_array_unref);
    return n_messages;
  }

  std::string error_member (const char *member)
  {
    Error error;
    Value report (nebula_execution_get_report (execution.get (), error.out ()));
    NebulaValue *failure = nebula_value_get_member (report.get (), "error");

    return nebula_value_get_kind (failure) == NEBULA_VALUE_KIND_OBJECT
               ? nebula_value_get_member_string (failure, member, "")
               : "";
  }

  std::string reasons ()
  {
    Value reasons (nebula_execution_explain (execution.get ()));

    return to_json (reasons.get ());
  }

  void advance (gint64 seconds)
  {
    nebula_manual_clock_advance (clock.get (), seconds * G_USEC_PER_SEC);
  }

  bool wait_for_child (const char *workflow, const char *wanted)
  {
    return run_until ([=] { return status_of (workflow) == wanted; });
  }

  struct Answer {
    bool is_over = false;
    std::string error;
  };

  static void steered (GObject *source, GAsyncResult *result, gpointer data)
  {
    Answer *answer = (Answer *) data;
    Error error;

    if (!nebula_execution_steer_finish (NEBULA_EXECUTION (source), result, error.out ()))
      answer->error = error.message ();
    answer->is_over = true;
  }

  std::string decide (const char *by, bool yes, const char *path = nullptr)
  {
    Answer answer;

    nebula_execution_decide_async (execution.get (), path, by, yes, "because", nullptr,
                                   steered, &answer);
    EXPECT_TRUE (run_until ([&] { return answer.is_over; }));
    return answer.error;
  }

  GPtrArray *listed_ = nullptr;

public:
  ~CallTest ()
  {
    g_clear_pointer (&listed_, g_ptr_array_unref);
  }
};

TEST_P (CallTest, ACallGivesTheOutputOfTheOther)
{
  deploy (child);
  start (parent);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  ASSERT_TRUE (wait_for_child ("child", "suspended"));
  EXPECT_NE (reasons ().find (R"("reason":"child")"), std::string::npos) << reasons ();
  EXPECT_NE (reasons ().find (R"("workflow":"child")"), std::string::npos) << reasons ();
  advance (5);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"n":42})");
  EXPECT_EQ (status_of ("child"), "completed");
  EXPECT_TRUE (run_until ([this] { return count_messages () == 0; }));
}

TEST_P (CallTest, ADetachedOneIsLeftAlone)
{
  deploy (child);
  start (R"(
nebula: 1
name: parent
nodes:
  call: { action: flow.call, with: { workflow: child, mode: detach, input: { n: 1 } } }
)");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  ASSERT_TRUE (wait_for_child ("child", "suspended"));
  std::string id = headers ("child")[0]->stream;
  EXPECT_EQ (output (), R"({"execution":")" + id + "\"}");
  advance (5);
  ASSERT_TRUE (wait_for_child ("child", "completed"));

  Error error;
  Ref<NebulaExecution> other (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
  Value report (nebula_execution_get_report (other.get (), error.out ()));
  NebulaValue *caller = nebula_value_get_member (report.get (), "parent");
  EXPECT_STREQ (nebula_value_get_member_string (caller, "execution", ""),
                nebula_execution_get_id (execution.get ()));
}

TEST_P (CallTest, AFailureComesBackWithItsCause)
{
  deploy (R"(
nebula: 1
name: child
nodes: { fail: { action: flow.fail, with: { message: no luck, code: unlucky } } }
)");
  start (R"(
nebula: 1
name: parent
nodes: { call: { action: flow.call, with: { workflow: child } } }
)");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "failed");
  EXPECT_EQ (error_member ("code"), "unlucky");
  EXPECT_EQ (error_member ("message"), "no luck");
  EXPECT_EQ (error_member ("node"), "call");
  EXPECT_EQ (error_member ("execution"), headers ("child")[0]->stream);
}

TEST_P (CallTest, ARetryCallsAnotherTime)
{
  deploy (R"(
nebula: 1
name: child
nodes: { fail: { action: flow.fail, with: { message: no luck } } }
)");
  start (R"(
nebula: 1
name: parent
nodes:
  call:
    action: flow.call
    with: { workflow: child }
    retry: { attempts: 3, backoff: fixed, initial: 1s }
)");
  EXPECT_TRUE (run_until ([this] {
    advance (1);
    return nebula_execution_status_is_terminal (
        nebula_execution_get_status (execution.get ()));
  }));
  EXPECT_EQ (status_of ("child"), "failed failed failed");
  EXPECT_EQ (status (), "failed");
}

TEST_P (CallTest, AnInputThatDoesNotFitFailsTheChild)
{
  deploy (child);
  start (R"(
nebula: 1
name: parent
nodes: { call: { action: flow.call, with: { workflow: child, input: { n: "{{ 'x' }}" } } } }
)");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "failed");
  EXPECT_EQ (error_member ("code"), "invalid-data");
  EXPECT_EQ (status_of ("child"), "failed");
}

TEST_P (CallTest, AWorkflowThatIsNotThereFailsTheNode)
{
  start (parent);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "failed");
  EXPECT_EQ (error_member ("code"), "not-found");
}

TEST_P (CallTest, ACancelReachesTheChild)
{
  deploy (child);
  start (parent);
  ASSERT_TRUE (wait_for_child ("child", "suspended"));
  nebula_execution_cancel_async (execution.get (), nullptr, nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "cancelled");
  ASSERT_TRUE (wait_for_child ("child", "cancelled"));
}

TEST_P (CallTest, ATimeOutCancelsTheChild)
{
  deploy (child);
  start (R"(
nebula: 1
name: parent
nodes:
  call: { action: flow.call, with: { workflow: child, input: { n: 1 } }, timeout: 2s }
)");
  ASSERT_TRUE (wait_for_child ("child", "suspended"));
  advance (2);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (error_member ("code"), "timed-out");
  ASSERT_TRUE (wait_for_child ("child", "cancelled"));
}

TEST_P (CallTest, ARaceCancelsTheOneThatLost)
{
  deploy (child);
  start (R"(
nebula: 1
name: parent
nodes:
  race:
    action: flow.race
    bodies:
      call: { nodes: { c: { action: flow.call, with: { workflow: child, input: { n: 1 } } } } }
      wait: { nodes: { w: { action: flow.wait, with: { duration: 1s } } }, result: late }
)");
  ASSERT_TRUE (wait_for_child ("child", "suspended"));
  advance (1);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), "\"late\"");
  ASSERT_TRUE (wait_for_child ("child", "cancelled"));
}

TEST_P (CallTest, AWorkflowMayCallItselfAHundredDeep)
{
  start (R"(
nebula: 1
name: deep
nodes:
  call: { action: flow.call, with: { workflow: deep } }
)");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (error_member ("code"), "too-deep");
  EXPECT_EQ (headers ("deep").size (), 101u);
}

TEST_P (CallTest, LargeValuesGoThroughBothWays)
{
  deploy (R"(
nebula: 1
name: child
nodes: { back: { action: data.set, with: { text: "{{ $input.text + $input.text }}" } } }
)");
  start (R"(
nebula: 1
name: parent
nodes:
  call: { action: flow.call, with: { workflow: child, input: { text: "{{ repeat ('x', 200000) }}" } } }
  length: { action: data.set, with: { is: "{{ length ($nodes.call.result.text) }}" }, after: [call] }
)");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"is":400000})") << error_member ("message");
}

TEST_P (CallTest, AChildBeginsOnceWhereverTheEngineStops)
{
  if (!is_durable ())
    return;
  const char *text = R"(
nebula: 1
name: parent
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3], concurrency: 2 }
    body: { nodes: { call: { action: flow.call, with: { workflow: child, input: { n: "{{ $item }}" } } } } }
)";
  for (guint turns = 1; turns < 40; turns++) {
    Error error;

    deploy (child);
    start (text);
    std::string id = nebula_execution_get_id (execution.get ());
    for (guint i = 0; i < turns; i++)
      g_main_context_iteration (context_, FALSE);
    close ();
    open ();
    ASSERT_GE (recover (), 0);
    execution = Ref<NebulaExecution> (
        nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
    if (!execution) /* not even its start was committed */
      continue;
    ASSERT_TRUE (run_until ([this] {
      advance (1);
      return nebula_execution_status_is_terminal (
          nebula_execution_get_status (execution.get ()));
    })) << turns << reasons ();
    Value value (nebula_execution_get_output (execution.get ()));
    EXPECT_EQ (to_json (value.get ()), R"([{"n":2},{"n":4},{"n":6}])") << turns;
    EXPECT_EQ (headers ("child").size (), 3u) << turns;
    EXPECT_TRUE (run_until ([this] { return count_messages () == 0; }));
    close ();
    g_unlink (path_.c_str ());
    g_unlink ((path_ + "-wal").c_str ());
    g_unlink ((path_ + "-shm").c_str ());
    open ();
  }
}

TEST_P (CallTest, AWaitEndsWithAnotherExecution)
{
  deploy (child);
  const char *const waits = R"(
nebula: 1
name: parent
nodes:
  call: { action: flow.call, with: { workflow: child, mode: detach, input: { n: 4 } } }
  wait: { action: flow.wait, with: { execution: "{{ $json.execution }}" }, after: [call] }
  late: { action: flow.wait, with: { execution: "{{ $nodes.call.result.execution }}" }, after: [wait] }
output: { first: "{{ $nodes.wait.result.value.output }}", second: "{{ $nodes.late.result.value.status }}" }
)";
  start (waits);
  ASSERT_TRUE (wait_for_child ("child", "suspended"));
  ASSERT_TRUE (run_until ([this] { return reasons ().find ("\"execution\":\"exe_") != std::string::npos; }));
  for (guint i = 0; i < 50; i++)
    g_main_context_iteration (context_, FALSE);
  advance (5);
  ASSERT_TRUE (wait ()) << reasons ();
  EXPECT_EQ (output (), R"({"first":{"n":8},"second":"completed"})");
}

TEST_P (CallTest, AWaitForAnExecutionThatIsNotThereFails)
{
  start (R"(
nebula: 1
name: parent
nodes: { wait: { action: flow.wait, with: { execution: exe_nobody } } }
)");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (error_member ("code"), "not-found");
}

TEST_P (CallTest, LocksHoldAcrossExecutions)
{
  const char *const text = R"(
nebula: 1
name: printer
nodes:
  print: { action: flow.wait, with: { duration: 10s }, lock: printer }
)";
  start (text);
  ASSERT_TRUE (run_until ([this] { return reasons ().find ("timer") != std::string::npos; }));
  Ref<NebulaExecution> first (std::move (execution));
  start (text);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  EXPECT_NE (reasons ().find (R"("lock":"printer")"), std::string::npos) << reasons ();
  advance (10);
  ASSERT_TRUE (run_until ([&] {
    return nebula_execution_get_status (first.get ()) == NEBULA_EXECUTION_STATUS_COMPLETED;
  }));
  ASSERT_TRUE (run_until ([this] { return reasons ().find ("timer") != std::string::npos; }))
      << reasons ();
  advance (9);
  EXPECT_EQ (status (), "suspended");
  advance (1);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
}

TEST_P (CallTest, AnApprovalNeedsSoMany)
{
  const char *const text = R"(
nebula: 1
name: approval
nodes:
  ask: { action: flow.wait, with: { approval: { need: 2, from: [ada, bob, cid], message: Ship it } } }
  yes: { action: data.set, with: { said: "{{ map ($json.value.decisions, d => d.by) }}" } }
  no: { action: data.set, with: { said: no } }
connections: [ask.approved -> yes, ask.rejected -> no]
)";
  start (text);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  EXPECT_EQ (decide ("eve", true), "“eve” is not among those who are asked.");
  EXPECT_EQ (decide ("ada", true), "");
  EXPECT_EQ (decide ("ada", true), "The same person has decided already.");
  EXPECT_EQ (decide ("bob", true, "elsewhere"), "No such node waits for an approval.");
  EXPECT_NE (reasons ().find (R"("need":2)"), std::string::npos) << reasons ();
  EXPECT_EQ (decide ("cid", true, "ask"), "");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"said":["ada","cid"]})");
  start (text);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  EXPECT_EQ (decide ("bob", false), "");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"said":"no"})");
}

TEST_P (CallTest, AnApprovalThatNobodyGivesGoesToOthers)
{
  const char *const text = R"(
nebula: 1
name: approval
nodes:
  ask:
    action: flow.wait
    with: { duration: 3h, approval: { from: [ada], escalate: { after: 1h, to: [chief] } } }
output: "{{ $nodes.ask.result.reason }}"
)";
  start (text);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  EXPECT_EQ (decide ("chief", true), "“chief” is not among those who are asked.");
  advance (3600);
  ASSERT_TRUE (run_until ([this] { return reasons ().find ("escalated") != std::string::npos; }));
  EXPECT_EQ (decide ("chief", true), "");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"("approved")");
  start (text);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  advance (3600);
  ASSERT_TRUE (run_until ([this] { return reasons ().find ("escalated") != std::string::npos; }));
  advance (7200);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"("timeout")");
}

TEST_P (CallTest, ATokenIsAnsweredOnce)
{
  start (R"(
nebula: 1
name: token
nodes:
  link: { action: flow.token }
  wait: { action: flow.wait, with: { token: "{{ $json.token }}" }, after: [link] }
  more: { action: flow.wait, with: { signal: end }, after: [wait] }
)");
  ASSERT_TRUE (run_until ([this] { return reasons ().find ("token") != std::string::npos; }));
  Error error;
  Value report (nebula_execution_get_node_report (execution.get (), "link", error.out ()));
  std::string token = nebula_value_get_member_string (
      nebula_value_get_member (report.get (), "result"), "token", "");
  Value value = json (R"({"paid":true})");
  Answer first, second, third;

  EXPECT_EQ (token.substr (0, token.find ('.')), nebula_execution_get_id (execution.get ()));
  EXPECT_EQ (token.size (), token.find ('.') + 33);
  nebula_execution_answer_async (execution.get (), "x.y", nullptr, nullptr, steered, &third);
  nebula_execution_answer_async (execution.get (), token.c_str (), value.get (), nullptr,
                                 steered, &first);
  nebula_execution_answer_async (execution.get (), token.c_str (), value.get (), nullptr,
                                 steered, &second);
  ASSERT_TRUE (run_until ([&] { return first.is_over && second.is_over && third.is_over; }));
  EXPECT_EQ (first.error, "");
  EXPECT_NE (second.error, "");
  EXPECT_NE (third.error, "");
  Value ended (nebula_execution_get_node_report (execution.get (), "wait", error.out ()));
  EXPECT_EQ (to_json (nebula_value_get_member (ended.get (), "result")),
             R"({"reason":"token","value":{"paid":true}})");
}

TEST_P (CallTest, OperatorsCancelPartsAndTerminate)
{
  start (R"(
nebula: 1
name: parts
nodes:
  a: { action: flow.wait, with: { duration: 1h } }
  b: { action: flow.wait, with: { duration: 1h }, region: red }
  c: { action: flow.wait, with: { duration: 1h }, region: red }
  each:
    action: flow.for-each
    with: { items: [1, 2], concurrency: 2 }
    body: { nodes: { w: { action: flow.wait, with: { duration: 1h } } } }
  guard:
    action: flow.try
    body: { nodes: { w: { action: flow.wait, with: { duration: 1h } } } }
    finally: { nodes: { never: { action: flow.wait, with: { duration: 1h } } } }
)");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  Answer answers[6];

  nebula_execution_cancel_node_async (execution.get (), "a", nullptr, steered, &answers[0]);
  nebula_execution_cancel_region_async (execution.get (), "red", nullptr, steered, &answers[1]);
  nebula_execution_cancel_node_async (execution.get (), "each[1]", nullptr, steered, &answers[2]);
  nebula_execution_cancel_node_async (execution.get (), "a", nullptr, steered, &answers[3]);
  ASSERT_TRUE (run_until ([&] { return answers[0].is_over && answers[1].is_over && answers[2].is_over && answers[3].is_over; }));
  for (guint i = 0; i < 3; i++)
    EXPECT_EQ (answers[i].error, "") << i;
  EXPECT_NE (answers[3].error, "");
  EXPECT_EQ (reasons ().find ("each[1]"), std::string::npos) << reasons ();
  EXPECT_NE (reasons ().find ("each[0].w"), std::string::npos) << reasons ();
  nebula_execution_pause_async (execution.get (), "look", nullptr, steered, &answers[4]);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_PAUSED));
  EXPECT_NE (reasons ().find ("paused"), std::string::npos) << reasons ();
  nebula_execution_terminate_async (execution.get (), "enough", nullptr, steered, &answers[5]);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "cancelled");
  EXPECT_EQ (error_member ("code"), "terminated");
  EXPECT_EQ (reasons (), "[]");
}

TEST_P (CallTest, Pattern12StartsInstancesThatNobodyWaitsFor)
{
  start_file (pattern ("12-instances-without-synchronization").c_str ());
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"begun":5})");
  ASSERT_TRUE (wait_for_child (
      "letter", "suspended suspended suspended suspended suspended"));
  advance (5);
  ASSERT_TRUE (wait_for_child (
      "letter", "completed completed completed completed completed"));
}

TEST_P (CallTest, Pattern22CallsItself)
{
  start_file (pattern ("22-recursion").c_str (), R"({"n":10})");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"value":3628800})");
  EXPECT_EQ (headers ("recursion").size (), 10u);
}

TEST_P (CallTest, APathIsCheckedAndPinnedWithTheCaller)
{
  std::string folder = path_.substr (0, path_.rfind ('/'));
  std::string caller = folder + "/caller.yaml", callee = folder + "/callee.yaml";
  const char *const text = R"(
nebula: 1
name: caller
nodes:
  wait: { action: flow.wait, with: { signal: go } }
  call: { action: flow.call, with: { workflow: ./callee.yaml, input: { n: 3 } }, after: [wait] }
)";
  const char *const old = R"(
nebula: 1
name: callee
input: { type: object, properties: { n: { type: integer } }, required: [n] }
nodes: { back: { action: data.set, with: { old: "{{ $input.n }}" } } }
)";
  g_file_set_contents (caller.c_str (), text, -1, nullptr);
  EXPECT_NE (refusal (caller).find ("callee.yaml"), std::string::npos) << refusal (caller);
  g_file_set_contents (callee.c_str (), "nebula: 1\nname: callee\nnodes: { a: { action: no.such } }\n",
                       -1, nullptr);
  EXPECT_NE (refusal (caller).find ("callee.yaml:3: "), std::string::npos)
      << refusal (caller);
  g_file_set_contents (callee.c_str (), R"(
nebula: 1
name: callee
input: { type: object, properties: { m: { type: integer } }, required: [m] }
nodes: { back: { action: data.set, with: { old: 1 } } }
)",
                       -1, nullptr);
  EXPECT_NE (refusal (caller).find ("m"), std::string::npos) << refusal (caller);
  g_file_set_contents (callee.c_str (), old, -1, nullptr);
  start_file (caller.c_str ());
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  g_unlink (callee.c_str ());
  g_unlink (caller.c_str ());
  std::string id = nebula_execution_get_id (execution.get ());
  if (is_durable ()) { /* an engine that has never seen the files */
    Error error;

    close ();
    open ();
    ASSERT_GE (recover (), 0);
    execution = Ref<NebulaExecution> (
        nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
    ASSERT_TRUE (execution) << error.message ();
  }
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"old":3})") << error_member ("message");
}

INSTANTIATE_TEST_SUITE_P (Stores,
                          CallTest,
                          testing::Values ("memory", "sqlite", "memory2", "sqlite3"),
                          [] (const auto &info) { return std::string (info.param); });
