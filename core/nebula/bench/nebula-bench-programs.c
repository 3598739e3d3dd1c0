/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is measured from outside: whole processes, and the journal, which only a program of our own can reach. */

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "nebula-bench-private.h"
#include "nebula-error.h"
#include "nebula-json.h"

#define WORKFLOW                                                                           \
  "{\"nebula\": 1, \"name\": \"hello\", \"nodes\": {\"greet\": {\"action\": \"data.set\"," \
  " \"with\": {\"text\": \"Hello, {{ $input?.name ?? 'world' }}!\"}}}}"

/* Runs a program; its stdout is the result. */
static char *
ask (const char *const *arguments, const char *cache, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *output = NULL;
  g_autofree char *words = NULL;

  if (cache)
    g_subprocess_launcher_setenv (launcher, "XDG_CACHE_HOME", cache, TRUE);
  process = g_subprocess_launcher_spawnv (launcher, arguments, error);
  if (!process ||
      !g_subprocess_communicate_utf8 (process, NULL, NULL, &output, &words, error))
    return NULL;
  if (g_subprocess_get_if_exited (process) && g_subprocess_get_exit_status (process) == 0)
    return g_steal_pointer (&output);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
               _ ("The benchmark's program “%s” failed: %s"), arguments[0],
               words ? words : "");
  return NULL;
}

typedef struct {
  char *launcher;
  char *floor;
  char *program;
  char *workflow;
  char *cache; /* of the catalogue that is warm */
} Startup;

static void
startup_clear (Startup *self)
{
  g_free (self->launcher);
  g_free (self->floor);
  g_free (self->program);
  g_free (self->workflow);
  g_free (self->cache);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Startup, startup_clear)

/* Values: milliseconds, MiB at the peak. The launcher is small, because a process inherits the peak of its parent. */
static gboolean
launch (const char *const *arguments,
        const char *cache,
        double *ret_values,
        GError **error)
{
  g_autofree char *answer = ask (arguments, cache, error);
  char *rest = answer;

  if (!answer)
    return FALSE;
  ret_values[0] = g_ascii_strtod (answer, &rest) / 1e3;
  ret_values[1] = g_ascii_strtod (rest, NULL) / 1024;
  return TRUE;
}

static gboolean
start_floor (NebulaBench *bench, const Startup *self, double *ret_values, GError **error)
{
  g_autofree char *path = nebula_bench_new_path (bench, ".floor");
  const char *arguments[] = {self->launcher, self->floor, path, NULL};

  return launch (arguments, NULL, ret_values, error);
}

static gboolean
start_program (NebulaBench *bench,
               const Startup *self,
               const char *cache,
               double *ret_values,
               GError **error)
{
  g_autofree char *path = nebula_bench_new_path (bench, ".db");
  const char *arguments[] = {self->launcher, self->program, "run",     self->workflow,
                             "--store",      path,          "--quiet", NULL};

  return launch (arguments, cache, ret_values, error);
}

/* Values: those of the floor, then those of the program. */
static gboolean
start_both (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const Startup *self = data;

  return start_floor (bench, self, ret_values, error) &&
         start_program (bench, self, self->cache, ret_values + 2, error);
}

static gboolean
start_cold (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  g_autofree char *cache = nebula_bench_new_path (bench, ".cache");

  return start_program (bench, data, cache, ret_values, error);
}

static gboolean
set_up_startup (NebulaBench *bench, Startup *self, GError **error)
{
  self->launcher = nebula_bench_find_helper (bench, "nebula-bench-launch");
  self->floor = nebula_bench_find_helper (bench, "nebula-bench-floor");
  self->program = g_file_read_link ("/proc/self/exe", error);
  self->workflow = nebula_bench_new_path (bench, ".json");
  self->cache = nebula_bench_new_path (bench, ".cache");
  return self->program && g_file_set_contents (self->workflow, WORKFLOW, -1, error);
}

gboolean
nebula_bench_startup (NebulaBench *bench, GError **error)
{
  g_auto (Startup) startup = {NULL};
  double warm[NEBULA_BENCH_VALUES];
  double cold[NEBULA_BENCH_VALUES];

  if (!set_up_startup (bench, &startup, error))
    return FALSE;
  if (!startup.launcher || !startup.floor) {
    nebula_bench_add_missing (
        bench, "exec to the end of a run",
        "the floor programs are not installed; run it in a build tree");
    return TRUE;
  }
  bench->repeats = bench->is_quick ? 1 : 11;
  if (!start_both (bench, &startup, warm, error) ||
      !nebula_bench_repeat (bench, start_both, &startup, warm, error))
    return FALSE;
  bench->repeats = MIN (bench->repeats, 3);
  if (!nebula_bench_repeat (bench, start_cold, &startup, cold, error))
    return FALSE;
  nebula_bench_add (bench, "exec to the end of a run", "ms", warm[2], warm[0],
                    NEBULA_BENCH_GOAL_RATIO_AT_MOST, 3);
  nebula_bench_note (bench, "a new store, strict; floor: one row in a new database");
  nebula_bench_add (bench, "the same, peak of memory", "MiB", warm[3], warm[1],
                    NEBULA_BENCH_GOAL_AT_MOST, 16);
  nebula_bench_add (bench, "the same, no catalogue yet", "ms", cold[0], warm[0],
                    NEBULA_BENCH_GOAL_NONE, 0);
  nebula_bench_note (bench,
                     "once after a module was added: each is opened in a child process");
  return TRUE;
}

gboolean
nebula_bench_journal (NebulaBench *bench, GError **error)
{
  g_autofree char *helper = nebula_bench_find_helper (bench, "nebula-bench-journal");
  const char *arguments[] = {helper, bench->folder, bench->is_quick ? "quick" : "full",
                             NULL};
  g_autofree char *answer = NULL;
  g_autoptr (NebulaValue) figures = NULL;

  if (!helper) {
    nebula_bench_add_missing (bench, "units through the journal",
                              "its program is not installed; run it in a build tree");
    return TRUE;
  }
  answer = ask (arguments, NULL, error);
  figures =
      answer ? nebula_value_parse_json (answer, -1, NEBULA_JSON_FLAGS_NONE, error) : NULL;
  if (!figures)
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (figures); i++)
    g_ptr_array_add (bench->figures,
                     nebula_value_ref (nebula_value_get_item (figures, i)));
  return TRUE;
}
