/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control groups of both versions, pressure, temperatures. */
#include <string.h>

#include "nebula-system-private.h"

#define CGROUP_V1_UNLIMITED (G_GUINT64_CONSTANT (1) << 60) /* version 1 writes a number near 2^63 for “no limit” */
#define CGROUP_LEVELS       64

static void
set_count (NebulaValueBuilder *builder, const char *name, guint64 number)
{
  nebula_value_builder_set_take (builder, name, number > 0 ? nebula_value_new_integer ((gint64) MIN (number, G_MAXINT64))
                                                           : nebula_value_new_null ());
}

/* The path of a controller in /proc/self/cgroup: `4:memory:/a` or `0::/a`. */
static char *
find_path (const char *text, const char *controller)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    g_auto (GStrv) parts = g_strsplit (lines[i], ":", 3);
    g_auto (GStrv) names = NULL;

    if (g_strv_length (parts) < 3)
      continue;
    names = g_strsplit (parts[1], ",", -1);
    if (*controller == '\0' ? *parts[1] == '\0' : g_strv_contains ((const char *const *) names, controller))
      return g_strdup (parts[2]);
  }
  return NULL;
}

/* What one group says. */
typedef void (*ReadGroup) (const char *root, const char *folder, NebulaCgroup *cgroup);

static void
take_least (guint64 *least, guint64 number)
{
  if (*least == 0 || number < *least)
    *least = number;
}

static void
take_cpu (NebulaCgroup *cgroup, guint64 quota, guint64 period)
{
  double limit = period > 0 ? (double) quota / (double) period : 0.0;

  if (limit > 0.0 && (!(cgroup->cpu_limit > 0.0) || limit < cgroup->cpu_limit))
    cgroup->cpu_limit = limit;
}

static void
read_v2 (const char *root, const char *folder, NebulaCgroup *cgroup)
{
  g_autofree char *memory = g_build_filename (folder, "memory.max", NULL);
  g_autofree char *pids = g_build_filename (folder, "pids.max", NULL);
  g_autofree char *cpu = g_build_filename (folder, "cpu.max", NULL);
  g_autofree char *text = _nebula_system_read_file (root, cpu);
  guint64 number = 0;
  char *end = NULL;

  if (_nebula_system_read_number (root, memory, &number))
    take_least (&cgroup->memory_limit, number);
  if (_nebula_system_read_number (root, pids, &number))
    take_least (&cgroup->pids_limit, number);
  if (!text || !g_ascii_isdigit (text[0]))
    return;
  number = g_ascii_strtoull (text, &end, 10);
  take_cpu (cgroup, number, g_ascii_strtoull (end, NULL, 10));
}

static void
read_v1_memory (const char *root, const char *folder, NebulaCgroup *cgroup)
{
  g_autofree char *path = g_build_filename (folder, "memory.limit_in_bytes", NULL);
  guint64 number = 0;

  if (_nebula_system_read_number (root, path, &number) && number < CGROUP_V1_UNLIMITED)
    take_least (&cgroup->memory_limit, number);
}

static void
read_v1_cpu (const char *root, const char *folder, NebulaCgroup *cgroup)
{
  g_autofree char *quota = g_build_filename (folder, "cpu.cfs_quota_us", NULL);
  g_autofree char *period = g_build_filename (folder, "cpu.cfs_period_us", NULL);
  guint64 quota_usec = 0, period_usec = 0;

  /* -1, no limit, is no number here. */
  if (_nebula_system_read_number (root, quota, &quota_usec) && _nebula_system_read_number (root, period, &period_usec))
    take_cpu (cgroup, quota_usec, period_usec);
}

static void
read_v1_pids (const char *root, const char *folder, NebulaCgroup *cgroup)
{
  g_autofree char *path = g_build_filename (folder, "pids.max", NULL);
  guint64 number = 0;

  if (_nebula_system_read_number (root, path, &number))
    take_least (&cgroup->pids_limit, number);
}

/* The tightest limit from the group up to the root holds. Inside of a container the path may be that of the host, and only the
 * root is there. */
