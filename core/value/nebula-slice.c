/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values inside of a buffer that was read. A string in the middle of a buffer has no 0 behind it; whoever asks for a C
 * string gets a copy, which is made once and lives as long as the value. Whoever takes the length along pays nothing.
 */
#include "nebula-slice-internal.h"

#include "nebula-value-private.h"

#define COMPACT_DEPTH 1024

NebulaValue *
nebula_value_new_string_slice (GBytes *owner, const char *text, gsize length)
{
  NebulaSlice *self = NULL;

  if (length < NEBULA_SLICE_LEAST_BYTES)
    return nebula_value_new_string_length (text, length);
  self = g_new0 (NebulaSlice, 1);
  self->text.head.refs = 1;
  self->text.head.kind = NEBULA_VALUE_KIND_STRING;
  self->text.head.flags = NEBULA_VALUE_SLICE;
  self->text.head.size = NEBULA_SCALAR_SIZE + length;
  self->text.length = length;
  self->text.data = (char *) text;
  self->owner = g_bytes_ref (owner);
  return &self->text.head;
}

NebulaValue *
nebula_value_new_bytes_slice (GBytes *owner, const void *data, gsize length)
{
  gsize offset = (gsize) ((const char *) data - (const char *) g_bytes_get_data (owner, NULL));
  gboolean is_slice = length >= NEBULA_SLICE_LEAST_BYTES;
  g_autoptr (GBytes) bytes = is_slice ? g_bytes_new_from_bytes (owner, offset, length) : g_bytes_new (data, length);
  NebulaValue *self = nebula_value_new_bytes (bytes);

  if (is_slice)
    self->flags |= NEBULA_VALUE_SLICE;
  return self;
}

void
_nebula_slice_clear (NebulaSlice *self)
{
  g_bytes_unref (self->owner);
  g_free (self->terminated);
}

const char *
_nebula_slice_terminate (NebulaSlice *self)
{
  char *copy = g_atomic_pointer_get (&self->terminated);

  if (copy)
    return copy;
  copy = g_malloc (self->text.length + 1);
  _nebula_bytes_copy (copy, self->text.data, self->text.length);
  copy[self->text.length] = '\0';
  /* Another thread may have been faster. */
  if (!g_atomic_pointer_compare_and_exchange (&self->terminated, NULL, copy))
    g_free (copy);
  return g_atomic_pointer_get (&self->terminated);
}

/**
 * nebula_value_peek_text: (skip)
 * @self: a string, decimal or reference
 * @ret_length: (out): its bytes
 *
 * Reads a text where it lies. Unlike nebula_value_get_string() this copies nothing, even if the value was read in place;
 * in turn no 0 need follow.
 *
 * Thread: any.
 *
 * Returns: the text, which lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_value_peek_text (NebulaValue *self, gsize *ret_length)
{
  g_return_val_if_fail (self != NULL && ret_length != NULL, NULL);
  g_return_val_if_fail (self->kind == NEBULA_VALUE_KIND_STRING || self->kind == NEBULA_VALUE_KIND_DECIMAL
                          || self->kind == NEBULA_VALUE_KIND_REFERENCE,
                        NULL);

  *ret_length = ((NebulaText *) self)->length;
  return ((NebulaText *) self)->data;
}

/**
 * nebula_value_has_slices:
 * @self: a value
 *
 * Tells whether a value keeps a larger buffer alive because strings or bytes in it were read in place.
 *
 * Thread: any.
 *
 * Returns: %TRUE if it does
 *
 * Since: 1.0
 */
gboolean
nebula_value_has_slices (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (self->flags & NEBULA_VALUE_SLICE) != 0;
}

static NebulaValue *
compact_container (NebulaValue *self)
{
  gboolean is_object = self->kind == NEBULA_VALUE_KIND_OBJECT;
  g_autoptr (NebulaValueBuilder) builder = is_object ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();
  gsize count = _nebula_value_get_count (self);
  NebulaValue *const *children = _nebula_value_peek_children (self);

  for (gsize i = 0; i < count; i++) {
    NebulaValue *child = nebula_value_compact (children[i]);
    gsize length = 0;
    const char *key = is_object ? nebula_value_get_key (self, i, &length) : NULL;

    if (is_object)
      nebula_value_builder_set_length_take (builder, key, length, child);
    else
      nebula_value_builder_add_take (builder, child);
  }
  return nebula_value_builder_end (builder);
}

/**
 * nebula_value_compact:
 * @self: a value
 *
 * Gives an equal value that keeps no larger buffer alive. What is to live long, in a state or a cache, is compacted first;
 * a value without slices is its own compact form, which costs nothing. One that is nested deeper than 1,024 levels stays as
 * it is.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_compact (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (!(self->flags & NEBULA_VALUE_SLICE) || self->depth > COMPACT_DEPTH)
    return nebula_value_ref (self);
  if (self->kind == NEBULA_VALUE_KIND_STRING) {
    NebulaText *text = (NebulaText *) self;

    return nebula_value_new_string_length (text->data, text->length);
  }
  if (self->kind == NEBULA_VALUE_KIND_BYTES) {
    gsize size = 0;
    const void *data = g_bytes_get_data (((NebulaBytes *) self)->bytes, &size);
    g_autoptr (GBytes) copy = g_bytes_new (data, size);

    return nebula_value_new_bytes (copy);
  }
  return compact_container (self);
}
