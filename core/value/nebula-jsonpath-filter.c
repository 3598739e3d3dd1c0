/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the filters of a JSONPath and checks their types; the names in comments are those of the grammar of RFC 9535. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-jsonpath-private.h"
#include "nebula-limits.h"

/* The types of arguments: v a value, n nodes; of results: v a value, l true or false. */
static const struct {
  const char *name;
  const char *arguments;
  char result;
} functions[] = {
    [NEBULA_JSONPATH_LENGTH] = {"length", "v", 'v'},
    [NEBULA_JSONPATH_COUNT] = {"count", "n", 'v'},
    [NEBULA_JSONPATH_MATCH] = {"match", "vv", 'l'},
    [NEBULA_JSONPATH_SEARCH] = {"search", "vv", 'l'},
    [NEBULA_JSONPATH_VALUE] = {"value", "n", 'v'},
};

static const struct {
  const char *text;
  NebulaJsonpathTermKind kind;
} comparisons[] = {
    {"==", NEBULA_JSONPATH_EQUAL},      {"!=", NEBULA_JSONPATH_NOT_EQUAL},
    {"<=", NEBULA_JSONPATH_LESS_EQUAL}, {">=", NEBULA_JSONPATH_GREATER_EQUAL},
    {"<", NEBULA_JSONPATH_LESS},        {">", NEBULA_JSONPATH_GREATER},
};

static NebulaJsonpathTerm *read_or (NebulaJsonpathReader *self);
static NebulaJsonpathTerm *read_operand (NebulaJsonpathReader *self);

static NebulaJsonpathTerm *
term_new (NebulaJsonpathTermKind kind)
{
  NebulaJsonpathTerm *self = g_new0 (NebulaJsonpathTerm, 1);

  self->kind = kind;
  self->terms =
      g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_jsonpath_term_free);
  return self;
}

static NebulaJsonpathTerm *
term_new_literal (NebulaValue *literal)
{
  NebulaJsonpathTerm *self = NULL;

  if (literal == NULL)
    return NULL;
  self = term_new (NEBULA_JSONPATH_LITERAL);
  self->literal = literal;
  return self;
}

static gboolean
check_value (NebulaJsonpathReader *self, const NebulaJsonpathTerm *term)
{
  if (term->kind == NEBULA_JSONPATH_LITERAL)
    return TRUE;
  if (term->kind == NEBULA_JSONPATH_QUERY && !term->query->is_singular)
    return _nebula_jsonpath_fail (
        self,
        _ ("A query that may find more than one node is no value; use one without “*”, “..”, “:” and “?”, or value ()."));
  if (term->kind == NEBULA_JSONPATH_FUNCTION && functions[term->function].result != 'v')
    return _nebula_jsonpath_fail (
        self, _ ("match () and search () are tests, not values to compare."));
  return TRUE;
}

static gboolean
check_test (NebulaJsonpathReader *self, const NebulaJsonpathTerm *term)
{
  if (term->kind == NEBULA_JSONPATH_LITERAL)
    return _nebula_jsonpath_fail (
        self, _ ("A literal alone is no test; compare it with something."));
  if (term->kind == NEBULA_JSONPATH_FUNCTION && functions[term->function].result != 'l')
    return _nebula_jsonpath_fail (
        self, _ ("The value of a function alone is no test; compare it with something."));
  return TRUE;
}

/* function-argument; a test or comparison fits no function that there is */
static gboolean
read_argument (NebulaJsonpathReader *self, NebulaJsonpathTerm *call, char type)
{
  NebulaJsonpathTerm *argument = read_operand (self);

  if (argument == NULL)
    return FALSE;
  g_ptr_array_add (call->terms, argument);
  if (type == 'n' && argument->kind != NEBULA_JSONPATH_QUERY)
    return _nebula_jsonpath_fail (
        self, _ ("count () and value () take a query that begins with “@” or “$”."));
  return type == 'n' || check_value (self, argument);
}

static gboolean
read_arguments (NebulaJsonpathReader *self, NebulaJsonpathTerm *call)
{
  const char *types = functions[call->function].arguments;

  for (const char *type = types; *type != '\0'; type++) {
    _nebula_jsonpath_read_space (self);
    if (type > types && *self->at++ != ',') {
      self->at--;
      return _nebula_jsonpath_fail (self, _ ("The function takes one more argument."));
    }
    _nebula_jsonpath_read_space (self);
    if (!read_argument (self, call, *type))
      return FALSE;
  }
  _nebula_jsonpath_read_space (self);
  if (*self->at != ')')
    return _nebula_jsonpath_fail (
        self, _ ("“)” is needed behind the last argument of the function."));
  self->at++;
  return TRUE;
}

