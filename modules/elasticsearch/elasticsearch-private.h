/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nebula/nebula-sdk.h>

G_BEGIN_DECLS

#define NEBULA_TYPE_ELASTICSEARCH_SINK (nebula_elasticsearch_sink_get_type ())
G_DECLARE_FINAL_TYPE (NebulaElasticsearchSink,
                      nebula_elasticsearch_sink,
                      NEBULA,
                      ELASTICSEARCH_SINK,
                      NebulaLogSink)

/* The body of a bulk request: two lines an entry. */
GBytes *nebula_elasticsearch_make_body (const char *index, GPtrArray *records);

/* Reads an answer: keeps in @records those entries that shall be sent again. FALSE if the answer is none, or if it says
 * that entries were refused for ever; they are not kept. */
gboolean nebula_elasticsearch_read_answer (GBytes *answer, GPtrArray *records, GError **error);

G_END_DECLS
