/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-event.h"

G_BEGIN_DECLS

/**
 * NebulaOverflow:
 * @NEBULA_OVERFLOW_DROP_OLDEST: the oldest queued event goes
 * @NEBULA_OVERFLOW_DROP_NEWEST: the new event goes
 * @NEBULA_OVERFLOW_COALESCE: a queued event of the same topic, execution and node is replaced; without one the oldest goes
 *
 * What a full queue of a subscription does.
 */
typedef enum
{
  NEBULA_OVERFLOW_DROP_OLDEST,
  NEBULA_OVERFLOW_DROP_NEWEST,
  NEBULA_OVERFLOW_COALESCE,
} NebulaOverflow;

/**
 * NebulaSubscriptionOptions: (skip)
 *
 * Which events a subscription gets. %NULL members do not restrict.
 */
typedef struct
{
  const char *pattern;     /* `node.failed`, `node.*`, `*` */
  const char *tenant;
  const char *workflow;
  const char *execution;
  guint capacity;          /* events queued at most; 0: 1,024 */
  NebulaOverflow overflow;
} NebulaSubscriptionOptions;

#define NEBULA_TYPE_EVENT_BUS (nebula_event_bus_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaEventBus, nebula_event_bus, NEBULA, EVENT_BUS, GObject)

#define NEBULA_TYPE_SUBSCRIPTION (nebula_subscription_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaSubscription, nebula_subscription, NEBULA, SUBSCRIPTION, GObject)

/**
 * NebulaEventCallback:
 * @event: what happened
 * @user_data: data of the subscription
 *
 * Called in the context of the bus, outside any emission.
 */
typedef void (*NebulaEventCallback) (NebulaEvent *event, gpointer user_data);

/* Signal NebulaEventBus::event (detail = topic; NebulaEvent): for scripts and g_signal_connect. */
NEBULA_API NebulaEventBus *nebula_event_bus_new (void);
/* Whether anybody listens to @topic: the engine builds no events that nobody hears. */
NEBULA_API gboolean nebula_event_bus_has_subscriber (NebulaEventBus *self, const char *topic);
NEBULA_API gboolean nebula_event_bus_has_any_subscriber (NebulaEventBus *self);
NEBULA_API void nebula_event_bus_publish (NebulaEventBus *self, NebulaEvent *event);
/* Delivers what is queued at once, not in the next turn of the context. */
NEBULA_API void nebula_event_bus_deliver (NebulaEventBus *self);
/* Signals and callbacks run from a source of the owner's context, never inside publish. */
NEBULA_API NebulaSubscription *nebula_event_bus_subscribe (NebulaEventBus *self, const char *pattern, const char *execution, NebulaEventCallback callback, gpointer user_data, GDestroyNotify destroy);
NEBULA_API NebulaSubscription *nebula_event_bus_subscribe_full (NebulaEventBus *self, const NebulaSubscriptionOptions *options, NebulaEventCallback callback, gpointer user_data, GDestroyNotify destroy);
NEBULA_API void nebula_subscription_cancel (NebulaSubscription *self); /* no call-back after it returns */
NEBULA_API guint64 nebula_subscription_get_n_sent (NebulaSubscription *self);
NEBULA_API guint64 nebula_subscription_get_n_dropped (NebulaSubscription *self);
NEBULA_API guint nebula_subscription_get_n_queued (NebulaSubscription *self);

G_END_DECLS
