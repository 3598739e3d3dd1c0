/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values in streams: sequences in bounded memory, bytes of any length, compression; and reading in place. */
#include "nebula-test.h"

#include <malloc.h>

#include <string>
#include <vector>

#include "nebula-bincode.h"
#include "nebula-limits.h"
#include "nebula-msgpack.h"
#include "nebula-value-stream.h"
#include "nebula-zstd.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::Owned;
using nebula::Ref;
using nebula::to_json;
using nebula::Value;

namespace
{

using Bytes = Owned<GBytes, g_bytes_unref>;

std::string
string_of (GBytes *bytes)
{
  gsize size;
  const char *data = (const char *) g_bytes_get_data (bytes, &size);

  return std::string (data ? data : "", size);
}

/* Gives a few bytes at a time, as a socket may. */
typedef struct
{
  GInputStream parent;
  const std::string *data;
  gsize at;
  gsize most;
} DripStream;
typedef GInputStreamClass DripStreamClass;

G_DEFINE_TYPE (DripStream, drip_stream, G_TYPE_INPUT_STREAM)

void
drip_stream_class_init (DripStreamClass *klass)
{
  klass->read_fn = [] (GInputStream *stream, void *buffer, gsize count, GCancellable *, GError **) -> gssize {
    DripStream *self = (DripStream *) stream;
    gsize n = std::min ({count, self->most, self->data->size () - self->at});

    memcpy (buffer, self->data->data () + self->at, n);
    self->at += n;
    return (gssize) n;
  };
}

void
drip_stream_init (DripStream *)
{
}

GInputStream *
drip (const std::string &data, gsize most)
{
  DripStream *stream = (DripStream *) g_object_new (drip_stream_get_type (), nullptr);

  stream->data = &data;
  stream->most = most;
  return &stream->parent;
}

class Streams : public testing::TestWithParam<NebulaValueFormat>
{
protected:
  std::string
  written (const std::vector<std::string> &texts)
  {
    Ref<GOutputStream> out (g_memory_output_stream_new_resizable ());
    Ref<NebulaValueWriter> writer (nebula_value_writer_new (out.get (), GetParam ()));
    Error error;

    for (const std::string &text : texts)
      EXPECT_TRUE (nebula_value_writer_write (writer.get (), json (text.c_str ()).get (), nullptr, error.out ()))
          << error.message ();
    g_output_stream_close (out.get (), nullptr, nullptr);
    Bytes bytes (g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (out.get ())));
    return string_of (bytes.get ());
  }
};

TEST_P (Streams, GiveTheValuesAgain)
{
  std::vector<std::string> texts = {"1", "{\"a\":[1,2,{\"b\":null}]}", "\"text\"", "[]"};
  std::string data = written (texts);

  for (gsize most : {gsize (1), gsize (7), gsize (1 << 20)}) {
    Ref<GInputStream> in (drip (data, most));
    Ref<NebulaValueReader> reader (nebula_value_reader_new (in.get (), GetParam (), 0));
    Error error;

    for (const std::string &text : texts) {
      Value value (nebula_value_reader_read (reader.get (), nullptr, error.out ()));
      ASSERT_TRUE (value) << error.message ();
      EXPECT_EQ (to_json (value), text);
    }
    EXPECT_FALSE (Value (nebula_value_reader_read (reader.get (), nullptr, error.out ())));
    EXPECT_FALSE (error) << error.message ();
  }
}

TEST_P (Streams, EndInTheMiddleOfAValue)
{
  std::string data = written ({"1", "{\"a\":[1,2,3],\"b\":\"some text\"}"});
  gsize first = written ({"1"}).size ();

  for (gsize cut = first + 1; cut < data.size (); cut++) {
    std::string part = data.substr (0, cut);
    Ref<GInputStream> in (drip (part, 5));
    Ref<NebulaValueReader> reader (nebula_value_reader_new (in.get (), GetParam (), 0));
    Error error;

    EXPECT_TRUE (Value (nebula_value_reader_read (reader.get (), nullptr, error.out ())));
    EXPECT_FALSE (Value (nebula_value_reader_read (reader.get (), nullptr, error.out ())));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA)) << cut;
    EXPECT_FALSE (Value (nebula_value_reader_read (reader.get (), nullptr, error.out ())));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFLICT)) << "a broken stream stays broken";
  }
}

