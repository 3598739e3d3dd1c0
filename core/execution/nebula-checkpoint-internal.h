/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-state-internal.h"

G_BEGIN_DECLS

/*
 * A checkpoint: the state of one execution after one of its facts. Whoever has it need not fold the facts before.
 *
 *   checkpoint = format (varint) · state · sum (8 bytes, little endian, of all bytes before it)
 *   state      = fields · [root lane, if `started` is there] · [undos] · signals · works · [locks] · agenda
 *   undos      = count · (node number · node · owner · status · path · 3 values · [lane number · lane, if it runs])*
 *   locks      = count · (name · count · (lane number · node)*)*      who holds it, then who waits
 *   signals    = count · (name · value)*
 *   works      = count · (lane number · node)*                        in the order of their firing
 *   agenda     = count · (kind · lane number · [node] · [incoming connection, if kind is guard])*
 *   lane       = fields · entry* · 0                                  nodes that nothing happened to are left out
 *   entry      = node · fields of its run · connection* · [work, if the run is active]
 *   connection = seen · 4 + has guarded · 2 + has tokens · [values] · [guarded values]      each incoming one, in order
 *   values     = count · value*                                       a token without a value is a skip
 *   work       = fields · [loop, if the node has a body and runs]
 *   loop       = fields · [results, of a for-each] · [count · value*: items that were added, of a for-each]
 *                · count · inner*
 *   results    = count · chunk*                                       in the order of NEBULA_LIST_CHUNK_ITEMS rounds each
 *   chunk      = rounds that have ended · [value: where it is stored · [values, if it is not; gaps have none]], if any
 *   inner      = lane number · index · [value: input, of a body that is no round] · lane
 *
 *   fields     = fields present (varint, bit i for field i) · fields in the order of their bits; what is zero is absent
 *   node       = text: its id in the scope of its lane, never an index
 *   text       = 1 · length · bytes, or 2 + number of a text that came before
 *   value      = 0: none, 1: MessagePack follows, 2: an object follows: count · (text · value)*,
 *                or 3 + number of a value that came before
 *
 * Numbers are LEB128, signed ones zigzag; a time is the difference in µs to the time before it, as in facts. Values are
 * shared: each array, object, string and byte string is written once and has the next number; an object written as 2 has
 * its number after its members. The input of the execution and the items of rounds are parts of values that are there
 * already; they are not written, but they have numbers too. The fields of each structure are in the tables of
 * nebula-checkpoint.c, and so are their numbers. What can be derived (counters of activities, links, scopes) is not
 * written; what belongs to this process (resolved parameters, launched attempts) is not either.
 *
 * The sum finds accidents. Bytes of another's making are read without harm: what does not hold together is refused.
 */

#define NEBULA_CHECKPOINT_FORMAT 1

/* Thread: as the state's. */
GBytes *nebula_state_to_checkpoint (NebulaState *self);
/* NULL with NEBULA_ERROR_STORE_CORRUPT, or NEBULA_ERROR_STORE_VERSION if a newer version made it. */
NebulaState *
nebula_state_from_checkpoint (NebulaPlan *plan, GBytes *bytes, GError **error);

G_END_DECLS
