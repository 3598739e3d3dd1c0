/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula workflow list|history|show|diff: looks at the workflows of a store, whoever owns it. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-json.h"
#include "nebula-output-private.h"
#include "nebula-publishing-private.h"
#include "nebula-reading-private.h"
#include "nebula-revisions.h"

typedef struct {
  char *store;
  char *revision;
  char *after;
  char *tag;
  int limit;
  gboolean is_json;
} LookOptions;

#define OPTION_STORE                                                                     \
  NEBULA_OPTION_TEXT (LookOptions, store, "store", 0, N_ ("The store"), N_ ("PATH"))
#define OPTION_LIMIT                                                                     \
  NEBULA_OPTION_NUMBER (LookOptions, limit, "limit", 0, N_ ("How many at most (100)"), N_ ("N"))

static const NebulaOption list_options[] = {
    OPTION_STORE,
    OPTION_LIMIT,
    NEBULA_OPTION_TEXT (
        LookOptions, tag, "tag", 0, N_ ("Only those that have this tag"), N_ ("TAG")),
    NEBULA_OPTION_TEXT (LookOptions,
                        after,
                        "after",
                        0,
                        N_ ("The next page: “next” of the one before"),
                        N_ ("NEXT")),
    NEBULA_OPTION_FLAG (LookOptions, is_json, "json", 0, N_ ("Prints {items, next}")),
};
static const NebulaOption history_options[] = {
    OPTION_STORE,
    OPTION_LIMIT,
    NEBULA_OPTION_TEXT (LookOptions,
                        after,
                        "after",
                        0,
                        N_ ("The next page: “next” of the one before"),
                        N_ ("NEXT")),
    NEBULA_OPTION_FLAG (LookOptions, is_json, "json", 0, N_ ("Prints {items, next}")),
};
static const NebulaOption show_options[] = {
    OPTION_STORE,
    NEBULA_OPTION_TEXT (LookOptions,
                        revision,
                        "revision",
                        'r',
                        N_ ("A number or a label"),
                        N_ ("N|LABEL")),
    NEBULA_OPTION_FLAG (LookOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints the revision as one object")),
};
static const NebulaOption diff_options[] = {
    OPTION_STORE,
    NEBULA_OPTION_FLAG (LookOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints {same, before, after, changes}")),
};

static gboolean
look (NebulaSession *session, const LookOptions *opts, GError **error)
{
  return nebula_store_check (opts->store, error) &&
         nebula_session_open (session, opts->store, NEBULA_SESSION_LOOK, error);
}

static guint
get_limit (const LookOptions *opts)
{
  return opts->limit > 0 ? (guint) opts->limit : 0;
}

static void
append_labels (GString *text, NebulaValue *labels)
{
  gboolean is_object = nebula_value_get_kind (labels) == NEBULA_VALUE_KIND_OBJECT;

  for (gsize i = 0; i < nebula_value_get_length (labels); i++) {
    const char *label = is_object
                            ? nebula_value_get_key (labels, i, NULL)
                            : nebula_value_get_string (nebula_value_get_item (labels, i));

    g_string_append_printf (text, "  %s", label);
    if (is_object)
      g_string_append_printf (
          text, "=%lld", (long long) nebula_value_get_member_integer (labels, label, 0));
  }
}

static void
append_item (GString *text, NebulaValue *item, const char *time)
{
  const char *message = nebula_value_get_member_string (item, "message", NULL);
  gint64 restores = nebula_value_get_member_integer (item, "restores", 0);

  g_string_append_printf (text, "%s@%lld  %s  %.12s",
                          nebula_value_get_member_string (item, "workflow", ""),
                          (long long) nebula_value_get_member_integer (item, "revision", 0),
                          nebula_value_get_member_string (item, time, ""),
                          nebula_value_get_member_string (item, "hash", ""));
  append_labels (text, nebula_value_get_member (item, "labels"));
  nebula_append_tags (text, item);
  if (restores > 0)
    g_string_append_printf (text, "  ← %lld", (long long) restores);
  if (message)
    g_string_append_printf (text, "  %s", message);
  g_string_append_c (text, '\n');
}

static int
tell_page (NebulaValue *page, const char *time, const LookOptions *opts)
{
  NebulaValue *items = nebula_value_get_member (page, "items");
  g_autoptr (GString) text = g_string_new (NULL);

  if (opts->is_json) {
    nebula_output_value (page, FALSE);
    return NEBULA_EXIT_OK;
  }
  for (gsize i = 0; i < nebula_value_get_length (items); i++)
    append_item (text, nebula_value_get_item (items, i), time);
  nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

static int
command_list (gpointer data, char **arguments)
{
  const LookOptions *opts = data;
  g_auto (NebulaSession) session = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) page = NULL;

  if (look (&session, opts, &error))
    page = opts->tag ? nebula_engine_list_workflows_with_tag (session.engine, opts->tag, opts->after,
                                                              get_limit (opts), &error)
                     : nebula_engine_list_workflows (session.engine, opts->after,
                                                     get_limit (opts), &error);
  return page ? tell_page (page, "updated", opts) : nebula_fail (error, opts->is_json);
}

static int
command_history (gpointer data, char **arguments)
{
  const LookOptions *opts = data;
  g_auto (NebulaSession) session = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) page = NULL;
  gint64 before = opts->after ? g_ascii_strtoll (opts->after, NULL, 10) : 0;

  if (look (&session, opts, &error))
    page = nebula_engine_list_revisions (session.engine, arguments[0], before,
                                         get_limit (opts), &error);
  return page ? tell_page (page, "created", opts) : nebula_fail (error, opts->is_json);
}

static int
tell_definition (NebulaValue *revision)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaWorkflow) workflow = nebula_workflow_new_from_value (
      nebula_value_get_member (revision, "definition"), NULL, &error);
  g_autofree char *text = workflow ? nebula_workflow_to_yaml (workflow) : NULL;

  if (!text)
    return nebula_fail (error, FALSE);
  nebula_output_text (text);
  return NEBULA_EXIT_OK;
}

