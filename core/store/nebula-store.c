/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nebula-store.h"

/**
 * NebulaStore:
 *
 * Where streams, inboxes and documents are kept.
 *
 * Thread: commit and sync one at a time; reads from any.
 */

G_DEFINE_INTERFACE (NebulaStore, nebula_store, G_TYPE_OBJECT)

static const char *const status_names[] = {
  "created",   "running", "suspended", "paused",    "cancelling",
  "completed", "failed",  "cancelled", "timed-out",
};

G_STATIC_ASSERT (G_N_ELEMENTS (status_names) == NEBULA_EXECUTION_STATUS_TIMED_OUT + 1);

static void
nebula_store_default_init (NebulaStoreInterface *iface)
{
}

static GBytes *
ref_bytes (GBytes *bytes)
{
  return bytes ? g_bytes_ref (bytes) : NULL;
}

/**
 * nebula_execution_status_to_string:
 * @status: a status
 *
 * The stable word for @status, such as `timed-out`.
 *
 * Returns: (transfer none): a static string
 *
 * Since: 1.0
 */
const char *
nebula_execution_status_to_string (NebulaExecutionStatus status)
{
  g_return_val_if_fail ((guint) status < G_N_ELEMENTS (status_names), "unknown");

  return status_names[status];
}

/**
 * nebula_execution_status_from_string:
 * @text: a word, such as `running`
 * @ret_status: (out): the status it names; untouched if it names none
 *
 * Finds the status that @text names.
 *
 * Returns: whether there is such a status
 *
 * Since: 1.0
 */
gboolean
nebula_execution_status_from_string (const char *text, NebulaExecutionStatus *ret_status)
{
  g_return_val_if_fail (text != NULL, FALSE);
  g_return_val_if_fail (ret_status != NULL, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (status_names); i++)
    if (g_str_equal (text, status_names[i])) {
      *ret_status = (NebulaExecutionStatus) i;
      return TRUE;
    }

  return FALSE;
}

/**
 * nebula_execution_status_is_terminal:
 * @status: a status
 *
 * Whether an execution with @status has ended and never changes again.
 *
 * Returns: %TRUE for completed, failed, cancelled and timed out
 *
 * Since: 1.0
 */
gboolean
nebula_execution_status_is_terminal (NebulaExecutionStatus status)
{
  return status >= NEBULA_EXECUTION_STATUS_COMPLETED;
}

/**
 * nebula_header_new: (skip)
 * @stream: name of the stream
 *
 * Makes a header with all other members zero.
 *
 * Returns: (transfer full): free with nebula_header_free()
 *
 * Since: 1.0
 */
NebulaHeader *
nebula_header_new (const char *stream)
{
  NebulaHeader *self = NULL;

  g_return_val_if_fail (stream != NULL, NULL);

  self = g_new0 (NebulaHeader, 1);
  self->stream = g_strdup (stream);

  return self;
}

/**
 * nebula_header_copy: (skip)
 * @self: a header
 *
 * Copies @self with all its strings.
 *
 * Returns: (transfer full): free with nebula_header_free()
 *
 * Since: 1.0
 */
NebulaHeader *
nebula_header_copy (const NebulaHeader *self)
{
  NebulaHeader *copy = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_new (NebulaHeader, 1);
  *copy = *self;
  copy->stream = g_strdup (self->stream);
  copy->tenant = g_strdup (self->tenant);
  copy->workflow = g_strdup (self->workflow);
  copy->revision = g_strdup (self->revision);
  copy->key = g_strdup (self->key);
  copy->tags = g_strdupv (self->tags);

  return copy;
}

/**
 * nebula_header_free: (skip)
 * @self: (transfer full): a header
 *
 * Frees @self.
 *
 * Since: 1.0
 */
void
nebula_header_free (NebulaHeader *self)
{
  g_free (self->stream);
  g_free (self->tenant);
  g_free (self->workflow);
  g_free (self->revision);
  g_free (self->key);
  g_strfreev (self->tags);
  g_free (self);
}

/**
 * nebula_message_new: (skip)
 * @id: what tells it from all other messages of the store
 * @stream: whose inbox it goes to
 * @payload: (nullable): its content
 * @created_usec: real time when it was made
 *
 * Makes a message.
 *
 * Returns: (transfer full): free with nebula_message_free()
 *
 * Since: 1.0
 */
