/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a JSONPath. Nodes are borrowed: they live as long as the value that is looked in. Each node that is looked at and
 * each term that is tried takes a step, so the time is bounded whatever the query is. Descendants are walked with a
 * stack of our own; only filters recurse, as deep as the parser let them.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-jsonpath-private.h"
#include "nebula-value-private.h"

typedef struct {
  NebulaValue *root;
  gsize steps; /* left */
  GError *error;
} Run;

static GPtrArray *
run_query (Run *self, const NebulaJsonpathQuery *query, NebulaValue *current);
static gboolean
test (Run *self, const NebulaJsonpathTerm *term, NebulaValue *current, gboolean *ret);

static gboolean
fail (Run *self, const char *message)
{
  if (self->error == NULL)
    g_set_error_literal (&self->error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED,
                         message);
  return FALSE;
}

static gboolean
take_steps (Run *self, gsize steps)
{
  if (self->steps < steps) {
    self->steps = 0;
    return fail (
        self,
        _ ("The JSONPath looks at more values than one query may; make it more precise."));
  }
  self->steps -= steps;
  return TRUE;
}

static gboolean
add (Run *self, GPtrArray *nodes, NebulaValue *node)
{
  g_ptr_array_add (nodes, node);
  return take_steps (self, 1);
}

/* The one node of a name or index; NULL if there is none. */
static NebulaValue *
pick (const NebulaJsonpathSelector *selector, NebulaValue *node)
{
  gint64 index = selector->start, length;

  if (selector->kind == NEBULA_JSONPATH_NAME)
    return node->kind == NEBULA_VALUE_KIND_OBJECT
               ? nebula_value_get_member_length (node, selector->name, selector->length)
               : NULL;
  if (node->kind != NEBULA_VALUE_KIND_ARRAY)
    return NULL;
  length = (gint64) _nebula_value_get_count (node);
  if (index < 0)
    index += length;
  return index >= 0 && index < length ? nebula_value_get_item (node, (gsize) index)
                                      : NULL;
}

static gint64
get_bound (gint64 bound, gint64 length, gint64 least, gint64 greatest)
{
  return CLAMP (bound < 0 ? bound + length : bound, least, greatest);
}

static gboolean
add_slice (Run *self,
           const NebulaJsonpathSelector *selector,
           NebulaValue *node,
           GPtrArray *nodes)
{
  gint64 step = selector->step, length, start, end;

  if (node->kind != NEBULA_VALUE_KIND_ARRAY || step == 0)
    return TRUE;
  length = (gint64) _nebula_value_get_count (node);
  if (step > 0) {
    start = selector->has_start ? get_bound (selector->start, length, 0, length) : 0;
    end = selector->has_end ? get_bound (selector->end, length, 0, length) : length;
    for (; start < end; start += step)
      if (!add (self, nodes, nebula_value_get_item (node, (gsize) start)))
        return FALSE;
    return TRUE;
  }
  start = selector->has_start ? get_bound (selector->start, length, -1, length - 1)
                              : length - 1;
  end = selector->has_end ? get_bound (selector->end, length, -1, length - 1) : -1;
  for (; start > end; start += step)
    if (!add (self, nodes, nebula_value_get_item (node, (gsize) start)))
      return FALSE;
  return TRUE;
}

/* All children, or those that pass the filter. */
static gboolean
add_children (Run *self,
              const NebulaJsonpathTerm *filter,
              NebulaValue *node,
              GPtrArray *nodes)
{
  NebulaValue *const *children = NULL;
  gsize count;
  gboolean is_good;

  if (!_nebula_value_is_container (node))
    return TRUE;
  count = _nebula_value_get_count (node);
  children = _nebula_value_peek_children (node);
  for (gsize i = 0; i < count; i++) {
    is_good = TRUE;
    if (filter != NULL && !test (self, filter, children[i], &is_good))
      return FALSE;
    if (is_good && !add (self, nodes, children[i]))
      return FALSE;
  }
  return TRUE;
}

