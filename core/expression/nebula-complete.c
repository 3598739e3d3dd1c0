/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be written at a place of an expression, in the order in which one would look for it. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-completion-private.h"
#include "nebula-limits.h"

#define MAX_MEMBERS 1000

typedef struct {
  const char *text;
  const NebulaExpressionScope *scope;
  NebulaCursor cursor;
  gsize at;     /* byte of the cursor */
  char *prefix; /* what is typed */
  GPtrArray *found;
} Completer;

static guint
count_characters (const Completer *self, gsize at)
{
  return (guint) g_utf8_strlen (self->text, (gssize) at);
}

/* Letters are compared without case, and `sortBy` is typed for `sort_by`. */
static gboolean
is_wanted (const Completer *self, const char *label)
{
  const char *typed = self->prefix;

  while (*typed != '\0') {
    if (*label == '_' && *typed != '_')
      label++;
    if (g_ascii_tolower (*typed) != g_ascii_tolower (*label))
      return FALSE;
    typed++;
    label++;
  }
  return TRUE;
}

static void
offer (Completer *self, NebulaCompletionParts parts)
{
  if (!is_wanted (self, parts.label))
    return;
  if (parts.end == 0) {
    parts.start = count_characters (self, self->cursor.word);
    parts.end = count_characters (self, self->at);
  }
  g_ptr_array_add (self->found, _nebula_completion_new (&parts));
}

static void
offer_typed (Completer *self,
             NebulaCompletionKind kind,
             const char *label,
             const NebulaType *type,
             const char *description)
{
  g_autofree char *detail = _nebula_kinds_to_words (type->kinds);
  g_autofree char *documentation = description != NULL
                                       ? g_strdup (description)
                                       : _nebula_type_get_documentation (type);

  offer (self, (NebulaCompletionParts){.kind = kind,
                                       .label = label,
                                       .detail = detail,
                                       .documentation = documentation});
}

static void
offer_variable (Completer *self, const NebulaScopeName *name)
{
  g_autofree char *label = g_strconcat ("$", name->name, NULL);
  NebulaType type = _nebula_scope_name_get_type (name);
  const char *description = name->description != NULL
                                ? name->description
                                : _nebula_variable_describe (name->name);

  offer_typed (self, NEBULA_COMPLETION_KIND_VARIABLE, label, &type, description);
}

static void
offer_group (Completer *self, GPtrArray *names, const char *label)
{
  if (names->len > 0)
    offer (self, (NebulaCompletionParts){
                     .kind = NEBULA_COMPLETION_KIND_VARIABLE,
                     .label = label,
                     .detail = _nebula_kind_to_words (NEBULA_VALUE_KIND_OBJECT),
                     .documentation = _nebula_variable_describe (label + 1)});
}

static void
offer_variables (Completer *self)
{
  for (guint i = 0; i < self->scope->variables->len; i++)
    offer_variable (self, g_ptr_array_index (self->scope->variables, i));
  offer_group (self, self->scope->nodes, "$nodes");
  offer_group (self, self->scope->loops, "$loop");
}

static gboolean
is_name (const char *key)
{
  if (*key != '_' && !g_unichar_isalpha (g_utf8_get_char (key)))
    return FALSE;
  for (; *key != '\0'; key = g_utf8_next_char (key))
    if (*key != '_' && !g_unichar_isalnum (g_utf8_get_char (key)))
      return FALSE;
  return TRUE;
}

static char *
quote_key (const char *key, char quote)
{
  GString *quoted = g_string_new (NULL);

  for (; *key != '\0'; key++) {
    if (*key == quote || *key == '\\' || (quote == '"' && *key == '$'))
      g_string_append_c (quoted, '\\');
    if (*key == '\n')
      g_string_append (quoted, "\\n");
    else
      g_string_append_c (quoted, *key);
  }
  return g_string_free (quoted, FALSE);
}

/* A key that is no name goes into brackets, which take the place of the dot. */
static void
offer_key (Completer *self, NebulaCompletionParts parts)
{
  const NebulaCursor *cursor = &self->cursor;
  gboolean is_in_text = cursor->kind == NEBULA_CURSOR_KEY;
  g_autofree char *quoted = quote_key (parts.label, is_in_text ? cursor->quote : '"');
  g_autofree char *insert_text = NULL;
  const char *rest = self->text + self->at;

  if (is_in_text) {
    const char end[] = {cursor->quote, ']', '\0'};

    insert_text = g_strconcat (quoted, *rest == cursor->quote ? "" : end, NULL);
    parts.insert_text = insert_text;
  } else if (!is_name (parts.label)) {
    insert_text = g_strdup_printf ("%s\"%s\"]", cursor->is_optional ? "?[" : "[", quoted);
    parts.insert_text = insert_text;
    parts.start = count_characters (self, cursor->dot);
    parts.end = count_characters (self, self->at);
  }
  offer (self, parts);
}

static void
offer_ids (Completer *self, NebulaCompletionKind kind, GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++) {
    const NebulaScopeName *name = g_ptr_array_index (names, i);

    offer_key (self, (NebulaCompletionParts){
                         .kind = kind, .label = name->name, .detail = name->description});
  }
}

