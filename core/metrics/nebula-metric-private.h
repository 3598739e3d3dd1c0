/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-metrics.h"

G_BEGIN_DECLS

typedef struct {
  char **values; /* of the labels; NULL where the metric has none */
  double number; /* of a histogram: the sum */
  guint64 count; /* what follows is of a histogram */
  guint64 buckets[]; /* each without those below; the last is above all bounds */
} NebulaSeries;

struct _NebulaMetric {
  gint refs;
  NebulaMetricKind kind;
  char *name;
  char *help;
  char **labels; /* NULL: none */
  double *bounds;
  gsize n_bounds;

  GMutex mutex; /* guards the series */
  GHashTable *series; /* values as one text → NebulaSeries */
};

NebulaMetric *_nebula_metric_new (NebulaMetricKind kind, const char *name, const char *help, const char *const *labels);
gboolean _nebula_metric_is (NebulaMetric *self, NebulaMetricKind kind, const char *const *labels);
void _nebula_metric_append_text (NebulaMetric *self, GString *text);

G_END_DECLS