NebulaMessage *
nebula_message_new (const char *id, const char *stream, GBytes *payload, gint64 created_usec)
{
  NebulaMessage *self = NULL;

  g_return_val_if_fail (id != NULL, NULL);
  g_return_val_if_fail (stream != NULL, NULL);

  self = g_new0 (NebulaMessage, 1);
  self->id = g_strdup (id);
  self->stream = g_strdup (stream);
  self->payload = payload ? g_bytes_ref (payload) : g_bytes_new (NULL, 0);
  self->created_usec = created_usec;

  return self;
}

/**
 * nebula_message_free: (skip)
 * @self: (transfer full): a message
 *
 * Frees @self.
 *
 * Since: 1.0
 */
void
nebula_message_free (NebulaMessage *self)
{
  g_free (self->id);
  g_free (self->stream);
  g_bytes_unref (self->payload);
  g_free (self);
}

static void
document_write_free (NebulaDocumentWrite *self)
{
  g_free (self->collection);
  g_free (self->key);
  g_clear_pointer (&self->value, g_bytes_unref);
  g_free (self);
}

/**
 * nebula_unit_new: (skip)
 * @stream: the stream that it changes
 * @expected_sequence: number of the stream's last fact before it
 *
 * Makes a unit that changes nothing yet.
 *
 * Returns: (transfer full): free with nebula_unit_free()
 *
 * Since: 1.0
 */
NebulaUnit *
nebula_unit_new (const char *stream, guint64 expected_sequence)
{
  NebulaUnit *self = NULL;

  g_return_val_if_fail (stream != NULL, NULL);

  self = g_new0 (NebulaUnit, 1);
  self->stream = g_strdup (stream);
  self->expected_sequence = expected_sequence;

  return self;
}

/**
 * nebula_unit_free: (skip)
 * @self: (transfer full): a unit
 *
 * Frees @self and all that it holds.
 *
 * Since: 1.0
 */
void
nebula_unit_free (NebulaUnit *self)
{
  g_free (self->stream);
  g_clear_pointer (&self->facts, g_bytes_unref);
  g_clear_pointer (&self->checkpoint, g_bytes_unref);
  g_clear_pointer (&self->header, nebula_header_free);
  g_clear_pointer (&self->messages, g_ptr_array_unref);
  g_clear_pointer (&self->consumed, g_ptr_array_unref);
  g_clear_pointer (&self->documents, g_ptr_array_unref);
  g_clear_pointer (&self->blobs, g_ptr_array_unref);
  g_clear_pointer (&self->blob_uses, g_ptr_array_unref);
  g_free (self->text);
  g_free (self);
}

/**
 * nebula_unit_add_message: (skip)
 * @self: a unit
 * @id: what tells the message from all others of the store
 * @stream: whose inbox it goes to
 * @payload: (nullable): its content
 * @created_usec: real time when it was made
 *
 * Lets @self insert a message. A message whose id the store knows already, used up or not, is dropped in silence.
 *
 * Since: 1.0
 */
void
nebula_unit_add_message (
    NebulaUnit *self, const char *id, const char *stream, GBytes *payload, gint64 created_usec)
{
  g_return_if_fail (self != NULL);

  if (!self->messages)
    self->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_message_free);
  g_ptr_array_add (self->messages, nebula_message_new (id, stream, payload, created_usec));
}

/**
 * nebula_unit_add_consumed: (skip)
 * @self: a unit
 * @id: a message in the inbox of the unit's stream
 *
 * Lets @self use up a message. One that is used up already, or never came, is passed over.
 *
 * Since: 1.0
 */
void
nebula_unit_add_consumed (NebulaUnit *self, const char *id)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (id != NULL);

  if (!self->consumed)
    self->consumed = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->consumed, g_strdup (id));
}

/**
 * nebula_unit_add_document: (skip)
 * @self: a unit
 * @collection: where the document is kept
 * @key: its name there
 * @value: (nullable): its content; %NULL removes it
 * @expected_revision: its revision now; 0: any, -1: there must be none
 *
 * Lets @self write or remove a document. The first revision is 1, each write and removal adds 1; a document that is
 * written again after its removal goes on counting, so that a revision never names two contents.
 *
 * Since: 1.0
 */
