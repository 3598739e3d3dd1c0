/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib/gi18n-lib.h>

#include "nebula-memory-store.h"

#include "nebula-error.h"
#include "nebula-memory-blobs-private.h"
#include "nebula-store-private.h"
#include "nebula-sync-internal.h"

/**
 * NebulaMemoryStore:
 *
 * A store that keeps everything in memory and nothing beyond the process: for tests and runs that may be lost.
 *
 * Thread: any, locked.
 */
struct _NebulaMemoryStore
{
  GObject parent_instance;

  GMutex lock;            /* guards all below */
  GHashTable *streams;    /* name → Stream */
  GHashTable *letters;    /* message id → Letter; those that are used up stay, so that a repetition is known */
  GHashTable *inboxes;    /* stream → GQueue of Letter, owned by letters */
  GHashTable *collections; /* name → GTree of key → Document */
  guint64 n_letters;
  GArray *log;            /* LogPlace: all segments, in the order of commits */
  NebulaMemoryBlobs *blobs; /* has a lock of its own */
};

typedef struct
{
  NebulaHeader *header;
  GPtrArray *segments;
  GBytes *checkpoint;
  guint64 checkpoint_sequence;
} Stream;

typedef struct
{
  Stream *stream;
  guint index; /* in its segments */
} LogPlace;

typedef struct
{
  char *id;
  NebulaMessage *message; /* NULL once used up */
  guint64 number;
} Letter;

typedef struct
{
  GBytes *value; /* NULL: removed */
  gint64 revision;
} Document;

static void nebula_memory_store_iface_init (NebulaStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaMemoryStore,
                               nebula_memory_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_STORE,
                                                      nebula_memory_store_iface_init))

static void
stream_free (Stream *self)
{
  g_clear_pointer (&self->header, nebula_header_free);
  g_clear_pointer (&self->segments, g_ptr_array_unref);
  g_clear_pointer (&self->checkpoint, g_bytes_unref);
  g_free (self);
}

static void
letter_free (Letter *self)
{
  g_free (self->id);
  g_clear_pointer (&self->message, nebula_message_free);
  g_free (self);
}

static void
document_free (Document *self)
{
  g_clear_pointer (&self->value, g_bytes_unref);
  g_free (self);
}

static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

static NebulaSegment *
find_segment (Stream *stream, guint64 first)
{
  guint low = 0;
  guint high = stream->segments->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    NebulaSegment *segment = g_ptr_array_index (stream->segments, middle);

    if (segment->first == first)
      return segment;
    if (segment->first < first)
      low = middle + 1;
    else
      high = middle;
  }

  return NULL;
}

static gboolean
is_committed (Stream *stream, const NebulaUnit *unit)
{
  NebulaSegment *segment = NULL;

  if (!stream || unit->n_facts == 0)
    return FALSE;

  segment = find_segment (stream, unit->expected_sequence + 1);

  return segment && segment->last == _nebula_unit_get_last (unit) &&
         g_bytes_equal (segment->facts, unit->facts);
}

static gboolean
is_current (Stream *stream, const NebulaUnit *unit)
{
  guint64 sequence = stream ? stream->header->sequence : 0;
  guint64 epoch = stream ? stream->header->epoch : 0;

  if (sequence != unit->expected_sequence)
    return FALSE;
  if (!unit->header)
    return stream != NULL;

  return unit->header->epoch >= epoch;
}

static Document *
find_document (NebulaMemoryStore *self, const char *collection, const char *key)
{
  GTree *tree = g_hash_table_lookup (self->collections, collection);

  return tree ? g_tree_lookup (tree, key) : NULL;
}

static gboolean
documents_are_current (NebulaMemoryStore *self, const NebulaUnit *unit)
{
  for (guint i = 0; unit->documents && i < unit->documents->len; i++) {
    NebulaDocumentWrite *write = g_ptr_array_index (unit->documents, i);
    Document *document = find_document (self, write->collection, write->key);
    gboolean exists = document && document->value;

    if (write->expected_revision == -1 && exists)
      return FALSE;
    if (write->expected_revision > 0 &&
        (!exists || document->revision != write->expected_revision))
      return FALSE;
  }

  return TRUE;
}