TEST_P (Streams, RefuseValuesAboveTheLimit)
{
  std::string data = written ({"1", "\"" + std::string (300000, 'x') + "\""});
  Ref<GInputStream> in (drip (data, 1 << 20));
  Ref<NebulaValueReader> reader (nebula_value_reader_new (in.get (), GetParam (), 100000));
  Error error;

  EXPECT_TRUE (Value (nebula_value_reader_read (reader.get (), nullptr, error.out ())));
  EXPECT_FALSE (Value (nebula_value_reader_read (reader.get (), nullptr, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_LARGE));
}

/* Endless zeros or a pattern, never in memory. */
typedef struct
{
  GInputStream parent;
  guint64 left;
  guint64 at;
} PatternStream;
typedef GInputStreamClass PatternStreamClass;

G_DEFINE_TYPE (PatternStream, pattern_stream, G_TYPE_INPUT_STREAM)

void
pattern_stream_class_init (PatternStreamClass *klass)
{
  klass->read_fn = [] (GInputStream *stream, void *buffer, gsize count, GCancellable *, GError **) -> gssize {
    PatternStream *self = (PatternStream *) stream;
    gsize n = (gsize) std::min<guint64> (count, self->left);

    for (gsize i = 0; i < n; i++)
      ((guint8 *) buffer)[i] = (guint8) ((self->at + i) * 31);
    self->at += n;
    self->left -= n;
    return (gssize) n;
  };
}

void
pattern_stream_init (PatternStream *)
{
}

GInputStream *
pattern (guint64 length)
{
  PatternStream *stream = (PatternStream *) g_object_new (pattern_stream_get_type (), nullptr);

  stream->left = length;
  return &stream->parent;
}

/* 64 MiB through a pipe of files: neither side holds them. */
TEST_P (Streams, CarryLargeBytesInLittleMemory)
{
  const guint64 length = 64 << 20;
  GFileIOStream *io = nullptr;
  Error error;
  Ref<GFile> file (g_file_new_tmp (nullptr, &io, error.out ()));
  ASSERT_TRUE (file) << error.message ();
  struct mallinfo2 before = mallinfo2 ();
  Ref<GInputStream> content (pattern (length));
  Ref<NebulaValueWriter> writer (nebula_value_writer_new (g_io_stream_get_output_stream (G_IO_STREAM (io)), GetParam ()));
  Value last (nebula_value_new_integer (7));

  ASSERT_TRUE (nebula_value_writer_write_bytes (writer.get (), content.get (), length, nullptr, error.out ())) << error.message ();
  ASSERT_TRUE (nebula_value_writer_write (writer.get (), last.get (), nullptr, error.out ()));
  ASSERT_TRUE (g_seekable_seek (G_SEEKABLE (io), 0, G_SEEK_SET, nullptr, error.out ()));

  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (io));
  Ref<NebulaValueReader> reader (nebula_value_reader_new (in, GetParam (), 0));
  Ref<GInputStream> bytes (nebula_value_reader_open_bytes (reader.get (), nullptr, error.out ()));
  ASSERT_TRUE (bytes) << error.message ();
  std::vector<guint8> block (100000);
  guint64 at = 0;
  bool same = true;
  gssize n;
  while ((n = g_input_stream_read (bytes.get (), block.data (), block.size (), nullptr, error.out ())) > 0) {
    for (gssize i = 0; i < n; i++)
      same = same && block[(gsize) i] == (guint8) ((at + (guint64) i) * 31);
    at += (guint64) n;
  }
  EXPECT_EQ (n, 0) << error.message ();
  EXPECT_TRUE (same);
  EXPECT_EQ (at, length);
  EXPECT_LT (mallinfo2 ().uordblks, before.uordblks + (1 << 20));
  Value value (nebula_value_reader_read (reader.get (), nullptr, error.out ()));
  EXPECT_EQ (to_json (value), "7") << error.message ();
  g_file_delete (file.get (), nullptr, nullptr);
  g_object_unref (io);
}

