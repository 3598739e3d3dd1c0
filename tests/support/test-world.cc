/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-world.h"

#include <vector>

/* Actions. */

typedef struct {
  NebulaAction parent_instance;
} WorldAction;

typedef struct {
  NebulaActionClass parent_class;
} WorldActionClass;

static void
add_rest (NebulaActionClass *klass)
{
  NebulaParameter *rest = nebula_action_class_add_parameter (
      klass, "values", NEBULA_PARAMETER_KIND_OBJECT, "Values", "Values");

  nebula_parameter_add_flags (rest, NEBULA_PARAMETER_FLAGS_REST);
}

static NebulaValue *
evaluate_set (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  return nebula_value_ref (arguments->parameters);
}

static NebulaValue *
evaluate_pass (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  return nebula_value_ref (arguments->input);
}

static NebulaValue *
evaluate_if (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *condition = nebula_arguments_get (arguments, "condition");

  if (nebula_value_get_kind (condition) != NEBULA_VALUE_KIND_BOOLEAN) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                         "The condition is no boolean.");
    return NULL;
  }
  *ret_port = nebula_value_get_boolean (condition) ? "true" : "false";
  return nebula_value_ref (arguments->input);
}

static NebulaValue *
evaluate_inputs (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  return arguments->environment->get_variable (arguments->environment, "inputs", error);
}

static std::vector<GThread *> *const evaluated = new std::vector<GThread *>;
static GMutex evaluated_lock;

static NebulaValue *
evaluate_where (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  g_mutex_lock (&evaluated_lock);
  evaluated->push_back (g_thread_self ());
  g_mutex_unlock (&evaluated_lock);
  return nebula_value_ref (arguments->parameters);
}

static void
setup_where (NebulaActionClass *klass)
{
  nebula_action_class_set_evaluate (klass, evaluate_where);
  add_rest (klass);
}

static void
setup_set (NebulaActionClass *klass)
{
  nebula_action_class_set_evaluate (klass, evaluate_set);
  add_rest (klass);
}

static void
setup_pass (NebulaActionClass *klass)
{
  nebula_action_class_set_evaluate (klass, evaluate_pass);
}

static void
setup_inputs (NebulaActionClass *klass)
{
  nebula_action_class_set_evaluate (klass, evaluate_inputs);
}

static void
setup_if (NebulaActionClass *klass)
{
  nebula_action_class_set_evaluate (klass, evaluate_if);
  nebula_action_class_add_parameter (klass, "condition", NEBULA_PARAMETER_KIND_JSON,
                                     "Condition", "Condition");
  nebula_action_class_add_port (klass, "true", "True");
  nebula_action_class_add_port (klass, "false", "False");
}

static void
add (NebulaActionClass *klass, const char *name, NebulaParameterKind kind)
{
  NebulaParameter *parameter =
      nebula_action_class_add_parameter (klass, name, kind, name, name);

  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_NULLABLE);
}

static void
setup_for_each (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_FOR_EACH);
  add (klass, "items", NEBULA_PARAMETER_KIND_JSON);
  add (klass, "concurrency", NEBULA_PARAMETER_KIND_INTEGER);
  add (klass, "batch", NEBULA_PARAMETER_KIND_INTEGER);
  add (klass, "done-when", NEBULA_PARAMETER_KIND_EXPRESSION);
  add (klass, "rest", NEBULA_PARAMETER_KIND_TEXT);
}

static void
setup_repeat (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_REPEAT);
  add (klass, "times", NEBULA_PARAMETER_KIND_INTEGER);
}

static void
setup_while (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_WHILE);
  add (klass, "condition", NEBULA_PARAMETER_KIND_EXPRESSION);
  add (klass, "max", NEBULA_PARAMETER_KIND_INTEGER);
}

static void
setup_wait (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_WAIT);
  add (klass, "duration", NEBULA_PARAMETER_KIND_DURATION);
  add (klass, "until", NEBULA_PARAMETER_KIND_JSON);
  add (klass, "signal", NEBULA_PARAMETER_KIND_TEXT);
  add (klass, "transient", NEBULA_PARAMETER_KIND_BOOLEAN);
  add (klass, "token", NEBULA_PARAMETER_KIND_TEXT);
  add (klass, "execution", NEBULA_PARAMETER_KIND_TEXT);
  add (klass, "approval", NEBULA_PARAMETER_KIND_JSON);
  for (const char *port : {"approved", "rejected", "timeout"})
    nebula_action_class_add_port (klass, port, port);
}

static void
setup_stop (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_STOP);
  add (klass, "output", NEBULA_PARAMETER_KIND_JSON);
}

static void
setup_fail (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_FAIL);
  add (klass, "message", NEBULA_PARAMETER_KIND_TEXT);
  add (klass, "code", NEBULA_PARAMETER_KIND_TEXT);
}

static void
setup_break (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_BREAK);
}

static void
setup_continue (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_CONTINUE);
}

static void
setup_try (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_TRY);
}

static void
setup_race (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_RACE);
  add (klass, "success", NEBULA_PARAMETER_KIND_BOOLEAN);
}

