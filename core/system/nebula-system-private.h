/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-system.h"

G_BEGIN_DECLS

/* What /proc/stat counted when it was read last, in ticks. */
typedef struct {
  guint64 busy;
  guint64 all;
} NebulaCpuTicks;

typedef struct {
  int version; /* 0: none */
  guint64 memory_limit; /* 0: none, as with the others */
  guint64 memory_used;
  double cpu_limit; /* in processors */
  guint64 pids_limit;
  guint64 pids_used;
  char *path;
} NebulaCgroup;

/* The text of a file below the root; NULL if it cannot be read. */
char *_nebula_system_read_file (const char *root, const char *path);
/* The number behind a word at the start of a line; FALSE if there is none. */
gboolean _nebula_system_find_number (const char *text, const char *word, guint64 *ret_number);
/* A file that holds one number; "max" and what is no number give FALSE. */
gboolean _nebula_system_read_number (const char *root, const char *path, guint64 *ret_number);

NebulaValue *_nebula_system_read_cpu (const char *root, NebulaCpuTicks *last);
NebulaValue *_nebula_system_read_memory (const char *root);
NebulaValue *_nebula_system_read_disks (const char *root);
NebulaValue *_nebula_system_read_network (const char *root);
NebulaValue *_nebula_system_read_process (const char *root);
NebulaValue *_nebula_system_read_processes (const char *root);
NebulaValue *_nebula_system_read_temperatures (const char *root);
NebulaValue *_nebula_system_read_pressure (const char *root);
void _nebula_cgroup_read (const char *root, NebulaCgroup *ret_cgroup);
void _nebula_cgroup_clear (NebulaCgroup *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaCgroup, _nebula_cgroup_clear)
NebulaValue *_nebula_cgroup_to_value (const NebulaCgroup *self);

G_END_DECLS
