/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads JMESPath by operator precedence. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-jmespath-private.h"
#include "nebula-json.h"

#define HEIGHT_MAX 256

/* How tightly a sign binds to what is on its left. */
enum {
  BINDS_NOT = 0,
  BINDS_PIPE = 1,
  BINDS_OR = 2,
  BINDS_AND = 3,
  BINDS_COMPARE = 5,
  BINDS_PREFIX = 6,
  BINDS_FLATTEN = 9, /* this and what binds less ends a projection */
  BINDS_STAR = 20,
  BINDS_FILTER = 21,
  BINDS_DOT = 40,
  BINDS_BRACKET = 55,
};

typedef struct {
  const char *text;
  const char *at;
  guint depth;
  GError *error;
} Reader;

void
_nebula_jmespath_node_free (NebulaJmespathNode *self)
{
  if (self == NULL)
    return;
  _nebula_jmespath_node_free (self->left);
  _nebula_jmespath_node_free (self->right);
  _nebula_jmespath_node_free (self->third);
  g_clear_pointer (&self->children, g_ptr_array_unref);
  g_clear_pointer (&self->value, nebula_value_unref);
  g_free (self->text);
  g_free (self->key);
  g_free (self);
}

static gpointer
fail (Reader *self, NebulaError code, const char *reason)
{
  if (self->error == NULL)
    /* TRANSLATORS: what is wrong, then the place in the query. */
    g_set_error (&self->error, NEBULA_ERROR, (int) code, _ ("%s (JMESPath, character %ld)"),
                 reason, g_utf8_strlen (self->text, self->at - self->text) + 1);
  return NULL;
}

static gpointer
fail_syntax (Reader *self, const char *reason)
{
  return fail (self, NEBULA_ERROR_SYNTAX, reason);
}

static void
skip_blanks (Reader *self)
{
  while (*self->at != '\0' && strchr (" \t\r\n", *self->at) != NULL)
    self->at++;
}

static gboolean
is_next (Reader *self, const char *sign)
{
  skip_blanks (self);
  return strncmp (self->at, sign, strlen (sign)) == 0;
}

static gboolean
take (Reader *self, const char *sign)
{
  if (!is_next (self, sign))
    return FALSE;
  self->at += strlen (sign);
  return TRUE;
}

static NebulaJmespathNode *
make (Reader *self,
      NebulaJmespathKind kind,
      NebulaJmespathNode *left,
      NebulaJmespathNode *right)
{
  NebulaJmespathNode *node = g_new0 (NebulaJmespathNode, 1);

  node->kind = kind;
  node->left = left;
  node->right = right;
  node->height = 1 + MAX (left != NULL ? left->height : 0,
                          right != NULL ? right->height : 0);
  if (node->height <= HEIGHT_MAX)
    return node;
  _nebula_jmespath_node_free (node);
  return fail (self, NEBULA_ERROR_TOO_DEEP, _ ("The query nests too deep"));
}

static NebulaJmespathNode *
make_current (Reader *self)
{
  return make (self, NEBULA_JMESPATH_CURRENT, NULL, NULL);
}

static NebulaJmespathNode *read_expression (Reader *self, int binding);

/* The left side is freed where the right one fails. */
static NebulaJmespathNode *
join (Reader *self,
      NebulaJmespathKind kind,
      NebulaJmespathNode *left,
      NebulaJmespathNode *right)
{
  if (left != NULL && right != NULL)
    return make (self, kind, left, right);
  _nebula_jmespath_node_free (left);
  _nebula_jmespath_node_free (right);
  return NULL;
}

static gboolean
is_name_start (char letter)
{
  return g_ascii_isalpha (letter) || letter == '_';
}

static char *
read_name (Reader *self)
{
  const char *start = self->at;

  while (is_name_start (*self->at) || g_ascii_isdigit (*self->at))
    self->at++;
  return g_strndup (start, (gsize) (self->at - start));
}

/* From @start, a JSON text up to the character before `at`. */
static NebulaValue *
parse_json (Reader *self, const char *start, gsize length, const char *reason)
{
  NebulaValue *value =
      nebula_value_parse_json (start, (gssize) length, NEBULA_JSON_FLAGS_NONE, NULL);

  return value != NULL ? value : fail_syntax (self, reason);
}

