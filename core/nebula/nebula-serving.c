/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-serving-private.h"

#define LINK_FILE "first-user"

char *
nebula_serving_find_folder (NebulaConfig *config, const char *given)
{
  g_autofree char *set = nebula_config_dup_string (config, "data-directory");

  if (given)
    return g_strdup (given);
  if (set && *set)
    return g_steal_pointer (&set);
  return g_build_filename (g_get_user_data_dir (), "nebula", NULL);
}

char *
nebula_serving_make_folder (NebulaConfig *config, const char *given, GError **error)
{
  g_autofree char *folder = nebula_serving_find_folder (config, given);

  if (g_mkdir_with_parents (folder, 0700) == 0)
    return g_steal_pointer (&folder);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO,
               _ ("The folder “%s” cannot be made: %s."), folder, g_strerror (errno));
  return NULL;
}

char *
nebula_serving_get_store (const char *folder)
{
  return g_build_filename (folder, "nebula.db", NULL);
}

static void
set_integer (NebulaValueBuilder *builder, NebulaConfig *config, const char *key)
{
  nebula_value_builder_set_integer (builder, key,
                                    nebula_config_get_integer (config, key));
}

NebulaValue *
nebula_serving_make_options (NebulaConfig *config,
                             const char *folder,
                             char **listen,
                             const char *listen_unix)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *set_listen = nebula_config_dup_string (config, "listen");
  g_autofree char *set_unix = nebula_config_dup_string (config, "listen-unix");
  g_auto (GStrv) hosts = nebula_config_dup_strv (config, "server-hosts");
  const char *one[] = {set_listen, NULL};

  nebula_value_builder_set_string (builder, "data-directory", folder);
  nebula_value_builder_set_take (
      builder, "listen",
      nebula_value_new_strv (listen ? (const char *const *) listen : one));
  nebula_value_builder_set_string (builder, "listen-unix",
                                   listen_unix ? listen_unix : set_unix);
  nebula_value_builder_set_take (builder, "server-hosts",
                                 nebula_value_new_strv ((const char *const *) hosts));
  nebula_value_builder_set_integer (
      builder, "max-body-size",
      (gint64) nebula_config_get_bytes (config, "max-body-size"));
  set_integer (builder, config, "server-connections");
  set_integer (builder, config, "server-connections-per-address");
  set_integer (builder, config, "server-rate");
  return nebula_value_builder_end (builder);
}

gboolean
nebula_serving_write_link (const char *folder, const char *link, GError **error)
{
  g_autofree char *path = g_build_filename (folder, LINK_FILE, NULL);
  g_autofree char *text = g_strconcat (link, "\n", NULL);

  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                   error);
}

void
nebula_serving_remove_link (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, LINK_FILE, NULL);

  g_unlink (path);
}
