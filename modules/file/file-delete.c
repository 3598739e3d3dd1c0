/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>

typedef struct
{
  NebulaSimpleAction parent_instance;

  char *path;
  gboolean missing_ok;
} NebulaFileDelete;

typedef struct
{
  NebulaSimpleActionClass parent_class;
} NebulaFileDeleteClass;

enum
{
  PROP_PATH = 1,
  PROP_MISSING_OK,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaFileDelete, nebula_file_delete, NEBULA_TYPE_SIMPLE_ACTION)

static NebulaValue *
nebula_file_delete_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaFileDelete *self = (NebulaFileDelete *) action;
  g_autofree char *full = _nebula_file_resolve (invocation, self->path);
  g_autoptr (NebulaValueBuilder) result = nebula_value_builder_new_object ();
  gboolean deleted = remove (full) == 0;

  if (!deleted && !(self->missing_ok && errno == ENOENT)) {
    _nebula_file_set_error (error, errno, self->path);
    return NULL;
  }
  if (deleted && !_nebula_file_sync_folder (full, self->path, error))
    return NULL;

  nebula_value_builder_set_boolean (result, "deleted", deleted);
  return nebula_value_builder_end (result);
}

/* A repeat finds nothing, which is an error only if missing files are. */
static NebulaEffect
nebula_file_delete_get_effect (NebulaAction *action)
{
  return ((NebulaFileDelete *) action)->missing_ok ? NEBULA_EFFECT_IDEMPOTENT : NEBULA_EFFECT_EFFECTFUL;
}

static void
nebula_file_delete_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaFileDelete *self = (NebulaFileDelete *) object;

  switch (id) {
  case PROP_PATH:
    g_free (self->path);
    self->path = g_value_dup_string (value);
    break;
  case PROP_MISSING_OK:
    self->missing_ok = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_delete_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaFileDelete *self = (NebulaFileDelete *) object;

  switch (id) {
  case PROP_PATH:
    g_value_set_string (value, self->path);
    break;
  case PROP_MISSING_OK:
    g_value_set_boolean (value, self->missing_ok);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_delete_finalize (GObject *object)
{
  g_free (((NebulaFileDelete *) object)->path);

  G_OBJECT_CLASS (nebula_file_delete_parent_class)->finalize (object);
}

static void
nebula_file_delete_class_init (NebulaFileDeleteClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *path;

  object->set_property = nebula_file_delete_set_property;
  object->get_property = nebula_file_delete_get_property;
  object->finalize = nebula_file_delete_finalize;
  action->get_effect = nebula_file_delete_get_effect;
  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_file_delete_run;

  props[PROP_PATH] = g_param_spec_string ("path", N_ ("Path"), N_ ("The file, link or empty folder that is removed."), NULL, flags);
  props[PROP_MISSING_OK] = g_param_spec_boolean ("missing-ok", N_ ("May be missing"), N_ ("Takes it as done if there is no such file."),
                                                 FALSE, flags);
  g_object_class_install_properties (object, N_PROPS, props);

  path = nebula_action_class_describe (action, "path");
  nebula_parameter_set_kind (path, NEBULA_PARAMETER_KIND_FILE);
  nebula_parameter_add_flags (path, NEBULA_PARAMETER_FLAGS_REQUIRED);
  nebula_action_class_set_details (action, "file.delete", "1.0.0", N_ ("Delete a file"),
                                   N_ ("Removes a file, a link or an empty folder."), N_ ("Files"));
  nebula_action_class_add_capability (action, "files");
  nebula_action_class_set_example (action, "action: file.delete\n"
                                           "with: { path: report.tmp, missing-ok: true }\n");
}

static void
nebula_file_delete_init (NebulaFileDelete *self)
{
}
