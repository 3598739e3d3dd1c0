/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalogue of validators: names, arguments, rules and what they say. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-validator-private.h"

#define SHAPE(name) NEBULA_RULE_SHAPE_##name
#define RULE(name)  _nebula_rule_##name
#define FORMAT      NULL /* the reason is that of formats */

/* clang-format off */
static const NebulaRuleInfo rules[] = {
  /* presence */
  { "not-null", SHAPE (NONE), RULE (not_null), N_("it must not be null"), TRUE },
  { "required", SHAPE (NAMES), RULE (required), NULL },
  { "required-if", SHAPE (FIELD_IF), RULE (required_if), NULL },
  { "forbidden-if", SHAPE (FIELD_IF), RULE (forbidden_if), NULL },
  { "when", SHAPE (WHEN), RULE (when), NULL, TRUE },
  /* texts */
  { "min-length", SHAPE (COUNT), RULE (min_length), N_("it must have at least %s characters") },
  { "max-length", SHAPE (COUNT), RULE (max_length), N_("it must have at most %s characters") },
  { "exact-length", SHAPE (COUNT), RULE (exact_length), N_("it must have exactly %s characters") },
  { "contains", SHAPE (TEXT), RULE (contains), N_("it must contain “%s”") },
  { "starts-with", SHAPE (TEXT), RULE (starts_with), N_("it must start with “%s”") },
  { "ends-with", SHAPE (TEXT), RULE (ends_with), N_("it must end with “%s”") },
  { "non-empty", SHAPE (NONE), RULE (non_empty), N_("it must not be empty") },
  { "alphanumeric", SHAPE (NONE), RULE (alphanumeric), N_("it must consist of letters and digits") },
  { "pattern", SHAPE (PATTERN), RULE (pattern), N_("it must match the pattern “%s”") },
  { "not-pattern", SHAPE (PATTERN), RULE (not_pattern), N_("it must not match the pattern “%s”") },
  /* formats */
  { "base64", SHAPE (NONE), RULE (form), FORMAT },
  { "credit-card", SHAPE (NONE), RULE (form), FORMAT },
  { "cron", SHAPE (NONE), RULE (cron), FORMAT },
  { "date", SHAPE (NONE), RULE (form), FORMAT },
  { "date-time", SHAPE (NONE), RULE (form), FORMAT },
  { "duration", SHAPE (NONE), RULE (form), FORMAT },
  { "email", SHAPE (NONE), RULE (form), FORMAT },
  { "hex", SHAPE (NONE), RULE (form), FORMAT },
  { "hostname", SHAPE (NONE), RULE (form), FORMAT },
  { "iban", SHAPE (NONE), RULE (form), FORMAT },
  { "ip", SHAPE (NONE), RULE (ip), FORMAT },
  { "ipv4", SHAPE (NONE), RULE (form), FORMAT },
  { "ipv6", SHAPE (NONE), RULE (form), FORMAT },
  { "json", SHAPE (NONE), RULE (form), FORMAT },
  { "json-pointer", SHAPE (NONE), RULE (form), FORMAT },
  { "mac", SHAPE (NONE), RULE (form), FORMAT },
  { "phone", SHAPE (NONE), RULE (form), FORMAT },
  { "port", SHAPE (NONE), RULE (form), FORMAT },
  { "regex", SHAPE (NONE), RULE (form), FORMAT },
  { "semver", SHAPE (NONE), RULE (form), FORMAT },
  { "slug", SHAPE (NONE), RULE (form), FORMAT },
  { "time", SHAPE (NONE), RULE (form), FORMAT },
  { "time-zone", SHAPE (NONE), RULE (time_zone), FORMAT },
  { "uri", SHAPE (NONE), RULE (form), FORMAT },
  { "url", SHAPE (NONE), RULE (form), FORMAT },
  { "uuid", SHAPE (NONE), RULE (form), FORMAT },
  { "xml", SHAPE (NONE), RULE (form), FORMAT },
  /* numbers */
  { "positive", SHAPE (NONE), RULE (positive), N_("it must be more than 0") },
  { "negative", SHAPE (NONE), RULE (negative), N_("it must be less than 0") },
  { "integer", SHAPE (NONE), RULE (integer), N_("it must be a whole number") },
  { "even", SHAPE (NONE), RULE (even), N_("it must be even") },
  { "odd", SHAPE (NONE), RULE (odd), N_("it must be odd") },
  { "finite", SHAPE (NONE), RULE (finite), N_("it must be a number within the range of floats") },
  { "multiple-of", SHAPE (NUMBER), RULE (multiple_of), N_("it must be a multiple of %s") },
  { "less-than", SHAPE (NUMBER), RULE (less_than), N_("it must be less than %s") },
  { "at-most", SHAPE (NUMBER), RULE (at_most), N_("it must be at most %s") },
  { "greater-than", SHAPE (NUMBER), RULE (greater_than), N_("it must be more than %s") },
  { "at-least", SHAPE (NUMBER), RULE (at_least), N_("it must be at least %s") },
  { "between", SHAPE (LIMITS), RULE (between), N_("it must lie within %s") },
  /* collections */
  { "length", SHAPE (LIMITS), RULE (length), N_("its number of items must lie within %s") },
  { "each", SHAPE (RULE), RULE (each), NULL },
  { "field", SHAPE (MEMBERS), RULE (field), NULL },
  { "unique", SHAPE (NONE), RULE (unique), N_("no two items may be equal") },
  { "sorted", SHAPE (NONE), RULE (sorted), N_("its items must be in ascending order") },
  { "contains-all", SHAPE (ARRAY), RULE (contains_all), N_("it must contain all of %s") },
  { "in", SHAPE (ARRAY), RULE (in), N_("it must be one of %s") },
  { "not-in", SHAPE (ARRAY), RULE (not_in), N_("it must be none of %s") },
  { "depth", SHAPE (COUNT), RULE (depth), N_("it may be nested %s deep at most") },
  /* logic */
  { "and", SHAPE (RULES), RULE (and), NULL, TRUE },
  { "or", SHAPE (RULES), RULE (or), N_("it must keep at least one of several rules") },
  { "xor", SHAPE (RULES), RULE (xor), N_("it must keep just one of several rules") },
  { "not", SHAPE (RULE), RULE (not), N_("it keeps a rule that it must not keep") },
  { "all", SHAPE (RULE), RULE (each), NULL },
  { "any", SHAPE (RULE), RULE (any), N_("at least one of its items must keep a rule") },
  { "none", SHAPE (RULE), RULE (none), N_("none of its items may keep a rule") },
  /* fields of one object */
  { "equals-field", SHAPE (PAIR), RULE (equals_field), N_("the two must be equal: %s") },
  { "greater-field", SHAPE (PAIR), RULE (greater_field), N_("the first must be more than the second: %s") },
  { "less-field", SHAPE (PAIR), RULE (less_field), N_("the first must be less than the second: %s") },
  { "range", SHAPE (PAIR), RULE (range), N_("the first must not be more than the second: %s") },
  { "sum-equals", SHAPE (SUM), RULE (sum_equals), N_("the sum of the fields is not the total") },
  { "unique-together", SHAPE (NAMES), RULE (unique_together), N_("no two items may be equal in all of %s") },
  { "depends-on", SHAPE (DEPENDS), RULE (depends_on), NULL },
};
/* clang-format on */

