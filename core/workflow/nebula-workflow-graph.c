/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of a workflow: DOT for Graphviz and Mermaid. Bodies are boxes inside the picture. */
#include <string.h>

#include "nebula-workflow-private.h"

typedef struct
{
  GString *text;
  guint n_scopes; /* to number the boxes */
  gboolean is_mermaid;
} NebulaPicture;

static void
indent (NebulaPicture *self, guint depth)
{
  for (guint i = 0; i < depth; i++)
    g_string_append (self->text, "  ");
}

static void
append_dot_text (GString *text, const char *content)
{
  g_string_append_c (text, '"');
  for (; *content; content++) {
    if (*content == '"' || *content == '\\')
      g_string_append_c (text, '\\');
    if (*content == '\n')
      g_string_append (text, "\\n");
    else
      g_string_append_c (text, *content);
  }
  g_string_append_c (text, '"');
}

static void
append_mermaid_text (GString *text, const char *content)
{
  g_string_append_c (text, '"');
  for (; *content; content++) {
    if (*content == '"')
      g_string_append (text, "#quot;");
    else if (*content == '#')
      g_string_append (text, "#35;");
    else if (*content == '<')
      g_string_append (text, "#lt;");
    else if (*content == '>')
      g_string_append (text, "#gt;");
    else if (*content == '\n')
      g_string_append (text, "<br/>");
    else
      g_string_append_c (text, *content);
  }
  g_string_append_c (text, '"');
}

static void
append_text (NebulaPicture *self, const char *content)
{
  if (self->is_mermaid)
    append_mermaid_text (self->text, content);
  else
    append_dot_text (self->text, content);
}

/* Ids are unique within a scope only, and some are words of the language: each gets the number of its scope. */
static void
append_name (NebulaPicture *self, guint scope, const char *id)
{
  if (self->is_mermaid)
    g_string_append_printf (self->text, "n%u_%s", scope, id);
  else
    g_string_append_printf (self->text, "\"%u.%s\"", scope, id);
}

static void
draw_node (NebulaPicture *self, guint scope, guint depth, const char *id, NebulaValue *node)
{
  const char *title = _nebula_member_text (node, "title");
  const char *action = _nebula_member_text (node, "action");
  g_autofree char *label = NULL;

  label = g_strdup_printf ("%s\n%s", title && *title ? title : id, action ? action : "?");
  indent (self, depth);
  append_name (self, scope, id);
  g_string_append (self->text, self->is_mermaid ? "[" : " [label=");
  append_text (self, label);
  g_string_append (self->text, self->is_mermaid ? "]\n" : "];\n");
}

/* What a connection is labelled with: its port, else its condition; NULL: nothing. */
static const char *
get_label (const NebulaConnection *connection)
{
  if (connection->port)
    return connection->port;
  return connection->when && nebula_value_get_kind (connection->when) == NEBULA_VALUE_KIND_STRING
             ? nebula_value_get_string (connection->when)
             : NULL;
}

static void
draw_edge (NebulaPicture *self, guint scope, guint depth, const NebulaConnection *connection)
{
  const char *label = get_label (connection);

  indent (self, depth);
  append_name (self, scope, connection->from);
  if (self->is_mermaid) {
    g_string_append (self->text, connection->loop ? " -.->" : " -->");
    if (label) {
      g_string_append_c (self->text, '|');
      append_text (self, label);
      g_string_append_c (self->text, '|');
    }
    g_string_append_c (self->text, ' ');
    append_name (self, scope, connection->to);
    g_string_append_c (self->text, '\n');
    return;
  }

  g_string_append (self->text, " -> ");
  append_name (self, scope, connection->to);
  if (label) {
    g_string_append (self->text, " [label=");
    append_text (self, label);
    g_string_append (self->text, connection->loop ? ", style=dashed]" : "]");
  } else if (connection->loop)
    g_string_append (self->text, " [style=dashed]");
  g_string_append (self->text, ";\n");
}

static void draw_scope (NebulaPicture *self, NebulaValue *value, guint scope, guint depth);

/* One body of a node as a box; @part tells it from the others. */
static void
draw_box (NebulaPicture *self, guint scope, guint depth, const char *id, const char *part, NebulaValue *body)
{
  g_autofree char *label = part ? g_strdup_printf ("%s.%s", id, part) : g_strdup (id);
  guint inner = ++self->n_scopes;

  indent (self, depth);
  if (self->is_mermaid) {
    g_string_append_printf (self->text, "subgraph s%u[", inner);
    append_text (self, label);
    g_string_append (self->text, "]\n");
  } else {
    g_string_append_printf (self->text, "subgraph cluster_%u {\n", inner);
    indent (self, depth + 1);
    g_string_append (self->text, "label=");
    append_text (self, label);
    g_string_append (self->text, ";\n");
  }
  draw_scope (self, body, inner, depth + 1);
  indent (self, depth);
  g_string_append (self->text, self->is_mermaid ? "end\n" : "}\n");

  indent (self, depth);
  append_name (self, scope, id);
  if (self->is_mermaid)
    g_string_append_printf (self->text, " -.- s%u\n", inner);
  else
    g_string_append_printf (self->text, " -> \"%u.\" [style=dotted, arrowhead=none];\n", inner);
}

