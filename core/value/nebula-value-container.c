/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays and objects: making, reading, changed copies. */
#include "nebula-value-private.h"

static NebulaShape empty_shape = { .refs = 1 };
static NebulaArray empty_array
  = { .head = { .refs = 1, .kind = NEBULA_VALUE_KIND_ARRAY, .flags = NEBULA_VALUE_IMMORTAL, .depth = 1, .size = NEBULA_SCALAR_SIZE } };
static NebulaObject empty_object
  = { .head = { .refs = 1, .kind = NEBULA_VALUE_KIND_OBJECT, .flags = NEBULA_VALUE_IMMORTAL, .depth = 1, .size = NEBULA_SCALAR_SIZE },
      .shape = &empty_shape };

NebulaArray *
_nebula_array_alloc (gsize length)
{
  NebulaArray *self = g_malloc (sizeof (NebulaArray) + length * sizeof (NebulaValue *));

  self->head = (NebulaValue){ .refs = 1, .kind = NEBULA_VALUE_KIND_ARRAY };
  self->length = length;
  return self;
}

/* Takes the shape over. */
NebulaObject *
_nebula_object_alloc (NebulaShape *shape)
{
  NebulaObject *self = g_malloc (sizeof (NebulaObject) + shape->n_keys * sizeof (NebulaValue *));

  self->head = (NebulaValue){ .refs = 1, .kind = NEBULA_VALUE_KIND_OBJECT };
  self->shape = shape;
  return self;
}

/* Works out size and depth once all children are in place. */
NebulaValue *
_nebula_value_seal (NebulaValue *self)
{
  NebulaValue *const *children = _nebula_value_peek_children (self);
  gsize count = _nebula_value_get_count (self);
  guint depth = 0;
  guint flags = 0;

  self->size = NEBULA_SCALAR_SIZE + 8 * count;
  if (self->kind == NEBULA_VALUE_KIND_OBJECT)
    self->size += ((NebulaObject *) self)->shape->key_bytes;
  for (gsize i = 0; i < count; i++) {
    /* Shared parts count each time that they stand; a sum beyond the range stays at the greatest. */
    if (!g_size_checked_add (&self->size, self->size, children[i]->size))
      self->size = G_MAXSIZE;
    depth = MAX (depth, children[i]->depth);
    flags |= children[i]->flags;
  }
  self->depth = (guint16) MIN (depth + 1, G_MAXUINT16);
  self->flags |= (guint8) (flags & (NEBULA_VALUE_REFERS | NEBULA_VALUE_STORED | NEBULA_VALUE_SLICE));
  return self;
}

/**
 * nebula_value_new_array:
 * @items: (array length=n_items) (nullable): items; borrowed
 * @n_items: how many
 *
 * Makes an array.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_array (NebulaValue **items, gsize n_items)
{
  NebulaArray *self = NULL;

  g_return_val_if_fail (items != NULL || n_items == 0, NULL);

  if (n_items == 0)
    return &empty_array.head;
  self = _nebula_array_alloc (n_items);
  for (gsize i = 0; i < n_items; i++)
    self->items[i] = nebula_value_ref (items[i]);
  return _nebula_value_seal (&self->head);
}

/**
 * nebula_value_new_strv:
 * @strings: (array zero-terminated=1) (nullable): texts
 *
 * Makes an array of strings.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_strv (const char *const *strings)
{
  gsize length = strings ? g_strv_length ((char **) strings) : 0;
  NebulaArray *self = NULL;

  if (length == 0)
    return &empty_array.head;
  self = _nebula_array_alloc (length);
  for (gsize i = 0; i < length; i++)
    self->items[i] = nebula_value_new_string (strings[i]);
  return _nebula_value_seal (&self->head);
}

/**
 * nebula_value_new_empty_object:
 *
 * Gives the object without members.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_empty_object (void)
{
  return &empty_object.head;
}

/**
 * nebula_value_get_length:
 * @self: an array or object
 *
 * Counts items or members.
 *
 * Returns: how many
 *
 * Since: 1.0
 */
gsize
nebula_value_get_length (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && _nebula_value_is_container (self), 0);

  return _nebula_value_get_count (self);
}

