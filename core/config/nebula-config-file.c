/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A configuration file is YAML, one key a line: `log-levels: debug`; settings of tenants and modules stand under their names
 * in the objects `tenants` and `modules`. It is read whole and held against the schema; one
 * mistake refuses it whole. Only regular files of at most 1 MiB are opened, never through a symbolic link.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nebula-config-private.h"
#include "nebula-convert.h"
#include "nebula-document.h"
#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-log.h"

#define FILE_BYTES_MAX (1 << 20)

static gboolean
check_text_kind (const char *key, GVariant *variant, GError **error)
{
  const char *kind = _nebula_config_get_text_kind (key);
  const char *text = kind ? g_variant_get_string (variant, NULL) : NULL;
  g_autoptr (GError) reason = NULL;
  gint64 usec = 0;
  guint64 bytes = 0;

  if (g_strcmp0 (kind, "duration") == 0)
    nebula_duration_parse (text, &usec, &reason);
  else if (g_strcmp0 (kind, "size") == 0)
    nebula_size_parse (text, &bytes, &reason);
  else if (kind)
    nebula_log_check_levels (text, &reason);
  if (!reason)
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, reason->message);
  return FALSE;
}

/* “strict, relaxed, memory” or “1 … 100”. */
static char *
describe_range (GVariant *range)
{
  const char *type;
  g_autoptr (GVariant) content = NULL;
  g_autofree const char **choices = NULL;
  g_autoptr (GVariant) least = NULL;
  g_autoptr (GVariant) greatest = NULL;
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;

  g_variant_get (range, "(&sv)", &type, &content);
  if (g_str_equal (type, "enum")) {
    choices = g_variant_get_strv (content, NULL);
    return g_strjoinv (", ", (char **) choices);
  }
  if (!g_str_equal (type, "range"))
    return g_variant_print (content, FALSE);
  least = g_variant_get_child_value (content, 0);
  greatest = g_variant_get_child_value (content, 1);
  from = g_variant_print (least, FALSE);
  to = g_variant_print (greatest, FALSE);
  return g_strdup_printf ("%s … %s", from, to);
}

/* Takes a floating variant; gives a sunk one that the schema accepts. */
static GVariant *
check_variant (GSettingsSchema *schema, const char *key, GVariant *floating, GError **error)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (floating);
  g_autoptr (GSettingsSchemaKey) schema_key = g_settings_schema_get_key (schema, key);
  g_autoptr (GVariant) range = g_settings_schema_key_get_range (schema_key);
  g_autofree char *range_text = NULL;

  if (g_settings_schema_key_range_check (schema_key, variant))
    return check_text_kind (key, variant, error) ? g_steal_pointer (&variant) : NULL;
  range_text = describe_range (range);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, _ ("The value is not allowed; allowed is %s."), range_text);
  return NULL;
}

static GVariant *
fail_type (const char *wanted, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, _ ("The value must be %s."), wanted);
  return NULL;
}

/* A YAML value as the type that the schema has for the key. */
static GVariant *
convert_value (const GVariantType *type, NebulaValue *value, GError **error)
{
  g_auto (GValue) gvalue = G_VALUE_INIT;
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (g_variant_type_equal (type, G_VARIANT_TYPE_STRING)) {
    g_value_init (&gvalue, G_TYPE_STRING);
    if (kind == NEBULA_VALUE_KIND_NULL || !nebula_value_to_gvalue (value, &gvalue, NULL))
      return fail_type (_ ("a text"), error);
    return g_variant_new_string (g_value_get_string (&gvalue));
  }
  if (g_variant_type_equal (type, G_VARIANT_TYPE_BOOLEAN))
    return kind == NEBULA_VALUE_KIND_BOOLEAN ? g_variant_new_boolean (nebula_value_get_boolean (value))
                                             : fail_type (_ ("true or false"), error);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_INT32)) {
    g_value_init (&gvalue, G_TYPE_INT);
    return nebula_value_to_gvalue (value, &gvalue, NULL) ? g_variant_new_int32 (g_value_get_int (&gvalue))
                                                         : fail_type (_ ("a whole number"), error);
  }
  g_value_init (&gvalue, G_TYPE_STRV);
  if (kind != NEBULA_VALUE_KIND_ARRAY || !nebula_value_to_gvalue (value, &gvalue, NULL))
    return fail_type (_ ("a list of texts"), error);
  return g_variant_new_strv (g_value_get_boxed (&gvalue), -1);
}

static GVariantType *
dup_type (GSettingsSchema *schema, const char *key)
{
  g_autoptr (GSettingsSchemaKey) schema_key = g_settings_schema_get_key (schema, key);

  return g_variant_type_copy (g_settings_schema_key_get_value_type (schema_key));
}

