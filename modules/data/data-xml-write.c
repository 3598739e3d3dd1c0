/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A value to XML, by libxml2's writer; data-xml-read.c shows what becomes what. */
#include "data.h"

#include <glib/gi18n-lib.h>
#include <libxml/tree.h>
#include <libxml/xmlwriter.h>
#include <string.h>

#define XML(text) ((const xmlChar *) (text))

/* XML 1.0, section 2.2: of the control characters only these three exist. */
static gboolean
is_text (const char *text)
{
  for (; *text; text++)
    if ((guchar) *text < 0x20 && !strchr ("\t\n\r", *text))
      return FALSE;
  return TRUE;
}

static gboolean
check_name (const char *name, gsize length, GError **error)
{
  if (strlen (name) == length && xmlValidateName (XML (name), 0) == 0)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _ ("“%s” cannot be the name of an XML element. Rename the member."), name);
  return FALSE;
}

static char *
dup_text (NebulaValue *value, GError **error)
{
  g_autofree char *text = nebula_value_to_text (value);

  if (is_text (text))
    return g_steal_pointer (&text);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                       _ ("A text holds a control character, which XML cannot. Remove it, "
                          "or write base64."));
  return NULL;
}

static gboolean
write_text (xmlTextWriterPtr writer, NebulaValue *value, GError **error)
{
  g_autofree char *text = dup_text (value, error);

  if (text && *text)
    xmlTextWriterWriteString (writer, XML (text));
  return text != NULL;
}

static gboolean
write_attributes (xmlTextWriterPtr writer, NebulaValue *object, GError **error)
{
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    gsize length;
    const char *key = nebula_value_get_key (object, i, &length);
    g_autofree char *text = NULL;

    if (*key != '@')
      continue;
    text = dup_text (nebula_value_get_member_at (object, i), error);
    if (!text || !check_name (key + 1, length - 1, error))
      return FALSE;
    xmlTextWriterWriteAttribute (writer, XML (key + 1), XML (text));
  }
  return TRUE;
}

static gboolean write_member (xmlTextWriterPtr writer,
                              const char *name,
                              gsize length,
                              NebulaValue *value,
                              GError **error);

static gboolean
write_children (xmlTextWriterPtr writer, NebulaValue *object, GError **error)
{
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    gsize length;
    const char *key = nebula_value_get_key (object, i, &length);
    NebulaValue *member = nebula_value_get_member_at (object, i);
    gboolean is_written = *key == '@' || (strcmp (key, "#text") == 0
                                              ? write_text (writer, member, error)
                                              : write_member (writer, key, length, member, error));

    if (!is_written)
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_content (xmlTextWriterPtr writer, NebulaValue *value, GError **error)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_OBJECT)
    return write_attributes (writer, value, error) && write_children (writer, value, error);
  if (kind == NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("An array in an array has no form in XML. Put an object with a "
                            "member around the inner one."));
    return FALSE;
  }
  return kind == NEBULA_VALUE_KIND_NULL || write_text (writer, value, error);
}

static gboolean
write_element (xmlTextWriterPtr writer, const char *name, NebulaValue *value, GError **error)
{
  xmlTextWriterStartElement (writer, XML (name));
  if (!write_content (writer, value, error))
    return FALSE;
  xmlTextWriterEndElement (writer);
  return TRUE;
}

/* An array becomes one element for each item. */
static gboolean
write_member (xmlTextWriterPtr writer,
              const char *name,
              gsize length,
              NebulaValue *value,
              GError **error)
{
  if (!check_name (name, length, error))
    return FALSE;
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return write_element (writer, name, value, error);
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!write_element (writer, name, nebula_value_get_item (value, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
write_document (xmlTextWriterPtr writer, NebulaValue *value, GError **error)
{
  gsize length;
  const char *name;
  NebulaValue *root;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT ||
      nebula_value_get_length (value) != 1 ||
      nebula_value_get_kind (nebula_value_get_member_at (value, 0)) ==
          NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("XML wants an object with one member, its root element."));
    return FALSE;
  }
  name = nebula_value_get_key (value, 0, &length);
  root = nebula_value_get_member_at (value, 0);
  if (!check_name (name, length, error))
    return FALSE;
  xmlTextWriterStartDocument (writer, NULL, "UTF-8", NULL);
  if (!write_element (writer, name, root, error))
    return FALSE;
  xmlTextWriterEndDocument (writer);
  return TRUE;
}

char *
nebula_data_xml_write (NebulaValue *value, gboolean is_pretty, GError **error)
{
  xmlBufferPtr buffer = xmlBufferCreate ();
  xmlTextWriterPtr writer = buffer ? xmlNewTextWriterMemory (buffer, 0) : NULL;
  gboolean is_written = FALSE;
  char *text = NULL;

  g_assert (writer != NULL);
  xmlTextWriterSetIndent (writer, is_pretty);
  xmlTextWriterSetIndentString (writer, XML ("  "));
  is_written = write_document (writer, value, error);
  xmlFreeTextWriter (writer);
  if (is_written)
    text = g_strdup ((const char *) xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return text;
}
