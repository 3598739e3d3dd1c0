/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions on text. Characters are Unicode code points. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

static const char *
get (const NebulaCell *cell, gsize *ret_length)
{
  return _nebula_cell_get_string (cell, ret_length);
}

/* Letter by letter, so that the language of the process (Turkish!) changes nothing. */
static gboolean
map_letters (NebulaVm *vm,
             const NebulaCell *cell,
             gunichar (*map) (gunichar character),
             NebulaCell *ret)
{
  gsize length;
  const char *text = get (cell, &length);
  GString *result = g_string_sized_new (length);

  for (const char *p = text; p < text + length; p = g_utf8_next_char (p)) {
    if (*p == '\0')
      g_string_append_c (result, *p);
    else
      g_string_append_unichar (result, map (g_utf8_get_char (p)));
  }
  return _nebula_vm_give_text (vm, result, ret);
}

static gboolean
call_upper (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return map_letters (vm, arguments, g_unichar_toupper, ret);
}

static gboolean
call_lower (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return map_letters (vm, arguments, g_unichar_tolower, ret);
}

static gboolean
is_trimmed (gunichar character, const char *set)
{
  return set == NULL ? g_unichar_isspace (character) || character == 0xfeff
                     : g_utf8_strchr (set, -1, character) != NULL;
}

static gboolean
trim (NebulaVm *vm,
      const NebulaCell *arguments,
      guint count,
      guint sides,
      NebulaCell *ret)
{
  gsize length;
  const char *start = get (&arguments[0], &length);
  const char *end = start + length;
  const char *set = count > 1 ? get (&arguments[1], NULL) : NULL;

  while ((sides & 1) != 0 && start < end && is_trimmed (g_utf8_get_char (start), set))
    start = g_utf8_next_char (start);
  while ((sides & 2) != 0 && end > start &&
         is_trimmed (g_utf8_get_char (g_utf8_prev_char (end)), set))
    end = g_utf8_prev_char (end);
  return _nebula_vm_give_string (vm, start, end - start, ret);
}

static gboolean
call_trim (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return trim (vm, arguments, count, 3, ret);
}

static gboolean
call_trim_start (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return trim (vm, arguments, count, 1, ret);
}

static gboolean
call_trim_end (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return trim (vm, arguments, count, 2, ret);
}

static gboolean
call_capitalize (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = get (&arguments[0], &length);
  GString *result = g_string_sized_new (length);

  if (length > 0) {
    const char *rest = g_utf8_next_char (text);

    g_string_append_unichar (result, g_unichar_toupper (g_utf8_get_char (text)));
    g_string_append_len (result, rest, (gssize) (length - (gsize) (rest - text)));
  }
  return _nebula_vm_give_text (vm, result, ret);
}

static gboolean
call_title_case (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = get (&arguments[0], &length);
  GString *result = g_string_sized_new (length);
  gboolean is_inside = FALSE;

  for (const char *p = text; p < text + length; p = g_utf8_next_char (p)) {
    gunichar character = g_utf8_get_char (p);

    g_string_append_unichar (result, is_inside ? g_unichar_tolower (character)
                                               : g_unichar_totitle (character));
    is_inside = g_unichar_isalnum (character) || character == '\'';
  }
  return _nebula_vm_give_text (vm, result, ret);
}

/* Cuts an identifier or sentence into words in small letters: "fooBar baz-2" is foo bar baz 2. */
static GPtrArray *
cut_words (const char *text, gsize length)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) word = g_string_new (NULL);
  gboolean was_small = FALSE;

  for (const char *p = text; p < text + length; p = g_utf8_next_char (p)) {
    gunichar character = g_utf8_get_char (p);
    gboolean is_part = g_unichar_isalnum (character);

    if (word->len > 0 && (!is_part || (was_small && g_unichar_isupper (character)))) {
      g_ptr_array_add (words, g_strdup (word->str));
      g_string_truncate (word, 0);
    }
    if (is_part)
      g_string_append_unichar (word, g_unichar_tolower (character));
    was_small = is_part && !g_unichar_isupper (character);
  }
  if (word->len > 0)
    g_ptr_array_add (words, g_strdup (word->str));
  return words;
}

