/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One simulated execution; nebula-simulation.cc tells the invariants. */
#pragma once

#include "kernel-driver.h"
#include "nebula-kernel-private.h"
#include "workflow-generator.h"
#include <algorithm>
#include <cstdio>
#include <set>

using namespace nebula;

namespace
{

enum class Plant {
  None,
  Fold,   /* a committed fact is lost at a crash */
  Ahead,  /* effects start before their commit */
  Repeat, /* an effect of unknown outcome is started again */
  Early,  /* timers fire before their time */
  Cancel, /* starts go on after a committed cancel */
  Tokens, /* a checkpoint forgets the tokens that wait */
  Blob,   /* a unit is committed without its blobs */
};

struct Failure {
  std::string text;
};

#define CHECK(condition, text)                                                           \
  do {                                                                                   \
    if (!(condition))                                                                    \
      throw Failure{std::string (text)};                                                 \
  } while (0)

struct Attempt {
  NebulaCommand command;
  std::string key;
};

class Simulation
{
public:
  /* With checkpoints the same things happen at the same time as without; so they do with little fuel on the loop. */
  Simulation (
      uint64_t seed, Plant plant, bool verbose, bool has_checkpoints, guint64 fuel = 0)
      : rng_ (seed), checkpoint_rng_ (seed), generator_ (rng_), plant_ (plant),
        verbose_ (verbose), has_checkpoints_ (has_checkpoints), fuel_ (fuel),
        resolver_ (new_world_resolver ())
  {
  }

  void run ()
  {
    std::string text = generator_.workflow ();

    if (verbose_)
      fputs (text.c_str (), stderr);
    plan_ = compile (resolver_.get (), text.c_str ());
    CHECK (plan_, "the generated workflow does not compile:\n" + text);
    create ();
    Value input = json ("{}");
    Value environment = json ("{}");
    nebula_kernel_start (kernel_, input.get (), environment.get (), rng_ (), now_);
    flush ();
    for (steps_ = 0; !ended (); steps_++) {
      CHECK (steps_ < 200000, "the execution does not end");
      step ();
      if (draw (8))
        leave_memory ();
    }
    check_fold ("at the end");
    check_loads ();
    destroy ();
  }

  guint get_n_away ()
  {
    return n_away_;
  }

  ~Simulation ()
  {
    destroy ();
    for (GBytes *segment : durable_)
      g_bytes_unref (segment);
    g_clear_pointer (&checkpoint_, g_bytes_unref);
  }

  /* A digest of all committed facts. */
  std::string history ()
  {
    GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);

    for (GBytes *segment : durable_)
      g_checksum_update (checksum, (const guchar *) g_bytes_get_data (segment, nullptr),
                         (gssize) g_bytes_get_size (segment));
    std::string digest = g_checksum_get_string (checksum);
    g_checksum_free (checksum);
    return digest;
  }

private:
  struct Unit {
    GBytes *facts;
    GPtrArray *blobs;
    guint64 sequence;
    std::string digest;
    bool cancels;
    GBytes *checkpoint; /* may be NULL */
    GPtrArray *posts;   /* may be NULL */
  };

  NebulaState *state ()
  {
    return nebula_kernel_get_state (kernel_);
  }
  unsigned pick (unsigned n)
  {
    return generator_.pick (n);
  }
  /* True once in @n times, if there are checkpoints; changes nothing that pick () gives. */
  bool draw (unsigned n)
  {
    return has_checkpoints_ && checkpoint_rng_ () % n == 0;
  }

  void say (const std::string &what)
  {
    if (verbose_)
      fprintf (stderr, "[%u] %s\n", steps_, what.c_str ());
  }

  void create ()
  {
    NebulaKernelHost host = {get_effect, nullptr, this, read_blob, blobs_.cache};

    kernel_ = nebula_kernel_new (plan_.get (), "exe_sim", "default", &host);
    nebula_kernel_set_spills (kernel_, true);
    nebula_kernel_set_inline_fuel (kernel_, fuel_);
  }

