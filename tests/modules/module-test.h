/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one action of a module, found through the registry, as the engine would. */
#pragma once

#include <glib/gstdio.h>

#include <functional>
#include <memory>
#include <string>

#include "nebula-invocation.h"
#include "nebula-memory-store.h"
#include "nebula-registry.h"
#include "nebula-test.h"

namespace nebula
{

using Result = Owned<NebulaResult, nebula_result_unref>;
using Info = Owned<NebulaActionInfo, nebula_action_info_unref>;

/* One registry for the program: probing the modules takes a child process each. */
inline NebulaRegistry *
registry ()
{
  static NebulaRegistry *shared = [] {
    Error error;
    NebulaRegistry *made = nebula_registry_new ();
    EXPECT_TRUE (nebula_registry_load (made, error.out ())) << error.message ();
    return made;
  }();
  return shared;
}

/* One attempt: its answer arrives in whatever thread. */
/* Where the blobs of all attempts are kept. */
inline NebulaStore *
test_store ()
{
  static NebulaStore *store = nebula_memory_store_new ();
  return store;
}

class Attempt
{
public:
  Attempt (const char *action_id, const Value &parameters, const std::string &directory = "", const char *key = nullptr)
  {
    g_mutex_init (&lock_);
    Error error;
    NebulaActionResolver *resolver = NEBULA_ACTION_RESOLVER (registry ());
    Info info (nebula_action_resolver_lookup (resolver, action_id, nullptr, error.out ()));
    EXPECT_TRUE (info) << error.message ();
    if (!info)
      return;
    NebulaActionClass *klass = nebula_action_resolver_load (resolver, info.get (), error.out ());
    EXPECT_NE (klass, nullptr) << error.message ();
    if (!klass)
      return;
    action_ = Ref<NebulaAction> (NEBULA_ACTION (g_object_new (G_TYPE_FROM_CLASS (klass), nullptr)));

    NebulaArguments arguments = {};
    arguments.parameters = parameters.get ();
    is_accepted_ = nebula_action_set_parameters (action_.get (), &arguments, refusal_.out ());

    static const NebulaInvocationSink sink = { &Attempt::returned, nullptr, nullptr };
    NebulaInvocationInfo about = {};
    about.action_id = action_id;
    about.attempt = 1;
    about.store = test_store ();
    about.directory = directory.empty () ? nullptr : directory.c_str ();
    about.idempotency_key = key;
    invocation_ = Ref<NebulaInvocation> (nebula_invocation_new (&about, parameters.get (), nullptr, &sink, this, nullptr));
  }
  ~Attempt () { g_mutex_clear (&lock_); }

  void start () { nebula_action_invoke (action_.get (), invocation_.get ()); }
  void cancel () { g_cancellable_cancel (nebula_invocation_get_cancellable (invocation_.get ())); }
  bool
  is_done ()
  {
    g_mutex_lock (&lock_);
    bool done = (bool) result_;
    g_mutex_unlock (&lock_);
    return done;
  }
  bool is_accepted () const { return is_accepted_; }
  const Error &refusal () const { return refusal_; }
  NebulaEffect effect () const { return nebula_action_get_effect (action_.get ()); }
  NebulaAction *action () const { return action_.get (); }
  NebulaResult *result () const { return result_.get (); }

private:
  static void
  returned (NebulaInvocation *, NebulaResult *result, gpointer data)
  {
    Attempt *self = static_cast<Attempt *> (data);
    g_mutex_lock (&self->lock_);
    self->result_ = Result (nebula_result_ref (result));
    g_main_context_wakeup (self->context_);
    g_mutex_unlock (&self->lock_);
  }

  GMutex lock_;
  GMainContext *context_ = g_main_context_get_thread_default ();
  Ref<NebulaAction> action_;
  Ref<NebulaInvocation> invocation_;
  Result result_;
  Error refusal_;
  bool is_accepted_ = false;
};

class ModuleTest : public LoopTest
{
protected:
  void
  SetUp () override
  {
    LoopTest::SetUp ();
    char *made = g_dir_make_tmp ("nebula-test-XXXXXX", nullptr);
    folder_ = made;
    g_free (made);
  }
  void
  TearDown () override
  {
    remove_all (folder_);
    LoopTest::TearDown ();
  }
  static void
  remove_all (const std::string &path)
  {
    g_chmod (path.c_str (), 0700);
    GDir *dir = g_file_test (path.c_str (), G_FILE_TEST_IS_SYMLINK) ? nullptr : g_dir_open (path.c_str (), 0, nullptr);
    while (const char *name = dir ? g_dir_read_name (dir) : nullptr)
      remove_all (path + "/" + name);
    if (dir)
      g_dir_close (dir);
    g_remove (path.c_str ());
  }
  std::string path (const std::string &name) const { return folder_ + "/" + name; }
  void
  put (const std::string &name, const std::string &content) const
  {
    Error error;
    ASSERT_TRUE (g_file_set_contents (path (name).c_str (), content.data (), (gssize) content.size (), error.out ()))
        << error.message ();
  }
  std::string
  get (const std::string &name) const
  {
    char *content = nullptr;
    gsize size = 0;
    if (!g_file_get_contents (path (name).c_str (), &content, &size, nullptr))
      return "(no file)";
    std::string result (content, size);
    g_free (content);
    return result;
  }
  /* Runs an action to its end; relative paths start at the test's folder. */
  NebulaResult *
  run (const char *action_id, const Value &parameters, const char *key = nullptr)
  {
    last_ = std::make_unique<Attempt> (action_id, parameters, folder_, key);
    EXPECT_TRUE (last_->is_accepted ()) << last_->refusal ().message ();
    if (!last_->is_accepted ())
      return nullptr;
    last_->start ();
    EXPECT_TRUE (run_until ([this] { return last_->is_done (); })) << action_id << " gave no answer";
    return last_->result ();
  }
  NebulaResult *run (const char *action_id, const char *parameters) { return run (action_id, json (parameters)); }
  /* The result as JSON, or the error's code with an exclamation mark. */
  std::string
  value (const char *action_id, const Value &parameters)
  {
    NebulaResult *result = run (action_id, parameters);
    if (!result)
      return "(refused)";
    NebulaValue *value = nebula_result_get_value (result);
    if (nebula_result_get_kind (result) == NEBULA_RESULT_KIND_FAILURE)
      return std::string ("!") + nebula_value_get_member_string (value, "code", "(no code)");
    return to_json (value);
  }
  std::string value (const char *action_id, const char *parameters) { return value (action_id, json (parameters)); }
  std::string
  message () const
  {
    return nebula_value_get_member_string (nebula_result_get_value (last_->result ()), "message", "");
  }
  std::string
  retry () const
  {
    return nebula_value_get_member_string (nebula_result_get_value (last_->result ()), "retry", "");
  }
  /* The code with which parameters are refused before anything runs. */
  std::string
  refusal (const char *action_id, const Value &parameters)
  {
    Attempt attempt (action_id, parameters, folder_);
    return attempt.is_accepted () ? "(accepted)" : nebula_error_get_code (attempt.refusal ().get ());
  }
  std::string refusal (const char *action_id, const char *parameters) { return refusal (action_id, json (parameters)); }

  std::string folder_;
  std::unique_ptr<Attempt> last_;
};

} // namespace nebula
