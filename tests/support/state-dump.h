/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that a state holds, as text: every member of every structure, taken apart by structured bindings, so that a new
 * member does not compile until somebody has said here whether it belongs to the fold. What the fold determines is
 * printed: two states with the same facts have the same text, however they came to be.
 */
#pragma once

#include <sstream>
#include <string>

#include "nebula-results-private.h"
#include "nebula-msgpack.h"
#include "nebula-state-internal.h"
#include "nebula-test.h"

namespace nebula
{

class StateDump
{
public:
  /* Without its agenda: a fold keeps decisions that were taken and came to nothing, and takes them again. */
  static std::string of (NebulaState *state, bool has_agenda = true)
  {
    StateDump dump (state);

    dump.has_agenda_ = has_agenda;
    dump.dump_state ();
    return dump.out_.str ();
  }

private:
  explicit StateDump (NebulaState *state) : state_ (state)
  {
  }

  template <typename T> void number (const char *name, T number)
  {
    if (number != 0)
      out_ << ' ' << name << '=' << +number;
  }
  void text (const char *name, const char *text)
  {
    if (text)
      out_ << ' ' << name << "='" << text << '\'';
  }
  /* JSON to read, and MessagePack because JSON does not tell all kinds apart. */
  void value (const char *name, NebulaValue *value)
  {
    if (!value)
      return;
    GBytes *bytes = nebula_value_to_msgpack (value);
    out_ << ' ' << name << '=' << to_json (value) << '#' << g_bytes_hash (bytes);
    g_bytes_unref (bytes);
  }
  void queue (const char *name, GQueue *queue, const void *skip)
  {
    for (GList *link = queue ? queue->head : nullptr; link; link = link->next) {
      if (link->data == skip)
        out_ << ' ' << name << "=skip";
      else
        value (name, (NebulaValue *) link->data);
    }
  }
  std::string place (NebulaWork *work)
  {
    return std::to_string (work->lane->number) + ":" +
           state_->plan->nodes[work->node].id;
  }

  void dump_state ()
  {
    NebulaAgendaItem due;

    nebula_state_peek_agenda (state_, &due); /* drops what is stale, as a fold does */
    auto &[plan, sequence, status, is_paused, has_undone, is_undoing, is_stopping, is_stepping,
           end_status, gate, gate_key, gate_share, started, input, output, error, seed, started_usec,
           ended_usec, deadline_usec, last_usec, paused_usec, gate_usec, begins_usec, next_lane, n_firings, n_ready, n_waiting,
           n_cancelled, recoveries, gate_round, root, lanes, works, agenda, agenda_head, signals, locks,
           undos, watchers, tokens, gates, batch, given, breaks, break_at, partings, worklist, watch, watch_data,
           told, told_data] = *state_;

    (void) n_cancelled, (void) partings, (void) watch, (void) watch_data, (void) told, (void) told_data; /* not of the fold */
    out_ << "state " << plan->hash;
    number ("sequence", sequence);
    number ("status", status);
    number ("is_paused", is_paused);
    number ("has_undone", has_undone);
    number ("is_undoing", is_undoing);
    number ("is_stopping", is_stopping);
    number ("end_status", end_status);
    number ("gate", gate);
    text ("gate_key", gate_key);
    value ("gate_share", gate_share);
    value ("started", started);
    value ("input", input);
    value ("output", output);
    value ("error", error);
    number ("seed", seed);
    number ("started_usec", started_usec);
    number ("ended_usec", ended_usec);
    number ("deadline_usec", deadline_usec);
    number ("last_usec", last_usec);
    number ("paused_usec", paused_usec);
    number ("gate_usec", gate_usec);
    number ("begins_usec", begins_usec);
    number ("gate_round", gate_round);
    text ("batch", batch);
    number ("next_lane", next_lane);
    number ("n_firings", n_firings);
    number ("n_ready", n_ready);
    number ("n_waiting", n_waiting);
    number ("recoveries", recoveries);
    number ("n_lanes", lanes ? g_hash_table_size (lanes) : 0);
    number ("worklist", worklist->len);
    value ("watchers", watchers);
    value ("tokens", tokens);
    value ("gates", gates);
    value ("given", given);
    value ("breaks", breaks);
    text ("break_at", break_at);
    number ("is_stepping", is_stepping);
    out_ << "\nworks";
    for (GList *link = works.head; link; link = link->next)
      out_ << ' ' << place ((NebulaWork *) link->data);
    out_ << '\n';
    if (has_agenda_)
      dump_agenda (agenda, agenda_head);
    for (GList *link = signals.head; link; link = link->next)
      dump_signal ((NebulaSignal *) link->data);
    for (guint i = 0; locks && i < locks->len; i++)
      dump_lock ((NebulaLock *) locks->pdata[i]);
    if (root)
      dump_lane (root);
    for (guint i = 0; undos && i < undos->len; i++)
      dump_undo ((NebulaUndo *) undos->pdata[i]);
  }