static gboolean
run_selector (Run *self,
              const NebulaJsonpathSelector *selector,
              NebulaValue *node,
              GPtrArray *nodes)
{
  NebulaValue *picked = NULL;

  switch (selector->kind) {
  case NEBULA_JSONPATH_WILDCARD:
    return add_children (self, NULL, node, nodes);
  case NEBULA_JSONPATH_FILTER:
    return add_children (self, selector->filter, node, nodes);
  case NEBULA_JSONPATH_SLICE:
    return add_slice (self, selector, node, nodes);
  case NEBULA_JSONPATH_NAME:
  case NEBULA_JSONPATH_INDEX:
  default:
    picked = pick (selector, node);
    return picked == NULL || add (self, nodes, picked);
  }
}

static gboolean
run_selectors (Run *self,
               const NebulaJsonpathSegment *segment,
               NebulaValue *node,
               GPtrArray *nodes)
{
  if (!take_steps (self, 1))
    return FALSE;
  for (guint i = 0; i < segment->selectors->len; i++)
    if (!run_selector (self, g_ptr_array_index (segment->selectors, i), node, nodes))
      return FALSE;
  return TRUE;
}

/* The node, then its children with all that is below them, each in turn. */
static gboolean
run_descendants (Run *self,
                 const NebulaJsonpathSegment *segment,
                 NebulaValue *node,
                 GPtrArray *nodes)
{
  g_auto (NebulaWalk) walk;
  NebulaFrame *frame = NULL;

  _nebula_walk_init (&walk);
  if (!run_selectors (self, segment, node, nodes))
    return FALSE;
  if (_nebula_value_is_container (node))
    _nebula_walk_push (&walk, node, NULL);
  while ((frame = _nebula_walk_top (&walk)) != NULL) {
    NebulaValue *child = NULL;

    if (frame->next == _nebula_value_get_count (frame->self)) {
      walk.length--;
      continue;
    }
    child = _nebula_value_peek_children (frame->self)[frame->next++];
    if (!run_selectors (self, segment, child, nodes))
      return FALSE;
    if (_nebula_value_is_container (child))
      _nebula_walk_push (&walk, child, NULL);
  }
  return TRUE;
}

static GPtrArray *
run_query (Run *self, const NebulaJsonpathQuery *query, NebulaValue *current)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();

  g_ptr_array_add (nodes, query->is_relative ? current : self->root);
  for (guint i = 0; i < query->segments->len; i++) {
    const NebulaJsonpathSegment *segment = g_ptr_array_index (query->segments, i);
    g_autoptr (GPtrArray) next = g_ptr_array_new ();

    for (guint n = 0; n < nodes->len; n++)
      if (!(segment->is_descendant ? run_descendants : run_selectors) (
              self, segment, g_ptr_array_index (nodes, n), next))
        return NULL;
    g_ptr_array_unref (nodes);
    nodes = g_steal_pointer (&next);
  }
  return g_steal_pointer (&nodes);
}

/* The node of a query that finds one at most. */
static gboolean
find_one (Run *self,
          const NebulaJsonpathQuery *query,
          NebulaValue *current,
          NebulaValue **ret)
{
  NebulaValue *node = query->is_relative ? current : self->root;

  for (guint i = 0; node != NULL && i < query->segments->len; i++) {
    const NebulaJsonpathSegment *segment = g_ptr_array_index (query->segments, i);

    node = pick (g_ptr_array_index (segment->selectors, 0), node);
  }
  *ret = node != NULL ? nebula_value_ref (node) : NULL;
  return take_steps (self, 1 + query->segments->len);
}

static gboolean get_value (Run *self,
                           const NebulaJsonpathTerm *term,
                           NebulaValue *current,
                           NebulaValue **ret);

/* length (): characters, items or members; nothing for other kinds */
static gboolean
get_length (Run *self,
            const NebulaJsonpathTerm *call,
            NebulaValue *current,
            NebulaValue **ret)
{
  g_autoptr (NebulaValue) value = NULL;
  const char *text = NULL;
  gsize length, characters = 0;

  if (!get_value (self, g_ptr_array_index (call->terms, 0), current, &value))
    return FALSE;
  *ret = NULL;
  if (value != NULL && _nebula_value_is_container (value))
    *ret = nebula_value_new_integer ((gint64) _nebula_value_get_count (value));
  if (value == NULL || value->kind != NEBULA_VALUE_KIND_STRING)
    return TRUE;
  text = nebula_value_get_string (value);
  length = nebula_value_get_string_length (value);
  for (gsize i = 0; i < length; i++)
    characters += ((guchar) text[i] & 0xc0) != 0x80;
  *ret = nebula_value_new_integer ((gint64) characters);
  return take_steps (self, length / 64);
}

