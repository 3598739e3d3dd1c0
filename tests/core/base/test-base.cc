/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "nebula-base-enums.h"
#include "nebula-context.h"
#include "nebula-error-chain.h"
#include "nebula-executor.h"
#include "nebula-id.h"
#include "nebula-limits.h"
#include "nebula-scope.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::Ref;

namespace
{

using Id = nebula::Owned<NebulaId, nebula_id_free>;
using Context = nebula::Owned<NebulaContext, nebula_context_unref>;

NebulaRetryClass
class_of (GQuark domain, int code)
{
  GError *error = g_error_new_literal (domain, code, "x");
  NebulaRetryClass retry_class = nebula_error_get_retry_class (error);
  g_error_free (error);
  return retry_class;
}

std::string
code_of (GQuark domain, int code)
{
  GError *error = g_error_new_literal (domain, code, "x");
  std::string text = nebula_error_get_code (error);
  g_error_free (error);
  return text;
}

std::string
print (const Id &id)
{
  char *text = nebula_id_to_string (id.get ());
  std::string result (text);
  g_free (text);
  return result;
}

} // namespace

TEST (Error, EveryCodeHasItsNickAsText)
{
  GEnumClass *klass = (GEnumClass *) g_type_class_ref (NEBULA_TYPE_ERROR);
  EXPECT_EQ (klass->n_values, (guint) NEBULA_ERROR_CONFIG + 1);
  for (guint i = 0; i < klass->n_values; i++) {
    NebulaError code = NEBULA_ERROR_FAILED;
    EXPECT_STREQ (nebula_error_code_to_string ((NebulaError) klass->values[i].value), klass->values[i].value_nick);
    EXPECT_TRUE (nebula_error_code_from_string (klass->values[i].value_nick, &code));
    EXPECT_EQ ((int) code, klass->values[i].value);
    EXPECT_EQ (code_of (NEBULA_ERROR, klass->values[i].value), klass->values[i].value_nick);
  }
  g_type_class_unref (klass);
  EXPECT_FALSE (nebula_error_code_from_string ("none", nullptr));
  EXPECT_TRUE (nebula_error_code_from_string ("store", nullptr));
  EXPECT_EQ (code_of (NEBULA_ERROR, 9999), "failed");
}

TEST (Error, ForeignErrorsMap)
{
  EXPECT_EQ (code_of (G_IO_ERROR, G_IO_ERROR_NOT_FOUND), "not-found");
  EXPECT_EQ (code_of (G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE), "network");
  EXPECT_EQ (code_of (G_IO_ERROR, G_IO_ERROR_FAILED), "failed");
  EXPECT_EQ (code_of (G_FILE_ERROR, G_FILE_ERROR_ACCES), "permission-denied");
  EXPECT_EQ (code_of (G_FILE_ERROR, G_FILE_ERROR_IO), "io");
  EXPECT_EQ (code_of (G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND), "network");
  EXPECT_EQ (code_of (G_REGEX_ERROR, G_REGEX_ERROR_COMPILE), "regex");
  EXPECT_EQ (code_of (G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT), "process-failed");
  EXPECT_EQ (code_of (G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE), "network");
  EXPECT_EQ (code_of (G_CONVERT_ERROR, G_CONVERT_ERROR_FAILED), "invalid-data");
  EXPECT_EQ (code_of (G_MARKUP_ERROR, G_MARKUP_ERROR_PARSE), "syntax");
  EXPECT_EQ (code_of (g_quark_from_static_string ("json-parser-error-quark"), 0), "syntax");
  EXPECT_EQ (code_of (g_quark_from_static_string ("nobody-knows"), 7), "failed");
  for (int code : { G_IO_ERROR_BUSY, G_IO_ERROR_TIMED_OUT, G_IO_ERROR_WOULD_BLOCK, G_IO_ERROR_CONNECTION_REFUSED,
                    G_IO_ERROR_CONNECTION_CLOSED, G_IO_ERROR_HOST_UNREACHABLE, G_IO_ERROR_NETWORK_UNREACHABLE })
    EXPECT_EQ (class_of (G_IO_ERROR, code), NEBULA_RETRY_CLASS_RETRY) << code;
  EXPECT_EQ (class_of (G_IO_ERROR, G_IO_ERROR_CANCELLED), NEBULA_RETRY_CLASS_CANCELLED);
  EXPECT_EQ (class_of (G_IO_ERROR, G_IO_ERROR_NOT_FOUND), NEBULA_RETRY_CLASS_TERMINAL);
  EXPECT_EQ (class_of (NEBULA_ERROR, NEBULA_ERROR_THROTTLED), NEBULA_RETRY_CLASS_THROTTLE);
  EXPECT_EQ (class_of (NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY), NEBULA_RETRY_CLASS_RETRY);
  EXPECT_EQ (class_of (NEBULA_ERROR, NEBULA_ERROR_TYPE), NEBULA_RETRY_CLASS_TERMINAL);
  EXPECT_STREQ (nebula_retry_class_to_string (NEBULA_RETRY_CLASS_TERMINAL), "terminal");
  EXPECT_STREQ (nebula_retry_class_to_string (NEBULA_RETRY_CLASS_CANCELLED), "cancelled");
}

