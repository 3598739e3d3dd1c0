/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "nebula-metric-private.h"

typedef struct {
  gint refs;
  guint id;
  NebulaCollectFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
} Collector;

/**
 * NebulaMetrics:
 *
 * Metrics of a program or of an engine, and how they are read.
 *
 * Thread: any; collectors run where the metrics are read.
 *
 * Since: 1.0
 */
struct _NebulaMetrics {
  GObject parent_instance;

  GMutex mutex;        /* guards all that follows */
  GHashTable *metrics; /* name → NebulaMetric */
  GPtrArray *collectors;
  guint last_id;
};

G_DEFINE_FINAL_TYPE (NebulaMetrics, nebula_metrics, G_TYPE_OBJECT)

static void
collector_unref (gpointer data)
{
  Collector *self = data;

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  if (self->destroy)
    self->destroy (self->user_data);
  g_free (self);
}

static gpointer
collector_ref (gconstpointer data, gpointer unused)
{
  Collector *self = (Collector *) data;

  g_atomic_int_inc (&self->refs);
  return self;
}

static void
nebula_metrics_finalize (GObject *object)
{
  NebulaMetrics *self = NEBULA_METRICS (object);

  g_ptr_array_unref (self->collectors);
  g_hash_table_unref (self->metrics);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (nebula_metrics_parent_class)->finalize (object);
}

static void
nebula_metrics_class_init (NebulaMetricsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_metrics_finalize;
}

static void
nebula_metrics_init (NebulaMetrics *self)
{
  g_mutex_init (&self->mutex);
  self->metrics = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) nebula_metric_unref);
  self->collectors = g_ptr_array_new_with_free_func (collector_unref);
}

/**
 * nebula_metrics_new:
 *
 * Makes an empty set of metrics.
 *
 * Returns: (transfer full): metrics
 *
 * Since: 1.0
 */
NebulaMetrics *
nebula_metrics_new (void)
{
  return g_object_new (NEBULA_TYPE_METRICS, NULL);
}

static gboolean
is_name (const char *text)
{
  if (!g_ascii_isalpha (text[0]) && text[0] != '_')
    return FALSE;
  for (const char *at = text; *at; at++)
    if (!g_ascii_isalnum (*at) && *at != '_')
      return FALSE;
  return TRUE;
}

static gboolean
are_names (const char *const *labels)
{
  for (guint i = 0; labels && labels[i]; i++)
    if (!is_name (labels[i]))
      return FALSE;
  return TRUE;
}

static NebulaMetric *
declare (NebulaMetrics *self,
         NebulaMetricKind kind,
         const char *name,
         const char *help,
         const char *const *labels,
         const double *bounds,
         gsize n_bounds)
{
  NebulaMetric *metric = NULL;

  g_mutex_lock (&self->mutex);
  metric = g_hash_table_lookup (self->metrics, name);
  if (!metric) {
    metric = _nebula_metric_new (kind, name, help, labels);
    metric->bounds = g_memdup2 (bounds, n_bounds * sizeof (double));
    metric->n_bounds = n_bounds;
    g_hash_table_insert (self->metrics, metric->name, metric);
  }
  g_mutex_unlock (&self->mutex);
  g_return_val_if_fail (_nebula_metric_is (metric, kind, labels), NULL);
  return metric;
}

/**
 * nebula_metrics_declare:
 * @self: metrics
 * @kind: counter or gauge
 * @name: letters, digits and underscores; the name of a counter ends with `_total`
 * @help: what it is, a sentence
 * @labels: (nullable) (array zero-terminated=1): names of labels
 *
 * Declares a metric. One of this name that is there already is given, if it is of the same kind with the same labels; else
 * it is a fault of the program.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the metric
 *
 * Since: 1.0
 */
NebulaMetric *
nebula_metrics_declare (NebulaMetrics *self,
                        NebulaMetricKind kind,
                        const char *name,
                        const char *help,
                        const char *const *labels)
{
  g_return_val_if_fail (NEBULA_IS_METRICS (self), NULL);
  g_return_val_if_fail (kind != NEBULA_METRIC_KIND_HISTOGRAM, NULL);
  g_return_val_if_fail (name != NULL && is_name (name) && help != NULL && are_names (labels), NULL);

  return declare (self, kind, name, help, labels, NULL, 0);
}

/**
 * nebula_metrics_declare_histogram:
 * @self: metrics
 * @name: letters, digits and underscores
 * @help: what it is, a sentence
 * @labels: (nullable) (array zero-terminated=1): names of labels
 * @bounds: (nullable) (array length=n_bounds): upper ends of the sizes, growing; %NULL: from 1 ms to 60 s, in seconds
 * @n_bounds: how many
 *
 * Declares a histogram, as nebula_metrics_declare() does.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the metric
 *
 * Since: 1.0
 */
