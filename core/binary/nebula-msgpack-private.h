/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Extension types; their contents are told in nebula-msgpack.c. */
typedef enum
{
  NEBULA_MSGPACK_TIMESTAMP = -1,
  NEBULA_MSGPACK_DECIMAL = 64,
  NEBULA_MSGPACK_DATE = 65,
  NEBULA_MSGPACK_TIME = 66,
  NEBULA_MSGPACK_DURATION = 67,
  NEBULA_MSGPACK_STAMP_OFFSET = 68,
  NEBULA_MSGPACK_REFERENCE = 69,
  NEBULA_MSGPACK_STORED = 70,
} NebulaMsgpackType;

/* The members of an object that stands for an extension of another program. */
#define NEBULA_MSGPACK_EXT_TYPE "$ext"
#define NEBULA_MSGPACK_EXT_DATA "data"