namespace
{

using OwnedError = nebula::Owned<GError, g_error_free>;

/* Three levels: a foreign error, and two contexts. */
GError *
make_chain ()
{
  GError *error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no such file");
  nebula_error_add_context (&error, "Opening “%s”", "orders.db");
  return nebula_error_wrap (error, "Starting");
}

} // namespace

TEST (ErrorChain, MessageReadsOuterThenInner)
{
  OwnedError error (make_chain ());
  EXPECT_STREQ (error.get ()->message, "Starting: Opening “orders.db”: no such file");
  EXPECT_EQ (error.get ()->domain, NEBULA_ERROR);
  EXPECT_EQ (error.get ()->code, NEBULA_ERROR_NOT_FOUND);
  EXPECT_EQ (nebula_error_get_retry_class (error.get ()), NEBULA_RETRY_CLASS_TERMINAL);
}

TEST (ErrorChain, PrintsAllLevels)
{
  OwnedError error (make_chain ());
  char *text = nebula_error_print_chain (error.get ());
  EXPECT_STREQ (text, "Starting\n  Opening “orders.db”\n  no such file (not-found)");
  g_free (text);
  OwnedError plain (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy"));
  text = nebula_error_print_chain (plain.get ());
  EXPECT_STREQ (text, "busy (unavailable)");
  g_free (text);
}

TEST (ErrorChain, KeepsItsRootThroughCopies)
{
  GError *error = make_chain ();
  OwnedError copy (g_error_copy (error));
  g_error_free (error);
  const GError *cause = nebula_error_get_cause (copy.get ());
  EXPECT_STREQ (nebula_error_get_context (copy.get ()), "Starting");
  EXPECT_STREQ (nebula_error_get_context (cause), "Opening “orders.db”");
  const GError *root = nebula_error_get_root_cause (copy.get ());
  EXPECT_TRUE (g_error_matches (root, G_IO_ERROR, G_IO_ERROR_NOT_FOUND));
  EXPECT_EQ (nebula_error_get_cause (root), nullptr);
  EXPECT_EQ (nebula_error_get_root_cause (root), root);
  EXPECT_STREQ (nebula_error_get_context (root), "no such file");
}

TEST (ErrorChain, GrowsToALimitOnly)
{
  GError *error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_IO, "root");
  for (int i = 0; i < 100; i++)
    error = nebula_error_wrap (error, "more");
  OwnedError owned (error);
  int levels = 0;
  for (const GError *level = error; (level = nebula_error_get_cause (level));)
    levels++;
  EXPECT_LE (levels, NEBULA_LIMIT_CAUSES);
  EXPECT_STREQ (nebula_error_get_root_cause (error)->message, "root");
  EXPECT_EQ (strlen (error->message), 100 * strlen ("more: ") + strlen ("root"));
}

TEST (ErrorChain, NothingHappensWithoutAnError)
{
  GError *error = nullptr;
  nebula_error_add_context (&error, "x");
  nebula_error_add_context (nullptr, "x");
  EXPECT_EQ (error, nullptr);
}

TEST (ErrorChain, RetryAfterGoesUpTheChain)
{
  GError *error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_THROTTLED, "slow down");
  EXPECT_EQ (nebula_error_get_retry_after_ms (error), -1);
  nebula_error_set_retry_after_ms (error, 1500);
  error = nebula_error_wrap (error, "Asking");
  OwnedError owned (error);
  EXPECT_EQ (nebula_error_get_retry_after_ms (error), 1500);
  EXPECT_EQ (nebula_error_get_retry_class (error), NEBULA_RETRY_CLASS_THROTTLE);
  nebula_error_set_retry_after_ms (error, -5);
  EXPECT_EQ (nebula_error_get_retry_after_ms (error), -1);
  OwnedError foreign (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "x"));
  EXPECT_EQ (nebula_error_get_retry_after_ms (foreign.get ()), -1);
}

