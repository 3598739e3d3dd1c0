/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "nebula-blob.h"
#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaStreamKind:
 * @NEBULA_STREAM_KIND_EXECUTION: facts of one execution
 * @NEBULA_STREAM_KIND_GATE: facts of one gate
 */
typedef enum
{
  NEBULA_STREAM_KIND_EXECUTION,
  NEBULA_STREAM_KIND_GATE,
} NebulaStreamKind;

/**
 * NebulaExecutionStatus:
 * @NEBULA_EXECUTION_STATUS_CREATED: known, not started
 * @NEBULA_EXECUTION_STATUS_RUNNING: has work to do
 * @NEBULA_EXECUTION_STATUS_SUSPENDED: waits for a timer, a signal or a gate
 * @NEBULA_EXECUTION_STATUS_PAUSED: somebody paused it, or recovery parked it
 * @NEBULA_EXECUTION_STATUS_CANCELLING: being cancelled
 * @NEBULA_EXECUTION_STATUS_COMPLETED: ended well
 * @NEBULA_EXECUTION_STATUS_FAILED: ended with an error
 * @NEBULA_EXECUTION_STATUS_CANCELLED: was cancelled
 * @NEBULA_EXECUTION_STATUS_TIMED_OUT: ran out of time
 *
 * The last four are terminal and never change.
 */
typedef enum
{
  NEBULA_EXECUTION_STATUS_CREATED,
  NEBULA_EXECUTION_STATUS_RUNNING,
  NEBULA_EXECUTION_STATUS_SUSPENDED,
  NEBULA_EXECUTION_STATUS_PAUSED,
  NEBULA_EXECUTION_STATUS_CANCELLING,
  NEBULA_EXECUTION_STATUS_COMPLETED,
  NEBULA_EXECUTION_STATUS_FAILED,
  NEBULA_EXECUTION_STATUS_CANCELLED,
  NEBULA_EXECUTION_STATUS_TIMED_OUT,
} NebulaExecutionStatus;

NEBULA_API const char *nebula_execution_status_to_string (NebulaExecutionStatus status);
NEBULA_API gboolean nebula_execution_status_from_string (const char *text, NebulaExecutionStatus *ret_status);
NEBULA_API gboolean nebula_execution_status_is_terminal (NebulaExecutionStatus status);

/**
 * NebulaHeader:
 *
 * What the store knows of a stream without reading its facts; written in the same unit as they are.
 */
typedef struct
{
  char *stream;
  NebulaStreamKind kind;
  char *tenant;
  guint shard;            /* 0 … 255 */
  guint64 sequence;       /* number of the last fact; the first is 1 */
  guint64 epoch;          /* of the owner; a lower one is refused */
  guint format;           /* of the facts */
  gint status;            /* NebulaExecutionStatus */
  char *workflow;         /* name */
  char *revision;         /* key of its definition */
  gint durability;
  gint priority;
  gint64 wake_usec;       /* real time of the next timer; 0: none */
  guint flags;
  guint64 checkpoint;     /* sequence that the checkpoint holds; 0: none */
  gint64 created_usec;
  gint64 updated_usec;
  guint recoveries;       /* without progress since */
  char *key;              /* concurrency or business key; may be NULL */
  GStrv tags;             /* by which it is found; of the first unit, later ones do not change them; may be NULL */
} NebulaHeader;

NEBULA_API NebulaHeader *nebula_header_new (const char *stream);
NEBULA_API NebulaHeader *nebula_header_copy (const NebulaHeader *self);
NEBULA_API void nebula_header_free (NebulaHeader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaHeader, nebula_header_free)

/**
 * NebulaMessage: (skip)
 *
 * A row of an inbox. @id is the sender's stream and sequence, or the caller's key: a second one with the same id is dropped.
 */
typedef struct
{
  char *id;
  char *stream; /* to whom */
  GBytes *payload;
  gint64 created_usec;
} NebulaMessage;

NEBULA_API NebulaMessage *nebula_message_new (const char *id, const char *stream, GBytes *payload, gint64 created_usec);
NEBULA_API void nebula_message_free (NebulaMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaMessage, nebula_message_free)

/**
 * NebulaDocumentWrite: (skip)
 *
 * A put (or, with a %NULL value, a removal) of one document. @expected_revision: 0: any, -1: must not exist.
 */
