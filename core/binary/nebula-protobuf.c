/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protocol Buffers of values, by data/proto/nebula.proto and protobuf-c.
 *
 * A value becomes a tree of messages in an arena, which borrow its texts and bytes; what is read is unpacked into an arena
 * with a limit, so that no input takes more than 48 times its size (an array of nulls, the worst, takes 34). An object of
 * messages that holds a key twice, a value without kind, texts that are not UTF-8 and numbers out of range are refused;
 * fields that this version does not know are passed over, as Protocol Buffers wants it.
 */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-protobuf-internal.h"
#include "nebula-protobuf-private.h"

#define BYTES_PER_BYTE 48
#define BYTES_LEAST    65536

static gpointer
fail (GError **error, const char *why)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, _ ("The Protocol Buffers data is refused: %s"), why);
  return NULL;
}

/* Writing. */

ProtobufCBinaryData
nebula_protobuf_text (const char *text)
{
  return (ProtobufCBinaryData){ text ? strlen (text) : 0, (uint8_t *) (text ? text : "") };
}

static ProtobufCBinaryData
value_text (NebulaValue *value)
{
  gsize length = 0;
  const char *text = nebula_value_peek_text (value, &length);

  return (ProtobufCBinaryData){ length, (uint8_t *) text };
}

static ProtobufCBinaryData
value_bytes (NebulaValue *value)
{
  g_autoptr (GBytes) bytes = nebula_value_ref_bytes (value); /* the value keeps them too */
  gsize size = 0;
  const void *data = g_bytes_get_data (bytes, &size);

  return (ProtobufCBinaryData){ size, (uint8_t *) data };
}

static Nebula__V1__Value *build (NebulaArena *arena, NebulaValue *value);

static Nebula__V1__Array *
build_array (NebulaArena *arena, NebulaValue *value)
{
  Nebula__V1__Array *array = nebula_arena_alloc (arena, sizeof *array);

  nebula__v1__array__init (array);
  array->n_items = nebula_value_get_length (value);
  array->items = nebula_arena_alloc (arena, array->n_items * sizeof *array->items);
  for (gsize i = 0; i < array->n_items; i++)
    array->items[i] = build (arena, nebula_value_get_item (value, i));
  return array;
}

static Nebula__V1__Object *
build_object (NebulaArena *arena, NebulaValue *value)
{
  Nebula__V1__Object *object = nebula_arena_alloc (arena, sizeof *object);

  nebula__v1__object__init (object);
  object->n_members = nebula_value_get_length (value);
  object->members = nebula_arena_alloc (arena, object->n_members * sizeof *object->members);
  for (gsize i = 0; i < object->n_members; i++) {
    Nebula__V1__Member *member = nebula_arena_alloc (arena, sizeof *member);
    gsize length = 0;
    const char *key = nebula_value_get_key (value, i, &length);

    nebula__v1__member__init (member);
    member->key = (ProtobufCBinaryData){ length, (uint8_t *) key };
    member->value = build (arena, nebula_value_get_member_at (value, i));
    object->members[i] = member;
  }
  return object;
}

static Nebula__V1__Date *
build_date (NebulaArena *arena, NebulaValue *value)
{
  Nebula__V1__Date *date = nebula_arena_alloc (arena, sizeof *date);
  int year = 0, month = 0, day = 0;

  nebula_value_get_date (value, &year, &month, &day);
  nebula__v1__date__init (date);
  date->year = year;
  date->month = (uint32_t) month;
  date->day = (uint32_t) day;
  return date;
}

static Nebula__V1__Timestamp *
build_timestamp (NebulaArena *arena, NebulaValue *value)
{
  Nebula__V1__Timestamp *timestamp = nebula_arena_alloc (arena, sizeof *timestamp);

  nebula__v1__timestamp__init (timestamp);
  timestamp->unix_usec = nebula_value_get_usec (value);
  timestamp->nanoseconds = nebula_value_get_nanoseconds (value);
  timestamp->offset_seconds = nebula_value_get_offset_seconds (value);
  return timestamp;
}

