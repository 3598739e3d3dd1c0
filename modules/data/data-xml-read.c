/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XML to a value, by libxml2's reader. The document becomes an object with one member, its root element:
 *
 *   <a/>                     null
 *   <a>text</a>              "text"
 *   <a x="1"><b/>text</a>    {"@x": "1", "b": null, "#text": "text"}
 *   <a><b>1</b><b>2</b></a>  {"b": ["1", "2"]}
 *
 * Names keep their prefix. Nothing outside the text is read, and a document that declares anything of its own (an
 * internal subset: entities, defaults) is refused, so a short text cannot grow into a long one.
 */
#include "data.h"

#include <glib/gi18n-lib.h>
#include <libxml/tree.h>
#include <libxml/xmlreader.h>
#include <string.h>

/* An element may be an array's item inside an object. */
#define DEPTH_MAX (NEBULA_LIMIT_DEPTH / 2)

typedef struct {
  GPtrArray *names;    /* char *, in order of first sight */
  GHashTable *members; /* name → GPtrArray of NebulaValue */
  GString *text;
  gboolean has_text; /* other than white space */
} Element;

static void
element_init (Element *self)
{
  self->names = g_ptr_array_new ();
  self->members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) g_ptr_array_unref);
  self->text = g_string_new (NULL);
  self->has_text = FALSE;
}

static void
element_clear (Element *self)
{
  g_ptr_array_unref (self->names);
  g_hash_table_unref (self->members);
  g_string_free (self->text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Element, element_clear)

static void
element_add_take (Element *self, char *name, NebulaValue *value)
{
  GPtrArray *values = g_hash_table_lookup (self->members, name);

  if (values) {
    g_free (name);
  } else {
    values = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
    g_ptr_array_add (self->names, name);
    g_hash_table_insert (self->members, name, values);
  }
  g_ptr_array_add (values, value);
}

static void
element_add_text (Element *self, const char *text)
{
  g_string_append (self->text, text);
  self->has_text |= strspn (text, " \t\r\n") < strlen (text);
}

static NebulaValue *
element_end (Element *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (self->names->len == 0)
    return self->has_text
               ? nebula_value_new_string_length (self->text->str, self->text->len)
               : nebula_value_new_null ();
  builder = nebula_value_builder_new_object ();
  for (guint i = 0; i < self->names->len; i++) {
    const char *name = self->names->pdata[i];
    GPtrArray *values = g_hash_table_lookup (self->members, name);

    if (values->len == 1)
      nebula_value_builder_set (builder, name, values->pdata[0]);
    else
      nebula_value_builder_set_take (
          builder, name,
          nebula_value_new_array ((NebulaValue **) values->pdata, values->len));
  }
  if (self->has_text)
    nebula_value_builder_set_string (builder, "#text", self->text->str);
  return nebula_value_builder_end (builder);
}

static gboolean
refuse (xmlTextReaderPtr reader, const char *reason, GError **error)
{
  /* The parser's own report came first and knows more. */
  if (!error || !*error)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX, _ ("Line %d, column %d: %s"),
                 xmlTextReaderGetParserLineNumber (reader),
                 xmlTextReaderGetParserColumnNumber (reader), reason);
  return FALSE;
}

static void
read_attributes (xmlTextReaderPtr reader, Element *element)
{
  while (xmlTextReaderMoveToNextAttribute (reader) == 1) {
    const char *name = (const char *) xmlTextReaderConstName (reader);
    const char *value = (const char *) xmlTextReaderConstValue (reader);

    element_add_take (element, g_strconcat ("@", name, NULL),
                      nebula_value_new_string (value ? value : ""));
  }
  xmlTextReaderMoveToElement (reader);
}

static NebulaValue *read_element (xmlTextReaderPtr reader, guint depth, GError **error);

