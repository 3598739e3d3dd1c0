/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks the tree of an expression once and infers the kinds of each part; what cannot work is reported. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-type-private.h"

#define BIT(kind) (1u << NEBULA_VALUE_KIND_##kind)

void
_nebula_checker_report (NebulaChecker *self,
                        const NebulaSyntax *node,
                        NebulaError code,
                        const char *hint,
                        const char *format,
                        ...)
{
  g_autofree char *message = NULL;
  NebulaTypeProblem problem = {.code = code, .at = node->at, .hint = hint};
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  problem.message = message;
  _nebula_problem_locate (self->parser->text, node->at, &problem.line, &problem.column);
  self->scope->problem (self->scope, &problem);
}

const NebulaType *
_nebula_checker_keep (NebulaChecker *self, NebulaType type)
{
  NebulaType *kept = g_memdup2 (&type, sizeof type);

  g_ptr_array_add (self->types, kept);
  return kept;
}

void
_nebula_checker_push (NebulaChecker *self, const char *name, NebulaType type)
{
  NebulaLocal local = {name, type};

  g_array_append_val (self->locals, local);
}

void
_nebula_checker_pop (NebulaChecker *self, guint count)
{
  g_array_set_size (self->locals, self->locals->len - count);
}

static NebulaType
infer_local (NebulaChecker *self, const char *name)
{
  for (guint i = self->locals->len; i > 0; i--) {
    const NebulaLocal *local = &g_array_index (self->locals, NebulaLocal, i - 1);

    if (strcmp (local->name, name) == 0)
      return local->type;
  }
  return nebula_type_any ();
}

/* The key of a step that is written out. */
static const char *
get_key (const NebulaSyntax *step)
{
  if (step->kind == NEBULA_SYNTAX_MEMBER)
    return step->name;
  if (step->kind == NEBULA_SYNTAX_INDEX && step->b->kind == NEBULA_SYNTAX_LITERAL &&
      _nebula_cell_is (&step->b->literal, NEBULA_VALUE_KIND_STRING))
    return _nebula_cell_get_string (&step->b->literal, NULL);
  return NULL;
}

static char *
get_source (NebulaChecker *self, const NebulaSyntax *node, const NebulaSyntax *base)
{
  gsize end = node->at;

  while (end > base->start && strchr (".?[ \n\t", self->parser->text[end - 1]) != NULL)
    end--;
  return g_strndup (self->parser->text + base->start,
                    end > base->start ? end - base->start : 0);
}

static char *
make_member_hint (const NebulaType *type, const char *key)
{
  NebulaValue *members = _nebula_type_get_members (type);
  const char *nearest = NULL;
  guint best = G_MAXUINT;

  for (gsize i = 0; members != NULL && i < nebula_value_get_length (members); i++) {
    const char *candidate = nebula_value_get_key (members, i, NULL);

    if (_nebula_problem_is_near (key, candidate, &best))
      nearest = candidate;
  }
  return nearest != NULL ? g_strdup_printf (_ ("Did you mean “%s”?"), nearest) : NULL;
}

static void
report_missing (NebulaChecker *self,
                const NebulaSyntax *node,
                const NebulaType *type,
                const char *key)
{
  g_autofree char *source = get_source (self, node, node->a);
  g_autofree char *hint = make_member_hint (type, key);

  _nebula_checker_report (
      self, node, NEBULA_ERROR_MISSING_PROPERTY,
      hint != NULL ? hint : _ ("Use “?.” to have null instead."),
      _ ("There is no “%s” in “%s”"), key, source);
}

static NebulaType
infer_member (NebulaChecker *self,
              const NebulaSyntax *node,
              const char *key,
              NebulaType base)
{
  guint32 readable = BIT (OBJECT) | (node->is_optional ? BIT (NULL) : 0);
  NebulaMembership membership;
  NebulaType type;
  g_autofree char *source = NULL;
  g_autofree char *words = NULL;

  if (node->is_optional || self->scope->missing_is_null) {
    readable = NEBULA_TYPE_KINDS_ANY;
    base.kinds |= BIT (NULL);
  }
  if (!(base.kinds & readable)) {
    source = get_source (self, node, node->a);
    words = _nebula_kinds_to_words (base.kinds);
    _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, NULL,
                            _ ("Nothing can be read from “%s”: it is %s"), source, words);
    return nebula_type_any ();
  }
  type = _nebula_type_get_member (&base, key, &membership);
  if (membership == NEBULA_MEMBERSHIP_NONE && !node->is_optional &&
      !self->scope->missing_is_null && base.kinds == BIT (OBJECT))
    report_missing (self, node, &base, key);
  if (node->is_optional || self->scope->missing_is_null) {
    type.kinds |= BIT (NULL);
    type.value = NULL;
  }
  return type;
}

