/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula store prune: removes what has ended and is not kept any longer. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-idempotency.h"
#include "nebula-output-private.h"
#include "nebula-sqlite-store.h"

/* So many go in one transaction; a program that works on the store commits in between. */
#define STEP 500

typedef struct {
  char *store;
  char *older;
  char *status;
  char *workflow;
  char *tenant;
  int keep;
  gboolean is_trial;
  gboolean is_json;
} PruneOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXT (PruneOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_TEXT (PruneOptions,
                        older,
                        "older",
                        0,
                        N_ ("Only those that ended so long ago, like 30d"),
                        N_ ("DURATION")),
    NEBULA_OPTION_NUMBER (PruneOptions,
                          keep,
                          "keep",
                          0,
                          N_ ("Of those, so many stay: the newest ones"),
                          N_ ("N")),
    NEBULA_OPTION_TEXT (PruneOptions,
                        status,
                        "status",
                        0,
                        N_ ("Only those that ended so"),
                        "completed|failed|cancelled|timed-out"),
    NEBULA_OPTION_TEXT (PruneOptions,
                        workflow,
                        "workflow",
                        0,
                        N_ ("Only those of this workflow"),
                        N_ ("NAME")),
    NEBULA_OPTION_TEXT (PruneOptions,
                        tenant,
                        "tenant",
                        0,
                        N_ ("Only those of this tenant"),
                        N_ ("NAME")),
    NEBULA_OPTION_FLAG (PruneOptions,
                        is_trial,
                        "dry-run",
                        0,
                        N_ ("Only tells how many there are")),
    NEBULA_OPTION_FLAG (PruneOptions, is_json, "json", 0, N_ ("Prints {removed}")),
};

static gboolean
read_status (const char *text, guint *ret_mask, GError **error)
{
  NebulaExecutionStatus status;

  if (nebula_execution_status_from_string (text, &status) &&
      nebula_execution_status_is_terminal (status)) {
    *ret_mask = 1u << status;
    return TRUE;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("No execution ends as “%s”. Use completed, failed, cancelled or timed-out."), text);
  return FALSE;
}

static gboolean
read_rule (const PruneOptions *opts, NebulaRetention *rule, GError **error)
{
  gint64 age = 0;

  if (!opts->older && opts->keep <= 0) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("Say what may go: --older 30d, --keep 1000, or both."));
    return FALSE;
  }
  if (opts->older && !nebula_duration_parse (opts->older, &age, error))
    return FALSE;
  *rule = (NebulaRetention){.workflow = opts->workflow,
                            .tenant = opts->tenant,
                            .ended_before_usec = opts->older ? g_get_real_time () - age : 0,
                            .keep = (guint) MAX (opts->keep, 0),
                            .is_trial = opts->is_trial};
  return !opts->status || read_status (opts->status, &rule->status_mask, error);
}

/* How many went; -1 with error. */
static gint64
prune (NebulaStore *store, const NebulaRetention *rule, GError **error)
{
  guint limit = rule->is_trial ? G_MAXUINT : STEP;
  gint64 n_all = 0;
  gint64 n_step;

  do {
    n_step = nebula_store_prune (store, rule, limit, error);
    if (n_step < 0)
      return -1;
    n_all += n_step;
  } while (n_step == limit);
  return n_all;
}

/* Keys of starts and calls that have expired go in any case. */
static gint64
prune_keys (NebulaStore *store, const NebulaRetention *rule, GError **error)
{
  return rule->is_trial ? 0 : nebula_idempotency_prune (store, g_get_real_time (), error);
}

static int
tell (const PruneOptions *opts, gint64 n_removed)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autofree char *line = NULL, *text = NULL;

  if (opts->is_json) {
    builder = nebula_value_builder_new_object ();
    nebula_value_builder_set_integer (builder, "removed", n_removed);
    value = nebula_value_builder_end (builder);
    nebula_output_value (value, FALSE);
    return NEBULA_EXIT_OK;
  }
  line = opts->is_trial
             ? g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%llu execution would be removed.",
                                             "%llu executions would be removed.",
                                             (gulong) n_removed),
                                (unsigned long long) n_removed)
             : g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%llu execution was removed.",
                                             "%llu executions were removed.",
                                             (gulong) n_removed),
                                (unsigned long long) n_removed);
  text = g_strconcat (line, "\n", NULL);
  nebula_output_text (text);
  return NEBULA_EXIT_OK;
}

/* Whoever owns the store does it. */
static gint64
prune_by_owner (const char *path, const NebulaRetention *rule, GError **error)
{
  g_autoptr (NebulaValue) request = nebula_control_write_rule (rule);
  g_autoptr (NebulaValue) answer = nebula_control_ask (path, request, error);

  return answer ? nebula_value_get_integer (answer) : -1;
}

static gint64
prune_here (const char *path, const NebulaRetention *rule, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (NebulaStore) store =
      nebula_sqlite_store_open (path, NEBULA_SQLITE_STORE_FLAGS_NONE, &local_error);
  gint64 n_removed;

  if (g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY))
    return prune_by_owner (path, rule, error);
  if (!store) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return -1;
  }
  n_removed = prune (store, rule, error);
  return n_removed >= 0 && prune_keys (store, rule, error) < 0 ? -1 : n_removed;
}

static int
command_prune (gpointer data, char **arguments)
{
  const PruneOptions *opts = data;
  g_autoptr (GError) error = NULL;
  NebulaRetention rule;
  gint64 n_removed = -1;

  if (read_rule (opts, &rule, &error) && nebula_store_check (opts->store, &error))
    n_removed = prune_here (opts->store, &rule, &error);
  return n_removed < 0 ? nebula_fail (error, opts->is_json) : tell (opts, n_removed);
}

const NebulaCommand nebula_command_store_prune = {
    .name = "store prune",
    .summary = N_ ("Removes executions that ended long ago, for good"),
    .arguments = "",
    .details = N_ ("What was kept for idempotency keys that have expired goes as well. If another process owns\n"
                   "the store, that one does it. The settings retention-age, retention-failed-age and\n"
                   "retention-keep let executions go by themselves.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula store prune --store orders.db --older 30d\n"
                   "  nebula store prune --store orders.db --status failed --keep 1000 --dry-run"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (PruneOptions),
    .run = command_prune,
};
