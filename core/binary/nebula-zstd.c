/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-zstd.h"

#include <glib/gi18n-lib.h>
#include <zstd.h>

#define WINDOW_LOG_DEFAULT 23 /* 8 MiB: what RFC 8878 asks every reader to take, and what no level up to 19 exceeds */
#define LEVEL_GREATEST     19

/**
 * NebulaZstdCompressor:
 *
 * A converter that compresses as Zstandard, for #GConverterOutputStream and #GConverterInputStream.
 *
 * Thread: one at a time.
 */
struct _NebulaZstdCompressor
{
  GObject parent_instance;

  ZSTD_CCtx *context;
  int level;
  gboolean is_finished;
};

/**
 * NebulaZstdDecompressor:
 *
 * A converter that reads Zstandard, also several frames behind each other. It never takes more memory than its window and a
 * few hundred KiB.
 *
 * Thread: one at a time.
 */
struct _NebulaZstdDecompressor
{
  GObject parent_instance;

  ZSTD_DCtx *context;
  gboolean is_between; /* a frame has ended and none begun */
};

static GConverterResult
fail (GError **error, GIOErrorEnum code, const char *why)
{
  g_set_error_literal (error, G_IO_ERROR, (gint) code, why);
  return G_CONVERTER_ERROR;
}

static GConverterResult
nebula_zstd_compressor_convert (GConverter *converter, const void *in, gsize in_size, void *out, gsize out_size,
                                GConverterFlags flags, gsize *bytes_read, gsize *bytes_written, GError **error)
{
  NebulaZstdCompressor *self = NEBULA_ZSTD_COMPRESSOR (converter);
  ZSTD_EndDirective end = flags & G_CONVERTER_INPUT_AT_END ? ZSTD_e_end : flags & G_CONVERTER_FLUSH ? ZSTD_e_flush : ZSTD_e_continue;
  ZSTD_inBuffer input = { in, in_size, 0 };
  ZSTD_outBuffer output = { out, out_size, 0 };
  gsize left = 0;

  if (self->is_finished)
    return G_CONVERTER_FINISHED;
  if (out_size == 0)
    return fail (error, G_IO_ERROR_NO_SPACE, _ ("There is no room for what is compressed."));
  if (in_size == 0 && end == ZSTD_e_continue)
    return fail (error, G_IO_ERROR_PARTIAL_INPUT, _ ("There is nothing more to compress yet."));
  left = ZSTD_compressStream2 (self->context, &output, &input, end);
  if (ZSTD_isError (left)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _ ("Zstandard cannot compress: %s."), ZSTD_getErrorName (left));
    return G_CONVERTER_ERROR;
  }
  *bytes_read = input.pos;
  *bytes_written = output.pos;
  if (end == ZSTD_e_end && left == 0) {
    self->is_finished = TRUE;
    return G_CONVERTER_FINISHED;
  }
  return end == ZSTD_e_flush && left == 0 ? G_CONVERTER_FLUSHED : G_CONVERTER_CONVERTED;
}

static void
nebula_zstd_compressor_reset (GConverter *converter)
{
  NebulaZstdCompressor *self = NEBULA_ZSTD_COMPRESSOR (converter);

  self->is_finished = FALSE;
  ZSTD_CCtx_reset (self->context, ZSTD_reset_session_only);
}

static void
nebula_zstd_compressor_converter_init (GConverterIface *iface)
{
  iface->convert = nebula_zstd_compressor_convert;
  iface->reset = nebula_zstd_compressor_reset;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaZstdCompressor, nebula_zstd_compressor, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_CONVERTER, nebula_zstd_compressor_converter_init))

static void
nebula_zstd_compressor_finalize (GObject *object)
{
  ZSTD_freeCCtx (NEBULA_ZSTD_COMPRESSOR (object)->context);

  G_OBJECT_CLASS (nebula_zstd_compressor_parent_class)->finalize (object);
}

static void
nebula_zstd_compressor_class_init (NebulaZstdCompressorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_zstd_compressor_finalize;
}

static void
nebula_zstd_compressor_init (NebulaZstdCompressor *self)
{
  self->context = ZSTD_createCCtx ();
  g_assert (self->context != NULL);
}

/**
 * nebula_zstd_compressor_new:
 * @level: 1 (fast) to 19 (small); 0: 3
 *
 * Makes a compressor. What it writes ends with a checksum.
 *
 * Returns: (transfer full): a converter
 *
 * Since: 1.0
 */
