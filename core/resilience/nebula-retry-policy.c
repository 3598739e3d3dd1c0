/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-retry-policy.h"

#include <string.h>

#include "nebula-duration.h"
#include "nebula-error-chain.h"
#include "nebula-error.h"
#include "nebula-options-private.h"

#define SECOND      G_USEC_PER_SEC
#define ATTEMPTS    1000000
#define DELAYS_MOST 1000

typedef enum {
  JITTER_NONE,
  JITTER_FULL,  /* from 0 to the delay */
  JITTER_EQUAL, /* from half of the delay to all of it */
} Jitter;

struct _NebulaRetryPolicy {
  gatomicrefcount references;
  guint attempts;
  NebulaBackoff backoff;
  gint64 initial_usec;
  double factor;
  gint64 max_usec;
  gint64 budget_usec; /* 0: none */
  Jitter jitter;
  GArray *delays; /* gint64; NULL: by backoff */
  GStrv codes;    /* NULL: all that may be retried */
};

G_DEFINE_BOXED_TYPE (NebulaRetryPolicy,
                     nebula_retry_policy,
                     nebula_retry_policy_ref,
                     nebula_retry_policy_unref)

static void
read_delays (NebulaRetryPolicy *self, NebulaOptions *options)
{
  NebulaValue *list =
      options->object ? nebula_value_get_member (options->object, "delays") : NULL;

  if (!list)
    return;
  self->delays = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (nebula_value_get_kind (list) != NEBULA_VALUE_KIND_ARRAY ||
      nebula_value_get_length (list) == 0 ||
      nebula_value_get_length (list) > DELAYS_MOST) {
    _nebula_options_refuse (options, "delays");
    return;
  }
  for (gsize i = 0; i < nebula_value_get_length (list); i++) {
    NebulaValue *item = nebula_value_get_item (list, i);
    gint64 usec = 0;

    if (nebula_value_get_kind (item) != NEBULA_VALUE_KIND_STRING ||
        !nebula_duration_parse (nebula_value_get_string (item), &usec, NULL))
      _nebula_options_refuse (options, "delays");
    g_array_append_val (self->delays, usec);
  }
}

static void
read_codes (NebulaRetryPolicy *self, NebulaOptions *options)
{
  NebulaValue *list =
      options->object ? nebula_value_get_member (options->object, "codes") : NULL;
  g_autoptr (GStrvBuilder) codes = g_strv_builder_new ();
  NebulaError code;

  if (!list)
    return;
  if (nebula_value_get_kind (list) != NEBULA_VALUE_KIND_ARRAY) {
    _nebula_options_refuse (options, "codes");
    return;
  }
  for (gsize i = 0; i < nebula_value_get_length (list); i++) {
    NebulaValue *item = nebula_value_get_item (list, i);

    if (nebula_value_get_kind (item) != NEBULA_VALUE_KIND_STRING ||
        !nebula_error_code_from_string (nebula_value_get_string (item), &code))
      _nebula_options_refuse (options, "codes");
    else
      g_strv_builder_add (codes, nebula_value_get_string (item));
  }
  self->codes = g_strv_builder_end (codes);
}

/**
 * nebula_retry_policy_new:
 * @options: (nullable): an object
 * @error: where to put an error
 *
 * Makes a policy. `attempts` counts the first try; `backoff` is fixed, linear, exponential or fibonacci; `initial`,
 * `factor` and `max` shape it; `delays` is a list instead, whose last one goes on; `jitter` is none, full (from 0 to the
 * delay) or equal (from half of it); `budget` ends all trying after that time; `codes` names the errors that are tried
 * again.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), naming the option.
 *
 * Returns: (transfer full): the policy
 *
 * Since: 1.0
 */
