/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about texts and numbers. What is no text or no number fails them. */
#include <math.h>
#include <string.h>

#include "nebula-cron.h"
#include "nebula-regex-internal.h"
#include "nebula-time-zone.h"
#include "nebula-validator-private.h"

#define HOLDS(name)                                                                      \
  gboolean _nebula_rule_##name (NebulaRuleRun *run, const NebulaRule *rule,              \
                                NebulaValue *value, const NebulaSchemaPlace *place)

/* The text of a value; NULL if it is none. */
static const char *
get_text (NebulaValue *value, gsize *ret_length)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    return NULL;
  *ret_length = nebula_value_get_string_length (value);
  return nebula_value_get_string (value);
}

/* Its characters; -1 if it is no text. */
static gint64
count_characters (NebulaValue *value)
{
  gsize length;
  const char *text = get_text (value, &length);

  return text ? g_utf8_strlen (text, (gssize) length) : -1;
}

HOLDS (min_length)
{
  return count_characters (value) >= nebula_value_get_integer (rule->argument);
}

HOLDS (max_length)
{
  gint64 count = count_characters (value);

  return count >= 0 && count <= nebula_value_get_integer (rule->argument);
}

HOLDS (exact_length)
{
  return count_characters (value) == nebula_value_get_integer (rule->argument);
}

HOLDS (contains)
{
  gsize length, part_length = nebula_value_get_string_length (rule->argument);
  const char *text = get_text (value, &length);

  return text && memmem (text, length, nebula_value_get_string (rule->argument),
                         part_length) != NULL;
}

HOLDS (starts_with)
{
  gsize length, part_length = nebula_value_get_string_length (rule->argument);
  const char *text = get_text (value, &length);

  return text && length >= part_length &&
         memcmp (text, nebula_value_get_string (rule->argument), part_length) == 0;
}

HOLDS (ends_with)
{
  gsize length, part_length = nebula_value_get_string_length (rule->argument);
  const char *text = get_text (value, &length);

  return text && length >= part_length &&
         memcmp (text + length - part_length, nebula_value_get_string (rule->argument),
                 part_length) == 0;
}

/* Texts of blanks are empty, too. */
HOLDS (non_empty)
{
  gsize length;
  const char *text = get_text (value, &length);

  if (!text)
    return (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY &&
            nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT) ||
           nebula_value_get_length (value) > 0;
  for (const char *at = text; at < text + length; at = g_utf8_next_char (at))
    if (!g_unichar_isspace (g_utf8_get_char (at)))
      return TRUE;
  return FALSE;
}

HOLDS (alphanumeric)
{
  gsize length;
  const char *text = get_text (value, &length);

  for (const char *at = text; text && at < text + length; at = g_utf8_next_char (at))
    if (!g_unichar_isalnum (g_utf8_get_char (at)))
      return FALSE;
  return text && length > 0;
}

HOLDS (pattern)
{
  gsize length;
  const char *text = get_text (value, &length);

  return text && nebula_regex_matches (rule->regex, text, length, NULL);
}

/* A match that was given up proves nothing, so the text is refused. */
HOLDS (not_pattern)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  const char *text = get_text (value, &length);

  return text && !nebula_regex_matches (rule->regex, text, length, &error) && !error;
}

HOLDS (form)
{
  g_autofree char *number = NULL;
  gsize length;
  const char *text = get_text (value, &length);

  /* Ports are mostly written as numbers. */
  if (!text && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_INTEGER &&
      rule->form == nebula_text_is_port) {
    text = number = nebula_value_to_text (value);
    length = strlen (text);
  }
  return text && rule->form (text, length);
}

HOLDS (ip)
{
  gsize length;
  const char *text = get_text (value, &length);

  return text &&
         (nebula_text_is_ipv4 (text, length) || nebula_text_is_ipv6 (text, length));
}

HOLDS (cron)
{
  gsize length;
  const char *text = get_text (value, &length);
  g_autoptr (NebulaCron) cron =
      text && strlen (text) == length ? nebula_cron_new (text, NULL) : NULL;

  return cron != NULL;
}

HOLDS (time_zone)
{
  gsize length;
  const char *text = get_text (value, &length);
  g_autoptr (GTimeZone) zone =
      text && strlen (text) == length ? nebula_time_zone_new (text, NULL) : NULL;

  return zone != NULL;
}

/* -2: no number, or none that can be compared. */
static gint
compare (NebulaValue *value, NebulaValue *limit)
{
  gint order = 0;

  if (!nebula_value_is_number (value) ||
      !nebula_value_compare (value, limit, &order, NULL))
    return -2;
  return order < 0 ? -1 : order > 0;
}

static gint
compare_to_zero (NebulaValue *value)
{
  g_autoptr (NebulaValue) zero = nebula_value_new_integer (0);

  return compare (value, zero);
}

HOLDS (positive)
{
  return compare_to_zero (value) == 1;
}

HOLDS (negative)
{
  return compare_to_zero (value) == -1;
}

HOLDS (integer)
{
  return nebula_value_is_number (value) && _nebula_number_is_whole (value);
}

HOLDS (even)
{
  g_autoptr (NebulaValue) two = nebula_value_new_integer (2);

  return nebula_value_is_number (value) && _nebula_number_is_multiple (value, two);
}

HOLDS (odd)
{
  g_autoptr (NebulaValue) two = nebula_value_new_integer (2);

  return nebula_value_is_number (value) && _nebula_number_is_whole (value) &&
         !_nebula_number_is_multiple (value, two);
}

HOLDS (finite)
{
  return nebula_value_is_number (value) && isfinite (nebula_value_get_float (value));
}

HOLDS (multiple_of)
{
  return nebula_value_is_number (value) && compare_to_zero (rule->argument) != 0 &&
         _nebula_number_is_multiple (value, rule->argument);
}

HOLDS (less_than)
{
  return compare (value, rule->argument) == -1;
}

HOLDS (at_most)
{
  gint order = compare (value, rule->argument);

  return order == -1 || order == 0;
}

HOLDS (greater_than)
{
  return compare (value, rule->argument) == 1;
}

HOLDS (at_least)
{
  return compare (value, rule->argument) >= 0;
}

HOLDS (between)
{
  gint most = compare (value, nebula_value_get_item (rule->argument, 1));

  return compare (value, nebula_value_get_item (rule->argument, 0)) >= 0 &&
         (most == -1 || most == 0);
}
