/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula token create|list|revoke: what lets programs in. Whoever owns the store's file may do this without one. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-json.h"
#include "nebula-output-private.h"
#include "nebula-server.h"
#include "nebula-serving-private.h"

typedef struct {
  char *store;
  char *folder;
  char *tenant;
  char *role;
  char *user;
  char *title;
  char *expires;
  gboolean is_json;
} TokenOptions;

#define OPTION_STORE                                                                     \
  NEBULA_OPTION_TEXT (TokenOptions, store, "store", 0, N_ ("The store"), N_ ("PATH"))
#define OPTION_FOLDER                                                                    \
  NEBULA_OPTION_TEXT (TokenOptions, folder, "data-dir", 0,                               \
                      N_ ("The server's data folder, instead of --store"), N_ ("DIR"))
#define OPTION_TENANT                                                                    \
  NEBULA_OPTION_TEXT (TokenOptions, tenant, "tenant", 0, N_ ("The tenant (default)"),    \
                      N_ ("NAME"))
#define OPTION_JSON                                                                      \
  NEBULA_OPTION_FLAG (TokenOptions, is_json, "json", 0, N_ ("Prints JSON"))

static const NebulaOption options[] = {OPTION_STORE, OPTION_FOLDER, OPTION_TENANT,
                                       OPTION_JSON};

static const NebulaOption create_options[] = {
    OPTION_STORE,
    OPTION_FOLDER,
    OPTION_TENANT,
    NEBULA_OPTION_TEXT (TokenOptions,
                        role,
                        "role",
                        0,
                        N_ ("What it may do (viewer)"),
                        "viewer|operator|editor|admin"),
    NEBULA_OPTION_TEXT (TokenOptions,
                        user,
                        "user",
                        0,
                        N_ ("Whose it is: it never may do more than they"),
                        N_ ("NAME")),
    NEBULA_OPTION_TEXT (TokenOptions,
                        title,
                        "title",
                        0,
                        N_ ("What it is for"),
                        N_ ("TEXT")),
    NEBULA_OPTION_TEXT (TokenOptions,
                        expires,
                        "expires",
                        0,
                        N_ ("When it ends by itself, like 90d"),
                        N_ ("DURATION")),
    OPTION_JSON,
};

typedef struct {
  NebulaServiceHost *host;
  NebulaValue *value;
  GError *error;
} Answer;

static void
answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answer *answer = user_data;

  answer->value =
      nebula_service_host_ask_finish (answer->host, result, NULL, &answer->error);
}

static NebulaValue *
ask_here (NebulaSession *session,
          const char *tenant,
          NebulaValue *request,
          GError **error)
{
  g_autoptr (NebulaServer) server =
      nebula_server_new (session->engine, session->registry, NULL, error);
  g_autoptr (NebulaCaller) owner = nebula_caller_new_owner (tenant);
  Answer answer = {0};

  if (!server)
    return NULL;
  answer.host = NEBULA_SERVICE_HOST (server);
  nebula_service_host_ask_async (answer.host, owner, request, NULL, answered, &answer);
  while (!answer.value && !answer.error)
    g_main_context_iteration (NULL, TRUE);
  nebula_server_stop (server);
  if (answer.error)
    g_propagate_error (error, answer.error);
  return answer.value;
}

/* By the server that holds the store, or here if nobody does. */
static NebulaValue *
ask_store (const char *store, const char *tenant, NebulaValue *request, GError **error)
{
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaValueBuilder) frame = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) whole = NULL;
  g_autoptr (GError) local_error = NULL;

  if (nebula_session_open (&session, store, NEBULA_SESSION_OWN, &local_error))
    return ask_here (&session, tenant, request, error);
  if (!g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY)) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  nebula_value_builder_set_string (frame, "op", "serve");
  nebula_value_builder_set (frame, "request", request);
  if (tenant)
    nebula_value_builder_set_string (frame, "tenant", tenant);
  whole = nebula_value_builder_end (frame);
  return nebula_control_ask (store, whole, error);
}

