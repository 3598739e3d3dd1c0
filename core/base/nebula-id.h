/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-clock.h"

G_BEGIN_DECLS

/**
 * NebulaIdKind:
 * @NEBULA_ID_KIND_EXECUTION: `exe_`
 * @NEBULA_ID_KIND_WORKFLOW: `wfl_`
 * @NEBULA_ID_KIND_NODE: `nod_`
 * @NEBULA_ID_KIND_USER: `usr_`
 * @NEBULA_ID_KIND_TENANT: `ten_`
 * @NEBULA_ID_KIND_RESOURCE: `res_`
 * @NEBULA_ID_KIND_CREDENTIAL: `crd_`
 * @NEBULA_ID_KIND_TRIGGER: `trg_`
 * @NEBULA_ID_KIND_MODULE: `mod_`
 * @NEBULA_ID_KIND_MESSAGE: `msg_`
 *
 * What an id names; the prefix of its text form.
 */
typedef enum
{
  NEBULA_ID_KIND_EXECUTION,
  NEBULA_ID_KIND_WORKFLOW,
  NEBULA_ID_KIND_NODE,
  NEBULA_ID_KIND_USER,
  NEBULA_ID_KIND_TENANT,
  NEBULA_ID_KIND_RESOURCE,
  NEBULA_ID_KIND_CREDENTIAL,
  NEBULA_ID_KIND_TRIGGER,
  NEBULA_ID_KIND_MODULE,
  NEBULA_ID_KIND_MESSAGE,
} NebulaIdKind;

/**
 * NebulaId:
 *
 * A typed, time-ordered 128-bit id. Its text form is a prefix and 26 characters of Crockford base 32
 * (`exe_01j9…`, lower case): 48 bits of milliseconds since 1970, then 80 random bits, so that text order is time order.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaId NebulaId;

#define NEBULA_TYPE_ID (nebula_id_get_type ())
NEBULA_API GType nebula_id_get_type (void);

NEBULA_API NebulaId *nebula_id_new (NebulaIdKind kind, NebulaClock *clock);
NEBULA_API NebulaId *nebula_id_parse (const char *text, GError **error);
NEBULA_API NebulaId *nebula_id_copy (const NebulaId *self);
NEBULA_API void nebula_id_free (NebulaId *self);
NEBULA_API NebulaIdKind nebula_id_get_kind (const NebulaId *self);
NEBULA_API gint64 nebula_id_get_time_ms (const NebulaId *self);
NEBULA_API char *nebula_id_to_string (const NebulaId *self);
NEBULA_API gint nebula_id_compare (const NebulaId *self, const NebulaId *other);
NEBULA_API gboolean nebula_id_equal (const NebulaId *self, const NebulaId *other);
NEBULA_API guint nebula_id_hash (const NebulaId *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaId, nebula_id_free)

G_END_DECLS
