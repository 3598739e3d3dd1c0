/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution history, nebula events: what is committed, whoever owns the store. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-duration.h"
#include "nebula-event-reader.h"
#include "nebula-history-page.h"
#include "nebula-json.h"
#include "nebula-output-private.h"
#include "nebula-session-private.h"

#define DETAIL_CHARS 160
#define EVENTS_LIMIT 1000

typedef struct {
  char *store;
  char *after;
  int limit;
  gboolean is_json;
} HistoryOptions;

static const NebulaOption history_options[] = {
    NEBULA_OPTION_TEXT (HistoryOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_NUMBER (HistoryOptions,
                          limit,
                          "limit",
                          0,
                          N_ ("How many at most (100)"),
                          N_ ("N")),
    NEBULA_OPTION_TEXT (HistoryOptions,
                        after,
                        "after",
                        0,
                        N_ ("The next page: “next” of the one before, or the number of a fact"),
                        N_ ("NUMBER")),
    NEBULA_OPTION_FLAG (HistoryOptions, is_json, "json", 0, N_ ("Prints {items, next}")),
};

typedef struct {
  char *store;
  char *after;
  char *topic;
  char *execution;
  int limit;
  gboolean follows;
  gboolean is_json;
} EventsOptions;

static const NebulaOption events_options[] = {
    NEBULA_OPTION_TEXT (EventsOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_TEXT (EventsOptions,
                        after,
                        "after",
                        0,
                        N_ ("Only those after this position, which each line names"),
                        N_ ("POSITION")),
    NEBULA_OPTION_TEXT (EventsOptions,
                        topic,
                        "topic",
                        0,
                        N_ ("Only these: node.failed, or node.*"),
                        N_ ("PATTERN")),
    NEBULA_OPTION_TEXT (EventsOptions,
                        execution,
                        "execution",
                        0,
                        N_ ("Only those of this execution"),
                        N_ ("ID")),
    NEBULA_OPTION_NUMBER (EventsOptions,
                          limit,
                          "limit",
                          0,
                          N_ ("Ends after so many (no limit)"),
                          N_ ("N")),
    NEBULA_OPTION_FLAG (EventsOptions,
                        follows,
                        "follow",
                        0,
                        N_ ("Goes on with what is committed from now on, until it is interrupted")),
    NEBULA_OPTION_FLAG (EventsOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints a CloudEvent in each line")),
};

/* Lines. */

static void
append_detail (GString *text, const char *key, NebulaValue *value)
{
  gboolean is_text = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING;
  g_autofree char *shown =
      is_text ? g_strdup (nebula_value_get_string (value)) : nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
  g_autofree char *cut = NULL;

  if (shown && g_utf8_strlen (shown, -1) > DETAIL_CHARS) {
    g_autofree char *head = g_utf8_substring (shown, 0, DETAIL_CHARS);

    cut = g_strconcat (head, "…", NULL);
  }
  g_strdelimit (cut ? cut : shown, "\n\r\t", ' ');
  g_string_append_printf (text, "  %s=%s", key, cut ? cut : shown ? shown : "?");
}

static void
append_details (GString *text, NebulaValue *object, const char *const *others)
{
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    const char *key = nebula_value_get_key (object, i, NULL);
    NebulaValue *value = nebula_value_get_member_at (object, i);
    NebulaValue *message =
        g_str_equal (key, "error") && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT
            ? nebula_value_get_member (value, "message")
            : NULL;

    if (!g_strv_contains (others, key))
      append_detail (text, key, message ? message : value);
  }
}

static void
append_fact (GString *text, NebulaValue *item)
{
  static const char *const others[] = {"sequence", "time", "fact", "node", "path", NULL};
  const char *node = nebula_value_get_member_string (item, "node", "");

  g_string_append_printf (
      text, "%6" G_GINT64_FORMAT "  %s  %-15s  %s",
      nebula_value_get_member_integer (item, "sequence", 0),
      nebula_value_get_member_string (item, "time", ""),
      nebula_value_get_member_string (item, "fact", ""),
      nebula_value_get_member_string (item, "path", node));
  append_details (text, item, others);
  g_string_append_c (text, '\n');
}

static void
print_history (NebulaValue *page)
{
  NebulaValue *items = nebula_value_get_member (page, "items");
  const char *next = nebula_value_get_member_string (page, "next", NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < nebula_value_get_length (items); i++)
    append_fact (text, nebula_value_get_item (items, i));
  nebula_output_text (text->str);
  if (next)
    nebula_note (_ ("There are more: add --after %s"), next);
}

/* Waiting for an answer. */

typedef struct {
  GAsyncResult *result;
} Answer;

static void
answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Answer *) user_data)->result = g_object_ref (result);
}

static GAsyncResult *
wait_for (Answer *answer)
{
  while (!answer->result)
    g_main_context_iteration (NULL, TRUE);
  return answer->result;
}

