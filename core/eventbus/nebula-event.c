/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nebula-event-private.h"

/* Sorted by kind, and by life within it. Names are stable: others keep them in their filters. */
static const char *const topics[] = {
  "execution.created",
  "execution.started",
  "execution.suspended",
  "execution.resumed",
  "execution.paused",
  "execution.recovered",
  "execution.completed",
  "execution.failed",
  "execution.cancelled",
  "execution.timed-out",
  "node.ready",
  "node.started",
  "node.waiting",
  "node.retrying",
  "node.progress",
  "node.log",
  "node.completed",
  "node.failed",
  "node.skipped",
  "node.cancelled",
  "workflow.deployed",
  "timer.fired",
  "trigger.fired",
  "trigger.failed",
  "module.found",
  "module.broken",
  "resource.breaker",
  "system.store-paused",
  "system.store-resumed",
  "system.fatal",
  NULL,
};

#define N_TOPICS (G_N_ELEMENTS (topics) - 1)

G_STATIC_ASSERT (N_TOPICS <= NEBULA_EVENT_MAX_TOPICS);

struct _NebulaEvent
{
  guint topic;
  char *tenant;
  char *workflow;
  char *execution;
  char *node;
  guint64 sequence;
  gint64 time_usec;
  char *position;
  NebulaValue *data;
};

G_DEFINE_BOXED_TYPE (NebulaEvent, nebula_event, nebula_event_ref, nebula_event_unref)

gint
_nebula_event_find_topic (const char *topic)
{
  for (guint i = 0; i < N_TOPICS; i++)
    if (g_str_equal (topics[i], topic))
      return (gint) i;

  return -1;
}

guint
_nebula_event_get_topic_index (NebulaEvent *self)
{
  return self->topic;
}

guint64
_nebula_event_match_topics (const char *pattern)
{
  gboolean is_prefix = g_str_equal (pattern, "*") || g_str_has_suffix (pattern, ".*");
  gsize length = is_prefix ? strlen (pattern) - 1 : 0;
  guint64 mask = 0;

  for (guint i = 0; i < N_TOPICS; i++)
    if (is_prefix ? strncmp (topics[i], pattern, length) == 0 : g_str_equal (topics[i], pattern))
      mask |= G_GUINT64_CONSTANT (1) << i;

  return mask;
}

static void
nebula_event_clear (gpointer data)
{
  NebulaEvent *self = data;

  g_free (self->tenant);
  g_free (self->workflow);
  g_free (self->execution);
  g_free (self->node);
  g_free (self->position);
  nebula_value_unref (self->data);
}

/**
 * nebula_event_new: (skip)
 * @info: what happened, where and when
 * @data: (nullable): an object with what else there is to say; %NULL: an empty one
 *
 * Makes an event.
 *
 * Returns: (transfer full): an event
 *
 * Since: 1.0
 */
NebulaEvent *
nebula_event_new (const NebulaEventInfo *info, NebulaValue *data)
{
  NebulaEvent *self = NULL;
  gint index = -1;

  g_return_val_if_fail (info != NULL && info->topic != NULL, NULL);
  index = _nebula_event_find_topic (info->topic);
  g_return_val_if_fail (index >= 0, NULL);
  g_return_val_if_fail (!data || nebula_value_get_kind (data) == NEBULA_VALUE_KIND_OBJECT, NULL);

  self = g_atomic_rc_box_new0 (NebulaEvent);
  self->topic = (guint) index;
  self->tenant = g_strdup (info->tenant);
  self->workflow = g_strdup (info->workflow);
  self->execution = g_strdup (info->execution);
  self->node = g_strdup (info->node);
  self->sequence = info->sequence;
  self->time_usec = info->time_usec;
  self->position = g_strdup (info->position);
  self->data = data ? nebula_value_ref (data) : nebula_value_new_empty_object ();

  return self;
}

/**
 * nebula_event_new_for_node:
 * @topic: one of nebula_event_list_topics()
 * @execution: (nullable): the execution that it concerns
 * @node: (nullable): the node that it concerns
 * @time_usec: real time when it happened
 * @data: (nullable): an object with what else there is to say; %NULL: an empty one
 *
 * Makes an ephemeral event: one that no fact stands behind.
 *
 * Returns: (transfer full): an event
 *
 * Since: 1.0
 */
NebulaEvent *
nebula_event_new_for_node (const char *topic,
                           const char *execution,
                           const char *node,
                           gint64 time_usec,
                           NebulaValue *data)
{
  NebulaEventInfo info = {
    .topic = topic,
    .execution = execution,
    .node = node,
    .time_usec = time_usec,
  };

  return nebula_event_new (&info, data);
}

/**
 * nebula_event_ref:
 * @self: an event
 *
 * Adds a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaEvent *
nebula_event_ref (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_atomic_rc_box_acquire (self);
}

/**
 * nebula_event_unref:
 * @self: (transfer full): an event
 *
 * Drops a reference; the last one frees @self.
 *
 * Since: 1.0
 */
void
nebula_event_unref (NebulaEvent *self)
{
  g_return_if_fail (self != NULL);

  g_atomic_rc_box_release_full (self, nebula_event_clear);
}

/**
 * nebula_event_get_topic:
 * @self: an event
 *
 * What kind of thing happened, such as `node.failed`.
 *
 * Returns: (transfer none): a static string
 *
 * Since: 1.0
 */
const char *
nebula_event_get_topic (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return topics[self->topic];
}