static gboolean
change_case (NebulaVm *vm,
             const NebulaCell *cell,
             const char *separator,
             gboolean is_first_large,
             gboolean is_large,
             NebulaCell *ret)
{
  gsize length;
  const char *text = get (cell, &length);
  g_autoptr (GPtrArray) words = cut_words (text, length);
  GString *result = g_string_sized_new (length);

  for (guint i = 0; i < words->len; i++) {
    const char *word = g_ptr_array_index (words, i);
    gboolean has_capital = i == 0 ? is_first_large : is_large;

    if (i > 0)
      g_string_append (result, separator);
    if (has_capital)
      g_string_append_unichar (result, g_unichar_toupper (g_utf8_get_char (word)));
    g_string_append (result, has_capital ? g_utf8_next_char (word) : word);
  }
  return _nebula_vm_give_text (vm, result, ret);
}

static gboolean
call_camel_case (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return change_case (vm, arguments, "", FALSE, TRUE, ret);
}

static gboolean
call_pascal_case (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return change_case (vm, arguments, "", TRUE, TRUE, ret);
}

static gboolean
call_snake_case (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return change_case (vm, arguments, "_", FALSE, FALSE, ret);
}

static gboolean
call_kebab_case (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return change_case (vm, arguments, "-", FALSE, FALSE, ret);
}

static gboolean
call_slugify (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = get (&arguments[0], &length);
  g_autofree char *parts = g_utf8_normalize (text, (gssize) length, G_NORMALIZE_NFKD);
  GString *result = g_string_sized_new (length);
  gboolean is_gap = FALSE;

  for (const char *p = parts; p != NULL && *p != '\0'; p++) {
    if ((guchar) *p >= 0x80)
      continue;
    if (!g_ascii_isalnum (*p)) {
      is_gap = *p != '\'';
      continue;
    }
    if (is_gap && result->len > 0)
      g_string_append_c (result, '-');
    is_gap = FALSE;
    g_string_append_c (result, g_ascii_tolower (*p));
  }
  return _nebula_vm_give_text (vm, result, ret);
}

static gboolean
call_starts_with (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length, part_length;
  const char *text = get (&arguments[0], &length);
  const char *part = get (&arguments[1], &part_length);

  *ret = _nebula_cell_boolean (part_length <= length &&
                               memcmp (text, part, part_length) == 0);
  return TRUE;
}

static gboolean
call_ends_with (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length, part_length;
  const char *text = get (&arguments[0], &length);
  const char *part = get (&arguments[1], &part_length);

  *ret =
      _nebula_cell_boolean (part_length <= length &&
                            memcmp (text + length - part_length, part, part_length) == 0);
  return TRUE;
}

static gboolean
call_contains (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gboolean is_found;

  if (!_nebula_operate_contains (vm, &arguments[1], &arguments[0], &is_found))
    return FALSE;
  *ret = _nebula_cell_boolean (is_found);
  return TRUE;
}

static gboolean
call_replace (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length, from_length, to_length;
  const char *text = get (&arguments[0], &length);
  const char *from = get (&arguments[1], &from_length);
  const char *to = get (&arguments[2], &to_length);
  g_autoptr (GString) result = g_string_sized_new (length);
  const char *end = text + length;
  const char *found;

  if (from_length == 0)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("There is no text to replace"));
  while ((found = memmem (text, (gsize) (end - text), from, from_length)) != NULL) {
    g_string_append_len (result, text, found - text);
    g_string_append_len (result, to, (gssize) to_length);
    text = found + from_length;
    if (result->len > vm->limits->memory_bytes || !_nebula_vm_burn (vm, 1))
      break;
  }
  if (vm->error != NULL)
    return FALSE;
  g_string_append_len (result, text, end - text);
  return _nebula_vm_give_text (vm, g_steal_pointer (&result), ret);
}

static gboolean
split_characters (NebulaCollector *collector,
                  const char *text,
                  const char *end,
                  gint64 limit)
{
  while (text < end && limit-- > 0) {
    const char *next = g_utf8_next_char (text);

    if (!_nebula_vm_burn (collector->vm, 1) ||
        !_nebula_collector_add_string (collector, text, next - text))
      return FALSE;
    text = next;
  }
  return TRUE;
}

