/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-input-internal.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-nearest-internal.h"
#include "nebula-workflow-private.h"

/* Steps that one match may take: no pattern holds an execution up. */
#define PATTERN_LIMIT "(*LIMIT_MATCH=100000)"

typedef enum
{
  KEYWORD_COMMENT, /* says nothing about what is valid */
  KEYWORD_ANY,
  KEYWORD_TYPE,
  KEYWORD_SCHEMA,
  KEYWORD_SCHEMAS, /* object of schemas */
  KEYWORD_SCHEMA_OR_BOOLEAN,
  KEYWORD_TEXTS,
  KEYWORD_ARRAY,
  KEYWORD_NUMBER,
  KEYWORD_COUNT,
  KEYWORD_PATTERN,
} KeywordKind;

static const struct
{
  const char *name;
  KeywordKind kind;
} keywords[] = {
  { "additionalProperties", KEYWORD_SCHEMA_OR_BOOLEAN },
  { "default", KEYWORD_ANY },
  { "description", KEYWORD_COMMENT },
  { "enum", KEYWORD_ARRAY },
  { "examples", KEYWORD_COMMENT },
  { "items", KEYWORD_SCHEMA },
  { "maxLength", KEYWORD_COUNT },
  { "maximum", KEYWORD_NUMBER },
  { "minLength", KEYWORD_COUNT },
  { "minimum", KEYWORD_NUMBER },
  { "pattern", KEYWORD_PATTERN },
  { "properties", KEYWORD_SCHEMAS },
  { "required", KEYWORD_TEXTS },
  { "title", KEYWORD_COMMENT },
  { "type", KEYWORD_TYPE },
};

static const char *const types[]
    = { "null", "boolean", "integer", "number", "string", "array", "object", NULL };

static void
report (const NebulaPath *path, gboolean of_key, const char *hint, NebulaProblems *problems, const char *message)
{
  g_autofree char *pointer = _nebula_path_to_pointer (path);

  _nebula_problems_add (problems,
                        &(NebulaProblem) {
                            .code = "schema",
                            .pointer = pointer,
                            .of_key = of_key,
                            .hint = hint,
                        },
                        "%s",
                        message);
}

static gboolean
is_type_name (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING
         && g_strv_contains (types, nebula_value_get_string (value));
}

static gboolean
is_type (NebulaValue *value)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return is_type_name (value);
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!is_type_name (nebula_value_get_item (value, i)))
      return FALSE;
  return nebula_value_get_length (value) > 0;
}

static gboolean
is_texts (NebulaValue *value)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (nebula_value_get_kind (nebula_value_get_item (value, i)) != NEBULA_VALUE_KIND_STRING)
      return FALSE;
  return TRUE;
}

static GRegex *
compile_pattern (NebulaValue *value, GError **error)
{
  g_autofree char *limited = g_strconcat (PATTERN_LIMIT, nebula_value_get_string (value), NULL);

  return g_regex_new (limited, 0, 0, error);
}

static gboolean
is_pattern (NebulaValue *value)
{
  g_autoptr (GRegex) regex = NULL;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    return FALSE;
  regex = compile_pattern (value, NULL);
  return regex != NULL;
}

static gboolean
is_well_formed (KeywordKind kind, NebulaValue *value)
{
  NebulaValueKind found = nebula_value_get_kind (value);

  switch (kind) {
  case KEYWORD_TYPE:
    return is_type (value);
  case KEYWORD_SCHEMA:
  case KEYWORD_SCHEMAS:
    return found == NEBULA_VALUE_KIND_OBJECT;
  case KEYWORD_SCHEMA_OR_BOOLEAN:
    return found == NEBULA_VALUE_KIND_OBJECT || found == NEBULA_VALUE_KIND_BOOLEAN;
  case KEYWORD_TEXTS:
    return is_texts (value);
  case KEYWORD_ARRAY:
    return found == NEBULA_VALUE_KIND_ARRAY;
  case KEYWORD_NUMBER:
    return nebula_value_is_number (value);
  case KEYWORD_COUNT:
    return found == NEBULA_VALUE_KIND_INTEGER && nebula_value_get_integer (value) >= 0;
  case KEYWORD_PATTERN:
    return is_pattern (value);
  case KEYWORD_COMMENT:
  case KEYWORD_ANY:
  default:
    return TRUE;
  }
}