/* One node below an element; *ret_is_end at its end tag. */
static gboolean
read_node (xmlTextReaderPtr reader,
           Element *element,
           guint depth,
           gboolean *ret_is_end,
           GError **error)
{
  g_autofree char *name = NULL;
  NebulaValue *child;

  switch (xmlTextReaderNodeType (reader)) {
  case XML_READER_TYPE_ELEMENT:
    name = g_strdup ((const char *) xmlTextReaderConstName (reader));
    child = read_element (reader, depth + 1, error);
    if (!child)
      return FALSE;
    element_add_take (element, g_steal_pointer (&name), child);
    return TRUE;
  case XML_READER_TYPE_TEXT:
  case XML_READER_TYPE_CDATA:
  case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
  case XML_READER_TYPE_WHITESPACE:
    element_add_text (element, (const char *) xmlTextReaderConstValue (reader));
    return TRUE;
  case XML_READER_TYPE_ENTITY_REFERENCE:
    return refuse (reader, _ ("the text refers to an entity that is none of XML's own five"),
                   error);
  case XML_READER_TYPE_END_ELEMENT:
    *ret_is_end = TRUE;
    return TRUE;
  default:
    return TRUE;
  }
}

/* The reader stands on the start tag, and afterwards on the end tag. */
static NebulaValue *
read_element (xmlTextReaderPtr reader, guint depth, GError **error)
{
  gboolean is_end = xmlTextReaderIsEmptyElement (reader) == 1;
  g_auto (Element) element = {NULL};

  element_init (&element);
  if (depth > DEPTH_MAX) {
    refuse (reader, _ ("the elements lie too deep in one another"), error);
    return NULL;
  }
  read_attributes (reader, &element);
  while (!is_end) {
    if (xmlTextReaderRead (reader) != 1) {
      refuse (reader, _ ("the text ends in the middle of an element"), error);
      return NULL;
    }
    if (!read_node (reader, &element, depth, &is_end, error))
      return NULL;
  }
  return element_end (&element);
}

static gboolean
declares_something (xmlTextReaderPtr reader)
{
  const xmlNode *node = xmlTextReaderCurrentNode (reader);
  const xmlDtd *subset = node && node->doc ? node->doc->intSubset : NULL;

  return subset && (subset->children || subset->entities);
}

static NebulaValue *
read_document (xmlTextReaderPtr reader, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *name = NULL;
  NebulaValue *root;
  int status;

  while ((status = xmlTextReaderRead (reader)) == 1 &&
         xmlTextReaderNodeType (reader) != XML_READER_TYPE_ELEMENT)
    ;
  if (status != 1) {
    refuse (reader, _ ("there is no element"), error);
    return NULL;
  }
  if (declares_something (reader)) {
    refuse (reader, _ ("the document declares entities or other things of its own. Remove the declarations"),
            error);
    return NULL;
  }
  name = g_strdup ((const char *) xmlTextReaderConstName (reader));
  root = read_element (reader, 1, error);
  if (!root)
    return NULL;
  nebula_value_builder_set_take (builder, name, root);
  while ((status = xmlTextReaderRead (reader)) == 1)
    ;
  if (status != 0) {
    refuse (reader, _ ("there is more behind the root element"), error);
    return NULL;
  }
  return nebula_value_builder_end (builder);
}

static void
note_error (void *data, xmlErrorPtr failure)
{
  GError **error = data;
  g_autofree char *message = NULL;

  if (*error || failure->level < XML_ERR_ERROR)
    return;
  message = g_utf8_make_valid (failure->message ? failure->message : "", -1);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX, _ ("Line %d, column %d: %s"),
               failure->line, failure->int2, g_strchomp (message));
}

NebulaValue *
nebula_data_xml_read (const char *text, gsize length, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  xmlTextReaderPtr reader;
  NebulaValue *value = NULL;

  if (length > NEBULA_LIMIT_DOCUMENT_BYTES || length > G_MAXINT) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                 _ ("The XML is larger than %d bytes. Split it."),
                 NEBULA_LIMIT_DOCUMENT_BYTES);
    return NULL;
  }
  reader = xmlReaderForMemory (text, (int) length, NULL, "UTF-8",
                               XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_COMPACT);
  if (reader) {
    xmlTextReaderSetStructuredErrorHandler (reader, note_error, &local_error);
    value = read_document (reader, &local_error);
    xmlFreeTextReader (reader);
  }
  /* A document with an error is refused whole, even where the reader would go on. */
  if (local_error)
    g_clear_pointer (&value, nebula_value_unref);
  if (!value && !local_error)
    g_set_error_literal (&local_error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("The text is not XML."));
  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return value;
}
