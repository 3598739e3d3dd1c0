/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes: what is asked is checked, hashed if need be, committed, and only then kept in memory and told. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-access-private.h"
#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-json.h"

#define PROVEN_MOST 1024
#define TITLE_MOST  200u

typedef struct {
  NebulaAccess *access;
  NebulaCaller *caller;
  NebulaValue *request;
  NebulaAccessDone done;
  gpointer user_data;
  const char *collection;
  char *key;
  NebulaValue *document; /* NULL: is removed */
  NebulaValue *answer;
  char *set_up;    /* the hash of its secret, while the first user is made; comes back if that fails */
  gint64 expected; /* revision of the document; -1: it must not exist; 0: any */
} Order;

static const char *
get (Order *self, const char *key)
{
  return nebula_value_get_member_string (self->request, key, NULL);
}

static void
order_end (Order *self, NebulaValue *answer, const GError *error)
{
  if (self->set_up && error) {
    g_mutex_lock (&self->access->lock);
    if (!self->access->set_up)
      self->access->set_up = g_steal_pointer (&self->set_up);
    g_mutex_unlock (&self->access->lock);
  }
  g_free (self->set_up);
  self->done (answer, error, self->user_data);
  _nebula_access_unref (self->access);
  nebula_caller_unref (self->caller);
  nebula_value_unref (self->request);
  g_clear_pointer (&self->document, nebula_value_unref);
  g_clear_pointer (&self->answer, nebula_value_unref);
  g_free (self->key);
  g_free (self);
}

static void
order_fail (Order *self, NebulaError code, const char *text)
{
  g_autoptr (GError) error = g_error_new_literal (NEBULA_ERROR, (gint) code, text);

  order_end (self, NULL, error);
}

static void
committed (const NebulaUnit *unit,
           NebulaOutcome outcome,
           const GError *error,
           gpointer user_data)
{
  Order *self = user_data;

  if (outcome == NEBULA_OUTCOME_COMMITTED) {
    _nebula_access_keep (self->access, self->collection, self->key, self->document);
    order_end (self, self->answer, NULL);
  } else if (outcome == NEBULA_OUTCOME_REFUSED_REVISION)
    order_fail (self, NEBULA_ERROR_EXISTS, _ ("There is one of this name already."));
  else
    order_end (self, NULL, error);
}

static void
order_commit (Order *self)
{
  g_autoptr (NebulaUnit) unit = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *stream = NULL;
  char *text;

  if (!self->access->journal) {
    order_fail (self, NEBULA_ERROR_UNAVAILABLE, _ ("The server is stopping."));
    return;
  }
  if (self->document) {
    text = nebula_value_to_json (self->document, NEBULA_JSON_FLAGS_NONE);
    bytes = g_bytes_new_take (text, strlen (text));
  }
  stream = g_strconcat ("access/", self->collection, "/", self->key, NULL);
  unit = nebula_unit_new (stream, 0);
  nebula_unit_add_document (unit, self->collection, self->key, bytes, self->expected);
  unit->strict = TRUE;
  nebula_journal_submit (self->access->journal, g_steal_pointer (&unit), committed, self);
}

/* Users. */

static gboolean
check_user_name (const char *name)
{
  return name && g_regex_match_simple ("^[a-z0-9][a-z0-9._@-]{0,63}$", name,
                                       G_REGEX_DOLLAR_ENDONLY, 0);
}

static NebulaValue *
with_role (NebulaValue *user, const char *tenant, const char *role)
{
  NebulaValue *roles = user ? nebula_value_get_member (user, "roles") : NULL;
  g_autoptr (NebulaValue) none = nebula_value_new_empty_object ();
  g_autoptr (NebulaValue) text = role ? nebula_value_new_string (role) : NULL;

  return text ? nebula_value_with_member (roles ? roles : none, tenant, text)
              : nebula_value_without_member (roles ? roles : none, tenant);
}