TEST (ErrorChain, ConvertsErrorsOfOthers)
{
  OwnedError error (nebula_error_convert (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "too slow")));
  EXPECT_EQ (error.get ()->code, NEBULA_ERROR_TIMED_OUT);
  EXPECT_STREQ (error.get ()->message, "too slow");
  EXPECT_TRUE (g_error_matches (nebula_error_get_root_cause (error.get ()), G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
  char *text = nebula_error_print_chain (error.get ());
  EXPECT_STREQ (text, "too slow (timed-out)");
  g_free (text);
  GQuark json_glib = g_quark_from_static_string ("json-parser-error-quark");
  OwnedError json (nebula_error_convert (g_error_new_literal (json_glib, 1, "bad")));
  EXPECT_EQ (json.get ()->code, NEBULA_ERROR_SYNTAX);
  GError *ours = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_TYPE, "x");
  OwnedError same (nebula_error_convert (ours));
  EXPECT_EQ (same.get (), ours);
}

TEST (ErrorHttp, StatusesBecomeErrors)
{
  struct
  {
    guint status;
    NebulaError code;
    NebulaRetryClass retry_class;
  } cases[] = {
    { 400, NEBULA_ERROR_INVALID_ARGUMENT, NEBULA_RETRY_CLASS_TERMINAL },
    { 401, NEBULA_ERROR_PERMISSION_DENIED, NEBULA_RETRY_CLASS_TERMINAL },
    { 404, NEBULA_ERROR_NOT_FOUND, NEBULA_RETRY_CLASS_TERMINAL },
    { 408, NEBULA_ERROR_TIMED_OUT, NEBULA_RETRY_CLASS_RETRY },
    { 409, NEBULA_ERROR_CONFLICT, NEBULA_RETRY_CLASS_TERMINAL },
    { 413, NEBULA_ERROR_TOO_LARGE, NEBULA_RETRY_CLASS_TERMINAL },
    { 418, NEBULA_ERROR_INVALID_ARGUMENT, NEBULA_RETRY_CLASS_TERMINAL },
    { 425, NEBULA_ERROR_UNAVAILABLE, NEBULA_RETRY_CLASS_RETRY },
    { 429, NEBULA_ERROR_THROTTLED, NEBULA_RETRY_CLASS_THROTTLE },
    { 500, NEBULA_ERROR_HTTP_STATUS, NEBULA_RETRY_CLASS_RETRY },
    { 501, NEBULA_ERROR_UNSUPPORTED, NEBULA_RETRY_CLASS_TERMINAL },
    { 503, NEBULA_ERROR_UNAVAILABLE, NEBULA_RETRY_CLASS_RETRY },
    { 504, NEBULA_ERROR_TIMED_OUT, NEBULA_RETRY_CLASS_RETRY },
    { 599, NEBULA_ERROR_HTTP_STATUS, NEBULA_RETRY_CLASS_RETRY },
    { 999, NEBULA_ERROR_HTTP_STATUS, NEBULA_RETRY_CLASS_RETRY },
  };
  for (auto &c : cases) {
    OwnedError error (nebula_error_from_http_status (c.status, "Reason", 2000));
    EXPECT_EQ (error.get ()->code, c.code) << c.status;
    EXPECT_EQ (nebula_error_get_retry_class (error.get ()), c.retry_class) << c.status;
    EXPECT_EQ (nebula_error_get_retry_after_ms (error.get ()), 2000);
    EXPECT_THAT (error.get ()->message, testing::HasSubstr (std::to_string (c.status) + ": Reason"));
  }
  for (guint status : { 0, 100, 200, 204, 304, 399 })
    EXPECT_EQ (nebula_error_from_http_status (status, nullptr, -1), nullptr);
  OwnedError bare (nebula_error_from_http_status (404, nullptr, -1));
  EXPECT_TRUE (g_str_has_suffix (bare.get ()->message, "404"));
}

