/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-json-schema-private.h"
#include "nebula-text-forms-internal.h"
#include "nebula-validator.h"

G_BEGIN_DECLS

/*
 *   rules = "name" | { name: argument, … } | [ rules, … ]          all of them must hold
 *
 * A name that takes no argument may stand alone or with true. Null passes every rule but those about presence.
 */

typedef struct _NebulaRule NebulaRule;
typedef struct _NebulaRuleInfo NebulaRuleInfo;
typedef struct _NebulaRuleRun NebulaRuleRun;

/* What the argument of a rule looks like. */
typedef enum {
  NEBULA_RULE_SHAPE_NONE,
  NEBULA_RULE_SHAPE_COUNT,
  NEBULA_RULE_SHAPE_NUMBER,
  NEBULA_RULE_SHAPE_TEXT,
  NEBULA_RULE_SHAPE_PATTERN,
  NEBULA_RULE_SHAPE_ARRAY,
  NEBULA_RULE_SHAPE_NAMES,    /* a name or several */
  NEBULA_RULE_SHAPE_PAIR,     /* two names */
  NEBULA_RULE_SHAPE_LIMITS,   /* two numbers, the smaller first */
  NEBULA_RULE_SHAPE_RULE,     /* rules */
  NEBULA_RULE_SHAPE_RULES,    /* array of rules */
  NEBULA_RULE_SHAPE_MEMBERS,  /* name → rules */
  NEBULA_RULE_SHAPE_WHEN,     /* {if, then, else}: rules */
  NEBULA_RULE_SHAPE_FIELD_IF, /* {field, if}: name, rules of the object */
  NEBULA_RULE_SHAPE_DEPENDS,  /* {field, on}: name, names */
  NEBULA_RULE_SHAPE_SUM,      /* {fields, total}: names; name or number */
  NEBULA_RULE_SHAPE_ANY,      /* custom rules */
} NebulaRuleShape;

typedef gboolean (*NebulaRuleHolds) (NebulaRuleRun *run,
                                     const NebulaRule *rule,
                                     NebulaValue *value,
                                     const NebulaSchemaPlace *place);

struct _NebulaRuleInfo {
  const char *name;
  NebulaRuleShape shape;
  NebulaRuleHolds holds;
  const char *reason; /* “%s” stands for the argument; NULL: the rule reports by itself */
  gboolean takes_null; /* is asked about null, too */
};

typedef struct {
  char *name;
  char *reason;
  NebulaValidatorFunc func;
  NebulaAsyncValidatorFunc async_func;
  gpointer user_data;
  GDestroyNotify destroy;
} NebulaCustomRule;

struct _NebulaRule {
  const NebulaRuleInfo *info;
  const NebulaCustomRule *custom; /* of the table that the validator holds */
  NebulaValue *argument;
  NebulaTextForm form;
  GRegex *regex;
  GPtrArray *inner; /* NebulaRule; for WHEN: if, then, else, the last two may be NULL */
};

struct _NebulaValidator {
  gatomicrefcount references;
  NebulaValidatorTable *table; /* may be NULL */
  NebulaRule *rule;
};

struct _NebulaRuleRun {
  GPtrArray *violations; /* NULL: only whether */
  guint limit;
  guint64 steps;
  gboolean is_exhausted;
  gboolean met_async; /* a rule that answers later was passed over */
  GPtrArray *later;   /* NULL, or where to put such rules: NebulaLater */
};

/* A rule that answers later, what it is about, and where that stands. */
typedef struct {
  const NebulaRule *rule;
  NebulaValue *value;
  char *pointer;
} NebulaLater;

/* nebula-validator.c */
gboolean _nebula_rule_run (NebulaRuleRun *run,
                           const NebulaRule *rule,
                           NebulaValue *value,
                           const NebulaSchemaPlace *place);
/* Whether it holds, reporting nothing. */
gboolean
_nebula_rule_try (NebulaRuleRun *run, const NebulaRule *rule, NebulaValue *value);
gboolean _nebula_rule_wants_more (const NebulaRuleRun *run);
char *_nebula_rule_get_reason (const NebulaRule *rule);
NebulaRule *_nebula_rule_get_inner (const NebulaRule *rule, guint index);

/* nebula-validator-read.c */
NebulaRule *
_nebula_rule_read (NebulaValue *rules, NebulaValidatorTable *table, GError **error);
void _nebula_rule_free (NebulaRule *self);
const NebulaCustomRule *_nebula_validator_table_find (NebulaValidatorTable *self,
                                                      const char *name);

/* nebula-validator-catalogue.c */
const NebulaRuleInfo *_nebula_rule_find (const char *name);
extern const NebulaRuleInfo _nebula_rule_info_custom;
extern const NebulaRuleInfo _nebula_rule_info_and;

/* The rules. */
#define RULE(name)                                                                       \
  gboolean _nebula_rule_##name (NebulaRuleRun *run, const NebulaRule *rule,              \
                                NebulaValue *value, const NebulaSchemaPlace *place)
RULE (not_null);
RULE (required);
RULE (required_if);
RULE (forbidden_if);
RULE (when);
RULE (min_length);
RULE (max_length);
RULE (exact_length);
RULE (contains);
RULE (starts_with);
RULE (ends_with);
RULE (non_empty);
RULE (alphanumeric);
RULE (pattern);
RULE (not_pattern);
RULE (form);
RULE (ip);
RULE (cron);
RULE (time_zone);
RULE (positive);
RULE (negative);
RULE (integer);
RULE (even);
RULE (odd);
RULE (finite);
RULE (multiple_of);
RULE (less_than);
RULE (at_most);
RULE (greater_than);
RULE (at_least);
RULE (between);
RULE (length);
RULE (each);
RULE (field);
RULE (unique);
RULE (sorted);
RULE (contains_all);
RULE (in);
RULE (not_in);
RULE (depth);
RULE (and);
RULE (or);
RULE (xor);
RULE (not );
RULE (any);
RULE (none);
RULE (equals_field);
RULE (greater_field);
RULE (less_field);
RULE (range);
RULE (sum_equals);
RULE (unique_together);
RULE (depends_on);
RULE (custom);
#undef RULE

G_END_DECLS
