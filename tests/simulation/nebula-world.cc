/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many executions at once that call each other, wait for each other and hold locks against each other, in two engines over
 * one store, of which both die at any commit, or one, whose shards the other then takes. Time is virtual and all happens in
 * one thread, so a seed gives the same commits each time; every tenth seed is run twice to prove it.
 *
 *   nebula-world --seeds 100
 *   nebula-world --seed 17 --verbose
 *   nebula-world --seeds 50 --plant lose|forge|double|orphan|crowd    a bug that must be caught
 *
 * Invariants: every execution ends; exactly the executions that were called have begun, and each once; all that a parent
 * was told of a child is what the child's own history says; a lock is held by at most one node-run at any time, and by
 * none at the end; a rate is never exceeded, nor a limit, neither in the gate's eyes nor in those of the executions that say
 * they are inside; who has given its place back decides nothing; whoever was collected is in one batch, and ends as it does;
 * nothing is left in an inbox; whoever is waited for and no longer needed does not go on.
 */

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "crash-store.h"
#include "nebula-engine-private.h"
#include "nebula-fact-internal.h"
#include "nebula-gate-internal.h"
#include "nebula-msgpack.h"
#include "nebula-state-internal.h"
#include "test-world.h"
#include "world-workflows.h"

using namespace nebula;

namespace
{

struct Failure {
  std::string text;
};

#define CHECK(condition, text)                                                           \
  do {                                                                                   \
    if (!(condition))                                                                    \
      throw Failure{std::string (text)};                                                 \
  } while (0)

enum class Plant {
  None,
  Lose,   /* a message is lost */
  Forge,  /* a lock is granted to whoever asks */
  Double, /* a called execution begins twice */
  Orphan, /* nobody takes the shards of an engine that has died */
  Crowd,  /* a place is given to whoever asks */
};

class World
{
public:
  World (uint64_t seed, Plant plant, bool verbose)
      : rng_ (seed), plant_ (plant), verbose_ (verbose), resolver_ (new_world_resolver ()),
        clock_ (nebula_manual_clock_new (G_GINT64_CONSTANT (1700000000000000), seed)),
        data_ (nebula_memory_store_new ())
  {
    context_ = g_main_context_new ();
    g_main_context_push_thread_default (context_);
    lie_ = [this] (NebulaUnit *unit) { lie (unit); };
  }

  ~World ()
  {
    stop ();
    g_main_context_pop_thread_default (context_);
    g_main_context_unref (context_);
  }

  void run ()
  {
    begin ();
    for (guint i = 0; i < 3; i++)
      start_root ();
    for (guint i = 0; i < 400; i++)
      step (i < 300);
    if (pick (2)) {
      start_root ();
      crash_one ();
    }
    turn (1000); /* what was started last is committed */
    for (guint i = 0; i < 4000 && !is_over (); i++) {
      turn (20);
      nebula_manual_clock_advance (clock_.get (), 250000);
    }
    turn (200);
    CHECK (is_over (), "not all executions end: " + list_open () + list_inbox ());
    wait_for_inbox ();
    check_histories ();
    check_gates ();
  }

  /* What was committed, in order. */
  guint64 get_digest ()
  {
    return digest_;
  }

private:
  unsigned pick (unsigned n)
  {
    return (unsigned) (rng_ () % n);
  }

  void say (const std::string &text)
  {
    if (verbose_)
      fprintf (stderr, "%s\n", text.c_str ());
  }

  void deploy (const char *text)
  {
    GBytes *bytes = g_bytes_new (text, strlen (text));
    Error error;
    Ref<NebulaWorkflow> workflow (
        nebula_workflow_read_bytes (bytes, nullptr, nullptr, error.out ()));

    g_bytes_unref (bytes);
    CHECK (workflow, error.message ());
    plan_ = Plan (nebula_engine_deploy (engines_[0].get (), workflow.get (), nullptr, error.out ()));
    CHECK (plan_, error.message ());
  }

