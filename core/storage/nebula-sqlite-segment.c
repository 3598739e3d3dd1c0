/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Facts of one stream. Each segment names the one before it, so a stream is walked from its last segment back to the first
 * one that is wanted.
 *
 * Whoever reads a long stream page by page would walk nearly all of it for each page. Therefore a walk leaves a trail: a mark
 * at every 64th segment. The next page begins its walk at the mark behind it. Numbers of segments are never given twice, so a
 * mark whose segment is there is true; if the segment is gone the stream was removed, and the trail is thrown away.
 */

#include "nebula-sqlite-private.h"

#define MARK_STEPS 64
#define MAX_TRAILS 4

typedef struct
{
  guint64 last;  /* fact of the segment */
  gint64 number; /* of the segment */
} Mark;

struct _NebulaSqliteTrail
{
  char *stream;
  GArray *marks; /* Mark, in the order of facts */
};

static gboolean
column_equals (sqlite3_stmt *statement, int column, guint64 checksum)
{
  return (guint64) sqlite3_column_int64 (statement, column) == checksum;
}

static GBytes *
column_bytes (sqlite3_stmt *statement, int column)
{
  gconstpointer data = sqlite3_column_blob (statement, column);

  return g_bytes_new (data, (gsize) sqlite3_column_bytes (statement, column));
}

/* The last segment of a stream and its last fact; both 0 if there is none. */
static int
find_last_segment (NebulaSqliteConnection *connection,
                   const char *stream,
                   gint64 *ret_number,
                   guint64 *ret_last)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (connection, NEBULA_SQLITE_GET_LAST_SEGMENT, &statement);

  if (code != SQLITE_OK)
    return code;

  _nebula_sqlite_bind_text (statement, 1, stream);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    *ret_number = sqlite3_column_int64 (statement, 0);
    *ret_last = (guint64) sqlite3_column_int64 (statement, 1);
  }
  sqlite3_reset (statement);

  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* One step back from the segment @number, whose last fact must be @last. */
static int
step_back (sqlite3_stmt *statement,
           gint64 number,
           guint64 last,
           guint64 *ret_first,
           gint64 *ret_previous)
{
  guint64 first = 0;
  int code = SQLITE_OK;

  sqlite3_bind_int64 (statement, 1, number);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW && (guint64) sqlite3_column_int64 (statement, 2) == last) {
    first = (guint64) sqlite3_column_int64 (statement, 1);
    *ret_previous = sqlite3_column_int64 (statement, 0);
  }
  sqlite3_reset (statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    return code;
  *ret_first = first;

  return first > 0 && first <= last ? SQLITE_OK : NEBULA_SQLITE_WRONG_CHAIN;
}

/* From the segment of @from back; @numbers (or NULL) gets those with a first fact above @after, the newest first; @marks (or
 * NULL) one of 64. */
static int
walk_from (NebulaSqliteConnection *connection, Mark from, guint64 after, GArray *numbers, GArray *marks)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (connection, NEBULA_SQLITE_GET_SEGMENT, &statement);

  for (guint n_steps = 1; code == SQLITE_OK && from.last > after; n_steps++) {
    guint64 first = 0;
    gint64 previous = 0;

    code = step_back (statement, from.number, from.last, &first, &previous);
    if (code != SQLITE_OK)
      return code;
    if (numbers && first > after)
      g_array_append_val (numbers, from.number);
    if (marks && n_steps % MARK_STEPS == 0)
      g_array_append_val (marks, from);
    from.number = previous;
    from.last = first - 1;
  }

  return code;
}

int
_nebula_sqlite_walk (NebulaSqliteConnection *connection,
                     const char *stream,
                     guint64 after,
                     GArray *numbers)
{
  Mark head = { 0 };
  int code = find_last_segment (connection, stream, &head.number, &head.last);

  return code == SQLITE_OK ? walk_from (connection, head, after, numbers, NULL) : code;
}

/* Trails. */

static void
trail_free (gpointer data)
{
  NebulaSqliteTrail *self = data;

  g_array_unref (self->marks);
  g_free (self->stream);
  g_free (self);
}

