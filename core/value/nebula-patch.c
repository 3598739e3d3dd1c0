/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON Patch (RFC 6902): an array of operations, each an object with `op` and `path`.
 *
 *   add {path, value} · remove {path} · replace {path, value} · test {path, value} · move, copy {from, path}
 *
 * Paths are JSON pointers (RFC 6901); “-” is the place behind the last item. Every operation makes new containers along
 * its path, and their lengths are counted, so that no patch can hold the engine up.
 */
#include "nebula-patch.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-limits.h"

typedef enum {
  EDIT_ADD,
  EDIT_REMOVE,
  EDIT_REPLACE,
} Edit;

typedef struct {
  char *text;
  gsize length;
} Token;

typedef struct {
  guint64 steps;
  gsize most_bytes;    /* a value that is copied into itself grows fast */
  gsize index;         /* of the operation */
  const char *pointer; /* the one that is followed */
  GError **error;
} Patcher;

static void
token_clear (gpointer data)
{
  g_free (((Token *) data)->text);
}

static NebulaValue *
refuse (Patcher *self, NebulaError code, const char *why)
{
  if (self->error && *self->error == NULL)
    /* TRANSLATORS: the number of an operation in a JSON Patch, and a clause that says what is wrong */
    g_set_error (self->error, NEBULA_ERROR, code, _ ("Operation %u of the patch: %s."),
                 (guint) self->index, why);
  return NULL;
}

static NebulaValue *
refuse_place (Patcher *self)
{
  g_autofree char *why = g_strdup_printf (_ ("there is no place “%s”"), self->pointer);

  return refuse (self, NEBULA_ERROR_NOT_FOUND, why);
}

static gboolean
burn (Patcher *self, gsize n)
{
  self->steps += n + 1;
  if (self->steps <= NEBULA_LIMIT_FUEL)
    return TRUE;
  refuse (
      self, NEBULA_ERROR_BUDGET_EXCEEDED,
      _ ("the patch copies more items than a patch may; split it or make it simpler"));
  return FALSE;
}

/* One token behind its “/”; FALSE for a “~” that is neither ~0 nor ~1. */
static gboolean
read_token (const char **at, const char *end, GArray *tokens)
{
  GString *text = g_string_new (NULL);
  gboolean is_good = TRUE;
  Token token;

  for (; *at < end && **at != '/'; (*at)++) {
    if (**at == '~') {
      is_good &= *at + 1 < end && ((*at)[1] == '0' || (*at)[1] == '1');
      g_string_append_c (text, *at + 1 < end && (*at)[1] == '1' ? '/' : '~');
      *at += *at + 1 < end ? 1 : 0;
    } else {
      g_string_append_c (text, **at);
    }
  }
  token.length = text->len;
  token.text = g_string_free (text, FALSE);
  g_array_append_val (tokens, token);
  return is_good;
}

/* The tokens of a member that is a pointer; NULL with error. */
static GArray *
read_pointer (Patcher *self, NebulaValue *operation, const char *name)
{
  NebulaValue *member = nebula_value_get_member (operation, name);
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (Token));
  g_autofree char *why = NULL;
  const char *at, *end;
  gboolean is_good;

  g_array_set_clear_func (tokens, token_clear);
  if (!member || nebula_value_get_kind (member) != NEBULA_VALUE_KIND_STRING) {
    why = g_strdup_printf (_ ("it needs a text “%s”"), name);
    refuse (self, NEBULA_ERROR_INVALID_DATA, why);
    return NULL;
  }
  self->pointer = at = nebula_value_get_string (member);
  end = at + nebula_value_get_string_length (member);
  is_good = at == end || *at == '/';
  while (is_good && at < end && tokens->len <= NEBULA_LIMIT_DEPTH) {
    at++;
    is_good = read_token (&at, end, tokens);
  }
  if (!is_good || tokens->len > NEBULA_LIMIT_DEPTH) {
    why = g_strdup_printf (_ ("“%s” is not a JSON pointer"), self->pointer);
    refuse (self, NEBULA_ERROR_SYNTAX, why);
    return NULL;
  }
  return g_steal_pointer (&tokens);
}

/* An index below @limit: digits without leading zeros. */
static gboolean
read_index (const Token *token, gsize limit, gsize *ret_index)
{
  guint64 index;

  if (token->length == 0 || token->length != strspn (token->text, "0123456789") ||
      (token->length > 1 && token->text[0] == '0') ||
      !g_ascii_string_to_unsigned (token->text, 10, 0, G_MAXUINT32, &index, NULL))
    return FALSE;
  *ret_index = (gsize) index;
  return index < limit;
}

/* The part at @token; NULL if there is none. */
static NebulaValue *
step (NebulaValue *value, const Token *token)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  gsize index;

  if (kind == NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_get_member_length (value, token->text, token->length);
  if (kind != NEBULA_VALUE_KIND_ARRAY ||
      !read_index (token, nebula_value_get_length (value), &index))
    return NULL;
  return nebula_value_get_item (value, index);
}

