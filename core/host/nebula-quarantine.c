/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which module files keep killing their hosts. One JSON object by the SHA-256 of the file:
 *
 *   {"9f86d0…": {"module": "greet", "reason": "crashed by signal 11", "crashes": [microseconds of the clock, …]}}
 *
 * A file with three crashes within ten minutes is not run any more, by any process that shares this file, until it is
 * replaced by another one or its entry is removed.
 */

#include <glib/gi18n-lib.h>

#include "nebula-host-pool-private.h"
#include "nebula-json.h"

#define CRASHES_MOST 3
#define WINDOW_USEC  (10 * 60 * (gint64) G_USEC_PER_SEC)

char *
nebula_quarantine_get_default_file (void)
{
  return g_build_filename (g_get_user_state_dir (), "nebula", "quarantine.json", NULL);
}

/* What cannot be read counts as empty. */
static NebulaValue *
read_file (const char *file)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (NebulaValue) value = NULL;

  if (g_file_get_contents (file, &text, &length, NULL))
    value = nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_UNIQUE_KEYS,
                                     NULL);
  if (value != NULL && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT)
    return g_steal_pointer (&value);
  return nebula_value_new_empty_object ();
}

static NebulaValue *
get_crashes (NebulaValue *entry)
{
  NebulaValue *crashes =
      entry != NULL && nebula_value_get_kind (entry) == NEBULA_VALUE_KIND_OBJECT
          ? nebula_value_get_member (entry, "crashes")
          : NULL;

  return crashes != NULL && nebula_value_get_kind (crashes) == NEBULA_VALUE_KIND_ARRAY
             ? crashes
             : NULL;
}

/* Old crashes are dropped when a new one is added, so that their number is enough. */
static gboolean
is_quarantined (NebulaValue *entry)
{
  NebulaValue *crashes = get_crashes (entry);

  return crashes != NULL && nebula_value_get_length (crashes) >= CRASHES_MOST;
}

char *
nebula_quarantine_look_up (const char *file, const char *hash)
{
  g_autoptr (NebulaValue) all = read_file (file);
  NebulaValue *entry = nebula_value_get_member (all, hash);

  if (!is_quarantined (entry))
    return NULL;
  return g_strdup_printf (
      _ ("It is in quarantine: its host died %d times within ten minutes; the last time it %s. Replace the module, or "
         "remove its entry from “%s”."),
      CRASHES_MOST, nebula_value_get_member_string (entry, "reason", "?"), file);
}

/* Reading the whole module only to look it up pays if there is somebody in quarantine at all. */
char *
nebula_quarantine_look_up_module (const char *file, NebulaModuleInfo *module)
{
  g_autofree char *hash = NULL;

  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    return NULL;
  hash = _nebula_host_hash_file (module);
  return hash != NULL ? nebula_quarantine_look_up (file, hash) : NULL;
}

static NebulaValue *
make_entry (NebulaValue *old, const char *id, const char *reason, gint64 now_usec)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) crashes = nebula_value_builder_new_array ();
  NebulaValue *before = get_crashes (old);

  for (gsize i = 0; before != NULL && i < nebula_value_get_length (before); i++) {
    NebulaValue *moment = nebula_value_get_item (before, i);

    if (nebula_value_get_kind (moment) == NEBULA_VALUE_KIND_INTEGER &&
        ABS (now_usec - nebula_value_get_integer (moment)) < WINDOW_USEC)
      nebula_value_builder_add (crashes, moment);
  }
  nebula_value_builder_add_take (crashes, nebula_value_new_integer (now_usec));
  nebula_value_builder_set_string (builder, "module", id);
  nebula_value_builder_set_string (builder, "reason", reason);
  nebula_value_builder_set_take (builder, "crashes", nebula_value_builder_end (crashes));
  return nebula_value_builder_end (builder);
}

static void
write_file (const char *file, NebulaValue *value)
{
  g_autofree char *folder = g_path_get_dirname (file);
  g_autofree char *json = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
  g_autoptr (GError) error = NULL;

  if (g_mkdir_with_parents (folder, 0700) == 0 &&
      g_file_set_contents_full (
          file, json, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
          0600, &error))
    return;
  g_debug ("The quarantine “%s” is not written: %s", file,
           error != NULL ? error->message : "no folder");
}

gboolean
_nebula_quarantine_add_crash (const char *file,
                              const char *hash,
                              const char *id,
                              const char *reason,
                              gint64 now_usec)
{
  g_autoptr (NebulaValue) all = read_file (file);
  g_autoptr (NebulaValue) entry =
      make_entry (nebula_value_get_member (all, hash), id, reason, now_usec);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) changed = NULL;

  for (gsize i = 0; i < nebula_value_get_length (all); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (all, i, NULL),
                              nebula_value_get_member_at (all, i));
  nebula_value_builder_set (builder, hash, entry);
  changed = nebula_value_builder_end (builder);
  write_file (file, changed);
  return is_quarantined (entry);
}
