/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-checkpoint-internal.h"
#include "nebula-state-private.h"

G_BEGIN_DECLS

/* How one member of a structure is written. */
typedef enum {
  NEBULA_FIELD_UINT8,
  NEBULA_FIELD_UINT16,
  NEBULA_FIELD_UINT32,
  NEBULA_FIELD_UINT64,
  NEBULA_FIELD_INT64,
  NEBULA_FIELD_BITS,   /* guint64 or gint64 of any size, 8 bytes */
  NEBULA_FIELD_TIME,   /* gint64 in µs */
  NEBULA_FIELD_TEXT,   /* char *, owned */
  NEBULA_FIELD_NAME,   /* const char *, interned */
  NEBULA_FIELD_VALUE,  /* NebulaValue *, owned */
  NEBULA_FIELD_INPUTS, /* the same, an object whose members are shared */
  NEBULA_FIELD_FLAGS,  /* bit-fields, packed by the structure's own function */
} NebulaFieldType;

typedef struct {
  guint16 offset;
  guint8 type;
} NebulaField;

/* Bit-fields have no address: they are gathered in one number. */
typedef guint32 (*NebulaGetFlags) (gconstpointer structure);
typedef void (*NebulaSetFlags) (gpointer structure, guint32 flags);

typedef struct {
  const NebulaField *fields;
  guint n_fields;
  guint32 flags_mask; /* all flags there are */
  NebulaGetFlags get_flags;
  NebulaSetFlags set_flags;
} NebulaStruct;

extern const NebulaStruct _nebula_struct_state;
extern const NebulaStruct _nebula_struct_lane;
extern const NebulaStruct _nebula_struct_run;
extern const NebulaStruct _nebula_struct_loop;
extern const NebulaStruct _nebula_struct_work;

/* Which fields of a structure are not zero: bit i for field i. */
guint32 _nebula_struct_get_present (const NebulaStruct *self, gconstpointer structure);

enum {
  NEBULA_TEXT_NONE,
  NEBULA_TEXT_NEW,
  NEBULA_TEXT_KNOWN, /* and all above */
};

enum {
  NEBULA_VALUE_NONE,
  NEBULA_VALUE_PACKED,
  NEBULA_VALUE_MEMBERS,
  NEBULA_VALUE_KNOWN, /* and all above */
};

enum {
  NEBULA_CONNECTION_TOKENS = 1 << 0,
  NEBULA_CONNECTION_GUARDED = 1 << 1,
  NEBULA_CONNECTION_SEEN_SHIFT = 2,
};

#define NEBULA_CHECKPOINT_SUM_BYTES 8
/* Real time in µs; what is beyond cannot be added to. */
#define NEBULA_CHECKPOINT_TIME_MAX (G_MAXINT64 / 4)

guint64 _nebula_checkpoint_sum (const guint8 *data, gsize size);
/* FALSE with error: the bytes are not those that were written. */
gboolean
_nebula_checkpoint_check_sum (const guint8 *data, gsize size, GError **error);
gboolean _nebula_checkpoint_check_format (guint64 format, GError **error);
/* Whether a value gets a number, so that it is written once. */
gboolean _nebula_checkpoint_shares (NebulaValue *value);

/* nebula-checkpoint-check.c */
gboolean _nebula_checkpoint_is_object (NebulaValue *value);
gboolean _nebula_checkpoint_accepts_state (const NebulaState *state);
gboolean _nebula_checkpoint_accepts_work (const NebulaWork *work, NebulaNodeStatus status);
gboolean _nebula_checkpoint_accepts_undo (const NebulaUndo *undo);
gboolean _nebula_checkpoint_accepts_run (const NebulaPlanNode *node,
                                         const NebulaRun *run);
gboolean
_nebula_checkpoint_accepts_tokens (NebulaPlan *plan, NebulaLane *lane, guint32 node);
/* Before its lanes are there. */
gboolean _nebula_checkpoint_accepts_loop (const NebulaPlanNode *node,
                                          const NebulaLoop *loop);
/* Whether there are items for all rounds; after those that were added are read. */
gboolean _nebula_checkpoint_accepts_items (const NebulaLoop *loop);

G_END_DECLS
