/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Equality, hashes and order. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "nebula-error.h"
#include "nebula-value-private.h"

void
_nebula_walk_grow (NebulaWalk *self)
{
  gsize capacity = self->capacity * 2;

  if (self->frames == self->small) {
    self->frames = g_new (NebulaFrame, capacity);
    _nebula_bytes_copy (self->frames, self->small, sizeof self->small);
  } else {
    self->frames = g_renew (NebulaFrame, self->frames, capacity);
  }
  self->capacity = capacity;
}

static gint
compare_bytes (const void *a, gsize a_length, const void *b, gsize b_length)
{
  gsize length = MIN (a_length, b_length);
  gint order = length > 0 ? memcmp (a, b, length) : 0;

  if (order != 0)
    return order < 0 ? -1 : 1;
  return (a_length > b_length) - (a_length < b_length);
}

static gint
compare_text (NebulaValue *self, NebulaValue *other)
{
  NebulaText *a = (NebulaText *) self, *b = (NebulaText *) other;

  return compare_bytes (a->data, a->length, b->data, b->length);
}

static gint
compare_scalars (NebulaValue *self, NebulaValue *other)
{
  NebulaScalar *a = (NebulaScalar *) self, *b = (NebulaScalar *) other;

  if (a->as.integer != b->as.integer)
    return a->as.integer < b->as.integer ? -1 : 1;
  return (a->nanoseconds > b->nanoseconds) - (a->nanoseconds < b->nanoseconds);
}

/* Whether two values are equal as far as can be told without looking into containers. */
static gboolean
equal_shallow (NebulaValue *self, NebulaValue *other)
{
  if (self == other)
    return TRUE;
  if (nebula_value_is_number (self) && nebula_value_is_number (other))
    return _nebula_number_compare (self, other) == 0;
  if (self->kind != other->kind)
    return FALSE;
  switch ((NebulaValueKind) self->kind) {
  case NEBULA_VALUE_KIND_STRING:
  case NEBULA_VALUE_KIND_REFERENCE:
    return compare_text (self, other) == 0;
  case NEBULA_VALUE_KIND_BYTES:
    return g_bytes_equal (((NebulaBytes *) self)->bytes, ((NebulaBytes *) other)->bytes);
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
    return _nebula_value_get_count (self) == _nebula_value_get_count (other);
  case NEBULA_VALUE_KIND_NULL:
  case NEBULA_VALUE_KIND_BOOLEAN:
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
  default:
    return compare_scalars (self, other) == 0;
  }
}

/* The child of the other container that the child at a place must equal. */
static NebulaValue *
find_counterpart (NebulaFrame *frame, gsize place)
{
  NebulaObject *a = (NebulaObject *) frame->self, *b = (NebulaObject *) frame->other;
  const NebulaKey *key = NULL;

  if (frame->self->kind == NEBULA_VALUE_KIND_ARRAY)
    return ((NebulaArray *) frame->other)->items[place];
  if (a->shape == b->shape)
    return b->members[place];
  key = &a->shape->keys[place];
  return nebula_value_get_member_length (frame->other, key->text, key->length);
}

/**
 * nebula_value_equal:
 * @self: a value
 * @other: another value
 *
 * Tells whether two values are equal: deeply, numbers by value, objects without regard to order, timestamps by
 * instant. Nothing is converted.
 *
 * Returns: whether they are
 *
 * Since: 1.0
 */
gboolean
nebula_value_equal (NebulaValue *self, NebulaValue *other)
{
  g_auto (NebulaWalk) walk;
  NebulaFrame *frame = NULL;

  _nebula_walk_init (&walk);
  g_return_val_if_fail (self != NULL && other != NULL, FALSE);

  if (!equal_shallow (self, other))
    return FALSE;
  if (self != other && _nebula_value_is_container (self))
    _nebula_walk_push (&walk, self, other);
  while ((frame = _nebula_walk_top (&walk)) != NULL) {
    NebulaValue *child = NULL, *counterpart = NULL;

    if (frame->next == _nebula_value_get_count (frame->self)) {
      walk.length--;
      continue;
    }
    child = _nebula_value_peek_children (frame->self)[frame->next];
    counterpart = find_counterpart (frame, frame->next);
    frame->next++;
    if (!counterpart || !equal_shallow (child, counterpart))
      return FALSE;
    if (child != counterpart && _nebula_value_is_container (child))
      _nebula_walk_push (&walk, child, counterpart);
  }
  return TRUE;
}

static inline guint64
mix (guint64 bits)
{
  bits ^= bits >> 32;
  bits *= G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  bits ^= bits >> 29;
  bits *= G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  return bits ^ (bits >> 32);
}

/* Whole numbers of 64 bits hash as such, all others as the nearest double: equal numbers hash alike. */
static guint64
hash_number (NebulaValue *self)
{
  double number = 0.0;
  guint64 bits = 0;
  gint64 integer = 0;

  if (self->kind == NEBULA_VALUE_KIND_INTEGER)
    return mix ((guint64) ((NebulaScalar *) self)->as.integer);
  if (self->kind == NEBULA_VALUE_KIND_DECIMAL) {
    g_auto (NebulaDecimal) decimal = { 0 };

    _nebula_decimal_init (&decimal, self);
    if (_nebula_decimal_get_integer (&decimal, &integer))
      return mix ((guint64) integer);
  }
  number = nebula_value_get_float (self);
  if (self->kind == NEBULA_VALUE_KIND_FLOAT && number >= -9223372036854775808.0 && number < 9223372036854775808.0) {
    integer = (gint64) number;
    if (!((double) integer < number) && !((double) integer > number))
      return mix ((guint64) integer);
  }
  _nebula_bytes_copy (&bits, &number, sizeof bits);
  return mix (bits ^ 1);
}