  void dump_lock (NebulaLock *lock)
  {
    auto &[name, works] = *lock;

    out_ << "lock";
    text ("name", name);
    for (GList *link = works.head; link; link = link->next) {
      NebulaWork *work = (NebulaWork *) link->data;

      out_ << ' ' << place (work);
      EXPECT_EQ (work->lock, lock);
    }
    out_ << '\n';
  }

  void dump_undo (NebulaUndo *undo)
  {
    auto &[node, owner, status, path, parameters, input, failure, lane] = *undo;

    out_ << "undo " << node;
    number ("owner", owner);
    number ("status", status);
    text ("path", path);
    value ("parameters", parameters);
    value ("input", input);
    value ("failure", failure);
    out_ << '\n';
    if (lane)
      dump_lane (lane);
  }

  void dump_agenda (GArray *agenda, guint head)
  {
    out_ << "agenda";
    for (guint i = head; i < agenda->len; i++) {
      auto &[kind, lane, index] = g_array_index (agenda, NebulaAgendaItem, i);

      if (nebula_state_get_lane (state_, lane)) /* else it is never due again */
        out_ << ' ' << kind << ':' << lane << ':' << index;
    }
    out_ << '\n';
  }

  void dump_signal (NebulaSignal *signal)
  {
    auto &[name, payload] = *signal;

    out_ << "signal";
    text ("name", name);
    value ("value", payload);
    out_ << '\n';
  }

  void dump_lane (NebulaLane *lane)
  {
    auto &[lane_number, scope, index, active, parent, loop, undo, item, last, failure,
           is_ending, is_break, is_cut, is_halted, is_cancelled, previous, next, edges,
           runs] = *lane;
    NebulaPlanScope *shape = &state_->plan->scopes[scope];

    (void) next; /* the loop prints its rounds in order */
    out_ << "lane " << lane_number;
    number ("scope", scope);
    number ("index", index);
    number ("active", active);
    number ("parent", parent ? parent->number + 1 : 0);
    text ("loop", loop ? place (loop->work).c_str () : nullptr);
    number ("undo", undo);
    number ("previous", previous ? previous->number : 0);
    value ("item", item);
    value ("last", last);
    value ("failure", failure);
    number ("is_ending", is_ending);
    number ("is_break", is_break);
    number ("is_cut", is_cut);
    number ("is_halted", is_halted);
    number ("is_cancelled", is_cancelled);
    out_ << '\n';
    EXPECT_EQ (nebula_state_get_lane (state_, lane_number), lane);
    for (guint i = 0; i < shape->n_edges; i++)
      dump_edge (shape->first_edge + i, &edges[i]);
    for (guint i = 0; i < shape->n_nodes; i++)
      dump_run (shape->first_node + i, &runs[i]);
  }

  void dump_edge (guint32 index, NebulaEdgeState *edge)
  {
    auto &[n_tokens, n_seen, first, more, guarded] = *edge;

    if (n_tokens == 0 && n_seen == 0 && !guarded)
      return;
    out_ << "edge " << index;
    number ("n_tokens", n_tokens);
    number ("n_seen", n_seen);
    value ("first", first);
    queue ("more", more, edge);
    queue ("guarded", guarded, nullptr);
    out_ << '\n';
  }

