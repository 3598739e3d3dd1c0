/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as JSON; what is read must be the same after being written, compactly and prettily, and read again. */
#include "fuzz.h"

#include "nebula-json.h"

static void
check_text (NebulaValue *value, NebulaJsonFlags flags)
{
  g_autofree char *text = nebula_value_to_json (value, flags);
  g_autoptr (NebulaValue) again = nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_NONE, NULL);

  g_assert_nonnull (again);
  g_assert_true (nebula_value_equal (value, again));
  g_assert_cmpuint (nebula_value_hash (value), ==, nebula_value_hash (again));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value
    = nebula_value_parse_json ((const char *) data, (gssize) size, NEBULA_JSON_FLAGS_NONE, &error);
  g_autoptr (NebulaValue) strict
    = nebula_value_parse_json ((const char *) data, (gssize) size, NEBULA_JSON_FLAGS_LIMITED, NULL);

  g_assert_true ((value == NULL) == (error != NULL));
  if (!value) {
    g_assert_null (strict);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    return 0;
  }
  g_assert_cmpuint (nebula_value_get_depth (value), <=, 128);
  check_text (value, NEBULA_JSON_FLAGS_NONE);
  check_text (value, NEBULA_JSON_FLAGS_PRETTY);
  if (strict)
    g_assert_true (nebula_value_equal (value, strict));
  return 0;
}
