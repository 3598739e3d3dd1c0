/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `file.compress` and `file.decompress`: contents of any size through a converter, block by block. */
#include "file-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define BLOCK_BYTES     (4 * NEBULA_FILE_BLOCK_BYTES)
#define LEVEL_GZIP_MOST 9
#define LEVEL_MOST      19
#define BLOB_BYTES_MOST (G_GINT64_CONSTANT (1) << 30) /* what decompresses to more is asked for by name */

/* Both actions are one type of object; what differs is decided by the class. */
typedef struct
{
  NebulaSimpleAction parent_instance;

  NebulaValue *content;
  char *format;
  char *as;
  gint64 level;
  gint64 max_size;
} NebulaFileConvert;

typedef struct
{
  NebulaSimpleActionClass parent_class;
} NebulaFileConvertClass;

enum
{
  PROP_CONTENT = 1,
  PROP_FORMAT,
  PROP_AS,
  PROP_LEVEL,
  PROP_MAX_SIZE,
};

G_DEFINE_ABSTRACT_TYPE (NebulaFileConvert, nebula_file_convert, NEBULA_TYPE_SIMPLE_ACTION)

/* Where the result goes: a blob, or memory. */
typedef struct
{
  NebulaBlobWriter *blob;
  GByteArray *bytes;
  gint64 size;
  gint64 max_size; /* 0: none */
} Sink;

static gboolean
sink_take (Sink *sink, const guint8 *data, gsize size, GError **error)
{
  sink->size += (gint64) size;
  if (sink->max_size > 0 && sink->size > sink->max_size) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                 _("The result has more than %lld bytes. Raise “max-size”, or take it as a blob"), (long long) sink->max_size);
    return FALSE;
  }
  if (sink->blob)
    return nebula_blob_writer_write (sink->blob, data, size, error);
  g_byte_array_append (sink->bytes, data, (guint) size);
  return TRUE;
}

/* A block on its way. */
typedef struct
{
  GInputStream *stream;
  guint8 *data;
  gsize at;
  gsize length;
  gboolean is_at_end;
} Source;

/* What is left goes to the front, more behind it. */
static gboolean
source_fill (Source *source, GCancellable *cancellable, GError **error)
{
  gssize n_read = 0;

  memmove (source->data, source->data + source->at, source->length - source->at);
  source->length -= source->at;
  source->at = 0;
  n_read = g_input_stream_read (source->stream, source->data + source->length, BLOCK_BYTES - source->length, cancellable, error);
  if (n_read < 0)
    return FALSE;
  source->is_at_end = n_read == 0;
  source->length += (gsize) n_read;
  return TRUE;
}

static gboolean
set_convert_error (GError *problem, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, _("The content cannot be converted: %s"), problem->message);
  g_error_free (problem);
  return FALSE;
}

/* One step. *ret_done at the end of what the converter takes as one text. */
static gboolean
convert_block (GConverter *converter, Source *source, Sink *sink, guint8 *out, gboolean *ret_done, GError **error)
{
  GError *problem = NULL;
  gsize n_read = 0, n_written = 0;
  GConverterResult result = g_converter_convert (converter, source->data + source->at, source->length - source->at, out, BLOCK_BYTES,
                                                 source->is_at_end ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &n_read,
                                                 &n_written, &problem);

  if (result == G_CONVERTER_ERROR) {
    gboolean wants_more = g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT) && !source->is_at_end
                          && source->length - source->at < BLOCK_BYTES;

    if (!wants_more)
      return set_convert_error (problem, error);
    g_error_free (problem);
    return TRUE;
  }
  source->at += n_read;
  *ret_done = result == G_CONVERTER_FINISHED;
  return sink_take (sink, out, n_written, error);
}

/* Texts that were compressed one by one and put behind each other are one, as the programs gzip and zstd have it. The source
 * is read to its end, which proves a blob. */
static gboolean
convert_all (GConverter *converter, Source *source, Sink *sink, GCancellable *cancellable, GError **error)
{
  g_autofree guint8 *out = g_malloc (BLOCK_BYTES);
  gboolean done = FALSE;

  while (!done) {
    gsize before = source->at;
    gint64 size = sink->size;

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    if (source->at == source->length && !source->is_at_end && !source_fill (source, cancellable, error))
      return FALSE;
    if (!convert_block (converter, source, sink, out, &done, error))
      return FALSE;
    if (!done && source->at == before && sink->size == size && !source->is_at_end && !source_fill (source, cancellable, error))
      return FALSE;
    if (!done)
      continue;
    if (source->at == source->length && !source->is_at_end && !source_fill (source, cancellable, error))
      return FALSE;
    if (source->at < source->length) {
      g_converter_reset (converter);
      done = FALSE;
    }
  }
  return TRUE;
}

