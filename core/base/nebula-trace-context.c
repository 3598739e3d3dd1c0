/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   traceparent = version "-" trace-id "-" parent-id "-" flags        2, 32, 16 and 2 hexadecimal digits, small letters
 *   tracestate  = member { "," member }                               each key once; 32 are passed on
 *   member      = key "=" value | nothing                             with blanks around it
 *
 * A version above 00 may have more behind another “-”; ff is no version; ids of zeros are none.
 */
#include "nebula-trace-context.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"

#define PARENT_LENGTH 55
#define TRACE_AT      3
#define SPAN_AT       36
#define FLAGS_AT      53
#define MEMBERS       32
#define KEY_BYTES     256
#define VALUE_BYTES   256
#define STATE_BYTES   16384

struct _NebulaTraceContext {
  gatomicrefcount references;
  char trace_id[33];
  char span_id[17];
  guint8 flags;
  char *state; /* may be NULL */
};

G_DEFINE_BOXED_TYPE (NebulaTraceContext,
                     nebula_trace_context,
                     nebula_trace_context_ref,
                     nebula_trace_context_unref)

static gboolean
is_hex (const char *text, gsize length, gboolean may_be_zero)
{
  gboolean is_zero = TRUE;

  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isdigit (text[i]) && (text[i] < 'a' || text[i] > 'f'))
      return FALSE;
    is_zero = is_zero && text[i] == '0';
  }
  return may_be_zero || !is_zero;
}

static gboolean
is_parent (const char *text)
{
  gsize length = strlen (text);

  if (length < PARENT_LENGTH || text[2] != '-' || text[SPAN_AT - 1] != '-' ||
      text[FLAGS_AT - 1] != '-')
    return FALSE;
  if (length > PARENT_LENGTH &&
      (strncmp (text, "00", 2) == 0 || text[PARENT_LENGTH] != '-'))
    return FALSE;
  return is_hex (text, 2, TRUE) && strncmp (text, "ff", 2) != 0 &&
         is_hex (text + TRACE_AT, 32, FALSE) && is_hex (text + SPAN_AT, 16, FALSE) &&
         is_hex (text + FLAGS_AT, 2, TRUE);
}

static gboolean
is_state_key (const char *key, gsize length)
{
  if (length == 0 || length > KEY_BYTES ||
      (!g_ascii_islower (key[0]) && !g_ascii_isdigit (key[0])))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_islower (key[i]) && !g_ascii_isdigit (key[i]) &&
        strchr ("_-*/@", key[i]) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
is_state_value (const char *value)
{
  gsize length = strlen (value);

  if (length == 0 || length > VALUE_BYTES)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (value[i] < 0x20 || value[i] > 0x7e || value[i] == '=')
      return FALSE;
  return TRUE;
}

/* Blanks and tabs around it, as headers have them. */
static char *
trim (const char *text)
{
  gsize length;

  text += strspn (text, " \t");
  length = strlen (text);
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
    length--;
  return g_strndup (text, length);
}

/* The members without blanks and empty ones, the first 32 of them; NULL if one is not valid or there is none. */
static char *
read_state (const char *text)
{
  g_auto (GStrv) members = g_strsplit (text, ",", -1);
  g_autoptr (GHashTable) keys =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) state = g_string_new (NULL);

  for (guint i = 0; members[i]; i++) {
    g_autofree char *member = trim (members[i]);
    char *equals = strchr (member, '=');

    if (*member == '\0')
      continue;
    if (!equals || !is_state_key (member, (gsize) (equals - member)) ||
        !is_state_value (equals + 1) ||
        !g_hash_table_add (keys, g_strndup (member, (gsize) (equals - member))))
      return NULL;
    if (g_hash_table_size (keys) <= MEMBERS)
      g_string_append_printf (state, "%s%s", state->len > 0 ? "," : "", member);
  }
  return state->len > 0 ? g_string_free (g_steal_pointer (&state), FALSE) : NULL;
}

