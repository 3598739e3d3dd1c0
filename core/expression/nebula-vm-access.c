/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading from containers and from the environment. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

#define SUGGEST_KEYS 1000

/* The text of the operand that @word works on, up to the place where it points. */
char *
_nebula_vm_get_source (NebulaVm *vm, guint word)
{
  NebulaPosition position = vm->program->positions[word];
  const char *text = vm->program->text;
  gsize end = position.at;

  while (end > position.start && strchr (".?[ \n\t", text[end - 1]) != NULL)
    end--;
  return g_strndup (text + position.start,
                    end > position.start ? end - position.start : 0);
}

static char *
make_key_hint (NebulaValue *object, const char *key)
{
  const char *nearest = NULL;
  guint best = G_MAXUINT;
  gsize length = MIN (nebula_value_get_length (object), SUGGEST_KEYS);

  for (gsize i = 0; i < length; i++) {
    const char *candidate = nebula_value_get_key (object, i, NULL);

    if (_nebula_problem_is_near (key, candidate, &best))
      nearest = candidate;
  }
  if (nearest != NULL)
    return g_strdup_printf (_ ("Did you mean “%s”?"), nearest);
  if (length > 0)
    return g_strdup_printf (
        _ ("It has “%s” and others; “?.” gives null where nothing is."),
        nebula_value_get_key (object, 0, NULL));
  return g_strdup (_ ("The object is empty; “?.” gives null where nothing is."));
}

static gboolean
fail_missing (NebulaVm *vm, guint word, const NebulaCell *container, const char *key)
{
  g_autofree char *source = _nebula_vm_get_source (vm, word);
  g_autofree char *message = NULL;
  g_autofree char *hint = NULL;
  gboolean is_object = _nebula_cell_is (container, NEBULA_VALUE_KIND_OBJECT);

  if (is_object) {
    message = g_strdup_printf (_ ("There is no “%s” in “%s”"), key, source);
    hint = make_key_hint (container->as.value, key);
  } else if (container->tag == NEBULA_CELL_NULL) {
    message = g_strdup_printf (_ ("There is no “%s” because “%s” is null"), key, source);
    hint = g_strdup (_ ("Use “?.” to have null instead."));
  } else {
    message = g_strdup_printf (_ ("“%s” has no members, so no “%s”: it is %s"), source,
                               key, _nebula_cell_to_words (container));
    if (_nebula_functions_find (key, NULL) != NULL)
      hint = g_strdup_printf (_ ("Did you mean the function, “.%s ()”?"), key);
  }
  return _nebula_vm_fail_at (vm, word,
                             is_object || container->tag == NEBULA_CELL_NULL
                                 ? NEBULA_ERROR_MISSING_PROPERTY
                                 : NEBULA_ERROR_TYPE,
                             hint, message);
}

/* Replaces a container by one of its parts; what is borrowed stays borrowed. */
static void
replace_with_part (NebulaCell *cell, NebulaValue *part)
{
  NebulaCell result = _nebula_cell_borrow (part);

  if (cell->is_owned) {
    _nebula_cell_own (&result);
    _nebula_cell_release (cell);
  }
  *cell = result;
}

/* Whether by policy null stands for what is not there: of objects, arrays, text and null. */
static gboolean
is_lenient (NebulaVm *vm, const NebulaCell *container)
{
  NebulaValueKind kind;

  if (vm->environment == NULL || !vm->environment->missing_is_null)
    return FALSE;
  kind = _nebula_cell_get_kind (container);
  return kind == NEBULA_VALUE_KIND_NULL || kind == NEBULA_VALUE_KIND_OBJECT ||
         kind == NEBULA_VALUE_KIND_ARRAY || kind == NEBULA_VALUE_KIND_STRING;
}

