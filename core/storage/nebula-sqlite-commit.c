/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writing. A group of units is one transaction; a unit's preconditions are part of the statement that writes its
 * header, or are tested before it, so a refused unit has written nothing and needs no savepoint.
 *
 * After a failed write or sync nobody knows what is on the disk and trying again proves nothing: the store is sealed,
 * and only opening it anew tells (the log is read back then). A full disk and a locked file are no such failures.
 */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "nebula-plant-internal.h"
#include "nebula-sqlite-private.h"

typedef struct
{
  NebulaUnit **units;
  guint n_units;
  NebulaOutcome *outcomes;
  gboolean *is_poisoned; /* by index: cannot be written; made when the first is found */
  gboolean is_repeated;  /* some unit was there before, perhaps not synced */
  gboolean is_committing;
} Group;

int
_nebula_sqlite_wal_hook (gpointer user_data, sqlite3 *db, const char *name, int n_frames)
{
  NebulaSqliteStore *self = user_data;

  if (n_frames < self->wal_frames)
    self->next_checkpoint = NEBULA_SQLITE_CHECKPOINT_FRAMES; /* the log began anew */
  self->wal_frames = n_frames;
  self->needs_housekeeping = TRUE;

  return SQLITE_OK;
}

/* Headers and segments. */

static int
bind_header (sqlite3_stmt *statement, const NebulaUnit *unit, const NebulaHeader *header)
{
  const gint64 integers[] = {
    [2] = header->kind,
    [4] = header->shard,
    [5] = (gint64) header->sequence,
    [6] = (gint64) header->epoch,
    [7] = header->format,
    [8] = header->status,
    [11] = header->durability,
    [12] = header->priority,
    [13] = header->wake_usec,
    [14] = header->flags,
    [15] = (gint64) header->checkpoint,
    [16] = header->created_usec,
    [17] = header->updated_usec,
    [18] = header->recoveries,
    [20] = (gint64) _nebula_sqlite_checksum_header (header),
  };
  int code = SQLITE_OK;

  for (guint i = 0; i < G_N_ELEMENTS (integers); i++)
    if (i == 2 || (i >= 4 && i <= 8) || (i >= 11 && i <= 18) || i == 20)
      sqlite3_bind_int64 (statement, (int) i, integers[i]);
  code |= _nebula_sqlite_bind_text (statement, 1, unit->stream);
  code |= _nebula_sqlite_bind_text (statement, 3, header->tenant);
  code |= _nebula_sqlite_bind_text (statement, 9, header->workflow);
  code |= _nebula_sqlite_bind_text (statement, 10, header->revision);
  code |= _nebula_sqlite_bind_text (statement, 19, header->key);

  return code == SQLITE_OK ? SQLITE_OK : SQLITE_TOOBIG;
}

static guint64
checksum_facts (const NebulaUnit *unit)
{
  gsize length = 0;
  gconstpointer data = NULL;

  if (unit->n_facts == 0)
    return 0;

  data = g_bytes_get_data (unit->facts, &length);

  return _nebula_sqlite_checksum_segment (unit->stream, unit->expected_sequence + 1,
                                          _nebula_unit_get_last (unit), data, length);
}

/* As it is after the unit; the texts stay the unit's. */
static NebulaHeader
make_header (const NebulaUnit *unit)
{
  NebulaHeader header = *unit->header;

  header.stream = unit->stream;
  header.sequence = _nebula_unit_get_last (unit);
  if (unit->checkpoint)
    header.checkpoint = header.sequence;

  return header;
}

static int
bind_tags (sqlite3_stmt *statement, const NebulaUnit *unit)
{
  g_autofree char *tags = unit->header->tags ? g_strjoinv ("\n", unit->header->tags) : NULL;

  return sqlite3_bind_text (statement, 24, tags, -1, SQLITE_TRANSIENT);
}

/* Writes the header if its stream is where the unit expects it. @segment: its last one; 0: as it was. */
static int
write_header (NebulaSqliteConnection *writer,
              NebulaSqliteStatement id,
              const NebulaUnit *unit,
              gint64 segment,
              gboolean *ret_is_written)
{
  NebulaHeader header = make_header (unit);
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, id, &statement);

  if (code != SQLITE_OK)
    return code;

  code = bind_header (statement, unit, &header);
  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 21, (gint64) checksum_facts (unit));
  if (id == NEBULA_SQLITE_INSERT_STREAM)
    code = bind_tags (statement, unit);
  else
    sqlite3_bind_int64 (statement, 22, (gint64) unit->expected_sequence);
  if (code != SQLITE_OK)
    return SQLITE_TOOBIG;
  if (segment != 0)
    sqlite3_bind_int64 (statement, 23, segment);
  else
    sqlite3_bind_null (statement, 23);

  code = _nebula_sqlite_run_statement (statement);
  *ret_is_written = code == SQLITE_OK && sqlite3_changes (writer->db) > 0;

  return code;
}

