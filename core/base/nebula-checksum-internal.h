/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Checksums of 64 bits that find accidents, not forgery: eight bytes a step, each step reversible, so that no single
 * change can go unseen. They are stored: their values must never change. */

static inline guint64
_nebula_checksum_mix (guint64 state, guint64 word)
{
  state = (state ^ word) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  return state ^ (state >> 32);
}

static inline guint64
_nebula_checksum_load (const guint8 *bytes, gsize length)
{
  guint64 word = 0;

  memcpy (&word, bytes, length);

  return GUINT64_FROM_LE (word);
}

static inline guint64
_nebula_checksum (guint64 seed, const void *data, gsize length)
{
  const guint8 *bytes = data;
  guint64 state = _nebula_checksum_mix (seed, length);

  for (; length >= 8; bytes += 8, length -= 8)
    state = _nebula_checksum_mix (state, _nebula_checksum_load (bytes, 8));

  return length > 0 ? _nebula_checksum_mix (state, _nebula_checksum_load (bytes, length)) : state;
}

G_END_DECLS
