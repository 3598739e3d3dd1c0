/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include <nebula/nebula-sdk.h>

#include "api-guard.h"

G_BEGIN_DECLS

#define API_PARAMETERS_MOST 3

typedef struct _NebulaApiService ApiService;
typedef struct _ApiRequest ApiRequest;
typedef struct _ApiRate ApiRate;
typedef struct _ApiRouter ApiRouter;
typedef struct _ApiStream ApiStream;
typedef struct _ApiChannel ApiChannel;

typedef enum {
  API_FLAG_OPEN = 1 << 0,        /* nobody need be known */
  API_FLAG_BEFORE_USERS = 1 << 1, /* even before there is a user */
  API_FLAG_ONCE = 1 << 2,        /* takes an Idempotency-Key */
  API_FLAG_REVISION = 1 << 3,    /* ETag and If-Match are revisions */
  API_FLAG_STREAM = 1 << 4,      /* its answer has no end */
} ApiFlags;

typedef enum {
  API_RATE_NONE,  /* open to health checks */
  API_RATE_CALL,
  API_RATE_SECRET, /* tries passwords or secrets */
} ApiRateClass;

/* A parameter of the query. */
typedef struct {
  const char *name;
  const char *type; /* string, integer, boolean */
  const char *description;
} ApiQuery;

typedef struct _ApiRoute {
  const char *method;
  const char *path; /* of segments; {name} takes one */
  const char *op;   /* what the server is asked; NULL: @handle does it alone */
  NebulaPermission permission;
  gsize body_bytes; /* 0: takes no body */
  const char *content_types; /* of the body, separated by spaces */
  ApiRateClass rate;
  const char *operation_id;
  const char *tag;
  const char *summary;
  const char *request;  /* name of a schema of api-schemas.c; NULL: any */
  const char *response; /* the same */
  guint status;
  guint flags;
  const ApiQuery *query;  /* ends with a NULL name; may be NULL */
  void (*handle) (ApiRequest *request); /* NULL: api_request_ask () and its answer as it is */
} ApiRoute;

extern const ApiRoute api_routes[];
extern const guint api_n_routes;

/* Router. */
ApiRouter *api_router_new (const ApiRoute *routes, guint n_routes);
void api_router_free (ApiRouter *self);
/* @path as it came. @ret_parameters: decoded, as many as there are braces. NULL: 404, or with @ret_allow 405. */
const ApiRoute *api_router_find (ApiRouter *self, const char *method, const char *path, char **ret_parameters, char **ret_allow);

/* Documents. */
NebulaValue *api_openapi_make (const ApiRoute *routes, guint n_routes);
NebulaValue *api_schemas_get (void); /* name → schema; full */
NebulaJsonSchema *api_schemas_compile (NebulaValue *schemas, const char *name, GError **error);

/* Rates: buckets by key. */
ApiRate *api_rate_new (double per_second, double burst);
void api_rate_free (ApiRate *self);
/* How long to wait; 0: go on. @cost 0 only looks. */
gint64 api_rate_take_usec (ApiRate *self, const char *key, double cost, gint64 now_usec);

/* The service. */
NebulaServiceHost *api_service_get_host (ApiService *self);
ApiRouter *api_service_get_router (ApiService *self);
NebulaCatalog *api_service_get_catalog (ApiService *self);
ApiRate *api_service_get_rate (ApiService *self, ApiRateClass rate);
NebulaValue *api_service_get_document (ApiService *self); /* OpenAPI; borrowed */
NebulaJsonSchema *api_service_get_schema (ApiService *self, const char *name); /* borrowed */
gboolean api_service_is_draining (ApiService *self);
void api_service_begin_request (ApiService *self, ApiRequest *request);
void api_service_end_request (ApiService *self, ApiRequest *request);
GHashTable *api_service_get_channels (ApiService *self); /* filter → ApiChannel (owned) */
gint64 api_service_get_body_limit (ApiService *self);

/* A request, while it lasts. */
struct _ApiRequest {
  gint references;
  ApiService *service;
  SoupServerMessage *message;
  const ApiRoute *route; /* NULL: none */
  char *parameters[API_PARAMETERS_MOST];
  GHashTable *query; /* name → text */
  NebulaCaller *caller;
  NebulaValue *body; /* NULL: none */
  char *id;
  char *address;
  char *language;
  char *trace; /* traceparent */
  GCancellable *cancellable;
  ApiStream *stream; /* NULL: it is none */
  gboolean is_paused;
  gboolean is_over;     /* nobody hears the answer any more */
  gboolean is_answered;
};

void api_request_begin (ApiService *service, SoupServerMessage *message);
ApiRequest *api_request_ref (ApiRequest *self);
void api_request_unref (ApiRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ApiRequest, api_request_unref)
const char *api_request_get_header (ApiRequest *self, const char *name);
/* The operation with what stands in path, query and body; @extra: NULL or more members. */
NebulaValue *api_request_make_question (ApiRequest *self, NebulaValue *extra);
typedef void (*ApiAnswered) (ApiRequest *request, NebulaValue *answer);
/* @answered gets the answer; errors are answered already. */
void api_request_ask (ApiRequest *self, NebulaValue *question, ApiAnswered answered);
/* Once who asks is known, and may. */
void api_request_go_on (ApiRequest *self);

/* Who asks. Answers if that is refused. */
void api_who_find (ApiRequest *self);

/* Answers: each ends the request. */
void api_answer_value (ApiRequest *self, guint status, NebulaValue *value);
void api_answer_text (ApiRequest *self, guint status, const char *type, char *text); /* takes text */
void api_answer_error (ApiRequest *self, const GError *error); /* also 401 for who is not known */
void api_answer_problem (ApiRequest *self, guint status, NebulaError code, const char *detail, NebulaValue *extra);
/* For the guard. */
char *api_answer_make_refusal (NebulaCatalog *catalog, guint status, const char *accept_language);
/* Puts the headers that all answers have. */
void api_answer_set_headers (ApiRequest *self);

/* Handlers that do more than to pass on. */
void api_handle_health (ApiRequest *self);
void api_handle_document (ApiRequest *self);
void api_handle_metrics (ApiRequest *self);
void api_handle_put_workflow (ApiRequest *self);
void api_handle_get_workflow (ApiRequest *self);
void api_handle_text_body (ApiRequest *self);
void api_handle_remove_label (ApiRequest *self);
void api_handle_page (ApiRequest *self);
void api_handle_events (ApiRequest *self);
void api_handle_set_up_page (ApiRequest *self);
void api_handle_set_up_form (ApiRequest *self);
/* Those who listen to the same, and the last events that they heard. */
void api_channel_free (gpointer channel);
gboolean api_channel_is_stale (ApiChannel *self, gint64 now_usec);
void api_stream_free (ApiStream *self);
void api_stream_end (ApiStream *self);

G_END_DECLS
