/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection as text:
 *
 *   connection = source SP* "->" SP* id
 *   source     = id [ "." port ]
 *   id         = [A-Za-z_] [A-Za-z0-9_-]*
 *   port       = one or more characters; no line end, no "->", no space at its ends
 */
#include "nebula-workflow-private.h"

#include <string.h>

static gboolean
is_space (char character)
{
  return character == ' ' || character == '\t';
}

/* Drops the spaces at both ends. */
static void
trim (const char **text, gsize *length)
{
  while (*length > 0 && is_space (**text)) {
    (*text)++;
    (*length)--;
  }
  while (*length > 0 && is_space ((*text)[*length - 1]))
    (*length)--;
}

gboolean
_nebula_is_node_id (const char *text, gsize length)
{
  if (length == 0 || !(g_ascii_isalpha (text[0]) || text[0] == '_'))
    return FALSE;
  for (gsize i = 1; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '_' && text[i] != '-')
      return FALSE;
  return TRUE;
}

static gboolean
is_port (const char *text, gsize length)
{
  if (length == 0 || is_space (text[0]) || is_space (text[length - 1]))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (text[i]))
      return FALSE;
  return TRUE;
}

gboolean
_nebula_connection_parse_source (const char *text, gsize length, char **ret_id, char **ret_port)
{
  const char *dot;
  gsize id_length;

  trim (&text, &length);
  dot = memchr (text, '.', length);
  id_length = dot ? (gsize) (dot - text) : length;
  if (!_nebula_is_node_id (text, id_length))
    return FALSE;
  if (dot && !is_port (dot + 1, length - id_length - 1))
    return FALSE;

  *ret_id = g_strndup (text, id_length);
  *ret_port = dot ? g_strndup (dot + 1, length - id_length - 1) : NULL;
  return TRUE;
}

static gboolean
parse_text (const char *text, gsize length, NebulaConnection *ret_connection)
{
  const char *arrow = g_strstr_len (text, (gssize) length, "->");
  const char *target;
  gsize target_length;

  if (!arrow)
    return FALSE;
  target = arrow + 2;
  target_length = length - (gsize) (target - text);
  trim (&target, &target_length);
  if (!_nebula_is_node_id (target, target_length))
    return FALSE;
  if (!_nebula_connection_parse_source (text,
                                        (gsize) (arrow - text),
                                        &ret_connection->from,
                                        &ret_connection->port))
    return FALSE;

  ret_connection->to = g_strndup (target, target_length);
  return TRUE;
}

static gboolean
parse_object (NebulaValue *value, NebulaConnection *ret_connection)
{
  NebulaValue *from = _nebula_member (value, "from", NEBULA_VALUE_KIND_STRING);
  NebulaValue *to = _nebula_member (value, "to", NEBULA_VALUE_KIND_STRING);

  if (!from || !to)
    return FALSE;
  if (!_nebula_is_node_id (nebula_value_get_string (to), nebula_value_get_string_length (to)))
    return FALSE;
  if (!_nebula_connection_parse_source (nebula_value_get_string (from),
                                        nebula_value_get_string_length (from),
                                        &ret_connection->from,
                                        &ret_connection->port))
    return FALSE;

  ret_connection->to = g_strdup (nebula_value_get_string (to));
  ret_connection->when = nebula_value_get_member (value, "when");
  ret_connection->loop = nebula_value_get_member_boolean (value, "loop", FALSE);
  ret_connection->max = nebula_value_get_member_integer (value, "max", 0);
  return TRUE;
}

gboolean
_nebula_connection_parse (NebulaValue *value, NebulaConnection *ret_connection)
{
  memset (ret_connection, 0, sizeof *ret_connection);

  switch ((guint) nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_STRING:
    return parse_text (nebula_value_get_string (value),
                       nebula_value_get_string_length (value),
                       ret_connection);
  case NEBULA_VALUE_KIND_OBJECT:
    return parse_object (value, ret_connection);
  default:
    return FALSE;
  }
}

void
_nebula_connection_clear (NebulaConnection *self)
{
  g_clear_pointer (&self->from, g_free);
  g_clear_pointer (&self->port, g_free);
  g_clear_pointer (&self->to, g_free);
  self->when = NULL;
}
