/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula expr: one expression, or on a terminal one after another. */

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-command-private.h"
#include "nebula-completion.h"
#include "nebula-expression.h"
#include "nebula-line-private.h"
#include "nebula-output-private.h"
#include "nebula-reading-private.h"
#include "nebula-registry.h"
#include "nebula-session-private.h"
#include "nebula-settings-private.h"

typedef struct {
  char *data;
  gboolean is_template;
  gboolean is_lenient;
} ExprOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXT (ExprOptions,
                        data,
                        "data",
                        'd',
                        N_ ("An object whose members become $name; @- reads stdin"),
                        N_ ("JSON|@FILE")),
    NEBULA_OPTION_FLAG (ExprOptions,
                        is_template,
                        "template",
                        't',
                        N_ ("The argument is a text with {{ … }} in it")),
    NEBULA_OPTION_FLAG (ExprOptions,
                        is_lenient,
                        "missing-is-null",
                        0,
                        N_ ("What is read and is not there is null, not an error")),
};

/* Modules are only looked for when a name is not built in. NULL: there are none that bring functions. */
static NebulaFunctionSet *
find_functions (NebulaRegistry **registry)
{
  g_autoptr (GError) error = NULL;

  if (!*registry)
    *registry = nebula_registry_open (&error);
  if (*registry)
    return nebula_action_resolver_get_functions (NEBULA_ACTION_RESOLVER (*registry));
  nebula_complain_error (error);
  return NULL;
}

static NebulaExpression *
compile (const char *text,
         gboolean is_template,
         NebulaRegistry **registry,
         GError **error)
{
  g_autoptr (GError) local_error = NULL;
  NebulaExpression *expression =
      nebula_expression_compile_with_functions (text, is_template, NULL, &local_error);
  NebulaFunctionSet *functions;

  if (g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME) &&
      (functions = find_functions (registry)) != NULL)
    return nebula_expression_compile_with_functions (text, is_template, functions, error);
  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return expression;
}

static NebulaValue *
evaluate (const char *text,
          const ExprOptions *opts,
          NebulaRegistry **registry,
          NebulaValue *data,
          GError **error)
{
  g_autoptr (NebulaExpression) expression =
      compile (text, opts->is_template, registry, error);

  if (!expression)
    return NULL;
  return opts->is_lenient
             ? nebula_expression_evaluate_data_leniently (expression, data, error)
             : nebula_expression_evaluate_data (expression, data, error);
}

static NebulaValue *
read_data (const char *text, GError **error)
{
  NebulaValue *data = text ? nebula_read_argument (text, "data", error)
                           : nebula_value_new_empty_object ();

  if (!data || nebula_value_get_kind (data) == NEBULA_VALUE_KIND_OBJECT)
    return data;
  nebula_value_unref (data);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                       _ ("--data wants an object: {\"x\": 1} makes $x."));
  return NULL;
}

static void
list_functions (NebulaRegistry **registry)
{
  g_auto (GStrv) built_in = nebula_expression_list_functions ();
  NebulaFunctionSet *functions = find_functions (registry);
  g_autoptr (NebulaValue) brought = functions ? nebula_function_set_describe (functions)
                                              : nebula_value_new_array (NULL, 0);

  for (guint i = 0; built_in[i]; i++)
    nebula_note ("  %s", built_in[i]);
  for (gsize i = 0; i < nebula_value_get_length (brought); i++) {
    NebulaValue *function = nebula_value_get_item (brought, i);

    nebula_note ("  %s (%s) — %s", nebula_value_get_member_string (function, "name", ""),
                 nebula_value_get_member_string (function, "parameters", ""),
                 nebula_value_get_member_string (function, "description", ""));
  }
}

static void
append_list (GString *text, const char *heading, NebulaValue *words)
{
  if (nebula_value_get_length (words) == 0)
    return;
  g_string_append_printf (text, "%s", heading);
  for (gsize i = 0; i < nebula_value_get_length (words); i++)
    g_string_append_printf (text, " %s",
                            nebula_value_get_string (nebula_value_get_item (words, i)));
  g_string_append_c (text, '\n');
}

