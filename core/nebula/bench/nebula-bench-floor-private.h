/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The smallest durable work: one table in SQLite, prepared statements, WAL, synchronous=FULL. */
typedef struct _NebulaBenchFloor NebulaBenchFloor;

#define NEBULA_BENCH_ROW_BYTES 100

/* @has_index: rows are found by their time too. */
NebulaBenchFloor *
nebula_bench_floor_open (const char *path, gboolean has_index, GError **error);
/* Inserts rows and commits them, synced, as one transaction. */
gboolean nebula_bench_floor_commit (NebulaBenchFloor *self, guint n_rows, GError **error);
/* The same @n_commits times; gives the seconds that it took. */
gboolean nebula_bench_floor_run (NebulaBenchFloor *self,
                                 guint n_commits,
                                 guint n_rows,
                                 double *ret_seconds,
                                 GError **error);
/* Clears the time of every row, in one transaction. */
gboolean nebula_bench_floor_wake_all (NebulaBenchFloor *self, GError **error);
/* Reads every column of every row. */
gboolean
nebula_bench_floor_read_all (NebulaBenchFloor *self, guint *ret_rows, GError **error);
void nebula_bench_floor_close (NebulaBenchFloor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaBenchFloor, nebula_bench_floor_close)

G_END_DECLS