/* A name in double quotes, with the escapes of JSON. */
static NebulaValue *
read_quoted (Reader *self)
{
  const char *start = self->at++;

  while (*self->at != '\0' && *self->at != '"')
    self->at += *self->at == '\\' && self->at[1] != '\0' ? 2 : 1;
  if (*self->at == '\0')
    return fail_syntax (self, _ ("This name has no closing quote"));
  self->at++;
  return parse_json (self, start, (gsize) (self->at - start),
                     _ ("This name is not written as JSON wants it"));
}

static NebulaJmespathNode *
make_field (Reader *self, const char *text, gsize length)
{
  NebulaJmespathNode *node = make (self, NEBULA_JMESPATH_FIELD, NULL, NULL);

  node->text = g_memdup2 (text, length + 1);
  node->length = length;
  return node;
}

static NebulaJmespathNode *
make_literal (Reader *self, NebulaValue *value)
{
  NebulaJmespathNode *node;

  if (value == NULL)
    return NULL;
  node = make (self, NEBULA_JMESPATH_LITERAL, NULL, NULL);
  node->value = value;
  return node;
}

/* Between single quotes only \' and \\ mean something. */
static NebulaJmespathNode *
read_raw (Reader *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (self->at++; *self->at != '\0' && *self->at != '\''; self->at++) {
    if (*self->at == '\\' && (self->at[1] == '\'' || self->at[1] == '\\'))
      self->at++;
    g_string_append_c (text, *self->at);
  }
  if (*self->at == '\0')
    return fail_syntax (self, _ ("This text has no closing quote"));
  self->at++;
  return make_literal (self, nebula_value_new_string_length (text->str, text->len));
}

/* JSON between backticks, in which \` is a backtick. */
static NebulaJmespathNode *
read_json (Reader *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (self->at++; *self->at != '\0' && *self->at != '`'; self->at++) {
    if (*self->at == '\\' && self->at[1] == '`')
      self->at++;
    else if (*self->at == '\\' && self->at[1] != '\0')
      g_string_append_c (text, *self->at++);
    g_string_append_c (text, *self->at);
  }
  if (*self->at == '\0')
    return fail_syntax (self, _ ("This literal has no closing backtick"));
  self->at++;
  return make_literal (self, parse_json (self, text->str, text->len,
                                         _ ("Between backticks stands JSON")));
}

static gboolean
read_integer (Reader *self, gint64 *ret)
{
  const char *start = self->at;
  g_autofree char *digits = NULL;

  self->at += *self->at == '-' ? 1 : 0;
  while (g_ascii_isdigit (*self->at))
    self->at++;
  digits = g_strndup (start, (gsize) (self->at - start));
  return g_ascii_string_to_signed (digits, 10, G_MININT32, G_MAXINT32, ret, NULL);
}

/* What a projection applies to each item. */
static NebulaJmespathNode *
read_projected (Reader *self, int binding)
{
  skip_blanks (self);
  if (*self->at == '.' || (*self->at == '[' && self->at[1] != ']'))
    return read_expression (self, binding);
  return make_current (self);
}

static NebulaJmespathNode *
project (Reader *self, NebulaJmespathKind kind, NebulaJmespathNode *left, int binding)
{
  return join (self, kind, left, left != NULL ? read_projected (self, binding) : NULL);
}

/* After `[`: `1]`, `1:2]`, `::2]`. */
static NebulaJmespathNode *
read_number (Reader *self, NebulaJmespathNode *left)
{
  NebulaJmespathNode *node = make (self, NEBULA_JMESPATH_INDEX, NULL, NULL);
  guint part = 0;

  while (part < 3 && !is_next (self, "]")) {
    if (take (self, ":")) {
      node->kind = NEBULA_JMESPATH_SLICE;
      part++;
      continue;
    }
    if (node->has_number[part] || !read_integer (self, &node->numbers[part])) {
      part = 3;
      break;
    }
    node->has_number[part] = TRUE;
  }
  if (part == 3 || !take (self, "]") ||
      (node->kind == NEBULA_JMESPATH_SLICE && node->has_number[2] &&
       node->numbers[2] == 0)) {
    _nebula_jmespath_node_free (node);
    _nebula_jmespath_node_free (left);
    return fail_syntax (
        self, _ ("An index or slice is written [1] or [from:to:step], no step of 0"));
  }
  if (node->kind == NEBULA_JMESPATH_INDEX)
    return join (self, NEBULA_JMESPATH_SUB, left, node);
  return project (self, NEBULA_JMESPATH_ITEMS,
                  join (self, NEBULA_JMESPATH_SUB, left, node), BINDS_STAR);
}

