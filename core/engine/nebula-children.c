/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Executions that others have called. A start message lies in the inbox of an execution that does not exist yet; the
 * unit that begins it uses the message up, so it begins once, whatever stops in between. Its id was derived by the
 * caller and stands in the caller's history.
 *
 * An input that does not fit fails the child, like any other failure of it. What cannot be made into an execution at
 * all (its revision is not there, or a module is missing) is answered at once.
 */

#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-input-internal.h"
#include "nebula-msgpack.h"

typedef struct {
  NebulaValue *input;
  NebulaValue *captured;
  NebulaJsonSchema *schema; /* borrowed of the plan; NULL: any input */
  NebulaInstance *instance; /* borrowed: this is a stimulus of it */
  char *message_id;
  guint64 seed;
} Birth;

static void
birth_free (gpointer data)
{
  Birth *self = data;

  nebula_value_unref (self->input);
  nebula_value_unref (self->captured);
  g_free (self->message_id);
  g_free (self);
}

/* The input as its schema wants it; else as it was given, with error. */
static NebulaValue *
prepare_input (NebulaKernel *kernel, Birth *birth, GError **error)
{
  g_autoptr (NebulaValue) loaded = nebula_kernel_load (kernel, birth->input, error);
  NebulaValue *filled = NULL;

  if (!loaded)
    return nebula_value_new_null ();
  if (!birth->schema || !nebula_input_check (birth->schema, loaded, &filled, error))
    return g_steal_pointer (&loaded);
  return filled;
}

/* With the priority that its settings give it, if nobody has given it another one. */
static NebulaValue *
prepare_captured (NebulaKernel *kernel,
                  Birth *birth,
                  NebulaValue *input,
                  gint64 now_usec,
                  GError **error)
{
  g_autoptr (NebulaValue) captured = nebula_kernel_load (kernel, birth->captured, error);
  g_autoptr (NebulaValue) priority = NULL;
  NebulaInstance *instance = birth->instance;
  NebulaOutset outset = {instance->plan, instance->id, instance->tenant,  input,
                         captured,       birth->seed,  0};
  gint64 number;

  if (!captured || !instance->plan->priority_expression ||
      nebula_value_has_member (captured, "priority"))
    return g_steal_pointer (&captured);
  if (!nebula_kernel_find_priority (&outset, now_usec, &number, error))
    return g_steal_pointer (&captured);
  priority = nebula_value_new_integer (number);
  return nebula_value_with_member (captured, "priority", priority);
}

static gboolean
birth_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  Birth *birth = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) input = prepare_input (kernel, birth, &error);
  g_autoptr (NebulaValue) captured =
      prepare_captured (kernel, birth, input, now_usec, error ? NULL : &error);

  if (!captured)
    captured = nebula_value_new_empty_object ();
  nebula_kernel_start (kernel, input, captured, birth->seed, now_usec);
  if (error)
    nebula_kernel_refuse (kernel, error, now_usec);
  return TRUE;
}

static void
birth_answer (NebulaInstance *instance, const GError *error, gpointer data)
{
  Birth *birth = data;

  if (error)
    return;
  if (!instance->consumed)
    instance->consumed = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (instance->consumed, g_steal_pointer (&birth->message_id));
}

static const NebulaStimulusClass birth_class = {birth_apply, birth_answer, birth_free};

/* What the caller gives on, and who it is. */
static NebulaValue *
capture (NebulaValue *payload)
{
  static const char *const names[] = {"env", "user", "links", "parent", "batch", "priority"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    NebulaValue *value = nebula_value_get_member (payload, names[i]);

    if (value)
      nebula_value_builder_set (builder, names[i], value);
  }
  return nebula_value_builder_end (builder);
}

/* Whoever is waited for is kept at least as well as who waits; nobody durable is waited for by what is in memory. */
static NebulaDurability
choose_durability (NebulaPlan *plan, NebulaValue *payload)
{
  NebulaDurability callers = (NebulaDurability) CLAMP (
      nebula_value_get_member_integer (payload, "durability", 0),
      NEBULA_DURABILITY_STRICT, NEBULA_DURABILITY_MEMORY);
  NebulaValue *parent = nebula_value_get_member (payload, "parent");

  if (nebula_value_has_member (payload, "batch"))
    return callers;
  if (!parent || !nebula_value_get_member_boolean (parent, "waits", FALSE))
    return plan->durability;
  return callers == NEBULA_DURABILITY_MEMORY ? callers : MIN (callers, plan->durability);
}

