/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "nebula-backoff.h"
#include "nebula-json-schema.h"
#include "nebula-late-expressions-internal.h"
#include "nebula-template.h"
#include "nebula-workflow.h"

G_BEGIN_DECLS

/*
 * The plan: flat arrays of indices, made once and read by the kernel.
 *
 *   scopes[0] is the workflow itself; each body is a scope of its own. A node may have several bodies: what flow.try does
 *   in the end, or the ways that flow.race tries; they are neighbours in scopes[].
 *   The nodes of one scope are neighbours in nodes[]; so are its edges in edges[], ordered by source node and then as
 *   written. Edges never leave their scope. in_edges[] lists, for each node, the indices of the edges that end there,
 *   in the order in which they were written; loop edges (`loop: true`) come after all others and are not among n_in.
 *
 *   Nodes that loop edges tie together are a cycle. Without loop edges the graph has none.
 *
 *   nodes  | scope 0: a b c | scope 1: x y |
 *   edges  | a>b a>c b>c    | x>y          |
 */

#define NEBULA_PLAN_NONE G_MAXUINT32

typedef enum
{
  NEBULA_JOIN_ALL,
  NEBULA_JOIN_ANY,
  NEBULA_JOIN_EACH,
  NEBULA_JOIN_COUNT,
  NEBULA_JOIN_EXPRESSION,
} NebulaJoinNeed;

typedef enum
{
  NEBULA_JOIN_REST_IGNORE,
  NEBULA_JOIN_REST_BLOCK,
  NEBULA_JOIN_REST_CANCEL,
} NebulaJoinRest;

typedef enum
{
  NEBULA_ON_ERROR_FAIL,
  NEBULA_ON_ERROR_FINISH,
  NEBULA_ON_ERROR_CONTINUE,
  NEBULA_ON_ERROR_COLLECT,  /* for-each: the error takes the item's place */
} NebulaOnError;

typedef enum
{
  NEBULA_ON_UNKNOWN_FAIL,
  NEBULA_ON_UNKNOWN_RETRY,
  NEBULA_ON_UNKNOWN_ASK,
} NebulaOnUnknown;

typedef enum
{
  NEBULA_DURABILITY_STRICT,
  NEBULA_DURABILITY_RELAXED,
  NEBULA_DURABILITY_MEMORY,
} NebulaDurability;

/* The gates that an execution passes before it begins. */
typedef enum
{
  NEBULA_GATE_CONCURRENCY, /* so many at a time */
  NEBULA_GATE_RATE,        /* so many within a period; the others wait */
  NEBULA_GATE_THROTTLE,    /* so many within a period; the others are refused */
  NEBULA_GATE_DEBOUNCE,    /* the last one, when no other has come for a period */
  NEBULA_GATE_BATCH,       /* collects so many, or those of a period, and makes one of them */
  NEBULA_GATE_N_KINDS,
} NebulaGateKind;

/* What becomes of whoever finds no place. */
typedef enum
{
  NEBULA_GATE_QUEUE,
  NEBULA_GATE_REJECT,
  NEBULA_GATE_CANCEL_RUNNING,
  NEBULA_GATE_CANCEL_NEWEST,
} NebulaGateStrategy;

typedef struct
{
  const char *name; /* of its settings */
  guint8 kind;      /* NebulaGateKind */
  guint8 strategy;  /* NebulaGateStrategy */
  bool is_left_while_waiting : 1; /* who only waits gives its place back */
  guint32 limit;
  gint64 period_usec;
  NebulaExpression *key;   /* template; NULL: one for the workflow */
  NebulaExpression *share; /* template; NULL: none */
} NebulaPlanGate;

#define NEBULA_PLAN_GATES_MAX 6
#define NEBULA_PLAN_BATCH_MAX 10000

/* What a scope is to its node. */
typedef enum
{
  NEBULA_PART_BODY,
  NEBULA_PART_CATCH,
  NEBULA_PART_FINALLY,
  NEBULA_PART_BRANCH, /* one of `bodies` */
  NEBULA_PART_UNDO,   /* the one node that undoes it */
} NebulaPart;

