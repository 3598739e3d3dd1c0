/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heap of timers and the mailbox of the engine. */
#include "nebula-heap-internal.h"
#include "nebula-mailbox-internal.h"
#include "nebula-test.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <random>
#include <thread>
#include <vector>

using namespace nebula;
using testing::ElementsAre;

namespace
{

class HeapTest : public testing::Test
{
protected:
  void SetUp () override
  {
    nebula_heap_init (&heap);
  }
  void TearDown () override
  {
    nebula_heap_clear (&heap);
  }
  std::vector<gint64> drain ()
  {
    std::vector<gint64> times;

    while (NebulaHeapEntry *entry = nebula_heap_peek (&heap)) {
      times.push_back (entry->time);
      nebula_heap_remove (&heap, entry);
      EXPECT_EQ (entry->place, 0u);
    }
    return times;
  }

  NebulaHeap heap;
};

TEST_F (HeapTest, GivesTheEarliestFirst)
{
  NebulaHeapEntry entries[5] = {};
  const gint64 times[] = {30, 10, 50, 10, -5};

  EXPECT_EQ (nebula_heap_peek (&heap), nullptr);
  for (int i = 0; i < 5; i++)
    nebula_heap_set (&heap, &entries[i], times[i]);
  EXPECT_EQ (nebula_heap_get_length (&heap), 5u);
  EXPECT_EQ (nebula_heap_peek (&heap), &entries[4]);
  EXPECT_THAT (drain (), ElementsAre (-5, 10, 10, 30, 50));
  EXPECT_EQ (nebula_heap_get_length (&heap), 0u);
}

TEST_F (HeapTest, MovesWhatIsInIt)
{
  NebulaHeapEntry first = {}, second = {}, third = {};

  nebula_heap_set (&heap, &first, 1);
  nebula_heap_set (&heap, &second, 2);
  nebula_heap_set (&heap, &third, 3);
  nebula_heap_set (&heap, &first, 9);
  EXPECT_EQ (nebula_heap_peek (&heap), &second);
  nebula_heap_set (&heap, &third, 0);
  EXPECT_EQ (nebula_heap_peek (&heap), &third);
  EXPECT_EQ (nebula_heap_get_length (&heap), 3u) << "moving does not add";
  EXPECT_THAT (drain (), ElementsAre (0, 2, 9));
}

TEST_F (HeapTest, RemovesWhatIsNotThereWithoutHarm)
{
  NebulaHeapEntry in = {}, out = {};

  nebula_heap_set (&heap, &in, 1);
  nebula_heap_remove (&heap, &out);
  EXPECT_EQ (nebula_heap_get_length (&heap), 1u);
  nebula_heap_remove (&heap, &in);
  nebula_heap_remove (&heap, &in);
  EXPECT_EQ (nebula_heap_get_length (&heap), 0u);
}

/* Against a list that is searched. */
TEST_F (HeapTest, IsRightWhateverHappens)
{
  std::mt19937 random (7);
  std::vector<NebulaHeapEntry> entries (200, NebulaHeapEntry {});

  for (int i = 0; i < 20000; i++) {
    NebulaHeapEntry *entry = &entries[random () % entries.size ()];

    if (random () % 3 == 0)
      nebula_heap_remove (&heap, entry);
    else
      nebula_heap_set (&heap, entry, (gint64) (random () % 1000));
    gint64 earliest = G_MAXINT64;
    guint length = 0;
    for (const NebulaHeapEntry &other : entries) {
      length += other.place > 0;
      if (other.place > 0)
        earliest = MIN (earliest, other.time);
    }
    ASSERT_EQ (nebula_heap_get_length (&heap), length);
    if (length > 0) {
      ASSERT_EQ (nebula_heap_peek (&heap)->time, earliest);
    }
  }
  std::vector<gint64> times = drain ();
  EXPECT_TRUE (std::is_sorted (times.begin (), times.end ()));
}

class MailboxTest : public LoopTest
{
protected:
  void SetUp () override
  {
    LoopTest::SetUp ();
    mailbox = nebula_mailbox_new (context_, G_PRIORITY_DEFAULT, receive, this);
  }
  void TearDown () override
  {
    close ();
    nebula_mailbox_unref (mailbox);
    LoopTest::TearDown ();
  }
  void close ()
  {
    if (!is_closed)
      nebula_mailbox_close (mailbox, discard);
    is_closed = true;
  }
  bool post (int number)
  {
    return nebula_mailbox_post (mailbox, GINT_TO_POINTER (number));
  }
  static void receive (gpointer letter, gpointer user_data)
  {
    MailboxTest *self = (MailboxTest *) user_data;

    self->received.push_back (GPOINTER_TO_INT (letter));
    if (self->on_letter)
      self->on_letter (GPOINTER_TO_INT (letter));
  }
  static void discard (gpointer letter)
  {
    discarded.push_back (GPOINTER_TO_INT (letter));
  }