  /* Two engines, each with half of the shards. */
  void begin ()
  {
    Error error;

    store_ = Ref<NebulaStore> ((NebulaStore *) crash_store_new (data_.get ()));
    ((CrashStore *) store_.get ())->lie = &lie_;
    engines_.emplace_back (nebula_engine_new (resolver_.get (), store_.get (),
                                              NEBULA_CLOCK (clock_.get ())));
    _nebula_engine_make_inline (engines_[0].get (), nullptr);
    guint border = 1 + pick (255);
    CHECK (nebula_engine_set_shards (engines_[0].get (), 0, border, error.out ()),
           error.message ());
    engines_.emplace_back (nebula_engine_new_peer (engines_[0].get ()));
    _nebula_engine_make_inline (engines_[1].get (), engines_[0].get ());
    CHECK (nebula_engine_set_shards (engines_[1].get (), border, 256 - border, error.out ()),
           error.message ());
    for (auto &[name, text] : world_workflows)
      deploy (text);
    for (Ref<NebulaEngine> &engine : engines_)
      CHECK (nebula_engine_recover (engine.get (), error.out ()) >= 0, error.message ());
  }

  void stop ()
  {
    for (Ref<NebulaEngine> &engine : engines_)
      nebula_engine_stop (engine.get ());
    engines_.clear ();
    while (g_main_context_iteration (context_, FALSE))
      ;
  }

  void turn (guint most)
  {
    for (guint i = 0; i < most; i++)
      if (!g_main_context_iteration (context_, FALSE))
        return;
  }

  NebulaEngine *any_engine ()
  {
    return engines_[pick ((unsigned) engines_.size ())].get ();
  }

  void start_root ()
  {
    std::string items;
    Error error;

    for (guint i = pick (4); i > 0; i--)
      items += std::string (items.empty () ? "" : ",") + "{\"ms\":" +
               std::to_string (pick (3000)) + ",\"lock\":" + std::to_string (pick (2)) +
               ",\"fails\":" + (pick (4) ? "false" : "true") +
               ",\"deep\":" + std::to_string (pick (5)) + "}";
    std::string input = "{\"items\":[" + items + "],\"late\":" +
                        std::to_string (1 + pick (6000)) + "}";
    Value value = json (input.c_str ());
    Value options = json (pick (3) ? "{}"
                                   : ("{\"delay\":\"" + std::to_string (pick (4000)) + "ms\"}").c_str ());
    Ref<NebulaExecution> execution (nebula_engine_start (
        any_engine (), plan_.get (), value.get (), options.get (), error.out ()));
    CHECK (execution, error.message ());
    roots_.push_back (nebula_execution_get_id (execution.get ()));
    turn (pick (20));
  }

  void step (bool may_disturb)
  {
    unsigned choice = pick (100);

    if (may_disturb && choice < 3)
      crash ();
    else if (may_disturb && choice < 4)
      crash_one ();
    else if (may_disturb && choice < 5)
      cancel ();
    else if (may_disturb && choice < 8 && roots_.size () < 10)
      start_root ();
    else if (choice < 40)
      nebula_manual_clock_advance (clock_.get (), pick (500000));
    else
      turn (1 + pick (10));
  }

  void crash ()
  {
    CrashStore *store = (CrashStore *) store_.get ();

    say ("crash");
    store->writes_last = (gboolean) pick (2);
    g_atomic_int_set (&store->n_left, (gint) pick (12));
    turn (pick (60));
    g_atomic_int_set (&store->n_left, 0);
    stop ();
    begin ();
  }

  /* One dies where it stands; the other one goes on with what it had. */
  void crash_one ()
  {
    Error error;

    if (engines_.size () < 2)
      return;
    say ("crash of one");
    guint dead = pick (2);
    _nebula_engine_crash (engines_[dead].get ());
    engines_.erase (engines_.begin () + dead);
    turn (pick (10));
    if (plant_ != Plant::Orphan)
      CHECK (nebula_engine_set_shards (engines_[0].get (), 0, 256, error.out ()),
             error.message ());
    CHECK (nebula_engine_recover (engines_[0].get (), error.out ()) >= 0, error.message ());
  }

  void cancel ()
  {
    std::string id = roots_[pick ((unsigned) roots_.size ())];
    Error error;
    Ref<NebulaExecution> execution (
        nebula_engine_get_execution (any_engine (), id.c_str (), error.out ()));

    say ("cancel " + id);
    if (execution)
      nebula_execution_cancel_async (execution.get (), nullptr, nullptr, nullptr, nullptr);
  }

