/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as a value and as an event; what was read is written and read to the same again. */
#include "fuzz.h"

#include "nebula-event.h"
#include "nebula-protobuf.h"

static void
check_value (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = nebula_value_from_protobuf (bytes, &error);
  g_autoptr (NebulaValue) again = NULL;
  g_autoptr (GBytes) written = NULL;

  g_assert_true ((value != NULL) == (error == NULL));
  if (!value)
    return;
  written = nebula_value_to_protobuf (value, &error);
  /* An array around no item is one deeper for values than for messages. */
  if (!written)
    return;
  again = nebula_value_from_protobuf (written, &error);
  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (value, again));
}

static void
check_event (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaEvent) event = nebula_event_from_protobuf (bytes, &error);
  g_autoptr (NebulaEvent) again = NULL;
  g_autoptr (GBytes) written = NULL;

  g_assert_true ((event != NULL) == (error == NULL));
  if (!event)
    return;
  written = nebula_event_to_protobuf (event, &error);
  if (!written)
    return;
  again = nebula_event_from_protobuf (written, &error);
  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (nebula_event_get_data (event), nebula_event_get_data (again)));
  g_assert_cmpstr (nebula_event_get_node (event), ==, nebula_event_get_node (again));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  check_value (bytes);
  check_event (bytes);
  return 0;
}
