/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-log-sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "nebula-log-private.h"
#include "nebula-sync-internal.h"

/**
 * NebulaLogSink:
 *
 * Where log entries go. The log calls its sinks one after the other from one thread at a time.
 *
 * Thread: any, one at a time.
 *
 * Since: 1.0
 */
G_DEFINE_ABSTRACT_TYPE (NebulaLogSink, nebula_log_sink, G_TYPE_OBJECT)

static void
nebula_log_sink_class_init (NebulaLogSinkClass *klass)
{
}

static void
nebula_log_sink_init (NebulaLogSink *self)
{
}

/**
 * nebula_log_sink_write:
 * @self: a sink
 * @records: (array length=n_records): entries, oldest first
 * @n_records: how many
 * @error: where to put an error
 *
 * Writes entries. May block.
 *
 * Errors: any of the sink; entries that were not written are lost.
 *
 * Returns: whether all were written
 *
 * Since: 1.0
 */
gboolean
nebula_log_sink_write (NebulaLogSink *self,
                       NebulaLogRecord *const *records,
                       guint n_records,
                       GError **error)
{
  g_return_val_if_fail (NEBULA_IS_LOG_SINK (self), FALSE);
  g_return_val_if_fail (n_records == 0 || records != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return n_records == 0
         || NEBULA_LOG_SINK_GET_CLASS (self)->write (self, records, n_records, error);
}

gboolean
_nebula_log_write_all (int fd, const char *text, gsize length)
{
  gsize done = 0;

  while (done < length) {
    gssize written = write (fd, text + done, length - done);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return FALSE;
    done += (gsize) written;
  }
  return TRUE;
}

static GMutex lock;      /* guards the table */
static GHashTable *types; /* name → GType; what was loaded stays */

/**
 * nebula_log_sink_add_type:
 * @name: how settings name it, such as `elasticsearch`
 * @type: a type of sinks
 *
 * Tells the log of a kind of sink that a module brings; a module calls this where it registers its types. Settings go to
 * the sink as its properties.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_sink_add_type (const char *name, GType type)
{
  g_return_if_fail (name != NULL && g_type_is_a (type, NEBULA_TYPE_LOG_SINK));

  NEBULA_SYNC_AUTO (guard, &lock);
  if (!types)
    types = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (types, g_strdup (name), GSIZE_TO_POINTER (type));
}

/**
 * nebula_log_sink_find_type:
 * @name: a name
 *
 * Finds a kind of sink that a module has brought.
 *
 * Thread: any.
 *
 * Returns: the type, %G_TYPE_INVALID if there is none
 *
 * Since: 1.0
 */
GType
nebula_log_sink_find_type (const char *name)
{
  g_return_val_if_fail (name != NULL, G_TYPE_INVALID);

  NEBULA_SYNC_AUTO (guard, &lock);
  return types ? (GType) GPOINTER_TO_SIZE (g_hash_table_lookup (types, name)) : G_TYPE_INVALID;
}
