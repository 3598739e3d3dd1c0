/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-command-private.h"

G_BEGIN_DECLS

/* Options of all commands that steer an execution. */
typedef struct {
  char *store;
  char *reason;
  char *node;
  char *region;
  char *by;
  char *comment;
  char *condition;
  gboolean is_removal;
  gboolean is_json;
} NebulaSteerOptions;

/* What is asked, in the words of the control socket; NULL: not said. */
typedef struct {
  const char *op;
  const char *execution;
  const char *reason;
  const char *name;
  const char *node;
  const char *region;
  const char *by;
  const char *comment;
  const char *token;
  NebulaValue *value;
} NebulaWish;

/* Does it and tells; the exit status. */
int nebula_steer (const NebulaSteerOptions *opts, const NebulaWish *wish);

G_END_DECLS