static void
build_nested (NebulaArena *arena, NebulaValue *value, Nebula__V1__Value *message)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_ARRAY) {
    message->kind_case = NEBULA__V1__VALUE__KIND_ARRAY;
    message->array = build_array (arena, value);
  } else if (kind == NEBULA_VALUE_KIND_OBJECT) {
    message->kind_case = NEBULA__V1__VALUE__KIND_OBJECT;
    message->object = build_object (arena, value);
  } else if (kind == NEBULA_VALUE_KIND_DATE) {
    message->kind_case = NEBULA__V1__VALUE__KIND_DATE;
    message->date = build_date (arena, value);
  } else {
    message->kind_case = NEBULA__V1__VALUE__KIND_TIMESTAMP;
    message->timestamp = build_timestamp (arena, value);
  }
}

static void
build_text (NebulaValue *value, Nebula__V1__Value *message)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_DECIMAL) {
    message->kind_case = NEBULA__V1__VALUE__KIND_DECIMAL;
    message->decimal = value_text (value);
  } else if (kind == NEBULA_VALUE_KIND_STRING) {
    message->kind_case = NEBULA__V1__VALUE__KIND_TEXT;
    message->text = value_text (value);
  } else {
    message->kind_case = NEBULA__V1__VALUE__KIND_REFERENCE;
    message->reference = value_text (value);
  }
}

static void
build_number (NebulaValue *value, Nebula__V1__Value *message)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_INTEGER) {
    message->kind_case = NEBULA__V1__VALUE__KIND_INTEGER;
    message->integer = nebula_value_get_integer (value);
  } else if (kind == NEBULA_VALUE_KIND_TIME) {
    message->kind_case = NEBULA__V1__VALUE__KIND_TIME_USEC;
    message->time_usec = nebula_value_get_usec (value);
  } else {
    message->kind_case = NEBULA__V1__VALUE__KIND_DURATION_USEC;
    message->duration_usec = nebula_value_get_usec (value);
  }
}

/* The arena has no limit here and the depth was checked. */
static Nebula__V1__Value *
build (NebulaArena *arena, NebulaValue *value)
{
  Nebula__V1__Value *message = nebula_arena_alloc (arena, sizeof *message);

  nebula__v1__value__init (message);
  switch (nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_BOOLEAN:
    message->kind_case = NEBULA__V1__VALUE__KIND_BOOLEAN;
    message->boolean = nebula_value_get_boolean (value);
    return message;
  case NEBULA_VALUE_KIND_FLOAT:
    message->kind_case = NEBULA__V1__VALUE__KIND_NUMBER;
    message->number = nebula_value_get_float (value);
    return message;
  case NEBULA_VALUE_KIND_BYTES:
    message->kind_case = NEBULA__V1__VALUE__KIND_DATA;
    message->data = value_bytes (value);
    return message;
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_DURATION:
    build_number (value, message);
    return message;
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_STRING:
  case NEBULA_VALUE_KIND_REFERENCE:
    build_text (value, message);
    return message;
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIMESTAMP:
    build_nested (arena, value, message);
    return message;
  case NEBULA_VALUE_KIND_NULL:
  default:
    message->kind_case = NEBULA__V1__VALUE__KIND_NULL_VALUE;
    return message;
  }
}

Nebula__V1__Value *
nebula_protobuf_new_value (NebulaArena *arena, NebulaValue *value, GError **error)
{
  if (nebula_value_get_depth (value) <= NEBULA_LIMIT_DEPTH)
    return build (arena, value);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP, _ ("The value is nested deeper than 128 levels."));
  return NULL;
}

GBytes *
nebula_protobuf_pack (const ProtobufCMessage *message)
{
  gsize size = protobuf_c_message_get_packed_size (message);
  guint8 *data = g_malloc (MAX (size, 1));

  protobuf_c_message_pack (message, data);
  return g_bytes_new_take (data, size);
}

/* Reading. */

static gboolean
check_text (const ProtobufCBinaryData *data, gboolean allow_zero, GError **error)
{
  const char *at = (const char *) data->data, *end = at + data->len, *stop = NULL;

  /* U+0000 ends what GLib takes for valid text. */
  while (at < end && !g_utf8_validate_len (at, (gsize) (end - at), &stop)) {
    if (*stop != '\0' || !allow_zero)
      return fail (error, _ ("A text is not UTF-8.")) != NULL;
    at = stop + 1;
  }
  return TRUE;
}

