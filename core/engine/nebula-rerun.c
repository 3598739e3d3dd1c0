/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Executions that begin where an earlier one has been: again from the start, from a node on, or with another input. The
 * earlier one is only read. What is taken from it becomes facts of the new one (nebula-given-internal.h), values and all,
 * so the two live and go on their own.
 */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-rerun-private.h"
#include "nebula-revisions.h"

/* Options of a start. */

static gboolean
is_object (NebulaValue *value)
{
  return value && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
}

static gboolean
add_pins (NebulaPlan *plan,
          NebulaValueBuilder *builder,
          NebulaValue *pins,
          const char *as,
          GError **error)
{
  for (gsize i = 0; is_object (pins) && i < nebula_value_get_length (pins); i++) {
    const char *path = nebula_value_get_key (pins, i, NULL);
    g_autoptr (NebulaValueBuilder) entry = nebula_value_builder_new_object ();

    if (!nebula_plan_check_path (plan, path, FALSE, error))
      return FALSE;
    nebula_value_builder_set (entry, "value", nebula_value_get_member_at (pins, i));
    nebula_value_builder_set_string (entry, "as", as);
    nebula_value_builder_set_take (builder, path, nebula_value_builder_end (entry));
  }
  return TRUE;
}

gboolean
_nebula_rerun_check_breakpoint (NebulaPlan *plan,
                                const char *path,
                                const char *condition,
                                GError **error)
{
  g_autoptr (NebulaExpression) expression = NULL;

  if (!nebula_plan_check_path (plan, path, FALSE, error))
    return FALSE;
  if (condition)
    expression = nebula_expression_compile (condition, error);
  return !condition || expression;
}

