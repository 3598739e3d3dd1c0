/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gates that stand in the settings, and the priority there. Those that may refuse come first, so that nobody holds a
 * place for nothing; those behind a batch are passed by what it becomes. */

#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-plan-builder-private.h"

#define BATCH_SIZE 100

static const struct {
  const char *name;
  NebulaGateKind kind;
  const char *period; /* key of its period; NULL: it has none */
} gates[NEBULA_PLAN_GATES_MAX] = {
    {"singleton", NEBULA_GATE_CONCURRENCY, NULL},
    {"throttle", NEBULA_GATE_THROTTLE, "per"},
    {"debounce", NEBULA_GATE_DEBOUNCE, "wait"},
    {"batch", NEBULA_GATE_BATCH, "timeout"},
    {"rate", NEBULA_GATE_RATE, "per"},
    {"concurrency", NEBULA_GATE_CONCURRENCY, NULL},
};

#define SINGLETON 0
#define BATCH     3

static NebulaExpression *
add_template (NebulaPlanBuilder *self, NebulaValue *settings, guint index, const char *key)
{
  NebulaValue *text = _nebula_member (settings, key, NEBULA_VALUE_KIND_STRING);
  g_autofree char *pointer = g_strdup_printf ("/settings/%s/%s", gates[index].name, key);
  NebulaExpressionSite site = {
      .builder = self,
      .node = NEBULA_PLAN_NONE,
      .nothing_ran = TRUE,
      .of_start = index <= BATCH,
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

  if (!key || !text || !nebula_duration_parse (text, &usec, NULL))
    return usec; /* what is missing is told where the keys are checked */
  if (usec <= 0)
    report_missing (self, gate, key);
  return MAX (usec, 1);
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

static gboolean
keeps_place (NebulaValue *settings)
{
  return g_strcmp0 (_nebula_member_text (settings, "while-waiting"), "keep") == 0;
}

static void
add_gate (NebulaPlanBuilder *self, guint index, NebulaValue *settings)
{
  NebulaPlan *plan = self->plan;
  const char *name = gates[index].name;
  NebulaValue *limit = _nebula_member (settings, index == BATCH ? "size" : "limit",
                                       NEBULA_VALUE_KIND_INTEGER);
  gboolean is_single = index == SINGLETON || gates[index].kind == NEBULA_GATE_DEBOUNCE;
  NebulaPlanGate *gate;

  if (!limit && g_str_equal (name, "concurrency"))
    return; /* no limit */
  gate = &plan->gates[plan->n_gates++];
  gate->name = name;
  gate->kind = (guint8) gates[index].kind;
  gate->strategy = get_strategy (settings, gates[index].kind, index == SINGLETON);
  gate->limit = index == BATCH ? BATCH_SIZE : 1;
  if (limit && !is_single)
    gate->limit = (guint32) CLAMP (nebula_value_get_integer (limit), 1, G_MAXINT);
  gate->is_left_while_waiting = g_str_equal (name, "concurrency") && !keeps_place (settings);
  gate->period_usec = get_period (self, settings, name, gates[index].period);
  gate->key = add_template (self, settings, index, "key");
  gate->share = add_template (self, settings, index, "share");
}

/* One place for all that is collected, or the last one only: nothing would be collected. */
static void
check_batch (NebulaPlanBuilder *self, NebulaValue *settings)
{
  static const char *const others[] = {"singleton", "debounce"};

  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *pointer = g_strdup_printf ("/settings/%s", others[i]);
    NebulaProblem problem = {.code = "schema", .pointer = pointer, .of_key = TRUE};

    problem.hint = _ ("Use “concurrency” to let one batch run at a time.");
    if (_nebula_member (settings, "batch", NEBULA_VALUE_KIND_OBJECT) &&
        _nebula_member (settings, others[i], NEBULA_VALUE_KIND_OBJECT))
      _nebula_problems_add (self->problems, &problem,
                            _ ("“batch” collects several, “%s” lets only one through"), others[i]);
  }
}

void
_nebula_plan_builder_add_gates (NebulaPlanBuilder *self, NebulaValue *settings)
{
  for (guint i = 0; i < G_N_ELEMENTS (gates); i++) {
    NebulaValue *gate = _nebula_member (settings, gates[i].name, NEBULA_VALUE_KIND_OBJECT);

    if (gate && (nebula_value_get_length (gate) > 0 || i == SINGLETON))
      add_gate (self, i, gate);
  }
  check_batch (self, settings);
}

void
_nebula_plan_builder_add_priority (NebulaPlanBuilder *self, NebulaValue *settings)
{
  NebulaPlan *plan = self->plan;
  NebulaValue *number = _nebula_member (settings, "priority", NEBULA_VALUE_KIND_INTEGER);
  NebulaValue *text = _nebula_member (settings, "priority", NEBULA_VALUE_KIND_STRING);
  NebulaExpressionSite site = {
      .builder = self,
      .node = NEBULA_PLAN_NONE,
      .nothing_ran = TRUE,
      .of_start = TRUE,
      .integer = "priority",
      .pointer = "/settings/priority",
  };

  if (number)
    plan->priority =
        (gint32) CLAMP (nebula_value_get_integer (number), G_MININT32, G_MAXINT32);
  if (text && nebula_expression_is_template (nebula_value_get_string (text)))
    plan->priority_expression =
        _nebula_expression_site_add (&site, text, NEBULA_EXPRESSION_FORM_TEMPLATE);
}
