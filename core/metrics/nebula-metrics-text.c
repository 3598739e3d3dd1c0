/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The text format of Prometheus, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */

#include <string.h>

#include "nebula-metric-private.h"

static const char *
get_kind_name (NebulaMetricKind kind)
{
  switch (kind) {
  case NEBULA_METRIC_KIND_COUNTER:
    return "counter";
  case NEBULA_METRIC_KIND_HISTOGRAM:
    return "histogram";
  case NEBULA_METRIC_KIND_GAUGE:
  default:
    return "gauge";
  }
}

static void
append_escaped (GString *text, const char *from, gboolean is_quoted)
{
  for (const char *at = from; *at; at++) {
    if (*at == '\\')
      g_string_append (text, "\\\\");
    else if (*at == '\n')
      g_string_append (text, "\\n");
    else if (*at == '"' && is_quoted)
      g_string_append (text, "\\\"");
    else
      g_string_append_c (text, *at);
  }
}

static void
append_number (GString *text, double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (text, g_ascii_dtostr (buffer, sizeof buffer, number));
}

static void
append_label (GString *text, const char *name, const char *value)
{
  if (text->str[text->len - 1] != '{')
    g_string_append_c (text, ',');
  g_string_append_printf (text, "%s=\"", name);
  append_escaped (text, value, TRUE);
  g_string_append_c (text, '"');
}

/* A name with its labels, and a bound if there is one; then a space. */
static void
append_name (GString *text, NebulaMetric *metric, NebulaSeries *series, const char *suffix, const char *bound)
{
  g_string_append_printf (text, "%s%s", metric->name, suffix);
  if (metric->labels || bound) {
    g_string_append_c (text, '{');
    for (guint i = 0; metric->labels && metric->labels[i]; i++)
      append_label (text, metric->labels[i], series->values[i]);
    if (bound)
      append_label (text, "le", bound);
    g_string_append_c (text, '}');
  }
  g_string_append_c (text, ' ');
}

static void
append_histogram (GString *text, NebulaMetric *metric, NebulaSeries *series)
{
  guint64 count = 0;

  for (gsize i = 0; i <= metric->n_bounds; i++) {
    char bound[G_ASCII_DTOSTR_BUF_SIZE] = "+Inf";

    if (i < metric->n_bounds)
      g_ascii_formatd (bound, sizeof bound, "%.12g", metric->bounds[i]);
    count += series->buckets[i];
    append_name (text, metric, series, "_bucket", bound);
    g_string_append_printf (text, "%" G_GUINT64_FORMAT "\n", count);
  }
  append_name (text, metric, series, "_sum", NULL);
  append_number (text, series->number);
  g_string_append_c (text, '\n');
  append_name (text, metric, series, "_count", NULL);
  g_string_append_printf (text, "%" G_GUINT64_FORMAT "\n", series->count);
}

static void
append_series (GString *text, NebulaMetric *metric, NebulaSeries *series)
{
  if (metric->kind == NEBULA_METRIC_KIND_HISTOGRAM) {
    append_histogram (text, metric, series);
    return;
  }
  append_name (text, metric, series, "", NULL);
  append_number (text, series->number);
  g_string_append_c (text, '\n');
}

void
_nebula_metric_append_text (NebulaMetric *self, GString *text)
{
  g_autoptr (GList) keys = NULL;

  g_mutex_lock (&self->mutex);
  keys = g_list_sort (g_hash_table_get_keys (self->series), (GCompareFunc) (gpointer) strcmp);
  if (keys) {
    g_string_append_printf (text, "# HELP %s ", self->name);
    append_escaped (text, self->help, FALSE);
    g_string_append_printf (text, "\n# TYPE %s %s\n", self->name, get_kind_name (self->kind));
  }
  for (GList *link = keys; link; link = link->next)
    append_series (text, self, g_hash_table_lookup (self->series, link->data));
  g_mutex_unlock (&self->mutex);
}