static int
update_header (NebulaSqliteConnection *writer,
               const NebulaUnit *unit,
               gint64 segment,
               gboolean *ret_is_written)
{
  int code = write_header (writer, NEBULA_SQLITE_UPDATE_STREAM, unit, segment, ret_is_written);

  if (code == SQLITE_OK && !*ret_is_written)
    code = write_header (writer, NEBULA_SQLITE_UPDATE_STREAM_INDEXED, unit, segment,
                         ret_is_written);

  return code;
}

static int
write_segment (NebulaSqliteConnection *writer,
               NebulaSqliteStatement id,
               const NebulaUnit *unit,
               gint64 number,
               gboolean *ret_is_written)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, id, &statement);

  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 1, number);
  sqlite3_bind_int64 (statement, 2, (gint64) unit->expected_sequence + 1);
  sqlite3_bind_int64 (statement, 3, (gint64) _nebula_unit_get_last (unit));
  code |= _nebula_sqlite_bind_text (statement, 4, unit->stream);
  sqlite3_bind_int64 (statement, 5, (gint64) checksum_facts (unit));
  code |= _nebula_sqlite_bind_bytes (statement, 6, unit->facts);
  sqlite3_bind_int64 (statement, 7,
                      id == NEBULA_SQLITE_APPEND_SEGMENT ? (gint64) unit->header->epoch : 0);
  if (code != SQLITE_OK)
    return SQLITE_TOOBIG;

  code = _nebula_sqlite_run_statement (statement);
  *ret_is_written = code == SQLITE_OK && sqlite3_changes (writer->db) > 0;

  return code;
}

static int
append_facts (NebulaSqliteConnection *writer,
              const NebulaUnit *unit,
              gint64 number,
              gboolean *ret_is_written)
{
  NebulaHeader header = make_header (unit);
  int code = _nebula_sqlite_write_light (writer, unit, &header, checksum_facts (unit), number,
                                         ret_is_written);

  if (code != SQLITE_OK || *ret_is_written)
    return code;

  code = write_segment (writer, NEBULA_SQLITE_APPEND_SEGMENT, unit, number, ret_is_written);
  if (code == SQLITE_OK && *ret_is_written)
    code = update_header (writer, unit, number, ret_is_written);
  if (code == SQLITE_OK && *ret_is_written)
    _nebula_sqlite_remember_head (writer, &header, number);

  return code;
}

static int
write_facts (NebulaSqliteConnection *writer, const NebulaUnit *unit, gboolean *ret_is_written)
{
  gint64 number = unit->n_facts > 0 ? writer->next_segment++ : 0;
  int code = SQLITE_OK;

  *ret_is_written = FALSE;
  if (number == 0)
    _nebula_sqlite_forget_head (writer, unit->stream);
  if (unit->expected_sequence == 0)
    code = write_header (writer, NEBULA_SQLITE_INSERT_STREAM, unit, number, ret_is_written);
  if (code != SQLITE_OK)
    return code;
  if (*ret_is_written)
    return number == 0 ? SQLITE_OK
                       : write_segment (writer, NEBULA_SQLITE_INSERT_SEGMENT, unit, number,
                                        ret_is_written);
  if (number == 0)
    return update_header (writer, unit, 0, ret_is_written);

  return append_facts (writer, unit, number, ret_is_written);
}

static int
write_checkpoint (NebulaSqliteConnection *writer, const NebulaUnit *unit)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (unit->checkpoint, &length);
  guint64 last = _nebula_unit_get_last (unit);
  guint64 checksum = _nebula_sqlite_checksum_text (0, unit->stream);
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_PUT_CHECKPOINT, &statement);

  if (code != SQLITE_OK)
    return code;
  checksum = _nebula_sqlite_checksum_integer (checksum, (gint64) last);
  checksum = _nebula_sqlite_checksum (checksum, data, length);
  code |= _nebula_sqlite_bind_text (statement, 1, unit->stream);
  sqlite3_bind_int64 (statement, 2, (gint64) last);
  code |= _nebula_sqlite_bind_bytes (statement, 3, unit->checkpoint);
  sqlite3_bind_int64 (statement, 4, (gint64) checksum);

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