  GPtrArray *list (NebulaStreamKind kind)
  {
    NebulaHeaderQuery query = {};
    Error error;

    query.kind = kind;
    query.limit = 100000;
    GPtrArray *headers = nebula_store_list_headers (data_.get (), &query, error.out ());
    CHECK (headers, error.message ());
    return headers;
  }

  std::string list_open ()
  {
    GPtrArray *headers = list (NEBULA_STREAM_KIND_EXECUTION);
    std::string open;

    for (guint i = 0; i < headers->len; i++) {
      NebulaHeader *header = (NebulaHeader *) headers->pdata[i];

      if (!nebula_execution_status_is_terminal ((NebulaExecutionStatus) header->status))
        open += std::string (header->workflow) + " " + header->stream + " " +
                nebula_execution_status_to_string ((NebulaExecutionStatus) header->status) +
                " (shard " + std::to_string (header->shard) + ", wakes at " +
                std::to_string (header->wake_usec) + ") ";
    }
    g_ptr_array_unref (headers);
    return open;
  }

  std::string list_inbox ()
  {
    GPtrArray *inbox = nebula_store_read_inbox (data_.get (), nullptr, 0, nullptr);
    std::string ids;

    for (guint i = 0; i < inbox->len; i++)
      ids += std::string (" message ") + ((NebulaMessage *) inbox->pdata[i])->id;
    g_ptr_array_unref (inbox);
    return ids;
  }

  guint count_inbox ()
  {
    GPtrArray *inbox = nebula_store_read_inbox (data_.get (), nullptr, 0, nullptr);
    guint n_messages = inbox->len;

    g_ptr_array_unref (inbox);
    return n_messages;
  }

  bool is_over ()
  {
    return list_open ().empty ();
  }

  void wait_for_inbox ()
  {
    for (guint i = 0; i < 500 && count_inbox () > 0; i++)
      turn (20);
    CHECK (count_inbox () == 0, "messages are left in the inboxes:" + list_inbox ());
  }

  /* What one history says of others. */
  struct Watch {
    World *world;
    std::string id;
    std::map<std::string, gint64> held; /* node-run → since when */
    std::map<std::string, std::string> locks;
    gint64 inside; /* since when; 0: it has no place */
    std::string key;
    std::string batch;
  };

  struct Interval {
    gint64 from;
    gint64 to;
    std::string who;
  };

  static bool is_decision (guint kind)
  {
    return kind == NEBULA_FACT_NODE_READY || kind == NEBULA_FACT_ATTEMPT_STARTED ||
           kind == NEBULA_FACT_NODE_WAITING || kind == NEBULA_FACT_LANE_OPENED ||
           kind == NEBULA_FACT_LOOP_OPENED || kind == NEBULA_FACT_LOCK_ASKED;
  }

  static void see_gates (Watch *watch, NebulaState *state, const NebulaFact *fact)
  {
    bool is_away = state->gate == NEBULA_AT_GATE_LEFT || state->gate == NEBULA_AT_GATE_BACK;

    if (is_away && !state->is_stopping && is_decision (fact->kind))
      watch->world->problem_ = watch->id + " decides something without a place";
    if (fact->kind == NEBULA_FACT_BATCHED)
      watch->batch = fact->text;
    if (fact->kind == NEBULA_FACT_GATE_GRANTED &&
        g_str_has_prefix (state->gate_key, "default/")) {
      watch->inside = fact->time_usec;
      watch->key = state->gate_key;
    } else if (watch->inside &&
               (fact->kind == NEBULA_FACT_GATE_LEFT || fact->kind == NEBULA_FACT_ENDED)) {
      watch->world->stays_[watch->key].push_back ({watch->inside, fact->time_usec, watch->id});
      watch->inside = 0;
    }
  }

  static void see (NebulaState *state, const NebulaFact *fact, gpointer data)
  {
    Watch *watch = (Watch *) data;

    if (fact->kind == NEBULA_FACT_NODE_WAITING && fact->code == NEBULA_WAIT_CHILD) {
      if (!watch->world->called_.insert (fact->text).second)
        watch->world->problem_ = "the same child is called twice";
    }
    see_gates (watch, state, fact);
    if (fact->kind == NEBULA_FACT_LOCK_GRANTED) {
      std::string run = name_run (fact);
      NebulaLane *lane = nebula_state_get_lane (state, fact->lane);

      watch->held[run] = fact->time_usec;
      watch->locks[run] = nebula_lane_get_run (state, lane, fact->node)->work->hold;
    }
  }

