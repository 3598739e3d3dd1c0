/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the writer remembers of the streams that it wrote last: their headers as they are in the file. Most units of a
 * running execution change nothing of its header but the number of its last fact and the time, and they need no look at
 * the row to find the segment before theirs. As nobody else writes the file, this may be believed after a commit; a
 * group that is rolled back takes it all away.
 */

#include "config.h"

#include "nebula-sqlite-private.h"

#define MAX_HEADS 1024

typedef struct
{
  NebulaHeader *header;
  gint64 segment;
} Head;

static void
head_free (Head *self)
{
  nebula_header_free (self->header);
  g_free (self);
}

void
_nebula_sqlite_forget_heads (NebulaSqliteConnection *writer)
{
  if (writer->heads)
    g_hash_table_remove_all (writer->heads);
}

void
_nebula_sqlite_forget_head (NebulaSqliteConnection *writer, const char *stream)
{
  if (writer->heads)
    g_hash_table_remove (writer->heads, stream);
}

/* Only of streams that go on: many have but one unit or two. */
void
_nebula_sqlite_remember_head (NebulaSqliteConnection *writer,
                              const NebulaHeader *header,
                              gint64 segment)
{
  Head *head = NULL;

  if (!writer->heads)
    writer->heads = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                           (GDestroyNotify) head_free);
  if (g_hash_table_size (writer->heads) >= MAX_HEADS)
    g_hash_table_remove_all (writer->heads);
  if (nebula_execution_status_is_terminal (header->status)) {
    g_hash_table_remove (writer->heads, header->stream);
    return;
  }

  head = g_new (Head, 1);
  head->header = nebula_header_copy (header);
  head->segment = segment;
  g_hash_table_replace (writer->heads, head->header->stream, head);
}

/* Whether all that a light unit leaves alone is the same. */
static gboolean
is_alike (const NebulaHeader *a, const NebulaHeader *b)
{
  return a->kind == b->kind && a->shard == b->shard && a->epoch == b->epoch &&
         a->format == b->format && a->status == b->status && a->durability == b->durability &&
         a->priority == b->priority && a->wake_usec == b->wake_usec && a->flags == b->flags &&
         a->checkpoint == b->checkpoint && a->created_usec == b->created_usec &&
         a->recoveries == b->recoveries && g_strcmp0 (a->tenant, b->tenant) == 0 &&
         g_strcmp0 (a->workflow, b->workflow) == 0 && g_strcmp0 (a->revision, b->revision) == 0 &&
         g_strcmp0 (a->key, b->key) == 0;
}

static Head *
find_head (NebulaSqliteConnection *writer, const NebulaUnit *unit, const NebulaHeader *header)
{
  Head *head = writer->heads ? g_hash_table_lookup (writer->heads, unit->stream) : NULL;

  return head && head->header->sequence == unit->expected_sequence &&
                 is_alike (head->header, header)
             ? head
             : NULL;
}

static int
advance_header (NebulaSqliteConnection *writer,
                const NebulaHeader *header,
                guint64 checksum,
                gint64 segment,
                const Head *head)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_ADVANCE_STREAM, &statement);

  if (code != SQLITE_OK)
    return code;
  code = _nebula_sqlite_bind_text (statement, 1, header->stream);
  sqlite3_bind_int64 (statement, 2, (gint64) header->sequence);
  sqlite3_bind_int64 (statement, 3, header->updated_usec);
  sqlite3_bind_int64 (statement, 4, (gint64) _nebula_sqlite_checksum_header (header));
  sqlite3_bind_int64 (statement, 5, (gint64) checksum);
  sqlite3_bind_int64 (statement, 6, segment);
  sqlite3_bind_int64 (statement, 7, (gint64) head->header->sequence);
  sqlite3_bind_int64 (statement, 8, head->segment);

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

static int
insert_segment (NebulaSqliteConnection *writer,
                const NebulaUnit *unit,
                guint64 checksum,
                gint64 number,
                gint64 previous)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_INSERT_SEGMENT, &statement);

  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 1, number);
  sqlite3_bind_int64 (statement, 2, (gint64) unit->expected_sequence + 1);
  sqlite3_bind_int64 (statement, 3, (gint64) _nebula_unit_get_last (unit));
  code |= _nebula_sqlite_bind_text (statement, 4, unit->stream);
  sqlite3_bind_int64 (statement, 5, (gint64) checksum);
  code |= _nebula_sqlite_bind_bytes (statement, 6, unit->facts);
  sqlite3_bind_int64 (statement, 7, previous);

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

/* @header: as it shall be. @ret_is_written: FALSE if this is no light unit, and nothing was written. */
int
_nebula_sqlite_write_light (NebulaSqliteConnection *writer,
                            const NebulaUnit *unit,
                            const NebulaHeader *header,
                            guint64 checksum,
                            gint64 segment,
                            gboolean *ret_is_written)
{
  Head *head = find_head (writer, unit, header);
  gint64 previous = head ? head->segment : 0;
  int code = SQLITE_OK;

  *ret_is_written = FALSE;
  if (!head)
    return SQLITE_OK;

  code = advance_header (writer, header, checksum, segment, head);
  if (code != SQLITE_OK || sqlite3_changes (writer->db) == 0) {
    _nebula_sqlite_forget_head (writer, unit->stream);
    return code;
  }

  *ret_is_written = TRUE;
  head->header->sequence = header->sequence;
  head->header->updated_usec = header->updated_usec;
  head->segment = segment;

  return insert_segment (writer, unit, checksum, segment, previous);
}
