/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Events out of the journal. A position is
 *
 *   place of the segment in the order of commits (16 hexadecimal digits) - facts of it that were told (5 digits)
 *
 * so of two positions the one that sorts first comes first, and a reader may begin within a segment. Each execution has a
 * teller that folds its facts up to the segment that comes next; tellers are kept as long as there is room, and made anew
 * from the beginning of the execution's facts, or its checkpoint, if not.
 *
 * The reading is done by the store's readers, off the loop. Nothing lives only there: what is delivered, and the position
 * behind it, come from the same commits whether somebody listened then or not.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-event-reader.h"
#include "nebula-teller-private.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MOST    10000
#define BATCH         64
#define TELLERS_MOST  512
#define POLL_MS       100 /* for what other processes commit */
#define PLACE_DIGITS  16
#define FACT_DIGITS   5

/**
 * NebulaEventReader:
 *
 * Reads events from the journal, from a position on: for whoever was away, or is another process.
 *
 * The events are those that the event bus tells live, of the same types; what no fact stands behind (progress, logs) is not
 * among them. Whoever keeps the position of the last event that it has dealt with, and begins there the next time, gets every
 * event once. Executions that were pruned meanwhile are left out.
 *
 * Thread: owner context of its engine.
 *
 * Since: 1.0
 */
struct _NebulaEventReader {
  GObject parent_instance;

  NebulaEngine *engine;
  char *pattern;
  char *execution; /* NULL: all */
  /* The readers', while one reads: */
  guint64 place;        /* of the segment that was read last */
  guint n_facts;        /* that were told of it, or of the one that is told now */
  guint64 begun_place;  /* segment of which some facts were told before this reader was made */
  guint n_skipped;      /* so many */
  guint64 now_place;    /* of the segment that is told now */
  GHashTable *tellers;  /* stream → NebulaTeller */
  GHashTable *plans;    /* revision → NebulaPlan; a NULL one cannot be compiled */
  char *wanted;         /* revision that must be compiled first */
  GQueue events;        /* NebulaEvent that were not delivered yet */
  guint limit;
  GError *error;
  gboolean is_at_end;
  /* The loop's: */
  char *position; /* behind the last event that was delivered */
  GTask *task;    /* that reads, or waits */
  gboolean waits;
  GSource *timer; /* while it waits */
};

G_DEFINE_FINAL_TYPE (NebulaEventReader, nebula_event_reader, G_TYPE_OBJECT)

/* From the readers to the loop. */
typedef struct {
  NebulaLetter letter; /* first */
  NebulaEventReader *reader;
} Done;

static void
nebula_event_reader_dispose (GObject *object)
{
  NebulaEventReader *self = NEBULA_EVENT_READER (object);

  g_clear_pointer (&self->tellers, g_hash_table_unref);
  g_clear_object (&self->engine);
  G_OBJECT_CLASS (nebula_event_reader_parent_class)->dispose (object);
}

static void
nebula_event_reader_finalize (GObject *object)
{
  NebulaEventReader *self = NEBULA_EVENT_READER (object);

  g_hash_table_unref (self->plans);
  g_queue_clear_full (&self->events, (GDestroyNotify) nebula_event_unref);
  g_clear_error (&self->error);
  g_free (self->pattern);
  g_free (self->execution);
  g_free (self->wanted);
  g_free (self->position);
  G_OBJECT_CLASS (nebula_event_reader_parent_class)->finalize (object);
}

static void
nebula_event_reader_class_init (NebulaEventReaderClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = nebula_event_reader_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_event_reader_finalize;
}

static void
plan_free (gpointer plan)
{
  if (plan)
    nebula_plan_unref (plan);
}

static void
nebula_event_reader_init (NebulaEventReader *self)
{
  g_queue_init (&self->events);
  self->tellers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) _nebula_teller_free);
  self->plans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, plan_free);
}

static char *
make_position (guint64 place, guint n_facts)
{
  return g_strdup_printf ("%016" G_GINT64_MODIFIER "x-%05x", place, n_facts);
}

static gboolean
read_digits (const char *text, guint n_digits, guint64 *ret_number)
{
  g_autofree char *digits = g_strndup (text, n_digits);

  return strlen (digits) == n_digits &&
         g_ascii_string_to_unsigned (digits, 16, 0, G_MAXUINT64, ret_number, NULL);
}