static void
set_member (NebulaValue **object, const char *key, NebulaValue *member)
{
  g_autoptr (NebulaValue) former = *object;
  g_autoptr (NebulaValue) owned = member;

  *object = nebula_value_with_member (former, key, owned);
}

static void
keep_user (Order *self, NebulaValue *user)
{
  self->collection = NEBULA_ACCESS_USERS;
  g_free (self->key);
  self->key = g_strdup (nebula_value_get_member_string (user, "user", ""));
  self->document = nebula_value_ref (user);
  self->answer =
      _nebula_access_describe_user (user, nebula_caller_get_tenant (self->caller));
  order_commit (self);
}

static void
user_hashed (const char *hash, gboolean is_right, const GError *error, gpointer user_data)
{
  Order *self = user_data;
  const char *tenant = nebula_caller_get_tenant (self->caller);
  g_autoptr (NebulaValue) user = NULL;

  if (!hash) {
    order_end (self, NULL, error);
    return;
  }
  user = nebula_value_new_empty_object ();
  set_member (&user, "user", nebula_value_new_string (get (self, "user")));
  set_member (&user, "roles", with_role (NULL, tenant, get (self, "role")));
  set_member (&user, "password", nebula_value_new_string (hash));
  set_member (
      &user, "created",
      nebula_value_new_integer (nebula_clock_get_real_usec (self->access->clock)));
  self->expected = -1;
  keep_user (self, user);
}

static gboolean
check_role (const char *role, GError **error)
{
  if (nebula_role_is_known (role))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%.80s” is no role. Use viewer, operator, editor or admin."),
               role ? role : "");
  return FALSE;
}

static gboolean
check_new_user (Order *self, GError **error)
{
  const char *name = get (self, "user");
  g_autoptr (NebulaValue) former = NULL;

  if (!check_user_name (name)) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
        _ ("A user's name has 1 to 64 lower-case letters, digits, dots, hyphens, underscores and @, "
           "a letter or digit first."));
    return FALSE;
  }
  former = _nebula_access_find (self->access, NEBULA_ACCESS_USERS, name);
  if (former) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS,
                 _ ("There is a user “%s” already."), name);
    return FALSE;
  }
  return check_role (get (self, "role"), error) &&
         _nebula_password_check (get (self, "password") ? get (self, "password") : "",
                                 error);
}

static void
user_create (Order *self)
{
  g_autoptr (GError) error = NULL;

  if (!check_new_user (self, &error))
    order_end (self, NULL, error);
  else
    _nebula_password_hash (self->access, get (self, "password"), user_hashed, self);
}

/* One who is not of the tenant is not there. */
static NebulaValue *
find_user (Order *self, GError **error)
{
  const char *name = get (self, "user");
  NebulaValue *user =
      name ? _nebula_access_find (self->access, NEBULA_ACCESS_USERS, name) : NULL;
  NebulaValue *roles = user ? nebula_value_get_member (user, "roles") : NULL;

  if (roles && nebula_value_has_member (roles, nebula_caller_get_tenant (self->caller)))
    return user;
  g_clear_pointer (&user, nebula_value_unref);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
               _ ("There is no user “%.80s”."), name ? name : "");
  return NULL;
}

static gboolean
check_last_admin (Order *self, GError **error)
{
  if (_nebula_access_has_other_admin (
          self->access, nebula_caller_get_tenant (self->caller), get (self, "user")))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                       _ ("This is the last administrator. Make another one first."));
  return FALSE;
}

/* An account that other tenants know, too, is not theirs alone to change. */
static gboolean
check_only_tenant (NebulaValue *user, GError **error)
{
  if (nebula_value_get_length (nebula_value_get_member (user, "roles")) == 1)
    return TRUE;
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED,
      _ ("This user belongs to other tenants, too; only the role here can be changed."));
  return FALSE;
}

