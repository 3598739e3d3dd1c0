/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The regular expressions of expressions, within the bounds of nebula-regex-internal.h and charged to the fuel. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"
#include "nebula-regex-internal.h"

struct _NebulaPattern {
  char *text;
  char *flags;
  GRegex *regex;
};

static gboolean
parse_flags (const char *letters, GRegexCompileFlags *ret, GError **error)
{
  GRegexCompileFlags flags = 0;

  for (const char *p = letters; *p != '\0'; p++) {
    if (*p == 'i')
      flags |= G_REGEX_CASELESS;
    else if (*p == 'm')
      flags |= G_REGEX_MULTILINE;
    else if (*p == 's')
      flags |= G_REGEX_DOTALL;
    else if (*p == 'x')
      flags |= G_REGEX_EXTENDED;
    else if (*p != 'g' && *p != 'u') {
      g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_REGEX,
                           _ ("The flags of a regular expression are i, m, s and x"));
      return FALSE;
    }
  }
  *ret = flags;
  return TRUE;
}

static GRegex *
compile (const char *text, gsize length, const char *letters, GError **error)
{
  GRegexCompileFlags flags;

  if (!parse_flags (letters, &flags, error))
    return NULL;
  return nebula_regex_new (text, (gssize) length, flags, error);
}

NebulaPattern *
_nebula_pattern_new (const char *text, gsize length, const char *flags, GError **error)
{
  GRegex *regex = compile (text, length, flags, error);
  NebulaPattern *self;

  if (regex == NULL)
    return NULL;
  self = g_new0 (NebulaPattern, 1);
  self->text = g_strdup (text);
  self->flags = g_strdup (flags);
  self->regex = regex;
  return self;
}

void
_nebula_pattern_free (NebulaPattern *self)
{
  g_free (self->text);
  g_free (self->flags);
  g_regex_unref (self->regex);
  g_free (self);
}

gboolean
_nebula_pattern_is (NebulaPattern *self, const char *text, const char *flags)
{
  return strcmp (self->text, text) == 0 && strcmp (self->flags, flags) == 0;
}

GRegex *
_nebula_pattern_get_regex (NebulaPattern *self)
{
  return self->regex;
}

GRegex *
_nebula_vm_ref_regex (NebulaVm *vm, const NebulaCell *pattern, const NebulaCell *flags)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *known = vm->program->patterns;
  const char *text, *letters = flags != NULL ? _nebula_cell_get_string (flags, NULL) : "";
  gsize length;
  GRegex *regex;

  text = _nebula_cell_get_string (pattern, &length);
  for (guint i = 0; known != NULL && i < known->len; i++)
    if (_nebula_pattern_is (g_ptr_array_index (known, i), text, letters))
      return g_regex_ref (_nebula_pattern_get_regex (g_ptr_array_index (known, i)));
  regex =
      _nebula_vm_burn (vm, 50 + length) ? compile (text, length, letters, &error) : NULL;
  if (regex == NULL && error != NULL)
    _nebula_vm_fail (vm, NEBULA_ERROR_REGEX, NULL, "%s", error->message);
  return regex;
}

static gboolean
check_match (NebulaVm *vm, const GError *error)
{
  if (error == NULL)
    return TRUE;
  return _nebula_vm_fail (
      vm, NEBULA_ERROR_BUDGET_EXCEEDED,
      _ ("Make the pattern simpler: repeats inside repeats take very long."),
      _ ("The regular expression takes more steps than one match may"));
}

/* @ret_match borrows the text of @subject, which must outlive it. */
gboolean
_nebula_vm_match (NebulaVm *vm,
                  GRegex *regex,
                  const NebulaCell *subject,
                  gsize start,
                  GMatchInfo **ret_match)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  const char *text = _nebula_cell_get_string (subject, &length);

  if (length > NEBULA_REGEX_SUBJECT_BYTES)
    return _nebula_vm_fail (vm, NEBULA_ERROR_BUDGET_EXCEEDED,
                            _ ("Cut the text first, with lines () or split ()."),
                            _ ("A regular expression takes at most %d bytes of text"),
                            NEBULA_REGEX_SUBJECT_BYTES);
  if (!_nebula_vm_burn (vm, 10 + length / 16))
    return FALSE;
  g_regex_match_full (regex, text, (gssize) length, (gint) start, 0, ret_match, &error);
  return check_match (vm, error);
}

gboolean
_nebula_vm_match_next (NebulaVm *vm, GMatchInfo *match)
{
  g_autoptr (GError) error = NULL;

  if (!_nebula_vm_burn (vm, 5))
    return FALSE;
  g_match_info_next (match, &error);
  return check_match (vm, error);
}