/**
 * nebula_event_get_tenant:
 * @self: an event
 *
 * Whose event it is.
 *
 * Returns: (transfer none) (nullable): lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_event_get_tenant (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->tenant;
}

/**
 * nebula_event_get_workflow:
 * @self: an event
 *
 * The name of the workflow that it concerns.
 *
 * Returns: (transfer none) (nullable): lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_event_get_workflow (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->workflow;
}

/**
 * nebula_event_get_execution:
 * @self: an event
 *
 * The execution that it concerns.
 *
 * Returns: (transfer none) (nullable): lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_event_get_execution (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->execution;
}

/**
 * nebula_event_get_node:
 * @self: an event
 *
 * The node that it concerns.
 *
 * Returns: (transfer none) (nullable): lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_event_get_node (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->node;
}

/**
 * nebula_event_get_sequence:
 * @self: an event
 *
 * The number of the fact behind it, in the stream of its execution.
 *
 * Returns: the number; 0 if it is ephemeral
 *
 * Since: 1.0
 */
guint64
nebula_event_get_sequence (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->sequence;
}

/**
 * nebula_event_get_time_usec:
 * @self: an event
 *
 * When it happened.
 *
 * Returns: microseconds since 1970 in UTC
 *
 * Since: 1.0
 */
gint64
nebula_event_get_time_usec (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->time_usec;
}

/**
 * nebula_event_get_position:
 * @self: an event
 *
 * Gets the place of @self in the order of all that was committed, if it was read from the journal: see #NebulaEventReader.
 * Positions are opaque, and of two the one that strcmp() puts first comes first.
 *
 * Returns: (transfer none) (nullable): the position; %NULL for live events
 *
 * Since: 1.0
 */
const char *
nebula_event_get_position (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->position;
}

/**
 * nebula_event_get_data:
 * @self: an event
 *
 * What else there is to say.
 *
 * Returns: (transfer none): an object; lives as long as @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_event_get_data (NebulaEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->data;
}

/* The same fact always has the same id, so that a receiver knows a repetition. */
static char *
make_id (NebulaEvent *self)
{
  const char *execution = self->execution ? self->execution : "-";
  const char *node = self->node ? self->node : "-";

  if (self->sequence != 0)
    return g_strdup_printf ("%s/%" G_GUINT64_FORMAT "/%s/%s", execution, self->sequence,
                            topics[self->topic], node);

  return g_strdup_printf ("%s/%s/%s/%" G_GINT64_FORMAT "/%08x", execution, topics[self->topic],
                          node, self->time_usec, nebula_value_hash (self->data));
}

/* RFC 3339; NULL outside the years 1 … 9999. */
static char *
make_time (gint64 usec)
{
  gint64 rest = usec % G_USEC_PER_SEC;
  gint64 seconds = usec / G_USEC_PER_SEC - (rest < 0 ? 1 : 0);
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
  g_autofree char *text = time ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%S") : NULL;

  if (!text)
    return NULL;

  return g_strdup_printf ("%s.%06dZ", text, (int) (rest < 0 ? rest + G_USEC_PER_SEC : rest));
}

static void
set_text (NebulaValueBuilder *builder, const char *key, const char *text)
{
  if (text && text[0] != '\0')
    nebula_value_builder_set_string (builder, key, text);
}

/**
 * nebula_event_to_cloud_event:
 * @self: an event
 * @source: (nullable): who sends it, a URI reference; %NULL: `/nebula`
 *
 * Makes the CloudEvents 1.0 form of @self, in the structured JSON format.
 *
 * The same fact always has the same id. Tenant, workflow, node, sequence and position are extension attributes.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_event_to_cloud_event (NebulaEvent *self, const char *source)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autofree char *id = NULL;
  g_autofree char *type = NULL;
  g_autofree char *time = NULL;
  g_autofree char *sequence = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  builder = nebula_value_builder_new_object ();
  id = make_id (self);
  type = g_strconcat ("org.nebula.", topics[self->topic], NULL);
  time = make_time (self->time_usec);
  if (self->sequence != 0)
    sequence = g_strdup_printf ("%020" G_GUINT64_FORMAT, self->sequence);

  set_text (builder, "specversion", "1.0");
  set_text (builder, "id", id);
  set_text (builder, "source", source && source[0] != '\0' ? source : "/nebula");
  set_text (builder, "type", type);
  set_text (builder, "subject", self->execution);
  set_text (builder, "time", time);
  set_text (builder, "tenant", self->tenant);
  set_text (builder, "workflow", self->workflow);
  set_text (builder, "node", self->node);
  set_text (builder, "sequence", sequence);
  set_text (builder, "position", self->position);
  set_text (builder, "datacontenttype", "application/json");
  nebula_value_builder_set (builder, "data", self->data);

  return nebula_value_builder_end (builder);
}

/**
 * nebula_event_list_topics:
 *
 * All topics that there are. The list grows with new versions and never shrinks.
 *
 * Returns: (transfer none) (array zero-terminated=1): static strings
 *
 * Since: 1.0
 */
const char *const *
nebula_event_list_topics (void)
{
  return topics;
}

/**
 * nebula_event_is_pattern:
 * @pattern: a topic, or the beginning of some with `.*`, or `*`
 *
 * Whether @pattern names at least one topic, for text that comes from outside.
 *
 * Returns: whether it does
 *
 * Since: 1.0
 */
gboolean
nebula_event_is_pattern (const char *pattern)
{
  g_return_val_if_fail (pattern != NULL, FALSE);

  return _nebula_event_match_topics (pattern) != 0;
}
