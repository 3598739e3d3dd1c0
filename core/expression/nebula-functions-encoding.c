/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encodings, digests and identifiers. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

/* Text or bytes, as bytes. */
static GBytes *
take_bytes (NebulaVm *vm, const NebulaCell *cell)
{
  gsize length;
  const char *text;

  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_BYTES))
    return nebula_value_ref_bytes (cell->as.value);
  if (!_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING)) {
    _nebula_vm_fail (
        vm, NEBULA_ERROR_TYPE, _ ("Turn it into text with string () or to_json ()."),
        _ ("This takes text or bytes, not %s"), _nebula_cell_to_words (cell));
    return NULL;
  }
  text = _nebula_cell_get_string (cell, &length);
  return g_bytes_new (text, length);
}

/* What was decoded: text if it is valid UTF-8, else bytes. */
static gboolean
give_decoded (NebulaVm *vm, const guint8 *data, gsize length, NebulaCell *ret)
{
  g_autoptr (GBytes) bytes = NULL;

  if (g_utf8_validate_len ((const char *) data, length, NULL))
    return _nebula_vm_give_string (vm, (const char *) data, (gssize) length, ret);
  bytes = g_bytes_new (data, length);
  return _nebula_vm_charge (vm, length) &&
         _nebula_vm_give (vm, nebula_value_new_bytes (bytes), ret);
}

static gboolean
fail_encoding (NebulaVm *vm, const char *name)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_DATA, NULL, _ ("The text is not %s"),
                          name);
}

static gboolean
encode_base64 (NebulaVm *vm, const NebulaCell *cell, gboolean is_url, NebulaCell *ret)
{
  g_autoptr (GBytes) bytes = take_bytes (vm, cell);
  g_autofree char *text = NULL;

  if (bytes == NULL || !_nebula_vm_charge (vm, g_bytes_get_size (bytes)))
    return FALSE;
  text = g_base64_encode (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  if (is_url) {
    g_strdelimit (g_strdelimit (text, "+", '-'), "/", '_');
    text[strcspn (text, "=")] = '\0';
  }
  return _nebula_vm_give_string (vm, text, -1, ret);
}

static gboolean
call_base64_encode (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return encode_base64 (vm, arguments, FALSE, ret);
}

static gboolean
call_base64url_encode (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return encode_base64 (vm, arguments, TRUE, ret);
}

/* Both alphabets, with or without padding; blanks between are passed over. */
static gboolean
call_base64_decode (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length, decoded_length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  g_autoptr (GString) plain = g_string_sized_new (length + 4);
  g_autofree guchar *decoded = NULL;
  gboolean is_padded = FALSE;

  for (gsize i = 0; i < length; i++) {
    char letter = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];

    if (g_ascii_isspace (letter))
      continue;
    if (letter == '=') {
      is_padded = TRUE;
      continue;
    }
    if (is_padded || !(g_ascii_isalnum (letter) || letter == '+' || letter == '/'))
      return fail_encoding (vm, _ ("base64"));
    g_string_append_c (plain, letter);
  }
  if (plain->len % 4 == 1)
    return fail_encoding (vm, _ ("base64"));
  while (plain->len % 4 != 0)
    g_string_append_c (plain, '=');
  decoded = g_base64_decode (plain->str, &decoded_length);
  return give_decoded (vm, decoded, decoded_length, ret);
}

static gboolean
call_hex_encode (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  static const char digits[] = "0123456789abcdef";
  g_autoptr (GBytes) bytes = take_bytes (vm, arguments);
  const guint8 *data;
  GString *text;
  gsize length;

  if (bytes == NULL || !_nebula_vm_charge (vm, 2 * g_bytes_get_size (bytes)))
    return FALSE;
  data = g_bytes_get_data (bytes, &length);
  text = g_string_sized_new (2 * length);
  for (gsize i = 0; i < length; i++) {
    g_string_append_c (text, digits[data[i] >> 4]);
    g_string_append_c (text, digits[data[i] & 15]);
  }
  return _nebula_vm_give_text (vm, text, ret);
}

static gboolean
call_hex_decode (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  g_autoptr (GByteArray) data = g_byte_array_new ();

  if (length % 2 != 0)
    return fail_encoding (vm, _ ("hexadecimal"));
  for (gsize i = 0; i < length; i += 2) {
    int high = g_ascii_xdigit_value (text[i]), low = g_ascii_xdigit_value (text[i + 1]);
    guint8 byte = (guint8) (high * 16 + low);

    if (high < 0 || low < 0)
      return fail_encoding (vm, _ ("hexadecimal"));
    g_byte_array_append (data, &byte, 1);
  }
  return give_decoded (vm, data->data, data->len, ret);
}

static gboolean
call_url_encode (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  g_autofree char *escaped = g_uri_escape_bytes ((const guint8 *) text, length, NULL);

  return _nebula_vm_give_string (vm, escaped, -1, ret);
}

