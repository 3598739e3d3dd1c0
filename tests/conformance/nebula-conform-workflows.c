/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workflows: validation, runs in memory, WfCommons graphs. */

#include <math.h>
#include <string.h>

#include "nebula-conform.h"
#include "nebula-error.h"
#include "nebula-json.h"

#define QUEUE       4000000
#define DRAIN_TURNS 10000000

static GPtrArray *
diagnostics_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
}

static char *
dup_definition (NebulaValue *request, GError **error)
{
  NebulaValue *definition = nebula_value_get_member (request, "definition");

  if (definition && nebula_value_get_kind (definition) == NEBULA_VALUE_KIND_STRING)
    return g_strdup (nebula_value_get_string (definition));
  if (definition)
    return nebula_value_to_json (definition, NEBULA_JSON_FLAGS_NONE);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                       "The request has no “definition”.");
  return NULL;
}

static NebulaValue *
diagnostic_to_value (NebulaDiagnostic *diagnostic)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gboolean is_error =
      nebula_diagnostic_get_severity (diagnostic) == NEBULA_SEVERITY_ERROR;

  nebula_value_builder_set_string (builder, "code",
                                   nebula_diagnostic_get_code (diagnostic));
  nebula_value_builder_set_string (builder, "severity", is_error ? "error" : "warning");
  nebula_value_builder_set_integer (builder, "line",
                                    nebula_diagnostic_get_line (diagnostic));
  nebula_value_builder_set_integer (builder, "column",
                                    nebula_diagnostic_get_column (diagnostic));
  return nebula_value_builder_end (builder);
}

NebulaValue *
conform_workflow_validate (NebulaValue *request, GError **error)
{
  g_autofree char *text = dup_definition (request, error);
  NebulaRegistry *registry = text ? conform_get_registry (error) : NULL;
  g_autoptr (GPtrArray) diagnostics = diagnostics_new ();
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (GBytes) bytes = NULL;
  gboolean is_valid;

  if (!registry)
    return NULL;
  bytes = g_bytes_new (text, strlen (text));
  is_valid = nebula_workflow_validate_bytes (
      bytes, "workflow", NEBULA_ACTION_RESOLVER (registry), diagnostics, NULL);
  for (guint i = 0; i < diagnostics->len; i++)
    nebula_value_builder_add_take (list, diagnostic_to_value (diagnostics->pdata[i]));
  nebula_value_builder_set_boolean (builder, "valid", is_valid);
  nebula_value_builder_set_take (builder, "diagnostics", nebula_value_builder_end (list));
  return nebula_value_builder_end (builder);
}

/* Running. */

typedef struct {
  gboolean is_over;
  GError *error;
} Waiting;

static void
ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Waiting *waiting = user_data;

  nebula_execution_wait_finish (NEBULA_EXECUTION (source), result, &waiting->error);
  waiting->is_over = TRUE;
}

/* Nobody will send a signal here. */
static gboolean
waits_for_signal (NebulaExecution *execution)
{
  g_autoptr (NebulaValue) reasons = NULL;

  if (nebula_execution_get_status (execution) != NEBULA_EXECUTION_STATUS_SUSPENDED)
    return FALSE;
  reasons = nebula_execution_explain (execution);
  for (gsize i = 0; i < nebula_value_get_length (reasons); i++) {
    NebulaValue *reason = nebula_value_get_item (reasons, i);

    if (nebula_value_has_member (reason, "until") ||
        g_str_equal (nebula_value_get_member_string (reason, "reason", ""), "running"))
      return FALSE;
  }
  return nebula_value_get_length (reasons) > 0;
}

static void
follow (NebulaEngine *engine, NebulaExecution *execution, Waiting *waiting)
{
  nebula_execution_wait_async (execution, NULL, ended, waiting);
  while (!waiting->is_over) {
    if (!g_main_context_pending (NULL) && waits_for_signal (execution))
      break;
    g_main_context_iteration (NULL, TRUE);
  }
  for (guint i = 0; i < DRAIN_TURNS && g_main_context_iteration (NULL, FALSE); i++)
    continue;
}

