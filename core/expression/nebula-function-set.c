/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of modules: their declarations, and the call with its checks. */

#include "nebula-function-set.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"
#include "nebula-function-callback.h"
#include "nebula-function-remote-internal.h"

#define PARAMETERS_MAX 16
#define CALL_FUEL      50 /* what a call costs beside its data */

struct _NebulaForeign {
  NebulaFunction function;
  char *parameters;
  char *result;
  char *examples;
  guint32 argument_kinds[PARAMETERS_MAX];
  guint n_arguments;
  guint32 result_kinds;
  NebulaForeignCall call; /* atomic; NULL until it is loaded */
  NebulaFunctionCallback callback; /* nullable: called instead */
  gboolean is_remote;              /* the callback waits for another process */
  NebulaFunctionLoader loader;
  gpointer user_data;
  GDestroyNotify destroy;
};

struct _NebulaFunctionSet {
  gatomicrefcount references;
  GPtrArray *functions; /* of NebulaForeign, in order */
};

G_DEFINE_BOXED_TYPE (NebulaFunctionSet,
                     nebula_function_set,
                     nebula_function_set_ref,
                     nebula_function_set_unref)

static void
foreign_free (gpointer data)
{
  NebulaForeign *self = data;

  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free ((char *) self->function.name);
  g_free ((char *) self->function.signature);
  g_free ((char *) self->function.description);
  g_free (self->parameters);
  g_free (self->result);
  g_free (self->examples);
  g_free (self);
}

/**
 * nebula_function_set_new:
 *
 * Makes an empty set.
 *
 * Returns: (transfer full): the set
 *
 * Since: 1.0
 */
NebulaFunctionSet *
nebula_function_set_new (void)
{
  NebulaFunctionSet *self = g_new0 (NebulaFunctionSet, 1);

  g_atomic_ref_count_init (&self->references);
  self->functions = g_ptr_array_new_with_free_func (foreign_free);
  return self;
}

/**
 * nebula_function_set_ref:
 * @self: a set
 *
 * Takes a reference.
 *
 * Thread: any.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaFunctionSet *
nebula_function_set_ref (NebulaFunctionSet *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_function_set_unref:
 * @self: (transfer full): a set
 *
 * Gives a reference back. Expressions that call its functions hold references of their own.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_function_set_unref (NebulaFunctionSet *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_ptr_array_unref (self->functions);
  g_free (self);
}

static const struct {
  const char *name;
  guint32 kinds;
} type_names[] = {
    {"any", NEBULA_KINDS_ANY},
    {"null", 1u << NEBULA_VALUE_KIND_NULL},
    {"boolean", 1u << NEBULA_VALUE_KIND_BOOLEAN},
    {"integer", 1u << NEBULA_VALUE_KIND_INTEGER},
    {"float", 1u << NEBULA_VALUE_KIND_FLOAT},
    {"decimal", 1u << NEBULA_VALUE_KIND_DECIMAL},
    {"number", 1u << NEBULA_VALUE_KIND_INTEGER | 1u << NEBULA_VALUE_KIND_FLOAT |
                   1u << NEBULA_VALUE_KIND_DECIMAL},
    {"string", 1u << NEBULA_VALUE_KIND_STRING},
    {"bytes", 1u << NEBULA_VALUE_KIND_BYTES},
    {"array", 1u << NEBULA_VALUE_KIND_ARRAY},
    {"object", 1u << NEBULA_VALUE_KIND_OBJECT},
    {"timestamp", 1u << NEBULA_VALUE_KIND_TIMESTAMP},
    {"date", 1u << NEBULA_VALUE_KIND_DATE},
    {"duration", 1u << NEBULA_VALUE_KIND_DURATION},
};

/* 0: there is no such type. */
static guint32
parse_type (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " or ", -1);
  guint32 kinds = 0;

  for (guint i = 0; words[i] != NULL; i++) {
    guint32 found = 0;

    g_strstrip (words[i]);
    for (guint j = 0; j < G_N_ELEMENTS (type_names); j++)
      if (strcmp (type_names[j].name, words[i]) == 0)
        found = type_names[j].kinds;
    if (found == 0)
      return 0;
    kinds |= found;
  }
  return kinds;
}

static gboolean
is_name (const char *text)
{
  return g_regex_match_simple ("^[a-z][a-z0-9_]{0,63}$", text, G_REGEX_DOLLAR_ENDONLY, 0);
}

