/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A schema out of examples. What was seen at one place is collected in a trait: the types, the members and how often each
 * was there, the items, and the formats that every text there had. Written out it accepts all of the examples.
 */
#include <string.h>

#include "nebula-json-schema.h"
#include "nebula-limits.h"
#include "nebula-text-forms-internal.h"

/* An object with more different keys than these is a map: its members share one trait. */
#define KEYS 200

/* Formats that are worth telling; the first that all texts have. */
static const char *const formats[] = {"date-time", "date", "uuid",
                                      "ipv4",      "ipv6", "email"};

static const char *const types[] = {"null",   "boolean", "integer", "number",
                                    "string", "array",   "object"};

typedef enum {
  TYPE_NULL,
  TYPE_BOOLEAN,
  TYPE_INTEGER,
  TYPE_NUMBER,
  TYPE_STRING,
  TYPE_ARRAY,
  TYPE_OBJECT,
} Type;

typedef struct _Trait Trait;
struct _Trait {
  guint types;         /* bits of Type */
  guint formats;       /* bits of formats[] that all texts had */
  guint n_objects;     /* objects seen here */
  guint n_seen;        /* times that this member was there */
  GPtrArray *keys;     /* NebulaValue texts, in order of first sight */
  GHashTable *members; /* text → Trait */
  gboolean is_map;
  Trait *others; /* members of a map */
  Trait *items;
};

static Trait *
trait_new (void)
{
  Trait *self = g_new0 (Trait, 1);

  self->formats = (1u << G_N_ELEMENTS (formats)) - 1;
  return self;
}

static void
trait_free (Trait *self)
{
  g_clear_pointer (&self->keys, g_ptr_array_unref);
  g_clear_pointer (&self->members, g_hash_table_unref);
  g_clear_pointer (&self->items, trait_free);
  g_clear_pointer (&self->others, trait_free);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Trait, trait_free)

static void look_at (Trait *self, NebulaValue *value);

static void
look_at_text (Trait *self, NebulaValue *value)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if ((self->formats & (1u << i)) &&
        !nebula_text_form_find (formats[i]) (nebula_value_get_string (value),
                                             nebula_value_get_string_length (value)))
      self->formats &= ~(1u << i);
}

static Trait *
get_member (Trait *self, const char *key, gsize length)
{
  g_autoptr (NebulaValue) name = nebula_value_new_string_length (key, length);
  Trait *member;

  if (!self->members) {
    self->keys = g_ptr_array_new ();
    self->members = g_hash_table_new_full (
        (GHashFunc) nebula_value_hash, (GEqualFunc) nebula_value_equal,
        (GDestroyNotify) nebula_value_unref, (GDestroyNotify) trait_free);
  }
  member = g_hash_table_lookup (self->members, name);
  if (member)
    return member;
  if (self->keys->len == KEYS) {
    self->is_map = TRUE;
    if (!self->others)
      self->others = trait_new ();
    return self->others;
  }
  member = trait_new ();
  g_ptr_array_add (self->keys, name);
  g_hash_table_insert (self->members, g_steal_pointer (&name), member);
  return member;
}

static void
look_at_object (Trait *self, NebulaValue *value)
{
  self->n_objects++;
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);
    Trait *member = get_member (self, key, length);

    member->n_seen++;
    look_at (member, nebula_value_get_member_at (value, i));
  }
}

static void
look_at_array (Trait *self, NebulaValue *value)
{
  if (!self->items && nebula_value_get_length (value) > 0)
    self->items = trait_new ();
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    look_at (self->items, nebula_value_get_item (value, i));
}

static Type
get_type (NebulaValue *value)
{
  switch ((guint) nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_NULL:
    return TYPE_NULL;
  case NEBULA_VALUE_KIND_BOOLEAN:
    return TYPE_BOOLEAN;
  case NEBULA_VALUE_KIND_INTEGER:
    return TYPE_INTEGER;
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
    return TYPE_NUMBER;
  case NEBULA_VALUE_KIND_ARRAY:
    return TYPE_ARRAY;
  case NEBULA_VALUE_KIND_OBJECT:
  case NEBULA_VALUE_KIND_REFERENCE:
    return TYPE_OBJECT;
  default:
    return TYPE_STRING;
  }
}

