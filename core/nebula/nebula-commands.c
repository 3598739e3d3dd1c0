/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of commands, and what is said when none of them was meant. */

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"

static const NebulaCommandGroup groups[] = {
    {"execution", N_ ("Looks at and steers executions in a store")},
    {"queue", N_ ("Looks at who is inside, and who waits")},
    {"workflow", N_ ("Keeps workflows in a store, and looks at them")},
    {"token", N_ ("Lets programs in, and keeps them out again")},
    {"store", N_ ("Looks after stores")},
    {"config", N_ ("Shows and changes settings")},
};

const NebulaCommand *const *
nebula_commands_get (guint *ret_count)
{
  static const NebulaCommand *commands[64];
  static guint n_commands;

  if (n_commands == 0) {
    commands[n_commands++] = &nebula_command_run;
    commands[n_commands++] = &nebula_command_serve;
    commands[n_commands++] = &nebula_command_validate;
    commands[n_commands++] = &nebula_command_expr;
    commands[n_commands++] = &nebula_command_inspect;
    commands[n_commands++] = &nebula_command_execution_list;
    commands[n_commands++] = &nebula_command_execution_show;
    commands[n_commands++] = &nebula_command_execution_history;
    commands[n_commands++] = &nebula_command_execution_resume;
    commands[n_commands++] = &nebula_command_execution_cancel;
    commands[n_commands++] = &nebula_command_execution_signal;
    commands[n_commands++] = &nebula_command_execution_answer;
    commands[n_commands++] = &nebula_command_execution_approve;
    commands[n_commands++] = &nebula_command_execution_reject;
    commands[n_commands++] = &nebula_command_execution_pause;
    commands[n_commands++] = &nebula_command_execution_terminate;
    commands[n_commands++] = &nebula_command_execution_why;
    commands[n_commands++] = &nebula_command_execution_rerun;
    commands[n_commands++] = &nebula_command_execution_fork;
    commands[n_commands++] = &nebula_command_execution_break;
    commands[n_commands++] = &nebula_command_execution_step;
    commands[n_commands++] = &nebula_command_queue_list;
    commands[n_commands++] = &nebula_command_queue_show;
    commands[n_commands++] = &nebula_command_events;
    commands[n_commands++] = &nebula_command_metrics;
    commands[n_commands++] = &nebula_command_system;
    commands[n_commands++] = &nebula_command_workflow_deploy;
    commands[n_commands++] = &nebula_command_workflow_list;
    commands[n_commands++] = &nebula_command_workflow_history;
    commands[n_commands++] = &nebula_command_workflow_show;
    commands[n_commands++] = &nebula_command_workflow_diff;
    commands[n_commands++] = &nebula_command_workflow_rollback;
    commands[n_commands++] = &nebula_command_workflow_label;
    commands[n_commands++] = &nebula_command_token_create;
    commands[n_commands++] = &nebula_command_token_list;
    commands[n_commands++] = &nebula_command_token_revoke;
    commands[n_commands++] = &nebula_command_store_prune;
    commands[n_commands++] = &nebula_command_workflow_graph;
    commands[n_commands++] = &nebula_command_config_list;
    commands[n_commands++] = &nebula_command_config_get;
    commands[n_commands++] = &nebula_command_config_set;
    commands[n_commands++] = &nebula_command_config_describe;
    commands[n_commands++] = &nebula_command_completion;
    if (&nebula_command_bench)
      commands[n_commands++] = &nebula_command_bench;
  }
  *ret_count = n_commands;
  return commands;
}

const NebulaCommandGroup *
nebula_commands_get_groups (guint *ret_count)
{
  *ret_count = G_N_ELEMENTS (groups);
  return groups;
}

static const NebulaCommandGroup *
find_group (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++) {
    if (g_str_equal (groups[i].name, name))
      return &groups[i];
  }
  return NULL;
}

