/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-frame-internal.h"
#include "nebula-msgpack.h"

#define LEVELS       255 /* those of GLogLevelFlags that say how important a line is */
#define RESULT_KINDS 6   /* those of NebulaResultKind that an action may choose */

static const struct {
  const char *name;
  NebulaFrameSide sides;
} kinds[NEBULA_FRAME_N_KINDS] = {
    [NEBULA_FRAME_READY] = {"ready", NEBULA_FRAME_FROM_HOST},
    [NEBULA_FRAME_WORK] = {"work", NEBULA_FRAME_FROM_ENGINE},
    [NEBULA_FRAME_BEGUN] = {"begun", NEBULA_FRAME_FROM_HOST},
    [NEBULA_FRAME_CANCEL] = {"cancel", NEBULA_FRAME_FROM_ENGINE},
    [NEBULA_FRAME_RESULT] = {"result", NEBULA_FRAME_FROM_HOST},
    [NEBULA_FRAME_PROGRESS] = {"progress", NEBULA_FRAME_FROM_HOST},
    [NEBULA_FRAME_LOG] = {"log", NEBULA_FRAME_FROM_HOST},
    [NEBULA_FRAME_WRITE] = {"write", (NebulaFrameSide) 0},
    [NEBULA_FRAME_PING] = {"ping", (NebulaFrameSide) (NEBULA_FRAME_FROM_ENGINE |
                                                      NEBULA_FRAME_FROM_HOST)},
    [NEBULA_FRAME_DRAIN] = {"drain", NEBULA_FRAME_FROM_ENGINE},
};

const char *
nebula_frame_kind_to_string (NebulaFrameKind kind)
{
  return kinds[kind].name;
}

void
nebula_frame_clear (NebulaFrame *self)
{
  g_clear_pointer (&self->payload, nebula_value_unref);
  self->large_bytes = 0;
}

/* These sentences reach people inside “its host broke the protocol: …”. */
static gboolean
refuse (const char *what, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _ ("A frame with a bad %s is refused."), what);
  return FALSE;
}

static gboolean
is_integer (NebulaValue *value, gint64 minimum, gint64 maximum)
{
  return value != NULL && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_INTEGER &&
         nebula_value_get_integer (value) >= minimum &&
         nebula_value_get_integer (value) <= maximum;
}

static gboolean
is_text (NebulaValue *value, gsize most_bytes, gboolean may_be_null)
{
  if (nebula_value_is_null (value))
    return may_be_null;
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING &&
         nebula_value_get_string_length (value) <= most_bytes &&
         memchr (nebula_value_get_string (value), '\0',
                 nebula_value_get_string_length (value)) == NULL;
}

static gboolean
is_array (NebulaValue *value, gsize length)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY &&
         nebula_value_get_length (value) == length;
}

static gboolean
is_progress (NebulaValue *payload)
{
  return is_array (payload, 2) &&
         nebula_value_is_number (nebula_value_get_item (payload, 0)) &&
         isfinite (nebula_value_get_float (nebula_value_get_item (payload, 0))) &&
         is_text (nebula_value_get_item (payload, 1), NEBULA_FRAME_TEXT_BYTES, TRUE);
}

static gboolean
is_log (NebulaValue *payload)
{
  return is_array (payload, 2) &&
         is_integer (nebula_value_get_item (payload, 0), 1, LEVELS) &&
         is_text (nebula_value_get_item (payload, 1), NEBULA_FRAME_TEXT_BYTES, FALSE);
}

static gboolean
is_result (NebulaValue *payload)
{
  return is_array (payload, 4) &&
         is_integer (nebula_value_get_item (payload, 0), 0, RESULT_KINDS - 1) &&
         is_text (nebula_value_get_item (payload, 1), 255, TRUE) &&
         is_integer (nebula_value_get_item (payload, 3), 0, G_MAXINT64);
}

gboolean
nebula_frame_check_payload (NebulaFrameKind kind, NebulaValue *payload, GError **error)
{
  gboolean is_good;

  switch (kind) {
  case NEBULA_FRAME_READY:
    is_good = is_integer (payload, 1, NEBULA_FRAME_CREDITS);
    break;
  case NEBULA_FRAME_WORK:
    is_good = nebula_value_get_kind (payload) == NEBULA_VALUE_KIND_ARRAY;
    break;
  case NEBULA_FRAME_RESULT:
    is_good = is_result (payload);
    break;
  case NEBULA_FRAME_PROGRESS:
    is_good = is_progress (payload);
    break;
  case NEBULA_FRAME_LOG:
    is_good = is_log (payload);
    break;
  case NEBULA_FRAME_BEGUN:
  case NEBULA_FRAME_CANCEL:
  case NEBULA_FRAME_WRITE:
  case NEBULA_FRAME_PING:
  case NEBULA_FRAME_DRAIN:
  case NEBULA_FRAME_N_KINDS:
  default:
    is_good = nebula_value_is_null (payload);
  }
  return is_good || refuse (kinds[kind].name, error);
}

static gboolean
read_large (NebulaFrame *self, NebulaValue *array, GError **error)
{
  NebulaValue *size = nebula_value_get_item (array, 4);

  if (!nebula_value_is_null (nebula_value_get_item (array, 3)) ||
      !is_integer (size, 1, NEBULA_FRAME_LARGE_BYTES) ||
      (self->kind != NEBULA_FRAME_WORK && self->kind != NEBULA_FRAME_RESULT))
    return refuse ("size", error);
  self->large_bytes = (gsize) nebula_value_get_integer (size);
  return TRUE;
}

static gboolean
read_array (NebulaFrame *self, NebulaValue *array, NebulaFrameSide side, GError **error)
{
  gsize length = nebula_value_get_kind (array) == NEBULA_VALUE_KIND_ARRAY
                     ? nebula_value_get_length (array)
                     : 0;

  if ((length != 4 && length != 5) ||
      !is_integer (nebula_value_get_item (array, 0), 0, NEBULA_FRAME_N_KINDS - 1))
    return refuse ("shape", error);
  self->kind =
      (NebulaFrameKind) nebula_value_get_integer (nebula_value_get_item (array, 0));
  if (!(kinds[self->kind].sides & side))
    return refuse ("kind", error);
  if (!is_integer (nebula_value_get_item (array, 1), 0, G_MAXINT64) ||
      !is_integer (nebula_value_get_item (array, 2), 0, G_MAXINT64))
    return refuse ("number", error);
  self->attempt = (guint64) nebula_value_get_integer (nebula_value_get_item (array, 1));
  self->epoch = (guint64) nebula_value_get_integer (nebula_value_get_item (array, 2));
  if (length == 5)
    return read_large (self, array, error);
  if (!nebula_frame_check_payload (self->kind, nebula_value_get_item (array, 3), error))
    return FALSE;
  self->payload = nebula_value_ref (nebula_value_get_item (array, 3));
  return TRUE;
}

gboolean
nebula_frame_read (NebulaFrame *self,
                   const guint8 *data,
                   gsize size,
                   NebulaFrameSide side,
                   GError **error)
{
  gsize offset = 0;
  g_autoptr (NebulaValue) array = nebula_value_read_msgpack (data, size, &offset, error);

  *self = (NebulaFrame){0};
  if (array == NULL)
    return FALSE;
  if (offset != size)
    return refuse ("end", error);
  return read_array (self, array, side, error);
}
