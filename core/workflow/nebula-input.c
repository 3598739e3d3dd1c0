/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-input-internal.h"
#include "nebula-json-schema-internal.h"
#include "nebula-nearest-internal.h"
#include "nebula-workflow-private.h"

static void
offer (gpointer keyword, gpointer nearest)
{
  nebula_nearest_offer (nearest, keyword);
}

/* Whether there is such a keyword; what comes near it if there is none. */
static gboolean
find_keyword (const char *word, char **ret_hint)
{
  NebulaNearest nearest;

  *ret_hint = NULL;
  nebula_nearest_init (&nearest, word);
  nebula_json_schema_offer_keywords (NEBULA_INPUT_DRAFT, offer, &nearest);
  if (nearest.best && strcmp (nearest.best, word) == 0)
    return TRUE;
  *ret_hint = _nebula_hint_nearest (nearest.best);
  return FALSE;
}

static void
report (NebulaProblems *problems, const char *place, NebulaViolation *violation)
{
  const char *pointer = nebula_violation_get_pointer (violation);
  const char *rule = nebula_violation_get_rule (violation);
  g_autofree char *whole = g_strconcat (place, pointer, NULL);
  g_autofree char *hint = NULL;
  gboolean is_known = find_keyword (rule, &hint);

  _nebula_problems_add (problems,
                        &(NebulaProblem){
                            .code = "schema",
                            .pointer = whole,
                            .of_key = *pointer != '\0' && !is_known,
                            .hint = hint,
                        },
                        _ ("The schema of the input is refused: %s"),
                        nebula_violation_get_reason (violation));
}

NebulaJsonSchema *
_nebula_input_schema_compile (NebulaValue *schema,
                              const NebulaPath *path,
                              NebulaProblems *problems)
{
  g_autoptr (GPtrArray) violations =
      nebula_json_schema_review (schema, NEBULA_INPUT_DRAFT, NEBULA_INPUT_FLAGS, NULL);
  g_autofree char *place = _nebula_path_to_pointer (path);

  for (guint i = 0; i < violations->len; i++)
    report (problems, place, g_ptr_array_index (violations, i));
  return violations->len == 0 ? nebula_json_schema_new (schema, NEBULA_INPUT_DRAFT,
                                                        NEBULA_INPUT_FLAGS, NULL, NULL)
                              : NULL;
}

static void
set_error (GPtrArray *violations, GError **error)
{
  NebulaViolation *first = g_ptr_array_index (violations, 0);
  const char *pointer = nebula_violation_get_pointer (first);
  g_autofree char *message = NULL;

  if (*pointer == '\0')
    message = g_strdup_printf (_ ("The input is refused: %s"),
                               nebula_violation_get_reason (first));
  else
    message = g_strdup_printf (_ ("Input “%s” is refused: %s"), pointer,
                               nebula_violation_get_reason (first));
  if (violations->len == 1)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, message);
  else
    /* TRANSLATORS: a sentence that says what is wrong, and how many other things are wrong */
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 g_dngettext (GETTEXT_PACKAGE, "%s (and %u more mistake)",
                              "%s (and %u more mistakes)", violations->len - 1),
                 message, violations->len - 1);
}

gboolean
nebula_input_check (NebulaJsonSchema *schema,
                    NebulaValue *input,
                    NebulaValue **ret_filled,
                    GError **error)
{
  g_autoptr (NebulaValue) filled = NULL;
  g_autoptr (GPtrArray) violations = NULL;

  g_return_val_if_fail (schema != NULL, FALSE);
  g_return_val_if_fail (input != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  filled = nebula_json_schema_fill (schema, input);
  violations = nebula_json_schema_check (schema, filled, error);
  if (!violations)
    return FALSE;
  if (violations->len > 0) {
    set_error (violations, error);
    return FALSE;
  }
  *ret_filled = g_steal_pointer (&filled);
  return TRUE;
}
