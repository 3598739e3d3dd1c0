/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "nebula-output-private.h"
#include "nebula-progress-private.h"

#define FRAME_MS   100
#define QUEUE      65536
#define LINE_BYTES 512

typedef enum {
  ROW_PENDING,
  ROW_SKIPPED,
  ROW_COMPLETED,
  ROW_CANCELLED,
  ROW_FAILED,
  ROW_WAITING,
  ROW_RETRYING,
  ROW_RUNNING,
  N_ROW_STATES
} RowState;

typedef struct {
  char *id;
  RowState state;
  gint64 attempts;
  gint64 start_usec;
  gint64 end_usec;
  char *detail; /* where inside a loop it is, or why it failed */
  gboolean is_shown;
} Row;

struct _NebulaProgress {
  NebulaExecution *execution;
  NebulaClock *clock;
  NebulaSubscription *subscription;
  GSource *timer;
  GPtrArray *rows;   /* Row, in the order of the file */
  GHashTable *by_id; /* id → Row */
  gint64 start_usec;
  guint n_lines; /* drawn above the cursor */
  guint frame;
  gboolean is_live;
  gboolean has_colour;
};

static const struct {
  const char *nick;
  const char *glyph;
  NebulaStyle style;
} states[N_ROW_STATES] = {
    [ROW_PENDING] = {"pending", "○", NEBULA_STYLE_DIM},
    [ROW_SKIPPED] = {"skipped", "–", NEBULA_STYLE_DIM},
    [ROW_COMPLETED] = {"completed", "✓", NEBULA_STYLE_GOOD},
    [ROW_CANCELLED] = {"cancelled", "■", NEBULA_STYLE_BUSY},
    [ROW_FAILED] = {"failed", "✗", NEBULA_STYLE_BAD},
    [ROW_WAITING] = {"waiting", "◷", NEBULA_STYLE_BUSY},
    [ROW_RETRYING] = {"retrying", "↻", NEBULA_STYLE_BUSY},
    [ROW_RUNNING] = {"running", "●", NEBULA_STYLE_BUSY},
};