NebulaValue *
conform_execute (NebulaValue *definition,
                 NebulaValue *input,
                 ConformListener listener,
                 gpointer user_data,
                 GError **error)
{
  NebulaRegistry *registry = conform_get_registry (error);
  g_autoptr (GPtrArray) diagnostics = diagnostics_new ();
  g_autoptr (NebulaEngine) engine = NULL;
  g_autoptr (NebulaWorkflow) workflow = NULL;
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (NebulaExecution) execution = NULL;
  g_autoptr (NebulaSubscription) subscription = NULL;
  NebulaSubscriptionOptions choices = {.pattern = "node.*", .capacity = QUEUE};
  Waiting waiting = {FALSE, NULL};
  NebulaValue *report = NULL;

  if (!registry)
    return NULL;
  engine = nebula_engine_new (NEBULA_ACTION_RESOLVER (registry), NULL, NULL);
  workflow = nebula_workflow_new_from_value (definition, diagnostics, error);
  plan = workflow ? nebula_engine_deploy (engine, workflow, diagnostics, error) : NULL;
  if (!plan)
    return NULL;
  subscription = nebula_event_bus_subscribe_full (nebula_engine_get_event_bus (engine),
                                                  &choices, listener, user_data, NULL);
  execution = nebula_engine_start (engine, plan, input, NULL, error);
  if (execution) {
    follow (engine, execution, &waiting);
    report = nebula_execution_get_report (execution, error);
  }
  nebula_subscription_cancel (subscription);
  g_clear_object (&execution);
  nebula_engine_stop (engine);
  /* Whoever still waited is answered now, while `waiting` is there. */
  for (guint i = 0; i < DRAIN_TURNS && g_main_context_iteration (NULL, FALSE); i++)
    continue;
  g_clear_error (&waiting.error);
  return report;
}

static NebulaValue *
read_definition (NebulaValue *request, GError **error)
{
  g_autofree char *text = dup_definition (request, error);
  g_autoptr (GBytes) bytes = text ? g_bytes_new (text, strlen (text)) : NULL;
  g_autoptr (GPtrArray) diagnostics = diagnostics_new ();
  g_autoptr (NebulaWorkflow) workflow = NULL;

  if (!bytes)
    return NULL;
  workflow = nebula_workflow_read_bytes (bytes, "workflow", diagnostics, error);
  return workflow ? nebula_value_ref (nebula_workflow_get_definition (workflow)) : NULL;
}

/* Ids in the order in which they were first heard of. */
typedef struct {
  GHashTable *seen;
  NebulaValueBuilder *order;
} Order;

static void
hear_order (NebulaEvent *event, gpointer user_data)
{
  Order *order = user_data;
  const char *topic = nebula_event_get_topic (event);
  const char *path =
      nebula_value_get_member_string (nebula_event_get_data (event), "path", NULL);
  gboolean has_begun =
      g_str_equal (topic, "node.ready") || g_str_equal (topic, "node.completed") ||
      g_str_equal (topic, "node.failed") || g_str_equal (topic, "node.waiting");

  if (!path || !has_begun || strchr (path, '[') ||
      !g_hash_table_add (order->seen, g_strdup (path)))
    return;
  nebula_value_builder_add_take (order->order, nebula_value_new_string (path));
}

NebulaValue *
conform_workflow_run (NebulaValue *request, GError **error)
{
  g_autoptr (NebulaValue) definition = read_definition (request, error);
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();
  g_autoptr (NebulaValue) report = NULL;
  g_autoptr (NebulaValue) order = NULL;
  Order heard = {seen, list};

  if (!definition)
    return NULL;
  report = conform_execute (definition, nebula_value_get_member (request, "input"),
                            hear_order, &heard, error);
  if (!report)
    return NULL;
  order = nebula_value_builder_end (list);
  return nebula_value_with_member (report, "order", order);
}

/* WfCommons: one node a task, which sleeps as long as the task ran. */

typedef struct {
  const char *id; /* borrowed from the document */
  double start;
  double end;
} Task;

typedef struct {
  GArray *tasks;
  GHashTable *by_node; /* node id → task */
} Schedule;

static void
hear_schedule (NebulaEvent *event, gpointer user_data)
{
  Schedule *schedule = user_data;
  const char *topic = nebula_event_get_topic (event);
  const char *node = nebula_event_get_node (event);
  Task *task = node ? g_hash_table_lookup (schedule->by_node, node) : NULL;
  double time = (double) nebula_event_get_time_usec (event) / G_USEC_PER_SEC;

  if (!task)
    return;
  if (task->start < 0)
    task->start = time;
  if (g_str_equal (topic, "node.completed"))
    task->end = time;
}

static NebulaValue *
get_list (NebulaValue *document, const char *part)
{
  NebulaValue *workflow = nebula_value_get_member (document, "workflow");
  NebulaValue *inner = workflow ? nebula_value_get_member (workflow, part) : NULL;
  NebulaValue *tasks = inner ? nebula_value_get_member (inner, "tasks") : NULL;

  return tasks && nebula_value_get_kind (tasks) == NEBULA_VALUE_KIND_ARRAY ? tasks : NULL;
}

static GHashTable *
read_runtimes (NebulaValue *tasks)
{
  GHashTable *runtimes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  for (gsize i = 0; tasks && i < nebula_value_get_length (tasks); i++) {
    NebulaValue *task = nebula_value_get_item (tasks, i);
    NebulaValue *runtime = nebula_value_get_member (task, "runtimeInSeconds");
    const char *id = nebula_value_get_member_string (task, "id", NULL);
    double *seconds = g_new0 (double, 1);

    if (runtime && nebula_value_is_number (runtime))
      *seconds = nebula_value_get_float (runtime);
    if (id)
      g_hash_table_insert (runtimes, (char *) id, seconds);
    else
      g_free (seconds);
  }
  return runtimes;
}