/* `$nodes.x` with the field that follows, `$loop.x.item`: one name for the scope. */
static gboolean
infer_reference (NebulaChecker *self, const NebulaSyntax *node, NebulaType *ret)
{
  const NebulaSyntax *inner = node->a;
  const char *id, *field = get_key (node);
  gboolean is_whole;

  if (field == NULL)
    return FALSE;
  is_whole = inner->kind == NEBULA_SYNTAX_VARIABLE;
  id = is_whole ? field : get_key (inner);
  if (!is_whole && (id == NULL || inner->a == NULL ||
                    inner->a->kind != NEBULA_SYNTAX_VARIABLE))
    return FALSE;
  if (!is_whole)
    inner = inner->a;
  if (inner->kind != NEBULA_SYNTAX_VARIABLE ||
      (strcmp (inner->name, "nodes") != 0 && strcmp (inner->name, "loop") != 0))
    return FALSE;
  *ret = self->scope->get_type (self->scope, inner->name, id, is_whole ? NULL : field);
  return TRUE;
}

static NebulaType
infer_index (NebulaChecker *self, const NebulaSyntax *node)
{
  guint32 indexable = BIT (ARRAY) | BIT (STRING) | BIT (OBJECT);
  NebulaType base = _nebula_checker_infer (self, node->a);
  NebulaType index = _nebula_checker_infer (self, node->b);
  NebulaType type = nebula_type_any ();
  g_autofree char *words = NULL;
  g_autofree char *container = NULL;

  if (get_key (node) != NULL && base.kinds == BIT (OBJECT))
    return infer_member (self, node, get_key (node), base);
  words = _nebula_kinds_to_words (index.kinds);
  container = _nebula_kinds_to_words (base.kinds);
  if (!node->is_optional && !(base.kinds & indexable) &&
      !(self->scope->missing_is_null && (base.kinds & BIT (NULL)))) {
    g_autofree char *source = get_source (self, node, node->a);

    _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, NULL,
                            _ ("Nothing can be read from “%s”: it is %s"), source,
                            container);
  } else if (base.kinds == BIT (OBJECT) && !(index.kinds & BIT (STRING))) {
    _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, NULL,
                            _ ("The key into an object is text, not %s"), words);
  } else if ((base.kinds == BIT (ARRAY) || base.kinds == BIT (STRING)) &&
             !(index.kinds & BIT (INTEGER))) {
    _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, NULL,
                            _ ("The index into %s is an integer, not %s"), container,
                            words);
  }
  if (base.kinds == BIT (ARRAY) || base.example != NULL)
    type = _nebula_type_get_item (&base);
  else if (base.kinds == BIT (STRING))
    type = nebula_type_from_kind (NEBULA_VALUE_KIND_STRING);
  if (node->is_optional || self->scope->missing_is_null)
    type.kinds |= BIT (NULL);
  type.value = NULL;
  return type;
}

static NebulaType
infer_slice (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType base = _nebula_checker_infer (self, node->a);

  if (node->b != NULL)
    _nebula_checker_infer (self, node->b);
  if (node->c != NULL)
    _nebula_checker_infer (self, node->c);
  base.value = NULL;
  return base;
}

static NebulaType
infer_array (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType type = nebula_type_from_kind (NEBULA_VALUE_KIND_ARRAY);
  NebulaType item = {0};

  for (const NebulaSyntax *child = node->first; child != NULL; child = child->next) {
    gboolean is_spread = child->kind == NEBULA_SYNTAX_SPREAD;
    NebulaType part = _nebula_checker_infer (self, is_spread ? child->a : child);

    if (is_spread)
      part = _nebula_type_get_item (&part);
    item = item.kinds == 0 ? part : _nebula_type_join (item, part);
  }
  if (item.kinds == 0)
    item = nebula_type_any ();
  type.item = _nebula_checker_keep (self, item);
  return type;
}

static NebulaType
infer_object (NebulaChecker *self, const NebulaSyntax *node)
{
  for (const NebulaSyntax *child = node->first; child != NULL; child = child->next) {
    _nebula_checker_infer (self, child->a);
    if (child->b != NULL)
      _nebula_checker_infer (self, child->b);
  }
  return nebula_type_from_kind (NEBULA_VALUE_KIND_OBJECT);
}

