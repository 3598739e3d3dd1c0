/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula system: what the machine tells, and whether all is well. nebula metrics: what a running engine counts. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"

typedef struct {
  gboolean is_json;
} SystemOptions;

static const NebulaOption system_options[] = {
    NEBULA_OPTION_FLAG (SystemOptions, is_json, "json", 0, N_ ("Prints one object with all that is known")),
};

static char *
dup_size (NebulaValue *object, const char *member)
{
  return g_format_size_full ((guint64) nebula_value_get_member_integer (object, member, 0),
                             G_FORMAT_SIZE_IEC_UNITS);
}

static void
append_row (GString *text, const char *title, const char *content)
{
  g_string_append_printf (text, "%-11s %s\n", title, content);
}

/* How much of a memory or disk is free. */
static char *
dup_room (NebulaValue *object)
{
  g_autofree char *available = dup_size (object, "available"), *total = dup_size (object, "total");

  return g_strdup_printf (_ ("%s free of %s"), available, total);
}

static void
append_disks (GString *text, NebulaValue *disks)
{
  for (gsize i = 0; i < nebula_value_get_length (disks); i++) {
    NebulaValue *disk = nebula_value_get_item (disks, i);
    g_autofree char *room = dup_room (disk);
    g_autofree char *content =
        g_strdup_printf ("%s  %s", room, nebula_value_get_member_string (disk, "path", ""));

    append_row (text, _ ("Disk"), content);
  }
}

static void
append_machine (GString *text, NebulaValue *machine)
{
  NebulaValue *cpu = nebula_value_get_member (machine, "cpu");
  NebulaValue *memory = nebula_value_get_member (machine, "memory");
  NebulaValue *cgroup = nebula_value_get_member (machine, "cgroup");
  NebulaValue *disks = nebula_value_get_member (machine, "disks");
  g_autofree char *processors =
      g_strdup_printf ("%d", (int) nebula_value_get_member_integer (cpu, "count", 0));
  g_autofree char *room = dup_room (memory);
  g_autofree char *allowed = dup_size (cgroup, "memory_limit");

  append_row (text, _ ("Processors"), processors);
  append_row (text, _ ("Memory"), room);
  if (nebula_value_get_member_integer (cgroup, "memory_limit", 0) > 0)
    append_row (text, _ ("Allowed"), allowed);
  if (nebula_value_get_kind (disks) == NEBULA_VALUE_KIND_ARRAY)
    append_disks (text, disks);
}

static void
append_health (GString *text, NebulaValue *health)
{
  NebulaValue *checks = nebula_value_get_member (health, "checks");

  for (gsize i = 0; i < nebula_value_get_length (checks); i++) {
    NebulaValue *check = nebula_value_get_member_at (checks, i);

    const char *reason = nebula_value_get_member_string (check, "reason", NULL);

    g_autofree char *content = g_strconcat (nebula_value_get_member_string (check, "status", ""),
                                            reason ? ": " : NULL, reason, NULL);

    append_row (text, nebula_value_get_key (checks, i, NULL), content);
  }
}

static int
command_system (gpointer data, char **arguments)
{
  const SystemOptions *opts = data;
  g_autoptr (NebulaSystem) system = nebula_system_new (NULL);
  g_autoptr (NebulaSystemMonitor) monitor = nebula_system_monitor_new (system, NULL);
  g_autoptr (NebulaValue) machine = nebula_system_read (system);
  g_autoptr (NebulaValue) health = nebula_system_monitor_check (monitor);
  const char *status = nebula_value_get_member_string (health, "status", "");
  g_autoptr (GString) text = NULL;

  if (opts->is_json) {
    g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
    g_autoptr (NebulaValue) both = NULL;

    nebula_value_builder_set (builder, "health", health);
    nebula_value_builder_set (builder, "machine", machine);
    both = nebula_value_builder_end (builder);
    nebula_output_value (both, FALSE);
  } else {
    text = g_string_new (NULL);
    append_machine (text, machine);
    append_health (text, health);
    nebula_output_text (text->str);
  }
  return g_str_equal (status, "unhealthy") ? NEBULA_EXIT_FAILED : NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_system = {
    .name = "system",
    .summary = N_ ("Shows what the machine offers, and whether all is well"),
    .arguments = "",
    .details = N_ ("Exit: 0 all is well or somebody should look, 1 it is too short of something to work.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula system\n"
                   "  nebula system --json"),
    .options = system_options,
    .n_options = G_N_ELEMENTS (system_options),
    .options_size = sizeof (SystemOptions),
    .run = command_system,
};

typedef struct {
  char *store;
} MetricsOptions;

static const NebulaOption metrics_options[] = {
    NEBULA_OPTION_TEXT (MetricsOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
};

static int
command_metrics (gpointer data, char **arguments)
{
  const MetricsOptions *opts = data;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) request = NULL, text = NULL;
  g_autoptr (GError) error = NULL;

  nebula_value_builder_set_string (builder, "op", "metrics");
  request = nebula_value_builder_end (builder);
  if (nebula_store_check (opts->store, &error))
    text = nebula_control_ask (opts->store, request, &error);
  if (!text)
    return nebula_fail (error, FALSE);
  nebula_output_text (nebula_value_get_string (text));
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_metrics = {
    .name = "metrics",
    .summary = N_ ("Prints what the engine that owns a store counts, for Prometheus"),
    .arguments = "",
    .details = N_ ("Somebody must run with the store, such as “nebula run”; the text format is version 0.0.4.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula metrics --store orders.db"),
    .options = metrics_options,
    .n_options = G_N_ELEMENTS (metrics_options),
    .options_size = sizeof (MetricsOptions),
    .run = command_metrics,
};
