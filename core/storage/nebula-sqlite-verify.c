/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checksums of rows, and the check of a whole store. */

#include "nebula-checksum-internal.h"
#include "nebula-sqlite-private.h"

/* Checksums. */

guint64
_nebula_sqlite_checksum (guint64 seed, const void *data, gsize length)
{
  return _nebula_checksum (seed, data, length);
}

guint64
_nebula_sqlite_checksum_text (guint64 seed, const char *text)
{
  return text ? _nebula_sqlite_checksum (seed, text, strlen (text)) : _nebula_checksum_mix (seed, G_MAXUINT64);
}

guint64
_nebula_sqlite_checksum_integer (guint64 seed, gint64 integer)
{
  return _nebula_checksum_mix (seed, (guint64) integer);
}

guint64
_nebula_sqlite_checksum_segment (
    const char *stream, guint64 first, guint64 last, const void *facts, gsize length)
{
  guint64 state = _nebula_sqlite_checksum_text (0, stream);

  state = _nebula_checksum_mix (_nebula_checksum_mix (state, first), last);

  return _nebula_sqlite_checksum (state, facts, length);
}

guint64
_nebula_sqlite_checksum_message (
    const char *id, const char *stream, gint64 created_usec, const void *payload, gsize length)
{
  guint64 state = _nebula_sqlite_checksum_text (0, id);

  state = _nebula_sqlite_checksum_text (state, stream);
  state = _nebula_checksum_mix (state, (guint64) created_usec);

  return _nebula_sqlite_checksum (state, payload, length);
}

guint64
_nebula_sqlite_checksum_document (
    const char *collection, const char *key, gint64 revision, const void *value, gssize length)
{
  guint64 state = _nebula_sqlite_checksum_text (0, collection);

  state = _nebula_sqlite_checksum_text (state, key);
  state = _nebula_checksum_mix (state, (guint64) revision);

  return length < 0 ? _nebula_checksum_mix (state, G_MAXUINT64)
                    : _nebula_sqlite_checksum (state, value, (gsize) length);
}

guint64
_nebula_sqlite_checksum_header (const NebulaHeader *header)
{
  const char *const texts[] = { header->stream, header->tenant, header->workflow,
                                header->revision, header->key };
  const gint64 integers[] = {
    header->kind,      header->shard,
    (gint64) header->sequence, (gint64) header->epoch,
    header->format,    header->status,
    header->durability, header->priority,
    header->wake_usec, header->flags,
    (gint64) header->checkpoint, header->created_usec,
    header->updated_usec, header->recoveries,
  };
  guint64 state = 0;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    state = _nebula_sqlite_checksum_text (state, texts[i]);
  for (guint i = 0; i < G_N_ELEMENTS (integers); i++)
    state = _nebula_checksum_mix (state, (guint64) integers[i]);

  return state;
}

/* Verification. */

#define NEBULA_SQLITE_MAX_PROBLEMS 100

