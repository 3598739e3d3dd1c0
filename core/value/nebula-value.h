/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaValueKind:
 * @NEBULA_VALUE_KIND_NULL: null
 * @NEBULA_VALUE_KIND_BOOLEAN: true or false
 * @NEBULA_VALUE_KIND_INTEGER: 64-bit signed integer
 * @NEBULA_VALUE_KIND_FLOAT: finite double
 * @NEBULA_VALUE_KIND_DECIMAL: decimal number of any length, kept as text
 * @NEBULA_VALUE_KIND_STRING: UTF-8 text, may hold U+0000
 * @NEBULA_VALUE_KIND_BYTES: bytes
 * @NEBULA_VALUE_KIND_ARRAY: values in order
 * @NEBULA_VALUE_KIND_OBJECT: members with unique keys, in order
 * @NEBULA_VALUE_KIND_DATE: calendar day
 * @NEBULA_VALUE_KIND_TIME: time of day
 * @NEBULA_VALUE_KIND_TIMESTAMP: instant, with the offset that it was written in
 * @NEBULA_VALUE_KIND_DURATION: span of time
 * @NEBULA_VALUE_KIND_REFERENCE: blob or other stored thing, named by a URI
 *
 * The kinds of #NebulaValue.
 */
typedef enum
{
  NEBULA_VALUE_KIND_NULL,
  NEBULA_VALUE_KIND_BOOLEAN,
  NEBULA_VALUE_KIND_INTEGER,
  NEBULA_VALUE_KIND_FLOAT,
  NEBULA_VALUE_KIND_DECIMAL,
  NEBULA_VALUE_KIND_STRING,
  NEBULA_VALUE_KIND_BYTES,
  NEBULA_VALUE_KIND_ARRAY,
  NEBULA_VALUE_KIND_OBJECT,
  NEBULA_VALUE_KIND_DATE,
  NEBULA_VALUE_KIND_TIME,
  NEBULA_VALUE_KIND_TIMESTAMP,
  NEBULA_VALUE_KIND_DURATION,
  NEBULA_VALUE_KIND_REFERENCE,
} NebulaValueKind;

/**
 * NebulaValue:
 *
 * The only data between nodes: immutable, counted atomically; null, booleans, small integers and empty containers
 * are immortal. Byte size and depth are known in constant time.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaValue NebulaValue;

#define NEBULA_TYPE_VALUE (nebula_value_get_type ())
NEBULA_API GType nebula_value_get_type (void);

NEBULA_API NebulaValue *nebula_value_ref (NebulaValue *self);
NEBULA_API void nebula_value_unref (NebulaValue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaValue, nebula_value_unref)

/* Constructors: each returns a new reference. */
NEBULA_API NebulaValue *nebula_value_new_null (void);
NEBULA_API NebulaValue *nebula_value_new_boolean (gboolean boolean);
NEBULA_API NebulaValue *nebula_value_new_integer (gint64 integer);
NEBULA_API NebulaValue *nebula_value_new_float (double number);
NEBULA_API NebulaValue *nebula_value_new_decimal (const char *text, GError **error);
NEBULA_API NebulaValue *nebula_value_new_string (const char *text);
NEBULA_API NebulaValue *nebula_value_new_string_length (const char *text, gsize length);
NEBULA_API NebulaValue *nebula_value_new_string_take (char *text, gsize length);
NEBULA_API NebulaValue *nebula_value_new_bytes (GBytes *bytes);
NEBULA_API NebulaValue *nebula_value_new_array (NebulaValue **items, gsize n_items);
NEBULA_API NebulaValue *nebula_value_new_strv (const char *const *strings);
NEBULA_API NebulaValue *nebula_value_new_empty_object (void);
NEBULA_API NebulaValue *nebula_value_new_date (int year, int month, int day, GError **error);
NEBULA_API NebulaValue *nebula_value_new_time (gint64 usec, GError **error);
NEBULA_API NebulaValue *nebula_value_new_timestamp (gint64 unix_usec, int offset_seconds);
NEBULA_API NebulaValue *nebula_value_new_timestamp_full (gint64 unix_usec, guint nanoseconds, int offset_seconds);
NEBULA_API NebulaValue *nebula_value_new_duration (gint64 usec);
NEBULA_API NebulaValue *nebula_value_new_reference (const char *uri);

/* What it is. */
NEBULA_API NebulaValueKind nebula_value_get_kind (NebulaValue *self);
NEBULA_API const char *nebula_value_kind_to_string (NebulaValueKind kind);
NEBULA_API gboolean nebula_value_is_null (NebulaValue *self);
NEBULA_API gboolean nebula_value_is_number (NebulaValue *self);
NEBULA_API gsize nebula_value_get_size_bytes (NebulaValue *self);
NEBULA_API guint nebula_value_get_depth (NebulaValue *self);

