/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What every fuzz target defines; returns 0. It keeps nothing between calls and reads no clock. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

G_END_DECLS
