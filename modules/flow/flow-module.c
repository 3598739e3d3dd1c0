/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow.h"

#include <glib/gi18n-lib.h>

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_module_registrar_add_action (registrar, nebula_flow_if_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_switch_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_merge_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_no_op_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_log_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_for_each_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_repeat_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_while_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_wait_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_stop_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_fail_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_break_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_continue_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_try_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_race_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_cancel_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_add_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_call_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_flow_token_get_type ());
}

NEBULA_DEFINE_MODULE (flow, "1.0.0", N_ ("Control flow"), register_types)
