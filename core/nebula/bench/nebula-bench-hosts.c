/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call of an action with 1 KB of parameters and as much of a result: in this process, in a host, in a sandbox. The floor
 * is the same number of bytes to another process and back over a socket pair. */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nebula-bench-private.h"
#include "nebula-invocation.h"
#include "nebula-json.h"
#include "nebula-registry.h"

#define PAYLOAD_BYTES 1024
#define CALL_USEC     15 /* a call into a host may take so long */
#define WARM_CALLS    200

typedef struct {
  NebulaRegistry *registry;
  NebulaActionInfo *info;
  NebulaValue *parameters;
  double *samples; /* microseconds */
  guint n_calls;
  gboolean is_returned;
  gboolean is_good;
} Caller;

static void
returned (NebulaInvocation *invocation, NebulaResult *result, gpointer data)
{
  Caller *self = data;

  self->is_returned = TRUE;
  self->is_good = nebula_result_get_kind (result) == NEBULA_RESULT_KIND_SUCCESS;
}

static const NebulaInvocationSink sink = {returned, NULL, NULL};

static gboolean
call (Caller *self, GError **error)
{
  NebulaArguments arguments = {.parameters = self->parameters,
                               .table = nebula_action_info_get_parameters (self->info)};
  NebulaInvocationInfo about = {
      .execution_id = "exe", .node_id = "node", .action_id = "data.set", .attempt = 1};
  g_autoptr (NebulaAction) action = nebula_action_resolver_create (
      NEBULA_ACTION_RESOLVER (self->registry), self->info, error);
  g_autoptr (NebulaInvocation) invocation = NULL;

  if (!action || !nebula_action_set_parameters (action, &arguments, error))
    return FALSE;
  self->is_returned = FALSE;
  invocation = nebula_invocation_new (&about, self->parameters, NULL, &sink, self, NULL);
  nebula_action_invoke (action, invocation);
  while (!self->is_returned)
    g_main_context_iteration (NULL, TRUE);
  if (self->is_good)
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INTERNAL,
                       "A call of data.set did not succeed");
  return FALSE;
}

static int
compare (gconstpointer first, gconstpointer second)
{
  double a = *(const double *) first, b = *(const double *) second;

  return (a > b) - (a < b);
}

static double
get_quantile (double *samples, guint n_samples, double share)
{
  qsort (samples, n_samples, sizeof *samples, compare);
  return samples[(guint) (share * (n_samples - 1))];
}

static gboolean
measure (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  Caller *self = data;

  for (guint i = 0; i < self->n_calls; i++) {
    double start = nebula_bench_now ();

    if (!call (self, error))
      return FALSE;
    self->samples[i] = (nebula_bench_now () - start) * 1e6;
  }
  ret_values[0] = get_quantile (self->samples, self->n_calls, 0.5);
  ret_values[1] = get_quantile (self->samples, self->n_calls, 0.99);
  return TRUE;
}

static void
echo (int fd)
{
  char block[PAYLOAD_BYTES];
  gssize n_bytes;

  while ((n_bytes = recv (fd, block, sizeof block, MSG_WAITALL)) > 0)
    if (send (fd, block, (gsize) n_bytes, MSG_NOSIGNAL) <= 0)
      break;
  _exit (0);
}

static double
measure_floor (double *samples, guint n_calls)
{
  char block[PAYLOAD_BYTES];
  int ends[2];
  pid_t pid;

  memset (block, 'x', sizeof block);
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return 0;
  pid = fork ();
  if (pid == 0) {
    close (ends[0]);
    echo (ends[1]);
  }
  close (ends[1]);
  for (guint i = 0; i < n_calls; i++) {
    double start = nebula_bench_now ();

    if (send (ends[0], block, sizeof block, MSG_NOSIGNAL) <= 0 ||
        recv (ends[0], block, sizeof block, MSG_WAITALL) <= 0)
      break;
    samples[i] = (nebula_bench_now () - start) * 1e6;
  }
  close (ends[0]);
  if (pid > 0)
    waitpid (pid, NULL, 0);
  return get_quantile (samples, n_calls, 0.5);
}

static void
clear (Caller *self)
{
  g_clear_object (&self->registry);
  g_clear_pointer (&self->info, nebula_action_info_unref);
  g_clear_pointer (&self->parameters, nebula_value_unref);
  g_clear_pointer (&self->samples, g_free);
}

static gboolean
prepare (Caller *self, const char *level, GError **error)
{
  g_autofree char *text = g_strnfill (PAYLOAD_BYTES, 'x');
  g_autofree char *parameters = g_strdup_printf ("{\"text\": \"%s\"}", text);
  g_autofree char *options =
      g_strdup_printf ("{\"isolation\": {\"data\": \"%s\"}}", level);
  g_autoptr (NebulaValue) hosting =
      nebula_value_parse_json (options, -1, NEBULA_JSON_FLAGS_NONE, error);

  self->parameters =
      nebula_value_parse_json (parameters, -1, NEBULA_JSON_FLAGS_NONE, error);
  self->samples = g_new0 (double, self->n_calls);
  self->registry = nebula_registry_new ();
  if (!hosting || !self->parameters ||
      !nebula_registry_set_hosting (self->registry, hosting, error) ||
      !nebula_registry_load (self->registry, error))
    return FALSE;
  self->info = nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (self->registry),
                                              "data.set", NULL, error);
  for (guint i = 0; self->info && i < WARM_CALLS; i++)
    if (!call (self, error))
      return FALSE;
  return self->info != NULL;
}

static gboolean
run_level (NebulaBench *bench, const char *level, gboolean is_hosted, GError **error)
{
  Caller caller = {.n_calls = bench->is_quick ? 100 : 20000};
  g_autofree char *what = g_strdup_printf ("call with 1 KB, %s, p50", level);
  g_autofree char *tail = g_strdup_printf ("call with 1 KB, %s, p99", level);
  double values[NEBULA_BENCH_VALUES];
  gboolean is_good = prepare (&caller, level, error) &&
                     nebula_bench_repeat (bench, measure, &caller, values, error);
  double floor =
      is_good && is_hosted ? measure_floor (caller.samples, caller.n_calls) : 0;

  clear (&caller);
  if (!is_good)
    return FALSE;
  nebula_bench_add (bench, what, "µs", values[0], floor,
                    is_hosted ? NEBULA_BENCH_GOAL_AT_MOST : NEBULA_BENCH_GOAL_NONE,
                    is_hosted ? CALL_USEC : 0);
  nebula_bench_add (bench, tail, "µs", values[1], 0, NEBULA_BENCH_GOAL_NONE, 0);
  return TRUE;
}

gboolean
nebula_bench_hosts (NebulaBench *bench, GError **error)
{
  return run_level (bench, "in-process", FALSE, error) &&
         run_level (bench, "process", TRUE, error) &&
         run_level (bench, "sandbox", TRUE, error);
}
