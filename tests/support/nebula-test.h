/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small C++ helpers for the tests: owners, matchers. */
#pragma once

#include <gio/gio.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-value.h"

namespace nebula
{

/* Owns a GError; pass `error.out ()` where a GError ** is wanted. */
class Error
{
public:
  Error () = default;
  Error (const Error &) = delete;
  ~Error ()
  {
    g_clear_error (&error_);
  }
  GError **out ()
  {
    g_clear_error (&error_);
    return &error_;
  }
  GError *get () const
  {
    return error_;
  }
  explicit operator bool () const
  {
    return error_ != nullptr;
  }
  const char *message () const
  {
    return error_ ? error_->message : "(no error)";
  }

private:
  GError *error_ = nullptr;
};

/* Owns any counted or freed thing: Owned<NebulaValue, nebula_value_unref>. */
template <typename T, void (*Free) (T *)> class Owned
{
public:
  Owned (T *thing = nullptr) : thing_ (thing)
  {
  }
  Owned (Owned &&other) noexcept : thing_ (other.steal ())
  {
  }
  Owned (const Owned &) = delete;
  Owned &operator= (Owned &&other) noexcept
  {
    reset (other.steal ());
    return *this;
  }
  ~Owned ()
  {
    reset (nullptr);
  }
  void reset (T *thing)
  {
    if (thing_)
      Free (thing_);
    thing_ = thing;
  }
  T *get () const
  {
    return thing_;
  }
  T *steal ()
  {
    T *thing = thing_;
    thing_ = nullptr;
    return thing;
  }
  explicit operator bool () const
  {
    return thing_ != nullptr;
  }

private:
  T *thing_;
};

inline void
object_unref (GObject *object)
{
  g_object_unref (object);
}

/* Owns a GObject. */
template <typename T> class Ref
{
public:
  Ref (T *object = nullptr) : object_ (object)
  {
  }
  Ref (const Ref &) = delete;
  Ref (Ref &&other) noexcept : object_ (other.steal ())
  {
  }
  Ref &operator= (Ref &&other) noexcept
  {
    T *object = other.steal ();
    if (object_)
      g_object_unref (object_);
    object_ = object;
    return *this;
  }
  ~Ref ()
  {
    if (object_)
      g_object_unref (object_);
  }
  T *get () const
  {
    return object_;
  }
  T *steal ()
  {
    T *object = object_;
    object_ = nullptr;
    return object;
  }
  explicit operator bool () const
  {
    return object_ != nullptr;
  }

private:
  T *object_;
};

using Value = Owned<NebulaValue, nebula_value_unref>;

inline Value
json (const char *text)
{
  Error error;
  Value value (nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_NONE, error.out ()));
  EXPECT_TRUE (value) << text << ": " << error.message ();
  return value;
}

inline std::string
to_json (NebulaValue *value)
{
  if (!value)
    return "(none)";
  char *text = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
  std::string result (text);
  g_free (text);
  return result;
}

inline std::string
to_json (const Value &value)
{
  return to_json (value.get ());
}

/* EXPECT_TRUE (has_error (error, NEBULA_ERROR_TYPE)) */
inline testing::AssertionResult
has_error (const Error &error, NebulaError code)
{
  if (!error)
    return testing::AssertionFailure () << "no error is set";
  if (error.get ()->domain != NEBULA_ERROR || error.get ()->code != (int) code)
    return testing::AssertionFailure ()
           << "error is " << nebula_error_get_code (error.get ()) << ": "
           << error.message ();
  return testing::AssertionSuccess ();
}

/* Runs in a main context of its own, with a watchdog. */
class LoopTest : public testing::Test
{
protected:
  void SetUp () override
  {
    context_ = g_main_context_new ();
    g_main_context_push_thread_default (context_);
  }
  void TearDown () override
  {
    while (g_main_context_iteration (context_, FALSE))
      ;
    g_main_context_pop_thread_default (context_);
    g_main_context_unref (context_);
  }
  /* Turns the loop until the predicate holds; false after 10 s. */
  template <typename P>
  bool run_until (P predicate, gint64 limit_usec = 10 * G_USEC_PER_SEC)
  {
    gint64 end = g_get_monotonic_time () + limit_usec;
    GSource *source = g_timeout_source_new (50);
    g_source_set_callback (
        source, [] (gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr,
        nullptr);
    g_source_attach (source, context_);
    while (!predicate () && g_get_monotonic_time () < end)
      g_main_context_iteration (context_, TRUE);
    g_source_destroy (source);
    g_source_unref (source);
    return predicate ();
  }
  GMainContext *context_ = nullptr;
};

} // namespace nebula
