/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-fact-internal.h"
#include "nebula-store.h"

G_BEGIN_DECLS

/*
 * The state of one execution: the fold of its facts and nothing else.
 *
 *   state ── lanes (number → lane)
 *              lane 0: root            runs[] one per node of the scope, edges[] one per connection
 *              lane 7: each[3]  ──parent──▶ lane 0
 *              lane 9: guard.catch ─parent─▶ lane 0
 *         ── works: node-runs that are active (want an attempt, run, wait or loop), in order of firing
 *         ── agenda: decisions that are due; nebula_kernel_turn () takes them in order
 *
 * A lane is one run of a scope: (parent lane, node, index): a round of a loop, or one of the bodies of flow.try and
 * flow.race. Tokens move along its edges; a node whose join is satisfied fires. A lane is quiet when nothing in it is
 * active.
 *
 * What is cancelled ends at once, unless something in it has to run whatever happens (`finally`): then its lanes are
 * halted (no token moves in them any more), what has to run runs, and the nodes around it end when it has.
 *
 * Thread: one at a time.
 */

typedef enum {
  NEBULA_NODE_PENDING,
  NEBULA_NODE_FIRED, /* its join is satisfied; the agenda holds the decision what to do */
  NEBULA_NODE_READY, /* wants an attempt */
  NEBULA_NODE_RUNNING, /* an attempt began, or a loop is open */
  NEBULA_NODE_WAITING,
  NEBULA_NODE_RETRYING, /* waits for its next attempt */
  NEBULA_NODE_COMPLETED,
  NEBULA_NODE_FAILED,
  NEBULA_NODE_SKIPPED,
  NEBULA_NODE_CANCELLED,
} NebulaNodeStatus;

/* Where it stands with the gates of its settings. */
typedef enum {
  NEBULA_AT_GATE_NONE,    /* has none, or asks the next one now */
  NEBULA_AT_GATE_ASKED,   /* waits in front of one */
  NEBULA_AT_GATE_INSIDE,  /* all have let it in */
  NEBULA_AT_GATE_LEFT,    /* waits for something, and has given its place in the last one back */
  NEBULA_AT_GATE_BACK,    /* wants that place again */
  NEBULA_AT_GATE_BATCHED, /* goes on as a part of another execution */
  NEBULA_AT_GATE_LAST = NEBULA_AT_GATE_BATCHED,
} NebulaAtGate;

typedef struct _NebulaLane NebulaLane;
typedef struct _NebulaLoop NebulaLoop;
typedef struct _NebulaWork NebulaWork;
typedef struct _NebulaLock NebulaLock;
typedef struct _NebulaState NebulaState;

/* A node in a lane. */
typedef struct {
  guint8 status;        /* NebulaNodeStatus */
  guint8 by_port : 1;   /* value is an object port → value */
  guint8 has_fired : 1; /* the join fired in this generation */
  guint8 is_trailing : 1; /* completed, and still active: the last rounds of its loop go on */
  guint16 attempts;     /* begun */
  guint32 firing;       /* times it has fired */
  guint32 order;        /* place in the order of firings of the execution, from 1 */
  guint32 arrived;      /* incoming edges that hold a token of this generation */
  guint32 live;         /* live ones among them */
  guint32 need;         /* of a join with an expression, once decided; 0: not yet */
  const char *port;     /* interned; NULL: out */
  NebulaValue *value;   /* result or error */
  gint64 ready_usec;
  gint64 ended_usec;
  NebulaWork *work; /* while active */
} NebulaRun;

/* A connection in a lane: tokens that wait there, oldest first. A skip is a NULL value. */
typedef struct {
  guint32 n_tokens;
  guint32 n_seen;     /* tokens that ever came */
  NebulaValue *first; /* the oldest token's value */
  GQueue *more;       /* the others; a skip is the address of this structure */
  GQueue *guarded;    /* live values whose `when` is not decided; NULL: none */
} NebulaEdgeState;

