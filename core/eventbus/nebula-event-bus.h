/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaEvent:
 *
 * Something that happened and is committed. Topics are a closed list: `execution.started`, `node.failed`, …
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaEvent NebulaEvent;

#define NEBULA_TYPE_EVENT (nebula_event_get_type ())
NEBULA_API GType nebula_event_get_type (void);
/* @topic must be one of nebula_event_list_topics (). @sequence: of the fact in its stream; 0 if ephemeral. @data: object */
NEBULA_API NebulaEvent *nebula_event_new (const char *topic, const char *tenant, const char *workflow, const char *execution, const char *node, guint64 sequence, gint64 time_usec, NebulaValue *data);
NEBULA_API NebulaEvent *nebula_event_ref (NebulaEvent *self);
NEBULA_API void nebula_event_unref (NebulaEvent *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaEvent, nebula_event_unref)
NEBULA_API const char *nebula_event_get_topic (NebulaEvent *self);
NEBULA_API const char *nebula_event_get_tenant (NebulaEvent *self);
NEBULA_API const char *nebula_event_get_workflow (NebulaEvent *self);
NEBULA_API const char *nebula_event_get_execution (NebulaEvent *self);
NEBULA_API const char *nebula_event_get_node (NebulaEvent *self);
NEBULA_API guint64 nebula_event_get_sequence (NebulaEvent *self);
NEBULA_API gint64 nebula_event_get_time_usec (NebulaEvent *self);
NEBULA_API NebulaValue *nebula_event_get_data (NebulaEvent *self);
NEBULA_API NebulaValue *nebula_event_to_cloud_event (NebulaEvent *self, const char *source);
NEBULA_API const char *const *nebula_event_list_topics (void);

/**
 * NebulaOverflow:
 * @NEBULA_OVERFLOW_DROP_OLDEST: the oldest queued event goes
 * @NEBULA_OVERFLOW_DROP_NEWEST: the new event goes
 * @NEBULA_OVERFLOW_COALESCE: a queued event of the same topic, execution and node is replaced
 *
 * What a full queue of a subscription does.
 */
typedef enum
{
  NEBULA_OVERFLOW_DROP_OLDEST,
  NEBULA_OVERFLOW_DROP_NEWEST,
  NEBULA_OVERFLOW_COALESCE,
} NebulaOverflow;

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
NEBULA_API void nebula_event_bus_publish (NebulaEventBus *self, NebulaEvent *event);
/* @pattern: `node.failed`, `node.*`, `*`; @execution, @workflow: only those (NULL: all). The queue holds at most @capacity
 * events (0: 1,024); they are delivered from an idle source of the owner's context. */
NEBULA_API NebulaSubscription *nebula_event_bus_subscribe (NebulaEventBus *self, const char *pattern, const char *workflow, const char *execution, guint capacity, NebulaOverflow overflow, NebulaEventCallback callback, gpointer user_data, GDestroyNotify destroy);
NEBULA_API void nebula_subscription_cancel (NebulaSubscription *self); /* no call-back after it returns */
NEBULA_API guint64 nebula_subscription_get_n_sent (NebulaSubscription *self);
NEBULA_API guint64 nebula_subscription_get_n_dropped (NebulaSubscription *self);
NEBULA_API guint nebula_subscription_get_n_queued (NebulaSubscription *self);

G_END_DECLS