/* The member with a key of the program; NULL: there is none. */
static inline NebulaValue *
find_member (NebulaVm *vm, const NebulaCell *cell, const NebulaText *key, guint word)
{
  const NebulaObject *object;
  guint32 *hint = vm->program->hints != NULL ? &vm->program->hints[word] : NULL;
  guint32 place = G_MAXUINT32;

  if (!_nebula_cell_is (cell, NEBULA_VALUE_KIND_OBJECT))
    return NULL;
  object = (const NebulaObject *) cell->as.value;
  if (hint != NULL)
    place = _nebula_shape_guess (object->shape, key->data, key->length, hint);
  if (G_LIKELY (place != G_MAXUINT32))
    return object->members[place];
  place = _nebula_shape_find (object->shape, key->data, key->length);
  if (place == G_MAXUINT32)
    return NULL;
  if (hint != NULL)
    __atomic_store_n (hint, place, __ATOMIC_RELAXED);
  return object->members[place];
}

static gboolean
miss_member (NebulaVm *vm, NebulaCell *cell, guint32 key, guint word)
{
  const NebulaCell *constant = &vm->program->constants[key & ~NEBULA_KEY_OPTIONAL];

  if ((key & NEBULA_KEY_OPTIONAL) == 0 && !is_lenient (vm, cell))
    return fail_missing (vm, word, cell, _nebula_cell_get_string (constant, NULL));
  _nebula_cell_release (cell);
  return TRUE;
}

static inline gboolean
get_member (NebulaVm *vm, NebulaCell *cell, guint32 key, guint word)
{
  const NebulaCell *constant = &vm->program->constants[key & ~NEBULA_KEY_OPTIONAL];
  NebulaValue *member =
      find_member (vm, cell, (const NebulaText *) constant->as.value, word);

  if (G_UNLIKELY (member == NULL))
    return miss_member (vm, cell, key, word);
  replace_with_part (cell, member);
  return TRUE;
}