static NebulaJmespathNode *
read_filter (Reader *self, NebulaJmespathNode *left)
{
  NebulaJmespathNode *condition = read_expression (self, BINDS_NOT);
  NebulaJmespathNode *node;

  if (condition == NULL || !take (self, "]")) {
    _nebula_jmespath_node_free (left);
    _nebula_jmespath_node_free (condition);
    return fail_syntax (self, _ ("A filter is written [?condition]"));
  }
  node = project (self, NEBULA_JMESPATH_FILTER, left, BINDS_FILTER);
  if (node == NULL) {
    _nebula_jmespath_node_free (condition);
    return NULL;
  }
  node->third = condition;
  node->height = MAX (node->height, condition->height + 1);
  return node;
}

static NebulaJmespathNode *
add_child (Reader *self, NebulaJmespathNode *parent, NebulaJmespathNode *child)
{
  if (child == NULL || child->height >= HEIGHT_MAX) {
    if (child != NULL)
      fail (self, NEBULA_ERROR_TOO_DEEP, _ ("The query nests too deep"));
    _nebula_jmespath_node_free (child);
    _nebula_jmespath_node_free (parent);
    return NULL;
  }
  parent->height = MAX (parent->height, child->height + 1);
  g_ptr_array_add (parent->children, child);
  return parent;
}

static NebulaJmespathNode *
make_parent (Reader *self, NebulaJmespathKind kind)
{
  NebulaJmespathNode *node = make (self, kind, NULL, NULL);

  node->children =
      g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_jmespath_node_free);
  return node;
}

/* After `[`: `a, b]`. */
static NebulaJmespathNode *
read_list (Reader *self)
{
  NebulaJmespathNode *list = make_parent (self, NEBULA_JMESPATH_LIST);

  do {
    list = add_child (self, list, read_expression (self, BINDS_NOT));
    if (list == NULL)
      return NULL;
  } while (take (self, ","));
  if (take (self, "]"))
    return list;
  _nebula_jmespath_node_free (list);
  return fail_syntax (self, _ ("“]” is missing here"));
}

/* A name, bare or quoted; NULL with an error. */
static char *
read_key (Reader *self)
{
  g_autoptr (NebulaValue) quoted = NULL;

  skip_blanks (self);
  if (is_name_start (*self->at))
    return read_name (self);
  if (*self->at == '"')
    quoted = read_quoted (self);
  else
    fail_syntax (self, _ ("A key is a name, bare or in double quotes"));
  return quoted != NULL ? g_strdup (nebula_value_get_string (quoted)) : NULL;
}

/* After `{`: `a: b, c: d}`. */
static NebulaJmespathNode *
read_hash (Reader *self)
{
  NebulaJmespathNode *hash = make_parent (self, NEBULA_JMESPATH_HASH);

  do {
    g_autofree char *key = read_key (self);
    NebulaJmespathNode *child = NULL;

    if (key != NULL && !take (self, ":"))
      fail_syntax (self, _ ("“:” is missing here"));
    else if (key != NULL)
      child = read_expression (self, BINDS_NOT);
    hash = add_child (self, hash, child);
    if (hash == NULL)
      return NULL;
    child->key = g_steal_pointer (&key);
  } while (take (self, ","));
  if (take (self, "}"))
    return hash;
  _nebula_jmespath_node_free (hash);
  return fail_syntax (self, _ ("“}” is missing here"));
}

/* After `name(`. */
static NebulaJmespathNode *
read_call (Reader *self, const char *name)
{
  NebulaJmespathNode *call = make_parent (self, NEBULA_JMESPATH_CALL);

  call->function = _nebula_jmespath_find_function (name);
  if (call->function == NULL)
    fail (self, NEBULA_ERROR_UNKNOWN_NAME, _ ("JMESPath has no such function"));
  while (self->error == NULL && !is_next (self, ")")) {
    NebulaJmespathNode *child;

    if (call->children->len > 0 && !take (self, ","))
      break;
    child = take (self, "&") ? read_expression (self, BINDS_NOT) : NULL;
    if (child != NULL)
      child = make (self, NEBULA_JMESPATH_EXPRESSION, child, NULL);
    else if (self->error == NULL)
      child = read_expression (self, BINDS_NOT);
    call = add_child (self, call, child);
    if (call == NULL)
      return NULL;
  }
  if (self->error == NULL && !take (self, ")"))
    fail_syntax (self, _ ("“)” is missing here"));
  if (self->error == NULL && !_nebula_jmespath_takes (call->function, call->children->len))
    fail (self, NEBULA_ERROR_ARITY, _ ("The function takes another number of arguments"));
  if (self->error == NULL)
    return call;
  _nebula_jmespath_node_free (call);
  return NULL;
}

