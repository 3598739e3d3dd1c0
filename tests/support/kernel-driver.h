/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drives a kernel by hand: virtual time, commits at will, attempts answered by what their parameters say. */
#pragma once

#include "test-world.h"
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "nebula-checkpoint-internal.h"
#include "nebula-gate-internal.h"
#include "nebula-kernel-internal.h"
#include "state-dump.h"

namespace nebula
{

/* The state that is read from a checkpoint of another. */
inline NebulaState *
restore (NebulaPlan *plan, NebulaState *state)
{
  GBytes *bytes = nebula_state_to_checkpoint (state);
  Error error;
  NebulaState *restored = nebula_state_from_checkpoint (plan, bytes, error.out ());

  EXPECT_TRUE (restored) << error.message ();
  g_bytes_unref (bytes);
  return restored;
}

/* The effect of a node's class, as the engine would find it. */
inline gint
effect_of_class (NebulaPlanNode *node,
                 const NebulaArguments *arguments,
                 gpointer data,
                 GError **error)
{
  return nebula_action_info_get_effect (node->info);
}

/* A store of blobs beside a kernel, with what is committed only. */
class BlobWorld
{
public:
  explicit BlobWorld (gsize cached_bytes = 1024 * 1024)
      : cache (nebula_blob_cache_new (cached_bytes))
  {
  }
  ~BlobWorld ()
  {
    forget_all ();
    nebula_blob_cache_unref (cache);
  }
  void forget_all ()
  {
    for (auto &[digest, bytes] : stored)
      g_bytes_unref (bytes);
    stored.clear ();
  }
  /* As after a crash: what is not stored is lost. */
  void forget_memory (gsize cached_bytes = 1024 * 1024)
  {
    nebula_blob_cache_unref (cache);
    cache = nebula_blob_cache_new (cached_bytes);
  }
  NebulaKernel *make_kernel (NebulaPlan *plan, const char *id, bool spills)
  {
    NebulaKernelHost host = {effect_of_class, nullptr, this, read, cache};
    NebulaKernel *kernel = nebula_kernel_new (plan, id, "default", &host);
    nebula_kernel_set_spills (kernel, spills);
    return kernel;
  }
  /* Takes over the blobs of a unit. */
  void commit (GPtrArray *blobs)
  {
    for (guint i = 0; blobs && i < blobs->len; i++) {
      NebulaBlob *blob = (NebulaBlob *) blobs->pdata[i];
      if (!stored.count (blob->digest))
        stored[blob->digest] = g_bytes_ref (blob->bytes);
      nebula_blob_cache_release (cache, blob);
    }
    g_clear_pointer (&blobs, g_ptr_array_unref);
  }

  GBytes *read_bytes (const char *digest)
  {
    auto found = stored.find (digest);
    n_reads++;
    return found == stored.end () ? nullptr : g_bytes_ref (found->second);
  }

  NebulaBlobCache *cache;
  std::map<std::string, GBytes *> stored;
  guint n_reads = 0;

private:
  static GBytes *read (const char *digest, gboolean may_block, gpointer data, GError **error)
  {
    return ((BlobWorld *) data)->read_bytes (digest);
  }
};

/* The gates of all locks, as the engine has them: they survive the execution. */
class GateWorld
{
public:
  ~GateWorld ()
  {
    for (auto &[key, gate] : gates_)
      nebula_gate_state_free (gate);
  }
  /* Takes over what a committed unit says to gates. */
  void take (const NebulaPost *post)
  {
    std::string kind = nebula_value_get_member_string (post->payload, "kind", "");
    const char *holder = nebula_value_get_member_string (post->payload, "holder", "");
    GByteArray *facts = g_byte_array_new ();
    GPtrArray *granted = g_ptr_array_new_with_free_func (nebula_gate_answer_free);
    NebulaGateAsk ask = {holder, nullptr, 0, {NEBULA_GATE_CONCURRENCY, NEBULA_GATE_QUEUE, 1, 0}};
    NebulaGateState *&gate = gates_[post->to];

    ask.is_back = nebula_value_get_member_boolean (post->payload, "back", FALSE);
    if (nebula_value_get_member_integer (post->payload, "gate", 0) == NEBULA_GATE_BATCH)
      n_collected++; /* by nobody: the test says what becomes of it */
    if (!gate)
      gate = nebula_gate_state_new ();
    if (kind == "ask" &&
        nebula_value_get_member_integer (post->payload, "gate", 0) != NEBULA_GATE_BATCH)
      nebula_gate_ask (gate, &ask, 0, facts, granted);
    else if (kind == "release")
      nebula_gate_release (gate, holder, 0, facts, granted);
    for (guint i = 0; i < granted->len; i++)
      grants.emplace_back (post->to, ((NebulaGateAnswer *) granted->pdata[i])->holder);
    g_byte_array_unref (facts);
    g_ptr_array_unref (granted);
  }
  /* Tells the execution what it was granted; whether that changed anything. */
  bool deliver (NebulaKernel *kernel, gint64 now)
  {
    bool is_news = false;

    for (const auto &[key, holder] : std::exchange (grants, {})) {
      size_t hash = holder.find ('#');

      if (hash == std::string::npos)
        is_news |= nebula_kernel_grant (kernel, key.c_str (), 0, now);
      else if (holder[hash + 1] == '@')
        is_news |= nebula_kernel_grant (kernel, key.c_str (),
                                        (guint) std::stoul (holder.substr (hash + 2)), now);
      else
        is_news |= nebula_kernel_grant_lock (kernel, key.c_str (),
                                             holder.c_str () + hash + 1, now);
    }
    return is_news;
  }

