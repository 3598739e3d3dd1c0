/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-parameter.h"
#include "nebula-validator.h"

G_BEGIN_DECLS

struct _NebulaParameter
{
  gatomicrefcount ref_count;
  const char *name; /* interned */
  NebulaParameterKind kind;
  NebulaParameterFlags flags;
  char *title;
  char *description;
  char *group;
  char *placeholder;
  char *pattern;
  GRegex *regex; /* of pattern */
  NebulaValue *default_value;
  GStrv options;
  gint order;
  gboolean has_range;
  double minimum;
  double maximum;
  gint64 min_length; /* -1: no limit */
  gint64 max_length; /* -1: no limit */
  NebulaValue *show_if;
  NebulaValue *hide_if;
  NebulaValue *rules; /* of validators; NULL: none */
  NebulaValidator *validator;
};

typedef gboolean (*NebulaParameterCheck) (NebulaParameter *self, NebulaValue *value, GError **error);

/* All that is known of a kind. */
typedef struct
{
  NebulaParameterKind kind;
  const char *name;      /* its nick */
  guint accepts;         /* bits: 1 << NebulaValueKind */
  const char *expected;  /* what a person should give, marked for translation */
  const char *json_type; /* NULL: any */
  const char *json_format;
  gboolean items_are_texts;
  gboolean is_late; /* holds expressions, which are no part of the evaluated values */
  NebulaParameterCheck check; /* beyond the kind; may be NULL */
} NebulaParameterKindInfo;

const NebulaParameterKindInfo *_nebula_parameter_kind_get_info (NebulaParameterKind kind);
const NebulaParameterKindInfo *_nebula_parameter_kind_find (const char *name);
/* Sets invalid-parameter (or type) with the parameter's name; the value itself is never part of it. */
gboolean _nebula_parameter_refuse (NebulaParameter *self, GError **error, const char *reason);
/* NULL is no rules. */
gboolean _nebula_parameter_read_rules (NebulaParameter *self, NebulaValue *rules, GError **error);
gboolean _nebula_parameter_check_rules (NebulaParameter *self, NebulaValue *value, GError **error);
gboolean _nebula_parameter_is_late (NebulaParameter *self);

G_END_DECLS
