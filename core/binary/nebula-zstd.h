/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "nebula-api.h"

G_BEGIN_DECLS

/* Zstandard as converters of GIO, beside GZlibCompressor and GZlibDecompressor. */

#define NEBULA_TYPE_ZSTD_COMPRESSOR (nebula_zstd_compressor_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaZstdCompressor, nebula_zstd_compressor, NEBULA, ZSTD_COMPRESSOR, GObject)
NEBULA_API NebulaZstdCompressor *nebula_zstd_compressor_new (int level); /* 1 to 19; 0: 3 */

#define NEBULA_TYPE_ZSTD_DECOMPRESSOR (nebula_zstd_decompressor_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaZstdDecompressor, nebula_zstd_decompressor, NEBULA, ZSTD_DECOMPRESSOR, GObject)
NEBULA_API NebulaZstdDecompressor *nebula_zstd_decompressor_new (gsize window_bytes); /* 0: 8 MiB */

G_END_DECLS
