/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-config.h"
#include "nebula-error.h"
#include "nebula-registry.h"

G_BEGIN_DECLS

/* What the program takes from files and environment. */
typedef struct {
  NebulaConfig *config; /* NULL: there is nothing to read; it keeps the log as files say that somebody edits */
  char *store;      /* NULL: none was named */
  char *durability; /* NULL: as the schema has it */
  char *timeout;    /* NULL: none */
  guint max_nodes;  /* 0: the library's */
  guint max_connections;
  guint64 memory_limit; /* bytes; 0: none */
  gint64 retention_usec; /* 0: everything stays */
  gint64 retention_failed_usec; /* 0: as the others */
  guint retention_keep; /* 0: any number */
} NebulaSettings;

/* Reads the settings if there are any, and sets up the log by them. A machine without settings pays a few access ().
 * @tenant: whose settings; NULL: those for all. */
gboolean nebula_settings_load (NebulaSettings *self, const char *tenant, GError **error);
/* Where modules are: the environment over the files over the system. NULL with error if a file is bad. */
char **nebula_settings_dup_module_path (GError **error);
/* Whether there is any file of settings. */
gboolean nebula_settings_has_file (void);
/* Where modules run and how their hosts are kept. */
gboolean nebula_settings_apply_hosting (NebulaRegistry *registry, GError **error);
void nebula_settings_clear (NebulaSettings *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaSettings, nebula_settings_clear)

G_END_DECLS