static guint64
hash_leaf (NebulaValue *self)
{
  NebulaText *text = (NebulaText *) self;
  gsize size = 0;
  const void *data = NULL;

  if (nebula_value_is_number (self))
    return hash_number (self);
  if (self->kind == NEBULA_VALUE_KIND_STRING || self->kind == NEBULA_VALUE_KIND_REFERENCE)
    return _nebula_hash_bytes (text->data, text->length) ^ self->kind;
  if (self->kind == NEBULA_VALUE_KIND_BYTES) {
    data = g_bytes_get_data (((NebulaBytes *) self)->bytes, &size);
    return _nebula_hash_bytes (data, size) ^ self->kind;
  }
  return mix ((guint64) ((NebulaScalar *) self)->as.integer + ((guint64) self->kind << 56));
}

static void
hash_add (NebulaFrame *frame, guint64 hash)
{
  gsize place = frame->next - 1;

  if (frame->self->kind == NEBULA_VALUE_KIND_ARRAY) {
    frame->sum = mix (frame->sum + hash + place);
  } else {
    const NebulaKey *key = &((NebulaObject *) frame->self)->shape->keys[place];

    /* A sum, because the order of members does not matter. */
    frame->sum += mix (hash ^ _nebula_hash_bytes (key->text, key->length));
  }
}

/**
 * nebula_value_hash:
 * @self: a value
 *
 * Hashes a value for a hash table; equal values have equal hashes. Differs from process to process.
 *
 * Returns: the hash
 *
 * Since: 1.0
 */
guint
nebula_value_hash (NebulaValue *self)
{
  g_auto (NebulaWalk) walk;
  NebulaFrame *frame = NULL;
  guint64 hash = 0;

  _nebula_walk_init (&walk);
  g_return_val_if_fail (self != NULL, 0);

  if (!_nebula_value_is_container (self))
    return (guint) (hash_leaf (self) >> 16);
  _nebula_walk_push (&walk, self, NULL);
  while ((frame = _nebula_walk_top (&walk)) != NULL) {
    NebulaValue *child = NULL;

    if (frame->next == _nebula_value_get_count (frame->self)) {
      hash = mix (frame->sum + frame->self->kind);
      walk.length--;
      frame = _nebula_walk_top (&walk);
      if (frame)
        hash_add (frame, hash);
      continue;
    }
    child = _nebula_value_peek_children (frame->self)[frame->next++];
    if (_nebula_value_is_container (child))
      _nebula_walk_push (&walk, child, NULL);
    else
      hash_add (frame, hash_leaf (child));
  }
  return (guint) (hash >> 16);
}

static gboolean
compare_leaf (NebulaValue *self, NebulaValue *other, gint *ret_order, GError **error)
{
  NebulaBytes *a = (NebulaBytes *) self, *b = (NebulaBytes *) other;

  if (nebula_value_is_number (self) && nebula_value_is_number (other)) {
    *ret_order = _nebula_number_compare (self, other);
    return TRUE;
  }
  if (self->kind != other->kind || self->kind == NEBULA_VALUE_KIND_OBJECT
      || self->kind == NEBULA_VALUE_KIND_REFERENCE) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                 _ ("There is no order between %s and %s; compare values of one kind."),
                 nebula_value_kind_to_string ((NebulaValueKind) self->kind),
                 nebula_value_kind_to_string ((NebulaValueKind) other->kind));
    return FALSE;
  }
  if (self->kind == NEBULA_VALUE_KIND_STRING)
    *ret_order = compare_text (self, other);
  else if (self->kind == NEBULA_VALUE_KIND_BYTES)
    *ret_order = g_bytes_compare (a->bytes, b->bytes);
  else
    *ret_order = compare_scalars (self, other);
  return TRUE;
}

static gboolean
both_arrays (NebulaValue *self, NebulaValue *other)
{
  return self->kind == NEBULA_VALUE_KIND_ARRAY && other->kind == NEBULA_VALUE_KIND_ARRAY;
}

/**
 * nebula_value_compare:
 * @self: a value
 * @other: another value
 * @ret_order: (out): negative, 0 or positive; untouched on failure
 * @error: where to put an error
 *
 * Orders two values of one kind: numbers by value, strings by code points, arrays item by item, false before true.
 *
 * Errors: %NEBULA_ERROR_TYPE (terminal) for values of different kinds, objects and references.
 *
 * Returns: whether there is an order
 *
 * Since: 1.0
 */
gboolean
nebula_value_compare (NebulaValue *self, NebulaValue *other, gint *ret_order, GError **error)
{
  g_auto (NebulaWalk) walk;
  NebulaFrame *frame = NULL;
  gint order = 0;

  _nebula_walk_init (&walk);
  g_return_val_if_fail (self != NULL && other != NULL && ret_order != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!both_arrays (self, other))
    return compare_leaf (self, other, ret_order, error);
  _nebula_walk_push (&walk, self, other);
  while (order == 0 && (frame = _nebula_walk_top (&walk)) != NULL) {
    gsize self_count = _nebula_value_get_count (frame->self), other_count = _nebula_value_get_count (frame->other);
    NebulaValue *a = NULL, *b = NULL;

    if (frame->next == MIN (self_count, other_count)) {
      order = (self_count > other_count) - (self_count < other_count);
      walk.length--;
      continue;
    }
    a = ((NebulaArray *) frame->self)->items[frame->next];
    b = ((NebulaArray *) frame->other)->items[frame->next];
    frame->next++;
    if (both_arrays (a, b))
      _nebula_walk_push (&walk, a, b);
    else if (!compare_leaf (a, b, &order, error))
      return FALSE;
  }
  *ret_order = order;
  return TRUE;
}
