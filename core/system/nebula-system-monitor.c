/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-system-monitor.h"

#include <glib/gi18n-lib.h>

#include "nebula-system-enums.h"

#define MEMORY_DEGRADED_PERCENT 90
#define MEMORY_UNHEALTHY_PERCENT 97
#define DISK_DEGRADED_PERCENT   90
#define DISK_UNHEALTHY_PERCENT  98
#define CELSIUS_DEGRADED        85.0
#define CELSIUS_UNHEALTHY       100.0
#define STALL_DEGRADED          20.0 /* percent of ten seconds in which all waited */
#define STALL_UNHEALTHY         60.0
#define STALL_SHORT             10.0 /* above this memory counts as short, whatever is free */

typedef struct {
  char *name;
  NebulaHealthFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
} Check;

/**
 * NebulaSystemMonitor:
 *
 * Looks after the machine: reads it now and then, tells a budget how much memory is in use, and checks whether all is well.
 *
 * Thread: owner context.
 */
struct _NebulaSystemMonitor
{
  GObject parent_instance;

  NebulaSystem *system;
  NebulaClock *clock;
  NebulaBudget *budget;
  GMainContext *owner;
  GPtrArray *checks;
  GSource *source;
  gint64 interval_usec;
  NebulaHealth health;
};

enum
{
  SIGNAL_HEALTH_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (NebulaSystemMonitor, nebula_system_monitor, G_TYPE_OBJECT)

static void
check_free (gpointer data)
{
  Check *self = data;

  if (self->destroy)
    self->destroy (self->user_data);
  g_free (self->name);
  g_free (self);
}

static void
nebula_system_monitor_dispose (GObject *object)
{
  NebulaSystemMonitor *self = NEBULA_SYSTEM_MONITOR (object);

  nebula_system_monitor_stop (self);
  g_clear_object (&self->system);
  g_clear_object (&self->clock);
  g_clear_object (&self->budget);

  G_OBJECT_CLASS (nebula_system_monitor_parent_class)->dispose (object);
}

static void
nebula_system_monitor_finalize (GObject *object)
{
  NebulaSystemMonitor *self = NEBULA_SYSTEM_MONITOR (object);

  g_ptr_array_unref (self->checks);
  g_main_context_unref (self->owner);

  G_OBJECT_CLASS (nebula_system_monitor_parent_class)->finalize (object);
}

static void
nebula_system_monitor_class_init (NebulaSystemMonitorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = nebula_system_monitor_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_system_monitor_finalize;

  /**
   * NebulaSystemMonitor::health-changed:
   * @self: the monitor
   * @health: how the machine is now
   *
   * Emitted after a reading whose checks gave another result than those before.
   *
   * Since: 1.0
   */
  signals[SIGNAL_HEALTH_CHANGED] = g_signal_new ("health-changed", NEBULA_TYPE_SYSTEM_MONITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                 G_TYPE_NONE, 1, NEBULA_TYPE_HEALTH);
}

static void
nebula_system_monitor_init (NebulaSystemMonitor *self)
{
  self->checks = g_ptr_array_new_with_free_func (check_free);
  self->owner = g_main_context_ref_thread_default ();
}

static NebulaHealth
judge (double number, double degraded, double unhealthy)
{
  if (number >= unhealthy)
    return NEBULA_HEALTH_UNHEALTHY;
  return number >= degraded ? NEBULA_HEALTH_DEGRADED : NEBULA_HEALTH_HEALTHY;
}

static NebulaHealth
check_memory (NebulaValue *reading, char **ret_reason, gpointer user_data)
{
  NebulaSystem *system = user_data;
  guint64 limit = nebula_system_get_memory_limit (system);
  double percent = limit > 0 ? 100.0 * (double) nebula_system_get_memory_used (system) / (double) limit : 0.0;
  NebulaHealth health = judge (percent, MEMORY_DEGRADED_PERCENT, MEMORY_UNHEALTHY_PERCENT);

  if (health != NEBULA_HEALTH_HEALTHY)
    *ret_reason = g_strdup_printf (_ ("%d %% of the memory is in use."), (int) percent);
  return health;
}

static NebulaHealth
check_disk (NebulaValue *reading, char **ret_reason, gpointer user_data)
{
  NebulaValue *disks = nebula_value_get_member (reading, "disks");
  NebulaHealth worst = NEBULA_HEALTH_HEALTHY;

  for (gsize i = 0; i < nebula_value_get_length (disks); i++) {
    NebulaValue *disk = nebula_value_get_item (disks, i);
    double total = (double) nebula_value_get_member_integer (disk, "total", 1);
    double available = (double) nebula_value_get_member_integer (disk, "available", 0);
    double percent = 100.0 * (total - available) / total;
    NebulaHealth health = judge (percent, DISK_DEGRADED_PERCENT, DISK_UNHEALTHY_PERCENT);

    if (health <= worst)
      continue;
    worst = health;
    g_free (*ret_reason);
    *ret_reason = g_strdup_printf (_ ("The disk “%s” is %d %% full."), nebula_value_get_member_string (disk, "path", ""), (int) percent);
  }
  return worst;
}

static NebulaHealth
check_temperature (NebulaValue *reading, char **ret_reason, gpointer user_data)
{
  NebulaValue *temperatures = nebula_value_get_member (reading, "temperatures");
  double highest = 0.0;
  NebulaHealth health = NEBULA_HEALTH_HEALTHY;

  for (gsize i = 0; i < nebula_value_get_length (temperatures); i++) {
    NebulaValue *celsius = nebula_value_get_member (nebula_value_get_item (temperatures, i), "celsius");

    highest = MAX (highest, nebula_value_get_float (celsius));
  }
  health = judge (highest, CELSIUS_DEGRADED, CELSIUS_UNHEALTHY);
  if (health != NEBULA_HEALTH_HEALTHY)
    *ret_reason = g_strdup_printf (_ ("The machine is %d °C hot."), (int) highest);
  return health;
}

/* The share of the last ten seconds in which all work waited for memory. */
static double
get_stall (NebulaValue *reading, const char *resource)
{
  static const char *const path[] = { "full", "avg10" };
  NebulaValue *at = nebula_value_get_member (nebula_value_get_member (reading, "pressure"), resource);

  for (gsize i = 0; i < G_N_ELEMENTS (path); i++) {
    if (!at || nebula_value_get_kind (at) != NEBULA_VALUE_KIND_OBJECT)
      return 0.0;
    at = nebula_value_get_member (at, path[i]);
  }
  return at && nebula_value_is_number (at) ? nebula_value_get_float (at) : 0.0;
}

static NebulaHealth
check_pressure (NebulaValue *reading, char **ret_reason, gpointer user_data)
{
  double memory = get_stall (reading, "memory"), io = get_stall (reading, "io");
  NebulaHealth health = judge (MAX (memory, io), STALL_DEGRADED, STALL_UNHEALTHY);

  if (health != NEBULA_HEALTH_HEALTHY)
    *ret_reason = memory >= io ? g_strdup_printf (_ ("Work waits for memory %d %% of the time."), (int) memory)
                               : g_strdup_printf (_ ("Work waits for the disk %d %% of the time."), (int) io);
  return health;
}

/**
 * nebula_system_monitor_new:
 * @system: the machine
 * @clock: (nullable): by which it is read again; %NULL: the system's
 *
 * Makes a monitor with the checks `memory`, `disk`, `temperature` and `pressure`, in the thread-default context.
 *
 * Returns: (transfer full): a monitor
 *
 * Since: 1.0
 */
NebulaSystemMonitor *
nebula_system_monitor_new (NebulaSystem *system, NebulaClock *clock)
{
  NebulaSystemMonitor *self = NULL;

  g_return_val_if_fail (NEBULA_IS_SYSTEM (system), NULL);

  self = g_object_new (NEBULA_TYPE_SYSTEM_MONITOR, NULL);
  self->system = g_object_ref (system);
  self->clock = g_object_ref (clock ? clock : nebula_clock_get_system ());
  nebula_system_monitor_add_check (self, "memory", check_memory, g_object_ref (system), g_object_unref);
  nebula_system_monitor_add_check (self, "disk", check_disk, NULL, NULL);
  nebula_system_monitor_add_check (self, "temperature", check_temperature, NULL, NULL);
  nebula_system_monitor_add_check (self, "pressure", check_pressure, NULL, NULL);
  return self;
}

/**
 * nebula_system_monitor_add_check:
 * @self: a monitor
 * @name: what it is about
 * @func: (scope notified) (closure user_data) (destroy destroy): the check; it must not block
 * @user_data: its data
 * @destroy: (nullable): frees the data
 *
 * Adds a check; one of the same name goes.
 *
 * Since: 1.0
 */
void
nebula_system_monitor_add_check (NebulaSystemMonitor *self, const char *name, NebulaHealthFunc func, gpointer user_data, GDestroyNotify destroy)
{
  Check *check = NULL;

  g_return_if_fail (NEBULA_IS_SYSTEM_MONITOR (self));
  g_return_if_fail (name != NULL && func != NULL);

  for (guint i = 0; i < self->checks->len; i++) {
    if (!g_str_equal (((Check *) self->checks->pdata[i])->name, name))
      continue;
    g_ptr_array_remove_index (self->checks, i);
    break;
  }
  check = g_new0 (Check, 1);
  check->name = g_strdup (name);
  check->func = func;
  check->user_data = user_data;
  check->destroy = destroy;
  g_ptr_array_add (self->checks, check);
}

static const char *
name_health (NebulaHealth health)
{
  return health == NEBULA_HEALTH_HEALTHY ? "healthy" : health == NEBULA_HEALTH_DEGRADED ? "degraded" : "unhealthy";
}

static NebulaHealth
run_checks (NebulaSystemMonitor *self, NebulaValue *reading, NebulaValueBuilder *results)
{
  NebulaHealth worst = NEBULA_HEALTH_HEALTHY;

  for (guint i = 0; i < self->checks->len; i++) {
    Check *check = self->checks->pdata[i];
    g_autoptr (NebulaValueBuilder) result = nebula_value_builder_new_object ();
    g_autofree char *reason = NULL;
    NebulaHealth health = check->func (reading, &reason, check->user_data);

    nebula_value_builder_set_string (result, "status", name_health (health));
    if (reason)
      nebula_value_builder_set_string (result, "reason", reason);
    nebula_value_builder_set_take (results, check->name, nebula_value_builder_end (result));
    worst = MAX (worst, health);
  }
  return worst;
}

/**
 * nebula_system_monitor_check:
 * @self: a monitor
 *
 * Reads the machine and runs all checks.
 *
 * Returns: (transfer full): `{status, checks: {name: {status, reason?}}}`; the status of all is that of the worst
 *
 * Since: 1.0
 */
NebulaValue *
nebula_system_monitor_check (NebulaSystemMonitor *self)
{
  g_autoptr (NebulaValueBuilder) report = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) results = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) reading = NULL;
  NebulaHealth health = NEBULA_HEALTH_HEALTHY;

  g_return_val_if_fail (NEBULA_IS_SYSTEM_MONITOR (self), NULL);

  reading = nebula_system_read (self->system);
  health = run_checks (self, reading, results);
  nebula_value_builder_set_string (report, "status", name_health (health));
  nebula_value_builder_set_take (report, "checks", nebula_value_builder_end (results));
  return nebula_value_builder_end (report);
}