/* Each query gives a sentence a problem. They are for operators and not translated, like the log. */
static const char *const checks[] = {
  "SELECT 'integrity: ' || integrity_check FROM pragma_integrity_check (100)"
  " WHERE integrity_check <> 'ok'",
  "SELECT 'stream ' || stream || ': facts ' || first || ' … ' || last || ' do not follow ' ||"
  " before FROM (SELECT stream, first, last, previous, lag (last, 1, 0) OVER w AS before,"
  " lag (number, 1, 0) OVER w AS link FROM segment WINDOW w AS (PARTITION BY stream"
  " ORDER BY first)) WHERE first <> before + 1 OR last < first OR previous <> link",
  "SELECT 'stream ' || id || ': the header does not name the last facts' FROM stream AS s"
  " LEFT JOIN segment AS l ON l.number = s.segment"
  " WHERE sequence <> coalesce (l.last, 0) OR (segment <> 0 AND l.stream IS NOT s.id)",
  "SELECT 'stream ' || id || ': the header ends at ' || sequence || ' and the facts at ' ||"
  " coalesce (last, 0) FROM stream LEFT JOIN (SELECT stream, max (last) AS last FROM segment"
  " GROUP BY stream) ON stream = id WHERE sequence <> coalesce (last, 0)",
  "SELECT 'stream ' || stream || ': facts without a header' FROM (SELECT DISTINCT stream"
  " FROM segment) WHERE NOT EXISTS (SELECT 1 FROM stream AS s WHERE s.id = stream)",
  "SELECT 'stream ' || id || ': the header names checkpoint ' || s.checkpoint || ', there is ' ||"
  " coalesce (c.sequence, 0) FROM stream AS s LEFT JOIN checkpoint AS c ON c.stream = s.id"
  " WHERE c.sequence > s.sequence OR s.checkpoint > coalesce (c.sequence, 0)",
  "SELECT 'stream ' || stream || ': the checksum of the facts from ' || first || ' is wrong'"
  " FROM segment WHERE checksum <> nebula_checksum ('segment', stream, first, last, facts)",
  "SELECT 'stream ' || stream || ': the checksum of the checkpoint is wrong' FROM checkpoint"
  " WHERE checksum <> nebula_checksum ('checkpoint', stream, sequence, state)",
  "SELECT 'message ' || id || ': the checksum is wrong' FROM inbox WHERE consumed = 0"
  " AND checksum <> nebula_checksum ('message', id, stream, created_usec, payload)",
  "SELECT 'document ' || collection || '/' || key || ': the checksum is wrong' FROM document"
  " WHERE checksum <> nebula_checksum ('document', collection, key, revision, value)",
  "SELECT 'blob ' || digest || ': the checksum is wrong' FROM blob"
  " WHERE checksum <> nebula_checksum ('blob', digest, size, data)",
  "SELECT 'blob ' || digest || ': it is not what its digest says' FROM blob"
  " WHERE nebula_blob_is_damaged (digest, size, data)",
  "SELECT 'blob ' || digest || ': stream ' || stream || ' uses it, and it is not there' FROM blob_use AS u"
  " WHERE NOT EXISTS (SELECT 1 FROM blob AS b WHERE b.digest = u.digest)",
  "SELECT 'blob ' || digest || ': it is marked as unused, but a stream uses it' FROM blob"
  " WHERE is_used = 0 AND digest IN (SELECT digest FROM blob_use)",
  "SELECT 'stream ' || id || ': the checksum of the header is wrong' FROM stream"
  " WHERE checksum <> nebula_checksum ('stream', id, tenant, workflow, revision, business_key,"
  " kind, shard, sequence, epoch, format, status, durability, priority, wake_usec, flags,"
  " checkpoint, created_usec, updated_usec, recoveries)",
  "SELECT 'stream ' || stream || ': its tag ' || tag || ' stands in no header' FROM stream_tag AS t"
  " WHERE NOT EXISTS (SELECT 1 FROM stream AS s WHERE s.id = t.stream"
  " AND instr (char (10) || s.tags || char (10), char (10) || t.tag || char (10)) > 0)",
  "SELECT 'stream ' || id || ': the digest of its facts is wrong' FROM stream LEFT JOIN"
  " (SELECT stream AS s, nebula_digest (checksum) AS d FROM segment GROUP BY stream) ON s = id"
  " WHERE digest <> coalesce (d, 0)",
};

static guint64
checksum_value (guint64 state, sqlite3_value *value)
{
  switch (sqlite3_value_type (value)) {
  case SQLITE_INTEGER:
    return _nebula_checksum_mix (state, (guint64) sqlite3_value_int64 (value));
  case SQLITE_TEXT:
    return _nebula_sqlite_checksum_text (state, (const char *) sqlite3_value_text (value));
  case SQLITE_BLOB:
    return _nebula_sqlite_checksum (state, sqlite3_value_blob (value),
                                    (gsize) sqlite3_value_bytes (value));
  default:
    return _nebula_checksum_mix (state, G_MAXUINT64);
  }
}

/* The first argument only names the kind of row; the others are summed up in order. */
static void
sql_checksum (sqlite3_context *context, int n_values, sqlite3_value **values)
{
  guint64 state = 0;

  for (int i = 1; i < n_values; i++)
    state = checksum_value (state, values[i]);

  sqlite3_result_int64 (context, (gint64) state);
}