static const NebulaCommand *
find_command (const char *name)
{
  guint n_commands;
  const NebulaCommand *const *commands = nebula_commands_get (&n_commands);

  for (guint i = 0; i < n_commands; i++) {
    if (g_str_equal (commands[i]->name, name))
      return commands[i];
  }
  return NULL;
}

/* Words of @name behind the group's, or @name itself without a group; NULL if it is of another group. */
static const char *
get_name_in_group (const char *name, const char *group)
{
  gsize length = group ? strlen (group) : 0;

  if (!group)
    return strchr (name, ' ') ? NULL : name;
  return g_str_has_prefix (name, group) && name[length] == ' ' ? name + length + 1 : NULL;
}

static void
append_row (GString *text, const char *name, const char *summary)
{
  g_string_append_printf (text, "  %-12s %s\n", name, _ (summary));
}

static void
append_commands (GString *text, const char *group)
{
  guint n_commands;
  const NebulaCommand *const *commands = nebula_commands_get (&n_commands);

  g_string_append_printf (text, "%s\n", _ ("Commands:"));
  for (guint i = 0; i < n_commands; i++) {
    const char *name = get_name_in_group (commands[i]->name, group);

    if (name)
      append_row (text, name, commands[i]->summary);
  }
  for (guint i = 0; !group && i < G_N_ELEMENTS (groups); i++)
    append_row (text, groups[i].name, groups[i].summary);
}

static void
print_help (const NebulaCommandGroup *group, gboolean is_wanted)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *prefix = group ? g_strconcat (group->name, " ", NULL) : g_strdup ("");

  g_string_append_printf (text, "%s nebula %s%s\n\n", _ ("Usage:"), prefix,
                          _ ("COMMAND [OPTION…]"));
  g_string_append_printf (text, "%s\n\n",
                          group ? _ (group->summary) : _ ("Runs workflows durably."));
  append_commands (text, group ? group->name : NULL);
  g_string_append_c (text, '\n');
  if (!group) {
    g_string_append_printf (text, "%s\n", _ ("Examples:"));
    g_string_append (text, "  nebula run hello.yaml --input '{\"name\": \"Ada\"}'\n");
    g_string_append (text, "  nebula run orders.yaml --store orders.db\n");
    g_string_append (text, "  nebula execution resume --all --store orders.db\n");
    g_string_append (text, "  nebula expr '[1, 2, 3] | sum'\n\n");
  }
  g_string_append_printf (
      text, _ ("“nebula %sCOMMAND --help” tells more about one command.\n"), prefix);
  if (is_wanted)
    nebula_output_text (text->str);
  else
    nebula_note_text (text->str);
}

/* Insertions, deletions and changes that make one word of the other. */
static guint
get_distance (const char *a, const char *b)
{
  gsize length = MIN (strlen (b), 63);
  guint row[64];

  for (guint j = 0; j <= length; j++)
    row[j] = j;
  for (guint i = 1; a[i - 1] != '\0'; i++) {
    guint diagonal = row[0];

    row[0] = i;
    for (guint j = 1; j <= length; j++) {
      guint above = row[j];
      guint change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);

      row[j] = MIN (MIN (above, row[j - 1]) + 1, change);
      diagonal = above;
    }
  }
  return row[length];
}