static NebulaJmespathNode *
read_identifier (Reader *self)
{
  g_autofree char *name = NULL;
  g_autoptr (NebulaValue) quoted = NULL;

  if (*self->at == '"') {
    quoted = read_quoted (self);
    return quoted != NULL ? make_field (self, nebula_value_get_string (quoted),
                                        nebula_value_get_string_length (quoted))
                          : NULL;
  }
  name = read_name (self);
  if (*self->at != '(')
    return make_field (self, name, strlen (name));
  self->at++;
  return read_call (self, name);
}

/* After `[`; a list of expressions stands at the start only. */
static NebulaJmespathNode *
read_bracket (Reader *self, NebulaJmespathNode *left, gboolean is_start)
{
  if (left == NULL)
    return NULL;
  if (take (self, "]"))
    return project (self, NEBULA_JMESPATH_ITEMS,
                    make (self, NEBULA_JMESPATH_FLATTEN, left, NULL), BINDS_FLATTEN);
  if (take (self, "?"))
    return read_filter (self, left);
  if (is_next (self, "*") && self->at[1] == ']') {
    self->at += 2;
    return project (self, NEBULA_JMESPATH_ITEMS, left, BINDS_STAR);
  }
  skip_blanks (self);
  if (g_ascii_isdigit (*self->at) || *self->at == '-' || *self->at == ':')
    return read_number (self, left);
  if (is_start) {
    _nebula_jmespath_node_free (left);
    return read_list (self);
  }
  _nebula_jmespath_node_free (left);
  return fail_syntax (self, _ ("After a value stands [number], [from:to], [*], [] or [?…]"));
}

/* After `.`. */
static NebulaJmespathNode *
read_member (Reader *self, NebulaJmespathNode *left)
{
  NebulaJmespathNode *right = NULL;

  skip_blanks (self);
  if (take (self, "*"))
    return project (self, NEBULA_JMESPATH_VALUES, left, BINDS_STAR);
  if (is_name_start (*self->at) || *self->at == '"')
    right = read_identifier (self);
  else if (take (self, "["))
    right = read_list (self);
  else if (take (self, "{"))
    right = read_hash (self);
  else
    fail_syntax (self, _ ("A name, “*”, “[” or “{” is missing after the point"));
  return join (self, NEBULA_JMESPATH_SUB, left, right);
}

/* What can stand at the start. */
static NebulaJmespathNode *
read_start (Reader *self)
{
  NebulaJmespathNode *inner;

  skip_blanks (self);
  if (is_name_start (*self->at) || *self->at == '"')
    return read_identifier (self);
  if (*self->at == '\'')
    return read_raw (self);
  if (*self->at == '`')
    return read_json (self);
  if (take (self, "@"))
    return make_current (self);
  if (take (self, "*"))
    return project (self, NEBULA_JMESPATH_VALUES, make_current (self), BINDS_STAR);
  if (take (self, "["))
    return read_bracket (self, make_current (self), TRUE);
  if (take (self, "{"))
    return read_hash (self);
  if (take (self, "!")) {
    inner = read_expression (self, BINDS_PREFIX);
    return inner != NULL ? make (self, NEBULA_JMESPATH_NOT, inner, NULL) : NULL;
  }
  if (take (self, "(")) {
    inner = read_expression (self, BINDS_NOT);
    if (inner == NULL || take (self, ")"))
      /* What is in parentheses is whole: nothing that follows belongs to its projections. */
      return join (self, NEBULA_JMESPATH_PIPE, inner,
                   inner != NULL ? make_current (self) : NULL);
    _nebula_jmespath_node_free (inner);
    return fail_syntax (self, _ ("“)” is missing here"));
  }
  return fail_syntax (self, *self->at == '\0' ? _ ("The query ends too early")
                                              : _ ("This is not expected here"));
}

