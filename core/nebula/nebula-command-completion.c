/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula completion: scripts for shells, made from the table of commands, so that they cannot fall behind it. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"

/* “dot|mermaid” is a choice; “PATH|:memory:” is not. */
static gboolean
is_choice (const char *value)
{
  return value && strchr (value, '|') &&
         strspn (value, "abcdefghijklmnopqrstuvwxyz-|") == strlen (value);
}

static gboolean
wants_file (const char *value)
{
  return value && (strstr (value, "FILE") || strstr (value, "PATH"));
}

static char *
list_choices (const char *value)
{
  g_auto (GStrv) parts = g_strsplit (value, "|", -1);

  return g_strjoinv (" ", parts);
}

static char *
list_options (const NebulaCommand *command)
{
  g_autoptr (GString) text = g_string_new ("--help");

  for (guint i = 0; i < command->n_options; i++)
    g_string_append_printf (text, " --%s", command->options[i].name);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* First words, or second words of a group. */
static char *
list_words (const char *group)
{
  guint n_commands;
  guint n_groups;
  const NebulaCommand *const *commands = nebula_commands_get (&n_commands);
  const NebulaCommandGroup *groups = nebula_commands_get_groups (&n_groups);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n_commands; i++) {
    const char *space = strchr (commands[i]->name, ' ');
    gboolean is_here =
        group ? space && strncmp (commands[i]->name, group, strlen (group)) == 0 : !space;

    if (is_here)
      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "",
                              space ? space + 1 : commands[i]->name);
  }
  for (guint i = 0; !group && i < n_groups; i++)
    g_string_append_printf (text, " %s", groups[i].name);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
append_bash_command (GString *text, const NebulaCommand *command)
{
  g_autofree char *names = list_options (command);

  g_string_append_printf (text, "    '%s')\n      case $previous in\n", command->name);
  for (guint i = 0; i < command->n_options; i++) {
    const NebulaOption *option = &command->options[i];
    g_autofree char *choices =
        is_choice (option->value) ? list_choices (option->value) : NULL;

    if (choices)
      g_string_append_printf (
          text, "        --%s) COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n",
          option->name, choices);
    else if (option->value)
      g_string_append_printf (
          text, "        --%s) COMPREPLY=(%s); return ;;\n", option->name,
          wants_file (option->value) ? "$(compgen -f -- \"$word\")" : "");
  }
  g_string_append_printf (text, "      esac\n      options='%s' ;;\n", names);
}

static char *
make_bash (void)
{
  guint n_commands;
  guint n_groups;
  const NebulaCommand *const *commands = nebula_commands_get (&n_commands);
  const NebulaCommandGroup *groups = nebula_commands_get_groups (&n_groups);
  g_autofree char *words = list_words (NULL);
  GString *text = g_string_new (
      "# bash completion for nebula\n_nebula () {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
      "  local command=${COMP_WORDS[1]} options=\n  COMPREPLY=()\n");

  g_string_append_printf (
      text,
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '%s --help --version' -- \"$word\"))\n    return\n  fi\n",
      words);
  g_string_append (text, "  case $command in\n");
  for (guint i = 0; i < n_groups; i++) {
    g_autofree char *seconds = list_words (groups[i].name);

    g_string_append_printf (
        text,
        "    %s)\n      if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
        "        COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n        return\n      fi\n"
        "      command=\"$command ${COMP_WORDS[2]}\" ;;\n",
        groups[i].name, seconds);
  }
  g_string_append (text, "  esac\n  case $command in\n");
  for (guint i = 0; i < n_commands; i++)
    append_bash_command (text, commands[i]);
  g_string_append (text,
                   "  esac\n  case $word in\n"
                   "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
                   "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n  esac\n}\n"
                   "complete -o filenames -F _nebula nebula\n");
  return g_string_free (text, FALSE);
}

static char *
escape_quotes (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "'", -1);

  return g_strjoinv ("’", parts);
}

static void
append_zsh_command (GString *text, const NebulaCommand *command)
{
  g_string_append_printf (text, "    '%s')\n      _arguments", command->name);
  for (guint i = 0; i < command->n_options; i++) {
    const NebulaOption *option = &command->options[i];
    g_autofree char *choices =
        is_choice (option->value) ? list_choices (option->value) : NULL;
    g_autofree char *help = escape_quotes (option->help);

    g_strdelimit (help, "[]:", ' ');
    g_string_append_printf (text, " \\\n        '--%s[%s]%s", option->name, help,
                            option->value ? ":value:" : "");
    if (choices)
      g_string_append_printf (text, "(%s)", choices);
    else if (wants_file (option->value))
      g_string_append (text, "_files");
    g_string_append_c (text, '\'');
  }
  g_string_append (text, " \\\n        '*:file:_files' ;;\n");
}