/**
 * nebula_value_get_item:
 * @self: an array
 * @index: from 0
 *
 * Gets an item.
 *
 * Returns: (transfer none) (nullable): the item, %NULL behind the end
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_get_item (NebulaValue *self, gsize index)
{
  NebulaArray *array = (NebulaArray *) self;

  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_ARRAY, NULL);

  return index < array->length ? array->items[index] : NULL;
}

/**
 * nebula_value_get_member:
 * @self: an object
 * @key: a key
 *
 * Gets a member.
 *
 * Returns: (transfer none) (nullable): its value, %NULL if there is no such member
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_get_member (NebulaValue *self, const char *key)
{
  g_return_val_if_fail (key != NULL, NULL);

  return nebula_value_get_member_length (self, key, strlen (key));
}

/**
 * nebula_value_get_member_length: (skip)
 * @self: an object
 * @key: a key, which may hold U+0000
 * @length: its bytes
 *
 * Gets a member.
 *
 * Returns: (transfer none) (nullable): its value, %NULL if there is no such member
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_get_member_length (NebulaValue *self, const char *key, gsize length)
{
  NebulaObject *object = (NebulaObject *) self;
  guint32 number = NEBULA_SHAPE_NONE;

  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_OBJECT, NULL);
  g_return_val_if_fail (key != NULL, NULL);

  number = _nebula_shape_find (object->shape, key, length);
  return number == NEBULA_SHAPE_NONE ? NULL : object->members[number];
}

/**
 * nebula_value_get_key:
 * @self: an object
 * @index: from 0
 * @ret_length: (out) (optional): its bytes
 *
 * Gets a key by its place.
 *
 * Returns: (nullable): the key, which lives as long as @self; %NULL behind the end
 *
 * Since: 1.0
 */
const char *
nebula_value_get_key (NebulaValue *self, gsize index, gsize *ret_length)
{
  NebulaObject *object = (NebulaObject *) self;

  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_OBJECT, NULL);

  if (index >= object->shape->n_keys)
    return NULL;
  if (ret_length)
    *ret_length = object->shape->keys[index].length;
  return object->shape->keys[index].text;
}

/**
 * nebula_value_get_member_at:
 * @self: an object
 * @index: from 0
 *
 * Gets a member by its place.
 *
 * Returns: (transfer none) (nullable): its value, %NULL behind the end
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_get_member_at (NebulaValue *self, gsize index)
{
  NebulaObject *object = (NebulaObject *) self;

  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_OBJECT, NULL);

  return index < object->shape->n_keys ? object->members[index] : NULL;
}

/**
 * nebula_value_has_member:
 * @self: an object
 * @key: a key
 *
 * Tells whether an object has a member.
 *
 * Returns: whether it has
 *
 * Since: 1.0
 */
gboolean
nebula_value_has_member (NebulaValue *self, const char *key)
{
  return nebula_value_get_member (self, key) != NULL;
}

static NebulaValue *
find_member_of_kind (NebulaValue *self, const char *key, NebulaValueKind kind)
{
  NebulaValue *member = nebula_value_get_member (self, key);

  return member && member->kind == kind ? member : NULL;
}

/**
 * nebula_value_get_member_string:
 * @self: an object
 * @key: a key
 * @fallback: (nullable): what to give otherwise
 *
 * Reads a member that should be a string.
 *
 * Returns: (transfer none) (nullable): its text, or @fallback if it is absent or no string
 *
 * Since: 1.0
 */
const char *
nebula_value_get_member_string (NebulaValue *self, const char *key, const char *fallback)
{
  NebulaValue *member = find_member_of_kind (self, key, NEBULA_VALUE_KIND_STRING);

  return member ? nebula_value_get_string (member) : fallback;
}

/**
 * nebula_value_get_member_integer:
 * @self: an object
 * @key: a key
 * @fallback: what to give otherwise
 *
 * Reads a member that should be an integer.
 *
 * Returns: the number, or @fallback if it is absent or no integer
 *
 * Since: 1.0
 */
gint64
nebula_value_get_member_integer (NebulaValue *self, const char *key, gint64 fallback)
{
  NebulaValue *member = find_member_of_kind (self, key, NEBULA_VALUE_KIND_INTEGER);

  return member ? nebula_value_get_integer (member) : fallback;
}

/**
 * nebula_value_get_member_boolean:
 * @self: an object
 * @key: a key
 * @fallback: what to give otherwise
 *
 * Reads a member that should be a boolean.
 *
 * Returns: what it is, or @fallback if it is absent or no boolean
 *
 * Since: 1.0
 */
gboolean
nebula_value_get_member_boolean (NebulaValue *self, const char *key, gboolean fallback)
{
  NebulaValue *member = find_member_of_kind (self, key, NEBULA_VALUE_KIND_BOOLEAN);

  return member ? nebula_value_get_boolean (member) : fallback;
}