static const char *const frames[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

static const char *
state_to_text (RowState state)
{
  switch (state) {
  case ROW_SKIPPED:
    return _ ("skipped");
  case ROW_COMPLETED:
    return _ ("completed");
  case ROW_CANCELLED:
    return _ ("cancelled");
  case ROW_FAILED:
    return _ ("failed");
  case ROW_WAITING:
    return _ ("waits");
  case ROW_RETRYING:
    return _ ("tries again");
  case ROW_RUNNING:
    return _ ("runs");
  case ROW_PENDING:
  case N_ROW_STATES:
  default:
    return _ ("not yet");
  }
}

static void
row_free (gpointer data)
{
  Row *row = data;

  g_free (row->id);
  g_free (row->detail);
  g_free (row);
}

/* One line: glyph, name, attempts, time, detail. */
static char *
row_to_line (Row *row, const char *glyph, gboolean has_colour, gint64 now_usec)
{
  g_autoptr (GString) line = g_string_new ("  ");
  g_autofree char *span = NULL;

  nebula_paint (line, has_colour, states[row->state].style, glyph);
  g_string_append_printf (line, " %-20s", row->id);
  if (row->attempts > 1)
    g_string_append_printf (line, "  ×%" G_GINT64_FORMAT, row->attempts);
  if (row->start_usec > 0) {
    span = nebula_format_span (
        MAX ((row->end_usec ? row->end_usec : now_usec) - row->start_usec, 0));
    g_string_append_printf (line, "  %s", span);
  }
  if (row->detail && (row->state >= ROW_FAILED)) {
    g_string_append (line, "  ");
    nebula_paint (line, has_colour, NEBULA_STYLE_DIM, row->detail);
  }
  return g_string_free (g_steal_pointer (&line), FALSE);
}

static gsize
get_terminal_size (guint *ret_columns)
{
  struct winsize size = {0};

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
    size.ws_row = 24;
  *ret_columns = size.ws_col > 0 ? size.ws_col : 80;
  return size.ws_row;
}

/* Marks the rows that fit: what happens before what is over, what is over before what has not begun. */
static guint
choose_rows (NebulaProgress *self, guint n_most)
{
  guint n_shown = 0;

  for (guint i = 0; i < self->rows->len; i++)
    ((Row *) self->rows->pdata[i])->is_shown = self->rows->len <= n_most;
  if (self->rows->len <= n_most)
    return self->rows->len;
  for (guint state = N_ROW_STATES; state > 0 && n_shown < n_most; state--) {
    for (guint i = 0; i < self->rows->len && n_shown < n_most; i++) {
      Row *row = self->rows->pdata[i];

      if (row->state == state - 1) {
        row->is_shown = TRUE;
        n_shown++;
      }
    }
  }
  return n_shown;
}

/* Columns, not counting what paints. */
static void
append_cut (GString *text, const char *line, guint n_columns)
{
  guint column = 0;
  gboolean is_escape = FALSE;

  for (const char *at = line; *at; at = g_utf8_next_char (at)) {
    is_escape = is_escape || *at == '\033';
    if (!is_escape && ++column >= n_columns)
      continue;
    g_string_append_len (text, at, g_utf8_next_char (at) - at);
    if (*at == 'm')
      is_escape = FALSE;
  }
  g_string_append (text, "\033[K\n");
}

static void
append_title (NebulaProgress *self, GString *text, guint n_columns, gint64 now_usec)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *span = nebula_format_span (MAX (now_usec - self->start_usec, 0));

  nebula_paint (line, self->has_colour, NEBULA_STYLE_BOLD,
                nebula_execution_get_workflow (self->execution));
  g_string_append (line, "  ");
  nebula_paint (line, self->has_colour, NEBULA_STYLE_DIM,
                nebula_execution_get_id (self->execution));
  g_string_append_printf (line, "  %s", span);
  append_cut (text, line->str, n_columns);
}

static void
draw (NebulaProgress *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gint64 now_usec = nebula_clock_get_real_usec (self->clock);
  guint n_columns;
  guint n_most = (guint) MAX ((gssize) get_terminal_size (&n_columns) - 4, 1);
  guint n_shown = choose_rows (self, n_most);
  guint n_hidden = self->rows->len - n_shown;

  if (self->n_lines > 0)
    g_string_append_printf (text, "\033[%uA\r", self->n_lines);
  append_title (self, text, n_columns, now_usec);
  for (guint i = 0; i < self->rows->len; i++) {
    Row *row = self->rows->pdata[i];
    const char *glyph = row->state == ROW_RUNNING
                            ? frames[self->frame % G_N_ELEMENTS (frames)]
                            : states[row->state].glyph;
    g_autofree char *line =
        row->is_shown ? row_to_line (row, glyph, self->has_colour, now_usec) : NULL;

    if (line)
      append_cut (text, line, n_columns);
  }
  if (n_hidden > 0)
    g_string_append_printf (text,
                            g_dngettext (GETTEXT_PACKAGE, "  … and %u more node",
                                         "  … and %u more nodes", n_hidden),
                            n_hidden);
  if (n_hidden > 0)
    g_string_append (text, "\033[K\n");
  g_string_append (text, "\033[J");
  self->n_lines = n_shown + 1 + (n_hidden > 0 ? 1 : 0);
  self->frame++;
  nebula_note_text (text->str);
}

static gboolean
draw_again (gpointer user_data)
{
  draw (user_data);
  return G_SOURCE_CONTINUE;
}

static void
print_row (NebulaProgress *self, Row *row)
{
  gint64 now_usec = nebula_clock_get_real_usec (self->clock);
  g_autofree char *line =
      row_to_line (row, states[row->state].glyph, self->has_colour, now_usec);

  nebula_note ("%s  %s", line, state_to_text (row->state));
}

