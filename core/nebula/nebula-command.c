/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One command: its options, its help, its run. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"

static GOptionEntry *
make_entries (const NebulaCommand *self, guint8 *options, char ***rest)
{
  GOptionEntry *entries = g_new0 (GOptionEntry, self->n_options + 2);

  for (guint i = 0; i < self->n_options; i++) {
    const NebulaOption *option = &self->options[i];

    entries[i].long_name = option->name;
    entries[i].short_name = option->letter;
    entries[i].arg = option->kind;
    entries[i].arg_data = options + option->offset;
    entries[i].description = option->help;
    entries[i].arg_description = option->value;
  }
  entries[self->n_options].long_name = G_OPTION_REMAINING;
  entries[self->n_options].arg = G_OPTION_ARG_FILENAME_ARRAY;
  entries[self->n_options].arg_data = rest;
  entries[self->n_options].arg_description = self->arguments;
  return entries;
}

static void
clear_options (const NebulaCommand *self, guint8 *options)
{
  for (guint i = 0; i < self->n_options; i++) {
    gpointer variable = options + self->options[i].offset;

    if (self->options[i].kind == G_OPTION_ARG_FILENAME)
      g_clear_pointer ((char **) variable, g_free);
    else if (self->options[i].kind == G_OPTION_ARG_FILENAME_ARRAY)
      g_clear_pointer ((char ***) variable, g_strfreev);
  }
}

static const NebulaOption *
find_option (const NebulaCommand *self, const char *word)
{
  for (guint i = 0; i < self->n_options; i++) {
    const NebulaOption *option = &self->options[i];
    gsize length = strlen (option->name);

    if (word[1] == option->letter && option->letter && word[2] == '\0')
      return option;
    if (g_str_has_prefix (word, "--") && strncmp (word + 2, option->name, length) == 0 &&
        (word[2 + length] == '\0' || word[2 + length] == '='))
      return option;
  }
  return NULL;
}

static gboolean
is_expression (const NebulaCommand *self, const char *word)
{
  if (word[0] != '-' || word[1] == '\0' || find_option (self, word))
    return FALSE;
  if (word[1] == '-')
    return word[2] != '\0' && !g_ascii_isalpha (word[2]);
  return !(g_ascii_isalpha (word[1]) || word[1] == '?') || word[2] != '\0';
}

/* Puts “--” before the first argument that starts with a minus and is no option: “nebula expr -1+2”. */
static GStrv
protect_expressions (const NebulaCommand *self, int argc, char **argv)
{
  g_autoptr (GStrvBuilder) options = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  g_auto (GStrv) rest = NULL;
  gboolean is_over = FALSE;

  g_strv_builder_add (options, argv[0]);
  g_strv_builder_add (words, "--");
  for (int i = 1; i < argc; i++) {
    const NebulaOption *option = is_over ? NULL : find_option (self, argv[i]);
    gboolean is_word = is_over || argv[i][0] != '-' || argv[i][1] == '\0' ||
                       is_expression (self, argv[i]);

    if (!is_over && g_str_equal (argv[i], "--")) {
      is_over = TRUE;
      continue;
    }
    g_strv_builder_add (is_word ? words : options, argv[i]);
    if (option && option->kind != G_OPTION_ARG_NONE && !strchr (argv[i], '=') &&
        i + 1 < argc)
      g_strv_builder_add (options, argv[++i]);
  }
  rest = g_strv_builder_end (words);
  g_strv_builder_addv (options, (const char **) rest);
  return g_strv_builder_end (options);
}

static GOptionContext *
make_context (const NebulaCommand *self, const GOptionEntry *entries)
{
  GOptionContext *context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_summary (context, self->summary);
  if (self->details)
    g_option_context_set_description (context, self->details);
  g_option_context_set_help_enabled (context, FALSE);
  return context;
}

static gboolean
wants_help (const NebulaCommand *self, char **words)
{
  for (guint i = 1; words[i]; i++) {
    const NebulaOption *option = find_option (self, words[i]);

    if (g_str_equal (words[i], "--"))
      return FALSE;
    if (g_str_equal (words[i], "--help") || g_str_equal (words[i], "-h") ||
        g_str_equal (words[i], "-?"))
      return TRUE;
    if (option && option->kind != G_OPTION_ARG_NONE && !strchr (words[i], '=') &&
        words[i + 1])
      i++;
  }
  return FALSE;
}

static gboolean
check_count (const NebulaCommand *self, char **arguments, GError **error)
{
  guint n_arguments = arguments ? g_strv_length (arguments) : 0;

  if (n_arguments < self->min_arguments) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("“nebula %s” wants %s. “nebula %s --help” tells more."), self->name,
                 self->arguments, self->name);
    return FALSE;
  }
  if (n_arguments > self->max_arguments) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” is one argument too many. “nebula %s --help” tells more."),
                 arguments[self->max_arguments], self->name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_texts (char **words, GError **error)
{
  for (guint i = 1; words[i]; i++) {
    g_autofree char *shown = NULL;

    if (g_utf8_validate (words[i], -1, NULL))
      continue;
    shown = g_utf8_make_valid (words[i], -1);
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("The argument “%s” is not UTF-8."), shown);
    return FALSE;
  }
  return TRUE;
}

/* `--help WORD`, where the command has something to say of the word. */
static gboolean
helps_on (const NebulaCommand *self, char **words)
{
  for (guint i = 1; self->help_on && words[0] && words[i]; i++)
    if (words[i][0] != '-' && self->help_on (words[i]))
      return TRUE;
  return FALSE;
}

static void
print_help (const NebulaCommand *self, GOptionContext *context)
{
  g_autofree char *help = NULL;

  g_option_context_set_help_enabled (context, TRUE);
  help = g_option_context_get_help (context, TRUE, NULL);
  nebula_output_text (help);
  if (!g_str_has_suffix (help, "\n"))
    nebula_output_text ("\n");
}

int
nebula_command_run_with (const NebulaCommand *self, int argc, char **argv)
{
  g_autofree guint8 *options = g_malloc0 (self->options_size + 1);
  g_auto (GStrv) arguments = NULL;
  g_auto (GStrv) words = NULL;
  g_autofree GOptionEntry *entries = make_entries (self, options, &arguments);
  g_autoptr (GOptionContext) context = make_context (self, entries);
  g_autofree char *program = g_strdup_printf ("nebula %s", self->name);
  char *no_arguments[] = {NULL};
  g_autoptr (GError) error = NULL;
  int status = NEBULA_EXIT_USAGE;

  if (self->flags & NEBULA_COMMAND_FLAGS_EXPRESSIONS)
    words = protect_expressions (self, argc, argv);
  else
    words = g_strdupv (argv);
  g_set_prgname (program);
  if (wants_help (self, words)) {
    if (!helps_on (self, words))
      print_help (self, context);
    return NEBULA_EXIT_OK;
  }
  g_option_context_set_strict_posix (context, FALSE);
  if (check_texts (words, &error) &&
      g_option_context_parse_strv (context, &words, &error) &&
      check_count (self, arguments, &error))
    status = self->run (options, arguments ? arguments : no_arguments);
  if (error)
    nebula_complain ("%s", error->message);
  clear_options (self, options);
  return status;
}
