/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-test.h"

#include <thread>
#include <vector>

#include "nebula-metrics.h"

using nebula::Ref;

namespace
{

const char *const kNone[] = { nullptr };
const char *const kRoute[] = { "route", "code", nullptr };

std::string
text (NebulaMetrics *metrics)
{
  char *text = nebula_metrics_to_text (metrics);
  std::string result = text;
  g_free (text);
  return result;
}

TEST (Metrics, CountersAndGaugesByName)
{
  Ref<NebulaMetrics> metrics (nebula_metrics_new ());
  NebulaMetric *gauge = nebula_metrics_declare (metrics.get (), NEBULA_METRIC_KIND_GAUGE, "z_size", "Size", nullptr);
  NebulaMetric *counter = nebula_metrics_declare (metrics.get (), NEBULA_METRIC_KIND_COUNTER, "a_total", "Calls\nof \\ all", kRoute);
  const char *const ok[] = { "/a\"b\\c\nd", "200", nullptr };
  const char *const bad[] = { "/", "500", nullptr };

  EXPECT_EQ (text (metrics.get ()), "");
  nebula_metric_add (counter, bad, 1);
  nebula_metric_add (counter, ok, 2);
  nebula_metric_add (counter, ok, 1.5);
  nebula_metric_set (gauge, nullptr, -7);
  nebula_metric_add (gauge, kNone, 2);
  EXPECT_EQ (nebula_metric_get (counter, ok), 3.5);
  EXPECT_EQ (nebula_metric_get (gauge, nullptr), -5);
  EXPECT_EQ (text (metrics.get ()), "# HELP a_total Calls\\nof \\\\ all\n"
                                    "# TYPE a_total counter\n"
                                    "a_total{route=\"/\",code=\"500\"} 1\n"
                                    "a_total{route=\"/a\\\"b\\\\c\\nd\",code=\"200\"} 3.5\n"
                                    "# HELP z_size Size\n"
                                    "# TYPE z_size gauge\n"
                                    "z_size -5\n");
  nebula_metric_clear (counter);
  EXPECT_EQ (nebula_metric_get (counter, ok), 0);
  EXPECT_STREQ (nebula_metric_get_name (counter), "a_total");
}

TEST (Metrics, HistogramsCountUpToEachBound)
{
  Ref<NebulaMetrics> metrics (nebula_metrics_new ());
  const double bounds[] = { 0.1, 1, 10 };
  NebulaMetric *metric
      = nebula_metrics_declare_histogram (metrics.get (), "wait_seconds", "Waits", nullptr, bounds, G_N_ELEMENTS (bounds));

  for (double number : { 0.1, 0.25, 1.0, 2.0, 50.0 })
    nebula_metric_observe (metric, nullptr, number);
  EXPECT_EQ (text (metrics.get ()), "# HELP wait_seconds Waits\n"
                                    "# TYPE wait_seconds histogram\n"
                                    "wait_seconds_bucket{le=\"0.1\"} 1\n"
                                    "wait_seconds_bucket{le=\"1\"} 3\n"
                                    "wait_seconds_bucket{le=\"10\"} 4\n"
                                    "wait_seconds_bucket{le=\"+Inf\"} 5\n"
                                    "wait_seconds_sum 53.350000000000001\n"
                                    "wait_seconds_count 5\n");
  NebulaMetric *labelled = nebula_metrics_declare_histogram (metrics.get (), "x_seconds", "Waits", kRoute, nullptr, 0);
  const char *const values[] = { "/", "200", nullptr };
  nebula_metric_observe (labelled, values, 61);
  EXPECT_NE (text (metrics.get ()).find ("x_seconds_bucket{route=\"/\",code=\"200\",le=\"60\"} 0\n"), std::string::npos);
  EXPECT_NE (text (metrics.get ()).find ("x_seconds_bucket{route=\"/\",code=\"200\",le=\"+Inf\"} 1\n"), std::string::npos);
}

TEST (Metrics, TheSameNameIsTheSameMetric)
{
  NebulaMetrics *metrics = nebula_metrics_new ();
  NebulaMetric *metric = nebula_metrics_declare (metrics, NEBULA_METRIC_KIND_COUNTER, "a_total", "A", kRoute);

  EXPECT_EQ (nebula_metrics_declare (metrics, NEBULA_METRIC_KIND_COUNTER, "a_total", "A", kRoute), metric);
  NebulaMetric *held = nebula_metric_ref (metric);
  g_object_unref (metrics);
  const char *const values[] = { "/", "200", nullptr };
  nebula_metric_add (held, values, 1);
  EXPECT_EQ (nebula_metric_get (held, values), 1);
  nebula_metric_unref (held);
}

TEST (Metrics, LabelsFromOutsideDoNotFillTheMemory)
{
  Ref<NebulaMetrics> metrics (nebula_metrics_new ());
  NebulaMetric *metric = nebula_metrics_declare (metrics.get (), NEBULA_METRIC_KIND_COUNTER, "a_total", "A", kRoute);
  const char *const other[] = { "other", "other", nullptr };

  for (int i = 0; i < NEBULA_METRIC_SERIES_MAX + 10; i++) {
    std::string route = std::to_string (i);
    const char *const values[] = { route.c_str (), "200", nullptr };
    nebula_metric_add (metric, values, 1);
  }
  EXPECT_EQ (nebula_metric_get (metric, other), 10);
}

TEST (Metrics, CollectorsRunBeforeEachReading)
{
  Ref<NebulaMetrics> metrics (nebula_metrics_new ());
  static int n_freed;
  n_freed = 0;
  int n = 0;
  struct Data
  {
    int *n;
  } *data = new Data{ &n };
  guint id = nebula_metrics_add_collector (
      metrics.get (),
      [] (NebulaMetrics *all, gpointer user_data) {
        int *count = static_cast<Data *> (user_data)->n;
        nebula_metric_set (nebula_metrics_declare (all, NEBULA_METRIC_KIND_GAUGE, "n", "N", nullptr), nullptr, ++*count);
      },
      data,
      [] (gpointer user_data) {
        delete static_cast<Data *> (user_data);
        n_freed++;
      });

  EXPECT_NE (text (metrics.get ()).find ("\nn 1\n"), std::string::npos);
  EXPECT_NE (text (metrics.get ()).find ("\nn 2\n"), std::string::npos);
  nebula_metrics_remove_collector (metrics.get (), id);
  nebula_metrics_remove_collector (metrics.get (), id);
  EXPECT_EQ (n_freed, 1);
  EXPECT_NE (text (metrics.get ()).find ("\nn 2\n"), std::string::npos);
}

TEST (Metrics, ManyThreadsLoseNothing)
{
  Ref<NebulaMetrics> metrics (nebula_metrics_new ());
  NebulaMetric *metric = nebula_metrics_declare (metrics.get (), NEBULA_METRIC_KIND_COUNTER, "a_total", "A", kRoute);
  const char *const values[] = { "/", "200", nullptr };
  std::vector<std::thread> threads;

  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 5000; i++)
        nebula_metric_add (metric, values, 1);
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (nebula_metric_get (metric, values), 20000);
}

} // namespace