/* The tags stay as they were first. */
static void
replace_header (Stream *stream, const NebulaHeader *header, guint64 last)
{
  NebulaHeader *old = stream->header;

  stream->header = nebula_header_copy (header);
  stream->header->sequence = last;
  if (!old)
    return;
  g_clear_pointer (&stream->header->tags, g_strfreev);
  stream->header->tags = g_steal_pointer (&old->tags);
  nebula_header_free (old);
}

static void
write_header (NebulaMemoryStore *self, const NebulaUnit *unit)
{
  Stream *stream = g_hash_table_lookup (self->streams, unit->stream);
  guint64 last = _nebula_unit_get_last (unit);

  if (!stream) {
    stream = g_new0 (Stream, 1);
    stream->segments = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_segment_free);
    g_hash_table_insert (self->streams, g_strdup (unit->stream), stream);
  }

  if (unit->header)
    replace_header (stream, unit->header, last);
  if (unit->n_facts > 0) {
    LogPlace place = { stream, stream->segments->len };

    g_ptr_array_add (stream->segments,
                     nebula_segment_new (unit->expected_sequence + 1, last, unit->facts));
    g_array_append_val (self->log, place);
  }

  if (unit->checkpoint) {
    g_clear_pointer (&stream->checkpoint, g_bytes_unref);
    stream->checkpoint = g_bytes_ref (unit->checkpoint);
    stream->checkpoint_sequence = last;
    stream->header->checkpoint = last;
  }
}

static void
write_message (NebulaMemoryStore *self, const NebulaMessage *message)
{
  Letter *letter = NULL;
  GQueue *inbox = NULL;

  if (g_hash_table_contains (self->letters, message->id))
    return;

  letter = g_new0 (Letter, 1);
  letter->id = g_strdup (message->id);
  letter->number = ++self->n_letters;
  letter->message = nebula_message_new (
      message->id, message->stream, message->payload, message->created_usec);
  g_hash_table_insert (self->letters, letter->id, letter);

  inbox = g_hash_table_lookup (self->inboxes, message->stream);
  if (!inbox) {
    inbox = g_queue_new ();
    g_hash_table_insert (self->inboxes, g_strdup (message->stream), inbox);
  }
  g_queue_push_tail (inbox, letter);
}

static void
consume_message (NebulaMemoryStore *self, const char *stream, const char *id)
{
  Letter *letter = g_hash_table_lookup (self->letters, id);
  GQueue *inbox = g_hash_table_lookup (self->inboxes, stream);

  if (!letter || !letter->message || !g_str_equal (letter->message->stream, stream))
    return;

  g_queue_remove (inbox, letter);
  if (g_queue_is_empty (inbox))
    g_hash_table_remove (self->inboxes, stream);
  g_clear_pointer (&letter->message, nebula_message_free);
}

static void
write_document (NebulaMemoryStore *self, const NebulaDocumentWrite *write)
{
  GTree *tree = g_hash_table_lookup (self->collections, write->collection);
  Document *document = NULL;

  if (!tree) {
    tree = g_tree_new_full (compare_keys, NULL, g_free, (GDestroyNotify) document_free);
    g_hash_table_insert (self->collections, g_strdup (write->collection), tree);
  }

  document = g_tree_lookup (tree, write->key);
  if (!document) {
    if (!write->value)
      return;
    document = g_new0 (Document, 1);
    g_tree_insert (tree, g_strdup (write->key), document);
  }

  if (!write->value && !document->value)
    return;
  g_clear_pointer (&document->value, g_bytes_unref);
  document->value = write->value ? g_bytes_ref (write->value) : NULL;
  document->revision++;
}