static NebulaValue *
find (Patcher *self, NebulaValue *value, GArray *tokens)
{
  for (guint i = 0; value && i < tokens->len; i++)
    value = step (value, &g_array_index (tokens, Token, i));
  return value ? value : refuse_place (self);
}

/* @object with the member at @token changed: set to @part, or left out if that is NULL. */
static NebulaValue *
with_member (NebulaValue *object, const Token *token, NebulaValue *part)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    gsize length;
    const char *key = nebula_value_get_key (object, i, &length);

    if (part || length != token->length || memcmp (key, token->text, length) != 0)
      nebula_value_builder_set_length_take (
          builder, key, length,
          nebula_value_ref (nebula_value_get_member_at (object, i)));
  }
  if (part)
    nebula_value_builder_set_length_take (builder, token->text, token->length,
                                          nebula_value_ref (part));
  return nebula_value_builder_end (builder);
}

/* @array with @part at @index, in front of the item there or instead of it; without it if @part is NULL. */
static NebulaValue *
with_item (NebulaValue *array, gsize index, NebulaValue *part, gboolean is_new)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gsize n = nebula_value_get_length (array);

  for (gsize i = 0; i <= n; i++) {
    if (i == index && part)
      nebula_value_builder_add (builder, part);
    if (i < n && (i != index || is_new))
      nebula_value_builder_add (builder, nebula_value_get_item (array, i));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
edit_item (Patcher *self,
           NebulaValue *array,
           const Token *token,
           Edit edit,
           NebulaValue *part)
{
  gsize n = nebula_value_get_length (array);
  gsize index = n;
  gboolean is_end = token->length == 1 && token->text[0] == '-';

  if (edit != EDIT_ADD ? !read_index (token, n, &index)
                       : !is_end && !read_index (token, n + 1, &index))
    return refuse_place (self);
  return with_item (array, index, part, edit == EDIT_ADD);
}

/* The last step: the place itself. */
static NebulaValue *
edit_here (Patcher *self,
           NebulaValue *value,
           const Token *token,
           Edit edit,
           NebulaValue *part)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_ARRAY)
    return edit_item (self, value, token, edit, part);
  if (kind != NEBULA_VALUE_KIND_OBJECT || (edit != EDIT_ADD && !step (value, token)))
    return refuse_place (self);
  return with_member (value, token, part);
}

static NebulaValue *
apply_edit (Patcher *self,
            NebulaValue *value,
            const Token *tokens,
            guint n_tokens,
            Edit edit,
            NebulaValue *part)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  NebulaValue *inner;
  g_autoptr (NebulaValue) changed = NULL;
  gsize index = 0;

  if (n_tokens == 0)
    return part ? nebula_value_ref (part) : nebula_value_new_null ();
  if ((kind == NEBULA_VALUE_KIND_ARRAY || kind == NEBULA_VALUE_KIND_OBJECT) &&
      !burn (self, nebula_value_get_length (value)))
    return NULL;
  if (n_tokens == 1)
    return edit_here (self, value, tokens, edit, part);
  inner = step (value, tokens);
  if (!inner)
    return refuse_place (self);
  changed = apply_edit (self, inner, tokens + 1, n_tokens - 1, edit, part);
  if (!changed)
    return NULL;
  if (kind == NEBULA_VALUE_KIND_OBJECT)
    return with_member (value, tokens, changed);
  read_index (tokens, nebula_value_get_length (value), &index);
  return with_item (value, index, changed, FALSE);
}

static NebulaValue *
edit_at (Patcher *self, NebulaValue *value, GArray *tokens, Edit edit, NebulaValue *part)
{
  g_autoptr (NebulaValue) changed = apply_edit (
      self, value, (const Token *) (gpointer) tokens->data, tokens->len, edit, part);

  if (changed && nebula_value_get_depth (changed) > NEBULA_LIMIT_DEPTH)
    return refuse (self, NEBULA_ERROR_TOO_DEEP, _ ("it nests the value too deep"));
  if (changed && nebula_value_get_size_bytes (changed) > self->most_bytes)
    return refuse (self, NEBULA_ERROR_TOO_LARGE, _ ("it makes the value too large"));
  return g_steal_pointer (&changed);
}

static gboolean
is_inside (GArray *place, GArray *outer)
{
  if (place->len <= outer->len)
    return FALSE;
  for (guint i = 0; i < outer->len; i++) {
    const Token *a = &g_array_index (place, Token, i);
    const Token *b = &g_array_index (outer, Token, i);

    if (a->length != b->length || memcmp (a->text, b->text, a->length) != 0)
      return FALSE;
  }
  return TRUE;
}

