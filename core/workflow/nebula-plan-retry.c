/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How often and when a node tries again: its own `retry`, or that of its policy. */


#include "nebula-duration.h"
#include "nebula-plan-builder-private.h"

/* A switch in `retry`, a name in a policy's. */
static NebulaJitter
read_jitter (NebulaValue *value)
{
  static const char *const jitters[] = { "none", "full", "equal", NULL };
  NebulaValue *jitter = _nebula_member (value, "jitter", NEBULA_VALUE_KIND_BOOLEAN);

  if (jitter)
    return nebula_value_get_boolean (jitter) ? NEBULA_JITTER_FULL : NEBULA_JITTER_NONE;
  return _nebula_choose_text (_nebula_member_text (value, "jitter"), jitters, NEBULA_JITTER_NONE);
}

static void
read_delays (NebulaRetry *self, NebulaValue *value)
{
  NebulaValue *delays = _nebula_member (value, "delays", NEBULA_VALUE_KIND_ARRAY);
  gsize length = delays ? nebula_value_get_length (delays) : 0;

  self->n_delays = (guint) length;
  self->delays_usec = length > 0 ? g_new0 (gint64, length) : NULL;
  for (gsize i = 0; i < length; i++) {
    NebulaValue *delay = nebula_value_get_item (delays, i);

    if (nebula_value_get_kind (delay) == NEBULA_VALUE_KIND_STRING)
      nebula_duration_parse (nebula_value_get_string (delay), &self->delays_usec[i], NULL);
  }
}

static void
read_codes (NebulaRetry *self, NebulaValue *value)
{
  NebulaValue *codes = _nebula_member (value, "codes", NEBULA_VALUE_KIND_ARRAY);
  g_autoptr (GStrvBuilder) builder = NULL;

  if (!codes)
    return;
  builder = g_strv_builder_new ();
  for (gsize i = 0; i < nebula_value_get_length (codes); i++) {
    NebulaValue *code = nebula_value_get_item (codes, i);

    if (nebula_value_get_kind (code) == NEBULA_VALUE_KIND_STRING)
      g_strv_builder_add (builder, nebula_value_get_string (code));
  }
  self->codes = g_strv_builder_end (builder);
}

void
_nebula_retry_read (NebulaRetry *self, NebulaValue *value, const NebulaRetry *defaults)
{
  static const char *const backoffs[] = { "fixed", "linear", "exponential", "fibonacci", NULL };
  NebulaValue *attempts = _nebula_member (value, "attempts", NEBULA_VALUE_KIND_INTEGER);
  NebulaValue *factor = value ? nebula_value_get_member (value, "factor") : NULL;

  _nebula_retry_clear (self);
  self->attempts = attempts ? (guint) CLAMP (nebula_value_get_integer (attempts), 1, G_MAXINT) : defaults->attempts;
  self->backoff = _nebula_choose_text (_nebula_member_text (value, "backoff"), backoffs, NEBULA_BACKOFF_EXPONENTIAL);
  self->factor = factor && nebula_value_is_number (factor) ? nebula_value_get_float (factor) : 2.0;
  self->initial_usec = _nebula_member_duration (value, "initial", defaults->initial_usec);
  self->max_usec = _nebula_member_duration (value, "max", MAX (defaults->max_usec, self->initial_usec));
  self->budget_usec = _nebula_member_duration (value, "budget", 0);
  self->jitter = read_jitter (value);
  read_delays (self, value);
  read_codes (self, value);
}

void
_nebula_retry_clear (NebulaRetry *self)
{
  g_clear_pointer (&self->delays_usec, g_free);
  g_clear_pointer (&self->codes, g_strfreev);
  self->n_delays = 0;
}

gint64
nebula_retry_get_delay_usec (const NebulaRetry *self, guint attempt)
{
  guint n = attempt > 1 ? attempt - 1 : 1;

  if (self->n_delays > 0)
    return self->delays_usec[MIN (n, self->n_delays) - 1];
  return nebula_backoff_get_delay_usec (self->backoff, self->initial_usec, self->factor, self->max_usec, n);
}

gboolean
nebula_retry_takes (const NebulaRetry *self, const char *code)
{
  return !self->codes || g_strv_contains ((const char *const *) self->codes, code);
}
