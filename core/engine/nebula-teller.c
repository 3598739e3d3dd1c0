/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib/gi18n-lib.h>

#include "nebula-checkpoint-internal.h"
#include "nebula-error.h"
#include "nebula-teller-private.h"

#define SEGMENTS_AT_ONCE 64

struct _NebulaTeller {
  NebulaEngine *engine; /* outlives it */
  NebulaHeader *header;
  NebulaPlan *plan;     /* NULL: blind */
  NebulaKernel *kernel; /* NULL: blind */
  guint64 sequence;
  NebulaTold told; /* while a segment is taken; may be NULL */
  gpointer data;
  char *node; /* of the fact that a blind one reads; NULL: none */
};

static GBytes *
read_blob (const char *digest, gboolean may_block, gpointer data, GError **error)
{
  return nebula_store_read_blob (((NebulaEngine *) data)->store, digest, error);
}

NebulaTeller *
_nebula_teller_new (NebulaEngine *engine, const NebulaHeader *header, NebulaPlan *plan)
{
  NebulaTeller *self = g_new0 (NebulaTeller, 1);
  NebulaKernelHost host = {.read_blob = read_blob, .data = engine};

  self->engine = engine;
  self->header = nebula_header_copy (header);
  if (!plan)
    return self;
  self->plan = nebula_plan_ref (plan);
  self->kernel = nebula_kernel_new (plan, header->stream, header->tenant, &host);
  return self;
}

void
_nebula_teller_free (NebulaTeller *self)
{
  g_clear_pointer (&self->kernel, nebula_kernel_free);
  g_clear_pointer (&self->plan, nebula_plan_unref);
  nebula_header_free (self->header);
  g_free (self->node);
  g_free (self);
}

const NebulaHeader *
_nebula_teller_get_header (NebulaTeller *self)
{
  return self->header;
}

NebulaKernel *
_nebula_teller_get_kernel (NebulaTeller *self)
{
  return self->kernel;
}

guint64
_nebula_teller_get_sequence (NebulaTeller *self)
{
  return self->sequence;
}

static void
see (NebulaState *state, const NebulaFact *fact, gpointer data)
{
  NebulaTeller *self = data;
  gboolean has_node = fact->node != NEBULA_PLAN_NONE;

  self->told (self, fact, has_node ? self->plan->nodes[fact->node].id : NULL,
              state->sequence, self->data);
}

static gboolean
take_with_plan (NebulaTeller *self, GBytes *facts, GError **error)
{
  NebulaState *state = nebula_kernel_get_state (self->kernel);

  state->told = self->told ? see : NULL;
  state->told_data = self;
  return nebula_state_fold (state, facts, error);
}

static guint32
note_node (guint32 lane, const char *id, gpointer data)
{
  NebulaTeller *self = data;

  g_free (self->node);
  self->node = g_strdup (id);
  return 0;
}

static gboolean
take_blindly (NebulaTeller *self, GBytes *facts, GError **error)
{
  NebulaFactReader reader;
  NebulaFact fact;
  guint64 sequence = self->sequence;
  g_autoptr (GError) local_error = NULL;

  if (!nebula_fact_reader_init (&reader, facts, note_node, self, error))
    return FALSE;
  while (nebula_fact_reader_next (&reader, &fact, &local_error)) {
    g_autoptr (NebulaValue) value = fact.value;

    sequence++;
    if (self->told)
      self->told (self, &fact, self->node, sequence, self->data);
    g_clear_pointer (&self->node, g_free);
  }
  nebula_fact_reader_clear (&reader);
  if (!local_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

gboolean
_nebula_teller_take (NebulaTeller *self,
                     const NebulaSegment *segment,
                     NebulaTold told,
                     gpointer data,
                     GError **error)
{
  if (segment->first != self->sequence + 1) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _ ("The history of “%s” has a gap before fact %llu."),
                 self->header->stream, (unsigned long long) segment->first);
    return FALSE;
  }
  self->told = told;
  self->data = data;
  if (self->plan ? !take_with_plan (self, segment->facts, error)
                 : !take_blindly (self, segment->facts, error))
    return FALSE;
  self->sequence = segment->last;
  return TRUE;
}

/* What cannot be used is left: the facts are there. */
static void
take_checkpoint (NebulaTeller *self, guint64 sequence)
{
  guint64 held = 0;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (NebulaState) state = NULL;

  if (!self->plan || self->header->checkpoint == 0 || self->header->checkpoint > sequence)
    return;
  bytes = nebula_store_read_checkpoint (self->engine->store, self->header->stream, &held, NULL);
  if (bytes && held <= sequence)
    state = nebula_state_from_checkpoint (self->plan, bytes, NULL);
  if (!state || state->sequence != held)
    return;
  nebula_kernel_take_state (self->kernel, g_steal_pointer (&state));
  self->sequence = held;
}

static gboolean
take_segments (NebulaTeller *self, guint64 sequence, gboolean *ret_is_over, GError **error)
{
  g_autoptr (GPtrArray) segments =
      nebula_store_read_segments (self->engine->store, self->header->stream, self->sequence,
                                  SEGMENTS_AT_ONCE, error);

  if (!segments)
    return FALSE;
  *ret_is_over = segments->len < SEGMENTS_AT_ONCE;
  for (guint i = 0; i < segments->len; i++) {
    NebulaSegment *segment = segments->pdata[i];

    if (segment->last > sequence) {
      *ret_is_over = TRUE;
      return TRUE;
    }
    if (!_nebula_teller_take (self, segment, NULL, NULL, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
_nebula_teller_catch_up (NebulaTeller *self, guint64 sequence, GError **error)
{
  gboolean is_over = FALSE;

  if (self->sequence == 0)
    take_checkpoint (self, sequence);
  while (self->sequence < sequence && !is_over)
    if (!take_segments (self, sequence, &is_over, error))
      return FALSE;
  return TRUE;
}
