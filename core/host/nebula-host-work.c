/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-host-work-private.h"

enum {
  WORK_ACTION,
  WORK_VERSION,
  WORK_PARAMETERS,
  WORK_INPUT,
  WORK_WANTS_BEGUN,
  WORK_ABOUT,
  WORK_LENGTH,
};

enum {
  ABOUT_EXECUTION,
  ABOUT_WORKFLOW,
  ABOUT_NODE,
  ABOUT_TENANT,
  ABOUT_KEY,
  ABOUT_DIRECTORY,
  ABOUT_ATTEMPT,
  ABOUT_DEADLINE,
  ABOUT_LENGTH,
};

static void
add_text (NebulaValueBuilder *builder, const char *text)
{
  nebula_value_builder_add_take (builder, text != NULL ? nebula_value_new_string (text)
                                                       : nebula_value_new_null ());
}

static NebulaValue *
write_about (NebulaInvocation *invocation)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  add_text (builder, nebula_invocation_get_execution_id (invocation));
  add_text (builder, nebula_invocation_get_workflow (invocation));
  add_text (builder, nebula_invocation_get_node_id (invocation));
  add_text (builder, nebula_invocation_get_tenant (invocation));
  add_text (builder, nebula_invocation_get_idempotency_key (invocation));
  add_text (builder, nebula_invocation_get_directory (invocation));
  nebula_value_builder_add_take (
      builder, nebula_value_new_integer (nebula_invocation_get_attempt (invocation)));
  nebula_value_builder_add_take (
      builder,
      nebula_value_new_integer (nebula_invocation_get_deadline_usec (invocation)));
  return nebula_value_builder_end (builder);
}

/* The engine gives a key to whatever it does not take for pure or reading, whatever the class says. */
gboolean
_nebula_host_work_is_free (NebulaInvocation *invocation, NebulaActionInfo *info)
{
  NebulaEffect effect = nebula_action_info_get_effect (info);

  return (effect == NEBULA_EFFECT_PURE || effect == NEBULA_EFFECT_READ) &&
         nebula_invocation_get_idempotency_key (invocation) == NULL;
}

NebulaValue *
_nebula_host_work_write (NebulaInvocation *invocation,
                         NebulaActionInfo *info,
                         NebulaValue *parameters)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  add_text (builder, nebula_action_info_get_id (info));
  add_text (builder, nebula_action_info_get_version (info));
  nebula_value_builder_add (builder, parameters);
  nebula_value_builder_add (builder, nebula_invocation_get_input (invocation));
  nebula_value_builder_add_take (
      builder, nebula_value_new_boolean (!_nebula_host_work_is_free (invocation, info)));
  nebula_value_builder_add_take (builder, write_about (invocation));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
write_about_nothing (void)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; i < ABOUT_LENGTH; i++)
    add_text (builder, NULL);
  return nebula_value_builder_end (builder);
}

NebulaValue *
_nebula_host_work_write_call (const char *name, NebulaValue *arguments)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  add_text (builder, name);
  add_text (builder, NULL);
  nebula_value_builder_add_take (builder, nebula_value_new_empty_object ());
  nebula_value_builder_add (builder, arguments);
  nebula_value_builder_add_take (builder, nebula_value_new_boolean (FALSE));
  nebula_value_builder_add_take (builder, write_about_nothing ());
  return nebula_value_builder_end (builder);
}

static gboolean
is_array (NebulaValue *value, gsize length)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY &&
         nebula_value_get_length (value) == length;
}

static const char *
get_text (NebulaValue *array, gsize index)
{
  NebulaValue *item = nebula_value_get_item (array, index);

  return nebula_value_get_kind (item) == NEBULA_VALUE_KIND_STRING
             ? nebula_value_get_string (item)
             : NULL;
}

