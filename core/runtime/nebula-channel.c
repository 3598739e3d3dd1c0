/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nebula-channel-internal.h"
#include "nebula-error.h"
#include "nebula-msgpack.h"

#define HEADER_BYTES 4
#define BLOCK_BYTES  (64 * 1024)
#define FDS_MOST     8 /* received and not yet asked for */
#define SEALS        (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* A memory file that goes out with the byte at @position. */
typedef struct {
  guint64 position;
  int fd;
} Attachment;

struct _NebulaChannel {
  int fd;
  NebulaFrameSide side;
  GByteArray *output;
  guint64 n_sent; /* bytes since the beginning */
  GArray *attachments;
  GByteArray *input;
  gsize start; /* of what was not taken yet */
  int fds[FDS_MOST];
  guint n_fds;
  gboolean is_broken; /* more descriptors came than may */
};

static void
close_attachment (gpointer data)
{
  close (((Attachment *) data)->fd);
}

NebulaChannel *
nebula_channel_new (int fd, NebulaFrameSide side)
{
  NebulaChannel *self = g_new0 (NebulaChannel, 1);

  self->fd = fd;
  self->side = side;
  self->output = g_byte_array_new ();
  self->input = g_byte_array_new ();
  self->attachments = g_array_new (FALSE, FALSE, sizeof (Attachment));
  g_array_set_clear_func (self->attachments, close_attachment);
  return self;
}

void
nebula_channel_free (NebulaChannel *self)
{
  close (self->fd);
  for (guint i = 0; i < self->n_fds; i++)
    close (self->fds[i]);
  g_array_unref (self->attachments);
  g_byte_array_unref (self->output);
  g_byte_array_unref (self->input);
  g_free (self);
}

int
nebula_channel_get_fd (NebulaChannel *self)
{
  return self->fd;
}

gsize
nebula_channel_get_n_queued (NebulaChannel *self)
{
  return self->output->len;
}

static gboolean
write_all (int fd, const guint8 *data, gsize length)
{
  while (length > 0) {
    gssize n_bytes = write (fd, data, length);

    if (n_bytes < 0 && errno == EINTR)
      continue;
    if (n_bytes <= 0)
      return FALSE;
    data += n_bytes;
    length -= (gsize) n_bytes;
  }
  return TRUE;
}

/* A memory file that nobody can change any more. */
static int
make_sealed (const guint8 *data, gsize length, GError **error)
{
  int fd, saved_errno;

  if (length > NEBULA_FRAME_LARGE_BYTES) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
        _ ("More than 256 MiB cannot be handed to or from a module host."));
    return -1;
  }
  fd = memfd_create ("nebula-frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0 && write_all (fd, data, length) && fcntl (fd, F_ADD_SEALS, SEALS) == 0)
    return fd;
  saved_errno = errno;
  if (fd >= 0)
    close (fd);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO,
               _ ("There is no memory for a large frame: %s."), g_strerror (saved_errno));
  return -1;
}

static void
append_numbers (GByteArray *buffer, const NebulaFrame *frame, gboolean is_large)
{
  const guint8 head = is_large ? 0x95 : 0x94; /* an array of five or four */
  const gint64 numbers[] = {frame->kind, (gint64) frame->attempt, (gint64) frame->epoch};

  g_byte_array_append (buffer, &head, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autoptr (NebulaValue) number = nebula_value_new_integer (numbers[i]);

    nebula_value_append_msgpack (number, buffer);
  }
}

static void
set_length (GByteArray *buffer, gsize start)
{
  guint32 length = (guint32) (buffer->len - start - HEADER_BYTES);

  for (guint i = 0; i < HEADER_BYTES; i++)
    buffer->data[start + i] = (guint8) (length >> (8 * i));
}