static NebulaValue *
read_history (NebulaEngine *engine, const char *id, const HistoryOptions *opts, GError **error)
{
  Answer answer = {NULL};
  g_autoptr (GAsyncResult) result = NULL;

  nebula_engine_read_history_async (engine, id, opts->after, (guint) MAX (opts->limit, 0),
                                    NULL, answered, &answer);
  result = wait_for (&answer);
  return nebula_engine_read_history_finish (engine, result, error);
}

static int
command_history (gpointer data, char **arguments)
{
  const HistoryOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaValue) page = NULL;

  if (nebula_store_check (opts->store, &error) &&
      nebula_session_open (&session, opts->store, NEBULA_SESSION_LOOK, &error))
    page = read_history (session.engine, arguments[0], opts, &error);
  if (!page)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json)
    nebula_output_value (page, FALSE);
  else
    print_history (page);
  return NEBULA_EXIT_OK;
}

/* Events. */

static void
print_event (NebulaEvent *event, gboolean is_json)
{
  static const char *const others[] = {"path", NULL};
  NebulaValue *data = nebula_event_get_data (event);
  const char *node = nebula_event_get_node (event);
  g_autofree char *time = NULL;
  g_autoptr (GString) text = NULL;

  if (is_json) {
    g_autoptr (NebulaValue) whole = nebula_event_to_cloud_event (event, NULL);

    nebula_output_value (whole, FALSE);
    return;
  }
  text = g_string_new (NULL);
  time = nebula_timestamp_to_string (nebula_event_get_time_usec (event), 0);
  g_string_append_printf (text, "%s  %s  %-19s  %s  %s", nebula_event_get_position (event),
                          time, nebula_event_get_topic (event),
                          nebula_event_get_execution (event),
                          nebula_value_get_member_string (data, "path", node ? node : ""));
  append_details (text, data, others);
  g_string_append_c (text, '\n');
  nebula_output_text (text->str);
}

/* How many there were; -1 with error. */
static gint
print_some (NebulaEventReader *reader,
            const EventsOptions *opts,
            guint limit,
            GCancellable *cancellable,
            GError **error)
{
  Answer answer = {NULL};
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) events = NULL;

  nebula_event_reader_read_async (reader, limit, opts->follows, cancellable, answered, &answer);
  result = wait_for (&answer);
  events = nebula_event_reader_read_finish (reader, result, error);
  for (guint i = 0; events && i < events->len; i++)
    print_event (events->pdata[i], opts->is_json);
  return events ? (gint) events->len : -1;
}

static gboolean
print_events (NebulaEventReader *reader, const EventsOptions *opts, GCancellable *cancellable, GError **error)
{
  guint n_left = opts->limit > 0 ? (guint) opts->limit : G_MAXUINT;
  gint n_events = 0;

  while (n_left > 0) {
    n_events = print_some (reader, opts, MIN (n_left, EVENTS_LIMIT), cancellable, error);
    if (n_events <= 0)
      return n_events == 0;
    n_left -= (guint) n_events;
  }
  return TRUE;
}

static void
interrupted (gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

static int
command_events (gpointer data, char **arguments)
{
  const EventsOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaEventReader) reader = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gboolean is_good;

  if (nebula_store_check (opts->store, &error) &&
      nebula_session_open (&session, opts->store, NEBULA_SESSION_LOOK, &error))
    reader = nebula_event_reader_new (session.engine, opts->topic, opts->execution,
                                      opts->after, &error);
  if (!reader)
    return nebula_fail (error, opts->is_json);
  nebula_interrupts_watch (interrupted, cancellable);
  is_good = print_events (reader, opts, cancellable, &error);
  nebula_interrupts_unwatch ();
  if (is_good || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return NEBULA_EXIT_OK;
  return nebula_fail (error, opts->is_json);
}

const NebulaCommand nebula_command_execution_history = {
    .name = "execution history",
    .summary = N_ ("Shows what was decided in an execution, in order"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details =
        N_ ("Each line is one fact: its number, when, what, the node, and what else there is to say.\n"
            "A history of any length is read page by page.\n"
            "\n"
            "Examples:\n"
            "  nebula execution history exe_… --store orders.db\n"
            "  nebula execution history exe_… --store orders.db --limit 1000 --after 1000 --json"),
    .options = history_options,
    .n_options = G_N_ELEMENTS (history_options),
    .options_size = sizeof (HistoryOptions),
    .run = command_history,
};

const NebulaCommand nebula_command_events = {
    .name = "events",
    .summary = N_ ("Tells what happened in a store, and what happens"),
    .arguments = "",
    .details =
        N_ ("Each line begins with the position of its event. Whoever goes on with --after and the last\n"
            "one that was dealt with misses nothing and gets nothing twice.\n"
            "\n"
            "Examples:\n"
            "  nebula events --store orders.db --topic 'execution.*'\n"
            "  nebula events --store orders.db --after 0000000000000042-00003 --follow --json"),
    .options = events_options,
    .n_options = G_N_ELEMENTS (events_options),
    .options_size = sizeof (EventsOptions),
    .run = command_events,
};
