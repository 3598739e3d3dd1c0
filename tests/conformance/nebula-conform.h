/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"
#include "nebula-registry.h"

/* One request's arguments in, its value out; NULL with error. */
typedef NebulaValue *(*ConformOperation) (NebulaValue *request, GError **error);

NebulaValue *conform_json_parse (NebulaValue *request, GError **error);
NebulaValue *conform_cloudevents_parse_json (NebulaValue *request, GError **error);
NebulaValue *conform_tracecontext_parse (NebulaValue *request, GError **error);
NebulaValue *conform_cron_next (NebulaValue *request, GError **error);
NebulaValue *conform_jsonpatch_apply (NebulaValue *request, GError **error);
NebulaValue *conform_jsonschema_validate (NebulaValue *request, GError **error);
NebulaValue *conform_jsonpath_query (NebulaValue *request, GError **error);
NebulaValue *conform_expr_eval (NebulaValue *request, GError **error);
NebulaValue *conform_expr_template (NebulaValue *request, GError **error);
NebulaValue *conform_bincode_roundtrip (NebulaValue *request, GError **error);
NebulaValue *conform_msgpack_decode (NebulaValue *request, GError **error);
NebulaValue *conform_msgpack_encode (NebulaValue *request, GError **error);
NebulaValue *conform_msgpack_roundtrip (NebulaValue *request, GError **error);
NebulaValue *conform_protobuf_roundtrip (NebulaValue *request, GError **error);
NebulaValue *conform_workflow_validate (NebulaValue *request, GError **error);
NebulaValue *conform_workflow_run (NebulaValue *request, GError **error);
NebulaValue *conform_wf_run (NebulaValue *request, GError **error);

/* The actions there are; loaded when first asked for, kept for the life of the process. */
NebulaRegistry *conform_get_registry (GError **error);
/* Numbers that JSON's readers would round become text. */
NebulaValue *conform_plain (NebulaValue *value);
const char *conform_get_text (NebulaValue *request, const char *name, GError **error);

typedef void (*ConformListener) (NebulaEvent *event, gpointer user_data);

/* Runs @definition to its end in memory, or until it can only wait for a signal; @listener hears the events of its nodes.
 * The result is the run object. */
NebulaValue *conform_execute (NebulaValue *definition,
                              NebulaValue *input,
                              ConformListener listener,
                              gpointer user_data,
                              GError **error);