static NebulaOutcome
commit_unit (NebulaMemoryStore *self, const NebulaUnit *unit)
{
  Stream *stream = g_hash_table_lookup (self->streams, unit->stream);

  if (!_nebula_unit_is_sound (unit))
    return NEBULA_OUTCOME_FAILED;
  if (is_committed (stream, unit))
    return NEBULA_OUTCOME_COMMITTED;
  if (_nebula_unit_has_precondition (unit) && !is_current (stream, unit))
    return NEBULA_OUTCOME_REFUSED_STALE;
  if (!documents_are_current (self, unit))
    return NEBULA_OUTCOME_REFUSED_REVISION;

  if (_nebula_unit_has_precondition (unit))
    write_header (self, unit);
  for (guint i = 0; unit->messages && i < unit->messages->len; i++)
    write_message (self, g_ptr_array_index (unit->messages, i));
  for (guint i = 0; unit->consumed && i < unit->consumed->len; i++)
    consume_message (self, unit->stream, g_ptr_array_index (unit->consumed, i));
  for (guint i = 0; unit->documents && i < unit->documents->len; i++)
    write_document (self, g_ptr_array_index (unit->documents, i));
  _nebula_memory_blobs_apply (self->blobs, unit);

  return NEBULA_OUTCOME_COMMITTED;
}

static gboolean
nebula_memory_store_commit (NebulaStore *store,
                            NebulaUnit **units,
                            guint n_units,
                            gboolean sync,
                            NebulaOutcome *ret_outcomes,
                            GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  for (guint i = 0; i < n_units; i++)
    ret_outcomes[i] = commit_unit (self, units[i]);

  return TRUE;
}

static gboolean
nebula_memory_store_sync (NebulaStore *store, GError **error)
{
  return TRUE;
}

static NebulaHeader *
nebula_memory_store_read_header (NebulaStore *store, const char *name, GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Stream *stream = g_hash_table_lookup (self->streams, name);

  return stream ? nebula_header_copy (stream->header) : NULL;
}

static gint
compare_newest (gconstpointer a, gconstpointer b)
{
  const NebulaHeader *left = *(NebulaHeader *const *) a;
  const NebulaHeader *right = *(NebulaHeader *const *) b;

  return strcmp (right->stream, left->stream);
}

static gint
compare_wake (gconstpointer a, gconstpointer b)
{
  const NebulaHeader *left = *(NebulaHeader *const *) a;
  const NebulaHeader *right = *(NebulaHeader *const *) b;

  if (left->wake_usec != right->wake_usec)
    return left->wake_usec < right->wake_usec ? -1 : 1;

  return strcmp (left->stream, right->stream);
}

static gboolean
header_matches (const NebulaHeader *header, const NebulaHeaderQuery *query)
{
  if (header->kind != query->kind)
    return FALSE;
  if (!_nebula_header_query_matches_status (query, header->status))
    return FALSE;
  if (query->workflow && g_strcmp0 (query->workflow, header->workflow) != 0)
    return FALSE;
  if (query->tenant && g_strcmp0 (query->tenant, header->tenant) != 0)
    return FALSE;
  if (query->tag &&
      !(header->tags && g_strv_contains ((const char *const *) header->tags, query->tag)))
    return FALSE;
  if ((query->created_from_usec != 0 && header->created_usec < query->created_from_usec) ||
      (query->created_before_usec != 0 && header->created_usec >= query->created_before_usec))
    return FALSE;
  if (query->wake_before_usec != 0 || query->by_wake)
    return header->wake_usec != 0 && header->wake_usec < query->wake_before_usec;

  return TRUE;
}

static gboolean
header_is_after (const NebulaHeader *header,
                 const NebulaHeaderQuery *query,
                 const NebulaHeader *last)
{
  if (!query->after)
    return TRUE;
  if (!query->by_wake)
    return strcmp (header->stream, query->after) < 0;

  return !last || compare_wake (&header, &last) > 0;
}

static GPtrArray *
nebula_memory_store_list_headers (NebulaStore *store,
                                  const NebulaHeaderQuery *query,
                                  GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  guint limit = query->limit ? query->limit : NEBULA_HEADER_QUERY_LIMIT;
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autoptr (GPtrArray) headers = NULL;
  Stream *last = query->after ? g_hash_table_lookup (self->streams, query->after) : NULL;
  Stream *stream = NULL;
  GHashTableIter iter;

  if (query->text) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                         _ ("This kind of store cannot search in texts. Use a store in a file."));
    return NULL;
  }
  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &stream))
    if (header_matches (stream->header, query) &&
        header_is_after (stream->header, query, last ? last->header : NULL))
      g_ptr_array_add (found, stream->header);

  g_ptr_array_sort (found, query->by_wake ? compare_wake : compare_newest);

  headers = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_header_free);
  for (guint i = 0; i < found->len && i < limit; i++)
    g_ptr_array_add (headers, nebula_header_copy (g_ptr_array_index (found, i)));

  return g_steal_pointer (&headers);
}