  static std::string name_run (const NebulaFact *fact)
  {
    return std::to_string (fact->lane) + ":" + std::to_string (fact->node);
  }

  /* When each node-run that held a lock ended: each workflow here has one at most in a lane. */
  void note_ends (Watch &watch, NebulaState *state)
  {
    for (auto &[run, since] : watch.held) {
      guint32 node = (guint32) std::stoul (run.substr (run.find (':') + 1));
      NebulaRun *ended = nebula_lane_get_run (state, state->root, node);

      intervals_[watch.locks[run]].push_back ({since, ended->ended_usec, watch.id});
    }
  }

  NebulaState *fold (NebulaHeader *header, Watch &watch)
  {
    Error error;
    NebulaState *state = nullptr;
    GPtrArray *segments =
        nebula_store_read_segments (data_.get (), header->stream, 0, 0, error.out ());
    Plan plan (find_plan (header));

    CHECK (segments, error.message ());
    state = nebula_state_new (plan.get ());
    state->watch = see;
    state->watch_data = &watch;
    for (guint i = 0; i < segments->len; i++)
      CHECK (nebula_state_fold (state, ((NebulaSegment *) segments->pdata[i])->facts,
                                error.out ()),
             std::string ("the history of ") + header->stream + ": " + error.message ());
    g_ptr_array_unref (segments);
    CHECK (problem_.empty (), problem_);
    return state;
  }

  NebulaPlan *find_plan (NebulaHeader *header)
  {
    const char *text = world_workflows.at (header->workflow);

    return nebula_plan_ref (plans_.emplace (text, compile (resolver_.get (), text))
                                .first->second.get ());
  }

  void check_histories ()
  {
    GPtrArray *headers = list (NEBULA_STREAM_KIND_EXECUTION);
    std::set<std::string> begun;

    for (guint i = 0; i < headers->len; i++) {
      NebulaHeader *header = (NebulaHeader *) headers->pdata[i];
      Watch watch = {this, header->stream, {}, {}, 0, "", ""};
      NebulaState *state = fold (header, watch);

      note_ends (watch, state);
      note_batch (watch, state);
      if (nebula_value_has_member (state->started, "parent"))
        begun.insert (header->stream);
      nebula_state_free (state);
    }
    g_ptr_array_unref (headers);
    CHECK (begun == called_, "not exactly those have begun that were called: " +
                                 std::to_string (begun.size ()) + " and " +
                                 std::to_string (called_.size ()));
    check_locks ();
    check_stays ();
    check_batches ();
  }

  static std::string describe_end (NebulaState *state)
  {
    bool has_completed = state->status == NEBULA_EXECUTION_STATUS_COMPLETED;
    NebulaValue *message =
        state->error ? nebula_value_get_member (state->error, "message") : nullptr;

    return std::string (nebula_execution_status_to_string ((NebulaExecutionStatus) state->status)) +
           " " + to_json (has_completed ? state->output : message);
  }

  void note_batch (const Watch &watch, NebulaState *state)
  {
    NebulaValue *members = nebula_value_get_member (state->started, "batch");

    ends_[watch.id] = describe_end (state);
    was_cancelled_[watch.id] = state->end_status == NEBULA_EXECUTION_STATUS_CANCELLED;
    if (!watch.batch.empty ())
      member_of_[watch.id] = watch.batch;
    for (gsize i = 0; members && i < nebula_value_get_length (members); i++)
      if (!listed_in_.emplace (nebula_value_get_string (nebula_value_get_item (members, i)),
                               watch.id).second)
        problem_ = "an execution is in two batches";
  }

  void check_batches ()
  {
    CHECK (problem_.empty (), problem_);
    for (auto &[member, batch] : member_of_) {
      CHECK (listed_in_[member] == batch, member + " does not stand in its batch " + batch);
      CHECK (was_cancelled_[member] || ends_[member] == ends_[batch],
             member + " ends as " + ends_[member] + ", its batch as " + ends_[batch]);
    }
    for (auto &[member, batch] : listed_in_)
      CHECK (member_of_.count (member) || was_cancelled_[member],
             member + " does not know that it was collected");
  }

