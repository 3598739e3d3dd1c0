/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules that look at one value alone. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-json-schema-private.h"
#include "nebula-regex-internal.h"

/* Choices are listed up to this many characters. */
#define LIST_CHARACTERS 200

typedef enum {
  TYPE_NULL = 1 << 0,
  TYPE_BOOLEAN = 1 << 1,
  TYPE_INTEGER = 1 << 2,
  TYPE_NUMBER = 1 << 3,
  TYPE_STRING = 1 << 4,
  TYPE_ARRAY = 1 << 5,
  TYPE_OBJECT = 1 << 6,
} Type;

/* The types that the value has; what JSON can only write as text is a string. */
static guint
get_types (NebulaValue *value)
{
  switch ((guint) nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_NULL:
    return TYPE_NULL;
  case NEBULA_VALUE_KIND_BOOLEAN:
    return TYPE_BOOLEAN;
  case NEBULA_VALUE_KIND_INTEGER:
    return TYPE_INTEGER | TYPE_NUMBER;
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
    return TYPE_NUMBER | (_nebula_number_is_whole (value) ? TYPE_INTEGER : 0);
  case NEBULA_VALUE_KIND_ARRAY:
    return TYPE_ARRAY;
  case NEBULA_VALUE_KIND_OBJECT:
  case NEBULA_VALUE_KIND_REFERENCE:
    return TYPE_OBJECT;
  default:
    return TYPE_STRING;
  }
}

static char *
list_types (NebulaValue *types)
{
  g_autoptr (GString) names = g_string_new (NULL);

  if (nebula_value_get_kind (types) == NEBULA_VALUE_KIND_STRING)
    return g_strdup (nebula_value_get_string (types));
  for (gsize i = 0; i < nebula_value_get_length (types); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? " | " : "",
                            nebula_value_get_string (nebula_value_get_item (types, i)));
  return g_string_free (g_steal_pointer (&names), FALSE);
}

gboolean
_nebula_schema_rule_type (NebulaSchemaRun *run,
                          const NebulaSchemaFrame *frame,
                          const NebulaSchemaCheck *check)
{
  g_autofree char *wanted = NULL;

  if (get_types (frame->value) & (guint) check->count)
    return TRUE;
  if (!_nebula_schema_wants_more (run))
    return FALSE;
  wanted = list_types (check->value);
  return _nebula_schema_refuse_printf (
      run, frame, check, _ ("it must be of type %s, not %s"), wanted,
      nebula_value_kind_to_string (nebula_value_get_kind (frame->value)));
}

static char *
abbreviate (NebulaValue *value)
{
  g_autofree char *text = nebula_value_to_text (value);
  g_autofree char *start = NULL;

  if (g_utf8_strlen (text, -1) <= LIST_CHARACTERS)
    return g_steal_pointer (&text);
  start = g_utf8_substring (text, 0, LIST_CHARACTERS);
  return g_strconcat (start, "…", NULL);
}

gboolean
_nebula_schema_rule_enum (NebulaSchemaRun *run,
                          const NebulaSchemaFrame *frame,
                          const NebulaSchemaCheck *check)
{
  gsize n = nebula_value_get_length (check->value);
  g_autofree char *list = NULL;

  if (!_nebula_schema_burn (run, n))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (nebula_value_equal (nebula_value_get_item (check->value, i), frame->value))
      return TRUE;
  if (!_nebula_schema_wants_more (run))
    return FALSE;
  list = abbreviate (check->value);
  return _nebula_schema_refuse_printf (run, frame, check, _ ("it must be one of %s"),
                                       list);
}

gboolean
_nebula_schema_rule_const (NebulaSchemaRun *run,
                           const NebulaSchemaFrame *frame,
                           const NebulaSchemaCheck *check)
{
  g_autofree char *wanted = NULL;

  if (nebula_value_equal (check->value, frame->value))
    return TRUE;
  if (!_nebula_schema_wants_more (run))
    return FALSE;
  wanted = abbreviate (check->value);
  return _nebula_schema_refuse_printf (run, frame, check, _ ("it must be %s"), wanted);
}