static void
look_at (Trait *self, NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  self->types |= 1u << get_type (value);
  if (kind == NEBULA_VALUE_KIND_STRING)
    look_at_text (self, value);
  else if (kind == NEBULA_VALUE_KIND_OBJECT)
    look_at_object (self, value);
  else if (kind == NEBULA_VALUE_KIND_ARRAY)
    look_at_array (self, value);
  else if (get_type (value) == TYPE_STRING || get_type (value) == TYPE_OBJECT)
    self->formats = 0; /* dates, bytes: written as a text of their own */
}

static void
write_types (const Trait *self, NebulaValueBuilder *builder)
{
  g_autoptr (NebulaValueBuilder) names = nebula_value_builder_new_array ();
  guint found = self->types;

  if (found & (1u << TYPE_NUMBER))
    found &= ~(1u << TYPE_INTEGER);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (found & (1u << i))
      nebula_value_builder_add_take (names, nebula_value_new_string (types[i]));
  if (nebula_value_builder_get_length (names) == 1)
    nebula_value_builder_set_string (builder, "type", types[g_bit_nth_lsf (found, -1)]);
  else if (nebula_value_builder_get_length (names) > 1)
    nebula_value_builder_set_take (builder, "type", nebula_value_builder_end (names));
}

static NebulaValue *write_trait (const Trait *self);

/* A map has no names that could be told; what all of its members have in common is looser than any of them. */
static void
write_members (const Trait *self, NebulaValueBuilder *builder)
{
  g_autoptr (NebulaValueBuilder) properties = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) required = nebula_value_builder_new_array ();

  for (guint i = 0; i < self->keys->len; i++) {
    NebulaValue *name = g_ptr_array_index (self->keys, i);
    const Trait *member = g_hash_table_lookup (self->members, name);

    nebula_value_builder_set_length_take (properties, nebula_value_get_string (name),
                                          nebula_value_get_string_length (name),
                                          write_trait (member));
    if (member->n_seen == self->n_objects)
      nebula_value_builder_add (required, name);
  }
  if (!self->is_map)
    nebula_value_builder_set_take (builder, "properties",
                                   nebula_value_builder_end (properties));
  if (nebula_value_builder_get_length (required) > 0)
    nebula_value_builder_set_take (builder, "required",
                                   nebula_value_builder_end (required));
}

static NebulaValue *
write_trait (const Trait *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  write_types (self, builder);
  if ((self->types & (1u << TYPE_STRING)) && self->formats)
    nebula_value_builder_set_string (builder, "format",
                                     formats[g_bit_nth_lsf (self->formats, -1)]);
  if (self->members)
    write_members (self, builder);
  if (self->items)
    nebula_value_builder_set_take (builder, "items", write_trait (self->items));
  return nebula_value_builder_end (builder);
}

/**
 * nebula_json_schema_infer:
 * @examples: an array of values
 *
 * Makes a JSON Schema (draft 2020-12) that accepts all of @examples: their types, the members of objects and which of
 * them are always there, the items of arrays, and formats that every text at one place has. An object with more than 200
 * different keys counts as a map, and its members are not told.
 *
 * Returns: (transfer full): the schema
 *
 * Since: 1.0
 */
NebulaValue *
nebula_json_schema_infer (NebulaValue *examples)
{
  g_autoptr (Trait) trait = trait_new ();

  g_return_val_if_fail (examples != NULL, NULL);
  g_return_val_if_fail (nebula_value_get_kind (examples) == NEBULA_VALUE_KIND_ARRAY,
                        NULL);

  for (gsize i = 0; i < nebula_value_get_length (examples); i++)
    look_at (trait, nebula_value_get_item (examples, i));
  return write_trait (trait);
}
