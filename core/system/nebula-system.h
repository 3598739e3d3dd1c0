/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_SYSTEM (nebula_system_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaSystem, nebula_system, NEBULA, SYSTEM, GObject)

/* @root: where /proc and /sys begin; NULL: the machine's own. */
NEBULA_API NebulaSystem *nebula_system_new (const char *root);
/* An object {cpu, memory, disks, network, process, processes, temperatures, cgroup, pressure}; what the machine does not tell
 * is null. */
NEBULA_API NebulaValue *nebula_system_read (NebulaSystem *self);
/* Bytes that this process may use: of the machine, or of its control groups if those allow less. 0: nobody says. */
NEBULA_API guint64 nebula_system_get_memory_limit (NebulaSystem *self);
/* Bytes of that which are in use. */
NEBULA_API guint64 nebula_system_get_memory_used (NebulaSystem *self);

G_END_DECLS