static void
setup_cancel (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_CANCEL);
  add (klass, "node", NEBULA_PARAMETER_KIND_TEXT);
  add (klass, "region", NEBULA_PARAMETER_KIND_TEXT);
  add (klass, "keep", NEBULA_PARAMETER_KIND_BOOLEAN);
}

static void
setup_add (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_ADD);
  add (klass, "items", NEBULA_PARAMETER_KIND_JSON);
}

static void
setup_call (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_CALL);
  add (klass, "workflow", NEBULA_PARAMETER_KIND_TEXT);
  add (klass, "input", NEBULA_PARAMETER_KIND_JSON);
  add (klass, "mode", NEBULA_PARAMETER_KIND_TEXT);
}

static void
setup_token (NebulaActionClass *klass)
{
  nebula_action_class_set_construct (klass, NEBULA_CONSTRUCT_TOKEN);
}

/* Kept for good, and on the heap: what never answers must be reachable to the end. */
static std::vector<NebulaInvocation *> *const hung = new std::vector<NebulaInvocation *>;

/* Invoked ones answer with their parameters, at once, or fail as `fail` says, or never with `hang`; with `hang-first` the
 * first call of an attempt never answers. */
static gboolean
is_hung (NebulaInvocation *invocation)
{
  for (NebulaInvocation *other : *hung)
    if (nebula_invocation_get_parameters (other) == nebula_invocation_get_parameters (invocation))
      return TRUE;
  return FALSE;
}

static void
world_action_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  NebulaValue *parameters = nebula_invocation_get_parameters (invocation);
  const char *fail = nebula_value_get_member_string (parameters, "fail", NULL);
  gint64 until = nebula_value_get_member_integer (parameters, "fail-until", 0);

  gboolean is_first =
      nebula_value_has_member (parameters, "hang-first") && (hung->empty () || !is_hung (invocation));

  if (nebula_value_has_member (parameters, "hang") || is_first) {
    hung->push_back ((NebulaInvocation *) g_object_ref (invocation)); /* it never answers */
    return;
  }
  if (fail && (until == 0 || nebula_invocation_get_attempt (invocation) < until))
    nebula_invocation_return_failure (invocation, "failed", fail,
                                      NEBULA_RETRY_CLASS_RETRY, NULL);
  else
    nebula_invocation_return_value (invocation, parameters);
}

static void
setup_invoked (NebulaActionClass *klass, NebulaEffect effect)
{
  klass->invoke = world_action_invoke;
  nebula_action_class_set_effect (klass, effect);
  add_rest (klass);
}

static void
setup_pure (NebulaActionClass *klass)
{
  setup_invoked (klass, NEBULA_EFFECT_PURE);
}

static void
setup_read (NebulaActionClass *klass)
{
  setup_invoked (klass, NEBULA_EFFECT_READ);
}

static void
setup_idempotent (NebulaActionClass *klass)
{
  setup_invoked (klass, NEBULA_EFFECT_IDEMPOTENT);
}

static void
setup_effect (NebulaActionClass *klass)
{
  setup_invoked (klass, NEBULA_EFFECT_EFFECTFUL);
}

/* What a late expression gives for each item, computed on a thread of its own: NebulaValue or GError. */
static gpointer
run_late (gpointer data)
{
  const NebulaArguments *arguments =
      nebula_action_get_arguments (static_cast<NebulaAction *> (data));
  NebulaExpression *each = nebula_arguments_get_expression (arguments, "each");
  NebulaValue *items = nebula_arguments_get (arguments, "items");
  NebulaValueBuilder *list = nebula_value_builder_new_array ();
  GError *error = NULL;

  for (gsize i = 0; i < nebula_value_get_length (items) && error == NULL; i++)
    if (NebulaValue *value = nebula_arguments_evaluate_item (
            arguments, each, nebula_value_get_item (items, i), (gint64) i, &error))
      nebula_value_builder_add_take (list, value);
  NebulaValue *values = nebula_value_builder_end (list);
  nebula_value_builder_unref (list);
  auto *answer = new std::pair<NebulaValue *, GError *> (values, error);
  return answer;
}

static void
late_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  auto *answer = static_cast<std::pair<NebulaValue *, GError *> *> (
      g_thread_join (g_thread_new ("late", run_late, action)));

  if (answer->second != NULL)
    nebula_invocation_return_error (invocation, answer->second);
  else
    nebula_invocation_return_value (invocation, answer->first);
  g_clear_error (&answer->second);
  nebula_value_unref (answer->first);
  delete answer;
}

static void
setup_late (NebulaActionClass *klass)
{
  klass->invoke = late_invoke;
  nebula_action_class_set_effect (klass, NEBULA_EFFECT_PURE);
  add (klass, "items", NEBULA_PARAMETER_KIND_JSON);
  add (klass, "each", NEBULA_PARAMETER_KIND_EXPRESSION);
}

typedef struct {
  const char *id;
  void (*setup) (NebulaActionClass *klass);
} WorldEntry;

