/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Executions out of the store, many at a time and off the loop. What is asked for in one turn of the loop is read by the
 * store's readers in batches, in one transaction each; they fold the histories too. The loop takes what they bring into
 * memory, and compiles what they found no plan for: that happens once for each definition.
 *
 * The same execution may be loaded, run and leave memory again by another way while a reader has it. Then what the reader
 * brings is old: it is marked stale and read again.
 */

#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-sync-internal.h"

#define BATCH     256
#define JOBS_MAX  2
#define TAKE_USEC 200 /* so long the loop takes in what a reader brings; then other sources have their turn */

typedef struct {
  NebulaLoaded loaded;
  gpointer data;
} Asker;

/* An execution that is being loaded. */
struct _NebulaLoad {
  char *id;
  GArray *askers; /* Asker */
  gboolean is_stale;
  /* What a reader brings. */
  NebulaHeader *header;
  NebulaPlan *plan;
  NebulaKernel *kernel; /* NULL: no plan, or @error */
  NebulaFolded folded;
  GError *error;
};

typedef struct {
  NebulaLetter letter; /* first */
  NebulaEngine *engine;
  GPtrArray *loads; /* NebulaLoad; the engine's */
  guint n_taken;
} Job;

static void
load_clear (NebulaLoad *self)
{
  g_clear_pointer (&self->kernel, nebula_kernel_free);
  g_clear_pointer (&self->plan, nebula_plan_unref);
  g_clear_pointer (&self->header, nebula_header_free);
  g_clear_error (&self->error);
}

void
_nebula_load_free (gpointer data)
{
  NebulaLoad *self = data;

  load_clear (self);
  g_array_unref (self->askers);
  g_free (self->id);
  g_free (self);
}

static GError *
make_stopped (void)
{
  return g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                              _ ("The engine has been stopped."));
}

void
_nebula_loader_ask (NebulaEngine *engine,
                    const char *id,
                    NebulaLoaded loaded,
                    gpointer data)
{
  NebulaLoad *load = g_hash_table_lookup (engine->loads, id);
  Asker asker = {loaded, data};

  if (engine->is_stopped) {
    g_autoptr (GError) error = make_stopped ();

    loaded (engine, id, NULL, error, data);
    return;
  }
  if (!load) {
    load = g_new0 (NebulaLoad, 1);
    load->id = g_strdup (id);
    load->askers = g_array_new (FALSE, FALSE, sizeof (Asker));
    g_hash_table_insert (engine->loads, load->id, load);
    g_queue_push_tail (&engine->load_queue, load);
    _nebula_scheduler_poke (engine);
  }
  g_array_append_val (load->askers, asker);
}

void
_nebula_loader_mark_stale (NebulaEngine *engine, const char *id)
{
  NebulaLoad *load = g_hash_table_lookup (engine->loads, id);

  if (load)
    load->is_stale = TRUE;
}

/* The readers' part. */

