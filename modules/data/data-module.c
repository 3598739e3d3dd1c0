/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "data.h"

#include <glib/gi18n-lib.h>

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_module_registrar_add_action (registrar, nebula_data_set_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_template_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_filter_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_map_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_sort_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_limit_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_dedupe_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_group_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_aggregate_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_parse_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_data_format_get_type ());
}

NEBULA_DEFINE_MODULE (data, "1.0.0", N_ ("Data"), register_types)
