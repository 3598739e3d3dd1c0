/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The one table of routes. Dispatch, permissions, limits, 404 and 405, the OpenAPI document and the tests are made of it.
 * A new route is a row here, and an operation of the server if there is none yet.
 */

#include <glib/gi18n-lib.h>

#include "api-private.h"

#define KIB  1024
#define MIB  (1024 * 1024)
#define JSON "application/json"
#define WORKFLOW_TYPES "application/json application/yaml application/x-yaml"

#define PAGE                                                                             \
  {"after", "string", "Where the page before ended: its `next`"},                        \
      {"limit", "integer", "How many at most (100, at most 1000)"}
#define END {NULL, NULL, NULL}

static const ApiQuery page_query[] = {PAGE, END};
static const ApiQuery revision_query[] = {{"revision", "string", "A number or a label; without it the current one"}, END};
static const ApiQuery publish_query[] = {{"message", "string", "Why"}, {"label", "string", "Names the new revision"}, END};
static const ApiQuery diff_query[] = {{"from", "string", "A number or a label"}, {"to", "string", "The same; without it the current one"}, END};
static const ApiQuery execution_query[] = {
    PAGE,
    {"status", "string", "open, or a status"},
    {"workflow", "string", "Only those of this workflow"},
    {"search", "string", "Only those in whose text all these words stand"},
    {"since", "string", "Only those that began then or later: a time, or a duration before now"},
    {"before", "string", "Only those that began before"},
    END};
static const ApiQuery node_query[] = {{"node", "string", "One node instead, by its path: each[3].price"}, END};
static const ApiQuery search_query[] = {{"search", "string", "Words to look for"}, END};
static const ApiQuery version_query[] = {{"version", "string", "Its version: 1, 1.2 or 1.2.3"}, END};
static const ApiQuery event_query[] = {{"topic", "string", "node.failed, node.* or *"}, {"workflow", "string", "Only of this workflow"}, {"execution", "string", "Only of this execution"}, END};
static const ApiQuery topic_query[] = {{"topic", "string", "node.failed, node.* or *"}, END};
static const ApiQuery queue_query[] = {{"queue", "string", "The key, as the list has it"}, END};
static const ApiQuery secret_query[] = {{"secret", "string", "What the link holds"}, END};

#define OPEN (API_FLAG_OPEN | API_FLAG_BEFORE_USERS)
#define P(name) NEBULA_PERMISSION_##name
#define API "/api/v1"
#define EXECUTION API "/executions/{execution}"
#define WORKFLOW API "/workflows/{workflow}"

/* An order to an execution. */
#define ORDER(verb, id, summary, schema)                                                 \
  {"POST", EXECUTION "/" verb, "execution-" verb, P (EXECUTION_CONTROL), 1 * MIB, JSON,  \
   API_RATE_CALL, id, "executions", summary, schema, "Execution", 200, API_FLAG_ONCE, NULL, NULL}

