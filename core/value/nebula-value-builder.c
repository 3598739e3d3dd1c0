/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A builder keeps its buffers and the shapes of the last objects that it made. While the keys of a new object arrive
 * in the order of such a shape it stores none of them (`following`), and the finished object shares the shape.
 */
#include "nebula-value-private.h"

#define BUILDER_SHAPES 4

struct _NebulaValueBuilder
{
  gint refs;
  gboolean is_object;
  NebulaValue **items;
  gsize length;
  gsize capacity;

  NebulaShape *following;
  NebulaShape *shapes[BUILDER_SHAPES];
  guint next_shape;

  NebulaKey *keys; /* while not following; the hash is set when there is an index */
  gsize keys_capacity;
  GStringChunk *chunk;
  guint32 *index;
  guint32 index_size; /* places in use, a power of two */
  guint32 index_capacity;
  gboolean has_index;
};

G_DEFINE_BOXED_TYPE (NebulaValueBuilder, nebula_value_builder, nebula_value_builder_ref, nebula_value_builder_unref)

static NebulaValueBuilder *
builder_new (gboolean is_object)
{
  NebulaValueBuilder *self = g_new0 (NebulaValueBuilder, 1);

  self->refs = 1;
  self->is_object = is_object;
  return self;
}

/* Makes room for one more item. */
static void
builder_grow (NebulaValueBuilder *self)
{
  if (G_LIKELY (self->length < self->capacity))
    return;
  self->capacity = MAX (8, self->capacity * 2);
  self->items = g_renew (NebulaValue *, self->items, self->capacity);
}

static void
builder_store_key (NebulaValueBuilder *self, gsize number, const char *text, gsize length)
{
  if (number >= self->keys_capacity) {
    self->keys_capacity = MAX (8, self->keys_capacity * 2);
    self->keys = g_renew (NebulaKey, self->keys, self->keys_capacity);
  }
  if (!self->chunk)
    self->chunk = g_string_chunk_new (512);
  self->keys[number].text = g_string_chunk_insert_len (self->chunk, text, (gssize) length);
  self->keys[number].length = (guint32) length;
}

/* Leaves a shape whose keys do not fit further. */
static void
builder_stop_following (NebulaValueBuilder *self)
{
  NebulaShape *shape = g_steal_pointer (&self->following);

  for (gsize i = 0; i < self->length; i++)
    builder_store_key (self, i, shape->keys[i].text, shape->keys[i].length);
}

static void
builder_index_all (NebulaValueBuilder *self)
{
  guint32 size = _nebula_index_size (MAX (self->length + 1, 2 * NEBULA_SHAPE_LINEAR));

  if (size > self->index_capacity) {
    g_free (self->index);
    self->index = g_new (guint32, size);
    self->index_capacity = size;
  }
  self->index_size = size;
  memset (self->index, 0, self->index_size * sizeof (guint32));
  for (gsize i = 0; i < self->length; i++) {
    if (!self->has_index)
      self->keys[i].hash = (guint32) _nebula_hash_bytes (self->keys[i].text, self->keys[i].length);
    _nebula_index_add (self->index, self->index_size - 1, self->keys[i].hash, (guint32) i);
  }
  self->has_index = TRUE;
}

static gsize
builder_find_indexed (NebulaValueBuilder *self, const char *text, gsize length, guint32 hash)
{
  guint32 mask = self->index_size - 1;

  for (guint32 place = hash & mask; self->index[place] != 0; place = (place + 1) & mask) {
    guint32 number = self->index[place] - 1;

    if (self->keys[number].hash == hash && _nebula_key_equal (&self->keys[number], text, length))
      return number;
  }
  return self->length;
}

/* The number of the key, or the length if there is none. */
static gsize
builder_find (NebulaValueBuilder *self, const char *text, gsize length)
{
  const NebulaKey *keys = NULL;

  if (self->following && self->length > NEBULA_SHAPE_LINEAR) {
    guint32 number = _nebula_shape_find (self->following, text, length);

    return number < self->length ? number : self->length;
  }
  if (!self->following && self->has_index)
    return builder_find_indexed (self, text, length, (guint32) _nebula_hash_bytes (text, length));

  keys = self->following ? self->following->keys : self->keys;
  for (gsize i = 0; i < self->length; i++)
    if (_nebula_key_equal (&keys[i], text, length))
      return i;
  return self->length;
}

/* Picks a shape whose first key fits. */
static void
builder_start_following (NebulaValueBuilder *self, const char *text, gsize length)
{
  for (guint i = 0; i < BUILDER_SHAPES; i++) {
    NebulaShape *shape = self->shapes[i];

    if (shape && _nebula_key_equal (&shape->keys[0], text, length)) {
      self->following = shape;
      return;
    }
  }
}

