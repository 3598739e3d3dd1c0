/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-workflow-private.h"

G_BEGIN_DECLS

/*
 * Definition → plan, in passes over flat arrays; none of them recurses over nodes or edges.
 *
 *   nebula-plan-builder.c      collect scopes and nodes; the order of the passes; hand over
 *   nebula-plan-edges.c        connections and `after` → sorted edges; ids, ports, duplicates
 *   nebula-plan-graph.c        forbidden cycles, entries, reachability; “is a upstream of b?”
 *   nebula-plan-cycles.c       the cycles that loop edges close
 *   nebula-plan-node.c         action and settings of each node
 *   nebula-plan-parameters.c   `with` of each node
 *   nebula-plan-expressions.c  what expressions may name
 *   nebula-plan-types.c        what they may give, and to whom
 *   nebula-plan-calls.c        the workflows that are called by a path
 *   nebula-plan-gates.c        what an execution has to pass before it begins, and its priority there
 */

typedef struct
{
  guint max_nodes;
  guint max_connections;
  gboolean is_callee; /* whoever calls it follows its own calls */
} NebulaPlanLimits;

/* An edge on its way, with the place where it was written. */
typedef struct
{
  guint32 from;
  guint32 to;
  const char *port;  /* in the plan's texts, once each; NULL: any but error */
  NebulaValue *when; /* borrowed; NULL: none */
  guint32 max;       /* of a loop edge */
  gboolean loop;
  guint32 scope;
  guint32 item;      /* index in `connections`, or in the target's `after` */
  gboolean is_after;
} NebulaPlanLink;

/* A reference that the quick tests did not settle. */
typedef struct
{
  guint32 node;
  guint32 target;
  guint32 site; /* node that is shown in the message */
  char *pointer;
  const char *text; /* at @pointer, with the place of the name in it; of an expression in `checks` */
  guint text_line;
  guint text_column;
} NebulaUpstreamQuery;

typedef struct
{
  NebulaActionInfo *info; /* NULL: unknown */
  char *message;          /* why */
} NebulaActionEntry;

typedef struct
{
  NebulaValue *definition;
  NebulaActionResolver *resolver; /* NULL: only what needs no actions is checked */
  NebulaPlanLimits limits;
  NebulaProblems *problems;
  NebulaPlan *plan;
  GPtrArray *node_values;   /* borrowed NebulaValue of each node */
  GPtrArray *scope_values;  /* borrowed NebulaValue of each scope */
  GPtrArray *made_values;   /* those that are not in the definition */
  GArray *links;            /* NebulaPlanLink, by source once sorted */
  GHashTable *actions;      /* text → NebulaActionEntry */
  NebulaTemplate *nothing;  /* the template of {} */
  guint32 *component;       /* strongly connected component of each node; an edge never leads to a higher one */
  guint32 *enter;           /* number of each node in the depth-first walk */
  guint32 *leave;           /* the highest number below it in that walk's tree */
  guint32 n_components;
  GArray *queries;          /* NebulaUpstreamQuery */
  GArray *checks;           /* NebulaTypeCheck */
} NebulaPlanBuilder;

/* NULL if there were errors, or if @resolver is NULL. @limits NULL: the defaults. */
NebulaPlan *_nebula_plan_build (NebulaValue *definition, NebulaActionResolver *resolver, const NebulaPlanLimits *limits, NebulaProblems *problems);

/* JSON pointers of the parts. */
char *_nebula_plan_builder_scope_pointer (NebulaPlanBuilder *self, guint32 scope);
char *_nebula_plan_builder_node_pointer (NebulaPlanBuilder *self, guint32 node, const char *key);
char *_nebula_plan_builder_link_pointer (NebulaPlanBuilder *self, const NebulaPlanLink *link);
/* A node of exactly this scope, or NEBULA_PLAN_NONE. */
guint32 _nebula_plan_builder_find_in_scope (NebulaPlanBuilder *self, guint32 scope, const char *text);
/* “Did you mean …?” among the nodes that @scope sees. */
char *_nebula_plan_builder_hint_node (NebulaPlanBuilder *self, guint32 scope, const char *text, gboolean outer_too);

/* Fills links and the plan's edges; FALSE if there are too many to go on. */
gboolean _nebula_plan_builder_add_edges (NebulaPlanBuilder *self);
void _nebula_plan_builder_check_ports (NebulaPlanBuilder *self);