/* Out of the store, so that nobody else has it; an empty one if there is none. */
static NebulaSqliteTrail *
take_trail (NebulaSqliteStore *store, const char *stream)
{
  NEBULA_SYNC_AUTO (guard, &store->readers_lock);
  NebulaSqliteTrail *trail = NULL;

  for (guint i = 0; store->trails && i < store->trails->len; i++)
    if (g_str_equal (((NebulaSqliteTrail *) store->trails->pdata[i])->stream, stream))
      return g_ptr_array_steal_index (store->trails, i);
  trail = g_new0 (NebulaSqliteTrail, 1);
  trail->stream = g_strdup (stream);
  trail->marks = g_array_new (FALSE, FALSE, sizeof (Mark));

  return trail;
}

static void
give_trail (NebulaSqliteStore *store, NebulaSqliteTrail *trail)
{
  NEBULA_SYNC_AUTO (guard, &store->readers_lock);

  if (trail->marks->len == 0) {
    trail_free (trail);
    return;
  }
  if (!store->trails)
    store->trails = g_ptr_array_new_with_free_func (trail_free);
  if (store->trails->len == MAX_TRAILS)
    g_ptr_array_remove_index (store->trails, 0);
  g_ptr_array_add (store->trails, trail);
}

/* The mark behind @n_segments segments after @after, if the trail goes so far. */
static gboolean
find_mark (NebulaSqliteTrail *trail, guint64 after, guint n_segments, Mark *ret_mark)
{
  guint low = 0;
  guint high = trail->marks->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (trail->marks, Mark, middle).last > after)
      high = middle;
    else
      low = middle + 1;
  }
  low += n_segments / MARK_STEPS + 1;
  if (low >= trail->marks->len)
    return FALSE;
  *ret_mark = g_array_index (trail->marks, Mark, low);

  return TRUE;
}

/* Takes the trail on to the end of the stream, from @after or where it ended. */
static int
extend (NebulaSqliteConnection *connection, NebulaSqliteTrail *trail, Mark head, guint64 after)
{
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  guint n_old = trail->marks->len;
  guint64 known = n_old > 0 ? g_array_index (trail->marks, Mark, n_old - 1).last : 0;
  int code = walk_from (connection, head, MAX (after, known), NULL, marks);

  for (guint i = marks->len; i > 0; i--)
    g_array_append_val (trail->marks, g_array_index (marks, Mark, i - 1));

  return code;
}

/* Numbers of at least @limit segments after @after, if there are so many, and few more; the newest first. */
static int
walk_page (NebulaSqliteConnection *connection,
           NebulaSqliteTrail *trail,
           guint64 after,
           guint limit,
           GArray *numbers)
{
  Mark from = { 0 };
  int code = SQLITE_OK;

  if (find_mark (trail, after, limit, &from)) {
    code = walk_from (connection, from, after, numbers, NULL);
    if (code != NEBULA_SQLITE_WRONG_CHAIN)
      return code;
    g_array_set_size (trail->marks, 0);
    g_array_set_size (numbers, 0);
    from = (Mark){ 0 };
  }
  code = find_last_segment (connection, trail->stream, &from.number, &from.last);
  if (code == SQLITE_OK)
    code = extend (connection, trail, from, after);
  if (code != SQLITE_OK)
    return code;
  find_mark (trail, after, limit, &from);

  return walk_from (connection, from, after, numbers, NULL);
}

int
_nebula_sqlite_read_segment (NebulaSqliteConnection *connection,
                             const char *stream,
                             gint64 number,
                             GPtrArray *segments,
                             gint64 *ret_previous)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (connection, NEBULA_SQLITE_GET_SEGMENT, &statement);

  if (code != SQLITE_OK)
    return code;

  sqlite3_bind_int64 (statement, 1, number);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW) {
    guint64 first = (guint64) sqlite3_column_int64 (statement, 1);
    guint64 last = (guint64) sqlite3_column_int64 (statement, 2);
    g_autoptr (GBytes) facts = column_bytes (statement, 4);
    guint64 checksum = _nebula_sqlite_checksum_segment (
        stream, first, last, g_bytes_get_data (facts, NULL), g_bytes_get_size (facts));

    *ret_previous = sqlite3_column_int64 (statement, 0);
    if (column_equals (statement, 3, checksum))
      g_ptr_array_add (segments, nebula_segment_new (first, last, facts));
    else
      code = NEBULA_SQLITE_WRONG_CHECKSUM;
  }
  sqlite3_reset (statement);

  return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? NEBULA_SQLITE_WRONG_CHAIN : code;
}

