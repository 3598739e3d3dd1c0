/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of a policy: the library of policies knows what each may hold, so it is asked, for each member alone, to find
 * the place of a mistake.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-policy.h"
#include "nebula-schema-private.h"

#define MAX_ATTEMPTS_WITHOUT_DELAY 100

static const char *const parts[] = { "retry", "limit", "breaker", "bulkhead", "hedge" };

static NebulaValue *
wrap (const char *key, NebulaValue *value)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set (builder, key, value);
  return nebula_value_builder_end (builder);
}

static gboolean
is_accepted (const char *part, NebulaValue *value, GError **error)
{
  g_autoptr (NebulaValue) options = wrap (part, value);
  g_autoptr (NebulaPolicy) policy = nebula_policy_new (nebula_clock_get_system (), options, error);

  return policy != NULL;
}

static void
report_refused (NebulaSchemaWalk *walk, const NebulaPath *path, const char *part, const char *name)
{
  g_autofree char *message = NULL;

  message = g_strdup_printf (_("“%s” of “%s” does not exist, or has a value that it cannot have"), name, part);
  _nebula_schema_report (walk, (NebulaProblem) { .code = "schema", .hint = _("The file format says what it may hold.") },
                         path, message);
}

/* The members that are refused by themselves; FALSE: none is. */
static gboolean
check_members (NebulaSchemaWalk *walk, const char *part, NebulaValue *value, const NebulaPath *path)
{
  gboolean is_refused = FALSE;

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    const char *name = nebula_value_get_key (value, i, NULL);
    g_autoptr (NebulaValue) alone = wrap (name, nebula_value_get_member_at (value, i));
    NebulaPath inner = { path, name, 0 };

    if (!is_accepted (part, alone, NULL)) {
      report_refused (walk, &inner, part, name);
      is_refused = TRUE;
    }
  }
  return is_refused;
}

/* What would turn as fast as it can. */
static gboolean
is_endless (const char *part, NebulaValue *value)
{
  const char *initial = _nebula_member_text (value, "initial");
  gint64 usec = 1;

  return strcmp (part, "retry") == 0 && initial && nebula_duration_parse (initial, &usec, NULL) && usec == 0
         && nebula_value_get_member_integer (value, "attempts", 0) > MAX_ATTEMPTS_WITHOUT_DELAY;
}

static void
check_part (NebulaSchemaWalk *walk, const char *part, NebulaValue *value, const NebulaPath *path)
{
  g_autoptr (GError) error = NULL;

  if (check_members (walk, part, value, path))
    return;
  if (is_endless (part, value))
    _nebula_schema_report (
      walk, (NebulaProblem) { .code = "schema", .hint = _("Give “initial” a delay, or at most 100 attempts.") }, path,
      _("So many retries without a delay are refused"));
  else if (!is_accepted (part, value, &error))
    _nebula_schema_report (walk, (NebulaProblem) { .code = "schema" }, path, error->message);
}

void
_nebula_schema_check_policy (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  NebulaValue *shed = _nebula_member (value, "shed", NEBULA_VALUE_KIND_INTEGER);
  NebulaPath shed_path = { path, "shed", 0 };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    NebulaValue *part = _nebula_member (value, parts[i], NEBULA_VALUE_KIND_OBJECT);
    NebulaPath inner = { path, parts[i], 0 };

    if (part)
      check_part (walk, parts[i], part, &inner);
  }
  if (shed && !is_accepted ("shed", shed, NULL))
    report_refused (walk, &shed_path, "policy", "shed");
}
