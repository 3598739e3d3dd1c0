/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives any bytes to the intake of the API's guard, whole and byte by byte: both must let the same through, and what is let
 * through must be taken once more, unchanged. */
#include "fuzz.h"

#include <string.h>

#include "api-intake.h"

#define LIMIT 4096

static guint
admit (const ApiHead *head, gint64 *ret_limit, gpointer user_data)
{
  g_assert_true (api_target_check (head->target) || g_str_equal (head->target, "*"));
  g_assert_cmpuint (head->fields->len, <=, API_HEAD_FIELDS);
  *ret_limit = LIMIT;
  return 0;
}

static guint
run (const guint8 *data, gsize size, gsize step, GByteArray *out)
{
  g_autoptr (ApiIntake) intake = api_intake_new (admit, NULL);

  for (gsize i = 0; i < size; i += step) {
    guint before;

    api_intake_push (intake, data + i, MIN (step, size - i));
    do {
      before = out->len;
      api_intake_pull (intake, out);
    } while (out->len > before);
  }
  return api_intake_get_state (intake) == API_INTAKE_BAD ? 1 + api_intake_get_status (intake) : 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  g_autoptr (GByteArray) pieces = g_byte_array_new ();
  g_autoptr (GByteArray) again = g_byte_array_new ();

  /* What comes at once may be cut off for its depth of pipelining, so the pieces may hold more. */
  run (data, size, MAX (size, 1), whole);
  run (data, size, 1, pieces);
  g_assert_cmpuint (whole->len, <=, pieces->len);
  g_assert_true (whole->len == 0 || memcmp (whole->data, pieces->data, whole->len) == 0);
  run (pieces->data, pieces->len, 1, again);
  g_assert_cmpuint (again->len, ==, pieces->len);
  g_assert_true (again->len == 0 || memcmp (again->data, pieces->data, again->len) == 0);
  return 0;
}