const NebulaRuleInfo _nebula_rule_info_custom = {"custom", SHAPE (ANY), RULE (custom),
                                                 NULL, TRUE};
const NebulaRuleInfo _nebula_rule_info_and = {"and", SHAPE (RULES), RULE (and), NULL,
                                              TRUE};

const NebulaRuleInfo *
_nebula_rule_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    if (strcmp (rules[i].name, name) == 0)
      return &rules[i];
  return NULL;
}

/* “%s” in @format replaced by @argument. */
static char *
fill_in (const char *format, const char *argument)
{
  const char *place = strstr (format, "%s");
  g_autofree char *before = NULL;

  if (!place)
    return g_strdup (format);
  before = g_strndup (format, (gsize) (place - format));
  return g_strconcat (before, argument, place + 2, NULL);
}

char *
_nebula_rule_get_reason (const NebulaRule *rule)
{
  g_autofree char *argument = NULL;

  if (rule->custom)
    return g_strdup (rule->custom->reason);
  if (!rule->info->reason)
    return fill_in (_ ("it must have the format “%s”"), rule->info->name);
  argument = nebula_value_to_text (rule->argument);
  return fill_in (_ (rule->info->reason), argument);
}

/**
 * nebula_validator_list_names:
 *
 * Lists the validators that there are, in the order of the catalogue.
 *
 * Returns: (transfer full): their names
 *
 * Since: 1.0
 */
GStrv
nebula_validator_list_names (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    g_strv_builder_add (names, rules[i].name);
  return g_strv_builder_end (names);
}