static gsize
builder_add_key (NebulaValueBuilder *self, const char *text, gsize length)
{
  gsize slot = self->length;

  if (self->following)
    builder_stop_following (self);
  builder_store_key (self, slot, text, length);
  if (self->has_index) {
    self->keys[slot].hash = (guint32) _nebula_hash_bytes (text, length);
    if (2 * (slot + 1) > self->index_size)
      builder_index_all (self);
    _nebula_index_add (self->index, self->index_size - 1, self->keys[slot].hash, (guint32) slot);
  }
  return slot;
}

gsize
_nebula_value_builder_reserve (NebulaValueBuilder *self, const char *key, gsize length, gboolean *ret_existed)
{
  gsize slot = self->length;

  *ret_existed = FALSE;
  if (slot == 0)
    builder_start_following (self, key, length);
  if (!self->following || slot >= self->following->n_keys
      || !_nebula_key_equal (&self->following->keys[slot], key, length)) {
    slot = builder_find (self, key, length);
    if (slot < self->length) {
      *ret_existed = TRUE;
      return slot;
    }
    slot = builder_add_key (self, key, length);
  }
  builder_grow (self);
  self->items[self->length++] = NULL;
  if (!self->following && !self->has_index && self->length > NEBULA_SHAPE_LINEAR)
    builder_index_all (self);
  return slot;
}

void
_nebula_value_builder_fill (NebulaValueBuilder *self, gsize slot, NebulaValue *value)
{
  NebulaValue *old = self->items[slot];

  self->items[slot] = value;
  if (old)
    nebula_value_unref (old);
}

/* Empties the builder without touching its items. */
static void
builder_reset (NebulaValueBuilder *self)
{
  self->length = 0;
  self->following = NULL;
  self->has_index = FALSE;
  if (self->chunk)
    g_string_chunk_clear (self->chunk);
}

static NebulaShape *
builder_end_shape (NebulaValueBuilder *self)
{
  NebulaShape *shape = NULL;

  if (self->following && self->length == self->following->n_keys)
    return _nebula_shape_ref (self->following);
  if (self->following)
    builder_stop_following (self);

  shape = _nebula_shape_new (self->keys, self->length);
  g_clear_pointer (&self->shapes[self->next_shape], _nebula_shape_unref);
  self->shapes[self->next_shape] = _nebula_shape_ref (shape);
  self->next_shape = (self->next_shape + 1) % BUILDER_SHAPES;
  return shape;
}

/**
 * nebula_value_builder_new_array:
 *
 * Makes a builder of an array.
 *
 * Returns: (transfer full): an empty builder
 *
 * Since: 1.0
 */
NebulaValueBuilder *
nebula_value_builder_new_array (void)
{
  return builder_new (FALSE);
}

/**
 * nebula_value_builder_new_object:
 *
 * Makes a builder of an object.
 *
 * Returns: (transfer full): an empty builder
 *
 * Since: 1.0
 */
NebulaValueBuilder *
nebula_value_builder_new_object (void)
{
  return builder_new (TRUE);
}

/**
 * nebula_value_builder_ref:
 * @self: a builder
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaValueBuilder *
nebula_value_builder_ref (NebulaValueBuilder *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_value_builder_unref:
 * @self: a builder
 *
 * Counts one holder less and frees the builder with the last.
 *
 * Since: 1.0
 */
void
nebula_value_builder_unref (NebulaValueBuilder *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  for (gsize i = 0; i < self->length; i++)
    g_clear_pointer (&self->items[i], nebula_value_unref);
  for (guint i = 0; i < BUILDER_SHAPES; i++)
    g_clear_pointer (&self->shapes[i], _nebula_shape_unref);
  g_clear_pointer (&self->chunk, g_string_chunk_free);
  g_free (self->items);
  g_free (self->keys);
  g_free (self->index);
  g_free (self);
}

/**
 * nebula_value_builder_get_length:
 * @self: a builder
 *
 * Counts what was added so far.
 *
 * Returns: items or members
 *
 * Since: 1.0
 */
gsize
nebula_value_builder_get_length (NebulaValueBuilder *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->length;
}

/**
 * nebula_value_builder_add:
 * @self: a builder of an array
 * @item: what to add
 *
 * Adds an item at the end.
 *
 * Since: 1.0
 */
void
nebula_value_builder_add (NebulaValueBuilder *self, NebulaValue *item)
{
  g_return_if_fail (item != NULL);

  nebula_value_builder_add_take (self, nebula_value_ref (item));
}

/**
 * nebula_value_builder_add_take:
 * @self: a builder of an array
 * @item: (transfer full): what to add
 *
 * Adds an item at the end and takes it over.
 *
 * Since: 1.0
 */