NebulaRetryPolicy *
nebula_retry_policy_new (NebulaValue *options, GError **error)
{
  static const char *const names[] = {"attempts", "backoff", "initial", "factor", "max",
                                      "delays",   "jitter",  "budget",  "codes",  NULL};
  static const char *const backoffs[] = {"fixed", "linear", "exponential", "fibonacci",
                                         NULL};
  static const char *const jitters[] = {"none", "full", "equal", NULL};
  g_autoptr (NebulaRetryPolicy) self = g_new0 (NebulaRetryPolicy, 1);
  NebulaOptions reader;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_atomic_ref_count_init (&self->references);
  _nebula_options_init (&reader, options, "retry", names, error);
  self->attempts = (guint) _nebula_options_count (&reader, "attempts", 3, 1, ATTEMPTS);
  self->backoff = (NebulaBackoff) _nebula_options_choice (
      &reader, "backoff", NEBULA_BACKOFF_EXPONENTIAL, backoffs);
  self->initial_usec = _nebula_options_duration (&reader, "initial", SECOND / 5, 0);
  self->factor = _nebula_options_number (&reader, "factor", 2, 1, 1000);
  self->max_usec = _nebula_options_duration (&reader, "max", 30 * SECOND, 0);
  self->jitter =
      (Jitter) _nebula_options_choice (&reader, "jitter", JITTER_NONE, jitters);
  self->budget_usec = _nebula_options_duration (&reader, "budget", 0, 0);
  read_delays (self, &reader);
  read_codes (self, &reader);
  return reader.failed ? NULL : g_steal_pointer (&self);
}

/**
 * nebula_retry_policy_ref:
 * @self: a policy
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaRetryPolicy *
nebula_retry_policy_ref (NebulaRetryPolicy *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_retry_policy_unref:
 * @self: (transfer full): a policy
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_retry_policy_unref (NebulaRetryPolicy *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->delays, g_array_unref);
  g_strfreev (self->codes);
  g_free (self);
}

static gboolean
may_repeat (const NebulaRetryPolicy *self, const GError *failure)
{
  NebulaRetryClass class = nebula_error_get_retry_class (failure);

  if (class == NEBULA_RETRY_CLASS_TERMINAL || class == NEBULA_RETRY_CLASS_CANCELLED)
    return FALSE;
  return !self->codes || g_strv_contains ((const char *const *) self->codes,
                                          nebula_error_get_code (failure));
}

static gint64
apply_jitter (const NebulaRetryPolicy *self, gint64 delay, guint64 random)
{
  gint64 least = self->jitter == JITTER_EQUAL ? delay / 2 : 0;

  if (self->jitter == JITTER_NONE || delay <= 0)
    return delay;
  return least + (gint64) (random % (guint64) (delay - least + 1));
}

/**
 * nebula_retry_policy_get_delay_usec:
 * @self: a policy
 * @attempt: the attempt that failed, counted from 1
 * @elapsed_usec: time since the first attempt began, microseconds
 * @failure: (nullable): why it failed; %NULL counts as one that may be tried again
 * @random: random bits for the jitter
 *
 * Decides about another attempt. Errors whose class is terminal or cancelled are never tried again. What the failure says
 * about trying later is honoured, if it is longer.
 *
 * Returns: how long to wait, microseconds; -1 if there is no other attempt
 *
 * Since: 1.0
 */
gint64
nebula_retry_policy_get_delay_usec (NebulaRetryPolicy *self,
                                    guint attempt,
                                    gint64 elapsed_usec,
                                    const GError *failure,
                                    guint64 random)
{
  gint64 delay, asked;

  g_return_val_if_fail (self != NULL, -1);
  g_return_val_if_fail (attempt > 0, -1);

  if (attempt >= self->attempts || (failure && !may_repeat (self, failure)))
    return -1;
  if (self->delays)
    delay = g_array_index (self->delays, gint64, MIN (attempt, self->delays->len) - 1);
  else
    delay = nebula_backoff_get_delay_usec (self->backoff, self->initial_usec,
                                           self->factor, self->max_usec, attempt);
  delay = apply_jitter (self, delay, random);
  asked = failure ? nebula_error_get_retry_after_ms (failure) : -1;
  if (asked > 0 && asked < G_MAXINT64 / 1000)
    delay = MAX (delay, asked * 1000);
  if (self->budget_usec > 0 && elapsed_usec + delay >= self->budget_usec)
    return -1;
  return delay;
}