static RowState
topic_to_state (const char *topic)
{
  static const struct {
    const char *topic;
    RowState state;
  } table[] = {
      {"node.ready", ROW_RUNNING},       {"node.started", ROW_RUNNING},
      {"node.completed", ROW_COMPLETED}, {"node.failed", ROW_FAILED},
      {"node.skipped", ROW_SKIPPED},     {"node.retrying", ROW_RETRYING},
      {"node.waiting", ROW_WAITING},     {"node.cancelled", ROW_CANCELLED},
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    if (g_str_equal (table[i].topic, topic))
      return table[i].state;
  }
  return N_ROW_STATES;
}

static void
set_detail (Row *row, const char *detail)
{
  g_free (row->detail);
  row->detail = g_strndup (detail, LINE_BYTES);
  g_strdelimit (row->detail, "\n\r\t", ' ');
}

static void
update_row (NebulaProgress *self, Row *row, RowState state, NebulaEvent *event)
{
  NebulaValue *data = nebula_event_get_data (event);
  NebulaValue *failure = nebula_value_get_member (data, "error");
  gint64 time_usec = nebula_event_get_time_usec (event);
  gboolean is_new = row->state != state;

  row->state = state;
  row->attempts =
      MAX (row->attempts, nebula_value_get_member_integer (data, "attempts", 0));
  if (row->start_usec == 0 && state != ROW_SKIPPED)
    row->start_usec = time_usec;
  row->end_usec = state == ROW_RUNNING || state == ROW_WAITING || state == ROW_RETRYING
                      ? 0
                      : time_usec;
  if (failure && nebula_value_get_kind (failure) == NEBULA_VALUE_KIND_OBJECT)
    set_detail (row, nebula_value_get_member_string (failure, "message", ""));
  if (!self->is_live && (is_new || state == ROW_RETRYING) && state != ROW_RUNNING &&
      state != ROW_SKIPPED)
    print_row (self, row);
}

static void
hear (NebulaEvent *event, gpointer user_data)
{
  NebulaProgress *self = user_data;
  RowState state = topic_to_state (nebula_event_get_topic (event));
  NebulaValue *data = nebula_event_get_data (event);
  const char *path = data ? nebula_value_get_member_string (data, "path", NULL) : NULL;
  const char *bracket = path ? strchr (path, '[') : NULL;
  g_autofree char *id = NULL;
  Row *row;

  if (!path || state == N_ROW_STATES)
    return;
  id = bracket ? g_strndup (path, (gsize) (bracket - path)) : g_strdup (path);
  row = g_hash_table_lookup (self->by_id, id);
  if (!row)
    return;
  if (bracket)
    set_detail (row, bracket);
  else
    update_row (self, row, state, event);
}

static void
add_rows (NebulaProgress *self, NebulaValue *nodes)
{
  for (gsize i = 0; i < nebula_value_get_length (nodes); i++) {
    Row *row = g_new0 (Row, 1);

    row->id = g_strdup (nebula_value_get_key (nodes, i, NULL));
    g_ptr_array_add (self->rows, row);
    g_hash_table_insert (self->by_id, row->id, row);
  }
}