static GPtrArray *
nebula_memory_store_read_segments (
    NebulaStore *store, const char *name, guint64 after, guint limit, GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Stream *stream = g_hash_table_lookup (self->streams, name);
  g_autoptr (GPtrArray) segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_segment_free);

  for (guint i = 0; stream && i < stream->segments->len; i++) {
    NebulaSegment *segment = g_ptr_array_index (stream->segments, i);

    if (segment->first <= after)
      continue;
    if (limit != 0 && segments->len == limit)
      break;
    g_ptr_array_add (segments,
                     nebula_segment_new (segment->first, segment->last, segment->facts));
  }

  return g_steal_pointer (&segments);
}

static GPtrArray *
nebula_memory_store_read_log (
    NebulaStore *store, guint64 after, const char *name, guint limit, GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_log_entry_free);

  for (guint64 i = after; i < self->log->len && entries->len < limit; i++) {
    LogPlace *place = &g_array_index (self->log, LogPlace, i);
    NebulaSegment *segment = g_ptr_array_index (place->stream->segments, place->index);

    if (name && !g_str_equal (place->stream->header->stream, name))
      continue;
    g_ptr_array_add (entries,
                     nebula_log_entry_new (i + 1, place->stream->header->stream,
                                           nebula_segment_new (segment->first, segment->last,
                                                               segment->facts)));
  }

  return g_steal_pointer (&entries);
}

static GBytes *
nebula_memory_store_read_checkpoint (NebulaStore *store,
                                     const char *name,
                                     guint64 *ret_sequence,
                                     GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Stream *stream = g_hash_table_lookup (self->streams, name);

  if (!stream || !stream->checkpoint)
    return NULL;

  *ret_sequence = stream->checkpoint_sequence;

  return g_bytes_ref (stream->checkpoint);
}

static gint
compare_letters (gconstpointer a, gconstpointer b)
{
  const Letter *left = *(Letter *const *) a;
  const Letter *right = *(Letter *const *) b;

  return left->number < right->number ? -1 : left->number > right->number;
}

static void
collect_letters (GPtrArray *letters, GQueue *inbox)
{
  for (GList *link = inbox->head; link; link = link->next)
    g_ptr_array_add (letters, link->data);
}

static GPtrArray *
nebula_memory_store_read_inbox (NebulaStore *store, const char *name, guint limit, GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  g_autoptr (GPtrArray) letters = g_ptr_array_new ();
  g_autoptr (GPtrArray) messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_message_free);
  GQueue *inbox = name ? g_hash_table_lookup (self->inboxes, name) : NULL;
  GHashTableIter iter;

  if (inbox)
    collect_letters (letters, inbox);
  g_hash_table_iter_init (&iter, self->inboxes);
  while (!name && g_hash_table_iter_next (&iter, NULL, (gpointer *) &inbox))
    collect_letters (letters, inbox);
  g_ptr_array_sort (letters, compare_letters);

  for (guint i = 0; i < letters->len && (limit == 0 || i < limit); i++) {
    NebulaMessage *message = ((Letter *) g_ptr_array_index (letters, i))->message;

    g_ptr_array_add (messages,
                     nebula_message_new (message->id, message->stream, message->payload,
                                         message->created_usec));
  }

  return g_steal_pointer (&messages);
}

static GBytes *
nebula_memory_store_read_document (NebulaStore *store,
                                   const char *collection,
                                   const char *key,
                                   gint64 *ret_revision,
                                   GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Document *document = find_document (self, collection, key);

  if (!document || !document->value)
    return NULL;

  *ret_revision = document->revision;

  return g_bytes_ref (document->value);
}

