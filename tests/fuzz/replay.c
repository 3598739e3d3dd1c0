/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replays a corpus: gives every file of the folders named on the command line to the fuzz target. */

#include <gio/gio.h>

#include "fuzz.h"

static gboolean
replay_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, &error)) {
    g_printerr ("%s\n", error->message);
    return FALSE;
  }
  /* A crash must name its input, so the name comes first. */
  g_printerr ("%s\n", path);
  LLVMFuzzerTestOneInput ((const guint8 *) text, length);
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

/* Files of one folder; -1 if one cannot be read. */
static gint
replay_folder (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL) {
    g_printerr ("%s\n", error->message);
    return -1;
  }
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);

  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);

    if (!replay_file (path))
      return -1;
  }
  return (gint) names->len;
}

int
main (int argc, char **argv)
{
  gint n_files = 0;

  for (int i = 1; i < argc; i++) {
    gint n = replay_folder (argv[i]);

    if (n < 0)
      return 1;
    n_files += n;
  }
  /* An empty corpus proves nothing. */
  if (n_files == 0) {
    g_printerr ("There is nothing to replay.\n");
    return 1;
  }
  g_print ("%d passed, 0 failed\n", n_files);
  return 0;
}
