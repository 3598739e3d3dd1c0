/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-private.h"

#include <glib/gi18n-lib.h>

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_module_registrar_add_action (registrar, nebula_file_read_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_file_write_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_file_list_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_file_move_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_file_delete_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_file_compress_get_type ());
  nebula_module_registrar_add_action (registrar, nebula_file_decompress_get_type ());
}

NEBULA_DEFINE_MODULE (file, "1.0.0", N_ ("Files"), register_types)