  void dump_run (guint32 node, NebulaRun *run)
  {
    auto &[status, by_port, has_fired, is_trailing, attempts, firing, order, arrived, live,
           need, port, result, ready_usec, ended_usec, work] = *run;

    out_ << "run " << state_->plan->nodes[node].id;
    number ("status", status);
    number ("by_port", by_port);
    number ("has_fired", has_fired);
    number ("is_trailing", is_trailing);
    number ("attempts", attempts);
    number ("firing", firing);
    number ("order", order);
    number ("arrived", arrived);
    number ("live", live);
    number ("need", need);
    text ("port", port);
    value ("value", result);
    number ("ready_usec", ready_usec);
    number ("ended_usec", ended_usec);
    out_ << '\n';
    EXPECT_TRUE (!port || port == g_intern_string (port));
    if (work)
      dump_work (work);
  }

  void dump_work (NebulaWork *work)
  {
    auto &[lane, node, firing, input, inputs, parameters, frozen, loaded, digest, due_usec,
           deadline_usec, signal, other, hold, request, answers, lock, effect, wait, is_held,
           is_begun, is_launched, has_effect,
           has_own_digest, own_digest, loop, link] = *work;

    (void) parameters, (void) frozen, (void) loaded, (void) is_launched, (void) has_effect,
        (void) has_own_digest, (void) own_digest; /* not of the fold */
    out_ << "work " << lane->number << ':' << node;
    number ("firing", firing);
    value ("input", input);
    value ("inputs", inputs);
    number ("digest", digest);
    number ("due_usec", due_usec);
    number ("deadline_usec", deadline_usec);
    text ("signal", signal);
    text ("other", other);
    text ("hold", hold);
    value ("request", request);
    value ("answers", answers);
    number ("is_held", is_held);
    text ("lock", lock ? lock->name : nullptr);
    number ("effect", effect);
    number ("wait", wait);
    number ("is_begun", is_begun);
    out_ << '\n';
    EXPECT_EQ (link.data, work);
    if (loop)
      dump_loop (loop);
  }

  void dump_chunk (guint number_of, NebulaResultChunk *chunk)
  {
    out_ << " chunk " << number_of;
    if (!chunk)
      return;
    auto &[stored, results, n_ended] = *chunk;
    number ("n_ended", n_ended);
    value ("stored", stored);
    for (guint i = 0; results && i < NEBULA_LIST_CHUNK_ITEMS; i++)
      if (results[i])
        value (std::to_string (i).c_str (), results[i]);
  }

  void dump_loop (NebulaLoop *loop)
  {
    auto &[work, items, added, count, next_index, n_done, n_judged, n_open, concurrency, batch,
           phase, body_lane, wants_success, is_cancelled, lets_go, is_trailing, is_undoing,
           is_ending, failure, lanes, results, last] = *loop;

    out_ << "loop " << place (work);
    value ("items", items);
    for (guint i = 0; added && i < added->len; i++)
      value ("added", (NebulaValue *) added->pdata[i]);
    number ("count", count);
    number ("next_index", next_index);
    number ("n_done", n_done);
    number ("n_open", n_open);
    number ("concurrency", concurrency);
    number ("batch", batch);
    number ("phase", phase);
    number ("n_judged", n_judged);
    number ("body_lane", body_lane);
    number ("lets_go", lets_go);
    number ("is_trailing", is_trailing);
    number ("is_undoing", is_undoing);
    number ("wants_success", wants_success);
    number ("is_cancelled", is_cancelled);
    number ("is_ending", is_ending);
    value ("failure", failure);
    value ("last", last);
    for (guint i = 0; results && i < results->len; i++)
      dump_chunk (i, (NebulaResultChunk *) results->pdata[i]);
    out_ << (results ? " results\n" : "\n");
    for (NebulaLane *lane = lanes; lane; lane = lane->next)
      dump_lane (lane);
  }

  NebulaState *state_;
  bool has_agenda_ = true;
  std::ostringstream out_;
};

} // namespace nebula