typedef struct
{
  char *collection;
  char *key;
  GBytes *value;
  gint64 expected_revision;
} NebulaDocumentWrite;

/**
 * NebulaUnit:
 *
 * One atomic change of one stream. Its name is (stream, first sequence): committing it again answers “committed”.
 * A unit without facts but with messages or documents has @n_facts 0 and checks no sequence. One without facts but with a
 * header (a new epoch, one more recovery) or a checkpoint checks sequence and epoch and leaves the sequence as it is.
 *
 * Thread: its holder's; handed over to the journal when submitted.
 */
typedef struct
{
  char *stream;
  guint64 expected_sequence; /* last sequence before this unit; 0: the stream must be new */
  guint64 n_facts;
  GBytes *facts;             /* encoded; NULL if n_facts is 0 */
  GBytes *checkpoint;        /* may be NULL; of the state at expected_sequence + n_facts */
  NebulaHeader *header;      /* as it is after this unit; must be there if n_facts is not 0 */
  GPtrArray *messages;       /* NebulaMessage to insert; may be NULL */
  GPtrArray *consumed;       /* char *: ids of messages of this stream's inbox that this unit uses up; may be NULL */
  GPtrArray *documents;      /* NebulaDocumentWrite; may be NULL */
  GPtrArray *blobs;          /* NebulaBlob to keep for the stream; may be NULL */
  GPtrArray *blob_uses;      /* char *: digests of blobs that are there already and are kept for the stream; may be NULL */
  gboolean strict;           /* must be synced before it is answered */
  char *text;                /* words by which the stream is found, if the store has full text; may be NULL */
} NebulaUnit;

NEBULA_API NebulaUnit *nebula_unit_new (const char *stream, guint64 expected_sequence);
NEBULA_API void nebula_unit_free (NebulaUnit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaUnit, nebula_unit_free)
NEBULA_API void nebula_unit_add_blob (NebulaUnit *self, NebulaBlob *blob);
NEBULA_API void nebula_unit_add_blob_use (NebulaUnit *self, const char *digest);
NEBULA_API void nebula_unit_add_message (NebulaUnit *self, const char *id, const char *stream, GBytes *payload, gint64 created_usec);
NEBULA_API void nebula_unit_add_consumed (NebulaUnit *self, const char *id);
NEBULA_API void nebula_unit_add_document (NebulaUnit *self, const char *collection, const char *key, GBytes *value, gint64 expected_revision);

/**
 * NebulaOutcome:
 * @NEBULA_OUTCOME_COMMITTED: it is written (and synced if asked)
 * @NEBULA_OUTCOME_REFUSED_STALE: the sequence or epoch has moved on; nothing was written
 * @NEBULA_OUTCOME_REFUSED_REVISION: a document's revision or key is another; nothing was written
 * @NEBULA_OUTCOME_FAILED: nothing was written; the error says why
 * @NEBULA_OUTCOME_UNKNOWN: it may or may not be written; read the last sequence back
 *
 * What became of a unit.
 */
typedef enum
{
  NEBULA_OUTCOME_COMMITTED,
  NEBULA_OUTCOME_REFUSED_STALE,
  NEBULA_OUTCOME_REFUSED_REVISION,
  NEBULA_OUTCOME_FAILED,
  NEBULA_OUTCOME_UNKNOWN,
} NebulaOutcome;

/**
 * NebulaSegment: (skip)
 *
 * Facts of one stream that were committed together.
 */
typedef struct
{
  guint64 first;
  guint64 last;
  GBytes *facts;
} NebulaSegment;

NEBULA_API NebulaSegment *nebula_segment_new (guint64 first, guint64 last, GBytes *facts);
NEBULA_API void nebula_segment_free (NebulaSegment *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaSegment, nebula_segment_free)

/**
 * NebulaLogEntry: (skip)
 * @position: its place in the order of commits; grows, is never given twice
 * @stream: whose facts they are
 * @segment: the facts
 *
 * Facts that were committed together, as a part of all that was committed.
 */
typedef struct
{
  guint64 position;
  char *stream;
  NebulaSegment *segment;
} NebulaLogEntry;

NEBULA_API NebulaLogEntry *nebula_log_entry_new (guint64 position, const char *stream, NebulaSegment *segment);
NEBULA_API void nebula_log_entry_free (NebulaLogEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaLogEntry, nebula_log_entry_free)