static NebulaShape *
shape_with_key (NebulaShape *shape, const char *key)
{
  g_autofree NebulaKey *keys = g_new (NebulaKey, shape->n_keys + 1);

  _nebula_bytes_copy (keys, shape->keys, shape->n_keys * sizeof (NebulaKey));
  keys[shape->n_keys] = (NebulaKey){ .text = key, .length = (guint32) strlen (key) };
  return _nebula_shape_new (keys, shape->n_keys + 1);
}

/**
 * nebula_value_with_member:
 * @self: an object
 * @key: a key
 * @member: its value
 *
 * Copies an object with one member set; one that is there already keeps its place.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_with_member (NebulaValue *self, const char *key, NebulaValue *member)
{
  NebulaObject *object = (NebulaObject *) self, *copy = NULL;
  guint32 number = 0;

  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_OBJECT, NULL);
  g_return_val_if_fail (key != NULL && member != NULL, NULL);

  number = _nebula_shape_find (object->shape, key, strlen (key));
  if (number == NEBULA_SHAPE_NONE) {
    number = object->shape->n_keys;
    copy = _nebula_object_alloc (shape_with_key (object->shape, key));
  } else {
    copy = _nebula_object_alloc (_nebula_shape_ref (object->shape));
  }
  for (guint32 i = 0; i < copy->shape->n_keys; i++)
    copy->members[i] = nebula_value_ref (i == number ? member : object->members[i]);
  return _nebula_value_seal (&copy->head);
}

/**
 * nebula_value_without_member:
 * @self: an object
 * @key: a key
 *
 * Copies an object without one member.
 *
 * Returns: (transfer full): the copy; @self if there is no such member
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_without_member (NebulaValue *self, const char *key)
{
  NebulaObject *object = (NebulaObject *) self, *copy = NULL;
  g_autofree NebulaKey *keys = NULL;
  guint32 number = 0, n_left = 0;

  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_OBJECT, NULL);
  g_return_val_if_fail (key != NULL, NULL);

  number = _nebula_shape_find (object->shape, key, strlen (key));
  if (number == NEBULA_SHAPE_NONE)
    return nebula_value_ref (self);
  n_left = object->shape->n_keys - 1;
  if (n_left == 0)
    return nebula_value_new_empty_object ();

  keys = g_new (NebulaKey, n_left);
  for (guint32 i = 0; i < n_left; i++)
    keys[i] = object->shape->keys[i < number ? i : i + 1];
  copy = _nebula_object_alloc (_nebula_shape_new (keys, n_left));
  for (guint32 i = 0; i < n_left; i++)
    copy->members[i] = nebula_value_ref (object->members[i < number ? i : i + 1]);
  return _nebula_value_seal (&copy->head);
}

/**
 * nebula_value_append:
 * @self: an array
 * @item: what to add
 *
 * Copies an array with one more item at the end. To add many use a builder.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_append (NebulaValue *self, NebulaValue *item)
{
  NebulaArray *array = (NebulaArray *) self, *copy = NULL;

  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_ARRAY, NULL);
  g_return_val_if_fail (item != NULL, NULL);

  copy = _nebula_array_alloc (array->length + 1);
  for (gsize i = 0; i < array->length; i++)
    copy->items[i] = nebula_value_ref (array->items[i]);
  copy->items[array->length] = nebula_value_ref (item);
  return _nebula_value_seal (&copy->head);
}

static NebulaValue *
slice_string (NebulaValue *self, gsize start, gsize end)
{
  const char *at = nebula_value_get_string (self);
  const char *stop = at + nebula_value_get_string_length (self);
  const char *first = NULL;
  gsize number = 0;

  for (; at < stop && number < start; number++)
    at = g_utf8_next_char (at);
  first = at;
  for (; at < stop && number < end; number++)
    at = g_utf8_next_char (at);
  return nebula_value_new_string_length (first, (gsize) (MIN (at, stop) - MIN (first, stop)));
}

/**
 * nebula_value_slice:
 * @self: an array or string
 * @start: the first item or character, from 0
 * @end: the one behind the last; cut to the length
 *
 * Copies a part of an array or string.
 *
 * Returns: (transfer full): the part, empty if @end is not behind @start
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_slice (NebulaValue *self, gsize start, gsize end)
{
  NebulaArray *array = (NebulaArray *) self;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (self->kind == NEBULA_VALUE_KIND_ARRAY || self->kind == NEBULA_VALUE_KIND_STRING, NULL);

  if (self->kind == NEBULA_VALUE_KIND_STRING)
    return slice_string (self, start, MAX (start, end));
  end = MIN (end, array->length);
  if (start >= end)
    return nebula_value_new_array (NULL, 0);
  if (start == 0 && end == array->length)
    return nebula_value_ref (self);
  return nebula_value_new_array (array->items + start, end - start);
}
