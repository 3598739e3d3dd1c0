/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "time-private.h"

#include <glib/gi18n-lib.h>

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_module_registrar_add_action (registrar, nebula_time_now_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_time_format_get_type ());
}

NEBULA_DEFINE_MODULE (time, "1.0.0", N_ ("Time"), register_types)