static void
offer_fields (Completer *self, const NebulaProbe *probe, const NebulaScopeField *fields)
{
  const NebulaSyntax *owner = probe->node->a;
  const char *id = owner->kind == NEBULA_SYNTAX_MEMBER ? owner->name
                   : _nebula_cell_is (&owner->b->literal, NEBULA_VALUE_KIND_STRING)
                       ? _nebula_cell_get_string (&owner->b->literal, NULL)
                       : NULL;

  for (; fields->name != NULL; fields++) {
    NebulaType type =
        _nebula_expression_scope_get_type (self->scope, owner->a->name, id, fields->name);
    g_autofree char *detail = _nebula_kinds_to_words (type.kinds);

    offer_key (self, (NebulaCompletionParts){.kind = NEBULA_COMPLETION_KIND_FIELD,
                                             .label = fields->name,
                                             .detail = detail,
                                             .documentation = _ (fields->description)});
  }
}

static void
offer_members (Completer *self, const NebulaType *base)
{
  NebulaValue *members = _nebula_type_get_members (base);
  gsize count =
      members != NULL ? MIN (nebula_value_get_length (members), MAX_MEMBERS) : 0;

  for (gsize i = 0; i < count; i++) {
    NebulaMembership membership;
    const char *key = nebula_value_get_key (members, i, NULL);
    NebulaType type =
        _nebula_type_guess (_nebula_type_get_member (base, key, &membership));
    g_autofree char *detail = _nebula_kinds_to_words (type.kinds);
    g_autofree char *documentation = _nebula_type_get_documentation (&type);

    offer_key (self, (NebulaCompletionParts){.kind = NEBULA_COMPLETION_KIND_MEMBER,
                                             .label = key,
                                             .detail = detail,
                                             .documentation = documentation});
  }
}

/* @given: arguments that stand before the parentheses. */
static void
offer_function (Completer *self, const NebulaFunction *function, guint given)
{
  g_autofree char *detail = NULL;
  g_autofree char *documentation = NULL;
  g_autofree char *insert_text = NULL;

  if (!is_wanted (self, function->name))
    return;
  detail = _nebula_function_get_detail (function);
  documentation = _nebula_function_get_documentation (function);
  insert_text = g_strconcat (function->name, function->max > given ? "(" : "()", NULL);
  offer (self, (NebulaCompletionParts){.kind = NEBULA_COMPLETION_KIND_FUNCTION,
                                       .label = function->name,
                                       .detail = detail,
                                       .documentation = documentation,
                                       .insert_text = insert_text});
}

/* @base NULL: any function; else those that take such a thing as their first argument. */
static gboolean
is_applicable (const NebulaFunction *function, const NebulaType *base)
{
  guint32 kinds = NEBULA_KINDS_ANY;

  if (base == NULL)
    return TRUE;
  if (function->max == 0)
    return FALSE;
  if (base->kinds != 1u << NEBULA_VALUE_KIND_NULL)
    kinds = base->kinds & ~(1u << NEBULA_VALUE_KIND_NULL);
  return (_nebula_function_get_argument_kinds (function, 0) & kinds) != 0;
}

static void
offer_functions (Completer *self, const NebulaType *base)
{
  const NebulaFunction *function;

  for (guint i = 0; i < _nebula_functions_count (); i++)
    if (is_applicable (_nebula_functions_get (i), base))
      offer_function (self, _nebula_functions_get (i), base != NULL ? 1 : 0);
  for (guint i = 0;
       (function = _nebula_function_set_get (self->scope->functions, i)) != NULL; i++)
    if (is_applicable (function, base))
      offer_function (self, function, base != NULL ? 1 : 0);
}

static void
offer_keywords (Completer *self, const char *const *words)
{
  for (; *words != NULL; words++)
    offer (self, (NebulaCompletionParts){.kind = NEBULA_COMPLETION_KIND_KEYWORD,
                                         .label = *words});
}

static void
offer_operators (Completer *self)
{
  static const char *const words[] = {"and", "in", "or", NULL};
  static const char *const then[] = {"then", NULL};
  static const char *const otherwise[] = {"else", NULL};

  if (self->cursor.frame == NEBULA_CURSOR_IF)
    offer_keywords (self, then);
  if (self->cursor.frame == NEBULA_CURSOR_THEN)
    offer_keywords (self, otherwise);
  offer_keywords (self, words);
}

/* The innermost of two lambdas' parameters with one name is meant. */
static void
offer_locals (Completer *self, const NebulaProbe *probe)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = probe->locals->len; i > 0; i--) {
    const char *name = g_ptr_array_index (probe->locals, i - 1);

    if (g_hash_table_add (seen, (gpointer) name))
      offer_typed (self, NEBULA_COMPLETION_KIND_LOCAL, name,
                   &g_array_index (probe->local_types, NebulaType, i - 1), NULL);
  }
}

