/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings as the program's own types. */
#include "nebula-config-private.h"
#include "nebula-duration.h"

/**
 * nebula_config_dup_string:
 * @self: the settings
 * @key: a setting that is text
 *
 * Gets a text.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_config_dup_string (NebulaConfig *self, const char *key)
{
  g_autoptr (GVariant) variant = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), NULL);
  g_return_val_if_fail (_nebula_config_has_key (self, key), NULL);

  variant = _nebula_config_get_variant (self, key);
  return g_variant_dup_string (variant, NULL);
}

/**
 * nebula_config_get_integer:
 * @self: the settings
 * @key: a setting that is a whole number
 *
 * Gets a whole number.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
gint64
nebula_config_get_integer (NebulaConfig *self, const char *key)
{
  g_autoptr (GVariant) variant = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), 0);
  g_return_val_if_fail (_nebula_config_has_key (self, key), 0);

  variant = _nebula_config_get_variant (self, key);
  return g_variant_get_int32 (variant);
}

/**
 * nebula_config_get_boolean:
 * @self: the settings
 * @key: a setting that is true or false
 *
 * Gets a switch.
 *
 * Returns: whether it is on
 *
 * Since: 1.0
 */
gboolean
nebula_config_get_boolean (NebulaConfig *self, const char *key)
{
  g_autoptr (GVariant) variant = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (_nebula_config_has_key (self, key), FALSE);

  variant = _nebula_config_get_variant (self, key);
  return g_variant_get_boolean (variant);
}

/**
 * nebula_config_get_usec:
 * @self: the settings
 * @key: a setting that is a duration
 *
 * Gets a duration.
 *
 * Returns: microseconds
 *
 * Since: 1.0
 */
gint64
nebula_config_get_usec (NebulaConfig *self, const char *key)
{
  g_autofree char *text = nebula_config_dup_string (self, key);
  gint64 usec = 0;

  /* What does not parse never got past the layers. */
  return text && nebula_duration_parse (text, &usec, NULL) ? usec : 0;
}

/**
 * nebula_config_get_bytes:
 * @self: the settings
 * @key: a setting that is a size
 *
 * Gets a size.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
guint64
nebula_config_get_bytes (NebulaConfig *self, const char *key)
{
  g_autofree char *text = nebula_config_dup_string (self, key);
  guint64 bytes = 0;

  return text && nebula_size_parse (text, &bytes, NULL) ? bytes : 0;
}

/**
 * nebula_config_dup_strv:
 * @self: the settings
 * @key: a setting that is a list of texts
 *
 * Gets a list of texts.
 *
 * Returns: (transfer full) (array zero-terminated=1): the texts
 *
 * Since: 1.0
 */
char **
nebula_config_dup_strv (NebulaConfig *self, const char *key)
{
  g_autoptr (GVariant) variant = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), NULL);
  g_return_val_if_fail (_nebula_config_has_key (self, key), NULL);

  variant = _nebula_config_get_variant (self, key);
  return g_variant_dup_strv (variant, NULL);
}