static NebulaValue *
copy_or_move (Patcher *self, NebulaValue *value, NebulaValue *operation, gboolean is_move)
{
  g_autoptr (GArray) from = read_pointer (self, operation, "from");
  NebulaValue *found = from ? find (self, value, from) : NULL;
  g_autoptr (NebulaValue) part = found ? nebula_value_ref (found) : NULL;
  g_autoptr (NebulaValue) rest = NULL;
  g_autoptr (GArray) to = NULL;

  if (!part)
    return NULL;
  if (is_move) {
    rest = edit_at (self, value, from, EDIT_REMOVE, NULL);
    if (!rest)
      return NULL;
  }
  to = read_pointer (self, operation, "path");
  if (!to)
    return NULL;
  if (is_move && is_inside (to, from))
    return refuse (self, NEBULA_ERROR_INVALID_DATA,
                   _ ("a value cannot be moved into itself"));
  return edit_at (self, rest ? rest : value, to, EDIT_ADD, part);
}

static NebulaValue *
test_part (Patcher *self, NebulaValue *value, GArray *tokens, NebulaValue *wanted)
{
  NebulaValue *found = find (self, value, tokens);
  g_autofree char *why = NULL;

  if (!found)
    return NULL;
  if (nebula_value_equal (found, wanted))
    return nebula_value_ref (value);
  why = g_strdup_printf (_ ("the test of “%s” found another value"), self->pointer);
  return refuse (self, NEBULA_ERROR_CONFLICT, why);
}

static NebulaValue *
run_operation (Patcher *self, NebulaValue *value, NebulaValue *operation)
{
  const char *op = NULL;
  g_autoptr (GArray) tokens = NULL;
  NebulaValue *part;

  if (nebula_value_get_kind (operation) == NEBULA_VALUE_KIND_OBJECT)
    op = nebula_value_get_member_string (operation, "op", NULL);
  if (!op)
    return refuse (self, NEBULA_ERROR_INVALID_DATA,
                   _ ("it must be an object with a text “op”"));
  if (g_str_equal (op, "move") || g_str_equal (op, "copy"))
    return copy_or_move (self, value, operation, *op == 'm');
  tokens = read_pointer (self, operation, "path");
  if (!tokens)
    return NULL;
  if (g_str_equal (op, "remove"))
    return edit_at (self, value, tokens, EDIT_REMOVE, NULL);
  part = nebula_value_get_member (operation, "value");
  if (!part && g_strv_contains ((const char *[]){"add", "replace", "test", NULL}, op))
    return refuse (self, NEBULA_ERROR_INVALID_DATA, _ ("it needs a “value”"));
  if (g_str_equal (op, "test"))
    return test_part (self, value, tokens, part);
  if (g_str_equal (op, "add"))
    return edit_at (self, value, tokens, EDIT_ADD, part);
  if (g_str_equal (op, "replace"))
    return edit_at (self, value, tokens, EDIT_REPLACE, part);
  return refuse (self, NEBULA_ERROR_INVALID_DATA,
                 _ ("“op” must be one of add, remove, replace, move, copy and test"));
}

/**
 * nebula_value_apply_patch:
 * @self: a value
 * @patch: an array of operations
 * @error: where to put an error
 *
 * Applies a JSON Patch (RFC 6902): all of its operations, one after another, or none.
 *
 * Errors, all terminal: %NEBULA_ERROR_INVALID_DATA or %NEBULA_ERROR_SYNTAX for what is no patch; %NEBULA_ERROR_NOT_FOUND
 * for a place that is not there; %NEBULA_ERROR_CONFLICT if a test fails; %NEBULA_ERROR_TOO_DEEP,
 * %NEBULA_ERROR_TOO_LARGE (by more than 10 MiB) and %NEBULA_ERROR_BUDGET_EXCEEDED beyond the limits.
 *
 * Returns: (transfer full): the changed value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_apply_patch (NebulaValue *self, NebulaValue *patch, GError **error)
{
  g_autoptr (GError) problem = NULL;
  Patcher patcher = {.error = &problem};
  g_autoptr (NebulaValue) value = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (patch != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (nebula_value_get_kind (patch) != NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("A patch is an array of operations."));
    return NULL;
  }
  value = nebula_value_ref (self);
  patcher.most_bytes = nebula_value_get_size_bytes (self) +
                       nebula_value_get_size_bytes (patch) + NEBULA_LIMIT_DOCUMENT_BYTES;
  for (gsize i = 0; value && i < nebula_value_get_length (patch); i++) {
    g_autoptr (NebulaValue) before = g_steal_pointer (&value);

    patcher.index = i;
    value = run_operation (&patcher, before, nebula_value_get_item (patch, i));
  }
  if (!value)
    g_propagate_error (error, g_steal_pointer (&problem));
  return g_steal_pointer (&value);
}
