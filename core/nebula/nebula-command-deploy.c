/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula workflow deploy|rollback|label: what changes the workflows of a store. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"
#include "nebula-publishing-private.h"
#include "nebula-reading-private.h"

typedef struct {
  char *store;
  char *label;
  char *expected;
  char *message;
  char *revision;
  gboolean is_removal;
  gboolean is_json;
} DeployOptions;

#define OPTION_STORE                                                                     \
  NEBULA_OPTION_TEXT (DeployOptions, store, "store", 0, N_ ("The store"), N_ ("PATH"))
#define OPTION_JSON                                                                      \
  NEBULA_OPTION_FLAG (DeployOptions, is_json, "json", 0,                                  \
                      N_ ("Prints an array of {workflow, revision, hash, changed}"))
#define OPTION_EXPECTED                                                                  \
  NEBULA_OPTION_TEXT (DeployOptions, expected, "if-revision", 0,                          \
                      N_ ("Only if this revision is the current one; 0: if there is none"),   \
                      N_ ("N"))
#define OPTION_MESSAGE                                                                   \
  NEBULA_OPTION_TEXT (DeployOptions, message, "message", 'm',                             \
                      N_ ("Why, for those who look at it later"), N_ ("TEXT"))
#define OPTION_LABEL                                                                     \
  NEBULA_OPTION_TEXT (DeployOptions, label, "label", 0,                                   \
                      N_ ("A name for the revision, taken from the one that had it"),    \
                      N_ ("LABEL"))

static const NebulaOption deploy_options[] = {OPTION_STORE, OPTION_LABEL, OPTION_EXPECTED,
                                              OPTION_MESSAGE, OPTION_JSON};
static const NebulaOption rollback_options[] = {
    OPTION_STORE,
    NEBULA_OPTION_TEXT (DeployOptions,
                        revision,
                        "revision",
                        'r',
                        N_ ("A number or a label"),
                        N_ ("N|LABEL")),
    OPTION_EXPECTED,
    OPTION_MESSAGE,
    OPTION_JSON,
};
static const NebulaOption label_options[] = {
    OPTION_STORE,
    NEBULA_OPTION_TEXT (DeployOptions,
                        revision,
                        "revision",
                        'r',
                        N_ ("A number or a label"),
                        N_ ("N|LABEL")),
    NEBULA_OPTION_FLAG (DeployOptions,
                        is_removal,
                        "remove",
                        0,
                        N_ ("Takes the label away")),
    OPTION_JSON,
};

static gboolean
set_expected (NebulaValueBuilder *builder, const char *text, GError **error)
{
  guint64 number;

  if (!text)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &number, NULL)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("--if-revision wants a number, not “%s”."), text);
    return FALSE;
  }
  nebula_value_builder_set_integer (builder, "if-revision", (gint64) number);
  return TRUE;
}

static NebulaValue *
make_options (const DeployOptions *opts, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  const char *user = g_get_user_name ();

  if (!set_expected (builder, opts->expected, error))
    return NULL;
  if (opts->label)
    nebula_value_builder_set_string (builder, "label", opts->label);
  if (opts->message)
    nebula_value_builder_set_string (builder, "message", opts->message);
  nebula_value_builder_set_string (builder, "by", user);
  return nebula_value_builder_end (builder);
}

static gboolean
check_store (const char *store, gboolean must_exist, GError **error)
{
  return nebula_store_is_memory (store) || must_exist ? nebula_store_check (store, error)
                                                      : TRUE;
}

static int
tell (NebulaValue *answer, gboolean is_json)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; !is_json && i < nebula_value_get_length (answer); i++) {
    NebulaValue *item = nebula_value_get_item (answer, i);
    gboolean is_new = nebula_value_get_member_boolean (item, "changed", FALSE);

    g_string_append_printf (text, "%s@%lld%s\n",
                            nebula_value_get_member_string (item, "workflow", ""),
                            (long long) nebula_value_get_member_integer (item, "revision", 0),
                            is_new ? "" : _ ("  unchanged"));
  }
  if (is_json)
    nebula_output_value (answer, FALSE);
  else
    nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

static int
order (const DeployOptions *opts, NebulaValue *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) answer = nebula_publishing_order (opts->store, request, &error);

  return answer ? tell (answer, opts->is_json) : nebula_fail (error, opts->is_json);
}

/* Files. */

typedef struct {
  const DeployOptions *opts;
  NebulaRegistry *registry;
  GPtrArray *diagnostics;
  NebulaValueBuilder *items;
} Deploy;

static void
deploy_clear (Deploy *self)
{
  g_clear_object (&self->registry);
  g_clear_pointer (&self->diagnostics, g_ptr_array_unref);
  g_clear_pointer (&self->items, nebula_value_builder_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Deploy, deploy_clear)

/* FALSE without error: it is wrong, and why is among the diagnostics. */
static gboolean
add_file (Deploy *self, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = nebula_read_file (path, error);
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autoptr (NebulaValueBuilder) item = nebula_value_builder_new_object ();
  g_autofree char *text = NULL;

  if (!bytes)
    return FALSE;
  if (!nebula_workflow_validate_bytes (bytes, absolute,
                                       NEBULA_ACTION_RESOLVER (self->registry),
                                       self->diagnostics, NULL))
    return FALSE;
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  nebula_value_builder_set_string (item, "text", text);
  if (!g_str_equal (path, "-"))
    nebula_value_builder_set_string (item, "file", absolute);
  nebula_value_builder_add_take (self->items, nebula_value_builder_end (item));
  return TRUE;
}

static int
fail_invalid (Deploy *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) value = NULL;

  if (!self->opts->is_json)
    return NEBULA_EXIT_USAGE;
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "status", "invalid");
  nebula_value_builder_set_take (builder, "diagnostics",
                                 nebula_diagnostics_to_value (self->diagnostics));
  value = nebula_value_builder_end (builder);
  nebula_output_value (value, FALSE);
  return NEBULA_EXIT_USAGE;
}