TEST (ErrorHttp, EveryCodeHasAStatusAndATitle)
{
  GEnumClass *klass = (GEnumClass *) g_type_class_ref (nebula_error_get_type ());
  std::set<std::string> titles;
  for (guint i = 0; i < klass->n_values; i++) {
    OwnedError error (g_error_new_literal (NEBULA_ERROR, klass->values[i].value, "x"));
    guint status = nebula_error_get_http_status (error.get ());
    EXPECT_TRUE (status >= 400 && status < 600) << klass->values[i].value_nick;
    const char *title = nebula_error_code_get_title ((NebulaError) klass->values[i].value);
    ASSERT_NE (title, nullptr) << klass->values[i].value_nick;
    EXPECT_TRUE (titles.insert (title).second) << title;
  }
  g_type_class_unref (klass);
  OwnedError foreign (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "x"));
  EXPECT_EQ (nebula_error_get_http_status (foreign.get ()), 403u);
  OwnedError internal (g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_INTERNAL, "x"));
  EXPECT_EQ (nebula_error_get_http_status (internal.get ()), 500u);
}

TEST (Id, PrintsAndReadsEveryKind)
{
  std::set<std::string> prefixes;
  for (int kind = NEBULA_ID_KIND_EXECUTION; kind <= NEBULA_ID_KIND_MESSAGE; kind++) {
    Id id (nebula_id_new ((NebulaIdKind) kind, nullptr));
    std::string text = print (id);
    EXPECT_EQ (text.size (), 30u);
    prefixes.insert (text.substr (0, 4));
    Error error;
    Id back (nebula_id_parse (text.c_str (), error.out ()));
    ASSERT_TRUE (back) << error.message ();
    EXPECT_TRUE (nebula_id_equal (id.get (), back.get ()));
    EXPECT_EQ (nebula_id_hash (id.get ()), nebula_id_hash (back.get ()));
    EXPECT_EQ (nebula_id_get_kind (back.get ()), kind);
    char *upper = g_ascii_strup (text.c_str (), -1);
    Id loud (nebula_id_parse (upper, error.out ()));
    g_free (upper);
    ASSERT_TRUE (loud);
    EXPECT_EQ (print (loud), text);
  }
  EXPECT_EQ (prefixes.size (), 10u);
}

TEST (Id, TextOrderIsTimeOrder)
{
  Ref<NebulaManualClock> clock (nebula_manual_clock_new (1700000000000000, 1));
  Id last (nebula_id_new (NEBULA_ID_KIND_EXECUTION, NEBULA_CLOCK (clock.get ())));
  EXPECT_EQ (nebula_id_get_time_ms (last.get ()), 1700000000000);
  EXPECT_EQ (print (last).substr (0, 14), "exe_01hf7yat00");
  for (int i = 0; i < 1000; i++) {
    nebula_manual_clock_advance (clock.get (), 1000 + i * 997);
    Id id (nebula_id_new (NEBULA_ID_KIND_EXECUTION, NEBULA_CLOCK (clock.get ())));
    EXPECT_LT (print (last), print (id));
    EXPECT_LT (nebula_id_compare (last.get (), id.get ()), 0);
    EXPECT_GT (nebula_id_compare (id.get (), last.get ()), 0);
    last = std::move (id);
  }
  Id node (nebula_id_new (NEBULA_ID_KIND_NODE, NEBULA_CLOCK (clock.get ())));
  EXPECT_LT (nebula_id_compare (last.get (), node.get ()), 0);
  EXPECT_EQ (nebula_id_compare (node.get (), node.get ()), 0);
}

TEST (Id, AreNeverTwice)
{
  std::set<std::string> texts;
  for (int i = 0; i < 10000; i++)
    texts.insert (print (Id (nebula_id_new (NEBULA_ID_KIND_EXECUTION, nullptr))));
  EXPECT_EQ (texts.size (), 10000u);
}

TEST (Id, JunkIsAnError)
{
  for (const char *text :
       { "", "exe_", "exe_01hf7yat000000000000000000x", "exe_01hf7yat00000000000000000", "xyz_01hf7yat000000000000000000",
         "exe_01hf7yat00000000000000000u", "exe_01hf7yat00000000000000000i", "exe_81hf7yat000000000000000000",
         "exe_zzzzzzzzzzzzzzzzzzzzzzzzzz", "exe-01hf7yat000000000000000000", "\xff\xff\xff", "exe_01hf7yat00 0000000000000000" }) {
    Error error;
    EXPECT_FALSE (Id (nebula_id_parse (text, error.out ()))) << text;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX)) << text;
    EXPECT_TRUE (g_utf8_validate (error.message (), -1, nullptr));
  }
  EXPECT_TRUE (Id (nebula_id_parse ("exe_7zzzzzzzzzzzzzzzzzzzzzzzzz", nullptr)));
}

