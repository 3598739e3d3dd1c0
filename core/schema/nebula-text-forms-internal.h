/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether a text has a form. The text is UTF-8, may hold U+0000 and ends with 0. */
typedef gboolean (*NebulaTextForm) (const char *text, gsize length);

/* NULL: there is no form of that name. The names are those of JSON Schema's `format` and of the validators. */
NebulaTextForm nebula_text_form_find (const char *name);

#define FORM(name) gboolean nebula_text_is_##name (const char *text, gsize length)
FORM (base64);
FORM (credit_card);
FORM (date);
FORM (date_time);
FORM (duration);
FORM (email);
FORM (hex);
FORM (hostname);
FORM (iban);
FORM (idn_email);
FORM (idn_hostname);
FORM (ipv4);
FORM (ipv6);
FORM (iri);
FORM (iri_reference);
FORM (json);
FORM (json_pointer);
FORM (mac);
FORM (phone);
FORM (port);
FORM (regex);
FORM (relative_json_pointer);
FORM (semver);
FORM (slug);
FORM (time);
FORM (uri);
FORM (uri_reference);
FORM (uri_template);
FORM (url);
FORM (uuid);
FORM (xml);
#undef FORM

G_END_DECLS
