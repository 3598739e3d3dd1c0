/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A .mo file: seven 32-bit numbers (magic, revision, count, place of the originals' table, place of the translations'
 * table, two for a hash table that we do not use); each table has a length and a place for each text, and a 0 follows
 * each text. Either byte order. Every number is checked once, when the file is read; the look-up then trusts them.
 *
 * A translation that would print other arguments than its original is left out, so a broken or hostile catalogue
 * cannot make printf read what was not passed.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-mo-private.h"

#define MO_MAGIC 0x950412deU
#define MO_HEADER 28
#define MO_BYTES_MAX (64 << 20)
#define MO_ENTRIES_MAX 1000000
#define ARGUMENTS_MAX 16

typedef struct
{
  const char *original;
  const char *translation;
  guint32 hash;
  guint32 translation_length;
} Entry;

struct _NebulaMo
{
  GBytes *bytes;
  NebulaPlural plural;
  Entry *places; /* open addressing; a place without original is free */
  guint32 mask;
};

typedef struct
{
  const guint8 *data;
  gsize size;
  gboolean is_swapped;
} Reader;

static gboolean
read_word (const Reader *reader, gsize at, guint32 *ret_word)
{
  guint32 word = 0;

  if (at > reader->size || reader->size - at < sizeof word)
    return FALSE;
  memcpy (&word, reader->data + at, sizeof word);
  *ret_word = reader->is_swapped ? GUINT32_SWAP_LE_BE (word) : word;
  return TRUE;
}

/* The text that entry `number` of the table at `table` names. */
static const char *
read_text (const Reader *reader, guint32 table, guint32 number, guint32 *ret_length)
{
  guint32 length = 0, place = 0;

  if (!read_word (reader, (gsize) table + 8 * (gsize) number, &length)
      || !read_word (reader, (gsize) table + 8 * (gsize) number + 4, &place))
    return NULL;
  if (place >= reader->size || length >= reader->size - place || reader->data[place + length] != '\0')
    return NULL;
  *ret_length = length;
  return (const char *) reader->data + place;
}

/* Texts may be several, with a 0 between them. */
static gboolean
is_utf8 (const char *text, gsize length)
{
  const char *end = text + length;

  while (text < end) {
    gsize part = strlen (text);

    if (!g_utf8_validate_len (text, part, NULL))
      return FALSE;
    text += part + 1;
  }
  return TRUE;
}

/* What one directive of a format takes: its length modifiers and its conversion. Moves *at behind it. */
static guint32
read_directive (const char **at, guint *position)
{
  const char *text = *at + 1;
  guint32 kind = 0;
  guint64 number = 0;

  for (const char *digit = text; g_ascii_isdigit (*digit) || *digit == '$'; digit++) {
    if (*digit == '$') {
      *position = (guint) MIN (number, ARGUMENTS_MAX + 1);
      text = digit + 1;
      break;
    }
    number = MIN (number * 10 + (guint64) (*digit - '0'), G_MAXUINT32);
  }
  text += strspn (text, "#0- +'I");
  text += strspn (text, "0123456789.");
  if (*text == '*')
    kind = '*';
  for (; *text && strchr ("hlLqjzt*.", *text); text++)
    kind = kind << 8 | (guint8) *text;
  kind = kind << 8 | (guint8) *text;
  *at = *text ? text + 1 : text;
  /* A directive that is cut off equals none. */
  return *text ? kind : G_MAXUINT32;
}

/* Which arguments a format takes, by position; FALSE if more than we look at. */
static gboolean
list_arguments (const char *format, guint32 *arguments)
{
  guint next = 1;

  for (const char *at = strchr (format, '%'); at; at = strchr (at, '%')) {
    guint position = next;
    guint32 kind = 0;

    if (at[1] == '%') {
      at += 2;
      continue;
    }
    kind = read_directive (&at, &position);
    if (position < 1 || position > ARGUMENTS_MAX)
      return FALSE;
    arguments[position - 1] = kind;
    next = position + 1;
  }
  return TRUE;
}

static gboolean
is_safe_format (const char *original, const char *translation)
{
  guint32 wanted[ARGUMENTS_MAX] = { 0 }, got[ARGUMENTS_MAX] = { 0 };

  if (!strchr (translation, '%'))
    return TRUE;
  if (!list_arguments (original, wanted) || !list_arguments (translation, got))
    return FALSE;
  for (guint i = 0; i < ARGUMENTS_MAX; i++)
    if (got[i] != 0 && got[i] != wanted[i])
      return FALSE;
  return TRUE;
}

