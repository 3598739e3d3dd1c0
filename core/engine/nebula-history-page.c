/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Histories in pages. A page is read by one of the store's readers, off the loop: it folds the facts before the page, a few
 * segments at a time, and tells those of the page. Where a page ends, its teller is kept for a while, with what its last
 * segment held beyond the page: so reading a whole history page by page takes each fact once. Only the workflow is compiled
 * on the loop, if nobody has it yet.
 */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-history-page.h"
#include "nebula-history-private.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MOST    10000
#define PAGE_BYTES    (1024 * 1024) /* of facts, after which a page ends early */
#define KEPT_PAGES    4
#define SEGMENTS      16

typedef struct {
  NebulaLetter letter; /* first */
  NebulaEngine *engine;
  GTask *task;
  char *id;
  guint64 after;
  guint limit;
  NebulaTeller *teller; /* NULL: to be made */
  GQueue items;         /* NebulaValue after @after that were told */
  NebulaHeader *header;
  NebulaPlan *plan; /* NULL: not known yet, or @is_blind */
  gboolean is_blind;
  GError *error;
} Page;

static void
page_free (gpointer data)
{
  Page *self = data;

  g_clear_pointer (&self->teller, _nebula_teller_free);
  g_queue_clear_full (&self->items, (GDestroyNotify) nebula_value_unref);
  g_clear_pointer (&self->header, nebula_header_free);
  g_clear_pointer (&self->plan, nebula_plan_unref);
  g_clear_error (&self->error);
  g_clear_object (&self->task);
  g_free (self->id);
  g_free (self);
}

/* The readers' part. */

static void
told (NebulaTeller *teller, const NebulaFact *fact, const char *node, guint64 sequence, gpointer data)
{
  Page *self = data;

  if (sequence > self->after)
    g_queue_push_tail (&self->items, _nebula_history_make_item (teller, fact, node, sequence));
}

static gboolean
read_header (Page *self)
{
  if (!self->header)
    self->header = nebula_store_read_header (self->engine->store, self->id, &self->error);
  if ((!self->header || self->header->kind != NEBULA_STREAM_KIND_EXECUTION) && !self->error)
    g_set_error (&self->error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no execution “%s”."), self->id);
  return self->error == NULL;
}

/* FALSE: with an error, or the plan is missing. */
static gboolean
make_teller (Page *self)
{
  if (!self->plan && !self->is_blind)
    self->plan = _nebula_engine_find_plan (self->engine, self->header->revision);
  if (!self->plan && !self->is_blind)
    return FALSE;
  self->teller = _nebula_teller_new (self->engine, self->header, self->plan);
  return _nebula_teller_catch_up (self->teller, self->after, &self->error);
}

/* Takes segments until the page is full; FALSE at the end, or with an error. */
static gboolean
take_some (Page *self, gsize *n_bytes)
{
  g_autoptr (GPtrArray) segments = nebula_store_read_segments (
      self->engine->store, self->id, _nebula_teller_get_sequence (self->teller), SEGMENTS,
      &self->error);

  for (guint i = 0; segments && i < segments->len; i++) {
    NebulaSegment *segment = segments->pdata[i];

    if (self->items.length > self->limit || *n_bytes > PAGE_BYTES)
      return FALSE;
    *n_bytes += g_bytes_get_size (segment->facts);
    if (!_nebula_teller_take (self->teller, segment, told, self, &self->error))
      return FALSE;
  }
  return segments && segments->len == SEGMENTS && self->items.length <= self->limit &&
         *n_bytes <= PAGE_BYTES;
}

static void
work (gpointer data)
{
  Page *self = data;
  gsize n_bytes = 0;

  if (read_header (self) && (self->teller || make_teller (self)))
    while (take_some (self, &n_bytes))
      continue;
  _nebula_away_finish (self->engine, NULL, self);
}

static void
send (Page *self)
{
  _nebula_away_begin (self->engine);
  nebula_executor_push (self->engine->readers, work, self);
}

/* The loop's part. */

/* The page that ended where @after is; NULL: there is none. */
static Page *
find_kept (NebulaEngine *engine, const char *id, guint64 after)
{
  for (guint i = 0; engine->pages && i < engine->pages->len; i++) {
    Page *page = engine->pages->pdata[i];

    if (page->after == after && g_str_equal (page->id, id))
      return g_ptr_array_steal_index (engine->pages, i);
  }
  return NULL;
}

/* Takes @self, whose items are those that did not fit into the page. */
static void
keep (Page *self)
{
  NebulaEngine *engine = self->engine;

  g_clear_object (&self->task);
  if (engine->is_stopped) {
    page_free (self);
    return;
  }
  if (!engine->pages)
    engine->pages = g_ptr_array_new_with_free_func (page_free);
  if (engine->pages->len == KEPT_PAGES)
    g_ptr_array_remove_index (engine->pages, 0);
  g_ptr_array_add (engine->pages, self);
}

void
_nebula_history_forget_all (NebulaEngine *engine)
{
  g_clear_pointer (&engine->pages, g_ptr_array_unref);
}

static NebulaValue *
take_page (Page *self)
{
  g_autoptr (NebulaValueBuilder) items = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *next = NULL;

  for (guint i = 0; i < self->limit && self->items.length > 0; i++) {
    NebulaValue *item = g_queue_pop_head (&self->items);

    self->after = (guint64) nebula_value_get_member_integer (item, "sequence", 0);
    nebula_value_builder_add_take (items, item);
  }
  if (self->items.length > 0 || _nebula_teller_get_sequence (self->teller) < self->header->sequence)
    next = g_strdup_printf ("%" G_GUINT64_FORMAT, self->after);
  nebula_value_builder_set_take (builder, "items", nebula_value_builder_end (items));
  nebula_value_builder_set_string (builder, "next", next);
  return nebula_value_builder_end (builder);
}

static void
discard (gpointer letter)
{
  Page *self = letter;

  g_task_return_new_error (self->task, NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                           _ ("The engine has been stopped."));
  page_free (self);
}

static void
receive (gpointer letter)
{
  Page *self = letter;
  g_autoptr (GTask) task = NULL;
  g_autoptr (NebulaValue) page = NULL;

  if (self->engine->is_stopped) {
    discard (self);
    return;
  }
  /* A workflow that cannot be compiled any more is no reason not to show what happened. */
  if (!self->teller && !self->error) {
    self->plan = _nebula_recovery_load_plan (self->engine, self->header->revision, NULL);
    self->is_blind = self->plan == NULL;
    send (self);
    return;
  }
  task = g_steal_pointer (&self->task);
  if (self->error) {
    g_task_return_error (task, g_steal_pointer (&self->error));
    page_free (self);
    return;
  }
  page = take_page (self);
  keep (self);
  g_task_return_pointer (task, g_steal_pointer (&page), (GDestroyNotify) nebula_value_unref);
}

static const NebulaLetterClass letter_class = {"history", receive, discard};

static gboolean
read_cursor (const char *after, guint64 *ret_after, GError **error)
{
  *ret_after = 0;
  if (!after || g_ascii_string_to_unsigned (after, 10, 0, G_MAXINT64, ret_after, NULL))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no place in a history. Use “next” of the page before, or the number of a fact."),
               after);
  return FALSE;
}