gboolean
nebula_protobuf_dup_text (const ProtobufCBinaryData *data, char **ret_text, GError **error)
{
  if (!check_text (data, FALSE, error))
    return FALSE;
  *ret_text = data->len > 0 ? g_strndup ((const char *) data->data, data->len) : NULL;
  return TRUE;
}

static NebulaValue *
get_text (const ProtobufCBinaryData *data, GError **error)
{
  return check_text (data, TRUE, error) ? nebula_value_new_string_length ((const char *) data->data, data->len) : NULL;
}

static NebulaValue *
get_named (const ProtobufCBinaryData *data, gboolean is_decimal, GError **error)
{
  g_autofree char *text = NULL;

  if (!check_text (data, FALSE, error))
    return NULL;
  text = g_strndup (data->data ? (const char *) data->data : "", data->len);
  return is_decimal ? nebula_value_new_decimal (text, error) : nebula_value_new_reference (text);
}

/* Arrays take fewer messages for a level than objects do, so the levels are counted again here. */
static NebulaValue *
end_container (NebulaValueBuilder *builder, GError **error)
{
  g_autoptr (NebulaValue) value = nebula_value_builder_end (builder);

  if (nebula_value_get_depth (value) <= NEBULA_LIMIT_DEPTH)
    return g_steal_pointer (&value);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP, _ ("The value is nested deeper than 128 levels."));
  return NULL;
}

static NebulaValue *
get_array (const Nebula__V1__Array *message, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < message->n_items; i++) {
    NebulaValue *item = nebula_protobuf_get_value (message->items[i], error);

    if (!item)
      return NULL;
    nebula_value_builder_add_take (builder, item);
  }
  return end_container (builder, error);
}

NebulaValue *
nebula_protobuf_get_object (const Nebula__V1__Object *message, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (gsize i = 0; i < message->n_members; i++) {
    const Nebula__V1__Member *member = message->members[i];
    const char *key = member->key.data ? (const char *) member->key.data : "";
    NebulaValue *value = NULL;

    if (!check_text (&member->key, TRUE, error))
      return NULL;
    if (nebula_value_builder_has (builder, key, member->key.len)) {
      g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY, _ ("A key stands in an object twice."));
      return NULL;
    }
    value = nebula_protobuf_get_value (member->value, error);
    if (!value)
      return NULL;
    nebula_value_builder_set_length_take (builder, key, member->key.len, value);
  }
  return end_container (builder, error);
}

static NebulaValue *
get_float (double number, GError **error)
{
  return isfinite (number) ? nebula_value_new_float (number)
                           : fail (error, _ ("Infinity and “not a number” are no values."));
}

static NebulaValue *
get_date (const Nebula__V1__Date *date, GError **error)
{
  if (date->month > 12 || date->day > 31)
    return fail (error, _ ("A date is out of range."));
  return nebula_value_new_date (date->year, (int) date->month, (int) date->day, error);
}

static NebulaValue *
get_timestamp (const Nebula__V1__Timestamp *timestamp, GError **error)
{
  if (timestamp->nanoseconds > 999 || timestamp->offset_seconds <= -86400 || timestamp->offset_seconds >= 86400)
    return fail (error, _ ("A timestamp is out of range."));
  return nebula_value_new_timestamp_full (timestamp->unix_usec, timestamp->nanoseconds, timestamp->offset_seconds);
}

static NebulaValue *
get_bytes (const ProtobufCBinaryData *data)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data->data, data->len);

  return nebula_value_new_bytes (bytes);
}

