/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api-intake.h"

#include <string.h>

#define CHUNK_LINE_BYTES 272  /* a size, and an extension that is ignored */
#define CHUNK_DIGITS     15
#define TRAILER_BYTES    4096
#define PIPELINE_DEPTH   8

typedef enum {
  PART_HEAD,
  PART_LENGTH, /* a body of known length */
  PART_SIZE,   /* the line of a chunk's size */
  PART_DATA,
  PART_DATA_END,
  PART_TRAILER,
  PART_BAD,
} Part;

struct _ApiIntake {
  ApiAdmit admit;
  gpointer user_data;
  GByteArray *in;
  Part part;
  guint status;
  gint64 left;  /* of the body, or of the chunk */
  gint64 limit; /* of the body; what is still allowed */
  gsize trailer;
  guint64 n_requests;
  guint n_pipelined; /* requests in a row that were there before they were asked for */
  gboolean has_continue;
  char *language;
};

ApiIntake *
api_intake_new (ApiAdmit admit, gpointer user_data)
{
  ApiIntake *self = g_new0 (ApiIntake, 1);

  self->admit = admit;
  self->user_data = user_data;
  self->in = g_byte_array_new ();
  return self;
}

void
api_intake_free (ApiIntake *self)
{
  g_byte_array_unref (self->in);
  g_free (self->language);
  g_free (self);
}

void
api_intake_push (ApiIntake *self, const guint8 *data, gsize size)
{
  if (self->part != PART_BAD)
    g_byte_array_append (self->in, data, (guint) size);
}

static gboolean
refuse (ApiIntake *self, guint status)
{
  self->part = PART_BAD;
  self->status = status;
  g_byte_array_set_size (self->in, 0);
  return FALSE;
}

static void
consume (ApiIntake *self, gsize n_bytes)
{
  g_byte_array_remove_range (self->in, 0, (guint) n_bytes);
}

static guint
admit (ApiIntake *self, const ApiHead *head)
{
  guint status = self->admit (head, &self->limit, self->user_data);

  if (status)
    return status;
  if (head->length > self->limit)
    return 413;
  /* A body in which nobody could see an end. */
  if (head->length < 0 && !head->is_chunked &&
      (g_str_equal (head->method, "POST") || g_str_equal (head->method, "PUT") ||
       g_str_equal (head->method, "PATCH")))
    return 411;
  return 0;
}

static void
take_head (ApiIntake *self, const ApiHead *head, gsize used, GByteArray *out)
{
  api_head_write (head, out);
  consume (self, used);
  self->n_requests++;
  self->n_pipelined = self->in->len > 0 && head->length <= 0 && !head->is_chunked
                          ? self->n_pipelined + 1
                          : 0;
  self->has_continue = head->expects_continue;
  self->left = MAX (head->length, 0);
  self->part = head->is_chunked ? PART_SIZE : self->left > 0 ? PART_LENGTH : PART_HEAD;
}

/* FALSE: enough for now. */
static gboolean
read_head (ApiIntake *self, GByteArray *out)
{
  g_auto (ApiHead) head = {0};
  gsize used = 0;
  guint status = 0;
  ApiParse parse;

  if (self->in->len == 0)
    return FALSE;
  if (self->n_pipelined >= PIPELINE_DEPTH)
    return refuse (self, 0);
  parse = api_head_parse (&head, self->in->data, self->in->len, &used, &status);
  if (parse == API_PARSE_MORE)
    return FALSE;
  g_free (self->language);
  self->language = g_strdup (api_head_get (&head, "accept-language"));
  if (parse == API_PARSE_DONE)
    status = admit (self, &head);
  if (status)
    return refuse (self, status);
  take_head (self, &head, used, out);
  return self->part != PART_HEAD;
}

/* Bytes of a body, or of a chunk. */
static gboolean
pass (ApiIntake *self, GByteArray *out, Part next)
{
  gsize n_bytes = (gsize) MIN ((gint64) self->in->len, self->left);

  if (n_bytes > 0) {
    g_byte_array_append (out, self->in->data, (guint) n_bytes);
    consume (self, n_bytes);
    self->left -= (gint64) n_bytes;
  }
  if (self->left > 0)
    return FALSE;
  self->part = next;
  return next != PART_HEAD;
}

