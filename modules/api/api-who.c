/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who asks, and whether they may. In this order: how often, who, what. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "api-private.h"

static NebulaCaller *
make_nobody (void)
{
  g_autoptr (NebulaContext) none = nebula_context_new ();

  return nebula_caller_new (none, NULL, NULL);
}

static gboolean
is_in_rate (ApiRequest *self, ApiRateClass rate, const char *key, double cost)
{
  gint64 wait_usec = api_rate_take_usec (api_service_get_rate (self->service, rate), key, cost,
                                         g_get_monotonic_time ());
  g_autofree char *seconds = NULL;

  if (wait_usec == 0)
    return TRUE;
  seconds = g_strdup_printf ("%" G_GINT64_FORMAT,
                             (wait_usec + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  soup_message_headers_replace (soup_server_message_get_response_headers (self->message),
                                "Retry-After", seconds);
  api_answer_problem (self, 429, NEBULA_ERROR_THROTTLED,
                      N_ ("Too many requests. Wait as long as Retry-After says."), NULL);
  return FALSE;
}

static void
refuse (ApiRequest *self)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (self->message),
                                "WWW-Authenticate",
                                "Bearer realm=\"nebula\", Basic realm=\"nebula\"");
  api_answer_problem (self, 401, NEBULA_ERROR_PERMISSION_DENIED,
                      nebula_service_host_is_set_up (api_service_get_host (self->service))
                          ? N_ ("Show a token or a name and a password that are known here.")
                          : N_ ("There is no user yet. Open the link that the server printed when it started."),
                      NULL);
}

/* Somebody is known: how often they ask, and whether they may. */
static void
go_on (ApiRequest *self)
{
  const char *credential = nebula_caller_get_credential (self->caller);
  g_autofree char *key = g_strconcat ("c:", credential ? credential : "", NULL);

  if (!is_in_rate (self, API_RATE_CALL, key, 1))
    return;
  if (!nebula_caller_may (self->caller, self->route->permission))
    api_answer_problem (self, 403, NEBULA_ERROR_PERMISSION_DENIED,
                        N_ ("Your role does not hold the permission that this takes."), NULL);
  else
    api_request_go_on (self);
}

/* Each failure costs the address one of few. */
static void
fail (ApiRequest *self)
{
  if (is_in_rate (self, API_RATE_SECRET, self->address, 1))
    refuse (self);
}

static NebulaCaller *
read_caller (NebulaValue *answer)
{
  g_autoptr (NebulaContext) none = nebula_context_new ();
  g_autoptr (NebulaContext) of_tenant = nebula_context_with_tenant (
      none, nebula_value_get_member_string (answer, "tenant", NULL));
  const char *user = nebula_value_get_member_string (answer, "user", NULL);
  g_autoptr (NebulaContext) context = nebula_context_with_user (of_tenant, user);

  return nebula_caller_new (context, nebula_value_get_member_string (answer, "role", NULL),
                            user);
}

static void
logged_in (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ApiRequest) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) answer = nebula_service_host_ask_finish (
      api_service_get_host (self->service), result, NULL, &error);

  if (self->is_over)
    return;
  if (answer) {
    g_clear_pointer (&self->caller, nebula_caller_unref);
    self->caller = read_caller (answer);
    go_on (self);
  } else if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED)) {
    fail (self);
  } else {
    api_answer_error (self, error);
  }
}

static void
log_in (ApiRequest *self, const char *encoded)
{
  gsize size = 0;
  g_autofree guchar *decoded = g_base64_decode (encoded, &size);
  g_autofree char *text = g_strndup ((const char *) decoded, size);
  char *colon = strchr (text, ':');
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) question = NULL;

  if (!colon || strlen (text) != size || !g_utf8_validate (text, -1, NULL)) {
    fail (self);
    return;
  }
  *colon = '\0';
  nebula_value_builder_set_string (builder, "op", "log-in");
  nebula_value_builder_set_string (builder, "user", text);
  nebula_value_builder_set_string (builder, "password", colon + 1);
  question = nebula_value_builder_end (builder);
  nebula_service_host_ask_async (api_service_get_host (self->service), self->caller, question,
                                 self->cancellable, logged_in, api_request_ref (self));
}

static void
check_token (ApiRequest *self, const char *token)
{
  NebulaCaller *caller =
      nebula_service_host_authenticate (api_service_get_host (self->service), token, NULL);

  if (!caller) {
    fail (self);
    return;
  }
  nebula_caller_unref (self->caller);
  self->caller = caller;
  go_on (self);
}

static void
find (ApiRequest *self)
{
  const char *shown = api_request_get_header (self, "Authorization");

  if (!shown)
    refuse (self);
  else if (!is_in_rate (self, API_RATE_SECRET, self->address, 0))
    return;
  else if (g_ascii_strncasecmp (shown, "Bearer ", 7) == 0)
    check_token (self, shown + 7);
  else if (g_ascii_strncasecmp (shown, "Basic ", 6) == 0)
    log_in (self, shown + 6);
  else
    fail (self);
}

void
api_who_find (ApiRequest *self)
{
  guint flags = self->route->flags;
  g_autofree char *key = g_strconcat ("a:", self->address, NULL);

  self->caller = make_nobody ();
  if (self->route->rate == API_RATE_SECRET &&
      !is_in_rate (self, API_RATE_SECRET, self->address, 1))
    return;
  if (self->route->rate == API_RATE_CALL && (flags & API_FLAG_OPEN) &&
      !is_in_rate (self, API_RATE_CALL, key, 1))
    return;
  if (!(flags & API_FLAG_BEFORE_USERS) &&
      !nebula_service_host_is_set_up (api_service_get_host (self->service)) &&
      !api_request_get_header (self, "Authorization"))
    refuse (self);
  else if (flags & API_FLAG_OPEN)
    api_request_go_on (self);
  else
    find (self);
}
