/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Passwords cost a tenth of a second and 64 MiB each, on purpose. One thread does them, one after the other, and only a few
 * may wait: who guesses passwords keeps nobody else busy.
 */

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <sodium.h>
#include <string.h>

#include "nebula-access-private.h"
#include "nebula-error-chain.h"

#define WAITING_MOST   16
#define PASSWORD_LEAST 10u
#define PASSWORD_MOST  1024u
#define RETRY_MS       1000

typedef struct {
  NebulaAccess *access;
  char *password;
  char *hash; /* NULL: to be made */
  gboolean is_check;
  NebulaPasswordDone done;
  gpointer user_data;
} Job;

static void
job_free (gpointer data)
{
  Job *self = data;

  sodium_memzero (self->password, strlen (self->password));
  g_free (self->password);
  g_free (self->hash);
  _nebula_access_unref (self->access);
  g_free (self);
}

static char *
make_hash (const char *password)
{
  char text[crypto_pwhash_STRBYTES];

  if (crypto_pwhash_str (text, password, strlen (password),
                         crypto_pwhash_OPSLIMIT_INTERACTIVE,
                         crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
    return NULL;
  return g_strdup (text);
}

static void
work (gpointer data)
{
  g_autoptr (GTask) task = data;
  Job *self = g_task_get_task_data (task);
  gboolean is_right = FALSE;

  if (self->is_check && self->hash)
    is_right = crypto_pwhash_str_verify (self->hash, self->password,
                                         strlen (self->password)) == 0;
  else {
    g_free (self->hash);
    self->hash = make_hash (self->password);
  }
  g_atomic_int_add (&self->access->n_passwords, -1);
  if (!self->hash)
    g_task_return_new_error (
        task, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE, "%s",
        _ ("There is no memory to check passwords just now. Try again."));
  else
    g_task_return_boolean (task, is_right);
}

static void
worked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Job *self = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  gboolean is_right = g_task_propagate_boolean (G_TASK (result), &error);

  self->done (error ? NULL : self->hash, is_right, error, self->user_data);
}

static void
begin (NebulaAccess *access,
       const char *hash,
       const char *password,
       gboolean is_check,
       NebulaPasswordDone done,
       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, worked, NULL);
  Job *self = g_new0 (Job, 1);

  self->access = _nebula_access_ref (access);
  self->password = g_strdup (password);
  self->hash = g_strdup (hash);
  self->is_check = is_check;
  self->done = done;
  self->user_data = user_data;
  g_task_set_task_data (task, self, job_free);
  if (g_atomic_int_add (&access->n_passwords, 1) >= WAITING_MOST) {
    GError *error = g_error_new_literal (
        NEBULA_ERROR, NEBULA_ERROR_THROTTLED,
        _ ("Too many passwords are being checked. Try again in a moment."));

    g_atomic_int_add (&access->n_passwords, -1);
    nebula_error_set_retry_after_ms (error, RETRY_MS);
    g_task_return_error (task, error);
    return;
  }
  if (!access->executor)
    access->executor = nebula_executor_new (1);
  nebula_executor_push (access->executor, work, g_steal_pointer (&task));
}

gboolean
_nebula_password_check (const char *password, GError **error)
{
  gsize length = strlen (password);

  if (length >= PASSWORD_LEAST && length <= PASSWORD_MOST)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("A password has %u to %u bytes. Choose another one."), PASSWORD_LEAST,
               PASSWORD_MOST);
  return FALSE;
}

void
_nebula_password_hash (NebulaAccess *access,
                       const char *password,
                       NebulaPasswordDone done,
                       gpointer user_data)
{
  begin (access, NULL, password, FALSE, done, user_data);
}

void
_nebula_password_verify (NebulaAccess *access,
                         const char *hash,
                         const char *password,
                         NebulaPasswordDone done,
                         gpointer user_data)
{
  begin (access, hash, password, TRUE, done, user_data);
}

char *
_nebula_password_make_proof (NebulaAccess *access, const char *user, const char *password)
{
  guint8 hash[NEBULA_HASH_BYTES];
  char hex[2 * NEBULA_HASH_BYTES + 1];
  crypto_generichash_state state;

  crypto_generichash_init (&state, access->proven_key, sizeof access->proven_key,
                           sizeof hash);
  crypto_generichash_update (&state, (const guint8 *) user, strlen (user) + 1);
  crypto_generichash_update (&state, (const guint8 *) password, strlen (password));
  crypto_generichash_final (&state, hash, sizeof hash);
  return g_strdup (sodium_bin2hex (hex, sizeof hex, hash, sizeof hash));
}