  /* After a crash: a grant stays in the inbox until its fact is committed. */
  void redeliver ()
  {
    for (auto &[key, gate] : gates_) {
      GHashTableIter iter;
      gpointer holder;

      g_hash_table_iter_init (&iter, gate->holders);
      while (g_hash_table_iter_next (&iter, &holder, nullptr))
        grants.emplace_back (key, (const char *) holder);
    }
  }

  /* Whether somebody is inside. */
  bool is_empty ()
  {
    for (auto &[key, gate] : gates_)
      if (g_hash_table_size (gate->holders) > 0 || gate->queue.length > 0)
        return false;
    return true;
  }
  /* Somebody else takes a place, or leaves it again. */
  void take_place (const char *key, const char *holder, bool leaves = false)
  {
    Value payload = json ((std::string ("{\"kind\":\"") + (leaves ? "release" : "ask") +
                           "\",\"holder\":\"" + holder + "\"}").c_str ());
    NebulaPost post = {nullptr, (char *) key, TRUE, payload.get ()};

    take (&post);
    for (auto it = grants.begin (); it != grants.end ();)
      it = it->second == holder ? grants.erase (it) : it + 1;
  }

  guint n_collected = 0; /* executions that asked to be part of a batch */
  std::vector<std::pair<std::string, std::string>> grants; /* key, holder */

private:
  std::map<std::string, NebulaGateState *> gates_;
};

class KernelDriver
{
public:
  explicit KernelDriver (NebulaPlan *plan, bool spills = false) : plan_ (plan), spills_ (spills)
  {
    kernel = blobs.make_kernel (plan, "exe_test", spills);
  }
  ~KernelDriver ()
  {
    nebula_kernel_free (kernel);
    for (GBytes *segment : segments)
      g_bytes_unref (segment);
  }

  NebulaState *state ()
  {
    return nebula_kernel_get_state (kernel);
  }

  void start (const char *input = "{}")
  {
    Value value = json (input);
    Value environment = json ("{}");

    nebula_kernel_start (kernel, value.get (), environment.get (), 42, now);
  }

  /* Commits what was recorded and returns the commands that may begin. */
  std::vector<NebulaCommand> commit ()
  {
    guint64 n_facts;
    GBytes *facts = nebula_kernel_take_facts (kernel, &n_facts);
    GArray *commands = nebula_kernel_get_commands (kernel);
    std::vector<NebulaCommand> ready;

    if (facts)
      segments.push_back (facts);
    blobs.commit (nebula_kernel_take_blobs (kernel));
    if (GPtrArray *used = nebula_kernel_take_blob_uses (kernel)) {
      for (guint i = 0; i < used->len; i++)
        uses.push_back ((const char *) used->pdata[i]);
      g_ptr_array_unref (used);
    }
    take_posts ();
    check_checkpoint ();
    for (guint i = 0; i < commands->len; i++) {
      NebulaCommand command = g_array_index (commands, NebulaCommand, i);

      if (nebula_kernel_is_current (kernel, &command))
        ready.push_back (command);
    }
    g_array_set_size (commands, 0);
    return ready;
  }

