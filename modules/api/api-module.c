/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib/gi18n-lib.h>

#include <nebula/nebula-sdk.h>

GType nebula_api_service_get_type (void);

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_module_registrar_add_service (registrar, nebula_api_service_get_type ());
}

NEBULA_DEFINE_MODULE (api, "1.0.0", N_ ("REST API"), register_types)
