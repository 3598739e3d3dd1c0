/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How values lie in memory. Each is one block: the common head, then what its kind needs.
 *
 *   head    refs · kind · flags · depth · size
 *   scalar  head · integer or double
 *   text    head · length · pointer ─▶ characters behind it, or a buffer that was taken over
 *   slice   text · buffer that the pointer points into · copy that ends with 0, once somebody asked for one
 *   array   head · length · items…
 *   object  head · shape · members…          shape: keys in order, shared by all objects with the same keys
 *
 * An immortal value has a flag and is never counted.
 *
 * Others than core/value read it only, and only where each nanosecond counts: the machine of
 * expressions and the writer of MessagePack.
 */
#pragma once

#include <string.h>

#include "nebula-value.h"

G_BEGIN_DECLS

typedef enum
{
  NEBULA_VALUE_IMMORTAL = 1 << 0,
  NEBULA_VALUE_TAKEN = 1 << 1, /* the text's buffer is to be freed */
  NEBULA_VALUE_REFERS = 1 << 2, /* is or holds a reference */
  NEBULA_VALUE_STORED = 1 << 3, /* is or holds a reference of the engine's own (nebula-stored-internal.h) */
  NEBULA_VALUE_SLICE = 1 << 4, /* is or holds a part of a larger buffer (nebula-slice-internal.h) */
} NebulaValueFlags;

struct _NebulaValue
{
  gint refs;
  guint8 kind;
  guint8 flags;
  guint16 depth; /* stops at the greatest number */
  gsize size;    /* while being freed: the next value to free */
};

typedef struct
{
  NebulaValue head;
  union
  {
    gint64 integer;
    double number;
  } as;
  int offset_seconds;
  guint16 nanoseconds; /* of a timestamp, beyond its microseconds */
} NebulaScalar;

typedef struct
{
  NebulaValue head;
  gsize length;
  char *data;
} NebulaText;

/* A string with NEBULA_VALUE_SLICE; others than core/value use length and data of the text only. */
typedef struct
{
  NebulaText text;
  GBytes *owner;
  char *terminated; /* atomic */
} NebulaSlice;

typedef struct
{
  NebulaValue head;
  GBytes *bytes;
} NebulaBytes;

typedef struct
{
  NebulaValue head;
  gsize length;
  NebulaValue *items[];
} NebulaArray;

typedef struct
{
  const char *text;
  guint32 length;
  guint32 hash; /* only set in shapes with an index */
} NebulaKey;

/* The keys of an object, in order; immutable, counted. Above 8 keys there is an index by keyed hash. */
typedef struct
{
  gint refs;
  guint32 n_keys;
  guint32 index_mask; /* 0: no index */
  guint32 *index;     /* key number plus 1; 0 is free */
  gsize key_bytes;
  NebulaKey keys[];
} NebulaShape;

typedef struct
{
  NebulaValue head;
  NebulaShape *shape;
  NebulaValue *members[];
} NebulaObject;

/* G_MAXUINT32: it has no such key. */
guint32 _nebula_shape_find (const NebulaShape *self, const char *key, gsize length);

/* Short keys are compared in place. */
static inline gboolean
_nebula_bytes_equal (const char *a, const char *b, gsize length)
{
  guint64 x = 0, y = 0;

  if (length > 16)
    return memcmp (a, b, length) == 0;
  if (length >= 8) {
    /* The two words overlap where the key is shorter than both. */
    if (memcmp (a, b, 8) != 0)
      return FALSE;
    return memcmp (a + length - 8, b + length - 8, 8) == 0;
  }
  for (gsize i = 0; i < length; i++) {
    x = x << 8 | (guchar) a[i];
    y = y << 8 | (guchar) b[i];
  }
  return x == y;
}

/*
 * The place of a key in a shape with few keys, tried first where it was found last; @hint is shared by threads, which
 * may overwrite each other's: it is only a guess. G_MAXUINT32: look it up the long way.
 */
static inline guint32
_nebula_shape_guess (const NebulaShape *shape, const char *key, gsize length, guint32 *hint)
{
  guint32 place = __atomic_load_n (hint, __ATOMIC_RELAXED);

  if (place < shape->n_keys && shape->keys[place].length == length &&
      _nebula_bytes_equal (shape->keys[place].text, key, length))
    return place;
  return G_MAXUINT32;
}

static inline void
_nebula_value_ref_fast (NebulaValue *self)
{
  if (!(self->flags & NEBULA_VALUE_IMMORTAL))
    g_atomic_int_inc (&self->refs);
}

G_END_DECLS