/* In one transaction, as streams may be removed meanwhile. */
static int
read_page (NebulaSqliteStore *self,
           NebulaSqliteConnection *reader,
           const char *stream,
           guint64 after,
           guint limit,
           GPtrArray *segments)
{
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (gint64));
  NebulaSqliteTrail *trail = limit > 0 ? take_trail (self, stream) : NULL;
  gint64 previous = 0;
  int code = _nebula_sqlite_run (reader, NEBULA_SQLITE_BEGIN_READ);

  if (code == SQLITE_OK)
    code = trail ? walk_page (reader, trail, after, limit, numbers)
                 : _nebula_sqlite_walk (reader, stream, after, numbers);
  for (guint i = numbers->len; code == SQLITE_OK && i > 0; i--) {
    if (limit != 0 && segments->len == limit)
      break;
    code = _nebula_sqlite_read_segment (reader, stream, g_array_index (numbers, gint64, i - 1),
                                        segments, &previous);
  }
  if (trail)
    give_trail (self, trail);

  return code;
}

static GPtrArray *
read_segments (NebulaStore *store, const char *stream, guint64 after, guint limit, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = _nebula_sqlite_store_take_reader (self, error);
  g_autoptr (GPtrArray) segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_segment_free);
  int code = SQLITE_OK;

  if (!reader)
    return NULL;

  code = read_page (self, reader, stream, after, limit, segments);
  if (code != SQLITE_OK)
    _nebula_sqlite_store_fail (self, reader->db, code, error);
  _nebula_sqlite_run (reader, NEBULA_SQLITE_COMMIT);
  _nebula_sqlite_store_give_reader (self, reader);

  return code == SQLITE_OK ? g_steal_pointer (&segments) : NULL;
}

/* The log: all streams, in the order of commits, which is that of the segments' numbers. */

static int
collect_entries (sqlite3_stmt *statement, GPtrArray *entries)
{
  int code = SQLITE_OK;

  while ((code = sqlite3_step (statement)) == SQLITE_ROW) {
    guint64 first = (guint64) sqlite3_column_int64 (statement, 1);
    guint64 last = (guint64) sqlite3_column_int64 (statement, 2);
    const char *stream = (const char *) sqlite3_column_text (statement, 3);
    g_autoptr (GBytes) facts = column_bytes (statement, 5);

    if (!stream ||
        !column_equals (statement, 4,
                        _nebula_sqlite_checksum_segment (stream, first, last,
                                                         g_bytes_get_data (facts, NULL),
                                                         g_bytes_get_size (facts))))
      return NEBULA_SQLITE_WRONG_CHECKSUM;
    g_ptr_array_add (entries,
                     nebula_log_entry_new ((guint64) sqlite3_column_int64 (statement, 0), stream,
                                           nebula_segment_new (first, last, facts)));
  }

  return code;
}

static GPtrArray *
read_log (NebulaStore *store, guint64 after, const char *stream, guint limit, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = _nebula_sqlite_begin_read (self, NEBULA_SQLITE_READ_LOG, &reader, error);
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_log_entry_free);

  if (!statement)
    return NULL;
  sqlite3_bind_int64 (statement, 1, (gint64) MIN (after, (guint64) G_MAXINT64));
  _nebula_sqlite_bind_text (statement, 2, stream);
  sqlite3_bind_int64 (statement, 3, limit);

  return _nebula_sqlite_end_read (self, reader, statement, collect_entries (statement, entries), error)
             ? g_steal_pointer (&entries)
             : NULL;
}

static gboolean
has_full_text (NebulaStore *store)
{
  return TRUE;
}

void
_nebula_sqlite_store_iface_init_segments (NebulaStoreInterface *iface)
{
  iface->read_segments = read_segments;
  iface->read_log = read_log;
  iface->has_full_text = has_full_text;
}
