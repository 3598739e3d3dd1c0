/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON and MessagePack: no disk, no engine. */

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "nebula-bench-private.h"
#include "nebula-json.h"
#include "nebula-msgpack.h"

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

/* The same document in each of its forms. */
typedef struct {
  NebulaValue *value;
  GBytes *msgpack;
  JsonNode *node;
  char *json_path;
  char *msgpack_path;
  char *peers; /* NULL: not here */
  guint rounds;
} Forms;

static void
forms_clear (Forms *self)
{
  g_clear_pointer (&self->value, nebula_value_unref);
  g_clear_pointer (&self->msgpack, g_bytes_unref);
  g_clear_pointer (&self->node, json_node_unref);
  if (self->json_path)
    g_unlink (self->json_path);
  if (self->msgpack_path)
    g_unlink (self->msgpack_path);
  g_free (self->json_path);
  g_free (self->msgpack_path);
  g_free (self->peers);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Forms, forms_clear)

static gboolean
forms_init (Forms *self, NebulaBench *bench, const char *text, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();

  self->rounds = bench->is_quick ? 1 : 40;
  self->peers = nebula_bench_find_helper (bench, "nebula-bench-peers");
  self->json_path = nebula_bench_new_path (bench, ".json");
  self->msgpack_path = nebula_bench_new_path (bench, ".msgpack");
  self->value = nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_NONE, error);
  if (!self->value || !json_parser_load_from_data (parser, text, -1, error))
    return FALSE;
  self->node = json_parser_steal_root (parser);
  self->msgpack = nebula_value_to_msgpack (self->value);
  return g_file_set_contents (self->json_path, text, -1, error) &&
         g_file_set_contents (self->msgpack_path, g_bytes_get_data (self->msgpack, NULL),
                              (gssize) g_bytes_get_size (self->msgpack), error);
}

static gboolean
write_ours (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const Forms *self = data;
  gsize size = 0;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++) {
    g_autofree char *text = nebula_value_to_json (self->value, NEBULA_JSON_FLAGS_NONE);

    size += strlen (text);
  }
  ret_values[0] = (double) size / 1e6 / (nebula_bench_now () - start);
  return TRUE;
}

static gboolean
write_json_glib (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const Forms *self = data;
  guint rounds = MAX (self->rounds / 8, 1);
  gsize size = 0;
  double start = nebula_bench_now ();

  for (guint i = 0; i < rounds; i++) {
    g_autofree char *text = json_to_string (self->node, FALSE);

    size += strlen (text);
  }
  ret_values[0] = (double) size / 1e6 / (nebula_bench_now () - start);
  return TRUE;
}

static gboolean
pack_ours (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const Forms *self = data;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++)
    g_bytes_unref (nebula_value_to_msgpack (self->value));
  ret_values[0] = (double) g_bytes_get_size (self->msgpack) * self->rounds / 1e6 /
                  (nebula_bench_now () - start);
  return TRUE;
}

static gboolean
unpack_ours (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const Forms *self = data;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++) {
    NebulaValue *value = nebula_value_from_msgpack (self->msgpack, error);

    if (!value)
      return FALSE;
    nebula_value_unref (value);
  }
  ret_values[0] = (double) g_bytes_get_size (self->msgpack) * self->rounds / 1e6 /
                  (nebula_bench_now () - start);
  return TRUE;
}

/* MB/s of another library; 0 if it is not here. */
static double
ask_peer (NebulaBench *bench, const Forms *forms, const char *what, const char *path)
{
  g_autofree char *rounds = g_strdup_printf ("%u", forms->rounds);
  const char *argv[] = {forms->peers, what, path, rounds, NULL};
  double best = 0.0;

  for (guint i = 0; forms->peers && i < (bench->is_quick ? 1u : bench->repeats); i++) {
    g_autofree char *answer = NULL;
    int status = 0;

    if (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &answer, NULL,
                      &status, NULL) &&
        status == 0)
      best = MAX (best, g_ascii_strtod (answer, NULL));
  }
  return best;
}

static void
add_against_peer (NebulaBench *bench, const char *what, double ours, double peer, double target, const char *note)
{
  if (peer > 0.0)
    nebula_bench_add (bench, what, "MB/s", ours, peer,
                      target > 0.0 ? NEBULA_BENCH_GOAL_RATIO_AT_LEAST : NEBULA_BENCH_GOAL_NONE, target);
  else
    nebula_bench_add (bench, what, "MB/s", ours, 0, NEBULA_BENCH_GOAL_NONE, 0);
  nebula_bench_note (bench, peer > 0.0 ? note : "the other library is not here (data/packages/bench.txt)");
}

/* Writing, and the other libraries, with the large document. */
static gboolean
bench_forms (NebulaBench *bench, const char *text, double read, GError **error)
{
  g_auto (Forms) forms = {0};
  double ours[NEBULA_BENCH_VALUES], peer[NEBULA_BENCH_VALUES];
  double pack[NEBULA_BENCH_VALUES], unpack[NEBULA_BENCH_VALUES];

  if (!forms_init (&forms, bench, text, error) ||
      !nebula_bench_repeat (bench, write_ours, &forms, ours, error) ||
      !nebula_bench_repeat (bench, write_json_glib, &forms, peer, error) ||
      !nebula_bench_repeat (bench, pack_ours, &forms, pack, error) ||
      !nebula_bench_repeat (bench, unpack_ours, &forms, unpack, error))
    return FALSE;
  nebula_bench_add (bench, "write a 1 MB document", "MB/s", ours[0], peer[0],
                    NEBULA_BENCH_GOAL_RATIO_AT_LEAST, 5);
  nebula_bench_note (bench, "floor: json-glib");
  add_against_peer (bench, "read a 1 MB document, beside simdjson", read,
                    ask_peer (bench, &forms, "json-read", forms.json_path), 0,
                    "floor: simdjson, which makes no values");
  add_against_peer (bench, "write MessagePack", pack[0],
                    ask_peer (bench, &forms, "msgpack-write", forms.msgpack_path), 0.7,
                    "floor: msgpack-c");
  add_against_peer (bench, "read MessagePack", unpack[0],
                    ask_peer (bench, &forms, "msgpack-read", forms.msgpack_path), 0.7,
                    "floor: msgpack-c");
  return TRUE;
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
    if (i == G_N_ELEMENTS (documents) - 1 && !bench_forms (bench, text, ours[0], error))
      return FALSE;
  }
  return TRUE;
}