static NebulaType
infer_text (NebulaChecker *self, const NebulaSyntax *node)
{
  for (const NebulaSyntax *part = node->first; part != NULL; part = part->next)
    _nebula_checker_infer (self, part);
  return nebula_type_from_kind (NEBULA_VALUE_KIND_STRING);
}

static NebulaType
infer_logic (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType left;

  if (node->kind == NEBULA_SYNTAX_COALESCE) {
    left = _nebula_checker_infer (self, node->a);
    if (left.kinds != BIT (NULL))
      left.kinds &= ~BIT (NULL);
    left.value = NULL;
    return _nebula_type_join (left, _nebula_checker_infer (self, node->b));
  }
  _nebula_checker_check_condition (self, node->a);
  if (node->kind != NEBULA_SYNTAX_CHOICE) {
    _nebula_checker_check_condition (self, node->b);
    return nebula_type_from_kind (NEBULA_VALUE_KIND_BOOLEAN);
  }
  left = _nebula_checker_infer (self, node->b);
  return _nebula_type_join (left, _nebula_checker_infer (self, node->c));
}

static NebulaType
infer_literal (const NebulaSyntax *node)
{
  return nebula_type_from_kind (_nebula_cell_get_kind (&node->literal));
}

static NebulaType
infer_path (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType type;

  if (infer_reference (self, node, &type))
    return type;
  if (node->kind == NEBULA_SYNTAX_INDEX)
    return infer_index (self, node);
  return infer_member (self, node, node->name, _nebula_checker_infer (self, node->a));
}

static NebulaType
infer_any (NebulaChecker *self, const NebulaSyntax *node)
{
  switch ((NebulaSyntaxKind) node->kind) {
  case NEBULA_SYNTAX_LITERAL:
    return infer_literal (node);
  case NEBULA_SYNTAX_NAME:
    return infer_local (self, node->name);
  case NEBULA_SYNTAX_VARIABLE:
    return self->scope->get_type (self->scope, node->name, NULL, NULL);
  case NEBULA_SYNTAX_MEMBER:
  case NEBULA_SYNTAX_INDEX:
    return infer_path (self, node);
  case NEBULA_SYNTAX_SLICE:
    return infer_slice (self, node);
  case NEBULA_SYNTAX_CALL:
  case NEBULA_SYNTAX_METHOD:
    return _nebula_checker_infer_call (self, node);
  case NEBULA_SYNTAX_UNARY:
    return _nebula_checker_infer_unary (self, node);
  case NEBULA_SYNTAX_BINARY:
    return _nebula_checker_infer_binary (self, node);
  case NEBULA_SYNTAX_AND:
  case NEBULA_SYNTAX_OR:
  case NEBULA_SYNTAX_COALESCE:
  case NEBULA_SYNTAX_CHOICE:
    return infer_logic (self, node);
  case NEBULA_SYNTAX_ARRAY:
    return infer_array (self, node);
  case NEBULA_SYNTAX_OBJECT:
    return infer_object (self, node);
  case NEBULA_SYNTAX_TEXT:
    return infer_text (self, node);
  case NEBULA_SYNTAX_ENTRY:
  case NEBULA_SYNTAX_SPREAD:
  case NEBULA_SYNTAX_LAMBDA:
  default:
    return nebula_type_any ();
  }
}

NebulaType
_nebula_checker_infer (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType type = infer_any (self, node);

  if (G_UNLIKELY (self->probe != NULL))
    _nebula_probe_visit (self->probe, self, node, &type);
  return type;
}

NebulaType
nebula_expression_check (NebulaExpression *self, const NebulaTypeScope *scope)
{
  g_auto (NebulaParser) parser = {0};
  g_autoptr (GArray) locals = g_array_new (FALSE, FALSE, sizeof (NebulaLocal));
  g_autoptr (GPtrArray) types = g_ptr_array_new_with_free_func (g_free);
  NebulaChecker checker = {scope, &parser, self->set, locals, types, NULL};
  NebulaSyntax *tree;
  NebulaType type;

  if (self->constant != NULL)
    return nebula_type_from_value (self->constant);
  _nebula_parser_init (&parser, self->text, strlen (self->text));
  parser.functions = self->set;
  tree = self->is_template ? _nebula_parser_parse_template (&parser)
                           : _nebula_parser_parse (&parser);
  if (tree == NULL)
    return nebula_type_any ();
  type = _nebula_checker_infer (&checker, tree);
  type.item = NULL;
  return type;
}