static gint64
get_number (NebulaValue *array, gsize index)
{
  NebulaValue *item = nebula_value_get_item (array, index);

  return nebula_value_get_kind (item) == NEBULA_VALUE_KIND_INTEGER
             ? nebula_value_get_integer (item)
             : 0;
}

static gboolean
read_about (NebulaInvocationInfo *info, NebulaValue *about)
{
  if (!is_array (about, ABOUT_LENGTH))
    return FALSE;
  info->execution_id = get_text (about, ABOUT_EXECUTION);
  info->workflow = get_text (about, ABOUT_WORKFLOW);
  info->node_id = get_text (about, ABOUT_NODE);
  info->tenant = get_text (about, ABOUT_TENANT);
  info->idempotency_key = get_text (about, ABOUT_KEY);
  info->directory = get_text (about, ABOUT_DIRECTORY);
  info->attempt = (guint) get_number (about, ABOUT_ATTEMPT);
  info->deadline_usec = get_number (about, ABOUT_DEADLINE);
  return TRUE;
}

gboolean
_nebula_host_work_read (NebulaHostWork *self, NebulaValue *payload)
{
  NebulaValue *begun;

  *self = (NebulaHostWork){0};
  if (!is_array (payload, WORK_LENGTH))
    return FALSE;
  self->action = get_text (payload, WORK_ACTION);
  self->version = get_text (payload, WORK_VERSION);
  self->parameters = nebula_value_get_item (payload, WORK_PARAMETERS);
  self->input = nebula_value_get_item (payload, WORK_INPUT);
  begun = nebula_value_get_item (payload, WORK_WANTS_BEGUN);
  self->wants_begun = nebula_value_get_kind (begun) == NEBULA_VALUE_KIND_BOOLEAN &&
                      nebula_value_get_boolean (begun);
  if (self->action == NULL ||
      nebula_value_get_kind (self->parameters) != NEBULA_VALUE_KIND_OBJECT ||
      !read_about (&self->info, nebula_value_get_item (payload, WORK_ABOUT)))
    return FALSE;
  self->info.action_id = self->action;
  self->payload = nebula_value_ref (payload);
  return TRUE;
}

void
_nebula_host_work_clear (NebulaHostWork *self)
{
  g_clear_pointer (&self->payload, nebula_value_unref);
}

NebulaValue *
_nebula_host_result_write (NebulaResult *result)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  nebula_value_builder_add_take (
      builder, nebula_value_new_integer (nebula_result_get_kind (result)));
  add_text (builder, nebula_result_get_port (result));
  nebula_value_builder_add (builder, nebula_result_get_value (result));
  nebula_value_builder_add_take (
      builder, nebula_value_new_integer (nebula_result_get_delay_usec (result)));
  return nebula_value_builder_end (builder);
}

static gboolean
is_code (const char *text)
{
  gsize length = strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789-");

  return length > 0 && length <= 64 && text[length] == '\0';
}

/* What a failure must have, whatever else a host puts into it. */
static gboolean
is_failure (NebulaValue *value)
{
  static const char *const classes[] = {"terminal", "retry", "throttle", "cancelled",
                                        NULL};

  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT &&
         is_code (nebula_value_get_member_string (value, "code", "")) &&
         nebula_value_get_member_string (value, "message", NULL) != NULL &&
         g_strv_contains (classes, nebula_value_get_member_string (value, "retry", ""));
}

NebulaResult *
_nebula_host_result_read (NebulaValue *payload, GError **error)
{
  NebulaResultKind kind = (NebulaResultKind) get_number (payload, 0);
  NebulaValue *value = nebula_value_get_item (payload, 2);
  gboolean is_good = TRUE;

  if (kind == NEBULA_RESULT_KIND_FAILURE)
    is_good = is_failure (value);
  else if (kind == NEBULA_RESULT_KIND_MULTI)
    is_good = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
  if (is_good)
    return nebula_result_new (kind, get_text (payload, 1), value,
                              get_number (payload, 3));
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                       _ ("A result that is none is refused."));
  return NULL;
}
