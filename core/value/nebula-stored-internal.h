/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/*
 * Stored values: references that the engine puts in the place of what is too large for facts and state. Only the engine
 * makes them: a value carries a mark that no constructor of the public interface and no reader of outside data sets, so
 * nothing that merely looks like one is taken for one. As text (and as MessagePack, extension 70):
 *
 *   value:sha256-<digest>?kind=<kind>&length=<n>&size=<bytes>     MessagePack of one value
 *   list:sha256-<digest>?length=<n>&size=<bytes>                  a list blob (nebula-list-blob.c of core/execution)
 *   item:sha256-<digest>?length=<n>&size=<bytes>&at=<i>           item i of that list
 *   part:sha256-<digest>?length=<n>&size=<bytes>&at=<i>&count=<c> an array of c items from i on
 *
 * A container knows in constant time whether it holds references, and whether stored values are among them.
 */

typedef enum {
  NEBULA_STORED_VALUE,
  NEBULA_STORED_LIST,
  NEBULA_STORED_ITEM,
  NEBULA_STORED_PART,
} NebulaStoredForm;

typedef struct {
  NebulaStoredForm form;
  NebulaValueKind kind; /* of what it stands for; of an item: null, nobody knows */
  char digest[65];      /* of the blob */
  guint64 length;       /* items, members or characters; of an item or part: of the whole list */
  guint64 size;         /* bytes of all of it, about */
  guint64 at;
  guint64 count;
} NebulaStored;

NebulaValue *nebula_value_new_stored (const NebulaStored *stored);
/* NULL if @text does not name a stored value. */
NebulaValue *nebula_value_new_stored_from_text (const char *text);
/* Whether @self is such a reference itself. */
gboolean nebula_value_get_stored (NebulaValue *self, NebulaStored *ret_stored);
gboolean nebula_value_is_stored (NebulaValue *self);
/* Whether @self is or holds one. */
gboolean nebula_value_has_stored (NebulaValue *self);
/* Whether @self is or holds a reference of any sort, such as one to a blob. */
gboolean nebula_value_has_reference (NebulaValue *self);

G_END_DECLS
