/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-idempotency.h"
#include "nebula-msgpack.h"

#define KEY_BYTES_MAX 255

/**
 * nebula_idempotency_check_key:
 * @key: a key that a caller chose
 * @error: where to put an error
 *
 * Tells whether a text can be a key: 1 to 255 printable characters of ASCII.
 *
 * Thread: any.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal) if not.
 *
 * Returns: whether it can
 *
 * Since: 1.0
 */
gboolean
nebula_idempotency_check_key (const char *key, GError **error)
{
  gsize length = 0;

  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  while (g_ascii_isprint (key[length]) && length <= KEY_BYTES_MAX)
    length++;
  if (key[length] == '\0' && length > 0 && length <= KEY_BYTES_MAX)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("An idempotency key has 1 to %d printable characters of ASCII."), KEY_BYTES_MAX);
  return FALSE;
}

static void
add_text (GChecksum *sum, char kind, const char *text, gsize length)
{
  guint64 little = GUINT64_TO_LE ((guint64) length);

  g_checksum_update (sum, (const guchar *) &kind, 1);
  g_checksum_update (sum, (const guchar *) &little, sizeof little);
  g_checksum_update (sum, (const guchar *) text, (gssize) length);
}

static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (nebula_value_get_key (data, *(const guint *) a, NULL),
                 nebula_value_get_key (data, *(const guint *) b, NULL));
}

static void add_value (GChecksum *sum, NebulaValue *value);

/* In the order of their keys: a caller that writes them in another order means the same. */
static void
add_object (GChecksum *sum, NebulaValue *value)
{
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < nebula_value_get_length (value); i++)
    g_array_append_val (order, i);
  g_array_sort_with_data (order, compare_keys, value);
  add_text (sum, 'o', "", 0);
  for (guint i = 0; i < order->len; i++) {
    guint index = g_array_index (order, guint, i);
    gsize length = 0;
    const char *key = nebula_value_get_key (value, index, &length);

    add_text (sum, 'k', key, length);
    add_value (sum, nebula_value_get_member_at (value, index));
  }
  add_text (sum, 'e', "", 0);
}

/* Values are at most 128 levels deep. */
static void
add_value (GChecksum *sum, NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  g_autoptr (GByteArray) bytes = NULL;

  if (kind == NEBULA_VALUE_KIND_OBJECT) {
    add_object (sum, value);
  } else if (kind == NEBULA_VALUE_KIND_ARRAY) {
    add_text (sum, 'a', "", 0);
    for (gsize i = 0; i < nebula_value_get_length (value); i++)
      add_value (sum, nebula_value_get_item (value, i));
    add_text (sum, 'e', "", 0);
  } else {
    bytes = g_byte_array_new ();
    nebula_value_append_msgpack (value, bytes);
    add_text (sum, 'v', (const char *) bytes->data, bytes->len);
  }
}

/**
 * nebula_idempotency_make_fingerprint:
 * @content: what is asked for
 *
 * Tells contents apart: two have the same fingerprint if they are equal, in whatever order the keys of their objects stand.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the SHA-256 in hexadecimal digits
 *
 * Since: 1.0
 */
char *
nebula_idempotency_make_fingerprint (NebulaValue *content)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  g_return_val_if_fail (content != NULL, NULL);

  add_value (sum, content);
  return g_strdup (g_checksum_get_string (sum));
}

/**
 * nebula_idempotency_make_key:
 * @scope: where the key holds, such as a tenant and an action, a workflow or a route
 * @user_key: (nullable): what the caller chose
 * @content: (nullable): what is asked for
 *
 * Makes the key under which an outcome is stored: by the caller's key, by content, or by both.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the SHA-256 in hexadecimal digits
 *
 * Since: 1.0
 */
char *
nebula_idempotency_make_key (const char *scope, const char *user_key, NebulaValue *content)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  g_return_val_if_fail (scope != NULL, NULL);
  g_return_val_if_fail (user_key != NULL || content != NULL, NULL);

  add_text (sum, 's', scope, strlen (scope));
  if (user_key)
    add_text (sum, 'u', user_key, strlen (user_key));
  if (content)
    add_value (sum, content);
  return g_strdup (g_checksum_get_string (sum));
}
