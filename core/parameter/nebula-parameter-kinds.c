/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one table of kinds: nick, kinds of values accepted, JSON Schema fragment and validation. A new kind is one line
 * here and one member of the enum.
 */
#include "nebula-parameter-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-regex-internal.h"

#define BIT(kind) (1u << NEBULA_VALUE_KIND_##kind)
#define TEXT BIT (STRING)
#define NUMBER (BIT (INTEGER) | BIT (FLOAT) | BIT (DECIMAL))
#define ANY G_MAXUINT

static gboolean
check_length (NebulaParameter *self, gint64 length, GError **error)
{
  g_autofree char *reason = NULL;

  if (self->min_length >= 0 && length < self->min_length)
    reason = g_strdup_printf (_("it is shorter than %lld"), (long long) self->min_length);
  else if (self->max_length >= 0 && length > self->max_length)
    reason = g_strdup_printf (_("it is longer than %lld"), (long long) self->max_length);

  return reason == NULL || _nebula_parameter_refuse (self, error, reason);
}

static gboolean
check_pattern (NebulaParameter *self, NebulaValue *value, GError **error)
{
  g_autofree char *reason = NULL;
  gsize length = nebula_value_get_string_length (value);

  if (self->regex == NULL ||
      nebula_regex_matches (self->regex, nebula_value_get_string (value), length, NULL))
    return TRUE;

  /* TRANSLATORS: %s is a regular expression */
  reason = g_strdup_printf (_("it does not match the pattern “%s”"), self->pattern);
  return _nebula_parameter_refuse (self, error, reason);
}

static gboolean
check_text (NebulaParameter *self, NebulaValue *value, GError **error)
{
  gint64 length;

  if (self->min_length < 0 && self->max_length < 0)
    return check_pattern (self, value, error);
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    return TRUE;

  length = g_utf8_strlen (nebula_value_get_string (value), (gssize) nebula_value_get_string_length (value));
  return check_length (self, length, error) && check_pattern (self, value, error);
}

static gboolean
check_path (NebulaParameter *self, NebulaValue *value, GError **error)
{
  const char *path = nebula_value_get_string (value);

  if (*path == '\0')
    return _nebula_parameter_refuse (self, error, _("a path must not be empty"));
  if (strlen (path) != nebula_value_get_string_length (value))
    return _nebula_parameter_refuse (self, error, _("a path must not hold a zero character"));
  return check_text (self, value, error);
}

static gboolean
check_number (NebulaParameter *self, NebulaValue *value, GError **error)
{
  g_autofree char *reason = NULL;
  double number;

  if (!self->has_range)
    return TRUE;

  number = nebula_value_get_float (value);
  if (number >= self->minimum && number <= self->maximum)
    return TRUE;

  if (number < self->minimum)
    reason = g_strdup_printf (_("it is less than %.15g"), self->minimum);
  else
    reason = g_strdup_printf (_("it is greater than %.15g"), self->maximum);
  return _nebula_parameter_refuse (self, error, reason);
}

static gboolean
check_option (NebulaParameter *self, NebulaValue *value, GError **error)
{
  g_autofree char *list = NULL;
  g_autofree char *reason = NULL;

  if (self->options == NULL)
    return TRUE;
  if (g_strv_contains ((const char *const *) self->options, nebula_value_get_string (value)))
    return TRUE;

  list = g_strjoinv ("”, “", self->options);
  /* TRANSLATORS: %s is a list of words with quotes between them */
  reason = g_strdup_printf (_("it must be one of “%s”"), list);
  return _nebula_parameter_refuse (self, error, reason);
}

static gboolean
check_texts (NebulaParameter *self, NebulaValue *value, GError **error)
{
  gsize n_items = nebula_value_get_length (value);

  for (gsize i = 0; i < n_items; i++) {
    if (nebula_value_get_kind (nebula_value_get_item (value, i)) != NEBULA_VALUE_KIND_STRING)
      return _nebula_parameter_refuse (self, error, _("each item must be text"));
  }
  return check_length (self, (gint64) n_items, error);
}

