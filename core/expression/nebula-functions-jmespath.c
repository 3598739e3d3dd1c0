/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JMESPath queries; each part that a query looks at burns a step of the evaluation. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-jmespath-private.h"

/* The query that was parsed with the program, or parsed now; owned by the caller. */
static NebulaJmespath *
ref_query (NebulaVm *vm, const NebulaCell *cell)
{
  GPtrArray *known = vm->program->queries;
  g_autoptr (GError) error = NULL;
  NebulaJmespath *query;
  gsize length;
  const char *text = _nebula_cell_get_string (cell, &length);

  if (strlen (text) != length) {
    _nebula_vm_fail (vm, NEBULA_ERROR_SYNTAX, NULL,
                     _ ("A JMESPath query cannot hold the character U+0000"));
    return NULL;
  }
  for (guint i = 0; known != NULL && i < known->len; i++) {
    query = g_ptr_array_index (known, i);
    if (strcmp (query->text, text) == 0)
      return _nebula_jmespath_ref (query);
  }
  if (!_nebula_vm_burn (vm, 50 + length))
    return NULL;
  query = _nebula_jmespath_new (text, &error);
  if (query == NULL)
    _nebula_vm_fail (vm, (NebulaError) error->code, NULL, "%s", error->message);
  return query;
}

static gboolean
call_jmespath (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (NebulaJmespath) query = ref_query (vm, &arguments[1]);
  g_autoptr (NebulaValue) value = NULL;
  NebulaValue *found;

  if (query == NULL)
    return FALSE;
  value = _nebula_cell_ref_value (&arguments[0]);
  found = _nebula_jmespath_run (vm, query->root, value);
  return found != NULL && _nebula_vm_give (vm, found, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_jmespath[] = {
  { "jmespath", "jmes_path search", "vq", "v", "value, query", N_("what a JMESPath query finds"), call_jmespath, 2, 2 },
  { NULL },
};
/* clang-format on */
