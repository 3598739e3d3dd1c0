/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Applies any JSON as a patch: [value, patch]. What comes out can be found again as a difference, as JSON Patch and as
 * merge patch.
 */
#include "fuzz.h"

#include "nebula-json.h"
#include "nebula-patch.h"

static void
check_difference (NebulaValue *from, NebulaValue *to)
{
  g_autoptr (NebulaValue) patch = nebula_value_diff (from, to);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) result = nebula_value_apply_patch (from, patch, &error);

  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (result, to));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (NebulaValue) pair = nebula_value_parse_json (
      (const char *) data, (gssize) size, NEBULA_JSON_FLAGS_LIMITED, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) patched = NULL;
  g_autoptr (NebulaValue) merged = NULL;
  NebulaValue *value, *patch;

  if (!pair || nebula_value_get_kind (pair) != NEBULA_VALUE_KIND_ARRAY ||
      nebula_value_get_length (pair) != 2)
    return 0;
  value = nebula_value_get_item (pair, 0);
  patch = nebula_value_get_item (pair, 1);
  patched = nebula_value_apply_patch (value, patch, &error);
  g_assert_true ((patched != NULL) == (error == NULL));
  if (patched)
    check_difference (value, patched);
  merged = nebula_value_apply_merge_patch (value, patch);
  if (size < 4096)
    check_difference (value, merged);
  for (guint flags = 0; flags < 32; flags++) {
    g_autoptr (NebulaValue) both =
        nebula_value_merge (value, patch, (NebulaMergeFlags) flags);

    g_assert_nonnull (both);
  }
  return 0;
}
