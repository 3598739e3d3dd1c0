/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-clock.h"
#include "nebula-idempotency.h"
#include "nebula-journal-internal.h"

G_BEGIN_DECLS

/*
 * A key's record is a document of the collection “idempotency” under the key's hash, as JSON:
 *
 *   {"fingerprint": "…", "expires": microseconds since 1970, "attempt": 1, "run": "…"}                     it runs
 *   {"fingerprint": "…", "expires": …, "attempt": 1, "value": …} or {…, "error": {…}}                      it is over
 *   {"fingerprint": "…", "expires": …, "execution": "exe_…"}                                               a start
 *
 * `run` names the process that does it: if another one reads the record, that process is gone, for a store has one owner.
 */
#define NEBULA_IDEMPOTENCY_COLLECTION "idempotency"
#define NEBULA_IDEMPOTENCY_TTL_USEC (24 * 3600 * (gint64) G_USEC_PER_SEC)

typedef struct
{
  char *fingerprint;
  gint64 expires_usec;
  guint attempt;
  char *run;           /* these four may be NULL */
  char *execution;
  NebulaValue *value;
  NebulaValue *failure;
  gint64 revision; /* as it was read; 0: not stored; -1: whatever is stored is ours */
} NebulaIdempotencyRecord;

NebulaIdempotencyRecord *_nebula_idempotency_record_new (const char *fingerprint, gint64 expires_usec);
void _nebula_idempotency_record_free (NebulaIdempotencyRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaIdempotencyRecord, _nebula_idempotency_record_free)
/* *ret is NULL if there is none. A record that has expired is given, too. Blocks. */
gboolean _nebula_idempotency_record_read (NebulaStore *store,
                                          const char *key,
                                          NebulaIdempotencyRecord **ret,
                                          GError **error);
/* Adds the record to a unit: refused if it is not the one that was read any more. */
void _nebula_idempotency_record_add (NebulaIdempotencyRecord *self, const char *key, NebulaUnit *unit);

/* Borrows the journal, which must outlive it. */
NebulaIdempotency *_nebula_idempotency_new (NebulaJournal *journal, NebulaClock *clock);
/* The journal goes: calls that run are answered with an error. */
void _nebula_idempotency_stop (NebulaIdempotency *self);

G_END_DECLS