/* Follows @count keys, which stand in the code, from @cell. */
gboolean
_nebula_vm_members (NebulaVm *vm, NebulaCell *cell, guint count)
{
  for (guint i = 0; i < count; i++) {
    guint word = vm->pc++;

    if (!get_member (vm, cell, vm->program->code[word], word))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_kind (const NebulaCell *cell, NebulaValueKind kind)
{
  return _nebula_cell_is (cell, kind);
}

static gboolean
index_object (NebulaVm *vm,
              NebulaCell *container,
              const NebulaCell *index,
              gboolean is_optional)
{
  NebulaValue *member;
  const char *key;
  gsize length;

  if (!is_kind (index, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("The key into an object is text, not %s"),
                            _nebula_cell_to_words (index));
  key = _nebula_cell_get_string (index, &length);
  member = nebula_value_get_member_length (container->as.value, key, length);
  if (member == NULL && !is_optional)
    return fail_missing (vm, vm->at, container, key);
  if (member != NULL)
    replace_with_part (container, member);
  else
    _nebula_cell_release (container);
  return TRUE;
}

/* Turns an index, from the end if negative, into one from the start; FALSE if it is outside. */
static gboolean
resolve_index (gint64 index, gsize length, gsize *ret)
{
  if (index < 0)
    index += (gint64) length;
  if (index < 0 || (guint64) index >= length)
    return FALSE;
  *ret = (gsize) index;
  return TRUE;
}

static gboolean
index_string (NebulaVm *vm, NebulaCell *container, gsize at)
{
  const char *text = _nebula_cell_get_string (container, NULL);
  const char *start = g_utf8_offset_to_pointer (text, (glong) at);
  NebulaCell result;

  if (!_nebula_vm_give_string (vm, start, g_utf8_next_char (start) - start, &result))
    return FALSE;
  _nebula_cell_release (container);
  *container = result;
  return TRUE;
}

static gsize
count_characters (const NebulaCell *text)
{
  gsize length;
  const char *start = _nebula_cell_get_string (text, &length);
  gsize count = 0;

  /* g_utf8_strlen () stops at U+0000, which a string may hold. */
  for (gsize i = 0; i < length; i++)
    count += ((guchar) start[i] & 0xc0) != 0x80;
  return count;
}

static gboolean
index_list (NebulaVm *vm,
            NebulaCell *container,
            const NebulaCell *index,
            gboolean is_optional)
{
  gboolean is_array = is_kind (container, NEBULA_VALUE_KIND_ARRAY);
  gsize length = is_array ? nebula_value_get_length (container->as.value)
                          : count_characters (container);
  gsize at;

  if (index->tag != NEBULA_CELL_INTEGER)
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE,
                            index->tag == NEBULA_CELL_FLOAT
                                ? _ ("Use div (a, b) or int (x) to have an integer.")
                                : NULL,
                            _ ("The index into %s is an integer, not %s"),
                            _nebula_cell_to_words (container),
                            _nebula_cell_to_words (index));
  if (!is_array &&
      !_nebula_vm_burn (vm, nebula_value_get_string_length (container->as.value) / 64))
    return FALSE;
  if (!resolve_index (index->as.integer, length, &at)) {
    if (!is_optional)
      return _nebula_vm_fail (
          vm, NEBULA_ERROR_MISSING_PROPERTY, _ ("Use “?[…]” to have null instead."),
          _ ("There is no item %lld; the length is %zu"),
          (long long) index->as.integer, length);
    _nebula_cell_release (container);
    return TRUE;
  }
  if (!is_array)
    return index_string (vm, container, at);
  replace_with_part (container, nebula_value_get_item (container->as.value, at));
  return TRUE;
}

/* Replaces @container by its part at @index. */
gboolean
_nebula_vm_index (NebulaVm *vm,
                  NebulaCell *container,
                  NebulaCell *index,
                  gboolean is_optional)
{
  g_autofree char *source = NULL;

  if (!is_optional && is_lenient (vm, container))
    is_optional = TRUE;
  if (is_kind (container, NEBULA_VALUE_KIND_OBJECT))
    return index_object (vm, container, index, is_optional);
  if (is_kind (container, NEBULA_VALUE_KIND_ARRAY) ||
      is_kind (container, NEBULA_VALUE_KIND_STRING))
    return index_list (vm, container, index, is_optional);
  if (is_optional) {
    _nebula_cell_release (container);
    return TRUE;
  }
  source = _nebula_vm_get_source (vm, vm->at);
  return _nebula_vm_fail (vm,
                          container->tag == NEBULA_CELL_NULL
                              ? NEBULA_ERROR_MISSING_PROPERTY
                              : NEBULA_ERROR_TYPE,
                          _ ("Use “?[…]” to have null instead."),
                          _ ("Nothing can be read from “%s”: it is %s"), source,
                          _nebula_cell_to_words (container));
}

static gboolean
resolve_bound (NebulaVm *vm,
               const NebulaCell *bound,
               gsize length,
               gsize fallback,
               gsize *ret)
{
  gint64 at;

  *ret = fallback;
  if (bound == NULL || bound->tag == NEBULA_CELL_NULL)
    return TRUE;
  if (bound->tag != NEBULA_CELL_INTEGER)
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("The bounds of a slice are integers, not %s"),
                            _nebula_cell_to_words (bound));
  at = bound->as.integer;
  if (at < 0)
    at = at < -(gint64) length ? 0 : at + (gint64) length;
  *ret = at > (gint64) length ? length : (gsize) at;
  return TRUE;
}

static gboolean
slice_string (NebulaVm *vm,
              const NebulaCell *text,
              gsize start,
              gsize end,
              NebulaCell *ret)
{
  const char *base = _nebula_cell_get_string (text, NULL);
  const char *from = g_utf8_offset_to_pointer (base, (glong) start);
  const char *to = g_utf8_offset_to_pointer (from, (glong) (end - start));

  return _nebula_vm_give_string (vm, from, to - from, ret);
}

static gboolean
slice_bytes (NebulaVm *vm,
             const NebulaCell *cell,
             gsize start,
             gsize end,
             NebulaCell *ret)
{
  g_autoptr (GBytes) bytes = nebula_value_ref_bytes (cell->as.value);
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, start, end - start);

  return _nebula_vm_charge (vm, 64) &&
         _nebula_vm_give (vm, nebula_value_new_bytes (part), ret);
}

