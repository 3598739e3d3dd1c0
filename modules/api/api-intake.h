/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api-head.h"

G_BEGIN_DECLS

/*
 * From the bytes of a connection to requests that can be trusted: heads in one form, bodies counted, chunks framed anew.
 * One request at a time: the next one is looked at when somebody asks for it, that is after the answer to the last one. No
 * I/O, no clock.
 */

typedef struct _ApiIntake ApiIntake;

typedef enum {
  API_INTAKE_HEAD, /* waits for a head */
  API_INTAKE_BODY, /* in a body */
  API_INTAKE_BAD,  /* refused; nothing comes any more */
} ApiIntakeState;

/* How much of a body is taken; a status above 0 refuses the request. */
typedef guint (*ApiAdmit) (const ApiHead *head, gint64 *ret_limit, gpointer user_data);

ApiIntake *api_intake_new (ApiAdmit admit, gpointer user_data);
void api_intake_free (ApiIntake *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ApiIntake, api_intake_free)
/* Bytes as they come. */
void api_intake_push (ApiIntake *self, const guint8 *data, gsize size);
/* Appends what can go on to @out, of one request at most. */
void api_intake_pull (ApiIntake *self, GByteArray *out);
ApiIntakeState api_intake_get_state (ApiIntake *self);
guint api_intake_get_status (ApiIntake *self);      /* why it is bad */
gsize api_intake_get_n_buffered (ApiIntake *self);  /* bytes that wait */
guint64 api_intake_get_n_requests (ApiIntake *self);
/* Whether the head that was just given waits for “100 Continue”; asked once. */
gboolean api_intake_take_continue (ApiIntake *self);
const char *api_intake_get_language (ApiIntake *self); /* of the last head; NULL: it said none */

G_END_DECLS
