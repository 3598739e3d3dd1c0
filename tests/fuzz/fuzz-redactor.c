/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes secrets out of any text. The first line is a secret, the rest the text: whatever its escapes look like, the secret
 * does not stand in what comes out, and a text without it stays as it is.
 */
#include "fuzz.h"

#include <string.h>

#include "nebula-redactor.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *input = g_strndup ((const char *) data, size);
  char *text = strchr (input, '\n');
  g_autoptr (NebulaRedactor) redactor = nebula_redactor_new ();
  g_autoptr (GBytes) secret = NULL, other = g_bytes_new_static ("hunter2hunter2", 14);
  g_autofree char *redacted = NULL;

  if (!text)
    return 0;
  *text++ = '\0';
  secret = g_bytes_new_static (input, strlen (input));
  if (!nebula_redactor_add (redactor, secret))
    return 0;
  nebula_redactor_add (redactor, other);
  redacted = nebula_redactor_redact (redactor, text);
  if (!redacted) {
    g_assert_null (strstr (text, input));
    g_assert_null (strstr (text, "hunter2hunter2"));
    return 0;
  }
  /* Dots cannot complete a secret that has none. */
  if (!strstr (input, "•") && !strstr (NEBULA_REDACTED, input) && g_utf8_validate (input, -1, NULL))
    g_assert_null (strstr (redacted, input));
  nebula_redactor_remove (redactor, secret);
  nebula_redactor_remove (redactor, other);
  g_assert_cmpuint (nebula_redactor_get_n_secrets (redactor), ==, 0);
  return 0;
}