  /* Asks for classes, as the engine's does: only on the loop. */
  static gint get_effect (NebulaPlanNode *node,
                          const NebulaArguments *arguments,
                          gpointer data,
                          GError **error)
  {
    if (!((Simulation *) data)->is_away_)
      return effect_of_class (node, arguments, nullptr, error);
    g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "not here");
    return -1;
  }

  /* What the engine does by its executor. */
  template <typename F> auto away (F call)
  {
    n_away_++;
    is_away_ = true;
    nebula_kernel_set_inline_fuel (kernel_, 0);
    auto result = call ();
    nebula_kernel_set_inline_fuel (kernel_, fuel_);
    is_away_ = false;
    return result;
  }

  /* A stimulus that may be put off goes to and fro until it is done. */
  template <typename F> void until_done (F call)
  {
    for (guint i = 0; !call () && !away (call); i++)
      CHECK (i < 100, "neither on the loop nor away from it can it be done");
  }

  /* A decision that was put off is taken to its end, as it would have been at once. */
  bool turn (guint budget)
  {
    guint64 end = nebula_kernel_get_n_facts (kernel_) + budget;
    auto rest = [&] {
      guint64 n_facts = nebula_kernel_get_n_facts (kernel_);

      return nebula_kernel_turn (kernel_, (guint) (end > n_facts ? end - n_facts : 0), now_);
    };

    for (guint i = 0; i < 1000; i++) {
      NebulaTurn turn = rest ();

      if (turn == NEBULA_TURN_HEAVY)
        turn = away (rest);
      CHECK (turn != NEBULA_TURN_HEAVY, "a turn away from the loop is too heavy");
      if (turn == NEBULA_TURN_IDLE)
        return false;
      if (!kernel_->is_left && nebula_kernel_get_n_facts (kernel_) >= end)
        return true;
    }
    throw Failure{"neither on the loop nor away from it can a decision be taken"};
  }

  void tick (gint64 now)
  {
    until_done ([&] { return nebula_kernel_tick (kernel_, now); });
  }

  NebulaWork *prepare (const NebulaCommand &command, GError **error)
  {
    NebulaWork *work = nebula_kernel_prepare (kernel_, &command, error);

    if (work || !g_error_matches (*error, NEBULA_KERNEL_WOULD_BLOCK))
      return work;
    g_clear_error (error);
    return away ([&] { return nebula_kernel_prepare (kernel_, &command, error); });
  }

  static GBytes *read_blob (const char *digest, gboolean may_block, gpointer data, GError **error)
  {
    return ((Simulation *) data)->blobs_.read_bytes (digest);
  }

  void destroy ()
  {
    g_clear_pointer (&kernel_, nebula_kernel_free);
    for (Unit &unit : pending_) {
      g_bytes_unref (unit.facts);
      g_clear_pointer (&unit.blobs, g_ptr_array_unref);
      g_clear_pointer (&unit.checkpoint, g_bytes_unref);
      g_clear_pointer (&unit.posts, g_ptr_array_unref);
    }
    pending_.clear ();
    blobs_.forget_memory (100000);
    running_.clear ();
  }

  bool ended ()
  {
    return pending_.empty () && committed_ == state ()->sequence &&
           nebula_execution_status_is_terminal ((NebulaExecutionStatus) state ()->status);
  }

  void step ()
  {
    unsigned choice = pick (100);
    bool may_disturb = steps_ < 600;

    if (may_disturb && choice < 4)
      crash ();
    else if (may_disturb && choice < 5)
      cancel ();
    else if (may_disturb && choice < 8)
      signal ();
    else if (may_disturb && choice < 10)
      now_ += pick (2) ? pick (3000000) : 0; /* the clock jumps, timers or not */
    else if (may_disturb && choice < 12)
      late_result ();
    else
      progress ();
  }

  /* Whatever can be done next; time passes only when nothing else is left. */
  void progress ()
  {
    if (turn (1 + pick (8)) ||
        nebula_kernel_get_n_facts (kernel_) > 0) {
      start_ready ();
      if (pick (3) > 0)
        flush ();
      return;
    }
    start_ready ();
    if (gates_.deliver (kernel_, now_))
      return;
    if (!pending_.empty () && (running_.empty () || pick (2)))
      commit ();
    else if (!running_.empty ())
      finish (pick ((unsigned) running_.size ()));
    else
      pass_time ();
  }

  void flush ()
  {
    guint64 n_facts;
    GBytes *facts = nebula_kernel_take_facts (kernel_, &n_facts);

    if (!facts)
      return;
    char *digest = nebula_state_dup_digest (state ());
    pending_.push_back (
        {facts, nebula_kernel_take_blobs (kernel_), state ()->sequence, digest, (bool) state ()->is_stopping,
         draw (3) ? nebula_state_to_checkpoint (state ()) : nullptr,
         nebula_kernel_take_posts (kernel_)});
    g_free (digest);
  }

  void commit ()
  {
    Unit unit = pending_.front ();

    pending_.pop_front ();
    durable_.push_back (unit.facts);
    if (plant_ == Plant::Blob && unit.blobs && pick (3) == 0)
      g_ptr_array_set_size (unit.blobs, 0);
    blobs_.commit (unit.blobs);
    if (unit.checkpoint) {
      g_clear_pointer (&checkpoint_, g_bytes_unref);
      checkpoint_ = unit.checkpoint;
      n_checkpointed_ = durable_.size ();
    }
    take_posts (unit.posts);
    committed_ = unit.sequence;
    committed_digest_ = unit.digest;
    cancel_committed_ = cancel_committed_ || unit.cancels;
    start_ready ();
  }

  /* Gates act on what is committed; what they grant comes at any time afterwards. */
  void take_posts (GPtrArray *posts)
  {
    for (guint i = 0; posts && i < posts->len; i++)
      gates_.take ((NebulaPost *) posts->pdata[i]);
    g_clear_pointer (&posts, g_ptr_array_unref);
  }

  /* What an engine does with commands: those that may begin do. */
  void start_ready ()
  {
    GArray *commands = nebula_kernel_get_commands (kernel_);
    guint n_kept = 0;

    for (guint i = 0; i < commands->len; i++) {
      NebulaCommand command = g_array_index (commands, NebulaCommand, i);
      bool may =
          command.runs_ahead || command.sequence <= committed_ || plant_ == Plant::Ahead;

      if (!may) {
        g_array_index (commands, NebulaCommand, n_kept++) = command;
        continue;
      }
      if (nebula_kernel_is_current (kernel_, &command))
        begin (command);
      else if (plant_ ==
               Plant::
                   Cancel) /* an engine that does not look again starts it all the same */
        CHECK (!cancel_committed_ || has_to_run (nebula_state_get_lane (state (), command.lane)),
               "something starts after the cancel was committed");
      else
        nebula_kernel_withdraw (kernel_, &command, now_);
    }
    g_array_set_size (commands, n_kept);
  }

  /* Whether it stands in a `finally`, or undoes something: both run after a cancel too. */
  bool has_to_run (NebulaLane *lane)
  {
    for (; lane; lane = lane->parent)
      if (plan_.get ()->scopes[lane->scope].part == NEBULA_PART_FINALLY || lane->undo > 0)
        return true;
    return false;
  }

  void begin (const NebulaCommand &command)
  {
    GError *error = nullptr;
    NebulaWork *work = prepare (command, &error);

    CHECK (work,
           std::string ("parameters do not resolve: ") + (error ? error->message : ""));
    char *key = nebula_kernel_dup_identity (kernel_, work);
    Attempt attempt = {command, key};
    bool effectful = work->effect == NEBULA_EFFECT_EFFECTFUL;
    bool may_repeat =
        plan_.get ()->nodes[command.node].on_unknown == NEBULA_ON_UNKNOWN_RETRY;

    g_free (key);
    say ("start " + std::string (plan_.get ()->nodes[command.node].id) + " attempt " +
         std::to_string (command.attempt));
    CHECK (work->effect == NEBULA_EFFECT_PURE || command.sequence <= committed_,
           "an effect starts before the facts behind it are committed");
    CHECK (!cancel_committed_ || has_to_run (work->lane),
           "something starts after the cancel was committed");
    CHECK (!done_.count (attempt.key), "a node with a committed result starts again");
    CHECK (!effectful || may_repeat || !open_.count (attempt.key),
           "an effect of unknown outcome is repeated");
    if (effectful)
      open_.insert (attempt.key);
    running_.push_back (attempt);
  }

  void finish (unsigned index)
  {
    Attempt attempt = running_[index];
    unsigned outcome = pick (10);

    running_.erase (running_.begin () + index);
    past_.push_back (attempt);
    if (!nebula_kernel_wants_result (kernel_, &attempt.command))
      return;
    GError *error = nullptr;
    NebulaWork *work = prepare (attempt.command, &error);
    CHECK (work, std::string ("parameters do not resolve: ") + (error ? error->message : ""));
    NebulaResult *result = make_result (work, attempt.command, outcome);
    bool is_failure = nebula_result_get_kind (result) == NEBULA_RESULT_KIND_FAILURE;

    CHECK (nebula_kernel_result (kernel_, &attempt.command, result, now_),
           "a result that is wanted is refused");
    if (is_failure)
      open_.erase (attempt.key); /* the action said so itself: it may be tried again */
    nebula_result_unref (result);
  }

  NebulaResult *
  make_result (NebulaWork *work, const NebulaCommand &command, unsigned outcome)
  {
    gint64 until = nebula_value_get_member_integer (work->parameters, "fail-until", 0);

    if (outcome == 0) {
      Value failure (
          nebula_failure_new ("timed-out", "lost", NEBULA_RETRY_CLASS_RETRY, nullptr));
      return nebula_result_new (NEBULA_RESULT_KIND_UNKNOWN, nullptr, failure.get (), 0);
    }
    if (outcome == 1 || command.attempt < until) {
      Value failure (
          nebula_failure_new ("failed", "sometimes", NEBULA_RETRY_CLASS_RETRY, nullptr));
      return nebula_result_new (NEBULA_RESULT_KIND_FAILURE, nullptr, failure.get (), 0);
    }
    return nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, "out", work->parameters, 0);
  }

  /* The result of an attempt that was answered already changes nothing. */
  void late_result ()
  {
    if (past_.empty ())
      return;
    Attempt attempt = past_[pick ((unsigned) past_.size ())];
    guint64 before = state ()->sequence;
    Value value = json ("\"late\"");
    NebulaResult *result =
        nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, "out", value.get (), 0);
    bool is_new_attempt = false;

    for (const Attempt &other : running_)
      is_new_attempt =
          is_new_attempt ||
          (other.key == attempt.key && other.command.attempt == attempt.command.attempt);
    if (!is_new_attempt && !has_command (attempt) &&
        !nebula_kernel_wants_result (kernel_, &attempt.command)) {
      CHECK (!nebula_kernel_result (kernel_, &attempt.command, result, now_),
             "a late result is taken");
      CHECK (state ()->sequence == before, "a late result changes the history");
    }
    nebula_result_unref (result);
  }

  bool has_command (const Attempt &attempt)
  {
    GArray *commands = nebula_kernel_get_commands (kernel_);

    for (guint i = 0; i < commands->len; i++) {
      NebulaCommand *command = &g_array_index (commands, NebulaCommand, i);

      if (command->lane == attempt.command.lane && command->node == attempt.command.node)
        return true;
    }
    return false;
  }

  void pass_time ()
  {
    gint64 due = nebula_kernel_get_next_due (kernel_);

    CHECK (due > 0 || nebula_execution_status_is_terminal (
                          (NebulaExecutionStatus) state ()->status),
           "nothing moves and nothing is due: a join is stuck");
    if (due == 0)
      return;
    if (plant_ == Plant::Early) {
      fire_early (due);
      return;
    }
    now_ = MAX (now_, due - 1);
    guint64 before = state ()->sequence;
    if (now_ < due)
      tick (now_);
    CHECK (now_ >= due || state ()->sequence == before, "a timer fires early");
    now_ = MAX (now_, due);
    tick (now_);
    CHECK (state ()->sequence > before, "a timer that is due does not fire");
  }

  void fire_early (gint64 due)
  {
    guint64 before = state ()->sequence;

    tick (due); /* the planted engine's clock runs ahead */
    CHECK (now_ >= due || state ()->sequence == before, "a timer fires early");
  }

  void cancel ()
  {
    if (pick (4) > 0)
      return;
    say ("cancel");
    nebula_kernel_cancel (kernel_, NEBULA_EXECUTION_STATUS_CANCELLED, "simulated", now_);
  }

  void signal ()
  {
    Value value = json ("1");

    nebula_kernel_signal (kernel_, pick (2) ? "s0" : "s1", value.get (), now_);
  }

  /* The state after all committed facts, from the start or from a checkpoint. */
  NebulaState *load (NebulaState *start, size_t n_known)
  {
    for (size_t i = n_known; i < durable_.size (); i++) {
      Error error;

      if (!nebula_state_fold (start, durable_[i], error.out ())) {
        nebula_state_free (start);
        throw Failure{std::string ("the fold fails: ") + error.message ()};
      }
    }
    return start;
  }

  NebulaState *read_checkpoint (GBytes *bytes)
  {
    Error error;
    NebulaState *restored =
        nebula_state_from_checkpoint (plan_.get (), bytes, error.out ());

    CHECK (restored, std::string ("a checkpoint cannot be read: ") + error.message ());
    if (plant_ == Plant::Tokens)
      forget_tokens (restored);
    return restored;
  }

  void forget_tokens (NebulaState *restored)
  {
    for (guint i = 0; restored->root && i < plan_.get ()->scopes[0].n_edges; i++) {
      NebulaEdgeState *edge = &restored->root->edges[i];
      NebulaRun *run = &restored->root->runs[plan_.get ()->edges[i].to];

      if (edge->n_tokens != 1)
        continue;
      g_clear_pointer (&edge->first, nebula_value_unref);
      edge->n_tokens = 0;
      run->arrived = run->live = 0;
    }
  }

  void check_fold (const char *when)
  {
    NebulaState *folded = load (nebula_state_new (plan_.get ()), 0);
    char *digest = nebula_state_dup_digest (folded);
    bool is_equal = committed_digest_.empty () || committed_digest_ == digest;
    std::string expected = StateDump::of (folded, false);

    g_free (digest);
    nebula_state_free (folded);
    CHECK (is_equal, std::string ("the fold is not the state ") + when);
    if (!checkpoint_ || n_checkpointed_ > durable_.size ())
      return;
    NebulaState *restored = load (read_checkpoint (checkpoint_), n_checkpointed_);
    std::string actual = StateDump::of (restored, false);

    nebula_state_free (restored);
    check_same (expected, actual, when);
  }

  void check_same (const std::string &expected, const std::string &actual, const char *when)
  {
    if (verbose_ && expected != actual)
      fprintf (stderr, "expected %s\nbut it is %s\n", expected.c_str (), actual.c_str ());
    CHECK (expected == actual, std::string ("the checkpoint is not the state ") + when);
  }

  /* What a waiting execution does, at any moment: only its checkpoint is left, and is read again. */
  void leave_memory ()
  {
    if (nebula_kernel_get_n_facts (kernel_) > 0)
      return;
    say ("leave memory");
    std::string before = StateDump::of (state ());
    GBytes *bytes = nebula_state_to_checkpoint (state ());
    NebulaState *restored = read_checkpoint (bytes);

    g_bytes_unref (bytes);
    nebula_kernel_take_state (kernel_, restored);
    check_same (before, StateDump::of (restored), "it was made of");
  }

  /* What was committed can be read, after a crash too: the blobs of each fact are there. */
  void check_loads ()
  {
    Value report (nebula_kernel_report (kernel_));
    Error error;

    blobs_.forget_memory (100000);
    destroy ();
    create ();
    Value loaded (nebula_kernel_load (kernel_, report.get (), error.out ()));
    CHECK (loaded, std::string ("the report does not load: ") + (error ? error.message () : ""));
  }

  void note_done ()
  {
    for (guint i = 0; i < plan_.get ()->scopes[0].n_nodes; i++) {
      NebulaRun *run = &state ()->root->runs[i];

      if (run->status != NEBULA_NODE_COMPLETED && run->status != NEBULA_NODE_FAILED)
        continue;
      NebulaWork work = {};
      work.lane = state ()->root;
      work.node = i;
      work.firing = run->firing;
      char *key = nebula_kernel_dup_identity (kernel_, &work);
      done_.insert (key);
      g_free (key);
    }
  }

  void crash ()
  {
    say ("crash");
    if (durable_.empty ())
      return;
    if (plant_ == Plant::Fold && durable_.size () > 1 && pick (3) == 0) {
      g_bytes_unref (durable_.back ());
      durable_.pop_back ();
    }
    destroy ();
    check_fold ("after a crash");
    create ();
    if (checkpoint_ && n_checkpointed_ <= durable_.size () && !draw (4))
      nebula_kernel_take_state (kernel_, load (read_checkpoint (checkpoint_), n_checkpointed_));
    else
      load (state (), 0);
    gates_.redeliver ();
    committed_ = state ()->sequence;
    /* What had run ahead of its commit died with the process; only committed attempts can still be heard of. */
    past_.erase (std::remove_if (past_.begin (), past_.end (),
                                 [this] (const Attempt &attempt) {
                                   return attempt.command.sequence > committed_;
                                 }),
                 past_.end ());
    note_done ();
    if (plant_ == Plant::Repeat)
      forget_begun ();
    if (!nebula_kernel_recover (kernel_, now_))
      until_done ([this] { return nebula_kernel_restart (kernel_, now_); });
    tick (now_);
  }

  void forget_begun ()
  {
    for (GList *link = state ()->works.head; link; link = link->next) {
      NebulaWork *work = (NebulaWork *) link->data;
      NebulaRun *run = nebula_lane_get_run (state (), work->lane, work->node);

      if (work->is_begun)
        run->status = NEBULA_NODE_READY;
      work->is_begun = 0;
    }
  }

  std::mt19937_64 rng_;
  std::mt19937_64 checkpoint_rng_;
  Generator generator_;
  Plant plant_;
  bool verbose_;
  bool has_checkpoints_;
  guint64 fuel_; /* on the loop; 0: nothing is too heavy */
  guint n_away_ = 0;
  bool is_away_ = false;
  Ref<NebulaActionResolver> resolver_;
  Plan plan_;
  NebulaKernel *kernel_ = nullptr;
  gint64 now_ = G_GINT64_CONSTANT (1700000000000000);
  unsigned steps_ = 0;
  BlobWorld blobs_{100000};
  GateWorld gates_;
  std::deque<Unit> pending_;
  std::vector<GBytes *> durable_;
  GBytes *checkpoint_ = nullptr; /* the last committed one; may be NULL */
  size_t n_checkpointed_ = 0;    /* segments that it holds */
  guint64 committed_ = 0;
  std::string committed_digest_;
  bool cancel_committed_ = false;
  std::vector<Attempt> running_;
  std::vector<Attempt> past_;
  std::set<std::string> open_; /* effects that began and whose end nobody has said */
  std::set<std::string> done_; /* node-runs with a committed result */
};

} // namespace