static GInputStream *
open_content (NebulaFileConvert *self, NebulaInvocation *invocation, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;

  if (nebula_value_is_blob (self->content))
    return nebula_invocation_open_blob (invocation, self->content, error);
  bytes = _nebula_file_to_bytes (self->content);
  return g_memory_input_stream_new_from_bytes (bytes);
}

static NebulaValue *
sink_end (Sink *sink, const char *as, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;

  if (sink->blob)
    return nebula_blob_writer_finish (sink->blob, error);
  if (g_str_equal (as, "text"))
    return _nebula_file_new_text ((const char *) sink->bytes->data, sink->bytes->len, FALSE, "content", error);
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&sink->bytes));
  return nebula_value_new_bytes (bytes);
}

static NebulaValue *
convert_content (NebulaFileConvert *self, GConverter *converter, gint64 max_size, NebulaInvocation *invocation,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (GInputStream) stream = open_content (self, invocation, error);
  g_autoptr (NebulaBlobWriter) blob = NULL;
  g_autoptr (GByteArray) bytes = NULL;
  g_autofree guint8 *data = g_malloc (BLOCK_BYTES);
  Source source = { stream, data, 0, 0, FALSE };
  Sink sink = { NULL, NULL, 0, max_size };
  NebulaValue *value = NULL;

  if (!stream)
    return NULL;
  if (g_str_equal (self->as, "blob")) {
    sink.blob = blob = nebula_invocation_create_blob (invocation, error);
    if (!blob)
      return NULL;
  } else {
    sink.bytes = g_byte_array_new ();
  }
  if (convert_all (converter, &source, &sink, cancellable, error))
    value = sink_end (&sink, self->as, error);
  bytes = sink.bytes;
  return value;
}

static void
nebula_file_convert_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaFileConvert *self = (NebulaFileConvert *) object;

  switch (id) {
  case PROP_CONTENT:
    g_clear_pointer (&self->content, nebula_value_unref);
    self->content = g_value_dup_boxed (value);
    break;
  case PROP_FORMAT:
    g_free (self->format);
    self->format = g_value_dup_string (value);
    break;
  case PROP_AS:
    g_free (self->as);
    self->as = g_value_dup_string (value);
    break;
  case PROP_LEVEL:
    self->level = g_value_get_int64 (value);
    break;
  case PROP_MAX_SIZE:
    self->max_size = g_value_get_int64 (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_convert_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaFileConvert *self = (NebulaFileConvert *) object;

  switch (id) {
  case PROP_CONTENT:
    g_value_set_boxed (value, self->content);
    break;
  case PROP_FORMAT:
    g_value_set_string (value, self->format);
    break;
  case PROP_AS:
    g_value_set_string (value, self->as);
    break;
  case PROP_LEVEL:
    g_value_set_int64 (value, self->level);
    break;
  case PROP_MAX_SIZE:
    g_value_set_int64 (value, self->max_size);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_file_convert_finalize (GObject *object)
{
  NebulaFileConvert *self = (NebulaFileConvert *) object;

  g_clear_pointer (&self->content, nebula_value_unref);
  g_free (self->format);
  g_free (self->as);

  G_OBJECT_CLASS (nebula_file_convert_parent_class)->finalize (object);
}

static void
nebula_file_convert_class_init (NebulaFileConvertClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_file_convert_finalize;
}

static void
nebula_file_convert_init (NebulaFileConvert *self)
{
}

static void
install_common (NebulaActionClass *action, const char *const *forms)
{
  static const char *const formats[] = { "zstd", "gzip", NULL };
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;
  GObjectClass *object = G_OBJECT_CLASS (action);
  NebulaParameter *parameter;

  /* GObject hands these two down to no class. */
  object->set_property = nebula_file_convert_set_property;
  object->get_property = nebula_file_convert_get_property;
  g_object_class_install_property (object, PROP_CONTENT,
                                   g_param_spec_boxed ("content", N_ ("Content"), N_ ("A blob of any size, bytes or text; other values are taken as JSON."),
                                                       NEBULA_TYPE_VALUE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_FORMAT,
                                   g_param_spec_string ("format", N_ ("Format"), N_ ("Zstandard is faster and smaller; gzip is understood everywhere."),
                                                        "zstd", flags));
  g_object_class_install_property (object, PROP_AS,
                                   g_param_spec_string ("as", N_ ("Result as"), N_ ("What the result is: a blob, which may be of any size, or what lies in memory."),
                                                        "blob", flags));
  nebula_parameter_add_flags (nebula_action_class_describe (action, "content"), NEBULA_PARAMETER_FLAGS_REQUIRED);
  parameter = nebula_action_class_describe (action, "format");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_SELECT);
  nebula_parameter_set_options (parameter, formats);
  parameter = nebula_action_class_describe (action, "as");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_SELECT);
  nebula_parameter_set_options (parameter, forms);
  /* It reads and writes blobs of the store only, and writing the same blob again changes nothing. */
  nebula_action_class_set_effect (action, NEBULA_EFFECT_READ);
}

/* file.compress */

typedef NebulaFileConvert NebulaFileCompress;
typedef NebulaFileConvertClass NebulaFileCompressClass;

G_DEFINE_TYPE (NebulaFileCompress, nebula_file_compress, nebula_file_convert_get_type ())

static NebulaValue *
nebula_file_compress_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaFileConvert *self = (NebulaFileConvert *) action;
  gboolean is_gzip = g_str_equal (self->format, "gzip");
  g_autoptr (GConverter) converter = NULL;

  if (is_gzip && self->level > LEVEL_GZIP_MOST) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                         _("gzip has the levels 1 to 9. Lower “level”, or use “format: zstd”"));
    return NULL;
  }
  if (is_gzip)
    converter = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, self->level > 0 ? (int) self->level : -1));
  else
    converter = G_CONVERTER (nebula_zstd_compressor_new ((int) self->level));
  return convert_content (self, converter, 0, invocation, cancellable, error);
}