/* `name: type`, `name?: type` or `name…: type`. */
static gboolean
parse_parameter (NebulaForeign *self, char *text, gboolean is_last, GString *signature)
{
  char *colon = strchr (text, ':');
  gboolean is_optional, is_repeated;

  if (colon == NULL || self->n_arguments == PARAMETERS_MAX)
    return FALSE;
  *colon = '\0';
  g_strstrip (text);
  is_optional = g_str_has_suffix (text, "?");
  is_repeated = g_str_has_suffix (text, "…");
  if (is_repeated && !is_last)
    return FALSE;
  if (signature->len > 0)
    g_string_append (signature, ", ");
  g_string_append (signature, text);
  if (is_optional || is_repeated)
    text[strlen (text) - strlen (is_optional ? "?" : "…")] = '\0';
  if (!is_name (text) || (!is_optional && !is_repeated && self->function.min < self->n_arguments))
    return FALSE;
  self->argument_kinds[self->n_arguments++] = parse_type (colon + 1);
  if (!is_optional && !is_repeated)
    self->function.min++;
  self->function.max = is_repeated ? NEBULA_ARITY_ANY : (guint8) self->n_arguments;
  return self->argument_kinds[self->n_arguments - 1] != 0;
}

static gboolean
parse_parameters (NebulaForeign *self)
{
  g_auto (GStrv) parts = g_strsplit (self->parameters, ",", -1);
  GString *signature = g_string_new (NULL);
  gboolean is_good = TRUE;

  for (guint i = 0; parts[i] != NULL && is_good; i++)
    is_good = parse_parameter (self, parts[i], parts[i + 1] == NULL, signature);
  self->function.signature = g_string_free (signature, FALSE);
  return is_good;
}

static gboolean
check (NebulaFunctionSet *set, NebulaForeign *self, GError **error)
{
  const char *name = self->function.name;

  if (!is_name (name)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” is no name of a function. Use small letters, digits and “_”."),
                 name);
    return FALSE;
  }
  if (_nebula_functions_find (name, set) != NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS,
                 _ ("There is a function “%s” already. Give this one another name."), name);
    return FALSE;
  }
  self->result_kinds = parse_type (self->result);
  if (!parse_parameters (self) || self->result_kinds == 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("The types of the function “%s” cannot be read. Write them like “text: "
                    "string, width?: integer”."),
                 name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
add (NebulaFunctionSet *set, NebulaForeign *self, GError **error)
{
  self->function.foreign = self;
  self->function.kinds = "v";
  self->function.result = "v";
  self->function.flags = NEBULA_FUNCTION_IMPURE;
  if (!check (set, self, error)) {
    foreign_free (self);
    return FALSE;
  }
  g_ptr_array_add (set->functions, self);
  return TRUE;
}

/* Takes @self. */
static gboolean
add_entry (NebulaFunctionSet *set,
           NebulaForeign *self,
           NebulaValue *entry,
           GError **error)
{
  if (nebula_value_get_kind (entry) != NEBULA_VALUE_KIND_OBJECT) {
    foreign_free (self);
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("The entry of a function is an object."));
    return FALSE;
  }
  self->function.name = g_strdup (nebula_value_get_member_string (entry, "name", ""));
  self->function.description =
      g_strdup (nebula_value_get_member_string (entry, "description", ""));
  self->parameters = g_strdup (nebula_value_get_member_string (entry, "parameters", ""));
  self->result = g_strdup (nebula_value_get_member_string (entry, "result", "any"));
  self->examples = g_strdup (nebula_value_get_member_string (entry, "examples", NULL));
  return add (set, self, error);
}

/**
 * nebula_function_set_add: (skip)
 * @self: a set that is not yet shared
 * @descriptor: the function; copied
 * @error: return location for an error
 *
 * Adds a function.
 *
 * Errors: %NEBULA_ERROR_EXISTS (terminal) if the name is that of a built-in function, of one of its aliases, or is in
 * the set; %NEBULA_ERROR_INVALID_ARGUMENT (terminal) if the declaration cannot be read.
 *
 * Returns: whether it was added
 *
 * Since: 1.0
 */
gboolean
nebula_function_set_add (NebulaFunctionSet *self,
                         const NebulaFunctionDescriptor *descriptor,
                         GError **error)
{
  NebulaForeign *foreign;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (descriptor != NULL && descriptor->name != NULL, FALSE);
  g_return_val_if_fail (descriptor->call != NULL, FALSE);

  foreign = g_new0 (NebulaForeign, 1);
  foreign->function.name = g_strdup (descriptor->name);
  foreign->function.description =
      g_strdup (descriptor->description != NULL ? descriptor->description : "");
  foreign->parameters =
      g_strdup (descriptor->parameters != NULL ? descriptor->parameters : "");
  foreign->result = g_strdup (descriptor->result != NULL ? descriptor->result : "any");
  foreign->examples = g_strdup (descriptor->examples);
  foreign->call = descriptor->call;
  return add (self, foreign, error);
}