const ApiRoute api_routes[] = {
    /* The server itself. */
    {"GET", API "/health", NULL, P (NONE), 0, NULL, API_RATE_NONE, "getHealth", "server", N_ ("Whether the server answers"), NULL, "Status", 200, OPEN, NULL, api_handle_health},
    {"GET", API "/ready", "ready", P (NONE), 0, NULL, API_RATE_NONE, "getReady", "server", N_ ("Whether the engine answers"), NULL, "Status", 200, OPEN, NULL, NULL},
    {"GET", API "/metrics", "metrics", P (METRICS_READ), 0, NULL, API_RATE_CALL, "getMetrics", "server", N_ ("Counters and gauges, as Prometheus reads them"), NULL, NULL, 200, 0, NULL, api_handle_metrics},
    {"GET", "/openapi.json", NULL, P (NONE), 0, NULL, API_RATE_CALL, "getDocument", "server", N_ ("This document"), NULL, "Any", 200, API_FLAG_OPEN, NULL, api_handle_document},
    {"GET", "/setup", NULL, P (NONE), 0, NULL, API_RATE_CALL, "getSetUpPage", "server", N_ ("The page that makes the first user"), NULL, NULL, 200, OPEN, secret_query, api_handle_set_up_page},
    {"POST", "/setup", "set-up", P (NONE), 8 * KIB, "application/x-www-form-urlencoded", API_RATE_SECRET, "postSetUpForm", "server", N_ ("The form of that page"), NULL, NULL, 200, OPEN, NULL, api_handle_set_up_form},
    {"POST", API "/setup", "set-up", P (NONE), 8 * KIB, JSON, API_RATE_SECRET, "setUp", "server", N_ ("Makes the first user, an administrator, once"), "SetUp", "User", 201, OPEN, NULL, NULL},
    /* Who may. */
    {"GET", API "/self", "self", P (SELF), 0, NULL, API_RATE_CALL, "getSelf", "access", N_ ("Who asks, and what they may do"), NULL, "Self", 200, 0, NULL, NULL},
    {"GET", API "/roles", "role-list", P (SELF), 0, NULL, API_RATE_CALL, "listRoles", "access", N_ ("Roles and their permissions"), NULL, "Roles", 200, 0, NULL, NULL},
    {"GET", API "/users", "user-list", P (USER_MANAGE), 0, NULL, API_RATE_CALL, "listUsers", "access", N_ ("The users of the tenant"), NULL, "Users", 200, 0, NULL, NULL},
    {"POST", API "/users", "user-create", P (USER_MANAGE), 8 * KIB, JSON, API_RATE_CALL, "createUser", "access", N_ ("Makes a user"), "NewUser", "User", 201, 0, NULL, NULL},
    {"PATCH", API "/users/{user}", "user-update", P (USER_MANAGE), 8 * KIB, JSON, API_RATE_CALL, "updateUser", "access", N_ ("Changes a user's role or password, or shuts them out"), "UserChange", "User", 200, 0, NULL, NULL},
    {"DELETE", API "/users/{user}", "user-delete", P (USER_MANAGE), 0, NULL, API_RATE_CALL, "deleteUser", "access", N_ ("Removes a user"), NULL, NULL, 204, 0, NULL, NULL},
    {"GET", API "/tokens", "token-list", P (SELF), 0, NULL, API_RATE_CALL, "listTokens", "access", N_ ("One's own tokens; all of the tenant for who manages users"), NULL, "Tokens", 200, 0, NULL, NULL},
    {"POST", API "/tokens", "token-create", P (SELF), 8 * KIB, JSON, API_RATE_CALL, "createToken", "access", N_ ("Makes a token; its secret is told this once"), "NewToken", "Token", 201, 0, NULL, NULL},
    {"DELETE", API "/tokens/{token}", "token-revoke", P (SELF), 0, NULL, API_RATE_CALL, "revokeToken", "access", N_ ("Ends a token at once"), NULL, NULL, 204, 0, NULL, NULL},
    /* Workflows. */
    {"GET", API "/workflows", "workflow-list", P (WORKFLOW_READ), 0, NULL, API_RATE_CALL, "listWorkflows", "workflows", N_ ("Workflows by name"), NULL, "WorkflowPage", 200, 0, page_query, api_handle_page},
    {"POST", API "/workflows/validate", "workflow-validate", P (WORKFLOW_READ), 10 * MIB, WORKFLOW_TYPES, API_RATE_CALL, "validateWorkflow", "workflows", N_ ("All that is wrong with a definition"), NULL, "Verdict", 200, 0, NULL, api_handle_text_body},
    {"GET", WORKFLOW, "workflow-get", P (WORKFLOW_READ), 0, NULL, API_RATE_CALL, "getWorkflow", "workflows", N_ ("A workflow with its definition"), NULL, "Workflow", 200, API_FLAG_REVISION, revision_query, api_handle_get_workflow},
    {"PUT", WORKFLOW, "workflow-publish", P (WORKFLOW_WRITE), 10 * MIB, WORKFLOW_TYPES, API_RATE_CALL, "putWorkflow", "workflows", N_ ("Deploys a definition: a new revision if it differs"), NULL, "Published", 201, API_FLAG_ONCE | API_FLAG_REVISION, publish_query, api_handle_put_workflow},
    {"GET", WORKFLOW "/revisions", "workflow-revisions", P (WORKFLOW_READ), 0, NULL, API_RATE_CALL, "listRevisions", "workflows", N_ ("Revisions, the newest first"), NULL, "WorkflowPage", 200, 0, page_query, api_handle_page},
    {"GET", WORKFLOW "/diff", "workflow-diff", P (WORKFLOW_READ), 0, NULL, API_RATE_CALL, "diffWorkflow", "workflows", N_ ("How two revisions differ, by meaning"), NULL, "Difference", 200, 0, diff_query, NULL},
    {"POST", WORKFLOW "/rollback", "workflow-roll-back", P (WORKFLOW_WRITE), 8 * KIB, JSON, API_RATE_CALL, "rollBackWorkflow", "workflows", N_ ("Makes an earlier revision the current one, as a new revision"), "Which", "Published", 200, API_FLAG_ONCE, NULL, NULL},
    {"PUT", WORKFLOW "/labels/{label}", "workflow-label", P (WORKFLOW_WRITE), 8 * KIB, JSON, API_RATE_CALL, "putLabel", "workflows", N_ ("Lets a label name a revision"), "Which", "Published", 200, 0, NULL, NULL},
    {"DELETE", WORKFLOW "/labels/{label}", "workflow-label", P (WORKFLOW_WRITE), 0, NULL, API_RATE_CALL, "deleteLabel", "workflows", N_ ("Takes a label away"), NULL, NULL, 204, 0, NULL, api_handle_remove_label},
    {"POST", WORKFLOW "/execute", "execution-start", P (EXECUTION_START), 10 * MIB, JSON, API_RATE_CALL, "executeWorkflow", "workflows", N_ ("Starts an execution of the workflow"), "Execute", "Execution", 202, API_FLAG_ONCE, NULL, NULL},
    /* Executions. */
    {"GET", API "/executions", "execution-list", P (EXECUTION_READ), 0, NULL, API_RATE_CALL, "listExecutions", "executions", N_ ("Executions, the newest first"), NULL, "ExecutionPage", 200, 0, execution_query, api_handle_page},
    {"POST", API "/executions", "execution-start", P (EXECUTION_START), 10 * MIB, JSON, API_RATE_CALL, "startExecution", "executions", N_ ("Starts an execution"), "Start", "Execution", 202, API_FLAG_ONCE, NULL, NULL},
    {"GET", EXECUTION, "execution-get", P (EXECUTION_READ), 0, NULL, API_RATE_CALL, "getExecution", "executions", N_ ("The run object, or that of one node"), NULL, "Any", 200, 0, node_query, NULL},
    {"GET", EXECUTION "/why", "execution-why", P (EXECUTION_READ), 0, NULL, API_RATE_CALL, "explainExecution", "executions", N_ ("Why it does not go on"), NULL, "Why", 200, 0, NULL, NULL},
    {"GET", EXECUTION "/wait", "execution-wait", P (EXECUTION_READ), 0, NULL, API_RATE_CALL, "waitForExecution", "executions", N_ ("The run object, when it has ended"), NULL, "Any", 200, 0, NULL, NULL},
    {"GET", EXECUTION "/events", NULL, P (EVENT_READ), 0, NULL, API_RATE_CALL, "streamExecutionEvents", "events", N_ ("Its events as they are committed (server-sent events)"), NULL, NULL, 200, API_FLAG_STREAM, topic_query, api_handle_events},
    {"POST", EXECUTION "/rerun", "execution-rerun", P (EXECUTION_START), 10 * MIB, JSON, API_RATE_CALL, "rerunExecution", "executions", N_ ("Does it again, or from a node on"), "Rerun", "Execution", 202, API_FLAG_ONCE, NULL, NULL},
    ORDER ("cancel", "cancelExecution", N_ ("Ends it, with undo"), "Reason"),
    ORDER ("terminate", "terminateExecution", N_ ("Ends it at once"), "Reason"),
    ORDER ("pause", "pauseExecution", N_ ("Starts no more nodes"), "Reason"),
    ORDER ("resume", "resumeExecution", N_ ("Goes on"), "Nothing"),
    ORDER ("signal", "signalExecution", N_ ("Sends a signal to a node that waits for it"), "Signal"),
    ORDER ("answer", "answerExecution", N_ ("Answers a token"), "Answer"),
    ORDER ("approve", "approveExecution", N_ ("Approves"), "Decision"),
    ORDER ("reject", "rejectExecution", N_ ("Rejects"), "Decision"),
    /* What there is. */
    {"GET", API "/events", NULL, P (EVENT_READ), 0, NULL, API_RATE_CALL, "streamEvents", "events", N_ ("Events as they are committed (server-sent events)"), NULL, NULL, 200, API_FLAG_STREAM, event_query, api_handle_events},
    {"GET", API "/actions", "action-list", P (CATALOGUE_READ), 0, NULL, API_RATE_CALL, "listActions", "catalogue", N_ ("Actions, all or those that are searched for"), NULL, "Actions", 200, 0, search_query, NULL},
    {"GET", API "/actions/{action}", "action-get", P (CATALOGUE_READ), 0, NULL, API_RATE_CALL, "getAction", "catalogue", N_ ("An action with parameters, ports and help"), NULL, "Action", 200, 0, version_query, NULL},
    {"GET", API "/actions/{action}/schema", "action-schema", P (CATALOGUE_READ), 0, NULL, API_RATE_CALL, "getActionSchema", "catalogue", N_ ("The JSON Schema of its parameters"), NULL, "Any", 200, 0, version_query, NULL},
    {"GET", API "/modules", "module-list", P (CATALOGUE_READ), 0, NULL, API_RATE_CALL, "listModules", "catalogue", N_ ("Modules, and why some cannot be used"), NULL, "Modules", 200, 0, NULL, NULL},
    {"GET", API "/modules/{module}", "module-get", P (CATALOGUE_READ), 0, NULL, API_RATE_CALL, "getModule", "catalogue", N_ ("A module"), NULL, "Module", 200, 0, NULL, NULL},
    {"GET", API "/queues", "queue-list", P (QUEUE_READ), 0, NULL, API_RATE_CALL, "listQueues", "queues", N_ ("Concurrency keys, rates and locks"), NULL, "Queues", 200, 0, NULL, NULL},
    {"GET", API "/queue", "queue-get", P (QUEUE_READ), 0, NULL, API_RATE_CALL, "getQueue", "queues", N_ ("Who is inside, and who waits"), NULL, "Queue", 200, 0, queue_query, NULL},
};

const guint api_n_routes = G_N_ELEMENTS (api_routes);
