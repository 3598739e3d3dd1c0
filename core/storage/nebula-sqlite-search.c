/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists that no index of headers gives: by the time of their beginning, by their text, by a tag.
 *
 * The text of a unit is a row of the full-text table with the number of the unit's segment. What users ask for is words
 * and nothing else: the operators of SQLite's query language are quoted away, only a * at the end of a word counts.
 */

#include <string.h>

#include "nebula-sqlite-private.h"

/* One word as a phrase of the query language; NULL: nothing in it can be found. */
static char *
quote_word (const char *word)
{
  gsize length = strlen (word);
  gboolean is_prefix = length > 0 && word[length - 1] == '*';
  g_autofree char *core = g_strndup (word, is_prefix ? length - 1 : length);
  g_auto (GStrv) parts = g_strsplit (core, "\"", -1);
  g_autofree char *escaped = g_strjoinv ("\"\"", parts);

  return *core ? g_strdup_printf ("\"%s\"%s", escaped, is_prefix ? "*" : "") : NULL;
}

static char *
make_match (const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t\n\r", -1);
  GString *match = g_string_new (NULL);

  for (guint i = 0; words[i]; i++) {
    g_autofree char *word = quote_word (words[i]);

    if (word)
      g_string_append_printf (match, "%s%s", match->len > 0 ? " " : "", word);
  }
  return g_string_free (match, FALSE);
}

/* ?3 … ?10 */
static void
bind_filter (sqlite3_stmt *statement, const NebulaHeaderQuery *query)
{
  sqlite3_bind_int (statement, 3, query->kind);
  sqlite3_bind_int64 (statement, 4, query->status_mask);
  _nebula_sqlite_bind_text (statement, 5, query->workflow);
  _nebula_sqlite_bind_text (statement, 6, query->tenant);
  sqlite3_bind_int64 (statement, 7, query->created_from_usec);
  sqlite3_bind_int64 (statement, 8,
                      query->created_before_usec ? query->created_before_usec : G_MAXINT64);
  sqlite3_bind_int64 (statement, 9, query->wake_before_usec);
  sqlite3_bind_int (statement, 10,
                    (int) MIN (query->limit ? query->limit : NEBULA_HEADER_QUERY_LIMIT, G_MAXINT));
}

GPtrArray *
_nebula_sqlite_search_headers (NebulaSqliteStore *self, const NebulaHeaderQuery *query, GError **error)
{
  g_autoptr (GPtrArray) headers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_header_free);
  g_autofree char *match = query->text ? make_match (query->text) : NULL;
  NebulaSqliteStatement id = match        ? NEBULA_SQLITE_LIST_BY_TEXT
                             : query->tag ? NEBULA_SQLITE_LIST_BY_TAG
                                          : NEBULA_SQLITE_LIST_BY_CREATED;
  g_autoptr (NebulaHeader) last = NULL;
  g_autoptr (GError) failure = NULL;
  NebulaSqliteConnection *reader = NULL;
  sqlite3_stmt *statement = NULL;

  if (match && !*match)
    return g_steal_pointer (&headers);
  if (query->after && id == NEBULA_SQLITE_LIST_BY_CREATED)
    last = nebula_store_read_header (NEBULA_STORE (self), query->after, &failure);
  if (failure) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  statement = _nebula_sqlite_begin_read (self, id, &reader, error);
  if (!statement)
    return NULL;
  if (match)
    _nebula_sqlite_bind_text (statement, 1, match);
  else if (query->tag)
    _nebula_sqlite_bind_text (statement, 1, query->tag);
  else
    sqlite3_bind_int64 (statement, 1, last ? last->created_usec : G_MAXINT64);
  _nebula_sqlite_bind_text (statement, 2, query->after ? query->after : NEBULA_SQLITE_LAST_ID);
  bind_filter (statement, query);
  if (match)
    _nebula_sqlite_bind_text (statement, 11, query->tag);

  return _nebula_sqlite_end_read (self, reader, statement,
                                  _nebula_sqlite_collect_headers (statement, headers), error)
             ? g_steal_pointer (&headers)
             : NULL;
}

int
_nebula_sqlite_write_text (NebulaSqliteConnection *writer, const NebulaUnit *unit)
{
  sqlite3_stmt *statement = NULL;
  int code = SQLITE_OK;

  if (!unit->text || unit->n_facts == 0)
    return SQLITE_OK;
  code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_PUT_TEXT, &statement);
  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 1, writer->next_segment - 1); /* the segment of this unit */
  code = _nebula_sqlite_bind_text (statement, 2, unit->text);

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

int
_nebula_sqlite_write_tags (NebulaSqliteConnection *writer, const NebulaUnit *unit)
{
  GStrv tags = unit->header ? unit->header->tags : NULL;
  sqlite3_stmt *statement = NULL;
  int code = SQLITE_OK;

  if (!tags || unit->expected_sequence != 0)
    return SQLITE_OK;
  for (guint i = 0; tags[i] && code == SQLITE_OK; i++) {
    code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_PUT_TAG, &statement);
    if (code != SQLITE_OK)
      return code;
    code |= _nebula_sqlite_bind_text (statement, 1, tags[i]);
    code |= _nebula_sqlite_bind_text (statement, 2, unit->stream);
    code = code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
  }

  return code;
}