static NebulaValue *
change_user (Order *self, GError **error)
{
  g_autoptr (NebulaValue) user = find_user (self, error);
  const char *role = get (self, "role");
  gboolean is_disabled;

  if (!user)
    return NULL;
  is_disabled = nebula_value_get_member_boolean (
      self->request, "disabled",
      nebula_value_get_member_boolean (user, "disabled", FALSE));
  if (role && !check_role (role, error))
    return NULL;
  if ((is_disabled || (role && !g_str_equal (role, "admin"))) &&
      !check_last_admin (self, error))
    return NULL;
  if ((nebula_value_has_member (self->request, "disabled") || get (self, "password")) &&
      !check_only_tenant (user, error))
    return NULL;
  if (role)
    set_member (&user, "roles",
                with_role (user, nebula_caller_get_tenant (self->caller), role));
  set_member (&user, "disabled", nebula_value_new_boolean (is_disabled));
  return g_steal_pointer (&user);
}

static void
user_rehashed (const char *hash,
               gboolean is_right,
               const GError *error,
               gpointer user_data)
{
  Order *self = user_data;
  g_autoptr (GError) local_error = NULL;
  g_autoptr (NebulaValue) user = hash ? change_user (self, &local_error) : NULL;

  if (!user) {
    order_end (self, NULL, hash ? local_error : error);
    return;
  }
  set_member (&user, "password", nebula_value_new_string (hash));
  keep_user (self, user);
}

static void
user_update (Order *self)
{
  const char *password = get (self, "password");
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) user = change_user (self, &error);

  if (!user || (password && !_nebula_password_check (password, &error)))
    order_end (self, NULL, error);
  else if (password)
    _nebula_password_hash (self->access, password, user_rehashed, self);
  else
    keep_user (self, user);
}

static void
user_delete (Order *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) user = find_user (self, &error);

  if (!user || !check_last_admin (self, &error)) {
    order_end (self, NULL, error);
    return;
  }
  set_member (&user, "roles",
              with_role (user, nebula_caller_get_tenant (self->caller), NULL));
  self->collection = NEBULA_ACCESS_USERS;
  self->key = g_strdup (get (self, "user"));
  if (nebula_value_get_length (nebula_value_get_member (user, "roles")) > 0)
    self->document = g_steal_pointer (&user);
  self->answer = nebula_value_new_null ();
  order_commit (self);
}

/* The first one. */
static void
set_up (Order *self)
{
  const char *secret = get (self, "secret");
  g_autofree char *hash = _nebula_access_hash (secret ? secret : "");
  gboolean is_right;

  g_mutex_lock (&self->access->lock);
  is_right = self->access->set_up && g_hash_table_size (self->access->users) == 0 &&
             _nebula_access_hash_equal (self->access->set_up, hash);
  if (is_right)
    self->set_up = g_steal_pointer (&self->access->set_up);
  g_mutex_unlock (&self->access->lock);
  if (!is_right) {
    order_fail (
        self, NEBULA_ERROR_PERMISSION_DENIED,
        _ ("This link is not valid, or it was used. The server prints a new one when it starts without users."));
    return;
  }
  set_member (&self->request, "role", nebula_value_new_string ("admin"));
  user_create (self);
}

/* Who says who they are. */

static void
log_in_end (Order *self, NebulaValue *user)
{
  const char *tenant = nebula_caller_get_tenant (self->caller);
  g_autoptr (NebulaValue) answer =
      user ? _nebula_access_describe_user (user, tenant) : NULL;

  if (!answer || nebula_value_get_member_boolean (user, "disabled", FALSE) ||
      !nebula_value_get_member_string (answer, "role", NULL)) {
    order_fail (self, NEBULA_ERROR_PERMISSION_DENIED,
                _ ("The name or the password is wrong."));
    return;
  }
  set_member (&answer, "tenant", nebula_value_new_string (tenant));
  order_end (self, answer, NULL);
}

