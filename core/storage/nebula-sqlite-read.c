/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading. Each read borrows a connection of its own that can only read, so it never waits for the writer and may come
 * from any thread. Rows are copied out and the statement is reset at once: a read that stays open keeps the log from
 * being copied into the database.
 */

#include "nebula-sqlite-private.h"

/* Sorts behind every id: the last character there is. */

static const char *
column_text (sqlite3_stmt *statement, int column)
{
  return (const char *) sqlite3_column_text (statement, column);
}

static GBytes *
column_bytes (sqlite3_stmt *statement, int column)
{
  gconstpointer data = sqlite3_column_blob (statement, column);

  return g_bytes_new (data, (gsize) sqlite3_column_bytes (statement, column));
}

static gboolean
column_equals (sqlite3_stmt *statement, int column, guint64 checksum)
{
  return (guint64) sqlite3_column_int64 (statement, column) == checksum;
}

static int
limit_to_sql (guint limit)
{
  return limit == 0 ? -1 : (int) MIN (limit, (guint) G_MAXINT);
}

/* Connections. */

NebulaSqliteConnection *
_nebula_sqlite_store_take_reader (NebulaSqliteStore *self, GError **error)
{
  g_autoptr (NebulaSqliteConnection) reader = NULL;

  _nebula_sync_lock (&self->readers_lock);
  if (self->readers->len > 0)
    reader = g_ptr_array_steal_index (self->readers, self->readers->len - 1);
  _nebula_sync_unlock (&self->readers_lock);
  if (reader)
    return g_steal_pointer (&reader);

  reader = _nebula_sqlite_connection_new (self->path, SQLITE_OPEN_READONLY, error);
  if (!reader ||
      !_nebula_sqlite_exec (reader, "PRAGMA query_only = ON; PRAGMA cache_size = -1024;", error))
    return NULL;

  return g_steal_pointer (&reader);
}

void
_nebula_sqlite_store_give_reader (NebulaSqliteStore *self, NebulaSqliteConnection *reader)
{
  g_autoptr (NebulaSqliteConnection) surplus = reader;
  NEBULA_SYNC_AUTO (guard, &self->readers_lock);

  if (self->readers->len < NEBULA_SQLITE_MAX_READERS)
    g_ptr_array_add (self->readers, g_steal_pointer (&surplus));
}

/* Starts a read: the statement is reset by end_read(). */
sqlite3_stmt *
_nebula_sqlite_begin_read (NebulaSqliteStore *self,
            NebulaSqliteStatement id,
            NebulaSqliteConnection **ret_reader,
            GError **error)
{
  NebulaSqliteConnection *reader = _nebula_sqlite_store_take_reader (self, error);
  sqlite3_stmt *statement = NULL;
  int code = SQLITE_OK;

  if (!reader)
    return NULL;

  code = _nebula_sqlite_prepare (reader, id, &statement);
  if (code != SQLITE_OK) {
    _nebula_sqlite_store_fail (self, reader->db, code, error);
    _nebula_sqlite_connection_free (reader);
    return NULL;
  }
  *ret_reader = reader;

  return statement;
}

/* @code: of the last step. FALSE with @error if it means a failure. */
gboolean
_nebula_sqlite_end_read (NebulaSqliteStore *self,
          NebulaSqliteConnection *reader,
          sqlite3_stmt *statement,
          int code,
          GError **error)
{
  gboolean is_good = code == SQLITE_DONE || code == SQLITE_ROW;

  if (!is_good)
    _nebula_sqlite_store_fail (self, reader->db, code, error);
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  _nebula_sqlite_store_give_reader (self, reader);

  return is_good;
}

/* Headers. */

static GStrv
column_tags (sqlite3_stmt *statement, int column)
{
  const char *tags = column_text (statement, column);

  return tags ? g_strsplit (tags, "\n", -1) : NULL;
}

