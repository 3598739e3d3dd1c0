/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-store.h"

G_BEGIN_DECLS

/* What the stores of this folder have in common. */

#define NEBULA_HEADER_QUERY_LIMIT 100

/* Whether a unit is bound to the sequence and epoch of its stream. */
static inline gboolean
_nebula_unit_has_precondition (const NebulaUnit *unit)
{
  return unit->n_facts > 0 || unit->header || unit->checkpoint;
}

/* Whether it can be written at all. */
static inline gboolean
_nebula_unit_is_sound (const NebulaUnit *unit)
{
  if (unit->n_facts == 0)
    return unit->facts == NULL;

  return unit->facts && unit->header && unit->expected_sequence <= G_MAXINT64 - unit->n_facts;
}

static inline guint64
_nebula_unit_get_last (const NebulaUnit *unit)
{
  return unit->expected_sequence + unit->n_facts;
}

static inline gboolean
_nebula_header_query_matches_status (const NebulaHeaderQuery *query, gint status)
{
  return query->status_mask == 0 || ((query->status_mask >> status) & 1) != 0;
}

G_END_DECLS
