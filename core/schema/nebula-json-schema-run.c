/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "nebula-json-schema-private.h"
#include "nebula-limits.h"

gboolean
_nebula_schema_burn (NebulaSchemaRun *run, guint64 steps)
{
  run->steps += steps;
  if (run->steps > NEBULA_LIMIT_SCHEMA_STEPS)
    run->is_exhausted = TRUE;
  return !run->is_exhausted;
}

gboolean
_nebula_schema_wants_more (const NebulaSchemaRun *run)
{
  return !run->is_exhausted && run->violations && run->violations->len < run->limit;
}

static void
append_place (GString *pointer, const NebulaSchemaPlace *place)
{
  if (place == NULL)
    return;
  append_place (pointer, place->parent);
  if (place->key)
    _nebula_schema_append_key (pointer, place->key, place->length);
  else
    g_string_append_printf (pointer, "/%" G_GSIZE_FORMAT, place->index);
}

char *
_nebula_schema_place_to_pointer (const NebulaSchemaPlace *place)
{
  GString *pointer = g_string_new (NULL);

  append_place (pointer, place);
  return g_string_free (pointer, FALSE);
}

gboolean
_nebula_schema_refuse (NebulaSchemaRun *run,
                       const NebulaSchemaFrame *frame,
                       const NebulaSchemaCheck *check,
                       const char *reason)
{
  const char *keyword = check ? check->keyword->name : "false";
  g_autofree char *pointer = NULL;
  g_autofree char *source = NULL;

  if (!_nebula_schema_wants_more (run))
    return FALSE;
  pointer = _nebula_schema_place_to_pointer (frame->place);
  source = g_strconcat (frame->node->resource->uri, "#", frame->node->pointer,
                        check ? "/" : "", check ? keyword : "", NULL);
  g_ptr_array_add (run->violations,
                   nebula_violation_new (pointer, keyword, source, reason));
  return FALSE;
}

gboolean
_nebula_schema_refuse_printf (NebulaSchemaRun *run,
                              const NebulaSchemaFrame *frame,
                              const NebulaSchemaCheck *check,
                              const char *format,
                              ...)
{
  g_autofree char *reason = NULL;
  va_list arguments;

  if (!_nebula_schema_wants_more (run))
    return FALSE;
  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return _nebula_schema_refuse (run, frame, check, reason);
}

static gboolean
run_checks (NebulaSchemaRun *run, const NebulaSchemaFrame *frame)
{
  const GArray *checks = frame->node->checks;
  gboolean is_valid = TRUE;

  for (guint i = 0; i < checks->len; i++) {
    const NebulaSchemaCheck *check = &g_array_index (checks, NebulaSchemaCheck, i);

    if (!check->keyword->rule || check->keyword->rule (run, frame, check))
      continue;
    is_valid = FALSE;
    if (!_nebula_schema_wants_more (run))
      return FALSE;
  }
  return is_valid;
}

/* A node that asks what nobody looked at keeps marks of its own: it must not see those of its cousins. */
static gboolean
run_tracking (NebulaSchemaRun *run, NebulaSchemaFrame *frame)
{
  g_auto (NebulaSchemaMarks) own = {{0}, NULL, 0};
  NebulaSchemaMarks *outer = frame->marks;

  _nebula_schema_marks_init (&own, frame->value);
  frame->marks = &own;
  if (!run_checks (run, frame))
    return FALSE;
  if (outer)
    _nebula_schema_marks_merge (outer, &own);
  return TRUE;
}

gboolean
_nebula_schema_run (NebulaSchemaRun *run,
                    const NebulaSchemaNode *node,
                    NebulaValue *value,
                    const NebulaSchemaPlace *place,
                    NebulaSchemaMarks *marks)
{
  NebulaSchemaFrame frame = {node, value, place, marks};
  NebulaSchemaScope scope = {run->scope, node->resource};
  const NebulaSchemaScope *outer = run->scope;
  gboolean is_valid;

  if (node->refuses)
    return _nebula_schema_refuse (run, &frame, NULL, _nebula_schema_get_refusal ());
  if (!_nebula_schema_burn (run, 1 + node->checks->len))
    return FALSE;
  if (run->depth >= NEBULA_LIMIT_SCHEMA_DEPTH) {
    run->is_exhausted = TRUE;
    return FALSE;
  }
  run->depth++;
  if (!outer || outer->resource != node->resource)
    run->scope = &scope;
  is_valid = node->tracks ? run_tracking (run, &frame) : run_checks (run, &frame);
  run->scope = outer;
  run->depth--;
  return is_valid;
}

gboolean
_nebula_schema_try (NebulaSchemaRun *run,
                    const NebulaSchemaFrame *frame,
                    const NebulaSchemaNode *node,
                    GPtrArray **ret_violations)
{
  g_auto (NebulaSchemaMarks) branch = {{0}, NULL, 0};
  GPtrArray *violations = run->violations;
  gboolean is_valid;

  if (ret_violations)
    *ret_violations = NULL;
  run->violations = NULL;
  if (ret_violations && violations)
    run->violations = *ret_violations =
        g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_violation_unref);
  if (frame->marks)
    _nebula_schema_marks_init (&branch, frame->value);
  is_valid = _nebula_schema_run (run, node, frame->value, frame->place,
                                 frame->marks ? &branch : NULL);
  if (is_valid && frame->marks)
    _nebula_schema_marks_merge (frame->marks, &branch);
  run->violations = violations;
  return is_valid;
}
