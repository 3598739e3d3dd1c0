/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Decisions about other executions: calling one, waiting for the end of one, and telling the end of this one.
 *
 * Nothing is done to another execution but by a message to its inbox. What the facts imply is posted when they are
 * recorded, and the owner puts the posts into the unit of these facts; after a crash nothing is posted again, because
 * the unit was there as a whole or not at all.
 */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-id-internal.h"
#include "nebula-kernel-private.h"
#include "nebula-limits.h"

static void
post_free (gpointer data)
{
  NebulaPost *self = data;

  g_free (self->id);
  g_free (self->to);
  nebula_value_unref (self->payload);
  g_free (self);
}

GPtrArray *
nebula_kernel_take_posts (NebulaKernel *self)
{
  return g_steal_pointer (&self->posts);
}

gboolean
nebula_kernel_has_posts (NebulaKernel *self)
{
  return self->posts != NULL;
}

void
_nebula_kernel_post (NebulaKernel *self,
                     gboolean is_gate,
                     char *id,
                     const char *to,
                     NebulaValue *payload)
{
  NebulaPost *entry = g_new0 (NebulaPost, 1);

  entry->id = id;
  entry->to = g_strdup (to);
  entry->is_gate = is_gate;
  entry->payload = payload;
  if (!self->posts)
    self->posts = g_ptr_array_new_with_free_func (post_free);
  g_ptr_array_add (self->posts, entry);
}

static NebulaValueBuilder *
begin_payload (const char *kind)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "kind", kind);
  return builder;
}

/* What whoever waits is told of the end. */
static NebulaValue *
make_end (NebulaKernel *self)
{
  NebulaState *state = self->state;
  gboolean has_completed = state->status == NEBULA_EXECUTION_STATUS_COMPLETED;
  g_autoptr (NebulaValueBuilder) builder = begin_payload ("end");
  NebulaValue *value = has_completed ? state->output : state->error;

  nebula_value_builder_set_string (builder, "execution", self->execution);
  nebula_value_builder_set_string (builder, "status",
                                   nebula_execution_status_to_string (state->status));
  nebula_value_builder_set_take (builder, has_completed ? "output" : "error",
                                 value ? nebula_value_ref (value)
                                       : nebula_value_new_null ());
  return nebula_value_builder_end (builder);
}

static void
post_end (NebulaKernel *self, const char *to)
{
  _nebula_kernel_post (self, FALSE, g_strdup_printf ("%s:end:%s", self->execution, to), to,
        make_end (self));
}

static NebulaValue *
get_parent (NebulaKernel *self)
{
  NebulaValue *parent = nebula_value_get_member (self->state->started, "parent");

  return parent && nebula_value_get_kind (parent) == NEBULA_VALUE_KIND_OBJECT ? parent
                                                                              : NULL;
}

void
_nebula_kernel_post_end (NebulaKernel *self)
{
  NebulaValue *parent = get_parent (self);
  NebulaValue *watchers = self->state->watchers;

  if (parent && nebula_value_get_member_boolean (parent, "waits", FALSE))
    post_end (self, nebula_value_get_member_string (parent, "execution", ""));
  for (gsize i = 0; watchers && i < nebula_value_get_length (watchers); i++)
    post_end (self, nebula_value_get_string (nebula_value_get_item (watchers, i)));
}

static void
post_cancel (NebulaKernel *self, const char *child)
{
  g_autoptr (NebulaValueBuilder) builder = begin_payload ("cancel");
  g_autofree char *reason =
      g_strdup_printf (_ ("The execution “%s” that called it no longer waits for it."),
                       self->execution);

  nebula_value_builder_set_string (builder, "reason", reason);
  _nebula_kernel_post (self, FALSE, g_strdup_printf ("%s:cancel", child), child,
        nebula_value_builder_end (builder));
}

static void
post_to_gate (NebulaKernel *self, const char *kind, const char *lock, const char *holder)
{
  g_autoptr (NebulaValueBuilder) builder = begin_payload (kind);
  g_autofree char *whole = g_strdup_printf ("%s#%s", self->execution, holder);
  g_autofree char *key = g_strdup_printf ("lock:%s/%s", self->tenant, lock);

  nebula_value_builder_set_string (builder, "execution", self->execution);
  nebula_value_builder_set_string (builder, "holder", whole);
  nebula_value_builder_set_string (builder, "key", key);
  nebula_value_builder_set_integer (builder, "limit", 1);
  _nebula_kernel_post (self, TRUE, g_strdup_printf ("%s:%s", whole, kind), key,
        nebula_value_builder_end (builder));
}

