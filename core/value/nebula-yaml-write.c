/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YAML in block style. Texts stand plain where every reader of YAML 1.1 or 1.2 takes them for texts. */
#include "nebula-document.h"
#include "nebula-json-internal.h"
#include "nebula-value-private.h"

/* A key longer than this needs the form with a question mark. */
#define SIMPLE_KEY_BYTES 1000

/* Words that some version of YAML reads as something else, in lower case. */
static const char *const reserved_words[]
  = { "true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan", NULL };

static gboolean
is_reserved (const char *text)
{
  for (guint i = 0; reserved_words[i]; i++)
    if (g_ascii_strcasecmp (text, reserved_words[i]) == 0)
      return TRUE;
  return FALSE;
}

/* A duration such as `1h30m` is text to every reader, though it begins with a digit. */
static gboolean
is_duration_like (const char *text)
{
  gboolean has_unit = FALSE;

  for (; *text; text++) {
    has_unit = !g_ascii_isdigit (*text);
    if (has_unit && !strchr ("usmhdw", *text))
      return FALSE;
  }
  return has_unit;
}

static gboolean
is_plain_char (const char *at)
{
  if (*at == ':')
    return at[1] != ' ' && at[1] != '\0';
  return (guchar) *at >= 0x20 && (guchar) *at < 0x7f && !strchr ("#\"`{}[]\\", *at);
}

static gboolean
is_plain (const char *text, gsize length)
{
  if (length == 0 || length > 512 || strlen (text) != length || is_reserved (text) || text[length - 1] == ' ')
    return FALSE;
  if (g_ascii_isdigit (text[0]))
    return is_duration_like (text);
  if (!g_ascii_isalpha (text[0]) && text[0] != '_' && text[0] != '/' && text[0] != '$')
    return FALSE;
  for (const char *at = text; *at; at++)
    if (!is_plain_char (at))
      return FALSE;
  return TRUE;
}

/* Characters that libyaml does not take as they are, or takes for a line end. */
static gboolean
needs_escape (gunichar character)
{
  return (character >= 0x7f && character < 0xa0) || character == 0x2028 || character == 0x2029 || character == 0xfeff
         || character == 0xfffe || character == 0xffff;
}

static void
append_quoted (const char *string, gsize length, GString *text)
{
  const char *from = string, *end = string + length;

  g_string_append_c (text, '"');
  for (const char *at = string; at < end; at = g_utf8_next_char (at)) {
    gunichar character = (guchar) *at < 0x80 ? (gunichar) *at : g_utf8_get_char (at);

    if (character >= 0x20 && character != '"' && character != '\\' && !needs_escape (character))
      continue;
    g_string_append_len (text, from, at - from);
    if (character == '\n')
      g_string_append (text, "\\n");
    else if (character == '"' || character == '\\')
      g_string_append_printf (text, "\\%c", (char) character);
    else
      g_string_append_printf (text, "\\u%04x", character);
    from = g_utf8_next_char (at);
  }
  g_string_append_len (text, from, end - from);
  g_string_append_c (text, '"');
}

/* A text of several lines that a literal block gives back exactly: no other controls, no blank at its start, at most one
 * line end behind it. */
static gboolean
is_literal (const char *string, gsize length)
{
  if (!memchr (string, '\n', length) || string[0] == ' ' || string[0] == '\n' || string[0] == '\t')
    return FALSE;
  if (length > 1 && string[length - 1] == '\n' && string[length - 2] == '\n')
    return FALSE;
  for (const char *at = string; at < string + length; at = g_utf8_next_char (at)) {
    gunichar character = g_utf8_get_char (at);

    if ((character < 0x20 && character != '\n') || needs_escape (character))
      return FALSE;
  }
  return TRUE;
}

static void
append_indent (GString *text, gsize indent)
{
  for (gsize i = 0; i < indent; i++)
    g_string_append_c (text, ' ');
}

static void
append_literal (const char *string, gsize length, gsize indent, GString *text)
{
  gboolean has_end = string[length - 1] == '\n';
  const char *end = string + length - (has_end ? 1 : 0);

  g_string_append (text, has_end ? "|" : "|-");
  for (const char *at = string; at <= end;) {
    const char *line_end = memchr (at, '\n', (gsize) (end - at));

    if (!line_end)
      line_end = end;
    g_string_append_c (text, '\n');
    if (line_end > at)
      append_indent (text, indent);
    g_string_append_len (text, at, line_end - at);
    at = line_end + 1;
  }
}