static const char *
find_nearest (const char *word, const char *group)
{
  guint n_commands;
  const NebulaCommand *const *commands = nebula_commands_get (&n_commands);
  const char *nearest = NULL;
  guint best = 3;

  for (guint i = 0; i < n_commands + G_N_ELEMENTS (groups); i++) {
    const char *name =
        i < n_commands ? get_name_in_group (commands[i]->name, group) : NULL;
    guint distance;

    if (i >= n_commands && !group)
      name = groups[i - n_commands].name;
    distance = name && strlen (word) < 64 ? get_distance (word, name) : best;
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

static int
complain_unknown (const char *word, const char *group)
{
  const char *nearest = find_nearest (word, group);
  g_autofree char *name = g_strconcat (group ? group : "", group ? " " : "", word, NULL);
  g_autofree char *shown = g_utf8_make_valid (name, -1);

  if (nearest)
    nebula_complain (_ ("There is no command “%s”. Did you mean “%s”?"), shown, nearest);
  else
    nebula_complain (_ ("There is no command “%s”. “nebula --help” lists them."), shown);
  return NEBULA_EXIT_USAGE;
}

static gboolean
is_help (const char *word)
{
  return g_str_equal (word, "--help") || g_str_equal (word, "-h") ||
         g_str_equal (word, "-?") || g_str_equal (word, "help");
}

static int
run_in_group (const NebulaCommandGroup *group, int argc, char **argv)
{
  g_autofree char *name = NULL;
  const NebulaCommand *command;

  if (argc < 2 || is_help (argv[1])) {
    print_help (group, argc >= 2);
    return argc >= 2 ? NEBULA_EXIT_OK : NEBULA_EXIT_USAGE;
  }
  name = g_strconcat (group->name, " ", argv[1], NULL);
  command = find_command (name);
  if (!command)
    return complain_unknown (argv[1], group->name);
  return nebula_command_run_with (command, argc - 1, argv + 1);
}

/* “nebula help run” is “nebula run --help”. */
static int
help_about (int argc, char **argv)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  if (argc < 3) {
    print_help (NULL, TRUE);
    return NEBULA_EXIT_OK;
  }
  g_ptr_array_add (words, argv[0]);
  for (int i = 2; i < argc; i++)
    g_ptr_array_add (words, argv[i]);
  g_ptr_array_add (words, (char *) "--help");
  g_ptr_array_add (words, NULL);
  return nebula_commands_main (argc, (char **) words->pdata);
}

int
nebula_commands_main (int argc, char **argv)
{
  const NebulaCommandGroup *group;
  const NebulaCommand *command;

  if (argc < 2) {
    print_help (NULL, FALSE);
    return NEBULA_EXIT_USAGE;
  }
  if (is_help (argv[1]))
    return help_about (g_str_equal (argv[1], "help") ? argc : 2, argv);
  if (g_str_equal (argv[1], "--version") || g_str_equal (argv[1], "-V")) {
    nebula_output_text ("nebula " NEBULA_VERSION "\n");
    return NEBULA_EXIT_OK;
  }
  group = find_group (argv[1]);
  if (group)
    return run_in_group (group, argc - 1, argv + 1);
  command = find_command (argv[1]);
  if (!command)
    return complain_unknown (argv[1], NULL);
  return nebula_command_run_with (command, argc - 1, argv + 1);
}

NebulaExit
nebula_exit_from_error (const GError *error)
{
  if (error->domain == G_OPTION_ERROR)
    return NEBULA_EXIT_USAGE;
  if (error->domain == G_FILE_ERROR)
    return NEBULA_EXIT_ENVIRONMENT;
  if (error->domain != NEBULA_ERROR)
    return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
               ? NEBULA_EXIT_CANCELLED
               : NEBULA_EXIT_ENVIRONMENT;
  if (error->code == NEBULA_ERROR_STORE_SEALED)
    return NEBULA_EXIT_RESTART;
  if ((error->code >= NEBULA_ERROR_IO && error->code <= NEBULA_ERROR_CONFIG) ||
      error->code == NEBULA_ERROR_UNAVAILABLE ||
      error->code == NEBULA_ERROR_PERMISSION_DENIED)
    return NEBULA_EXIT_ENVIRONMENT;
  if (error->code == NEBULA_ERROR_INVALID_WORKFLOW ||
      error->code == NEBULA_ERROR_INVALID_ARGUMENT)
    return NEBULA_EXIT_USAGE;
  if (error->code == NEBULA_ERROR_CANCELLED || error->code == NEBULA_ERROR_TIMED_OUT)
    return NEBULA_EXIT_CANCELLED;
  return NEBULA_EXIT_FAILED;
}