void
nebula_unit_add_document (NebulaUnit *self,
                          const char *collection,
                          const char *key,
                          GBytes *value,
                          gint64 expected_revision)
{
  NebulaDocumentWrite *write = NULL;

  g_return_if_fail (self != NULL);
  g_return_if_fail (collection != NULL);
  g_return_if_fail (key != NULL && key[0] != '\0');
  g_return_if_fail (expected_revision >= -1);

  write = g_new0 (NebulaDocumentWrite, 1);
  write->collection = g_strdup (collection);
  write->key = g_strdup (key);
  write->value = ref_bytes (value);
  write->expected_revision = expected_revision;

  if (!self->documents)
    self->documents = g_ptr_array_new_with_free_func ((GDestroyNotify) document_write_free);
  g_ptr_array_add (self->documents, write);
}

/**
 * nebula_segment_new: (skip)
 * @first: number of its first fact
 * @last: number of its last fact
 * @facts: the facts, encoded
 *
 * Makes a segment.
 *
 * Returns: (transfer full): free with nebula_segment_free()
 *
 * Since: 1.0
 */
NebulaSegment *
nebula_segment_new (guint64 first, guint64 last, GBytes *facts)
{
  NebulaSegment *self = NULL;

  g_return_val_if_fail (facts != NULL, NULL);

  self = g_new0 (NebulaSegment, 1);
  self->first = first;
  self->last = last;
  self->facts = g_bytes_ref (facts);

  return self;
}

/**
 * nebula_segment_free: (skip)
 * @self: (transfer full): a segment
 *
 * Frees @self.
 *
 * Since: 1.0
 */
void
nebula_segment_free (NebulaSegment *self)
{
  g_bytes_unref (self->facts);
  g_free (self);
}

/**
 * nebula_store_commit: (skip)
 * @self: a store
 * @units: (array length=n_units): changes, in order
 * @n_units: how many; 0 lets the store do its housekeeping, for the writer's idle moments
 * @sync: whether they must survive a power cut when this returns
 * @ret_outcomes: (array length=n_units): what became of each; always set
 * @error: why the store as a whole failed
 *
 * Writes each unit that its own preconditions allow. Units share a sync, not a fate: one that is refused writes
 * nothing and does not disturb the others. A unit that is there already (same stream, first sequence and facts) answers
 * committed.
 *
 * Errors: %NEBULA_ERROR_STORE_BUSY (retry), %NEBULA_ERROR_STORE_FULL (retry), %NEBULA_ERROR_STORE_SEALED (terminal),
 * %NEBULA_ERROR_STORE_CORRUPT (terminal), %NEBULA_ERROR_STORE.
 *
 * Thread: one at a time.
 *
 * Returns: %FALSE with @error if the store failed; then the outcomes are failed or, where nobody can tell, unknown
 *
 * Since: 1.0
 */
gboolean
nebula_store_commit (NebulaStore *self,
                     NebulaUnit **units,
                     guint n_units,
                     gboolean sync,
                     NebulaOutcome *ret_outcomes,
                     GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), FALSE);
  g_return_val_if_fail (n_units == 0 || (units != NULL && ret_outcomes != NULL), FALSE);

  return NEBULA_STORE_GET_IFACE (self)->commit (self, units, n_units, sync, ret_outcomes, error);
}

/**
 * nebula_store_sync: (skip)
 * @self: a store
 * @error: why it failed
 *
 * Makes all that was committed survive a power cut.
 *
 * Errors: as nebula_store_commit().
 *
 * Thread: that of nebula_store_commit().
 *
 * Returns: whether it did
 *
 * Since: 1.0
 */
gboolean
nebula_store_sync (NebulaStore *self, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), FALSE);

  return NEBULA_STORE_GET_IFACE (self)->sync (self, error);
}

/**
 * nebula_store_read_header: (skip)
 * @self: a store
 * @stream: a stream
 * @error: why it failed
 *
 * Reads the header of @stream.
 *
 * Errors: %NEBULA_ERROR_STORE_BUSY (retry), %NEBULA_ERROR_STORE_CORRUPT (terminal), %NEBULA_ERROR_STORE.
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer full) (nullable): the header; %NULL without @error if there is no such stream
 *
 * Since: 1.0
 */
NebulaHeader *
nebula_store_read_header (NebulaStore *self, const char *stream, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (stream != NULL, NULL);

  return NEBULA_STORE_GET_IFACE (self)->read_header (self, stream, error);
}

/**
 * nebula_store_list_headers: (skip)
 * @self: a store
 * @query: which, and in what order
 * @error: why it failed
 *
 * Lists headers, one page at a time: the next page has the last row's stream as its `after`. With limits of when they
 * began the order is that of their beginning.
 *
 * A text needs nebula_store_has_full_text(): else %NEBULA_ERROR_UNSUPPORTED (terminal).
 *
 * Errors: as nebula_store_read_header().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer container) (element-type NebulaHeader): the headers
 *
 * Since: 1.0
 */
