/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looks whether a store holds together, and prints what it holds, so that a script can compare it with a ledger.
 *
 * Three checks: the store's own, of every row; each execution is folded from its facts and must come out as its row says
 * (status, sequence, recoveries, timer, key); no node-run may have two outcomes. A fault is a line “BAD …” and exit 1.
 *
 *   exec ID STATUS SEQUENCE
 *   run NAME                           the member `run` of its input
 *   fact KIND PATH ATTEMPT CODE        below its execution, in order; CODE: of a failure, else -
 *
 * The store is opened for reading only: what a crash has left stays as it is.
 */

#include <gio/gio.h>

#include "nebula-engine-private.h"
#include "nebula-fact-internal.h"
#include "nebula-registry.h"
#include "nebula-sqlite-store.h"

#define PAGE 1000

typedef struct {
  NebulaStore *store;
  NebulaEngine *engine;
  guint n_bad;
} Check;

/* One execution's facts. Nodes are numbered as they come; a path is where a node is: each[3].price. */
typedef struct {
  Check *check;
  const char *id;
  GPtrArray *names;    /* number → node */
  GHashTable *numbers; /* node → number */
  GPtrArray *prefixes; /* lane → path of its round */
  GHashTable *balance; /* path → outcomes that may still come */
} History;

static G_GNUC_PRINTF (2, 3) void
complain (Check *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_print ("BAD %s\n", text);
  self->n_bad++;
}

static guint32
number_node (guint32 lane, const char *id, gpointer data)
{
  History *self = data;
  gpointer number;
  char *name;

  if (g_hash_table_lookup_extended (self->numbers, id, NULL, &number))
    return GPOINTER_TO_UINT (number);
  name = g_strdup (id);
  g_ptr_array_add (self->names, name);
  g_hash_table_insert (self->numbers, name, GUINT_TO_POINTER (self->names->len - 1));
  return self->names->len - 1;
}

static char *
make_path (History *self, const NebulaFact *fact)
{
  if (fact->lane >= self->prefixes->len)
    return g_strdup ("?");
  if (fact->node >= self->names->len)
    return g_strdup ("-");
  return g_strconcat (self->prefixes->pdata[fact->lane], self->names->pdata[fact->node], NULL);
}

/* Each node-run gets one outcome: a firing allows one, a repeat of the loop around it is another lane. */
static void
count_outcome (History *self, const NebulaFact *fact, const char *path)
{
  g_autofree char *key = g_strdup_printf ("%u %s", fact->lane, path);

  if (fact->kind != NEBULA_FACT_NODE_ENDED && fact->kind != NEBULA_FACT_NODE_FAILED &&
      fact->kind != NEBULA_FACT_NODE_SKIPPED && fact->kind != NEBULA_FACT_NODE_CANCELLED)
    return;
  if (!g_hash_table_add (self->balance, g_steal_pointer (&key)))
    complain (self->check, "%s: %s has two outcomes", self->id, path);
}

static const char *
get_code (const NebulaFact *fact)
{
  if (!fact->value || nebula_value_get_kind (fact->value) != NEBULA_VALUE_KIND_OBJECT ||
      (fact->kind != NEBULA_FACT_NODE_FAILED && fact->kind != NEBULA_FACT_ATTEMPT_FAILED))
    return "-";
  return nebula_value_get_member_string (fact->value, "code", "-");
}

static void
tell_run (const NebulaFact *fact)
{
  NebulaValue *input = fact->value ? nebula_value_get_member (fact->value, "input") : NULL;

  if (input && nebula_value_get_kind (input) == NEBULA_VALUE_KIND_OBJECT)
    g_print ("run %s\n", nebula_value_get_member_string (input, "run", "-"));
}

static void
tell_fact (History *self, const NebulaFact *fact)
{
  g_autofree char *path = make_path (self, fact);

  g_print ("fact %s %s %u %s\n", nebula_fact_kind_to_string (fact->kind), path, fact->attempt,
           get_code (fact));
  count_outcome (self, fact, path);
  if (fact->kind == NEBULA_FACT_STARTED)
    tell_run (fact);
  if (fact->kind == NEBULA_FACT_LANE_OPENED)
    g_ptr_array_add (self->prefixes,
                     g_strdup_printf ("%s[%" G_GINT64_FORMAT "].", path, fact->number));
}

