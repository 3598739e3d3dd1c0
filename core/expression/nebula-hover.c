/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands at a place of an expression. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-completion-private.h"
#include "nebula-limits.h"

typedef struct {
  const char *text;
  const NebulaExpressionScope *scope;
  NebulaCursor cursor;
  gsize end;  /* byte after the word */
  char *word; /* as it is written */
  NebulaCompletion *found;
} Hover;

static void
give (Hover *self, NebulaCompletionParts parts)
{
  parts.start = (guint) g_utf8_strlen (self->text, (gssize) self->cursor.word);
  parts.end = (guint) g_utf8_strlen (self->text, (gssize) self->end);
  self->found = _nebula_completion_new (&parts);
}

static void
give_typed (Hover *self,
            NebulaCompletionKind kind,
            const char *label,
            const NebulaType *type,
            const char *description)
{
  g_autofree char *detail = _nebula_kinds_to_words (type->kinds);
  g_autofree char *documentation = description != NULL
                                       ? g_strdup (description)
                                       : _nebula_type_get_documentation (type);

  give (self, (NebulaCompletionParts){.kind = kind,
                                      .label = label,
                                      .detail = detail,
                                      .documentation = documentation});
}

static gboolean
give_function (Hover *self)
{
  const NebulaFunction *function =
      _nebula_functions_find (self->word, self->scope->functions);
  g_autofree char *detail = NULL;
  g_autofree char *documentation = NULL;

  if (function == NULL)
    return FALSE;
  detail = _nebula_function_get_detail (function);
  documentation = _nebula_function_get_documentation (function);
  give (self, (NebulaCompletionParts){.kind = NEBULA_COMPLETION_KIND_FUNCTION,
                                      .label = function->name,
                                      .detail = detail,
                                      .documentation = documentation});
  return TRUE;
}

/* @node is the variable; its name is that without aliases. */
static void
give_variable (Hover *self, const NebulaProbe *probe)
{
  const char *name = probe->node->name;
  const NebulaScopeName *known = _nebula_scope_find (self->scope->variables, name);
  gboolean is_group = strcmp (name, "nodes") == 0 || strcmp (name, "loop") == 0;
  const char *description = known != NULL && known->description != NULL
                                ? known->description
                                : _nebula_variable_describe (name);

  if (known != NULL || is_group || description != NULL)
    give_typed (self, NEBULA_COMPLETION_KIND_VARIABLE, self->word, &probe->type,
                description);
}

static void
give_id (Hover *self, NebulaCompletionKind kind, GPtrArray *names)
{
  const NebulaScopeName *name = _nebula_scope_find (names, self->word);

  if (name != NULL)
    give (self, (NebulaCompletionParts){
                    .kind = kind, .label = name->name, .detail = name->description});
}

static void
give_field (Hover *self, const NebulaProbe *probe, const NebulaScopeField *fields)
{
  for (; fields->name != NULL; fields++)
    if (strcmp (fields->name, self->word) == 0)
      give_typed (self, NEBULA_COMPLETION_KIND_FIELD, fields->name, &probe->type,
                  _ (fields->description));
}

static void
give_step (Hover *self, const NebulaProbe *probe)
{
  NebulaMembership membership;

  switch (_nebula_probe_get_base (probe->node)) {
  case NEBULA_BASE_NODES:
    give_id (self, NEBULA_COMPLETION_KIND_NODE, self->scope->nodes);
    break;
  case NEBULA_BASE_LOOPS:
    give_id (self, NEBULA_COMPLETION_KIND_LOOP, self->scope->loops);
    break;
  case NEBULA_BASE_NODE:
    give_field (self, probe, _nebula_node_fields);
    break;
  case NEBULA_BASE_LOOP:
    give_field (self, probe, _nebula_loop_fields);
    break;
  case NEBULA_BASE_PLAIN:
  default:
    _nebula_type_get_member (&probe->base, self->word, &membership);
    /* What has no members has functions. */
    if (!(probe->base.kinds & 1u << NEBULA_VALUE_KIND_OBJECT))
      give_function (self);
    else if (membership != NEBULA_MEMBERSHIP_NONE)
      give_typed (self, NEBULA_COMPLETION_KIND_MEMBER, self->word, &probe->type, NULL);
  }
}

static void
give_local (Hover *self, const NebulaProbe *probe)
{
  for (guint i = probe->locals->len; i > 0 && self->found == NULL; i--)
    if (strcmp (g_ptr_array_index (probe->locals, i - 1), self->word) == 0)
      give_typed (self, NEBULA_COMPLETION_KIND_LOCAL, self->word,
                  &g_array_index (probe->local_types, NebulaType, i - 1), NULL);
}