/* For a plural entry each form is held against the plural original, which takes all arguments. */
static gboolean
is_safe_entry (const char *original, guint32 original_length, const char *translation, guint32 translation_length)
{
  const char *end = translation + translation_length;
  gsize first = strlen (original);
  const char *plural = first < original_length ? original + first + 1 : original;

  while (translation <= end) {
    if (!is_safe_format (plural, translation))
      return FALSE;
    translation += strlen (translation) + 1;
  }
  return TRUE;
}

static void
add_entry (NebulaMo *self, const char *original, const char *translation, guint32 translation_length)
{
  guint32 hash = g_str_hash (original), place = hash & self->mask;

  while (self->places[place].original)
    place = (place + 1) & self->mask;
  self->places[place] = (Entry){ original, translation, hash, translation_length };
}

static gboolean
read_header (NebulaMo *self, const char *header)
{
  const char *rule = strstr (header, "Plural-Forms:");
  const char *charset = strstr (header, "charset=");

  if (charset && g_ascii_strncasecmp (charset, "charset=UTF-8", 13) != 0)
    return FALSE;
  return rule ? _nebula_plural_compile (&self->plural, rule) : TRUE;
}

static gboolean
read_entries (NebulaMo *self, const Reader *reader, guint32 count, guint32 originals, guint32 translations)
{
  for (guint32 i = 0; i < count; i++) {
    guint32 original_length = 0, translation_length = 0;
    const char *original = read_text (reader, originals, i, &original_length);
    const char *translation = read_text (reader, translations, i, &translation_length);

    if (!original || !translation || !is_utf8 (original, original_length)
        || !is_utf8 (translation, translation_length))
      return FALSE;
    if (original_length == 0) {
      if (!read_header (self, translation))
        return FALSE;
      continue;
    }
    if (translation_length > 0 && is_safe_entry (original, original_length, translation, translation_length))
      add_entry (self, original, translation, translation_length);
  }
  return TRUE;
}

static gboolean
read_all (NebulaMo *self, Reader *reader)
{
  guint32 magic = 0, revision = 0, count = 0, originals = 0, translations = 0;
  guint32 n_places = 16;

  if (reader->size < MO_HEADER || reader->size > MO_BYTES_MAX || !read_word (reader, 0, &magic))
    return FALSE;
  reader->is_swapped = magic == GUINT32_SWAP_LE_BE (MO_MAGIC);
  if (!reader->is_swapped && magic != MO_MAGIC)
    return FALSE;
  if (!read_word (reader, 4, &revision) || !read_word (reader, 8, &count) || !read_word (reader, 12, &originals)
      || !read_word (reader, 16, &translations))
    return FALSE;
  if (revision >> 16 > 1 || count > MO_ENTRIES_MAX || count > reader->size / 16)
    return FALSE;
  while (n_places < 2 * count)
    n_places *= 2;
  self->places = g_new0 (Entry, n_places);
  self->mask = n_places - 1;
  return read_entries (self, reader, count, originals, translations);
}

NebulaMo *
_nebula_mo_new (GBytes *bytes, GError **error)
{
  g_autoptr (NebulaMo) self = g_new0 (NebulaMo, 1);
  Reader reader = { 0 };

  self->bytes = g_bytes_ref (bytes);
  self->plural.n_forms = 2;
  _nebula_plural_compile (&self->plural, "nplurals=2; plural=n != 1;");
  reader.data = g_bytes_get_data (bytes, &reader.size);
  if (read_all (self, &reader))
    return g_steal_pointer (&self);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                       _ ("This is not a sound catalogue of translations in UTF-8; make it again with msgfmt."));
  return NULL;
}

void
_nebula_mo_free (NebulaMo *self)
{
  g_bytes_unref (self->bytes);
  g_free (self->places);
  g_free (self);
}

static const Entry *
find_entry (const NebulaMo *self, const char *message)
{
  guint32 hash = g_str_hash (message);

  for (guint32 place = hash & self->mask; self->places[place].original; place = (place + 1) & self->mask)
    if (self->places[place].hash == hash && strcmp (self->places[place].original, message) == 0)
      return &self->places[place];
  return NULL;
}

const char *
_nebula_mo_find (const NebulaMo *self, const char *message)
{
  const Entry *entry = find_entry (self, message);

  return entry ? entry->translation : NULL;
}

const char *
_nebula_mo_find_plural (const NebulaMo *self, const char *singular, gulong number)
{
  const Entry *entry = find_entry (self, singular);
  const char *form = NULL, *end = NULL;

  if (!entry)
    return NULL;
  form = entry->translation;
  end = form + entry->translation_length;
  for (guint left = _nebula_plural_choose (&self->plural, number); left > 0; left--) {
    form += strlen (form) + 1;
    if (form > end)
      return entry->translation;
  }
  return form;
}