NebulaHeader *
_nebula_sqlite_column_header (sqlite3_stmt *statement)
{
  const char *stream = column_text (statement, 0);
  g_autoptr (NebulaHeader) header = nebula_header_new (stream ? stream : "");

  header->kind = (NebulaStreamKind) sqlite3_column_int (statement, 1);
  header->tenant = g_strdup (column_text (statement, 2));
  header->shard = (guint) sqlite3_column_int64 (statement, 3);
  header->sequence = (guint64) sqlite3_column_int64 (statement, 4);
  header->epoch = (guint64) sqlite3_column_int64 (statement, 5);
  header->format = (guint) sqlite3_column_int64 (statement, 6);
  header->status = sqlite3_column_int (statement, 7);
  header->workflow = g_strdup (column_text (statement, 8));
  header->revision = g_strdup (column_text (statement, 9));
  header->durability = sqlite3_column_int (statement, 10);
  header->priority = sqlite3_column_int (statement, 11);
  header->wake_usec = sqlite3_column_int64 (statement, 12);
  header->flags = (guint) sqlite3_column_int64 (statement, 13);
  header->checkpoint = (guint64) sqlite3_column_int64 (statement, 14);
  header->created_usec = sqlite3_column_int64 (statement, 15);
  header->updated_usec = sqlite3_column_int64 (statement, 16);
  header->recoveries = (guint) sqlite3_column_int64 (statement, 17);
  header->key = g_strdup (column_text (statement, 18));
  header->tags = column_tags (statement, 20);

  if (!column_equals (statement, 19, _nebula_sqlite_checksum_header (header)))
    return NULL;

  return g_steal_pointer (&header);
}

/* For the writer, inside its transaction. */
int
_nebula_sqlite_read_header (NebulaSqliteConnection *connection,
                            const char *stream,
                            NebulaHeader **ret_header)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (connection, NEBULA_SQLITE_GET_STREAM, &statement);

  if (code != SQLITE_OK)
    return code;

  _nebula_sqlite_bind_text (statement, 1, stream);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    *ret_header = _nebula_sqlite_column_header (statement);
    code = *ret_header ? SQLITE_DONE : NEBULA_SQLITE_WRONG_CHECKSUM;
  }
  sqlite3_reset (statement);

  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static NebulaHeader *
read_header (NebulaStore *store, const char *stream, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = _nebula_sqlite_begin_read (self, NEBULA_SQLITE_GET_STREAM, &reader, error);
  g_autoptr (NebulaHeader) header = NULL;
  int code = SQLITE_OK;

  if (!statement)
    return NULL;

  _nebula_sqlite_bind_text (statement, 1, stream);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    header = _nebula_sqlite_column_header (statement);
    if (!header)
      code = NEBULA_SQLITE_WRONG_CHECKSUM;
  }

  return _nebula_sqlite_end_read (self, reader, statement, code, error) ? g_steal_pointer (&header) : NULL;
}

int
_nebula_sqlite_collect_headers (sqlite3_stmt *statement, GPtrArray *headers)
{
  int code = SQLITE_OK;

  while ((code = sqlite3_step (statement)) == SQLITE_ROW) {
    NebulaHeader *header = _nebula_sqlite_column_header (statement);

    if (!header)
      return NEBULA_SQLITE_WRONG_CHECKSUM;
    g_ptr_array_add (headers, header);
  }

  return code;
}

static guint
get_limit (const NebulaHeaderQuery *query)
{
  return query->limit ? query->limit : NEBULA_HEADER_QUERY_LIMIT;
}

static gboolean
list_by_wake (NebulaSqliteStore *self,
              const NebulaHeaderQuery *query,
              GPtrArray *headers,
              GError **error)
{
  NebulaSqliteConnection *reader = NULL;
  g_autoptr (NebulaHeader) last = NULL;
  g_autoptr (GError) failure = NULL;
  sqlite3_stmt *statement = NULL;

  if (query->after) {
    last = read_header (NEBULA_STORE (self), query->after, &failure);
    if (failure) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }

  statement = _nebula_sqlite_begin_read (self, NEBULA_SQLITE_LIST_BY_WAKE, &reader, error);
  if (!statement)
    return FALSE;

  sqlite3_bind_int64 (statement, 1, query->wake_before_usec);
  sqlite3_bind_int64 (statement, 2, last ? last->wake_usec : 0);
  _nebula_sqlite_bind_text (statement, 3, last ? last->stream : "");
  sqlite3_bind_int (statement, 4, query->kind);
  sqlite3_bind_int64 (statement, 5, query->status_mask);
  _nebula_sqlite_bind_text (statement, 6, query->tenant);
  _nebula_sqlite_bind_text (statement, 7, query->workflow);
  sqlite3_bind_int (statement, 8, limit_to_sql (get_limit (query)));

  return _nebula_sqlite_end_read (self, reader, statement, _nebula_sqlite_collect_headers (statement, headers), error);
}

