/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gates that stand in the settings. Those that may refuse come first, so that nobody holds a place for nothing. */

#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-plan-builder-private.h"

static const struct {
  const char *name;
  NebulaGateKind kind;
  const char *period; /* key of its period; NULL: it has none */
} gates[NEBULA_PLAN_GATES_MAX] = {
    {"singleton", NEBULA_GATE_CONCURRENCY, NULL},
    {"throttle", NEBULA_GATE_THROTTLE, "per"},
    {"debounce", NEBULA_GATE_DEBOUNCE, "wait"},
    {"rate", NEBULA_GATE_RATE, "per"},
    {"concurrency", NEBULA_GATE_CONCURRENCY, NULL},
};

static NebulaExpression *
add_template (NebulaPlanBuilder *self, NebulaValue *settings, const char *gate, const char *key)
{
  NebulaValue *text = _nebula_member (settings, key, NEBULA_VALUE_KIND_STRING);
  g_autofree char *pointer = g_strdup_printf ("/settings/%s/%s", gate, key);
  NebulaExpressionSite site = {
      .builder = self,
      .node = NEBULA_PLAN_NONE,
      .nothing_ran = TRUE,
      .pointer = pointer,
  };

  return text ? _nebula_expression_site_add (&site, text, NEBULA_EXPRESSION_FORM_TEMPLATE)
              : NULL;
}

static void
report_missing (NebulaPlanBuilder *self, const char *gate, const char *key)
{
  g_autofree char *pointer = g_strdup_printf ("/settings/%s", gate);
  NebulaProblem problem = {.code = "schema", .pointer = pointer, .of_key = TRUE};

  _nebula_problems_add (self->problems, &problem, _ ("“%s” needs “%s”"), gate, key);
}

static gint64
get_period (NebulaPlanBuilder *self, NebulaValue *settings, const char *gate, const char *key)
{
  const char *text = key ? _nebula_member_text (settings, key) : NULL;
  gint64 usec = 0;

  if (!key || (text && nebula_duration_parse (text, &usec, NULL) && usec > 0))
    return usec;
  report_missing (self, gate, key);
  return 1;
}

static guint8
get_strategy (NebulaValue *settings, NebulaGateKind kind, gboolean is_singleton)
{
  static const char *const names[] = {"queue", "reject", "cancel-running", "cancel-newest"};
  const char *text = _nebula_member_text (settings, "strategy");

  if (kind != NEBULA_GATE_CONCURRENCY)
    return NEBULA_GATE_QUEUE;
  for (guint i = 0; text && i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], text))
      return (guint8) i;
  return is_singleton ? NEBULA_GATE_REJECT : NEBULA_GATE_QUEUE;
}

static void
add_gate (NebulaPlanBuilder *self, guint index, NebulaValue *settings)
{
  NebulaPlan *plan = self->plan;
  const char *name = gates[index].name;
  NebulaValue *limit = _nebula_member (settings, "limit", NEBULA_VALUE_KIND_INTEGER);
  gboolean is_single = index == 0 || gates[index].kind == NEBULA_GATE_DEBOUNCE;
  NebulaPlanGate *gate;

  if (!limit && g_str_equal (name, "concurrency"))
    return; /* no limit */
  if (!limit && !is_single)
    report_missing (self, name, "limit");
  gate = &plan->gates[plan->n_gates++];
  gate->name = name;
  gate->kind = (guint8) gates[index].kind;
  gate->strategy = get_strategy (settings, gates[index].kind, index == 0);
  gate->limit = limit && !is_single
                    ? (guint32) CLAMP (nebula_value_get_integer (limit), 1, G_MAXINT)
                    : 1;
  gate->period_usec = get_period (self, settings, name, gates[index].period);
  gate->key = add_template (self, settings, name, "key");
  gate->share = add_template (self, settings, name, "share");
}

void
_nebula_plan_builder_add_gates (NebulaPlanBuilder *self, NebulaValue *settings)
{
  for (guint i = 0; i < G_N_ELEMENTS (gates); i++) {
    NebulaValue *gate = _nebula_member (settings, gates[i].name, NEBULA_VALUE_KIND_OBJECT);

    if (gate && (nebula_value_get_length (gate) > 0 || i == 0))
      add_gate (self, i, gate);
  }
}