static gboolean
read_position (NebulaEventReader *self, const char *text, GError **error)
{
  guint64 place = 0;
  guint64 n_facts = 0;

  if (text && (strlen (text) != PLACE_DIGITS + 1 + FACT_DIGITS || text[PLACE_DIGITS] != '-' ||
               !read_digits (text, PLACE_DIGITS, &place) ||
               !read_digits (text + PLACE_DIGITS + 1, FACT_DIGITS, &n_facts))) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” is no position of an event. Use the position of an event that was read."),
                 text);
    return FALSE;
  }
  /* The segment is read again, in case that it goes on. */
  self->place = place > 0 ? place - 1 : 0;
  self->begun_place = place;
  self->n_skipped = (guint) n_facts;
  self->position = make_position (place, (guint) n_facts);
  return TRUE;
}

/* The readers' part. */

static gboolean
is_wanted (NebulaEventReader *self, const char *topic)
{
  gsize length = strlen (self->pattern);

  if (g_str_equal (self->pattern, "*"))
    return TRUE;
  if (g_str_has_suffix (self->pattern, ".*"))
    return strncmp (topic, self->pattern, length - 1) == 0;
  return g_str_equal (topic, self->pattern);
}

static void
told (NebulaTeller *teller, const NebulaFact *fact, const char *node, guint64 sequence, gpointer data)
{
  NebulaEventReader *self = data;
  const NebulaHeader *header = _nebula_teller_get_header (teller);
  const char *topic = _nebula_narrator_get_topic (fact);
  g_autofree char *position = NULL;
  NebulaNarration narration = {.kernel = _nebula_teller_get_kernel (teller),
                               .may_block = TRUE,
                               .tenant = header->tenant,
                               .workflow = header->workflow,
                               .execution = header->stream,
                               .node = node,
                               .sequence = sequence};

  self->n_facts++;
  if (!topic || !is_wanted (self, topic) ||
      (self->now_place == self->begun_place && self->n_facts <= self->n_skipped))
    return;
  narration.position = position = make_position (self->now_place, self->n_facts);
  g_queue_push_tail (&self->events, _nebula_narrator_make_event (&narration, fact));
}

/* NULL without error: the execution is gone, or (with `wanted`) its workflow must be compiled first. */
static NebulaTeller *
make_teller (NebulaEventReader *self, const char *stream)
{
  g_autoptr (NebulaHeader) header =
      nebula_store_read_header (self->engine->store, stream, &self->error);
  g_autoptr (NebulaPlan) plan = NULL;
  gpointer known = NULL;
  NebulaTeller *teller;

  if (!header || header->kind != NEBULA_STREAM_KIND_EXECUTION)
    return NULL;
  plan = _nebula_engine_find_plan (self->engine, header->revision);
  if (!plan && !g_hash_table_lookup_extended (self->plans, header->revision, NULL, &known)) {
    self->wanted = g_strdup (header->revision);
    return NULL;
  }
  if (g_hash_table_size (self->tellers) >= TELLERS_MOST)
    g_hash_table_remove_all (self->tellers);
  teller = _nebula_teller_new (self->engine, header, plan ? plan : known);
  g_hash_table_insert (self->tellers, g_strdup (stream), teller);
  return teller;
}

/* One that knows all before the fact @first. */
static NebulaTeller *
find_teller (NebulaEventReader *self, const char *stream, guint64 first)
{
  NebulaTeller *teller = g_hash_table_lookup (self->tellers, stream);

  /* The name may have been used again. */
  if (teller && _nebula_teller_get_sequence (teller) + 1 != first)
    g_hash_table_remove (self->tellers, stream);
  else if (teller)
    return teller;
  teller = make_teller (self, stream);
  if (!teller || !_nebula_teller_catch_up (teller, first - 1, &self->error))
    return NULL;
  return teller;
}

static gboolean
is_gone (NebulaEventReader *self, const char *stream)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaHeader) header =
      nebula_store_read_header (self->engine->store, stream, &error);

  return !header && !error;
}

/* FALSE: it cannot be told now: `wanted` or `error` says why. */
static gboolean
take_entry (NebulaEventReader *self, const NebulaLogEntry *entry)
{
  gboolean is_gate = g_str_has_prefix (entry->stream, "gate_");
  NebulaTeller *teller =
      is_gate ? NULL : find_teller (self, entry->stream, entry->segment->first);

  if (self->wanted || (self->error && !is_gone (self, entry->stream)))
    return FALSE;
  self->now_place = entry->position;
  self->n_facts = 0;
  if (teller && !self->error &&
      !_nebula_teller_take (teller, entry->segment, told, self, &self->error) &&
      !is_gone (self, entry->stream))
    return FALSE;
  /* Of what was pruned meanwhile nothing is told. */
  g_clear_error (&self->error);
  self->place = entry->position;
  self->n_facts = (guint) (entry->segment->last - entry->segment->first + 1);
  if (teller && nebula_execution_status_is_terminal (_nebula_teller_get_header (teller)->status) &&
      _nebula_teller_get_header (teller)->sequence == entry->segment->last)
    g_hash_table_remove (self->tellers, entry->stream);
  return TRUE;
}