void
_nebula_kernel_post_lock (NebulaKernel *self, NebulaWork *work)
{
  g_autofree char *holder = _nebula_work_dup_holder (self->state, work);

  post_to_gate (self, "ask", work->hold, holder);
}

/* What node-runs that ended let go of. */
void
_nebula_kernel_post_partings (NebulaKernel *self)
{
  g_autoptr (GPtrArray) partings = g_steal_pointer (&self->state->partings);

  for (guint i = 0; partings && i < partings->len; i++) {
    NebulaParting *parting = partings->pdata[i];

    if (parting->is_lock)
      post_to_gate (self, "release", parting->name, parting->holder);
    else
      post_cancel (self, parting->name);
  }
}

/* The revision that a name or a path means: pinned when the tree of executions was started, or this workflow itself, or
 * what the owner knows. */
static char *
find_workflow (NebulaKernel *self, const char *name, GError **error)
{
  NebulaValue *captured = nebula_value_get_member (self->state->started, "links");
  g_autoptr (NebulaValue) links = NULL;
  NebulaValue *own = NULL;
  char *hash = NULL;
  g_autoptr (GError) local_error = NULL;

  if (captured) {
    links = _nebula_kernel_load_take (self, nebula_value_ref (captured), error);
    if (!links)
      return NULL;
    own = nebula_value_get_member (links, self->plan->hash);
  }
  if (own && nebula_value_get_member_string (own, name, NULL))
    return g_strdup (nebula_value_get_member_string (own, name, NULL));
  if (g_strcmp0 (name, self->plan->name) == 0)
    return g_strdup (self->plan->hash);
  if (self->host.find_workflow)
    hash = self->host.find_workflow (name, self->inline_fuel == 0, self->host.data,
                                     &local_error);
  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else if (!hash)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no workflow “%s”. Deploy it; a path can be called only if it "
                    "is written in a file."),
                 name);
  return hash;
}

static gint64
get_depth (NebulaKernel *self)
{
  NebulaValue *parent = get_parent (self);

  return parent ? nebula_value_get_member_integer (parent, "depth", 0) : 0;
}

static NebulaValue *
make_parent (NebulaKernel *self, NebulaWork *work, gboolean waits)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *path = nebula_state_dup_path (self->state, work->lane, work->node);

  nebula_value_builder_set_string (builder, "execution", self->execution);
  nebula_value_builder_set_string (builder, "workflow", self->plan->name);
  nebula_value_builder_set_string (builder, "node", path);
  nebula_value_builder_set_integer (builder, "depth", get_depth (self) + 1);
  nebula_value_builder_set_boolean (builder, "waits", waits);
  return nebula_value_builder_end (builder);
}

/* @input: as it stands in the history. */
static void
post_start (NebulaKernel *self, NebulaWork *work, const char *child, gboolean waits)
{
  static const char *const inherited[] = {"links", "env", "user"};
  g_autoptr (NebulaValueBuilder) builder = begin_payload ("start");
  NebulaValue *request = work->request;

  nebula_value_builder_set (builder, "workflow",
                            nebula_value_get_member (request, "workflow"));
  nebula_value_builder_set (builder, "input", nebula_value_get_member (request, "input"));
  nebula_value_builder_set_string (builder, "tenant", self->tenant);
  nebula_value_builder_set_take (builder, "parent", make_parent (self, work, waits));
  for (guint i = 0; i < G_N_ELEMENTS (inherited); i++) {
    NebulaValue *member = nebula_value_get_member (self->state->started, inherited[i]);

    if (member)
      nebula_value_builder_set (builder, inherited[i], member);
  }
  _nebula_kernel_post (self, FALSE, g_strdup_printf ("%s:start", child), child,
        nebula_value_builder_end (builder));
}

static char *
make_child_id (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  g_autofree char *identity = nebula_kernel_dup_identity (self, work);
  g_autofree char *text = g_strdup_printf ("%s\ncall %u", identity, attempt);

  return nebula_id_derive (NEBULA_ID_KIND_EXECUTION, self->now_usec / 1000, text);
}

static gint64
get_attempt_end (NebulaKernel *self, NebulaPlanNode *node)
{
  return node->timeout_usec > 0 ? self->now_usec + node->timeout_usec : 0;
}

static NebulaValue *
make_request (NebulaKernel *self,
              NebulaWork *work,
              guint attempt,
              const char *hash,
              NebulaValue *parameters)
{
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaValue *input = nebula_value_get_member (parameters, "input");
  gint64 deadline = work->deadline_usec;

  if (attempt == 1 && node->total_timeout_usec > 0)
    deadline = self->now_usec + node->total_timeout_usec;
  nebula_value_builder_set_string (builder, "workflow", hash);
  nebula_value_builder_set (builder, "name",
                            nebula_value_get_member (parameters, "workflow"));
  nebula_value_builder_set (builder, "input", input ? input : work->input);
  if (deadline > 0)
    nebula_value_builder_set_integer (builder, "deadline", deadline);
  return nebula_value_builder_end (builder);
}