static gboolean
enter (NebulaJsonpathReader *self)
{
  if (++self->depth <= NEBULA_LIMIT_EXPRESSION_DEPTH)
    return TRUE;
  if (self->error == NULL)
    g_set_error (
        &self->error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP,
        _ ("The JSONPath has more than %d filters, parentheses and calls in one another."),
        NEBULA_LIMIT_EXPRESSION_DEPTH);
  return FALSE;
}

/* A pattern that is written out is compiled once. */
static void
prepare_pattern (NebulaJsonpathTerm *call)
{
  const NebulaJsonpathTerm *pattern = NULL;

  if (call->function != NEBULA_JSONPATH_MATCH && call->function != NEBULA_JSONPATH_SEARCH)
    return;
  pattern = g_ptr_array_index (call->terms, 1);
  if (pattern->kind != NEBULA_JSONPATH_LITERAL ||
      nebula_value_get_kind (pattern->literal) != NEBULA_VALUE_KIND_STRING)
    return;
  call->regex = _nebula_iregexp_new (nebula_value_get_string (pattern->literal),
                                     nebula_value_get_string_length (pattern->literal),
                                     call->function == NEBULA_JSONPATH_MATCH);
}

/* function-expr; the name is read, “(” is next */
static NebulaJsonpathTerm *
read_call (NebulaJsonpathReader *self, const char *name, gsize length)
{
  g_autoptr (NebulaJsonpathTerm) call = term_new (NEBULA_JSONPATH_FUNCTION);

  for (guint i = 0; i < G_N_ELEMENTS (functions); i++) {
    if (strlen (functions[i].name) != length ||
        strncmp (functions[i].name, name, length) != 0)
      continue;
    self->at++;
    call->function = (NebulaJsonpathFunction) i;
    if (!enter (self) || !read_arguments (self, call))
      return NULL;
    self->depth--;
    prepare_pattern (call);
    return g_steal_pointer (&call);
  }
  self->at = name;
  _nebula_jsonpath_fail (
      self, _ ("There are the functions length, count, match, search and value."));
  return NULL;
}

/* true, false, null or function-expr */
static NebulaJsonpathTerm *
read_word (NebulaJsonpathReader *self)
{
  const char *word = self->at;
  gsize length;

  while (g_ascii_islower (*self->at) || g_ascii_isdigit (*self->at) || *self->at == '_')
    self->at++;
  length = (gsize) (self->at - word);
  if (*self->at == '(')
    return read_call (self, word, length);
  if (length == 4 && strncmp (word, "true", 4) == 0)
    return term_new_literal (nebula_value_new_boolean (TRUE));
  if (length == 5 && strncmp (word, "false", 5) == 0)
    return term_new_literal (nebula_value_new_boolean (FALSE));
  if (length == 4 && strncmp (word, "null", 4) == 0)
    return term_new_literal (nebula_value_new_null ());
  self->at = word;
  _nebula_jsonpath_fail (
      self, _ ("There is no such word; texts stand in quotes, and members behind “@.”."));
  return NULL;
}

/* number; written as in JSON */
static NebulaJsonpathTerm *
read_number (NebulaJsonpathReader *self)
{
  gsize length = strspn (self->at, "+-.0123456789Ee");
  NebulaValue *number =
      nebula_value_parse_json (self->at, (gssize) length, NEBULA_JSON_FLAGS_NONE, NULL);

  if (number == NULL) {
    _nebula_jsonpath_fail (self, _ ("This is no number as JSON writes it."));
    return NULL;
  }
  self->at += length;
  return term_new_literal (number);
}

/* What can be compared, tested or given to a function. */
static NebulaJsonpathTerm *
read_operand (NebulaJsonpathReader *self)
{
  g_autoptr (NebulaJsonpathTerm) term = NULL;
  g_autoptr (GString) string = NULL;

  if (*self->at == '@' || *self->at == '$') {
    term = term_new (NEBULA_JSONPATH_QUERY);
    term->query = _nebula_jsonpath_read_query (self);
    return term->query != NULL ? g_steal_pointer (&term) : NULL;
  }
  if (*self->at == '"' || *self->at == '\'') {
    string = _nebula_jsonpath_read_string (self);
    return string != NULL ? term_new_literal (
                                nebula_value_new_string_length (string->str, string->len))
                          : NULL;
  }
  if (*self->at == '-' || g_ascii_isdigit (*self->at))
    return read_number (self);
  if (g_ascii_islower (*self->at))
    return read_word (self);
  _nebula_jsonpath_fail (
      self,
      _ ("A query that begins with “@” or “$”, a literal or a function is needed here."));
  return NULL;
}