gboolean
_nebula_schema_rule_multiple_of (NebulaSchemaRun *run,
                                 const NebulaSchemaFrame *frame,
                                 const NebulaSchemaCheck *check)
{
  g_autofree char *step = NULL;

  if (!nebula_value_is_number (frame->value) ||
      _nebula_number_is_multiple (frame->value, check->value))
    return TRUE;
  step = nebula_value_to_text (check->value);
  return _nebula_schema_refuse_printf (run, frame, check,
                                       _ ("it must be a multiple of %s"), step);
}

/* minimum, maximum, exclusiveMinimum, exclusiveMaximum */
gboolean
_nebula_schema_rule_bound (NebulaSchemaRun *run,
                           const NebulaSchemaFrame *frame,
                           const NebulaSchemaCheck *check)
{
  const char *name = check->keyword->name;
  gboolean is_exclusive = *name == 'e';
  gboolean is_least = strstr (name, "inimum") != NULL;
  g_autofree char *limit = NULL;
  gint order = 0;

  if (!nebula_value_is_number (frame->value) ||
      !nebula_value_compare (frame->value, check->value, &order, NULL))
    return TRUE;
  if (is_least ? order > 0 : order < 0)
    return TRUE;
  if (order == 0 && !is_exclusive)
    return TRUE;
  limit = nebula_value_to_text (check->value);
  if (is_exclusive)
    return _nebula_schema_refuse_printf (
        run, frame, check,
        is_least ? _ ("it must be more than %s") : _ ("it must be less than %s"), limit);
  return _nebula_schema_refuse_printf (
      run, frame, check,
      is_least ? _ ("it must be at least %s") : _ ("it must be at most %s"), limit);
}

/* The text of a value that JSON writes as text; NULL for others. *ret_owned is what the caller frees. */
static const char *
get_text (NebulaValue *value, gsize *ret_length, char **ret_owned)
{
  *ret_owned = NULL;
  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING) {
    *ret_length = nebula_value_get_string_length (value);
    return nebula_value_get_string (value);
  }
  if (get_types (value) != TYPE_STRING)
    return NULL;
  *ret_owned = nebula_value_to_text (value);
  *ret_length = strlen (*ret_owned);
  return *ret_owned;
}

gboolean
_nebula_schema_rule_length (NebulaSchemaRun *run,
                            const NebulaSchemaFrame *frame,
                            const NebulaSchemaCheck *check)
{
  g_autofree char *owned = NULL;
  gsize n_bytes;
  const char *text = get_text (frame->value, &n_bytes, &owned);
  gint64 length;

  if (!text)
    return TRUE;
  length = g_utf8_strlen (text, (gssize) n_bytes);
  if (check->keyword->name[1] == 'i')
    return length >= check->count ||
           _nebula_schema_refuse_printf (run, frame, check,
                                         _ ("it must have at least %lld characters"),
                                         (long long) check->count);
  return length <= check->count ||
         _nebula_schema_refuse_printf (run, frame, check,
                                       _ ("it must have at most %lld characters"),
                                       (long long) check->count);
}

gboolean
_nebula_schema_rule_pattern (NebulaSchemaRun *run,
                             const NebulaSchemaFrame *frame,
                             const NebulaSchemaCheck *check)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *owned = NULL;
  gsize length;
  const char *text = get_text (frame->value, &length, &owned);

  if (!text)
    return TRUE;
  if (!_nebula_schema_burn (run, 10 + length / 16))
    return FALSE;
  if (nebula_regex_matches (check->regex, text, length, &problem))
    return TRUE;
  if (problem)
    return _nebula_schema_refuse (run, frame, check,
                                  _ ("its pattern takes too long on it; shorten the "
                                     "text, or write a simpler pattern"));
  return _nebula_schema_refuse_printf (run, frame, check,
                                       _ ("it must match the pattern “%s”"),
                                       nebula_value_get_string (check->value));
}

gboolean
_nebula_schema_rule_format (NebulaSchemaRun *run,
                            const NebulaSchemaFrame *frame,
                            const NebulaSchemaCheck *check)
{
  const char *format = nebula_value_get_string (check->value);

  if (!(run->schema->flags & NEBULA_JSON_SCHEMA_FLAGS_FORMATS) &&
      !frame->node->resource->asserts_formats)
    return TRUE;
  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_STRING)
    return TRUE;
  return _nebula_schema_format_matches (format, nebula_value_get_string (frame->value),
                                        nebula_value_get_string_length (frame->value)) ||
         _nebula_schema_refuse_printf (run, frame, check,
                                       _ ("it must have the format “%s”"), format);
}

