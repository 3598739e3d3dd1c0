/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Patterns of ECMA-262 (with the flag u), as JSON Schema has them, for GRegex. Most mean the same in both; what differs:
 *
 *   \d \w \D \W       ASCII only               \uXXXX \u{X…}     a character by number
 *   $                 the very end             \p{Letter}        long names of the general categories
 *   [] [^]            nothing, anything
 *
 * The original is held to the rules of nebula-regex-internal.h before it is translated.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-json-schema-private.h"
#include "nebula-regex-internal.h"

typedef struct {
  const char *at;
  GString *out;
  gboolean is_class; /* between [ and ] */
} Translator;

static const struct {
  const char *name;
  const char *short_name;
} categories[] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
    {"Any", "Any"},
};

/* Behind \p or \P. */
static void
put_category (Translator *self, char letter)
{
  const char *name = self->at + 1;
  const char *close = *self->at == '{' ? strchr (name, '}') : NULL;

  g_string_append_printf (self->out, "\\%c", letter);
  if (!close)
    return;
  for (const char *p = name; p < close; p++)
    if (*p == '=')
      name = p + 1; /* General_Category=…, Script=… */
  self->at = close + 1;
  for (gsize i = 0; i < G_N_ELEMENTS (categories); i++) {
    if (strlen (categories[i].name) == (gsize) (close - name) &&
        strncmp (categories[i].name, name, (gsize) (close - name)) == 0) {
      g_string_append_printf (self->out, "{%s}", categories[i].short_name);
      return;
    }
  }
  g_string_append_printf (self->out, "{%.*s}", (int) (close - name), name);
}

static gboolean
read_hex (const char *at, guint n_digits, guint32 *ret)
{
  *ret = 0;
  for (guint i = 0; i < n_digits; i++) {
    if (!g_ascii_isxdigit (at[i]))
      return FALSE;
    *ret = *ret * 16 + (guint) g_ascii_xdigit_value (at[i]);
  }
  return TRUE;
}

/* Behind \u: four digits, two such for what lies above U+FFFF, or any number in braces. */
static gboolean
put_unicode (Translator *self)
{
  guint32 character, low;
  const char *close = *self->at == '{' ? strchr (self->at, '}') : NULL;

  if (close && close - self->at > 1 && close - self->at <= 9 &&
      read_hex (self->at + 1, (guint) (close - self->at - 1), &character)) {
    self->at = close + 1;
  } else if (read_hex (self->at, 4, &character)) {
    self->at += 4;
    if (character >= 0xd800 && character < 0xdc00 && self->at[0] == '\\' &&
        self->at[1] == 'u' && read_hex (self->at + 2, 4, &low) && low >= 0xdc00 &&
        low < 0xe000) {
      character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
      self->at += 6;
    }
  } else {
    return FALSE;
  }
  g_string_append_printf (self->out, "\\x{%x}", character);
  return TRUE;
}

/* Behind a backslash. */
static gboolean
put_escape (Translator *self)
{
  char letter = *self->at;

  if (letter == '\0')
    return FALSE;
  self->at++;
  if (letter == 'd' || letter == 'w')
    g_string_append_printf (self->out, self->is_class ? "%s" : "[%s]",
                            letter == 'd' ? "0-9" : "A-Za-z0-9_");
  else if (letter == 'D' && !self->is_class)
    g_string_append (self->out, "[^0-9]");
  else if (letter == 'W' && !self->is_class)
    g_string_append (self->out, "[^A-Za-z0-9_]");
  else if (letter == 'p' || letter == 'P')
    put_category (self, letter);
  else if (letter == 'u')
    return put_unicode (self);
  else if (letter == 'a' || letter == 'Z' || letter == 'A' || letter == 'z')
    return FALSE;
  else
    g_string_append_printf (self->out, "\\%c", letter);
  return TRUE;
}

static gboolean
put_class_open (Translator *self)
{
  if (self->at[0] == ']') {
    self->at++;
    g_string_append (self->out, "(?!)");
  } else if (self->at[0] == '^' && self->at[1] == ']') {
    self->at += 2;
    g_string_append (self->out, "[\\s\\S]");
  } else {
    self->is_class = TRUE;
    g_string_append_c (self->out, '[');
  }
  return TRUE;
}

static gboolean
translate (Translator *self)
{
  while (*self->at != '\0') {
    char character = *self->at++;

    if (character == '\\') {
      if (!put_escape (self))
        return FALSE;
    } else if (self->is_class) {
      /* “[[:alpha:]]” means nothing special in ECMA-262. */
      self->is_class = character != ']';
      g_string_append (self->out, character == '[' ? "\\[" : "");
      if (character != '[')
        g_string_append_c (self->out, character);
    } else if (character == '[') {
      put_class_open (self);
    } else {
      g_string_append_c (self->out, character);
    }
  }
  return !self->is_class;
}

GRegex *
_nebula_ecma_regex_new (const char *text, gsize length, GError **error)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  Translator translator = {.at = text, .out = out};

  if (!nebula_regex_check (text, (gssize) length, error))
    return NULL;
  if (translate (&translator))
    regex = nebula_regex_new_translated (out->str, G_REGEX_DOLLAR_ENDONLY);
  if (!regex)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_REGEX,
                 _ ("The regular expression “%s” is not valid"), text);
  return g_steal_pointer (&regex);
}
