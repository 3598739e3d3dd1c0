/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process-private.h"

#include <glib/gi18n-lib.h>

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_module_registrar_add_action (registrar, nebula_process_run_get_type ());
}

NEBULA_DEFINE_MODULE (process, "1.0.0", N_ ("Programs"), register_types)