static void
nebula_file_compress_class_init (NebulaFileCompressClass *klass)
{
  static const char *const forms[] = { "blob", "bytes", NULL };
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_file_compress_run;
  install_common (action, forms);
  g_object_class_install_property (G_OBJECT_CLASS (klass), PROP_LEVEL,
                                   g_param_spec_int64 ("level", N_ ("Level"), N_ ("From 1, fast, to 19, small (gzip: 9); 0 is a good middle. High levels take much memory."),
                                                       0, LEVEL_MOST, 0, G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS));
  nebula_action_class_set_details (action, "file.compress", "1.0.0", N_ ("Compress"),
                                   N_ ("Makes a content smaller, of any size, in little memory."), N_ ("Files"));
  nebula_action_class_set_example (action, "action: file.compress\n"
                                           "with: { content: \"{{ $json }}\", format: zstd }\n");
}

static void
nebula_file_compress_init (NebulaFileCompress *self)
{
}

/* file.decompress */

typedef NebulaFileConvert NebulaFileDecompress;
typedef NebulaFileConvertClass NebulaFileDecompressClass;

G_DEFINE_TYPE (NebulaFileDecompress, nebula_file_decompress, nebula_file_convert_get_type ())

static NebulaValue *
nebula_file_decompress_run (NebulaSimpleAction *action, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  NebulaFileConvert *self = (NebulaFileConvert *) action;
  g_autoptr (GConverter) converter = NULL;
  gboolean is_unlimited = g_str_equal (self->as, "blob") && !nebula_action_is_set (NEBULA_ACTION (self), "max-size");

  if (g_str_equal (self->format, "gzip"))
    converter = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  else
    converter = G_CONVERTER (nebula_zstd_decompressor_new (0));
  return convert_content (self, converter, is_unlimited ? BLOB_BYTES_MOST : self->max_size, invocation, cancellable, error);
}

static void
nebula_file_decompress_class_init (NebulaFileDecompressClass *klass)
{
  static const char *const forms[] = { "blob", "bytes", "text", NULL };
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  NEBULA_SIMPLE_ACTION_CLASS (klass)->run = nebula_file_decompress_run;
  install_common (action, forms);
  g_object_class_install_property (G_OBJECT_CLASS (klass), PROP_MAX_SIZE,
                                   g_param_spec_int64 ("max-size", N_ ("Largest size"), N_ ("More bytes than this are an error: a small input may hold a very large one. Without it a blob may have 1 GiB, else 10 MiB."),
                                                       0, G_MAXINT64, NEBULA_LIMIT_DOCUMENT_BYTES, G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS));
  nebula_parameter_set_kind (nebula_action_class_describe (action, "max-size"), NEBULA_PARAMETER_KIND_SIZE);
  nebula_action_class_set_details (action, "file.decompress", "1.0.0", N_ ("Decompress"),
                                   N_ ("Gives what was compressed, of any size, in little memory."), N_ ("Files"));
  nebula_action_class_set_example (action, "action: file.decompress\n"
                                           "with: { content: \"{{ $json }}\", format: gzip, as: text }\n");
}

static void
nebula_file_decompress_init (NebulaFileDecompress *self)
{
}