class Clock : public nebula::LoopTest
{
};

TEST_F (Clock, ManualSourcesRunWhenTheirTimeHasCome)
{
  Ref<NebulaManualClock> manual (nebula_manual_clock_new (5000, 7));
  NebulaClock *clock = NEBULA_CLOCK (manual.get ());
  std::vector<int> ran;
  struct Entry
  {
    std::vector<int> *ran;
    int number;
  };
  std::vector<Entry *> entries;
  std::vector<GSource *> sources;
  auto add = [&] (gint64 due, int number) {
    GSource *source = nebula_clock_create_source (clock, due);
    Entry *entry = new Entry{ &ran, number };
    entries.push_back (entry);
    g_source_set_callback (
      source,
      [] (gpointer data) -> gboolean {
        ((Entry *) data)->ran->push_back (((Entry *) data)->number);
        return G_SOURCE_REMOVE;
      },
      entry, nullptr);
    g_source_attach (source, context_);
    sources.push_back (source);
  };
  auto turn = [&] {
    while (g_main_context_iteration (context_, FALSE))
      ;
  };
  EXPECT_EQ (nebula_manual_clock_get_next_usec (manual.get ()), G_MAXINT64);
  add (100, 1);
  add (200, 2);
  add (300, 3);
  add (-1, 0);
  turn ();
  EXPECT_EQ (ran, (std::vector<int>{ 0 }));
  EXPECT_EQ (nebula_manual_clock_get_next_usec (manual.get ()), 100);
  nebula_manual_clock_advance (manual.get (), 99);
  turn ();
  EXPECT_EQ (ran.size (), 1u);
  nebula_manual_clock_advance (manual.get (), 1);
  turn ();
  EXPECT_EQ (ran, (std::vector<int>{ 0, 1 }));
  g_source_destroy (sources[1]);
  EXPECT_EQ (nebula_manual_clock_get_next_usec (manual.get ()), 300);
  nebula_manual_clock_advance (manual.get (), 1000);
  turn ();
  EXPECT_EQ (ran, (std::vector<int>{ 0, 1, 3 }));
  EXPECT_EQ (nebula_clock_get_monotonic_usec (clock), 1100);
  EXPECT_EQ (nebula_clock_get_real_usec (clock), 6100);
  nebula_manual_clock_step_real (manual.get (), -100);
  EXPECT_EQ (nebula_clock_get_real_usec (clock), 6000);
  EXPECT_EQ (nebula_clock_get_monotonic_usec (clock), 1100);
  for (GSource *source : sources)
    g_source_unref (source);
  for (Entry *entry : entries)
    delete entry;
  NebulaManualClock *weak = manual.get ();
  g_object_add_weak_pointer (G_OBJECT (weak), (gpointer *) &weak);
  manual = Ref<NebulaManualClock> (nullptr);
  EXPECT_EQ (weak, nullptr);
}

TEST_F (Clock, ManualRandomFollowsFromItsSeed)
{
  Ref<NebulaManualClock> a (nebula_manual_clock_new (0, 7)), b (nebula_manual_clock_new (0, 7)),
    c (nebula_manual_clock_new (0, 8));
  for (int i = 0; i < 10; i++) {
    guint64 random = nebula_clock_get_random (NEBULA_CLOCK (a.get ()));
    EXPECT_EQ (random, nebula_clock_get_random (NEBULA_CLOCK (b.get ())));
    EXPECT_NE (random, nebula_clock_get_random (NEBULA_CLOCK (c.get ())));
  }
}

TEST_F (Clock, TheSystemsClockWakes)
{
  NebulaClock *clock = nebula_clock_get_system ();
  EXPECT_EQ (clock, nebula_clock_get_system ());
  EXPECT_NE (nebula_clock_get_random (clock), nebula_clock_get_random (clock));
  EXPECT_GT (nebula_clock_get_real_usec (clock), G_GINT64_CONSTANT (1600000000000000));
  gint64 due = nebula_clock_get_monotonic_usec (clock) + 2000, woke = 0;
  GSource *source = nebula_clock_create_source (clock, due);
  g_source_set_callback (
    source,
    [] (gpointer data) -> gboolean {
      *(gint64 *) data = g_get_monotonic_time ();
      return G_SOURCE_REMOVE;
    },
    &woke, nullptr);
  g_source_attach (source, context_);
  EXPECT_TRUE (run_until ([&] { return woke > 0; }));
  EXPECT_GE (woke, due);
  g_source_unref (source);
}