static int
command_show (gpointer data, char **arguments)
{
  const LookOptions *opts = data;
  g_auto (NebulaSession) session = {0};
  g_autofree char *given = NULL;
  g_autofree char *name = nebula_publishing_split (arguments[0], &given);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) revision = NULL;

  if (look (&session, opts, &error))
    revision = nebula_engine_get_revision (
        session.engine, name, opts->revision ? opts->revision : given, &error);
  if (!revision)
    return nebula_fail (error, opts->is_json);
  if (!opts->is_json)
    return tell_definition (revision);
  nebula_output_value (revision, FALSE);
  return NEBULA_EXIT_OK;
}

/* What stands at one side of a comparison: a file if there is one of this name, else a revision of the store. */
static NebulaWorkflow *
read_side (NebulaEngine *engine, const char *text, GError **error)
{
  g_autoptr (GPtrArray) diagnostics = nebula_diagnostics_new ();
  g_autofree char *which = NULL;
  g_autofree char *name = nebula_publishing_split (text, &which);
  g_autoptr (NebulaValue) revision = NULL;

  if (!engine || g_file_test (text, G_FILE_TEST_EXISTS))
    return nebula_read_workflow (text, diagnostics, error);
  revision = nebula_engine_get_revision (engine, name, which, error);
  return revision
             ? nebula_workflow_new_from_value (
                   nebula_value_get_member (revision, "definition"), diagnostics, error)
             : NULL;
}

static void
append_value (GString *text, const char *sign, NebulaValue *value)
{
  g_autofree char *json =
      value ? nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE) : NULL;

  if (json)
    g_string_append_printf (text, "    %s %s\n", sign, json);
}