static gboolean
list_by_status (NebulaSqliteStore *self,
                const NebulaHeaderQuery *query,
                gint status,
                GPtrArray *headers,
                GError **error)
{
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = _nebula_sqlite_begin_read (
      self, query->workflow ? NEBULA_SQLITE_LIST_BY_WORKFLOW : NEBULA_SQLITE_LIST_BY_STATUS,
      &reader, error);

  if (!statement)
    return FALSE;

  sqlite3_bind_int (statement, 1, query->kind);
  sqlite3_bind_int (statement, 2, status);
  _nebula_sqlite_bind_text (statement, 3, query->after ? query->after : NEBULA_SQLITE_LAST_ID);
  _nebula_sqlite_bind_text (statement, 4, query->tenant);
  sqlite3_bind_int64 (statement, 5, query->wake_before_usec);
  sqlite3_bind_int (statement, 6, limit_to_sql (get_limit (query)));
  if (query->workflow)
    _nebula_sqlite_bind_text (statement, 7, query->workflow);

  return _nebula_sqlite_end_read (self, reader, statement, _nebula_sqlite_collect_headers (statement, headers), error);
}

static gint
compare_newest (gconstpointer a, gconstpointer b)
{
  const NebulaHeader *left = *(NebulaHeader *const *) a;
  const NebulaHeader *right = *(NebulaHeader *const *) b;

  return strcmp (right->stream, left->stream);
}

/* The index gives each status in order; the pages of all wanted ones are merged. */
static GPtrArray *
list_headers (NebulaStore *store, const NebulaHeaderQuery *query, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  g_autoptr (GPtrArray) headers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_header_free);

  if (query->by_wake)
    return list_by_wake (self, query, headers, error) ? g_steal_pointer (&headers) : NULL;
  if (query->text || query->tag || query->created_from_usec || query->created_before_usec)
    return _nebula_sqlite_search_headers (self, query, error);

  for (gint status = 0; status <= NEBULA_EXECUTION_STATUS_TIMED_OUT; status++)
    if (_nebula_header_query_matches_status (query, status) &&
        !list_by_status (self, query, status, headers, error))
      return NULL;

  g_ptr_array_sort (headers, compare_newest);
  if (headers->len > get_limit (query))
    g_ptr_array_set_size (headers, (gint) get_limit (query));

  return g_steal_pointer (&headers);
}

/* Checkpoints. */

/* NULL: it is damaged. */
GBytes *
_nebula_sqlite_column_checkpoint (sqlite3_stmt *statement, const char *stream, guint64 *ret_sequence)
{
  guint64 checksum = _nebula_sqlite_checksum_text (0, stream);
  g_autoptr (GBytes) state = column_bytes (statement, 1);

  *ret_sequence = (guint64) sqlite3_column_int64 (statement, 0);
  checksum = _nebula_sqlite_checksum_integer (checksum, (gint64) *ret_sequence);
  checksum = _nebula_sqlite_checksum (checksum, g_bytes_get_data (state, NULL),
                                      g_bytes_get_size (state));

  return column_equals (statement, 2, checksum) ? g_steal_pointer (&state) : NULL;
}

/* A checkpoint is made of facts that are there as well: a damaged one is told, but it is no reason to seal the store. */
static GBytes *
read_checkpoint (NebulaStore *store, const char *stream, guint64 *ret_sequence, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = _nebula_sqlite_begin_read (self, NEBULA_SQLITE_GET_CHECKPOINT, &reader, error);
  g_autoptr (GBytes) state = NULL;
  guint64 sequence = 0;
  gboolean is_damaged = FALSE;
  int code = SQLITE_OK;

  if (!statement)
    return NULL;

  _nebula_sqlite_bind_text (statement, 1, stream);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    state = _nebula_sqlite_column_checkpoint (statement, stream, &sequence);
    is_damaged = state == NULL;
  }
  if (!_nebula_sqlite_end_read (self, reader, statement, code, error) || (!state && !is_damaged))
    return NULL;
  if (is_damaged) {
    _nebula_sqlite_set_error (NULL, NEBULA_SQLITE_WRONG_CHECKSUM, error);
    return NULL;
  }

  *ret_sequence = sequence;

  return g_steal_pointer (&state);
}