static void
report_unknown_keyword (const char *key, const NebulaPath *path, NebulaProblems *problems)
{
  g_autofree char *message = g_strdup_printf (_("The keyword “%s” of JSON Schema is not supported here"), key);
  g_autofree char *hint = NULL;
  NebulaNearest nearest;

  nebula_nearest_init (&nearest, key);
  for (gsize i = 0; i < G_N_ELEMENTS (keywords); i++)
    nebula_nearest_offer (&nearest, keywords[i].name);
  hint = _nebula_hint_nearest (nearest.best);
  report (path, TRUE, hint, problems, message);
}

static void check_keyword (KeywordKind kind, NebulaValue *value, const NebulaPath *path, NebulaProblems *problems);

void
_nebula_input_schema_check (NebulaValue *schema, const NebulaPath *path, NebulaProblems *problems)
{
  if (nebula_value_get_kind (schema) != NEBULA_VALUE_KIND_OBJECT) {
    report (path, FALSE, _("Write an object such as { type: string }."), problems, _("A schema must be an object"));
    return;
  }

  for (gsize i = 0; i < nebula_value_get_length (schema); i++) {
    gsize length;
    const char *key = nebula_value_get_key (schema, i, &length);
    NebulaPath inner = { path, key, 0 };
    gsize k = 0;

    while (k < G_N_ELEMENTS (keywords) && strcmp (keywords[k].name, key) != 0)
      k++;
    if (k == G_N_ELEMENTS (keywords) || strlen (key) != length)
      report_unknown_keyword (key, &inner, problems);
    else
      check_keyword (keywords[k].kind, nebula_value_get_member_at (schema, i), &inner, problems);
  }
}

static void
check_keyword (KeywordKind kind, NebulaValue *value, const NebulaPath *path, NebulaProblems *problems)
{
  g_autofree char *message = NULL;

  if (!is_well_formed (kind, value)) {
    message = g_strdup_printf (_("“%s” of this schema has a value that it cannot have"), path->key);
    report (path, FALSE, NULL, problems, message);
    return;
  }
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return;

  if (kind == KEYWORD_SCHEMA || kind == KEYWORD_SCHEMA_OR_BOOLEAN)
    _nebula_input_schema_check (value, path, problems);
  for (gsize i = 0; kind == KEYWORD_SCHEMAS && i < nebula_value_get_length (value); i++)
    _nebula_input_schema_check (nebula_value_get_member_at (value, i),
                                &(NebulaPath) { path, nebula_value_get_key (value, i, NULL), 0 },
                                problems);
}

static NebulaValue *fill (NebulaValue *schema, NebulaValue *value, const NebulaPath *path, GError **error);

/* “customer.name[2]” */
static char *
name_place (const NebulaPath *path)
{
  g_autofree char *outer = NULL;

  outer = path->parent ? name_place (path->parent) : g_strdup ("");
  if (!path->key)
    return g_strdup_printf ("%s[%" G_GSIZE_FORMAT "]", outer, path->index);
  return g_strdup_printf ("%s%s%s", outer, *outer ? "." : "", path->key);
}

static gboolean
refuse (const NebulaPath *path, GError **error, const char *why)
{
  g_autofree char *place = path ? name_place (path) : NULL;

  if (!place)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, _("The input is refused: %s"), why);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, _("Input “%s” is refused: %s"), place, why);
  return FALSE;
}

static gboolean
has_type (NebulaValue *value, const char *type)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (strcmp (type, "null") == 0)
    return kind == NEBULA_VALUE_KIND_NULL;
  if (strcmp (type, "boolean") == 0)
    return kind == NEBULA_VALUE_KIND_BOOLEAN;
  if (strcmp (type, "string") == 0)
    return kind == NEBULA_VALUE_KIND_STRING;
  if (strcmp (type, "array") == 0)
    return kind == NEBULA_VALUE_KIND_ARRAY;
  if (strcmp (type, "object") == 0)
    return kind == NEBULA_VALUE_KIND_OBJECT;
  if (strcmp (type, "number") == 0 || kind == NEBULA_VALUE_KIND_INTEGER)
    return nebula_value_is_number (value);
  if (kind == NEBULA_VALUE_KIND_FLOAT) {
    /* 3.0 is an integer to JSON Schema. */
    double number = nebula_value_get_float (value);
    double whole = (double) (gint64) CLAMP (number, -9.2e18, 9.2e18);

    return !(number < whole) && !(number > whole);
  }
  return FALSE;
}

