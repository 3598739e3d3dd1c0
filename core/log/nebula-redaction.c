/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets in a text, in whatever form they stand there.
 *
 * A secret is searched as the bytes that it is, as base64 and base64url at each of the three places that it may have
 * inside a longer text that was encoded with it, and as hexadecimal digits; a secret of several lines by each line, too.
 * The text is searched as it stands, and again with its percent and backslash escapes undone, alone and one after the
 * other, up to three times: so what was escaped twice is found as well.
 *
 * All patterns lie in one hash table by their first four bytes, so a search is linear in the text, whatever the number of
 * secrets.
 */
#include <string.h>

#include "nebula-redaction-private.h"

#define KEY_BYTES NEBULA_SECRET_BYTES_MIN
#define DEPTH_MAX 3
#define LINE_BYTES_MIN 8
#define NONE G_MAXUINT32

typedef struct {
  guint8 *bytes;
  gsize length;
  guint32 key;
  guint32 next;
  gboolean is_open_left, is_open_right; /* base64: the neighbour holds bits of the secret */
} Pattern;

struct _NebulaRedaction {
  gatomicrefcount count;
  GArray *patterns;
  guint32 *heads;
  guint32 mask;
};

/* Where a secret stands in the original. */
typedef struct {
  gsize start, end;
} Hit;

static guint32
make_key (const guint8 *bytes)
{
  return (guint32) bytes[0] << 24 | (guint32) bytes[1] << 16 | (guint32) bytes[2] << 8 | bytes[3];
}

static guint32
find_slot (const NebulaRedaction *self, guint32 key)
{
  return (guint32) ((key * 0x9e3779b97f4a7c15u) >> 32) & self->mask;
}

static void
pattern_clear (gpointer data)
{
  Pattern *self = data;

  explicit_bzero (self->bytes, self->length);
  g_free (self->bytes);
}

static Pattern *
add_pattern (NebulaRedaction *self, const void *bytes, gsize length)
{
  Pattern pattern = {.length = length};

  if (length < KEY_BYTES)
    return NULL;
  pattern.bytes = g_memdup2 (bytes, length);
  for (gsize i = 0; i < length; i++)
    if (pattern.bytes[i] == '+')
      pattern.bytes[i] = ' ';
  pattern.key = make_key (pattern.bytes);
  g_array_append_val (self->patterns, pattern);
  return &g_array_index (self->patterns, Pattern, self->patterns->len - 1);
}

static void
add_hexadecimal (NebulaRedaction *self, const guint8 *secret, gsize length, const char *digits)
{
  g_autofree char *text = g_malloc (2 * length);

  for (gsize i = 0; i < length; i++) {
    text[2 * i] = digits[secret[i] >> 4];
    text[2 * i + 1] = digits[secret[i] & 15];
  }
  add_pattern (self, text, 2 * length);
  explicit_bzero (text, 2 * length);
}

/* With @before bytes in front of it: only the characters that the secret alone decides. */
static void
add_base64 (NebulaRedaction *self, const guint8 *secret, gsize length, gsize before)
{
  g_autofree guint8 *input = g_malloc0 (before + length);
  g_autofree char *text = NULL;
  gsize start = (before * 8 + 5) / 6, end = (before + length) * 8 / 6, total = 0;

  for (gsize i = 0; i < length; i++)
    input[before + i] = secret[i];
  text = g_base64_encode (input, before + length);
  total = strlen (text);
  for (guint round = 0; round < 2; round++) {
    Pattern *pattern = add_pattern (self, text + start, end - start);

    if (pattern) {
      pattern->is_open_left = before > 0;
      pattern->is_open_right = (before + length) % 3 != 0;
    }
    g_strdelimit (g_strdelimit (text, "+", '-'), "/", '_');
  }
  explicit_bzero (input, before + length);
  explicit_bzero (text, total);
}

static void
add_forms (NebulaRedaction *self, const guint8 *secret, gsize length)
{
  add_pattern (self, secret, length);
  add_hexadecimal (self, secret, length, "0123456789abcdef");
  add_hexadecimal (self, secret, length, "0123456789ABCDEF");
  for (gsize before = 0; before < 3; before++)
    add_base64 (self, secret, length, before);
}

/* A key in a file of several lines is often shown line by line; its frame is no secret. */
static void
add_lines (NebulaRedaction *self, const guint8 *secret, gsize length)
{
  gsize start = 0;

  if (!memchr (secret, '\n', length))
    return;
  for (gsize i = 0; i <= length; i++) {
    gsize end = i;

    if (i < length && secret[i] != '\n')
      continue;
    if (end > start && secret[end - 1] == '\r')
      end--;
    if (end - start >= LINE_BYTES_MIN && memcmp (secret + start, "-----", 5) != 0)
      add_forms (self, secret + start, end - start);
    start = i + 1;
  }
}

static void
build_table (NebulaRedaction *self)
{
  guint32 size = 64;

  while (size < self->patterns->len * 2)
    size *= 2;
  self->mask = size - 1;
  self->heads = g_new (guint32, size);
  for (guint32 i = 0; i < size; i++)
    self->heads[i] = NONE;
  for (guint32 i = 0; i < self->patterns->len; i++) {
    Pattern *pattern = &g_array_index (self->patterns, Pattern, i);
    guint32 slot = find_slot (self, pattern->key);

    pattern->next = self->heads[slot];
    self->heads[slot] = i;
  }
}