static gboolean
read_some (NebulaEventReader *self)
{
  g_autoptr (GPtrArray) entries = nebula_store_read_log (
      self->engine->store, self->place, self->execution, BATCH, &self->error);

  if (!entries)
    return FALSE;
  self->is_at_end = entries->len < BATCH;
  for (guint i = 0; i < entries->len; i++) {
    if (self->events.length >= self->limit || !take_entry (self, entries->pdata[i])) {
      self->is_at_end = FALSE;
      return FALSE;
    }
  }
  return !self->is_at_end;
}

static void
work (gpointer data)
{
  Done *done = data;

  while (done->reader->events.length < done->reader->limit && read_some (done->reader))
    continue;
  _nebula_away_finish (done->reader->engine, NULL, done);
}

/* The loop's part. */

static const NebulaLetterClass letter_class;

static void
send (NebulaEventReader *self)
{
  Done *done = g_new0 (Done, 1);

  done->letter.klass = &letter_class;
  done->reader = g_object_ref (self);
  _nebula_away_begin (self->engine);
  nebula_executor_push (self->engine->readers, work, done);
}

static void
stop_waiting (NebulaEventReader *self)
{
  GPtrArray *followers = self->engine->followers;

  if (self->timer)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  if (followers && g_ptr_array_remove (followers, self) && followers->len == 0)
    g_clear_pointer (&self->engine->followers, g_ptr_array_unref);
}

static void
fail (NebulaEventReader *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_task_return_error (task, error);
}

static GError *
make_stopped (void)
{
  return g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                              _ ("The engine has been stopped."));
}

static gboolean
look_again (gpointer user_data)
{
  g_autoptr (NebulaEventReader) self = g_object_ref (user_data);
  g_autoptr (GError) error = NULL;

  stop_waiting (self);
  if (g_cancellable_set_error_if_cancelled (g_task_get_cancellable (self->task), &error))
    fail (self, g_steal_pointer (&error));
  else if (self->engine->is_stopped)
    fail (self, make_stopped ());
  else
    send (self);
  return G_SOURCE_REMOVE;
}

static void
wait_for_more (NebulaEventReader *self)
{
  NebulaEngine *engine = self->engine;

  self->timer = g_timeout_source_new (POLL_MS);
  g_source_set_callback (self->timer, look_again, self, NULL);
  g_source_attach (self->timer, engine->context);
  if (!engine->followers)
    engine->followers = g_ptr_array_new ();
  g_ptr_array_add (engine->followers, self);
}

void
_nebula_followers_kick (NebulaEngine *engine)
{
  for (guint i = 0; i < engine->followers->len; i++)
    g_source_set_ready_time (((NebulaEventReader *) engine->followers->pdata[i])->timer, 0);
}

static void
deliver (NebulaEventReader *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  GPtrArray *events = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_event_unref);

  while (events->len < self->limit && self->events.length > 0)
    g_ptr_array_add (events, g_queue_pop_head (&self->events));
  g_free (self->position);
  if (self->events.length > 0)
    self->position = g_strdup (nebula_event_get_position (events->pdata[events->len - 1]));
  else if (self->place >= self->begun_place)
    self->position = make_position (self->place, self->n_facts);
  else
    self->position = make_position (self->begun_place, self->n_skipped);
  g_task_return_pointer (task, events, (GDestroyNotify) g_ptr_array_unref);
}

static void
compile (NebulaEventReader *self)
{
  g_autoptr (GError) error = NULL;
  char *revision = g_steal_pointer (&self->wanted);
  NebulaPlan *plan = _nebula_recovery_load_plan (self->engine, revision, &error);

  /* Without it the events do not tell places in loops. */
  if (!plan)
    g_debug ("Workflow %s is told without its plan: %s", revision, error->message);
  g_hash_table_replace (self->plans, revision, plan);
}

