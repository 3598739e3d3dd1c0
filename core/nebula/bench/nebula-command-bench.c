/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula bench: the figures, each beside its floor. Every suite runs in a process of its own, so that none meets the
 * memory of another. */

#include "config.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "nebula-bench-private.h"
#include "nebula-command-private.h"
#include "nebula-json.h"
#include "nebula-output-private.h"

typedef struct {
  gboolean is_json;
  gboolean is_quick;
  gboolean is_long;
  gboolean is_list;
  char *data_dir;
} BenchOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_FLAG (BenchOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints one object: {machine, figures}")),
    NEBULA_OPTION_FLAG (
        BenchOptions,
        is_quick,
        "quick",
        0,
        N_ ("Tries everything on a small scale; the figures mean nothing")),
    NEBULA_OPTION_FLAG (BenchOptions, is_long, "long", 0, N_ ("Adds what takes minutes")),
    NEBULA_OPTION_FLAG (BenchOptions, is_list, "list", 0, N_ ("Lists the suites")),
    NEBULA_OPTION_TEXT (
        BenchOptions,
        data_dir,
        "data-dir",
        0,
        N_ ("Where stores are made (default: the folder for temporary files)"),
        N_ ("FOLDER")),
};

static const NebulaBenchSuite suites[] = {
    {"startup", N_ ("From exec to the end of a run, and its memory"),
     nebula_bench_startup},
    {"chain", N_ ("100 steps, pure and effectful, by 1, 16 and 64 executions"),
     nebula_bench_chain},
    {"fanout", N_ ("1 → 1,000 → join"), nebula_bench_fan_out},
    {"sequence40", N_ ("40 effectful steps, one after another"), nebula_bench_sequence},
    {"expr", N_ ("Expressions and templates"), nebula_bench_expressions},
    {"json", N_ ("Reading JSON"), nebula_bench_json},
    {"ground", N_ ("Checks by schemas"), nebula_bench_ground},
    {"hosts", N_ ("Calls of actions in this process and in hosts"), nebula_bench_hosts},
    {"resilience", N_ ("Retries, limits and breakers"), nebula_bench_resilience},
    {"log", N_ ("Log calls that are shown and that are not"), nebula_bench_log},
    {"journal", N_ ("Units through the journal"), nebula_bench_journal},
    {"sleepers", N_ ("10,000 waiting executions"), nebula_bench_sleepers},
    {"recovery", N_ ("A new engine takes up open executions"), nebula_bench_recovery},
    {"foreach", N_ ("Long loops"), nebula_bench_for_each},
    {"graph", N_ ("Large workflows"), nebula_bench_graph},
};

static const NebulaBenchSuite *
find_suite (const char *name, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (suites); i++) {
    if (g_str_equal (suites[i].name, name))
      return &suites[i];
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("There is no suite “%s”. “nebula bench --list” lists them."), name);
  return NULL;
}

static int
list_suites (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (suites); i++)
    g_string_append_printf (text, "  %-12s %s\n", suites[i].name, _ (suites[i].summary));
  nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder && (name = g_dir_read_name (folder))) {
    g_autofree char *inner = g_build_filename (path, name, NULL);

    if (g_file_test (inner, G_FILE_TEST_IS_DIR) &&
        !g_file_test (inner, G_FILE_TEST_IS_SYMLINK))
      remove_tree (inner);
    else
      g_unlink (inner);
  }
  g_rmdir (path);
}

static char *
find_helpers (void)
{
  const char *folder = g_getenv ("NEBULA_BENCH_DIR");
  g_autofree char *program = NULL;
  g_autofree char *parent = NULL;

  if (folder)
    return g_strdup (folder);
  program = g_file_read_link ("/proc/self/exe", NULL);
  parent = g_path_get_dirname (program ? program : ".");
  return g_build_filename (parent, "bench", NULL);
}

static void
bench_clear (NebulaBench *self)
{
  if (self->folder)
    remove_tree (self->folder);
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->helpers, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaBench, bench_clear)

static gboolean
run_here (const BenchOptions *opts,
          const NebulaBenchSuite *suite,
          GPtrArray *figures,
          GError **error)
{
  g_auto (NebulaBench) bench = {.suite = suite->name,
                                .is_quick = opts->is_quick,
                                .is_long = opts->is_long,
                                .repeats = opts->is_quick ? 1 : 5,
                                .figures = figures};
  g_autofree char *name = g_build_filename (opts->data_dir, "nebula-bench-XXXXXX", NULL);

  if (!g_mkdtemp (name)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO, _ ("“%s” cannot be written to."),
                 opts->data_dir);
    return FALSE;
  }
  bench.folder = g_steal_pointer (&name);
  bench.helpers = find_helpers ();
  return suite->run (&bench, error);
}

