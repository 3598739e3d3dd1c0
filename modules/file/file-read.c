/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <unistd.h>

typedef struct
{
  NebulaSimpleAction parent_instance;

  char *path;
  char *as;
  gint64 max_size;
  gint64 offset;
  gint64 lines;
} NebulaFileRead;

typedef struct
{
  NebulaSimpleActionClass parent_class;
} NebulaFileReadClass;

enum
{
  PROP_PATH = 1,
  PROP_AS,
  PROP_MAX_SIZE,
  PROP_OFFSET,
  PROP_LINES,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaFileRead, nebula_file_read, NEBULA_TYPE_SIMPLE_ACTION)

static gboolean
set_too_large (NebulaFileRead *self, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
               _("“%s” is larger than %lld bytes. Raise “max-size”, or read it in pieces with “lines”"),
               self->path, (long long) self->max_size);
  return FALSE;
}

/* A file may grow while it is read, and files of the kernel give no size at all. */
static GByteArray *
read_rest (NebulaFileRead *self, int fd, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) content = g_byte_array_new ();
  gssize n_read = NEBULA_FILE_BLOCK_BYTES;

  while (n_read == NEBULA_FILE_BLOCK_BYTES) {
    guint length = content->len;

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return NULL;
    g_byte_array_set_size (content, length + NEBULA_FILE_BLOCK_BYTES);
    n_read = _nebula_file_read_block (fd, (char *) content->data + length, NEBULA_FILE_BLOCK_BYTES, self->path, error);
    if (n_read < 0)
      return NULL;
    g_byte_array_set_size (content, length + (guint) n_read);
    if ((gint64) content->len > self->max_size) {
      set_too_large (self, error);
      return NULL;
    }
  }
  return g_steal_pointer (&content);
}

static NebulaValue *
parse_json (NebulaFileRead *self, const char *data, gsize size, GError **error)
{
  g_autoptr (NebulaValue) text = _nebula_file_new_text (data, size, self->offset == 0, self->path, error);
  NebulaValue *value;

  if (text == NULL)
    return NULL;
  value = nebula_value_parse_json (nebula_value_get_string (text), (gssize) nebula_value_get_string_length (text),
                                   NEBULA_JSON_FLAGS_UNIQUE_KEYS, error);
  if (value == NULL)
    g_prefix_error (error, _("Reading “%s” as JSON: "), self->path);
  return value;
}

static NebulaValue *
convert (NebulaFileRead *self, GByteArray *content, GError **error)
{
  const char *data = (const char *) content->data;
  gsize size = content->len;

  if (g_str_equal (self->as, "json"))
    return parse_json (self, data, size, error);
  if (g_str_equal (self->as, "lines"))
    return _nebula_file_split_lines (data, size, self->path, error);
  if (g_str_equal (self->as, "bytes")) {
    g_autoptr (GBytes) bytes = g_bytes_new (data, size);

    return nebula_value_new_bytes (bytes);
  }
  return _nebula_file_new_text (data, size, self->offset == 0, self->path, error);
}

static NebulaValue *
read_whole (NebulaFileRead *self, int fd, const struct stat *info, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) content = NULL;

  if (info->st_size - self->offset > self->max_size) {
    set_too_large (self, error);
    return NULL;
  }
  if (lseek (fd, self->offset, SEEK_SET) < 0) {
    _nebula_file_set_error (error, errno, self->path);
    return NULL;
  }
  content = read_rest (self, fd, cancellable, error);
  return content != NULL ? convert (self, content, error) : NULL;
}

/* A blob may be of any size; a limit holds only if somebody sets one. */
static NebulaValue *
read_blob (NebulaFileRead *self, int fd, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  gint64 max_size = nebula_action_is_set (NEBULA_ACTION (self), "max-size") ? self->max_size : 0;

  if (lseek (fd, self->offset, SEEK_SET) < 0) {
    _nebula_file_set_error (error, errno, self->path);
    return NULL;
  }
  return _nebula_file_read_blob (fd, invocation, max_size, cancellable, self->path, error);
}

static gboolean
check_parameters (NebulaFileRead *self, GError **error)
{
  gboolean has_lines = nebula_action_is_set (NEBULA_ACTION (self), "lines");

  if (has_lines && !g_str_equal (self->as, "text") && !g_str_equal (self->as, "lines")) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                 _("“lines” gives lines of text, which does not fit “as: %s”. Leave one of the two out"), self->as);
    return FALSE;
  }
  return TRUE;
}