/**
 * NebulaHistory: (skip)
 * @header: its header; %NULL if there is no such stream, or with @error
 * @checkpoint: its last checkpoint; %NULL if there is none that is of use
 * @checkpoint_sequence: fact that the checkpoint holds
 * @segments: (element-type NebulaSegment): its facts after the checkpoint, or all, in order
 * @error: why this stream could not be read; %NULL if it could
 *
 * A stream as it was at one moment.
 */
typedef struct
{
  NebulaHeader *header;
  GBytes *checkpoint;
  guint64 checkpoint_sequence;
  GPtrArray *segments;
  GError *error;
} NebulaHistory;

NEBULA_API NebulaHistory *nebula_history_new (void);
NEBULA_API void nebula_history_free (NebulaHistory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaHistory, nebula_history_free)

/**
 * NebulaHeaderQuery:
 *
 * Which headers to list. @kind always restricts; other members do not if they are zero or %NULL.
 */
typedef struct
{
  NebulaStreamKind kind;
  guint status_mask;       /* 1 << status, or-ed */
  const char *workflow;
  const char *tenant;
  gint64 wake_before_usec; /* only those with a timer due before this real time */
  gboolean by_wake;        /* order by wake time (needs wake_before_usec); else newest first by stream */
  const char *after;       /* stream of the last row of the page before */
  guint limit;             /* 0: 100 */
  gint64 created_from_usec;   /* only those that began at this real time or later */
  gint64 created_before_usec; /* only those that began before this real time */
  const char *text;        /* only those in whose text all these words stand; a last * stands for any rest of a word */
  const char *tag;         /* only those that have it */
} NebulaHeaderQuery;

/**
 * NebulaRetention:
 *
 * Which executions may go: those that have ended, and that all members select which are not zero or %NULL.
 */
typedef struct
{
  guint status_mask;        /* 1 << status, or-ed; of terminal ones only */
  const char *workflow;
  const char *tenant;
  gint64 ended_before_usec; /* only those that ended before this real time */
  guint keep;               /* of those selected so far, the newest ones stay */
  gboolean is_trial;        /* only counts */
} NebulaRetention;

#define NEBULA_TYPE_STORE (nebula_store_get_type ())
NEBULA_API G_DECLARE_INTERFACE (NebulaStore, nebula_store, NEBULA, STORE, GObject)

/**
 * NebulaStoreInterface:
 * @commit: writes each unit that its preconditions allow and syncs once if @sync; gives an outcome for each. FALSE with
 *   @error when the store as a whole failed (then all outcomes are set as well). Called by one thread at a time.
 * @sync: makes all that was committed durable
 * @read_header: header of a stream; %NULL without error if there is none
 * @list_headers: headers in order; element-type NebulaHeader
 * @read_segments: segments with a first sequence above @after, in order, at most @limit (0: all)
 * @read_checkpoint: the last checkpoint and its sequence; %NULL without error if there is none
 * @read_inbox: messages of one stream, or of all streams with @stream %NULL, oldest first; element-type NebulaMessage
 * @read_document: a document and its revision; %NULL without error if there is none
 * @list_documents: keys of a collection in order
 * @get_is_durable: whether it keeps anything beyond this process
 * @read_histories: for each of @streams its #NebulaHistory, read together; %NULL with @error if the store as a whole
 *   failed. May be %NULL: then they are read one by one
 * @read_blob: a blob as a whole; %NULL without error if there is none
 * @open_blob: a blob as a stream that proves its digest at the end; %NULL without error if there is none
 * @create_blob: a writer of a new blob
 * @has_full_text: whether it finds streams by their text; may be %NULL: it does not
 * @prune: removes at most @limit ended executions with all that belongs to them, the oldest first; how many, -1 with
 *   error. May be %NULL
 * @collect_blobs: removes the blobs that no stream uses and that are older than @before_usec; how many, -1 with error
 * @read_log: at most @limit segments that were committed after a position, of all streams or of one, in the order of their
 *   commits; element-type NebulaLogEntry. May be %NULL: it does not know the order
 *
 * Where streams, inboxes and documents are kept. All calls block; reads may come from any thread.
 */
struct _NebulaStoreInterface
{
  GTypeInterface parent_iface;