static gsize
get_list_length (NebulaVm *vm, const NebulaCell *list)
{
  g_autoptr (GBytes) bytes = NULL;

  if (is_kind (list, NEBULA_VALUE_KIND_ARRAY))
    return nebula_value_get_length (list->as.value);
  if (is_kind (list, NEBULA_VALUE_KIND_STRING))
    return count_characters (list);
  bytes = nebula_value_ref_bytes (list->as.value);
  return g_bytes_get_size (bytes);
}

gboolean
_nebula_vm_slice (NebulaVm *vm,
                  NebulaCell *container,
                  const NebulaCell *start,
                  const NebulaCell *end,
                  gboolean is_optional)
{
  gboolean is_array = is_kind (container, NEBULA_VALUE_KIND_ARRAY);
  gboolean is_string = is_kind (container, NEBULA_VALUE_KIND_STRING);
  gsize length, from, to;
  NebulaCell result;

  if (!is_array && !is_string && !is_kind (container, NEBULA_VALUE_KIND_BYTES)) {
    if ((!is_optional && !is_lenient (vm, container)) ||
        container->tag != NEBULA_CELL_NULL)
      return _nebula_vm_fail (
          vm,
          container->tag == NEBULA_CELL_NULL ? NEBULA_ERROR_MISSING_PROPERTY
                                             : NEBULA_ERROR_TYPE,
          NULL, _ ("Arrays, text and bytes can be sliced, but this is %s"),
          _nebula_cell_to_words (container));
    return TRUE;
  }
  length = get_list_length (vm, container);
  if (!resolve_bound (vm, start, length, 0, &from) ||
      !resolve_bound (vm, end, length, length, &to))
    return FALSE;
  to = MAX (from, to);
  if (!_nebula_vm_burn (vm, is_array ? (to - from) / 8 : length / 64) ||
      (is_array && !_nebula_vm_charge (vm, 48 + 8 * (to - from))))
    return FALSE;
  if (is_array
          ? !_nebula_vm_give (vm, nebula_value_slice (container->as.value, from, to),
                              &result)
          : !(is_string ? slice_string : slice_bytes) (vm, container, from, to, &result))
    return FALSE;
  _nebula_cell_release (container);
  *container = result;
  return TRUE;
}

/* An error of the environment, with the place in the text. */
static gboolean
fail_from (NebulaVm *vm, GError *error)
{
  if (error->domain == NEBULA_ERROR)
    _nebula_vm_fail (vm, (NebulaError) error->code, NULL, "%s", error->message);
  else
    _nebula_vm_fail (vm, NEBULA_ERROR_FAILED, NULL, "%s", error->message);
  g_error_free (error);
  return FALSE;
}

static const char *const known_variables[] = {
    "env",   "execution", "in",   "index", "input",    "item",
    "json",  "loop",      "node", "nodes", "now",      "tenant",
    "today", "trigger",   "user", "vars",  "workflow", NULL,
};

gboolean
_nebula_vm_variable (NebulaVm *vm, const char *name, NebulaCell *ret)
{
  NebulaEnvironment *environment = vm->environment;
  g_autofree char *hint = NULL;
  const char *nearest;
  NebulaValue *value = NULL;
  GError *error = NULL;

  if (environment != NULL && environment->get_variable != NULL)
    value = environment->get_variable (environment, name, &error);
  if (error != NULL)
    return fail_from (vm, error);
  if (value != NULL) {
    *ret = _nebula_cell_from_value (value);
    return TRUE;
  }
  nearest = _nebula_problem_suggest (name, known_variables);
  hint = nearest != NULL && strcmp (nearest, name) != 0
             ? g_strdup_printf (_ ("Did you mean “$%s”?"), nearest)
             : NULL;
  return _nebula_vm_fail (vm, NEBULA_ERROR_UNKNOWN_NAME, hint,
                          _ ("There is no variable “$%s” here"), name);
}