static gboolean
check_breakpoints (NebulaPlan *plan, NebulaValue *breakpoints, GError **error)
{
  for (gsize i = 0; i < nebula_value_get_length (breakpoints); i++) {
    NebulaValue *value = nebula_value_get_member_at (breakpoints, i);
    gboolean is_text = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING;

    if (!_nebula_rerun_check_breakpoint (
            plan, nebula_value_get_key (breakpoints, i, NULL),
            is_text ? nebula_value_get_string (value) : NULL, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
_nebula_rerun_read_options (NebulaPlan *plan,
                            NebulaValue *options,
                            NebulaValue **ret_given,
                            NebulaValue **ret_breakpoints,
                            GError **error)
{
  NebulaValue *given = nebula_value_get_member (options, "given");
  NebulaValue *pins = nebula_value_get_member (options, "pins");
  NebulaValue *mocks = nebula_value_get_member (options, "mocks");
  NebulaValue *breakpoints = nebula_value_get_member (options, "breakpoints");
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (is_object (breakpoints)) {
    if (!check_breakpoints (plan, breakpoints, error))
      return FALSE;
    *ret_breakpoints = nebula_value_ref (breakpoints);
  }
  if (!given && !pins && !mocks)
    return TRUE;
  builder = nebula_value_builder_new_object ();
  for (gsize i = 0; is_object (given) && i < nebula_value_get_length (given); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (given, i, NULL),
                              nebula_value_get_member_at (given, i));
  if (!add_pins (plan, builder, pins, "pin", error) ||
      !add_pins (plan, builder, mocks, "mock", error))
    return FALSE;
  *ret_given = nebula_value_builder_end (builder);
  return TRUE;
}

/* The earlier execution. */

typedef struct {
  NebulaEngine *engine;
  NebulaHeader *header;
  GPtrArray *segments;
  NebulaPlan *plan;
  NebulaKernel *kernel; /* folded */
} Former;

static void
former_clear (Former *self)
{
  g_clear_pointer (&self->header, nebula_header_free);
  g_clear_pointer (&self->segments, g_ptr_array_unref);
  g_clear_pointer (&self->plan, nebula_plan_unref);
  g_clear_pointer (&self->kernel, nebula_kernel_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Former, former_clear)

static GBytes *
read_blob (const char *digest, gboolean may_block, gpointer data, GError **error)
{
  return nebula_store_read_blob (((NebulaEngine *) data)->store, digest, error);
}

static gboolean
former_read (Former *self, const char *id, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  self->header = nebula_store_read_header (self->engine->store, id, &local_error);
  if (!self->header && !local_error)
    g_set_error (&local_error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no execution “%s”."), id);
  if (self->header)
    self->segments =
        nebula_store_read_segments (self->engine->store, id, 0, 0, &local_error);
  if (self->segments)
    self->plan = _nebula_recovery_load_plan (self->engine, self->header->revision,
                                             &local_error);
  if (self->plan)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* @recall (or NULL) sees all its facts. */
static gboolean
former_fold (Former *self, NebulaRecall *recall, GError **error)
{
  NebulaKernelHost host = {.read_blob = read_blob, .data = self->engine};
  NebulaState *state;

  g_clear_pointer (&self->kernel, nebula_kernel_free);
  self->kernel = nebula_kernel_new (self->plan, self->header->stream,
                                    self->header->tenant, &host);
  state = nebula_kernel_get_state (self->kernel);
  if (recall)
    nebula_recall_watch (recall, state);
  for (guint i = 0; i < self->segments->len; i++)
    if (!nebula_state_fold (state, ((NebulaSegment *) self->segments->pdata[i])->facts,
                            error))
      return FALSE;
  return TRUE;
}

/* The new one. */

static gboolean
is_number (const char *text)
{
  return g_ascii_isdigit (text[0]);
}

/* @ret_number: what the execution reports; 0: nothing. */
static NebulaPlan *
choose_plan (Former *former, const char *revision, gint64 *ret_number, GError **error)
{
  NebulaEngine *engine = former->engine;
  NebulaState *state = nebula_kernel_get_state (former->kernel);
  NebulaPlan *plan;

  if (!revision || g_str_equal (revision, "old")) {
    *ret_number = nebula_value_get_member_integer (state->started, "revision", 0);
    return nebula_plan_ref (former->plan);
  }
  if (!g_str_equal (revision, "new") || is_number (revision))
    return nebula_engine_load_revision (engine, former->plan->name, revision, ret_number,
                                        error);
  plan = nebula_engine_load_revision (engine, former->plan->name, NULL, ret_number, NULL);
  if (!plan)
    plan = _nebula_engine_find_name (engine, former->plan->name);
  if (!plan)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("The workflow “%s” was never deployed, so there is no new revision of it."),
                 former->plan->name);
  return plan;
}

/* The node in which it failed; NULL with error. */
static char *
find_failed_node (Former *former, GError **error)
{
  NebulaValue *failure = nebula_kernel_get_state (former->kernel)->error;
  const char *node = is_object (failure)
                         ? nebula_value_get_member_string (failure, "node", NULL)
                         : NULL;

  if (!node)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                 _ ("The execution “%s” has not failed in a node. Say where to begin."),
                 former->header->stream);
  return g_strdup (node);
}

static NebulaValue *
add_input (NebulaValue *given, const char *from, NebulaValue *input)
{
  g_autofree char *key = g_strconcat ("<", from, NULL);
  g_autoptr (NebulaValueBuilder) entry = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;

  nebula_value_builder_set (entry, "value", input);
  value = nebula_value_builder_end (entry);
  return nebula_value_with_member (given, key, value);
}

/* What the new execution takes; NULL with error. */
static NebulaValue *
recall (Former *former,
        NebulaPlan *plan,
        const char *from,
        NebulaValue *input,
        GError **error)
{
  g_autoptr (NebulaRecall) recall = nebula_recall_new (plan, from, error);
  g_autoptr (NebulaValue) found = NULL;
  g_autoptr (NebulaValue) given = NULL;

  if (!recall || !former_fold (former, recall, error))
    return NULL;
  found = nebula_recall_end (recall, nebula_kernel_get_state (former->kernel));
  given = nebula_kernel_load (former->kernel, found, error);
  return given && input ? add_input (given, from, input) : g_steal_pointer (&given);
}

static NebulaValue *
make_origin (Former *former, const char *from)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "execution", former->header->stream);
  if (from)
    nebula_value_builder_set_string (builder, "from", from);
  return nebula_value_builder_end (builder);
}

static void
copy_captured (Former *former, NebulaValueBuilder *builder, gboolean is_old)
{
  static const char *const names[] = {"env", "trigger", "user"};
  NebulaValue *started = nebula_kernel_get_state (former->kernel)->started;
  NebulaValue *links = nebula_value_get_member (started, "links");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (nebula_value_has_member (started, names[i]))
      nebula_value_builder_set (builder, names[i],
                                nebula_value_get_member (started, names[i]));
  nebula_value_builder_set_string (builder, "tenant", former->header->tenant);
  if (links && is_old)
    nebula_value_builder_set (builder, "links", links);
}

/* The options of the start: those of the re-run over what the earlier one captured. */
static NebulaValue *
make_options (Former *former,
              NebulaValue *options,
              NebulaValue *given,
              const char *from,
              gint64 number)
{
  static const char *const names[] = {"id",   "durability", "timeout", "pins", "mocks",
                                      "breakpoints"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) whole = NULL;
  const char *revision = nebula_value_get_member_string (options, "revision", "old");

  copy_captured (former, builder, g_str_equal (revision, "old"));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (nebula_value_has_member (options, names[i]))
      nebula_value_builder_set (builder, names[i],
                                nebula_value_get_member (options, names[i]));
  if (given)
    nebula_value_builder_set (builder, "given", given);
  if (number > 0)
    nebula_value_builder_set_integer (builder, "revision", number);
  nebula_value_builder_set_take (builder, "origin", make_origin (former, from));
  whole = nebula_value_builder_end (builder);
  return nebula_kernel_load (former->kernel, whole, NULL);
}

static NebulaExecution *
rerun (Former *former, NebulaValue *options, GError **error)
{
  NebulaValue *input = nebula_value_get_member (options, "input");
  const char *revision = nebula_value_get_member_string (options, "revision", NULL);
  gboolean is_failed = nebula_value_get_member_boolean (options, "failed", FALSE);
  g_autofree char *from =
      is_failed ? find_failed_node (former, error)
                : g_strdup (nebula_value_get_member_string (options, "from", NULL));
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (NebulaValue) given = NULL;
  g_autoptr (NebulaValue) old_input = NULL;
  g_autoptr (NebulaValue) choices = NULL;
  gint64 number = 0;

  if (is_failed && !from)
    return NULL;
  plan = choose_plan (former, revision, &number, error);
  if (!plan)
    return NULL;
  if (from)
    given = recall (former, plan, from, input, error);
  if (from && !given)
    return NULL;
  old_input = nebula_kernel_load (former->kernel,
                                  nebula_kernel_get_state (former->kernel)->input, error);
  if (!old_input)
    return NULL;
  choices = make_options (former, options, given, from, number);
  return nebula_engine_start (former->engine, plan, input && !from ? input : old_input,
                              choices, error);
}

/**
 * nebula_engine_rerun:
 * @self: an engine
 * @id: an execution of its store, ended or not
 * @options: (nullable): an object {from, failed, revision, input, pins, mocks, breakpoints, id, durability, timeout}
 * @error: where the failure goes
 *
 * Starts a new execution of what another one has done, as far as it is committed; that one stays as it is.
 *
 * Without `from` all is done again. `from` is the path of a node, inside loops with the round (`each[734].price`), or with
 * `failed` the one in which the execution failed: the node and all that follows it run, all else gives what it gave then
 * and does not run. Conditions and the items of loops are evaluated again.
 *
 * `revision` is `old` (the default: the one of the earlier execution, and those of what it called), `new` (the current
 * one), a number or a label; nodes are matched by their ids. `input` is another input of the workflow, or with `from` of
 * that node. The others are as for nebula_engine_start().
 *
 * The new execution has its own facts and reports its `origin`. Blocks for the store.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal): no such execution or revision; %NEBULA_ERROR_INVALID_ARGUMENT (terminal): no
 * such node; %NEBULA_ERROR_CONFLICT (terminal): with `failed` one that has not; those of nebula_engine_start().
 *
 * Returns: (transfer full): the handle of the new execution
 *
 * Since: 1.0
 */
NebulaExecution *
nebula_engine_rerun (NebulaEngine *self, const char *id, NebulaValue *options, GError **error)
{
  g_auto (Former) former = {.engine = self};
  g_autoptr (NebulaValue) empty = NULL;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  if (!options)
    options = empty = nebula_value_new_empty_object ();
  if (!former_read (&former, id, error) || !former_fold (&former, NULL, error))
    return NULL;
  return rerun (&former, options, error);
}