/* The store that is named, else the one of the data folder. */
static char *
find_store (const TokenOptions *opts, GError **error)
{
  g_autoptr (NebulaConfig) config = NULL;
  g_autofree char *folder = NULL;

  if (opts->store)
    return g_strdup (opts->store);
  config = nebula_config_new_default (error);
  if (!config)
    return NULL;
  folder = nebula_serving_find_folder (config, opts->folder);
  return nebula_serving_get_store (folder);
}

static NebulaValue *
ask (const TokenOptions *opts, NebulaValue *request, GError **error)
{
  g_autofree char *store = find_store (opts, error);

  if (!store || !nebula_store_check (store, error))
    return NULL;
  return ask_store (store, opts->tenant, request, error);
}

static void
set_text (NebulaValueBuilder *builder, const char *key, const char *text)
{
  if (text)
    nebula_value_builder_set_string (builder, key, text);
}

static int
run_create (gpointer data, char **arguments)
{
  const TokenOptions *opts = data;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) request = NULL;
  g_autoptr (NebulaValue) answer = NULL;
  g_autoptr (GError) error = NULL;

  nebula_value_builder_set_string (builder, "op", "token-create");
  nebula_value_builder_set_string (builder, "role", opts->role ? opts->role : "viewer");
  nebula_value_builder_set_string (builder, "title",
                                   opts->title ? opts->title : "nebula token create");
  set_text (builder, "user", opts->user);
  set_text (builder, "expires-in", opts->expires);
  request = nebula_value_builder_end (builder);
  answer = ask (opts, request, &error);
  if (!answer)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json) {
    nebula_output_value (answer, FALSE);
    return NEBULA_EXIT_OK;
  }
  nebula_note ("%s", _ ("Keep this token safe: it is shown this once."));
  nebula_output_text (nebula_value_get_member_string (answer, "secret", ""));
  nebula_output_text ("\n");
  return NEBULA_EXIT_OK;
}

static void
print_list (NebulaValue *list)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < nebula_value_get_length (list); i++) {
    NebulaValue *token = nebula_value_get_item (list, i);

    g_string_append_printf (text, "%-16s  %-8s  %-12s  %-20s  %s\n",
                            nebula_value_get_member_string (token, "token", ""),
                            nebula_value_get_member_string (token, "role", ""),
                            nebula_value_get_member_string (token, "user", "-"),
                            nebula_value_get_member_string (token, "expires", "-"),
                            nebula_value_get_member_string (token, "title", ""));
  }
  nebula_output_text (text->str);
}

static int
run_list (gpointer data, char **arguments)
{
  const TokenOptions *opts = data;
  g_autoptr (NebulaValue) request = nebula_value_parse_json (
      "{\"op\":\"token-list\"}", -1, NEBULA_JSON_FLAGS_NONE, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) answer = ask (opts, request, &error);

  if (!answer)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json)
    nebula_output_value (answer, FALSE);
  else
    print_list (answer);
  return NEBULA_EXIT_OK;
}

static int
run_revoke (gpointer data, char **arguments)
{
  const TokenOptions *opts = data;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) request = NULL;
  g_autoptr (NebulaValue) answer = NULL;
  g_autoptr (GError) error = NULL;

  nebula_value_builder_set_string (builder, "op", "token-revoke");
  nebula_value_builder_set_string (builder, "token", arguments[0]);
  request = nebula_value_builder_end (builder);
  answer = ask (opts, request, &error);
  return answer ? NEBULA_EXIT_OK : nebula_fail (error, opts->is_json);
}

const NebulaCommand nebula_command_token_create = {
    .name = "token create",
    .summary = N_ ("Makes a token and prints it, once"),
    .arguments = "",
    .details = N_ ("Examples:\n"
                   "  nebula token create --role operator --title backup --expires 90d"),
    .options = create_options,
    .n_options = G_N_ELEMENTS (create_options),
    .options_size = sizeof (TokenOptions),
    .run = run_create,
};

const NebulaCommand nebula_command_token_list = {
    .name = "token list",
    .summary = N_ ("Lists the tokens there are, without their secrets"),
    .arguments = "",
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (TokenOptions),
    .run = run_list,
};

const NebulaCommand nebula_command_token_revoke = {
    .name = "token revoke",
    .summary = N_ ("Ends a token, at once"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (TokenOptions),
    .run = run_revoke,
};
