/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>

typedef struct
{
  NebulaSimpleAction parent_instance;

  char *path;
  char *to;
  gboolean overwrite;
} NebulaFileMove;

typedef struct
{
  NebulaSimpleActionClass parent_class;
} NebulaFileMoveClass;

enum
{
  PROP_PATH = 1,
  PROP_TO,
  PROP_OVERWRITE,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaFileMove, nebula_file_move, NEBULA_TYPE_SIMPLE_ACTION)

/* Between two file systems nothing can be renamed. */
static gboolean
copy_over (NebulaFileMove *self, const char *from, const char *to, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFile) source = g_file_new_for_path (from);
  g_autoptr (GFile) target = g_file_new_for_path (to);
  GFileCopyFlags flags = G_FILE_COPY_NOFOLLOW_SYMLINKS | G_FILE_COPY_ALL_METADATA;

  if (self->overwrite)
    flags |= G_FILE_COPY_OVERWRITE;
  if (g_file_move (source, target, flags, cancellable, NULL, NULL, error))
    return TRUE;
  g_prefix_error (error, _("Moving “%s” to “%s” on another disk: "), self->path, self->to);
  return FALSE;
}

static gboolean
set_rename_error (NebulaFileMove *self, const char *from, int number, GError **error)
{
  gboolean is_source = number == ENOENT && !g_file_test (from, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK);
  gboolean is_target = !is_source && number != EACCES && number != EPERM;

  return _nebula_file_set_error (error, number, is_target ? self->to : self->path);
}

static gboolean
move (NebulaFileMove *self, const char *from, const char *to, GCancellable *cancellable, GError **error)
{
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, self->overwrite ? 0 : RENAME_NOREPLACE) != 0) {
    if (errno != EXDEV)
      return set_rename_error (self, from, errno, error);
    if (!copy_over (self, from, to, cancellable, error))
      return FALSE;
  }
  return _nebula_file_sync_folder (to, self->to, error) && _nebula_file_sync_folder (from, self->path, error);
}

static NebulaValue *
nebula_file_move_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaFileMove *self = (NebulaFileMove *) action;
  g_autofree char *from = _nebula_file_resolve (invocation, self->path);
  g_autofree char *to = _nebula_file_resolve (invocation, self->to);
  g_autoptr (NebulaValueBuilder) result = NULL;

  if (!move (self, from, to, cancellable, error))
    return NULL;

  result = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (result, "path", self->to);
  return nebula_value_builder_end (result);
}

static void
nebula_file_move_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaFileMove *self = (NebulaFileMove *) object;

  switch (id) {
  case PROP_PATH:
    g_free (self->path);
    self->path = g_value_dup_string (value);
    break;
  case PROP_TO:
    g_free (self->to);
    self->to = g_value_dup_string (value);
    break;
  case PROP_OVERWRITE:
    self->overwrite = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_move_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaFileMove *self = (NebulaFileMove *) object;

  switch (id) {
  case PROP_PATH:
    g_value_set_string (value, self->path);
    break;
  case PROP_TO:
    g_value_set_string (value, self->to);
    break;
  case PROP_OVERWRITE:
    g_value_set_boolean (value, self->overwrite);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_move_finalize (GObject *object)
{
  NebulaFileMove *self = (NebulaFileMove *) object;

  g_free (self->path);
  g_free (self->to);

  G_OBJECT_CLASS (nebula_file_move_parent_class)->finalize (object);
}

static void
nebula_file_move_class_init (NebulaFileMoveClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  object->set_property = nebula_file_move_set_property;
  object->get_property = nebula_file_move_get_property;
  object->finalize = nebula_file_move_finalize;
  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_file_move_run;

  props[PROP_PATH] = g_param_spec_string ("path", N_ ("Path"), N_ ("The file or folder that is moved."), NULL, flags);
  props[PROP_TO] = g_param_spec_string ("to", N_ ("To"), N_ ("Its new path, name included."), NULL, flags);
  props[PROP_OVERWRITE] = g_param_spec_boolean ("overwrite", N_ ("Overwrite"), N_ ("Replaces a file that is there already; off makes that an error."),
                                                FALSE, flags);
  g_object_class_install_properties (object, N_PROPS, props);

  for (guint i = PROP_PATH; i <= PROP_TO; i++) {
    NebulaParameter *parameter = nebula_action_class_describe (action, props[i]->name);

    nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_FILE);
    nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
  }
  nebula_action_class_set_details (action, "file.move", "1.0.0", N_ ("Move a file"),
                                   N_ ("Gives a file or folder another name or place."), N_ ("Files"));
  nebula_action_class_add_capability (action, "files");
  nebula_action_class_set_example (action, "action: file.move\n"
                                           "with: { path: inbox/order.json, to: done/order.json }\n");
}

static void
nebula_file_move_init (NebulaFileMove *self)
{
}
