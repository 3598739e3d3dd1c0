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
                                                        : "!") +
              answer->holder;
    }
    if (facts->len > 0)
      segments_.push_back (g_bytes_new (facts->data, facts->len));
    g_byte_array_unref (facts);
    g_ptr_array_unref (answers);
    check_fold ();
    return text;
  }

  std::string ask (const char *holder, gint64 priority = 0, const char *share = nullptr)
  {
    NebulaGateAsk ask = {holder, share, priority, rule_};

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
              (entry->share ? entry->share : "");
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

TEST_F (GateTest, RefusesDamagedHistories)
{
  ask ("a");
  ask ("b", 3, "s");
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
