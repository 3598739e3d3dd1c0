/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Approvals: so many people have to say yes, one no is enough for no, and if nobody decides in time others are asked.
 * Each decision is a fact with the name of who took it.
 *
 *   approval = {need, from, reject, message, escalate: {after, to, need}}
 *   request  = the same with its defaults, and `until`: when the wait ends in any case
 */

#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-kernel-private.h"

static gboolean
is_object (NebulaValue *value)
{
  return value && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
}

static gboolean
is_list_of_names (NebulaValue *value)
{
  if (!value || nebula_value_is_null (value))
    return TRUE;
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (nebula_value_get_kind (nebula_value_get_item (value, i)) !=
        NEBULA_VALUE_KIND_STRING)
      return FALSE;
  return TRUE;
}

/* So many that there are people enough. */
static gboolean
is_need (NebulaValue *spec, const char *key, NebulaValue *names)
{
  gint64 need = nebula_value_get_member_integer (spec, key, 1);
  gboolean is_list = names && nebula_value_get_kind (names) == NEBULA_VALUE_KIND_ARRAY;

  return need >= 1 && (!is_list || need <= (gint64) nebula_value_get_length (names));
}

static gboolean
set_invalid (GError **error, const char *message)
{
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER, message);
  return FALSE;
}

static gboolean
check_escalation (NebulaValue *escalate, gint64 *ret_usec, GError **error)
{
  const char *after;

  if (!escalate || nebula_value_is_null (escalate))
    return TRUE;
  after = is_object (escalate)
              ? nebula_value_get_member_string (escalate, "after", NULL)
              : NULL;
  if (!after ||
      !is_list_of_names (nebula_value_get_member (escalate, "to")) ||
      !is_need (escalate, "need", nebula_value_get_member (escalate, "to")))
    return set_invalid (error, _ ("“escalate” needs “after”, a duration, and may have "
                                  "“to”, an array of names, and “need”."));
  return nebula_duration_parse (after, ret_usec, error);
}

static gboolean
check_approval (NebulaValue *approval, gint64 *ret_escalate_usec, GError **error)
{
  NebulaValue *from;

  if (!is_object (approval))
    return TRUE; /* a message, or just true */
  from = nebula_value_get_member (approval, "from");
  if (!is_list_of_names (from))
    return set_invalid (error, _ ("“from” must be an array of names."));
  if (!is_need (approval, "need", from) || !is_need (approval, "reject", from))
    return set_invalid (
        error, _ ("“need” and “reject” of an approval are at least 1, and at most as many "
                  "as “from” names."));
  return check_escalation (nebula_value_get_member (approval, "escalate"),
                           ret_escalate_usec, error);
}

static NebulaValue *
make_request (NebulaValue *approval, gint64 until_usec)
{
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();
  g_autoptr (NebulaValue) until = nebula_value_new_integer (until_usec);
  g_autoptr (NebulaValue) request = NULL;

  if (is_object (approval))
    request = nebula_value_ref (approval);
  else
    request = nebula_value_with_member (empty, "message", approval);
  return until_usec > 0 ? nebula_value_with_member (request, "until", until)
                        : g_steal_pointer (&request);
}

void
_nebula_kernel_begin_approval (NebulaKernel *self,
                               NebulaWork *work,
                               NebulaFact *fact,
                               NebulaValue *approval)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) request = NULL;
  gint64 escalate_usec = 0;

  if (_nebula_kernel_is_too_large (self, approval))
    return;
  if (!check_approval (approval, &escalate_usec, &error)) {
    _nebula_kernel_fail_error (self, work, fact->attempt, error);
    return;
  }
  request = make_request (approval, fact->due_usec);
  if (escalate_usec > 0 &&
      (fact->due_usec == 0 || self->now_usec + escalate_usec < fact->due_usec))
    fact->due_usec = self->now_usec + escalate_usec;
  fact->code = NEBULA_WAIT_APPROVAL;
  fact->value = request;
  _nebula_kernel_record (self, fact);
}

static gboolean
is_escalated (NebulaWork *work)
{
  gsize n_answers = work->answers ? nebula_value_get_length (work->answers) : 0;

  for (gsize i = 0; i < n_answers; i++)
    if (nebula_value_has_member (nebula_value_get_item (work->answers, i), "escalated"))
      return TRUE;
  return FALSE;
}

/* What stands in the escalation once it has come, else in the request. */
static NebulaValue *
get_rule (NebulaWork *work, const char *key, const char *escalated_key)
{
  NebulaValue *escalate = nebula_value_get_member (work->request, "escalate");
  NebulaValue *member = is_object (escalate) && is_escalated (work)
                            ? nebula_value_get_member (escalate, escalated_key)
                            : NULL;

  return member ? member : nebula_value_get_member (work->request, key);
}

