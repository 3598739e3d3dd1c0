/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processors, memory, disks, network, processes. */
#include <string.h>
#include <sys/statvfs.h>

#include "nebula-system-private.h"

#define CPU_FIELDS 8 /* user nice system idle iowait irq softirq steal */
#define NET_FIELDS 16

static NebulaValue *
new_count (guint64 number)
{
  return nebula_value_new_integer ((gint64) MIN (number, G_MAXINT64));
}

/* Up to @most numbers of a line; how many there were. */
static guint
take_numbers (const char *line, guint64 *numbers, guint most)
{
  guint count = 0;

  while (count < most) {
    char *end = NULL;

    while (*line == ' ' || *line == '\t')
      line++;
    if (!g_ascii_isdigit (*line))
      break;
    numbers[count++] = g_ascii_strtoull (line, &end, 10);
    line = end;
  }
  return count;
}

static NebulaValue *
read_load (const char *root)
{
  g_autofree char *text = _nebula_system_read_file (root, "proc/loadavg");
  g_autoptr (NebulaValueBuilder) load = nebula_value_builder_new_array ();
  const char *at = text;

  if (!text)
    return nebula_value_new_null ();
  for (guint i = 0; i < 3; i++) {
    char *end = NULL;
    double number = g_ascii_strtod (at, &end);

    if (end == at || !(number >= 0.0 && number < 1e9))
      return nebula_value_new_null ();
    nebula_value_builder_add_take (load, nebula_value_new_float (number));
    at = end;
  }
  return nebula_value_builder_end (load);
}

static guint
count_processors (const char *text)
{
  guint count = 0;

  for (const char *line = text; line; line = strchr (line, '\n')) {
    if (*line == '\n')
      line++;
    if (g_str_has_prefix (line, "cpu") && g_ascii_isdigit (line[3]))
      count++;
  }
  return count;
}

static NebulaValue *
read_percent (const char *text, NebulaCpuTicks *last)
{
  guint64 fields[CPU_FIELDS] = { 0 };
  NebulaCpuTicks now = { 0, 0 }, before = *last;

  if (!g_str_has_prefix (text, "cpu ") || take_numbers (text + 4, fields, CPU_FIELDS) < 4)
    return nebula_value_new_null ();
  for (guint i = 0; i < CPU_FIELDS; i++)
    now.all += fields[i];
  now.busy = now.all - fields[3] - fields[4];
  *last = now;
  if (now.all <= before.all || now.busy < before.busy)
    return nebula_value_new_float (0.0);
  return nebula_value_new_float (100.0 * (double) (now.busy - before.busy) / (double) (now.all - before.all));
}

NebulaValue *
_nebula_system_read_cpu (const char *root, NebulaCpuTicks *last)
{
  g_autoptr (NebulaValueBuilder) cpu = nebula_value_builder_new_object ();
  g_autofree char *text = _nebula_system_read_file (root, "proc/stat");

  if (!text)
    return nebula_value_new_null ();
  nebula_value_builder_set_integer (cpu, "count", count_processors (text));
  nebula_value_builder_set_take (cpu, "load", read_load (root));
  nebula_value_builder_set_take (cpu, "percent", read_percent (text, last));
  return nebula_value_builder_end (cpu);
}

NebulaValue *
_nebula_system_read_memory (const char *root)
{
  static const struct
  {
    const char *word;
    const char *name;
  } fields[] = {
    { "MemTotal:", "total" }, { "MemAvailable:", "available" }, { "MemFree:", "free" },
    { "Cached:", "cached" },  { "SwapTotal:", "swap_total" },   { "SwapFree:", "swap_free" },
  };
  g_autoptr (NebulaValueBuilder) memory = nebula_value_builder_new_object ();
  g_autofree char *text = _nebula_system_read_file (root, "proc/meminfo");

  if (!text)
    return nebula_value_new_null ();
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
    guint64 number = 0;

    if (_nebula_system_find_number (text, fields[i].word, &number))
      nebula_value_builder_set_take (memory, fields[i].name, new_count (number * 1024));
  }
  return nebula_value_builder_end (memory);
}

/* File systems of the kernel's own have no device. */
static gboolean
is_real (const char *device, const char *type)
{
  return device[0] == '/' || g_str_equal (type, "overlay") || g_str_equal (type, "zfs") || g_str_equal (type, "btrfs");
}

static NebulaValue *
read_disk (const char *root, const char *device, const char *path, const char *type)
{
  g_autofree char *escaped = g_strcompress (path); /* blanks are \040 */
  g_autofree char *full = g_build_filename (root, escaped, NULL);
  g_autofree char *shown = g_utf8_make_valid (escaped, -1);
  g_autofree char *shown_device = g_utf8_make_valid (device, -1);
  g_autoptr (NebulaValueBuilder) disk = NULL;
  struct statvfs info;

  if (statvfs (full, &info) != 0 || info.f_blocks == 0)
    return NULL;
  disk = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (disk, "path", shown);
  nebula_value_builder_set_string (disk, "device", shown_device);
  nebula_value_builder_set_string (disk, "type", type);
  nebula_value_builder_set_take (disk, "total", new_count ((guint64) info.f_blocks * info.f_frsize));
  nebula_value_builder_set_take (disk, "available", new_count ((guint64) info.f_bavail * info.f_frsize));
  return nebula_value_builder_end (disk);
}

