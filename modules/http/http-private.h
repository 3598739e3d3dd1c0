/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include <nebula/nebula-sdk.h>

G_BEGIN_DECLS

GType nebula_http_request_get_type (void);

typedef struct
{
  NebulaAction parent_instance;

  char *url;
  char *method;
  NebulaValue *headers;
  NebulaValue *query;
  NebulaValue *body;
  char *body_kind;
  NebulaValue *auth;
  gint64 timeout; /* microseconds; 0 for none */
  int redirects;
  gboolean accept_errors;
  gint64 max_size;
  gboolean verify_tls;
} NebulaHttpRequest;

typedef struct
{
  NebulaActionClass parent_class;
} NebulaHttpRequestClass;

/* What goes over the wire. */
typedef struct
{
  char *method;
  GUri *uri;
  SoupMessageHeaders *headers;
  GBytes *body; /* NULL for none */
} NebulaHttpCall;

/* Thread: any; NULL with invalid-parameter. */
NebulaHttpCall *_nebula_http_call_new (NebulaHttpRequest *request, const char *idempotency_key, GError **error);
void _nebula_http_call_free (NebulaHttpCall *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaHttpCall, _nebula_http_call_free)
gboolean _nebula_http_method_is_safe (const char *method);
/* The address without query and fragment, which may hold secrets. */
char *_nebula_http_describe_uri (GUri *uri);
/* A member of an object as form fields have it; NULL with invalid-parameter. @what is shown. */
char *_nebula_http_to_field (NebulaValue *value, const char *what, const char *name, GError **error);
/* Appends `name=value&…`; arrays repeat, null is left out. */
gboolean _nebula_http_append_fields (GString *text, NebulaValue *object, const char *what, GError **error);

/* Sets body and, unless it is given, Content-Type. */
gboolean _nebula_http_call_set_body (NebulaHttpCall *self, NebulaValue *body, const char *kind, GError **error);

/* The session of a context, kept as long as it is used and a little longer. */
typedef struct _NebulaHttpSession NebulaHttpSession;
NebulaHttpSession *_nebula_http_session_acquire (GMainContext *context);
SoupSession *_nebula_http_session_get (NebulaHttpSession *self);
void _nebula_http_session_release (NebulaHttpSession *self);

/* Sends and answers. */
void _nebula_http_exchange_start (NebulaHttpRequest *request, NebulaInvocation *invocation);

/* An answer that has arrived. */
typedef struct
{
  NebulaInvocation *invocation;
  char *target; /* method and address, for messages */
  guint status;
  char *reason;
  char *content_type; /* lower case, without parameters; may be NULL */
  char *charset;      /* may be NULL */
  gint64 retry_after_ms; /* negative: not given */
  NebulaValue *headers;
  GBytes *content;
  gboolean accept_errors;
} NebulaHttpResponse;

NebulaHttpResponse *_nebula_http_response_new (NebulaHttpRequest *request, NebulaInvocation *invocation, SoupMessage *message, GBytes *content);
/* Returns the invocation and frees @self. Thread: any. */
void _nebula_http_response_answer (NebulaHttpResponse *self);

G_END_DECLS