  /* Who says that it is inside is so for as long at least in the gate's eyes. */
  void check_stays ()
  {
    static const std::map<std::string, int> limits = {
        {"default/middle", 3}, {"default/keeper", 2}, {"default/polite", 1}, {"default/collector", 1}};

    for (auto &[key, stays] : stays_) {
      std::multimap<std::pair<gint64, int>, std::string> events;
      int n_inside = 0;

      for (const Interval &stay : stays)
        if (stay.from < stay.to)
          events.insert ({{{stay.from, 1}, stay.who}, {{stay.to, -1}, stay.who}});
      for (auto &[event, who] : events) {
        n_inside += event.second;
        CHECK (n_inside <= limits.at (key), "too many are inside " + key + ", such as " + who);
      }
    }
  }

  void check_locks ()
  {
    for (auto &[lock, intervals] : intervals_)
      for (const Interval &a : intervals)
        for (const Interval &b : intervals)
          CHECK (&a == &b || a.to <= b.from || b.to <= a.from,
                 "the lock " + lock + " is held by " + a.who + " and " + b.who);
  }

  void check_limit (NebulaHeader *header, NebulaGateState *gate)
  {
    guint limit = gate->rule.limit;

    CHECK (g_hash_table_size (gate->holders) <= limit,
           std::string ("too many are in ") + header->key);
    for (guint i = limit; i < gate->passed.length && gate->rule.kind == NEBULA_GATE_RATE; i++) {
      gint64 first = *(gint64 *) g_queue_peek_nth (&gate->passed, i - limit);
      gint64 last = *(gint64 *) g_queue_peek_nth (&gate->passed, i);

      CHECK (last - first >= gate->rule.period_usec,
             std::string ("the rate is exceeded of ") + header->key);
    }
  }

  void check_gates ()
  {
    GPtrArray *headers = list (NEBULA_STREAM_KIND_GATE);

    for (guint i = 0; i < headers->len; i++) {
      NebulaHeader *header = (NebulaHeader *) headers->pdata[i];
      NebulaGateState *gate = nebula_gate_state_new ();
      GPtrArray *segments =
          nebula_store_read_segments (data_.get (), header->stream, 0, 0, nullptr);

      for (guint k = 0; k < segments->len; k++) {
        nebula_gate_state_fold (gate, ((NebulaSegment *) segments->pdata[k])->facts, nullptr);
        check_limit (header, gate);
      }
      bool is_empty = g_hash_table_size (gate->holders) == 0 && g_queue_is_empty (&gate->queue);
      g_ptr_array_unref (segments);
      nebula_gate_state_free (gate);
      CHECK (is_empty, std::string ("somebody still holds ") + header->key);
    }
    g_ptr_array_unref (headers);
  }

  void note (NebulaUnit *unit)
  {
    digest_ = digest_ * 31 + g_str_hash (unit->stream) + unit->n_facts;
    if (unit->facts)
      digest_ = digest_ * 31 + g_bytes_hash (unit->facts);
  }

  void lie (NebulaUnit *unit)
  {
    GPtrArray *messages = unit->messages;

    note (unit);
    for (guint i = 0; messages && i < messages->len; i++) {
      NebulaMessage *message = (NebulaMessage *) messages->pdata[i];
      std::string id = message->id;

      if (plant_ == Plant::Lose && n_lies_++ % 17 == 16) {
        g_ptr_array_remove_index (messages, i);
        return;
      }
      if (plant_ == Plant::Double && g_str_has_suffix (id.c_str (), ":start")) {
        std::string other = id.substr (0, id.size () - 7) + "x";

        nebula_unit_add_message (unit, (other + ":start").c_str (), other.c_str (),
                                 message->payload, message->created_usec);
        return;
      }
      if (plant_ == Plant::Crowd && id.find (":ask:gate") != std::string::npos) {
        Value ask (nebula_value_from_msgpack (message->payload, nullptr));
        std::string holder = nebula_value_get_member_string (ask.get (), "holder", ""),
                    key = nebula_value_get_member_string (ask.get (), "key", "");
        Value grant = json (("{\"kind\":\"grant\",\"tenant\":\"default\",\"holder\":\"" + holder +
                             "\",\"key\":\"" + key + "\"}").c_str ());
        GBytes *bytes = nebula_value_to_msgpack (grant.get ());

        nebula_unit_add_message (unit, ("crowd:" + holder + key).c_str (),
                                 holder.substr (0, holder.find ('#')).c_str (), bytes,
                                 message->created_usec);
        g_bytes_unref (bytes);
        return;
      }
      if (plant_ == Plant::Forge && g_str_has_suffix (id.c_str (), ":ask")) {
        std::string holder = id.substr (0, id.size () - 4);
        Value grant = json (("{\"kind\":\"grant\",\"holder\":\"" + holder + "\"}").c_str ());
        GBytes *bytes = nebula_value_to_msgpack (grant.get ());

        nebula_unit_add_message (unit, ("forged:" + holder).c_str (),
                                 holder.substr (0, holder.find ('#')).c_str (), bytes,
                                 message->created_usec);
        g_bytes_unref (bytes);
        return;
      }
    }
  }

