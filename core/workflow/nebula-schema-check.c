/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-expression.h"
#include "nebula-limits.h"
#include "nebula-nearest-internal.h"
#include "nebula-schema-private.h"

static void check_shape (NebulaSchemaWalk *walk, const NebulaSchemaShape *shape, NebulaValue *value, const NebulaPath *path);

void
_nebula_schema_report (NebulaSchemaWalk *walk,
                       NebulaProblem problem,
                       const NebulaPath *path,
                       const char *message)
{
  gboolean is_structure = strcmp (problem.code, "schema") == 0;
  g_autofree char *pointer = NULL;

  if (is_structure != (walk->pass == NEBULA_SCHEMA_PASS_STRUCTURE))
    return;
  pointer = _nebula_path_to_pointer (path);
  problem.pointer = pointer;
  _nebula_problems_add (walk->problems, &problem, "%s", message);
}

static const char *
kind_for_people (NebulaFieldKind kind)
{
  switch (kind) {
  case NEBULA_FIELD_TEXT:
  case NEBULA_FIELD_DURATION:
  case NEBULA_FIELD_CHOICE:
    return _("a text");
  case NEBULA_FIELD_TEXTS:
    return _("a list of texts");
  case NEBULA_FIELD_CHOICE_OR_SHAPE:
    return _("a text or an object");
  case NEBULA_FIELD_BOOLEAN:
    return _("true or false");
  case NEBULA_FIELD_INTEGER:
    return _("a whole number");
  case NEBULA_FIELD_INTEGER_OR_TEMPLATE:
    return _("a whole number, or a text with an expression such as “{{ $input.urgent ? 10 : 0 }}”");
  case NEBULA_FIELD_NUMBER:
    return _("a number");
  case NEBULA_FIELD_CONNECTIONS:
    return _("a list");
  case NEBULA_FIELD_OBJECT:
  case NEBULA_FIELD_SHAPE:
  case NEBULA_FIELD_MAP:
  case NEBULA_FIELD_NODES:
    return _("an object");
  case NEBULA_FIELD_ANY:
  default:
    return _("a value");
  }
}

static gboolean
kind_fits (NebulaFieldKind kind, NebulaValue *value)
{
  NebulaValueKind found = nebula_value_get_kind (value);

  switch (kind) {
  case NEBULA_FIELD_TEXT:
  case NEBULA_FIELD_CHOICE:
    return found == NEBULA_VALUE_KIND_STRING;
  case NEBULA_FIELD_CHOICE_OR_SHAPE:
    return found == NEBULA_VALUE_KIND_STRING || found == NEBULA_VALUE_KIND_OBJECT;
  case NEBULA_FIELD_DURATION:
    return found == NEBULA_VALUE_KIND_STRING || nebula_value_is_number (value);
  case NEBULA_FIELD_BOOLEAN:
    return found == NEBULA_VALUE_KIND_BOOLEAN;
  case NEBULA_FIELD_INTEGER:
    return found == NEBULA_VALUE_KIND_INTEGER;
  case NEBULA_FIELD_INTEGER_OR_TEMPLATE:
    return found == NEBULA_VALUE_KIND_INTEGER
           || (found == NEBULA_VALUE_KIND_STRING
               && nebula_expression_is_template (nebula_value_get_string (value)));
  case NEBULA_FIELD_NUMBER:
    return nebula_value_is_number (value);
  case NEBULA_FIELD_TEXTS:
  case NEBULA_FIELD_CONNECTIONS:
    return found == NEBULA_VALUE_KIND_ARRAY;
  case NEBULA_FIELD_OBJECT:
  case NEBULA_FIELD_SHAPE:
  case NEBULA_FIELD_MAP:
  case NEBULA_FIELD_NODES:
    return found == NEBULA_VALUE_KIND_OBJECT;
  case NEBULA_FIELD_ANY:
  default:
    return TRUE;
  }
}

static void
report_kind (NebulaSchemaWalk *walk,
             const NebulaSchemaShape *shape,
             const NebulaField *field,
             NebulaValue *value,
             const NebulaPath *path)
{
  g_autofree char *message = NULL;

  message = g_strdup_printf (_("“%s” of %s must be %s, not %s"),
                             field->name,
                             _(shape->what),
                             kind_for_people (field->kind),
                             nebula_value_kind_to_string (nebula_value_get_kind (value)));
  _nebula_schema_report (walk, (NebulaProblem) { .code = shape->code }, path, message);
}