/* A checkpoint that comes without a header only moves the header's mark. */
static int
write_checkpoint_mark (NebulaSqliteConnection *writer,
                       const NebulaUnit *unit,
                       gboolean *ret_is_written)
{
  g_autoptr (NebulaHeader) header = NULL;
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_read_header (writer, unit->stream, &header);

  *ret_is_written = code == SQLITE_OK && header && header->sequence == unit->expected_sequence;
  if (!*ret_is_written)
    return code;
  _nebula_sqlite_forget_head (writer, unit->stream);

  code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_UPDATE_CHECKPOINT, &statement);
  if (code != SQLITE_OK)
    return code;
  header->checkpoint = header->sequence;
  code |= _nebula_sqlite_bind_text (statement, 1, unit->stream);
  sqlite3_bind_int64 (statement, 2, (gint64) header->checkpoint);
  sqlite3_bind_int64 (statement, 3, (gint64) _nebula_sqlite_checksum_header (header));

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

/* Whether the segment with this number is the unit. */
static int
compare_segment (NebulaSqliteConnection *writer,
                 const NebulaUnit *unit,
                 gint64 number,
                 gboolean *ret_is_equal)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_GET_SEGMENT, &statement);

  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 1, number);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    g_autoptr (GBytes) facts = g_bytes_new_static (
        sqlite3_column_blob (statement, 4), (gsize) sqlite3_column_bytes (statement, 4));

    *ret_is_equal =
        (guint64) sqlite3_column_int64 (statement, 1) == unit->expected_sequence + 1 &&
        (guint64) sqlite3_column_int64 (statement, 2) == _nebula_unit_get_last (unit) &&
        g_bytes_equal (facts, unit->facts);
  }
  sqlite3_reset (statement);

  return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int
find_committed (NebulaSqliteConnection *writer, const NebulaUnit *unit, gboolean *ret_is_committed)
{
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (gint64));
  int code = SQLITE_OK;

  *ret_is_committed = FALSE;
  if (unit->n_facts == 0)
    return SQLITE_OK;

  code = _nebula_sqlite_walk (writer, unit->stream, unit->expected_sequence, numbers);
  if (code != SQLITE_OK || numbers->len == 0)
    return code;

  return compare_segment (writer, unit, g_array_index (numbers, gint64, numbers->len - 1),
                          ret_is_committed);
}

/* Messages and documents. */

static int
write_message (NebulaSqliteConnection *writer, const NebulaMessage *message)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (message->payload, &length);
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_INSERT_MESSAGE, &statement);

  if (code != SQLITE_OK)
    return code;
  code |= _nebula_sqlite_bind_text (statement, 1, message->id);
  code |= _nebula_sqlite_bind_text (statement, 2, message->stream);
  code |= _nebula_sqlite_bind_bytes (statement, 3, message->payload);
  sqlite3_bind_int64 (statement, 4, message->created_usec);
  sqlite3_bind_int64 (statement, 5,
                      (gint64) _nebula_sqlite_checksum_message (
                          message->id, message->stream, message->created_usec, data, length));

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

static int
consume_message (NebulaSqliteConnection *writer, const char *stream, const char *id)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_CONSUME_MESSAGE, &statement);

  if (code != SQLITE_OK)
    return code;
  code |= _nebula_sqlite_bind_text (statement, 1, id);
  code |= _nebula_sqlite_bind_text (statement, 2, stream);

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

/* The revision of a document, 0 if there never was one. */
static int
read_revision (NebulaSqliteConnection *writer,
               const NebulaDocumentWrite *write,
               gint64 *ret_revision,
               gboolean *ret_exists)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_GET_DOCUMENT, &statement);

  *ret_revision = 0;
  *ret_exists = FALSE;
  if (code != SQLITE_OK)
    return code;
  code |= _nebula_sqlite_bind_text (statement, 1, write->collection);
  code |= _nebula_sqlite_bind_text (statement, 2, write->key);
  if (code != SQLITE_OK)
    return SQLITE_TOOBIG;

  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    *ret_revision = sqlite3_column_int64 (statement, 0);
    *ret_exists = sqlite3_column_type (statement, 1) != SQLITE_NULL;
  }
  sqlite3_reset (statement);

  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int
check_documents (NebulaSqliteConnection *writer, const NebulaUnit *unit, gboolean *ret_are_current)
{
  *ret_are_current = TRUE;

  for (guint i = 0; unit->documents && i < unit->documents->len; i++) {
    NebulaDocumentWrite *write = g_ptr_array_index (unit->documents, i);
    gint64 revision = 0;
    gboolean exists = FALSE;
    int code = read_revision (writer, write, &revision, &exists);

    if (code != SQLITE_OK)
      return code;
    if ((write->expected_revision == -1 && exists) ||
        (write->expected_revision > 0 && (!exists || revision != write->expected_revision)))
      *ret_are_current = FALSE;
  }

  return SQLITE_OK;
}