static gboolean
check_options (NebulaParameter *self, NebulaValue *value, GError **error)
{
  if (!check_texts (self, value, error))
    return FALSE;

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    if (!check_option (self, nebula_value_get_item (value, i), error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_list (NebulaParameter *self, NebulaValue *value, GError **error)
{
  return check_length (self, (gint64) nebula_value_get_length (value), error);
}

static gboolean
check_parsed (NebulaParameter *self, gboolean parsed, const GError *reason, GError **error)
{
  if (parsed)
    return TRUE;
  return _nebula_parameter_refuse (self, error, (self->flags & NEBULA_PARAMETER_FLAGS_SECRET) ? _("it does not parse") : reason->message);
}

static gboolean
check_date_time (NebulaParameter *self, NebulaValue *value, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gboolean parsed;
  gint64 usec;
  int offset;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    return TRUE;
  parsed = nebula_timestamp_parse (nebula_value_get_string (value), &usec, &offset, &reason);
  return check_parsed (self, parsed, reason, error);
}

static gboolean
check_duration (NebulaParameter *self, NebulaValue *value, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gboolean parsed;
  gint64 usec;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    return TRUE;
  parsed = nebula_duration_parse (nebula_value_get_string (value), &usec, &reason);
  return check_parsed (self, parsed, reason, error);
}

static gboolean
check_size (NebulaParameter *self, NebulaValue *value, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gboolean parsed;
  guint64 bytes;

  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_INTEGER)
    return nebula_value_get_integer (value) >= 0 || _nebula_parameter_refuse (self, error, _("a size is not negative"));
  parsed = nebula_size_parse (nebula_value_get_string (value), &bytes, &reason);
  return check_parsed (self, parsed, reason, error);
}

static gboolean
check_expressions (NebulaParameter *self, NebulaValue *value, GError **error)
{
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    if (nebula_value_get_kind (nebula_value_get_member_at (value, i)) != NEBULA_VALUE_KIND_STRING)
      return _nebula_parameter_refuse (self, error, _("each member must be the text of an expression"));
  }
  return TRUE;
}

/* clang-format off */
static const NebulaParameterKindInfo kinds[] = {
  { NEBULA_PARAMETER_KIND_TEXT, "text", TEXT, N_("text"), "string", NULL, FALSE, FALSE, check_text },
  { NEBULA_PARAMETER_KIND_TEXTAREA, "textarea", TEXT, N_("text"), "string", NULL, FALSE, FALSE, check_text },
  { NEBULA_PARAMETER_KIND_SECRET, "secret", TEXT | BIT (REFERENCE), N_("the reference of a secret"), "string", NULL, FALSE, FALSE, check_text },
  { NEBULA_PARAMETER_KIND_NUMBER, "number", NUMBER, N_("a number"), "number", NULL, FALSE, FALSE, check_number },
  { NEBULA_PARAMETER_KIND_INTEGER, "integer", BIT (INTEGER), N_("an integer"), "integer", NULL, FALSE, FALSE, check_number },
  { NEBULA_PARAMETER_KIND_BOOLEAN, "boolean", BIT (BOOLEAN), N_("true or false"), "boolean", NULL, FALSE, FALSE, NULL },
  { NEBULA_PARAMETER_KIND_SELECT, "select", TEXT, N_("one of the options as text"), "string", NULL, FALSE, FALSE, check_option },
  { NEBULA_PARAMETER_KIND_MULTI_SELECT, "multi-select", BIT (ARRAY), N_("an array of options"), "array", NULL, TRUE, FALSE, check_options },
  { NEBULA_PARAMETER_KIND_DATE_TIME, "date-time", TEXT | BIT (TIMESTAMP), N_("a time such as “2030-01-31T12:00:00Z”"), "string", "date-time", FALSE, FALSE, check_date_time },
  { NEBULA_PARAMETER_KIND_DURATION, "duration", TEXT | BIT (DURATION), N_("a duration such as “30s”, as text with a unit"), "string", NULL, FALSE, FALSE, check_duration },
  { NEBULA_PARAMETER_KIND_SIZE, "size", TEXT | BIT (INTEGER), N_("a size such as “64MiB”"), NULL, NULL, FALSE, FALSE, check_size },
  { NEBULA_PARAMETER_KIND_CODE, "code", TEXT, N_("text"), "string", NULL, FALSE, FALSE, check_text },
  { NEBULA_PARAMETER_KIND_EXPRESSION, "expression", TEXT | BIT (BOOLEAN) | BIT (INTEGER) | BIT (FLOAT), N_("the text of an expression"), NULL, NULL, FALSE, TRUE, NULL },
  { NEBULA_PARAMETER_KIND_EXPRESSIONS, "expressions", BIT (OBJECT), N_("an object of expressions"), "object", NULL, FALSE, TRUE, check_expressions },
  { NEBULA_PARAMETER_KIND_JSON, "json", ANY, N_("any value"), NULL, NULL, FALSE, FALSE, NULL },
  { NEBULA_PARAMETER_KIND_FILE, "file", TEXT, N_("the path of a file as text"), "string", NULL, FALSE, FALSE, check_path },
  { NEBULA_PARAMETER_KIND_OBJECT, "object", BIT (OBJECT), N_("an object"), "object", NULL, FALSE, FALSE, check_list },
  { NEBULA_PARAMETER_KIND_LIST, "list", BIT (ARRAY), N_("an array"), "array", NULL, FALSE, FALSE, check_list },
  { NEBULA_PARAMETER_KIND_STRINGS, "strings", BIT (ARRAY), N_("an array of texts"), "array", NULL, TRUE, FALSE, check_texts },
  { NEBULA_PARAMETER_KIND_WORKFLOW, "workflow", TEXT, N_("the name or path of a workflow"), "string", NULL, FALSE, FALSE, check_path },
  { NEBULA_PARAMETER_KIND_HIDDEN, "hidden", ANY, N_("any value"), NULL, NULL, FALSE, FALSE, NULL },
};
/* clang-format on */

const NebulaParameterKindInfo *
_nebula_parameter_kind_get_info (NebulaParameterKind kind)
{
  g_assert ((gsize) kind < G_N_ELEMENTS (kinds) && kinds[kind].kind == kind);

  return &kinds[kind];
}

const NebulaParameterKindInfo *
_nebula_parameter_kind_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_str_equal (kinds[i].name, name))
      return &kinds[i];
  }
  return NULL;
}