NebulaZstdCompressor *
nebula_zstd_compressor_new (int level)
{
  NebulaZstdCompressor *self = NULL;

  g_return_val_if_fail (level >= 0 && level <= LEVEL_GREATEST, NULL);

  self = g_object_new (NEBULA_TYPE_ZSTD_COMPRESSOR, NULL);
  self->level = level > 0 ? level : ZSTD_CLEVEL_DEFAULT;
  ZSTD_CCtx_setParameter (self->context, ZSTD_c_compressionLevel, self->level);
  ZSTD_CCtx_setParameter (self->context, ZSTD_c_checksumFlag, 1);
  return self;
}

static GConverterResult
nebula_zstd_decompressor_convert (GConverter *converter, const void *in, gsize in_size, void *out, gsize out_size,
                                  GConverterFlags flags, gsize *bytes_read, gsize *bytes_written, GError **error)
{
  NebulaZstdDecompressor *self = NEBULA_ZSTD_DECOMPRESSOR (converter);
  ZSTD_inBuffer input = { in, in_size, 0 };
  ZSTD_outBuffer output = { out, out_size, 0 };
  gsize left = 0;

  if (in_size == 0 && self->is_between && (flags & G_CONVERTER_INPUT_AT_END))
    return G_CONVERTER_FINISHED;
  left = ZSTD_decompressStream (self->context, &output, &input);
  if (ZSTD_isError (left)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("This is not valid Zstandard: %s."), ZSTD_getErrorName (left));
    return G_CONVERTER_ERROR;
  }
  if (input.pos == 0 && output.pos == 0) {
    if (in_size > 0 || out_size == 0)
      return fail (error, G_IO_ERROR_NO_SPACE, _ ("There is no room for what is decompressed."));
    return fail (error, G_IO_ERROR_PARTIAL_INPUT, _ ("The compressed data ends too early."));
  }
  *bytes_read = input.pos;
  *bytes_written = output.pos;
  self->is_between = left == 0;
  if (left == 0 && input.pos == in_size && (flags & G_CONVERTER_INPUT_AT_END))
    return G_CONVERTER_FINISHED;
  return G_CONVERTER_CONVERTED;
}

static void
nebula_zstd_decompressor_reset (GConverter *converter)
{
  NebulaZstdDecompressor *self = NEBULA_ZSTD_DECOMPRESSOR (converter);

  self->is_between = FALSE;
  ZSTD_DCtx_reset (self->context, ZSTD_reset_session_only);
}

static void
nebula_zstd_decompressor_converter_init (GConverterIface *iface)
{
  iface->convert = nebula_zstd_decompressor_convert;
  iface->reset = nebula_zstd_decompressor_reset;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaZstdDecompressor, nebula_zstd_decompressor, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_CONVERTER, nebula_zstd_decompressor_converter_init))

static void
nebula_zstd_decompressor_finalize (GObject *object)
{
  ZSTD_freeDCtx (NEBULA_ZSTD_DECOMPRESSOR (object)->context);

  G_OBJECT_CLASS (nebula_zstd_decompressor_parent_class)->finalize (object);
}

static void
nebula_zstd_decompressor_class_init (NebulaZstdDecompressorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_zstd_decompressor_finalize;
}

static void
nebula_zstd_decompressor_init (NebulaZstdDecompressor *self)
{
  self->context = ZSTD_createDCtx ();
  g_assert (self->context != NULL);
}

/**
 * nebula_zstd_decompressor_new:
 * @window_bytes: the greatest window that is taken, a power of two from 1 KiB to 128 MiB; 0: 8 MiB
 *
 * Makes a decompressor. Data that needs a larger window is refused, whatever it claims: the window is memory.
 *
 * Returns: (transfer full): a converter
 *
 * Since: 1.0
 */
NebulaZstdDecompressor *
nebula_zstd_decompressor_new (gsize window_bytes)
{
  NebulaZstdDecompressor *self = g_object_new (NEBULA_TYPE_ZSTD_DECOMPRESSOR, NULL);
  int window_log = window_bytes > 0 ? (int) g_bit_storage (window_bytes) - 1 : WINDOW_LOG_DEFAULT;

  ZSTD_DCtx_setParameter (self->context, ZSTD_d_windowLogMax, CLAMP (window_log, 10, 27));
  return self;
}