/* Scalars: the kind must fit; borrowed results live as long as the value. */
NEBULA_API gboolean nebula_value_get_boolean (NebulaValue *self);
NEBULA_API gint64 nebula_value_get_integer (NebulaValue *self);
NEBULA_API double nebula_value_get_float (NebulaValue *self); /* integer, float or decimal */
NEBULA_API const char *nebula_value_get_string (NebulaValue *self); /* string, decimal or reference; 0-terminated */
NEBULA_API gsize nebula_value_get_string_length (NebulaValue *self);
/* The text where it lies, which for a slice is inside of the buffer that was read; without a 0 at its end. */
NEBULA_API const char *nebula_value_peek_text (NebulaValue *self, gsize *ret_length);
NEBULA_API GBytes *nebula_value_ref_bytes (NebulaValue *self);
NEBULA_API gint64 nebula_value_get_usec (NebulaValue *self); /* time, timestamp or duration */
NEBULA_API guint nebula_value_get_nanoseconds (NebulaValue *self); /* timestamp: 0 to 999, beyond its microseconds */
NEBULA_API int nebula_value_get_offset_seconds (NebulaValue *self);
NEBULA_API void nebula_value_get_date (NebulaValue *self, int *ret_year, int *ret_month, int *ret_day);

/* Containers: items and members are borrowed. */
NEBULA_API gsize nebula_value_get_length (NebulaValue *self); /* array items, object members */
NEBULA_API NebulaValue *nebula_value_get_item (NebulaValue *self, gsize index);
NEBULA_API NebulaValue *nebula_value_get_member (NebulaValue *self, const char *key);
NEBULA_API NebulaValue *nebula_value_get_member_length (NebulaValue *self, const char *key, gsize length);
NEBULA_API const char *nebula_value_get_key (NebulaValue *self, gsize index, gsize *ret_length);
NEBULA_API NebulaValue *nebula_value_get_member_at (NebulaValue *self, gsize index);
NEBULA_API gboolean nebula_value_has_member (NebulaValue *self, const char *key);
/* Looked-up members of an object with a default when absent or of another kind. */
NEBULA_API const char *nebula_value_get_member_string (NebulaValue *self, const char *key, const char *fallback);
NEBULA_API gint64 nebula_value_get_member_integer (NebulaValue *self, const char *key, gint64 fallback);
NEBULA_API gboolean nebula_value_get_member_boolean (NebulaValue *self, const char *key, gboolean fallback);

/* Changed copies. */
NEBULA_API NebulaValue *nebula_value_with_member (NebulaValue *self, const char *key, NebulaValue *member);
NEBULA_API NebulaValue *nebula_value_without_member (NebulaValue *self, const char *key);
NEBULA_API NebulaValue *nebula_value_append (NebulaValue *self, NebulaValue *item);
NEBULA_API NebulaValue *nebula_value_slice (NebulaValue *self, gsize start, gsize end);

/* Values read in place hold on to the whole buffer that they were read from; a compact copy does not. */
NEBULA_API gboolean nebula_value_has_slices (NebulaValue *self);
NEBULA_API NebulaValue *nebula_value_compact (NebulaValue *self);

/* Comparison: equality is numeric across integer, float and decimal, and deep. Order exists within one kind. */
NEBULA_API gboolean nebula_value_equal (NebulaValue *self, NebulaValue *other);
NEBULA_API guint nebula_value_hash (NebulaValue *self);
NEBULA_API gboolean nebula_value_compare (NebulaValue *self, NebulaValue *other, gint *ret_order, GError **error);

/* A text for people and templates: strings as they are, null as nothing, containers as JSON. */
NEBULA_API char *nebula_value_to_text (NebulaValue *self);

/**
 * NebulaValueBuilder:
 *
 * Collects items or members of one container. Setting a key again replaces its value and keeps its place.
 *
 * Thread: one at a time.
 */
typedef struct _NebulaValueBuilder NebulaValueBuilder;

#define NEBULA_TYPE_VALUE_BUILDER (nebula_value_builder_get_type ())
NEBULA_API GType nebula_value_builder_get_type (void);
NEBULA_API NebulaValueBuilder *nebula_value_builder_new_array (void);
NEBULA_API NebulaValueBuilder *nebula_value_builder_new_object (void);
NEBULA_API NebulaValueBuilder *nebula_value_builder_ref (NebulaValueBuilder *self);
NEBULA_API void nebula_value_builder_unref (NebulaValueBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaValueBuilder, nebula_value_builder_unref)
NEBULA_API gsize nebula_value_builder_get_length (NebulaValueBuilder *self);
NEBULA_API void nebula_value_builder_add (NebulaValueBuilder *self, NebulaValue *item);
NEBULA_API void nebula_value_builder_add_take (NebulaValueBuilder *self, NebulaValue *item);
NEBULA_API void nebula_value_builder_set (NebulaValueBuilder *self, const char *key, NebulaValue *member);
NEBULA_API void nebula_value_builder_set_take (NebulaValueBuilder *self, const char *key, NebulaValue *member);
NEBULA_API void nebula_value_builder_set_length_take (NebulaValueBuilder *self, const char *key, gsize length, NebulaValue *member);
NEBULA_API gboolean nebula_value_builder_has (NebulaValueBuilder *self, const char *key, gsize length);
NEBULA_API void nebula_value_builder_set_string (NebulaValueBuilder *self, const char *key, const char *text); /* NULL gives null */
NEBULA_API void nebula_value_builder_set_integer (NebulaValueBuilder *self, const char *key, gint64 integer);
NEBULA_API void nebula_value_builder_set_boolean (NebulaValueBuilder *self, const char *key, gboolean boolean);
NEBULA_API NebulaValue *nebula_value_builder_end (NebulaValueBuilder *self); /* leaves the builder empty */

G_END_DECLS
