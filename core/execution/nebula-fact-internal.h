/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-plan-internal.h"
#include "nebula-value.h"

G_BEGIN_DECLS

/*
 * Facts: what an execution's history is made of. Each is a decision that cannot be derived from the ones before it;
 * tokens and skips that follow mechanically are derived by nebula_state_apply ().
 *
 * A segment is what one commit wrote of one stream:
 *
 *   segment  = format (varint) · base time (8 bytes, little endian, µs) · fact*
 *   fact     = kind (1 byte) · fields present (varint, bit i for field i) · fields in order of their bits
 *   field 0 lane      varint     number of the lane; absent: 0, the root lane
 *   field 1 node      string     the node's id (varint length, bytes)
 *   field 2 number    zigzag     its meaning is the kind's
 *   field 3 attempt   varint
 *   field 4 time      zigzag     µs after the time of the fact before (base time for the first)
 *   field 5 text      string     port, name, key, status: the kind's
 *   field 6 value     MessagePack
 *   field 7 due       zigzag     µs after `time`
 *   field 8 code      varint     small enumeration: the kind's
 *
 * A value may be, or hold, a stored value: a reference to a blob of the same store (nebula-stored-internal.h). Long loops
 * (above NEBULA_LOOP_LIST_ROUNDS rounds) keep their items and results so: whenever all rounds of a chunk of
 * NEBULA_LIST_CHUNK_ITEMS have ended, results-stored says where their results are, and the state lets go of them.
 *
 * Varints are LEB128. Unknown kinds and fields are refused: a newer format has a newer number.
 */

#define NEBULA_FACT_FORMAT 1
#define NEBULA_LOOP_LIST_ROUNDS 1000

typedef enum {
  NEBULA_FACT_STARTED =
      1, /* value: {input, env, trigger, user, name, execution, begins, batch}; text: plan hash; number: seed; code 1: it does
            not begin yet */
  NEBULA_FACT_NODE_READY, /* node wants an attempt; number: parameter digest; code: effect; due: total time-out */
  NEBULA_FACT_ATTEMPT_STARTED, /* an effectful attempt may begin; attempt */
  NEBULA_FACT_ATTEMPT_FAILED, /* attempt ended badly and comes again at due; value: error; code: result kind */
  NEBULA_FACT_NODE_WAITING, /* node waits; due (0: for ever); code: NebulaWait; text: signal, execution; value: what it asks for */
  NEBULA_FACT_NODE_ENDED, /* completed; text: port (absent: out); value; attempt; code 1: values by port, 2: open rounds go on */
  NEBULA_FACT_NODE_FAILED,    /* failed for good; value: error; attempt; code 1: nothing handles it, its lane fails */
  NEBULA_FACT_NODE_SKIPPED,   /* the action or rule skipped it */
  NEBULA_FACT_NODE_CANCELLED, /* this node-run alone was cancelled */
  NEBULA_FACT_GUARD, /* `when` of incoming connection `number` of node; code: 0 or 1 */
  NEBULA_FACT_NEED,  /* need of node's join; number */
  NEBULA_FACT_LOOP_OPENED, /* number: items or greatest rounds; code: concurrency; value: items; attempt: batch */
  NEBULA_FACT_LANE_OPENED, /* lane: of the loop node; node; number: index */
  NEBULA_FACT_LANE_CLOSED, /* lane; value: result; code 1: the value is the error; code 2: no result */
  NEBULA_FACT_LANE_CANCELLED, /* lane and all below: what is active is cancelled */
  NEBULA_FACT_SIGNALLED,      /* text: name; value: payload; kept until a wait takes it */
  NEBULA_FACT_CANCEL_ASKED,   /* text: reason; code: status to end with */
  NEBULA_FACT_GATE_ASKED,     /* text: key of the gate that it waits for, for the first time or to come back */
  NEBULA_FACT_GATE_GRANTED,   /* the gate let it in */
  NEBULA_FACT_PAUSED,         /* text: reason; code 1: before a node, which text names: it has a breakpoint; 2: after a step */
  NEBULA_FACT_RESUMED,        /* goes on; number: recoveries so far; code 1: for one step */
  NEBULA_FACT_WITHDRAWN,      /* a command was withdrawn before it began: node, attempt */
  NEBULA_FACT_ENDED,          /* code: status; value: output or error */
  /* Later than the first release of the format: */
  NEBULA_FACT_RESULTS_STORED, /* a chunk of a for-each's results; number: one of its rounds; value: where it is */
  NEBULA_FACT_UNDO_KEPT, /* the node completes and can be undone; value: {with, input}; code 1: the error why it cannot */
  NEBULA_FACT_UNDO_OPENED, /* number: which of those that were kept, from 0, is undone now, in a lane of its own */
  NEBULA_FACT_UNDO_CLOSED, /* lane of the undoing, if there is one; number as above; code 1: value is the error */
  NEBULA_FACT_LOOP_ENDING,  /* the loop opens no more rounds and ends with what it has; code 1: open ones go on; 2: not yet, what
                               is done is not enough */
  NEBULA_FACT_LOOP_CLEARED, /* the last round of a loop that has completed already is over */
  NEBULA_FACT_ITEMS_ADDED,  /* to a for-each; value: array */
  NEBULA_FACT_LOCK_ASKED,   /* the node wants a lock; text: its name; code 1: of all executions, a gate has it */
  NEBULA_FACT_LOCK_GRANTED, /* the gate gave it to the node */
  NEBULA_FACT_WATCHED,      /* another execution waits for the end of this one; text: its id */
  NEBULA_FACT_DECIDED,      /* on an approval; value: {by, approved, comment}; code 1: nobody did in time, others are asked */
  NEBULA_FACT_GIVEN, /* what nodes give without running, what their input is; value: see nebula-given-internal.h */
  NEBULA_FACT_INPUT_GIVEN, /* the node's input is another one than what came to it; value */
  NEBULA_FACT_BREAKPOINTS, /* value: object path → condition or null, instead of those there were */
  NEBULA_FACT_BEGUN,     /* the time has come that its start was put off to; code as in started */
  NEBULA_FACT_GATE_LEFT, /* it only waits, and gives its place in the last gate back */
  NEBULA_FACT_BATCHED,   /* the gate has collected it: it goes on as a part of another execution; text: its id */
  NEBULA_FACT_LAST = NEBULA_FACT_BATCHED,
} NebulaFactKind;