/**
 * nebula_system_monitor_set_budget:
 * @self: a monitor
 * @budget: (nullable): a budget; %NULL for none
 *
 * Keeps a budget informed at each reading. If work stalls for want of memory, the budget is told that it is short, whatever
 * seems to be free.
 *
 * Since: 1.0
 */
void
nebula_system_monitor_set_budget (NebulaSystemMonitor *self, NebulaBudget *budget)
{
  g_return_if_fail (NEBULA_IS_SYSTEM_MONITOR (self));
  g_return_if_fail (budget == NULL || NEBULA_IS_BUDGET (budget));

  g_set_object (&self->budget, budget);
}

static void
inform (NebulaSystemMonitor *self, NebulaValue *reading)
{
  guint64 used = nebula_system_get_memory_used (self->system);

  if (!self->budget)
    return;
  if (get_stall (reading, "memory") >= STALL_SHORT)
    used = MAX (used, nebula_budget_get_limit_bytes (self->budget) / 100 * 95);
  nebula_budget_observe (self->budget, used);
}

static void arm (NebulaSystemMonitor *self);

static gboolean
sample (gpointer data)
{
  g_autoptr (NebulaSystemMonitor) self = g_object_ref (data);
  g_autoptr (NebulaValueBuilder) results = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) reading = nebula_system_read (self->system);
  NebulaHealth health = run_checks (self, reading, results);

  g_clear_pointer (&self->source, g_source_unref);
  inform (self, reading);
  arm (self);
  if (health == self->health)
    return G_SOURCE_REMOVE;
  self->health = health;
  g_signal_emit (self, signals[SIGNAL_HEALTH_CHANGED], 0, health);
  return G_SOURCE_REMOVE;
}