NebulaRedaction *
_nebula_redaction_new (GHashTable *secrets)
{
  NebulaRedaction *self = g_new0 (NebulaRedaction, 1);
  GHashTableIter iter;
  gpointer secret = NULL;

  g_atomic_ref_count_init (&self->count);
  self->patterns = g_array_new (FALSE, FALSE, sizeof (Pattern));
  g_array_set_clear_func (self->patterns, pattern_clear);
  g_hash_table_iter_init (&iter, secrets);
  while (g_hash_table_iter_next (&iter, &secret, NULL)) {
    gsize length = 0;
    const guint8 *bytes = g_bytes_get_data (secret, &length);

    add_forms (self, bytes, length);
    add_lines (self, bytes, length);
  }
  build_table (self);
  return self;
}

NebulaRedaction *
_nebula_redaction_ref (NebulaRedaction *self)
{
  g_atomic_ref_count_inc (&self->count);
  return self;
}

void
_nebula_redaction_unref (NebulaRedaction *self)
{
  if (!g_atomic_ref_count_dec (&self->count))
    return;
  g_array_unref (self->patterns);
  g_free (self->heads);
  g_free (self);
}

static gboolean
is_base64 (guint8 byte)
{
  return g_ascii_isalnum (byte) || byte == ' ' || byte == '/' || byte == '-' || byte == '_';
}

/* The bits at the edges of base64, and its padding. */
static void
add_hit (const NebulaRedactionView *view, const Pattern *pattern, gsize start, GArray *hits)
{
  gsize end = start + pattern->length;
  Hit hit = {start, end};

  if (pattern->is_open_left && start > 0 && is_base64 (view->bytes[start - 1]))
    start--;
  if (pattern->is_open_right && end < view->length && is_base64 (view->bytes[end])) {
    end++;
    while (end < view->length && view->bytes[end] == '=')
      end++;
  }
  hit.start = view->places ? view->places[start] : start;
  hit.end = view->places ? view->places[end] : end;
  g_array_append_val (hits, hit);
}

static void
search_at (const NebulaRedaction *self,
           const NebulaRedactionView *view,
           gsize at,
           guint32 key,
           GArray *hits)
{
  const Pattern *longest = NULL;

  for (guint32 i = self->heads[find_slot (self, key)]; i != NONE;) {
    const Pattern *pattern = &g_array_index (self->patterns, Pattern, i);

    if (pattern->key == key && view->length - at >= pattern->length
        && (!longest || pattern->length > longest->length)
        && memcmp (view->bytes + at, pattern->bytes, pattern->length) == 0)
      longest = pattern;
    i = pattern->next;
  }
  if (longest)
    add_hit (view, longest, at, hits);
}

static void
search (const NebulaRedaction *self, const NebulaRedactionView *view, guint depth, GArray *hits)
{
  guint32 key = 0;

  for (gsize i = 0; i < view->length; i++) {
    key = key << 8 | view->bytes[i];
    if (i + 1 >= KEY_BYTES)
      search_at (self, view, i + 1 - KEY_BYTES, key, hits);
  }
  for (guint kind = 0; kind < NEBULA_UNESCAPE_COUNT && depth < DEPTH_MAX; kind++) {
    NebulaRedactionView inner;

    if (!_nebula_redaction_view_unescape (view, (NebulaUnescape) kind, &inner))
      continue;
    search (self, &inner, depth + 1, hits);
    _nebula_redaction_view_clear (&inner);
  }
}

static gint
compare_hits (gconstpointer a, gconstpointer b)
{
  const Hit *one = a, *other = b;

  return one->start < other->start ? -1 : one->start > other->start;
}

/* What touches becomes one. */
static char *
replace_hits (const char *text, gsize length, GArray *hits)
{
  GString *result = g_string_sized_new (length + 32);
  gsize at = 0;

  g_array_sort (hits, compare_hits);
  for (guint i = 0; i < hits->len;) {
    Hit hit = g_array_index (hits, Hit, i++);

    while (i < hits->len && g_array_index (hits, Hit, i).start <= hit.end) {
      hit.end = MAX (hit.end, g_array_index (hits, Hit, i).end);
      i++;
    }
    g_string_append_len (result, text + at, (gssize) (hit.start - at));
    g_string_append (result, NEBULA_REDACTED);
    at = hit.end;
  }
  g_string_append_len (result, text + at, (gssize) (length - at));
  return g_string_free (result, FALSE);
}

char *
_nebula_redaction_apply (NebulaRedaction *self, const char *text, gsize length)
{
  g_autoptr (GArray) hits = NULL;
  NebulaRedactionView view;

  if (length < KEY_BYTES || length >= G_MAXUINT32)
    return NULL;
  hits = g_array_new (FALSE, FALSE, sizeof (Hit));
  _nebula_redaction_view_init (&view, text, length);
  search (self, &view, 0, hits);
  _nebula_redaction_view_clear (&view);
  return hits->len > 0 ? replace_hits (text, length, hits) : NULL;
}