/* Why a node waits. */
typedef enum {
  NEBULA_WAIT_DURATION,
  NEBULA_WAIT_UNTIL,
  NEBULA_WAIT_SIGNAL,
  NEBULA_WAIT_AGAIN,   /* the action asked to be invoked again */
  NEBULA_WAIT_UNKNOWN, /* outcome unknown and on-unknown is ask */
  NEBULA_WAIT_LOCK,    /* another node holds the lock */
  NEBULA_WAIT_CHILD,     /* for the end of the execution that it called */
  NEBULA_WAIT_EXECUTION, /* for the end of another execution */
  NEBULA_WAIT_APPROVAL,
  NEBULA_WAIT_TOKEN, /* as for a signal, which only who has the token can send */
  NEBULA_WAIT_GATE,  /* another node, perhaps of another execution, holds the lock */
  NEBULA_WAIT_LAST = NEBULA_WAIT_GATE,
} NebulaWait;

/* One fact. Borrowed members live as long as the caller says; node is an index that only memory knows. */
typedef struct {
  NebulaFactKind kind;
  guint32 lane;
  guint32 node; /* NEBULA_PLAN_NONE: none */
  guint32 attempt;
  guint32 code;
  gint64 number;
  gint64 time_usec;
  gint64 due_usec;  /* 0: none */
  const char *text; /* borrowed; of a decoded fact: until the next one is read */
  NebulaValue *value;
} NebulaFact;

/* Collects facts of one segment. */
typedef struct {
  GByteArray *bytes;
  gint64 last_usec;
  guint64 n_facts;
} NebulaFactWriter;

void nebula_fact_writer_init (NebulaFactWriter *self);
void nebula_fact_writer_clear (NebulaFactWriter *self);
void
nebula_fact_writer_add (NebulaFactWriter *self, NebulaPlan *plan, const NebulaFact *fact);
/* For who has the node's id, but no plan; NULL: none. */
void nebula_fact_writer_add_named (NebulaFactWriter *self, const char *node, const NebulaFact *fact);
/* The segment so far; the writer is empty afterwards. */
GBytes *nebula_fact_writer_end (NebulaFactWriter *self);

/* Names the node of a decoded fact: its index as seen from a lane's scope, or NEBULA_PLAN_NONE if there is none. */
typedef guint32 (*NebulaFactFindNode) (guint32 lane, const char *id, gpointer data);

typedef struct {
  const guint8 *data;
  gsize size;
  gsize offset;
  gint64 last_usec;
  char *text; /* of the fact that was read last */
  NebulaFactFindNode find_node;
  gpointer find_data;
} NebulaFactReader;

gboolean nebula_fact_reader_init (NebulaFactReader *self,
                                  GBytes *segment,
                                  NebulaFactFindNode find_node,
                                  gpointer data,
                                  GError **error);
void nebula_fact_reader_clear (NebulaFactReader *self);
/* FALSE without error at the end. The fact's value is a new reference that the caller releases. */
gboolean
nebula_fact_reader_next (NebulaFactReader *self, NebulaFact *ret_fact, GError **error);
/* A segment as the message nebula.v1.Facts of data/proto/nebula.proto, and back; no plan is needed. Stored values become
 * references and stay so. */
GBytes *nebula_facts_to_protobuf (GBytes *segment, GError **error);
GBytes *nebula_facts_from_protobuf (GBytes *bytes, GError **error);
const char *nebula_fact_kind_to_string (NebulaFactKind kind);

G_END_DECLS