static gboolean
read_comparison (NebulaJsonpathReader *self, NebulaJsonpathTermKind *ret_kind)
{
  const char *back = self->at;

  _nebula_jsonpath_read_space (self);
  for (guint i = 0; i < G_N_ELEMENTS (comparisons); i++) {
    if (!g_str_has_prefix (self->at, comparisons[i].text))
      continue;
    self->at += strlen (comparisons[i].text);
    *ret_kind = comparisons[i].kind;
    return TRUE;
  }
  self->at = back;
  return FALSE;
}

static NebulaJsonpathTerm *
read_parentheses (NebulaJsonpathReader *self)
{
  g_autoptr (NebulaJsonpathTerm) term = NULL;

  self->at++;
  _nebula_jsonpath_read_space (self);
  term = read_or (self);
  if (term == NULL)
    return NULL;
  _nebula_jsonpath_read_space (self);
  if (*self->at != ')') {
    _nebula_jsonpath_fail (self, _ ("“)” is needed here."));
    return NULL;
  }
  self->at++;
  return g_steal_pointer (&term);
}

/* comparison-expr or test-expr; after “!” only the latter */
static NebulaJsonpathTerm *
read_test (NebulaJsonpathReader *self, gboolean is_negated)
{
  g_autoptr (NebulaJsonpathTerm) left = read_operand (self);
  g_autoptr (NebulaJsonpathTerm) comparison = NULL;
  NebulaJsonpathTermKind kind;
  NebulaJsonpathTerm *right = NULL;

  if (left == NULL)
    return NULL;
  if (is_negated || !read_comparison (self, &kind))
    return check_test (self, left) ? g_steal_pointer (&left) : NULL;
  if (!check_value (self, left))
    return NULL;
  comparison = term_new (kind);
  g_ptr_array_add (comparison->terms, g_steal_pointer (&left));
  _nebula_jsonpath_read_space (self);
  right = read_operand (self);
  if (right == NULL)
    return NULL;
  g_ptr_array_add (comparison->terms, right);
  return check_value (self, right) ? g_steal_pointer (&comparison) : NULL;
}

/* basic-expr */
static NebulaJsonpathTerm *
read_basic (NebulaJsonpathReader *self)
{
  NebulaJsonpathTerm *term = NULL, *not = NULL;
  gboolean is_negated = *self->at == '!';

  if (is_negated) {
    self->at++;
    _nebula_jsonpath_read_space (self);
  }
  term = *self->at == '(' ? read_parentheses (self) : read_test (self, is_negated);
  if (term == NULL || !is_negated)
    return term;
  not = term_new (NEBULA_JSONPATH_NOT);
  g_ptr_array_add (not ->terms, term);
  return not ;
}

/* Parts with one operator between them; one part alone stands for itself. */
static NebulaJsonpathTerm *
read_chain (NebulaJsonpathReader *self,
            NebulaJsonpathTermKind kind,
            const char *
            operator,
            NebulaJsonpathTerm * (*read_part) (NebulaJsonpathReader *self))
{
  g_autoptr (NebulaJsonpathTerm) chain = term_new (kind);

  for (;;) {
    NebulaJsonpathTerm *part = read_part (self);
    const char *back = self->at;

    if (part == NULL)
      return NULL;
    g_ptr_array_add (chain->terms, part);
    _nebula_jsonpath_read_space (self);
    if (!g_str_has_prefix (self->at, operator)) {
      self->at = back;
      break;
    }
    self->at += strlen (operator);
    _nebula_jsonpath_read_space (self);
  }
  return chain->terms->len == 1 ? g_ptr_array_steal_index (chain->terms, 0)
                                : g_steal_pointer (&chain);
}

/* logical-and-expr */
static NebulaJsonpathTerm *
read_and (NebulaJsonpathReader *self)
{
  return read_chain (self, NEBULA_JSONPATH_AND, "&&", read_basic);
}

/* logical-or-expr */
static NebulaJsonpathTerm *
read_or (NebulaJsonpathReader *self)
{
  NebulaJsonpathTerm *term = NULL;

  if (!enter (self))
    return NULL;
  term = read_chain (self, NEBULA_JSONPATH_OR, "||", read_and);
  self->depth--;
  return term;
}

NebulaJsonpathTerm *
_nebula_jsonpath_read_filter (NebulaJsonpathReader *self)
{
  return read_or (self);
}