static gboolean
check_type (NebulaValue *type, NebulaValue *value, const NebulaPath *path, GError **error)
{
  g_autofree char *why = NULL;
  g_autofree char *wanted = NULL;

  if (!type)
    return TRUE;
  if (nebula_value_get_kind (type) == NEBULA_VALUE_KIND_STRING) {
    if (has_type (value, nebula_value_get_string (type)))
      return TRUE;
    wanted = g_strdup (nebula_value_get_string (type));
  } else {
    g_autoptr (GString) names = g_string_new (NULL);

    for (gsize i = 0; i < nebula_value_get_length (type); i++) {
      const char *name = nebula_value_get_string (nebula_value_get_item (type, i));

      if (has_type (value, name))
        return TRUE;
      g_string_append_printf (names, "%s%s", i > 0 ? " | " : "", name);
    }
    wanted = g_string_free (g_steal_pointer (&names), FALSE);
  }
  why = g_strdup_printf (_("it must be of type %s, not %s"),
                         wanted,
                         nebula_value_kind_to_string (nebula_value_get_kind (value)));
  return refuse (path, error, why);
}

static gboolean
check_enum (NebulaValue *choices, NebulaValue *value, const NebulaPath *path, GError **error)
{
  g_autofree char *list = NULL;
  g_autofree char *why = NULL;

  if (!choices)
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (choices); i++)
    if (nebula_value_equal (nebula_value_get_item (choices, i), value))
      return TRUE;
  list = nebula_value_to_text (choices);
  why = g_strdup_printf (_("it must be one of %s"), list);
  return refuse (path, error, why);
}

static gboolean
check_number (NebulaValue *schema, NebulaValue *value, const NebulaPath *path, GError **error)
{
  NebulaValue *minimum = nebula_value_get_member (schema, "minimum");
  NebulaValue *maximum = nebula_value_get_member (schema, "maximum");
  g_autofree char *limit = NULL;
  g_autofree char *why = NULL;
  gint order = 0;

  if (!nebula_value_is_number (value))
    return TRUE;
  if (minimum && nebula_value_compare (value, minimum, &order, NULL) && order < 0) {
    limit = nebula_value_to_text (minimum);
    why = g_strdup_printf (_("it must be at least %s"), limit);
  } else if (maximum && nebula_value_compare (value, maximum, &order, NULL) && order > 0) {
    limit = nebula_value_to_text (maximum);
    why = g_strdup_printf (_("it must be at most %s"), limit);
  }
  return why ? refuse (path, error, why) : TRUE;
}

static gboolean
check_pattern (NebulaValue *pattern, NebulaValue *value, const NebulaPath *path, GError **error)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree char *why = NULL;

  if (!pattern)
    return TRUE;
  regex = compile_pattern (pattern, error);
  if (!regex)
    return FALSE;
  if (g_regex_match_full (regex,
                          nebula_value_get_string (value),
                          (gssize) nebula_value_get_string_length (value),
                          0,
                          0,
                          NULL,
                          &problem))
    return TRUE;
  if (problem)
    return refuse (path, error, _("its pattern takes too long on it; shorten the input, or write a simpler pattern"));
  why = g_strdup_printf (_("it must match the pattern “%s”"), nebula_value_get_string (pattern));
  return refuse (path, error, why);
}

static gboolean
check_string (NebulaValue *schema, NebulaValue *value, const NebulaPath *path, GError **error)
{
  gint64 minimum = nebula_value_get_member_integer (schema, "minLength", 0);
  gint64 maximum = nebula_value_get_member_integer (schema, "maxLength", G_MAXINT64);
  g_autofree char *why = NULL;
  glong length;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    return TRUE;
  length = g_utf8_strlen (nebula_value_get_string (value), (gssize) nebula_value_get_string_length (value));
  if (length < minimum)
    why = g_strdup_printf (_("it must have at least %lld characters"), (long long) minimum);
  else if (length > maximum)
    why = g_strdup_printf (_("it must have at most %lld characters"), (long long) maximum);
  if (why)
    return refuse (path, error, why);
  return check_pattern (nebula_value_get_member (schema, "pattern"), value, path, error);
}

static NebulaValue *
fill_array (NebulaValue *schema, NebulaValue *value, const NebulaPath *path, GError **error)
{
  NebulaValue *items = nebula_value_get_member (schema, "items");
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (!items)
    return nebula_value_ref (value);
  builder = nebula_value_builder_new_array ();
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *filled
        = fill (items, nebula_value_get_item (value, i), &(NebulaPath) { path, NULL, i }, error);

    if (!filled)
      return NULL;
    nebula_value_builder_add_take (builder, filled);
  }
  return nebula_value_builder_end (builder);
}