static const struct {
  const char *sign;
  int binding;
  NebulaJmespathKind kind;
  NebulaJmespathComparison comparison;
} operators[] = {
    {"||", BINDS_OR, NEBULA_JMESPATH_OR, 0},
    {"&&", BINDS_AND, NEBULA_JMESPATH_AND, 0},
    {"|", BINDS_PIPE, NEBULA_JMESPATH_PIPE, 0},
    {"==", BINDS_COMPARE, NEBULA_JMESPATH_COMPARE, NEBULA_JMESPATH_EQUAL},
    {"!=", BINDS_COMPARE, NEBULA_JMESPATH_COMPARE, NEBULA_JMESPATH_NOT_EQUAL},
    {"<=", BINDS_COMPARE, NEBULA_JMESPATH_COMPARE, NEBULA_JMESPATH_LESS_EQUAL},
    {">=", BINDS_COMPARE, NEBULA_JMESPATH_COMPARE, NEBULA_JMESPATH_GREATER_EQUAL},
    {"<", BINDS_COMPARE, NEBULA_JMESPATH_COMPARE, NEBULA_JMESPATH_LESS},
    {">", BINDS_COMPARE, NEBULA_JMESPATH_COMPARE, NEBULA_JMESPATH_GREATER},
};

/* One operator and its right side behind @left; the same @left if none binds tighter than @binding. */
static NebulaJmespathNode *
read_operator (Reader *self, NebulaJmespathNode *left, int binding)
{
  for (guint i = 0; i < G_N_ELEMENTS (operators); i++) {
    NebulaJmespathNode *node;

    if (!is_next (self, operators[i].sign))
      continue;
    if (operators[i].binding <= binding)
      return left;
    self->at += strlen (operators[i].sign);
    node = join (self, operators[i].kind, left, read_expression (self, operators[i].binding));
    if (node != NULL)
      node->numbers[0] = operators[i].comparison;
    return node;
  }
  return left;
}

static NebulaJmespathNode *
read_more (Reader *self, NebulaJmespathNode *left, int binding)
{
  skip_blanks (self);
  if (*self->at == '.' && BINDS_DOT > binding) {
    self->at++;
    return read_member (self, left);
  }
  if (*self->at == '[') {
    int tightness = self->at[1] == ']'   ? BINDS_FLATTEN
                    : self->at[1] == '?' ? BINDS_FILTER
                                         : BINDS_BRACKET;

    if (tightness <= binding)
      return left;
    self->at++;
    return read_bracket (self, left, FALSE);
  }
  return read_operator (self, left, binding);
}

/* Everything from here that binds tighter than @binding. A path that goes on starts at the current value. */
static NebulaJmespathNode *
read_expression (Reader *self, int binding)
{
  NebulaJmespathNode *node, *before;

  if (++self->depth > NEBULA_LIMIT_EXPRESSION_DEPTH)
    return fail (self, NEBULA_ERROR_TOO_DEEP, _ ("The query nests too deep"));
  skip_blanks (self);
  if (*self->at == '.' && binding >= BINDS_FLATTEN)
    node = make_current (self);
  else if (*self->at == '[' && binding >= BINDS_FLATTEN && binding < BINDS_DOT) {
    self->at++;
    node = read_bracket (self, make_current (self), FALSE);
  } else
    node = read_start (self);
  do {
    before = node;
    if (node != NULL)
      node = read_more (self, node, binding);
  } while (node != NULL && node != before);
  self->depth--;
  return node;
}

NebulaJmespath *
_nebula_jmespath_new (const char *text, GError **error)
{
  Reader reader = {.text = text, .at = text};
  g_autoptr (NebulaJmespathNode) root = NULL;
  NebulaJmespath *self;

  if (strlen (text) > NEBULA_LIMIT_EXPRESSION_BYTES)
    fail (&reader, NEBULA_ERROR_TOO_LARGE, _ ("The query is too long"));
  else
    root = read_expression (&reader, BINDS_NOT);
  skip_blanks (&reader);
  if (root != NULL && *reader.at != '\0')
    fail_syntax (&reader, _ ("This is not expected here"));
  if (reader.error != NULL) {
    g_propagate_error (error, reader.error);
    return NULL;
  }
  self = g_new0 (NebulaJmespath, 1);
  g_atomic_ref_count_init (&self->references);
  self->text = g_strdup (text);
  self->root = g_steal_pointer (&root);
  return self;
}

NebulaJmespath *
_nebula_jmespath_ref (NebulaJmespath *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
_nebula_jmespath_unref (NebulaJmespath *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  _nebula_jmespath_node_free (self->root);
  g_free (self->text);
  g_free (self);
}