/**
 * nebula_trace_context_new:
 * @parent: the value of the header `traceparent`
 * @state: (nullable): the values of all headers `tracestate`, joined by commas
 * @error: where to put an error
 *
 * Reads the headers of W3C Trace Context. A request with more than one `traceparent` has none. A `tracestate` that is not
 * valid is dropped, as the recommendation asks.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal) for what is no `traceparent`; then a new trace begins.
 *
 * Returns: (transfer full): the context
 *
 * Since: 1.0
 */
NebulaTraceContext *
nebula_trace_context_new (const char *parent, const char *state, GError **error)
{
  g_autofree char *trimmed = NULL;
  NebulaTraceContext *self;

  g_return_val_if_fail (parent != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  trimmed = trim (parent);
  if (!is_parent (trimmed)) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
        _ ("The header “traceparent” is not valid; a new trace begins."));
    return NULL;
  }
  self = g_new0 (NebulaTraceContext, 1);
  g_atomic_ref_count_init (&self->references);
  g_strlcpy (self->trace_id, trimmed + TRACE_AT, sizeof self->trace_id);
  g_strlcpy (self->span_id, trimmed + SPAN_AT, sizeof self->span_id);
  self->flags = (guint8) (g_ascii_xdigit_value (trimmed[FLAGS_AT]) * 16 +
                          g_ascii_xdigit_value (trimmed[FLAGS_AT + 1]));
  if (state && strlen (state) <= STATE_BYTES)
    self->state = read_state (state);
  return self;
}

/**
 * nebula_trace_context_new_child:
 * @self: a context
 * @random: the id of the new span, not 0
 *
 * Makes the context of a call that is made from here: the same trace and state, another span.
 *
 * Returns: (transfer full): the context
 *
 * Since: 1.0
 */
NebulaTraceContext *
nebula_trace_context_new_child (NebulaTraceContext *self, guint64 random)
{
  NebulaTraceContext *child;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (random != 0, NULL);

  child = g_new0 (NebulaTraceContext, 1);
  g_atomic_ref_count_init (&child->references);
  g_strlcpy (child->trace_id, self->trace_id, sizeof child->trace_id);
  g_snprintf (child->span_id, sizeof child->span_id, "%016" G_GINT64_MODIFIER "x",
              random);
  child->flags = self->flags;
  child->state = g_strdup (self->state);
  return child;
}

/**
 * nebula_trace_context_ref:
 * @self: a context
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaTraceContext *
nebula_trace_context_ref (NebulaTraceContext *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_trace_context_unref:
 * @self: (transfer full): a context
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_trace_context_unref (NebulaTraceContext *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_free (self->state);
  g_free (self);
}

/**
 * nebula_trace_context_get_trace_id:
 * @self: a context
 *
 * Gives the id of the whole trace.
 *
 * Returns: (transfer none): 32 hexadecimal digits
 *
 * Since: 1.0
 */
const char *
nebula_trace_context_get_trace_id (NebulaTraceContext *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->trace_id;
}

/**
 * nebula_trace_context_get_span_id:
 * @self: a context
 *
 * Gives the id of the span that called.
 *
 * Returns: (transfer none): 16 hexadecimal digits
 *
 * Since: 1.0
 */
const char *
nebula_trace_context_get_span_id (NebulaTraceContext *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->span_id;
}

/**
 * nebula_trace_context_is_sampled:
 * @self: a context
 *
 * Tells whether the caller records its span.
 *
 * Returns: the flag
 *
 * Since: 1.0
 */
gboolean
nebula_trace_context_is_sampled (NebulaTraceContext *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->flags & 1;
}

/**
 * nebula_trace_context_get_state:
 * @self: a context
 *
 * Gives what the vendors on the way have added, to be passed on as it is.
 *
 * Returns: (transfer none) (nullable): the value of the header `tracestate`
 *
 * Since: 1.0
 */
const char *
nebula_trace_context_get_state (NebulaTraceContext *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->state;
}

/**
 * nebula_trace_context_to_header:
 * @self: a context
 *
 * Writes the value of the header `traceparent`, in version 00.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
char *
nebula_trace_context_to_header (NebulaTraceContext *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_strdup_printf ("00-%s-%s-%02x", self->trace_id, self->span_id,
                          self->flags & 1u);
}