static gboolean
split_parts (NebulaCollector *collector,
             const char *text,
             const char *end,
             const NebulaCell *separator,
             gint64 limit)
{
  gsize length;
  const char *part = get (separator, &length);

  while (limit-- > 1) {
    const char *found = memmem (text, (gsize) (end - text), part, length);

    if (found == NULL)
      break;
    if (!_nebula_vm_burn (collector->vm, 1) ||
        !_nebula_collector_add_string (collector, text, found - text))
      return FALSE;
    text = found + length;
  }
  return _nebula_collector_add_string (collector, text, end - text);
}

static gboolean
call_split (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length, separator_length;
  const char *text = get (&arguments[0], &length);
  gint64 limit = count > 2 ? arguments[2].as.integer : G_MAXINT64;

  if (limit < 1)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("The greatest number of parts is at least 1"));
  get (&arguments[1], &separator_length);
  _nebula_collector_init (&collector, vm, FALSE);
  if (!(separator_length == 0
            ? split_characters (&collector, text, text + length, limit)
            : split_parts (&collector, text, text + length, &arguments[1], limit)))
    return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_lines (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length;
  const char *text = get (&arguments[0], &length);
  const char *end = text + length;

  _nebula_collector_init (&collector, vm, FALSE);
  while (text < end) {
    const char *found = memchr (text, '\n', (gsize) (end - text));
    const char *stop = found != NULL ? found : end;
    gsize line = (gsize) (stop - text);

    if (found != NULL && line > 0 && stop[-1] == '\r')
      line--;
    if (!_nebula_vm_burn (vm, 1) ||
        !_nebula_collector_add_string (&collector, text, (gssize) line))
      return FALSE;
    text = stop + 1;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_words (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length;
  const char *text = get (&arguments[0], &length);
  const char *start = NULL;

  _nebula_collector_init (&collector, vm, FALSE);
  for (const char *p = text; p <= text + length;
       p = p < text + length ? g_utf8_next_char (p) : p + 1) {
    gboolean is_gap = p == text + length || g_unichar_isspace (g_utf8_get_char (p));

    if (start == NULL && !is_gap)
      start = p;
    if (start == NULL || !is_gap)
      continue;
    if (!_nebula_vm_burn (vm, 1) ||
        !_nebula_collector_add_string (&collector, start, p - start))
      return FALSE;
    start = NULL;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_join (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaValue *array = arguments[0].as.value;
  gsize length = nebula_value_get_length (array);
  gsize separator_length = 0;
  const char *separator = count > 1 ? get (&arguments[1], &separator_length) : "";
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < length; i++) {
    NebulaCell item = _nebula_cell_borrow (nebula_value_get_item (array, i));

    if (i > 0)
      g_string_append_len (text, separator, (gssize) separator_length);
    _nebula_cell_append_text (&item, text);
    if (text->len > vm->limits->memory_bytes || !_nebula_vm_burn (vm, 1))
      break;
  }
  return vm->error == NULL && _nebula_vm_give_text (vm, g_steal_pointer (&text), ret);
}

/* Appends @text until there are @count characters more. */
static gboolean
append_filling (NebulaVm *vm, GString *result, const NebulaCell *filling, gint64 count)
{
  gsize length;
  const char *text = filling != NULL ? get (filling, &length) : " ";
  const char *p = text;

  if (*text == '\0')
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("There is no text to fill up with"));
  if (count > (gint64) vm->limits->memory_bytes)
    return _nebula_vm_charge (vm, (gsize) count);
  for (; count > 0; count--) {
    g_string_append_unichar (result, g_utf8_get_char (p));
    p = g_utf8_next_char (p);
    if (*p == '\0')
      p = text;
  }
  return TRUE;
}

static gboolean
pad (NebulaVm *vm,
     const NebulaCell *arguments,
     guint count,
     gboolean is_start,
     NebulaCell *ret)
{
  gsize length;
  const char *text = get (&arguments[0], &length);
  gint64 missing;
  g_autoptr (GString) result = g_string_new (NULL);

  if (__builtin_sub_overflow (arguments[1].as.integer,
                              (gint64) g_utf8_strlen (text, (gssize) length), &missing))
    missing = 0;
  if (!is_start)
    g_string_append_len (result, text, (gssize) length);
  if (!append_filling (vm, result, count > 2 ? &arguments[2] : NULL, missing))
    return FALSE;
  if (is_start)
    g_string_append_len (result, text, (gssize) length);
  return _nebula_vm_give_text (vm, g_steal_pointer (&result), ret);
}

static gboolean
call_pad_start (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return pad (vm, arguments, count, TRUE, ret);
}

static gboolean
call_pad_end (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return pad (vm, arguments, count, FALSE, ret);
}

static gboolean
call_repeat (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length, total;
  const char *text = get (&arguments[0], &length);
  gint64 times = arguments[1].as.integer;
  GString *result;

  if (times < 0)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("Text cannot be repeated a negative number of times"));
  if (__builtin_mul_overflow (length, (gsize) times, &total) ||
      total > vm->limits->memory_bytes)
    return _nebula_vm_charge (vm, G_MAXSIZE);
  result = g_string_sized_new (total);
  if (total > 0)
    g_string_append_len (result, text, (gssize) length);
  while (result->len < total)
    g_string_append_len (result, result->str,
                         (gssize) MIN (result->len, total - result->len));
  return _nebula_vm_give_text (vm, result, ret);
}

static gboolean
call_substring (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaCell text = arguments[0];

  text.is_owned = FALSE;
  if (!_nebula_vm_slice (vm, &text, &arguments[1], count > 2 ? &arguments[2] : NULL,
                         FALSE))
    return FALSE;
  *ret = text;
  return TRUE;
}

static gboolean
call_truncate (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = get (&arguments[0], &length);
  const char *end = count > 2 ? get (&arguments[2], NULL) : "…";
  glong kept =
      (glong) CLAMP (arguments[1].as.integer, 0, G_MAXINT32) - g_utf8_strlen (end, -1);
  GString *result;

  if (g_utf8_strlen (text, (gssize) length) <=
      CLAMP (arguments[1].as.integer, 0, G_MAXINT32))
    return _nebula_vm_give_string (vm, text, (gssize) length, ret);
  result = g_string_new (NULL);
  g_string_append_len (result, text,
                       g_utf8_offset_to_pointer (text, MAX (kept, 0)) - text);
  g_string_append (result, end);
  return _nebula_vm_give_text (vm, result, ret);
}

static gboolean
cut_at (NebulaVm *vm, const NebulaCell *arguments, gboolean is_before, NebulaCell *ret)
{
  gsize length, part_length;
  const char *text = get (&arguments[0], &length);
  const char *part = get (&arguments[1], &part_length);
  const char *found = memmem (text, length, part, part_length);
  const char *rest;

  if (found == NULL)
    return _nebula_vm_give_string (vm, text, is_before ? (gssize) length : 0, ret);
  rest = found + part_length;
  return is_before ? _nebula_vm_give_string (vm, text, found - text, ret)
                   : _nebula_vm_give_string (vm, rest, text + length - rest, ret);
}

static gboolean
call_before (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return cut_at (vm, arguments, TRUE, ret);
}

static gboolean
call_after (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return cut_at (vm, arguments, FALSE, ret);
}

static gboolean
call_code_point (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = get (&arguments[0], &length);

  if (length == 0)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("The text has no character"));
  *ret = _nebula_cell_integer (g_utf8_get_char (text));
  return TRUE;
}