static gboolean
call_url_decode (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GString) spaced = g_string_new (_nebula_cell_get_string (arguments, NULL));
  g_autofree char *text = NULL;

  g_string_replace (spaced, "+", " ", 0);
  text = g_uri_unescape_string (spaced->str, NULL);
  if (text == NULL || !g_utf8_validate (text, -1, NULL))
    return fail_encoding (vm, _ ("URL-encoded"));
  return _nebula_vm_give_string (vm, text, -1, ret);
}

/* {a: 1, b: [2, 3]} is a=1&b=2&b=3; nulls are left out. */
static void
append_parameter (GString *query, const char *key, const NebulaCell *value)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (value->tag == NEBULA_CELL_NULL)
    return;
  if (query->len > 0)
    g_string_append_c (query, '&');
  g_string_append_uri_escaped (query, key, NULL, FALSE);
  g_string_append_c (query, '=');
  _nebula_cell_append_text (value, text);
  g_string_append_uri_escaped (query, text->str, NULL, FALSE);
}

static gboolean
call_query_string (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaValue *object = arguments[0].as.value;
  g_autoptr (GString) query = g_string_new (NULL);

  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    NebulaCell member = _nebula_cell_borrow (nebula_value_get_member_at (object, i));
    const char *key = nebula_value_get_key (object, i, NULL);
    gboolean is_list = _nebula_cell_is (&member, NEBULA_VALUE_KIND_ARRAY);
    gsize length = is_list ? nebula_value_get_length (member.as.value) : 1;

    if (!_nebula_vm_burn (vm, 1 + length))
      return FALSE;
    for (gsize j = 0; j < length; j++) {
      NebulaCell item =
          is_list ? _nebula_cell_borrow (nebula_value_get_item (member.as.value, j))
                  : member;

      append_parameter (query, key, &item);
    }
    if (query->len > vm->limits->memory_bytes)
      return _nebula_vm_charge (vm, query->len);
  }
  return _nebula_vm_give_text (vm, g_steal_pointer (&query), ret);
}

static gboolean
call_parse_query (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  const char *text = _nebula_cell_get_string (arguments, NULL);
  g_auto (GStrv) pairs = g_strsplit (*text == '?' ? text + 1 : text, "&", -1);
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, TRUE);
  for (guint i = 0; pairs[i] != NULL; i++) {
    g_auto (GStrv) parts = g_strsplit (pairs[i], "=", 2);
    NebulaCell key_text, key, value_text, value;
    gboolean is_done;

    if (parts[0] == NULL || *parts[0] == '\0')
      continue;
    if (!_nebula_vm_burn (vm, 1) || !_nebula_vm_give_string (vm, parts[0], -1, &key_text))
      return FALSE;
    is_done = call_url_decode (vm, &key_text, 1, &key);
    _nebula_cell_release (&key_text);
    if (!is_done)
      return FALSE;
    is_done =
        _nebula_vm_give_string (vm, parts[1] != NULL ? parts[1] : "", -1, &value_text);
    if (is_done) {
      is_done = call_url_decode (vm, &value_text, 1, &value);
      _nebula_cell_release (&value_text);
    }
    is_done = is_done && _nebula_collector_set (
                             &collector, nebula_value_get_string (key.as.value),
                             nebula_value_get_string_length (key.as.value), &value);
    _nebula_cell_release (&key);
    if (!is_done)
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_escape_html (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length;
  const char *text = _nebula_cell_get_string (arguments, &length);
  GString *result = g_string_sized_new (length);

  for (gsize i = 0; i < length; i++) {
    if (text[i] == '&')
      g_string_append (result, "&amp;");
    else if (text[i] == '<')
      g_string_append (result, "&lt;");
    else if (text[i] == '>')
      g_string_append (result, "&gt;");
    else if (text[i] == '"')
      g_string_append (result, "&quot;");
    else if (text[i] == '\'')
      g_string_append (result, "&#39;");
    else
      g_string_append_c (result, text[i]);
  }
  return _nebula_vm_give_text (vm, result, ret);
}

typedef struct {
  const char *name;
  GChecksumType type;
} Digest;

static const Digest digests[] = {
    {"md5", G_CHECKSUM_MD5},       {"sha1", G_CHECKSUM_SHA1},
    {"sha256", G_CHECKSUM_SHA256}, {"sha384", G_CHECKSUM_SHA384},
    {"sha512", G_CHECKSUM_SHA512},
};

static gboolean
find_digest (NebulaVm *vm, const NebulaCell *cell, GChecksumType *ret)
{
  const char *name = cell != NULL ? _nebula_cell_get_string (cell, NULL) : "sha256";

  for (guint i = 0; i < G_N_ELEMENTS (digests); i++)
    if (g_ascii_strcasecmp (digests[i].name, name) == 0) {
      *ret = digests[i].type;
      return TRUE;
    }
  return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT,
                          _ ("There are md5, sha1, sha256, sha384 and sha512."),
                          _ ("There is no digest “%s”"), name);
}

