/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Everything is delivered from one source of the owner's context. publish() only puts the event into queues, so neither
 * a signal handler nor a callback ever runs below the code that published, nor below another handler: GLib does not
 * dispatch a source again while it is being dispatched. A dispatch ends after a number of calls and comes back, so that
 * other sources get their turn.
 *
 * Topics are few and closed, so a pattern becomes a set of bits. Subscriptions to one execution are found by its id;
 * only those to many are looked at for every event.
 */

#include "nebula-event-bus.h"

#include "nebula-event-private.h"

#define DEFAULT_CAPACITY 1024
#define SIGNAL_CAPACITY 65536
#define CALLS_PER_DISPATCH 256
#define CALLS_PER_TURN 32

/**
 * NebulaEventBus:
 *
 * Tells what happened to whoever wants to know.
 *
 * Thread: owner context.
 */
struct _NebulaEventBus
{
  GObject parent_instance;

  GMainContext *context;
  GSource *source;
  GPtrArray *general;       /* subscriptions to no certain execution */
  GHashTable *by_execution; /* id → GPtrArray of subscriptions */
  GQueue ready;             /* subscriptions with queued events, each once, with a reference */
  GQueue signals;           /* events for the signal */
  guint64 n_signals_dropped;
  gboolean is_delivering;   /* handlers never run inside one another */
  guint n_topic_subscribers[NEBULA_EVENT_MAX_TOPICS];
};

/**
 * NebulaSubscription:
 *
 * One wish to be told, with a queue of its own. It lasts until it is cancelled or its bus goes away, whether somebody
 * holds it or not.
 *
 * Thread: owner context of the bus.
 */
struct _NebulaSubscription
{
  GObject parent_instance;

  NebulaEventBus *bus; /* NULL once cancelled */
  guint64 topics;
  char *tenant;
  char *workflow;
  char *execution;
  guint capacity;
  NebulaOverflow overflow;
  NebulaEventCallback callback;
  gpointer user_data;
  GDestroyNotify destroy;
  GQueue queue;
  gboolean is_ready;
  gboolean is_calling;
  guint64 n_sent;
  guint64 n_dropped;
};

typedef struct
{
  GSource parent_instance;
  NebulaEventBus *bus;
} BusSource;

