/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is known, in memory; asked by any thread. */

#include <glib/gi18n-lib.h>
#include <sodium.h>
#include <string.h>

#include "nebula-access-private.h"
#include "nebula-duration.h"
#include "nebula-error.h"

NebulaAccess *
_nebula_access_open (NebulaJournal *journal, NebulaClock *clock, GError **error)
{
  g_autoptr (NebulaAccess) self = NULL;

  if (sodium_init () < 0) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
        _ ("This machine gives no random numbers, so nobody can be let in."));
    return NULL;
  }
  self = g_new0 (NebulaAccess, 1);
  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->journal = journal;
  self->clock = g_object_ref (clock);
  self->users = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) nebula_value_unref);
  self->tokens = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) nebula_value_unref);
  self->proven = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  randombytes_buf (self->proven_key, sizeof self->proven_key);
  return _nebula_access_read (self, error) ? g_steal_pointer (&self) : NULL;
}

NebulaAccess *
_nebula_access_ref (NebulaAccess *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
_nebula_access_unref (NebulaAccess *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->users);
  g_hash_table_unref (self->tokens);
  g_hash_table_unref (self->proven);
  sodium_memzero (self->proven_key, sizeof self->proven_key);
  g_free (self->set_up);
  g_object_unref (self->clock);
  g_clear_object (&self->executor);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
_nebula_access_close (NebulaAccess *self)
{
  self->journal = NULL;
}

char *
_nebula_access_hash (const char *text)
{
  guint8 hash[NEBULA_HASH_BYTES];
  char hex[2 * NEBULA_HASH_BYTES + 1];

  crypto_generichash (hash, sizeof hash, (const guint8 *) text, strlen (text), NULL, 0);
  return g_strdup (sodium_bin2hex (hex, sizeof hex, hash, sizeof hash));
}

char *
_nebula_access_make_random (gsize n_bytes)
{
  guint8 bytes[NEBULA_HASH_BYTES];
  char hex[2 * NEBULA_HASH_BYTES + 1];

  g_return_val_if_fail (n_bytes <= sizeof bytes, NULL);

  randombytes_buf (bytes, n_bytes);
  sodium_bin2hex (hex, sizeof hex, bytes, n_bytes);
  sodium_memzero (bytes, sizeof bytes);
  return g_strdup (hex);
}

gboolean
_nebula_access_hash_equal (const char *first, const char *second)
{
  gsize length = strlen (first);

  return length == strlen (second) && sodium_memcmp (first, second, length) == 0;
}

void
_nebula_access_keep (NebulaAccess *self,
                     const char *collection,
                     const char *key,
                     NebulaValue *document)
{
  gboolean is_user = g_str_equal (collection, NEBULA_ACCESS_USERS);
  GHashTable *table = is_user ? self->users : self->tokens;

  g_mutex_lock (&self->lock);
  if (document)
    g_hash_table_replace (table, g_strdup (key), nebula_value_ref (document));
  else
    g_hash_table_remove (table, key);
  if (is_user)
    g_hash_table_remove_all (self->proven);
  g_mutex_unlock (&self->lock);
}

NebulaValue *
_nebula_access_find (NebulaAccess *self, const char *collection, const char *key)
{
  GHashTable *table =
      g_str_equal (collection, NEBULA_ACCESS_USERS) ? self->users : self->tokens;
  NebulaValue *document;

  g_mutex_lock (&self->lock);
  document = g_hash_table_lookup (table, key);
  if (document)
    nebula_value_ref (document);
  g_mutex_unlock (&self->lock);
  return document;
}

gboolean
_nebula_access_has_users (NebulaAccess *self)
{
  gboolean has_users;

  g_mutex_lock (&self->lock);
  has_users = g_hash_table_size (self->users) > 0;
  g_mutex_unlock (&self->lock);
  return has_users;
}

/* The role of a user in a tenant; NULL: none. */
static const char *
get_role (NebulaValue *user, const char *tenant)
{
  NebulaValue *roles = user ? nebula_value_get_member (user, "roles") : NULL;

  if (!roles || nebula_value_get_member_boolean (user, "disabled", FALSE))
    return NULL;
  return nebula_value_get_member_string (roles, tenant, NULL);
}

gboolean
_nebula_access_has_other_admin (NebulaAccess *self,
                                const char *tenant,
                                const char *without)
{
  GHashTableIter iter;
  gpointer name, user;
  gboolean is_found = FALSE;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->users);
  while (!is_found && g_hash_table_iter_next (&iter, &name, &user))
    is_found =
        !g_str_equal (name, without) && g_strcmp0 (get_role (user, tenant), "admin") == 0;
  g_mutex_unlock (&self->lock);
  return is_found;
}

/* The lesser of two roles. */
static const char *
get_lesser (const char *first, const char *second)
{
  NebulaPermission a = nebula_role_get_permissions (first);
  NebulaPermission b = nebula_role_get_permissions (second);

  return (a & b) == a ? first : second;
}

/* Under the lock. */
static NebulaCaller *
make_caller (NebulaAccess *self, NebulaValue *token)
{
  const char *tenant = nebula_value_get_member_string (token, "tenant", "");
  const char *user = nebula_value_get_member_string (token, "user", NULL);
  const char *role = nebula_value_get_member_string (token, "role", NULL);
  g_autoptr (NebulaContext) none = nebula_context_new ();
  g_autoptr (NebulaContext) of_tenant = nebula_context_with_tenant (none, tenant);
  g_autoptr (NebulaContext) context = nebula_context_with_user (of_tenant, user);

  if (user) {
    const char *users_role = get_role (g_hash_table_lookup (self->users, user), tenant);

    role = users_role ? get_lesser (role, users_role) : NULL;
  }
  if (!nebula_role_is_known (role))
    return NULL;
  return nebula_caller_new (context, role,
                            nebula_value_get_member_string (token, "token", NULL));
}