  gboolean (*commit) (NebulaStore *self, NebulaUnit **units, guint n_units, gboolean sync, NebulaOutcome *ret_outcomes, GError **error);
  gboolean (*sync) (NebulaStore *self, GError **error);
  NebulaHeader *(*read_header) (NebulaStore *self, const char *stream, GError **error);
  GPtrArray *(*list_headers) (NebulaStore *self, const NebulaHeaderQuery *query, GError **error);
  GPtrArray *(*read_segments) (NebulaStore *self, const char *stream, guint64 after, guint limit, GError **error);
  GBytes *(*read_checkpoint) (NebulaStore *self, const char *stream, guint64 *ret_sequence, GError **error);
  GPtrArray *(*read_inbox) (NebulaStore *self, const char *stream, guint limit, GError **error);
  GBytes *(*read_document) (NebulaStore *self, const char *collection, const char *key, gint64 *ret_revision, GError **error);
  GStrv (*list_documents) (NebulaStore *self, const char *collection, const char *after, guint limit, GError **error);
  gboolean (*get_is_durable) (NebulaStore *self);
  GPtrArray *(*read_histories) (NebulaStore *self, const char *const *streams, guint n_streams, GError **error);
  GBytes *(*read_blob) (NebulaStore *self, const char *digest, GError **error);
  GInputStream *(*open_blob) (NebulaStore *self, const char *digest, guint64 *ret_size, GError **error);
  NebulaBlobWriter *(*create_blob) (NebulaStore *self, GError **error);
  gint64 (*collect_blobs) (NebulaStore *self, gint64 before_usec, GError **error);
  gboolean (*has_full_text) (NebulaStore *self);
  gint64 (*prune) (NebulaStore *self, const NebulaRetention *rule, guint limit, GError **error);
  GPtrArray *(*read_log) (NebulaStore *self, guint64 after, const char *stream, guint limit, GError **error);

  gpointer _reserved[8];
};

NEBULA_API gboolean nebula_store_commit (NebulaStore *self, NebulaUnit **units, guint n_units, gboolean sync, NebulaOutcome *ret_outcomes, GError **error);
NEBULA_API gboolean nebula_store_sync (NebulaStore *self, GError **error);
NEBULA_API NebulaHeader *nebula_store_read_header (NebulaStore *self, const char *stream, GError **error);
NEBULA_API GPtrArray *nebula_store_list_headers (NebulaStore *self, const NebulaHeaderQuery *query, GError **error);
NEBULA_API GPtrArray *nebula_store_read_segments (NebulaStore *self, const char *stream, guint64 after, guint limit, GError **error);
NEBULA_API GBytes *nebula_store_read_checkpoint (NebulaStore *self, const char *stream, guint64 *ret_sequence, GError **error);
NEBULA_API GPtrArray *nebula_store_read_inbox (NebulaStore *self, const char *stream, guint limit, GError **error);
NEBULA_API GBytes *nebula_store_read_document (NebulaStore *self, const char *collection, const char *key, gint64 *ret_revision, GError **error);
NEBULA_API GStrv nebula_store_list_documents (NebulaStore *self, const char *collection, const char *after, guint limit, GError **error);
NEBULA_API gboolean nebula_store_get_is_durable (NebulaStore *self);
NEBULA_API GPtrArray *nebula_store_read_histories (NebulaStore *self, const char *const *streams, guint n_streams, GError **error);
NEBULA_API GBytes *nebula_store_read_blob (NebulaStore *self, const char *digest, GError **error);
NEBULA_API GInputStream *nebula_store_open_blob (NebulaStore *self, const char *digest, guint64 *ret_size, GError **error);
NEBULA_API NebulaBlobWriter *nebula_store_create_blob (NebulaStore *self, GError **error);
NEBULA_API gboolean nebula_store_has_full_text (NebulaStore *self);
/* One step; again until it gives less than @limit. Other streams may be written meanwhile. */
NEBULA_API gint64 nebula_store_prune (NebulaStore *self, const NebulaRetention *rule, guint limit, GError **error);
NEBULA_API gboolean nebula_store_has_log (NebulaStore *self);
NEBULA_API GPtrArray *nebula_store_read_log (NebulaStore *self, guint64 after, const char *stream, guint limit, GError **error);
NEBULA_API gint64 nebula_store_collect_blobs (NebulaStore *self, gint64 before_usec, GError **error);

G_END_DECLS
