/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of gates: who goes in, who waits, who is refused. */
#include "nebula-error.h"
#include "nebula-gate-internal.h"
#include "nebula-test.h"

#include <random>
#include <set>

using namespace nebula;

namespace
{

class GateTest : public testing::Test
{
protected:
  ~GateTest ()
  {
    nebula_gate_state_free (gate_);
    for (GBytes *segment : segments_)
      g_bytes_unref (segment);
  }

  /* What is said, as `+a -b !c`: granted, refused, told to end. */
  std::string describe_batch (NebulaGateAnswer *answer)
  {
    std::string text;

    EXPECT_TRUE (batches_.insert (answer->holder).second) << "each batch has an id of its own";
    for (guint i = 0; i < answer->members->len; i++) {
      NebulaGateEntry *member = (NebulaGateEntry *) answer->members->pdata[i];

      text += std::string (i ? "," : "[") + member->holder + "=" + to_json (member->value);
    }
    return text + "]";
  }

  template <typename F> std::string say (F call)
  {
    GByteArray *facts = g_byte_array_new ();
    GPtrArray *answers = g_ptr_array_new_with_free_func (nebula_gate_answer_free);
    std::string text;

    call (facts, answers);
    for (guint i = 0; i < answers->len; i++) {
      NebulaGateAnswer *answer = (NebulaGateAnswer *) answers->pdata[i];

      text += std::string (text.empty () ? "" : " ") +
              (answer->verdict == NEBULA_GATE_GRANTED   ? "+"
               : answer->verdict == NEBULA_GATE_REFUSED ? "-"
               : answer->verdict == NEBULA_GATE_BATCHED ? describe_batch (answer)
                                                        : "!") +
              (answer->members ? "" : answer->holder);
    }
    if (facts->len > 0)
      segments_.push_back (g_bytes_new (facts->data, facts->len));
    g_byte_array_unref (facts);
    g_ptr_array_unref (answers);
    check_fold ();
    return text;
  }

  std::string ask (const char *holder, gint64 priority = 0, const char *share = nullptr,
                   bool is_back = false, const char *value = nullptr)
  {
    Value collected = value ? json (value) : Value ();
    NebulaGateAsk ask = {holder, share, priority, rule_, is_back, collected.get ()};

    return say ([&] (GByteArray *facts, GPtrArray *answers) {
      nebula_gate_ask (gate_, &ask, now_, facts, answers);
    });
  }
  std::string release (const char *holder)
  {
    return say ([&] (GByteArray *facts, GPtrArray *answers) {
      nebula_gate_release (gate_, holder, now_, facts, answers);
    });
  }
  std::string tick ()
  {
    return say ([&] (GByteArray *facts, GPtrArray *answers) {
      nebula_gate_tick (gate_, now_, facts, answers);
    });
  }

  static std::string describe (NebulaGateState *gate)
  {
    GHashTableIter iter;
    gpointer value;
    std::set<std::string> inside;
    std::string text = std::to_string (gate->rule.kind) + "/" +
                       std::to_string (gate->rule.limit) + "/" +
                       std::to_string (gate->rule.period_usec) + ":";

    g_hash_table_iter_init (&iter, gate->holders);
    while (g_hash_table_iter_next (&iter, nullptr, &value)) {
      NebulaGateEntry *entry = (NebulaGateEntry *) value;

      inside.insert (std::string (entry->holder) + (entry->is_cancelled ? "!" : ""));
    }
    for (const std::string &holder : inside)
      text += " " + holder;
    text += " |";
    for (GList *link = gate->queue.head; link; link = link->next) {
      NebulaGateEntry *entry = (NebulaGateEntry *) link->data;

      text += std::string (" ") + entry->holder + "@" + std::to_string (entry->priority) +
              (entry->share ? entry->share : "") + (entry->is_back ? "<" : "") +
              (entry->value ? to_json (entry->value) : "");
    }
    return text;
  }

  /* All facts, and a checkpoint, give the same state. */
  void check_fold ()
  {
    NebulaGateState *folded = nebula_gate_state_new ();
    NebulaGateState *restored = nebula_gate_state_new ();
    GBytes *checkpoint = nebula_gate_state_to_checkpoint (gate_);
    Error error;

    for (GBytes *segment : segments_)
      ASSERT_TRUE (nebula_gate_state_fold (folded, segment, error.out ()));
    ASSERT_TRUE (nebula_gate_state_fold (restored, checkpoint, error.out ()));
    EXPECT_EQ (describe (folded), describe (gate_));
    EXPECT_EQ (describe (restored), describe (gate_));
    EXPECT_EQ (folded->sequence, gate_->sequence);
    EXPECT_EQ (nebula_gate_state_get_due (restored), nebula_gate_state_get_due (gate_));
    g_bytes_unref (checkpoint);
    nebula_gate_state_free (folded);
    nebula_gate_state_free (restored);
  }

