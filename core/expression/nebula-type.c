/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Types: sets of kinds, with a schema or a value where one is known. */

#include <string.h>

#include "nebula-type-private.h"

NebulaType
nebula_type_any (void)
{
  return (NebulaType){.kinds = NEBULA_TYPE_KINDS_ANY};
}

NebulaType
nebula_type_from_kind (NebulaValueKind kind)
{
  return (NebulaType){.kinds = 1u << kind};
}

NebulaType
nebula_type_from_value (NebulaValue *value)
{
  return (NebulaType){.kinds = 1u << nebula_value_get_kind (value), .value = value};
}

static guint32
read_name (const char *name)
{
  /* What JSON calls an integer may be 1.0, too. */
  if (strcmp (name, "integer") == 0)
    return 1u << NEBULA_VALUE_KIND_INTEGER | 1u << NEBULA_VALUE_KIND_FLOAT;
  if (strcmp (name, "number") == 0)
    return 1u << NEBULA_VALUE_KIND_INTEGER | 1u << NEBULA_VALUE_KIND_FLOAT |
           1u << NEBULA_VALUE_KIND_DECIMAL;
  for (guint i = 0; i <= NEBULA_VALUE_KIND_REFERENCE; i++)
    if (strcmp (nebula_value_kind_to_string ((NebulaValueKind) i), name) == 0)
      return 1u << i;
  return NEBULA_TYPE_KINDS_ANY;
}

static guint32
read_names (NebulaValue *names)
{
  guint32 kinds = 0;

  if (nebula_value_get_kind (names) == NEBULA_VALUE_KIND_STRING)
    return read_name (nebula_value_get_string (names));
  if (nebula_value_get_kind (names) != NEBULA_VALUE_KIND_ARRAY)
    return NEBULA_TYPE_KINDS_ANY;
  for (gsize i = 0; i < nebula_value_get_length (names); i++) {
    NebulaValue *name = nebula_value_get_item (names, i);

    kinds |= nebula_value_get_kind (name) == NEBULA_VALUE_KIND_STRING
                 ? read_name (nebula_value_get_string (name))
                 : NEBULA_TYPE_KINDS_ANY;
  }
  return kinds != 0 ? kinds : NEBULA_TYPE_KINDS_ANY;
}

static guint32
read_choices (NebulaValue *choices)
{
  guint32 kinds = 0;

  if (nebula_value_get_kind (choices) != NEBULA_VALUE_KIND_ARRAY)
    return NEBULA_TYPE_KINDS_ANY;
  for (gsize i = 0; i < nebula_value_get_length (choices); i++)
    kinds |= 1u << nebula_value_get_kind (nebula_value_get_item (choices, i));
  return kinds != 0 ? kinds : NEBULA_TYPE_KINDS_ANY;
}

NebulaType
nebula_type_from_schema (NebulaValue *schema)
{
  NebulaType type = nebula_type_any ();
  NebulaValue *member;

  if (schema == NULL || nebula_value_get_kind (schema) != NEBULA_VALUE_KIND_OBJECT)
    return type;
  type.schema = schema;
  member = nebula_value_get_member (schema, "type");
  if (member != NULL)
    type.kinds = read_names (member);
  member = nebula_value_get_member (schema, "enum");
  if (member != NULL)
    type.kinds &= read_choices (member);
  member = nebula_value_get_member (schema, "const");
  if (member != NULL)
    type.kinds &= 1u << nebula_value_get_kind (member);
  /* A schema that contradicts itself says nothing. */
  return type.kinds != 0 ? type : nebula_type_any ();
}

char *
nebula_type_to_words (guint32 kinds)
{
  return _nebula_kinds_to_words (kinds);
}

NebulaType
_nebula_type_join (NebulaType a, NebulaType b)
{
  NebulaType type = {.kinds = a.kinds | b.kinds};

  if (a.schema == b.schema)
    type.schema = a.schema;
  if (a.item == b.item)
    type.item = a.item;
  type.example = a.example != NULL ? a.example : b.example;
  return type;
}

