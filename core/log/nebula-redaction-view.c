/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "nebula-redaction-private.h"

/* One escape: how many bytes it takes, and the bytes that it stands for. */
typedef struct {
  gsize taken; /* 0: it is none */
  guint8 bytes[4];
  gsize length;
} Escape;

static void
take_byte (Escape *escape, gsize taken, int byte)
{
  if (byte < 0)
    return;
  escape->taken = taken;
  escape->bytes[0] = (guint8) byte;
  escape->length = 1;
}

/* -1 if there are not so many digits. */
static int
read_digits (const guint8 *at, gsize left, gsize count, int base)
{
  int number = 0;

  if (left < count)
    return -1;
  for (gsize i = 0; i < count; i++) {
    int digit = g_ascii_xdigit_value ((char) at[i]);

    if (digit < 0 || digit >= base)
      return -1;
    number = number * base + digit;
  }
  return number;
}

static void
read_percent (const guint8 *at, gsize left, Escape *escape)
{
  if (at[0] == '%')
    take_byte (escape, 3, read_digits (at + 1, left - 1, 2, 16));
}

/* \u00e9, or two of them that make one character. */
static void
read_unicode (const guint8 *at, gsize left, Escape *escape)
{
  int first = read_digits (at + 2, left - 2, 4, 16), second = -1;
  gunichar character = (gunichar) first;

  if (first < 0)
    return;
  escape->taken = 6;
  if (first >= 0xd800 && first < 0xdc00 && left >= 12 && at[6] == '\\' && at[7] == 'u')
    second = read_digits (at + 8, left - 8, 4, 16);
  if (second >= 0xdc00 && second < 0xe000) {
    escape->taken = 12;
    character = 0x10000 + (((gunichar) first - 0xd800) << 10) + ((gunichar) second - 0xdc00);
  }
  escape->length = (gsize) g_unichar_to_utf8 (character, (char *) escape->bytes);
}

static void
read_backslash (const guint8 *at, gsize left, Escape *escape)
{
  static const char letters[] = "ntrbfv0\"\\/'";
  static const char meanings[] = "\n\t\r\b\f\v\0\"\\/'";
  const char *found = NULL;

  if (at[0] != '\\' || left < 2)
    return;
  if (at[1] == 'u')
    read_unicode (at, left, escape);
  else if (at[1] == 'x')
    take_byte (escape, 4, read_digits (at + 2, left - 2, 2, 16));
  else if (at[1] >= '0' && at[1] <= '3')
    take_byte (escape, 4, read_digits (at + 1, left - 1, 3, 8));
  if (escape->taken > 0)
    return;
  found = at[1] == '\0' ? NULL : strchr (letters, at[1]);
  if (found)
    take_byte (escape, 2, (guint8) meanings[found - letters]);
}

void
_nebula_redaction_view_init (NebulaRedactionView *self, const char *text, gsize length)
{
  self->bytes = g_memdup2 (text, MAX (length, 1));
  self->places = NULL;
  self->length = length;
  for (gsize i = 0; i < length; i++)
    if (self->bytes[i] == '+')
      self->bytes[i] = ' ';
}

static guint32
get_place (const NebulaRedactionView *self, gsize at)
{
  return self->places ? self->places[at] : (guint32) at;
}

static void
put (NebulaRedactionView *view, guint8 byte, guint32 place)
{
  view->bytes[view->length] = byte == '+' ? ' ' : byte;
  view->places[view->length++] = place;
}

gboolean
_nebula_redaction_view_unescape (const NebulaRedactionView *self,
                                 NebulaUnescape kind,
                                 NebulaRedactionView *ret)
{
  NebulaRedactionView view = {0};
  gboolean is_changed = FALSE;

  if (self->length == 0
      || !memchr (self->bytes, kind == NEBULA_UNESCAPE_PERCENT ? '%' : '\\', self->length))
    return FALSE;
  view.bytes = g_malloc (self->length);
  view.places = g_new (guint32, self->length + 1);
  for (gsize at = 0; at < self->length;) {
    Escape escape = {0};

    if (kind == NEBULA_UNESCAPE_PERCENT)
      read_percent (self->bytes + at, self->length - at, &escape);
    else
      read_backslash (self->bytes + at, self->length - at, &escape);
    for (gsize i = 0; i < escape.length; i++)
      put (&view, escape.bytes[i], get_place (self, at));
    if (escape.taken == 0)
      put (&view, self->bytes[at], get_place (self, at));
    is_changed |= escape.taken > 0;
    at += MAX (escape.taken, 1);
  }
  view.places[view.length] = get_place (self, self->length);
  if (is_changed)
    *ret = view;
  else
    _nebula_redaction_view_clear (&view);
  return is_changed;
}

void
_nebula_redaction_view_clear (NebulaRedactionView *self)
{
  if (self->bytes)
    explicit_bzero (self->bytes, self->length);
  g_clear_pointer (&self->bytes, g_free);
  g_clear_pointer (&self->places, g_free);
}