/* Messages and documents. */

static int
collect_messages (sqlite3_stmt *statement, GPtrArray *messages)
{
  int code = SQLITE_OK;

  while ((code = sqlite3_step (statement)) == SQLITE_ROW) {
    const char *id = column_text (statement, 0);
    const char *stream = column_text (statement, 1);
    g_autoptr (GBytes) payload = column_bytes (statement, 2);
    gint64 created_usec = sqlite3_column_int64 (statement, 3);

    if (!id || !stream ||
        !column_equals (statement, 4,
                        _nebula_sqlite_checksum_message (id, stream, created_usec,
                                                         g_bytes_get_data (payload, NULL),
                                                         g_bytes_get_size (payload))))
      return NEBULA_SQLITE_WRONG_CHECKSUM;
    g_ptr_array_add (messages, nebula_message_new (id, stream, payload, created_usec));
  }

  return code;
}

static GPtrArray *
read_inbox (NebulaStore *store, const char *stream, guint limit, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement =
      _nebula_sqlite_begin_read (self, stream ? NEBULA_SQLITE_GET_INBOX : NEBULA_SQLITE_GET_ALL_INBOXES, &reader,
                  error);
  g_autoptr (GPtrArray) messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_message_free);
  int code = SQLITE_OK;

  if (!statement)
    return NULL;

  if (stream)
    _nebula_sqlite_bind_text (statement, 1, stream);
  sqlite3_bind_int (statement, 2, limit_to_sql (limit));
  code = collect_messages (statement, messages);

  return _nebula_sqlite_end_read (self, reader, statement, code, error) ? g_steal_pointer (&messages) : NULL;
}

static GBytes *
read_document (NebulaStore *store,
               const char *collection,
               const char *key,
               gint64 *ret_revision,
               GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = _nebula_sqlite_begin_read (self, NEBULA_SQLITE_GET_DOCUMENT, &reader, error);
  g_autoptr (GBytes) value = NULL;
  gint64 revision = 0;
  int code = SQLITE_OK;

  if (!statement)
    return NULL;

  _nebula_sqlite_bind_text (statement, 1, collection);
  _nebula_sqlite_bind_text (statement, 2, key);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    gboolean is_removed = sqlite3_column_type (statement, 1) == SQLITE_NULL;
    gconstpointer data = sqlite3_column_blob (statement, 1);
    gssize length = is_removed ? -1 : sqlite3_column_bytes (statement, 1);

    revision = sqlite3_column_int64 (statement, 0);
    if (!column_equals (statement, 2,
                        _nebula_sqlite_checksum_document (collection, key, revision, data, length)))
      code = NEBULA_SQLITE_WRONG_CHECKSUM;
    else if (!is_removed)
      value = g_bytes_new (data, (gsize) length);
  }
  if (!_nebula_sqlite_end_read (self, reader, statement, code, error) || !value)
    return NULL;

  *ret_revision = revision;

  return g_steal_pointer (&value);
}

static GStrv
list_documents (
    NebulaStore *store, const char *collection, const char *after, guint limit, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = _nebula_sqlite_begin_read (self, NEBULA_SQLITE_LIST_DOCUMENTS, &reader, error);
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();
  int code = SQLITE_OK;

  if (!statement)
    return NULL;

  _nebula_sqlite_bind_text (statement, 1, collection);
  _nebula_sqlite_bind_text (statement, 2, after ? after : "");
  sqlite3_bind_int (statement, 3, limit_to_sql (limit));
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    g_strv_builder_add (keys, column_text (statement, 0));

  return _nebula_sqlite_end_read (self, reader, statement, code, error) ? g_strv_builder_end (keys) : NULL;
}

void
_nebula_sqlite_store_iface_init_reads (NebulaStoreInterface *iface)
{
  iface->read_header = read_header;
  iface->list_headers = list_headers;
  iface->prune = _nebula_sqlite_store_prune;
  iface->read_histories = _nebula_sqlite_read_histories;
  iface->read_checkpoint = read_checkpoint;
  iface->read_inbox = read_inbox;
  iface->read_document = read_document;
  iface->list_documents = list_documents;
}
