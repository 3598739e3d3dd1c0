/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-system-private.h"

#include <string.h>

/**
 * NebulaSystem:
 *
 * What the machine tells about itself, by the files of Linux under /proc and /sys.
 *
 * Thread: one at a time; reading takes a few files' time.
 */
struct _NebulaSystem
{
  GObject parent_instance;

  char *root;
  NebulaCpuTicks ticks;
};

G_DEFINE_FINAL_TYPE (NebulaSystem, nebula_system, G_TYPE_OBJECT)

static void
nebula_system_finalize (GObject *object)
{
  NebulaSystem *self = NEBULA_SYSTEM (object);

  g_free (self->root);

  G_OBJECT_CLASS (nebula_system_parent_class)->finalize (object);
}

static void
nebula_system_class_init (NebulaSystemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_system_finalize;
}

static void
nebula_system_init (NebulaSystem *self)
{
}

char *
_nebula_system_read_file (const char *root, const char *path)
{
  g_autofree char *full = g_build_filename (root, path, NULL);
  char *text = NULL;

  return g_file_get_contents (full, &text, NULL, NULL) ? text : NULL;
}

static gboolean
parse_number (const char *text, guint64 *ret_number)
{
  char *end = NULL;
  guint64 number = 0;

  while (*text == ' ' || *text == '\t')
    text++;
  if (!g_ascii_isdigit (*text))
    return FALSE;
  number = g_ascii_strtoull (text, &end, 10);
  *ret_number = number;
  return TRUE;
}

gboolean
_nebula_system_find_number (const char *text, const char *word, guint64 *ret_number)
{
  gsize length = strlen (word);

  for (const char *line = text; line && *line != '\0';) {
    if (strncmp (line, word, length) == 0)
      return parse_number (line + length, ret_number);
    line = strchr (line, '\n');
    line = line ? line + 1 : NULL;
  }
  return FALSE;
}

gboolean
_nebula_system_read_number (const char *root, const char *path, guint64 *ret_number)
{
  g_autofree char *text = _nebula_system_read_file (root, path);

  return text && parse_number (text, ret_number);
}

/**
 * nebula_system_new:
 * @root: (nullable): the folder where `proc` and `sys` lie; %NULL: those of this machine
 *
 * Makes a reader of the machine.
 *
 * Returns: (transfer full): a system
 *
 * Since: 1.0
 */
NebulaSystem *
nebula_system_new (const char *root)
{
  NebulaSystem *self = g_object_new (NEBULA_TYPE_SYSTEM, NULL);

  self->root = g_strdup (root ? root : "/");
  return self;
}

/**
 * nebula_system_read:
 * @self: a system
 *
 * Reads all that the machine tells: an object of
 *
 * - `cpu`: `count`, `load` (1, 5 and 15 minutes), `percent` (busy since the last reading; at first since the start)
 * - `memory`: `total`, `available`, `free`, `cached`, `swap_total`, `swap_free`, in bytes
 * - `disks`: `path`, `device`, `type`, `total`, `available`, in bytes, of real file systems
 * - `network`: `name`, `received_bytes`, `sent_bytes`, `received_packets`, `sent_packets`, `errors`, `dropped`
 * - `process`: this one: `id`, `resident`, `peak`, `virtual`, `threads`, `open_files`
 * - `processes`: `count`, `running`
 * - `temperatures`: `name`, `celsius`
 * - `cgroup`: `version`, `path`, `memory_limit`, `memory_used`, `cpu_limit` (processors), `pids_limit`, `pids_used`
 * - `pressure`: `cpu`, `memory`, `io`, each `some` and `full` with `avg10`, `avg60`, `avg300` (percent) and `total_us`
 *
 * What the machine does not tell is null or left out.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_system_read (NebulaSystem *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_auto (NebulaCgroup) cgroup = { 0 };

  g_return_val_if_fail (NEBULA_IS_SYSTEM (self), NULL);

  _nebula_cgroup_read (self->root, &cgroup);
  nebula_value_builder_set_take (builder, "cpu", _nebula_system_read_cpu (self->root, &self->ticks));
  nebula_value_builder_set_take (builder, "memory", _nebula_system_read_memory (self->root));
  nebula_value_builder_set_take (builder, "disks", _nebula_system_read_disks (self->root));
  nebula_value_builder_set_take (builder, "network", _nebula_system_read_network (self->root));
  nebula_value_builder_set_take (builder, "process", _nebula_system_read_process (self->root));
  nebula_value_builder_set_take (builder, "processes", _nebula_system_read_processes (self->root));
  nebula_value_builder_set_take (builder, "temperatures", _nebula_system_read_temperatures (self->root));
  nebula_value_builder_set_take (builder, "cgroup", _nebula_cgroup_to_value (&cgroup));
  nebula_value_builder_set_take (builder, "pressure", _nebula_system_read_pressure (self->root));
  return nebula_value_builder_end (builder);
}

static gboolean
read_machine (NebulaSystem *self, guint64 *ret_total, guint64 *ret_used)
{
  g_autofree char *text = _nebula_system_read_file (self->root, "proc/meminfo");
  guint64 total = 0, available = 0;

  if (!text || !_nebula_system_find_number (text, "MemTotal:", &total)
      || !_nebula_system_find_number (text, "MemAvailable:", &available))
    return FALSE;
  *ret_total = total * 1024;
  *ret_used = (total - MIN (available, total)) * 1024;
  return TRUE;
}

/**
 * nebula_system_get_memory_limit:
 * @self: a system
 *
 * Tells how much memory there is for this process: that of the machine, or what its control groups allow if it is less.
 *
 * Returns: bytes; 0 if nobody says
 *
 * Since: 1.0
 */
guint64
nebula_system_get_memory_limit (NebulaSystem *self)
{
  g_auto (NebulaCgroup) cgroup = { 0 };
  guint64 total = 0, used = 0;

  g_return_val_if_fail (NEBULA_IS_SYSTEM (self), 0);

  _nebula_cgroup_read (self->root, &cgroup);
  if (!read_machine (self, &total, &used))
    return cgroup.memory_limit;
  return cgroup.memory_limit > 0 ? MIN (cgroup.memory_limit, total) : total;
}

/**
 * nebula_system_get_memory_used:
 * @self: a system
 *
 * Tells how much of nebula_system_get_memory_limit() is in use, by all who share it.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
guint64
nebula_system_get_memory_used (NebulaSystem *self)
{
  g_auto (NebulaCgroup) cgroup = { 0 };
  guint64 total = 0, used = 0;

  g_return_val_if_fail (NEBULA_IS_SYSTEM (self), 0);

  _nebula_cgroup_read (self->root, &cgroup);
  if (!read_machine (self, &total, &used))
    return cgroup.memory_used;
  return cgroup.memory_limit > 0 && cgroup.memory_limit < total ? cgroup.memory_used : used;
}
