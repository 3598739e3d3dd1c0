/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is written of each structure of the state: one table each, read by writer and reader alike. A new member is one
 * more line at the end of its table (the format's number stays as long as an absent field means what it meant before);
 * test-checkpoint fails as long as it is forgotten.
 */

#include <glib/gi18n-lib.h>

#include "nebula-checkpoint-private.h"
#include "nebula-error.h"

#define FIELD(structure, member, type)                                                   \
  {                                                                                      \
    G_STRUCT_OFFSET (structure, member), NEBULA_FIELD_##type                             \
  }
#define FLAGS                                                                            \
  {                                                                                      \
    0, NEBULA_FIELD_FLAGS                                                                \
  }

static const NebulaField state_fields[] = {
    FIELD (NebulaState, sequence, UINT64),
    FIELD (NebulaState, status, UINT8),
    FLAGS,
    FIELD (NebulaState, end_status, UINT8),
    FIELD (NebulaState, gate, UINT8),
    FIELD (NebulaState, gate_key, TEXT),
    FIELD (NebulaState, started_usec, TIME),
    FIELD (NebulaState, last_usec, TIME),
    FIELD (NebulaState, ended_usec, TIME),
    FIELD (NebulaState, deadline_usec, TIME),
    FIELD (NebulaState, seed, BITS),
    FIELD (NebulaState, next_lane, UINT32),
    FIELD (NebulaState, n_firings, UINT32),
    FIELD (NebulaState, recoveries, UINT32),
    FIELD (NebulaState, started, VALUE),
    FIELD (NebulaState, output, VALUE),
    FIELD (NebulaState, error, VALUE),
    FIELD (NebulaState, watchers, VALUE),
    FIELD (NebulaState, tokens, VALUE),
    FIELD (NebulaState, gates, VALUE),
    FIELD (NebulaState, paused_usec, TIME),
    FIELD (NebulaState, gate_usec, TIME),
    FIELD (NebulaState, gate_share, VALUE),
    FIELD (NebulaState, given, VALUE),
    FIELD (NebulaState, breaks, VALUE),
    FIELD (NebulaState, break_at, TEXT),
    FIELD (NebulaState, begins_usec, TIME),
    FIELD (NebulaState, gate_round, UINT32),
    FIELD (NebulaState, batch, TEXT),
};

static const NebulaField lane_fields[] = {
    FLAGS,
    FIELD (NebulaLane, last, VALUE),
    FIELD (NebulaLane, failure, VALUE),
};

static const NebulaField run_fields[] = {
    FIELD (NebulaRun, status, UINT8),
    FIELD (NebulaRun, attempts, UINT16),
    FIELD (NebulaRun, firing, UINT32),
    FIELD (NebulaRun, order, UINT32),
    FIELD (NebulaRun, ready_usec, TIME),
    FIELD (NebulaRun, ended_usec, TIME),
    FIELD (NebulaRun, value, VALUE),
    FIELD (NebulaRun, port, NAME),
    FLAGS,
    FIELD (NebulaRun, arrived, UINT32),
    FIELD (NebulaRun, live, UINT32),
    FIELD (NebulaRun, need, UINT32),
};

static const NebulaField loop_fields[] = {
    FIELD (NebulaLoop, items, VALUE),
    FIELD (NebulaLoop, count, INT64),
    FIELD (NebulaLoop, next_index, INT64),
    FIELD (NebulaLoop, n_done, INT64),
    FIELD (NebulaLoop, concurrency, UINT32),
    FIELD (NebulaLoop, batch, UINT32),
    FLAGS,
    FIELD (NebulaLoop, failure, VALUE),
    FIELD (NebulaLoop, last, VALUE),
    FIELD (NebulaLoop, phase, UINT8),
    FIELD (NebulaLoop, body_lane, UINT32),
    FIELD (NebulaLoop, n_judged, INT64),
};

/* inputs before input: the two are often the same. */
static const NebulaField work_fields[] = {
    FIELD (NebulaWork, inputs, INPUTS),
    FIELD (NebulaWork, input, VALUE),
    FIELD (NebulaWork, digest, BITS),
    FIELD (NebulaWork, due_usec, TIME),
    FIELD (NebulaWork, deadline_usec, TIME),
    FIELD (NebulaWork, signal, TEXT),
    FIELD (NebulaWork, effect, UINT8),
    FIELD (NebulaWork, wait, UINT8),
    FLAGS,
    FIELD (NebulaWork, other, TEXT),
    FIELD (NebulaWork, hold, TEXT),
    FIELD (NebulaWork, request, VALUE),
    FIELD (NebulaWork, answers, VALUE),
};

static guint32
get_state_flags (gconstpointer structure)
{
  const NebulaState *state = structure;

  return (guint32) (state->is_paused | state->is_stopping << 1 | state->has_undone << 2 |
                    state->is_undoing << 3) |
         (state->is_stepping ? 1u << 6 : 0u) | (state->undos ? 1u << 4 : 0u) |
         (state->locks && state->locks->len > 0 ? 1u << 5 : 0u);
}

static void
set_state_flags (gpointer structure, guint32 flags)
{
  NebulaState *state = structure;

  state->is_paused = flags & 1;
  state->is_stopping = (flags >> 1) & 1;
  state->has_undone = (flags >> 2) & 1;
  state->is_undoing = (flags >> 3) & 1;
  state->is_stepping = (flags >> 6) & 1;
  /* What there is of these follows. */
  if (flags & 1u << 4)
    state->undos = g_ptr_array_new_with_free_func (_nebula_undo_free);
  if (flags & 1u << 5)
    state->locks = g_ptr_array_new_with_free_func (_nebula_lock_free);
}

static guint32
get_lane_flags (gconstpointer structure)
{
  const NebulaLane *lane = structure;

  return (guint32) (lane->is_ending | lane->is_break << 1 | lane->is_cut << 2 |
                    lane->is_halted << 3 | lane->is_cancelled << 4);
}

static void
set_lane_flags (gpointer structure, guint32 flags)
{
  NebulaLane *lane = structure;

  lane->is_ending = flags & 1;
  lane->is_break = (flags >> 1) & 1;
  lane->is_cut = (flags >> 2) & 1;
  lane->is_halted = (flags >> 3) & 1;
  lane->is_cancelled = (flags >> 4) & 1;
}

static guint32
get_run_flags (gconstpointer structure)
{
  const NebulaRun *run = structure;

  return (guint32) (run->by_port | run->has_fired << 1 | run->is_trailing << 2);
}

static void
set_run_flags (gpointer structure, guint32 flags)
{
  NebulaRun *run = structure;

  run->by_port = flags & 1;
  run->has_fired = (flags >> 1) & 1;
  run->is_trailing = (flags >> 2) & 1;
}

static guint32
get_loop_flags (gconstpointer structure)
{
  const NebulaLoop *loop = structure;

  return (guint32) ((loop->is_ending ? 1 : 0) | loop->wants_success << 1 |
                    loop->is_cancelled << 2 | loop->lets_go << 3 |
                    loop->is_trailing << 4 | loop->is_undoing << 5);
}

static void
set_loop_flags (gpointer structure, guint32 flags)
{
  NebulaLoop *loop = structure;

  loop->is_ending = flags & 1;
  loop->wants_success = (flags >> 1) & 1;
  loop->is_cancelled = (flags >> 2) & 1;
  loop->lets_go = (flags >> 3) & 1;
  loop->is_trailing = (flags >> 4) & 1;
  loop->is_undoing = (flags >> 5) & 1;
}

static guint32
get_work_flags (gconstpointer structure)
{
  const NebulaWork *work = structure;

  return (guint32) (work->is_begun | work->is_held << 1);
}

static void
set_work_flags (gpointer structure, guint32 flags)
{
  NebulaWork *work = structure;

  work->is_begun = flags & 1;
  work->is_held = (flags >> 1) & 1;
}

#define STRUCT(name, flags_mask)                                                         \
  {                                                                                      \
    name##_fields, G_N_ELEMENTS (name##_fields), flags_mask, get_##name##_flags,         \
        set_##name##_flags                                                               \
  }

const NebulaStruct _nebula_struct_state = STRUCT (state, 127);
const NebulaStruct _nebula_struct_lane = STRUCT (lane, 31);
const NebulaStruct _nebula_struct_run = STRUCT (run, 7);
const NebulaStruct _nebula_struct_loop = STRUCT (loop, 63);
const NebulaStruct _nebula_struct_work = STRUCT (work, 3);

static gboolean
is_present (const NebulaStruct *self, const NebulaField *field, gconstpointer structure)
{
  switch ((NebulaFieldType) field->type) {
  case NEBULA_FIELD_UINT8:
    return G_STRUCT_MEMBER (guint8, structure, field->offset) != 0;
  case NEBULA_FIELD_UINT16:
    return G_STRUCT_MEMBER (guint16, structure, field->offset) != 0;
  case NEBULA_FIELD_UINT32:
    return G_STRUCT_MEMBER (guint32, structure, field->offset) != 0;
  case NEBULA_FIELD_UINT64:
  case NEBULA_FIELD_INT64:
  case NEBULA_FIELD_BITS:
  case NEBULA_FIELD_TIME:
    return G_STRUCT_MEMBER (guint64, structure, field->offset) != 0;
  case NEBULA_FIELD_TEXT:
  case NEBULA_FIELD_NAME:
  case NEBULA_FIELD_VALUE:
  case NEBULA_FIELD_INPUTS:
    return G_STRUCT_MEMBER (gpointer, structure, field->offset) != NULL;
  case NEBULA_FIELD_FLAGS:
    return self->get_flags (structure) != 0;
  default:
    g_return_val_if_reached (FALSE);
  }
}

guint32
_nebula_struct_get_present (const NebulaStruct *self, gconstpointer structure)
{
  guint32 present = 0;

  for (guint i = 0; i < self->n_fields; i++)
    present |= is_present (self, &self->fields[i], structure) ? 1u << i : 0;
  return present;
}

/* Eight bytes a step; each step is reversible, so that no single change goes unseen. */
guint64
_nebula_checkpoint_sum (const guint8 *data, gsize size)
{
  guint64 sum = G_GUINT64_CONSTANT (0x4e65627568636b31) ^ size;

  for (gsize i = 0; i < size; i += 8) {
    guint64 word = 0;

    for (gsize k = i; k < MIN (i + 8, size); k++)
      word |= (guint64) data[k] << (8 * (k - i));
    sum = (sum ^ word) * G_GUINT64_CONSTANT (0xd6e8feb86659fd93);
    sum ^= sum >> 32;
  }
  return sum;
}

gboolean
_nebula_checkpoint_check_sum (const guint8 *data, gsize size, GError **error)
{
  guint64 sum = 0;

  if (size >= NEBULA_CHECKPOINT_SUM_BYTES) {
    size -= NEBULA_CHECKPOINT_SUM_BYTES;
    for (guint i = 0; i < NEBULA_CHECKPOINT_SUM_BYTES; i++)
      sum |= (guint64) data[size + i] << (8 * i);
    if (sum == _nebula_checkpoint_sum (data, size))
      return TRUE;
  }
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                       _ ("A checkpoint is damaged: its sum is wrong."));
  return FALSE;
}

gboolean
_nebula_checkpoint_check_format (guint64 format, GError **error)
{
  if (format == NEBULA_CHECKPOINT_FORMAT)
    return TRUE;
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_STORE_VERSION,
      _ ("A checkpoint has format %llu; this version reads format %d. Use a newer "
         "version of Nebula."),
      (unsigned long long) format, NEBULA_CHECKPOINT_FORMAT);
  return FALSE;
}

gboolean
_nebula_checkpoint_shares (NebulaValue *value)
{
  switch (nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_STRING:
  case NEBULA_VALUE_KIND_BYTES:
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
    return TRUE;
  case NEBULA_VALUE_KIND_NULL:
  case NEBULA_VALUE_KIND_BOOLEAN:
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
  case NEBULA_VALUE_KIND_REFERENCE:
  default:
    return FALSE;
  }
}
