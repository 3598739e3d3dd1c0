/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-scope.h"

G_BEGIN_DECLS

/**
 * NebulaArena:
 *
 * Memory for many small things that die together: each piece costs an addition, and all of them are freed at once, with
 * the arena, its reset or the scope that it belongs to. It may have a limit, so that what comes from outside cannot make
 * it grow without end.
 *
 * Thread: one at a time.
 */
typedef struct _NebulaArena NebulaArena;

#define NEBULA_TYPE_ARENA (nebula_arena_get_type ())
NEBULA_API GType nebula_arena_get_type (void);

NEBULA_API NebulaArena *nebula_arena_new (gsize limit_bytes); /* 0: no limit */
NEBULA_API NebulaArena *nebula_arena_new_for_scope (NebulaScope *scope, gsize limit_bytes);
NEBULA_API NebulaArena *nebula_arena_ref (NebulaArena *self);
NEBULA_API void nebula_arena_unref (NebulaArena *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaArena, nebula_arena_unref)

/* Aligned for anything; NULL above the limit. Pieces are never freed one by one. */
NEBULA_API gpointer nebula_arena_alloc (NebulaArena *self, gsize size);
NEBULA_API gpointer nebula_arena_alloc0 (NebulaArena *self, gsize size);
NEBULA_API gpointer nebula_arena_copy (NebulaArena *self, gconstpointer data, gsize size);
NEBULA_API void nebula_arena_reset (NebulaArena *self);
NEBULA_API gsize nebula_arena_get_used_bytes (NebulaArena *self);
NEBULA_API gsize nebula_arena_get_reserved_bytes (NebulaArena *self);
NEBULA_API guint64 nebula_arena_get_count (NebulaArena *self);
NEBULA_API gboolean nebula_arena_is_full (NebulaArena *self);

G_END_DECLS