static gboolean
hash (NebulaVm *vm, const NebulaCell *cell, GChecksumType type, NebulaCell *ret)
{
  g_autoptr (GBytes) bytes = take_bytes (vm, cell);
  g_autofree char *digest = NULL;

  if (bytes == NULL || !_nebula_vm_burn (vm, 10 + g_bytes_get_size (bytes) / 16))
    return FALSE;
  digest = g_compute_checksum_for_bytes (type, bytes);
  return _nebula_vm_give_string (vm, digest, -1, ret);
}

static gboolean
call_hash (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  GChecksumType type;

  return find_digest (vm, count > 1 ? &arguments[1] : NULL, &type) &&
         hash (vm, arguments, type, ret);
}

static gboolean
call_md5 (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return hash (vm, arguments, G_CHECKSUM_MD5, ret);
}

static gboolean
call_sha1 (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return hash (vm, arguments, G_CHECKSUM_SHA1, ret);
}

static gboolean
call_sha256 (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return hash (vm, arguments, G_CHECKSUM_SHA256, ret);
}

static gboolean
call_sha512 (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return hash (vm, arguments, G_CHECKSUM_SHA512, ret);
}

static gboolean
call_hmac (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GBytes) bytes = take_bytes (vm, &arguments[0]);
  g_autoptr (GBytes) key = bytes != NULL ? take_bytes (vm, &arguments[1]) : NULL;
  g_autofree char *digest = NULL;
  GChecksumType type;

  if (key == NULL || !find_digest (vm, count > 2 ? &arguments[2] : NULL, &type) ||
      !_nebula_vm_burn (vm, 20 + g_bytes_get_size (bytes) / 16))
    return FALSE;
  digest = g_compute_hmac_for_bytes (type, key, bytes);
  return _nebula_vm_give_string (vm, digest, -1, ret);
}

/* Version 4, out of the random numbers of the node-run. */
static gboolean
call_uuid (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  guint64 high = _nebula_vm_random (vm), low = _nebula_vm_random (vm);
  char text[40];

  high = (high & ~G_GUINT64_CONSTANT (0xf000)) | 0x4000;
  low = (low & ~(G_GUINT64_CONSTANT (3) << 62)) | G_GUINT64_CONSTANT (2) << 62;
  g_snprintf (text, sizeof text, "%08x-%04x-%04x-%04x-%012" G_GINT64_MODIFIER "x",
              (guint) (high >> 32), (guint) (high >> 16 & 0xffff),
              (guint) (high & 0xffff), (guint) (low >> 48),
              low & G_GUINT64_CONSTANT (0xffffffffffff));
  return _nebula_vm_give_string (vm, text, -1, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_encoding[] = {
  { "base64_decode", "from_base64 atob", "s", "sy", "text", N_("text (or bytes) out of base64, both alphabets"), call_base64_decode, 1, 1 },
  { "base64_encode", "to_base64 base64 btoa", "y", "s", "text", N_("text or bytes as base64"), call_base64_encode, 1, 1 },
  { "base64url_encode", "to_base64url", "y", "s", "text", N_("base64 with - and _ and no padding"), call_base64url_encode, 1, 1 },
  { "escape_html", "html_escape", "s", "s", "text", N_("with & < > and quotes written for HTML"), call_escape_html, 1, 1 },
  { "hash", "digest", "ys", "s", "text, algorithm?", N_("a digest in hexadecimal: sha256, or md5, sha1, sha384, sha512"), call_hash, 1, 2 },
  { "hex_decode", "from_hex", "s", "sy", "text", N_("text (or bytes) out of hexadecimal"), call_hex_decode, 1, 1 },
  { "hex_encode", "to_hex hex", "y", "s", "text", N_("text or bytes in hexadecimal"), call_hex_encode, 1, 1 },
  { "hmac", NULL, "yys", "s", "text, key, algorithm?", N_("a keyed digest in hexadecimal: sha256 or another"), call_hmac, 2, 3 },
  { "md5", NULL, "y", "s", "text", N_("the MD5 digest in hexadecimal"), call_md5, 1, 1 },
  { "parse_query", NULL, "s", "o", "text", N_("an object out of a=1&b=2"), call_parse_query, 1, 1 },
  { "query_string", "build_query to_query", "o", "s", "object", N_("a=1&b=2 out of an object"), call_query_string, 1, 1 },
  { "sha1", NULL, "y", "s", "text", N_("the SHA-1 digest in hexadecimal"), call_sha1, 1, 1 },
  { "sha256", NULL, "y", "s", "text", N_("the SHA-256 digest in hexadecimal"), call_sha256, 1, 1 },
  { "sha512", NULL, "y", "s", "text", N_("the SHA-512 digest in hexadecimal"), call_sha512, 1, 1 },
  { "url_decode", "decode_uri_component", "s", "s", "text", N_("out of percent signs"), call_url_decode, 1, 1 },
  { "url_encode", "encode_uri_component", "s", "s", "text", N_("with percent signs, for a part of an address"), call_url_encode, 1, 1 },
  { "uuid", "uuid4 random_uuid", "", "s", "", N_("a random UUID, the same when it is computed again"), call_uuid, 0, 0, 0, NEBULA_FUNCTION_IMPURE },
  { NULL },
};
/* clang-format on */
