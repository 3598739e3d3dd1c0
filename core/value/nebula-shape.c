/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of objects. The index is keyed by random bits of this process, so nobody outside can choose keys that
 * fall into one place: the hash is SipHash with one round a word and three at the end.
 */
#include <sys/random.h>

#include "nebula-value-private.h"

typedef struct
{
  guint64 v0, v1, v2, v3;
} SipState;

static guint64 sip_key[2];

static void
sip_key_init (void)
{
  static gsize once;

  if (!g_once_init_enter (&once))
    return;
  if (getrandom (sip_key, sizeof sip_key, 0) != sizeof sip_key) {
    sip_key[0] = ((guint64) g_random_int () << 32) | g_random_int ();
    sip_key[1] = ((guint64) g_random_int () << 32) | g_random_int ();
  }
  g_once_init_leave (&once, 1);
}

static inline guint64
rotate (guint64 word, guint bits)
{
  return (word << bits) | (word >> (64 - bits));
}

static inline void
sip_round (SipState *s)
{
  s->v0 += s->v1;
  s->v1 = rotate (s->v1, 13) ^ s->v0;
  s->v0 = rotate (s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotate (s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotate (s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotate (s->v1, 17) ^ s->v2;
  s->v2 = rotate (s->v2, 32);
}

static inline void
sip_word (SipState *s, guint64 word)
{
  s->v3 ^= word;
  sip_round (s);
  s->v0 ^= word;
}

guint64
_nebula_hash_bytes (const void *data, gsize length)
{
  const guint8 *bytes = data;
  guint64 word = 0;
  gsize at = 0;
  SipState s;

  sip_key_init ();
  s.v0 = sip_key[0] ^ G_GUINT64_CONSTANT (0x736f6d6570736575);
  s.v1 = sip_key[1] ^ G_GUINT64_CONSTANT (0x646f72616e646f6d);
  s.v2 = sip_key[0] ^ G_GUINT64_CONSTANT (0x6c7967656e657261);
  s.v3 = sip_key[1] ^ G_GUINT64_CONSTANT (0x7465646279746573);
  for (; at + 8 <= length; at += 8) {
    _nebula_bytes_copy (&word, bytes + at, 8);
    sip_word (&s, word);
  }
  word = (guint64) length << 56;
  for (guint shift = 0; at < length; at++, shift += 8)
    word |= (guint64) bytes[at] << shift;
  sip_word (&s, word);
  s.v2 ^= 0xff;
  for (guint i = 0; i < 3; i++)
    sip_round (&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* At least twice as many places as keys, a power of two. */
guint32
_nebula_index_size (gsize n_keys)
{
  guint32 size = 32;

  while (size < 2 * n_keys)
    size *= 2;
  return size;
}

void
_nebula_index_add (guint32 *index, guint32 mask, guint32 hash, guint32 number)
{
  guint32 place = hash & mask;

  while (index[place] != 0)
    place = (place + 1) & mask;
  index[place] = number + 1;
}

/* One block: shape, keys, index, characters. The caller's keys are unique; hashes are computed here. */
NebulaShape *
_nebula_shape_new (const NebulaKey *keys, gsize n_keys)
{
  guint32 index_size = n_keys > NEBULA_SHAPE_LINEAR ? _nebula_index_size (n_keys) : 0;
  gsize key_bytes = 0;
  NebulaShape *self = NULL;
  char *text = NULL;

  for (gsize i = 0; i < n_keys; i++)
    key_bytes += keys[i].length;
  self = g_malloc (sizeof (NebulaShape) + n_keys * sizeof (NebulaKey) + index_size * sizeof (guint32) + key_bytes
                   + n_keys);
  self->refs = 1;
  self->n_keys = (guint32) n_keys;
  self->key_bytes = key_bytes;
  self->index = (guint32 *) (self->keys + n_keys);
  self->index_mask = index_size > 0 ? index_size - 1 : 0;
  text = (char *) (self->index + index_size);
  if (index_size > 0)
    memset (self->index, 0, index_size * sizeof (guint32));
  for (gsize i = 0; i < n_keys; i++) {
    NebulaKey *key = &self->keys[i];

    *key = keys[i];
    _nebula_bytes_copy (text, keys[i].text, key->length);
    text[key->length] = '\0';
    key->text = text;
    text += key->length + 1;
    if (index_size == 0)
      continue;
    key->hash = (guint32) _nebula_hash_bytes (key->text, key->length);
    _nebula_index_add (self->index, self->index_mask, key->hash, (guint32) i);
  }
  return self;
}

NebulaShape *
_nebula_shape_ref (NebulaShape *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

void
_nebula_shape_unref (NebulaShape *self)
{
  if (g_atomic_int_dec_and_test (&self->refs))
    g_free (self);
}

guint32
_nebula_shape_find (const NebulaShape *self, const char *key, gsize length)
{
  guint32 hash = 0, place = 0;

  if (self->index_mask == 0) {
    for (guint32 i = 0; i < self->n_keys; i++)
      if (_nebula_key_equal (&self->keys[i], key, length))
        return i;
    return NEBULA_SHAPE_NONE;
  }

  hash = (guint32) _nebula_hash_bytes (key, length);
  for (place = hash & self->index_mask; self->index[place] != 0; place = (place + 1) & self->index_mask) {
    guint32 number = self->index[place] - 1;

    if (self->keys[number].hash == hash && _nebula_key_equal (&self->keys[number], key, length))
      return number;
  }
  return NEBULA_SHAPE_NONE;
}
