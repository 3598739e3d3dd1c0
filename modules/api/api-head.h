/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * The head of a request, read strictly (RFC 9112). Whatever two readers could understand differently is refused: lines that
 * do not end in CRLF, folded lines, spaces before a colon, two lengths, a length and chunks, codings but `chunked`. What is
 * accepted is written anew in one form for whoever reads behind us.
 */

#define API_HEAD_BYTES  (16 * 1024)
#define API_LINE_BYTES  (8 * 1024)
#define API_HEAD_FIELDS 100

typedef enum {
  API_PARSE_MORE, /* not complete yet */
  API_PARSE_DONE,
  API_PARSE_BAD, /* with a status */
} ApiParse;

typedef struct {
  char *name; /* in lower case */
  char *value;
} ApiField;

typedef struct {
  char *method;
  char *target;
  guint minor;    /* of HTTP/1 */
  GArray *fields; /* ApiField */
  gint64 length;  /* of the body; -1: no length was given */
  gboolean is_chunked;
  gboolean expects_continue;
} ApiHead;

void api_head_clear (ApiHead *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ApiHead, api_head_clear)
/* @ret_used: bytes of the head, with API_PARSE_DONE; @ret_status: with API_PARSE_BAD. */
ApiParse api_head_parse (ApiHead *self, const guint8 *data, gsize size, gsize *ret_used, guint *ret_status);
const char *api_head_get (const ApiHead *self, const char *name); /* NULL: there is none */
/* In its one form, without what is not for those behind us. */
void api_head_write (const ApiHead *self, GByteArray *out);

/* The target of a request: a path from the root, and a query. FALSE: it is not one, or could be taken for another. */
gboolean api_target_check (const char *target);
/* Decoded; NULL: it cannot be. */
char *api_target_decode (const char *text, gssize length, gboolean is_query);

G_END_DECLS
