/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What other libraries do with the same document, for `nebula bench json`; nothing of the product is linked with them.
 *
 *   nebula-bench-peers json-read|msgpack-read|msgpack-write FILE ROUNDS     prints MB/s
 *
 * FILE holds JSON for json-read, else MessagePack.
 */
#include <msgpack.h>
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace
{

double
now ()
{
  return std::chrono::duration<double> (std::chrono::steady_clock::now ().time_since_epoch ()).count ();
}

bool
read_json (const std::string &data)
{
  static simdjson::dom::parser parser;
  static simdjson::padded_string padded (data);
  simdjson::dom::element root;

  return parser.parse (padded).get (root) == simdjson::SUCCESS;
}

bool
read_msgpack (const std::string &data)
{
  msgpack_unpacked result;
  size_t offset = 0;

  msgpack_unpacked_init (&result);
  bool done = msgpack_unpack_next (&result, data.data (), data.size (), &offset) == MSGPACK_UNPACK_SUCCESS;
  msgpack_unpacked_destroy (&result);
  return done;
}

bool
write_msgpack (const std::string &data)
{
  static msgpack_unpacked parsed;
  static bool is_ready = false;
  msgpack_sbuffer buffer;
  msgpack_packer packer;

  if (!is_ready) {
    size_t offset = 0;
    msgpack_unpacked_init (&parsed);
    is_ready = msgpack_unpack_next (&parsed, data.data (), data.size (), &offset) == MSGPACK_UNPACK_SUCCESS;
  }
  msgpack_sbuffer_init (&buffer);
  msgpack_packer_init (&packer, &buffer, msgpack_sbuffer_write);
  bool done = is_ready && msgpack_pack_object (&packer, parsed.data) == 0 && buffer.size == data.size ();
  msgpack_sbuffer_destroy (&buffer);
  return done;
}

} // namespace

int
main (int argc, char **argv)
{
  if (argc != 4)
    return 2;
  std::ifstream file (argv[2], std::ios::binary);
  std::string data ((std::istreambuf_iterator<char> (file)), std::istreambuf_iterator<char> ());
  int rounds = std::atoi (argv[3]);
  bool (*work) (const std::string &) = std::strcmp (argv[1], "json-read") == 0      ? read_json
                                       : std::strcmp (argv[1], "msgpack-read") == 0 ? read_msgpack
                                                                                    : write_msgpack;
  if (!work (data))
    return 1;
  double start = now ();
  for (int i = 0; i < rounds; i++)
    if (!work (data))
      return 1;
  std::printf ("%.3f\n", (double) data.size () * rounds / 1e6 / (now () - start));
  return 0;
}