static int
write_document (NebulaSqliteConnection *writer, const NebulaDocumentWrite *write)
{
  gint64 revision = 0;
  gboolean exists = FALSE;
  gsize length = 0;
  gconstpointer data = write->value ? g_bytes_get_data (write->value, &length) : NULL;
  sqlite3_stmt *statement = NULL;
  int code = read_revision (writer, write, &revision, &exists);

  if (code != SQLITE_OK || (!exists && !write->value))
    return code;
  code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_PUT_DOCUMENT, &statement);
  if (code != SQLITE_OK)
    return code;

  revision++;
  code |= _nebula_sqlite_bind_text (statement, 1, write->collection);
  code |= _nebula_sqlite_bind_text (statement, 2, write->key);
  sqlite3_bind_int64 (statement, 3, revision);
  code |= _nebula_sqlite_bind_bytes (statement, 4, write->value);
  sqlite3_bind_int64 (statement, 5,
                      (gint64) _nebula_sqlite_checksum_document (
                          write->collection, write->key, revision,
                          write->value ? data : NULL, write->value ? (gssize) length : -1));

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

/* Units. */

static int
write_stream (NebulaSqliteConnection *writer, const NebulaUnit *unit, gboolean *ret_is_written)
{
  int code = unit->header ? write_facts (writer, unit, ret_is_written)
                          : write_checkpoint_mark (writer, unit, ret_is_written);

  if (code == SQLITE_OK && *ret_is_written && unit->checkpoint)
    code = write_checkpoint (writer, unit);

  return code;
}

static int
write_rest (NebulaSqliteConnection *writer, const NebulaUnit *unit)
{
  int code = _nebula_sqlite_write_text (writer, unit);

  if (code == SQLITE_OK)
    code = _nebula_sqlite_write_tags (writer, unit);
  for (guint i = 0; code == SQLITE_OK && unit->messages && i < unit->messages->len; i++)
    code = write_message (writer, g_ptr_array_index (unit->messages, i));
  for (guint i = 0; code == SQLITE_OK && unit->consumed && i < unit->consumed->len; i++)
    code = consume_message (writer, unit->stream, g_ptr_array_index (unit->consumed, i));
  for (guint i = 0; code == SQLITE_OK && unit->documents && i < unit->documents->len; i++)
    code = write_document (writer, g_ptr_array_index (unit->documents, i));

  return code == SQLITE_OK ? _nebula_sqlite_write_blobs (writer, unit) : code;
}

static int
refuse_unless_committed (NebulaSqliteConnection *writer,
                         const NebulaUnit *unit,
                         NebulaOutcome refusal,
                         Group *group,
                         NebulaOutcome *ret_outcome)
{
  gboolean is_committed = FALSE;
  int code = find_committed (writer, unit, &is_committed);

  *ret_outcome = is_committed ? NEBULA_OUTCOME_COMMITTED : refusal;
  group->is_repeated |= is_committed;

  return code;
}

static int
commit_unit (NebulaSqliteConnection *writer,
             const NebulaUnit *unit,
             Group *group,
             NebulaOutcome *ret_outcome)
{
  gboolean are_current = TRUE;
  gboolean is_written = TRUE;
  int code = SQLITE_OK;

  *ret_outcome = NEBULA_OUTCOME_FAILED;
  if (!_nebula_unit_is_sound (unit))
    return SQLITE_OK;

  if (unit->documents)
    code = check_documents (writer, unit, &are_current);
  if (code == SQLITE_OK && !are_current)
    return refuse_unless_committed (writer, unit, NEBULA_OUTCOME_REFUSED_REVISION, group,
                                    ret_outcome);

  if (code == SQLITE_OK && _nebula_unit_has_precondition (unit))
    code = write_stream (writer, unit, &is_written);
  if (code == SQLITE_OK && !is_written)
    return refuse_unless_committed (writer, unit, NEBULA_OUTCOME_REFUSED_STALE, group,
                                    ret_outcome);

  if (code == SQLITE_OK)
    code = write_rest (writer, unit);
  if (code == SQLITE_OK)
    *ret_outcome = NEBULA_OUTCOME_COMMITTED;

  return code;
}

/* Groups. */

static gboolean
is_poison (int code)
{
  int primary = code & 0xff;

  return primary == SQLITE_CONSTRAINT || primary == SQLITE_TOOBIG || primary == SQLITE_MISMATCH;
}

