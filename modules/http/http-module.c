/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "http-private.h"

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_module_registrar_add_action (registrar, nebula_http_request_get_type ());
}

NEBULA_DEFINE_MODULE (http, "1.0.0", N_ ("HTTP"), register_types)
