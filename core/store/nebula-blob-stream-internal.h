/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * A stream that proves what it gave: at its end it compares size and digest, and a wrong one is an error in the place
 * of the end. Whoever reads to the end knows that he has the blob.
 */

/* Takes over @base. */
GInputStream *nebula_blob_stream_new (GInputStream *base, const char *digest, guint64 size);
/* Sets the error of a blob that is not what its name says. */
void nebula_blob_set_damaged (const char *digest, GError **error);

G_END_DECLS