  static std::vector<int> discarded;
  NebulaMailbox *mailbox = nullptr;
  std::vector<int> received;
  std::function<void (int)> on_letter;
  bool is_closed = false;
};

std::vector<int> MailboxTest::discarded;

TEST_F (MailboxTest, DeliversInOneDispatchAndInOrder)
{
  EXPECT_TRUE (post (1));
  EXPECT_TRUE (post (2));
  EXPECT_TRUE (post (3));
  EXPECT_TRUE (received.empty ()) << "never inside the call";
  EXPECT_TRUE (g_main_context_iteration (context_, FALSE));
  EXPECT_THAT (received, ElementsAre (1, 2, 3));
  EXPECT_FALSE (g_main_context_iteration (context_, FALSE)) << "nothing is left to do";
}

/* What a letter leads to comes in the next dispatch: others of the loop get their turn. */
TEST_F (MailboxTest, TakesLettersThatComeMeanwhileNextTime)
{
  on_letter = [this] (int number) {
    if (number < 3)
      post (number + 1);
  };
  post (1);
  g_main_context_iteration (context_, FALSE);
  EXPECT_THAT (received, ElementsAre (1));
  g_main_context_iteration (context_, FALSE);
  g_main_context_iteration (context_, FALSE);
  EXPECT_THAT (received, ElementsAre (1, 2, 3));
}

TEST_F (MailboxTest, GivesBackWhatWaitsWhenItCloses)
{
  discarded.clear ();
  post (1);
  post (2);
  close ();
  EXPECT_THAT (discarded, ElementsAre (1, 2));
  EXPECT_FALSE (post (3)) << "the letter still is the caller's";
  g_main_context_iteration (context_, FALSE);
  EXPECT_TRUE (received.empty ());
}

/* Whoever is told may close it: the letters behind his are not told any more. */
TEST_F (MailboxTest, MayBeClosedByALetter)
{
  discarded.clear ();
  on_letter = [this] (int number) {
    if (number == 2)
      close ();
  };
  for (int i = 1; i <= 4; i++)
    post (i);
  g_main_context_iteration (context_, FALSE);
  EXPECT_THAT (received, ElementsAre (1, 2));
  EXPECT_THAT (discarded, ElementsAre (3, 4));
}

TEST_F (MailboxTest, TakesLettersOfManyThreads)
{
  const int n_threads = 4, n_letters = 5000;
  std::vector<std::thread> threads;
  std::vector<int> last (n_threads, -1);
  int n_received = 0;
  bool is_ordered = true;

  on_letter = [&] (int letter) {
    int thread = letter / n_letters, number = letter % n_letters;

    is_ordered = is_ordered && number == last[thread] + 1;
    last[thread] = number;
    n_received++;
  };
  for (int i = 0; i < n_threads; i++)
    threads.emplace_back ([this, i] {
      for (int k = 0; k < n_letters; k++)
        post (i * n_letters + k);
    });
  EXPECT_TRUE (run_until ([&] { return n_received == n_threads * n_letters; }));
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_TRUE (is_ordered) << "of one thread the order is kept";
}

/* A poster may hold the last reference. */
TEST_F (MailboxTest, OutlivesItsOwner)
{
  NebulaMailbox *other = nebula_mailbox_new (context_, G_PRIORITY_LOW, receive, this);

  nebula_mailbox_ref (other);
  nebula_mailbox_close (other, discard);
  nebula_mailbox_unref (other);
  EXPECT_FALSE (nebula_mailbox_post (other, GINT_TO_POINTER (1)));
  nebula_mailbox_unref (other);
}

} // namespace
