/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-id-internal.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"

#define ID_DIGITS 26
#define ID_PREFIX 4
#define ID_TIME_MASK G_GUINT64_CONSTANT (0xffffffffffff)

struct _NebulaId
{
  NebulaIdKind kind;
  guint64 high; /* 48 bits of milliseconds, 16 random bits */
  guint64 low;  /* 64 random bits */
};

static const char *const prefixes[] = {
  [NEBULA_ID_KIND_EXECUTION] = "exe_", [NEBULA_ID_KIND_WORKFLOW] = "wfl_",   [NEBULA_ID_KIND_NODE] = "nod_",
  [NEBULA_ID_KIND_USER] = "usr_",      [NEBULA_ID_KIND_TENANT] = "ten_",     [NEBULA_ID_KIND_RESOURCE] = "res_",
  [NEBULA_ID_KIND_CREDENTIAL] = "crd_", [NEBULA_ID_KIND_TRIGGER] = "trg_",   [NEBULA_ID_KIND_MODULE] = "mod_",
  [NEBULA_ID_KIND_MESSAGE] = "msg_",
};

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

G_DEFINE_BOXED_TYPE (NebulaId, nebula_id, nebula_id_copy, nebula_id_free)

static int
digit_value (char digit)
{
  const char *found = digit ? strchr (alphabet, g_ascii_tolower (digit)) : NULL;

  return found ? (int) (found - alphabet) : -1;
}

static gboolean
parse_digits (const char *digits, NebulaId *id)
{
  /* 26 digits hold 130 bits, so the first may not pass 7. */
  if (digit_value (digits[0]) > 7)
    return FALSE;
  for (guint i = 0; i < ID_DIGITS; i++) {
    int value = digit_value (digits[i]);

    if (value < 0)
      return FALSE;
    id->high = (id->high << 5) | (id->low >> 59);
    id->low = (id->low << 5) | (guint64) value;
  }
  return TRUE;
}

static int
parse_prefix (const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_ascii_strncasecmp (text, prefixes[i], ID_PREFIX) == 0)
      return (int) i;
  return -1;
}

/**
 * nebula_id_new:
 * @kind: what it names
 * @clock: (nullable): where time and randomness come from, %NULL for the system's clock
 *
 * Makes an id that no other has.
 *
 * Returns: (transfer full): a new id
 *
 * Since: 1.0
 */
NebulaId *
nebula_id_new (NebulaIdKind kind, NebulaClock *clock)
{
  NebulaId *self = NULL;
  guint64 time_ms = 0;

  g_return_val_if_fail ((gsize) kind < G_N_ELEMENTS (prefixes), NULL);
  g_return_val_if_fail (clock == NULL || NEBULA_IS_CLOCK (clock), NULL);

  if (!clock)
    clock = nebula_clock_get_system ();
  time_ms = (guint64) MAX (nebula_clock_get_real_usec (clock) / 1000, 0) & ID_TIME_MASK;
  self = g_new0 (NebulaId, 1);
  self->kind = kind;
  self->high = (time_ms << 16) | (nebula_clock_get_random (clock) & 0xffff);
  self->low = nebula_clock_get_random (clock);
  return self;
}

/**
 * nebula_id_parse:
 * @text: a prefix and 26 digits; upper case is accepted
 * @error: where to put an error
 *
 * Reads the text form of an id.
 *
 * Errors: %NEBULA_ERROR_SYNTAX (terminal) if it is anything else.
 *
 * Returns: (transfer full): the id
 *
 * Since: 1.0
 */
NebulaId *
nebula_id_parse (const char *text, GError **error)
{
  NebulaId id = { 0 };
  int kind = -1;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (strnlen (text, ID_PREFIX + ID_DIGITS + 1) == ID_PREFIX + ID_DIGITS)
    kind = parse_prefix (text);
  if (kind < 0 || !parse_digits (text + ID_PREFIX, &id)) {
    g_autofree char *shown = g_utf8_make_valid (text, (gssize) strnlen (text, 40));

    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
                 _ ("“%s” is not an id; an id looks like exe_01j9z3k5m7n9p1q3r5s7t9v1w3."), shown);
    return NULL;
  }
  id.kind = (NebulaIdKind) kind;
  return nebula_id_copy (&id);
}