static NebulaValue *
describe_function (const char *word, NebulaRegistry **registry)
{
  NebulaValue *function = nebula_expression_describe_function (word, NULL);
  NebulaFunctionSet *functions = function ? NULL : find_functions (registry);

  return functions ? nebula_expression_describe_function (word, functions) : function;
}

/* What it takes and gives, its errors and its examples. */
static gboolean
tell_function (const char *word, NebulaRegistry **registry)
{
  g_autoptr (NebulaValue) function = describe_function (word, registry);
  g_autoptr (GString) text = g_string_new (NULL);
  NebulaValue *parameters, *examples;

  if (!function)
    return FALSE;
  parameters = nebula_value_get_member (function, "parameters");
  examples = nebula_value_get_member (function, "examples");
  g_string_append_printf (text, "%s: %s\n\n",
                          nebula_value_get_member_string (function, "signature", ""),
                          nebula_value_get_member_string (function, "description", ""));
  for (gsize i = 0; i < nebula_value_get_length (parameters); i++) {
    NebulaValue *parameter = nebula_value_get_item (parameters, i);

    g_string_append_printf (text, "  %-20s %s\n",
                            nebula_value_get_member_string (parameter, "name", ""),
                            nebula_value_get_member_string (parameter, "type", ""));
  }
  g_string_append_printf (text, "  %-20s %s\n\n", "→",
                          nebula_value_get_member_string (function, "result", ""));
  append_list (text, _ ("Errors:"), nebula_value_get_member (function, "errors"));
  append_list (text, _ ("Also called:"), nebula_value_get_member (function, "aliases"));
  for (gsize i = 0; i < nebula_value_get_length (examples); i++) {
    NebulaValue *example = nebula_value_get_item (examples, i);

    g_string_append_printf (text, "  %s → %s\n",
                            nebula_value_get_member_string (example, "expression", ""),
                            nebula_value_get_member_string (example, "value", ""));
  }
  nebula_output_text (text->str);
  return TRUE;
}

static gboolean
help_on (const char *word)
{
  g_autoptr (NebulaRegistry) registry = NULL;

  return tell_function (word, &registry);
}

/* Lines that are read and evaluated one after another. */
typedef struct {
  const ExprOptions *opts;
  NebulaRegistry *registry; /* NULL: nobody looked for modules yet */
  NebulaValue *data;        /* with `last` */
  gboolean is_terminal;
  gboolean has_failed;
  guint n_lines; /* that were not empty */
} Session;

static void
session_clear (Session *self)
{
  g_clear_pointer (&self->data, nebula_value_unref);
  g_clear_object (&self->registry);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Session, session_clear)

static NebulaExpressionScope *
make_scope (Session *self)
{
  NebulaExpressionScope *scope = nebula_expression_scope_new_for_data (self->data);

  nebula_expression_scope_set_functions (scope, find_functions (&self->registry));
  return scope;
}

static GPtrArray *
complete (const char *text, guint position, gpointer user_data)
{
  Session *self = user_data;
  g_autoptr (NebulaExpressionScope) scope = make_scope (self);

  return nebula_expression_complete (text, self->opts->is_template, position, scope);
}

/* What the last word of the text is. */
static void
tell (Session *self, const char *text)
{
  g_autoptr (NebulaExpressionScope) scope = make_scope (self);
  guint length = (guint) g_utf8_strlen (text, -1);
  g_autoptr (NebulaCompletion) found =
      nebula_expression_hover (text, self->opts->is_template, length, scope);
  const char *detail, *documentation;

  if (tell_function (text, &self->registry))
    return;
  if (!found) {
    nebula_note (_ ("Nothing is known of “%s”."), text);
    return;
  }
  detail = nebula_completion_get_detail (found);
  documentation = nebula_completion_get_documentation (found);
  nebula_note ("%s%s%s", nebula_completion_get_label (found), detail ? ": " : "",
               detail ? detail : "");
  if (documentation)
    nebula_note ("%s", documentation);
}