GPtrArray *
nebula_store_list_headers (NebulaStore *self, const NebulaHeaderQuery *query, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (query != NULL, NULL);

  return NEBULA_STORE_GET_IFACE (self)->list_headers (self, query, error);
}

/**
 * nebula_store_read_segments: (skip)
 * @self: a store
 * @stream: a stream
 * @after: only segments whose first fact has a greater number
 * @limit: greatest number of segments; 0: all
 * @error: why it failed
 *
 * Reads the facts of @stream in order.
 *
 * Errors: as nebula_store_read_header().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer container) (element-type NebulaSegment): the segments
 *
 * Since: 1.0
 */
GPtrArray *
nebula_store_read_segments (
    NebulaStore *self, const char *stream, guint64 after, guint limit, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (stream != NULL, NULL);

  return NEBULA_STORE_GET_IFACE (self)->read_segments (self, stream, after, limit, error);
}

/**
 * nebula_store_read_checkpoint: (skip)
 * @self: a store
 * @stream: a stream
 * @ret_sequence: (out): number of the last fact that the checkpoint holds
 * @error: why it failed
 *
 * Reads the last checkpoint of @stream.
 *
 * Errors: as nebula_store_read_header().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer full) (nullable): the checkpoint; %NULL without @error if there is none
 *
 * Since: 1.0
 */
GBytes *
nebula_store_read_checkpoint (NebulaStore *self,
                              const char *stream,
                              guint64 *ret_sequence,
                              GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (stream != NULL, NULL);
  g_return_val_if_fail (ret_sequence != NULL, NULL);

  return NEBULA_STORE_GET_IFACE (self)->read_checkpoint (self, stream, ret_sequence, error);
}

/**
 * nebula_store_read_inbox: (skip)
 * @self: a store
 * @stream: (nullable): a stream; %NULL: all streams
 * @limit: greatest number of messages; 0: all
 * @error: why it failed
 *
 * Reads the messages that wait to be used up, in the order in which they were committed.
 *
 * Errors: as nebula_store_read_header().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer container) (element-type NebulaMessage): the messages
 *
 * Since: 1.0
 */
GPtrArray *
nebula_store_read_inbox (NebulaStore *self, const char *stream, guint limit, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);

  return NEBULA_STORE_GET_IFACE (self)->read_inbox (self, stream, limit, error);
}

/**
 * nebula_store_read_document: (skip)
 * @self: a store
 * @collection: where the document is kept
 * @key: its name there
 * @ret_revision: (out) (optional): its revision
 * @error: why it failed
 *
 * Reads a document.
 *
 * Errors: as nebula_store_read_header().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer full) (nullable): its content; %NULL without @error if there is none
 *
 * Since: 1.0
 */
GBytes *
nebula_store_read_document (NebulaStore *self,
                            const char *collection,
                            const char *key,
                            gint64 *ret_revision,
                            GError **error)
{
  gint64 revision = 0;
  g_autoptr (GBytes) value = NULL;

  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (collection != NULL, NULL);
  g_return_val_if_fail (key != NULL, NULL);

  value = NEBULA_STORE_GET_IFACE (self)->read_document (self, collection, key, &revision, error);
  if (value && ret_revision)
    *ret_revision = revision;

  return g_steal_pointer (&value);
}

/**
 * nebula_store_list_documents: (skip)
 * @self: a store
 * @collection: a collection
 * @after: (nullable): only keys that sort behind it
 * @limit: greatest number of keys; 0: all
 * @error: why it failed
 *
 * Lists the keys of @collection in the order of their bytes.
 *
 * Errors: as nebula_store_read_header().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer full): the keys
 *
 * Since: 1.0
 */
GStrv
nebula_store_list_documents (
    NebulaStore *self, const char *collection, const char *after, guint limit, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (collection != NULL, NULL);

  return NEBULA_STORE_GET_IFACE (self)->list_documents (self, collection, after, limit, error);
}

/**
 * nebula_store_get_is_durable: (skip)
 * @self: a store
 *
 * Whether @self keeps anything beyond this process.
 *
 * Returns: %FALSE for a store in memory
 *
 * Since: 1.0
 */
gboolean
nebula_store_get_is_durable (NebulaStore *self)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), FALSE);

  return NEBULA_STORE_GET_IFACE (self)->get_is_durable (self);
}
