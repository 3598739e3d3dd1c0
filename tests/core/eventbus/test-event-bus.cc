/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events and their bus. */

#include "nebula-event-bus.h"
#include "nebula-test.h"

#include <deque>
#include <functional>
#include <vector>

using namespace nebula;
using testing::ElementsAre;
using testing::IsEmpty;

namespace
{

using Event = Owned<NebulaEvent, nebula_event_unref>;
using Subscription = Ref<NebulaSubscription>;

Event
make_event (const char *topic, const char *execution = "e1", const char *node = nullptr,
            const char *workflow = nullptr, const char *tenant = nullptr)
{
  NebulaEventInfo info = { topic, tenant, workflow, execution, node, 7, 1700000000123456 };
  return Event (nebula_event_new (&info, nullptr));
}

TEST (EventTest, KeepsWhatItIsMadeOf)
{
  Value data = json ("{\"x\":1}");
  NebulaEventInfo info = { "node.failed", "t", "w", "e", "n", 42, 1000001 };
  Event event (nebula_event_new (&info, data.get ()));

  EXPECT_STREQ (nebula_event_get_topic (event.get ()), "node.failed");
  EXPECT_STREQ (nebula_event_get_tenant (event.get ()), "t");
  EXPECT_STREQ (nebula_event_get_workflow (event.get ()), "w");
  EXPECT_STREQ (nebula_event_get_execution (event.get ()), "e");
  EXPECT_STREQ (nebula_event_get_node (event.get ()), "n");
  EXPECT_EQ (nebula_event_get_sequence (event.get ()), 42u);
  EXPECT_EQ (nebula_event_get_time_usec (event.get ()), 1000001);
  EXPECT_EQ (to_json (nebula_event_get_data (event.get ())), "{\"x\":1}");

  NebulaEvent *copy = (NebulaEvent *) g_boxed_copy (NEBULA_TYPE_EVENT, event.get ());
  EXPECT_EQ (copy, event.get ());
  g_boxed_free (NEBULA_TYPE_EVENT, copy);

  Event bare (nebula_event_new_for_node ("system.fatal", nullptr, nullptr, 0, nullptr));
  EXPECT_EQ (nebula_event_get_execution (bare.get ()), nullptr);
  EXPECT_EQ (to_json (nebula_event_get_data (bare.get ())), "{}");
  Event ephemeral (nebula_event_new_for_node ("node.log", "e", "n", 5, nullptr));
  EXPECT_EQ (nebula_event_get_sequence (ephemeral.get ()), 0u);
  EXPECT_STREQ (nebula_event_get_node (ephemeral.get ()), "n");
}

TEST (EventTest, TopicsAreAClosedList)
{
  const char *const *topics = nebula_event_list_topics ();
  int n = 0;
  for (; topics[n]; n++) {
    EXPECT_TRUE (nebula_event_is_pattern (topics[n]));
    for (int i = 0; i < n; i++)
      EXPECT_STRNE (topics[i], topics[n]);
  }
  EXPECT_GE (n, 25);
  EXPECT_TRUE (nebula_event_is_pattern ("*"));
  EXPECT_TRUE (nebula_event_is_pattern ("execution.*"));
  for (const char *wrong : { "", "node", "node.", "nothing.*", "*.failed", "node.failed.*", "**", "n*" })
    EXPECT_FALSE (nebula_event_is_pattern (wrong)) << wrong;
}

TEST (EventTest, BecomesACloudEvent)
{
  NebulaEventInfo info = { "node.failed", "t", "w", "exe_1", "n", 42, 1700000000000005 };
  Event event (nebula_event_new (&info, json ("{\"x\":1}").get ()));
  Value cloud (nebula_event_to_cloud_event (event.get (), "https://example.org/n"));
  EXPECT_EQ (to_json (cloud),
             "{\"specversion\":\"1.0\",\"id\":\"exe_1/42/node.failed/n\",\"source\":\"https://example.org/n\","
             "\"type\":\"org.nebula.node.failed\",\"subject\":\"exe_1\",\"time\":\"2023-11-14T22:13:20.000005Z\","
             "\"tenant\":\"t\",\"workflow\":\"w\",\"node\":\"n\",\"sequence\":\"00000000000000000042\","
             "\"datacontenttype\":\"application/json\",\"data\":{\"x\":1}}");

  Event one (nebula_event_new_for_node ("node.log", "e", "n", -1, json ("{\"m\":1}").get ()));
  Event two (nebula_event_new_for_node ("node.log", "e", "n", -1, json ("{\"m\":2}").get ()));
  Value first (nebula_event_to_cloud_event (one.get (), nullptr));
  Value second (nebula_event_to_cloud_event (two.get (), ""));
  EXPECT_STRNE (nebula_value_get_member_string (first.get (), "id", ""),
                nebula_value_get_member_string (second.get (), "id", ""));
  EXPECT_STREQ (nebula_value_get_member_string (first.get (), "time", ""), "1969-12-31T23:59:59.999999Z");
  EXPECT_STREQ (nebula_value_get_member_string (first.get (), "source", ""), "/nebula");
  EXPECT_FALSE (nebula_value_has_member (first.get (), "sequence"));

  Event far (nebula_event_new_for_node ("node.log", nullptr, nullptr, G_MAXINT64, nullptr));
  Value timeless (nebula_event_to_cloud_event (far.get (), nullptr));
  EXPECT_FALSE (nebula_value_has_member (timeless.get (), "time"));
  EXPECT_FALSE (nebula_value_has_member (timeless.get (), "subject"));
}

TEST (EventDeathTest, RefusesWrongArguments)
{
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH (nebula_event_new_for_node ("node.exploded", nullptr, nullptr, 0, nullptr), "index >= 0");
  EXPECT_DEATH (nebula_event_new_for_node ("node.log", nullptr, nullptr, 0, json ("[]").get ()), "OBJECT");
}

class EventBus : public LoopTest
{
protected:
  struct Listener
  {
    std::vector<std::string> heard;
    std::function<void (NebulaEvent *)> then;
    int n_destroyed = 0;
  };