static GStrv
nebula_memory_store_list_documents (
    NebulaStore *store, const char *collection, const char *after, guint limit, GError **error)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->lock);
  GTree *tree = g_hash_table_lookup (self->collections, collection);
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();
  GTreeNode *node = NULL;
  guint count = 0;

  if (tree)
    node = after ? g_tree_upper_bound (tree, after) : g_tree_node_first (tree);

  for (; node && (limit == 0 || count < limit); node = g_tree_node_next (node)) {
    if (!((Document *) g_tree_node_value (node))->value)
      continue;
    g_strv_builder_add (keys, g_tree_node_key (node));
    count++;
  }

  return g_strv_builder_end (keys);
}

static gboolean
nebula_memory_store_get_is_durable (NebulaStore *store)
{
  return FALSE;
}

static GBytes *
nebula_memory_store_read_blob (NebulaStore *store, const char *digest, GError **error)
{
  return _nebula_memory_blobs_read (NEBULA_MEMORY_STORE (store)->blobs, digest);
}

static GInputStream *
nebula_memory_store_open_blob (NebulaStore *store, const char *digest, guint64 *ret_size, GError **error)
{
  g_autoptr (GBytes) bytes = nebula_memory_store_read_blob (store, digest, error);

  if (!bytes)
    return NULL;

  *ret_size = g_bytes_get_size (bytes);

  return g_memory_input_stream_new_from_bytes (bytes);
}

static NebulaBlobWriter *
nebula_memory_store_create_blob (NebulaStore *store, GError **error)
{
  return _nebula_memory_blobs_create (NEBULA_MEMORY_STORE (store)->blobs);
}

static gint64
nebula_memory_store_collect_blobs (NebulaStore *store, gint64 before_usec, GError **error)
{
  return _nebula_memory_blobs_collect (NEBULA_MEMORY_STORE (store)->blobs, before_usec);
}

static void
nebula_memory_store_finalize (GObject *object)
{
  NebulaMemoryStore *self = NEBULA_MEMORY_STORE (object);

  g_array_unref (self->log);
  g_hash_table_unref (self->inboxes);
  g_hash_table_unref (self->letters);
  g_hash_table_unref (self->streams);
  g_hash_table_unref (self->collections);
  _nebula_memory_blobs_unref (self->blobs);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (nebula_memory_store_parent_class)->finalize (object);
}

static void
nebula_memory_store_class_init (NebulaMemoryStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_memory_store_finalize;
}

static void
nebula_memory_store_iface_init (NebulaStoreInterface *iface)
{
  iface->commit = nebula_memory_store_commit;
  iface->sync = nebula_memory_store_sync;
  iface->read_header = nebula_memory_store_read_header;
  iface->list_headers = nebula_memory_store_list_headers;
  iface->read_segments = nebula_memory_store_read_segments;
  iface->read_checkpoint = nebula_memory_store_read_checkpoint;
  iface->read_inbox = nebula_memory_store_read_inbox;
  iface->read_document = nebula_memory_store_read_document;
  iface->list_documents = nebula_memory_store_list_documents;
  iface->get_is_durable = nebula_memory_store_get_is_durable;
  iface->read_blob = nebula_memory_store_read_blob;
  iface->open_blob = nebula_memory_store_open_blob;
  iface->create_blob = nebula_memory_store_create_blob;
  iface->read_log = nebula_memory_store_read_log;
  iface->collect_blobs = nebula_memory_store_collect_blobs;
}

static void
nebula_memory_store_init (NebulaMemoryStore *self)
{
  g_mutex_init (&self->lock);
  self->blobs = _nebula_memory_blobs_new ();
  self->log = g_array_new (FALSE, FALSE, sizeof (LogPlace));
  self->streams =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) stream_free);
  self->letters =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) letter_free);
  self->inboxes =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_queue_free);
  self->collections =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_tree_unref);
}

/**
 * nebula_memory_store_new:
 *
 * Makes an empty store in memory.
 *
 * Returns: (transfer full): a store
 *
 * Since: 1.0
 */
NebulaStore *
nebula_memory_store_new (void)
{
  return g_object_new (NEBULA_TYPE_MEMORY_STORE, NULL);
}
