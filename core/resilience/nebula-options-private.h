/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/* Reads the members of an object of options; the first mistake stays. */
typedef struct {
  NebulaValue *object; /* NULL: all have their defaults */
  const char *what;    /* for messages, such as “retry” */
  GError **error;
  gboolean failed;
} NebulaOptions;

/* Refuses what is no object, and members that are not in @names (NULL-terminated). */
void _nebula_options_init (NebulaOptions *self,
                           NebulaValue *object,
                           const char *what,
                           const char *const *names,
                           GError **error);
gint64 _nebula_options_count (NebulaOptions *self,
                              const char *name,
                              gint64 fallback,
                              gint64 least,
                              gint64 most);
double _nebula_options_number (NebulaOptions *self,
                               const char *name,
                               double fallback,
                               double least,
                               double most);
/* A text such as “30s”; at least @least. */
gint64 _nebula_options_duration (NebulaOptions *self,
                                 const char *name,
                                 gint64 fallback,
                                 gint64 least);
gboolean
_nebula_options_boolean (NebulaOptions *self, const char *name, gboolean fallback);
/* The index of the text in @choices. */
guint _nebula_options_choice (NebulaOptions *self,
                              const char *name,
                              guint fallback,
                              const char *const *choices);
void _nebula_options_refuse (NebulaOptions *self, const char *name);

G_END_DECLS
