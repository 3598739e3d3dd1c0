/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the engine knows beyond the state of one execution when somebody asks why it does not go on. */

#include "nebula-duration.h"
#include "nebula-engine-private.h"

#define HOLDERS_MAX 10

/* Whoever is inside the gate that a reason names, and how many wait. */
static void
add_gate (NebulaEngine *engine, const char *key, NebulaValueBuilder *builder)
{
  g_autoptr (NebulaValue) queue = nebula_engine_get_queue (engine, key, NULL);
  g_autoptr (NebulaValueBuilder) held = nebula_value_builder_new_array ();
  NebulaValue *holders = queue ? nebula_value_get_member (queue, "holders") : NULL;
  gint64 due_usec = _nebula_gatekeeper_get_due (engine, key);
  g_autofree char *until = due_usec > 0 ? nebula_timestamp_to_string (due_usec, 0) : NULL;

  if (until)
    nebula_value_builder_set_string (builder, "until", until);
  if (!holders)
    return;
  for (gsize i = 0; i < MIN (nebula_value_get_length (holders), HOLDERS_MAX); i++)
    nebula_value_builder_add (
        held, nebula_value_get_member (nebula_value_get_item (holders, i), "holder"));
  nebula_value_builder_set_take (builder, "held_by", nebula_value_builder_end (held));
  nebula_value_builder_set (builder, "waiting",
                            nebula_value_get_member (queue, "waiting"));
}

static void
add_child (NebulaEngine *engine, const char *id, NebulaValueBuilder *builder)
{
  g_autoptr (NebulaExecution) child = nebula_engine_get_execution (engine, id, NULL);

  if (child)
    nebula_value_builder_set_take (builder, "why", nebula_execution_explain (child));
}

/* What it was collected into goes on in its place, as a child would. */
static gboolean
is_batch (NebulaValue *reason)
{
  return g_str_equal (nebula_value_get_member_string (reason, "reason", ""), "batch");
}

static NebulaValue *
complete (NebulaInstance *instance, NebulaValue *reason)
{
  NebulaEngine *engine = instance->engine;
  const char *lock = nebula_value_get_member_string (reason, "lock", NULL);
  const char *key = nebula_value_get_member_string (reason, "key", NULL);
  const char *child = nebula_value_get_member_string (
      reason, is_batch (reason) ? "execution" : "child", NULL);
  g_autofree char *lock_key =
      lock ? g_strdup_printf ("lock:%s/%s", instance->tenant, lock) : NULL;
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if ((!lock && !key && !child) || nebula_value_has_member (reason, "held_by"))
    return nebula_value_ref (reason);
  builder = nebula_value_builder_new_object ();
  for (gsize i = 0; i < nebula_value_get_length (reason); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (reason, i, NULL),
                              nebula_value_get_member_at (reason, i));
  if (lock_key || key)
    add_gate (engine, lock_key ? lock_key : key, builder);
  if (child)
    add_child (engine, child, builder);
  return nebula_value_builder_end (builder);
}

NebulaValue *
_nebula_why_complete (NebulaInstance *instance, NebulaValue *reasons)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < nebula_value_get_length (reasons); i++)
    nebula_value_builder_add_take (builder,
                                   complete (instance, nebula_value_get_item (reasons, i)));
  return nebula_value_builder_end (builder);
}
