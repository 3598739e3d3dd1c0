/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segments of the journal as messages of data/proto/nebula.proto, for programs that read histories. */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-fact-internal.h"
#include "nebula-protobuf-internal.h"

G_STATIC_ASSERT ((int) NEBULA_FACT_STARTED == (int) NEBULA__V1__FACT_KIND__STARTED);
G_STATIC_ASSERT ((int) NEBULA_FACT_ENDED == (int) NEBULA__V1__FACT_KIND__ENDED);
G_STATIC_ASSERT ((int) NEBULA_FACT_LOCK_ASKED == (int) NEBULA__V1__FACT_KIND__LOCK_ASKED);
G_STATIC_ASSERT ((int) NEBULA_FACT_DECIDED == (int) NEBULA__V1__FACT_KIND__DECIDED);
G_STATIC_ASSERT ((int) NEBULA_FACT_LAST == (int) NEBULA__V1__FACT_KIND__BATCHED);

/* Nodes are numbered as their ids come; without a plan any number does. */
static guint32
note_node (guint32 lane, const char *id, gpointer data)
{
  GPtrArray *names = data;

  g_ptr_array_add (names, g_strdup (id));
  return names->len - 1;
}

static Nebula__V1__Fact *
build_fact (NebulaArena *arena, const NebulaFact *fact, GPtrArray *names, GError **error)
{
  Nebula__V1__Fact *message = nebula_arena_alloc (arena, sizeof *message);

  nebula__v1__fact__init (message);
  message->kind = (Nebula__V1__FactKind) fact->kind;
  message->lane = fact->lane;
  message->node =
      nebula_protobuf_text (fact->node != NEBULA_PLAN_NONE ? names->pdata[fact->node] : NULL);
  message->number = fact->number;
  message->attempt = fact->attempt;
  message->time_usec = fact->time_usec;
  message->has_text = fact->text != NULL;
  message->due_usec = fact->due_usec;
  message->code = fact->code;
  if (fact->text) {
    message->text.len = strlen (fact->text);
    message->text.data = nebula_arena_copy (arena, fact->text, message->text.len);
  }
  if (!fact->value)
    return message;
  message->value = nebula_protobuf_new_value (arena, fact->value, error);
  return message->value ? message : NULL;
}

static GBytes *
pack_facts (NebulaFactReader *reader, GPtrArray *names, GError **error)
{
  g_autoptr (NebulaArena) arena = nebula_arena_new (0);
  g_autoptr (GPtrArray) facts = g_ptr_array_new ();
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  g_autoptr (GError) problem = NULL;
  Nebula__V1__Facts message = NEBULA__V1__FACTS__INIT;
  NebulaFact fact;

  while (nebula_fact_reader_next (reader, &fact, &problem)) {
    Nebula__V1__Fact *one = NULL;

    if (fact.value)
      g_ptr_array_add (values, fact.value);
    one = build_fact (arena, &fact, names, error);
    if (!one)
      return NULL;
    g_ptr_array_add (facts, one);
  }
  if (problem) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  message.n_facts = facts->len;
  message.facts = (Nebula__V1__Fact **) facts->pdata;
  return nebula_protobuf_pack (&message.base);
}

GBytes *
nebula_facts_to_protobuf (GBytes *segment, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  NebulaFactReader reader;
  GBytes *bytes = NULL;

  if (!nebula_fact_reader_init (&reader, segment, note_node, names, error))
    return NULL;
  bytes = pack_facts (&reader, names, error);
  nebula_fact_reader_clear (&reader);
  return bytes;
}

static gboolean
add_fact (NebulaFactWriter *writer, const Nebula__V1__Fact *message, GError **error)
{
  g_autofree char *node = NULL, *text = NULL;
  g_autoptr (NebulaValue) value = NULL;
  NebulaFact fact = {
      .kind = (NebulaFactKind) message->kind,
      .lane = message->lane,
      .node = NEBULA_PLAN_NONE,
      .attempt = message->attempt,
      .code = message->code,
      .number = message->number,
      .time_usec = message->time_usec,
      .due_usec = message->due_usec,
  };

  if (fact.kind < NEBULA_FACT_STARTED || fact.kind > NEBULA_FACT_LAST) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 _ ("There is a fact of kind %d, which this version does not know."), (int) message->kind);
    return FALSE;
  }
  if (!nebula_protobuf_dup_text (&message->node, &node, error) ||
      !nebula_protobuf_dup_text (&message->text, &text, error))
    return FALSE;
  if (message->value) {
    value = nebula_protobuf_get_value (message->value, error);
    if (!value)
      return FALSE;
  }
  fact.text = text || !message->has_text ? text : "";
  fact.value = value;
  nebula_fact_writer_add_named (writer, node, &fact);
  return TRUE;
}

static GBytes *
write_facts (const Nebula__V1__Facts *message, GError **error)
{
  NebulaFactWriter writer;
  gboolean done = TRUE;

  if (message->n_facts == 0) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("There are no facts; a segment holds one at least."));
    return NULL;
  }
  nebula_fact_writer_init (&writer);
  for (gsize i = 0; i < message->n_facts && done; i++)
    done = add_fact (&writer, message->facts[i], error);
  if (done)
    return nebula_fact_writer_end (&writer);
  nebula_fact_writer_clear (&writer);
  return NULL;
}

GBytes *
nebula_facts_from_protobuf (GBytes *bytes, GError **error)
{
  g_autoptr (NebulaArena) arena = nebula_protobuf_new_arena (bytes);
  Nebula__V1__Facts *message =
      nebula_protobuf_unpack (&nebula__v1__facts__descriptor, bytes, arena, error);

  return message ? write_facts (message, error) : NULL;
}