/**
 * nebula_id_copy:
 * @self: an id
 *
 * Copies an id.
 *
 * Returns: (transfer full): a copy
 *
 * Since: 1.0
 */
NebulaId *
nebula_id_copy (const NebulaId *self)
{
  NebulaId *copy = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_new (NebulaId, 1);
  *copy = *self;
  return copy;
}

/**
 * nebula_id_free:
 * @self: (nullable): an id
 *
 * Frees an id.
 *
 * Since: 1.0
 */
void
nebula_id_free (NebulaId *self)
{
  g_free (self);
}

/**
 * nebula_id_get_kind:
 * @self: an id
 *
 * Tells what an id names.
 *
 * Returns: the kind
 *
 * Since: 1.0
 */
NebulaIdKind
nebula_id_get_kind (const NebulaId *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_ID_KIND_EXECUTION);

  return self->kind;
}

/**
 * nebula_id_get_time_ms:
 * @self: an id
 *
 * Tells when an id was made.
 *
 * Returns: milliseconds since 1970 in UTC
 *
 * Since: 1.0
 */
gint64
nebula_id_get_time_ms (const NebulaId *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (gint64) (self->high >> 16);
}

/**
 * nebula_id_to_string:
 * @self: an id
 *
 * Gives the text form of an id: a prefix and 26 digits in lower case.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_id_to_string (const NebulaId *self)
{
  guint64 high = 0, low = 0;
  char *text = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  text = g_strdup_printf ("%s%*s", prefixes[self->kind], ID_DIGITS, "");
  high = self->high;
  low = self->low;
  for (guint i = ID_DIGITS; i > 0; i--) {
    text[ID_PREFIX + i - 1] = alphabet[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return text;
}

char *
nebula_id_derive (NebulaIdKind kind, gint64 time_ms, const char *text)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  NebulaId id = { .kind = kind };
  guint8 digest[32];
  gsize length = sizeof digest;

  g_checksum_update (checksum, (const guchar *) text, -1);
  g_checksum_get_digest (checksum, digest, &length);
  for (guint i = 0; i < 8; i++)
    id.low = id.low << 8 | digest[i];
  id.high = ((guint64) MAX (time_ms, 0) & ID_TIME_MASK) << 16 | (guint64) digest[8] << 8 | digest[9];
  return nebula_id_to_string (&id);
}

/**
 * nebula_id_compare:
 * @self: an id
 * @other: another id
 *
 * Orders ids by kind, then by time.
 *
 * Returns: negative, 0 or positive
 *
 * Since: 1.0
 */
gint
nebula_id_compare (const NebulaId *self, const NebulaId *other)
{
  g_return_val_if_fail (self != NULL && other != NULL, 0);

  if (self->kind != other->kind)
    return self->kind < other->kind ? -1 : 1;
  if (self->high != other->high)
    return self->high < other->high ? -1 : 1;
  if (self->low != other->low)
    return self->low < other->low ? -1 : 1;
  return 0;
}

/**
 * nebula_id_equal:
 * @self: an id
 * @other: another id
 *
 * Tells whether two ids are the same.
 *
 * Returns: whether they are
 *
 * Since: 1.0
 */
gboolean
nebula_id_equal (const NebulaId *self, const NebulaId *other)
{
  return nebula_id_compare (self, other) == 0;
}

/**
 * nebula_id_hash:
 * @self: an id
 *
 * Hashes an id for a hash table.
 *
 * Returns: the hash
 *
 * Since: 1.0
 */
guint
nebula_id_hash (const NebulaId *self)
{
  guint64 mixed = 0;

  g_return_val_if_fail (self != NULL, 0);

  mixed = (self->high ^ self->low) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (guint) (mixed >> 32) ^ (guint) self->kind;
}
