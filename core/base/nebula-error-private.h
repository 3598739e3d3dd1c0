/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GLib keeps in front of each error of NEBULA_ERROR. */
#pragma once

#include "nebula-error.h"

G_BEGIN_DECLS

typedef struct {
  GError *cause;
  char *context;
  gint64 retry_after_ms; /* -1: not known */
} NebulaErrorDetail;

/* NULL for errors of other domains. */
NebulaErrorDetail *_nebula_error_get_detail (const GError *error);
/* The code that means what an error of any domain means. */
NebulaError _nebula_error_map (const GError *error);

G_END_DECLS