static void
use_probe (const NebulaProbe *probe, gpointer user_data)
{
  Hover *self = user_data;

  if (probe->node == NULL)
    return;
  switch ((guint) probe->node->kind) {
  case NEBULA_SYNTAX_VARIABLE:
    give_variable (self, probe);
    break;
  case NEBULA_SYNTAX_MEMBER:
  case NEBULA_SYNTAX_INDEX:
    give_step (self, probe);
    break;
  case NEBULA_SYNTAX_NAME:
    give_local (self, probe);
    break;
  default:
    break;
  }
}

static gboolean
is_called (const Hover *self)
{
  const char *rest = self->text + self->end;

  while (g_ascii_isspace (*rest))
    rest++;
  return *rest == '(';
}

/* The expression up to the word, with all that is open closed. */
static void
probe_word (Hover *self)
{
  const NebulaCursor *cursor = &self->cursor;
  gboolean is_key = cursor->kind == NEBULA_CURSOR_KEY;
  const char quote[] = {cursor->quote, '\0'};
  g_autofree char *before =
      g_strndup (self->text + cursor->start, self->end - cursor->start);
  g_autofree char *repaired =
      g_strconcat (before, is_key ? quote : "", is_key ? "]" : "", cursor->closers, NULL);

  _nebula_probe_run (repaired, cursor->word - cursor->start - (is_key ? 1 : 0),
                     self->scope, use_probe, self);
}

static gboolean
is_word_part (const char *place)
{
  gunichar character = g_utf8_get_char (place);

  return character == '_' || g_unichar_isalnum (character);
}

/* The end of the word that @at is in, or that ends there. */
static gsize
find_end (const char *text, gsize at)
{
  if (text[at] == '$')
    at++;
  while (text[at] != '\0' && is_word_part (text + at))
    at = (gsize) (g_utf8_next_char (text + at) - text);
  return at;
}

static void
find (Hover *self)
{
  switch (self->cursor.kind) {
  case NEBULA_CURSOR_OPERAND:
  case NEBULA_CURSOR_ENTRY:
    if (!is_called (self))
      probe_word (self);
    if (self->found == NULL)
      give_function (self);
    break;
  case NEBULA_CURSOR_PIPE:
    give_function (self);
    break;
  case NEBULA_CURSOR_MEMBER:
    if (!is_called (self) || !give_function (self))
      probe_word (self);
    break;
  case NEBULA_CURSOR_KEY:
  case NEBULA_CURSOR_VARIABLE:
    probe_word (self);
    break;
  case NEBULA_CURSOR_NOWHERE:
  case NEBULA_CURSOR_OPERATOR:
  default:
    break;
  }
}

/**
 * nebula_expression_hover:
 * @text: an expression, or a template
 * @is_template: whether @text is a template
 * @position: a place in it, in characters from the start
 * @scope: what is known of names
 *
 * Tells what stands at a place: a function with its help, a variable, a node, a member or the parameter of a lambda with
 * its type. What stands behind the word need not be right.
 *
 * Thread: any.
 *
 * Returns: (transfer full) (nullable): what stands there, from its start to its end, or %NULL if there is nothing that
 *   has a name, or nothing is known of it
 *
 * Since: 1.0
 */
NebulaCompletion *
nebula_expression_hover (const char *text,
                         gboolean is_template,
                         guint position,
                         NebulaExpressionScope *scope)
{
  Hover hover = {.text = text, .scope = scope};
  gsize at;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (scope != NULL, NULL);

  if (!g_utf8_validate (text, -1, NULL) || strlen (text) > NEBULA_LIMIT_OUTPUT_BYTES)
    return NULL;
  at = (gsize) (g_utf8_offset_to_pointer (
                    text, (glong) MIN (position, g_utf8_strlen (text, -1))) -
                text);
  hover.end = find_end (text, at);
  _nebula_cursor_find (&hover.cursor, text, hover.end, is_template);
  if (hover.cursor.kind == NEBULA_CURSOR_KEY) {
    const char *close = strchr (text + hover.end, hover.cursor.quote);

    hover.end = close != NULL ? (gsize) (close - text) : hover.end;
  }
  hover.word = g_strndup (text + hover.cursor.word, hover.end - hover.cursor.word);
  if (hover.word[0] != '\0')
    find (&hover);
  g_free (hover.word);
  _nebula_cursor_clear (&hover.cursor);
  return hover.found;
}
