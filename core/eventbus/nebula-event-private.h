/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-event.h"

G_BEGIN_DECLS

#define NEBULA_EVENT_MAX_TOPICS 64

/* Index of a topic in the list; -1 if there is none such. */
gint _nebula_event_find_topic (const char *topic);
guint _nebula_event_get_topic_index (NebulaEvent *self);
/* The topics that a pattern names, one bit each. */
guint64 _nebula_event_match_topics (const char *pattern);

G_END_DECLS
