/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#define MAX_ENTRIES 100000

typedef struct
{
  NebulaSimpleAction parent_instance;

  char *path;
  char *pattern;
  gboolean recursive;
} NebulaFileList;

typedef struct
{
  NebulaSimpleActionClass parent_class;
} NebulaFileListClass;

enum
{
  PROP_PATH = 1,
  PROP_PATTERN,
  PROP_RECURSIVE,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaFileList, nebula_file_list, NEBULA_TYPE_SIMPLE_ACTION)

typedef struct
{
  char *relative; /* path below the listed folder */
  struct stat info;
} Entry;

typedef struct
{
  NebulaFileList *action;
  const char *full;    /* the listed folder */
  GPtrArray *entries;  /* Entry */
  GPtrArray *folders;  /* relative paths still to be read; NULL stands for the listed folder itself */
} Listing;

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->relative);
  g_free (entry);
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *const *left = a;
  const Entry *const *right = b;

  return strcmp ((*left)->relative, (*right)->relative);
}

/* A pattern with a slash is for the path below the folder, one without for the name. */
static gboolean
is_wanted (NebulaFileList *self, const char *relative, const char *name)
{
  if (self->pattern == NULL)
    return TRUE;
  if (strchr (self->pattern, '/') != NULL)
    return fnmatch (self->pattern, relative, FNM_PATHNAME) == 0;
  return fnmatch (self->pattern, name, 0) == 0;
}

static gboolean
add_entry (Listing *listing, DIR *folder, const char *below, const char *name, GError **error)
{
  NebulaFileList *self = listing->action;
  g_autofree char *relative = below != NULL ? g_build_filename (below, name, NULL) : g_strdup (name);
  struct stat info;
  Entry *entry;

  if (fstatat (dirfd (folder), name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT || _nebula_file_set_error (error, errno, self->path); /* it went away meanwhile */
  if (self->recursive && S_ISDIR (info.st_mode))
    g_ptr_array_add (listing->folders, g_strdup (relative));
  if (!is_wanted (self, relative, name))
    return TRUE;
  if (listing->entries->len >= MAX_ENTRIES) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                 _("“%s” holds more than %d files. Narrow the list with a pattern"), self->path, MAX_ENTRIES);
    return FALSE;
  }

  entry = g_new0 (Entry, 1);
  entry->relative = g_steal_pointer (&relative);
  entry->info = info;
  g_ptr_array_add (listing->entries, entry);
  return TRUE;
}

static gboolean
read_folder (Listing *listing, DIR *folder, const char *below, GError **error)
{
  for (;;) {
    struct dirent *item;

    errno = 0;
    item = readdir (folder);
    if (item == NULL)
      return errno == 0 || _nebula_file_set_error (error, errno, listing->action->path);
    if (strcmp (item->d_name, ".") == 0 || strcmp (item->d_name, "..") == 0)
      continue;
    if (!add_entry (listing, folder, below, item->d_name, error))
      return FALSE;
  }
}

static gboolean
set_folder_error (Listing *listing, const char *below, int number, GError **error)
{
  g_autofree char *path = g_build_filename (listing->action->path, below, NULL);

  return _nebula_file_set_error (error, number, path);
}

static gboolean
list_folder (Listing *listing, const char *below, GError **error)
{
  g_autofree char *full = g_build_filename (listing->full, below, NULL);
  DIR *folder = opendir (full);
  gboolean is_read;

  if (folder == NULL)
    return (below != NULL && errno == ENOENT) || set_folder_error (listing, below, errno, error);
  is_read = read_folder (listing, folder, below, error);
  closedir (folder);
  return is_read;
}

static const char *
name_type (mode_t mode)
{
  if (S_ISREG (mode))
    return "file";
  if (S_ISDIR (mode))
    return "folder";
  return S_ISLNK (mode) ? "link" : "other";
}