NebulaProgress *
nebula_progress_new (NebulaEngine *engine,
                     NebulaExecution *execution,
                     NebulaValue *definition)
{
  NebulaProgress *self = g_new0 (NebulaProgress, 1);
  NebulaValue *nodes = nebula_value_get_member (definition, "nodes");
  NebulaSubscriptionOptions choices = {.pattern = "node.*", .capacity = QUEUE};

  self->execution = g_object_ref (execution);
  self->clock = g_object_ref (nebula_engine_get_clock (engine));
  self->rows = g_ptr_array_new_with_free_func (row_free);
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  self->start_usec = nebula_clock_get_real_usec (self->clock);
  self->has_colour = nebula_has_colour (STDERR_FILENO);
  self->is_live = isatty (STDERR_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  if (nodes && nebula_value_get_kind (nodes) == NEBULA_VALUE_KIND_OBJECT)
    add_rows (self, nodes);
  choices.execution = nebula_execution_get_id (execution);
  self->subscription = nebula_event_bus_subscribe_full (
      nebula_engine_get_event_bus (engine), &choices, hear, self, NULL);
  if (self->is_live) {
    self->timer = g_timeout_source_new (FRAME_MS);
    g_source_set_callback (self->timer, draw_again, self, NULL);
    g_source_attach (self->timer, NULL);
  }
  return self;
}

void
nebula_progress_finish (NebulaProgress *self)
{
  if (!self->subscription)
    return;
  nebula_subscription_cancel (self->subscription);
  g_clear_object (&self->subscription);
  if (self->is_live)
    draw (self);
}

void
nebula_progress_free (NebulaProgress *self)
{
  if (self->subscription)
    nebula_subscription_cancel (self->subscription);
  g_clear_object (&self->subscription);
  if (self->timer)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->rows);
  g_object_unref (self->clock);
  g_object_unref (self->execution);
  g_free (self);
}

static RowState
status_to_state (const char *status)
{
  for (guint state = 0; state < N_ROW_STATES; state++) {
    if (g_str_equal (states[state].nick, status))
      return (RowState) state;
  }
  return g_str_equal (status, "ready") ? ROW_RUNNING : ROW_PENDING;
}

static void
append_report_row (GString *text,
                   gboolean has_colour,
                   const char *id,
                   NebulaValue *report)
{
  Row row = {.id = (char *) id};
  NebulaValue *failure = nebula_value_get_member (report, "error");
  g_autofree char *line = NULL;

  row.state = status_to_state (nebula_value_get_member_string (report, "status", ""));
  row.attempts = nebula_value_get_member_integer (report, "attempts", 0);
  row.end_usec = nebula_value_get_member_integer (report, "duration_us", 0) + 1;
  row.start_usec = row.state > ROW_SKIPPED && row.end_usec > 1 ? 1 : 0;
  if (failure && nebula_value_get_kind (failure) == NEBULA_VALUE_KIND_OBJECT)
    row.detail = (char *) nebula_value_get_member_string (failure, "message", NULL);
  line = row_to_line (&row, states[row.state].glyph, has_colour, 0);
  g_string_append_printf (text, "%s  %s\n", line, state_to_text (row.state));
}

void
nebula_progress_print_report (NebulaValue *report)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean has_colour = nebula_has_colour (STDOUT_FILENO);
  NebulaValue *nodes = nebula_value_get_member (report, "nodes");
  NebulaValue *output = nebula_value_get_member (report, "output");
  NebulaValue *failure = nebula_value_get_member (report, "error");
  g_autofree char *span =
      nebula_format_span (nebula_value_get_member_integer (report, "duration_us", 0));

  nebula_paint (text, has_colour, NEBULA_STYLE_BOLD,
                nebula_value_get_member_string (report, "workflow", ""));
  g_string_append_printf (text, "  %s  %s  %s  %s\n",
                          nebula_value_get_member_string (report, "execution", ""),
                          nebula_value_get_member_string (report, "status", ""),
                          nebula_value_get_member_string (report, "started", ""), span);
  for (gsize i = 0; nodes && i < nebula_value_get_length (nodes); i++)
    append_report_row (text, has_colour, nebula_value_get_key (nodes, i, NULL),
                       nebula_value_get_member_at (nodes, i));
  if (failure && nebula_value_get_kind (failure) == NEBULA_VALUE_KIND_OBJECT)
    g_string_append_printf (text, "%s\n",
                            nebula_value_get_member_string (failure, "message", ""));
  nebula_output_text (text->str);
  if (output && !nebula_value_is_null (output))
    nebula_output_result (output);
}