  NebulaGateState *gate_ = nebula_gate_state_new ();
  NebulaGateRule rule_ = {NEBULA_GATE_CONCURRENCY, NEBULA_GATE_QUEUE, 1, 0};
  std::vector<GBytes *> segments_;
  std::set<std::string> batches_;
  gint64 now_ = G_GINT64_CONSTANT (1700000000000000);
};

TEST_F (GateTest, LetsInByPriorityThenByOrder)
{
  EXPECT_EQ (ask ("a"), "+a");
  EXPECT_EQ (ask ("a"), "+a");
  EXPECT_EQ (ask ("b"), "");
  EXPECT_EQ (ask ("c", 5), "");
  EXPECT_EQ (ask ("d", 5), "");
  EXPECT_EQ (release ("a"), "+c");
  EXPECT_EQ (release ("nobody"), "");
  EXPECT_EQ (release ("d"), "");
  EXPECT_EQ (release ("c"), "+b");
}

TEST_F (GateTest, SharesPlacesFairly)
{
  rule_.limit = 3;
  EXPECT_EQ (ask ("a1", 0, "a"), "+a1");
  EXPECT_EQ (ask ("a2", 0, "a"), "+a2");
  EXPECT_EQ (ask ("a3", 0, "a"), "+a3");
  EXPECT_EQ (ask ("a4", 0, "a"), "");
  EXPECT_EQ (ask ("a5", 0, "a"), "");
  EXPECT_EQ (ask ("b1", 0, "b"), "");
  EXPECT_EQ (ask ("b2", 0, "b"), "");
  EXPECT_EQ (release ("a1"), "+b1");
  EXPECT_EQ (release ("a2"), "+a4"); /* one each: who asked first */
  EXPECT_EQ (release ("a3"), "+a5");
}

TEST_F (GateTest, RefusesOrMakesRoom)
{
  rule_.strategy = NEBULA_GATE_REJECT;
  EXPECT_EQ (ask ("a"), "+a");
  EXPECT_EQ (ask ("b"), "-b");
  EXPECT_EQ (release ("a"), "");
  EXPECT_EQ (ask ("b"), "+b");
  rule_.strategy = NEBULA_GATE_CANCEL_RUNNING;
  EXPECT_EQ (ask ("c"), "!b");
  EXPECT_EQ (ask ("d"), "");
  EXPECT_EQ (release ("b"), "+c");
  EXPECT_EQ (ask ("e"), "!c");
}

TEST_F (GateTest, NeverPassesARate)
{
  std::mt19937 rng (7);
  std::vector<gint64> times;
  guint n_asked = 0;

  rule_ = {NEBULA_GATE_RATE, NEBULA_GATE_QUEUE, 3, 1000000};
  for (guint i = 0; i < 400; i++) {
    std::string said = rng () % 3 == 0 ? ask (std::to_string (n_asked++).c_str ()) : tick ();

    for (char c : said)
      if (c == '+')
        times.push_back (now_);
    gint64 due = nebula_gate_state_get_due (gate_);
    now_ += due && rng () % 2 ? MAX (due - now_, 1) : rng () % 300000;
  }
  for (guint i = 0; i < 100 && !g_queue_is_empty (&gate_->queue); i++) {
    now_ = MAX (now_, nebula_gate_state_get_due (gate_));
    std::string said = tick ();
    EXPECT_NE (said, "") << "its time had come";
    for (char c : said)
      if (c == '+')
        times.push_back (now_);
  }
  EXPECT_EQ (times.size (), n_asked);
  for (size_t i = 3; i < times.size (); i++)
    EXPECT_GE (times[i] - times[i - 3], 1000000) << i;
}

TEST_F (GateTest, ThrottlesAndDebounces)
{
  rule_ = {NEBULA_GATE_THROTTLE, NEBULA_GATE_QUEUE, 2, 1000000};
  EXPECT_EQ (ask ("a"), "+a");
  EXPECT_EQ (ask ("b"), "+b");
  EXPECT_EQ (ask ("c"), "-c");
  now_ += 1000000;
  EXPECT_EQ (ask ("d"), "+d");
  rule_ = {NEBULA_GATE_DEBOUNCE, NEBULA_GATE_QUEUE, 1, 1000000};
  EXPECT_EQ (ask ("e"), "");
  now_ += 999999;
  EXPECT_EQ (tick (), "");
  EXPECT_EQ (ask ("f"), "-e");
  now_ += 999999;
  EXPECT_EQ (tick (), "");
  EXPECT_EQ (nebula_gate_state_get_due (gate_), now_ + 1);
  now_ += 1;
  EXPECT_EQ (tick (), "+f");
}

TEST_F (GateTest, WhoComesBackIsNotRefusedAndGoesFirst)
{
  rule_.strategy = NEBULA_GATE_REJECT;
  EXPECT_EQ (ask ("a"), "+a");
  EXPECT_EQ (release ("a"), "");
  EXPECT_EQ (ask ("b"), "+b");
  EXPECT_EQ (ask ("a#@1", 0, nullptr, true), "");
  EXPECT_EQ (ask ("c"), "-c");
  EXPECT_EQ (release ("a"), "") << "that stay is over";
  EXPECT_EQ (release ("b"), "+a#@1");
  rule_.strategy = NEBULA_GATE_CANCEL_RUNNING;
  EXPECT_EQ (ask ("d#@2", 0, nullptr, true), "") << "it cancels nobody either";
  EXPECT_EQ (release ("d#@2"), "");
  rule_.strategy = NEBULA_GATE_QUEUE;
  EXPECT_EQ (ask ("e"), "");
  EXPECT_EQ (ask ("f", 1), "");
  EXPECT_EQ (ask ("g#@3", 0, nullptr, true), "");
  EXPECT_EQ (release ("a#@1"), "+f");
  EXPECT_EQ (release ("f"), "+g#@3");
  EXPECT_EQ (release ("g#@3"), "+e");
}

TEST_F (GateTest, CollectsBatches)
{
  std::string large = "\"" + std::string (600000, 'x') + "\"";

  rule_ = {NEBULA_GATE_BATCH, NEBULA_GATE_QUEUE, 3, 1000000};
  EXPECT_EQ (ask ("a", 0, nullptr, false, "1"), "");
  EXPECT_EQ (ask ("b", 9, nullptr, false, "{\"x\":2}"), "");
  EXPECT_EQ (ask ("b", 9, nullptr, false, "{\"x\":2}"), "") << "the same message again";
  EXPECT_EQ (nebula_gate_state_get_due (gate_), now_ + 1000000);
  EXPECT_EQ (ask ("c", 0, nullptr, false, "3"), "[a=1,b={\"x\":2},c=3]");
  EXPECT_EQ (nebula_gate_state_get_due (gate_), 0);
  EXPECT_EQ (ask ("d", 0, nullptr, false, "4"), "");
  EXPECT_EQ (ask ("e", 0, nullptr, false, "5"), "");
  EXPECT_EQ (release ("d"), "");
  now_ += 999999;
  EXPECT_EQ (tick (), "");
  now_ += 1;
  EXPECT_EQ (tick (), "[e=5]");
  EXPECT_EQ (ask ("f", 0, nullptr, false, large.c_str ()), "");
  EXPECT_NE (ask ("g", 0, nullptr, false, large.c_str ()), "") << "so much is enough";
  EXPECT_TRUE (g_queue_is_empty (&gate_->queue));
}

TEST_F (GateTest, ReadsWhatTheFormatBeforeWrote)
{
  const guint8 old[] = {2, NEBULA_GATE_ASKED, 1, 'a', 7, 10, 0, 0, 1, 's'};
  GBytes *segment = g_bytes_new (old, sizeof old);
  Error error;

  ASSERT_TRUE (nebula_gate_state_fold (gate_, segment, error.out ())) << error.message ();
  EXPECT_EQ (describe (gate_), "0/1/0: | a@5s");
  g_bytes_unref (segment);
}

TEST_F (GateTest, RefusesDamagedHistories)
{
  ask ("a");
  ask ("b", 3, "s", true, "[1]");
  for (GBytes *segment : segments_) {
    gsize size;
    const guint8 *data = (const guint8 *) g_bytes_get_data (segment, &size);

    for (gsize length = 0; length < size; length++) {
      NebulaGateState *gate = nebula_gate_state_new ();
      GBytes *cut = g_bytes_new (data, length);
      Error error;

      if (!nebula_gate_state_fold (gate, cut, error.out ())) {
        EXPECT_TRUE (g_error_matches (error.get (), NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT));
      }
      g_bytes_unref (cut);
      nebula_gate_state_free (gate);
    }
  }
}

} // namespace
