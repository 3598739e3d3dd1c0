/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-service-host.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_SERVICE (nebula_service_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaService, nebula_service, NEBULA, SERVICE, GObject)

/**
 * NebulaServiceClass:
 * @name: what it is called in options and logs; set with nebula_service_class_set_details()
 * @title: its name for people
 * @start: begins; blocks until it is ready. FALSE with @error
 * @drain: takes nothing new, and calls nebula_service_set_drained() when what runs has ended; may be %NULL
 * @stop: ends at once; what still runs is dropped
 *
 * A part of the server. It has a thread with a main context of its own, in which all three are called.
 */
struct _NebulaServiceClass
{
  GObjectClass parent_class;

  const char *name;
  const char *title;

  gboolean (*start) (NebulaService *self, GError **error);
  void (*drain) (NebulaService *self);
  void (*stop) (NebulaService *self);

  gpointer _reserved[8];
};

NEBULA_API void nebula_service_class_set_details (NebulaServiceClass *klass, const char *name, const char *title);
NEBULA_API const char *nebula_service_get_name (NebulaService *self);
NEBULA_API NebulaServiceHost *nebula_service_get_host (NebulaService *self);
/* For the service itself. */
NEBULA_API void nebula_service_add_address (NebulaService *self, const char *address);
NEBULA_API void nebula_service_set_drained (NebulaService *self);
/* For whoever runs it, in the service's thread. */
NEBULA_API gboolean nebula_service_attach (NebulaService *self, NebulaServiceHost *host, GError **error);
NEBULA_API void nebula_service_drain (NebulaService *self);
NEBULA_API void nebula_service_stop (NebulaService *self);
/* Thread: any. */
NEBULA_API char **nebula_service_list_addresses (NebulaService *self);

G_END_DECLS
