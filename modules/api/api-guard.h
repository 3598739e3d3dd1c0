/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "api-intake.h"

G_BEGIN_DECLS

/*
 * The stream between a connection and the HTTP library: it lets only requests through that ApiIntake made, and ends
 * connections that are too slow. A request that is refused is answered here.
 */

#define API_TYPE_GUARD (nebula_api_guard_get_type ())
G_DECLARE_FINAL_TYPE (NebulaApiGuard, nebula_api_guard, NEBULA_API, GUARD, GIOStream)
typedef NebulaApiGuard ApiGuard;

typedef struct {
  ApiAdmit admit;
  /* The body of the answer to a request that is refused; JSON. */
  char *(*refuse) (guint status, const char *accept_language, gpointer user_data);
  /* It is closed; called once. */
  void (*closed) (ApiGuard *guard, gpointer user_data);
  gpointer user_data;
} ApiGuardCalls;

ApiGuard *api_guard_new (GSocket *socket, const char *address, const ApiGuardCalls *calls);
const char *api_guard_get_address (ApiGuard *self);
/* Ends it if it is too slow, at @now (monotonic); or with @is_draining if it waits for a request. */
void api_guard_sweep (ApiGuard *self, gint64 now_usec, gboolean is_draining);

G_END_DECLS