static const WorldEntry world[] = {
    {"data.set", setup_set},
    {"flow.no-op", setup_pass},
    {"flow.merge", setup_inputs},
    {"flow.if", setup_if},
    {"flow.for-each", setup_for_each},
    {"flow.repeat", setup_repeat},
    {"flow.while", setup_while},
    {"flow.wait", setup_wait},
    {"flow.stop", setup_stop},
    {"flow.fail", setup_fail},
    {"flow.break", setup_break},
    {"flow.continue", setup_continue},
    {"flow.try", setup_try},
    {"flow.race", setup_race},
    {"test.where", setup_where},
    {"flow.cancel", setup_cancel},
    {"flow.add", setup_add},
    {"test.late", setup_late},
    {"flow.call", setup_call},
    {"flow.token", setup_token},
    {"test.pure", setup_pure},
    {"test.read", setup_read},
    {"test.idempotent", setup_idempotent},
    {"test.effect", setup_effect},
};

static void
world_action_class_init (gpointer klass, gpointer data)
{
  const WorldEntry *entry = (const WorldEntry *) data;

  nebula_action_class_set_details ((NebulaActionClass *) klass, entry->id, "1.0.0",
                                   entry->id, entry->id, "test");
  entry->setup ((NebulaActionClass *) klass);
}

static GType
get_action_type (const WorldEntry *entry)
{
  std::string name = std::string ("World-") + entry->id;
  GTypeInfo info = {};

  for (char &c : name)
    c = g_ascii_isalnum (c) ? c : '_';
  if (GType type = g_type_from_name (name.c_str ()))
    return type;
  info.class_size = sizeof (WorldActionClass);
  info.class_init = world_action_class_init;
  info.class_data = entry;
  info.instance_size = sizeof (WorldAction);
  return g_type_register_static (NEBULA_TYPE_ACTION, name.c_str (), &info,
                                 (GTypeFlags) 0);
}

/* The resolver. */

typedef struct {
  GObject parent_instance;
} WorldResolver;

typedef struct {
  GObjectClass parent_class;
} WorldResolverClass;

static const WorldEntry *
find_entry (const char *id)
{
  for (const WorldEntry &entry : world)
    if (g_str_equal (entry.id, id))
      return &entry;
  return nullptr;
}

static NebulaActionInfo *
world_resolver_lookup (NebulaActionResolver *self,
                       const char *id,
                       const char *version,
                       GError **error)
{
  const WorldEntry *entry = find_entry (id);

  if (!entry) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_ACTION,
                 "There is no action %s.", id);
    return nullptr;
  }
  return nebula_action_info_new_from_class (
      (NebulaActionClass *) g_type_class_ref (get_action_type (entry)), "test", error);
}

static NebulaActionClass *
world_resolver_load (NebulaActionResolver *self, NebulaActionInfo *info, GError **error)
{
  const WorldEntry *entry = find_entry (nebula_action_info_get_id (info));

  return (NebulaActionClass *) g_type_class_ref (get_action_type (entry));
}

static void
world_resolver_iface_init (gpointer iface, gpointer data)
{
  ((NebulaActionResolverInterface *) iface)->lookup = world_resolver_lookup;
  ((NebulaActionResolverInterface *) iface)->load = world_resolver_load;
}

static void
world_resolver_class_init (WorldResolverClass *klass)
{
}

static void
world_resolver_init (WorldResolver *self)
{
}

G_DEFINE_TYPE_WITH_CODE (WorldResolver,
                         world_resolver,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (NEBULA_TYPE_ACTION_RESOLVER,
                                                world_resolver_iface_init))

namespace nebula
{

Ref<NebulaActionResolver>
new_world_resolver ()
{
  return Ref<NebulaActionResolver> (
      (NebulaActionResolver *) g_object_new (world_resolver_get_type (), nullptr));
}

std::vector<GThread *>
take_evaluated ()
{
  std::vector<GThread *> taken;

  g_mutex_lock (&evaluated_lock);
  taken.swap (*evaluated);
  g_mutex_unlock (&evaluated_lock);
  return taken;
}

Plan
compile (NebulaActionResolver *resolver, const char *text)
{
  Error error;
  GPtrArray *diagnostics =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  GBytes *bytes = g_bytes_new (text, strlen (text));
  Ref<NebulaWorkflow> workflow (
      nebula_workflow_read_bytes (bytes, "test.yaml", diagnostics, error.out ()));
  Plan plan (workflow ? nebula_workflow_compile (workflow.get (), resolver, diagnostics,
                                                 error.out ())
                      : nullptr);

  if (!plan || !nebula_plan_link (plan.get (), resolver, error.out ())) {
    ADD_FAILURE () << error.message () << "\n" << text;
    for (guint i = 0; i < diagnostics->len; i++) {
      char *line =
          nebula_diagnostic_to_string ((NebulaDiagnostic *) diagnostics->pdata[i]);

      ADD_FAILURE () << line;
      g_free (line);
    }
  }
  g_bytes_unref (bytes);
  g_ptr_array_unref (diagnostics);
  return plan;
}

} // namespace nebula
