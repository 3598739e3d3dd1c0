/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"

G_BEGIN_DECLS

/* Live progress of one execution on stderr: a tree that is drawn again and again on a terminal, else one line for each
 * thing that happens. */
typedef struct _NebulaProgress NebulaProgress;

NebulaProgress *nebula_progress_new (NebulaEngine *engine,
                                     NebulaExecution *execution,
                                     NebulaValue *definition);
/* Draws it a last time. */
void nebula_progress_finish (NebulaProgress *self);
void nebula_progress_free (NebulaProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaProgress, nebula_progress_free)

/* The run object for people, on stdout: used by `execution show`. */
void nebula_progress_print_report (NebulaValue *report);

G_END_DECLS