/* Takes @task. */
static void
begin (NebulaEngine *engine, GTask *task, const char *id, guint64 after, guint limit)
{
  Page *page = find_kept (engine, id, after);

  if (!page) {
    page = g_new0 (Page, 1);
    page->letter.klass = &letter_class;
    page->engine = engine;
    page->id = g_strdup (id);
    page->after = after;
  }
  g_clear_pointer (&page->header, nebula_header_free); /* it may have grown since */
  page->task = task;
  page->limit = CLAMP (limit > 0 ? limit : LIMIT_DEFAULT, 1, LIMIT_MOST);
  send (page);
}

/**
 * nebula_engine_read_history_async:
 * @self: an engine
 * @id: an execution in its store
 * @after: (nullable): `next` of the page before, or the number of a fact; %NULL: from the beginning
 * @limit: how many facts at most; 0: 100; never more than 10,000
 * @cancellable: (nullable): not used once reading has begun
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Reads a page of the history of an execution: what was decided, in order. See nebula_engine_read_history_finish().
 *
 * The history may be of any length: what is in memory is the page and the state of the execution. A page of more than
 * 1 MiB of facts ends early. The store is read off the loop; the execution itself is not loaded and need not be of this
 * engine, or of this process. Reading on where the page before ended costs as much as the page.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal): there is no such execution; %NEBULA_ERROR_INVALID_ARGUMENT (terminal): @after
 * is no place; %NEBULA_ERROR_CANCELLED: the engine was stopped; those of the store.
 *
 * Since: 1.0
 */
void
nebula_engine_read_history_async (NebulaEngine *self,
                                  const char *id,
                                  const char *after,
                                  guint limit,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  guint64 sequence;

  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (id != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, nebula_engine_read_history_async);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (!read_cursor (after, &sequence, &error))
    g_task_return_error (task, error);
  else if (self->is_stopped)
    g_task_return_new_error (task, NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                             _ ("The engine has been stopped."));
  else
    begin (self, g_steal_pointer (&task), id, sequence, limit);
}

/**
 * nebula_engine_read_history_finish:
 * @self: an engine
 * @result: what the callback was given
 * @error: why it failed
 *
 * Ends nebula_engine_read_history_async().
 *
 * Each item has `sequence`, `time`, `fact` (its kind: `node-ended`, …) and, where they apply, `node`, `path`
 * (`each[3].price`), `attempt`, `until`, `port`, `result`, `error`, `output`, `status`, `reason`, `name`, … A value that is
 * stored beside the facts is told by its size, `bytes`. `next` is null at the end; what is committed later follows the last
 * item's `sequence`.
 *
 * Returns: (transfer full): an object {items, next}; %NULL with @error
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_read_history_finish (NebulaEngine *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
