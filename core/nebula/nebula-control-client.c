/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "nebula-control-private.h"

static gboolean
set_gone_error (GError **error)
{
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
      _ ("The process that holds the store went away before it answered. Try again."));
  return FALSE;
}

static gboolean
send_all (int fd, GBytes *frame, GError **error)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (frame, &length);

  while (length > 0) {
    gssize n_bytes = send (fd, data, length, MSG_NOSIGNAL);

    if (n_bytes < 0 && errno == EINTR)
      continue;
    if (n_bytes <= 0)
      return set_gone_error (error);
    data += n_bytes;
    length -= (gsize) n_bytes;
  }
  return TRUE;
}

static NebulaValue *
receive (int fd, GError **error)
{
  g_autoptr (GByteArray) buffer = g_byte_array_new ();
  g_autoptr (GError) local_error = NULL;

  for (;;) {
    guint8 block[4096];
    gssize n_bytes = recv (fd, block, sizeof block, 0);
    NebulaValue *value;

    if (n_bytes < 0 && errno == EINTR)
      continue;
    if (n_bytes <= 0) {
      set_gone_error (error);
      return NULL;
    }
    g_byte_array_append (buffer, block, (guint) n_bytes);
    value = nebula_control_unpack (buffer, &local_error);
    if (value)
      return value;
    if (local_error) {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  }
}

static int
open_connection (const char *store, GError **error)
{
  struct sockaddr_un address;
  guint length;
  int fd = nebula_control_socket (store, &address, &length, error);

  if (fd < 0)
    return -1;
  if (connect (fd, (struct sockaddr *) &address, length) == 0)
    return fd;
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
      _ ("Nobody answers for the store “%s”: %s. Wait until the process that holds it has ended."),
      store, g_strerror (errno));
  close (fd);
  return -1;
}

static NebulaValue *
read_answer (NebulaValue *answer, GError **error)
{
  NebulaValue *value = nebula_value_get_member (answer, "value");
  NebulaValue *failure = nebula_value_get_member (answer, "error");
  NebulaError code = NEBULA_ERROR_FAILED;

  if (nebula_value_get_member_boolean (answer, "ok", FALSE))
    return value ? nebula_value_ref (value) : nebula_value_new_null ();
  if (!failure || nebula_value_get_kind (failure) != NEBULA_VALUE_KIND_OBJECT)
    failure = answer;
  nebula_error_code_from_string (
      nebula_value_get_member_string (failure, "code", "failed"), &code);
  g_set_error_literal (error, NEBULA_ERROR, (gint) code,
                       nebula_value_get_member_string (failure, "message", "?"));
  return NULL;
}

NebulaValue *
nebula_control_ask (const char *store, NebulaValue *request, GError **error)
{
  g_autoptr (GBytes) frame = nebula_control_pack (request, error);
  g_autoptr (NebulaValue) answer = NULL;
  int fd = frame ? open_connection (store, error) : -1;

  if (fd < 0)
    return NULL;
  if (send_all (fd, frame, error))
    answer = receive (fd, error);
  close (fd);
  return answer ? read_answer (answer, error) : NULL;
}
