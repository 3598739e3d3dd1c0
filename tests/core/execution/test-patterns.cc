/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control-flow patterns: each example runs in virtual time and does what its pattern says. */
#include "kernel-test.h"

using namespace nebula;

namespace
{

/* What comes from outside, so many seconds after the start; no name: a cancel of the whole execution. */
struct Event {
  int second;
  const char *signal;
};

struct Case {
  const char *file;
  const char *input;
  std::vector<Event> events;
  const char *output; /* as JSON; or the status, if it does not complete */
  double seconds;     /* from begin to end */
};

const Case cases[] = {
    {"01-sequence", "{}", {}, R"({"seen":"from a"})", 0},
    {"02-parallel-split", "{}", {}, R"({"both":true})", 1},
    {"03-synchronization", "{}", {}, R"({"from":["b","c"]})", 1},
    {"04-exclusive-choice", R"({"age":30})", {}, R"({"answer":"sold"})", 0},
    {"04-exclusive-choice", R"({"age":3})", {}, R"({"answer":"refused"})", 0},
    {"05-simple-merge", R"({"age":30})", {}, R"({"told":"sold"})", 0},
    {"05-simple-merge", R"({"age":3})", {}, R"({"told":"refused"})", 0},
    {"06-multi-choice", R"({"bits":1})", {}, R"({"ran":[1]})", 0},
    {"06-multi-choice", R"({"bits":6})", {}, R"({"ran":[2,4]})", 0},
    {"06-multi-choice", R"({"bits":7})", {}, R"({"ran":[1,2,4]})", 0},
    {"07-structured-synchronizing-merge", R"({"bits":1})", {}, R"({"joined":["one"]})", 1},
    {"07-structured-synchronizing-merge", R"({"bits":2})", {}, R"({"joined":["two"]})", 2},
    {"07-structured-synchronizing-merge", R"({"bits":3})", {}, R"({"joined":["one","two"]})", 2},
    {"08-multi-merge", "{}", {}, R"(["b","c"])", 1},
    {"09-structured-discriminator", "{}", {}, R"({"round":1,"others":"waiting"})", 2},
    {"10-arbitrary-cycles", "{}", {}, R"({"n":13})", 1},
    {"11-implicit-termination", "{}", {}, R"({"all":true})", 3},
    {"13-instances-known-at-design-time", "{}", {}, "[5,4,3,2,1]", 5},
    {"14-instances-known-at-run-time", R"({"n":0})", {}, R"({"instances":0})", 0},
    {"14-instances-known-at-run-time", R"({"n":1000})", {}, R"({"instances":1000})", 0},
    {"15-instances-added-while-running", "{}", {}, "[1,2,3,10,20,30]", 2},
    {"16-deferred-choice", "{}", {{5, "decline"}, {6, "accept"}}, R"("declined")", 5},
    {"16-deferred-choice", "{}", {}, R"("no answer")", 3600},
    {"17-interleaved-parallel-routing", "{}", {}, R"({"all":true})", 4},
    {"18-milestone", "{}", {{5, "ask"}}, R"({"served":false})", 20},
    {"18-milestone", "{}", {{15, "ask"}}, R"({"served":true})", 20},
    {"18-milestone", "{}", {{25, "ask"}}, R"({"served":false})", 20},
    {"19-cancel-task", "{}", {}, R"({"slow":"cancelled","behind":"skipped"})", 1},
    {"20-cancel-case", "{}", {{2, nullptr}}, "cancelled", 2},
    {"21-structured-loop", R"({"rounds":0})", {}, R"({"rounds":0})", 0},
    {"21-structured-loop", R"({"rounds":1000})", {}, R"({"rounds":1000})", 0},
    {"23-transient-trigger", "{}", {{5, "call"}}, R"({"reason":"timeout"})", 20},
    {"23-transient-trigger", "{}", {{15, "call"}}, R"({"reason":"signal"})", 15},
    {"24-persistent-trigger", "{}", {{5, "call"}}, R"({"reason":"signal","value":1})", 10},
    {"25-cancel-region", "{}", {}, R"({"red":["cancelled","cancelled"],"blue":"completed"})", 5},
    {"26-cancel-instances", "{}", {}, R"({"each":"cancelled","result":null})", 2},
    {"27-complete-instances", "{}", {}, R"({"each":"completed","result":[1,2,3]})", 10},
    {"28-blocking-discriminator", "{}", {}, R"({"n":2})", 20},
    {"29-cancelling-discriminator", "{}", {}, R"({"others":["cancelled","cancelled"]})", 0.1},
    {"30-structured-partial-join", "{}", {}, R"({"from":["a","b"],"third":"waiting"})", 5},
    {"31-blocking-partial-join", "{}", {}, R"({"n":2})", 20},
    {"32-cancelling-partial-join", "{}", {}, R"({"from":["a","b"],"third":"cancelled"})", 2},
    {"33-generalized-and-join", "{}", {}, R"({"sum":22})", 0},
    {"34-static-partial-join-of-instances", "{}", {}, R"({"of":7})", 20},
    {"35-cancelling-partial-join-of-instances", "{}", {}, R"({"of":7})", 7},
    {"36-dynamic-partial-join-of-instances", "{}", {}, "[1,2,3,4]", 4},
    {"37-acyclic-synchronizing-merge", R"({"deep":true})", {}, R"({"joined":["c","d","a"]})", 1},
    {"37-acyclic-synchronizing-merge", R"({"deep":false})", {}, R"({"joined":["d","a"]})", 0},
    {"38-general-synchronizing-merge", "{}", {}, R"([["a"],["a","b"],["a","b","c"]])", 3},
    {"39-critical-section", "{}", {}, R"({"both":true})", 5},
    {"40-interleaved-routing", "{}", {}, R"(["a","b","c","d","e"])", 5},
    {"41-thread-merge", "{}", {}, R"({"sum":6})", 0},
    {"42-thread-split", R"({"words":["a","b"]})", {}, R"(["A","B"])", 0},
    {"43-explicit-termination", "{}", {}, R"({"ended":"early"})", 1},
};

std::string
read (const char *file)
{
  const char *tests = g_getenv ("G_TEST_SRCDIR");
  std::string name = std::string (file) + ".yaml";
  char *path = g_build_filename (tests ? tests : "tests", "..", "data", "examples",
                                 "patterns", name.c_str (), nullptr);
  char *text = nullptr;

  EXPECT_TRUE (g_file_get_contents (path, &text, nullptr, nullptr)) << path;
  std::string result = text ? text : "";
  g_free (text);
  g_free (path);
  return result;
}

} // namespace

