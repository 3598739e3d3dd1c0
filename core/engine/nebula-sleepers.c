/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Waiting executions that are not in memory: an id and a place in the heap of wakes, nothing else. They live in blocks
 * of their own, so that the memory of the instances that they were is not held by a few bytes on each of its pages.
 */

#include <malloc.h>
#include <string.h>

#include "nebula-engine-private.h"

#define BLOCK_LENGTH 1024
#define TRIM_AFTER 1000

static void
grow (NebulaEngine *engine)
{
  NebulaSleeper *block = g_new0 (NebulaSleeper, BLOCK_LENGTH);

  g_ptr_array_add (engine->sleeper_blocks, block);
  for (guint i = BLOCK_LENGTH; i > 0; i--) {
    block[i - 1].next_free = engine->free_sleepers;
    engine->free_sleepers = &block[i - 1];
  }
}

void
_nebula_sleepers_init (NebulaEngine *engine)
{
  engine->sleepers = g_hash_table_new (g_str_hash, g_str_equal);
  engine->sleeper_blocks = g_ptr_array_new_with_free_func (g_free);
}

void
_nebula_sleepers_clear (NebulaEngine *engine)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->sleepers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_free (((NebulaSleeper *) value)->long_id);
  g_hash_table_unref (engine->sleepers);
  g_ptr_array_unref (engine->sleeper_blocks);
}

static void
trim (gpointer data)
{
  malloc_trim (0);
}

/* Many instances left memory: their pages go back to the system once, when the last of them is gone. That may take many
 * milliseconds, so it is not done here. */
static void
give_back (NebulaEngine *engine)
{
  if (++engine->n_slept < TRIM_AFTER || g_hash_table_size (engine->instances) > 0)
    return;
  engine->n_slept = 0;
  nebula_executor_push (engine->readers, trim, NULL);
}

void
_nebula_sleepers_add (NebulaEngine *engine, const char *id, gint64 wake_usec)
{
  NebulaSleeper *sleeper;

  if (!engine->free_sleepers)
    grow (engine);
  sleeper = engine->free_sleepers;
  engine->free_sleepers = sleeper->next_free;
  sleeper->next_free = NULL;
  sleeper->wake.is_sleeper = TRUE;
  if (strlen (id) < sizeof sleeper->short_id)
    g_strlcpy (sleeper->short_id, id, sizeof sleeper->short_id);
  else
    sleeper->long_id = g_strdup (id);
  g_hash_table_insert (engine->sleepers, (gpointer) _nebula_sleeper_get_id (sleeper), sleeper);
  _nebula_scheduler_set_wake (engine, &sleeper->wake, wake_usec);
  give_back (engine);
}

void
_nebula_sleepers_remove (NebulaEngine *engine, NebulaSleeper *sleeper)
{
  nebula_heap_remove (&engine->wakes, &sleeper->wake.entry);
  g_hash_table_remove (engine->sleepers, _nebula_sleeper_get_id (sleeper));
  g_clear_pointer (&sleeper->long_id, g_free);
  sleeper->next_free = engine->free_sleepers;
  engine->free_sleepers = sleeper;
}

const char *
_nebula_sleeper_get_id (NebulaSleeper *sleeper)
{
  return sleeper->long_id ? sleeper->long_id : sleeper->short_id;
}