static void
append_change (GString *text, NebulaValue *change, gboolean has_colour)
{
  const char *kind = nebula_value_get_member_string (change, "change", "");
  const char *what = nebula_value_get_member_string (change, "what", "");
  const char *node = nebula_value_get_member_string (change, "node", NULL);
  const char *from = nebula_value_get_member_string (change, "from", NULL);
  NebulaStyle style = g_str_equal (kind, "added")     ? NEBULA_STYLE_GOOD
                      : g_str_equal (kind, "removed") ? NEBULA_STYLE_BAD
                                                      : NEBULA_STYLE_BUSY;

  nebula_paint (text, has_colour, style, kind);
  g_string_append_printf (text, " %s", what);
  if (node)
    g_string_append_printf (text, "  %s", node);
  if (from)
    g_string_append_printf (text, " ← %s", from);
  g_string_append_printf (text, "  %s\n", nebula_value_get_member_string (change, "path", ""));
  append_value (text, "-", nebula_value_get_member (change, "before"));
  append_value (text, "+", nebula_value_get_member (change, "after"));
}

static void
tell_diff (NebulaValue *diff)
{
  NebulaValue *changes = nebula_value_get_member (diff, "changes");
  gboolean has_colour = nebula_has_colour (1);
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < nebula_value_get_length (changes); i++)
    append_change (text, nebula_value_get_item (changes, i), has_colour);
  nebula_output_text (text->str);
  if (nebula_value_get_member_boolean (diff, "same", FALSE))
    nebula_note ("%s", _ ("Both run alike."));
}

static int
command_diff (gpointer data, char **arguments)
{
  const LookOptions *opts = data;
  g_auto (NebulaSession) session = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaWorkflow) before = NULL;
  g_autoptr (NebulaWorkflow) after = NULL;
  g_autoptr (NebulaValue) diff = NULL;

  if (!opts->store || look (&session, opts, &error))
    before = read_side (session.engine, arguments[0], &error);
  if (before)
    after = read_side (session.engine, arguments[1], &error);
  if (!after)
    return nebula_fail (error, opts->is_json);
  diff = nebula_workflow_diff (before, after);
  if (opts->is_json)
    nebula_output_value (diff, FALSE);
  else
    tell_diff (diff);
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_workflow_list = {
    .name = "workflow list",
    .summary = N_ ("Lists the workflows of a store"),
    .arguments = "",
    .details = N_ ("Examples:\n"
                   "  nebula workflow list --store orders.db\n"
                   "  nebula workflow list --store orders.db --tag billing --json"),
    .options = list_options,
    .n_options = G_N_ELEMENTS (list_options),
    .options_size = sizeof (LookOptions),
    .run = command_list,
};

const NebulaCommand nebula_command_workflow_history = {
    .name = "workflow history",
    .summary = N_ ("Lists the revisions of a workflow, newest first"),
    .arguments = N_ ("NAME"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula workflow history orders --store orders.db\n"
                   "  nebula workflow history orders --store orders.db --limit 10 --json"),
    .options = history_options,
    .n_options = G_N_ELEMENTS (history_options),
    .options_size = sizeof (LookOptions),
    .run = command_history,
};

const NebulaCommand nebula_command_workflow_show = {
    .name = "workflow show",
    .summary = N_ ("Shows a workflow of a store as a file"),
    .arguments = N_ ("NAME"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula workflow show orders --store orders.db\n"
                   "  nebula workflow show orders@3 --store orders.db > orders-3.yaml\n"
                   "  nebula workflow show orders --revision live --store orders.db --json"),
    .options = show_options,
    .n_options = G_N_ELEMENTS (show_options),
    .options_size = sizeof (LookOptions),
    .run = command_show,
};

const NebulaCommand nebula_command_workflow_diff = {
    .name = "workflow diff",
    .summary = N_ ("Tells what differs between two workflows, by meaning"),
    .arguments = N_ ("A B"),
    .min_arguments = 2,
    .max_arguments = 2,
    .details = N_ ("A and B are files, or names of workflows in the store: NAME, NAME@3, NAME@live.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula workflow diff orders@3 orders@live --store orders.db\n"
                   "  nebula workflow diff orders orders.yaml --store orders.db\n"
                   "  nebula workflow diff old.yaml new.yaml --json"),
    .options = diff_options,
    .n_options = G_N_ELEMENTS (diff_options),
    .options_size = sizeof (LookOptions),
    .run = command_diff,
};
