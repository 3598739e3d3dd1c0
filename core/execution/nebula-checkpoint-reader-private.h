/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-checkpoint-private.h"

G_BEGIN_DECLS

/* Reads the parts of a checkpoint. After a mistake `is_broken` is set and all further reads give zeros. */
typedef struct {
  NebulaState *state;
  const guint8 *data;
  gsize size;
  gsize offset;
  GPtrArray *values; /* NebulaValue, by number */
  GPtrArray *texts;  /* char *, by number */
  gint64 last_usec;
  gboolean is_broken;
} NebulaReader;

/* Breaks it if a condition does not hold; TRUE: it is whole. */
gboolean _nebula_reader_require (NebulaReader *self, gboolean holds);
guint64 _nebula_reader_read_number (NebulaReader *self);
guint32 _nebula_reader_read_limited (NebulaReader *self, guint32 maximum);
gint64 _nebula_reader_read_signed (NebulaReader *self);
const char *_nebula_reader_read_text (NebulaReader *self);
void _nebula_reader_number_value (NebulaReader *self, NebulaValue *value);
NebulaValue *_nebula_reader_read_value (NebulaReader *self);
void _nebula_reader_read_fields (NebulaReader *self,
                                 const NebulaStruct *structure,
                                 gpointer data);

G_END_DECLS