/**
 * nebula_function_set_add_late: (skip)
 * @self: a set that is not yet shared
 * @entry: what nebula_function_set_describe() says of the function
 * @loader: (scope notified) (closure user_data) (destroy destroy): called when an expression that calls it is compiled
 * @user_data: data for @loader
 * @destroy: (nullable): frees @user_data
 * @error: return location for an error
 *
 * Adds a function whose code is not loaded yet.
 *
 * Errors: as for nebula_function_set_add(); %NEBULA_ERROR_INVALID_DATA (terminal) if @entry is no such object.
 *
 * Returns: whether it was added
 *
 * Since: 1.0
 */
gboolean
nebula_function_set_add_late (NebulaFunctionSet *self,
                              NebulaValue *entry,
                              NebulaFunctionLoader loader,
                              gpointer user_data,
                              GDestroyNotify destroy,
                              GError **error)
{
  NebulaForeign *foreign;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (entry != NULL && loader != NULL, FALSE);

  foreign = g_new0 (NebulaForeign, 1);
  foreign->loader = loader;
  foreign->user_data = user_data;
  foreign->destroy = destroy;
  return add_entry (self, foreign, entry, error);
}

static gboolean
add_callback (NebulaFunctionSet *self,
              NebulaValue *entry,
              NebulaForeign foreign,
              GError **error)
{
  return add_entry (self, g_memdup2 (&foreign, sizeof foreign), entry, error);
}

/**
 * nebula_function_set_add_callback:
 * @self: a set that is not yet shared
 * @entry: `{name, parameters, result, description, examples?}`, as nebula_function_set_describe() gives it
 * @callback: (scope notified) (closure user_data) (destroy destroy): the function
 * @user_data: data for @callback
 * @destroy: (nullable): frees @user_data, also when the function is not added
 * @error: return location for an error
 *
 * Adds a function that is written in this process, in C or in the language of a script.
 *
 * Errors: as for nebula_function_set_add_late().
 *
 * Returns: whether it was added
 *
 * Since: 1.0
 */
gboolean
nebula_function_set_add_callback (NebulaFunctionSet *self,
                                  NebulaValue *entry,
                                  NebulaFunctionCallback callback,
                                  gpointer user_data,
                                  GDestroyNotify destroy,
                                  GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (entry != NULL && callback != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return add_callback (self, entry,
                       (NebulaForeign){.callback = callback,
                                       .user_data = user_data,
                                       .destroy = destroy},
                       error);
}

gboolean
nebula_function_set_add_remote (NebulaFunctionSet *self,
                                NebulaValue *entry,
                                NebulaFunctionCallback callback,
                                gpointer user_data,
                                GDestroyNotify destroy,
                                GError **error)
{
  return add_callback (self, entry,
                       (NebulaForeign){.callback = callback,
                                       .is_remote = TRUE,
                                       .user_data = user_data,
                                       .destroy = destroy},
                       error);
}

/**
 * nebula_function_set_describe:
 * @self: a set
 *
 * Describes the functions: an array of `{name, parameters, result, description, examples?}`.
 *
 * Thread: any.
 *
 * Returns: (transfer full): an array
 *
 * Since: 1.0
 */
NebulaValue *
nebula_function_set_describe (NebulaFunctionSet *self)
{
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();

  g_return_val_if_fail (self != NULL, NULL);

  for (guint i = 0; i < self->functions->len; i++) {
    const NebulaForeign *foreign = g_ptr_array_index (self->functions, i);
    g_autoptr (NebulaValueBuilder) entry = nebula_value_builder_new_object ();

    nebula_value_builder_set_string (entry, "name", foreign->function.name);
    nebula_value_builder_set_string (entry, "parameters", foreign->parameters);
    nebula_value_builder_set_string (entry, "result", foreign->result);
    nebula_value_builder_set_string (entry, "description", foreign->function.description);
    if (foreign->examples != NULL)
      nebula_value_builder_set_string (entry, "examples", foreign->examples);
    nebula_value_builder_add_take (list, nebula_value_builder_end (entry));
  }
  return nebula_value_builder_end (list);
}

const NebulaFunction *
_nebula_function_set_get (NebulaFunctionSet *self, guint index)
{
  if (self == NULL || index >= self->functions->len)
    return NULL;
  return &((NebulaForeign *) g_ptr_array_index (self->functions, index))->function;
}

const NebulaFunction *
_nebula_function_set_find (NebulaFunctionSet *self, const char *name)
{
  for (guint i = 0; self != NULL && i < self->functions->len; i++) {
    const NebulaForeign *foreign = g_ptr_array_index (self->functions, i);

    if (strcmp (foreign->function.name, name) == 0)
      return &foreign->function;
  }
  return NULL;
}

static NebulaForeignCall
get_call (const NebulaForeign *self, GError **error)
{
  NebulaForeign *known = self->function.foreign;
  NebulaForeignCall call = (NebulaForeignCall) g_atomic_pointer_get (&known->call);

  if (call != NULL)
    return call;
  call = known->loader (known->function.name, known->user_data, error);
  if (call != NULL)
    g_atomic_pointer_set (&known->call, call);
  return call;
}

gboolean
_nebula_foreign_load (const NebulaForeign *self, GError **error)
{
  return self->callback != NULL || get_call (self, error) != NULL;
}

static NebulaValue *
call_foreign (const NebulaForeign *self, GPtrArray *values, GError **error)
{
  NebulaValue **arguments = (NebulaValue **) values->pdata;
  g_autoptr (NebulaValue) array = NULL;
  NebulaForeignCall call;

  if (self->callback != NULL) {
    array = nebula_value_new_array (arguments, values->len);
    return self->callback (array, self->user_data, error);
  }
  call = get_call (self, error);
  return call != NULL ? call (arguments, values->len, error) : NULL;
}

/* Whoever evaluates on a loop takes it for too much work, and evaluates again where one may wait. */
static gboolean
may_call (NebulaVm *vm, const NebulaForeign *self)
{
  if (!self->is_remote || vm->environment == NULL || !vm->environment->must_not_wait)
    return TRUE;
  return _nebula_vm_fail (vm, NEBULA_ERROR_BUDGET_EXCEEDED, NULL,
                          _ ("“%s” runs in another process, which is not waited for here"),
                          self->function.name);
}

guint32
_nebula_foreign_get_argument_kinds (const NebulaForeign *self, guint argument)
{
  if (self->n_arguments == 0)
    return NEBULA_KINDS_ANY;
  return self->argument_kinds[MIN (argument, self->n_arguments - 1)];
}

guint32
_nebula_foreign_get_result_kinds (const NebulaForeign *self)
{
  return self->result_kinds;
}

const char *
_nebula_foreign_get_examples (const NebulaForeign *self)
{
  return self->examples;
}

static gboolean
check_arguments (NebulaVm *vm,
                 const NebulaForeign *self,
                 const NebulaCell *arguments,
                 guint count)
{
  for (guint i = 0; i < count; i++) {
    guint32 wanted = _nebula_foreign_get_argument_kinds (self, i);
    g_autofree char *words = NULL;

    if (wanted & 1u << _nebula_cell_get_kind (&arguments[i]))
      continue;
    words = _nebula_kinds_to_words (wanted);
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("“%s” takes %s as argument %u, not %s"),
                            self->function.name, words, i + 1,
                            _nebula_cell_to_words (&arguments[i]));
  }
  return TRUE;
}

