/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The figures as a table for people, and the machine that they were taken on. */

#include <gio/gunixmounts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nebula-bench-private.h"

#define WHAT_WIDTH 46

static char *
read_processor (void)
{
  g_autofree char *text = NULL;
  const char *place;

  if (!g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL))
    return NULL;
  place = strstr (text, "model name");
  place = place ? strchr (place, ':') : NULL;
  return place ? g_strstrip (g_strndup (place + 1, strcspn (place + 1, "\n"))) : NULL;
}

static gint64
get_memory_mib (void)
{
  return (gint64) sysconf (_SC_PHYS_PAGES) * sysconf (_SC_PAGESIZE) / (1024 * 1024);
}

NebulaValue *
nebula_bench_get_machine (const char *folder)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  GUnixMountEntry *mount = g_unix_mount_for (folder, NULL);
  const char *file_system = mount ? g_unix_mount_get_fs_type (mount) : "unknown";
  g_autofree char *processor = read_processor ();
  g_autofree char *kernel = NULL;
  struct utsname name;
  double load;

  if (uname (&name) == 0)
    kernel = g_strdup_printf ("%s %s %s", name.sysname, name.release, name.machine);
  nebula_value_builder_set_integer (builder, "cores", g_get_num_processors ());
  nebula_value_builder_set_string (builder, "processor", processor);
  nebula_value_builder_set_integer (builder, "memory_mib", get_memory_mib ());
  nebula_value_builder_set_string (builder, "kernel", kernel);
  nebula_value_builder_set_string (builder, "file_system", file_system);
  nebula_value_builder_set_boolean (builder, "is_durable",
                                    !g_str_equal (file_system, "tmpfs") &&
                                        !g_str_equal (file_system, "ramfs"));
  nebula_value_builder_set_string (builder, "durability", "strict");
  if (getloadavg (&load, 1) == 1)
    nebula_value_builder_set_take (builder, "load", nebula_value_new_float (load));
  g_clear_pointer (&mount, g_unix_mount_free);
  return nebula_value_builder_end (builder);
}

/* 1,234,567 · 1,234 · 45.6 · 7.89 */
static char *
format_number (double number)
{
  g_autofree char *digits = NULL;
  GString *text;
  gsize length;

  if (number < 1000)
    return g_strdup_printf ("%.*f", number < 10 ? 2 : 1, number);
  digits = g_strdup_printf ("%.0f", number);
  length = strlen (digits);
  text = g_string_new (NULL);
  for (gsize i = 0; i < length; i++) {
    if (i > 0 && (length - i) % 3 == 0)
      g_string_append_c (text, ',');
    g_string_append_c (text, digits[i]);
  }
  return g_string_free (text, FALSE);
}

static char *
format_member (NebulaValue *figure, const char *key)
{
  NebulaValue *value = nebula_value_get_member (figure, key);

  return value ? format_number (nebula_value_get_float (value)) : g_strdup ("–");
}

static void
append_padded (GString *text, const char *part, glong width, gboolean is_right)
{
  glong missing = width - g_utf8_strlen (part, -1);

  for (glong i = 0; is_right && i < missing; i++)
    g_string_append_c (text, ' ');
  g_string_append (text, part);
  for (glong i = 0; !is_right && i < missing; i++)
    g_string_append_c (text, ' ');
  g_string_append_c (text, ' ');
}

static void
append_row (GString *text, const char *const *cells)
{
  static const int widths[] = {WHAT_WIDTH, -10, -11, -11, -7, 17, 4};
  gsize length;

  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    append_padded (text, cells[i], ABS (widths[i]), widths[i] < 0);
  length = text->len;
  while (length > 0 && text->str[length - 1] == ' ')
    length--;
  g_string_truncate (text, length);
  g_string_append_c (text, '\n');
}

static void
append_figure (GString *text, NebulaValue *figure)
{
  const char *note = nebula_value_get_member_string (figure, "note", NULL);
  g_autofree char *what =
      g_strdup_printf ("  %s", nebula_value_get_member_string (figure, "what", ""));
  g_autofree char *ours = format_member (figure, "ours");
  g_autofree char *floor = format_member (figure, "floor");
  g_autofree char *ratio = format_member (figure, "ratio");
  const char *cells[] = {
      what,
      nebula_value_get_member_string (figure, "unit", ""),
      ours,
      floor,
      ratio,
      nebula_value_get_member_string (figure, "target", ""),
      nebula_value_get_member_string (figure, "verdict", ""),
  };

  append_row (text, cells);
  if (note)
    g_string_append_printf (text, "      %s\n", note);
}

static void
append_machine (GString *text, NebulaValue *machine)
{
  gboolean is_durable = nebula_value_get_member_boolean (machine, "is_durable", TRUE);
  NebulaValue *load_value = nebula_value_get_member (machine, "load");
  double load = load_value ? nebula_value_get_float (load_value) : 0;

  g_string_append_printf (
      text, "%" G_GINT64_FORMAT " cores · %s · %" G_GINT64_FORMAT " MiB · %s · %s · %s\n",
      nebula_value_get_member_integer (machine, "cores", 0),
      nebula_value_get_member_string (machine, "processor", "?"),
      nebula_value_get_member_integer (machine, "memory_mib", 0),
      nebula_value_get_member_string (machine, "kernel", "?"),
      nebula_value_get_member_string (machine, "file_system", "?"),
      nebula_value_get_member_string (machine, "durability", "?"));
  if (load > nebula_value_get_member_integer (machine, "cores", 1) * 0.5)
    g_string_append_printf (
        text,
        "The machine is busy (load %.1f): the figures are worse than they"
        " should be.\n",
        load);
  if (!is_durable)
    g_string_append (text,
                     "The data lie in memory: a sync costs nothing here, and figures of"
                     " durable work mean nothing. Use --data-dir.\n");
}

void
nebula_bench_append_table (GString *text, NebulaValue *machine, GPtrArray *figures)
{
  const char *head[] = {"what", "unit", "ours", "floor", "ratio", "target", ""};
  const char *last = "";

  append_machine (text, machine);
  g_string_append_c (text, '\n');
  append_row (text, head);
  for (guint i = 0; i < figures->len; i++) {
    const char *suite = nebula_value_get_member_string (figures->pdata[i], "suite", "");

    if (!g_str_equal (suite, last))
      g_string_append_printf (text, "%s\n", suite);
    last = suite;
    append_figure (text, figures->pdata[i]);
  }
}
