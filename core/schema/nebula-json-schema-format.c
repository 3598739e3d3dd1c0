/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "nebula-json-schema-private.h"
#include "nebula-text-forms-internal.h"

/* The formats that the drafts define; other names only describe. */
static const char *const formats[] = {
    "date",          "date-time",    "duration",      "email",
    "hostname",      "idn-email",    "idn-hostname",  "ipv4",
    "ipv6",          "iri",          "iri-reference", "json-pointer",
    "regex",         "time",         "uri",           "relative-json-pointer",
    "uri-reference", "uri-template", "uuid",          NULL};

gboolean
_nebula_schema_has_format (const char *format)
{
  return g_strv_contains (formats, format);
}

gboolean
_nebula_schema_format_matches (const char *format, const char *text, gsize length)
{
  return !_nebula_schema_has_format (format) ||
         nebula_text_form_find (format) (text, length);
}
