/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nebula-metric-private.h"

#define SEPARATOR "\x1f"
#define OTHER     "other"

G_DEFINE_BOXED_TYPE (NebulaMetric, nebula_metric, nebula_metric_ref, nebula_metric_unref)

static void
series_free (gpointer data)
{
  NebulaSeries *self = data;

  g_strfreev (self->values);
  g_free (self);
}

NebulaMetric *
_nebula_metric_new (NebulaMetricKind kind, const char *name, const char *help, const char *const *labels)
{
  NebulaMetric *self = g_new0 (NebulaMetric, 1);

  self->refs = 1;
  self->kind = kind;
  self->name = g_strdup (name);
  self->help = g_strdup (help);
  self->labels = labels && labels[0] ? g_strdupv ((char **) labels) : NULL;
  g_mutex_init (&self->mutex);
  self->series = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, series_free);
  return self;
}

gboolean
_nebula_metric_is (NebulaMetric *self, NebulaMetricKind kind, const char *const *labels)
{
  static const char *const none[] = { NULL };
  const char *const *own = self->labels ? (const char *const *) self->labels : none;

  return self->kind == kind && g_strv_equal (own, labels ? labels : none);
}

/**
 * nebula_metric_ref:
 * @self: a metric
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaMetric *
nebula_metric_ref (NebulaMetric *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_metric_unref:
 * @self: (transfer full): a metric
 *
 * Lets go of a metric.
 *
 * Since: 1.0
 */
void
nebula_metric_unref (NebulaMetric *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_hash_table_unref (self->series);
  g_mutex_clear (&self->mutex);
  g_strfreev (self->labels);
  g_free (self->bounds);
  g_free (self->name);
  g_free (self->help);
  g_free (self);
}

/**
 * nebula_metric_get_name:
 * @self: a metric
 *
 * Gets what it is called.
 *
 * Returns: the name
 *
 * Since: 1.0
 */
const char *
nebula_metric_get_name (NebulaMetric *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->name;
}

static gboolean
fits (NebulaMetric *self, const char *const *values)
{
  guint n_labels = self->labels ? g_strv_length (self->labels) : 0;
  guint n_values = values ? g_strv_length ((char **) values) : 0;

  return n_labels == n_values;
}

static NebulaSeries *
series_new (NebulaMetric *self, const char *const *values)
{
  gsize n_buckets = self->kind == NEBULA_METRIC_KIND_HISTOGRAM ? self->n_bounds + 1 : 0;
  NebulaSeries *series = g_malloc0 (sizeof (NebulaSeries) + n_buckets * sizeof (guint64));

  series->values = values ? g_strdupv ((char **) values) : NULL;
  return series;
}

/* All values “other”: labels that somebody from outside can choose must not fill the memory. */
static NebulaSeries *
find_other (NebulaMetric *self)
{
  guint n_labels = g_strv_length (self->labels);
  g_autofree const char **values = g_new0 (const char *, n_labels + 1);
  g_autofree char *key = NULL;
  NebulaSeries *series = NULL;

  for (guint i = 0; i < n_labels; i++)
    values[i] = OTHER;
  key = g_strjoinv (SEPARATOR, (char **) values);
  series = g_hash_table_lookup (self->series, key);
  if (!series) {
    series = series_new (self, values);
    g_hash_table_insert (self->series, g_steal_pointer (&key), series);
  }
  return series;
}

static NebulaSeries *
find (NebulaMetric *self, const char *const *values, gboolean is_made)
{
  g_autofree char *key = self->labels ? g_strjoinv (SEPARATOR, (char **) values) : g_strdup ("");
  NebulaSeries *series = g_hash_table_lookup (self->series, key);

  if (series || !is_made)
    return series;
  if (self->labels && g_hash_table_size (self->series) >= NEBULA_METRIC_SERIES_MAX)
    return find_other (self);
  series = series_new (self, self->labels ? values : NULL);
  g_hash_table_insert (self->series, g_steal_pointer (&key), series);
  return series;
}

/**
 * nebula_metric_add:
 * @self: a counter or a gauge
 * @values: (nullable) (array zero-terminated=1): a value for each label, in their order
 * @amount: what is added; not negative in a counter
 *
 * Counts.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_metric_add (NebulaMetric *self, const char *const *values, double amount)
{
  g_return_if_fail (self != NULL && fits (self, values));
  g_return_if_fail (self->kind == NEBULA_METRIC_KIND_GAUGE || (self->kind == NEBULA_METRIC_KIND_COUNTER && amount >= 0));

  g_mutex_lock (&self->mutex);
  find (self, values, TRUE)->number += amount;
  g_mutex_unlock (&self->mutex);
}

/**
 * nebula_metric_set:
 * @self: a gauge; or a counter whose number somebody else counts
 * @values: (nullable) (array zero-terminated=1): a value for each label, in their order
 * @number: the number
 *
 * Says what a number is now.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_metric_set (NebulaMetric *self, const char *const *values, double number)
{
  g_return_if_fail (self != NULL && fits (self, values));
  g_return_if_fail (self->kind != NEBULA_METRIC_KIND_HISTOGRAM);

  g_mutex_lock (&self->mutex);
  find (self, values, TRUE)->number = number;
  g_mutex_unlock (&self->mutex);
}

/**
 * nebula_metric_observe:
 * @self: a histogram
 * @values: (nullable) (array zero-terminated=1): a value for each label, in their order
 * @number: what was measured
 *
 * Counts something by its size.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_metric_observe (NebulaMetric *self, const char *const *values, double number)
{
  NebulaSeries *series = NULL;
  gsize place = 0;

  g_return_if_fail (self != NULL && fits (self, values));
  g_return_if_fail (self->kind == NEBULA_METRIC_KIND_HISTOGRAM);

  while (place < self->n_bounds && number > self->bounds[place])
    place++;
  g_mutex_lock (&self->mutex);
  series = find (self, values, TRUE);
  series->number += number;
  series->count++;
  series->buckets[place]++;
  g_mutex_unlock (&self->mutex);
}

/**
 * nebula_metric_get:
 * @self: a metric
 * @values: (nullable) (array zero-terminated=1): a value for each label, in their order
 *
 * Gets a number; of a histogram the sum of what was observed.
 *
 * Thread: any.
 *
 * Returns: the number; 0 if there is none yet
 *
 * Since: 1.0
 */
double
nebula_metric_get (NebulaMetric *self, const char *const *values)
{
  NebulaSeries *series = NULL;
  double number = 0;

  g_return_val_if_fail (self != NULL && fits (self, values), 0);

  g_mutex_lock (&self->mutex);
  series = find (self, values, FALSE);
  number = series ? series->number : 0;
  g_mutex_unlock (&self->mutex);
  return number;
}

/**
 * nebula_metric_clear:
 * @self: a metric
 *
 * Forgets all its series, so that a collector can begin anew.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_metric_clear (NebulaMetric *self)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->mutex);
  g_hash_table_remove_all (self->series);
  g_mutex_unlock (&self->mutex);
}