class PatternTest : public KernelFixture, public testing::WithParamInterface<Case>
{
protected:
  void happen (const Event &event)
  {
    Value value = json ("1");

    if (event.signal)
      nebula_kernel_signal (driver->kernel, event.signal, value.get (), driver->now);
    else
      nebula_kernel_cancel (driver->kernel, NEBULA_EXECUTION_STATUS_CANCELLED, nullptr,
                            driver->now);
    driver->settle ();
  }
};

TEST_P (PatternTest, DoesWhatItSays)
{
  const Case &c = GetParam ();
  KernelDriver &d = begin (read (c.file).c_str (), c.input);
  gint64 start = d.now;

  d.settle ();
  for (const Event &event : c.events) {
    d.run_until (start + event.second * G_USEC_PER_SEC);
    happen (event);
  }
  d.run ();
  EXPECT_EQ (d.status () == "completed" ? d.output () : d.status (), c.output);
  EXPECT_EQ (d.state ()->ended_usec - start, (gint64) (c.seconds * G_USEC_PER_SEC));
}

/* A crash at any commit changes nothing. */
TEST_P (PatternTest, EndsTheSameAfterACrash)
{
  const Case &c = GetParam ();

  if (!c.events.empty ())
    return; /* their time is not that of a commit */
  for (guint cut = 1; cut < 400; cut += 1 + cut / 8) {
    KernelDriver &d = begin (read (c.file).c_str (), c.input);

    d.crash_after (cut);
    EXPECT_EQ (d.output (), c.output) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P (Examples,
                          PatternTest,
                          testing::ValuesIn (cases),
                          [] (const auto &info) {
                            std::string name = info.param.file;

                            for (char &letter : name)
                              letter = letter == '-' ? '_' : letter;
                            return "wcp" + name + "_" + std::to_string (info.index);
                          });