TEST_P (Streams, PassOverBytesThatNobodyRead)
{
  for (gsize length : {gsize (0), gsize (10), gsize (250), gsize (251), gsize (70000), gsize (300000)}) {
    Ref<GOutputStream> out (g_memory_output_stream_new_resizable ());
    Ref<NebulaValueWriter> writer (nebula_value_writer_new (out.get (), GetParam ()));
    Ref<GInputStream> content (pattern (length));
    Value last (nebula_value_new_string ("after"));
    Error error;

    ASSERT_TRUE (nebula_value_writer_write_bytes (writer.get (), content.get (), length, nullptr, error.out ()));
    ASSERT_TRUE (nebula_value_writer_write (writer.get (), last.get (), nullptr, error.out ()));
    g_output_stream_close (out.get (), nullptr, nullptr);
    Bytes bytes (g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (out.get ())));
    std::string data = string_of (bytes.get ());

    Ref<GInputStream> in (drip (data, 1000));
    Ref<NebulaValueReader> reader (nebula_value_reader_new (in.get (), GetParam (), 0));
    Ref<GInputStream> stream (nebula_value_reader_open_bytes (reader.get (), nullptr, error.out ()));
    ASSERT_TRUE (stream) << error.message () << length;
    Value value (nebula_value_reader_read (reader.get (), nullptr, error.out ()));
    EXPECT_EQ (to_json (value), "\"after\"");
    char byte;
    if (length > 0) {
      EXPECT_EQ (g_input_stream_read (stream.get (), &byte, 1, nullptr, error.out ()), -1);
      EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFLICT));
    }
    /* The same as a value. */
    Ref<GInputStream> again (drip (data, 1000));
    Ref<NebulaValueReader> whole (nebula_value_reader_new (again.get (), GetParam (), 0));
    Value read (nebula_value_reader_read (whole.get (), nullptr, error.out ()));
    ASSERT_TRUE (read) << error.message ();
    EXPECT_EQ (nebula_value_get_kind (read.get ()), NEBULA_VALUE_KIND_BYTES);
    EXPECT_EQ (nebula_value_get_size_bytes (read.get ()), length + 8);
  }
}

