/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <unistd.h>

typedef struct
{
  NebulaSimpleAction parent_instance;

  char *path;
  NebulaValue *content;
  gboolean append;
  gboolean atomic;
} NebulaFileWrite;

typedef struct
{
  NebulaSimpleActionClass parent_class;
} NebulaFileWriteClass;

enum
{
  PROP_PATH = 1,
  PROP_CONTENT,
  PROP_APPEND,
  PROP_ATOMIC,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaFileWrite, nebula_file_write, NEBULA_TYPE_SIMPLE_ACTION)

static gboolean
write_open (NebulaFileWrite *self, int fd, NebulaFileContent *content, GCancellable *cancellable, GError **error)
{
  struct stat info;

  if (fstat (fd, &info) != 0)
    return _nebula_file_set_error (error, errno, self->path);
  if (!S_ISREG (info.st_mode)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _("“%s” is a device, pipe or socket. Give the path of a regular file"), self->path);
    return FALSE;
  }
  if (!self->append && ftruncate (fd, 0) != 0)
    return _nebula_file_set_error (error, errno, self->path);
  if (!_nebula_file_write_content (fd, content, cancellable, self->path, error))
    return FALSE;
  return fsync (fd) == 0 || _nebula_file_set_error (error, errno, self->path);
}

/* Into the file itself: appending, or where nothing may be renamed. */
static gboolean
write_in_place (NebulaFileWrite *self, const char *full, NebulaFileContent *content, GCancellable *cancellable, GError **error)
{
  int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (self->append ? O_APPEND : 0);
  gboolean existed = g_file_test (full, G_FILE_TEST_EXISTS);
  int fd = open (full, flags, 0666);
  gboolean written;

  if (fd < 0)
    return _nebula_file_set_error (error, errno, self->path);
  written = write_open (self, fd, content, cancellable, error);
  if (close (fd) != 0 && written)
    written = _nebula_file_set_error (error, errno, self->path);
  if (!written || existed)
    return written;
  return _nebula_file_sync_folder (full, self->path, error);
}

static NebulaValue *
nebula_file_write_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaFileWrite *self = (NebulaFileWrite *) action;
  g_autofree char *full = _nebula_file_resolve (invocation, self->path);
  g_autoptr (NebulaValueBuilder) result = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GInputStream) stream = NULL;
  NebulaFileContent content = { NULL, NULL, 0 };
  gboolean written;

  if (nebula_value_is_blob (self->content)) {
    stream = nebula_invocation_open_blob (invocation, self->content, error);
    if (stream == NULL)
      return NULL;
  } else {
    bytes = _nebula_file_to_bytes (self->content);
  }
  content.bytes = bytes;
  content.stream = stream;
  if (self->append || !self->atomic)
    written = write_in_place (self, full, &content, cancellable, error);
  else
    written = _nebula_file_save (full, &content, cancellable, self->path, error);
  if (!written)
    return NULL;

  result = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (result, "path", self->path);
  nebula_value_builder_set_integer (result, "written", content.written);
  return nebula_value_builder_end (result);
}

static NebulaEffect
nebula_file_write_get_effect (NebulaAction *action)
{
  return ((NebulaFileWrite *) action)->append ? NEBULA_EFFECT_EFFECTFUL : NEBULA_EFFECT_IDEMPOTENT;
}

static void
nebula_file_write_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaFileWrite *self = (NebulaFileWrite *) object;

  switch (id) {
  case PROP_PATH:
    g_free (self->path);
    self->path = g_value_dup_string (value);
    break;
  case PROP_CONTENT:
    g_clear_pointer (&self->content, nebula_value_unref);
    self->content = g_value_dup_boxed (value);
    break;
  case PROP_APPEND:
    self->append = g_value_get_boolean (value);
    break;
  case PROP_ATOMIC:
    self->atomic = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_write_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaFileWrite *self = (NebulaFileWrite *) object;

  switch (id) {
  case PROP_PATH:
    g_value_set_string (value, self->path);
    break;
  case PROP_CONTENT:
    g_value_set_boxed (value, self->content);
    break;
  case PROP_APPEND:
    g_value_set_boolean (value, self->append);
    break;
  case PROP_ATOMIC:
    g_value_set_boolean (value, self->atomic);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_write_finalize (GObject *object)
{
  NebulaFileWrite *self = (NebulaFileWrite *) object;

  g_free (self->path);
  g_clear_pointer (&self->content, nebula_value_unref);

  G_OBJECT_CLASS (nebula_file_write_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;

  props[PROP_PATH] = g_param_spec_string ("path", N_ ("Path"), N_ ("The file; a relative path starts at the workflow's folder."),
                                          NULL, flags);
  props[PROP_CONTENT] = g_param_spec_boxed ("content", N_ ("Content"), N_ ("Text, bytes and blobs are written as they are, other values as JSON."),
                                            NEBULA_TYPE_VALUE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  props[PROP_APPEND] = g_param_spec_boolean ("append", N_ ("Append"), N_ ("Adds to the end of the file instead of replacing it."),
                                             FALSE, flags);
  props[PROP_ATOMIC] = g_param_spec_boolean ("atomic", N_ ("In one step"), N_ ("Replaces the file as a whole, so that nobody sees half of it; off writes into the file that is there."),
                                             TRUE, flags);
  g_object_class_install_properties (object, N_PROPS, props);
}

static void
nebula_file_write_class_init (NebulaFileWriteClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *path;

  object->set_property = nebula_file_write_set_property;
  object->get_property = nebula_file_write_get_property;
  object->finalize = nebula_file_write_finalize;
  action->get_effect = nebula_file_write_get_effect;
  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_file_write_run;

  install_properties (object);
  path = nebula_action_class_describe (action, "path");
  nebula_parameter_set_kind (path, NEBULA_PARAMETER_KIND_FILE);
  nebula_parameter_add_flags (path, NEBULA_PARAMETER_FLAGS_REQUIRED);
  nebula_parameter_add_flags (nebula_action_class_describe (action, "content"),
                              NEBULA_PARAMETER_FLAGS_REQUIRED | NEBULA_PARAMETER_FLAGS_NULLABLE);
  nebula_action_class_set_details (action, "file.write", "1.0.0", N_ ("Write a file"),
                                   N_ ("Makes or replaces a file, or adds to it; when it is done the content is on the disk."), N_ ("Files"));
  nebula_action_class_set_effect (action, NEBULA_EFFECT_IDEMPOTENT);
  nebula_action_class_add_capability (action, "files");
  nebula_action_class_set_example (action, "action: file.write\n"
                                           "with: { path: report.json, content: \"{{ $json }}\" }\n");
}

static void
nebula_file_write_init (NebulaFileWrite *self)
{
}