static NebulaValue *
make_wait (gint64 usec)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *duration = g_strdup_printf ("%" G_GINT64_FORMAT "us", usec);

  nebula_value_builder_set_string (builder, "duration", duration);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
make_node (NebulaValue *task, GHashTable *numbers, gint64 usec)
{
  NebulaValue *parents = nebula_value_get_member (task, "parents");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) after = nebula_value_builder_new_array ();

  nebula_value_builder_set_string (builder, "action",
                                   usec > 0 ? "flow.wait" : "flow.no-op");
  if (usec > 0)
    nebula_value_builder_set_take (builder, "with", make_wait (usec));
  for (gsize i = 0; parents && i < nebula_value_get_length (parents); i++) {
    const char *parent = nebula_value_get_string (nebula_value_get_item (parents, i));
    g_autofree char *node =
        g_strdup_printf ("t%u", GPOINTER_TO_UINT (g_hash_table_lookup (numbers, parent)));

    nebula_value_builder_add_take (after, nebula_value_new_string (node));
  }
  if (nebula_value_builder_get_length (after) > 0)
    nebula_value_builder_set_take (builder, "after", nebula_value_builder_end (after));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
make_workflow (NebulaValue *document, double scale, Schedule *schedule)
{
  NebulaValue *tasks = get_list (document, "specification");
  g_autoptr (GHashTable) runtimes = read_runtimes (get_list (document, "execution"));
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (NebulaValueBuilder) nodes = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gsize n_tasks = nebula_value_get_length (tasks);

  g_array_set_size (schedule->tasks, (guint) n_tasks);
  for (gsize i = 0; i < n_tasks; i++) {
    const char *id =
        nebula_value_get_member_string (nebula_value_get_item (tasks, i), "id", "");

    g_hash_table_insert (numbers, (char *) id, GUINT_TO_POINTER ((guint) i));
    g_array_index (schedule->tasks, Task, i) = (Task){id, -1, -1};
  }
  for (gsize i = 0; i < n_tasks; i++) {
    Task *task = &g_array_index (schedule->tasks, Task, i);
    double *seconds = g_hash_table_lookup (runtimes, task->id);
    gint64 usec = (gint64) ceil ((seconds ? *seconds : 0) * scale * G_USEC_PER_SEC);
    char *node = g_strdup_printf ("t%u", (guint) i);

    nebula_value_builder_set_take (
        nodes, node, make_node (nebula_value_get_item (tasks, i), numbers, usec));
    g_hash_table_insert (schedule->by_node, node, task);
  }
  nebula_value_builder_set_integer (builder, "nebula", 1);
  nebula_value_builder_set_string (builder, "name", "wfcommons");
  nebula_value_builder_set_take (builder, "nodes", nebula_value_builder_end (nodes));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
schedule_to_value (Schedule *schedule)
{
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < schedule->tasks->len; i++) {
    Task *task = &g_array_index (schedule->tasks, Task, i);
    g_autoptr (NebulaValueBuilder) entry = nebula_value_builder_new_object ();

    if (task->end < 0)
      continue;
    nebula_value_builder_set_string (entry, "id", task->id);
    nebula_value_builder_set_take (entry, "start", nebula_value_new_float (task->start));
    nebula_value_builder_set_take (entry, "end", nebula_value_new_float (task->end));
    nebula_value_builder_add_take (list, nebula_value_builder_end (entry));
  }
  nebula_value_builder_set_take (builder, "events", nebula_value_builder_end (list));
  return nebula_value_builder_end (builder);
}

NebulaValue *
conform_wf_run (NebulaValue *request, GError **error)
{
  const char *path = conform_get_text (request, "path", error);
  NebulaValue *scale = nebula_value_get_member (request, "time_scale");
  g_autoptr (GArray) tasks = g_array_new (FALSE, TRUE, sizeof (Task));
  g_autoptr (GHashTable) by_node =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Schedule schedule = {tasks, by_node};
  g_autoptr (NebulaValue) document = NULL;
  g_autoptr (NebulaValue) definition = NULL;
  g_autoptr (NebulaValue) report = NULL;
  g_autofree char *text = NULL;
  gsize length;

  if (!path || !g_file_get_contents (path, &text, &length, error))
    return NULL;
  document =
      nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_NONE, error);
  if (!document)
    return NULL;
  if (!get_list (document, "specification")) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         "This is no WfFormat file.");
    return NULL;
  }
  definition = make_workflow (
      document,
      scale && nebula_value_is_number (scale) ? nebula_value_get_float (scale) : 1,
      &schedule);
  if (nebula_value_get_member_integer (request, "max_parallel", G_MAXINT64) <
      (gint64) tasks->len) {
    /* A workflow has no limit over its own nodes yet. */
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                         "Fewer tasks at once than there are cannot be asked for.");
    return NULL;
  }
  report = conform_execute (definition, NULL, hear_schedule, &schedule, error);
  return report ? schedule_to_value (&schedule) : NULL;
}
