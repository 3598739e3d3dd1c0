/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Helpers of values; how they lie in memory is in nebula-value-layout-internal.h. */
#pragma once

#include <string.h>

#include "nebula-limits.h"
#include "nebula-value-layout-internal.h"

#define NEBULA_SHAPE_LINEAR 8
#define NEBULA_SHAPE_NONE G_MAXUINT32
#define NEBULA_SCALAR_SIZE 8

/* The one place where bytes are copied without looking. */
static inline void
_nebula_bytes_copy (void *to, const void *from, gsize length)
{
  if (length > 0)
    memcpy (to, from, length);
}

static inline gboolean
_nebula_key_equal (const NebulaKey *key, const char *text, gsize length)
{
  return key->length == length && memcmp (key->text, text, length) == 0;
}

guint64 _nebula_hash_bytes (const void *data, gsize length);
guint32 _nebula_index_size (gsize n_keys);
void _nebula_index_add (guint32 *index, guint32 mask, guint32 hash, guint32 number);
NebulaShape *_nebula_shape_new (const NebulaKey *keys, gsize n_keys);
NebulaShape *_nebula_shape_ref (NebulaShape *self);
void _nebula_shape_unref (NebulaShape *self);

/* These take over the references in the block, which the caller fills before _nebula_value_seal(). */
NebulaArray *_nebula_array_alloc (gsize length);
NebulaObject *_nebula_object_alloc (NebulaShape *shape);
NebulaValue *_nebula_value_seal (NebulaValue *self);
void _nebula_slice_clear (NebulaSlice *self);
const char *_nebula_slice_terminate (NebulaSlice *self);
NebulaValue *_nebula_text_new (NebulaValueKind kind, const char *text, gsize length);

static inline gsize
_nebula_value_get_count (const NebulaValue *self)
{
  return self->kind == NEBULA_VALUE_KIND_ARRAY ? ((const NebulaArray *) self)->length
                                               : ((const NebulaObject *) self)->shape->n_keys;
}

static inline NebulaValue *const *
_nebula_value_peek_children (const NebulaValue *self)
{
  return self->kind == NEBULA_VALUE_KIND_ARRAY ? ((const NebulaArray *) self)->items
                                               : ((const NebulaObject *) self)->members;
}

static inline gboolean
_nebula_value_is_container (const NebulaValue *self)
{
  return self->kind == NEBULA_VALUE_KIND_ARRAY || self->kind == NEBULA_VALUE_KIND_OBJECT;
}

/* A slot for a key whose value comes later; the key is copied. */
gsize _nebula_value_builder_reserve (NebulaValueBuilder *self, const char *key, gsize length, gboolean *ret_existed);
void _nebula_value_builder_fill (NebulaValueBuilder *self, gsize slot, NebulaValue *value);

/* Decimal text taken apart: sign · 0.d₁d₂… × 10^exponent; no leading or trailing zeros; n_digits 0 is zero. */
typedef struct
{
  gboolean negative;
  gint64 exponent;
  gsize n_digits;
  char *digits;
  char small[64];
} NebulaDecimal;

void _nebula_decimal_init (NebulaDecimal *self, NebulaValue *number);
void _nebula_decimal_clear (NebulaDecimal *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaDecimal, _nebula_decimal_clear)
gint _nebula_decimal_compare (const NebulaDecimal *self, const NebulaDecimal *other);
gboolean _nebula_decimal_get_integer (const NebulaDecimal *self, gint64 *ret_integer);
gint _nebula_number_compare (NebulaValue *self, NebulaValue *other);
/* Whether text is a number as JSON writes it, wholly. */
gboolean _nebula_number_text_is_valid (const char *text, gsize length);
NebulaValue *_nebula_decimal_new_unchecked (const char *text, gsize length);

/* An explicit stack for walks over values, so that no nesting can exhaust the thread's. */
typedef struct
{
  NebulaValue *self;
  NebulaValue *other;
  gsize next;
  guint64 sum;
} NebulaFrame;

typedef struct
{
  NebulaFrame small[32];
  NebulaFrame *frames;
  gsize length;
  gsize capacity;
} NebulaWalk;

static inline void
_nebula_walk_init (NebulaWalk *self)
{
  self->frames = self->small;
  self->length = 0;
  self->capacity = G_N_ELEMENTS (self->small);
}

static inline void
_nebula_walk_clear (NebulaWalk *self)
{
  if (self->frames != self->small)
    g_free (self->frames);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaWalk, _nebula_walk_clear)

void _nebula_walk_grow (NebulaWalk *self);

static inline NebulaFrame *
_nebula_walk_push (NebulaWalk *self, NebulaValue *value, NebulaValue *other)
{
  NebulaFrame *frame = NULL;

  if (G_UNLIKELY (self->length == self->capacity))
    _nebula_walk_grow (self);
  frame = &self->frames[self->length++];
  frame->self = value;
  frame->other = other;
  frame->next = 0;
  frame->sum = 0;
  return frame;
}

static inline NebulaFrame *
_nebula_walk_top (NebulaWalk *self)
{
  return self->length > 0 ? &self->frames[self->length - 1] : NULL;
}
