/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Paths are compared segment by segment, as they came: nothing is normalised, no case is folded and no slash at the end is
 * forgiven. A literal segment wins over one in braces.
 */

#include <string.h>

#include "api-private.h"

typedef struct _Node Node;
struct _Node {
  GHashTable *children; /* literal segment → Node */
  Node *any;            /* {name}; NULL: none */
  GPtrArray *routes;    /* ApiRoute, borrowed */
};

struct _ApiRouter {
  Node *root;
};

static void
node_free (gpointer data)
{
  Node *self = data;

  g_hash_table_unref (self->children);
  g_clear_pointer (&self->any, node_free);
  g_ptr_array_unref (self->routes);
  g_free (self);
}

static Node *
node_new (void)
{
  Node *self = g_new0 (Node, 1);

  self->children = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, node_free);
  self->routes = g_ptr_array_new ();
  return self;
}

static Node *
descend (Node *self, const char *segment)
{
  Node *child;

  if (segment[0] == '{') {
    if (!self->any)
      self->any = node_new ();
    return self->any;
  }
  child = g_hash_table_lookup (self->children, segment);
  if (!child) {
    child = node_new ();
    g_hash_table_insert (self->children, g_strdup (segment), child);
  }
  return child;
}

ApiRouter *
api_router_new (const ApiRoute *routes, guint n_routes)
{
  ApiRouter *self = g_new0 (ApiRouter, 1);

  self->root = node_new ();
  for (guint i = 0; i < n_routes; i++) {
    g_auto (GStrv) segments = g_strsplit (routes[i].path + 1, "/", -1);
    Node *node = self->root;

    for (guint j = 0; segments[j]; j++)
      node = descend (node, segments[j]);
    g_ptr_array_add (node->routes, (gpointer) &routes[i]);
  }
  return self;
}

void
api_router_free (ApiRouter *self)
{
  node_free (self->root);
  g_free (self);
}

static Node *
walk (Node *node, char **segments, char **ret_parameters, guint n_parameters)
{
  Node *literal, *found;

  if (!*segments)
    return node->routes->len > 0 ? node : NULL;
  literal = g_hash_table_lookup (node->children, *segments);
  found = literal ? walk (literal, segments + 1, ret_parameters, n_parameters) : NULL;
  if (found || !node->any || !**segments || n_parameters == API_PARAMETERS_MOST)
    return found;
  g_free (ret_parameters[n_parameters]);
  ret_parameters[n_parameters] = api_target_decode (*segments, -1, FALSE);
  return ret_parameters[n_parameters]
             ? walk (node->any, segments + 1, ret_parameters, n_parameters + 1)
             : NULL;
}

static char *
list_methods (Node *node)
{
  g_autoptr (GString) text = g_string_new ("OPTIONS");

  for (guint i = 0; i < node->routes->len; i++) {
    const ApiRoute *route = node->routes->pdata[i];

    g_string_append_printf (text, ", %s", route->method);
    if (g_str_equal (route->method, "GET"))
      g_string_append (text, ", HEAD");
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

const ApiRoute *
api_router_find (ApiRouter *self,
                 const char *method,
                 const char *path,
                 char **ret_parameters,
                 char **ret_allow)
{
  g_auto (GStrv) segments = g_strsplit (path[0] == '/' ? path + 1 : path, "/", -1);
  const char *wanted = g_str_equal (method, "HEAD") ? "GET" : method;
  Node *node = walk (self->root, segments, ret_parameters, 0);

  *ret_allow = NULL;
  if (!node)
    return NULL;
  for (guint i = 0; i < node->routes->len; i++) {
    const ApiRoute *route = node->routes->pdata[i];

    if (g_str_equal (route->method, wanted))
      return route;
  }
  *ret_allow = list_methods (node);
  return NULL;
}