static void
begin (NebulaEngine *engine,
       const NebulaMessage *message,
       NebulaPlan *plan,
       NebulaValue *payload)
{
  NebulaInstance *instance = _nebula_instance_new (
      engine, message->stream,
      nebula_value_get_member_string (payload, "tenant", "default"), plan, NULL);
  NebulaValue *input = nebula_value_get_member (payload, "input");
  Birth *birth = g_new0 (Birth, 1);
  gboolean is_heavy = nebula_value_has_stored (payload) || nebula_kernel_is_large (payload) ||
                      plan->priority_expression != NULL;

  _nebula_instance_set_durability (instance, choose_durability (plan, payload));
  birth->input = input ? nebula_value_ref (input) : nebula_value_new_null ();
  birth->captured = capture (payload);
  birth->instance = instance;
  /* Each input of a batch was checked when it was started. */
  birth->schema = nebula_value_has_member (payload, "batch") ? NULL : plan->input_schema;
  birth->message_id = g_strdup (message->id);
  birth->seed = nebula_clock_get_random (engine->clock);
  engine->has_listener = nebula_event_bus_has_any_subscriber (engine->bus);
  _nebula_away_stimulate (instance, &birth_class, birth, is_heavy);
}

static void
add_reply (GPtrArray *replies,
           const NebulaMessage *message,
           NebulaValue *payload,
           const char *to,
           const GError *error,
           gint64 now)
{
  g_autofree char *id = g_strdup_printf ("%s:end:%s", message->stream, to);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) end = NULL;
  g_autoptr (GBytes) bytes = NULL;

  nebula_value_builder_set_string (builder, "kind", "end");
  nebula_value_builder_set_string (builder, "execution", message->stream);
  nebula_value_builder_set_string (builder, "status", "failed");
  nebula_value_builder_set_string (builder, "tenant", nebula_value_get_member_string (payload, "tenant", "default"));
  nebula_value_builder_set_take (builder, "error", nebula_failure_new_from_error (error));
  end = nebula_value_builder_end (builder);
  bytes = nebula_value_to_msgpack (end);
  g_ptr_array_add (replies, nebula_message_new (id, to, bytes, now));
}

/* It never comes to be: who waits for it is told so. */
static void
refuse (NebulaEngine *engine,
        const NebulaMessage *message,
        NebulaValue *payload,
        const GError *error)
{
  NebulaValue *members = nebula_value_get_member (payload, "batch");
  NebulaValue *parent = nebula_value_get_member (payload, "parent");
  gint64 now = nebula_clock_get_real_usec (engine->clock);
  GPtrArray *replies = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_message_free);

  if (parent)
    add_reply (replies, message, payload,
               nebula_value_get_member_string (parent, "execution", ""), error, now);
  for (gsize i = 0; members && i < nebula_value_get_length (members); i++)
    add_reply (replies, message, payload,
               nebula_value_get_string (nebula_value_get_item (members, i)), error, now);
  _nebula_post_use_up (engine, message->stream, message->id, replies);
}

static gboolean
is_there (NebulaEngine *engine, const char *id)
{
  g_autoptr (NebulaHeader) header = NULL;

  if (g_hash_table_contains (engine->instances, id))
    return TRUE;
  header = nebula_store_read_header (engine->store, id, NULL);
  return header != NULL;
}

void
_nebula_children_start (NebulaEngine *engine,
                        const NebulaMessage *message,
                        NebulaValue *payload)
{
  const char *hash = nebula_value_get_member_string (payload, "workflow", "");
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  if (is_there (engine, message->stream)) {
    /* Delivered again; the unit that begins it uses the message up, or has done so. */
    return;
  }
  plan = _nebula_recovery_load_plan (engine, hash, &error);
  if (plan)
    begin (engine, message, plan, payload);
  else
    refuse (engine, message, payload, error);
}

/* What a waiting execution has called goes on with it, also if it had left its engine's memory with it. */
void
_nebula_children_take_up (NebulaInstance *instance)
{
  NebulaState *state = nebula_kernel_get_state (instance->kernel);

  if (state->batch)
    _nebula_peers_take_up (instance->engine, instance->tenant, state->batch);
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    if (work->other && work->wait == NEBULA_WAIT_CHILD)
      _nebula_peers_take_up (instance->engine, instance->tenant, work->other);
  }
}

/* Names of deployed workflows. */

static char *
read_name (NebulaEngine *engine, const char *name, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GBytes) bytes =
      nebula_store_read_document (engine->store, "workflow", name, NULL, &local_error);
  g_autoptr (NebulaValue) document =
      bytes ? nebula_value_from_msgpack (bytes, &local_error) : NULL;

  if (local_error) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  return document ? g_strdup (nebula_value_get_member_string (document, "revision", NULL))
                  : NULL;
}

char *
_nebula_children_find_workflow (const char *name,
                                gboolean may_block,
                                gpointer data,
                                GError **error)
{
  NebulaInstance *instance = data;
  NebulaEngine *engine = instance->engine;
  g_autoptr (NebulaPlan) known = _nebula_engine_find_name (engine, name);

  if (known)
    return g_strdup (known->hash);
  if (may_block)
    return read_name (engine, name, error);
  g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "The store must be asked.");
  return NULL;
}

char *
_nebula_children_make_secret (gpointer data)
{
  NebulaClock *clock = ((NebulaInstance *) data)->engine->clock;

  return g_strdup_printf ("%016llx%016llx",
                          (unsigned long long) nebula_clock_get_random (clock),
                          (unsigned long long) nebula_clock_get_random (clock));
}
