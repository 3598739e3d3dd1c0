/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many streams in one transaction, so that the log is locked once, and each row is read once. */

#include "nebula-sqlite-private.h"

static void
reverse (GPtrArray *array)
{
  for (guint i = 0; i < array->len / 2; i++) {
    gpointer other = array->pdata[array->len - 1 - i];

    array->pdata[array->len - 1 - i] = array->pdata[i];
    array->pdata[i] = other;
  }
}

static int
read_chain (NebulaSqliteConnection *reader,
            const NebulaHeader *header,
            gint64 number,
            guint64 after,
            GPtrArray *segments)
{
  guint64 last = header->sequence;
  int code = SQLITE_OK;

  while (code == SQLITE_OK && last > after) {
    NebulaSegment *segment = NULL;
    gint64 previous = 0;

    code = _nebula_sqlite_read_segment (reader, header->stream, number, segments, &previous);
    if (code != SQLITE_OK)
      return code;
    segment = g_ptr_array_index (segments, segments->len - 1);
    if (segment->last != last || segment->first == 0 || segment->first > last)
      return NEBULA_SQLITE_WRONG_CHAIN;
    last = segment->first - 1;
    number = previous;
  }
  reverse (segments);

  return code;
}

/* What is of no use is not there: all facts are. */
static void
read_checkpoint_into (NebulaSqliteConnection *reader, const char *stream, NebulaHistory *history)
{
  sqlite3_stmt *statement = NULL;

  if (_nebula_sqlite_prepare (reader, NEBULA_SQLITE_GET_CHECKPOINT, &statement) != SQLITE_OK)
    return;
  _nebula_sqlite_bind_text (statement, 1, stream);
  if (sqlite3_step (statement) == SQLITE_ROW)
    history->checkpoint = _nebula_sqlite_column_checkpoint (statement, stream, &history->checkpoint_sequence);
  if (!history->checkpoint)
    history->checkpoint_sequence = 0;
  sqlite3_reset (statement);
}

static int
read_history (NebulaSqliteConnection *reader, const char *stream, NebulaHistory *history)
{
  sqlite3_stmt *statement = NULL;
  gint64 number = 0;
  int code = _nebula_sqlite_prepare (reader, NEBULA_SQLITE_GET_STREAM_AND_SEGMENT, &statement);

  if (code != SQLITE_OK)
    return code;
  _nebula_sqlite_bind_text (statement, 1, stream);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    history->header = _nebula_sqlite_column_header (statement);
    number = sqlite3_column_int64 (statement, 21);
    code = history->header ? SQLITE_ROW : NEBULA_SQLITE_WRONG_CHECKSUM;
  }
  sqlite3_reset (statement);
  if (code == SQLITE_ROW && history->header->checkpoint > 0)
    read_checkpoint_into (reader, stream, history);
  if (code == SQLITE_ROW)
    code = read_chain (reader, history->header, number, history->checkpoint_sequence,
                       history->segments);

  return code == SQLITE_DONE ? SQLITE_OK : code;
}

GPtrArray *
_nebula_sqlite_read_histories (NebulaStore *store, const char *const *streams, guint n_streams, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = _nebula_sqlite_begin_read (self, NEBULA_SQLITE_BEGIN_READ, &reader, error);
  g_autoptr (GPtrArray) histories =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_history_free);

  if (!statement)
    return NULL;
  sqlite3_step (statement);
  sqlite3_reset (statement);

  for (guint i = 0; i < n_streams; i++) {
    NebulaHistory *history = nebula_history_new ();
    int code = read_history (reader, streams[i], history);

    g_ptr_array_add (histories, history);
    if (code == SQLITE_OK)
      continue;
    _nebula_sqlite_store_fail (self, reader->db, code, &history->error);
    g_clear_pointer (&history->header, nebula_header_free);
  }
  _nebula_sqlite_exec (reader, "COMMIT", NULL);
  _nebula_sqlite_store_give_reader (self, reader);

  return g_steal_pointer (&histories);
}