typedef enum {
  NEBULA_UNDO_KEPT,
  NEBULA_UNDO_RUNNING,
  NEBULA_UNDO_DONE,
  NEBULA_UNDO_FAILED,
} NebulaUndoStatus;

/* A completed node that can be undone. Those of one execution are numbered in the order in which they completed. */
typedef struct {
  guint32 node;
  guint32 owner; /* lane whose failure or cancel undoes it: the body of a try, or 0 */
  guint8 status; /* NebulaUndoStatus */
  char *path;    /* of the node-run, for people */
  NebulaValue *parameters; /* NULL: they could not be evaluated */
  NebulaValue *input;
  NebulaValue *failure; /* why it failed */
  NebulaLane *lane;     /* while it runs */
} NebulaUndo;

struct _NebulaLane {
  guint32 number;
  guint32 scope;
  guint32 index;
  guint32 active;       /* activities: works and undecided guards */
  NebulaLane *parent;   /* NULL: root */
  NebulaLoop *loop;     /* whose round or body it is; NULL: root, or it undoes something */
  guint32 undo;         /* what it undoes: number + 1 in the state's list; 0: nothing */
  NebulaValue *item;    /* of a round its item, of a body its input; may be NULL */
  NebulaValue *last;    /* may be NULL */
  NebulaValue *failure; /* error that ends the lane; may be NULL */
  guint8
      is_ending : 1; /* failed, broken or continued: what is active must be cancelled */
  guint8 is_break : 1;
  guint8 is_cut : 1;    /* break or continue ended it: it has no result of its own */
  guint8 is_halted : 1; /* cancelled: no token moves any more, and it ends when it is quiet */
  guint8 is_cancelled : 1; /* cancelled from outside: it ends without result */
  NebulaLane *previous; /* among the open lanes of the loop */
  NebulaLane *next;
  NebulaEdgeState *edges;
  NebulaRun runs[];
};

/* The open scope of a node: rounds of a loop, bodies of try and race. */
struct _NebulaLoop {
  NebulaWork *work;
  NebulaValue *items; /* for-each: an array, or a list in the store */
  GPtrArray *added;   /* NebulaValue, like items: what was added while it ran; NULL: nothing */
  gint64 count;       /* rounds at most */
  gint64 next_index;  /* of the next round */
  gint64 n_done;
  gint64 n_judged; /* rounds that were done when it was decided last that they are not enough */
  guint32 n_open;
  guint32 concurrency;
  guint32 batch;
  guint8 phase;             /* NebulaPart of try that was opened last */
  guint32 body_lane;        /* number of the lane of a try's body */
  guint8 wants_success : 1; /* race: a body that fails does not win */
  guint8 is_cancelled : 1;  /* the node ends cancelled once what has to run has run */
  guint8 lets_go : 1;       /* when it ends, open rounds go on */
  guint8 is_trailing : 1;   /* the node has completed; its last rounds go on */
  guint8 is_undoing : 1;    /* something that a try's body did is undone now */
  gboolean is_ending;   /* opens no more rounds */
  NebulaValue *failure; /* of the first failed round; of try the one that stands */
  NebulaLane *lanes;    /* open ones */
  GPtrArray *results;   /* for-each: see nebula-results-private.h */
  NebulaValue *last;    /* result of the last round; NULL: none */
};

/* A named lock of the execution. */
struct _NebulaLock {
  char *name;
  GQueue works; /* NebulaWork: the first one holds it, the others wait in this order */
};