static gboolean
check_call (NebulaKernel *self, NebulaValue *parameters, char **ret_hash, GError **error)
{
  const char *name = nebula_value_get_member_string (parameters, "workflow", NULL);

  if (get_depth (self) + 1 > NEBULA_LIMIT_CALL_DEPTH) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP,
                 _ ("Workflows call each other %d deep. Is there a call that never ends?"),
                 NEBULA_LIMIT_CALL_DEPTH);
    return FALSE;
  }
  if (!name) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PARAMETER,
                         _ ("flow.call needs “workflow”: a name, or a path."));
    return FALSE;
  }
  *ret_hash = find_workflow (self, name, error);
  return *ret_hash != NULL;
}

/* Those that are not waited for: the node is done with starting it. */
static void
end_detached (NebulaKernel *self, NebulaWork *work, guint attempt, const char *child)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;

  nebula_value_builder_set_string (builder, "execution", child);
  value = nebula_value_builder_end (builder);
  g_clear_pointer (&work->other, g_free); /* nobody cancels it */
  _nebula_kernel_end_node (self, work, attempt, NULL, value);
}

void
_nebula_kernel_decide_call (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  g_autoptr (NebulaValue) request = NULL;
  g_autofree char *hash = NULL;
  g_autofree char *child = NULL;
  gboolean waits;
  NebulaFact fact = {.kind = NEBULA_FACT_NODE_WAITING,
                     .lane = work->lane->number,
                     .node = work->node,
                     .attempt = attempt,
                     .code = NEBULA_WAIT_CHILD};

  if (!parameters || !check_call (self, parameters, &hash, &error)) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  request = make_request (self, work, attempt, hash, parameters);
  waits = !g_str_equal (nebula_value_get_member_string (parameters, "mode", "await"),
                        "detach");
  if (_nebula_kernel_is_too_large (self, request) ||
      (!waits && _nebula_kernel_ends_elsewhere (self, work)))
    return;
  child = make_child_id (self, work, attempt);
  fact.text = child;
  fact.value = request;
  fact.due_usec = waits ? get_attempt_end (self, &self->plan->nodes[work->node]) : 0;
  _nebula_kernel_record (self, &fact);
  post_start (self, work, child, waits);
  if (!waits)
    end_detached (self, work, attempt, child);
}

/* The same error, with the execution that it comes from; what stands between is left out. */
NebulaValue *
_nebula_failure_of_other (NebulaValue *end)
{
  static const char *const kept[] = {"code", "message", "retry", "details"};
  NebulaValue *error = nebula_value_get_member (end, "error");
  const char *status = nebula_value_get_member_string (end, "status", "failed");
  gboolean is_object = error && nebula_value_get_kind (error) == NEBULA_VALUE_KIND_OBJECT;
  NebulaValue *cause = is_object ? nebula_value_get_member (error, "cause") : NULL;
  g_autoptr (NebulaValue) unknown = NULL;
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (!is_object)
    error = unknown = nebula_failure_new (status, _ ("The called execution did not complete."),
                                          NEBULA_RETRY_CLASS_TERMINAL, NULL);
  builder = nebula_value_builder_new_object ();
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    NebulaValue *member = nebula_value_get_member (error, kept[i]);

    if (member)
      nebula_value_builder_set (builder, kept[i], member);
  }
  nebula_value_builder_set (builder, "execution",
                            nebula_value_get_member (end, "execution"));
  nebula_value_builder_set (builder, "cause", cause ? cause : error);
  return nebula_value_builder_end (builder);
}

/* {reason, value} of a wait for another execution. */
static void
end_watch (NebulaKernel *self, NebulaWork *work, NebulaValue *end)
{
  g_autoptr (NebulaValueBuilder) value = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) result = NULL;
  static const char *const members[] = {"execution", "status", "output", "error"};

  if (g_str_equal (nebula_value_get_member_string (end, "status", ""), "not-found")) {
    _nebula_kernel_fail (
        self, work, nebula_lane_get_run (self->state, work->lane, work->node)->attempts,
        nebula_value_get_member (end, "error"));
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    NebulaValue *member = nebula_value_get_member (end, members[i]);

    if (member)
      nebula_value_builder_set (value, members[i], member);
  }
  nebula_value_builder_set_string (builder, "reason", "execution");
  nebula_value_builder_set_take (builder, "value", nebula_value_builder_end (value));
  result = nebula_value_builder_end (builder);
  _nebula_kernel_end_node (self, work, 0, NULL, result);
}

