/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What happens to an execution, and where. A stimulus is applied to the kernel at once if the kernel is at home, nothing
 * waits before it, and it is light. Everything else queues at the instance and keeps its order.
 *
 * What is heavy is done away: the executor applies the stimulus at the head of the queue, or none, and turns the kernel.
 * Until the letter comes that brings it home, nobody on the loop may touch kernel or state; `is_away` tells. The instance
 * is held like by a unit, so it may be dropped meanwhile: then it goes when it has come home. A turn away ends by its
 * fuel at the latest, and the engine waits for it when it stops.
 */

#include "nebula-engine-private.h"
#include "nebula-limits.h"
#include "nebula-sync-internal.h"

struct _NebulaStimulus {
  const NebulaStimulusClass *klass;
  gpointer data;
  gboolean is_heavy;
  GList link; /* in instance->stimuli */
};

struct _NebulaAwayJob {
  NebulaLetter letter; /* first */
  NebulaInstance *instance;
  NebulaStimulus *stimulus; /* NULL: only a turn */
  gboolean is_done;         /* the stimulus is */
  NebulaTurn turn;
  gint64 now_usec;
  gboolean is_finished; /* guarded by the engine's away_lock */
};

static void
stimulus_free (NebulaStimulus *self)
{
  if (self->klass->free)
    self->klass->free (self->data);
  g_free (self);
}

static void
answer (NebulaInstance *instance, NebulaStimulus *stimulus, const GError *error)
{
  if (stimulus->klass->answer)
    stimulus->klass->answer (instance, error, stimulus->data);
  stimulus_free (stimulus);
}

gboolean
_nebula_away_is_free (NebulaInstance *self)
{
  return !self->is_away && self->stimuli.length == 0;
}

void
_nebula_away_stimulate (NebulaInstance *self,
                        const NebulaStimulusClass *klass,
                        gpointer data,
                        gboolean is_heavy)
{
  NebulaStimulus *stimulus = g_new0 (NebulaStimulus, 1);

  stimulus->klass = klass;
  stimulus->data = data;
  stimulus->is_heavy = is_heavy;
  stimulus->link.data = stimulus;
  g_queue_push_tail_link (&self->stimuli, &stimulus->link);
  /* Held: whoever is answered may let go of the last handle. */
  self->n_units++;
  if (!self->is_away && self->stimuli.length == 1)
    _nebula_away_drain (self);
  if (!self->is_dropped)
    _nebula_instance_wake (self);
  _nebula_instance_release (self);
}

gboolean
_nebula_away_drain (NebulaInstance *self)
{
  NebulaStimulus *stimulus;

  while (!self->is_dropped && !g_queue_is_empty (&self->stimuli)) {
    stimulus = g_queue_peek_head (&self->stimuli);
    if (!stimulus->is_heavy)
      stimulus->is_heavy = !stimulus->klass->apply (
          self->kernel, nebula_clock_get_real_usec (self->engine->clock), stimulus->data);
    if (stimulus->is_heavy)
      return TRUE;
    g_queue_unlink (&self->stimuli, &stimulus->link);
    answer (self, stimulus, NULL);
  }
  return FALSE;
}

void
_nebula_away_clear (NebulaInstance *self, const GError *error)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->stimuli)))
    answer (self, link->data, error);
}

/* The executor's part. */

void
_nebula_away_begin (NebulaEngine *engine)
{
  _nebula_sync_lock (&engine->away_lock);
  engine->n_away++;
  _nebula_sync_unlock (&engine->away_lock);
}

void
_nebula_away_finish (NebulaEngine *engine, gboolean *is_finished, gpointer letter)
{
  NebulaMailbox *mailbox = nebula_mailbox_ref (engine->mailbox);
  NEBULA_SYNC_AUTO (guard, &engine->away_lock);

  if (is_finished)
    *is_finished = TRUE;
  engine->n_away--;
  g_cond_broadcast (&engine->away_done);
  /* The engine stops only when this lock is free again, so its mailbox is open. */
  nebula_mailbox_post (mailbox, letter);
  nebula_mailbox_unref (mailbox);
}