struct _NebulaWork {
  NebulaLane *lane;
  guint32 node;
  guint32 firing;
  NebulaValue *input;
  NebulaValue *inputs; /* object predecessor id → value; NULL: build it from input */
  NebulaValue *parameters; /* resolved; not part of the fold */
  struct _NebulaFrozen *frozen; /* for the late expressions of the attempt that is next; may be NULL; not part of the fold */
  NebulaValue *loaded;     /* input with all that is stored read; NULL: input itself; not part of the fold */
  gint64 digest;
  gint64 due_usec;      /* real time of its timer; 0: none */
  gint64 deadline_usec; /* total time-out; 0: none */
  char *signal; /* NULL: none */
  char *other;  /* id of the execution whose end it waits for; NULL: none */
  char *hold;   /* name of the lock that a gate has; NULL: none */
  NebulaValue *request; /* what it waits for: a call, an approval; NULL: nothing that has to be said */
  NebulaValue *answers; /* array of decisions on an approval; NULL: none yet */
  NebulaLock *lock; /* that it waits for or holds; NULL: none */
  guint8 effect;
  guint8 wait;            /* NebulaWait */
  guint8 is_held : 1;     /* the gate gave the lock */
  guint8 is_begun : 1;    /* the fact that lets an effectful attempt begin is there */
  guint8 is_launched : 1; /* the attempt runs in this process; not part of the fold */
  guint8 has_effect : 1;  /* effect is known though not recorded; not part of the fold */
  guint8 has_own_digest : 1; /* of the resolved parameters; not part of the fold */
  gint64 own_digest;
  NebulaLoop *loop;
  GList link; /* in state->works */
};

typedef enum {
  NEBULA_AGENDA_NODE,  /* a node fired */
  NEBULA_AGENDA_GUARD, /* a connection's `when` */
  NEBULA_AGENDA_NEED,  /* a join's expression */
  NEBULA_AGENDA_LOOP,  /* a loop may open rounds or end */
  NEBULA_AGENDA_LANE,  /* a lane may be quiet or must end */
} NebulaAgendaKind;

typedef struct {
  guint32 kind;
  guint32 lane;
  guint32 index; /* node, or edge for guards */
} NebulaAgendaItem;

typedef struct {
  char *name;
  NebulaValue *value;
} NebulaSignal;

/* Something outside that a node-run let go of when it ended: its child is to be cancelled, its lock given back. */
typedef struct {
  gboolean is_lock;
  char *name; /* of the lock, or id of the child */
  char *holder; /* of a lock */
} NebulaParting;

struct _NebulaState {
  NebulaPlan *plan;
  guint64 sequence;
  guint8 status; /* NebulaExecutionStatus */
  guint8 is_paused : 1;
  guint8 has_undone : 1;  /* it has failed, and what it did is undone */
  guint8 is_undoing : 1;  /* one of these undoings runs now */
  guint8 is_stopping : 1; /* all that is active must be cancelled, then it ends */
  guint8 is_stepping : 1; /* it pauses before the next node */
  guint8 end_status;      /* when stopping */
  guint8 gate;            /* NebulaAtGate */
  char *gate_key; /* of the one that was asked last */
  NebulaValue *gate_share; /* whose share it asked for; NULL: nobody's */
  NebulaValue *started; /* what the first fact holds */
  NebulaValue *input;
  NebulaValue *output;
  NebulaValue *error;
  guint64 seed;
  gint64 started_usec;
  gint64 ended_usec;
  gint64 deadline_usec;
  gint64 last_usec; /* time of the last fact */
  gint64 paused_usec; /* when it was paused last */
  gint64 gate_usec;   /* when it asked a gate last */
  gint64 begins_usec; /* when it begins, if its start was put off; 0: it has begun */
  guint32 next_lane;
  guint32 n_firings;
  guint32 n_ready;   /* works that want or have an attempt */
  guint32 n_waiting; /* works with a timer, signal or retry */
  guint32
      n_cancelled; /* works that were cancelled so far; not part of the fold's result */
  guint32 recoveries;
  guint32 gate_round; /* times that it has given its place back */
  NebulaLane *root;  /* NULL before the first fact */
  GHashTable *lanes; /* number → NebulaLane, but the root; NULL: none yet */
  GQueue works;      /* NebulaWork */
  GArray *agenda;    /* NebulaAgendaItem */
  guint agenda_head;
  GQueue signals;   /* NebulaSignal that nobody took */
  GPtrArray *locks; /* NebulaLock that somebody wants; NULL: none */
  GPtrArray *undos; /* NebulaUndo; NULL: none */
  NebulaValue *watchers; /* array of ids of executions that wait for the end of this one; NULL: none */
  NebulaValue *tokens;   /* array of tokens that nobody has used; NULL: none */
  NebulaValue *gates;    /* array of the keys of the gates that it has passed; NULL: none */
  char *batch;           /* execution that it is a part of; NULL: none */
  NebulaValue *given;    /* what nodes give without running: see nebula-given-internal.h; NULL: nothing */
  NebulaValue *breaks;   /* object path → condition or null; NULL: no breakpoints */
  char *break_at; /* the node-run before which it paused last, and which may pass; NULL: none */
  GPtrArray *partings;   /* NebulaParting since somebody took them; NULL: none; not of the fold */
  GArray *worklist; /* of the token propagation */
  /* Sees each fact of a fold just before it is applied; for reports that look inside finished rounds. */
  void (*watch) (NebulaState *self, const NebulaFact *fact, gpointer data);
  gpointer watch_data;
  /* The same just after it was applied; for events and pages of history. */
  void (*told) (NebulaState *self, const NebulaFact *fact, gpointer data);
  gpointer told_data;
};

