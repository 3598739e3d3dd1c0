/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a gate has collected becomes one execution. The unit of the gate that says so carries a start message for it, and
 * one to each member, which from then on ends as the batch does. So there is one execution for each batch, whatever
 * stops in between, and no member is in two of them.
 */

#include "nebula-engine-private.h"
#include "nebula-gate-internal.h"
#include "nebula-msgpack.h"

static void
add_message (NebulaUnit *unit, const char *id, const char *to, NebulaValueBuilder *builder, gint64 now)
{
  g_autoptr (NebulaValue) payload = nebula_value_builder_end (builder);
  g_autoptr (GBytes) bytes = nebula_value_to_msgpack (payload);

  nebula_unit_add_message (unit, id, to, bytes, now);
}

static NebulaValue *
list_inputs (GPtrArray *members)
{
  g_autoptr (NebulaValueBuilder) inputs = nebula_value_builder_new_array ();

  for (guint i = 0; i < members->len; i++) {
    NebulaGateEntry *member = members->pdata[i];
    NebulaValue *input =
        member->value ? nebula_value_get_member (member->value, "input") : NULL;

    nebula_value_builder_add_take (inputs, input ? nebula_value_ref (input)
                                                 : nebula_value_new_null ());
  }
  return nebula_value_builder_end (inputs);
}

static NebulaValue *
list_ids (GPtrArray *members)
{
  g_autoptr (NebulaValueBuilder) ids = nebula_value_builder_new_array ();

  for (guint i = 0; i < members->len; i++)
    nebula_value_builder_add_take (
        ids, nebula_value_new_string (((NebulaGateEntry *) members->pdata[i])->holder));
  return nebula_value_builder_end (ids);
}

/* As urgent as the most urgent member, kept as well as the one that is kept best. */
static void
add_greatest (NebulaValueBuilder *builder, GPtrArray *members)
{
  gint64 priority = G_MININT64;
  gint64 durability = NEBULA_DURABILITY_MEMORY;

  for (guint i = 0; i < members->len; i++) {
    NebulaGateEntry *member = members->pdata[i];

    priority = MAX (priority, member->priority);
    if (member->value)
      durability = MIN (durability,
                        nebula_value_get_member_integer (member->value, "durability", durability));
  }
  nebula_value_builder_set_integer (builder, "priority", priority);
  nebula_value_builder_set_integer (builder, "durability", durability);
}

/* The rest is what came with the last one. */
static NebulaValueBuilder *
make_start (GPtrArray *members, const char *tenant)
{
  static const char *const kept[] = {"workflow", "env", "user", "links"};
  NebulaGateEntry *last = members->pdata[members->len - 1];
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "kind", "start");
  nebula_value_builder_set_string (builder, "tenant", tenant);
  nebula_value_builder_set_take (builder, "input", list_inputs (members));
  nebula_value_builder_set_take (builder, "batch", list_ids (members));
  add_greatest (builder, members);
  for (guint i = 0; last->value && i < G_N_ELEMENTS (kept); i++) {
    NebulaValue *value = nebula_value_get_member (last->value, kept[i]);

    if (value)
      nebula_value_builder_set (builder, kept[i], value);
  }
  return builder;
}

void
_nebula_batch_add (const char *gate,
                   const char *key,
                   const char *tenant,
                   const NebulaGateAnswer *answer,
                   NebulaUnit *unit,
                   gint64 now_usec)
{
  GPtrArray *members = answer->members;
  g_autofree char *start = g_strdup_printf ("%s:start", answer->holder);
  g_autoptr (NebulaValueBuilder) builder = make_start (members, tenant ? tenant : "default");

  add_message (unit, start, answer->holder, builder, now_usec);
  for (guint i = 0; i < members->len; i++) {
    NebulaGateEntry *member = members->pdata[i];
    g_autofree char *id = g_strdup_printf ("%s:batched:%s", gate, member->holder);
    g_autoptr (NebulaValueBuilder) word = nebula_value_builder_new_object ();

    nebula_value_builder_set_string (word, "kind", "batched");
    nebula_value_builder_set_string (word, "holder", member->holder);
    nebula_value_builder_set_string (word, "key", key);
    nebula_value_builder_set_string (word, "execution", answer->holder);
    nebula_value_builder_set_string (word, "tenant", tenant ? tenant : "default");
    add_message (unit, id, member->holder, word, now_usec);
  }
}