/* Whether a schema allows members that it does not name. */
static gboolean
is_open (NebulaValue *schema)
{
  NebulaValue *additional = nebula_value_get_member (schema, "additionalProperties");

  return additional == NULL ||
         nebula_value_get_kind (additional) != NEBULA_VALUE_KIND_BOOLEAN ||
         nebula_value_get_boolean (additional);
}

static NebulaType
get_example_member (const NebulaType *self, const char *key)
{
  NebulaType type = nebula_type_any ();

  if (self->example != NULL &&
      nebula_value_get_kind (self->example) == NEBULA_VALUE_KIND_OBJECT)
    type.example = nebula_value_get_member (self->example, key);
  return type;
}

NebulaType
_nebula_type_guess (NebulaType self)
{
  if (self.kinds == NEBULA_TYPE_KINDS_ANY && self.example != NULL)
    self.kinds = 1u << nebula_value_get_kind (self.example);
  return self;
}

/* The member of an object. *ret_known tells whether the lack of it is sure. */
NebulaType
_nebula_type_get_member (const NebulaType *self, const char *key, NebulaMembership *ret)
{
  NebulaValue *properties, *property;

  *ret = NEBULA_MEMBERSHIP_POSSIBLE;
  if (self->value != NULL &&
      nebula_value_get_kind (self->value) == NEBULA_VALUE_KIND_OBJECT) {
    property = nebula_value_get_member (self->value, key);
    *ret = property != NULL ? NEBULA_MEMBERSHIP_SURE : NEBULA_MEMBERSHIP_NONE;
    return property != NULL ? nebula_type_from_value (property) : nebula_type_any ();
  }
  properties =
      self->schema != NULL ? nebula_value_get_member (self->schema, "properties") : NULL;
  if (properties == NULL ||
      nebula_value_get_kind (properties) != NEBULA_VALUE_KIND_OBJECT)
    return get_example_member (self, key);
  property = nebula_value_get_member (properties, key);
  if (property == NULL) {
    *ret = is_open (self->schema) ? NEBULA_MEMBERSHIP_UNNAMED : NEBULA_MEMBERSHIP_NONE;
    return nebula_type_any ();
  }
  *ret = NEBULA_MEMBERSHIP_SURE;
  return nebula_type_from_schema (property);
}

/* The names that are known of an object; NULL: none are. */
NebulaValue *
_nebula_type_get_members (const NebulaType *self)
{
  NebulaValue *members = self->value;

  if (members == NULL && self->schema != NULL)
    members = nebula_value_get_member (self->schema, "properties");
  if (members == NULL)
    members = self->example;
  return members != NULL && nebula_value_get_kind (members) == NEBULA_VALUE_KIND_OBJECT
             ? members
             : NULL;
}

/* Of a value all kinds of items, and the first one for an example. */
static NebulaType
get_value_item (NebulaValue *list)
{
  NebulaType type = {0};

  for (gsize i = 0; i < nebula_value_get_length (list); i++)
    type.kinds |= 1u << nebula_value_get_kind (nebula_value_get_item (list, i));
  if (type.kinds == 0)
    return nebula_type_any ();
  type.example = nebula_value_get_item (list, 0);
  return type;
}

NebulaType
_nebula_type_get_item (const NebulaType *self)
{
  NebulaValue *items =
      self->schema != NULL ? nebula_value_get_member (self->schema, "items") : NULL;
  NebulaType type = nebula_type_any ();

  if (self->item != NULL)
    return *self->item;
  if (items != NULL)
    return nebula_type_from_schema (items);
  if (self->value != NULL &&
      nebula_value_get_kind (self->value) == NEBULA_VALUE_KIND_ARRAY)
    return get_value_item (self->value);
  if (self->example != NULL &&
      nebula_value_get_kind (self->example) == NEBULA_VALUE_KIND_ARRAY &&
      nebula_value_get_length (self->example) > 0)
    type.example = nebula_value_get_item (self->example, 0);
  return type;
}