static void
receive (gpointer letter)
{
  Done *done = letter;
  g_autoptr (NebulaEventReader) self = done->reader;

  g_free (done);
  if (self->engine->is_stopped) {
    fail (self, make_stopped ());
  } else if (self->events.length > 0) {
    deliver (self);
  } else if (self->error) {
    fail (self, g_steal_pointer (&self->error));
  } else if (self->wanted) {
    compile (self);
    send (self);
  } else if (self->waits) {
    wait_for_more (self);
  } else {
    deliver (self);
  }
}

static const NebulaLetterClass letter_class = {"events", receive, receive};

/**
 * nebula_event_reader_new:
 * @engine: an engine over the store; it need not own it
 * @pattern: (nullable): which events: `node.failed`, `node.*`; %NULL: all
 * @execution: (nullable): only this execution's; %NULL: those of all
 * @after: (nullable): the position of the event that was dealt with last; %NULL: from the beginning
 * @error: why it failed
 *
 * Makes a reader of events.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal): @pattern names no event, or @after is no position;
 * %NEBULA_ERROR_UNSUPPORTED (terminal): the store does not know the order of its commits.
 *
 * Returns: (transfer full): a reader; %NULL with @error
 *
 * Since: 1.0
 */
NebulaEventReader *
nebula_event_reader_new (NebulaEngine *engine,
                         const char *pattern,
                         const char *execution,
                         const char *after,
                         GError **error)
{
  g_autoptr (NebulaEventReader) self = NULL;

  g_return_val_if_fail (NEBULA_IS_ENGINE (engine), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (pattern && !nebula_event_is_pattern (pattern)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” names no event. Use a topic such as node.failed, or node.*."), pattern);
    return NULL;
  }
  if (!nebula_store_has_log (engine->store)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                         _ ("This kind of store cannot tell what was written after a position."));
    return NULL;
  }
  self = g_object_new (NEBULA_TYPE_EVENT_READER, NULL);
  if (!read_position (self, after, error))
    return NULL;
  self->engine = g_object_ref (engine);
  self->pattern = g_strdup (pattern ? pattern : "*");
  self->execution = g_strdup (execution);
  return g_steal_pointer (&self);
}

/**
 * nebula_event_reader_read_async:
 * @self: a reader
 * @limit: how many events at most; 0: 100; never more than 10,000
 * @waits: whether it is answered only when there is an event
 * @cancellable: (nullable): ends the waiting; what was read is kept for the next call
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Reads the events that follow. One call at a time.
 *
 * What this process commits is found at once, what others do within a tenth of a second.
 *
 * Errors: %G_IO_ERROR_PENDING: the call before is not over; %G_IO_ERROR_CANCELLED; %NEBULA_ERROR_CANCELLED: the engine was
 * stopped; those of the store.
 *
 * Since: 1.0
 */
void
nebula_event_reader_read_async (NebulaEventReader *self,
                                guint limit,
                                gboolean waits,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (NEBULA_IS_EVENT_READER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, nebula_event_reader_read_async);
  g_task_set_check_cancellable (task, FALSE); /* what was taken out of the queue is delivered */
  if (g_task_return_error_if_cancelled (task))
    return;
  if (self->task) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PENDING, "%s",
                             _ ("The events are being read already."));
    return;
  }
  self->task = g_steal_pointer (&task);
  if (self->engine->is_stopped) {
    fail (self, make_stopped ());
    return;
  }
  self->limit = CLAMP (limit > 0 ? limit : LIMIT_DEFAULT, 1, LIMIT_MOST);
  self->waits = waits;
  g_clear_error (&self->error);
  send (self);
}

/**
 * nebula_event_reader_read_finish:
 * @self: a reader
 * @result: what the callback was given
 * @error: why it failed
 *
 * Ends nebula_event_reader_read_async(). Each event has its position.
 *
 * Returns: (transfer container) (element-type NebulaEvent): events in the order of their commits, none if there are no more
 * for now; %NULL with @error
 *
 * Since: 1.0
 */
GPtrArray *
nebula_event_reader_read_finish (NebulaEventReader *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_EVENT_READER (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * nebula_event_reader_dup_position:
 * @self: a reader
 *
 * Gets the position behind the last event that was read. It may be later than that event's own: what the reader passed over
 * since needs not be looked at again.
 *
 * Returns: (transfer full): a position
 *
 * Since: 1.0
 */
char *
nebula_event_reader_dup_position (NebulaEventReader *self)
{
  g_return_val_if_fail (NEBULA_IS_EVENT_READER (self), NULL);

  return g_strdup (self->position);
}