static void
check_choice (NebulaSchemaWalk *walk,
              const NebulaSchemaShape *shape,
              const NebulaField *field,
              NebulaValue *value,
              const NebulaPath *path)
{
  const char *text = nebula_value_get_string (value);
  g_autofree char *message = NULL;
  g_autofree char *choices = NULL;
  g_autofree char *hint = NULL;

  if (g_strv_contains (field->choices, text)
      && strlen (text) == nebula_value_get_string_length (value))
    return;

  choices = g_strjoinv (", ", (char **) field->choices);
  message = g_strdup_printf (_("“%s” of %s cannot be “%s”"), field->name, _(shape->what), text);
  hint = g_strdup_printf (_("It is one of: %s."), choices);
  _nebula_schema_report (walk,
                         (NebulaProblem) { .code = shape->code, .hint = hint },
                         path,
                         message);
}

static void
check_duration (NebulaSchemaWalk *walk, const NebulaField *field, NebulaValue *value, const NebulaPath *path)
{
  g_autofree char *message = NULL;
  g_autoptr (GError) error = NULL;
  gint64 usec;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    message = g_strdup_printf (_("“%s” must be a text with a unit, not a bare number"), field->name);
  else if (strlen (nebula_value_get_string (value)) != nebula_value_get_string_length (value))
    message = g_strdup_printf (_("“%s” is not a duration"), field->name);
  else if (!nebula_duration_parse (nebula_value_get_string (value), &usec, &error))
    message = g_strdup_printf ("“%s”: %s", field->name, error->message);
  else
    return;

  _nebula_schema_report (walk,
                         (NebulaProblem) {
                             .code = "bad-duration",
                             .hint = _("Write a duration such as 20ms, 30s, 1h30m or PT1H30M."),
                         },
                         path,
                         message);
}

static void
check_texts (NebulaSchemaWalk *walk,
             const NebulaSchemaShape *shape,
             const NebulaField *field,
             NebulaValue *value,
             const NebulaPath *path)
{
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);

    if (nebula_value_get_kind (item) != NEBULA_VALUE_KIND_STRING)
      report_kind (walk, shape, field, item, &(NebulaPath) { path, NULL, i });
  }
}

static void
check_id (NebulaSchemaWalk *walk, const char *id, gsize length, const NebulaPath *path)
{
  g_autofree char *message = NULL;

  if (length > NEBULA_LIMIT_NAME_BYTES)
    message = g_strdup_printf (_("The id of a node must not be longer than %d bytes"),
                               NEBULA_LIMIT_NAME_BYTES);
  else if (!_nebula_is_node_id (id, length))
    message = g_strdup_printf (_("“%s” cannot be the id of a node"), id);
  else
    return;

  _nebula_schema_report (walk,
                         (NebulaProblem) {
                             .code = "schema",
                             .of_key = TRUE,
                             .hint = _("An id starts with a letter or _, and goes on with letters, digits, _ and -."),
                         },
                         path,
                         message);
}

static void
check_map (NebulaSchemaWalk *walk, const NebulaField *field, NebulaValue *value, const NebulaPath *path)
{
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);
    NebulaPath inner = { path, key, 0 };

    if (field->kind == NEBULA_FIELD_NODES)
      check_id (walk, key, length, &inner);
    check_shape (walk, field->shape, nebula_value_get_member_at (value, i), &inner);
  }
}

static void
check_connections (NebulaSchemaWalk *walk, const NebulaField *field, NebulaValue *value, const NebulaPath *path)
{
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);
    NebulaPath inner = { path, NULL, i };
    g_auto (NebulaConnection) connection = { 0 };

    if (nebula_value_get_kind (item) == NEBULA_VALUE_KIND_OBJECT)
      check_shape (walk, field->shape, item, &inner);
    else if (!_nebula_connection_parse (item, &connection))
      _nebula_schema_report (walk,
                             (NebulaProblem) {
                                 .code = "schema",
                                 .hint = _("Write “a -> b”, “a.port -> b”, or an object with “from” and “to”."),
                             },
                             &inner,
                             _("This is not a connection"));
  }
}