static void
log_in_checked (const char *hash,
                gboolean is_right,
                const GError *error,
                gpointer user_data)
{
  Order *self = user_data;
  g_autoptr (NebulaValue) user =
      _nebula_access_find (self->access, NEBULA_ACCESS_USERS, get (self, "user"));
  const char *stored = user ? nebula_value_get_member_string (user, "password", "") : "";

  if (!hash) {
    order_end (self, NULL, error);
    return;
  }
  if (!is_right || !g_str_equal (stored, hash)) {
    log_in_end (self, NULL);
    return;
  }
  g_mutex_lock (&self->access->lock);
  if (g_hash_table_size (self->access->proven) >= PROVEN_MOST)
    g_hash_table_remove_all (self->access->proven);
  g_hash_table_replace (self->access->proven,
                        _nebula_password_make_proof (self->access, get (self, "user"),
                                                     get (self, "password")),
                        g_strdup (hash));
  g_mutex_unlock (&self->access->lock);
  log_in_end (self, user);
}

static void
log_in (Order *self)
{
  const char *name = get (self, "user");
  const char *password = get (self, "password");
  g_autofree char *proof = NULL;
  g_autoptr (NebulaValue) user = NULL;
  const char *stored;
  gboolean is_proven;

  if (!name || !password || strlen (password) > 1024) {
    log_in_end (self, NULL);
    return;
  }
  user = _nebula_access_find (self->access, NEBULA_ACCESS_USERS, name);
  stored = user ? nebula_value_get_member_string (user, "password", "") : NULL;
  proof = _nebula_password_make_proof (self->access, name, password);
  g_mutex_lock (&self->access->lock);
  is_proven = stored &&
              g_strcmp0 (g_hash_table_lookup (self->access->proven, proof), stored) == 0;
  g_mutex_unlock (&self->access->lock);
  if (is_proven)
    log_in_end (self, user);
  else
    _nebula_password_verify (self->access, stored, password, log_in_checked, self);
}

/* Tokens. */

static gboolean
check_token (Order *self, const char *role, const char *user, GError **error)
{
  const char *title = get (self, "title");
  gboolean is_own = g_strcmp0 (user, nebula_caller_get_user (self->caller)) == 0;
  NebulaPermission wanted = nebula_role_get_permissions (role);

  if (!title || !title[0] || strlen (title) > TITLE_MOST) {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
        _ ("Give the token a title of at most %u bytes, so that it can be found again."),
        TITLE_MOST);
    return FALSE;
  }
  if (!check_role (role, error))
    return FALSE;
  if (nebula_caller_may (self->caller, wanted) &&
      (is_own || nebula_caller_may (self->caller, NEBULA_PERMISSION_USER_MANAGE)))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED,
                       _ ("A token may do no more than the one who makes it."));
  return FALSE;
}

/* Of a token's users only one of the tenant will do. */
static gboolean
check_owner (Order *self, const char *user, GError **error)
{
  g_autoptr (NebulaValue) found = NULL;

  if (!user)
    return TRUE;
  set_member (&self->request, "user", nebula_value_new_string (user));
  found = find_user (self, error);
  return found != NULL;
}

static gboolean
read_expiry (Order *self, gint64 *ret_usec, GError **error)
{
  const char *text = get (self, "expires-in");
  gint64 span;

  *ret_usec = 0;
  if (!text)
    return TRUE;
  if (!nebula_duration_parse (text, &span, error))
    return FALSE;
  *ret_usec = nebula_clock_get_real_usec (self->access->clock) + MAX (span, 1);
  return TRUE;
}

