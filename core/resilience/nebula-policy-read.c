/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-options-private.h"
#include "nebula-patch.h"
#include "nebula-policy-private.h"

static const struct {
  const char *name;
  const char *options;
} presets[] = {
    {"database",
     "{\"retry\":{\"attempts\":3,\"initial\":\"50ms\",\"max\":\"2s\",\"jitter\":\"equal\"},"
     "\"breaker\":{\"failures\":10,\"open\":\"10s\"},"
     "\"bulkhead\":{\"permits\":20,\"queue\":200,\"wait\":\"5s\"},"
     "\"timeout\":\"10s\",\"total-timeout\":\"30s\"}"},
    {"http-api",
     "{\"retry\":{\"attempts\":4,\"initial\":\"200ms\",\"max\":\"10s\",\"jitter\":\"full\"},"
     "\"breaker\":{\"failures\":5,\"rate\":0.5,\"window\":\"60s\",\"open\":\"30s\"},"
     "\"timeout\":\"30s\",\"total-timeout\":\"2m\"}"},
    {"file",
     "{\"retry\":{\"attempts\":3,\"backoff\":\"fixed\",\"initial\":\"100ms\"},\"timeout\":\"1m\"}"},
    {"long-running",
     "{\"retry\":{\"attempts\":2,\"backoff\":\"fixed\",\"initial\":\"10s\"},"
     "\"bulkhead\":{\"permits\":4,\"queue\":100},\"timeout\":\"1h\"}"},
    {"critical",
     "{\"retry\":{\"attempts\":10,\"backoff\":\"fibonacci\",\"initial\":\"500ms\",\"max\":\"1m\","
     "\"jitter\":\"equal\",\"budget\":\"10m\"},"
     "\"breaker\":{\"failures\":10,\"permits\":3,\"open\":\"15s\"},"
     "\"timeout\":\"30s\",\"total-timeout\":\"15m\"}"},
};

/**
 * nebula_policy_list_presets:
 *
 * Lists the policies that are ready made.
 *
 * Returns: (transfer full): their names
 *
 * Since: 1.0
 */
GStrv
nebula_policy_list_presets (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (presets); i++)
    g_strv_builder_add (names, presets[i].name);
  return g_strv_builder_end (names);
}

static NebulaValue *
load_preset (NebulaValue *name, GError **error)
{
  gboolean is_text = nebula_value_get_kind (name) == NEBULA_VALUE_KIND_STRING;

  for (gsize i = 0; is_text && i < G_N_ELEMENTS (presets); i++)
    if (strcmp (presets[i].name, nebula_value_get_string (name)) == 0)
      return nebula_value_parse_json (presets[i].options, -1, NEBULA_JSON_FLAGS_NONE,
                                      error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _ ("There is no policy “%s”; there are database, http-api, file, "
                  "long-running and critical."),
               is_text ? nebula_value_get_string (name) : "");
  return NULL;
}

/**
 * nebula_policy_resolve_options:
 * @options: the name of a preset, or an object that may name one as `preset`
 * @error: where to put an error
 *
 * Lays options over those of their preset. What they hold is not checked.
 *
 * Thread: any.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal) if there is no such preset.
 *
 * Returns: (transfer full): an object without `preset`
 *
 * Since: 1.0
 */
NebulaValue *
nebula_policy_resolve_options (NebulaValue *options, GError **error)
{
  NebulaValue *preset = NULL;
  g_autoptr (NebulaValue) base = NULL;
  g_autoptr (NebulaValue) own = NULL;

  g_return_val_if_fail (options != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (nebula_value_get_kind (options) == NEBULA_VALUE_KIND_STRING)
    return load_preset (options, error);
  if (nebula_value_get_kind (options) == NEBULA_VALUE_KIND_OBJECT)
    preset = nebula_value_get_member (options, "preset");
  if (!preset)
    return nebula_value_ref (options);
  base = load_preset (preset, error);
  if (!base)
    return NULL;
  own = nebula_value_without_member (options, "preset");
  return nebula_value_merge (base, own, NEBULA_MERGE_FLAGS_NONE);
}

static void
read_hedge (NebulaPolicy *self, NebulaValue *options, NebulaOptions *outer)
{
  static const char *const names[] = {"after", "calls", NULL};
  NebulaOptions reader;

  _nebula_options_init (&reader, options, "hedge", names,
                        outer->failed ? NULL : outer->error);
  self->hedge_usec = _nebula_options_duration (&reader, "after", G_USEC_PER_SEC, 1000);
  self->hedge_calls = (guint) _nebula_options_count (&reader, "calls", 2, 2, 10);
  outer->failed |= reader.failed;
}

/* Parts that are objects of their own. */
static gboolean
read_parts (NebulaPolicy *self, NebulaOptions *reader, GError **error)
{
  NebulaValue *options = reader->object;
  NebulaValue *part;

  if ((part = nebula_value_get_member (options, "retry")) != NULL &&
      !(self->retry = nebula_retry_policy_new (part, error)))
    return FALSE;
  if ((part = nebula_value_get_member (options, "limit")) != NULL &&
      !(self->limiter = nebula_limiter_new (part, error)))
    return FALSE;
  if ((part = nebula_value_get_member (options, "breaker")) != NULL &&
      !(self->breaker = nebula_breaker_new (part, error)))
    return FALSE;
  if ((part = nebula_value_get_member (options, "bulkhead")) != NULL &&
      !(self->bulkhead = nebula_bulkhead_new (self->clock, part, error)))
    return FALSE;
  if ((part = nebula_value_get_member (options, "hedge")) != NULL)
    read_hedge (self, part, reader);
  if ((part = nebula_value_get_member (options, "fallback")) != NULL)
    self->fallback = nebula_value_ref (part);
  return !reader->failed;
}

gboolean
_nebula_policy_read (NebulaPolicy *self, NebulaValue *options, GError **error)
{
  static const char *const names[] = {"fallback", "shed",    "total-timeout", "retry",
                                      "limit",    "breaker", "bulkhead",      "timeout",
                                      "hedge",    NULL};
  g_autoptr (NebulaValue) resolved = nebula_policy_resolve_options (options, error);
  NebulaOptions reader;

  if (!resolved)
    return FALSE;
  _nebula_options_init (&reader, resolved, "policy", names, error);
  self->shed = (guint) _nebula_options_count (&reader, "shed", 0, 1, G_MAXINT32);
  self->total_timeout_usec = _nebula_options_duration (&reader, "total-timeout", 0, 1000);
  self->timeout_usec = _nebula_options_duration (&reader, "timeout", 0, 1000);
  return !reader.failed && read_parts (self, &reader, error);
}
