/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as a catalogue of translations and looks things up in it. */
#include "fuzz.h"

#include "nebula-catalog.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (NebulaCatalog) catalog = nebula_catalog_new (NULL, "fuzz");
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  gboolean is_added = nebula_catalog_add (catalog, "de", bytes, &error);

  g_assert_true (is_added == (error == NULL));
  for (gulong number = 0; number < 130; number++) {
    const char *text = nebula_catalog_translate_plural (catalog, "de", "%d file", "%d files", number);

    g_assert_true (g_utf8_validate (text, -1, NULL));
  }
  g_assert_true (g_utf8_validate (nebula_catalog_translate (catalog, "de", "Yes %s"), -1, NULL));
  return 0;
}
