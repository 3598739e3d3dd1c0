/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-redactor.h"

#include <string.h>

#include "nebula-redaction-private.h"
#include "nebula-sync-internal.h"

/**
 * NebulaRedactor:
 *
 * Takes living secrets out of texts. Who holds a secret adds it while he holds it; the log and everything else that shows
 * texts asks the default redactor. A secret is found as it is, as base64 and base64url (also inside of a longer encoded
 * text), in hexadecimal digits, and with the escapes of URLs, forms, JSON and C.
 *
 * Thread: any, locked.
 *
 * Since: 1.0
 */
struct _NebulaRedactor {
  GObject parent_instance;

  GMutex lock;         /* guards the table */
  GHashTable *secrets; /* GBytes → how often it was added */
  NebulaRedaction *current;
  gint is_used; /* atomic: whether there is any secret */
};

G_DEFINE_FINAL_TYPE (NebulaRedactor, nebula_redactor, G_TYPE_OBJECT)

static void
nebula_redactor_finalize (GObject *object)
{
  NebulaRedactor *self = NEBULA_REDACTOR (object);

  g_clear_pointer (&self->current, _nebula_redaction_unref);
  g_hash_table_unref (self->secrets);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (nebula_redactor_parent_class)->finalize (object);
}

static void
nebula_redactor_class_init (NebulaRedactorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_redactor_finalize;
}

static void
wipe (gpointer data)
{
  g_autoptr (GBytes) bytes = data;
  gsize length = 0;
  gpointer memory = NULL;

  /* The copy is ours alone, so its memory may be written. */
  memory = g_bytes_unref_to_data (g_steal_pointer (&bytes), &length);
  explicit_bzero (memory, length);
  g_free (memory);
}

static void
nebula_redactor_init (NebulaRedactor *self)
{
  g_mutex_init (&self->lock);
  self->secrets = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, wipe, NULL);
}

/**
 * nebula_redactor_new:
 *
 * Makes a redactor that knows no secret.
 *
 * Returns: (transfer full): the redactor
 *
 * Since: 1.0
 */
NebulaRedactor *
nebula_redactor_new (void)
{
  return g_object_new (NEBULA_TYPE_REDACTOR, NULL);
}

/**
 * nebula_redactor_get_default:
 *
 * Gets the redactor of the process, through which all log entries pass.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the redactor
 *
 * Since: 1.0
 */
NebulaRedactor *
nebula_redactor_get_default (void)
{
  static NebulaRedactor *redactor;

  if (g_once_init_enter (&redactor))
    g_once_init_leave (&redactor, nebula_redactor_new ());
  return redactor;
}

/* With the lock held. */
static void
rebuild (NebulaRedactor *self)
{
  gboolean is_used = g_hash_table_size (self->secrets) > 0;

  g_clear_pointer (&self->current, _nebula_redaction_unref);
  if (is_used)
    self->current = _nebula_redaction_new (self->secrets);
  g_atomic_int_set (&self->is_used, is_used);
}

/**
 * nebula_redactor_add:
 * @self: a redactor
 * @secret: what must not be seen
 *
 * Takes a secret out of all texts from now on. What was added several times must be removed as often. A secret of less
 * than four bytes is refused: it would stand everywhere.
 *
 * Thread: any.
 *
 * Returns: whether it was taken
 *
 * Since: 1.0
 */
gboolean
nebula_redactor_add (NebulaRedactor *self, GBytes *secret)
{
  gpointer count = NULL;

  g_return_val_if_fail (NEBULA_IS_REDACTOR (self), FALSE);
  g_return_val_if_fail (secret != NULL, FALSE);

  if (g_bytes_get_size (secret) < NEBULA_SECRET_BYTES_MIN)
    return FALSE;
  NEBULA_SYNC_AUTO (guard, &self->lock);
  count = g_hash_table_lookup (self->secrets, secret);
  g_hash_table_insert (self->secrets,
                       g_bytes_new (g_bytes_get_data (secret, NULL), g_bytes_get_size (secret)),
                       GUINT_TO_POINTER (GPOINTER_TO_UINT (count) + 1));
  if (!count)
    rebuild (self);
  return TRUE;
}

/**
 * nebula_redactor_remove:
 * @self: a redactor
 * @secret: what was added
 *
 * Ends what nebula_redactor_add() began. Log entries that were made before and wait to be written are still cleaned.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_redactor_remove (NebulaRedactor *self, GBytes *secret)
{
  guint count = 0;

  g_return_if_fail (NEBULA_IS_REDACTOR (self));
  g_return_if_fail (secret != NULL);

  NEBULA_SYNC_AUTO (guard, &self->lock);
  count = GPOINTER_TO_UINT (g_hash_table_lookup (self->secrets, secret));
  if (count == 0)
    return;
  if (count > 1) {
    g_hash_table_insert (
        self->secrets,
        g_bytes_new (g_bytes_get_data (secret, NULL), g_bytes_get_size (secret)),
        GUINT_TO_POINTER (count - 1));
    return;
  }
  g_hash_table_remove (self->secrets, secret);
  rebuild (self);
}

/**
 * nebula_redactor_get_n_secrets:
 * @self: a redactor
 *
 * Counts the secrets that it knows.
 *
 * Thread: any.
 *
 * Returns: their number
 *
 * Since: 1.0
 */
guint
nebula_redactor_get_n_secrets (NebulaRedactor *self)
{
  g_return_val_if_fail (NEBULA_IS_REDACTOR (self), 0);

  NEBULA_SYNC_AUTO (guard, &self->lock);
  return g_hash_table_size (self->secrets);
}

NebulaRedaction *
_nebula_redactor_ref_current (NebulaRedactor *self)
{
  if (!g_atomic_int_get (&self->is_used))
    return NULL;
  NEBULA_SYNC_AUTO (guard, &self->lock);
  return self->current ? _nebula_redaction_ref (self->current) : NULL;
}

/**
 * nebula_redactor_redact:
 * @self: a redactor
 * @text: a text
 *
 * Puts dots in the place of each secret.
 *
 * Thread: any.
 *
 * Returns: (transfer full) (nullable): the text without secrets, %NULL if there was none in it
 *
 * Since: 1.0
 */
char *
nebula_redactor_redact (NebulaRedactor *self, const char *text)
{
  g_autoptr (NebulaRedaction) redaction = NULL;

  g_return_val_if_fail (NEBULA_IS_REDACTOR (self), NULL);
  g_return_val_if_fail (text != NULL, NULL);

  redaction = _nebula_redactor_ref_current (self);
  return redaction ? _nebula_redaction_apply (redaction, text, strlen (text)) : NULL;
}
