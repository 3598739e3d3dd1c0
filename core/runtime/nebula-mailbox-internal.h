/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * Hands things from any thread to the owner's context, as many in one dispatch as fit into 200 µs.
 *
 * Thread: post from any; all else in the owner's context.
 */

typedef struct _NebulaMailbox NebulaMailbox;

/* Called in the owner's context for each thing, in the order of posting. */
typedef void (*NebulaMailboxReceive) (gpointer letter, gpointer user_data);

NebulaMailbox *nebula_mailbox_new (GMainContext *context,
                                   gint priority,
                                   NebulaMailboxReceive receive,
                                   gpointer user_data);
NebulaMailbox *nebula_mailbox_ref (NebulaMailbox *self);
void nebula_mailbox_unref (NebulaMailbox *self);
/* For simulations: a dispatch delivers all there is, however long it takes. */
void nebula_mailbox_set_unhurried (NebulaMailbox *self);
/* FALSE: the mailbox is closed and the letter still is the caller's. */
gboolean nebula_mailbox_post (NebulaMailbox *self, gpointer letter);
/* No call after this; letters that wait are given to @discard. */
void nebula_mailbox_close (NebulaMailbox *self, GDestroyNotify discard);

G_END_DECLS