void _nebula_plan_builder_analyse (NebulaPlanBuilder *self);
void _nebula_plan_builder_add_cycles (NebulaPlanBuilder *self);

/* One depth-first walk over all nodes (Tarjan's); each array has a place for each node. */
typedef struct
{
  NebulaPlan *plan;
  gboolean with_loops; /* along loop edges too */
  guint32 *component;
  guint32 *enter;
  guint32 *leave;
  guint32 n_components;
} NebulaComponents;

void _nebula_plan_find_components (NebulaComponents *self);
/* Nodes that come only after one that ends everything; needs actions. */
void _nebula_plan_builder_check_ends (NebulaPlanBuilder *self);
/* Requires that @target always ends before @node begins; settled now or in _nebula_plan_builder_answer (). */
void _nebula_plan_builder_require_upstream (NebulaPlanBuilder *self, const NebulaUpstreamQuery *query);
void _nebula_plan_builder_answer (NebulaPlanBuilder *self);

void _nebula_plan_builder_add_node_details (NebulaPlanBuilder *self, guint32 node);
/* After the node's action: what its policy says, where the node itself says nothing. */
void _nebula_plan_builder_add_policy (NebulaPlanBuilder *self, guint32 node, NebulaValue *value);
/* @value may be NULL; it has been checked. */
void _nebula_retry_read (NebulaRetry *self, NebulaValue *value, const NebulaRetry *defaults);
void _nebula_retry_clear (NebulaRetry *self);
void _nebula_plan_builder_add_parameters (NebulaPlanBuilder *self, guint32 node, NebulaValue *value);

void _nebula_plan_builder_add_calls (NebulaPlanBuilder *self);
/* nebula-plan-gates.c; @settings may be NULL. */
void _nebula_plan_builder_add_gates (NebulaPlanBuilder *self, NebulaValue *settings);
void _nebula_plan_builder_add_priority (NebulaPlanBuilder *self, NebulaValue *settings);
/* nebula-workflow.c */
NebulaPlan *_nebula_workflow_compile (NebulaWorkflow *self, NebulaActionResolver *resolver, const NebulaPlanLimits *limits, GPtrArray *diagnostics, GError **error);

/* Where an expression stands, which decides what it may name. */
typedef struct
{
  NebulaPlanBuilder *builder;
  guint32 scope;           /* where ids are looked up first */
  guint32 node;            /* whose predecessors may be named; NEBULA_PLAN_NONE: all of the scope */
  gboolean node_itself;    /* @node may be named too */
  gboolean nothing_ran;    /* no node may be named */
  gboolean of_start;       /* evaluated for each start: $input is what was given, also if a batch is made of it */
  gboolean items;          /* $item and its like are set by the action */
  gboolean is_condition;   /* it must give a boolean, or null */
  const char *integer;     /* what must be an integer; NULL: it need not */
  NebulaParameterTable *table; /* whose values the members of the value are; NULL: none */
  const char *pointer;     /* of the text, or of the value around it */
} NebulaExpressionSite;

/* An expression that is checked when all nodes are known. */
typedef struct
{
  NebulaExpression *expression;
  char *pointer;
  guint32 scope;
  guint32 node;               /* whose $json is meant; NEBULA_PLAN_NONE: not known */
  gboolean nothing_ran;
  gboolean of_start;
  gboolean items;
  gboolean is_condition;
  const char *integer;
  NebulaParameter *parameter; /* that takes it; NULL: none; borrowed */
} NebulaTypeCheck;

void _nebula_type_check_clear (gpointer data);
void _nebula_plan_builder_queue_check (const NebulaExpressionSite *site, NebulaExpression *expression, const char *inner_pointer);
void _nebula_plan_builder_check_types (NebulaPlanBuilder *self);

void _nebula_expression_site_check (const NebulaExpressionSite *self, NebulaExpression *expression, const char *inner_pointer);
/* NULL if there were problems, which are reported. */
NebulaTemplate *_nebula_expression_site_add_template (const NebulaExpressionSite *self, NebulaValue *value);
typedef enum
{
  NEBULA_EXPRESSION_FORM_BARE,     /* an expression without braces */
  NEBULA_EXPRESSION_FORM_TEMPLATE, /* text with {{ … }} */
  NEBULA_EXPRESSION_FORM_EITHER,
} NebulaExpressionForm;
NebulaExpression *_nebula_expression_site_add (const NebulaExpressionSite *self, NebulaValue *text, NebulaExpressionForm form);

G_END_DECLS
