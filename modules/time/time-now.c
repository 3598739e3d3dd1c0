/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "time-private.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  NebulaAction parent_instance;

  char *timezone;
} NebulaTimeNow;

typedef struct
{
  NebulaActionClass parent_class;
} NebulaTimeNowClass;

enum
{
  PROP_TIMEZONE = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaTimeNow, nebula_time_now, NEBULA_TYPE_ACTION)

static void
nebula_time_now_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  NebulaTimeNow *self = (NebulaTimeNow *) action;
  gint64 now = g_get_real_time ();
  g_autoptr (GTimeZone) zone = NULL;
  g_autoptr (GDateTime) local = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GError) error = NULL;

  zone = _nebula_time_zone_new (self->timezone, &error);
  if (zone != NULL)
    local = _nebula_time_in_zone (now, zone, &error);
  if (local == NULL) {
    nebula_invocation_return_error (invocation, error);
    return;
  }

  value = nebula_value_new_timestamp (now, (int) (g_date_time_get_utc_offset (local) / G_USEC_PER_SEC));
  nebula_invocation_return_value (invocation, value);
}

static void
nebula_time_now_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaTimeNow *self = (NebulaTimeNow *) object;

  switch (id) {
  case PROP_TIMEZONE:
    g_free (self->timezone);
    self->timezone = g_value_dup_string (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_time_now_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaTimeNow *self = (NebulaTimeNow *) object;

  switch (id) {
  case PROP_TIMEZONE:
    g_value_set_string (value, self->timezone);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_time_now_finalize (GObject *object)
{
  g_free (((NebulaTimeNow *) object)->timezone);

  G_OBJECT_CLASS (nebula_time_now_parent_class)->finalize (object);
}

static void
nebula_time_now_class_init (NebulaTimeNowClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  object->set_property = nebula_time_now_set_property;
  object->get_property = nebula_time_now_get_property;
  object->finalize = nebula_time_now_finalize;
  action->invoke = nebula_time_now_invoke;

  props[PROP_TIMEZONE] = g_param_spec_string ("timezone", N_ ("Time zone"),
                                              N_ ("Zone that the time is written in, such as “Europe/Rome” or “+02:00”."),
                                              "UTC", G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object, N_PROPS, props);

  nebula_action_class_set_details (action, "time.now", "1.0.0", N_ ("Now"),
                                   N_ ("Gives the time of the clock when the node runs."), N_ ("Time"));
  nebula_action_class_set_effect (action, NEBULA_EFFECT_READ);
  nebula_action_class_set_example (action, "action: time.now\n"
                                           "with: { timezone: Europe/Rome }\n");
}

static void
nebula_time_now_init (NebulaTimeNow *self)
{
}
