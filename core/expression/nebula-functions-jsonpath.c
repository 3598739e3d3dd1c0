/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSONPath queries; each value that a query looks at burns a step of the evaluation. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"
#include "nebula-jsonpath-internal.h"

/* The path that was parsed with the program, or parsed now; owned by the caller. */
static NebulaJsonpath *
ref_path (NebulaVm *vm, const NebulaCell *cell)
{
  GPtrArray *known = vm->program->paths;
  g_autoptr (GError) error = NULL;
  NebulaJsonpath *path;
  gsize length;
  const char *text = _nebula_cell_get_string (cell, &length);

  if (strlen (text) != length) {
    _nebula_vm_fail (vm, NEBULA_ERROR_SYNTAX, NULL, "%s",
                     _ ("A JSONPath cannot hold the character U+0000"));
    return NULL;
  }
  for (guint i = 0; known != NULL && i < known->len; i++)
    if (strcmp (nebula_jsonpath_get_text (g_ptr_array_index (known, i)), text) == 0)
      return nebula_jsonpath_ref (g_ptr_array_index (known, i));
  if (!_nebula_vm_burn (vm, 50 + length))
    return NULL;
  path = nebula_jsonpath_new (text, &error);
  if (path == NULL)
    _nebula_vm_fail (vm, (NebulaError) error->code, NULL, "%s", error->message);
  return path;
}

static gboolean
call_jsonpath (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (NebulaJsonpath) path = ref_path (vm, &arguments[1]);
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GError) error = NULL;
  NebulaValue *found;
  gsize steps = MIN (_nebula_vm_get_fuel (vm), NEBULA_LIMIT_JSONPATH_STEPS);
  gsize left = steps;

  if (path == NULL)
    return FALSE;
  value = _nebula_cell_ref_value (&arguments[0]);
  found = _nebula_jsonpath_query (path, value, &left, &error);
  if (found == NULL)
    return _nebula_vm_fail (vm, (NebulaError) error->code, NULL, "%s", error->message);
  if (!_nebula_vm_burn (vm, steps - left)) {
    nebula_value_unref (found);
    return FALSE;
  }
  return _nebula_vm_give (vm, found, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_jsonpath[] = {
  { "jsonpath", "json_path", "vp", "a", "value, path", N_("an array of the parts that a JSONPath (RFC 9535) finds"), call_jsonpath, 2, 2 },
  { NULL },
};
/* clang-format on */
