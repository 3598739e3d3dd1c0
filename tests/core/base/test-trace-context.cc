/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* W3C Trace Context: what is read, what is passed on. The suite of headers runs in tests/conformance. */
#include "nebula-test.h"

#include <string>

#include "nebula-trace-context.h"

using nebula::Error;

namespace
{

using Context = nebula::Owned<NebulaTraceContext, nebula_trace_context_unref>;

const char PARENT[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST (TraceContext, IsReadAndPassedOn)
{
  Error error;
  Context context (nebula_trace_context_new (PARENT, " rojo=00f067aa0ba902b7 ,, congo=t61rcWkgMzE", error.out ()));

  ASSERT_TRUE (context) << error.message ();
  EXPECT_STREQ (nebula_trace_context_get_trace_id (context.get ()), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_STREQ (nebula_trace_context_get_span_id (context.get ()), "b7ad6b7169203331");
  EXPECT_TRUE (nebula_trace_context_is_sampled (context.get ()));
  EXPECT_STREQ (nebula_trace_context_get_state (context.get ()), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");

  Context child (nebula_trace_context_new_child (context.get (), 0xabc));
  char *header = nebula_trace_context_to_header (child.get ());
  EXPECT_STREQ (header, "00-0af7651916cd43dd8448eb211c80319c-0000000000000abc-01");
  EXPECT_STREQ (nebula_trace_context_get_state (child.get ()), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  g_free (header);
  NebulaTraceContext *other = nebula_trace_context_ref (child.get ());
  nebula_trace_context_unref (other);
}

TEST (TraceContext, LaterVersionsMayHaveMore)
{
  Context context (nebula_trace_context_new ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02-more", nullptr, nullptr));

  ASSERT_TRUE (context);
  EXPECT_FALSE (nebula_trace_context_is_sampled (context.get ()));
  char *header = nebula_trace_context_to_header (context.get ());
  EXPECT_STREQ (header, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  g_free (header);
}

TEST (TraceContext, RefusesWhatIsNone)
{
  for (const char *text : {"", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                           "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x"}) {
    Error error;

    EXPECT_EQ (nebula_trace_context_new (text, nullptr, error.out ()), nullptr) << text;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA));
  }
}

TEST (TraceContext, DropsABadState)
{
  std::string many, huge (20000, 'a');
  for (int i = 0; i < 40; i++)
    many += (i > 0 ? ",k" : "k") + std::to_string (i) + "=1";

  for (const char *state : {"", ",", "a=1,a=2", "A=1", "a", "=1", "a=", "a=b=c", "a=\x7f", huge.c_str ()}) {
    Context context (nebula_trace_context_new (PARENT, state, nullptr));
    ASSERT_TRUE (context);
    EXPECT_EQ (nebula_trace_context_get_state (context.get ()), nullptr) << state;
  }
  Context context (nebula_trace_context_new (PARENT, many.c_str (), nullptr));
  std::string kept = nebula_trace_context_get_state (context.get ());
  EXPECT_EQ (kept.substr (kept.size () - 6), ",k31=1") << "32 are passed on";
}

} // namespace