  void take_posts ()
  {
    GPtrArray *posts = nebula_kernel_take_posts (kernel);

    for (guint i = 0; posts && i < posts->len; i++) {
      NebulaPost *post = (NebulaPost *) posts->pdata[i];

      if (post->is_gate)
        gates.take (post);
      else
        sent.push_back (std::string (post->to) + " " + to_json (post->payload));
    }
    g_clear_pointer (&posts, g_ptr_array_unref);
  }

  /* Inline with a fuel; what is put off there is done away. */
  void work_inline (guint64 fuel)
  {
    inline_fuel_ = fuel;
    nebula_kernel_set_inline_fuel (kernel, fuel);
  }

  /* Takes the kernel away for one call. */
  template <typename F> auto away (F call)
  {
    n_away++;
    nebula_kernel_set_inline_fuel (kernel, 0);
    auto result = call ();
    nebula_kernel_set_inline_fuel (kernel, inline_fuel_);
    return result;
  }

  void turn ()
  {
    NebulaTurn turn = NEBULA_TURN_MORE;

    while (turn != NEBULA_TURN_IDLE) {
      guint64 before = state ()->sequence;

      turn = nebula_kernel_turn (kernel, 64, now);
      if (turn == NEBULA_TURN_HEAVY)
        turn = away ([this] { return nebula_kernel_turn (kernel, 1, now); });
      else if (turn == NEBULA_TURN_MORE) {
        EXPECT_GT (state ()->sequence, before) << "the turn makes no progress";
      }
    }
  }

  void tick ()
  {
    if (!nebula_kernel_tick (kernel, now)) {
      EXPECT_TRUE (away ([this] { return nebula_kernel_tick (kernel, now); }));
    }
  }

  /* What a test action would answer: its parameters, or the failure that they ask for. NULL: it hangs. */
  NebulaResult *answer (const NebulaCommand &command)
  {
    GError *error = nullptr;
    NebulaWork *work = nebula_kernel_prepare (kernel, &command, &error);
    NebulaResult *result;

    if (!work && g_error_matches (error, NEBULA_KERNEL_WOULD_BLOCK)) {
      g_clear_error (&error);
      work = away ([&] { return nebula_kernel_prepare (kernel, &command, &error); });
    }

    if (!work) {
      result = nebula_result_new_error (error);
      g_error_free (error);
      return result;
    }
    const char *fail = nebula_value_get_member_string (work->parameters, "fail", nullptr);
    gint64 until = nebula_value_get_member_integer (work->parameters, "fail-until", 0);

    if (nebula_value_has_member (work->parameters, "hang"))
      return nullptr;
    if (!fail || (until > 0 && command.attempt >= until))
      return nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, "out", work->parameters, 0);
    Value failure (
        nebula_failure_new ("failed", fail, NEBULA_RETRY_CLASS_RETRY, nullptr));
    return nebula_result_new (NEBULA_RESULT_KIND_FAILURE, nullptr, failure.get (), 0);
  }

  void answer_command (const NebulaCommand &command)
  {
    if (!nebula_kernel_is_current (kernel, &command))
      return; /* an answer before it cancelled it */
    NebulaResult *result = answer (command);

    started.push_back (plan_->nodes[command.node].id);
    answers.push_back (result && nebula_result_get_value (result)
                           ? to_json (nebula_result_get_value (result))
                           : "");
    if (!result) {
      hanging.push_back (command);
      return;
    }
    EXPECT_TRUE (nebula_kernel_result (kernel, &command, result, now));
    nebula_result_unref (result);
  }

  /* Jumps to the next timer if nothing else is due; FALSE: there is none. */
  bool pass_time ()
  {
    gint64 due = nebula_kernel_get_next_due (kernel);
    NebulaAgendaItem item;

    if (nebula_kernel_get_n_facts (kernel) > 0 ||
        nebula_state_peek_agenda (state (), &item))
      return true;
    if (due == 0)
      return false;
    now = MAX (now, due);
    tick ();
    return true;
  }

  /* Turns, commits and answers until nothing moves without time. */
  void settle ()
  {
    for (guint rounds = 0; rounds < 100000; rounds++) {
      turn ();
      std::vector<NebulaCommand> commands = commit ();

      if (!gates.deliver (kernel, now) && commands.empty ())
        return;
      for (const NebulaCommand &command : commands)
        answer_command (command);
    }
    ADD_FAILURE () << "the execution does not come to rest";
  }

  /* Settles and lets time pass until then. */
  void run_until (gint64 usec)
  {
    settle ();
    for (gint64 due; (due = nebula_kernel_get_next_due (kernel)) != 0 && due <= usec;) {
      now = MAX (now, due);
      tick ();
      settle ();
    }
    now = MAX (now, usec);
  }