/* Each device once, where it was mounted first. */
NebulaValue *
_nebula_system_read_disks (const char *root)
{
  g_autofree char *text = _nebula_system_read_file (root, "proc/self/mounts");
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);
  g_autoptr (NebulaValueBuilder) disks = nebula_value_builder_new_array ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);

  for (guint i = 0; lines[i]; i++) {
    char **words = g_strsplit (lines[i], " ", 4);
    NebulaValue *disk = NULL;

    g_ptr_array_add (kept, words);
    if (g_strv_length (words) < 4 || !is_real (words[0], words[2]) || !g_hash_table_add (seen, words[0]))
      continue;
    disk = read_disk (root, words[0], words[1], words[2]);
    if (disk)
      nebula_value_builder_add_take (disks, disk);
  }
  return nebula_value_builder_end (disks);
}

static NebulaValue *
read_interface (const char *line)
{
  static const struct
  {
    guint field;
    const char *name;
  } fields[] = { { 0, "received_bytes" }, { 8, "sent_bytes" }, { 1, "received_packets" }, { 9, "sent_packets" } };
  const char *colon = strchr (line, ':');
  g_autoptr (NebulaValueBuilder) interface = nebula_value_builder_new_object ();
  g_autofree char *name = NULL;
  guint64 numbers[NET_FIELDS] = { 0 };

  if (!colon || take_numbers (colon + 1, numbers, NET_FIELDS) < NET_FIELDS)
    return NULL;
  name = g_strstrip (g_strndup (line, (gsize) (colon - line)));
  if (!g_utf8_validate (name, -1, NULL))
    return NULL;
  nebula_value_builder_set_string (interface, "name", name);
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    nebula_value_builder_set_take (interface, fields[i].name, new_count (numbers[fields[i].field]));
  nebula_value_builder_set_take (interface, "errors", new_count (numbers[2] + numbers[10]));
  nebula_value_builder_set_take (interface, "dropped", new_count (numbers[3] + numbers[11]));
  return nebula_value_builder_end (interface);
}

NebulaValue *
_nebula_system_read_network (const char *root)
{
  g_autofree char *text = _nebula_system_read_file (root, "proc/net/dev");
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);
  g_autoptr (NebulaValueBuilder) network = nebula_value_builder_new_array ();

  for (guint i = 0; lines[i]; i++) {
    NebulaValue *interface = read_interface (lines[i]);

    if (interface)
      nebula_value_builder_add_take (network, interface);
  }
  return nebula_value_builder_end (network);
}

static guint
count_entries (const char *root, const char *path, gboolean only_numbers)
{
  g_autofree char *full = g_build_filename (root, path, NULL);
  g_autoptr (GDir) dir = g_dir_open (full, 0, NULL);
  const char *name = NULL;
  guint count = 0;

  while (dir && (name = g_dir_read_name (dir)) != NULL)
    if (!only_numbers || g_ascii_isdigit (name[0]))
      count++;
  return count;
}

NebulaValue *
_nebula_system_read_process (const char *root)
{
  static const struct
  {
    const char *word;
    const char *name;
    guint64 factor;
  } fields[] = {
    { "Pid:", "id", 1 },         { "VmRSS:", "resident", 1024 }, { "VmHWM:", "peak", 1024 },
    { "VmSize:", "virtual", 1024 }, { "Threads:", "threads", 1 },
  };
  g_autofree char *text = _nebula_system_read_file (root, "proc/self/status");
  g_autoptr (NebulaValueBuilder) process = nebula_value_builder_new_object ();

  if (!text)
    return nebula_value_new_null ();
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
    guint64 number = 0;

    if (_nebula_system_find_number (text, fields[i].word, &number))
      nebula_value_builder_set_take (process, fields[i].name, new_count (number * fields[i].factor));
  }
  nebula_value_builder_set_integer (process, "open_files", count_entries (root, "proc/self/fd", FALSE));
  return nebula_value_builder_end (process);
}

NebulaValue *
_nebula_system_read_processes (const char *root)
{
  g_autofree char *text = _nebula_system_read_file (root, "proc/stat");
  g_autoptr (NebulaValueBuilder) processes = nebula_value_builder_new_object ();
  guint64 running = 0;

  nebula_value_builder_set_integer (processes, "count", count_entries (root, "proc", TRUE));
  if (text && _nebula_system_find_number (text, "procs_running", &running))
    nebula_value_builder_set_take (processes, "running", new_count (running));
  return nebula_value_builder_end (processes);
}
