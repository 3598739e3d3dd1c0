/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file of translations, and the plural rule in it. */
#pragma once

#include "nebula-api.h"

#define NEBULA_PLURAL_STEPS 128
#define NEBULA_PLURAL_STACK 32

/* A plural expression in reverse Polish form. */
typedef struct
{
  guint8 op;
  guint32 number;
} NebulaPluralStep;

typedef struct
{
  guint n_forms;
  guint n_steps;
  NebulaPluralStep steps[NEBULA_PLURAL_STEPS];
} NebulaPlural;

/* Compiles `nplurals=2; plural=(n != 1);`. */
gboolean _nebula_plural_compile (NebulaPlural *self, const char *rule);
guint _nebula_plural_choose (const NebulaPlural *self, gulong number);

typedef struct _NebulaMo NebulaMo;

NebulaMo *_nebula_mo_new (GBytes *bytes, GError **error);
void _nebula_mo_free (NebulaMo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaMo, _nebula_mo_free)
/* The translation of a key, which is `context EOT message` or `singular NUL plural`; NULL if there is none. */
const char *_nebula_mo_find (const NebulaMo *self, const char *message);
const char *_nebula_mo_find_plural (const NebulaMo *self, const char *singular, gulong number);