static void
check_field (NebulaSchemaWalk *walk,
             const NebulaSchemaShape *shape,
             const NebulaField *field,
             NebulaValue *value,
             const NebulaPath *path)
{
  if (!kind_fits (field->kind, value)) {
    report_kind (walk, shape, field, value, path);
    return;
  }

  switch (field->kind) {
  case NEBULA_FIELD_CHOICE:
    check_choice (walk, shape, field, value, path);
    break;
  case NEBULA_FIELD_CHOICE_OR_SHAPE:
    if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING)
      check_choice (walk, shape, field, value, path);
    else
      check_shape (walk, field->shape, value, path);
    break;
  case NEBULA_FIELD_DURATION:
    check_duration (walk, field, value, path);
    break;
  case NEBULA_FIELD_TEXTS:
    check_texts (walk, shape, field, value, path);
    break;
  case NEBULA_FIELD_SHAPE:
    check_shape (walk, field->shape, value, path);
    break;
  case NEBULA_FIELD_MAP:
  case NEBULA_FIELD_NODES:
    check_map (walk, field, value, path);
    break;
  case NEBULA_FIELD_CONNECTIONS:
    check_connections (walk, field, value, path);
    break;
  case NEBULA_FIELD_ANY:
  case NEBULA_FIELD_TEXT:
  case NEBULA_FIELD_BOOLEAN:
  case NEBULA_FIELD_INTEGER:
  case NEBULA_FIELD_INTEGER_OR_TEMPLATE:
  case NEBULA_FIELD_NUMBER:
  case NEBULA_FIELD_OBJECT:
  default:
    break;
  }
}

static void
report_unknown_key (NebulaSchemaWalk *walk,
                    const NebulaSchemaShape *shape,
                    const char *key,
                    const NebulaPath *path)
{
  g_autofree char *message = NULL;
  g_autofree char *hint = NULL;
  NebulaNearest nearest;

  if (walk->pass != NEBULA_SCHEMA_PASS_STRUCTURE)
    return;
  nebula_nearest_init (&nearest, key);
  for (gsize i = 0; i < shape->n_fields; i++)
    nebula_nearest_offer (&nearest, shape->fields[i].name);
  hint = _nebula_hint_nearest (nearest.best);
  message = g_strdup_printf (_("%s has no key “%s”"), _(shape->what), key);
  _nebula_schema_report (walk,
                         (NebulaProblem) { .code = "schema", .of_key = TRUE, .hint = hint },
                         path,
                         message);
}

static void
check_shape (NebulaSchemaWalk *walk,
             const NebulaSchemaShape *shape,
             NebulaValue *value,
             const NebulaPath *path)
{
  g_autofree char *message = NULL;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT) {
    message = g_strdup_printf (_("%s must be an object, not %s"),
                               _(shape->what),
                               nebula_value_kind_to_string (nebula_value_get_kind (value)));
    _nebula_schema_report (walk, (NebulaProblem) { .code = shape->code }, path, message);
    return;
  }

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);
    const NebulaField *field = _nebula_schema_shape_find (shape, key, length);
    NebulaPath inner = { path, key, 0 };

    if (field)
      check_field (walk, shape, field, nebula_value_get_member_at (value, i), &inner);
    else
      report_unknown_key (walk, shape, key, &inner);
  }

  for (gsize i = 0; i < shape->n_fields; i++)
    if ((shape->fields[i].flags & NEBULA_FIELD_FLAGS_REQUIRED)
        && !nebula_value_has_member (value, shape->fields[i].name)) {
      g_autofree char *missing = NULL;

      missing = g_strdup_printf (_("%s needs the key “%s”"), _(shape->what), shape->fields[i].name);
      _nebula_schema_report (walk,
                             (NebulaProblem) { .code = shape->code, .of_key = TRUE },
                             path,
                             missing);
    }
  _nebula_schema_check_rules (walk, shape, value, path);
}

void
_nebula_schema_check (NebulaValue *definition, NebulaSchemaPass pass, NebulaProblems *problems)
{
  NebulaSchemaWalk walk = { problems, pass };

  if (pass == NEBULA_SCHEMA_PASS_STRUCTURE
      && nebula_value_get_depth (definition) > NEBULA_LIMIT_DEPTH) {
    g_autofree char *message = NULL;

    message = g_strdup_printf (_("The workflow is nested deeper than %d levels"), NEBULA_LIMIT_DEPTH);
    _nebula_schema_report (&walk, (NebulaProblem) { .code = "schema" }, NULL, message);
    return;
  }
  check_shape (&walk, &_nebula_schema_shape_workflow, definition, NULL);
}
