/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Regular expressions that come from outside, as GRegex has them, within bounds: limits on backtracking that stand in
 * front of every pattern, no verbs, recursion or callouts, at most 1,000 characters and 100 groups, and subjects of at
 * most 64 KiB, because a single step of the matcher may scan all of its subject.
 *
 * The one place where the engine compiles a pattern that it did not write itself. Thread: any (a GRegex is immutable).
 */

#define NEBULA_REGEX_SUBJECT_BYTES 65536

/* Error: regex, saying what is wrong. @length: bytes of @text, which ends with 0; -1 measures. */
GRegex *nebula_regex_new (const char *text,
                          gssize length,
                          GRegexCompileFlags flags,
                          GError **error);

/* What nebula_regex_new () checks before it compiles. */
gboolean nebula_regex_check (const char *text, gssize length, GError **error);

/* The same limits for a pattern that was translated here from another grammar, without the checks. NULL: not valid. */
GRegex *nebula_regex_new_translated (const char *text, GRegexCompileFlags flags);

/* FALSE without error: no match. Error: budget-exceeded, too long a text or too many steps. */
gboolean
nebula_regex_matches (GRegex *regex, const char *text, gsize length, GError **error);

G_END_DECLS
