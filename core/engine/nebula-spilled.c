/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values that are too large for facts: read from the store when the kernel asks, written with the unit of their facts. */

#include "nebula-engine-private.h"

static GBytes *
read_blob (const char *digest, gboolean may_block, gpointer data, GError **error)
{
  NebulaInstance *instance = data;

  if (!may_block) {
    g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "The store must be asked.");
    return NULL;
  }
  return nebula_store_read_blob (instance->engine->store, digest, error);
}

NebulaKernelHost
_nebula_spilled_make_host (NebulaInstance *instance)
{
  return (NebulaKernelHost){
      .get_effect = _nebula_runner_get_effect,
      .recorded = _nebula_narrator_recorded,
      .data = instance,
      .read_blob = read_blob,
      .cache = instance->engine->blobs,
      .find_workflow = _nebula_children_find_workflow,
      .make_secret = _nebula_children_make_secret,
  };
}

void
_nebula_spilled_attach (NebulaInstance *instance, NebulaUnit *unit)
{
  unit->blobs = nebula_kernel_take_blobs (instance->kernel);
  unit->blob_uses = nebula_kernel_take_blob_uses (instance->kernel);
}

void
_nebula_spilled_release (NebulaEngine *engine, const NebulaUnit *unit)
{
  for (guint i = 0; unit->blobs && i < unit->blobs->len; i++)
    nebula_blob_cache_release (engine->blobs, unit->blobs->pdata[i]);
}

gsize
_nebula_spilled_get_size (const NebulaUnit *unit)
{
  gsize size = unit->facts ? g_bytes_get_size (unit->facts) : 0;

  for (guint i = 0; unit->blobs && i < unit->blobs->len; i++)
    size += g_bytes_get_size (((NebulaBlob *) unit->blobs->pdata[i])->bytes);
  return size;
}