void
nebula_value_builder_add_take (NebulaValueBuilder *self, NebulaValue *item)
{
  g_return_if_fail (self != NULL && !self->is_object);
  g_return_if_fail (item != NULL);

  builder_grow (self);
  self->items[self->length++] = item;
}

/**
 * nebula_value_builder_set:
 * @self: a builder of an object
 * @key: the member's key
 * @member: its value
 *
 * Sets a member; one that is there already keeps its place.
 *
 * Since: 1.0
 */
void
nebula_value_builder_set (NebulaValueBuilder *self, const char *key, NebulaValue *member)
{
  g_return_if_fail (member != NULL);

  nebula_value_builder_set_take (self, key, nebula_value_ref (member));
}

/**
 * nebula_value_builder_set_take:
 * @self: a builder of an object
 * @key: the member's key
 * @member: (transfer full): its value
 *
 * Sets a member and takes its value over.
 *
 * Since: 1.0
 */
void
nebula_value_builder_set_take (NebulaValueBuilder *self, const char *key, NebulaValue *member)
{
  g_return_if_fail (key != NULL);

  nebula_value_builder_set_length_take (self, key, strlen (key), member);
}

/**
 * nebula_value_builder_set_length_take: (skip)
 * @self: a builder of an object
 * @key: the member's key, which may hold U+0000
 * @length: its bytes
 * @member: (transfer full): its value
 *
 * Sets a member and takes its value over.
 *
 * Since: 1.0
 */
void
nebula_value_builder_set_length_take (NebulaValueBuilder *self, const char *key, gsize length, NebulaValue *member)
{
  gboolean existed = FALSE;
  gsize slot = 0;

  g_return_if_fail (self != NULL && self->is_object);
  g_return_if_fail (key != NULL && length < G_MAXUINT32);
  g_return_if_fail (member != NULL);

  slot = _nebula_value_builder_reserve (self, key, length, &existed);
  _nebula_value_builder_fill (self, slot, member);
}

/**
 * nebula_value_builder_has: (skip)
 * @self: a builder of an object
 * @key: a key
 * @length: its bytes
 *
 * Tells whether a member was set.
 *
 * Returns: whether it was
 *
 * Since: 1.0
 */
gboolean
nebula_value_builder_has (NebulaValueBuilder *self, const char *key, gsize length)
{
  g_return_val_if_fail (self != NULL && self->is_object, FALSE);
  g_return_val_if_fail (key != NULL, FALSE);

  return builder_find (self, key, length) < self->length;
}

/**
 * nebula_value_builder_set_string:
 * @self: a builder of an object
 * @key: the member's key
 * @text: (nullable): its text; %NULL sets null
 *
 * Sets a member to a string.
 *
 * Since: 1.0
 */
void
nebula_value_builder_set_string (NebulaValueBuilder *self, const char *key, const char *text)
{
  nebula_value_builder_set_take (self, key, text ? nebula_value_new_string (text) : nebula_value_new_null ());
}

/**
 * nebula_value_builder_set_integer:
 * @self: a builder of an object
 * @key: the member's key
 * @integer: its value
 *
 * Sets a member to an integer.
 *
 * Since: 1.0
 */
void
nebula_value_builder_set_integer (NebulaValueBuilder *self, const char *key, gint64 integer)
{
  nebula_value_builder_set_take (self, key, nebula_value_new_integer (integer));
}

/**
 * nebula_value_builder_set_boolean:
 * @self: a builder of an object
 * @key: the member's key
 * @boolean: its value
 *
 * Sets a member to a boolean.
 *
 * Since: 1.0
 */
void
nebula_value_builder_set_boolean (NebulaValueBuilder *self, const char *key, gboolean boolean)
{
  nebula_value_builder_set_take (self, key, nebula_value_new_boolean (boolean));
}

/**
 * nebula_value_builder_end:
 * @self: a builder
 *
 * Makes the value of what was added and leaves the builder empty, ready for the next.
 *
 * Returns: (transfer full): an array or object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_builder_end (NebulaValueBuilder *self)
{
  NebulaValue *value = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->length == 0)
    return self->is_object ? nebula_value_new_empty_object () : nebula_value_new_array (NULL, 0);
  if (self->is_object) {
    NebulaObject *object = _nebula_object_alloc (builder_end_shape (self));

    _nebula_bytes_copy (object->members, self->items, self->length * sizeof (NebulaValue *));
    value = &object->head;
  } else {
    NebulaArray *array = _nebula_array_alloc (self->length);

    _nebula_bytes_copy (array->items, self->items, self->length * sizeof (NebulaValue *));
    value = &array->head;
  }
  builder_reset (self);
  return _nebula_value_seal (value);
}