static gboolean
tell_segment (History *self, NebulaSegment *segment, GError **error)
{
  NebulaFactReader reader;
  NebulaFact fact;
  g_autoptr (GError) failure = NULL;

  if (!nebula_fact_reader_init (&reader, segment->facts, number_node, self, error))
    return FALSE;
  while (nebula_fact_reader_next (&reader, &fact, &failure)) {
    tell_fact (self, &fact);
    g_clear_pointer (&fact.value, nebula_value_unref);
  }
  if (failure)
    g_propagate_error (error, g_steal_pointer (&failure));
  return *error == NULL;
}

static void
tell_history (Check *check, const char *id)
{
  History self = {check, id, NULL, NULL, NULL, NULL};
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) segments = nebula_store_read_segments (check->store, id, 0, 0, &error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) prefixes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) balance = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  self.names = names;
  self.numbers = numbers;
  self.prefixes = prefixes;
  self.balance = balance;
  g_ptr_array_add (prefixes, g_strdup (""));
  for (guint i = 0; segments && i < segments->len && !error; i++)
    tell_segment (&self, segments->pdata[i], &error);
  if (error)
    complain (check, "%s: %s", id, error->message);
}

static void
compare (Check *self, NebulaHeader *header, NebulaInstance *instance)
{
  NebulaState *state = nebula_kernel_get_state (instance->kernel);
  NebulaExecutionStatus status = nebula_kernel_get_status (instance->kernel);
  gint64 due = nebula_kernel_get_next_due (instance->kernel);

  if ((gint) status != header->status)
    complain (self, "%s: the row says %s, its facts say %s", header->stream,
              nebula_execution_status_to_string ((NebulaExecutionStatus) header->status),
              nebula_execution_status_to_string (status));
  if (state->sequence != header->sequence)
    complain (self, "%s: the row says sequence %" G_GUINT64_FORMAT ", there are %" G_GUINT64_FORMAT,
              header->stream, header->sequence, state->sequence);
  if (state->recoveries != header->recoveries)
    complain (self, "%s: the row says %u recoveries, its facts say %u", header->stream,
              header->recoveries, state->recoveries);
  if (status == NEBULA_EXECUTION_STATUS_SUSPENDED && due != header->wake_usec)
    complain (self, "%s: the row's timer is not that of its facts", header->stream);
  if (g_strcmp0 (state->gate_key, header->key) != 0)
    complain (self, "%s: the row's key is not that of its facts", header->stream);
  if (g_strcmp0 (instance->plan->hash, header->revision) != 0)
    complain (self, "%s: the row's revision is not that of its workflow", header->stream);
}

static void
check_execution (Check *self, NebulaHeader *header)
{
  g_autoptr (GError) error = NULL;
  NebulaInstance *instance = _nebula_recovery_load (self->engine, header->stream, &error);

  if (!instance) {
    complain (self, "%s: %s", header->stream, error->message);
    return;
  }
  compare (self, header, instance);
  g_print ("exec %s %s %" G_GUINT64_FORMAT "\n", header->stream,
           nebula_execution_status_to_string ((NebulaExecutionStatus) header->status),
           header->sequence);
  tell_history (self, header->stream);
}

static gboolean
check_executions (Check *self, GError **error)
{
  NebulaHeaderQuery query = {.kind = NEBULA_STREAM_KIND_EXECUTION, .limit = PAGE};
  g_autoptr (GPtrArray) headers = nebula_store_list_headers (self->store, &query, error);

  for (guint i = 0; headers && i < headers->len; i++)
    check_execution (self, headers->pdata[i]);
  return headers != NULL;
}

static gboolean
check_store (Check *self, GError **error)
{
  g_auto (GStrv) problems = nebula_sqlite_store_verify (NEBULA_SQLITE_STORE (self->store), error);
  g_autoptr (NebulaRegistry) registry = nebula_registry_new ();
  gboolean is_read = FALSE;

  if (!problems || !nebula_registry_load (registry, error))
    return FALSE;
  for (char **problem = problems; *problem; problem++)
    complain (self, "%s", *problem);
  self->engine = nebula_engine_new (NEBULA_ACTION_RESOLVER (registry), self->store, NULL);
  is_read = check_executions (self, error);
  nebula_engine_stop (self->engine);
  g_clear_object (&self->engine);
  return is_read;
}

int
main (int argc, char **argv)
{
  Check self = {NULL, NULL, 0};
  g_autoptr (NebulaStore) store = NULL;
  g_autoptr (GError) error = NULL;

  if (argc != 2) {
    g_printerr ("store-check STORE\n");
    return 2;
  }
  store = nebula_sqlite_store_open (argv[1], NEBULA_SQLITE_STORE_FLAGS_READ_ONLY, &error);
  self.store = store;
  if (!store || !check_store (&self, &error))
    complain (&self, "%s", error->message);
  return self.n_bad > 0 ? 1 : 0;
}
