/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as YAML; what parses must be written and read again as the same value. */
#include "fuzz.h"

#include <string.h>

#include "nebula-document.h"
#include "nebula-error.h"

static void
check_document (NebulaDocument *document)
{
  NebulaValue *value = nebula_document_get_value (document);
  g_autofree char *text = nebula_value_to_yaml (value);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaDocument) again = NULL;
  guint line = 0;
  guint column = 0;

  nebula_document_locate (document, "", FALSE, &line, &column);
  again = nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_YAML, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (value, nebula_document_get_value (again)));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaDocument) document = NULL;
  guint line = 0;
  guint column = 0;

  document = nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_YAML, &line, &column, &error);
  if (document != NULL)
    check_document (document);
  else
    g_assert_true (error != NULL && error->domain == NEBULA_ERROR && line > 0 && column > 0);
  return 0;
}
