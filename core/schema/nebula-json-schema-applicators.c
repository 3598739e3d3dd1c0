/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules that apply other schemas: to the same value, or to its members and items. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-json-schema-private.h"
#include "nebula-regex-internal.h"

const char *
_nebula_schema_get_refusal (void)
{
  return _ ("nothing may stand here; remove it");
}

/* A dynamic reference means the outermost resource that offers the anchor. */
static const NebulaSchemaNode *
find_dynamic (const NebulaSchemaRun *run, const NebulaSchemaCheck *check)
{
  const NebulaSchemaNode *found = check->node;

  for (const NebulaSchemaScope *scope = run->scope; scope; scope = scope->parent) {
    GHashTable *targets = scope->resource->targets;
    const NebulaSchemaNode *node =
        targets ? g_hash_table_lookup (targets, check->dynamic) : NULL;

    if (node)
      found = node;
  }
  return found;
}

gboolean
_nebula_schema_rule_ref (NebulaSchemaRun *run,
                         const NebulaSchemaFrame *frame,
                         const NebulaSchemaCheck *check)
{
  const NebulaSchemaNode *node = check->dynamic ? find_dynamic (run, check) : check->node;

  return _nebula_schema_run (run, node, frame->value, frame->place, frame->marks);
}

gboolean
_nebula_schema_rule_all_of (NebulaSchemaRun *run,
                            const NebulaSchemaFrame *frame,
                            const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  for (guint i = 0; i < check->n_members; i++) {
    if (_nebula_schema_run (run, check->members[i].node, frame->value, frame->place,
                            frame->marks))
      continue;
    is_valid = FALSE;
    if (!_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

/* How far into the value a branch got before it failed; the one that got farthest was probably meant. */
static gsize
measure (GPtrArray *violations)
{
  gsize farthest = 0;

  for (guint i = 0; i < violations->len; i++) {
    NebulaViolation *violation = g_ptr_array_index (violations, i);

    farthest = MAX (farthest, strlen (nebula_violation_get_pointer (violation)));
  }
  return farthest;
}

static void
keep_better (GPtrArray **best, GPtrArray *candidate)
{
  g_autoptr (GPtrArray) given = candidate;

  if (!candidate || (*best && measure (*best) >= measure (candidate)))
    return;
  g_clear_pointer (best, g_ptr_array_unref);
  *best = g_steal_pointer (&given);
}

static gboolean
refuse_with_best (NebulaSchemaRun *run,
                  const NebulaSchemaFrame *frame,
                  const NebulaSchemaCheck *check,
                  GPtrArray *best)
{
  _nebula_schema_refuse_printf (
      run, frame, check, _ ("it fits none of the %u alternatives"), check->n_members);
  for (guint i = 0; best && i < best->len && _nebula_schema_wants_more (run); i++)
    g_ptr_array_add (run->violations, nebula_violation_ref (g_ptr_array_index (best, i)));
  return FALSE;
}

gboolean
_nebula_schema_rule_any_of (NebulaSchemaRun *run,
                            const NebulaSchemaFrame *frame,
                            const NebulaSchemaCheck *check)
{
  g_autoptr (GPtrArray) best = NULL;
  gboolean is_valid = FALSE;

  for (guint i = 0; i < check->n_members && !run->is_exhausted; i++) {
    GPtrArray *violations;

    if (_nebula_schema_try (run, frame, check->members[i].node, &violations))
      is_valid = TRUE;
    keep_better (&best, violations);
    /* All branches must be seen only where somebody asks what they looked at. */
    if (is_valid && !frame->marks)
      return TRUE;
  }
  return is_valid || refuse_with_best (run, frame, check, best);
}

gboolean
_nebula_schema_rule_one_of (NebulaSchemaRun *run,
                            const NebulaSchemaFrame *frame,
                            const NebulaSchemaCheck *check)
{
  g_autoptr (GPtrArray) best = NULL;
  guint n_valid = 0;

  for (guint i = 0; i < check->n_members && n_valid < 2 && !run->is_exhausted; i++) {
    GPtrArray *violations;

    if (_nebula_schema_try (run, frame, check->members[i].node, &violations))
      n_valid++;
    keep_better (&best, violations);
  }
  if (n_valid == 0)
    return refuse_with_best (run, frame, check, best);
  return n_valid == 1 ||
         _nebula_schema_refuse (
             run, frame, check,
             _ ("it fits more than one of the alternatives; it must fit just one"));
}

gboolean
_nebula_schema_rule_not (NebulaSchemaRun *run,
                         const NebulaSchemaFrame *frame,
                         const NebulaSchemaCheck *check)
{
  NebulaSchemaFrame unmarked = {frame->node, frame->value, frame->place, NULL};

  if (!_nebula_schema_try (run, &unmarked, check->node, NULL))
    return !run->is_exhausted;
  return _nebula_schema_refuse (run, frame, check,
                                _ ("it is just what it must not be (see “not”)"));
}

gboolean
_nebula_schema_rule_if (NebulaSchemaRun *run,
                        const NebulaSchemaFrame *frame,
                        const NebulaSchemaCheck *check)
{
  gboolean holds = _nebula_schema_try (run, frame, check->node, NULL);
  const NebulaSchemaCheck *next =
      _nebula_schema_find_check (frame->node, holds ? "then" : "else");

  if (run->is_exhausted)
    return FALSE;
  return !next ||
         _nebula_schema_run (run, next->node, frame->value, frame->place, frame->marks);
}

static gboolean
is_object (const NebulaSchemaFrame *frame)
{
  return nebula_value_get_kind (frame->value) == NEBULA_VALUE_KIND_OBJECT;
}

static gboolean
run_member (NebulaSchemaRun *run,
            const NebulaSchemaFrame *frame,
            const NebulaSchemaNode *node,
            gsize index)
{
  NebulaSchemaPlace place = {frame->place, NULL, 0, 0};

  place.key = nebula_value_get_key (frame->value, index, &place.length);
  _nebula_schema_marks_add (frame->marks, index);
  return _nebula_schema_run (run, node, nebula_value_get_member_at (frame->value, index),
                             &place, NULL);
}

/* The member of @check that has this key; NULL if none has. */
static const NebulaSchemaMember *
find_named (const NebulaSchemaCheck *check, const char *key, gsize length)
{
  for (guint i = 0; check && i < check->n_members; i++)
    if (check->members[i].length == length &&
        memcmp (check->members[i].key, key, length) == 0)
      return &check->members[i];
  return NULL;
}

/* By its index in the value, so that the marks can be set; schemas mostly name fewer members than values have. */
gboolean
_nebula_schema_rule_properties (NebulaSchemaRun *run,
                                const NebulaSchemaFrame *frame,
                                const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  if (!is_object (frame))
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (frame->value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (frame->value, i, &length);
    const NebulaSchemaMember *member;

    if (!_nebula_schema_burn (run, 1 + check->n_members / 8))
      return FALSE;
    member = find_named (check, key, length);
    if (!member || run_member (run, frame, member->node, i))
      continue;
    is_valid = FALSE;
    if (!_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

/* Whether the pattern is in the key; a pattern that takes too long is no match, and burns what it took. */
static gboolean
key_matches (NebulaSchemaRun *run,
             const NebulaSchemaMember *member,
             const char *key,
             gsize length)
{
  return _nebula_schema_burn (run, 10 + length / 16) &&
         nebula_regex_matches (member->regex, key, length, NULL);
}

static gboolean
run_patterns (NebulaSchemaRun *run,
              const NebulaSchemaFrame *frame,
              const NebulaSchemaCheck *check,
              gsize index)
{
  gboolean is_valid = TRUE;
  gsize length;
  const char *key = nebula_value_get_key (frame->value, index, &length);

  for (guint m = 0; m < check->n_members; m++) {
    const NebulaSchemaMember *member = &check->members[m];

    if (key_matches (run, member, key, length) &&
        !run_member (run, frame, member->node, index))
      is_valid = FALSE;
    if (run->is_exhausted || (!is_valid && !_nebula_schema_wants_more (run)))
      return FALSE;
  }
  return is_valid;
}

gboolean
_nebula_schema_rule_pattern_properties (NebulaSchemaRun *run,
                                        const NebulaSchemaFrame *frame,
                                        const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  if (!is_object (frame))
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (frame->value); i++) {
    if (run_patterns (run, frame, check, i))
      continue;
    is_valid = FALSE;
    if (!_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

/* Whether properties or patternProperties beside it speak of the member. */
static gboolean
is_covered (NebulaSchemaRun *run, const NebulaSchemaFrame *frame, gsize index)
{
  const NebulaSchemaCheck *patterns =
      _nebula_schema_find_check (frame->node, "patternProperties");
  gsize length;
  const char *key = nebula_value_get_key (frame->value, index, &length);

  if (find_named (_nebula_schema_find_check (frame->node, "properties"), key, length))
    return TRUE;
  for (guint m = 0; patterns && m < patterns->n_members; m++)
    if (key_matches (run, &patterns->members[m], key, length))
      return TRUE;
  return FALSE;
}

gboolean
_nebula_schema_rule_additional_properties (NebulaSchemaRun *run,
                                           const NebulaSchemaFrame *frame,
                                           const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  if (!is_object (frame))
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (frame->value); i++) {
    NebulaSchemaPlace place = {frame->place, NULL, 0, 0};
    NebulaSchemaFrame member = {frame->node, frame->value, &place, NULL};

    if (!_nebula_schema_burn (run, 1))
      return FALSE;
    if (is_covered (run, frame, i))
      continue;
    place.key = nebula_value_get_key (frame->value, i, &place.length);
    if (check->node->refuses)
      is_valid = _nebula_schema_refuse (
          run, &member, check,
          _ ("there is no such member; correct its name or remove it"));
    else if (!run_member (run, frame, check->node, i))
      is_valid = FALSE;
    if (!is_valid && !_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

gboolean
_nebula_schema_rule_property_names (NebulaSchemaRun *run,
                                    const NebulaSchemaFrame *frame,
                                    const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;

  if (!is_object (frame))
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (frame->value); i++) {
    NebulaSchemaPlace place = {frame->place, NULL, 0, 0};
    g_autoptr (NebulaValue) name = NULL;

    place.key = nebula_value_get_key (frame->value, i, &place.length);
    name = nebula_value_new_string_length (place.key, place.length);
    if (_nebula_schema_run (run, check->node, name, &place, NULL))
      continue;
    is_valid = FALSE;
    if (!_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

/* dependentSchemas; in draft 7 “dependencies”, which may name members instead */
gboolean
_nebula_schema_rule_dependent_schemas (NebulaSchemaRun *run,
                                       const NebulaSchemaFrame *frame,
                                       const NebulaSchemaCheck *check)
{
  gboolean is_valid = is_object (frame)
                          ? _nebula_schema_rule_dependent_required (run, frame, check)
                          : TRUE;

  for (guint i = 0; is_object (frame) && i < check->n_members; i++) {
    const NebulaSchemaMember *member = &check->members[i];

    if (!is_valid && !_nebula_schema_wants_more (run))
      break;
    if (member->node &&
        nebula_value_get_member_length (frame->value, member->key, member->length) &&
        !_nebula_schema_run (run, member->node, frame->value, frame->place, frame->marks))
      is_valid = FALSE;
  }
  return is_valid;
}

static gboolean
run_item (NebulaSchemaRun *run,
          const NebulaSchemaFrame *frame,
          const NebulaSchemaNode *node,
          gsize index)
{
  NebulaSchemaPlace place = {frame->place, NULL, 0, index};

  _nebula_schema_marks_add (frame->marks, index);
  return _nebula_schema_run (run, node, nebula_value_get_item (frame->value, index),
                             &place, NULL);
}

static gboolean
run_items_from (NebulaSchemaRun *run,
                const NebulaSchemaFrame *frame,
                const NebulaSchemaCheck *check,
                gsize first)
{
  gboolean is_valid = TRUE;

  for (gsize i = first; i < nebula_value_get_length (frame->value); i++) {
    if (run_item (run, frame, check->node, i))
      continue;
    is_valid = FALSE;
    if (!_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

/* prefixItems; in draft 7 “items”, an array of schemas or one for all */
gboolean
_nebula_schema_rule_prefix_items (NebulaSchemaRun *run,
                                  const NebulaSchemaFrame *frame,
                                  const NebulaSchemaCheck *check)
{
  gboolean is_valid = TRUE;
  gsize n;

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_ARRAY)
    return TRUE;
  if (check->node)
    return run_items_from (run, frame, check, 0);
  n = MIN (check->n_members, nebula_value_get_length (frame->value));
  for (gsize i = 0; i < n; i++) {
    if (run_item (run, frame, check->members[i].node, i))
      continue;
    is_valid = FALSE;
    if (!_nebula_schema_wants_more (run))
      break;
  }
  return is_valid;
}

/* items behind prefixItems; in draft 7 additionalItems, which means nothing unless “items” is an array */
gboolean
_nebula_schema_rule_items (NebulaSchemaRun *run,
                           const NebulaSchemaFrame *frame,
                           const NebulaSchemaCheck *check)
{
  gboolean is_additional = *check->keyword->name == 'a';
  const NebulaSchemaCheck *prefix =
      _nebula_schema_find_check (frame->node, is_additional ? "items" : "prefixItems");

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_ARRAY ||
      (is_additional && (!prefix || prefix->node)))
    return TRUE;
  return run_items_from (run, frame, check, prefix ? prefix->n_members : 0);
}

static gint64
get_count (const NebulaSchemaNode *node, const char *keyword, gint64 fallback)
{
  const NebulaSchemaCheck *check = _nebula_schema_find_check (node, keyword);

  return check ? check->count : fallback;
}

gboolean
_nebula_schema_rule_contains (NebulaSchemaRun *run,
                              const NebulaSchemaFrame *frame,
                              const NebulaSchemaCheck *check)
{
  gint64 least = get_count (frame->node, "minContains", 1);
  gint64 most = get_count (frame->node, "maxContains", G_MAXINT64);
  gint64 found = 0;

  if (nebula_value_get_kind (frame->value) != NEBULA_VALUE_KIND_ARRAY)
    return TRUE;
  for (gsize i = 0; i < nebula_value_get_length (frame->value); i++) {
    NebulaSchemaPlace place = {frame->place, NULL, 0, i};
    NebulaSchemaFrame item = {frame->node, nebula_value_get_item (frame->value, i),
                              &place, NULL};

    if (!_nebula_schema_try (run, &item, check->node, NULL))
      continue;
    found++;
    _nebula_schema_marks_add (frame->marks, i);
  }
  if (run->is_exhausted)
    return FALSE;
  if (found < least)
    return _nebula_schema_refuse_printf (
        run, frame, check, _ ("at least %lld items must fit “contains”, %lld do"),
        (long long) least, (long long) found);
  return found <= most ||
         _nebula_schema_refuse_printf (
             run, frame, check, _ ("at most %lld items may fit “contains”, %lld do"),
             (long long) most, (long long) found);
}
