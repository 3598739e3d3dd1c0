/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions with regular expressions; the last argument are flags out of i, m, s, x. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

static gboolean
begin (NebulaVm *vm,
       const NebulaCell *arguments,
       const NebulaCell *flags,
       GRegex **ret_regex,
       GMatchInfo **ret_match)
{
  *ret_regex = _nebula_vm_ref_regex (vm, &arguments[1], flags);
  return *ret_regex != NULL &&
         _nebula_vm_match (vm, *ret_regex, &arguments[0], 0, ret_match);
}

static gboolean
call_matches (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GMatchInfo) match = NULL;

  if (!begin (vm, arguments, count > 2 ? &arguments[2] : NULL, &regex, &match))
    return FALSE;
  *ret = _nebula_cell_boolean (g_match_info_matches (match));
  return TRUE;
}

/* The whole match, then the groups; null for a group that took no part. */
static gboolean
collect_groups (NebulaVm *vm,
                const NebulaCell *subject,
                GMatchInfo *match,
                NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  const char *text = _nebula_cell_get_string (subject, NULL);
  int groups = g_regex_get_capture_count (g_match_info_get_regex (match)) + 1;

  _nebula_collector_init (&collector, vm, FALSE);
  for (int i = 0; i < groups; i++) {
    NebulaCell none = _nebula_cell_null ();
    int start, end;
    gboolean is_there = g_match_info_fetch_pos (match, i, &start, &end) && start >= 0;

    if (!(is_there ? _nebula_collector_add_string (&collector, text + start, end - start)
                   : _nebula_collector_add (&collector, &none)))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_match (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GMatchInfo) match = NULL;

  if (!begin (vm, arguments, count > 2 ? &arguments[2] : NULL, &regex, &match))
    return FALSE;
  *ret = _nebula_cell_null ();
  return !g_match_info_matches (match) || collect_groups (vm, arguments, match, ret);
}

static gboolean
call_match_all (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GMatchInfo) match = NULL;
  g_auto (NebulaCollector) collector = {0};
  const char *text = _nebula_cell_get_string (arguments, NULL);

  if (!begin (vm, arguments, count > 2 ? &arguments[2] : NULL, &regex, &match))
    return FALSE;
  _nebula_collector_init (&collector, vm, FALSE);
  while (g_match_info_matches (match)) {
    NebulaCell item;
    int start, end;

    g_match_info_fetch_pos (match, 0, &start, &end);
    if (g_regex_get_capture_count (regex) == 0
            ? !_nebula_vm_give_string (vm, text + start, end - start, &item)
            : !collect_groups (vm, arguments, match, &item))
      return FALSE;
    if (!_nebula_collector_add (&collector, &item) || !_nebula_vm_match_next (vm, match))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

/* In the replacement `$0` is the match, `$1` a group, `$$` a dollar. */
static void
append_replacement (GString *result,
                    const char *replacement,
                    const char *text,
                    GMatchInfo *match)
{
  for (const char *p = replacement; *p != '\0'; p++) {
    int start, end;

    if (*p == '$' && p[1] == '$') {
      g_string_append_c (result, *p++);
    } else if (*p == '$' && g_ascii_isdigit (p[1])) {
      p++;
      if (g_match_info_fetch_pos (match, *p - '0', &start, &end) && start >= 0)
        g_string_append_len (result, text + start, end - start);
    } else {
      g_string_append_c (result, *p);
    }
  }
}

static gboolean
call_replace_regex (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GMatchInfo) match = NULL;
  g_autoptr (GString) result = g_string_new (NULL);
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  const char *replacement = _nebula_cell_get_string (&arguments[2], NULL);
  int done = 0;

  if (!begin (vm, arguments, count > 3 ? &arguments[3] : NULL, &regex, &match))
    return FALSE;
  while (g_match_info_matches (match)) {
    int start, end;

    g_match_info_fetch_pos (match, 0, &start, &end);
    g_string_append_len (result, text + done, start - done);
    append_replacement (result, replacement, text, match);
    done = end;
    if (result->len > vm->limits->memory_bytes)
      return _nebula_vm_charge (vm, result->len);
    if (!_nebula_vm_match_next (vm, match))
      return FALSE;
  }
  g_string_append_len (result, text + done, (gssize) length - done);
  return _nebula_vm_give_text (vm, g_steal_pointer (&result), ret);
}

static gboolean
call_split_regex (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GMatchInfo) match = NULL;
  g_auto (NebulaCollector) collector = {0};
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  int done = 0;

  if (!begin (vm, arguments, count > 2 ? &arguments[2] : NULL, &regex, &match))
    return FALSE;
  _nebula_collector_init (&collector, vm, FALSE);
  while (g_match_info_matches (match)) {
    int start, end;

    g_match_info_fetch_pos (match, 0, &start, &end);
    if (end > start || (start > done && start < (int) length)) {
      if (!_nebula_collector_add_string (&collector, text + done, start - done))
        return FALSE;
      done = end;
    }
    if (!_nebula_vm_match_next (vm, match))
      return FALSE;
  }
  return _nebula_collector_add_string (&collector, text + done, (gssize) length - done) &&
         _nebula_collector_end (&collector, ret);
}

static gboolean
call_escape_regex (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  g_autofree char *escaped = g_regex_escape_string (text, (gint) length);

  return _nebula_vm_give_string (vm, escaped, -1, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_regex[] = {
  { "escape_regex", "regex_escape", "s", "s", "text", N_("a pattern that finds just this text"), call_escape_regex, 1, 1 },
  { "match", "regex_match extract", "srg", "az", "text, pattern, flags?", N_("[match, group…] of the first match, else null"), call_match, 2, 3 },
  { "match_all", "regex_match_all extract_all find_all", "srg", "a", "text, pattern, flags?", N_("all matches; with groups arrays of them"), call_match_all, 2, 3 },
  { "matches", "test regex_test is_match", "srg", "b", "text, pattern, flags?", N_("whether the pattern is found"), call_matches, 2, 3 },
  { "replace_regex", "regex_replace", "srsg", "s", "text, pattern, replacement, flags?", N_("with every match replaced; $1 is a group"), call_replace_regex, 3, 4 },
  { "split_regex", "regex_split", "srg", "a", "text, pattern, flags?", N_("the parts between matches"), call_split_regex, 2, 3 },
  { NULL },
};
/* clang-format on */