/* The schema of a member; NULL with @error set if there may be no such member, NULL without if anything goes. */
static NebulaValue *
find_member_schema (NebulaValue *schema, const char *key, gsize length, const NebulaPath *path, GError **error)
{
  NebulaValue *properties = nebula_value_get_member (schema, "properties");
  NebulaValue *others = nebula_value_get_member (schema, "additionalProperties");
  NebulaValue *found = properties ? nebula_value_get_member_length (properties, key, length) : NULL;

  if (found || !others)
    return found;
  if (nebula_value_get_kind (others) == NEBULA_VALUE_KIND_OBJECT)
    return others;
  if (!nebula_value_get_boolean (others))
    refuse (path, error, _("there is no such member; correct its name or remove it"));
  return NULL;
}

static gboolean
add_members (NebulaValueBuilder *builder, NebulaValue *schema, NebulaValue *value, const NebulaPath *path, GError **error)
{
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *member = nebula_value_get_member_at (value, i);
    g_autoptr (GError) problem = NULL;
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);
    NebulaPath inner = { path, key, 0 };
    NebulaValue *member_schema = find_member_schema (schema, key, length, &inner, &problem);
    NebulaValue *filled;

    if (problem) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
    filled = member_schema ? fill (member_schema, member, &inner, error) : nebula_value_ref (member);
    if (!filled)
      return FALSE;
    nebula_value_builder_set_length_take (builder, key, length, filled);
  }
  return TRUE;
}

static gboolean
add_defaults (NebulaValueBuilder *builder, NebulaValue *schema, const NebulaPath *path, GError **error)
{
  NebulaValue *properties = nebula_value_get_member (schema, "properties");

  for (gsize i = 0; properties && i < nebula_value_get_length (properties); i++) {
    gsize length;
    const char *key = nebula_value_get_key (properties, i, &length);
    NebulaValue *property = nebula_value_get_member_at (properties, i);
    NebulaValue *fallback = nebula_value_get_member (property, "default");
    NebulaValue *filled;

    if (!fallback || nebula_value_builder_has (builder, key, length))
      continue;
    filled = fill (property, fallback, &(NebulaPath) { path, key, 0 }, error);
    if (!filled)
      return FALSE;
    nebula_value_builder_set_length_take (builder, key, length, filled);
  }
  return TRUE;
}

static gboolean
check_required (NebulaValueBuilder *builder, NebulaValue *schema, const NebulaPath *path, GError **error)
{
  NebulaValue *required = nebula_value_get_member (schema, "required");

  for (gsize i = 0; required && i < nebula_value_get_length (required); i++) {
    NebulaValue *name = nebula_value_get_item (required, i);
    const char *key = nebula_value_get_string (name);

    if (!nebula_value_builder_has (builder, key, nebula_value_get_string_length (name)))
      return refuse (&(NebulaPath) { path, key, 0 }, error, _("it is required; give it a value"));
  }
  return TRUE;
}

static NebulaValue *
fill_object (NebulaValue *schema, NebulaValue *value, const NebulaPath *path, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  if (!add_members (builder, schema, value, path, error)
      || !add_defaults (builder, schema, path, error)
      || !check_required (builder, schema, path, error))
    return NULL;
  return nebula_value_builder_end (builder);
}

static NebulaValue *
fill (NebulaValue *schema, NebulaValue *value, const NebulaPath *path, GError **error)
{
  if (!check_type (nebula_value_get_member (schema, "type"), value, path, error)
      || !check_enum (nebula_value_get_member (schema, "enum"), value, path, error)
      || !check_number (schema, value, path, error) || !check_string (schema, value, path, error))
    return NULL;

  switch ((guint) nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_ARRAY:
    return fill_array (schema, value, path, error);
  case NEBULA_VALUE_KIND_OBJECT:
    return fill_object (schema, value, path, error);
  default:
    return nebula_value_ref (value);
  }
}

gboolean
nebula_input_check (NebulaValue *schema, NebulaValue *input, NebulaValue **ret_filled, GError **error)
{
  NebulaValue *filled;

  g_return_val_if_fail (schema != NULL, FALSE);
  g_return_val_if_fail (input != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  filled = fill (schema, input, NULL, error);
  if (!filled)
    return FALSE;
  *ret_filled = filled;
  return TRUE;
}