  std::mt19937_64 rng_;
  Plant plant_;
  bool verbose_;
  guint n_lies_ = 0;
  std::string problem_; /* found where nothing may be thrown */
  CrashStoreLie lie_;
  GMainContext *context_;
  Ref<NebulaActionResolver> resolver_;
  Ref<NebulaManualClock> clock_;
  Ref<NebulaStore> data_;
  Ref<NebulaStore> store_;
  std::vector<Ref<NebulaEngine>> engines_;
  guint64 digest_ = 0;
  Plan plan_;
  std::map<const char *, Plan> plans_;
  std::vector<std::string> roots_;
  std::set<std::string> called_;
  std::map<std::string, std::vector<Interval>> intervals_;
  std::map<std::string, std::vector<Interval>> stays_; /* by key of the gate */
  std::map<std::string, std::string> ends_;
  std::map<std::string, bool> was_cancelled_;
  std::map<std::string, std::string> member_of_; /* as the member says */
  std::map<std::string, std::string> listed_in_; /* as the batch says */
};

guint64
run_world (uint64_t seed, Plant plant, bool verbose)
{
  World world (seed, plant, verbose);

  world.run ();
  return world.get_digest ();
}

bool
run_seed (uint64_t seed, Plant plant, bool verbose)
{
  try {
    guint64 digest = run_world (seed, plant, verbose);

    CHECK (seed % 10 != 0 || plant != Plant::None || run_world (seed, plant, false) == digest,
           "the second run does not commit the same");
    return true;
  } catch (const Failure &failure) {
    if (verbose || plant == Plant::None)
      fprintf (stderr, "seed %" G_GUINT64_FORMAT ": %s\n", (guint64) seed,
               failure.text.c_str ());
    return false;
  }
}

} // namespace

int
main (int argc, char **argv)
{
  static const std::map<std::string, Plant> plants = {
      {"lose", Plant::Lose}, {"forge", Plant::Forge}, {"double", Plant::Double}, {"orphan", Plant::Orphan}, {"crowd", Plant::Crowd}};
  gint64 n_seeds = 100;
  gint64 one_seed = 0;
  char *plant_name = nullptr;
  gboolean verbose = FALSE;
  GOptionEntry entries[] = {
      {"seeds", 0, 0, G_OPTION_ARG_INT64, &n_seeds, "Run the seeds 1 to N", "N"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &one_seed, "Run one seed", "N"},
      {"plant", 0, 0, G_OPTION_ARG_STRING, &plant_name, "Plant a bug that must be caught",
       "NAME"},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "Say what happens", nullptr},
      {},
  };
  GOptionContext *context = g_option_context_new (nullptr);
  GError *error = nullptr;
  guint n_failed = 0;

  testing::InitGoogleTest (&argc, argv);
  g_option_context_add_main_entries (context, entries, nullptr);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  g_option_context_free (context);
  Plant plant = plant_name ? plants.at (plant_name) : Plant::None;
  gint64 first = one_seed ? one_seed : 1;
  gint64 last = one_seed ? one_seed : n_seeds;

  for (gint64 seed = first; seed <= last; seed++)
    n_failed += !run_seed ((uint64_t) seed, plant, verbose);
  printf ("%" G_GINT64_FORMAT " seeds, %u failed%s%s\n", last - first + 1, n_failed,
          plant_name ? ", planted " : "", plant_name ? plant_name : "");
  return (plant != Plant::None) == (n_failed > 0) ? 0 : 1;
}
