/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a log call costs who makes it: where it is not shown, and where a thread writes it. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "nebula-bench-private.h"
#include "nebula-log.h"

#define DISABLED_NS 5
#define ASYNCHRONOUS_NS 1000

#define BURST 1000 /* entries that the buffer holds, so that nothing is dropped */
#define BUFFER_BYTES (4 << 20)
#define N_SECRETS 100

typedef struct {
  guint rounds;
  NebulaContext *context;
  int fd;
} Log;

static gboolean
skip (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  Log *self = data;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++)
    nebula_log_debug (self->context, "item %u of %s", i, "order");
  ret_values[0] = (nebula_bench_now () - start) * 1e9 / self->rounds;
  return TRUE;
}

/* Bursts with a pause between them: what is timed is the caller. */
static double
log_bursts (Log *self, guint n_bursts)
{
  double total = 0;

  for (guint burst = 0; burst < n_bursts; burst++) {
    double start = nebula_bench_now ();

    for (guint i = 0; i < BURST; i++)
      nebula_log_info (self->context, "item %u of %s took %u ms", i, "order", burst);
    total += nebula_bench_now () - start;
    nebula_log_flush (10 * G_USEC_PER_SEC);
  }
  return total * 1e9 / (n_bursts * BURST);
}

static void
set_secrets (gboolean is_there)
{
  for (guint i = 0; i < N_SECRETS; i++) {
    g_autofree char *text = g_strdup_printf ("secret-%u-%u", i * 7919, i);
    g_autoptr (GBytes) secret = g_bytes_new (text, strlen (text));

    if (is_there)
      nebula_redactor_add (nebula_redactor_get_default (), secret);
    else
      nebula_redactor_remove (nebula_redactor_get_default (), secret);
  }
}

static gboolean
show (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  Log *self = data;
  guint n_bursts = MAX (self->rounds / 20000, 1);
  double start = 0;

  nebula_log_set_buffer (BUFFER_BYTES, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  ret_values[0] = log_bursts (self, n_bursts);
  set_secrets (TRUE);
  ret_values[1] = log_bursts (self, n_bursts);
  set_secrets (FALSE);
  nebula_log_set_buffer (0, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  start = nebula_bench_now ();
  ret_values[2] = log_bursts (self, n_bursts);
  ret_values[3] = n_bursts * BURST / (nebula_bench_now () - start) / 1e3;
  return TRUE;
}

static gboolean
run (Log *self, NebulaBench *bench, GError **error)
{
  g_autoptr (GPtrArray) sinks = g_ptr_array_new_with_free_func (g_object_unref);
  double skipped[NEBULA_BENCH_VALUES], shown[NEBULA_BENCH_VALUES];
  gboolean is_good = FALSE;

  g_ptr_array_add (sinks, nebula_log_sink_open_stream (self->fd, NEBULA_LOG_FORMAT_JSON));
  nebula_log_set_sinks (sinks);
  nebula_log_set_level (G_LOG_DOMAIN, G_LOG_LEVEL_INFO);
  is_good = nebula_bench_repeat (bench, skip, self, skipped, error)
            && nebula_bench_repeat (bench, show, self, shown, error);
  nebula_log_set_sinks (NULL);
  nebula_log_set_levels ("message", NULL);
  if (!is_good)
    return FALSE;
  nebula_bench_add (bench, "a call whose level is off", "ns", skipped[0], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, DISABLED_NS);
  nebula_bench_add (bench, "a call, written by a thread", "ns", shown[0], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, ASYNCHRONOUS_NS);
  nebula_bench_note (bench, "bursts of 1,000; JSON into /dev/null");
  nebula_bench_add (bench, "the same with 100 secrets to look for", "ns", shown[1], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, ASYNCHRONOUS_NS);
  nebula_bench_add (bench, "a call, written by the caller", "ns", shown[2], 0,
                    NEBULA_BENCH_GOAL_NONE, 0);
  nebula_bench_add (bench, "entries as JSON lines", "k/s", shown[3], 0, NEBULA_BENCH_GOAL_NONE, 0);
  return TRUE;
}

gboolean
nebula_bench_log (NebulaBench *bench, GError **error)
{
  g_autoptr (NebulaContext) empty = nebula_context_new ();
  Log self = {
      .rounds = bench->is_quick ? 20000 : 2000000,
      .context = nebula_context_with_execution (empty, "exe_01J00000000000000000000000"),
      .fd = open ("/dev/null", O_WRONLY | O_CLOEXEC),
  };
  gboolean is_good = run (&self, bench, error);

  nebula_context_unref (self.context);
  close (self.fd);
  return is_good;
}