/* The line at the start, without CRLF; NULL: not complete, or refused. */
static char *
take_line (ApiIntake *self, gsize most)
{
  const guint8 *end = memchr (self->in->data, '\n', self->in->len);
  gsize length = end ? (gsize) (end - self->in->data) : self->in->len;
  char *line;

  if (length > most || (end && (length == 0 || self->in->data[length - 1] != '\r'))) {
    refuse (self, 400);
    return NULL;
  }
  if (!end)
    return NULL;
  line = g_strndup ((const char *) self->in->data, length - 1);
  /* A zero, or a carriage return of its own. */
  if (strlen (line) != length - 1 || strchr (line, '\r')) {
    g_free (line);
    refuse (self, 400);
    return NULL;
  }
  consume (self, length + 1);
  return line;
}

static gboolean
read_size (ApiIntake *self, GByteArray *out)
{
  g_autofree char *line = self->in->len > 0 ? take_line (self, CHUNK_LINE_BYTES) : NULL;
  g_autofree char *written = NULL;
  gsize n_digits;

  if (!line)
    return FALSE;
  n_digits = strspn (line, "0123456789abcdefABCDEF");
  if (n_digits == 0 || n_digits > CHUNK_DIGITS || (line[n_digits] && line[n_digits] != ';'))
    return refuse (self, 400);
  self->left = (gint64) g_ascii_strtoull (line, NULL, 16);
  if (self->left > self->limit)
    return refuse (self, 413);
  self->limit -= self->left;
  self->trailer = 0;
  self->part = self->left > 0 ? PART_DATA : PART_TRAILER;
  if (self->left > 0) {
    written = g_strdup_printf ("%" G_GINT64_MODIFIER "x\r\n", (guint64) self->left);
    g_byte_array_append (out, (const guint8 *) written, (guint) strlen (written));
  }
  return TRUE;
}

static gboolean
read_data_end (ApiIntake *self, GByteArray *out)
{
  if (self->in->len > 0 && self->in->data[0] != '\r')
    return refuse (self, 400);
  if (self->in->len < 2)
    return FALSE;
  if (self->in->data[1] != '\n')
    return refuse (self, 400);
  g_byte_array_append (out, (const guint8 *) "\r\n", 2);
  consume (self, 2);
  self->part = PART_SIZE;
  return TRUE;
}

/* What stands there is for nobody. */
static gboolean
read_trailer (ApiIntake *self, GByteArray *out)
{
  g_autofree char *line = self->in->len > 0 ? take_line (self, TRAILER_BYTES) : NULL;

  if (!line)
    return FALSE;
  self->trailer += strlen (line) + 2;
  if (self->trailer > TRAILER_BYTES)
    return refuse (self, 431);
  if (*line)
    return TRUE;
  g_byte_array_append (out, (const guint8 *) "0\r\n\r\n", 5);
  self->part = PART_HEAD;
  return FALSE;
}

static gboolean
step (ApiIntake *self, GByteArray *out)
{
  switch (self->part) {
  case PART_HEAD:
    return read_head (self, out);
  case PART_LENGTH:
    return pass (self, out, PART_HEAD);
  case PART_SIZE:
    return read_size (self, out);
  case PART_DATA:
    return pass (self, out, PART_DATA_END);
  case PART_DATA_END:
    return read_data_end (self, out);
  case PART_TRAILER:
    return read_trailer (self, out);
  case PART_BAD:
  default:
    return FALSE;
  }
}

void
api_intake_pull (ApiIntake *self, GByteArray *out)
{
  while (step (self, out))
    ;
}

ApiIntakeState
api_intake_get_state (ApiIntake *self)
{
  return self->part == PART_HEAD  ? API_INTAKE_HEAD
         : self->part == PART_BAD ? API_INTAKE_BAD
                                  : API_INTAKE_BODY;
}

guint
api_intake_get_status (ApiIntake *self)
{
  return self->status;
}

gsize
api_intake_get_n_buffered (ApiIntake *self)
{
  return self->in->len;
}

guint64
api_intake_get_n_requests (ApiIntake *self)
{
  return self->n_requests;
}

gboolean
api_intake_take_continue (ApiIntake *self)
{
  gboolean has_continue = self->has_continue;

  self->has_continue = FALSE;
  return has_continue;
}

const char *
api_intake_get_language (ApiIntake *self)
{
  return self->language;
}