static NebulaValue *
make_token (Order *self, const char *secret, gint64 expires)
{
  const char *user = get (self, "user");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *hash = _nebula_access_hash (secret);

  nebula_value_builder_set_string (builder, "token", self->key);
  nebula_value_builder_set_string (builder, "hash", hash);
  nebula_value_builder_set_string (builder, "tenant",
                                   nebula_caller_get_tenant (self->caller));
  nebula_value_builder_set_string (builder, "role", get (self, "role"));
  if (user)
    nebula_value_builder_set_string (builder, "user", user);
  nebula_value_builder_set_string (builder, "title", get (self, "title"));
  nebula_value_builder_set_integer (builder, "created",
                                    nebula_clock_get_real_usec (self->access->clock));
  if (expires > 0)
    nebula_value_builder_set_integer (builder, "expires", expires);
  return nebula_value_builder_end (builder);
}

static void
token_create (Order *self)
{
  const char *role = get (self, "role");
  const char *user =
      get (self, "user") ? get (self, "user") : nebula_caller_get_user (self->caller);
  g_autoptr (GError) error = NULL;
  g_autofree char *random = NULL;
  g_autofree char *secret = NULL;
  gint64 expires;

  if (!role) {
    role = nebula_caller_get_role (self->caller);
    set_member (&self->request, "role", nebula_value_new_string (role ? role : ""));
  }
  if (!check_token (self, role, user, &error) || !check_owner (self, user, &error) ||
      !read_expiry (self, &expires, &error)) {
    order_end (self, NULL, error);
    return;
  }
  self->collection = NEBULA_ACCESS_TOKENS;
  self->key = _nebula_access_make_random (NEBULA_TOKEN_ID_LENGTH / 2);
  random = _nebula_access_make_random (NEBULA_TOKEN_SECRET_BYTES);
  secret = g_strconcat (NEBULA_TOKEN_PREFIX, self->key, "_", random, NULL);
  self->document = make_token (self, secret, expires);
  self->answer = _nebula_access_describe_token (self->document);
  set_member (&self->answer, "secret", nebula_value_new_string (secret));
  self->expected = -1;
  order_commit (self);
}

static void
token_revoke (Order *self)
{
  const char *id = get (self, "token");
  g_autoptr (NebulaValue) token =
      id ? _nebula_access_find (self->access, NEBULA_ACCESS_TOKENS, id) : NULL;
  const char *user = token ? nebula_value_get_member_string (token, "user", NULL) : NULL;
  gboolean is_own = user && g_strcmp0 (user, nebula_caller_get_user (self->caller)) == 0;

  if (!token ||
      g_strcmp0 (nebula_value_get_member_string (token, "tenant", NULL),
                 nebula_caller_get_tenant (self->caller)) != 0 ||
      (!is_own && !nebula_caller_may (self->caller, NEBULA_PERMISSION_USER_MANAGE))) {
    order_fail (self, NEBULA_ERROR_NOT_FOUND, _ ("There is no such token."));
    return;
  }
  self->collection = NEBULA_ACCESS_TOKENS;
  self->key = g_strdup (id);
  self->answer = nebula_value_new_null ();
  order_commit (self);
}

void
_nebula_access_order (NebulaAccess *self,
                      NebulaCaller *caller,
                      NebulaValue *request,
                      NebulaAccessDone done,
                      gpointer user_data)
{
  static const struct {
    const char *op;
    void (*begin) (Order *order);
  } orders[] = {
      {"set-up", set_up},
      {"log-in", log_in},
      {"user-create", user_create},
      {"user-update", user_update},
      {"user-delete", user_delete},
      {"token-create", token_create},
      {"token-revoke", token_revoke},
  };
  const char *op = nebula_value_get_member_string (request, "op", "");
  Order *order = g_new0 (Order, 1);

  order->access = _nebula_access_ref (self);
  order->caller = nebula_caller_ref (caller);
  order->request = nebula_value_ref (request);
  order->done = done;
  order->user_data = user_data;
  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    if (!g_str_equal (orders[i].op, op))
      continue;
    orders[i].begin (order);
    return;
  }
  order_fail (order, NEBULA_ERROR_UNSUPPORTED, _ ("There is no such operation."));
}