static void
append_string (const char *string, gsize length, gsize indent, GString *text)
{
  if (is_plain (string, length))
    g_string_append_len (text, string, (gssize) length);
  else if (indent > 0 && length > 0 && is_literal (string, length))
    append_literal (string, length, indent, text);
  else
    append_quoted (string, length, text);
}

static void
append_scalar (NebulaValue *value, gsize indent, GString *text)
{
  g_autofree char *owned = NULL;

  switch ((NebulaValueKind) value->kind) {
  case NEBULA_VALUE_KIND_STRING:
    append_string (((NebulaText *) value)->data, ((NebulaText *) value)->length, indent, text);
    return;
  case NEBULA_VALUE_KIND_BYTES:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
    owned = nebula_value_to_text (value);
    append_string (owned, strlen (owned), indent, text);
    return;
  case NEBULA_VALUE_KIND_NULL:
  case NEBULA_VALUE_KIND_BOOLEAN:
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_REFERENCE:
    _nebula_json_append_scalar (value, text);
    return;
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
  default:
    g_string_append (text, value->kind == NEBULA_VALUE_KIND_ARRAY ? "[]" : "{}");
    return;
  }
}

static gboolean
is_block (NebulaValue *value)
{
  return _nebula_value_is_container (value) && _nebula_value_get_count (value) > 0;
}

static void
append_key (NebulaFrame *frame, gsize indent, GString *text)
{
  const NebulaKey *key = &((NebulaObject *) frame->self)->shape->keys[frame->next];
  gsize from = text->len;

  /* Escapes make a key longer than its bytes, six characters for one at most. */
  if (key->length > SIMPLE_KEY_BYTES / 6) {
    g_string_append (text, "? ");
    append_quoted (key->text, key->length, text);
    g_string_append_c (text, '\n');
    append_indent (text, indent);
  } else {
    append_string (key->text, key->length, 0, text);
    g_assert (text->len - from <= SIMPLE_KEY_BYTES);
  }
  g_string_append_c (text, ':');
}

/* One child. frame->sum tells that the cursor already stands at its place, behind a dash. */
static void
append_child (NebulaFrame *frame, gsize indent, NebulaWalk *walk, GString *text)
{
  NebulaValue *child = _nebula_value_peek_children (frame->self)[frame->next];
  gboolean is_object = frame->self->kind == NEBULA_VALUE_KIND_OBJECT;

  if (frame->sum == 0)
    append_indent (text, indent);
  frame->sum = 0;
  if (is_object)
    append_key (frame, indent, text);
  else
    g_string_append_c (text, '-');
  frame->next++;
  if (!is_block (child)) {
    g_string_append_c (text, ' ');
    append_scalar (child, indent + 2, text);
    g_string_append_c (text, '\n');
    return;
  }
  g_string_append_c (text, is_object ? '\n' : ' ');
  _nebula_walk_push (walk, child, NULL)->sum = is_object ? 0 : 1;
}

/**
 * nebula_value_to_yaml:
 * @self: a value
 *
 * Writes a value as YAML in block style that reads back as the same value. Kinds that YAML lacks become texts, as in
 * JSON.
 *
 * Returns: (transfer full): the text, with a line end
 *
 * Since: 1.0
 */
char *
nebula_value_to_yaml (NebulaValue *self)
{
  g_auto (NebulaWalk) walk;
  NebulaFrame *frame = NULL;
  GString *text = NULL;

  _nebula_walk_init (&walk);
  g_return_val_if_fail (self != NULL, NULL);

  text = g_string_sized_new (256);
  if (is_block (self)) {
    _nebula_walk_push (&walk, self, NULL);
  } else {
    append_scalar (self, 2, text);
    g_string_append_c (text, '\n');
  }
  while ((frame = _nebula_walk_top (&walk)) != NULL) {
    if (frame->next == _nebula_value_get_count (frame->self))
      walk.length--;
    else
      append_child (frame, 2 * (walk.length - 1), &walk, text);
  }
  return g_string_free (text, FALSE);
}