static void
offer_steps (Completer *self, const NebulaProbe *probe)
{
  switch (_nebula_probe_get_base (probe->node)) {
  case NEBULA_BASE_NODES:
    offer_ids (self, NEBULA_COMPLETION_KIND_NODE, self->scope->nodes);
    break;
  case NEBULA_BASE_LOOPS:
    offer_ids (self, NEBULA_COMPLETION_KIND_LOOP, self->scope->loops);
    break;
  case NEBULA_BASE_NODE:
    offer_fields (self, probe, _nebula_node_fields);
    break;
  case NEBULA_BASE_LOOP:
    offer_fields (self, probe, _nebula_loop_fields);
    break;
  case NEBULA_BASE_PLAIN:
  default:
    offer_members (self, &probe->base);
    if (self->cursor.kind == NEBULA_CURSOR_MEMBER)
      offer_functions (self, &probe->base);
  }
}

static void
use_probe (const NebulaProbe *probe, gpointer user_data)
{
  Completer *self = user_data;

  if (probe->node == NULL)
    return;
  if (self->cursor.kind == NEBULA_CURSOR_MEMBER || self->cursor.kind == NEBULA_CURSOR_KEY)
    offer_steps (self, probe);
  else if (self->cursor.kind == NEBULA_CURSOR_PIPE)
    offer_functions (self, &probe->base);
  else
    offer_locals (self, probe);
}

/* The expression up to the cursor, with a name there and all that is open closed. */
static gboolean
probe_cursor (Completer *self)
{
  const NebulaCursor *cursor = &self->cursor;
  const char quote[] = {cursor->quote, '\0'};
  gboolean is_key = cursor->kind == NEBULA_CURSOR_KEY;
  g_autofree char *before =
      g_strndup (self->text + cursor->start, cursor->word - cursor->start);
  const char *word = cursor->kind == NEBULA_CURSOR_PIPE ? "_()" : "_";
  g_autofree char *repaired = g_strconcat (before, word, is_key ? quote : "",
                                           is_key ? "]" : "", cursor->closers, NULL);

  return _nebula_probe_run (repaired, cursor->word - cursor->start - (is_key ? 1 : 0),
                            self->scope, use_probe, self);
}

static void
complete (Completer *self)
{
  static const char *const words[] = {"false", "if", "not", "null", "true", NULL};
  gboolean is_known = TRUE;

  if (self->cursor.kind == NEBULA_CURSOR_NOWHERE)
    return;
  if (self->cursor.kind == NEBULA_CURSOR_OPERATOR) {
    offer_operators (self);
    return;
  }
  if (self->cursor.kind != NEBULA_CURSOR_VARIABLE)
    is_known = probe_cursor (self);
  if (self->cursor.kind == NEBULA_CURSOR_VARIABLE ||
      self->cursor.kind == NEBULA_CURSOR_OPERAND)
    offer_variables (self);
  /* Without a tree the type is not known, and any function may be meant. */
  if (self->cursor.kind == NEBULA_CURSOR_OPERAND ||
      (!is_known && self->cursor.kind == NEBULA_CURSOR_PIPE))
    offer_functions (self, NULL);
  if (self->cursor.kind == NEBULA_CURSOR_OPERAND)
    offer_keywords (self, words);
}

/* A byte of @text; past the end: the end. */
static gsize
find_byte (const char *text, guint position)
{
  const char *place = text;

  for (guint i = 0; i < position && *place != '\0'; i++)
    place = g_utf8_next_char (place);
  return (gsize) (place - text);
}

/**
 * nebula_expression_complete:
 * @text: an expression, or a template, that is being written
 * @is_template: whether @text is a template
 * @position: where the cursor is, in characters from the start
 * @scope: what is known of names
 *
 * Lists what may stand at the cursor: variables, ids of nodes, members of objects, parameters of lambdas, functions that
 * take what stands before the dot or the pipe, and words of the language. What stands behind the cursor is not looked at,
 * and what stands before need not be whole. What was typed of a name already narrows the list; letters are compared
 * without case. Text that is not UTF-8, or larger than an expression may be, has no completions.
 *
 * Thread: any.
 *
 * Returns: (transfer container) (element-type NebulaCompletion): the completions, the nearest first
 *
 * Since: 1.0
 */
GPtrArray *
nebula_expression_complete (const char *text,
                            gboolean is_template,
                            guint position,
                            NebulaExpressionScope *scope)
{
  Completer completer = {.text = text, .scope = scope};
  GPtrArray *found =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_completion_unref);

  g_return_val_if_fail (text != NULL, found);
  g_return_val_if_fail (scope != NULL, found);

  if (!g_utf8_validate (text, -1, NULL) || strlen (text) > NEBULA_LIMIT_OUTPUT_BYTES)
    return found;
  completer.at = find_byte (text, position);
  completer.found = found;
  _nebula_cursor_find (&completer.cursor, text, completer.at, is_template);
  completer.prefix =
      g_strndup (text + completer.cursor.word, completer.at - completer.cursor.word);
  complete (&completer);
  g_free (completer.prefix);
  _nebula_cursor_clear (&completer.cursor);
  return found;
}