NebulaMetric *
nebula_metrics_declare_histogram (NebulaMetrics *self,
                                  const char *name,
                                  const char *help,
                                  const char *const *labels,
                                  const double *bounds,
                                  gsize n_bounds)
{
  static const double seconds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 };

  g_return_val_if_fail (NEBULA_IS_METRICS (self), NULL);
  g_return_val_if_fail (name != NULL && is_name (name) && help != NULL && are_names (labels), NULL);
  for (gsize i = 1; bounds && i < n_bounds; i++)
    g_return_val_if_fail (bounds[i] > bounds[i - 1], NULL);

  return declare (self, NEBULA_METRIC_KIND_HISTOGRAM, name, help, labels, bounds ? bounds : seconds,
                  bounds ? n_bounds : G_N_ELEMENTS (seconds));
}

/**
 * nebula_metrics_add_collector:
 * @self: metrics
 * @func: (scope notified) (closure user_data) (destroy destroy): brings metrics up to date
 * @user_data: data
 * @destroy: (nullable): frees it
 *
 * Has a function called each time before the metrics are read.
 *
 * Thread: any; the function runs where they are read.
 *
 * Returns: a number for nebula_metrics_remove_collector()
 *
 * Since: 1.0
 */
guint
nebula_metrics_add_collector (NebulaMetrics *self, NebulaCollectFunc func, gpointer user_data, GDestroyNotify destroy)
{
  Collector *collector = NULL;
  guint id = 0;

  g_return_val_if_fail (NEBULA_IS_METRICS (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  collector = g_new0 (Collector, 1);
  collector->refs = 1;
  collector->func = func;
  collector->user_data = user_data;
  collector->destroy = destroy;
  g_mutex_lock (&self->mutex);
  id = collector->id = ++self->last_id;
  g_ptr_array_add (self->collectors, collector);
  g_mutex_unlock (&self->mutex);
  return id;
}

/**
 * nebula_metrics_remove_collector:
 * @self: metrics
 * @id: what nebula_metrics_add_collector() gave
 *
 * Has a function called no more.
 *
 * Since: 1.0
 */
void
nebula_metrics_remove_collector (NebulaMetrics *self, guint id)
{
  Collector *removed = NULL;

  g_return_if_fail (NEBULA_IS_METRICS (self));

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->collectors->len && !removed; i++) {
    Collector *collector = g_ptr_array_index (self->collectors, i);

    if (collector->id == id) {
      removed = collector_ref (collector, NULL);
      g_ptr_array_remove_index (self->collectors, i);
    }
  }
  g_mutex_unlock (&self->mutex);
  if (removed)
    collector_unref (removed);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  NebulaMetric *const *first = a, *const *second = b;

  return strcmp ((*first)->name, (*second)->name);
}

/* Without the lock, for collectors declare metrics. */
static void
collect (NebulaMetrics *self)
{
  g_autoptr (GPtrArray) collectors = NULL;

  g_mutex_lock (&self->mutex);
  collectors = g_ptr_array_copy (self->collectors, collector_ref, NULL);
  g_mutex_unlock (&self->mutex);
  g_ptr_array_set_free_func (collectors, collector_unref);
  for (guint i = 0; i < collectors->len; i++) {
    Collector *collector = g_ptr_array_index (collectors, i);

    collector->func (self, collector->user_data);
  }
}

/**
 * nebula_metrics_to_text:
 * @self: metrics
 *
 * Writes all metrics as text for Prometheus (format 0.0.4), by name. Metrics without a number yet are left out.
 *
 * Thread: any; collectors run in it.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_metrics_to_text (NebulaMetrics *self)
{
  g_autoptr (GPtrArray) metrics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_metric_unref);
  GString *text = NULL;
  GHashTableIter iter;
  gpointer metric = NULL;

  g_return_val_if_fail (NEBULA_IS_METRICS (self), NULL);

  collect (self);
  g_mutex_lock (&self->mutex);
  g_hash_table_iter_init (&iter, self->metrics);
  while (g_hash_table_iter_next (&iter, NULL, &metric))
    g_ptr_array_add (metrics, nebula_metric_ref (metric));
  g_mutex_unlock (&self->mutex);

  g_ptr_array_sort (metrics, compare_names);
  text = g_string_sized_new (1024);
  for (guint i = 0; i < metrics->len; i++)
    _nebula_metric_append_text (g_ptr_array_index (metrics, i), text);
  return g_string_free (text, FALSE);
}
