/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"
#include "nebula-invocation.h"
#include "nebula-late-expressions-internal.h"

G_BEGIN_DECLS

/* What a class says of itself; one for each GType, lives as long as the process. Strings are static or interned. */
typedef struct
{
  const char *id;
  const char *version;
  const char *title;
  const char *description;
  const char *category;
  const char *example;
  const char *result; /* a JSON Schema as text, or a word */
  NebulaEffect effect;
  gboolean effect_given;
  NebulaConstruct construct;
  NebulaEvaluate evaluate;
  GPtrArray *ports;       /* names, borrowed */
  GPtrArray *port_titles; /* parallel to ports, borrowed */
  const char *dynamic_ports;
  GPtrArray *capabilities; /* borrowed texts */
  GPtrArray *described;    /* NebulaParameter of properties that class_init touched */
  GPtrArray *added;        /* NebulaParameter without a property */
  GMutex lock;             /* guards table */
  NebulaParameterTable *table; /* made when first asked for; then immutable */
} NebulaActionDetails;

NebulaActionDetails *_nebula_action_class_get_details (NebulaActionClass *klass);
/* The table of the class, made on first use; NULL with error if a property cannot be a parameter. Thread: any. */
NebulaParameterTable *_nebula_action_class_get_table (NebulaActionClass *klass, GError **error);
NebulaEffect _nebula_action_details_get_effect (NebulaActionDetails *details);

/* Where blobs are kept; borrowed, may be NULL. */
/* Full; NULL: it has none. Thread: any. */
NebulaStore *_nebula_invocation_dup_store (NebulaInvocation *self);

/* Sets a property from a value that the table has accepted. */
gboolean _nebula_property_set (GObject *object, GParamSpec *pspec, NebulaParameter *parameter, NebulaValue *value, GError **error);
/* The property that holds a parameter; NULL if there is none. */
GParamSpec *_nebula_property_find (GObjectClass *klass, const char *name);

NebulaLateExpressions *_nebula_late_expressions_copy (const NebulaLateExpressions *expressions);
void _nebula_late_expressions_free (NebulaLateExpressions *expressions);

G_END_DECLS