/* From the environment or the command line: lists have colons between their parts. */
GVariant *
_nebula_config_parse_text (NebulaConfigSchemas *schemas, const char *key, const char *text, GError **error)
{
  const char *leaf = NULL;
  GSettingsSchema *schema = _nebula_config_schemas_find (schemas, key, &leaf, error);
  g_autoptr (NebulaValue) value = NULL;
  g_auto (GStrv) parts = NULL;
  g_autoptr (GVariantType) type = NULL;
  GVariant *variant = NULL;

  if (!schema)
    return NULL;
  type = dup_type (schema, leaf);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_STRING)) {
    value = nebula_value_new_string (text);
  } else if (g_variant_type_equal (type, G_VARIANT_TYPE_STRING_ARRAY)) {
    parts = g_strsplit (text, ":", *text ? -1 : 0);
    value = nebula_value_new_strv ((const char *const *) parts);
  } else {
    value = nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_NONE, NULL);
    if (!value)
      value = nebula_value_new_string (text);
  }
  variant = convert_value (type, value, error);
  return variant ? check_variant (schema, leaf, variant, error) : NULL;
}

static gboolean
fail_file (const char *path, int code, GError **error)
{
  /* TRANSLATORS: a file name, then what the system says about it */
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, _ ("Configuration file “%s”: %s."), path, g_strerror (code));
  return FALSE;
}

static gboolean
read_descriptor (int descriptor, GByteArray *buffer)
{
  guint8 part[4096];
  gssize count = 0;

  do {
    count = read (descriptor, part, sizeof part);
    if (count > 0)
      g_byte_array_append (buffer, part, (guint) count);
  } while ((count > 0 && buffer->len <= FILE_BYTES_MAX) || (count < 0 && errno == EINTR));
  return count >= 0;
}

/* *ret_bytes stays NULL if there is no such file. */
static gboolean
read_file (const char *path, GBytes **ret_bytes, GError **error)
{
  g_autoptr (GByteArray) buffer = g_byte_array_new ();
  int descriptor = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  gboolean is_read = FALSE;
  struct stat status;
  int code = 0;

  if (descriptor < 0)
    return errno == ENOENT ? TRUE : fail_file (path, errno, error);
  if (fstat (descriptor, &status) != 0 || !S_ISREG (status.st_mode))
    code = EINVAL;
  else if (status.st_mode & S_IWOTH)
    code = EPERM;
  else
    is_read = read_descriptor (descriptor, buffer);
  if (!is_read && code == 0)
    code = errno;
  close (descriptor);
  if (is_read && buffer->len > FILE_BYTES_MAX)
    code = EFBIG;
  if (code != 0)
    return fail_file (path, code, error);
  *ret_bytes = g_byte_array_free_to_bytes (g_steal_pointer (&buffer));
  return TRUE;
}

static NebulaDocument *
parse_file (const char *path, GBytes *bytes, GError **error)
{
  guint line = 0, column = 0;
  g_autoptr (GError) local_error = NULL;
  g_autoptr (NebulaDocument) document
    = nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_YAML, &line, &column, &local_error);
  NebulaValueKind kind = NEBULA_VALUE_KIND_NULL;

  if (!document) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, "%s:%u: %s", path, line, local_error->message);
    return NULL;
  }
  kind = nebula_value_get_kind (nebula_document_get_value (document));
  if (kind == NEBULA_VALUE_KIND_OBJECT || kind == NEBULA_VALUE_KIND_NULL)
    return g_steal_pointer (&document);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, "%s:1: %s", path,
               _ ("A configuration file holds lines such as “log-levels: debug”."));
  return NULL;
}

static GVariant *
read_member (NebulaConfigSchemas *schemas, const char *key, NebulaValue *value, GError **error)
{
  const char *leaf = NULL;
  GSettingsSchema *schema = _nebula_config_schemas_find (schemas, key, &leaf, error);
  g_autoptr (GVariantType) type = NULL;
  GVariant *variant = NULL;

  if (!schema)
    return NULL;
  type = dup_type (schema, leaf);
  variant = convert_value (type, value, error);
  return variant ? check_variant (schema, leaf, variant, error) : NULL;
}

/* One file that is being read. */
typedef struct
{
  NebulaConfigSchemas *schemas;
  const char *path;
  NebulaDocument *document;
  GHashTable *table;
} Reading;