static gboolean
is_right (NebulaAccess *self, NebulaValue *token, const char *text)
{
  gint64 expires = nebula_value_get_member_integer (token, "expires", 0);
  g_autofree char *hash = _nebula_access_hash (text);

  return _nebula_access_hash_equal (nebula_value_get_member_string (token, "hash", ""),
                                    hash) &&
         (expires == 0 || expires > nebula_clock_get_real_usec (self->clock));
}

NebulaCaller *
_nebula_access_authenticate (NebulaAccess *self, const char *token, GError **error)
{
  const gsize before = strlen (NEBULA_TOKEN_PREFIX);
  g_autofree char *id = NULL;
  NebulaCaller *caller = NULL;
  NebulaValue *document;

  if (strlen (token) == NEBULA_TOKEN_LENGTH &&
      g_str_has_prefix (token, NEBULA_TOKEN_PREFIX)) {
    id = g_strndup (token + before, NEBULA_TOKEN_ID_LENGTH);
    g_mutex_lock (&self->lock);
    document = g_hash_table_lookup (self->tokens, id);
    if (document && is_right (self, document, token))
      caller = make_caller (self, document);
    g_mutex_unlock (&self->lock);
  }
  if (!caller)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED,
                         _ ("This token is not known, has expired or was revoked."));
  return caller;
}

char *
_nebula_access_begin_set_up (NebulaAccess *self)
{
  char *secret = NULL;

  g_mutex_lock (&self->lock);
  if (g_hash_table_size (self->users) == 0) {
    secret = _nebula_access_make_random (NEBULA_TOKEN_SECRET_BYTES);
    g_free (self->set_up);
    self->set_up = _nebula_access_hash (secret);
  }
  g_mutex_unlock (&self->lock);
  return secret;
}

static void
set_time (NebulaValueBuilder *builder, const char *key, gint64 usec)
{
  g_autofree char *text = usec > 0 ? nebula_timestamp_to_string (usec, 0) : NULL;

  nebula_value_builder_set_string (builder, key, text);
}

NebulaValue *
_nebula_access_describe_user (NebulaValue *user, const char *tenant)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaValue *roles = nebula_value_get_member (user, "roles");

  nebula_value_builder_set_string (builder, "user",
                                   nebula_value_get_member_string (user, "user", ""));
  nebula_value_builder_set_string (
      builder, "role",
      roles ? nebula_value_get_member_string (roles, tenant, NULL) : NULL);
  nebula_value_builder_set_boolean (
      builder, "disabled", nebula_value_get_member_boolean (user, "disabled", FALSE));
  set_time (builder, "created", nebula_value_get_member_integer (user, "created", 0));
  return nebula_value_builder_end (builder);
}

NebulaValue *
_nebula_access_describe_token (NebulaValue *token)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  static const char *const texts[] = {"token", "title", "tenant", "role", "user"};

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    nebula_value_builder_set_string (
        builder, texts[i], nebula_value_get_member_string (token, texts[i], NULL));
  set_time (builder, "created", nebula_value_get_member_integer (token, "created", 0));
  set_time (builder, "expires", nebula_value_get_member_integer (token, "expires", 0));
  return nebula_value_builder_end (builder);
}

static gint
compare_keys (gconstpointer first, gconstpointer second)
{
  return strcmp (first, second);
}

NebulaValue *
_nebula_access_list_users (NebulaAccess *self, NebulaCaller *caller)
{
  const char *tenant = nebula_caller_get_tenant (caller);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (GList) names = NULL;

  g_mutex_lock (&self->lock);
  names = g_list_sort (g_hash_table_get_keys (self->users), compare_keys);
  for (GList *each = names; each; each = each->next) {
    NebulaValue *user = g_hash_table_lookup (self->users, each->data);
    NebulaValue *roles = nebula_value_get_member (user, "roles");

    if (roles && nebula_value_has_member (roles, tenant))
      nebula_value_builder_add_take (builder,
                                     _nebula_access_describe_user (user, tenant));
  }
  g_mutex_unlock (&self->lock);
  return nebula_value_builder_end (builder);
}

NebulaValue *
_nebula_access_list_tokens (NebulaAccess *self, NebulaCaller *caller)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gboolean is_all = nebula_caller_may (caller, NEBULA_PERMISSION_USER_MANAGE);
  g_autoptr (GList) ids = NULL;

  g_mutex_lock (&self->lock);
  ids = g_list_sort (g_hash_table_get_keys (self->tokens), compare_keys);
  for (GList *each = ids; each; each = each->next) {
    NebulaValue *token = g_hash_table_lookup (self->tokens, each->data);
    const char *user = nebula_value_get_member_string (token, "user", NULL);

    if (g_strcmp0 (nebula_value_get_member_string (token, "tenant", NULL),
                   nebula_caller_get_tenant (caller)) == 0 &&
        (is_all || (user && g_strcmp0 (user, nebula_caller_get_user (caller)) == 0)))
      nebula_value_builder_add_take (builder, _nebula_access_describe_token (token));
  }
  g_mutex_unlock (&self->lock);
  return nebula_value_builder_end (builder);
}
