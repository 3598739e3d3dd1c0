/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON: no disk, no engine. */

#include <json-glib/json-glib.h>
#include <string.h>

#include "nebula-bench-private.h"
#include "nebula-json.h"

typedef struct {
  char *text;
  gsize length;
  guint rounds;
} JsonCase;

static gboolean
read_ours (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const JsonCase *self = data;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++) {
    NebulaValue *value = nebula_value_parse_json (self->text, (gssize) self->length,
                                                  NEBULA_JSON_FLAGS_UNIQUE_KEYS, error);

    if (!value)
      return FALSE;
    nebula_value_unref (value);
  }
  ret_values[0] =
      (double) self->length * self->rounds / 1e6 / (nebula_bench_now () - start);
  return TRUE;
}

static gboolean
read_json_glib (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const JsonCase *self = data;
  guint rounds = MAX (self->rounds / 8, 1);
  double start = nebula_bench_now ();

  for (guint i = 0; i < rounds; i++) {
    g_autoptr (JsonParser) parser = json_parser_new_immutable ();

    if (!json_parser_load_from_data (parser, self->text, (gssize) self->length, error))
      return FALSE;
  }
  ret_values[0] = (double) self->length * rounds / 1e6 / (nebula_bench_now () - start);
  return TRUE;
}

/* Orders, such as an API would give. */
static char *
build_json (guint n_orders)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < n_orders; i++)
    g_string_append_printf (
        text,
        "%s{\"id\": \"order-%06u\", \"customer\": {\"name\": \"Ada Lovelace\", \"city\": "
        "\"London\", \"vip\": %s}, \"total\": %u.%02u, \"items\": [{\"sku\": \"X-%u\", "
        "\"quantity\": %u, \"note\": null}, {\"sku\": \"Y-%u\", \"quantity\": 2, \"note\": "
        "\"fragile, \\\"this side up\\\"\"}], \"created\": \"2026-01-31T12:00:00Z\"}",
        i > 0 ? ", " : "", i, i % 3 ? "false" : "true", i * 7, i % 100, i, i % 9, i * 3);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

gboolean
nebula_bench_json (NebulaBench *bench, GError **error)
{
  static const struct {
    const char *what;
    guint n_orders;
    guint rounds;
  } documents[] = {{"read 1 KB documents", 4, 20000}, {"read a 1 MB document", 3800, 40}};

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autofree char *text = build_json (documents[i].n_orders);
    JsonCase json_case = {text, strlen (text), bench->is_quick ? 1 : documents[i].rounds};
    double ours[NEBULA_BENCH_VALUES];
    double peer[NEBULA_BENCH_VALUES];

    if (!nebula_bench_repeat (bench, read_ours, &json_case, ours, error) ||
        !nebula_bench_repeat (bench, read_json_glib, &json_case, peer, error))
      return FALSE;
    nebula_bench_add (bench, documents[i].what, "MB/s", ours[0], peer[0],
                      NEBULA_BENCH_GOAL_AT_LEAST, 250);
    nebula_bench_note (bench, "floor: json-glib");
  }
  return TRUE;
}