static void
read_upwards (const char *root, const char *base, const char *path, ReadGroup read, NebulaCgroup *cgroup)
{
  g_autofree char *at = g_strdup (path);

  for (guint i = 0; i < CGROUP_LEVELS; i++) {
    g_autofree char *folder = g_build_filename (base, at, NULL);
    char *slash = NULL;

    read (root, folder, cgroup);
    slash = strrchr (at, '/');
    if (!slash || at[1] == '\0')
      return;
    slash[slash == at ? 1 : 0] = '\0';
  }
}

/* In the group itself, else at the root. */
static guint64
read_used (const char *root, const char *base, const char *path, const char *name)
{
  g_autofree char *own = g_build_filename (base, path, name, NULL);
  g_autofree char *top = g_build_filename (base, name, NULL);
  guint64 number = 0;

  if (!_nebula_system_read_number (root, own, &number))
    _nebula_system_read_number (root, top, &number);
  return number;
}

static void
read_v1 (const char *root, const char *text, NebulaCgroup *cgroup)
{
  static const struct
  {
    const char *controller;
    const char *base;
    ReadGroup read;
  } controllers[] = {
    { "memory", "sys/fs/cgroup/memory", read_v1_memory },
    { "cpu", "sys/fs/cgroup/cpu", read_v1_cpu },
    { "pids", "sys/fs/cgroup/pids", read_v1_pids },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (controllers); i++) {
    g_autofree char *path = find_path (text, controllers[i].controller);

    if (!path)
      continue;
    cgroup->version = 1;
    read_upwards (root, controllers[i].base, path, controllers[i].read, cgroup);
    if (i == 0) {
      cgroup->memory_used = read_used (root, controllers[i].base, path, "memory.usage_in_bytes");
      cgroup->path = g_steal_pointer (&path);
    } else if (i == 2) {
      cgroup->pids_used = read_used (root, controllers[i].base, path, "pids.current");
    }
  }
}

void
_nebula_cgroup_read (const char *root, NebulaCgroup *ret_cgroup)
{
  g_autofree char *text = _nebula_system_read_file (root, "proc/self/cgroup");

  if (!text)
    return;
  read_v1 (root, text, ret_cgroup);
  if (ret_cgroup->version == 1)
    return;
  ret_cgroup->path = find_path (text, "");
  if (!ret_cgroup->path)
    return;
  ret_cgroup->version = 2;
  read_upwards (root, "sys/fs/cgroup", ret_cgroup->path, read_v2, ret_cgroup);
  ret_cgroup->memory_used = read_used (root, "sys/fs/cgroup", ret_cgroup->path, "memory.current");
  ret_cgroup->pids_used = read_used (root, "sys/fs/cgroup", ret_cgroup->path, "pids.current");
}

void
_nebula_cgroup_clear (NebulaCgroup *self)
{
  g_clear_pointer (&self->path, g_free);
}

NebulaValue *
_nebula_cgroup_to_value (const NebulaCgroup *self)
{
  g_autoptr (NebulaValueBuilder) cgroup = nebula_value_builder_new_object ();
  g_autofree char *path = self->path ? g_utf8_make_valid (self->path, -1) : NULL;

  if (self->version == 0)
    return nebula_value_new_null ();
  nebula_value_builder_set_integer (cgroup, "version", self->version);
  nebula_value_builder_set_string (cgroup, "path", path);
  set_count (cgroup, "memory_limit", self->memory_limit);
  set_count (cgroup, "memory_used", self->memory_used);
  nebula_value_builder_set_take (cgroup, "cpu_limit", self->cpu_limit > 0.0 ? nebula_value_new_float (self->cpu_limit)
                                                                            : nebula_value_new_null ());
  set_count (cgroup, "pids_limit", self->pids_limit);
  set_count (cgroup, "pids_used", self->pids_used);
  return nebula_value_builder_end (cgroup);
}

/* `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. */
static NebulaValue *
read_stall (const char *line)
{
  static const char *const averages[] = { "avg10", "avg60", "avg300" };
  g_autoptr (NebulaValueBuilder) stall = nebula_value_builder_new_object ();
  const char *total = strstr (line, "total=");

  for (gsize i = 0; i < G_N_ELEMENTS (averages); i++) {
    const char *at = strstr (line, averages[i]);
    double percent = at ? g_ascii_strtod (at + strlen (averages[i]) + 1, NULL) : -1.0;

    if (!(percent >= 0.0 && percent <= 100.0))
      return nebula_value_new_null ();
    nebula_value_builder_set_take (stall, averages[i], nebula_value_new_float (percent));
  }
  nebula_value_builder_set_integer (stall, "total_us", total ? (gint64) MIN (g_ascii_strtoull (total + 6, NULL, 10), G_MAXINT64) : 0);
  return nebula_value_builder_end (stall);
}