typedef enum
{
  NEBULA_JITTER_NONE,
  NEBULA_JITTER_FULL,  /* draw from 0 to the delay */
  NEBULA_JITTER_EQUAL, /* draw from half of the delay to all of it */
} NebulaJitter;

typedef struct
{
  guint attempts; /* counts the first try; 1 is no retry */
  NebulaBackoff backoff;
  double factor; /* exponential: 2 by default */
  gint64 initial_usec;
  gint64 max_usec;
  guint jitter; /* NebulaJitter */
  gint64 budget_usec;  /* from when the node was ready; 0: none */
  gint64 *delays_usec; /* instead of a backoff; the last one goes on. NULL: none */
  guint n_delays;
  char **codes; /* only these errors are tried again; NULL: all that may be */
} NebulaRetry;

typedef struct
{
  const char *id; /* the plan's own; compare as text */
  guint32 scope;
  guint32 first_in; /* into in_edges[] */
  guint32 n_in;
  guint32 n_loop_in; /* behind the n_in others */
  guint32 first_out; /* into edges[] */
  guint32 n_out;
  guint32 body;     /* scope of the first body, or NEBULA_PLAN_NONE */
  guint32 n_bodies;
  guint32 undo;  /* scope of the node that undoes it, or NEBULA_PLAN_NONE; not among the bodies */
  guint32 cycle; /* into cycles[], or NEBULA_PLAN_NONE */
  guint8 construct; /* NebulaConstruct */
  guint8 effect;    /* NebulaEffect: the node's own `effect:`, else the class's */
  guint8 need;      /* NebulaJoinNeed */
  guint8 rest;      /* NebulaJoinRest */
  guint8 on_error;  /* NebulaOnError: the node's own, else the workflow's */
  guint8 on_unknown;
  bool effect_given : 1;    /* `effect:` was written in the file */
  bool disabled : 1;        /* passes its input on */
  bool has_error_edge : 1;  /* a connection leaves by the error port */
  bool single_input : 1;    /* at most one incoming connection */
  bool is_last : 1;         /* only loop edges leave it, or none */
  guint32 need_count;       /* NEBULA_JOIN_COUNT */
  NebulaExpression *need_expression;
  NebulaRetry retry;
  gint64 timeout_usec;       /* of one attempt; 0: none */
  gint64 total_timeout_usec; /* of all attempts; 0: none */
  NebulaValue *fallback;       /* the result instead of a failure; NULL: none */
  NebulaValue *policy;         /* what stands in front of attempts: {name, shed, limit, breaker, bulkhead, hedge}; NULL: none */
  gint32 priority;
  NebulaActionInfo *info;
  NebulaEvaluate evaluate;     /* set by nebula_plan_link (); NULL: must be invoked */
  NebulaActionClass *klass;    /* set by nebula_plan_link () for evaluated actions */
  const char *region;          /* the plan's own; NULL: none */
  NebulaTemplate *lock;        /* name of the lock that it holds while it is active; NULL: none */
  NebulaTemplate *with;        /* object, without late expressions */
  NebulaLateExpressions *late; /* may be NULL */
} NebulaPlanNode;

typedef struct
{
  guint32 from;
  guint32 to;
  guint32 in_index;       /* place among the target's in_edges */
  guint32 max;            /* of a loop edge: tokens that may cross it in one lane */
  bool loop : 1;          /* closes a cycle */
  const char *port;       /* interned; NULL: any port but error */
  NebulaExpression *when; /* may be NULL */
} NebulaPlanEdge;

/* Nodes that loop edges tie together, in an order in which no other edge among them leads back. */
typedef struct
{
  guint32 first_node; /* into cycle_nodes[] */
  guint32 n_nodes;
} NebulaPlanCycle;

typedef struct
{
  guint32 owner;  /* node whose body it is; NEBULA_PLAN_NONE for the workflow */
  guint32 parent; /* scope of the owner; NEBULA_PLAN_NONE for the workflow */
  guint32 first_node;
  guint32 n_nodes;
  guint32 first_edge;
  guint32 n_edges;
  guint32 first_cycle;
  guint32 n_cycles;
  guint8 part;      /* NebulaPart */
  bool unwinds : 1; /* when it is cancelled, something in it at any depth still has to run */
  const char *name; /* of a branch: its key; the plan's own */
  NebulaTemplate *result; /* of a body, `output` of the workflow; NULL: the last nodes */
} NebulaPlanScope;

