/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/* A CloudEvent 1.0 is an object of its attributes, with `data`; those that are null are left out, and base64 is bytes. */
NEBULA_API NebulaValue *nebula_cloud_event_read (NebulaValue *object, GError **error);
/* The events of an HTTP message, an array: binary, structured or batched. @headers: object of name → text. */
NEBULA_API NebulaValue *nebula_cloud_event_read_http (NebulaValue *headers, GBytes *body, GError **error);

G_END_DECLS