static int
write_group (NebulaSqliteConnection *writer, Group *group, gboolean sync)
{
  int code = _nebula_sqlite_run (writer, NEBULA_SQLITE_BEGIN);

  group->is_repeated = FALSE;
  for (guint i = 0; code == SQLITE_OK && i < group->n_units; i++) {
    if (group->is_poisoned && group->is_poisoned[i])
      continue;
    code = commit_unit (writer, group->units[i], group, &group->outcomes[i]);
    if (!is_poison (code))
      continue;
    g_debug ("A unit of stream %s cannot be written: %s", group->units[i]->stream,
             sqlite3_errmsg (writer->db));
    if (!group->is_poisoned)
      group->is_poisoned = g_new0 (gboolean, group->n_units);
    group->is_poisoned[i] = TRUE;
    group->outcomes[i] = NEBULA_OUTCOME_FAILED;
  }

  /* What is there already may have been written without a sync. */
  if (code == SQLITE_OK && sync && group->is_repeated)
    code = _nebula_sqlite_run (writer, NEBULA_SQLITE_TOUCH);
  if (code != SQLITE_OK)
    return code;

  group->is_committing = TRUE;

  return _nebula_sqlite_run (writer, NEBULA_SQLITE_COMMIT);
}

static void
roll_back (NebulaSqliteConnection *writer)
{
  _nebula_sqlite_forget_heads (writer);
  if (!sqlite3_get_autocommit (writer->db))
    _nebula_sqlite_run (writer, NEBULA_SQLITE_ROLLBACK);
}

gboolean
_nebula_sqlite_set_sync (NebulaSqliteStore *self, gboolean sync, GError **error)
{
  if (NEBULA_PLANT ("normal-sync"))
    sync = FALSE;
  if (self->is_full_sync == sync)
    return TRUE;
  if (!_nebula_sqlite_exec (self->writer,
                            sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                            error))
    return FALSE;

  self->is_full_sync = sync;

  return TRUE;
}

static void
set_outcomes (Group *group, NebulaOutcome outcome)
{
  for (guint i = 0; i < group->n_units; i++)
    group->outcomes[i] = outcome;
}

static gboolean
commit_group (NebulaSqliteStore *self, Group *group, gboolean sync, GError **error)
{
  int code = SQLITE_OK;

  set_outcomes (group, NEBULA_OUTCOME_FAILED);
  if (!_nebula_sqlite_store_check_sealed (self, error) || !_nebula_sqlite_set_sync (self, sync, error))
    return FALSE;

  do {
    code = write_group (self->writer, group, sync);
    if (is_poison (code))
      roll_back (self->writer);
  } while (is_poison (code));
  if (code == SQLITE_OK)
    return TRUE;

  /* The message is gone after the next statement. */
  _nebula_sqlite_store_fail (self, self->writer->db, code, error);
  set_outcomes (group, group->is_committing && _nebula_sqlite_store_check_sealed (self, NULL) == FALSE
                           ? NEBULA_OUTCOME_UNKNOWN
                           : NEBULA_OUTCOME_FAILED);
  roll_back (self->writer);

  return FALSE;
}

gboolean
_nebula_sqlite_store_commit (NebulaStore *store,
                             NebulaUnit **units,
                             guint n_units,
                             gboolean sync,
                             NebulaOutcome *ret_outcomes,
                             GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->writer_lock);
  Group group = { .units = units, .n_units = n_units, .outcomes = ret_outcomes };
  gboolean is_committed = FALSE;

  if (n_units == 0)
    return _nebula_sqlite_store_check_sealed (self, error) && _nebula_sqlite_keep_house (self, error);

  is_committed = commit_group (self, &group, sync, error);
  g_free (group.is_poisoned);

  /* A failure here concerns the next group: this one is committed. */
  if (is_committed && self->wal_frames >= self->next_checkpoint)
    _nebula_sqlite_copy_log (self, NULL);

  return is_committed;
}

/* A commit that changes nothing syncs nothing, so one row is changed. */
gboolean
_nebula_sqlite_store_sync (NebulaStore *store, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->writer_lock);
  int code = SQLITE_OK;

  if (!_nebula_sqlite_store_check_sealed (self, error) || !_nebula_sqlite_set_sync (self, TRUE, error))
    return FALSE;

  code = _nebula_sqlite_run (self->writer, NEBULA_SQLITE_TOUCH);
  if (code == SQLITE_OK)
    return TRUE;

  _nebula_sqlite_store_fail (self, self->writer->db, code, error);
  roll_back (self->writer);

  return FALSE;
}