static gboolean
take_figures (const char *text, GPtrArray *figures, GError **error)
{
  g_autoptr (NebulaValue) value =
      nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_NONE, error);
  NebulaValue *all = value ? nebula_value_get_member (value, "figures") : NULL;

  for (gsize i = 0; all && i < nebula_value_get_length (all); i++)
    g_ptr_array_add (figures, nebula_value_ref (nebula_value_get_item (all, i)));
  return value != NULL;
}

static gboolean
run_apart (const BenchOptions *opts,
           const NebulaBenchSuite *suite,
           GPtrArray *figures,
           GError **error)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", error);
  const char *arguments[] = {program,        "bench", suite->name, "--json", "--data-dir",
                             opts->data_dir, NULL,    NULL,        NULL};
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *output = NULL;
  guint last = 6;

  if (!program)
    return FALSE;
  if (opts->is_quick)
    arguments[last++] = "--quick";
  if (opts->is_long)
    arguments[last] = "--long";
  nebula_note (_ ("%s…"), suite->name);
  process = g_subprocess_newv (arguments, G_SUBPROCESS_FLAGS_STDOUT_PIPE, error);
  if (!process ||
      !g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, error))
    return FALSE;
  if (g_subprocess_get_if_exited (process) &&
      g_subprocess_get_exit_status (process) == NEBULA_EXIT_OK)
    return take_figures (output, figures, error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_FAILED, _ ("The suite “%s” failed."),
               suite->name);
  return FALSE;
}

static gboolean
run_suites (const BenchOptions *opts, char **names, GPtrArray *figures, GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  guint n_failed = 0;

  for (guint i = 0; names[i]; i++) {
    const NebulaBenchSuite *suite = find_suite (names[i], error);

    if (!suite)
      return FALSE;
    g_ptr_array_add (chosen, (gpointer) suite);
  }
  for (guint i = 0; !names[0] && i < G_N_ELEMENTS (suites); i++)
    g_ptr_array_add (chosen, (gpointer) &suites[i]);
  if (chosen->len == 1)
    return run_here (opts, chosen->pdata[0], figures, error);
  /* What the others measured is told even if one fails. */
  for (guint i = 0; i < chosen->len; i++) {
    g_autoptr (GError) local_error = NULL;

    if (run_apart (opts, chosen->pdata[i], figures, &local_error))
      continue;
    nebula_complain_error (local_error);
    n_failed++;
  }
  if (n_failed > 0)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
                         _ ("Not all suites could be measured."));
  return n_failed == 0;
}

static void
print_figures (const BenchOptions *opts, GPtrArray *figures)
{
  g_autoptr (NebulaValue) machine = nebula_bench_get_machine (opts->data_dir);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) all = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (!opts->is_json) {
    nebula_bench_append_table (text, machine, figures);
    nebula_output_text (text->str);
    return;
  }
  nebula_value_builder_set_string (builder, "version", NEBULA_VERSION);
  nebula_value_builder_set_boolean (builder, "quick", opts->is_quick);
  nebula_value_builder_set (builder, "machine", machine);
  nebula_value_builder_set_take (
      builder, "figures",
      nebula_value_new_array ((NebulaValue **) figures->pdata, figures->len));
  all = nebula_value_builder_end (builder);
  nebula_output_value (all, FALSE);
}

static int
command_bench (gpointer data, char **arguments)
{
  BenchOptions opts = *(BenchOptions *) data;
  g_autoptr (GPtrArray) figures =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  g_autoptr (GError) error = NULL;
  gboolean is_done;

  if (opts.is_list)
    return list_suites ();
  if (!opts.data_dir)
    opts.data_dir = (char *) g_get_tmp_dir ();
  is_done = run_suites (&opts, arguments, figures, &error);
  if (figures->len > 0)
    print_figures (&opts, figures);
  return is_done ? NEBULA_EXIT_OK : nebula_fail (error, FALSE);
}

const NebulaCommand nebula_command_bench = {
    .name = "bench",
    .summary = N_ ("Measures this machine's figures beside their floors"),
    .arguments = N_ ("[SUITE…]"),
    .min_arguments = 0,
    .max_arguments = G_N_ELEMENTS (suites),
    .details = N_ (
        "Without a suite all of them run. Each figure stands beside its floor: the smallest C code that does\n"
        "the same durable work, measured in the same run. A missed target is no failure.\n"
        "\n"
        "Examples:\n"
        "  nebula bench\n"
        "  nebula bench chain fanout --json\n"
        "  nebula bench --data-dir /var/tmp"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (BenchOptions),
    .run = command_bench,
};