static guint
count_decisions (NebulaWork *work, gboolean is_approval)
{
  guint n_found = 0;

  for (gsize i = 0; work->answers && i < nebula_value_get_length (work->answers); i++) {
    NebulaValue *answer = nebula_value_get_item (work->answers, i);
    NebulaValue *approved = nebula_value_get_member (answer, "approved");

    n_found += approved && nebula_value_get_boolean (approved) == is_approval;
  }
  return n_found;
}

static void
end_approval (NebulaKernel *self, NebulaWork *work, const char *reason)
{
  g_autoptr (NebulaValueBuilder) decisions = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;

  nebula_value_builder_set_take (decisions, "decisions",
                                 work->answers ? nebula_value_ref (work->answers)
                                               : nebula_value_new_array (NULL, 0));
  nebula_value_builder_set_string (builder, "reason", reason);
  nebula_value_builder_set_take (builder, "value",
                                 nebula_value_builder_end (decisions));
  value = nebula_value_builder_end (builder);
  _nebula_kernel_end_node (self, work, 0, reason, value);
}

void
_nebula_kernel_end_approval_time (NebulaKernel *self, NebulaWork *work)
{
  NebulaValue *escalate = nebula_value_get_member (work->request, "escalate");
  gint64 until = nebula_value_get_member_integer (work->request, "until", 0);
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) value = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_DECIDED,
                     .lane = work->lane->number,
                     .node = work->node,
                     .code = 1,
                     .due_usec = until};

  if (!is_object (escalate) || is_escalated (work) ||
      (until > 0 && until <= self->now_usec)) {
    end_approval (self, work, "timeout");
    return;
  }
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_boolean (builder, "escalated", TRUE);
  nebula_value_builder_set_take (builder, "at",
                                 nebula_value_new_timestamp (self->now_usec, 0));
  if (nebula_value_has_member (escalate, "to"))
    nebula_value_builder_set (builder, "to", nebula_value_get_member (escalate, "to"));
  value = nebula_value_builder_end (builder);
  fact.value = value;
  _nebula_kernel_record (self, &fact);
}

static gboolean
set_conflict (GError **error, const char *message)
{
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT, message);
  return FALSE;
}

/* The wait that is meant: by its path, or the only one there is. */
static NebulaWork *
find_approval (NebulaKernel *self, const char *path, GError **error)
{
  NebulaWork *found = NULL;

  for (GList *link = self->state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;
    NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
    g_autofree char *own = NULL;

    if (run->status != NEBULA_NODE_WAITING || work->wait != NEBULA_WAIT_APPROVAL)
      continue;
    own = nebula_state_dup_path (self->state, work->lane, work->node);
    if (path && !g_str_equal (path, own))
      continue;
    if (found) {
      set_conflict (error, _ ("Several nodes wait for an approval: say which one."));
      return NULL;
    }
    found = work;
  }
  if (!found)
    set_conflict (error, _ ("No such node waits for an approval."));
  return found;
}

static gboolean
check_person (NebulaWork *work, const char *by, GError **error)
{
  NebulaValue *from = get_rule (work, "from", "to");
  gsize n_answers = work->answers ? nebula_value_get_length (work->answers) : 0;

  if (from && nebula_value_get_kind (from) == NEBULA_VALUE_KIND_ARRAY &&
      !_nebula_array_has_text (from, by)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED,
                 _ ("“%s” is not among those who are asked."), by);
    return FALSE;
  }
  for (gsize i = 0; i < n_answers; i++)
    if (g_strcmp0 (nebula_value_get_member_string (
                       nebula_value_get_item (work->answers, i), "by", NULL),
                   by) == 0)
      return set_conflict (error, _ ("The same person has decided already."));
  return TRUE;
}

static void
judge (NebulaKernel *self, NebulaWork *work)
{
  NebulaValue *need = get_rule (work, "need", "need");
  gint64 reject = nebula_value_get_member_integer (work->request, "reject", 1);

  if (count_decisions (work, FALSE) >= (guint64) reject)
    end_approval (self, work, "rejected");
  else if (count_decisions (work, TRUE) >=
           (guint64) (need ? nebula_value_get_integer (need) : 1))
    end_approval (self, work, "approved");
}

gboolean
nebula_kernel_decide_approval (NebulaKernel *self,
                               const char *path,
                               const NebulaDecision *decision,
                               gint64 now_usec,
                               GError **error)
{
  NebulaWork *work = find_approval (self, path, error);
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) value = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_DECIDED};
  guint64 inline_fuel = self->inline_fuel;

  if (!work || !check_person (work, decision->by, error))
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "by", decision->by);
  nebula_value_builder_set_boolean (builder, "approved", decision->is_approval);
  nebula_value_builder_set_take (builder, "at",
                                 nebula_value_new_timestamp (self->now_usec, 0));
  if (decision->comment)
    nebula_value_builder_set_string (builder, "comment", decision->comment);
  value = nebula_value_builder_end (builder);
  fact.lane = work->lane->number;
  fact.node = work->node;
  fact.value = value;
  _nebula_kernel_record (self, &fact);
  self->inline_fuel = 0;
  judge (self, work);
  self->inline_fuel = inline_fuel;
  return TRUE;
}