gboolean
_nebula_schema_rule_item_count (NebulaSchemaRun *run,
                                const NebulaSchemaFrame *frame,
                                const NebulaSchemaCheck *check)
{
  gint64 length;

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_ARRAY)
    return TRUE;
  length = (gint64) nebula_value_get_length (frame->value);
  if (check->keyword->name[1] == 'i')
    return length >= check->count ||
           _nebula_schema_refuse_printf (run, frame, check,
                                         _ ("it must have at least %lld items"),
                                         (long long) check->count);
  return length <= check->count ||
         _nebula_schema_refuse_printf (run, frame, check,
                                       _ ("it must have at most %lld items"),
                                       (long long) check->count);
}

gboolean
_nebula_schema_rule_member_count (NebulaSchemaRun *run,
                                  const NebulaSchemaFrame *frame,
                                  const NebulaSchemaCheck *check)
{
  gint64 length;

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_OBJECT)
    return TRUE;
  length = (gint64) nebula_value_get_length (frame->value);
  if (check->keyword->name[1] == 'i')
    return length >= check->count ||
           _nebula_schema_refuse_printf (run, frame, check,
                                         _ ("it must have at least %lld members"),
                                         (long long) check->count);
  return length <= check->count ||
         _nebula_schema_refuse_printf (run, frame, check,
                                       _ ("it must have at most %lld members"),
                                       (long long) check->count);
}

gboolean
_nebula_schema_rule_unique_items (NebulaSchemaRun *run,
                                  const NebulaSchemaFrame *frame,
                                  const NebulaSchemaCheck *check)
{
  g_autoptr (GHashTable) seen = NULL;
  gsize n;

  if (!nebula_value_get_boolean (check->value) ||
      nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_ARRAY)
    return TRUE;
  n = nebula_value_get_length (frame->value);
  if (n < 2)
    return TRUE;
  if (!_nebula_schema_burn (run, n))
    return FALSE;
  seen =
      g_hash_table_new ((GHashFunc) nebula_value_hash, (GEqualFunc) nebula_value_equal);
  for (gsize i = 0; i < n; i++)
    if (!g_hash_table_add (seen, nebula_value_get_item (frame->value, i)))
      return _nebula_schema_refuse_printf (
          run, frame, check, _ ("no two items may be equal, and item %lld comes twice"),
          (long long) i);
  return TRUE;
}

static gboolean
require_all (NebulaSchemaRun *run,
             const NebulaSchemaFrame *frame,
             const NebulaSchemaCheck *check,
             NebulaValue *names)
{
  gboolean is_valid = TRUE;

  for (gsize i = 0; i < nebula_value_get_length (names); i++) {
    NebulaValue *name = nebula_value_get_item (names, i);
    const char *key = nebula_value_get_string (name);
    gsize length = nebula_value_get_string_length (name);
    NebulaSchemaPlace place = {frame->place, key, length, 0};
    NebulaSchemaFrame missing = {frame->node, frame->value, &place, NULL};

    if (nebula_value_get_member_length (frame->value, key, length))
      continue;
    is_valid = _nebula_schema_refuse (run, &missing, check,
                                      _ ("it is required; give it a value"));
    if (!_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

gboolean
_nebula_schema_rule_required (NebulaSchemaRun *run,
                              const NebulaSchemaFrame *frame,
                              const NebulaSchemaCheck *check)
{
  return nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_OBJECT ||
         require_all (run, frame, check, check->value);
}

gboolean
_nebula_schema_rule_dependent_required (NebulaSchemaRun *run,
                                        const NebulaSchemaFrame *frame,
                                        const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_OBJECT)
    return TRUE;
  for (guint i = 0; i < check->n_members; i++) {
    const NebulaSchemaMember *member = &check->members[i];

    if (member->names &&
        nebula_value_get_member_length (frame->value, member->key, member->length) &&
        !require_all (run, frame, check, member->names))
      is_valid = FALSE;
    if (!is_valid && !_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}