struct _NebulaPlan
{
  gatomicrefcount ref_count;
  char *name;
  char *hash;
  char *file;       /* may be NULL */
  NebulaValue *definition; /* canonical; what the store keeps */
  NebulaJsonSchema *input_schema; /* may be NULL */
  NebulaValue *variables;    /* object */
  NebulaPlanScope *scopes;
  guint n_scopes;
  NebulaPlanNode *nodes;
  guint n_nodes;
  NebulaPlanEdge *edges;
  guint n_edges;
  guint32 *in_edges;
  NebulaPlanCycle *cycles; /* those of one scope are neighbours */
  guint32 n_cycles;
  guint32 *cycle_nodes;
  NebulaValue *links;     /* {revision: {path as written: revision}} of all that is called by path; NULL: nothing */
  GPtrArray *called;      /* NebulaPlan: those, but itself; NULL: none */
  GStringChunk *ids;      /* of the nodes; not interned for ever, because anybody may send workflows */
  GHashTable *node_index; /* id → GUINT_TO_POINTER (index + 1); ids unique per workflow are found at once */
  gboolean ids_are_unique; /* no id stands in two scopes */
  GHashTable *scoped_index; /* set of nodes by id and scope, if they are not unique; see nebula_plan_find_node () */
  NebulaDurability durability;
  NebulaOnError on_error;
  gboolean has_calls;       /* a node calls another workflow */
  gboolean missing_is_null; /* what an expression reads and is not there */
  gint64 timeout_usec;
  NebulaPlanGate gates[NEBULA_PLAN_GATES_MAX]; /* in the order in which they are asked */
  guint n_gates;
  gint32 priority;
  NebulaExpression *priority_expression; /* template, evaluated when an execution starts; NULL: it is the number above */
};

/* Like nebula_workflow_compile () with other limits; 0: the default (nebula-limits.h). */
NebulaPlan *nebula_workflow_compile_limited (NebulaWorkflow *self, NebulaActionResolver *resolver, guint max_nodes, guint max_connections, GPtrArray *diagnostics, GError **error);
/* The definition with its keys in the order of the schema, defaults left out; drawing and notes stay. */
NebulaValue *nebula_workflow_make_canonical (NebulaWorkflow *self);
/* Loads the classes of evaluated actions and sets `evaluate`; called once, before the plan is shared. */
gboolean nebula_plan_link (NebulaPlan *self, NebulaActionResolver *resolver, GError **error);
/* All connections that end at a node: the n_in that its join waits for, and behind them those that close a cycle. */
static inline guint32
nebula_plan_node_count_in (const NebulaPlanNode *self)
{
  return self->n_in + self->n_loop_in;
}

/* The node that @id (any text) names as seen from @scope: its own scope first, then outer ones; NEBULA_PLAN_NONE. */
guint32 nebula_plan_find_node (NebulaPlan *self, guint32 scope, const char *id);
/* The scope that is this part of a node; NEBULA_PLAN_NONE. */
guint32 nebula_plan_find_part (NebulaPlan *self, guint32 node, NebulaPart part);
/* What a flow.call calls, as written; NULL: it calls nothing, or is not known before it runs. */
const char *nebula_plan_node_get_callee (const NebulaPlanNode *self);
/* flow.for-each, flow.repeat, flow.while. */
gboolean nebula_construct_is_loop (NebulaConstruct construct);
/* The delay before attempt number @attempt (2 is the first repeat), without jitter. */
gint64 nebula_retry_get_delay_usec (const NebulaRetry *self, guint attempt);
gboolean nebula_retry_takes (const NebulaRetry *self, const char *code);
const char *nebula_durability_to_string (NebulaDurability durability);
gboolean nebula_durability_from_string (const char *text, NebulaDurability *ret_durability);

G_END_DECLS
