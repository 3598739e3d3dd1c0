/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Users, tokens, and who asks. */

#include "nebula-server-private.h"

static void
ordered (NebulaValue *answer, const GError *error, gpointer user_data)
{
  g_autoptr (NebulaOperation) self = user_data;
  gboolean is_first =
      answer && g_strcmp0 (_nebula_operation_get (self, "op"), "set-up") == 0;

  if (answer)
    _nebula_operation_return (self, nebula_value_ref (answer), NULL);
  else
    _nebula_operation_return (self, NULL, g_error_copy (error));
  if (is_first)
    g_signal_emit_by_name (self->server, "set-up");
}

static void
order (NebulaOperation *self)
{
  _nebula_access_order (self->server->access, self->caller, self->request, ordered,
                        _nebula_operation_ref (self));
}

static NebulaValue *
list_users (NebulaOperation *self, GError **error)
{
  return _nebula_access_list_users (self->server->access, self->caller);
}

static NebulaValue *
list_tokens (NebulaOperation *self, GError **error)
{
  return _nebula_access_list_tokens (self->server->access, self->caller);
}

static NebulaValue *
list_permissions (const char *role)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  guint held = nebula_role_get_permissions (role);

  for (guint bit = 1; bit <= held && bit != 0; bit <<= 1)
    if (held & bit)
      nebula_value_builder_add_take (
          builder,
          nebula_value_new_string (nebula_permission_to_string ((NebulaPermission) bit)));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
list_roles (NebulaOperation *self, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (const char *const *role = nebula_role_list (); *role; role++) {
    g_autoptr (NebulaValueBuilder) each = nebula_value_builder_new_object ();

    nebula_value_builder_set_string (each, "role", *role);
    nebula_value_builder_set_take (each, "permissions", list_permissions (*role));
    nebula_value_builder_add_take (builder, nebula_value_builder_end (each));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
describe_self (NebulaOperation *self, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "user",
                                   nebula_caller_get_user (self->caller));
  nebula_value_builder_set_string (builder, "tenant",
                                   nebula_caller_get_tenant (self->caller));
  nebula_value_builder_set_string (builder, "role",
                                   nebula_caller_get_role (self->caller));
  nebula_value_builder_set_string (builder, "credential",
                                   nebula_caller_get_credential (self->caller));
  nebula_value_builder_set_take (
      builder, "permissions", list_permissions (nebula_caller_get_role (self->caller)));
  return nebula_value_builder_end (builder);
}

const NebulaOperationClass _nebula_operations_access[] = {
    {"set-up", NEBULA_PERMISSION_NONE, .begin = order},
    {"log-in", NEBULA_PERMISSION_NONE, .begin = order},
    {"self", NEBULA_PERMISSION_SELF, .now = describe_self},
    {"role-list", NEBULA_PERMISSION_SELF, .now = list_roles},
    {"user-list", NEBULA_PERMISSION_USER_MANAGE, .now = list_users},
    {"user-create", NEBULA_PERMISSION_USER_MANAGE, .begin = order},
    {"user-update", NEBULA_PERMISSION_USER_MANAGE, .begin = order},
    {"user-delete", NEBULA_PERMISSION_USER_MANAGE, .begin = order},
    {"token-list", NEBULA_PERMISSION_SELF, .now = list_tokens},
    {"token-create", NEBULA_PERMISSION_SELF, .begin = order},
    {"token-revoke", NEBULA_PERMISSION_SELF, .begin = order},
    {NULL, NEBULA_PERMISSION_NONE, NULL, NULL, NULL},
};
