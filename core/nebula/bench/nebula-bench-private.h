/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/* What a figure is held to. */
typedef enum {
  NEBULA_BENCH_GOAL_NONE,
  NEBULA_BENCH_GOAL_AT_MOST, /* the figure itself */
  NEBULA_BENCH_GOAL_AT_LEAST,
  NEBULA_BENCH_GOAL_RATIO_AT_MOST, /* the figure divided by its floor */
  NEBULA_BENCH_GOAL_RATIO_AT_LEAST,
} NebulaBenchGoal;

typedef struct {
  const char *suite;
  char *folder;      /* where stores are made; emptied by who made it */
  char *helpers;     /* folder of the floor programs */
  gboolean is_quick; /* small, and each thing once: the figures mean nothing */
  gboolean is_long;
  guint repeats;
  guint n_files;      /* made so far */
  GPtrArray *figures; /* NebulaValue objects, see README.md */
} NebulaBench;

/* One measurement: puts what was measured into @ret_values. */
typedef gboolean (*NebulaBenchSample) (NebulaBench *bench,
                                       gpointer data,
                                       double *ret_values,
                                       GError **error);

#define NEBULA_BENCH_VALUES 6 /* that one sample can give */

typedef gboolean (*NebulaBenchRun) (NebulaBench *bench, GError **error);

typedef struct {
  const char *name;
  const char *summary;
  NebulaBenchRun run;
} NebulaBenchSuite;

/* nebula-bench-figure.c */
/* Measures bench->repeats times; @ret_values is the median of each value, taken by itself. */
gboolean nebula_bench_repeat (NebulaBench *bench,
                              NebulaBenchSample sample,
                              gpointer data,
                              double *ret_values,
                              GError **error);
/* @floor 0: there is none. */
void nebula_bench_add (NebulaBench *bench,
                       const char *what,
                       const char *unit,
                       double ours,
                       double floor,
                       NebulaBenchGoal goal,
                       double target);
/* A word beside the figure that was added last. */
void nebula_bench_note (NebulaBench *bench, const char *note);
/* A figure that could not be had, and why. */
void nebula_bench_add_missing (NebulaBench *bench, const char *what, const char *why);
/* A file that does not exist yet. */
char *nebula_bench_new_path (NebulaBench *bench, const char *suffix);
char *nebula_bench_find_helper (NebulaBench *bench, const char *name);
double nebula_bench_now (void); /* seconds, monotonic */
/* Resident memory of this process in MiB, now or at its highest since the reset. */
double nebula_bench_get_resident (void);
double nebula_bench_get_peak (void);
void nebula_bench_reset_peak (void);

/* nebula-bench-table.c */
NebulaValue *nebula_bench_get_machine (const char *folder);
void nebula_bench_append_table (GString *text, NebulaValue *machine, GPtrArray *figures);

/* The suites. */
gboolean nebula_bench_startup (NebulaBench *bench, GError **error);
gboolean nebula_bench_chain (NebulaBench *bench, GError **error);
gboolean nebula_bench_fan_out (NebulaBench *bench, GError **error);
gboolean nebula_bench_sequence (NebulaBench *bench, GError **error);
gboolean nebula_bench_expressions (NebulaBench *bench, GError **error);
gboolean nebula_bench_json (NebulaBench *bench, GError **error);
gboolean nebula_bench_ground (NebulaBench *bench, GError **error);
gboolean nebula_bench_resilience (NebulaBench *bench, GError **error);
gboolean nebula_bench_hosts (NebulaBench *bench, GError **error);
gboolean nebula_bench_log (NebulaBench *bench, GError **error);
gboolean nebula_bench_journal (NebulaBench *bench, GError **error);
gboolean nebula_bench_sleepers (NebulaBench *bench, GError **error);
gboolean nebula_bench_recovery (NebulaBench *bench, GError **error);
gboolean nebula_bench_for_each (NebulaBench *bench, GError **error);
gboolean nebula_bench_graph (NebulaBench *bench, GError **error);

G_END_DECLS