static NebulaValue *
read_resource (const char *root, const char *name)
{
  g_autofree char *path = g_build_filename ("proc/pressure", name, NULL);
  g_autofree char *text = _nebula_system_read_file (root, path);
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);
  g_autoptr (NebulaValueBuilder) resource = nebula_value_builder_new_object ();

  if (!text)
    return nebula_value_new_null ();
  for (guint i = 0; lines[i]; i++) {
    if (g_str_has_prefix (lines[i], "some "))
      nebula_value_builder_set_take (resource, "some", read_stall (lines[i]));
    else if (g_str_has_prefix (lines[i], "full "))
      nebula_value_builder_set_take (resource, "full", read_stall (lines[i]));
  }
  return nebula_value_builder_end (resource);
}

NebulaValue *
_nebula_system_read_pressure (const char *root)
{
  g_autoptr (NebulaValueBuilder) pressure = nebula_value_builder_new_object ();

  nebula_value_builder_set_take (pressure, "cpu", read_resource (root, "cpu"));
  nebula_value_builder_set_take (pressure, "memory", read_resource (root, "memory"));
  nebula_value_builder_set_take (pressure, "io", read_resource (root, "io"));
  return nebula_value_builder_end (pressure);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *
list_folder (const char *root, const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *full = g_build_filename (root, path, NULL);
  g_autoptr (GDir) dir = g_dir_open (full, 0, NULL);
  const char *name = NULL;

  while (dir && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

static void
add_temperature (NebulaValueBuilder *temperatures, const char *root, const char *name_path, const char *path)
{
  g_autoptr (NebulaValueBuilder) temperature = nebula_value_builder_new_object ();
  g_autofree char *name = _nebula_system_read_file (root, name_path);
  guint64 thousandths = 0;

  if (!_nebula_system_read_number (root, path, &thousandths) || thousandths > 1000000)
    return;
  if (name)
    g_strstrip (name);
  nebula_value_builder_set_string (temperature, "name", name && g_utf8_validate (name, -1, NULL) ? name : NULL);
  nebula_value_builder_set_take (temperature, "celsius", nebula_value_new_float ((double) thousandths / 1000.0));
  nebula_value_builder_add_take (temperatures, nebula_value_builder_end (temperature));
}

/* Sensors of one chip: temp1_input, temp2_input, … */
static void
add_chip (NebulaValueBuilder *temperatures, const char *root, const char *folder)
{
  g_autoptr (GPtrArray) names = list_folder (root, folder);
  g_autofree char *name_path = g_build_filename (folder, "name", NULL);

  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);

    if (g_str_has_prefix (names->pdata[i], "temp") && g_str_has_suffix (names->pdata[i], "_input"))
      add_temperature (temperatures, root, name_path, path);
  }
}

NebulaValue *
_nebula_system_read_temperatures (const char *root)
{
  g_autoptr (NebulaValueBuilder) temperatures = nebula_value_builder_new_array ();
  g_autoptr (GPtrArray) zones = list_folder (root, "sys/class/thermal");
  g_autoptr (GPtrArray) chips = list_folder (root, "sys/class/hwmon");

  for (guint i = 0; i < zones->len; i++) {
    g_autofree char *name = g_build_filename ("sys/class/thermal", zones->pdata[i], "type", NULL);
    g_autofree char *path = g_build_filename ("sys/class/thermal", zones->pdata[i], "temp", NULL);

    if (g_str_has_prefix (zones->pdata[i], "thermal_zone"))
      add_temperature (temperatures, root, name, path);
  }
  for (guint i = 0; i < chips->len; i++) {
    g_autofree char *folder = g_build_filename ("sys/class/hwmon", chips->pdata[i], NULL);

    add_chip (temperatures, root, folder);
  }
  return nebula_value_builder_end (temperatures);
}