/* Bits are drawn ahead; what a child inherits of them it must not give. */
TEST_F (Clock, ForkedChildDrawsOtherRandoms)
{
  NebulaClock *clock = nebula_clock_get_system ();
  guint64 of_child = 0;
  int ends[2];

  nebula_clock_get_random (clock);
  ASSERT_EQ (pipe (ends), 0);
  pid_t child = fork ();
  if (child == 0) {
    guint64 random = nebula_clock_get_random (clock);

    _exit (write (ends[1], &random, sizeof random) == sizeof random ? 0 : 1);
  }
  ASSERT_EQ (read (ends[0], &of_child, sizeof of_child), (ssize_t) sizeof of_child);
  EXPECT_NE (nebula_clock_get_random (clock), of_child);
  EXPECT_EQ (waitpid (child, nullptr, 0), child);
  close (ends[0]);
  close (ends[1]);
}

TEST_F (Clock, ExecutorRunsEverythingOnce)
{
  static std::atomic<int> count;
  count = 0;
  NebulaExecutor *executor = nebula_executor_get_default ();
  EXPECT_EQ (executor, nebula_executor_get_default ());
  for (int i = 0; i < 1000; i++)
    nebula_executor_push (executor, [] (gpointer data) { count += GPOINTER_TO_INT (data); }, GINT_TO_POINTER (2));
  EXPECT_TRUE (run_until ([] { return count >= 2000; }));
  EXPECT_EQ (count, 2000);
}

TEST (Context, CopiesChangeOnePart)
{
  Context empty (nebula_context_new ());
  EXPECT_EQ (nebula_context_get_tenant (empty.get ()), nullptr);
  Context a (nebula_context_with_tenant (empty.get (), "acme"));
  Context b (nebula_context_with_user (a.get (), "ann"));
  Context c (nebula_context_with_language (b.get (), "de"));
  Context d (nebula_context_with_trace (c.get (), "0af7"));
  Context e (nebula_context_with_execution (d.get (), "exe_1"));
  Context f (nebula_context_with_node (e.get (), "fetch"));
  EXPECT_STREQ (nebula_context_get_tenant (f.get ()), "acme");
  EXPECT_STREQ (nebula_context_get_user (f.get ()), "ann");
  EXPECT_STREQ (nebula_context_get_language (f.get ()), "de");
  EXPECT_STREQ (nebula_context_get_trace (f.get ()), "0af7");
  EXPECT_STREQ (nebula_context_get_execution (f.get ()), "exe_1");
  EXPECT_STREQ (nebula_context_get_node (f.get ()), "fetch");
  EXPECT_EQ (nebula_context_get_user (a.get ()), nullptr);
  Context g (nebula_context_with_user (f.get (), nullptr));
  EXPECT_EQ (nebula_context_get_user (g.get ()), nullptr);
  EXPECT_STREQ (nebula_context_get_user (f.get ()), "ann");
  Context h ((NebulaContext *) g_boxed_copy (NEBULA_TYPE_CONTEXT, g.get ()));
  EXPECT_EQ (h.get (), g.get ());
}

TEST (Context, DeadlinesOnlyDrawNearer)
{
  Ref<NebulaManualClock> clock (nebula_manual_clock_new (0, 0));
  Context context (nebula_context_new ());
  EXPECT_EQ (nebula_context_get_remaining_usec (context.get (), nullptr), G_MAXINT64);
  Context near (nebula_context_with_deadline (context.get (), 1000));
  Context far (nebula_context_with_deadline (near.get (), 5000));
  EXPECT_EQ (nebula_context_get_deadline (far.get ()), 1000);
  nebula_manual_clock_advance (clock.get (), 400);
  EXPECT_EQ (nebula_context_get_remaining_usec (far.get (), NEBULA_CLOCK (clock.get ())), 600);
  nebula_manual_clock_advance (clock.get (), 4000);
  EXPECT_EQ (nebula_context_get_remaining_usec (far.get (), NEBULA_CLOCK (clock.get ())), 0);
}

