/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control socket: whoever owns the store PATH listens on PATH.sock (mode 0600) and does for others what only an
 * owner can do. The peer must run as the same user.
 *
 *   frame     length (4 bytes, little endian, 1 … 1 MiB) · MessagePack of one object
 *   request   {op: "ping" | "metrics" | "list" | "prune" | "show" | "why" | "resume" | "wait" | an order, …}
 *               all but ping, metrics, list and prune: execution; show: node?
 *               orders: cancel, terminate, pause: reason?; cancel-node: node; cancel-region: region;
 *                       signal: name, value?; answer: token, value?; approve, reject: by, node?, comment?
 *                       break: node, comment? (its condition); unbreak: node; step
 *               rerun: options?; answered with the id of the new execution
 *               list: status?, workflow?, tag?, after?, limit?
 *               prune: before? (µs), status? (a mask), workflow?, tenant?, keep?, trial?; answered with their number
 *               publish, roll-back, label: see nebula-publishing-private.h; they name no execution
 *               serve: request, tenant?: what nebula_service_host_ask_async () takes, for the owner of the machine
 *   answer    {ok: true, value} or {ok: false, error: {code, message}}, in the order in which the work ends
 *
 * A frame that is too long or does not parse is answered with an error, and the connection is closed.
 */
#pragma once

#include "nebula-order.h"
#include "nebula-service-host.h"
#include "nebula-session-private.h"

G_BEGIN_DECLS

#define NEBULA_CONTROL_FRAME_BYTES (1024 * 1024)

NebulaControlServer *
nebula_control_server_new (NebulaEngine *engine, const char *store, GError **error);
/* Lets it pass on what a server can be asked; borrowed, NULL takes it away. */
void nebula_control_server_set_host (NebulaControlServer *self, NebulaServiceHost *host);
void nebula_control_server_free (NebulaControlServer *self);

/* Asks the owner of @store and waits for its answer. Errors: unavailable (nobody listens, or it went away); those of the
 * owner. */
NebulaValue *nebula_control_ask (const char *store, NebulaValue *request, GError **error);

/* Shared by both sides. */
GBytes *nebula_control_pack (NebulaValue *value, GError **error);
/* Takes one frame from the start of @buffer: NULL without error if it is not complete yet. */
NebulaValue *nebula_control_unpack (GByteArray *buffer, GError **error);
/* A socket and the address of @store's; paths too long for an address are reached through their folder. */
int nebula_control_socket (const char *store,
                           gpointer ret_address,
                           guint *ret_length,
                           GError **error);

/* The rule of a request to prune; its texts are the request's. */
void nebula_control_read_rule (NebulaValue *request, NebulaRetention *ret_rule);
NebulaValue *nebula_control_write_rule (const NebulaRetention *rule);

G_END_DECLS
