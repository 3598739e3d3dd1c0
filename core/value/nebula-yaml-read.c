/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML by the events of libyaml. Plain scalars are typed narrowly: `true`, `false`, `null`, `~`, nothing at all, and
 * numbers as JSON writes them; all else is text. Not accepted: tags, several documents, keys that are no scalars,
 * repeated keys. Values behind an anchor are shared, so an alias costs nothing; what they would grow to is counted.
 */
#include <glib/gi18n-lib.h>
#include <yaml.h>

#include "nebula-document-private.h"
#include "nebula-error.h"
#include "nebula-json-internal.h"
#include "nebula-value-private.h"

typedef struct
{
  NebulaValueBuilder *builder;
  gboolean is_object;
  gboolean has_key; /* the next value belongs to a key that was read */
  gsize slot;
  NebulaPlace key;
  guint32 place;
  guint64 weight; /* values in it, aliases counted in full */
  char *anchor;
} Level;

typedef struct
{
  NebulaValue *value;
  guint64 weight;
} Anchor;

typedef struct
{
  yaml_parser_t parser;
  GArray *places;
  Level levels[NEBULA_LIMIT_DEPTH];
  guint depth;
  GHashTable *anchors; /* name → Anchor */
  guint n_aliases;
  guint n_documents;
  guint64 weight;
  NebulaPlace last_alias;
  NebulaValue *result;
  NebulaPlace at; /* of the current event */
  GError **error;
} Reader;

static void
anchor_free (gpointer data)
{
  Anchor *anchor = data;

  nebula_value_unref (anchor->value);
  g_free (anchor);
}

static gboolean
fail (Reader *reader, NebulaError code, const char *message)
{
  g_set_error_literal (reader->error, NEBULA_ERROR, code, message);
  return FALSE;
}

static void
set_place (NebulaPlace *place, const yaml_mark_t *mark)
{
  place->line = (guint32) MIN (mark->line + 1, G_MAXUINT32);
  place->column = (guint32) MIN (mark->column + 1, G_MAXUINT32);
}

static guint64
add_weight (guint64 weight, guint64 more)
{
  return weight > G_MAXUINT64 - more ? G_MAXUINT64 : weight + more;
}

static void
add_place (Reader *reader)
{
  NebulaPlace place = reader->at;
  Level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;

  place.key_line = level && level->is_object ? level->key.line : place.line;
  place.key_column = level && level->is_object ? level->key.column : place.column;
  place.end = reader->places->len + 1;
  g_array_append_val (reader->places, place);
}

/* Takes the value over. */
static void
deliver (Reader *reader, NebulaValue *value, guint64 weight)
{
  Level *level = NULL;

  if (reader->depth == 0) {
    reader->result = value;
    reader->weight = weight;
    return;
  }
  level = &reader->levels[reader->depth - 1];
  level->weight = add_weight (level->weight, weight);
  if (level->is_object)
    _nebula_value_builder_fill (level->builder, level->slot, value);
  else
    nebula_value_builder_add_take (level->builder, value);
  level->has_key = FALSE;
}

static void
remember (Reader *reader, const char *name, NebulaValue *value, guint64 weight)
{
  Anchor *anchor = g_new (Anchor, 1);

  anchor->value = nebula_value_ref (value);
  anchor->weight = weight;
  g_hash_table_replace (reader->anchors, g_strdup (name), anchor);
}

static NebulaValue *
resolve_plain (Reader *reader, const char *text, gsize length)
{
  static const NebulaJsonLimits limits = { G_MAXSIZE, G_MAXSIZE, G_MAXSIZE };
  gsize offset = 0;

  if (length == 0 || strcmp (text, "~") == 0 || strcmp (text, "null") == 0)
    return nebula_value_new_null ();
  if (strcmp (text, "true") == 0 || strcmp (text, "false") == 0)
    return nebula_value_new_boolean (*text == 't');
  if (_nebula_number_text_is_valid (text, length))
    return _nebula_json_read (text, length, NEBULA_JSON_FLAGS_NONE, &limits, NULL, &offset, reader->error);
  return nebula_value_new_string_length (text, length);
}

static gboolean
awaits_key (Reader *reader)
{
  Level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;

  return level && level->is_object && !level->has_key;
}

