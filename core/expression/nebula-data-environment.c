/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An environment over one object of data: for the shell, for tests and for programs without an execution. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-clock.h"
#include "nebula-duration.h"
#include "nebula-expression-private.h"

static NebulaValue *
get_values (const NebulaEnvironment *environment)
{
  return ((const NebulaDataEnvironment *) environment)->values;
}

/* JSON has no timestamps, so the moment comes as text. */
static NebulaValue *
make_moment (NebulaValue *value)
{
  gint64 usec;
  int offset;

  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING &&
      nebula_timestamp_parse (nebula_value_get_string (value), &usec, &offset, NULL))
    return nebula_value_new_timestamp (usec, offset);
  return nebula_value_ref (value);
}

static NebulaValue *
make_today (NebulaValue *now)
{
  g_autoptr (NebulaValue) moment = make_moment (now);
  g_autoptr (GTimeZone) zone = NULL;
  g_autoptr (GDateTime) utc = NULL;
  g_autoptr (GDateTime) local = NULL;

  if (nebula_value_get_kind (moment) != NEBULA_VALUE_KIND_TIMESTAMP)
    return NULL;
  zone = g_time_zone_new_offset (nebula_value_get_offset_seconds (moment));
  utc = g_date_time_new_from_unix_utc (nebula_value_get_usec (moment) / G_USEC_PER_SEC);
  local = utc != NULL ? g_date_time_to_timezone (utc, zone) : NULL;
  if (local == NULL)
    return NULL;
  return nebula_value_new_date (g_date_time_get_year (local),
                                g_date_time_get_month (local),
                                g_date_time_get_day_of_month (local), NULL);
}

static NebulaValue *
data_get_variable (const NebulaEnvironment *environment, const char *name, GError **error)
{
  NebulaValue *values = get_values (environment);
  NebulaValue *now = nebula_value_get_member (values, "now");
  NebulaValue *value = nebula_value_get_member (values, name);

  if (value == NULL && strcmp (name, "json") == 0)
    value = nebula_value_get_member (values, "in");
  if (value == NULL && strcmp (name, "today") == 0 && now != NULL)
    return make_today (now);
  if (value == NULL)
    return NULL;
  return strcmp (name, "now") == 0 ? make_moment (value) : nebula_value_ref (value);
}

static NebulaValue *
find_entry (NebulaValue *values, const char *list, const char *id)
{
  NebulaValue *entries = nebula_value_get_member (values, list);
  NebulaValue *entry = NULL;

  if (entries != NULL && nebula_value_get_kind (entries) == NEBULA_VALUE_KIND_OBJECT)
    entry = nebula_value_get_member (entries, id);
  return entry != NULL && nebula_value_get_kind (entry) == NEBULA_VALUE_KIND_OBJECT
             ? entry
             : NULL;
}

static NebulaValue *
data_get_node (const NebulaEnvironment *environment,
               const char *id,
               NebulaNodeField field,
               GError **error)
{
  static const char *const fields[] = {"result", "status", "success", "error",
                                       "attempts"};
  NebulaValue *node = find_entry (get_values (environment), "nodes", id);
  NebulaValue *value;

  if (node == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME,
                 _ ("There is no node “%s” here"), id);
    return NULL;
  }
  value = nebula_value_get_member (node, fields[field]);
  if (value == NULL && field == NEBULA_NODE_FIELD_SUCCESS)
    return nebula_value_new_boolean (
        g_strcmp0 (nebula_value_get_member_string (node, "status", NULL), "completed") ==
        0);
  return value != NULL ? nebula_value_ref (value) : nebula_value_new_null ();
}

static NebulaValue *
data_get_loop (const NebulaEnvironment *environment,
               const char *loop_id,
               const char *field,
               GError **error)
{
  NebulaValue *loop = find_entry (get_values (environment), "loop", loop_id);
  NebulaValue *value = loop != NULL ? nebula_value_get_member (loop, field) : NULL;

  if (loop == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME,
                 _ ("There is no loop “%s” around this"), loop_id);
  else if (value == NULL)
    return nebula_value_new_null ();
  return value != NULL ? nebula_value_ref (value) : NULL;
}

static guint64
data_get_random (const NebulaEnvironment *environment, guint call_index)
{
  return nebula_clock_get_random (nebula_clock_get_system ());
}

void
_nebula_data_environment_init (NebulaDataEnvironment *self, NebulaValue *values)
{
  *self = (NebulaDataEnvironment){.values = values};
  self->parent.get_variable = data_get_variable;
  self->parent.get_node = data_get_node;
  self->parent.get_loop = data_get_loop;
  self->parent.get_random = data_get_random;
  self->parent.fuel = nebula_expression_limits_get ()->fuel;
}
