/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as JSON; what parses must be written and read again as the same value. */
#include "fuzz.h"

#include "nebula-error.h"
#include "nebula-json.h"

static void
check_value (NebulaValue *value)
{
  g_autofree char *text = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
  g_autofree char *pretty = nebula_value_to_json (value, NEBULA_JSON_FLAGS_PRETTY);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) again = nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_UNIQUE_KEYS, &error);
  g_autoptr (NebulaValue) other = NULL;

  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (value, again));
  g_assert_cmpuint (nebula_value_hash (value), ==, nebula_value_hash (again));
  other = nebula_value_parse_json (pretty, -1, NEBULA_JSON_FLAGS_NONE, &error);
  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (value, other));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value =
    nebula_value_parse_json ((const char *) data, (gssize) size, NEBULA_JSON_FLAGS_NONE, &error);

  if (value != NULL)
    check_value (value);
  else
    g_assert_true (error != NULL && error->domain == NEBULA_ERROR);
  return 0;
}
