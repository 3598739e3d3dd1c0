/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host's module brings, and how a probe prints it. */

#include <gio/gunixoutputstream.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-host-private.h"
#include "nebula-json.h"

void
_nebula_host_entry_free (gpointer entry)
{
  NebulaHostEntry *self = entry;

  nebula_action_info_unref (self->info);
  g_free (self);
}

static char *
make_key (const char *id, const char *version)
{
  return g_strdup_printf ("%s@%s", id, version);
}

NebulaHostEntry *
_nebula_host_find_entry (NebulaHost *self, const char *id, const char *version)
{
  g_autofree char *key = make_key (id, version);

  return g_hash_table_lookup (self->entries, key);
}

gboolean
_nebula_host_add_entry (NebulaHost *self,
                        NebulaActionInfo *info,
                        GType type,
                        GError **error)
{
  const char *id = nebula_action_info_get_id (info);
  NebulaHostEntry *entry;

  if (!g_str_has_prefix (id, self->id) || id[strlen (self->id)] != '.') {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
        _ ("brings the action “%s”, whose id does not begin with “%s.”. Rename it"), id,
        self->id);
    return FALSE;
  }
  if (_nebula_host_find_entry (self, id, nebula_action_info_get_version (info)) != NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _ ("brings the action “%s” twice"), id);
    return FALSE;
  }
  entry = g_new0 (NebulaHostEntry, 1);
  entry->info = nebula_action_info_ref (info);
  entry->type = type;
  g_hash_table_insert (self->entries,
                       make_key (id, nebula_action_info_get_version (info)), entry);
  g_ptr_array_add (self->order, entry);
  return TRUE;
}

static gboolean
print (int fd, NebulaValue *value)
{
  g_autofree char *json = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
  g_autoptr (GOutputStream) stream = g_unix_output_stream_new (fd, FALSE);

  return g_output_stream_write_all (stream, json, strlen (json), NULL, NULL, NULL);
}

static NebulaValue *
make_catalogue (NebulaHost *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) actions = nebula_value_builder_new_array ();

  for (guint i = 0; i < self->order->len; i++) {
    NebulaHostEntry *entry = g_ptr_array_index (self->order, i);

    nebula_value_builder_add_take (actions, nebula_action_info_to_value (entry->info));
  }
  nebula_value_builder_set_string (builder, "id", self->id);
  nebula_value_builder_set_string (builder, "version", self->version);
  nebula_value_builder_set_string (builder, "title", self->title);
  nebula_value_builder_set_integer (builder, "abi", NEBULA_MODULE_ABI);
  nebula_value_builder_set_take (builder, "types", nebula_value_new_array (NULL, 0));
  nebula_value_builder_set_take (builder, "actions", nebula_value_builder_end (actions));
  nebula_value_builder_set_take (builder, "functions",
                                 nebula_function_set_describe (self->functions));
  return nebula_value_builder_end (builder);
}

gboolean
_nebula_host_print_catalogue (NebulaHost *self)
{
  g_autoptr (NebulaValue) made = NULL;

  if (self->catalogue != NULL)
    return print (self->answer_fd, self->catalogue);
  made = make_catalogue (self);
  return print (self->answer_fd, made);
}

gboolean
_nebula_host_print_error (NebulaHost *self, const char *code, const char *message)
{
  g_autoptr (NebulaValueBuilder) failure = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) answer = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;
  g_autofree char *valid = g_utf8_make_valid (message, -1);

  nebula_value_builder_set_string (failure, "code", code);
  nebula_value_builder_set_string (failure, "message", valid);
  nebula_value_builder_set_take (answer, "error", nebula_value_builder_end (failure));
  value = nebula_value_builder_end (answer);
  return print (self->answer_fd, value);
}
