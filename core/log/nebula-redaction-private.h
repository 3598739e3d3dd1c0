/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-redactor.h"

/*
 * The secrets that are alive at one moment, ready for search. Immutable and counted: a log entry that waits to be written
 * holds what was secret when it was made.
 */
typedef struct _NebulaRedaction NebulaRedaction;

NebulaRedaction *_nebula_redaction_new (GHashTable *secrets); /* GBytes, as keys */
NebulaRedaction *_nebula_redaction_ref (NebulaRedaction *self);
void _nebula_redaction_unref (NebulaRedaction *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaRedaction, _nebula_redaction_unref)

/* NULL: nothing had to be taken out. */
char *_nebula_redaction_apply (NebulaRedaction *self, const char *text, gsize length);

/* What is secret now; NULL if nothing is. Full. Thread: any. */
NebulaRedaction *_nebula_redactor_ref_current (NebulaRedactor *self);

/* nebula-redaction-view.c: a text with escapes undone, and where each of its bytes came from. */
typedef enum {
  NEBULA_UNESCAPE_PERCENT,   /* %2F, as in addresses and forms */
  NEBULA_UNESCAPE_BACKSLASH, /* \n \" \/ \u00e9 \x2f \057, as in JSON and C */
  NEBULA_UNESCAPE_COUNT,
} NebulaUnescape;

typedef struct {
  guint8 *bytes;   /* plus signs are spaces, for forms write them so */
  guint32 *places; /* length + 1: where a byte begins in the original; NULL: where it stands */
  gsize length;
} NebulaRedactionView;

void _nebula_redaction_view_init (NebulaRedactionView *self, const char *text, gsize length);
/* FALSE: there was no such escape, and @ret is untouched. */
gboolean _nebula_redaction_view_unescape (const NebulaRedactionView *self,
                                          NebulaUnescape kind,
                                          NebulaRedactionView *ret);
void _nebula_redaction_view_clear (NebulaRedactionView *self);
