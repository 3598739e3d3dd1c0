/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Executions that ended and are not kept any longer. One step is one transaction and removes a limited number of them,
 * the oldest first, so that commits get in between. An execution goes with all that is its own: header, facts, checkpoint,
 * messages, text, tags, and its uses of blobs; a blob that nobody else uses is collected in time.
 */

#include "nebula-sqlite-private.h"

#define TERMINAL_MASK                                                                              \
  (1u << NEBULA_EXECUTION_STATUS_COMPLETED | 1u << NEBULA_EXECUTION_STATUS_FAILED |                \
   1u << NEBULA_EXECUTION_STATUS_CANCELLED | 1u << NEBULA_EXECUTION_STATUS_TIMED_OUT)

static int
prepare_rule (NebulaSqliteConnection *writer,
              NebulaSqliteStatement id,
              const NebulaRetention *rule,
              sqlite3_stmt **ret_statement)
{
  int code = _nebula_sqlite_prepare (writer, id, ret_statement);

  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (*ret_statement, 1, rule->ended_before_usec ? rule->ended_before_usec : G_MAXINT64);
  sqlite3_bind_int64 (*ret_statement, 2,
                      rule->status_mask ? rule->status_mask & TERMINAL_MASK : TERMINAL_MASK);
  _nebula_sqlite_bind_text (*ret_statement, 3, rule->workflow);
  _nebula_sqlite_bind_text (*ret_statement, 4, rule->tenant);

  return SQLITE_OK;
}

/* How many the rule selects; those that are kept count. */
static int
count (NebulaSqliteConnection *writer, const NebulaRetention *rule, gint64 *ret_count)
{
  sqlite3_stmt *statement = NULL;
  int code = prepare_rule (writer, NEBULA_SQLITE_COUNT_ENDED, rule, &statement);

  if (code != SQLITE_OK)
    return code;
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW)
    *ret_count = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);

  return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int
list (NebulaSqliteConnection *writer, const NebulaRetention *rule, gint64 limit, GPtrArray *ids)
{
  sqlite3_stmt *statement = NULL;
  int code = prepare_rule (writer, NEBULA_SQLITE_LIST_ENDED, rule, &statement);

  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 5, limit);
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (ids, g_strdup ((const char *) sqlite3_column_text (statement, 0)));
  sqlite3_reset (statement);

  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int
run_with_text (NebulaSqliteConnection *writer, NebulaSqliteStatement id, const char *text)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, id, &statement);

  if (code != SQLITE_OK)
    return code;
  _nebula_sqlite_bind_text (statement, 1, text);

  return _nebula_sqlite_run_statement (statement);
}

static int
run_with_number (NebulaSqliteConnection *writer, NebulaSqliteStatement id, gint64 number)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, id, &statement);

  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 1, number);

  return _nebula_sqlite_run_statement (statement);
}

/* The header last: facts are found through it. */
static int
remove_stream (NebulaSqliteConnection *writer, const char *id)
{
  static const NebulaSqliteStatement by_id[] = {
    NEBULA_SQLITE_FREE_BLOBS,      NEBULA_SQLITE_DELETE_BLOB_USES, NEBULA_SQLITE_DELETE_CHECKPOINT,
    NEBULA_SQLITE_DELETE_MESSAGES, NEBULA_SQLITE_DELETE_TAGS,      NEBULA_SQLITE_DELETE_STREAM,
  };
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (gint64));
  int code = _nebula_sqlite_walk (writer, id, 0, numbers);

  _nebula_sqlite_forget_head (writer, id);
  for (guint i = 0; code == SQLITE_OK && i < numbers->len; i++) {
    gint64 number = g_array_index (numbers, gint64, i);

    code = run_with_number (writer, NEBULA_SQLITE_DELETE_TEXT, number);
    if (code == SQLITE_OK)
      code = run_with_number (writer, NEBULA_SQLITE_DELETE_SEGMENT, number);
  }
  for (guint i = 0; code == SQLITE_OK && i < G_N_ELEMENTS (by_id); i++)
    code = run_with_text (writer, by_id[i], id);

  return code;
}

static int
remove_all (NebulaSqliteConnection *writer, GPtrArray *ids)
{
  int code = SQLITE_OK;

  for (guint i = 0; code == SQLITE_OK && i < ids->len; i++)
    code = remove_stream (writer, g_ptr_array_index (ids, i));

  return code;
}

static int
take_step (NebulaSqliteConnection *writer, const NebulaRetention *rule, gint64 limit, gint64 *ret_count)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  int code = _nebula_sqlite_run (writer, NEBULA_SQLITE_BEGIN);
  gint64 n_selected = 0;

  if (code == SQLITE_OK && (rule->keep > 0 || rule->is_trial)) {
    code = count (writer, rule, &n_selected);
    limit = MIN (limit, MAX (n_selected - rule->keep, 0));
  }
  if (code == SQLITE_OK && !rule->is_trial)
    code = list (writer, rule, limit, ids);
  if (code == SQLITE_OK && ids->len > 0)
    code = _nebula_sqlite_run (writer, NEBULA_SQLITE_KEEP_MARK);
  if (code == SQLITE_OK)
    code = remove_all (writer, ids);
  if (code == SQLITE_OK)
    code = _nebula_sqlite_run (writer, NEBULA_SQLITE_COMMIT);
  *ret_count = rule->is_trial ? limit : ids->len;

  return code;
}

gint64
_nebula_sqlite_store_prune (NebulaStore *store, const NebulaRetention *rule, guint limit, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->writer_lock);
  gint64 n_pruned = 0;
  int code = SQLITE_OK;

  if (!_nebula_sqlite_store_check_sealed (self, error) || !_nebula_sqlite_set_sync (self, TRUE, error))
    return -1;
  code = take_step (self->writer, rule, limit, &n_pruned);
  if (code == SQLITE_OK)
    return n_pruned;

  _nebula_sqlite_store_fail (self, self->writer->db, code, error);
  _nebula_sqlite_forget_heads (self->writer);
  if (!sqlite3_get_autocommit (self->writer->db))
    _nebula_sqlite_run (self->writer, NEBULA_SQLITE_ROLLBACK);

  return -1;
}