TEST_P (Streams, TellWhatIsNoBytesAndWhatIsTooShort)
{
  std::string data = written ({"[1]"});
  Ref<GInputStream> in (drip (data, 1000));
  Ref<NebulaValueReader> reader (nebula_value_reader_new (in.get (), GetParam (), 0));
  Error error;

  EXPECT_FALSE (Ref<GInputStream> (nebula_value_reader_open_bytes (reader.get (), nullptr, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TYPE));
  EXPECT_EQ (to_json (Value (nebula_value_reader_read (reader.get (), nullptr, error.out ()))), "[1]");

  Ref<GOutputStream> out (g_memory_output_stream_new_resizable ());
  Ref<NebulaValueWriter> writer (nebula_value_writer_new (out.get (), GetParam ()));
  Ref<GInputStream> content (pattern (1000));
  EXPECT_FALSE (nebula_value_writer_write_bytes (writer.get (), content.get (), 2000, nullptr, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  g_output_stream_close (out.get (), nullptr, nullptr);
  Bytes bytes (g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (out.get ())));
  std::string cut = string_of (bytes.get ());
  Ref<GInputStream> short_in (drip (cut, 1000));
  Ref<NebulaValueReader> short_reader (nebula_value_reader_new (short_in.get (), GetParam (), 0));
  Ref<GInputStream> stream (nebula_value_reader_open_bytes (short_reader.get (), nullptr, error.out ()));
  ASSERT_TRUE (stream) << error.message ();
  char block[4000];
  gsize n = 0;
  EXPECT_FALSE (g_input_stream_read_all (stream.get (), block, sizeof block, &n, nullptr, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_EQ (n, 1000u);
}

INSTANTIATE_TEST_SUITE_P (Formats,
                          Streams,
                          testing::Values (NEBULA_VALUE_FORMAT_MSGPACK,
                                           NEBULA_VALUE_FORMAT_BINCODE_1,
                                           NEBULA_VALUE_FORMAT_BINCODE_2,
                                           NEBULA_VALUE_FORMAT_PROTOBUF));

/* Compression */

std::string
convert (GConverter *converter, const std::string &data, Error &error, gsize most = 1000)
{
  Ref<GInputStream> in (drip (data, most));
  Ref<GInputStream> stream (g_converter_input_stream_new (in.get (), converter));
  std::string result;
  char block[4096];
  gssize n;

  while ((n = g_input_stream_read (stream.get (), block, sizeof block, nullptr, error.out ())) > 0)
    result.append (block, (gsize) n);
  return n == 0 ? result : "(failed)";
}

TEST (Zstd, IsReadAgain)
{
  std::string data;
  Error error;

  for (int i = 0; i < 100000; i++)
    data += std::to_string (i % 977);
  for (int level : {0, 1, 19}) {
    Ref<NebulaZstdCompressor> compressor (nebula_zstd_compressor_new (level));
    Ref<NebulaZstdDecompressor> decompressor (nebula_zstd_decompressor_new (0));
    std::string small = convert (G_CONVERTER (compressor.get ()), data, error);

    EXPECT_FALSE (error) << error.message ();
    EXPECT_LT (small.size (), data.size () / 10);
    EXPECT_EQ (convert (G_CONVERTER (decompressor.get ()), small, error, 3), data) << error.message ();
    /* Frames behind each other are one text. */
    g_converter_reset (G_CONVERTER (decompressor.get ()));
    EXPECT_EQ (convert (G_CONVERTER (decompressor.get ()), small + small, error), data + data) << error.message ();
    /* And again with the same converters. */
    g_converter_reset (G_CONVERTER (compressor.get ()));
    g_converter_reset (G_CONVERTER (decompressor.get ()));
    EXPECT_EQ (convert (G_CONVERTER (compressor.get ()), data, error), small);
  }
}

TEST (Zstd, OfNothingIsAFrame)
{
  Ref<NebulaZstdCompressor> compressor (nebula_zstd_compressor_new (0));
  Ref<NebulaZstdDecompressor> decompressor (nebula_zstd_decompressor_new (0));
  Error error;
  std::string small = convert (G_CONVERTER (compressor.get ()), "", error);

  EXPECT_FALSE (small.empty ());
  EXPECT_EQ (convert (G_CONVERTER (decompressor.get ()), small, error), "");
  EXPECT_FALSE (error) << error.message ();
}

TEST (Zstd, IsFlushedByTheOutputStream)
{
  Ref<GOutputStream> out (g_memory_output_stream_new_resizable ());
  Ref<NebulaZstdCompressor> compressor (nebula_zstd_compressor_new (0));
  Ref<GOutputStream> stream (g_converter_output_stream_new (out.get (), G_CONVERTER (compressor.get ())));
  Error error;

  ASSERT_TRUE (g_output_stream_write_all (stream.get (), "hello", 5, nullptr, nullptr, error.out ()));
  ASSERT_TRUE (g_output_stream_flush (stream.get (), nullptr, error.out ())) << error.message ();
  gsize flushed = g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (out.get ()));
  EXPECT_GE (flushed, 5u);
  ASSERT_TRUE (g_output_stream_close (stream.get (), nullptr, error.out ())) << error.message ();
  EXPECT_GT (g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (out.get ())), flushed);
}

TEST (Zstd, RefusesWhatIsNone)
{
  Ref<NebulaZstdCompressor> compressor (nebula_zstd_compressor_new (0));
  Error error;
  std::string small = convert (G_CONVERTER (compressor.get ()), std::string (10000, 'a') + "end", error);
  auto read = [&] (const std::string &data, gsize window = 0) {
    Ref<NebulaZstdDecompressor> decompressor (nebula_zstd_decompressor_new (window));
    return convert (G_CONVERTER (decompressor.get ()), data, error);
  };

  for (gsize cut = 0; cut < small.size (); cut++)
    EXPECT_EQ (read (small.substr (0, cut)), "(failed)") << cut;
  EXPECT_TRUE (g_error_matches (error.get (), G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT)) << error.message ();
  EXPECT_EQ (read ("this is no Zstandard"), "(failed)");
  EXPECT_TRUE (g_error_matches (error.get (), G_IO_ERROR, G_IO_ERROR_INVALID_DATA)) << error.message ();
  std::string damaged = small;
  damaged[damaged.size () - 1] ^= 1;
  EXPECT_EQ (read (damaged), "(failed)") << "the checksum";
  EXPECT_EQ (read (small + "x"), "(failed)") << "something behind it";

  /* A frame that wants a window of 1 GiB: magic, descriptor without size, window, an empty last block. */
  EXPECT_EQ (read (std::string ("\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00", 9)), "(failed)");
  EXPECT_EQ (read (std::string ("\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00", 9)), "") << "8 MiB";
  EXPECT_EQ (read (std::string ("\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00", 9), 1 << 20), "(failed)") << "8 MiB where 1 is allowed";
}

/* In place */

bool
is_inside (const void *data, GBytes *bytes)
{
  gsize size;
  const char *start = (const char *) g_bytes_get_data (bytes, &size);

  return (const char *) data >= start && (const char *) data < start + size;
}

class InPlace : public testing::TestWithParam<int>
{
protected:
  Bytes
  write (NebulaValue *value)
  {
    if (GetParam () == 0)
      return Bytes (nebula_value_to_msgpack (value));
    return Bytes (nebula_value_to_bincode (value, GetParam () == 1 ? NEBULA_BINCODE_VERSION_1 : NEBULA_BINCODE_VERSION_2));
  }
  Value
  read (GBytes *bytes, Error &error)
  {
    if (GetParam () == 0)
      return Value (nebula_value_from_msgpack_in_place (bytes, error.out ()));
    return Value (nebula_value_from_bincode_in_place (
        bytes, GetParam () == 1 ? NEBULA_BINCODE_VERSION_1 : NEBULA_BINCODE_VERSION_2, error.out ()));
  }
};

TEST_P (InPlace, StringsAndBytesPointIntoTheInput)
{
  std::string text (500, 'x');
  Bytes raw (g_bytes_new (text.data (), 400));
  Value bytes_value (nebula_value_new_bytes (raw.get ()));
  Value object = json (("{\"long\": \"" + text + "\", \"short\": \"abc\", \"list\": [\"" + text + "\"]}").c_str ());
  Error error;

  object.reset (nebula_value_with_member (object.get (), "bytes", bytes_value.get ()));
  Bytes bytes = write (object.get ());
  Value value = read (bytes.get (), error);
  ASSERT_TRUE (value) << error.message ();
  EXPECT_TRUE (nebula_value_equal (value.get (), object.get ()));
  EXPECT_EQ (nebula_value_hash (value.get ()), nebula_value_hash (object.get ()));
  EXPECT_EQ (nebula_value_get_size_bytes (value.get ()), nebula_value_get_size_bytes (object.get ()));

  gsize length = 0;
  NebulaValue *long_text = nebula_value_get_member (value.get (), "long");
  const char *peeked = nebula_value_peek_text (long_text, &length);
  EXPECT_TRUE (is_inside (peeked, bytes.get ()));
  EXPECT_EQ (length, 500u);
  EXPECT_TRUE (is_inside (nebula_value_peek_text (nebula_value_get_item (nebula_value_get_member (value.get (), "list"), 0), &length),
                          bytes.get ()));
  EXPECT_FALSE (is_inside (nebula_value_peek_text (nebula_value_get_member (value.get (), "short"), &length), bytes.get ()));
  Bytes inner (nebula_value_ref_bytes (nebula_value_get_member (value.get (), "bytes")));
  EXPECT_TRUE (is_inside (g_bytes_get_data (inner.get (), nullptr), bytes.get ()));

  /* A C string is made when somebody asks, once. */
  const char *terminated = nebula_value_get_string (long_text);
  EXPECT_FALSE (is_inside (terminated, bytes.get ()));
  EXPECT_EQ (text, terminated);
  EXPECT_EQ (terminated, nebula_value_get_string (long_text));

  /* All writers take it. */
  EXPECT_EQ (to_json (value), to_json (object));
  EXPECT_TRUE (g_bytes_equal (Bytes (write (value.get ())).get (), bytes.get ()));
}

TEST_P (InPlace, CompactFormLetsGoOfTheInput)
{
  std::string text (500, 'x');
  Value object = json (("[{\"a\": \"" + text + "\"}, 1]").c_str ());
  Error error;
  Bytes bytes = write (object.get ());
  Value value = read (bytes.get (), error);

  ASSERT_TRUE (nebula_value_has_slices (value.get ()));
  Value compact (nebula_value_compact (value.get ()));
  EXPECT_FALSE (nebula_value_has_slices (compact.get ()));
  EXPECT_TRUE (nebula_value_equal (compact.get (), object.get ()));
  gsize length = 0;
  NebulaValue *inner = nebula_value_get_member (nebula_value_get_item (compact.get (), 0), "a");
  EXPECT_FALSE (is_inside (nebula_value_peek_text (inner, &length), bytes.get ()));
  /* What has no slices is its own compact form. */
  Value same (nebula_value_compact (compact.get ()));
  EXPECT_EQ (same.get (), compact.get ());
}

/* The value keeps the input alive. */
TEST_P (InPlace, OutlivesTheCallersReference)
{
  std::string text (500, 'y');
  Value object = json (("\"" + text + "\"").c_str ());
  Error error;
  bool freed = false;
  Bytes written = write (object.get ());
  gsize size;
  const void *data = g_bytes_get_data (written.get (), &size);
  GBytes *owned = g_bytes_new_with_free_func (data, size, [] (gpointer flag) { *(bool *) flag = true; }, &freed);
  Value value = read (owned, error);

  g_bytes_unref (owned);
  EXPECT_FALSE (freed);
  EXPECT_EQ (text, nebula_value_get_string (value.get ()));
  value.reset (nullptr);
  EXPECT_TRUE (freed);
}

INSTANTIATE_TEST_SUITE_P (Formats, InPlace, testing::Values (0, 1, 2));

} // namespace
