/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-id.h"

G_BEGIN_DECLS

/* The text of an id that is the same for the same time and text. */
char *nebula_id_derive (NebulaIdKind kind, gint64 time_ms, const char *text);

G_END_DECLS