/* Names that are no UTF-8 are shown as well as can be, and have no path that could be used. */
static NebulaValue *
describe_entry (NebulaFileList *self, const Entry *entry)
{
  g_autoptr (NebulaValueBuilder) object = nebula_value_builder_new_object ();
  g_autofree char *base = g_path_get_basename (entry->relative);
  g_autofree char *name = g_utf8_make_valid (base, -1);
  g_autofree char *path = g_build_filename (self->path, entry->relative, NULL);
  gint64 modified = (gint64) entry->info.st_mtim.tv_sec * G_USEC_PER_SEC + entry->info.st_mtim.tv_nsec / 1000;

  nebula_value_builder_set_string (object, "name", name);
  nebula_value_builder_set_string (object, "path", g_utf8_validate (path, -1, NULL) ? path : NULL);
  nebula_value_builder_set_integer (object, "size", entry->info.st_size);
  nebula_value_builder_set_take (object, "modified", nebula_value_new_timestamp (modified, 0));
  nebula_value_builder_set_string (object, "type", name_type (entry->info.st_mode));
  return nebula_value_builder_end (object);
}

static NebulaValue *
nebula_file_list_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaFileList *self = (NebulaFileList *) action;
  g_autofree char *full = _nebula_file_resolve (invocation, self->path);
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (entry_free);
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (NebulaValueBuilder) result = nebula_value_builder_new_array ();
  Listing listing = { self, full, entries, folders };

  g_ptr_array_add (folders, NULL);
  while (folders->len > 0) {
    g_autofree char *below = g_ptr_array_steal_index_fast (folders, folders->len - 1);

    if (g_cancellable_set_error_if_cancelled (cancellable, error) || !list_folder (&listing, below, error))
      return NULL;
  }

  g_ptr_array_sort (entries, compare_entries);
  for (guint i = 0; i < entries->len; i++)
    nebula_value_builder_add_take (result, describe_entry (self, g_ptr_array_index (entries, i)));
  return nebula_value_builder_end (result);
}

static void
nebula_file_list_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaFileList *self = (NebulaFileList *) object;

  switch (id) {
  case PROP_PATH:
    g_free (self->path);
    self->path = g_value_dup_string (value);
    break;
  case PROP_PATTERN:
    g_free (self->pattern);
    self->pattern = g_value_dup_string (value);
    break;
  case PROP_RECURSIVE:
    self->recursive = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_list_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaFileList *self = (NebulaFileList *) object;

  switch (id) {
  case PROP_PATH:
    g_value_set_string (value, self->path);
    break;
  case PROP_PATTERN:
    g_value_set_string (value, self->pattern);
    break;
  case PROP_RECURSIVE:
    g_value_set_boolean (value, self->recursive);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_list_finalize (GObject *object)
{
  NebulaFileList *self = (NebulaFileList *) object;

  g_free (self->path);
  g_free (self->pattern);

  G_OBJECT_CLASS (nebula_file_list_parent_class)->finalize (object);
}

static void
describe_parameters (NebulaActionClass *action)
{
  NebulaParameter *parameter;

  parameter = nebula_action_class_describe (action, "path");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_FILE);
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
  parameter = nebula_action_class_describe (action, "pattern");
  nebula_parameter_set_length (parameter, 1, NEBULA_LIMIT_NAME_BYTES);
  nebula_parameter_set_placeholder (parameter, "*.csv");
}

static void
nebula_file_list_class_init (NebulaFileListClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  object->set_property = nebula_file_list_set_property;
  object->get_property = nebula_file_list_get_property;
  object->finalize = nebula_file_list_finalize;
  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_file_list_run;

  props[PROP_PATH] = g_param_spec_string ("path", N_ ("Folder"), N_ ("The folder; a relative path starts at the workflow's folder."),
                                          NULL, flags);
  props[PROP_PATTERN] = g_param_spec_string ("pattern", N_ ("Pattern"), N_ ("Only names that it fits, with * ? and […]; with a slash it is for the path below the folder."),
                                             NULL, flags);
  props[PROP_RECURSIVE] = g_param_spec_boolean ("recursive", N_ ("With folders inside"), N_ ("Lists the folders inside too, but follows no links."),
                                                FALSE, flags);
  g_object_class_install_properties (object, N_PROPS, props);

  describe_parameters (action);
  nebula_action_class_set_details (action, "file.list", "1.0.0", N_ ("List files"),
                                   N_ ("Gives the files of a folder, sorted by path: name, path, size, modified and type (file, folder, link, other)."),
                                   N_ ("Files"));
  nebula_action_class_set_effect (action, NEBULA_EFFECT_READ);
  nebula_action_class_add_capability (action, "files");
  nebula_action_class_set_example (action, "action: file.list\n"
                                           "with: { path: inbox, pattern: \"*.csv\" }\n");
}

static void
nebula_file_list_init (NebulaFileList *self)
{
}
