/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaBincodeVersion:
 * @NEBULA_BINCODE_VERSION_1: integers of fixed length, as Bincode 1.x writes them by default
 * @NEBULA_BINCODE_VERSION_2: integers of variable length, as the standard configuration of Bincode 2 writes them
 *
 * The encodings of Bincode.
 */
typedef enum
{
  NEBULA_BINCODE_VERSION_1,
  NEBULA_BINCODE_VERSION_2,
} NebulaBincodeVersion;

/* Bincode of a value, as an enumeration with data (listed in nebula-bincode.c). */
NEBULA_API GBytes *nebula_value_to_bincode (NebulaValue *self, NebulaBincodeVersion version);
NEBULA_API NebulaValue *nebula_value_from_bincode (GBytes *bytes, NebulaBincodeVersion version, GError **error);
NEBULA_API NebulaValue *nebula_value_from_bincode_in_place (GBytes *bytes, NebulaBincodeVersion version, GError **error);

G_END_DECLS