static gboolean
take_result (NebulaVm *vm,
             const NebulaForeign *self,
             NebulaValue *value,
             GError *error,
             NebulaCell *ret)
{
  g_autoptr (GError) owned = error;
  g_autofree char *words = NULL;
  gsize bytes;

  if (value == NULL && error != NULL)
    return _nebula_vm_fail (vm,
                            error->domain == NEBULA_ERROR ? (NebulaError) error->code
                                                          : NEBULA_ERROR_FAILED,
                            NULL, "%s", error->message);
  if (value == NULL ||
      !(self->result_kinds & 1u << nebula_value_get_kind (value))) {
    words = _nebula_kinds_to_words (self->result_kinds);
    _nebula_vm_fail (vm, NEBULA_ERROR_ACTION_CONTRACT,
                     _ ("Tell the author of the module."),
                     _ ("The function “%s” did not give %s, as its module declares"),
                     self->function.name, words);
    g_clear_pointer (&value, nebula_value_unref);
    return FALSE;
  }
  bytes = nebula_value_get_size_bytes (value);
  if (!_nebula_vm_charge (vm, bytes) || !_nebula_vm_burn (vm, bytes / 64)) {
    nebula_value_unref (value);
    return FALSE;
  }
  return _nebula_vm_give (vm, value, ret);
}

gboolean
_nebula_foreign_run (NebulaVm *vm,
                     const NebulaFunction *function,
                     NebulaCell *arguments,
                     guint count,
                     NebulaCell *ret)
{
  const NebulaForeign *self = function->foreign;
  g_autoptr (GPtrArray) values =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  NebulaValue *value;
  GError *error = NULL;

  if (!may_call (vm, self) || !check_arguments (vm, self, arguments, count) ||
      !_nebula_vm_burn (vm, CALL_FUEL))
    return FALSE;
  for (guint i = 0; i < count; i++)
    g_ptr_array_add (values, _nebula_cell_ref_value (&arguments[i]));
  value = call_foreign (self, values, &error);
  return take_result (vm, self, value, error, ret);
}
