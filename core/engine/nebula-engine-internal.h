/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"
#include "nebula-journal-internal.h"

G_BEGIN_DECLS

/* The engine's way to its store; for a journal beside it. It lives until the engine is stopped. */
NebulaJournal *_nebula_engine_get_journal (NebulaEngine *engine);

G_END_DECLS