NebulaState *nebula_state_new (NebulaPlan *plan);
void nebula_state_free (NebulaState *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaState, nebula_state_free)

/* The fold. Evaluates nothing, reads no clock, never fails on facts that nebula_kernel made; facts that do not fit the
 * state (a damaged journal) are refused by nebula_state_accepts (). */
void nebula_state_apply (NebulaState *self, const NebulaFact *fact);
gboolean nebula_state_accepts (NebulaState *self, const NebulaFact *fact);
/* Folds a segment. */
gboolean nebula_state_fold (NebulaState *self, GBytes *segment, GError **error);

/* {status, attempts, duration_us, result | error} */
NebulaValue *nebula_run_report (NebulaRun *run);
/* How many gates of the plan are behind it; those in front of a batch are behind what the batch became. */
guint nebula_state_count_passed (NebulaState *self);
NebulaLane *nebula_state_get_lane (NebulaState *self, guint32 number);
NebulaRun *nebula_lane_get_run (NebulaState *self, NebulaLane *lane, guint32 node);
/* The run of a node seen from a lane: in it or in one of its parents. */
NebulaRun *nebula_state_find_run (NebulaState *self, NebulaLane *lane, guint32 node);
/* The round around a lane, or the lane itself; NULL: no loop stands around. */
NebulaLane *nebula_lane_get_round (NebulaState *self, NebulaLane *lane);
/* What is active in the lane is about to be cancelled with the whole execution and must not begin any more. */
gboolean nebula_lane_is_doomed (NebulaState *self, NebulaLane *lane);
/* The part that a body plays, for people: `catch`; NULL: a round of a loop. */
const char *nebula_lane_get_part_name (NebulaState *self, NebulaLane *lane);
gboolean nebula_node_status_is_terminal (NebulaNodeStatus status);
const char *nebula_node_status_to_string (NebulaNodeStatus status);
/* The next agenda item that still is one; FALSE: nothing is due. */
gboolean nebula_state_peek_agenda (NebulaState *self, NebulaAgendaItem *ret_item);
void nebula_state_pop_agenda (NebulaState *self);
/* The path of a lane and node for people: `each[3].price`. */
char *nebula_state_dup_path (NebulaState *self, NebulaLane *lane, guint32 node);
/* A digest of all that the fold determines; two states with the same facts have the same. */
char *nebula_state_dup_digest (NebulaState *self);

G_END_DECLS