static void
work (gpointer data)
{
  NebulaAwayJob *job = data;
  NebulaKernel *kernel = job->instance->kernel;

  nebula_kernel_set_inline_fuel (kernel, 0);
  if (job->stimulus)
    job->is_done =
        job->stimulus->klass->apply (kernel, job->now_usec, job->stimulus->data);
  if (!job->stimulus || job->is_done)
    job->turn = nebula_kernel_turn (kernel, NEBULA_TURN_FACTS, job->now_usec);
  nebula_kernel_set_inline_fuel (kernel, job->instance->engine->inline_fuel);
  _nebula_away_finish (job->instance->engine, &job->is_finished, job);
}

/* The loop's part. */

static void
take_events (NebulaInstance *self)
{
  g_autoptr (GArray) events = g_steal_pointer (&self->away_events);

  if (!events)
    return;
  if (!self->pending_events) {
    self->pending_events = g_steal_pointer (&events);
    return;
  }
  g_array_append_vals (self->pending_events, events->data, events->len);
  g_array_set_clear_func (events, NULL); /* they are the other array's now */
}

static void
job_free (NebulaAwayJob *job)
{
  g_clear_pointer (&job->stimulus, stimulus_free);
  g_free (job);
}

static void
come_home (NebulaAwayJob *job)
{
  NebulaInstance *self = job->instance;
  NebulaStimulus *stimulus = g_steal_pointer (&job->stimulus);

  self->is_away = FALSE;
  self->away_job = NULL;
  take_events (self);
  if (stimulus && job->is_done)
    answer (self, stimulus, NULL);
  else if (stimulus) {
    /* Only the loop may answer what it asks. */
    stimulus->is_heavy = FALSE;
    g_queue_push_head_link (&self->stimuli, &stimulus->link);
  }
  if (!self->is_dropped)
    _nebula_instance_end_turn (self, job->turn);
}

static void
receive (gpointer letter)
{
  NebulaAwayJob *job = letter;
  NebulaInstance *self = job->instance;
  g_autoptr (NebulaEngine) engine = g_object_ref (self->engine);

  if (self->is_dropped)
    self->is_away = FALSE;
  else
    come_home (job);
  job_free (job);
  _nebula_instance_release (self);
}

/* The engine has stopped and has dropped the instance. */
static void
discard (gpointer letter)
{
  NebulaAwayJob *job = letter;
  NebulaInstance *self = job->instance;

  self->is_away = FALSE;
  job_free (job);
  _nebula_instance_release (self);
}

static const NebulaLetterClass letter_class = {"return", receive, discard};

void
_nebula_away_send (NebulaInstance *self)
{
  NebulaEngine *engine = self->engine;
  NebulaAwayJob *job = g_new0 (NebulaAwayJob, 1);
  GList *link = g_queue_pop_head_link (&self->stimuli);

  job->letter.klass = &letter_class;
  job->instance = self;
  job->stimulus = link ? link->data : NULL;
  job->turn = NEBULA_TURN_MORE;
  job->now_usec = nebula_clock_get_real_usec (engine->clock);
  self->n_units++;
  self->is_away = TRUE;
  self->away_job = job;
  _nebula_narrator_capture (self);
  engine->statistics.n_away++;
  _nebula_away_begin (engine);
  nebula_executor_push (engine->executor, work, job);
}

void
_nebula_away_wait (NebulaInstance *self)
{
  NEBULA_SYNC_AUTO (guard, &self->engine->away_lock);

  while (self->away_job && !self->away_job->is_finished)
    _nebula_sync_wait (&self->engine->away_done, &self->engine->away_lock);
}

void
_nebula_away_wait_for_all (NebulaEngine *engine)
{
  NEBULA_SYNC_AUTO (guard, &engine->away_lock);

  while (engine->n_away > 0)
    _nebula_sync_wait (&engine->away_done, &engine->away_lock);
}