static void
read_load (NebulaEngine *engine, NebulaLoad *load, NebulaHistory *history)
{
  g_autoptr (NebulaKernel) kernel = NULL;
  NebulaKernelHost host = {0};

  load->header = history->header ? nebula_header_copy (history->header) : NULL;
  load->error = g_steal_pointer (&history->error);
  if (!load->header && !load->error)
    g_set_error (&load->error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no execution “%s”."), load->id);
  if (load->error)
    return;
  load->plan = _nebula_engine_find_plan (engine, load->header->revision);
  if (!load->plan)
    return;
  kernel = nebula_kernel_new (load->plan, load->id, load->header->tenant, &host);
  if (_nebula_recovery_fold (engine->store, kernel, load->plan, history, &load->folded,
                             &load->error))
    load->kernel = g_steal_pointer (&kernel);
}

static void
work (gpointer data)
{
  Job *job = data;
  NebulaEngine *engine = job->engine;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  g_autoptr (GPtrArray) histories = NULL;

  for (guint i = 0; i < job->loads->len; i++)
    g_ptr_array_add (ids, ((NebulaLoad *) job->loads->pdata[i])->id);
  histories = nebula_store_read_histories (
      engine->store, (const char *const *) ids->pdata, ids->len, &error);
  for (guint i = 0; i < job->loads->len; i++) {
    NebulaLoad *load = job->loads->pdata[i];

    if (histories)
      read_load (engine, load, histories->pdata[i]);
    else
      load->error = g_error_copy (error);
  }
  _nebula_away_finish (engine, NULL, job);
}

/* The loop's part. */

static void
answer (NebulaEngine *engine, NebulaLoad *load, NebulaInstance *instance)
{
  g_autoptr (GError) gone = NULL;

  /* Nobody who is told may ask again by this load. */
  g_hash_table_steal (engine->loads, load->id);
  if (instance)
    instance->n_units++; /* held: see _nebula_instance_release () */
  else
    gone = g_error_copy (load->error);
  for (guint i = 0; i < load->askers->len; i++) {
    Asker *asker = &g_array_index (load->askers, Asker, i);

    if (!gone && instance->is_dropped)
      gone = make_stopped ();
    asker->loaded (engine, load->id, gone ? NULL : instance, gone, asker->data);
  }
  if (instance)
    _nebula_instance_release (instance);
  _nebula_load_free (load);
}

static void
read_again (NebulaEngine *engine, NebulaLoad *load)
{
  load_clear (load);
  load->is_stale = FALSE;
  g_queue_push_tail (&engine->load_queue, load);
  _nebula_scheduler_poke (engine);
}

/* What has no plan yet gets it here, for the next reader. */
static gboolean
compile (NebulaEngine *engine, NebulaLoad *load)
{
  g_autoptr (NebulaPlan) plan =
      _nebula_recovery_load_plan (engine, load->header->revision, &load->error);

  return plan != NULL;
}

static void
take (NebulaEngine *engine, NebulaLoad *load)
{
  NebulaInstance *instance = g_hash_table_lookup (engine->instances, load->id);

  if (engine->is_stopped)
    return;
  if (load->header && !instance && !_nebula_peers_owns (engine, load->header->shard)) {
    g_clear_error (&load->error);
    g_set_error (&load->error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                 _ ("“%s” belongs to another engine of this store."), load->id);
  }
  if (instance) {
    g_clear_error (&load->error);
    answer (engine, load, instance);
  } else if (load->is_stale ||
             (!load->kernel && !load->error && compile (engine, load)))
    read_again (engine, load);
  else if (load->error)
    answer (engine, load, NULL);
  else
    answer (engine, load,
            _nebula_recovery_take_in (engine, load->header, load->plan,
                                      g_steal_pointer (&load->kernel), &load->folded));
}

static void
job_free (Job *job)
{
  g_ptr_array_unref (job->loads);
  g_free (job);
}

static void
receive (gpointer letter)
{
  Job *job = letter;
  g_autoptr (NebulaEngine) engine = g_object_ref (job->engine);

  gint64 end = engine->is_unhurried ? G_MAXINT64 : g_get_monotonic_time () + TAKE_USEC;

  while (job->n_taken < job->loads->len && !engine->is_stopped &&
         g_get_monotonic_time () < end)
    take (engine, job->loads->pdata[job->n_taken++]);
  if (job->n_taken < job->loads->len && !engine->is_stopped &&
      nebula_mailbox_post (engine->mailbox, job))
    return;
  job_free (job);
  engine->n_load_jobs--;
  if (!engine->is_stopped)
    _nebula_loader_pump (engine);
}

static void
discard (gpointer letter)
{
  job_free (letter);
}

static const NebulaLetterClass letter_class = {"load", receive, discard};

static void
send_batch (NebulaEngine *engine)
{
  Job *job = g_new0 (Job, 1);

  job->letter.klass = &letter_class;
  job->engine = engine;
  job->loads = g_ptr_array_sized_new (BATCH);
  while (job->loads->len < BATCH && !g_queue_is_empty (&engine->load_queue))
    g_ptr_array_add (job->loads, g_queue_pop_head (&engine->load_queue));
  engine->n_load_jobs++;
  engine->statistics.n_load_jobs++;
  engine->statistics.n_loads += job->loads->len;
  _nebula_away_begin (engine);
  nebula_executor_push (engine->readers, work, job);
}

void
_nebula_loader_pump (NebulaEngine *engine)
{
  while (engine->n_load_jobs < JOBS_MAX && !g_queue_is_empty (&engine->load_queue) &&
         !engine->is_stopped)
    send_batch (engine);
}

void
_nebula_loader_stop (NebulaEngine *engine)
{
  GHashTableIter iter;
  gpointer load;

  g_queue_clear (&engine->load_queue);
  for (;;) {
    g_hash_table_iter_init (&iter, engine->loads);
    if (!g_hash_table_iter_next (&iter, NULL, &load))
      return;
    load_clear (load);
    ((NebulaLoad *) load)->error = make_stopped ();
    answer (engine, load, NULL);
  }
}
