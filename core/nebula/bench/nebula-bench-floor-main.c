/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula-bench-floor PATH: the smallest program on GLib and SQLite that commits one row and says so. */

#include <gio/gio.h>

#include "nebula-bench-floor-private.h"

int
main (int argc, char **argv)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (NebulaBenchFloor) floor = NULL;
  g_autoptr (GError) error = NULL;

  if (argc != 2)
    return 2;
  g_type_ensure (G_TYPE_CANCELLABLE);
  g_main_context_iteration (context, FALSE);
  floor = nebula_bench_floor_open (argv[1], FALSE, &error);
  if (!floor || !nebula_bench_floor_commit (floor, 1, &error)) {
    g_printerr ("nebula-bench-floor: %s\n", error->message);
    return 4;
  }
  g_print ("done\n");
  return 0;
}
