/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine-private.h"
#include "nebula-revisions.h"

G_BEGIN_DECLS

/*
 * Documents of the store:
 *   workflow/NAME          {revision: hash, number, labels: {label: number}, updated}
 *   revision/NAME@NUMBER   {workflow, revision: number, hash, created, file?, definition, links?, message?, by?, restores?}
 *   definition/HASH        what the plan is compiled from; executions name it too
 * A number has ten digits in a key. `definition` of a revision is as it was written, drawing and notes too.
 */
#define NEBULA_REVISIONS_HEADS "workflow"
#define NEBULA_REVISIONS       "revision"

/* A name as the store has it. */
typedef struct {
  NebulaValue *value;       /* NULL: the store does not know it */
  gint64 document_revision; /* for a write that expects nothing else */
  gint64 number;            /* of the current revision; 0: none */
} NebulaRevisionHead;

void _nebula_revision_head_clear (NebulaRevisionHead *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaRevisionHead, _nebula_revision_head_clear)
gboolean _nebula_revisions_read_head (NebulaEngine *engine,
                                      const char *name,
                                      NebulaRevisionHead *ret_head,
                                      GError **error);
char *_nebula_revisions_make_key (const char *name, gint64 number);
/* The number that @which means; 0 with @error. */
gint64 _nebula_revisions_resolve (const NebulaRevisionHead *head,
                                  const char *name,
                                  const char *which,
                                  GError **error);
NebulaValue *_nebula_revisions_read (NebulaEngine *engine,
                                     const char *name,
                                     gint64 number,
                                     GError **error);
/* Labels and workflow names that can be told from numbers. */
gboolean _nebula_revisions_check_label (const char *label, GError **error);

G_END_DECLS
