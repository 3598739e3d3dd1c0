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

/**
 * NebulaEventInfo: (skip)
 *
 * What an event is made of. What does not apply is %NULL or 0.
 */
typedef struct
{
  const char *topic;     /* one of nebula_event_list_topics () */
  const char *tenant;
  const char *workflow;  /* name */
  const char *execution; /* stream */
  const char *node;
  guint64 sequence;      /* of the fact in its stream; 0: the event is ephemeral, no fact stands behind it */
  gint64 time_usec;      /* real time */
  const char *position;  /* in the order of commits; live events have none */
} NebulaEventInfo;

#define NEBULA_TYPE_EVENT (nebula_event_get_type ())
NEBULA_API GType nebula_event_get_type (void);
NEBULA_API NebulaEvent *nebula_event_new (const NebulaEventInfo *info, NebulaValue *data);
NEBULA_API NebulaEvent *nebula_event_new_for_node (const char *topic, const char *execution, const char *node, gint64 time_usec, NebulaValue *data);
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
NEBULA_API const char *nebula_event_get_position (NebulaEvent *self);
NEBULA_API NebulaValue *nebula_event_get_data (NebulaEvent *self);
NEBULA_API NebulaValue *nebula_event_to_cloud_event (NebulaEvent *self, const char *source);
/* The message nebula.v1.Event of data/proto/nebula.proto. */
NEBULA_API GBytes *nebula_event_to_protobuf (NebulaEvent *self, GError **error);
NEBULA_API NebulaEvent *nebula_event_from_protobuf (GBytes *bytes, GError **error);
NEBULA_API const char *const *nebula_event_list_topics (void);
/* `node.failed`, `node.*` or `*`, and it must name at least one topic. */
NEBULA_API gboolean nebula_event_is_pattern (const char *pattern);

G_END_DECLS