/* count () and value () */
static gboolean
get_of_nodes (Run *self,
              const NebulaJsonpathTerm *call,
              NebulaValue *current,
              NebulaValue **ret)
{
  const NebulaJsonpathTerm *argument = g_ptr_array_index (call->terms, 0);
  g_autoptr (GPtrArray) nodes = run_query (self, argument->query, current);

  if (nodes == NULL)
    return FALSE;
  if (call->function == NEBULA_JSONPATH_COUNT)
    *ret = nebula_value_new_integer (nodes->len);
  else
    *ret = nodes->len == 1 ? nebula_value_ref (g_ptr_array_index (nodes, 0)) : NULL;
  return TRUE;
}

/* @ret: owned; NULL if there is nothing, which is no error */
static gboolean
get_value (Run *self,
           const NebulaJsonpathTerm *term,
           NebulaValue *current,
           NebulaValue **ret)
{
  *ret = NULL;
  if (!take_steps (self, 1))
    return FALSE;
  if (term->kind == NEBULA_JSONPATH_LITERAL) {
    *ret = nebula_value_ref (term->literal);
    return TRUE;
  }
  if (term->kind == NEBULA_JSONPATH_QUERY)
    return find_one (self, term->query, current, ret);
  if (term->function == NEBULA_JSONPATH_LENGTH)
    return get_length (self, term, current, ret);
  return get_of_nodes (self, term, current, ret);
}

static gboolean
match (Run *self, GRegex *regex, NebulaValue *subject, gboolean *ret)
{
  g_autoptr (GError) error = NULL;
  gsize length = nebula_value_get_string_length (subject);

  if (length > NEBULA_IREGEXP_SUBJECT_BYTES)
    return fail (self, _ ("A regular expression takes at most 65536 bytes of text."));
  if (!take_steps (self, 10 + length / 16))
    return FALSE;
  *ret = g_regex_match_full (regex, nebula_value_get_string (subject), (gssize) length, 0,
                             0, NULL, &error);
  return error == NULL ||
         fail (self, _ ("The regular expression takes more steps than one match may."));
}

/* match () and search (); what is no text or no pattern does not match */
static gboolean
test_pattern (Run *self,
              const NebulaJsonpathTerm *call,
              NebulaValue *current,
              gboolean *ret)
{
  g_autoptr (NebulaValue) subject = NULL;
  g_autoptr (NebulaValue) pattern = NULL;
  g_autoptr (GRegex) regex = NULL;
  const NebulaJsonpathTerm *written = g_ptr_array_index (call->terms, 1);

  *ret = FALSE;
  if (!get_value (self, g_ptr_array_index (call->terms, 0), current, &subject) ||
      !get_value (self, written, current, &pattern))
    return FALSE;
  if (subject == NULL || pattern == NULL || subject->kind != NEBULA_VALUE_KIND_STRING ||
      pattern->kind != NEBULA_VALUE_KIND_STRING)
    return TRUE;
  if (written->kind == NEBULA_JSONPATH_LITERAL)
    return call->regex == NULL || match (self, call->regex, subject, ret);
  if (!take_steps (self, 50 + nebula_value_get_string_length (pattern)))
    return FALSE;
  regex = _nebula_iregexp_new (nebula_value_get_string (pattern),
                               nebula_value_get_string_length (pattern),
                               call->function == NEBULA_JSONPATH_MATCH);
  return regex == NULL || match (self, regex, subject, ret);
}

static gboolean
is_ordered (NebulaValue *left, NebulaValue *right)
{
  if (nebula_value_is_number (left))
    return nebula_value_is_number (right);
  return left->kind == right->kind && (left->kind == NEBULA_VALUE_KIND_STRING ||
                                       (left->kind >= NEBULA_VALUE_KIND_DATE &&
                                        left->kind <= NEBULA_VALUE_KIND_DURATION));
}