static NebulaValue *
make_request (Deploy *self, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) choices = make_options (self->opts, error);

  if (!choices)
    return NULL;
  nebula_value_builder_set_string (builder, "op", "publish");
  nebula_value_builder_set_take (builder, "workflows",
                                 nebula_value_builder_end (self->items));
  nebula_value_builder_set (builder, "options", choices);
  return nebula_value_builder_end (builder);
}

static int
command_deploy (gpointer data, char **arguments)
{
  g_auto (Deploy) self = {.opts = data};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) request = NULL;
  gboolean is_good = TRUE;

  self.diagnostics = nebula_diagnostics_new ();
  self.items = nebula_value_builder_new_array ();
  if (check_store (self.opts->store, FALSE, &error))
    self.registry = nebula_registry_open (&error);
  for (guint i = 0; self.registry && arguments[i] && !error; i++)
    is_good &= add_file (&self, arguments[i], &error);
  nebula_note_diagnostics (self.diagnostics);
  if (!error && !is_good)
    return fail_invalid (&self);
  if (!error)
    request = make_request (&self, &error);
  return request ? order (self.opts, request) : nebula_fail (error, self.opts->is_json);
}

/* Names. */

static NebulaValueBuilder *
begin_request (const char *op, const char *workflow, const char *which)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "op", op);
  nebula_value_builder_set_string (builder, "workflow", workflow);
  if (which)
    nebula_value_builder_set_string (builder, "which", which);
  return builder;
}

static int
command_rollback (gpointer data, char **arguments)
{
  const DeployOptions *opts = data;
  g_autofree char *given = NULL;
  g_autofree char *name = nebula_publishing_split (arguments[0], &given);
  const char *which = opts->revision ? opts->revision : given;
  g_autoptr (NebulaValueBuilder) builder = begin_request ("roll-back", name, which);
  g_autoptr (NebulaValue) request = NULL;
  g_autoptr (NebulaValue) choices = NULL;
  g_autoptr (GError) error = NULL;

  if (!which)
    g_set_error_literal (&error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("Say which revision to go back to: --revision N."));
  else if (check_store (opts->store, TRUE, &error))
    choices = make_options (opts, &error);
  if (!choices)
    return nebula_fail (error, opts->is_json);
  nebula_value_builder_set (builder, "options", choices);
  request = nebula_value_builder_end (builder);
  return order (opts, request);
}

static int
command_label (gpointer data, char **arguments)
{
  const DeployOptions *opts = data;
  g_autofree char *given = NULL;
  g_autofree char *name = nebula_publishing_split (arguments[0], &given);
  const char *which = opts->is_removal ? "" : opts->revision ? opts->revision : given;
  g_autoptr (NebulaValueBuilder) builder = begin_request ("label", name, which);
  g_autoptr (NebulaValue) request = NULL;
  g_autoptr (GError) error = NULL;

  if (!check_store (opts->store, TRUE, &error))
    return nebula_fail (error, opts->is_json);
  nebula_value_builder_set_string (builder, "label", arguments[1]);
  request = nebula_value_builder_end (builder);
  return order (opts, request);
}

const NebulaCommand nebula_command_workflow_deploy = {
    .name = "workflow deploy",
    .summary = N_ ("Puts workflows into a store, each as a new revision"),
    .arguments = N_ ("FILE…"),
    .min_arguments = 1,
    .max_arguments = G_MAXUINT,
    .details = N_ (
        "All of them, or none if one is wrong. What has not changed gets no new revision. Executions\n"
        "that run keep their revision; new ones and “flow.call” take the current one by name. If another\n"
        "process runs the store, it is asked to do it.\n"
        "\n"
        "Examples:\n"
        "  nebula workflow deploy orders.yaml --store orders.db\n"
        "  nebula workflow deploy orders.yaml bills.yaml --store orders.db --label live\n"
        "  nebula workflow deploy orders.yaml --store orders.db --if-revision 3 -m 'new prices'"),
    .options = deploy_options,
    .n_options = G_N_ELEMENTS (deploy_options),
    .options_size = sizeof (DeployOptions),
    .run = command_deploy,
};

const NebulaCommand nebula_command_workflow_rollback = {
    .name = "workflow rollback",
    .summary = N_ ("Makes an earlier revision of a workflow the current one"),
    .arguments = N_ ("NAME"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("History only grows: what the earlier revision holds becomes a new one.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula workflow rollback orders --revision 3 --store orders.db\n"
                   "  nebula workflow rollback orders@live --store orders.db -m 'wrong prices'"),
    .options = rollback_options,
    .n_options = G_N_ELEMENTS (rollback_options),
    .options_size = sizeof (DeployOptions),
    .run = command_rollback,
};

const NebulaCommand nebula_command_workflow_label = {
    .name = "workflow label",
    .summary = N_ ("Gives a revision of a workflow a name"),
    .arguments = N_ ("NAME LABEL"),
    .min_arguments = 2,
    .max_arguments = 2,
    .details = N_ ("A label names one revision at a time; without --revision it is the current one.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula workflow label orders live --revision 4 --store orders.db\n"
                   "  nebula workflow label orders live --remove --store orders.db"),
    .options = label_options,
    .n_options = G_N_ELEMENTS (label_options),
    .options_size = sizeof (DeployOptions),
    .run = command_label,
};