static gboolean
get_node_field (NebulaVm *vm,
                const char *id,
                guint field,
                gboolean is_optional,
                NebulaCell *ret)
{
  NebulaEnvironment *environment = vm->environment;
  NebulaValue *value = NULL;
  GError *error = NULL;

  if (environment != NULL && environment->get_node != NULL)
    value = environment->get_node (environment, id, (NebulaNodeField) field, &error);
  if (value != NULL) {
    *ret = _nebula_cell_from_value (value);
    return TRUE;
  }
  if (is_optional && (error == NULL ||
                      g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME))) {
    g_clear_error (&error);
    *ret = _nebula_cell_null ();
    return TRUE;
  }
  if (error != NULL)
    return fail_from (vm, error);
  return _nebula_vm_fail (vm, NEBULA_ERROR_UNKNOWN_NAME, NULL,
                          _ ("There is no node “%s” here"), id);
}

/* All that may be asked about a node, as an object. */
static gboolean
get_node_object (NebulaVm *vm, const char *id, gboolean is_optional, NebulaCell *ret)
{
  static const char *const fields[] = {"result", "status", "success", "error",
                                       "attempts"};
  g_auto (NebulaCollector) collector = {0};

  if (is_optional) {
    if (!get_node_field (vm, id, NEBULA_NODE_FIELD_STATUS, TRUE, ret) ||
        ret->tag == NEBULA_CELL_NULL)
      return vm->error == NULL;
    _nebula_cell_release (ret);
  }
  _nebula_collector_init (&collector, vm, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    NebulaCell member;

    if (!get_node_field (vm, id, i, FALSE, &member) ||
        !_nebula_collector_set (&collector, fields[i], strlen (fields[i]), &member))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

/* `$nodes[id].field`; @field has a flag above its low byte: unknown ids give null. */
gboolean
_nebula_vm_node (NebulaVm *vm, const NebulaCell *id, guint field, NebulaCell *ret)
{
  gboolean is_optional = (field & 1u << 8) != 0;

  if (!is_kind (id, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("The id of a node is text, not %s"),
                            _nebula_cell_to_words (id));
  if ((field & 0xff) == NEBULA_NODE_FIELD_ALL)
    return get_node_object (vm, _nebula_cell_get_string (id, NULL), is_optional, ret);
  return get_node_field (vm, _nebula_cell_get_string (id, NULL), field & 0xff,
                         is_optional, ret);
}

static gboolean
load_loop (NebulaVm *vm, const NebulaExternal *external, NebulaCell *ret)
{
  NebulaEnvironment *environment = vm->environment;
  NebulaValue *value = NULL;
  GError *error = NULL;

  if (environment != NULL && environment->get_loop != NULL)
    value = environment->get_loop (environment, external->id, external->field, &error);
  if (error != NULL)
    return fail_from (vm, error);
  if (value == NULL)
    return _nebula_vm_fail (vm, NEBULA_ERROR_UNKNOWN_NAME, NULL,
                            _ ("There is no loop “%s” around this"), external->id);
  *ret = _nebula_cell_from_value (value);
  return TRUE;
}

/* What the environment says about a name, asked once for each evaluation; NULL with an error. */
NebulaCell *
_nebula_vm_external (NebulaVm *vm, guint index)
{
  const NebulaExternal *external = &vm->program->externals[index];
  NebulaCell *cell = &vm->externals[index];
  NebulaCell result;
  gboolean is_done;

  if (cell->tag != NEBULA_CELL_UNSET)
    return cell;
  if (external->kind == NEBULA_EXTERNAL_VARIABLE)
    is_done = _nebula_vm_variable (vm, external->name, &result);
  else if (external->kind == NEBULA_EXTERNAL_LOOP)
    is_done = load_loop (vm, external, &result);
  else if (external->node_field == NEBULA_NODE_FIELD_ALL)
    is_done = get_node_object (vm, external->id, external->is_optional, &result);
  else
    is_done = get_node_field (vm, external->id, external->node_field,
                              external->is_optional, &result);
  if (!is_done)
    return NULL;
  *cell = result;
  return cell;
}
