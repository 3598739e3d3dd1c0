/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-stored-internal.h"

#include "nebula-value-private.h"

#define DIGEST_LENGTH 64

static const char *const prefixes[] = {
    [NEBULA_STORED_VALUE] = "value:sha256-",
    [NEBULA_STORED_LIST] = "list:sha256-",
    [NEBULA_STORED_ITEM] = "item:sha256-",
    [NEBULA_STORED_PART] = "part:sha256-",
};

static char *
format (const NebulaStored *stored)
{
  GString *text = g_string_new (prefixes[stored->form]);

  g_string_append_printf (text, "%s?", stored->digest);
  if (stored->form == NEBULA_STORED_VALUE)
    g_string_append_printf (text, "kind=%s&", nebula_value_kind_to_string (stored->kind));
  g_string_append_printf (text, "length=%" G_GUINT64_FORMAT "&size=%" G_GUINT64_FORMAT,
                          stored->length, stored->size);
  if (stored->form >= NEBULA_STORED_ITEM)
    g_string_append_printf (text, "&at=%" G_GUINT64_FORMAT, stored->at);
  if (stored->form == NEBULA_STORED_PART)
    g_string_append_printf (text, "&count=%" G_GUINT64_FORMAT, stored->count);
  return g_string_free (text, FALSE);
}

static NebulaValue *
new_marked (const char *text)
{
  NebulaValue *self = nebula_value_new_reference (text);

  self->flags |= NEBULA_VALUE_STORED;
  return self;
}

NebulaValue *
nebula_value_new_stored (const NebulaStored *stored)
{
  g_autofree char *text = format (stored);

  return new_marked (text);
}

static gboolean
take_prefix (const char **text, NebulaStoredForm *ret_form)
{
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++) {
    if (!g_str_has_prefix (*text, prefixes[i]))
      continue;
    *text += strlen (prefixes[i]);
    *ret_form = (NebulaStoredForm) i;
    return TRUE;
  }
  return FALSE;
}

static gboolean
take_digest (const char **text, char *ret_digest)
{
  if (strspn (*text, "0123456789abcdef") != DIGEST_LENGTH)
    return FALSE;
  g_strlcpy (ret_digest, *text, DIGEST_LENGTH + 1);
  *text += DIGEST_LENGTH;
  return TRUE;
}

static gboolean
take_kind (const char **text, NebulaValueKind *ret_kind)
{
  if (!g_str_has_prefix (*text, "?kind="))
    return FALSE;
  *text += strlen ("?kind=");
  for (guint kind = 0; kind <= NEBULA_VALUE_KIND_REFERENCE; kind++) {
    const char *name = nebula_value_kind_to_string (kind);
    gsize length = strlen (name);

    if (!g_str_has_prefix (*text, name) || (*text)[length] != '&')
      continue;
    *text += length;
    *ret_kind = kind;
    return TRUE;
  }
  return FALSE;
}

/* A number as format () writes it. */
static gboolean
take_number (const char **text, const char *name, guint64 *ret_number)
{
  char *end = NULL;

  if (!g_str_has_prefix (*text, name))
    return FALSE;
  *text += strlen (name);
  if (!g_ascii_isdigit (**text) || ((*text)[0] == '0' && g_ascii_isdigit ((*text)[1])))
    return FALSE;
  *ret_number = g_ascii_strtoull (*text, &end, 10);
  *text = end;
  return *ret_number <= G_MAXINT64;
}

static gboolean
parse (const char *text, NebulaStored *ret_stored)
{
  NebulaStored stored = {.kind = NEBULA_VALUE_KIND_ARRAY};
  gboolean is_value;

  if (!take_prefix (&text, &stored.form) || !take_digest (&text, stored.digest))
    return FALSE;
  is_value = stored.form == NEBULA_STORED_VALUE;
  if (is_value && !take_kind (&text, &stored.kind))
    return FALSE;
  if (!take_number (&text, is_value ? "&length=" : "?length=", &stored.length) ||
      !take_number (&text, "&size=", &stored.size))
    return FALSE;
  if (stored.form >= NEBULA_STORED_ITEM && !take_number (&text, "&at=", &stored.at))
    return FALSE;
  if (stored.form == NEBULA_STORED_ITEM)
    stored.kind = NEBULA_VALUE_KIND_NULL;
  if (stored.form == NEBULA_STORED_PART && !take_number (&text, "&count=", &stored.count))
    return FALSE;
  if (stored.form >= NEBULA_STORED_ITEM &&
      (stored.at >= stored.length || stored.count > stored.length - stored.at))
    return FALSE;
  *ret_stored = stored;
  return *text == '\0';
}

NebulaValue *
nebula_value_new_stored_from_text (const char *text)
{
  NebulaStored stored;

  return parse (text, &stored) ? new_marked (text) : NULL;
}

gboolean
nebula_value_is_stored (NebulaValue *self)
{
  return self->kind == NEBULA_VALUE_KIND_REFERENCE && (self->flags & NEBULA_VALUE_STORED);
}

gboolean
nebula_value_get_stored (NebulaValue *self, NebulaStored *ret_stored)
{
  return nebula_value_is_stored (self) && parse (nebula_value_get_string (self), ret_stored);
}

gboolean
nebula_value_has_stored (NebulaValue *self)
{
  return (self->flags & NEBULA_VALUE_STORED) != 0;
}

gboolean
nebula_value_has_reference (NebulaValue *self)
{
  return (self->flags & NEBULA_VALUE_REFERS) != 0;
}