NebulaValue *
nebula_protobuf_get_value (const Nebula__V1__Value *message, GError **error)
{
  if (!message)
    return fail (error, _ ("A member has no value."));
  switch (message->kind_case) {
  case NEBULA__V1__VALUE__KIND_NULL_VALUE:
    return nebula_value_new_null ();
  case NEBULA__V1__VALUE__KIND_BOOLEAN:
    return nebula_value_new_boolean (message->boolean);
  case NEBULA__V1__VALUE__KIND_INTEGER:
    return nebula_value_new_integer (message->integer);
  case NEBULA__V1__VALUE__KIND_NUMBER:
    return get_float (message->number, error);
  case NEBULA__V1__VALUE__KIND_DECIMAL:
    return get_named (&message->decimal, TRUE, error);
  case NEBULA__V1__VALUE__KIND_TEXT:
    return get_text (&message->text, error);
  case NEBULA__V1__VALUE__KIND_DATA:
    return get_bytes (&message->data);
  case NEBULA__V1__VALUE__KIND_ARRAY:
    return get_array (message->array, error);
  case NEBULA__V1__VALUE__KIND_OBJECT:
    return nebula_protobuf_get_object (message->object, error);
  case NEBULA__V1__VALUE__KIND_DATE:
    return get_date (message->date, error);
  case NEBULA__V1__VALUE__KIND_TIME_USEC:
    return nebula_value_new_time (message->time_usec, error);
  case NEBULA__V1__VALUE__KIND_TIMESTAMP:
    return get_timestamp (message->timestamp, error);
  case NEBULA__V1__VALUE__KIND_DURATION_USEC:
    return nebula_value_new_duration (message->duration_usec);
  case NEBULA__V1__VALUE__KIND_REFERENCE:
    return get_named (&message->reference, FALSE, error);
  case NEBULA__V1__VALUE__KIND__NOT_SET:
  case _NEBULA__V1__VALUE__KIND__CASE_IS_INT_SIZE:
  default:
    return fail (error, _ ("A value has no kind that this version knows."));
  }
}

static void *
alloc_piece (void *data, size_t size)
{
  return nebula_arena_alloc (data, size);
}

/* The arena frees all at once. */
static void
free_piece (void *data, void *piece)
{
}

NebulaArena *
nebula_protobuf_new_arena (GBytes *bytes)
{
  gsize size = g_bytes_get_size (bytes);

  return nebula_arena_new (size < (G_MAXSIZE - BYTES_LEAST) / BYTES_PER_BYTE ? size * BYTES_PER_BYTE + BYTES_LEAST
                                                                              : G_MAXSIZE);
}

gpointer
nebula_protobuf_unpack (const ProtobufCMessageDescriptor *type, GBytes *bytes, NebulaArena *arena, GError **error)
{
  ProtobufCAllocator allocator = { alloc_piece, free_piece, arena };
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  ProtobufCMessage *message = NULL;

  if (!_nebula_protobuf_check (type, data, size, error))
    return NULL;
  message = protobuf_c_message_unpack (type, &allocator, size, data ? data : (const guint8 *) "");
  if (message)
    return message;
  if (!nebula_arena_is_full (arena))
    return fail (error, _ ("A field has another type than it should have."));
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                       _ ("The Protocol Buffers data needs too much memory for its size."));
  return NULL;
}

/**
 * nebula_value_to_protobuf:
 * @self: a value
 * @error: where to put an error
 *
 * Writes a value as the message `nebula.v1.Value` of `nebula.proto`, for programs that speak Protocol Buffers.
 *
 * Errors: %NEBULA_ERROR_TOO_DEEP (terminal) above 128 levels.
 *
 * Returns: (transfer full): the bytes
 *
 * Since: 1.0
 */
GBytes *
nebula_value_to_protobuf (NebulaValue *self, GError **error)
{
  g_autoptr (NebulaArena) arena = NULL;
  Nebula__V1__Value *message = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  arena = nebula_arena_new (0);
  message = nebula_protobuf_new_value (arena, self, error);
  return message ? nebula_protobuf_pack (&message->base) : NULL;
}

/**
 * nebula_value_from_protobuf:
 * @bytes: a message `nebula.v1.Value` of `nebula.proto`
 * @error: where to put an error
 *
 * Reads a value. Hostile bytes fail before they take much memory.
 *
 * Errors, all terminal: %NEBULA_ERROR_INVALID_DATA; %NEBULA_ERROR_DUPLICATE_KEY; %NEBULA_ERROR_TOO_DEEP above 128 levels;
 * %NEBULA_ERROR_TOO_LARGE if it needs too much memory for its size.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_protobuf (GBytes *bytes, GError **error)
{
  g_autoptr (NebulaArena) arena = NULL;
  Nebula__V1__Value *message = NULL;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  arena = nebula_protobuf_new_arena (bytes);
  message = nebula_protobuf_unpack (&nebula__v1__value__descriptor, bytes, arena, error);
  return message ? nebula_protobuf_get_value (message, error) : NULL;
}
