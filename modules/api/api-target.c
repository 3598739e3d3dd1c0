/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Targets of requests: never normalised, so that one can never become another. */

#include <string.h>

#include "api-head.h"

static int
read_hex (const char *text)
{
  int high = g_ascii_xdigit_value (text[0]);
  int low = high < 0 ? -1 : g_ascii_xdigit_value (text[1]);

  return low < 0 ? -1 : high * 16 + low;
}

static gboolean
is_control (int byte)
{
  return byte < 0x20 || byte == 0x7f;
}

char *
api_target_decode (const char *text, gssize length, gboolean is_query)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  g_autoptr (GString) out = g_string_sized_new (size);

  for (gsize i = 0; i < size; i++) {
    int byte = (guchar) text[i];

    if (byte == '+' && is_query)
      byte = ' ';
    if (byte == '%') {
      byte = i + 2 < size ? read_hex (text + i + 1) : -1;
      i += 2;
    }
    if (byte < 0 || is_control (byte))
      return NULL;
    g_string_append_c (out, (char) byte);
  }
  if (!g_utf8_validate (out->str, (gssize) out->len, NULL))
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* A part between two slashes. */
static gboolean
check_segment (const char *text, gsize length, gboolean is_last)
{
  g_autofree char *decoded = NULL;

  if (length == 0)
    return is_last;
  decoded = api_target_decode (text, (gssize) length, FALSE);
  return decoded && !strpbrk (decoded, "/\\") && !g_str_equal (decoded, ".") &&
         !g_str_equal (decoded, "..");
}

static gboolean
check_path (const char *path, gsize length)
{
  const char *end = path + length;
  const char *segment = path + 1;

  if (length == 0 || path[0] != '/')
    return FALSE;
  for (;;) {
    const char *slash = memchr (segment, '/', (gsize) (end - segment));
    const char *stop = slash ? slash : end;

    if (!check_segment (segment, (gsize) (stop - segment), !slash))
      return FALSE;
    if (!slash)
      return TRUE;
    segment = slash + 1;
  }
}

gboolean
api_target_check (const char *target)
{
  const char *query = strchr (target, '?');
  gsize length = query ? (gsize) (query - target) : strlen (target);
  g_autofree char *decoded = NULL;

  for (const char *each = target; *each; each++)
    if (!g_ascii_isgraph (*each) || strchr ("\"<>\\^`{|}#", *each))
      return FALSE;
  if (!check_path (target, length))
    return FALSE;
  decoded = query ? api_target_decode (query + 1, -1, TRUE) : NULL;
  return !query || decoded;
}
