/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "nebula-api.h"

G_BEGIN_DECLS

#define NEBULA_METRIC_SERIES_MAX 2000 /* of one metric; what comes then is counted under “other” */

/**
 * NebulaMetricKind:
 * @NEBULA_METRIC_KIND_COUNTER: only grows
 * @NEBULA_METRIC_KIND_GAUGE: goes up and down
 * @NEBULA_METRIC_KIND_HISTOGRAM: counts what was observed, by size
 *
 * What a metric is.
 */
typedef enum
{
  NEBULA_METRIC_KIND_COUNTER,
  NEBULA_METRIC_KIND_GAUGE,
  NEBULA_METRIC_KIND_HISTOGRAM,
} NebulaMetricKind;

/**
 * NebulaMetric:
 *
 * A metric: a number for each set of values of its labels.
 *
 * Thread: any.
 */
typedef struct _NebulaMetric NebulaMetric;

#define NEBULA_TYPE_METRIC (nebula_metric_get_type ())
NEBULA_API GType nebula_metric_get_type (void);
NEBULA_API NebulaMetric *nebula_metric_ref (NebulaMetric *self);
NEBULA_API void nebula_metric_unref (NebulaMetric *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaMetric, nebula_metric_unref)
NEBULA_API const char *nebula_metric_get_name (NebulaMetric *self);
/* @values: one for each label, in their order; NULL where there are none. */
NEBULA_API void nebula_metric_add (NebulaMetric *self, const char *const *values, double amount);
NEBULA_API void nebula_metric_set (NebulaMetric *self, const char *const *values, double number);
NEBULA_API void nebula_metric_observe (NebulaMetric *self, const char *const *values, double number);
/* The number; of a histogram the sum of what was observed. */
NEBULA_API double nebula_metric_get (NebulaMetric *self, const char *const *values);
/* Forgets all series: a collector may begin anew. */
NEBULA_API void nebula_metric_clear (NebulaMetric *self);

#define NEBULA_TYPE_METRICS (nebula_metrics_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaMetrics, nebula_metrics, NEBULA, METRICS, GObject)

/**
 * NebulaCollectFunc:
 * @metrics: the metrics
 * @user_data: data
 *
 * Brings metrics up to date, before they are read.
 */
typedef void (*NebulaCollectFunc) (NebulaMetrics *metrics, gpointer user_data);

NEBULA_API NebulaMetrics *nebula_metrics_new (void);
/* One of this name that is there already is given, if it is the same. */
NEBULA_API NebulaMetric *nebula_metrics_declare (NebulaMetrics *self, NebulaMetricKind kind, const char *name, const char *help, const char *const *labels);
/* @bounds: upper ends, growing; NULL: from 1 ms to 60 s, in seconds. */
NEBULA_API NebulaMetric *nebula_metrics_declare_histogram (NebulaMetrics *self, const char *name, const char *help, const char *const *labels, const double *bounds, gsize n_bounds);
NEBULA_API guint nebula_metrics_add_collector (NebulaMetrics *self, NebulaCollectFunc func, gpointer user_data, GDestroyNotify destroy);
NEBULA_API void nebula_metrics_remove_collector (NebulaMetrics *self, guint id);
NEBULA_API char *nebula_metrics_to_text (NebulaMetrics *self);

G_END_DECLS