static void
sql_digest_step (sqlite3_context *context, int n_values, sqlite3_value **values)
{
  guint64 *digest = sqlite3_aggregate_context (context, sizeof *digest);

  if (digest)
    *digest ^= (guint64) sqlite3_value_int64 (values[0]);
}

static void
sql_digest_end (sqlite3_context *context)
{
  guint64 *digest = sqlite3_aggregate_context (context, 0);

  sqlite3_result_int64 (context, digest ? (gint64) *digest : 0);
}

static gboolean
digest_file (const char *folder, const char *digest, GChecksum *checksum, gint64 *ret_size)
{
  g_autofree char *path = g_build_filename (folder, digest, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, NULL);
  guint8 buffer[4096];
  gssize n_read = 0;

  while (stream &&
         (n_read = g_input_stream_read (G_INPUT_STREAM (stream), buffer, sizeof buffer, NULL, NULL)) > 0) {
    g_checksum_update (checksum, buffer, n_read);
    *ret_size += n_read;
  }

  return stream && n_read == 0;
}

/* digest, size, data: whether the data, or the file in its place, has another digest or size. */
static void
sql_blob_is_damaged (sqlite3_context *context, int n_values, sqlite3_value **values)
{
  const char *folder = sqlite3_user_data (context);
  const char *digest = (const char *) sqlite3_value_text (values[0]);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gboolean is_read = TRUE;
  gint64 size = 0;

  if (sqlite3_value_type (values[2]) == SQLITE_NULL) {
    is_read = digest_file (folder, digest, checksum, &size);
  } else {
    size = sqlite3_value_bytes (values[2]);
    g_checksum_update (checksum, sqlite3_value_blob (values[2]), (gssize) size);
  }

  sqlite3_result_int (context, !is_read || size != sqlite3_value_int64 (values[1]) ||
                                   g_strcmp0 (g_checksum_get_string (checksum), digest) != 0);
}

static gboolean
run_check (NebulaSqliteConnection *self, const char *sql, GPtrArray *problems, GError **error)
{
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL);

  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step (statement);
    if (code == SQLITE_ROW)
      g_ptr_array_add (problems, g_strdup ((const char *) sqlite3_column_text (statement, 0)));
    if (problems->len >= NEBULA_SQLITE_MAX_PROBLEMS)
      break;
  }

  /* A file that cannot even be read through is the worst of problems, but no failure of the check. */
  if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB) {
    g_ptr_array_add (problems, g_strdup_printf ("integrity: %s", sqlite3_errmsg (self->db)));
    code = SQLITE_DONE;
  }
  if (code != SQLITE_DONE && code != SQLITE_ROW)
    _nebula_sqlite_set_error (self->db, code, error);
  sqlite3_finalize (statement);

  return code == SQLITE_DONE || code == SQLITE_ROW;
}

GStrv
_nebula_sqlite_verify (NebulaSqliteConnection *self, const char *blobs_folder, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  int code = sqlite3_create_function (self->db, "nebula_checksum", -1, flags, NULL, sql_checksum,
                                      NULL, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_create_function (self->db, "nebula_digest", 1, flags, NULL, NULL,
                                    sql_digest_step, sql_digest_end);
  if (code == SQLITE_OK)
    code = sqlite3_create_function (self->db, "nebula_blob_is_damaged", 3, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                    (gpointer) blobs_folder, sql_blob_is_damaged, NULL, NULL);
  if (code != SQLITE_OK) {
    _nebula_sqlite_set_error (self->db, code, error);
    return NULL;
  }

  for (guint i = 0; i < G_N_ELEMENTS (checks) && problems->len < NEBULA_SQLITE_MAX_PROBLEMS; i++)
    if (!run_check (self, checks[i], problems, error))
      return NULL;

  g_ptr_array_add (problems, NULL);

  return (GStrv) g_ptr_array_free (g_steal_pointer (&problems), FALSE);
}
