/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-config.h"
#include "nebula-value.h"

G_BEGIN_DECLS

/* Where a server keeps its things, and what it tells its services. */

/* The folder: @given, else the setting, else one of the user's data folder; made if it is not there, for its owner alone. */
char *nebula_serving_make_folder (NebulaConfig *config, const char *given, GError **error);
/* The same without making it. */
char *nebula_serving_find_folder (NebulaConfig *config, const char *given);
char *nebula_serving_get_store (const char *folder);
/* @listen, @listen_unix: NULL for the settings. */
NebulaValue *nebula_serving_make_options (NebulaConfig *config,
                                          const char *folder,
                                          char **listen,
                                          const char *listen_unix);
/* The link that makes the first user, in a file of mode 0600. */
gboolean nebula_serving_write_link (const char *folder, const char *link, GError **error);
void nebula_serving_remove_link (const char *folder);

G_END_DECLS
