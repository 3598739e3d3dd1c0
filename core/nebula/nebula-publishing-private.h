/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-session-private.h"

G_BEGIN_DECLS

/*
 * What changes workflows in a store, in the words of the control socket:
 *   publish    workflows: [{text, file?}], options?
 *   roll-back  workflow, which, options?
 *   label      workflow, label, which?
 * Each is answered with an array of {workflow, revision, hash, changed}.
 */

/* Told once it is committed, or with the error why it is not. */
typedef void (*NebulaPublished) (NebulaValue *answer,
                                 const GError *error,
                                 gpointer user_data);
/* FALSE: @request is nothing of the kind. */
gboolean nebula_publishing_carry_out (NebulaEngine *engine,
                                      NebulaValue *request,
                                      NebulaPublished callback,
                                      gpointer user_data);

/* Asks the owner of @store, or becomes it for a moment; makes the store if it is not there. */
NebulaValue *
nebula_publishing_order (const char *store, NebulaValue *request, GError **error);

/* “NAME” or “NAME@WHICH”; @ret_which is NULL for the current revision. */
char *nebula_publishing_split (const char *text, char **ret_which);

G_END_DECLS