static gboolean
call_character (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 code = arguments[0].as.integer;
  GString *text;

  if (code < 1 || code > 0x10ffff || !g_unichar_validate ((gunichar) code))
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("There is no character %lld"), (long long) code);
  text = g_string_new (NULL);
  g_string_append_unichar (text, (gunichar) code);
  return _nebula_vm_give_text (vm, text, ret);
}

static gboolean
call_strip_tags (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = get (&arguments[0], &length);
  GString *result = g_string_sized_new (length);
  gboolean is_tag = FALSE;

  for (gsize i = 0; i < length; i++) {
    is_tag = is_tag || text[i] == '<';
    if (!is_tag)
      g_string_append_c (result, text[i]);
    is_tag = is_tag && text[i] != '>';
  }
  return _nebula_vm_give_text (vm, result, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_string[] = {
  { "after", "substring_after", "ss", "s", "text, part", N_("what stands after the first part, empty if it is not there"), call_after, 2, 2 },
  { "before", "substring_before", "ss", "s", "text, part", N_("what stands before the first part, all if it is not there"), call_before, 2, 2 },
  { "camel_case", NULL, "s", "s", "text", N_("words joined likeThis"), call_camel_case, 1, 1 },
  { "capitalize", "upper_first", "s", "s", "text", N_("the first letter large"), call_capitalize, 1, 1 },
  { "character", "chr from_char_code from_code_point", "i", "s", "code", N_("the character with this code point"), call_character, 1, 1 },
  { "code_point", "ord char_code_at code_point_at", "s", "i", "text", N_("the code point of the first character"), call_code_point, 1, 1 },
  { "contains", "includes", "v", "b", "container, part", N_("whether an array has the item, an object the key, text the part"), call_contains, 2, 2 },
  { "ends_with", NULL, "ss", "b", "text, part", N_("whether the text ends so"), call_ends_with, 2, 2 },
  { "join", NULL, "as", "s", "items, separator?", N_("the texts of the items in one"), call_join, 1, 2 },
  { "kebab_case", NULL, "s", "s", "text", N_("words joined like-this"), call_kebab_case, 1, 1 },
  { "lines", "split_lines", "s", "a", "text", N_("the lines of a text"), call_lines, 1, 1 },
  { "lower", "lowercase to_lower to_lower_case", "s", "s", "text", N_("in small letters"), call_lower, 1, 1 },
  { "pad_end", "pad_right rpad", "sis", "s", "text, length, filling?", N_("filled up at the end"), call_pad_end, 2, 3 },
  { "pad_start", "pad_left lpad", "sis", "s", "text, length, filling?", N_("filled up at the start"), call_pad_start, 2, 3 },
  { "pascal_case", NULL, "s", "s", "text", N_("words joined LikeThis"), call_pascal_case, 1, 1 },
  { "repeat", NULL, "si", "s", "text, times", N_("the text so many times"), call_repeat, 2, 2 },
  { "replace", "replace_all", "sss", "s", "text, from, to", N_("with every from changed to to"), call_replace, 3, 3 },
  { "slugify", "slug to_slug", "s", "s", "text", N_("small ASCII letters, digits and dashes only"), call_slugify, 1, 1 },
  { "snake_case", NULL, "s", "s", "text", N_("words joined like_this"), call_snake_case, 1, 1 },
  { "split", NULL, "ssi", "a", "text, separator, limit?", N_("the parts between separators; characters if it is empty"), call_split, 2, 3 },
  { "starts_with", NULL, "ss", "b", "text, part", N_("whether the text starts so"), call_starts_with, 2, 2 },
  { "strip_tags", "remove_tags", "s", "s", "text", N_("without what stands between < and >"), call_strip_tags, 1, 1 },
  { "substring", "substr", "sii", "s", "text, start, end?", N_("characters from start to before end"), call_substring, 2, 3 },
  { "title_case", "to_title_case", "s", "s", "text", N_("Every Word With A Large Letter"), call_title_case, 1, 1 },
  { "trim", NULL, "ss", "s", "text, characters?", N_("without blanks (or these characters) at both ends"), call_trim, 1, 2 },
  { "trim_end", "rtrim trim_right", "ss", "s", "text, characters?", N_("without blanks at the end"), call_trim_end, 1, 2 },
  { "trim_start", "ltrim trim_left", "ss", "s", "text, characters?", N_("without blanks at the start"), call_trim_start, 1, 2 },
  { "truncate", NULL, "sis", "s", "text, length, end?", N_("cut to so many characters, the end (…) included"), call_truncate, 2, 3 },
  { "upper", "uppercase to_upper to_upper_case", "s", "s", "text", N_("in large letters"), call_upper, 1, 1 },
  { "words", "split_words", "s", "a", "text", N_("the parts between blanks"), call_words, 1, 1 },
  { NULL },
};
/* clang-format on */
