/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A socket that listens, with a long queue: the short one of GSocketListener costs a third of a second under load. */

typedef struct _ApiListener ApiListener;

typedef void (*ApiAccepted) (GSocket *socket, gpointer user_data);

/* @address: “127.0.0.1:7070”, “[::1]:0”. */
ApiListener *api_listener_new (const char *address, ApiAccepted accepted, gpointer user_data, GError **error);
/* Mode 0660; a socket that is there and nobody listens on is replaced. */
ApiListener *api_listener_new_unix (const char *path, ApiAccepted accepted, gpointer user_data, GError **error);
void api_listener_free (ApiListener *self);
/* As a URL. */
const char *api_listener_get_url (ApiListener *self);

/* A socket that listens and that nobody can ever reach. */
GSocket *api_listener_make_deaf (GError **error);

G_END_DECLS
