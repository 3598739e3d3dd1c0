/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* data.parse: text or a file to a value. It runs on the executor, because texts may be long and files slow. */
#include "data.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>

typedef struct
{
  NebulaSimpleAction parent_instance;
} NebulaDataParse;

typedef struct
{
  NebulaSimpleActionClass parent_class;
} NebulaDataParseClass;

G_DEFINE_TYPE (NebulaDataParse, nebula_data_parse, NEBULA_TYPE_SIMPLE_ACTION)

static GBytes *
read_file (const char *path, const char *directory, GCancellable *cancellable, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, directory);
  g_autoptr (GFile) file = g_file_new_for_path (absolute);
  g_autoptr (GFileInfo) info =
      g_file_query_info (file, G_FILE_ATTRIBUTE_STANDARD_SIZE "," G_FILE_ATTRIBUTE_STANDARD_TYPE, 0, cancellable, error);

  if (info == NULL)
    return NULL;
  if (g_file_info_get_file_type (info) != G_FILE_TYPE_REGULAR) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO, _("“%s” is not a regular file"), path);
    return NULL;
  }
  if (g_file_info_get_size (info) > NEBULA_LIMIT_DOCUMENT_BYTES) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE, _("“%s” is larger than %d bytes. Split it"), path,
                 NEBULA_LIMIT_DOCUMENT_BYTES);
    return NULL;
  }
  return g_file_load_bytes (file, cancellable, NULL, error);
}

static GBytes *
get_text (const NebulaArguments *arguments, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaValue *text = nebula_arguments_get (arguments, "text");
  NebulaValue *file = nebula_arguments_get (arguments, "file");

  if ((text == NULL) == (file == NULL)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PARAMETER,
                         _("Set one of the parameters “text” and “file”"));
    return NULL;
  }
  if (text != NULL)
    return g_bytes_new (nebula_value_get_string (text), nebula_value_get_string_length (text));
  return read_file (nebula_value_get_string (file), nebula_invocation_get_directory (invocation), cancellable, error);
}

static NebulaValue *
parse_yaml (GBytes *bytes, GError **error)
{
  g_autoptr (NebulaDocument) document = nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_YAML, NULL, NULL, error);

  return document != NULL ? nebula_value_ref (nebula_document_get_value (document)) : NULL;
}

static NebulaValue *
nebula_data_parse_run (NebulaSimpleAction *self, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  const NebulaArguments *arguments = nebula_action_get_arguments (NEBULA_ACTION (self));
  const char *format = nebula_value_get_string (nebula_arguments_get (arguments, "format"));
  g_autoptr (GBytes) bytes = get_text (arguments, invocation, cancellable, error);
  const char *data;
  gsize size = 0;
  NebulaDataTable table;

  if (bytes == NULL)
    return NULL;
  data = g_bytes_get_data (bytes, &size);
  if (size > 0 && !g_utf8_validate_len (data, size, NULL)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, _("The text is not UTF-8. Convert it first"));
    return NULL;
  }

  if (size == 0)
    data = "";
  if (strcmp (format, "json") == 0)
    return nebula_value_parse_json (data, (gssize) size, NEBULA_JSON_FLAGS_NONE, error);
  if (strcmp (format, "yaml") == 0)
    return parse_yaml (bytes, error);
  if (strcmp (format, "xml") == 0)
    return nebula_data_xml_read (data, size, error);
  if (!nebula_data_read_table (arguments, format, &table, error))
    return NULL;
  return nebula_data_csv_read (data, size, &table, error);
}

/* With a text it is a function of its inputs; with a file it looks outside. */
static NebulaEffect
nebula_data_parse_get_effect (NebulaAction *self)
{
  return nebula_action_is_set (self, "file") ? NEBULA_EFFECT_READ : NEBULA_EFFECT_PURE;
}

static void
nebula_data_parse_class_init (NebulaDataParseClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  action->get_effect = nebula_data_parse_get_effect;
  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_data_parse_run;

  nebula_action_class_set_details (action, "data.parse", "1.0.0", N_ ("Parse"),
                                   N_ ("Reads a value from a text or a file."), N_ ("Data"));
  nebula_action_class_set_effect (action, NEBULA_EFFECT_READ);
  nebula_action_class_set_example (action, "action: data.parse\n"
                                           "with: { file: orders.csv, format: csv, comment: \"#\" }\n");
  nebula_action_class_add_parameter (action, "text", NEBULA_PARAMETER_KIND_TEXTAREA, N_ ("Text"),
                                     N_ ("The text to read."));
  nebula_action_class_add_parameter (action, "file", NEBULA_PARAMETER_KIND_FILE, N_ ("File"),
                                     N_ ("The file to read; a relative path starts at the workflow's folder."));
  nebula_data_add_table_parameters (action);
}

static void
nebula_data_parse_init (NebulaDataParse *self)
{
}