static void
end_call (NebulaKernel *self, NebulaWork *work, NebulaValue *end)
{
  guint attempt = nebula_lane_get_run (self->state, work->lane, work->node)->attempts;
  g_autoptr (NebulaValue) failure = NULL;
  NebulaValue *output = nebula_value_get_member (end, "output");

  g_clear_pointer (&work->other, g_free); /* it has ended: there is nothing to cancel */
  if (output) {
    _nebula_kernel_end_node (self, work, attempt, NULL, output);
    return;
  }
  failure = _nebula_failure_of_other (end);
  _nebula_kernel_fail (self, work, attempt, failure);
}

static GPtrArray *
find_waiting_for (NebulaState *state, const char *execution)
{
  GPtrArray *works = g_ptr_array_new ();

  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    if (g_strcmp0 (work->other, execution) == 0 &&
        !nebula_lane_is_doomed (state, work->lane))
      g_ptr_array_add (works, work);
  }
  return works;
}

static gboolean
is_open (NebulaKernel *self)
{
  return self->state->root &&
         !nebula_execution_status_is_terminal (self->state->status);
}

gboolean
nebula_kernel_tell_end (NebulaKernel *self, NebulaValue *end, gint64 now_usec)
{
  const char *execution = nebula_value_get_member_string (end, "execution", "");
  g_autoptr (GPtrArray) works = NULL;
  guint64 inline_fuel = self->inline_fuel;

  if (_nebula_kernel_end_batched (self, end, now_usec))
    return TRUE;
  if (!is_open (self))
    return FALSE;
  works = find_waiting_for (self->state, execution);
  _nebula_kernel_set_now (self, now_usec);
  self->inline_fuel = 0;
  for (guint i = 0; i < works->len; i++) {
    NebulaWork *work = works->pdata[i];

    if (work->wait == NEBULA_WAIT_CHILD)
      end_call (self, work, end);
    else
      end_watch (self, work, end);
  }
  self->inline_fuel = inline_fuel;
  return works->len > 0;
}

gboolean
nebula_kernel_watch (NebulaKernel *self, const char *watcher, gint64 now_usec)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_WATCHED, .node = NEBULA_PLAN_NONE, .text = watcher};

  if (!is_open (self) || _nebula_array_has_text (self->state->watchers, watcher))
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
  return TRUE;
}

void
nebula_kernel_answer_watch (NebulaKernel *self, const char *watcher, const char *message_id)
{
  _nebula_kernel_post (self, FALSE, g_strdup_printf ("%s:end", message_id), watcher, make_end (self));
}

void
_nebula_kernel_post_watch (NebulaKernel *self, NebulaWork *work)
{
  g_autoptr (NebulaValueBuilder) builder = begin_payload ("watch");
  g_autofree char *holder = _nebula_work_dup_holder (self->state, work);

  nebula_value_builder_set_string (builder, "execution", self->execution);
  _nebula_kernel_post (self, FALSE,
        g_strdup_printf ("%s#%s:watch:%u", self->execution, holder,
                         nebula_lane_get_run (self->state, work->lane, work->node)->attempts),
        work->other, nebula_value_builder_end (builder));
}

void
nebula_kernel_refuse (NebulaKernel *self, const GError *error, gint64 now_usec)
{
  g_autoptr (NebulaValue) failure = nebula_failure_new_from_error (error);
  NebulaFact fact = {.kind = NEBULA_FACT_CANCEL_ASKED,
                     .node = NEBULA_PLAN_NONE,
                     .value = failure,
                     .code = NEBULA_EXECUTION_STATUS_FAILED};

  if (!is_open (self) || self->state->is_stopping)
    return;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
}

static NebulaWork *
find_holder (NebulaState *state, const char *holder)
{
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;
    g_autofree char *own = work->hold ? _nebula_work_dup_holder (state, work) : NULL;

    if (own && g_str_equal (own, holder))
      return work;
  }
  return NULL;
}

gboolean
nebula_kernel_grant_lock (NebulaKernel *self,
                          const char *key,
                          const char *holder,
                          gint64 now_usec)
{
  NebulaWork *work = is_open (self) ? find_holder (self->state, holder) : NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_LOCK_GRANTED};
  g_autofree char *whole = NULL;

  if (!work) {
    whole = g_strdup_printf ("%s#%s", self->execution, holder);
    _nebula_kernel_post_void (self, key, whole);
    return FALSE;
  }
  if (work->is_held)
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  fact.lane = work->lane->number;
  fact.node = work->node;
  _nebula_kernel_record (self, &fact);
  return TRUE;
}