static gboolean
is_less (NebulaValue *left, NebulaValue *right)
{
  gint order;

  return left != NULL && right != NULL && is_ordered (left, right) &&
         nebula_value_compare (left, right, &order, NULL) && order < 0;
}

static gboolean
is_equal (NebulaValue *left, NebulaValue *right)
{
  if (left == NULL || right == NULL)
    return left == right;
  return nebula_value_equal (left, right);
}

static gboolean
compare (NebulaJsonpathTermKind kind, NebulaValue *left, NebulaValue *right)
{
  switch ((guint) kind) {
  case NEBULA_JSONPATH_EQUAL:
    return is_equal (left, right);
  case NEBULA_JSONPATH_NOT_EQUAL:
    return !is_equal (left, right);
  case NEBULA_JSONPATH_LESS:
    return is_less (left, right);
  case NEBULA_JSONPATH_GREATER:
    return is_less (right, left);
  case NEBULA_JSONPATH_LESS_EQUAL:
    return is_less (left, right) || is_equal (left, right);
  default:
    return is_less (right, left) || is_equal (left, right);
  }
}

static gboolean
test_comparison (Run *self,
                 const NebulaJsonpathTerm *term,
                 NebulaValue *current,
                 gboolean *ret)
{
  g_autoptr (NebulaValue) left = NULL;
  g_autoptr (NebulaValue) right = NULL;

  if (!get_value (self, g_ptr_array_index (term->terms, 0), current, &left) ||
      !get_value (self, g_ptr_array_index (term->terms, 1), current, &right))
    return FALSE;
  if (left != NULL && right != NULL &&
      !take_steps (self, MIN (nebula_value_get_size_bytes (left),
                              nebula_value_get_size_bytes (right)) /
                             64))
    return FALSE;
  *ret = compare (term->kind, left, right);
  return TRUE;
}

/* Whether a query finds anything. */
static gboolean
test_query (Run *self,
            const NebulaJsonpathTerm *term,
            NebulaValue *current,
            gboolean *ret)
{
  g_autoptr (GPtrArray) nodes = NULL;
  g_autoptr (NebulaValue) node = NULL;

  if (term->query->is_singular) {
    if (!find_one (self, term->query, current, &node))
      return FALSE;
    *ret = node != NULL;
    return TRUE;
  }
  nodes = run_query (self, term->query, current);
  if (nodes == NULL)
    return FALSE;
  *ret = nodes->len > 0;
  return TRUE;
}

static gboolean
test (Run *self, const NebulaJsonpathTerm *term, NebulaValue *current, gboolean *ret)
{
  gboolean stop = term->kind == NEBULA_JSONPATH_OR;

  if (!take_steps (self, 1))
    return FALSE;
  switch ((guint) term->kind) {
  case NEBULA_JSONPATH_OR:
  case NEBULA_JSONPATH_AND:
    *ret = !stop;
    for (guint i = 0; i < term->terms->len && *ret != stop; i++)
      if (!test (self, g_ptr_array_index (term->terms, i), current, ret))
        return FALSE;
    return TRUE;
  case NEBULA_JSONPATH_NOT:
    if (!test (self, g_ptr_array_index (term->terms, 0), current, ret))
      return FALSE;
    *ret = !*ret;
    return TRUE;
  case NEBULA_JSONPATH_QUERY:
    return test_query (self, term, current, ret);
  case NEBULA_JSONPATH_FUNCTION:
    return test_pattern (self, term, current, ret);
  default:
    return test_comparison (self, term, current, ret);
  }
}

NebulaValue *
_nebula_jsonpath_query (NebulaJsonpath *self,
                        NebulaValue *value,
                        gsize *steps,
                        GError **error)
{
  Run run = {.root = value, .steps = *steps};
  g_autoptr (GPtrArray) nodes = run_query (&run, self->query, value);

  *steps = run.steps;
  if (nodes == NULL) {
    g_propagate_error (error, run.error);
    return NULL;
  }
  return nebula_value_new_array ((NebulaValue **) nodes->pdata, nodes->len);
}