  void
  SetUp () override
  {
    LoopTest::SetUp ();
    bus = nebula_event_bus_new ();
  }
  void
  TearDown () override
  {
    g_clear_object (&bus);
    LoopTest::TearDown ();
  }
  static void
  on_event (NebulaEvent *event, gpointer data)
  {
    Listener *listener = (Listener *) data;
    const char *execution = nebula_event_get_execution (event);
    const char *node = nebula_event_get_node (event);
    listener->heard.push_back (std::string (nebula_event_get_topic (event)) + (execution ? " " : "") +
                               (execution ? execution : "") + (node ? "/" : "") + (node ? node : ""));
    if (listener->then)
      listener->then (event);
  }
  static void on_signal (NebulaEventBus *, NebulaEvent *event, gpointer data) { on_event (event, data); }
  static void on_destroy (gpointer data) { ((Listener *) data)->n_destroyed++; }

  NebulaSubscription *
  subscribe (Listener &listener, const char *pattern, const char *execution = nullptr)
  {
    return nebula_event_bus_subscribe (bus, pattern, execution, on_event, &listener, on_destroy);
  }
  void
  publish (const char *topic, const char *execution = "e1", const char *node = nullptr,
           const char *workflow = nullptr, const char *tenant = nullptr)
  {
    Event event = make_event (topic, execution, node, workflow, tenant);
    is_publishing = true;
    nebula_event_bus_publish (bus, event.get ());
    is_publishing = false;
  }
  void
  turn ()
  {
    while (g_main_context_iteration (context_, FALSE))
      ;
  }

