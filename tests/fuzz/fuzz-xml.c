/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as the XML of the module `data`; what was read is written and read again. */
#include "fuzz.h"

#include "data.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = g_strndup ((const char *) data, size); /* with a 0 behind it, as texts of values have */
  g_autoptr (NebulaValue) value = nebula_data_xml_read (copy, size, &error);
  g_autoptr (NebulaValue) again = NULL;
  g_autofree char *text = NULL;

  g_assert_true ((value != NULL) == (error == NULL));
  if (!value)
    return 0;
  text = nebula_data_xml_write (value, FALSE, &error);
  if (!text)
    return 0;
  again = nebula_data_xml_read (text, strlen (text), NULL);
  return 0;
}