/* What was written from @payload on moves into a memory file. */
static gboolean
push_large (NebulaChannel *self,
            const NebulaFrame *frame,
            gsize start,
            gsize payload,
            GError **error)
{
  GByteArray *output = self->output;
  gsize length = output->len - payload;
  g_autoptr (NebulaValue) none = nebula_value_new_null ();
  g_autoptr (NebulaValue) size = nebula_value_new_integer ((gint64) length);
  Attachment attachment = {.position = self->n_sent + start};

  attachment.fd = make_sealed (output->data + payload, length, error);
  g_byte_array_set_size (output, (guint) start + (attachment.fd >= 0 ? HEADER_BYTES : 0));
  if (attachment.fd < 0)
    return FALSE;
  append_numbers (output, frame, TRUE);
  nebula_value_append_msgpack (none, output);
  nebula_value_append_msgpack (size, output);
  set_length (output, start);
  g_array_append_val (self->attachments, attachment);
  return TRUE;
}

gboolean
nebula_channel_push (NebulaChannel *self, const NebulaFrame *frame, GError **error)
{
  static const guint8 none[HEADER_BYTES] = {0};
  gsize start = self->output->len;
  gsize payload;

  g_byte_array_append (self->output, none, HEADER_BYTES);
  append_numbers (self->output, frame, FALSE);
  payload = self->output->len;
  nebula_value_append_msgpack (frame->payload, self->output);
  if (self->output->len - payload > NEBULA_FRAME_INLINE_BYTES)
    return push_large (self, frame, start, payload, error);
  set_length (self->output, start);
  return TRUE;
}

