/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-options-private.h"

void
_nebula_options_refuse (NebulaOptions *self, const char *name)
{
  if (!self->failed)
    g_set_error (
        self->error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
        /* TRANSLATORS: the name of an option and of the thing that has it */
        _ ("The option “%s” of “%s” does not exist or has a value that it cannot have."),
        name, self->what);
  self->failed = TRUE;
}

void
_nebula_options_init (NebulaOptions *self,
                      NebulaValue *object,
                      const char *what,
                      const char *const *names,
                      GError **error)
{
  *self = (NebulaOptions){object, what, error, FALSE};
  if (!object)
    return;
  if (nebula_value_get_kind (object) != NEBULA_VALUE_KIND_OBJECT) {
    _nebula_options_refuse (self, what);
    self->object = NULL;
    return;
  }
  for (gsize i = 0; i < nebula_value_get_length (object); i++)
    if (!g_strv_contains (names, nebula_value_get_key (object, i, NULL)))
      _nebula_options_refuse (self, nebula_value_get_key (object, i, NULL));
}

static NebulaValue *
get_member (NebulaOptions *self, const char *name)
{
  return self->object ? nebula_value_get_member (self->object, name) : NULL;
}

gint64
_nebula_options_count (NebulaOptions *self,
                       const char *name,
                       gint64 fallback,
                       gint64 least,
                       gint64 most)
{
  NebulaValue *member = get_member (self, name);

  if (!member)
    return fallback;
  if (nebula_value_get_kind (member) != NEBULA_VALUE_KIND_INTEGER ||
      nebula_value_get_integer (member) < least ||
      nebula_value_get_integer (member) > most) {
    _nebula_options_refuse (self, name);
    return fallback;
  }
  return nebula_value_get_integer (member);
}

double
_nebula_options_number (NebulaOptions *self,
                        const char *name,
                        double fallback,
                        double least,
                        double most)
{
  NebulaValue *member = get_member (self, name);

  if (!member)
    return fallback;
  if (!nebula_value_is_number (member) || nebula_value_get_float (member) < least ||
      nebula_value_get_float (member) > most) {
    _nebula_options_refuse (self, name);
    return fallback;
  }
  return nebula_value_get_float (member);
}

gint64
_nebula_options_duration (NebulaOptions *self,
                          const char *name,
                          gint64 fallback,
                          gint64 least)
{
  NebulaValue *member = get_member (self, name);
  gint64 usec;

  if (!member)
    return fallback;
  if (nebula_value_get_kind (member) != NEBULA_VALUE_KIND_STRING ||
      !nebula_duration_parse (nebula_value_get_string (member), &usec, NULL) ||
      usec < least) {
    _nebula_options_refuse (self, name);
    return fallback;
  }
  return usec;
}

gboolean
_nebula_options_boolean (NebulaOptions *self, const char *name, gboolean fallback)
{
  NebulaValue *member = get_member (self, name);

  if (member && nebula_value_get_kind (member) != NEBULA_VALUE_KIND_BOOLEAN)
    _nebula_options_refuse (self, name);
  return member && nebula_value_get_kind (member) == NEBULA_VALUE_KIND_BOOLEAN
             ? nebula_value_get_boolean (member)
             : fallback;
}

guint
_nebula_options_choice (NebulaOptions *self,
                        const char *name,
                        guint fallback,
                        const char *const *choices)
{
  NebulaValue *member = get_member (self, name);

  if (!member)
    return fallback;
  for (guint i = 0;
       nebula_value_get_kind (member) == NEBULA_VALUE_KIND_STRING && choices[i]; i++)
    if (strcmp (choices[i], nebula_value_get_string (member)) == 0)
      return i;
  _nebula_options_refuse (self, name);
  return fallback;
}
