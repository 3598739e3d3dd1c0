/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as a document; what is read must be the same after being written as YAML and read again. */
#include "fuzz.h"

#include <string.h>

#include "nebula-document.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GBytes) written = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaDocument) again = NULL;
  g_autoptr (NebulaDocument) document = NULL;
  g_autofree char *text = NULL;
  guint line = 0, column = 0;

  document = nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_AUTO, &line, &column, &error);
  if (!document) {
    g_assert_cmpuint (line, >, 0);
    g_assert_cmpuint (column, >, 0);
    return 0;
  }
  nebula_document_locate (document, "/0/a/~1/1", TRUE, &line, &column);
  g_assert_cmpuint (line, >, 0);
  if (nebula_value_get_size_bytes (nebula_document_get_value (document)) > (1 << 20))
    return 0;
  text = nebula_value_to_yaml (nebula_document_get_value (document));
  written = g_bytes_new_static (text, strlen (text));
  again = nebula_document_parse (written, NEBULA_DOCUMENT_FORMAT_YAML, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (nebula_document_get_value (document), nebula_document_get_value (again)));
  return 0;
}