enum
{
  SIGNAL_EVENT,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (NebulaEventBus, nebula_event_bus, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE (NebulaSubscription, nebula_subscription, G_TYPE_OBJECT)

/* Subscriptions. */

static void
count_topics (NebulaEventBus *self, guint64 topics, gint change)
{
  for (guint i = 0; i < NEBULA_EVENT_MAX_TOPICS; i++)
    if ((topics >> i) & 1)
      self->n_topic_subscribers[i] += (guint) change;
}

/* Takes it out of its bus. Its reference there is the caller's now. */
static NebulaSubscription *
detach (NebulaSubscription *self)
{
  NebulaEventBus *bus = g_steal_pointer (&self->bus);
  GPtrArray *list =
      self->execution ? g_hash_table_lookup (bus->by_execution, self->execution) : bus->general;

  count_topics (bus, self->topics, -1);
  if (self->is_ready && g_queue_remove (&bus->ready, self))
    g_object_unref (self);
  self->is_ready = FALSE;
  g_queue_clear_full (&self->queue, (GDestroyNotify) nebula_event_unref);

  g_object_ref (self);
  g_ptr_array_remove (list, self);
  if (self->execution && list->len == 0)
    g_hash_table_remove (bus->by_execution, self->execution);

  return self;
}

static void
release_user_data (NebulaSubscription *self)
{
  GDestroyNotify destroy = g_steal_pointer (&self->destroy);
  gpointer user_data = g_steal_pointer (&self->user_data);

  self->callback = NULL;
  if (destroy)
    destroy (user_data);
}

static gboolean
is_same (const char *wanted, const char *found)
{
  return !wanted || g_strcmp0 (wanted, found) == 0;
}

static gboolean
nebula_subscription_wants (NebulaSubscription *self, NebulaEvent *event)
{
  return ((self->topics >> _nebula_event_get_topic_index (event)) & 1) != 0 &&
         is_same (self->tenant, nebula_event_get_tenant (event)) &&
         is_same (self->workflow, nebula_event_get_workflow (event));
}

static gboolean
concerns_the_same (NebulaEvent *event, NebulaEvent *other)
{
  return _nebula_event_get_topic_index (event) == _nebula_event_get_topic_index (other) &&
         g_strcmp0 (nebula_event_get_execution (event), nebula_event_get_execution (other)) == 0 &&
         g_strcmp0 (nebula_event_get_node (event), nebula_event_get_node (other)) == 0;
}

/* What makes room for @event: the link of a queued one, or NULL if @event itself goes. */
static GList *
find_victim (NebulaSubscription *self, NebulaEvent *event)
{
  if (self->overflow == NEBULA_OVERFLOW_DROP_NEWEST)
    return NULL;
  if (self->overflow == NEBULA_OVERFLOW_COALESCE)
    for (GList *link = self->queue.tail; link; link = link->prev)
      if (concerns_the_same (link->data, event))
        return link;

  return self->queue.head;
}

static void
nebula_subscription_enqueue (NebulaSubscription *self, NebulaEvent *event)
{
  if (self->queue.length >= self->capacity) {
    GList *victim = find_victim (self, event);

    self->n_dropped++;
    if (!victim)
      return;
    nebula_event_unref (victim->data);
    g_queue_delete_link (&self->queue, victim);
  }

  g_queue_push_tail (&self->queue, nebula_event_ref (event));
  if (self->is_ready)
    return;
  self->is_ready = TRUE;
  g_queue_push_tail (&self->bus->ready, g_object_ref (self));
}

/* Some events of one subscription; the number of calls. The callback may cancel it. */
static guint
nebula_subscription_deliver (NebulaSubscription *self)
{
  guint n_calls = 0;

  self->is_calling = TRUE;
  while (self->bus && self->queue.length > 0 && n_calls < CALLS_PER_TURN) {
    g_autoptr (NebulaEvent) event = g_queue_pop_head (&self->queue);

    n_calls++;
    self->n_sent++;
    self->callback (event, self->user_data);
  }
  self->is_calling = FALSE;

  /* It cancelled itself: its data is freed only now that nobody uses it. */
  if (!self->bus)
    release_user_data (self);

  return n_calls;
}

static void
nebula_subscription_finalize (GObject *object)
{
  NebulaSubscription *self = NEBULA_SUBSCRIPTION (object);

  release_user_data (self);
  g_queue_clear_full (&self->queue, (GDestroyNotify) nebula_event_unref);
  g_free (self->tenant);
  g_free (self->workflow);
  g_free (self->execution);

  G_OBJECT_CLASS (nebula_subscription_parent_class)->finalize (object);
}

static void
nebula_subscription_class_init (NebulaSubscriptionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_subscription_finalize;
}

static void
nebula_subscription_init (NebulaSubscription *self)
{
  g_queue_init (&self->queue);
}

/* Delivery. */

static guint
deliver_signals (NebulaEventBus *self)
{
  guint n_calls = 0;

  while (self->signals.length > 0 && n_calls < CALLS_PER_TURN) {
    g_autoptr (NebulaEvent) event = g_queue_pop_head (&self->signals);

    n_calls++;
    g_signal_emit (self, signals[SIGNAL_EVENT],
                   g_quark_from_static_string (nebula_event_get_topic (event)), event);
  }

  return n_calls;
}

static guint
deliver_next (NebulaEventBus *self)
{
  g_autoptr (NebulaSubscription) subscription = g_queue_pop_head (&self->ready);
  guint n_calls = 0;

  if (!subscription)
    return 0;

  subscription->is_ready = FALSE;
  n_calls = nebula_subscription_deliver (subscription);
  if (subscription->bus && subscription->queue.length > 0 && !subscription->is_ready) {
    subscription->is_ready = TRUE;
    g_queue_push_tail (&self->ready, g_object_ref (subscription));
  }

  return n_calls;
}

static void
deliver (NebulaEventBus *self, guint n_calls_max)
{
  g_autoptr (NebulaEventBus) keep = g_object_ref (self);
  guint n_calls = 0;

  self->is_delivering = TRUE;
  while (n_calls < n_calls_max && (self->signals.length > 0 || self->ready.length > 0))
    n_calls += deliver_signals (self) + deliver_next (self);
  self->is_delivering = FALSE;
}

static gboolean
dispatch_source (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_autoptr (NebulaEventBus) self = g_object_ref (((BusSource *) source)->bus);

  g_source_set_ready_time (source, -1);
  deliver (self, CALLS_PER_DISPATCH);
  if (self->signals.length > 0 || self->ready.length > 0)
    g_source_set_ready_time (source, 0);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch_source };

static void
cancel_all (NebulaEventBus *self, GPtrArray *list)
{
  g_autoptr (GPtrArray) copy = g_ptr_array_new_with_free_func (g_object_unref);

  /* Cancelling takes it out of the list, and perhaps the list out of the bus. */
  for (guint i = 0; i < list->len; i++)
    g_ptr_array_add (copy, g_object_ref (g_ptr_array_index (list, i)));
  for (guint i = 0; i < copy->len; i++)
    nebula_subscription_cancel (g_ptr_array_index (copy, i));
}

static void
nebula_event_bus_dispose (GObject *object)
{
  NebulaEventBus *self = NEBULA_EVENT_BUS (object);
  g_autoptr (GList) lists = g_hash_table_get_values (self->by_execution);

  for (GList *link = lists; link; link = link->next)
    cancel_all (self, link->data);
  cancel_all (self, self->general);
  g_queue_clear_full (&self->signals, (GDestroyNotify) nebula_event_unref);
  g_source_destroy (self->source);

  G_OBJECT_CLASS (nebula_event_bus_parent_class)->dispose (object);
}

static void
nebula_event_bus_finalize (GObject *object)
{
  NebulaEventBus *self = NEBULA_EVENT_BUS (object);

  g_source_unref (self->source);
  g_main_context_unref (self->context);
  g_hash_table_unref (self->by_execution);
  g_ptr_array_unref (self->general);

  G_OBJECT_CLASS (nebula_event_bus_parent_class)->finalize (object);
}

static void
nebula_event_bus_class_init (NebulaEventBusClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = nebula_event_bus_dispose;
  object_class->finalize = nebula_event_bus_finalize;

  /**
   * NebulaEventBus::event:
   * @self: the bus
   * @event: what happened
   *
   * Something happened. The detail is the topic: connect to `event::node.failed` for one, to `event` for all.
   *
   * Emitted from a source of the bus's context, never inside nebula_event_bus_publish().
   *
   * Since: 1.0
   */
  /* Without G_SIGNAL_TYPE_STATIC_SCOPE: GJS would not take a reference of its own. */
  signals[SIGNAL_EVENT] =
      g_signal_new ("event", NEBULA_TYPE_EVENT_BUS, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 1, NEBULA_TYPE_EVENT);
}

static void
nebula_event_bus_init (NebulaEventBus *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->general = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_execution = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                              (GDestroyNotify) g_ptr_array_unref);
  g_queue_init (&self->ready);
  g_queue_init (&self->signals);

  self->source = g_source_new (&source_funcs, sizeof (BusSource));
  ((BusSource *) self->source)->bus = self;
  g_source_set_static_name (self->source, "NebulaEventBus");
  g_source_attach (self->source, self->context);
}

/**
 * nebula_event_bus_new:
 *
 * Makes a bus whose owner is the current thread-default context.
 *
 * Returns: (transfer full): a bus
 *
 * Since: 1.0
 */
NebulaEventBus *
nebula_event_bus_new (void)
{
  return g_object_new (NEBULA_TYPE_EVENT_BUS, NULL);
}

/* Of whatever topic: one look instead of one for each. */
static gboolean
has_any_handler (NebulaEventBus *self)
{
  return g_signal_handler_find (self, G_SIGNAL_MATCH_ID, signals[SIGNAL_EVENT], 0, NULL, NULL, NULL) != 0;
}

static gboolean
has_handler (NebulaEventBus *self, guint topic)
{
  GQuark detail = 0;

  if (!has_any_handler (self))
    return FALSE;

  detail = g_quark_try_string (nebula_event_list_topics ()[topic]);

  return g_signal_has_handler_pending (self, signals[SIGNAL_EVENT], 0, TRUE) ||
         (detail != 0 && g_signal_has_handler_pending (self, signals[SIGNAL_EVENT], detail, TRUE));
}

/**
 * nebula_event_bus_has_subscriber:
 * @self: a bus
 * @topic: a topic
 *
 * Whether anybody listens to @topic, so that nobody need make an event that is not heard.
 *
 * Returns: whether there is a subscription or a signal handler
 *
 * Since: 1.0
 */
gboolean
nebula_event_bus_has_subscriber (NebulaEventBus *self, const char *topic)
{
  gint index = -1;

  g_return_val_if_fail (NEBULA_IS_EVENT_BUS (self), FALSE);
  g_return_val_if_fail (topic != NULL, FALSE);

  index = _nebula_event_find_topic (topic);

  return index >= 0 &&
         (self->n_topic_subscribers[index] > 0 || has_handler (self, (guint) index));
}

/**
 * nebula_event_bus_has_any_subscriber:
 * @self: a bus
 *
 * Whether anybody listens to any topic.
 *
 * Returns: whether there is a subscription or a signal handler
 *
 * Since: 1.0
 */
gboolean
nebula_event_bus_has_any_subscriber (NebulaEventBus *self)
{
  g_return_val_if_fail (NEBULA_IS_EVENT_BUS (self), FALSE);

  return self->general->len > 0 || g_hash_table_size (self->by_execution) > 0 ||
         has_any_handler (self);
}

static void
enqueue_for (GPtrArray *subscriptions, NebulaEvent *event)
{
  for (guint i = 0; subscriptions && i < subscriptions->len; i++) {
    NebulaSubscription *subscription = g_ptr_array_index (subscriptions, i);

    if (nebula_subscription_wants (subscription, event))
      nebula_subscription_enqueue (subscription, event);
  }
}

static void
enqueue_for_signal (NebulaEventBus *self, NebulaEvent *event)
{
  if (!has_handler (self, _nebula_event_get_topic_index (event)))
    return;

  if (self->signals.length >= SIGNAL_CAPACITY) {
    if (self->n_signals_dropped++ == 0)
      g_debug ("Signal handlers are too slow: events are dropped");
    nebula_event_unref (g_queue_pop_head (&self->signals));
  }
  g_queue_push_tail (&self->signals, nebula_event_ref (event));
}

/**
 * nebula_event_bus_publish:
 * @self: a bus
 * @event: what happened
 *
 * Queues @event for everybody who wants it. Nobody is called before this returns.
 *
 * Thread: owner context.
 *
 * Since: 1.0
 */
void
nebula_event_bus_publish (NebulaEventBus *self, NebulaEvent *event)
{
  const char *execution = NULL;

  g_return_if_fail (NEBULA_IS_EVENT_BUS (self));
  g_return_if_fail (event != NULL);

  execution = nebula_event_get_execution (event);
  enqueue_for_signal (self, event);
  enqueue_for (self->general, event);
  if (execution)
    enqueue_for (g_hash_table_lookup (self->by_execution, execution), event);

  if (self->signals.length > 0 || self->ready.length > 0)
    g_source_set_ready_time (self->source, 0);
}

/**
 * nebula_event_bus_deliver:
 * @self: a bus
 *
 * Delivers what is queued at once, not in the next turn of the context. In a handler of the bus it does nothing.
 *
 * Since: 1.0
 */
void
nebula_event_bus_deliver (NebulaEventBus *self)
{
  g_return_if_fail (NEBULA_IS_EVENT_BUS (self));

  if (!self->is_delivering)
    deliver (self, SIGNAL_CAPACITY);
}

/**
 * nebula_event_bus_subscribe:
 * @self: a bus
 * @pattern: `node.failed`, `node.*` or `*`
 * @execution: (nullable): only events of this execution
 * @callback: (scope notified) (closure user_data) (destroy destroy): called for each event, in the context of the bus
 * @user_data: data for @callback
 * @destroy: (nullable): frees @user_data
 *
 * Asks for events. At most 1,024 wait in the subscription's queue; when it is full the oldest goes.
 *
 * Returns: (transfer full): a subscription, which lasts until it is cancelled
 *
 * Since: 1.0
 */
NebulaSubscription *
nebula_event_bus_subscribe (NebulaEventBus *self,
                            const char *pattern,
                            const char *execution,
                            NebulaEventCallback callback,
                            gpointer user_data,
                            GDestroyNotify destroy)
{
  NebulaSubscriptionOptions options = { .pattern = pattern, .execution = execution };

  return nebula_event_bus_subscribe_full (self, &options, callback, user_data, destroy);
}

static void
attach (NebulaEventBus *self, NebulaSubscription *subscription)
{
  GPtrArray *list = self->general;

  if (subscription->execution)
    list = g_hash_table_lookup (self->by_execution, subscription->execution);
  if (!list) {
    list = g_ptr_array_new_with_free_func (g_object_unref);
    g_hash_table_insert (self->by_execution, g_strdup (subscription->execution), list);
  }

  subscription->bus = self;
  count_topics (self, subscription->topics, 1);
  g_ptr_array_add (list, g_object_ref (subscription));
}

/**
 * nebula_event_bus_subscribe_full: (skip)
 * @self: a bus
 * @options: which events
 * @callback: (scope notified) (closure user_data) (destroy destroy): called for each event, in the context of the bus
 * @user_data: data for @callback
 * @destroy: (nullable): frees @user_data
 *
 * Asks for events.
 *
 * Returns: (transfer full): a subscription, which lasts until it is cancelled
 *
 * Since: 1.0
 */
NebulaSubscription *
nebula_event_bus_subscribe_full (NebulaEventBus *self,
                                 const NebulaSubscriptionOptions *options,
                                 NebulaEventCallback callback,
                                 gpointer user_data,
                                 GDestroyNotify destroy)
{
  g_autoptr (NebulaSubscription) subscription = NULL;
  const char *pattern = NULL;

  g_return_val_if_fail (NEBULA_IS_EVENT_BUS (self), NULL);
  g_return_val_if_fail (options != NULL, NULL);
  g_return_val_if_fail (callback != NULL, NULL);
  pattern = options->pattern ? options->pattern : "*";
  g_return_val_if_fail (nebula_event_is_pattern (pattern), NULL);

  subscription = g_object_new (NEBULA_TYPE_SUBSCRIPTION, NULL);
  subscription->topics = _nebula_event_match_topics (pattern);
  subscription->tenant = g_strdup (options->tenant);
  subscription->workflow = g_strdup (options->workflow);
  subscription->execution = g_strdup (options->execution);
  subscription->capacity = options->capacity ? options->capacity : DEFAULT_CAPACITY;
  subscription->overflow = options->overflow;
  subscription->callback = callback;
  subscription->user_data = user_data;
  subscription->destroy = destroy;
  attach (self, subscription);

  return g_steal_pointer (&subscription);
}

/**
 * nebula_subscription_cancel:
 * @self: a subscription
 *
 * Ends @self: what it has queued is dropped, and its callback is not called after this returns.
 *
 * Thread: owner context of the bus.
 *
 * Since: 1.0
 */
void
nebula_subscription_cancel (NebulaSubscription *self)
{
  g_autoptr (NebulaSubscription) detached = NULL;

  g_return_if_fail (NEBULA_IS_SUBSCRIPTION (self));

  if (!self->bus)
    return;
  detached = detach (self);
  if (!self->is_calling)
    release_user_data (self);
}

/**
 * nebula_subscription_get_n_sent:
 * @self: a subscription
 *
 * How many events its callback has been given.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint64
nebula_subscription_get_n_sent (NebulaSubscription *self)
{
  g_return_val_if_fail (NEBULA_IS_SUBSCRIPTION (self), 0);

  return self->n_sent;
}

/**
 * nebula_subscription_get_n_dropped:
 * @self: a subscription
 *
 * How many events its full queue has lost or replaced.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint64
nebula_subscription_get_n_dropped (NebulaSubscription *self)
{
  g_return_val_if_fail (NEBULA_IS_SUBSCRIPTION (self), 0);

  return self->n_dropped;
}

/**
 * nebula_subscription_get_n_queued:
 * @self: a subscription
 *
 * How many events wait in its queue.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
nebula_subscription_get_n_queued (NebulaSubscription *self)
{
  g_return_val_if_fail (NEBULA_IS_SUBSCRIPTION (self), 0);

  return self->queue.length;
}
