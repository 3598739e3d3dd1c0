/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-context.h"

typedef enum
{
  PART_TENANT,
  PART_USER,
  PART_LANGUAGE,
  PART_TRACE,
  PART_EXECUTION,
  PART_NODE,
  N_PARTS,
} Part;

struct _NebulaContext
{
  gint refs;
  gint64 deadline;
  char *parts[N_PARTS]; /* counted texts, shared between copies */
};

G_DEFINE_BOXED_TYPE (NebulaContext, nebula_context, nebula_context_ref, nebula_context_unref)

/**
 * nebula_context_new:
 *
 * Makes a context without parts and without deadline.
 *
 * Returns: (transfer full): the context
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_new (void)
{
  NebulaContext *self = g_new0 (NebulaContext, 1);

  self->refs = 1;
  self->deadline = G_MAXINT64;
  return self;
}

/**
 * nebula_context_ref:
 * @self: a context
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_ref (NebulaContext *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_context_unref:
 * @self: a context
 *
 * Counts one holder less and frees the context with the last.
 *
 * Since: 1.0
 */
void
nebula_context_unref (NebulaContext *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  for (guint i = 0; i < N_PARTS; i++)
    g_clear_pointer (&self->parts[i], g_ref_string_release);
  g_free (self);
}

static NebulaContext *
context_copy (NebulaContext *self)
{
  NebulaContext *copy = nebula_context_new ();

  copy->deadline = self->deadline;
  for (guint i = 0; i < N_PARTS; i++)
    copy->parts[i] = self->parts[i] ? g_ref_string_acquire (self->parts[i]) : NULL;
  return copy;
}

static NebulaContext *
context_with (NebulaContext *self, Part part, const char *text)
{
  NebulaContext *copy = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  copy = context_copy (self);
  g_clear_pointer (&copy->parts[part], g_ref_string_release);
  copy->parts[part] = text ? g_ref_string_new (text) : NULL;
  return copy;
}

static const char *
context_get (NebulaContext *self, Part part)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->parts[part];
}

/**
 * nebula_context_with_tenant:
 * @self: a context
 * @tenant: (nullable): the tenant that it is done for
 *
 * Copies a context with another tenant.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_with_tenant (NebulaContext *self, const char *tenant)
{
  return context_with (self, PART_TENANT, tenant);
}

/**
 * nebula_context_with_user:
 * @self: a context
 * @user: (nullable): the user who asked for it
 *
 * Copies a context with another user.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_with_user (NebulaContext *self, const char *user)
{
  return context_with (self, PART_USER, user);
}

/**
 * nebula_context_with_language:
 * @self: a context
 * @language: (nullable): the language of the answer, such as `de` or `pt_BR`
 *
 * Copies a context with another language.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_with_language (NebulaContext *self, const char *language)
{
  return context_with (self, PART_LANGUAGE, language);
}

/**
 * nebula_context_with_trace:
 * @self: a context
 * @trace: (nullable): the trace that it belongs to
 *
 * Copies a context with another trace.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_with_trace (NebulaContext *self, const char *trace)
{
  return context_with (self, PART_TRACE, trace);
}

/**
 * nebula_context_with_execution:
 * @self: a context
 * @execution: (nullable): the execution that does it
 *
 * Copies a context with another execution.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_with_execution (NebulaContext *self, const char *execution)
{
  return context_with (self, PART_EXECUTION, execution);
}

/**
 * nebula_context_with_node:
 * @self: a context
 * @node: (nullable): the node that does it
 *
 * Copies a context with another node.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_with_node (NebulaContext *self, const char *node)
{
  return context_with (self, PART_NODE, node);
}

/**
 * nebula_context_with_deadline:
 * @self: a context
 * @monotonic_usec: when to stop, on the monotonic clock
 *
 * Copies a context with a deadline. A deadline is only ever drawn nearer: the earlier of both holds.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
NebulaContext *
nebula_context_with_deadline (NebulaContext *self, gint64 monotonic_usec)
{
  NebulaContext *copy = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  copy = context_copy (self);
  copy->deadline = MIN (copy->deadline, monotonic_usec);
  return copy;
}

/**
 * nebula_context_get_tenant:
 * @self: a context
 *
 * Gets the tenant that it is done for.
 *
 * Returns: (nullable): a text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_context_get_tenant (NebulaContext *self)
{
  return context_get (self, PART_TENANT);
}

/**
 * nebula_context_get_user:
 * @self: a context
 *
 * Gets the user who asked for it.
 *
 * Returns: (nullable): a text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_context_get_user (NebulaContext *self)
{
  return context_get (self, PART_USER);
}

/**
 * nebula_context_get_language:
 * @self: a context
 *
 * Gets the language of the answer, such as `de` or `pt_BR`.
 *
 * Returns: (nullable): a text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_context_get_language (NebulaContext *self)
{
  return context_get (self, PART_LANGUAGE);
}

/**
 * nebula_context_get_trace:
 * @self: a context
 *
 * Gets the trace that it belongs to.
 *
 * Returns: (nullable): a text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_context_get_trace (NebulaContext *self)
{
  return context_get (self, PART_TRACE);
}

/**
 * nebula_context_get_execution:
 * @self: a context
 *
 * Gets the execution that does it.
 *
 * Returns: (nullable): a text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_context_get_execution (NebulaContext *self)
{
  return context_get (self, PART_EXECUTION);
}

/**
 * nebula_context_get_node:
 * @self: a context
 *
 * Gets the node that does it.
 *
 * Returns: (nullable): a text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_context_get_node (NebulaContext *self)
{
  return context_get (self, PART_NODE);
}

/**
 * nebula_context_get_deadline:
 * @self: a context
 *
 * Gets when to stop.
 *
 * Returns: monotonic microseconds, %G_MAXINT64 if there is no deadline
 *
 * Since: 1.0
 */
gint64
nebula_context_get_deadline (NebulaContext *self)
{
  g_return_val_if_fail (self != NULL, G_MAXINT64);

  return self->deadline;
}

/**
 * nebula_context_get_remaining_usec:
 * @self: a context
 * @clock: (nullable): the clock of the deadline, %NULL for the system's
 *
 * Tells how much time is left.
 *
 * Returns: microseconds, 0 when the deadline has passed, %G_MAXINT64 if there is none
 *
 * Since: 1.0
 */
gint64
nebula_context_get_remaining_usec (NebulaContext *self, NebulaClock *clock)
{
  gint64 now = 0;

  g_return_val_if_fail (self != NULL, 0);

  if (self->deadline == G_MAXINT64)
    return G_MAXINT64;
  now = nebula_clock_get_monotonic_usec (clock ? clock : nebula_clock_get_system ());
  return self->deadline > now ? self->deadline - now : 0;
}
