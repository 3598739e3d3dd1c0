/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula queue list|show: who is inside the gates of a store, and who waits. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"
#include "nebula-session-private.h"

typedef struct {
  char *store;
  gboolean is_json;
} QueueOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXT (QueueOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_FLAG (QueueOptions, is_json, "json", 0, N_ ("Prints JSON")),
};

static void
append_queue (GString *text, NebulaValue *queue)
{
  g_string_append_printf (
      text, "%-12s %6u/%u  %6u  %s\n", nebula_value_get_member_string (queue, "kind", ""),
      (guint) nebula_value_get_member_integer (queue, "inside", 0),
      (guint) nebula_value_get_member_integer (queue, "limit", 0),
      (guint) nebula_value_get_member_integer (queue, "waiting", 0),
      nebula_value_get_member_string (queue, "key", ""));
}

static void
append_entries (GString *text, NebulaValue *entries, const char *state)
{
  for (gsize i = 0; i < nebula_value_get_length (entries); i++) {
    NebulaValue *entry = nebula_value_get_item (entries, i);
    const char *share = nebula_value_get_member_string (entry, "share", NULL);

    g_string_append_printf (text, "  %-8s %s  %s", state,
                            nebula_value_get_member_string (entry, "since", ""),
                            nebula_value_get_member_string (entry, "holder", ""));
    if (share)
      g_string_append_printf (text, "  %s", share);
    g_string_append_c (text, '\n');
  }
}

static void
print_list (NebulaValue *list)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < nebula_value_get_length (list); i++)
    append_queue (text, nebula_value_get_item (list, i));
  nebula_output_text (text->str);
}

static void
print_queue (NebulaValue *queue)
{
  g_autoptr (GString) text = g_string_new (NULL);

  append_queue (text, queue);
  append_entries (text, nebula_value_get_member (queue, "holders"), "inside");
  append_entries (text, nebula_value_get_member (queue, "queue"), "waiting");
  nebula_output_text (text->str);
}

static NebulaValue *
look (const QueueOptions *opts, const char *key, GError **error)
{
  g_auto (NebulaSession) session = {0};

  if (!nebula_store_check (opts->store, error) ||
      !nebula_session_open (&session, opts->store, NEBULA_SESSION_LOOK, error))
    return NULL;
  return key ? nebula_engine_get_queue (session.engine, key, error)
             : nebula_engine_list_queues (session.engine, error);
}

static int
tell (const QueueOptions *opts, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = look (opts, key, &error);

  if (!value)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json)
    nebula_output_value (value, FALSE);
  else if (key)
    print_queue (value);
  else
    print_list (value);
  return NEBULA_EXIT_OK;
}

static int
command_list (gpointer data, char **arguments)
{
  return tell (data, NULL);
}

static int
command_show (gpointer data, char **arguments)
{
  return tell (data, arguments[0]);
}

const NebulaCommand nebula_command_queue_list = {
    .name = "queue list",
    .summary = N_ ("Lists concurrency keys, rates, locks: how many are inside and wait"),
    .arguments = "",
    .details = N_ ("Examples:\n"
                   "  nebula queue list --store orders.db"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (QueueOptions),
    .run = command_list,
};

const NebulaCommand nebula_command_queue_show = {
    .name = "queue show",
    .summary = N_ ("Shows who is inside and who waits, and since when"),
    .arguments = N_ ("KEY"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula queue show lock:default/printer --store orders.db"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (QueueOptions),
    .run = command_show,
};