/* Up to the next byte that carries a descriptor, or that byte and what follows it up to the next. */
static gssize
send_some (NebulaChannel *self)
{
  union {
    char buffer[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control = {{0}};
  struct iovec part = {self->output->data, self->output->len};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  Attachment *first = self->attachments->len > 0
                          ? &g_array_index (self->attachments, Attachment, 0)
                          : NULL;
  Attachment *next = first;
  gboolean is_now = first != NULL && first->position == self->n_sent;
  gssize n_bytes;

  if (is_now) {
    struct cmsghdr *header;

    message.msg_control = control.buffer;
    message.msg_controllen = sizeof control.buffer;
    header = CMSG_FIRSTHDR (&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN (sizeof (int));
    *(int *) (gpointer) CMSG_DATA (header) = first->fd;
    next = self->attachments->len > 1 ? &g_array_index (self->attachments, Attachment, 1)
                                      : NULL;
  }
  if (next != NULL)
    part.iov_len = (gsize) (next->position - self->n_sent);
  n_bytes = sendmsg (self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n_bytes > 0 && is_now)
    g_array_remove_index (self->attachments, 0);
  return n_bytes;
}

NebulaChannelState
nebula_channel_flush (NebulaChannel *self)
{
  gsize n_done = 0;

  while (self->output->len > 0) {
    gssize n_bytes = send_some (self);

    if (n_bytes < 0 && errno == EINTR)
      continue;
    if (n_bytes < 0 && errno == EAGAIN)
      return NEBULA_CHANNEL_BUSY;
    if (n_bytes <= 0)
      return NEBULA_CHANNEL_GONE;
    n_done = (gsize) n_bytes;
    self->n_sent += n_done;
    g_byte_array_remove_range (self->output, 0, (guint) n_done);
  }
  return NEBULA_CHANNEL_IDLE;
}

static void
take_descriptors (NebulaChannel *self, struct msghdr *message)
{
  if (message->msg_flags & MSG_CTRUNC)
    self->is_broken = TRUE;
  for (struct cmsghdr *header = CMSG_FIRSTHDR (message); header != NULL;
       header = CMSG_NXTHDR (message, header)) {
    const int *fds = (const int *) (gpointer) CMSG_DATA (header);
    gsize count;

    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
      continue;
    count = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
    for (gsize i = 0; i < count; i++) {
      if (self->n_fds < FDS_MOST) {
        self->fds[self->n_fds++] = fds[i];
        continue;
      }
      close (fds[i]);
      self->is_broken = TRUE;
    }
  }
}

NebulaChannelState
nebula_channel_fill (NebulaChannel *self)
{
  union {
    char buffer[CMSG_SPACE (4 * sizeof (int))];
    struct cmsghdr align;
  } control;
  struct iovec part;
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.buffer,
                           .msg_controllen = sizeof control.buffer};
  guint length = self->input->len;
  gssize n_bytes;

  g_byte_array_set_size (self->input, length + BLOCK_BYTES);
  part.iov_base = self->input->data + length;
  part.iov_len = BLOCK_BYTES;
  do {
    n_bytes = recvmsg (self->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n_bytes < 0 && errno == EINTR);
  g_byte_array_set_size (self->input, length + (guint) MAX (n_bytes, 0));
  if (n_bytes < 0)
    return errno == EAGAIN ? NEBULA_CHANNEL_IDLE : NEBULA_CHANNEL_GONE;
  take_descriptors (self, &message);
  if (n_bytes == 0)
    return NEBULA_CHANNEL_GONE;
  return n_bytes < BLOCK_BYTES ? NEBULA_CHANNEL_IDLE : NEBULA_CHANNEL_BUSY;
}

static gboolean
refuse (const char *what, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _ ("A frame with a bad %s is refused."), what);
  return FALSE;
}

typedef struct {
  gpointer data;
  gsize size;
} Mapping;

static void
mapping_free (gpointer data)
{
  Mapping *self = data;

  munmap (self->data, self->size);
  g_free (self);
}

/* Nobody can change or shorten what is sealed, so that it is read in place. */
static GBytes *
map_sealed (int fd, gsize size)
{
  struct stat status;
  int seals = fcntl (fd, F_GET_SEALS);
  gpointer data;
  Mapping *mapping;

  if (seals < 0 || (seals & SEALS) != SEALS || fstat (fd, &status) != 0 ||
      status.st_size != (off_t) size)
    return NULL;
  data = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED)
    return NULL;
  mapping = g_new (Mapping, 1);
  mapping->data = data;
  mapping->size = size;
  return g_bytes_new_with_free_func (data, size, mapping_free, mapping);
}

static gboolean
take_large (NebulaChannel *self, gsize size, GBytes **ret_large, GError **error)
{
  int fd;

  if (self->n_fds == 0)
    return refuse ("memory file", error);
  fd = self->fds[0];
  self->n_fds--;
  for (guint i = 0; i < self->n_fds; i++)
    self->fds[i] = self->fds[i + 1];
  *ret_large = map_sealed (fd, size);
  close (fd);
  return *ret_large != NULL || refuse ("memory file", error);
}

static void
forget_taken (NebulaChannel *self, gsize length)
{
  self->start += length;
  if (self->start == self->input->len) {
    g_byte_array_set_size (self->input, 0);
    self->start = 0;
  } else if (self->start > BLOCK_BYTES) {
    g_byte_array_remove_range (self->input, 0, (guint) self->start);
    self->start = 0;
  }
}

gboolean
nebula_channel_take (NebulaChannel *self,
                     NebulaFrame *ret_frame,
                     GBytes **ret_large,
                     GError **error)
{
  const guint8 *data = self->input->data + self->start;
  gsize size = self->input->len - self->start;
  guint32 length = 0;

  if (self->is_broken)
    return refuse ("number of descriptors", error);
  if (size < HEADER_BYTES)
    return FALSE;
  for (guint i = 0; i < HEADER_BYTES; i++)
    length |= (guint32) data[i] << (8 * i);
  if (length == 0 || length > NEBULA_FRAME_BYTES)
    return refuse ("length", error);
  if (size - HEADER_BYTES < length)
    return FALSE;
  if (!nebula_frame_read (ret_frame, data + HEADER_BYTES, length, self->side, error))
    return FALSE;
  forget_taken (self, HEADER_BYTES + length);
  if (ret_frame->large_bytes == 0)
    return TRUE;
  return take_large (self, ret_frame->large_bytes, ret_large, error);
}

NebulaValue *
nebula_channel_read_large (NebulaFrameKind kind, GBytes *large, GError **error)
{
  g_autoptr (NebulaValue) payload = nebula_value_from_msgpack_in_place (large, error);

  if (payload == NULL || !nebula_frame_check_payload (kind, payload, error))
    return NULL;
  return g_steal_pointer (&payload);
}