TEST (Scope, ContainsForAllPairs)
{
  std::vector<NebulaScope *> chain = { nebula_scope_new_global () };
  for (int kind = NEBULA_SCOPE_KIND_TENANT; kind <= NEBULA_SCOPE_KIND_ACTION; kind++)
    chain.push_back (nebula_scope_new_child (chain.back (), (NebulaScopeKind) kind, "x"));
  NebulaScope *other = nebula_scope_new_child (chain[0], NEBULA_SCOPE_KIND_TENANT, "y");
  for (size_t i = 0; i < chain.size (); i++) {
    for (size_t k = 0; k < chain.size (); k++)
      EXPECT_EQ (nebula_scope_contains (chain[i], chain[k]), i <= k);
    EXPECT_EQ (nebula_scope_contains (chain[i], other), i == 0);
    EXPECT_FALSE (nebula_scope_contains (other, chain[i]));
    EXPECT_EQ (nebula_scope_get_kind (chain[i]), (int) i);
    EXPECT_EQ (nebula_scope_get_parent (chain[i]), i ? chain[i - 1] : nullptr);
  }
  EXPECT_STREQ (nebula_scope_get_id (other), "y");
  EXPECT_STREQ (nebula_identifiable_get_id (NEBULA_IDENTIFIABLE (other)), "y");
  g_object_unref (other);
  for (NebulaScope *scope : chain)
    g_object_unref (scope);
}

namespace
{

std::vector<std::string> released;

guint
bind (NebulaScope *scope, const char *name)
{
  return nebula_scope_bind (scope, (gpointer) name, [] (gpointer data) { released.push_back ((const char *) data); });
}

} // namespace

TEST (Scope, CleansUpInsideOut)
{
  released.clear ();
  Ref<NebulaScope> global (nebula_scope_new_global ());
  Ref<NebulaScope> tenant (nebula_scope_new_child (global.get (), NEBULA_SCOPE_KIND_TENANT, "t"));
  Ref<NebulaScope> one (nebula_scope_new_child (tenant.get (), NEBULA_SCOPE_KIND_EXECUTION, "1"));
  Ref<NebulaScope> two (nebula_scope_new_child (tenant.get (), NEBULA_SCOPE_KIND_EXECUTION, "2"));
  bind (global.get (), "global");
  bind (tenant.get (), "tenant a");
  bind (one.get (), "one");
  bind (two.get (), "two a");
  guint early = bind (two.get (), "two b");
  bind (two.get (), "two c");
  bind (tenant.get (), "tenant b");
  EXPECT_TRUE (nebula_scope_release (two.get (), early));
  EXPECT_FALSE (nebula_scope_release (two.get (), early));
  EXPECT_EQ (released, (std::vector<std::string>{ "two b" }));
  nebula_scope_end (tenant.get ());
  nebula_scope_end (tenant.get ());
  EXPECT_EQ (released, (std::vector<std::string>{ "two b", "two c", "two a", "one", "tenant b", "tenant a" }));
  EXPECT_TRUE (nebula_scope_is_ended (one.get ()));
  EXPECT_FALSE (nebula_scope_is_ended (global.get ()));
  EXPECT_EQ (bind (one.get (), "late"), 0u);
  EXPECT_EQ (released.back (), "late");
}

TEST (Scope, EndsWithItsLastHolder)
{
  released.clear ();
  NebulaScope *global = nebula_scope_new_global ();
  NebulaScope *tenant = nebula_scope_new_child (global, NEBULA_SCOPE_KIND_TENANT, "t");
  GObject *object = (GObject *) g_object_new (G_TYPE_OBJECT, nullptr);
  gpointer weak = object;
  g_object_add_weak_pointer (object, &weak);
  nebula_scope_bind_object (tenant, object);
  g_object_unref (object);
  EXPECT_NE (weak, nullptr);
  bind (tenant, "tenant");
  bind (global, "global");
  g_object_unref (global);
  EXPECT_TRUE (released.empty ());
  g_object_unref (tenant);
  EXPECT_EQ (weak, nullptr);
  EXPECT_EQ (released, (std::vector<std::string>{ "tenant", "global" }));
}

TEST (Scope, MayBindItself)
{
  NebulaScope *global = nebula_scope_new_global ();
  NebulaScope *tenant = nebula_scope_new_child (global, NEBULA_SCOPE_KIND_TENANT, "t");
  nebula_scope_bind_object (tenant, G_OBJECT (tenant));
  g_object_unref (tenant);
  nebula_scope_end (global);
  g_object_unref (global);
}