  /* Settles, and jumps to the next timer until it has ended or only waits for somebody. */
  void run ()
  {
    settle ();
    for (guint jumps = 0; jumps < 100000; jumps++) {
      gint64 due = nebula_kernel_get_next_due (kernel);

      if (due == 0)
        break;
      now = MAX (now, due);
      tick ();
      settle ();
    }
    check_fold ();
  }

  /* A new kernel out of what is committed. */
  void crash ()
  {
    nebula_kernel_free (kernel);
    blobs.forget_memory ();
    kernel = blobs.make_kernel (plan_, "exe_test", spills_);
    hanging.clear ();
    gates.redeliver ();
    for (GBytes *segment : segments) {
      Error error;

      ASSERT_TRUE (nebula_state_fold (state (), segment, error.out ()))
          << error.message ();
    }
  }

  /* Runs to the end, but for a crash and a recovery after so many commits. What hangs is asked again. */
  void crash_after (guint n_commits)
  {
    for (guint steps = 0; steps < 100000; steps++) {
      bool has_more = nebula_kernel_turn (kernel, 1, now) == NEBULA_TURN_MORE;

      if (segments.size () + 1 == n_commits) {
        commit (); /* what may begin now dies with the engine */
        crash ();
        nebula_kernel_recover (kernel, now);
        break;
      }
      for (const NebulaCommand &command : commit ())
        answer_command (command);
      if (!gates.deliver (kernel, now) && !has_more && !pass_time ())
        break;
    }
    run ();
  }

  /* The fold of all facts gives the state. */
  void check_fold ()
  {
    NebulaState *folded = nebula_state_new (plan_);
    Error error;

    for (GBytes *segment : segments)
      ASSERT_TRUE (nebula_state_fold (folded, segment, error.out ())) << error.message ();
    char *expected = nebula_state_dup_digest (state ());
    char *actual = nebula_state_dup_digest (folded);

    EXPECT_STREQ (expected, actual) << "the fold of the facts is not the state";
    g_free (expected);
    g_free (actual);
    nebula_state_free (folded);
  }

  /* A checkpoint gives the same state again, all of it. */
  void check_checkpoint ()
  {
    NebulaState *restored = restore (plan_, state ());

    if (!restored)
      return;
    EXPECT_EQ (StateDump::of (restored), StateDump::of (state ()));
    nebula_state_free (restored);
  }

  std::string status ()
  {
    return nebula_execution_status_to_string (nebula_kernel_get_status (kernel));
  }

  std::string output ()
  {
    return load (state ()->output);
  }
  /* What people see of a value. */
  std::string load (NebulaValue *value)
  {
    Error error;
    if (!value)
      return to_json (value);
    Value loaded (nebula_kernel_load (kernel, value, error.out ()));
    return loaded ? to_json (loaded.get ()) : std::string ("!") + error.message ();
  }
  std::string error_code ()
  {
    return state ()->error ? nebula_value_get_member_string (state ()->error, "code", "")
                           : "";
  }
  /* status of a top-level node */
  std::string node (const char *id)
  {
    Value report (nebula_kernel_report (kernel));
    NebulaValue *nodes = nebula_value_get_member (report.get (), "nodes");
    NebulaValue *node = nebula_value_get_member (nodes, id);

    return node ? nebula_value_get_member_string (node, "status", "") : "(none)";
  }
  std::string result (const char *id)
  {
    Value report (nebula_kernel_report (kernel));
    NebulaValue *nodes = nebula_value_get_member (report.get (), "nodes");

    return load (nebula_value_get_member (nebula_value_get_member (nodes, id), "result"));
  }

  BlobWorld blobs;
  NebulaKernel *kernel;
  std::vector<std::string> uses; /* digests of blobs that the history names */
  gint64 now = G_GINT64_CONSTANT (1700000000000000);
  std::vector<GBytes *> segments;
  std::vector<std::string> started; /* node ids of attempts in order */
  std::vector<std::string> answers; /* to each of them */
  std::vector<NebulaCommand> hanging;
  GateWorld gates;
  std::vector<std::string> sent; /* to others: whom, and what as JSON */
  guint n_away = 0; /* calls that had to leave the loop */

private:
  NebulaPlan *plan_;
  bool spills_;
  guint64 inline_fuel_ = 0;
};

} // namespace nebula
