/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events as messages of data/proto/nebula.proto. */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-event-private.h"
#include "nebula-protobuf-internal.h"

/**
 * nebula_event_to_protobuf:
 * @self: an event
 * @error: where to put an error
 *
 * Writes an event as the message `nebula.v1.Event` of `nebula.proto`.
 *
 * Errors: %NEBULA_ERROR_TOO_DEEP (terminal) if its data is nested deeper than 128 levels.
 *
 * Returns: (transfer full): the bytes
 *
 * Since: 1.0
 */
GBytes *
nebula_event_to_protobuf (NebulaEvent *self, GError **error)
{
  g_autoptr (NebulaArena) arena = NULL;
  Nebula__V1__Event message = NEBULA__V1__EVENT__INIT;
  Nebula__V1__Value *data = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  arena = nebula_arena_new (0);
  data = nebula_protobuf_new_value (arena, nebula_event_get_data (self), error);
  if (!data)
    return NULL;
  message.topic = nebula_protobuf_text (nebula_event_get_topic (self));
  message.tenant = nebula_protobuf_text (nebula_event_get_tenant (self));
  message.workflow = nebula_protobuf_text (nebula_event_get_workflow (self));
  message.execution = nebula_protobuf_text (nebula_event_get_execution (self));
  message.node = nebula_protobuf_text (nebula_event_get_node (self));
  message.sequence = nebula_event_get_sequence (self);
  message.time_usec = nebula_event_get_time_usec (self);
  message.data = data->object;
  return nebula_protobuf_pack (&message.base);
}

static NebulaEvent *
read_event (const Nebula__V1__Event *message, GError **error)
{
  g_autofree char *topic = NULL, *tenant = NULL, *workflow = NULL, *execution = NULL, *node = NULL;
  g_autoptr (NebulaValue) data = NULL;
  NebulaEventInfo info = { .sequence = message->sequence, .time_usec = message->time_usec };

  if (!nebula_protobuf_dup_text (&message->topic, &topic, error)
      || !nebula_protobuf_dup_text (&message->tenant, &tenant, error)
      || !nebula_protobuf_dup_text (&message->workflow, &workflow, error)
      || !nebula_protobuf_dup_text (&message->execution, &execution, error)
      || !nebula_protobuf_dup_text (&message->node, &node, error))
    return NULL;
  if (!topic || _nebula_event_find_topic (topic) < 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 _ ("The event has the topic “%s”, which this version does not know."), topic ? topic : "");
    return NULL;
  }
  data = message->data ? nebula_protobuf_get_object (message->data, error) : nebula_value_new_empty_object ();
  if (!data)
    return NULL;
  info.topic = topic;
  info.tenant = tenant;
  info.workflow = workflow;
  info.execution = execution;
  info.node = node;
  return nebula_event_new (&info, data);
}

/**
 * nebula_event_from_protobuf:
 * @bytes: a message `nebula.v1.Event` of `nebula.proto`
 * @error: where to put an error
 *
 * Reads an event.
 *
 * Errors, all terminal: those of nebula_value_from_protobuf(), and %NEBULA_ERROR_INVALID_DATA if this version does not know
 * its topic.
 *
 * Returns: (transfer full): the event
 *
 * Since: 1.0
 */
NebulaEvent *
nebula_event_from_protobuf (GBytes *bytes, GError **error)
{
  g_autoptr (NebulaArena) arena = NULL;
  Nebula__V1__Event *message = NULL;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  arena = nebula_protobuf_new_arena (bytes);
  message = nebula_protobuf_unpack (&nebula__v1__event__descriptor, bytes, arena, error);
  return message ? read_event (message, error) : NULL;
}