static void
draw_bodies (NebulaPicture *self, guint scope, guint depth, const char *id, NebulaValue *node)
{
  static const char *const parts[] = { "body", "catch", "finally" };
  NebulaValue *bodies = _nebula_member (node, "bodies", NEBULA_VALUE_KIND_OBJECT);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    NebulaValue *body = _nebula_member (node, parts[i], NEBULA_VALUE_KIND_OBJECT);

    if (body)
      draw_box (self, scope, depth, id, i > 0 ? parts[i] : NULL, body);
  }
  for (gsize i = 0; bodies && i < nebula_value_get_length (bodies); i++)
    draw_box (self,
              scope,
              depth,
              id,
              nebula_value_get_key (bodies, i, NULL),
              nebula_value_get_member_at (bodies, i));
}

static void
draw_after (NebulaPicture *self, guint scope, guint depth, const char *id, NebulaValue *node)
{
  NebulaValue *after = _nebula_member (node, "after", NEBULA_VALUE_KIND_ARRAY);

  for (gsize i = 0; after && i < nebula_value_get_length (after); i++) {
    NebulaValue *item = nebula_value_get_item (after, i);
    g_auto (NebulaConnection) connection = { 0 };

    if (nebula_value_get_kind (item) != NEBULA_VALUE_KIND_STRING
        || !_nebula_connection_parse_source (nebula_value_get_string (item),
                                             nebula_value_get_string_length (item),
                                             &connection.from,
                                             &connection.port))
      continue;
    connection.to = g_strdup (id);
    draw_edge (self, scope, depth, &connection);
  }
}

/* Depth is bounded by that of a value. */
static void
draw_scope (NebulaPicture *self, NebulaValue *value, guint scope, guint depth)
{
  NebulaValue *nodes = _nebula_member (value, "nodes", NEBULA_VALUE_KIND_OBJECT);
  NebulaValue *list = _nebula_member (value, "connections", NEBULA_VALUE_KIND_ARRAY);
  gsize n_nodes = nodes ? nebula_value_get_length (nodes) : 0;

  if (!self->is_mermaid && scope > 0) {
    /* An invisible point, so that the loop can be tied to its box. */
    indent (self, depth);
    g_string_append_printf (self->text, "\"%u.\" [shape=point];\n", scope);
  }
  for (gsize i = 0; i < n_nodes; i++)
    draw_node (self, scope, depth, nebula_value_get_key (nodes, i, NULL), nebula_value_get_member_at (nodes, i));
  for (gsize i = 0; i < n_nodes; i++)
    draw_bodies (self, scope, depth, nebula_value_get_key (nodes, i, NULL), nebula_value_get_member_at (nodes, i));
  for (gsize i = 0; list && i < nebula_value_get_length (list); i++) {
    g_auto (NebulaConnection) connection = { 0 };

    if (_nebula_connection_parse (nebula_value_get_item (list, i), &connection))
      draw_edge (self, scope, depth, &connection);
  }
  for (gsize i = 0; i < n_nodes; i++)
    draw_after (self, scope, depth, nebula_value_get_key (nodes, i, NULL), nebula_value_get_member_at (nodes, i));
}

/**
 * nebula_workflow_to_dot:
 * @self: a workflow
 *
 * Draws the workflow in the language of Graphviz.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_workflow_to_dot (NebulaWorkflow *self)
{
  NebulaPicture picture = { NULL, 0, FALSE };

  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  picture.text = g_string_new ("digraph ");
  append_text (&picture, nebula_workflow_get_name (self));
  g_string_append (picture.text, " {\n  node [shape=box, style=rounded];\n");
  draw_scope (&picture, nebula_workflow_get_definition (self), 0, 1);
  g_string_append (picture.text, "}\n");
  return g_string_free (picture.text, FALSE);
}

/**
 * nebula_workflow_to_mermaid:
 * @self: a workflow
 *
 * Draws the workflow as a Mermaid flowchart.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_workflow_to_mermaid (NebulaWorkflow *self)
{
  NebulaPicture picture = { NULL, 0, TRUE };

  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  picture.text = g_string_new ("flowchart TD\n");
  draw_scope (&picture, nebula_workflow_get_definition (self), 0, 1);
  return g_string_free (picture.text, FALSE);
}