static NebulaValue *
nebula_file_read_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaFileRead *self = (NebulaFileRead *) action;
  g_autofree char *full = _nebula_file_resolve (invocation, self->path);
  NebulaValue *value = NULL;
  struct stat info;
  int fd;

  if (!check_parameters (self, error))
    return NULL;
  fd = _nebula_file_open (full, self->path, &info, error);
  if (fd < 0)
    return NULL;

  if (nebula_action_is_set (NEBULA_ACTION (self), "lines"))
    value = _nebula_file_read_lines (fd, self->offset, self->lines, self->max_size, cancellable, self->path, error);
  else if (g_str_equal (self->as, "blob"))
    value = read_blob (self, fd, invocation, cancellable, error);
  else
    value = read_whole (self, fd, &info, cancellable, error);
  close (fd);
  return value;
}

static void
nebula_file_read_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaFileRead *self = (NebulaFileRead *) object;

  switch (id) {
  case PROP_PATH:
    g_free (self->path);
    self->path = g_value_dup_string (value);
    break;
  case PROP_AS:
    g_free (self->as);
    self->as = g_value_dup_string (value);
    break;
  case PROP_MAX_SIZE:
    self->max_size = g_value_get_int64 (value);
    break;
  case PROP_OFFSET:
    self->offset = g_value_get_int64 (value);
    break;
  case PROP_LINES:
    self->lines = g_value_get_int64 (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_read_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaFileRead *self = (NebulaFileRead *) object;

  switch (id) {
  case PROP_PATH:
    g_value_set_string (value, self->path);
    break;
  case PROP_AS:
    g_value_set_string (value, self->as);
    break;
  case PROP_MAX_SIZE:
    g_value_set_int64 (value, self->max_size);
    break;
  case PROP_OFFSET:
    g_value_set_int64 (value, self->offset);
    break;
  case PROP_LINES:
    g_value_set_int64 (value, self->lines);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_read_finalize (GObject *object)
{
  NebulaFileRead *self = (NebulaFileRead *) object;

  g_free (self->path);
  g_free (self->as);

  G_OBJECT_CLASS (nebula_file_read_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;

  props[PROP_PATH] = g_param_spec_string ("path", N_ ("Path"), N_ ("The file; a relative path starts at the workflow's folder."),
                                          NULL, flags);
  props[PROP_AS] = g_param_spec_string ("as", N_ ("Read as"), N_ ("What the result is: text, the value of a JSON text, bytes, an array of lines, or a blob, which may be of any size."),
                                        "text", flags);
  props[PROP_MAX_SIZE] = g_param_spec_int64 ("max-size", N_ ("Largest size"), N_ ("A file, or a piece of it, with more bytes is an error."),
                                             0, G_MAXINT32, NEBULA_LIMIT_DOCUMENT_BYTES, flags);
  props[PROP_OFFSET] = g_param_spec_int64 ("offset", N_ ("Offset"), N_ ("Byte of the file to begin at, such as “next” of the last piece."),
                                           0, G_MAXINT64, 0, flags);
  props[PROP_LINES] = g_param_spec_int64 ("lines", N_ ("Lines"), N_ ("Read at most so many lines; the result is then an object of lines and next, the byte to go on at (null at the end)."),
                                          1, G_MAXINT32, 1, flags);
  g_object_class_install_properties (object, N_PROPS, props);
}

static void
describe_parameters (NebulaActionClass *action)
{
  static const char *const forms[] = { "text", "json", "bytes", "lines", "blob", NULL };
  NebulaParameter *parameter;

  parameter = nebula_action_class_describe (action, "path");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_FILE);
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
  parameter = nebula_action_class_describe (action, "as");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_SELECT);
  nebula_parameter_set_options (parameter, forms);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "max-size"), NEBULA_PARAMETER_KIND_SIZE);
  nebula_parameter_set_default (nebula_action_class_describe (action, "lines"), NULL);
}

static void
nebula_file_read_class_init (NebulaFileReadClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  object->set_property = nebula_file_read_set_property;
  object->get_property = nebula_file_read_get_property;
  object->finalize = nebula_file_read_finalize;
  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_file_read_run;

  install_properties (object);
  describe_parameters (action);
  nebula_action_class_set_details (action, "file.read", "1.0.0", N_ ("Read a file"),
                                   N_ ("Gives what a file holds, all of it or some of its lines."), N_ ("Files"));
  nebula_action_class_set_effect (action, NEBULA_EFFECT_READ);
  nebula_action_class_add_capability (action, "files");
  nebula_action_class_set_example (action, "action: file.read\n"
                                           "with: { path: orders.json, as: json }\n");
}

static void
nebula_file_read_init (NebulaFileRead *self)
{
}