static void
evaluate_line (Session *self, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = NULL;
  NebulaValue *changed;

  if (g_utf8_validate (line, -1, NULL))
    value = evaluate (line, self->opts, &self->registry, self->data, &error);
  else
    g_set_error_literal (&error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
                         _ ("This is not UTF-8."));
  if (!value) {
    self->has_failed = TRUE;
    nebula_note ("%s", error->message);
    return;
  }
  nebula_output_value (value, self->is_terminal);
  changed = nebula_value_with_member (self->data, "last", value);
  nebula_value_unref (self->data);
  self->data = changed;
}

/* FALSE ends the loop. */
static gboolean
take_line (Session *self, char *line)
{
  g_strstrip (line);
  if (line[0] == '\0')
    return TRUE;
  self->n_lines++;
  if (g_str_equal (line, ":quit") || g_str_equal (line, ":q"))
    return FALSE;
  if (g_str_has_prefix (line, ":help ") && g_utf8_validate (line, -1, NULL))
    tell (self, g_strchug (line + strlen (":help ")));
  else if (g_str_equal (line, ":functions"))
    list_functions (&self->registry);
  else
    evaluate_line (self, line);
  return TRUE;
}

/* Somebody who types sees mistakes at once; a script wants to know of them in the end. */
static int
read_and_print (const ExprOptions *opts, NebulaValue *data)
{
  g_auto (Session) session = {.opts = opts, .data = nebula_value_ref (data)};
  g_autoptr (NebulaLine) reader = nebula_line_new ("> ", complete, &session);
  gboolean is_over = FALSE;

  session.is_terminal = nebula_line_is_terminal (reader);
  if (session.is_terminal)
    nebula_note ("%s", _ ("Type an expression, :help NAME, :functions or :quit. $last is "
                          "the last result."));
  while (!is_over) {
    g_autofree char *line = nebula_line_read (reader);

    if (!line && session.is_terminal)
      nebula_note_text ("\n");
    is_over = !line || !take_line (&session, line);
  }
  if (session.is_terminal || session.n_lines > 0)
    return session.has_failed && !session.is_terminal ? NEBULA_EXIT_FAILED
                                                      : NEBULA_EXIT_OK;
  nebula_complain (
      "%s", _ ("“nebula expr” wants an expression. “nebula expr --help” tells more."));
  return NEBULA_EXIT_USAGE;
}

static int
command_expr (gpointer opts_data, char **arguments)
{
  const ExprOptions *opts = opts_data;
  g_auto (NebulaSettings) settings = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaRegistry) registry = NULL;
  g_autoptr (NebulaValue) data = NULL;
  g_autoptr (NebulaValue) value = NULL;

  if (!nebula_settings_load (&settings, NULL, &error))
    return nebula_fail (error, FALSE);
  data = read_data (opts->data, &error);
  if (!data) {
    nebula_complain_error (error);
    return NEBULA_EXIT_USAGE;
  }
  if (!arguments[0])
    return read_and_print (opts, data);
  value = evaluate (arguments[0], opts, &registry, data, &error);
  if (!value) {
    nebula_note ("%s", error->message);
    return NEBULA_EXIT_FAILED;
  }
  nebula_output_value (value, isatty (STDOUT_FILENO));
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_expr = {
    .name = "expr",
    .summary = N_ ("Evaluates an expression and prints its value as JSON"),
    .arguments = N_ ("[EXPRESSION]"),
    .max_arguments = 1,
    .details = N_ (
        "Without an expression it reads one after another, a line each; on a terminal the\n"
        "tabulator completes what is typed.\n"
        "\n"
        "Examples:\n"
        "  nebula expr '[1, 2, 3] | map(x => x * 2)'\n"
        "  nebula expr '$order.total > 100' --data @order.json\n"
        "  nebula expr --help sort_by\n"
        "  nebula expr --template 'Hello {{ $name }}' --data '{\"name\": \"Ada\"}'"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ExprOptions),
    .flags = NEBULA_COMMAND_FLAGS_EXPRESSIONS,
    .run = command_expr,
    .help_on = help_on,
};
