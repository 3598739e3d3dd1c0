/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of a terminal through libedit, where the program is built with it and both ends are a terminal. The prompt and
 * all that is shown while one types go to stderr, so that stdout has results alone.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-line-private.h"

#ifdef NEBULA_HAVE_LIBEDIT
#include <histedit.h>
#include <sys/ioctl.h>
#endif

#include "nebula-completion.h"
#include "nebula-output-private.h"

#define MAX_SHOWN 120 /* completions in a list */
#define MAX_LINES 500 /* that are remembered */

struct _NebulaLine {
  const char *prompt;
  NebulaLineComplete complete;
  gpointer user_data;
  gboolean is_terminal;
#ifdef NEBULA_HAVE_LIBEDIT
  EditLine *editor; /* NULL: lines are read as they come */
  History *history;
#endif
};

#ifdef NEBULA_HAVE_LIBEDIT

static char *
get_prompt (EditLine *editor)
{
  NebulaLine *self = NULL;

  el_get (editor, EL_CLIENTDATA, &self);
  return (char *) self->prompt;
}

static guint
get_columns (void)
{
  struct winsize size = {0};

  return ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col
                                                                           : 80;
}

/* Below the line, in columns as `ls` has them. */
static void
show (GPtrArray *found)
{
  g_autoptr (GString) text = g_string_new ("\n");
  guint count = MIN (found->len, MAX_SHOWN);
  glong width = 8;
  guint in_row;

  for (guint i = 0; i < count; i++)
    width = MAX (
        width,
        g_utf8_strlen (nebula_completion_get_label (g_ptr_array_index (found, i)), -1) +
            2);
  in_row = MAX (get_columns () / (guint) width, 1);
  for (guint i = 0; i < count; i++) {
    const char *label = nebula_completion_get_label (g_ptr_array_index (found, i));

    g_string_append (text, label);
    if (i + 1 == count || (i + 1) % in_row == 0)
      g_string_append_c (text, '\n');
    else
      for (glong j = g_utf8_strlen (label, -1); j < width; j++)
        g_string_append_c (text, ' ');
  }
  if (count < found->len)
    g_string_append (text, "…\n");
  nebula_note_text (text->str);
}

/* What all of them begin with, if they replace the same part; full, nullable. */
static char *
get_common (GPtrArray *found)
{
  NebulaCompletion *first = g_ptr_array_index (found, 0);
  const char *text = nebula_completion_get_insert_text (first);
  gsize length = strlen (text);

  for (guint i = 1; i < found->len; i++) {
    NebulaCompletion *other = g_ptr_array_index (found, i);
    const char *candidate = nebula_completion_get_insert_text (other);
    gsize same = 0;

    if (nebula_completion_get_start (other) != nebula_completion_get_start (first))
      return NULL;
    while (same < length && candidate[same] == text[same])
      same++;
    length = same;
  }
  while (length > 0 && ((guchar) text[length] & 0xc0) == 0x80)
    length--;
  return g_strndup (text, length);
}

/* Puts in what is sure. FALSE: there is nothing to put in. */
static gboolean
insert_common (EditLine *editor, GPtrArray *found, const char *typed, guint position)
{
  NebulaCompletion *first = g_ptr_array_index (found, 0);
  guint start = nebula_completion_get_start (first);
  g_autofree char *common = get_common (found);
  g_autofree char *word = g_utf8_substring (typed, start, position);

  if (!common || strlen (common) < strlen (word) ||
      (found->len > 1 && g_str_equal (common, word)))
    return FALSE;
  if (position > start)
    el_deletestr (editor, (int) (position - start));
  return el_insertstr (editor, common) == 0;
}

static unsigned char
on_tab (EditLine *editor, int character)
{
  const LineInfo *line = el_line (editor);
  NebulaLine *self = NULL;
  g_autofree char *typed =
      g_strndup (line->buffer, (gsize) (line->lastchar - line->buffer));
  g_autoptr (GPtrArray) found = NULL;
  guint position;

  el_get (editor, EL_CLIENTDATA, &self);
  if (!g_utf8_validate (typed, -1, NULL))
    return CC_ERROR;
  position = (guint) g_utf8_strlen (typed, line->cursor - line->buffer);
  found = self->complete (typed, position, self->user_data);
  if (found->len == 0)
    return CC_REFRESH_BEEP;
  if (insert_common (editor, found, typed, position))
    return CC_REFRESH;
  show (found);
  return CC_REDISPLAY;
}

static void
start_editor (NebulaLine *self)
{
  HistEvent event;

  self->editor = el_init ("nebula", stdin, stderr, stderr);
  self->history = history_init ();
  if (!self->editor || !self->history)
    return;
  history (self->history, &event, H_SETSIZE, MAX_LINES);
  history (self->history, &event, H_SETUNIQUE, 1);
  el_set (self->editor, EL_CLIENTDATA, self);
  el_set (self->editor, EL_PROMPT, get_prompt);
  el_set (self->editor, EL_EDITOR, "emacs");
  el_set (self->editor, EL_SIGNAL, 1);
  el_set (self->editor, EL_HIST, history, self->history);
  el_set (self->editor, EL_ADDFN, "nebula-complete", "Completes what is typed", on_tab);
  el_set (self->editor, EL_BIND, "^I", "nebula-complete", NULL);
  el_source (self->editor, NULL);
}

static char *
read_edited (NebulaLine *self)
{
  int count = 0;
  const char *line;
  HistEvent event;

  /* Else the prompt would be there a moment before the terminal hands over each key. */
  el_set (self->editor, EL_PREP_TERM, 1);
  line = el_gets (self->editor, &count);
  if (!line || count <= 0)
    return NULL;
  if (strspn (line, " \t\r\n") < strlen (line))
    history (self->history, &event, H_ENTER, line);
  return g_strndup (line, strcspn (line, "\r\n"));
}

#endif

NebulaLine *
nebula_line_new (const char *prompt, NebulaLineComplete complete, gpointer user_data)
{
  NebulaLine *self = g_new0 (NebulaLine, 1);

  self->prompt = prompt;
  self->complete = complete;
  self->user_data = user_data;
  self->is_terminal = isatty (STDIN_FILENO);
#ifdef NEBULA_HAVE_LIBEDIT
  if (self->is_terminal && isatty (STDERR_FILENO) &&
      g_strcmp0 (g_getenv ("TERM"), "dumb") != 0)
    start_editor (self);
#endif
  return self;
}

void
nebula_line_free (NebulaLine *self)
{
#ifdef NEBULA_HAVE_LIBEDIT
  g_clear_pointer (&self->editor, el_end);
  g_clear_pointer (&self->history, history_end);
#endif
  g_free (self);
}

gboolean
nebula_line_is_terminal (NebulaLine *self)
{
  return self->is_terminal;
}

char *
nebula_line_read (NebulaLine *self)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  char *copy = NULL;

#ifdef NEBULA_HAVE_LIBEDIT
  if (self->editor)
    return read_edited (self);
#endif
  if (self->is_terminal)
    nebula_note_text (self->prompt);
  length = getline (&line, &size, stdin);
  if (length >= 0)
    copy = g_strndup (line, strcspn (line, "\r\n"));
  free (line);
  return copy;
}