static gboolean
read_key (Reader *reader, const char *text, gsize length)
{
  Level *level = &reader->levels[reader->depth - 1];
  gboolean existed = FALSE;

  level->key = reader->at;
  level->slot = _nebula_value_builder_reserve (level->builder, text, length, &existed);
  level->has_key = TRUE;
  if (existed) {
    g_autofree char *shown = g_utf8_make_valid (text, (gssize) MIN (length, 80));

    g_set_error (reader->error, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY,
                 _ ("The key “%s” stands here a second time; remove one."), shown);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_tag (Reader *reader, const yaml_char_t *tag)
{
  return !tag || fail (reader, NEBULA_ERROR_UNSUPPORTED, _ ("Tags are not supported; write the value without “!”."));
}

static gboolean
count_item (Reader *reader)
{
  return reader->places->len < NEBULA_DOCUMENT_ITEMS
         || fail (reader, NEBULA_ERROR_TOO_LARGE, _ ("The text holds too many values; split it."));
}

static gboolean
read_scalar (Reader *reader, const yaml_event_t *event)
{
  const char *text = (const char *) event->data.scalar.value;
  const char *anchor = (const char *) event->data.scalar.anchor;
  gsize length = event->data.scalar.length;
  NebulaValue *value = NULL;

  if (!check_tag (reader, event->data.scalar.tag) || !count_item (reader))
    return FALSE;
  if (awaits_key (reader))
    return anchor ? fail (reader, NEBULA_ERROR_UNSUPPORTED, _ ("A key may not have an anchor."))
                  : read_key (reader, text, length);
  if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
    value = resolve_plain (reader, text, length);
  else
    value = nebula_value_new_string_length (text, length);
  if (!value)
    return FALSE;
  if (anchor)
    remember (reader, anchor, value, 1);
  add_place (reader);
  deliver (reader, value, 1);
  return TRUE;
}

static gboolean
read_alias (Reader *reader, const yaml_event_t *event)
{
  Anchor *anchor = g_hash_table_lookup (reader->anchors, event->data.alias.anchor);

  if (++reader->n_aliases > NEBULA_LIMIT_YAML_ALIASES)
    return fail (reader, NEBULA_ERROR_TOO_LARGE, _ ("The text holds more than 100 aliases; write some of them out."));
  if (awaits_key (reader))
    return fail (reader, NEBULA_ERROR_UNSUPPORTED, _ ("A key must be a text, not an alias."));
  if (!anchor) {
    g_set_error (reader->error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX, _ ("No finished part before this is named “&%s”."),
                 event->data.alias.anchor);
    return FALSE;
  }
  if (reader->depth + nebula_value_get_depth (anchor->value) > NEBULA_LIMIT_DEPTH)
    return fail (reader, NEBULA_ERROR_TOO_DEEP, _ ("The text is nested deeper than 128 levels."));
  reader->last_alias = reader->at;
  add_place (reader);
  deliver (reader, nebula_value_ref (anchor->value), anchor->weight);
  return TRUE;
}

static gboolean
open_container (Reader *reader, gboolean is_object, const yaml_char_t *tag, const yaml_char_t *anchor)
{
  Level *level = NULL;

  if (!check_tag (reader, tag) || !count_item (reader))
    return FALSE;
  if (awaits_key (reader))
    return fail (reader, NEBULA_ERROR_UNSUPPORTED, _ ("A key must be a text, not a list or object."));
  if (reader->depth >= NEBULA_LIMIT_DEPTH)
    return fail (reader, NEBULA_ERROR_TOO_DEEP, _ ("The text is nested deeper than 128 levels."));
  add_place (reader);
  level = &reader->levels[reader->depth++];
  *level = (Level){ .is_object = is_object, .place = reader->places->len - 1, .weight = 1 };
  level->builder = is_object ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();
  level->anchor = g_strdup ((const char *) anchor);
  return TRUE;
}

static void
close_container (Reader *reader)
{
  Level *level = &reader->levels[--reader->depth];
  NebulaValue *value = nebula_value_builder_end (level->builder);
  guint64 weight = level->weight;

  g_array_index (reader->places, NebulaPlace, level->place).end = reader->places->len;
  if (level->anchor)
    remember (reader, level->anchor, value, weight);
  g_clear_pointer (&level->anchor, g_free);
  g_clear_pointer (&level->builder, nebula_value_builder_unref);
  deliver (reader, value, weight);
}

static gboolean
start_document (Reader *reader, const yaml_event_t *event)
{
  if (reader->n_documents++ > 0)
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("A second document begins here; one file holds one document."));
  if (event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
    return fail (reader, NEBULA_ERROR_UNSUPPORTED, _ ("Tags are not supported; remove the %TAG line."));
  return TRUE;
}

static gboolean
read_event (Reader *reader, const yaml_event_t *event)
{
  set_place (&reader->at, &event->start_mark);
  switch (event->type) {
  case YAML_DOCUMENT_START_EVENT:
    return start_document (reader, event);
  case YAML_ALIAS_EVENT:
    return count_item (reader) && read_alias (reader, event);
  case YAML_SCALAR_EVENT:
    return read_scalar (reader, event);
  case YAML_SEQUENCE_START_EVENT:
    return open_container (reader, FALSE, event->data.sequence_start.tag, event->data.sequence_start.anchor);
  case YAML_MAPPING_START_EVENT:
    return open_container (reader, TRUE, event->data.mapping_start.tag, event->data.mapping_start.anchor);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    close_container (reader);
    return TRUE;
  case YAML_NO_EVENT:
  case YAML_STREAM_START_EVENT:
  case YAML_STREAM_END_EVENT:
  case YAML_DOCUMENT_END_EVENT:
  default:
    return TRUE;
  }
}

/* What libyaml says is a fragment in English; it is the detail of our sentence. */
static gboolean
fail_parser (Reader *reader)
{
  yaml_parser_t *parser = &reader->parser;
  const char *problem = parser->problem ? parser->problem : "";

  if (parser->error == YAML_READER_ERROR) {
    set_place (&reader->at, &parser->mark);
    return fail (reader, NEBULA_ERROR_SYNTAX, _ ("The text is not UTF-8 here, or holds a character that YAML forbids."));
  }
  set_place (&reader->at, &parser->problem_mark);
  if (g_str_has_prefix (problem, "found character that cannot start any token"))
    return fail (reader, NEBULA_ERROR_SYNTAX,
                 _ ("No YAML value begins like this; put it in quotes, and indent with spaces, not tabs."));
  if (g_str_has_prefix (problem, "mapping values are not allowed"))
    return fail (reader, NEBULA_ERROR_SYNTAX,
                 _ ("A colon may not stand here; put the text in quotes, or check the indentation."));
  g_set_error (reader->error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX, _ ("This is not YAML: %s; check indentation and quotes."),
               problem);
  return FALSE;
}

static gboolean
read_events (Reader *reader)
{
  gboolean is_end = FALSE;

  while (!is_end) {
    yaml_event_t event;
    gboolean is_good = FALSE;

    if (!yaml_parser_parse (&reader->parser, &event))
      return fail_parser (reader);
    is_good = read_event (reader, &event);
    is_end = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete (&event);
    if (!is_good)
      return FALSE;
  }
  return TRUE;
}

static gboolean
finish (Reader *reader)
{
  if (!reader->result) {
    reader->at = (NebulaPlace){ .line = 1, .column = 1 };
    add_place (reader);
    reader->result = nebula_value_new_null ();
  }
  if (reader->n_aliases == 0 || reader->weight / NEBULA_LIMIT_YAML_EXPANSION <= reader->places->len)
    return TRUE;
  reader->at = reader->last_alias;
  return fail (reader, NEBULA_ERROR_TOO_LARGE,
               _ ("Aliases make the text more than ten times as large; write fewer of them."));
}

static void
reader_clear (Reader *reader)
{
  for (guint i = 0; i < reader->depth; i++) {
    nebula_value_builder_unref (reader->levels[i].builder);
    g_free (reader->levels[i].anchor);
  }
  g_hash_table_unref (reader->anchors);
  yaml_parser_delete (&reader->parser);
}

NebulaValue *
_nebula_yaml_read (const char *text, gsize length, GArray *places, NebulaPlace *ret_place, GError **error)
{
  g_autofree Reader *reader = g_new0 (Reader, 1);
  NebulaValue *value = NULL;

  if (length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0) {
    text += 3;
    length -= 3;
  }
  reader->places = places;
  reader->error = error;
  reader->anchors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, anchor_free);
  if (!yaml_parser_initialize (&reader->parser))
    g_assert_not_reached ();
  yaml_parser_set_encoding (&reader->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string (&reader->parser, (const unsigned char *) text, length);
  if (read_events (reader) && finish (reader)) {
    value = g_steal_pointer (&reader->result);
  } else {
    *ret_place = reader->at;
    g_clear_pointer (&reader->result, nebula_value_unref);
  }
  reader_clear (reader);
  return value;
}
