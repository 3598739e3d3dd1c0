/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes, with the sum that they should have, as a checkpoint; what is read must be the same after it was
 * written and read again, and the kernel must be able to go on from it. */
#include "busy-workflow.h"
#include "fuzz.h"
#include "test-world.h"

#include "nebula-checkpoint-private.h"
#include "nebula-kernel-internal.h"

static gint
get_effect (NebulaPlanNode *node, const NebulaArguments *, gpointer, GError **)
{
  return nebula_action_info_get_effect (node->info);
}

static GBytes *
sum_up (const guint8 *data, gsize size)
{
  GByteArray *bytes = g_byte_array_sized_new ((guint) size + NEBULA_CHECKPOINT_SUM_BYTES);
  guint64 sum = GUINT64_TO_LE (_nebula_checkpoint_sum (data, size));

  g_byte_array_append (bytes, data, (guint) size);
  g_byte_array_append (bytes, (const guint8 *) &sum, sizeof sum);
  return g_byte_array_free_to_bytes (bytes);
}

static void
check_again (NebulaPlan *plan, NebulaState *state)
{
  g_autoptr (GBytes) bytes = nebula_state_to_checkpoint (state);
  g_autoptr (GError) error = nullptr;
  g_autoptr (NebulaState) again = nebula_state_from_checkpoint (plan, bytes, &error);
  g_autofree char *expected = nebula_state_dup_digest (state);
  g_autofree char *actual = nullptr;

  g_assert_no_error (error);
  actual = nebula_state_dup_digest (again);
  g_assert_cmpstr (actual, ==, expected);
}

static void
go_on (NebulaPlan *plan, NebulaState *state)
{
  const gint64 now = G_GINT64_CONSTANT (1700000000000000);
  NebulaKernelHost host = {get_effect, nullptr, nullptr};
  g_autoptr (NebulaKernel) kernel = nebula_kernel_new (plan, "exe", "default", &host);
  g_autoptr (NebulaValue) report = nullptr;
  g_autoptr (NebulaValue) reasons = nullptr;

  nebula_kernel_take_state (kernel, state);
  nebula_kernel_recover (kernel, now);
  nebula_kernel_turn (kernel, 200, now);
  nebula_kernel_tick (kernel, now + G_TIME_SPAN_DAY);
  nebula_kernel_turn (kernel, 200, now);
  report = nebula_kernel_report (kernel);
  reasons = nebula_kernel_explain (kernel);
  nebula_kernel_cancel (kernel, NEBULA_EXECUTION_STATUS_CANCELLED, nullptr, now);
  nebula_kernel_turn (kernel, 200, now);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static NebulaPlan *plan;
  g_autoptr (GBytes) bytes = sum_up (data, size);
  g_autoptr (GError) error = nullptr;
  NebulaState *state;

  if (!plan)
    plan = nebula::compile (nebula::new_world_resolver ().get (), nebula::busy_workflow)
               .steal ();
  state = nebula_state_from_checkpoint (plan, bytes, &error);
  g_assert_true ((state == nullptr) == (error != nullptr));
  if (!state)
    return 0;
  check_again (plan, state);
  go_on (plan, state);
  return 0;
}