static gboolean
fail_member (Reading *self, const char *key, const char *pointer, const GError *reason, GError **error)
{
  guint line = 0;

  nebula_document_locate (self->document, pointer, TRUE, &line, NULL);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, "%s:%u: %s: %s", self->path, line, key, reason->message);
  return FALSE;
}

/* `tenants: { acme: { durability: relaxed } }`: two levels that are no settings themselves. */
static gboolean
is_group (const char *key, guint depth, NebulaValue *value)
{
  return depth < 3 && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT
         && (depth == 2 || g_str_equal (key, "tenants") || g_str_equal (key, "modules"));
}

/* A file is two levels deep at most. */
static gboolean
read_members (Reading *self, NebulaValue *object, const char *above, const char *place, GError **error)
{
  guint depth = *above == '\0' ? 1 : strchr (above, '.') ? 3 : 2;

  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    const char *name = nebula_value_get_key (object, i, NULL);
    NebulaValue *value = nebula_value_get_member_at (object, i);
    g_autofree char *key = *above ? g_strconcat (above, ".", name, NULL) : g_strdup (name);
    g_autofree char *pointer = g_strconcat (place, "/", name, NULL);
    g_autoptr (GError) reason = NULL;
    GVariant *variant = NULL;

    if (is_group (key, depth, value)) {
      if (!read_members (self, value, key, pointer, error))
        return FALSE;
      continue;
    }
    variant = read_member (self->schemas, key, value, &reason);
    if (!variant)
      return fail_member (self, key, pointer, reason, error);
    g_hash_table_insert (self->table, _nebula_config_key_to_path (key), variant);
  }
  return TRUE;
}

GHashTable *
_nebula_config_file_read (NebulaConfigSchemas *schemas, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (NebulaDocument) document = NULL;
  g_autoptr (GHashTable) table = _nebula_config_table_new ();
  Reading reading = { schemas, path, NULL, table };
  NebulaValue *root = NULL;

  if (!read_file (path, &bytes, error))
    return NULL;
  if (!bytes)
    return g_steal_pointer (&table);
  document = parse_file (path, bytes, error);
  if (!document)
    return NULL;
  reading.document = document;
  root = nebula_document_get_value (document);
  if (!nebula_value_is_null (root) && !read_members (&reading, root, "", "", error))
    return NULL;
  return g_steal_pointer (&table);
}

static gint
compare_paths (gconstpointer a, gconstpointer b)
{
  const char *one = *(const char *const *) a, *other = *(const char *const *) b;
  gboolean is_nested = strchr (one, '/') != NULL, is_other_nested = strchr (other, '/') != NULL;

  return is_nested != is_other_nested ? is_nested - is_other_nested : strcmp (one, other);
}

/* Puts a value under `a/b/c` into nested objects. */
static NebulaValue *
put_at (NebulaValue *object, const char *path, NebulaValue *value)
{
  const char *slash = strchr (path, '/');
  g_autofree char *name = slash ? g_strndup (path, (gsize) (slash - path)) : g_strdup (path);
  NebulaValue *below = slash ? nebula_value_get_member (object, name) : NULL;
  g_autoptr (NebulaValueBuilder) empty = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) inner = NULL;

  if (!slash)
    return nebula_value_with_member (object, name, value);
  inner = below ? nebula_value_ref (below) : nebula_value_builder_end (empty);
  below = put_at (inner, slash + 1, value);
  nebula_value_unref (inner);
  inner = below;
  return nebula_value_with_member (object, name, inner);
}

static char *
make_text (GHashTable *table)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = nebula_value_builder_end (builder);
  g_autofree char **paths = (char **) g_hash_table_get_keys_as_array (table, NULL);

  qsort (paths, g_strv_length (paths), sizeof (char *), compare_paths);
  for (guint i = 0; paths[i]; i++) {
    g_autoptr (NebulaValue) member = nebula_value_from_variant (g_hash_table_lookup (table, paths[i]), NULL);
    NebulaValue *with = put_at (value, paths[i], member);

    nebula_value_unref (value);
    value = with;
  }
  return nebula_value_to_yaml (value);
}

gboolean
_nebula_config_file_write (NebulaConfigSchemas *schemas,
                           const char *path,
                           const char *key,
                           GVariant *variant,
                           GError **error)
{
  g_autoptr (GHashTable) table = _nebula_config_file_read (schemas, path, error);
  g_autofree char *text = NULL, *folder = NULL;

  if (!table)
    return FALSE;
  g_hash_table_replace (table, _nebula_config_key_to_path (key), g_variant_ref (variant));
  text = make_text (table);
  folder = g_path_get_dirname (path);
  if (g_mkdir_with_parents (folder, 0700) != 0)
    return fail_file (path, errno, error);
  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                   error);
}