  std::deque<Listener> listeners; /* they outlive the bus */
  NebulaEventBus *bus = nullptr;
  bool is_publishing = false;
};

TEST_F (EventBus, DeliversByPatternAndExecution)
{
  Listener &all = listeners.emplace_back ();
  Listener &nodes = listeners.emplace_back ();
  Listener &failed = listeners.emplace_back ();
  Listener &one = listeners.emplace_back ();
  Subscription a (subscribe (all, "*")), b (subscribe (nodes, "node.*")),
      c (subscribe (failed, "node.failed")), d (subscribe (one, "*", "e2"));

  publish ("execution.started", "e1");
  publish ("node.failed", "e2", "n");
  publish ("node.started", "e1", "n");
  publish ("system.fatal", nullptr);
  EXPECT_THAT (all.heard, IsEmpty ()) << "nothing is called inside publish";
  EXPECT_EQ (nebula_subscription_get_n_queued (a.get ()), 4u);
  turn ();
  EXPECT_THAT (all.heard, ElementsAre ("execution.started e1", "node.failed e2/n", "node.started e1/n", "system.fatal"));
  EXPECT_THAT (nodes.heard, ElementsAre ("node.failed e2/n", "node.started e1/n"));
  EXPECT_THAT (failed.heard, ElementsAre ("node.failed e2/n"));
  EXPECT_THAT (one.heard, ElementsAre ("node.failed e2/n"));
  EXPECT_EQ (nebula_subscription_get_n_sent (a.get ()), 4u);
  EXPECT_EQ (nebula_subscription_get_n_queued (a.get ()), 0u);
}

TEST_F (EventBus, FiltersByTenantAndWorkflow)
{
  Listener &mine = listeners.emplace_back ();
  Listener &orders = listeners.emplace_back ();
  NebulaSubscriptionOptions options = {};
  options.tenant = "t1";
  Subscription a (nebula_event_bus_subscribe_full (bus, &options, on_event, &mine, nullptr));
  options = {};
  options.pattern = "execution.*";
  options.workflow = "orders";
  Subscription b (nebula_event_bus_subscribe_full (bus, &options, on_event, &orders, nullptr));

  publish ("execution.started", "e1", nullptr, "orders", "t1");
  publish ("execution.started", "e2", nullptr, "mail", "t2");
  publish ("execution.started", "e3", nullptr, nullptr, nullptr);
  publish ("node.ready", "e1", "n", "orders", "t2");
  turn ();
  EXPECT_THAT (mine.heard, ElementsAre ("execution.started e1"));
  EXPECT_THAT (orders.heard, ElementsAre ("execution.started e1"));
}

TEST_F (EventBus, SignalHasTopicsAsDetails)
{
  Listener &all = listeners.emplace_back ();
  Listener &failed = listeners.emplace_back ();
  g_signal_connect (bus, "event", G_CALLBACK (on_signal), &all);
  gulong id = g_signal_connect (bus, "event::node.failed", G_CALLBACK (on_signal), &failed);

  publish ("node.failed", "e1", "a");
  publish ("node.completed", "e1", "b");
  EXPECT_THAT (all.heard, IsEmpty ());
  turn ();
  EXPECT_THAT (all.heard, ElementsAre ("node.failed e1/a", "node.completed e1/b"));
  EXPECT_THAT (failed.heard, ElementsAre ("node.failed e1/a"));
  g_signal_handler_disconnect (bus, id);
}

TEST_F (EventBus, KnowsWhetherAnybodyListens)
{
  Listener &listener = listeners.emplace_back ();
  EXPECT_FALSE (nebula_event_bus_has_any_subscriber (bus));
  EXPECT_FALSE (nebula_event_bus_has_subscriber (bus, "node.failed"));
  Subscription subscription (subscribe (listener, "node.*"));
  EXPECT_TRUE (nebula_event_bus_has_any_subscriber (bus));
  EXPECT_TRUE (nebula_event_bus_has_subscriber (bus, "node.failed"));
  EXPECT_FALSE (nebula_event_bus_has_subscriber (bus, "execution.failed"));
  nebula_subscription_cancel (subscription.get ());
  EXPECT_FALSE (nebula_event_bus_has_subscriber (bus, "node.failed"));

  gulong id = g_signal_connect (bus, "event::node.log", G_CALLBACK (on_signal), &listener);
  EXPECT_TRUE (nebula_event_bus_has_subscriber (bus, "node.log"));
  EXPECT_TRUE (nebula_event_bus_has_any_subscriber (bus));
  EXPECT_FALSE (nebula_event_bus_has_subscriber (bus, "node.failed"));
  g_signal_handler_disconnect (bus, id);
  EXPECT_FALSE (nebula_event_bus_has_subscriber (bus, "node.log"));
  EXPECT_FALSE (nebula_event_bus_has_subscriber (bus, "no.such"));
  EXPECT_FALSE (nebula_event_bus_has_any_subscriber (bus));
}

TEST_F (EventBus, HandlersNeverRunInsideOneAnother)
{
  Listener &signal = listeners.emplace_back ();
  Listener &callback = listeners.emplace_back ();
  int depth = 0, deepest = 0;
  auto then = [&] (NebulaEvent *event) {
    EXPECT_FALSE (is_publishing);
    deepest = std::max (deepest, ++depth);
    if (g_str_equal (nebula_event_get_topic (event), "node.ready"))
      publish ("node.started");
    g_main_context_iteration (context_, FALSE);
    depth--;
  };
  signal.then = callback.then = then;
  g_signal_connect (bus, "event", G_CALLBACK (on_signal), &signal);
  Subscription subscription (subscribe (callback, "*"));

  publish ("node.ready");
  turn ();
  EXPECT_EQ (deepest, 1);
  EXPECT_EQ (signal.heard.size (), 3u); /* both listeners published once */
  EXPECT_EQ (callback.heard.size (), 3u);
}

TEST_F (EventBus, DeliversAtOnceWhenAsked)
{
  Listener &signal = listeners.emplace_back ();
  Listener &callback = listeners.emplace_back ();
  int depth = 0, deepest = 0;
  signal.then = callback.then = [&] (NebulaEvent *) {
    deepest = std::max (deepest, ++depth);
    nebula_event_bus_deliver (bus);
    depth--;
  };
  g_signal_connect (bus, "event", G_CALLBACK (on_signal), &signal);
  Subscription subscription (subscribe (callback, "node.*"));

  publish ("node.ready");
  publish ("node.started");
  nebula_event_bus_deliver (bus);
  EXPECT_EQ (deepest, 1);
  EXPECT_EQ (signal.heard.size (), 2u);
  EXPECT_EQ (callback.heard.size (), 2u);
  turn ();
  EXPECT_EQ (signal.heard.size (), 2u);
}

TEST_F (EventBus, CancellingIsFinal)
{
  Listener &first = listeners.emplace_back ();
  Listener &second = listeners.emplace_back ();
  Subscription a (subscribe (first, "*")), b (subscribe (second, "*"));
  first.then = [&] (NebulaEvent *) {
    nebula_subscription_cancel (b.get ());
    nebula_subscription_cancel (a.get ());
    nebula_subscription_cancel (a.get ());
    EXPECT_EQ (first.n_destroyed, 0) << "its data is in use";
    EXPECT_EQ (second.n_destroyed, 1);
  };

  publish ("node.ready");
  publish ("node.ready");
  turn ();
  publish ("node.ready");
  turn ();
  EXPECT_EQ (first.heard.size (), 1u);
  EXPECT_THAT (second.heard, IsEmpty ());
  EXPECT_EQ (first.n_destroyed, 1);
  EXPECT_EQ (nebula_subscription_get_n_queued (b.get ()), 0u);
}

TEST_F (EventBus, SubscriptionsOutliveTheirHandles)
{
  Listener &listener = listeners.emplace_back ();
  Listener &one = listeners.emplace_back ();
  g_object_unref (subscribe (listener, "*"));
  g_object_unref (subscribe (one, "*", "e1"));
  publish ("node.ready");
  turn ();
  EXPECT_EQ (listener.heard.size (), 1u);
  EXPECT_EQ (one.heard.size (), 1u);
  publish ("node.ready");
  g_clear_object (&bus);
  turn ();
  EXPECT_EQ (listener.heard.size (), 1u);
  EXPECT_EQ (listener.n_destroyed, 1);
  EXPECT_EQ (one.n_destroyed, 1);
}

TEST_F (EventBus, HandlerMayDropTheBus)
{
  Listener &listener = listeners.emplace_back ();
  Subscription subscription (subscribe (listener, "*"));
  listener.then = [&] (NebulaEvent *) { g_clear_object (&bus); };
  publish ("node.ready");
  publish ("node.started");
  turn ();
  EXPECT_EQ (bus, nullptr);
  EXPECT_EQ (listener.n_destroyed, 1);
}

TEST_F (EventBus, FullQueuesFollowTheirPolicy)
{
  Listener &oldest = listeners.emplace_back ();
  Listener &newest = listeners.emplace_back ();
  Listener &coalesce = listeners.emplace_back ();
  NebulaSubscriptionOptions options = {};
  options.capacity = 2;
  Subscription a (nebula_event_bus_subscribe_full (bus, &options, on_event, &oldest, nullptr));
  options.overflow = NEBULA_OVERFLOW_DROP_NEWEST;
  Subscription b (nebula_event_bus_subscribe_full (bus, &options, on_event, &newest, nullptr));
  options.overflow = NEBULA_OVERFLOW_COALESCE;
  Subscription c (nebula_event_bus_subscribe_full (bus, &options, on_event, &coalesce, nullptr));

  publish ("node.progress", "e1", "a");
  publish ("node.progress", "e1", "b");
  publish ("node.progress", "e1", "a");
  publish ("node.log", "e1", "a");
  turn ();
  EXPECT_THAT (oldest.heard, ElementsAre ("node.progress e1/a", "node.log e1/a"));
  EXPECT_THAT (newest.heard, ElementsAre ("node.progress e1/a", "node.progress e1/b"));
  EXPECT_THAT (coalesce.heard, ElementsAre ("node.progress e1/a", "node.log e1/a"));
  for (NebulaSubscription *subscription : { a.get (), b.get (), c.get () }) {
    EXPECT_EQ (nebula_subscription_get_n_dropped (subscription), 2u);
    EXPECT_EQ (nebula_subscription_get_n_sent (subscription), 2u);
  }
}

TEST_F (EventBus, LongQueuesShareTheLoop)
{
  Listener &listener = listeners.emplace_back ();
  Listener &other = listeners.emplace_back ();
  NebulaSubscriptionOptions options = {};
  options.capacity = 5000;
  Subscription a (nebula_event_bus_subscribe_full (bus, &options, on_event, &listener, nullptr));
  Subscription b (subscribe (other, "system.*"));
  for (int i = 0; i < 2000; i++)
    publish ("node.log");
  publish ("system.fatal", nullptr);

  g_main_context_iteration (context_, FALSE);
  EXPECT_GT (listener.heard.size (), 0u);
  EXPECT_LT (listener.heard.size (), 500u) << "one dispatch must end";
  EXPECT_EQ (other.heard.size (), 1u) << "a long queue must not hold up a short one";
  turn ();
  EXPECT_EQ (listener.heard.size (), 2001u);
}

TEST_F (EventBus, SlowSignalHandlersLoseTheOldest)
{
  Listener &listener = listeners.emplace_back ();
  g_signal_connect (bus, "event", G_CALLBACK (on_signal), &listener);
  publish ("node.ready");
  for (int i = 0; i < 65536; i++)
    publish ("node.log");
  turn ();
  EXPECT_EQ (listener.heard.size (), 65536u);
  EXPECT_EQ (listener.heard.front (), "node.log e1");
}

} // namespace
