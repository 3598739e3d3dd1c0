/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-gate-internal.h"

#define FACT_HEAD 7

NebulaGateState *
nebula_gate_state_new (void)
{
  NebulaGateState *self = g_new0 (NebulaGateState, 1);

  self->holders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&self->queue);
  return self;
}

void
nebula_gate_state_free (NebulaGateState *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->holders);
  g_queue_clear_full (&self->queue, g_free);
  g_free (self);
}

static GList *
find_waiting (NebulaGateState *self, const char *execution)
{
  return g_queue_find_custom (&self->queue, execution, (GCompareFunc) g_strcmp0);
}

gboolean
nebula_gate_state_knows (NebulaGateState *self, const char *execution)
{
  return g_hash_table_contains (self->holders, execution) ||
         find_waiting (self, execution);
}

static void
forget_waiting (NebulaGateState *self, const char *execution)
{
  GList *link = find_waiting (self, execution);

  if (!link)
    return;
  g_free (link->data);
  g_queue_delete_link (&self->queue, link);
}

static void
apply (NebulaGateState *self,
       NebulaGateFactKind kind,
       guint32 limit,
       const char *execution)
{
  self->sequence++;
  if (limit > 0)
    self->limit = limit;
  switch (kind) {
  case NEBULA_GATE_ASKED:
    g_queue_push_tail (&self->queue, g_strdup (execution));
    break;
  case NEBULA_GATE_GRANTED:
    g_hash_table_add (self->holders, g_strdup (execution));
    forget_waiting (self, execution);
    break;
  case NEBULA_GATE_RELEASED:
    g_hash_table_remove (self->holders, execution);
    forget_waiting (self, execution);
    break;
  default:
    g_assert_not_reached ();
  }
}

static void
record (NebulaGateState *self,
        GByteArray *facts,
        NebulaGateFactKind kind,
        guint32 limit,
        const char *execution)
{
  gsize length = strlen (execution);
  guint8 head[FACT_HEAD] = {(guint8) kind};

  if (facts->len == 0)
    g_byte_array_append (facts, (const guint8[]){NEBULA_GATE_FORMAT}, 1);
  for (guint i = 0; i < 4; i++)
    head[1 + i] = (guint8) (limit >> (8 * i));
  head[5] = (guint8) length;
  head[6] = (guint8) (length >> 8);
  g_byte_array_append (facts, head, sizeof head);
  g_byte_array_append (facts, (const guint8 *) execution, (guint) length);
  apply (self, kind, limit, execution);
}

static void
grant_free_places (NebulaGateState *self, GByteArray *facts, GPtrArray *granted)
{
  while (!g_queue_is_empty (&self->queue) &&
         g_hash_table_size (self->holders) < self->limit) {
    g_autofree char *execution = g_strdup (g_queue_peek_head (&self->queue));

    record (self, facts, NEBULA_GATE_GRANTED, 0, execution);
    g_ptr_array_add (granted, g_steal_pointer (&execution));
  }
}

void
nebula_gate_ask (NebulaGateState *self,
                 const char *execution,
                 guint32 limit,
                 GByteArray *facts,
                 GPtrArray *granted)
{
  if (!nebula_gate_state_knows (self, execution))
    record (self, facts, NEBULA_GATE_ASKED, limit, execution);
  else if (g_hash_table_contains (self->holders, execution))
    g_ptr_array_add (granted, g_strdup (execution));
  grant_free_places (self, facts, granted);
}

void
nebula_gate_release (NebulaGateState *self,
                     const char *execution,
                     GByteArray *facts,
                     GPtrArray *granted)
{
  if (nebula_gate_state_knows (self, execution))
    record (self, facts, NEBULA_GATE_RELEASED, 0, execution);
  grant_free_places (self, facts, granted);
}

static gboolean
refuse (GError **error)
{
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
      _ ("The history of a gate is damaged. Restore the store from a backup."));
  return FALSE;
}

gboolean
nebula_gate_state_fold (NebulaGateState *self, GBytes *segment, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (segment, &size);
  gsize offset = 1;

  if (size == 0 || data[0] != NEBULA_GATE_FORMAT)
    return refuse (error);
  while (offset < size) {
    g_autofree char *execution = NULL;
    guint32 limit = 0;
    gsize length;

    if (size - offset < FACT_HEAD || data[offset] < NEBULA_GATE_ASKED ||
        data[offset] > NEBULA_GATE_RELEASED)
      return refuse (error);
    for (guint i = 0; i < 4; i++)
      limit |= (guint32) data[offset + 1 + i] << (8 * i);
    length = data[offset + 5] | (gsize) data[offset + 6] << 8;
    if (size - offset - FACT_HEAD < length)
      return refuse (error);
    execution = g_strndup ((const char *) data + offset + FACT_HEAD, length);
    apply (self, data[offset], limit, execution);
    offset += FACT_HEAD + length;
  }
  return TRUE;
}