static void
arm (NebulaSystemMonitor *self)
{
  self->source = nebula_clock_create_source (self->clock, nebula_clock_get_monotonic_usec (self->clock) + self->interval_usec);
  g_source_set_callback (self->source, sample, self, NULL);
  g_source_set_static_name (self->source, "nebula-system-monitor");
  g_source_attach (self->source, self->owner);
}

/**
 * nebula_system_monitor_start:
 * @self: a monitor
 * @interval_usec: how often to read, at least a millisecond
 *
 * Begins to read the machine again and again, the first time after one interval.
 *
 * Since: 1.0
 */
void
nebula_system_monitor_start (NebulaSystemMonitor *self, gint64 interval_usec)
{
  g_return_if_fail (NEBULA_IS_SYSTEM_MONITOR (self));
  g_return_if_fail (interval_usec >= 1000);

  nebula_system_monitor_stop (self);
  self->interval_usec = interval_usec;
  arm (self);
}

/**
 * nebula_system_monitor_stop:
 * @self: a monitor
 *
 * Reads no more.
 *
 * Since: 1.0
 */
void
nebula_system_monitor_stop (NebulaSystemMonitor *self)
{
  g_return_if_fail (NEBULA_IS_SYSTEM_MONITOR (self));

  if (!self->source)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}
