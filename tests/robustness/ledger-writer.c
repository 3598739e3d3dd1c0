/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writes units through the journal and tells each one that was acknowledged, one line “STREAM SEQUENCE”, to a file
 * outside the store. A script then takes the power away, or the process, and looks whether everything that was told is
 * there. Streams go on where they were, so one store serves many rounds.
 *
 * The facts are a function of stream and sequence, so that the checker knows them. With --plant the program lies, and
 * the script must notice.
 */

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "nebula-journal-internal.h"
#include "nebula-sqlite-store.h"

typedef struct
{
  NebulaJournal *journal;
  GMainLoop *loop;
  int acks_fd;
  gint64 n_left;
  guint n_busy;
  gboolean is_relaxed;
  gboolean acks_early;
  gboolean has_failed;
} Writer;

typedef struct
{
  Writer *writer;
  char *name;
  guint64 sequence;
} Stream;

static void stream_submit (Stream *self);

static GBytes *
make_facts (const char *stream, guint64 sequence)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize length = 40 + (gsize) (sequence * 37 % 900);

  g_string_printf (text, "%s:%" G_GUINT64_FORMAT ":", stream, sequence);
  while (text->len < length)
    g_string_append_c (text, (char) ('a' + text->len % 26));

  return g_string_free_to_bytes (g_steal_pointer (&text));
}

static void
acknowledge (Stream *self, guint64 sequence)
{
  g_autofree char *line = g_strdup_printf ("%s %" G_GUINT64_FORMAT "\n", self->name, sequence);
  gssize length = (gssize) strlen (line);

  /* Nobody listens any more: the script has ended. */
  if (write (self->writer->acks_fd, line, (gsize) length) != length)
    _exit (3);
}

static void
stream_answered (const NebulaUnit *unit, NebulaOutcome outcome, const GError *error, gpointer data)
{
  Stream *self = data;

  self->writer->n_busy--;
  if (outcome == NEBULA_OUTCOME_COMMITTED) {
    self->sequence++;
    if (!self->writer->acks_early)
      acknowledge (self, self->sequence);
    stream_submit (self);
    return;
  }

  g_printerr ("%s: %s\n", self->name, error->message);
  self->writer->has_failed = TRUE;
  g_main_loop_quit (self->writer->loop);
}

static void
stream_submit (Stream *self)
{
  Writer *writer = self->writer;
  NebulaUnit *unit = NULL;

  if (writer->n_left == 0) {
    if (writer->n_busy == 0)
      g_main_loop_quit (writer->loop);
    return;
  }

  writer->n_left--;
  writer->n_busy++;
  unit = nebula_unit_new (self->name, self->sequence);
  unit->n_facts = 1;
  unit->facts = make_facts (self->name, self->sequence + 1);
  unit->strict = !writer->is_relaxed;
  unit->header = nebula_header_new (self->name);
  unit->header->sequence = self->sequence + 1;
  unit->header->status = NEBULA_EXECUTION_STATUS_RUNNING;
  unit->header->workflow = g_strdup ("ledger");
  unit->header->epoch = 1;

  if (writer->acks_early)
    acknowledge (self, self->sequence + 1);
  nebula_journal_submit (writer->journal, unit, stream_answered, self);
}

static void
stream_free (Stream *self)
{
  g_free (self->name);
  g_free (self);
}

static gboolean
verify (NebulaStore *store, GError **error)
{
  g_auto (GStrv) problems = nebula_sqlite_store_verify (NEBULA_SQLITE_STORE (store), error);

  for (char **problem = problems; problem && *problem; problem++)
    g_printerr ("%s\n", *problem);

  return problems && !problems[0];
}

static void
start_streams (Writer *writer, NebulaStore *store, int n_streams, GPtrArray *streams)
{
  for (int i = 0; i < n_streams; i++) {
    Stream *stream = g_new0 (Stream, 1);
    g_autoptr (NebulaHeader) header = NULL;

    stream->writer = writer;
    stream->name = g_strdup_printf ("ledger-%03d", i);
    header = nebula_store_read_header (store, stream->name, NULL);
    stream->sequence = header ? header->sequence : 0;
    g_ptr_array_add (streams, stream);
  }
  for (guint i = 0; i < streams->len; i++)
    stream_submit (g_ptr_array_index (streams, i));
}

static int
run (NebulaStore *store, Writer *writer, int n_streams)
{
  g_autoptr (GPtrArray) streams = g_ptr_array_new_with_free_func ((GDestroyNotify) stream_free);

  writer->loop = g_main_loop_new (NULL, FALSE);
  writer->journal = nebula_journal_new (store, FALSE);
  start_streams (writer, store, n_streams, streams);
  g_main_loop_run (writer->loop);
  writer->n_left = 0;
  nebula_journal_free (writer->journal);
  g_main_loop_unref (writer->loop);

  return writer->has_failed ? 1 : 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaStore) store = NULL;
  g_autoptr (GOptionContext) options = g_option_context_new ("STORE ACKS");
  g_autofree char *plant = NULL;
  gboolean must_verify = FALSE;
  gint64 n_units = -1;
  int n_streams = 16;
  Writer writer = { .acks_fd = -1 };
  const GOptionEntry entries[] = {
    { "units", 'n', 0, G_OPTION_ARG_INT64, &n_units, "End after so many units", "N" },
    { "streams", 's', 0, G_OPTION_ARG_INT, &n_streams, "Streams written at once", "N" },
    { "plant", 0, 0, G_OPTION_ARG_STRING, &plant, "normal-sync or ack-before-commit", "BUG" },
    { "verify", 0, 0, G_OPTION_ARG_NONE, &must_verify, "Only check the store", NULL },
    { NULL },
  };

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) || argc < 2) {
    g_printerr ("%s\n", error ? error->message : "STORE is missing");
    return 2;
  }

  store = nebula_sqlite_store_open (argv[1], NEBULA_SQLITE_STORE_FLAGS_NONE, &error);
  if (store && must_verify && verify (store, &error))
    return 0;
  if (!store || must_verify) {
    g_printerr ("%s\n", error ? error->message : "The store does not hold together");
    return 1;
  }

  writer.acks_fd = argc < 3 || g_str_equal (argv[2], "-")
                       ? STDOUT_FILENO
                       : open (argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  writer.n_left = n_units;
  writer.is_relaxed = g_strcmp0 (plant, "normal-sync") == 0;
  writer.acks_early = g_strcmp0 (plant, "ack-before-commit") == 0;

  return run (store, &writer, n_streams);
}
