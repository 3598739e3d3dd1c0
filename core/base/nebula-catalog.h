/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_CATALOG (nebula_catalog_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaCatalog, nebula_catalog, NEBULA, CATALOG, GObject)

NEBULA_API NebulaCatalog *nebula_catalog_new (const char *directory, const char *domain);
NEBULA_API gboolean nebula_catalog_add (NebulaCatalog *self, const char *language, GBytes *bytes, GError **error);
NEBULA_API char **nebula_catalog_list_languages (NebulaCatalog *self);
NEBULA_API char *nebula_catalog_negotiate (NebulaCatalog *self, const char *accept_language);
NEBULA_API const char *nebula_catalog_translate (NebulaCatalog *self, const char *language, const char *message);
NEBULA_API const char *nebula_catalog_translate_in (NebulaCatalog *self,
                                                    const char *language,
                                                    const char *context,
                                                    const char *message);
NEBULA_API const char *nebula_catalog_translate_plural (NebulaCatalog *self,
                                                        const char *language,
                                                        const char *singular,
                                                        const char *plural,
                                                        gulong number);
NEBULA_API guint64 nebula_catalog_get_n_missing (NebulaCatalog *self);

G_END_DECLS