static char *
make_zsh (void)
{
  guint n_commands;
  guint n_groups;
  const NebulaCommand *const *commands = nebula_commands_get (&n_commands);
  const NebulaCommandGroup *groups = nebula_commands_get_groups (&n_groups);
  g_autofree char *words = list_words (NULL);
  GString *text =
      g_string_new ("#compdef nebula\n_nebula () {\n  local command=${words[2]}\n");

  g_string_append_printf (
      text,
      "  if (( CURRENT == 2 )); then\n    compadd -- %s --help --version\n    return\n  fi\n",
      words);
  g_string_append (text, "  case $command in\n");
  for (guint i = 0; i < n_groups; i++) {
    g_autofree char *seconds = list_words (groups[i].name);

    g_string_append_printf (
        text,
        "    %s)\n      if (( CURRENT == 3 )); then\n        compadd -- %s\n        return\n"
        "      fi\n      command=\"$command ${words[3]}\"\n      shift words\n"
        "      (( CURRENT-- )) ;;\n",
        groups[i].name, seconds);
  }
  g_string_append (text,
                   "  esac\n  shift words\n  (( CURRENT-- ))\n  case $command in\n");
  for (guint i = 0; i < n_commands; i++)
    append_zsh_command (text, commands[i]);
  g_string_append (
      text, "  esac\n}\nif [ \"$funcstack[1]\" = _nebula ]; then\n  _nebula \"$@\"\n"
            "else\n  compdef _nebula nebula\nfi\n");
  return g_string_free (text, FALSE);
}

static void
append_fish_command (GString *text, const NebulaCommand *command)
{
  g_auto (GStrv) parts = g_strsplit (command->name, " ", 2);
  g_autofree char *seen =
      parts[1] ? g_strdup_printf ("__fish_seen_subcommand_from %s; and "
                                  "__fish_seen_subcommand_from %s",
                                  parts[0], parts[1])
               : g_strdup_printf ("__fish_seen_subcommand_from %s", parts[0]);
  g_autofree char *unseen =
      parts[1] ? g_strdup_printf ("__fish_seen_subcommand_from %s", parts[0])
               : g_strdup ("__fish_use_subcommand");
  g_autofree char *summary = escape_quotes (command->summary);

  g_string_append_printf (text, "complete -c nebula -n '%s' -f -a %s -d '%s'\n", unseen,
                          parts[1] ? parts[1] : parts[0], summary);
  for (guint i = 0; i < command->n_options; i++) {
    const NebulaOption *option = &command->options[i];
    g_autofree char *choices =
        is_choice (option->value) ? list_choices (option->value) : NULL;
    g_autofree char *help = escape_quotes (option->help);

    g_string_append_printf (text, "complete -c nebula -n '%s' -l %s -d '%s'", seen,
                            option->name, help);
    if (option->letter)
      g_string_append_printf (text, " -s %c", option->letter);
    if (choices)
      g_string_append_printf (text, " -x -a '%s'", choices);
    else if (option->value)
      g_string_append (text, wants_file (option->value) ? " -r" : " -x");
    g_string_append_c (text, '\n');
  }
}

static char *
make_fish (void)
{
  guint n_commands;
  guint n_groups;
  const NebulaCommand *const *commands = nebula_commands_get (&n_commands);
  const NebulaCommandGroup *groups = nebula_commands_get_groups (&n_groups);
  GString *text = g_string_new ("# fish completion for nebula\n");

  for (guint i = 0; i < n_commands; i++)
    append_fish_command (text, commands[i]);
  for (guint i = 0; i < n_groups; i++)
    g_string_append_printf (
        text, "complete -c nebula -n __fish_use_subcommand -f -a %s -d '%s'\n",
        groups[i].name, groups[i].summary);
  return g_string_free (text, FALSE);
}

static int
command_completion (gpointer data, char **arguments)
{
  g_autofree char *script = NULL;

  if (g_str_equal (arguments[0], "bash"))
    script = make_bash ();
  else if (g_str_equal (arguments[0], "zsh"))
    script = make_zsh ();
  else if (g_str_equal (arguments[0], "fish"))
    script = make_fish ();
  if (!script) {
    nebula_complain (_ ("There is no completion for “%s”. Use bash, zsh or fish."),
                     arguments[0]);
    return NEBULA_EXIT_USAGE;
  }
  nebula_output_text (script);
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_completion = {
    .name = "completion",
    .summary = N_ ("Prints what completes commands in a shell"),
    .arguments = "bash|zsh|fish",
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  source <(nebula completion bash)\n"
                   "  nebula completion fish > ~/.config/fish/completions/nebula.fish"),
    .run = command_completion,
};
