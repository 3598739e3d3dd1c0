/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the user hands in: files, JSON, settings. Plain system calls: GFile would start modules of GIO. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-document.h"
#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-reading-private.h"

#define FILE_BYTES (64 << 20)
#define SET_DEPTH  32

static gboolean
set_file_error (const char *path, int saved_errno, GError **error)
{
  gboolean is_missing = saved_errno == ENOENT || saved_errno == ENOTDIR;
  g_autofree char *shown = g_filename_display_name (path);

  g_set_error (error, NEBULA_ERROR, is_missing ? NEBULA_ERROR_NOT_FOUND : NEBULA_ERROR_IO,
               _ ("The file “%s” cannot be read: %s."), shown, g_strerror (saved_errno));
  return FALSE;
}

static gboolean
read_all (int fd, const char *path, GByteArray *buffer, GError **error)
{
  guint8 block[4096];

  for (;;) {
    gssize n_bytes = read (fd, block, sizeof block);

    if (n_bytes < 0 && errno == EINTR)
      continue;
    if (n_bytes < 0)
      return set_file_error (path, errno, error);
    if (n_bytes == 0)
      return TRUE;
    if (buffer->len + (gsize) n_bytes > FILE_BYTES) {
      g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                   _ ("The file “%s” is larger than 64 MiB."), path);
      return FALSE;
    }
    g_byte_array_append (buffer, block, (guint) n_bytes);
  }
}

GBytes *
nebula_read_file (const char *path, GError **error)
{
  g_autoptr (GByteArray) buffer = g_byte_array_new ();
  gboolean is_stdin = g_str_equal (path, "-");
  int fd = is_stdin ? STDIN_FILENO : open (path, O_RDONLY | O_CLOEXEC);
  gboolean is_read;

  if (fd < 0) {
    set_file_error (path, errno, error);
    return NULL;
  }
  is_read = read_all (fd, path, buffer, error);
  if (!is_stdin)
    close (fd);
  return is_read ? g_byte_array_free_to_bytes (g_steal_pointer (&buffer)) : NULL;
}

static NebulaValue *
read_document (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = nebula_read_file (path, error);
  g_autoptr (NebulaDocument) document = NULL;

  if (!bytes)
    return NULL;
  document =
      nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_AUTO, NULL, NULL, error);
  return document ? nebula_value_ref (nebula_document_get_value (document)) : NULL;
}

NebulaValue *
nebula_read_argument (const char *text, const char *option, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  NebulaValue *value;

  if (text[0] == '@')
    value = read_document (text + 1, &local_error);
  else
    value =
        nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_UNIQUE_KEYS, &local_error);
  if (!value)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("--%s wants JSON, or @ and the name of a file: %s"), option,
                 local_error->message);
  return value;
}

NebulaValue *
nebula_read_loosely (const char *text)
{
  NebulaValue *value =
      nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_UNIQUE_KEYS, NULL);

  return value ? value : nebula_value_new_string (text);
}

static NebulaValue *
set_at (NebulaValue *object, char **steps, NebulaValue *value, GError **error)
{
  NebulaValue *member;
  g_autoptr (NebulaValue) inner = NULL;
  g_autoptr (NebulaValue) empty = NULL;

  if (nebula_value_get_kind (object) != NEBULA_VALUE_KIND_OBJECT) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("--set cannot put “%s” into the input: what holds it is no object."),
                 steps[0]);
    return NULL;
  }
  if (!steps[1])
    return nebula_value_with_member (object, steps[0], value);
  member = nebula_value_get_member (object, steps[0]);
  if (!member)
    member = empty = nebula_value_new_empty_object ();
  inner = set_at (member, steps + 1, value, error);
  return inner ? nebula_value_with_member (object, steps[0], inner) : NULL;
}

static gboolean
check_steps (char **steps, const char *setting, GError **error)
{
  gboolean is_good = g_strv_length (steps) <= SET_DEPTH;

  for (guint i = 0; steps[i] && is_good; i++)
    is_good = steps[i][0] != '\0';
  if (!is_good)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("--set wants KEY=VALUE with a key such as “a” or “a.b”, not “%s”."),
                 setting);
  return is_good;
}

NebulaValue *
nebula_read_settings (NebulaValue *input, char **settings, GError **error)
{
  g_autoptr (NebulaValue) result = nebula_value_ref (input);

  for (guint i = 0; settings && settings[i]; i++) {
    const char *equals = strchr (settings[i], '=');
    g_autofree char *key =
        equals ? g_strndup (settings[i], (gsize) (equals - settings[i])) : g_strdup ("");
    g_auto (GStrv) steps = key[0] ? g_strsplit (key, ".", -1) : g_strsplit (".", ".", -1);
    g_autoptr (NebulaValue) value = NULL;
    NebulaValue *changed;

    if (!check_steps (steps, settings[i], error))
      return NULL;
    value = nebula_read_loosely (equals + 1);
    changed = set_at (result, steps, value, error);
    if (!changed)
      return NULL;
    nebula_value_unref (result);
    result = changed;
  }
  return g_steal_pointer (&result);
}

NebulaValue *
nebula_read_assignments (char **texts, gboolean is_text, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; texts[i]; i++) {
    const char *equals = strchr (texts[i], '=');
    g_autofree char *key = g_strndup (
        texts[i], equals ? (gsize) (equals - texts[i]) : strlen (texts[i]));
    NebulaValue *value = NULL;

    if (equals)
      value = is_text ? nebula_value_new_string (equals + 1)
                      : nebula_read_loosely (equals + 1);
    else if (is_text)
      value = nebula_value_new_null ();
    if (!value) {
      g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                   _ ("A result must be given as NODE=VALUE, not “%s”."), texts[i]);
      return NULL;
    }
    nebula_value_builder_set_take (builder, key, value);
  }
  return nebula_value_builder_end (builder);
}

GPtrArray *
nebula_diagnostics_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
}

void
nebula_diagnostics_add_error (GPtrArray *diagnostics,
                              const char *file,
                              const GError *error)
{
  for (guint i = 0; i < diagnostics->len; i++) {
    if (nebula_diagnostic_get_severity (diagnostics->pdata[i]) == NEBULA_SEVERITY_ERROR)
      return;
  }
  g_ptr_array_add (diagnostics, nebula_diagnostic_new (NEBULA_SEVERITY_ERROR,
                                                       nebula_error_get_code (error),
                                                       file, 0, 0, error->message, NULL));
}

NebulaWorkflow *
nebula_read_workflow (const char *path, GPtrArray *diagnostics, GError **error)
{
  g_autoptr (GBytes) bytes = nebula_read_file (path, error);
  g_autoptr (GError) local_error = NULL;
  NebulaWorkflow *workflow;

  if (!bytes)
    return NULL;
  workflow = nebula_workflow_read_bytes (bytes, path, diagnostics, &local_error);
  if (!workflow) {
    nebula_diagnostics_add_error (diagnostics, path, local_error);
    g_propagate_error (error, g_steal_pointer (&local_error));
  }
  return workflow;
}
