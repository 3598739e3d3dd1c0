/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-test.h"

#include "nebula-registry.h"

namespace
{

using nebula::Error;
using nebula::Ref;
using Info = nebula::Owned<NebulaActionInfo, nebula_action_info_unref>;

/* Makes a type of an evaluated action at run time; @details: id, version, title, description, category. */
struct Details
{
  std::string id, version, title, description, category;
};

void
class_init (gpointer klass, gpointer data)
{
  auto *details = static_cast<Details *> (data);
  nebula_action_class_set_details (NEBULA_ACTION_CLASS (klass), details->id.c_str (), details->version.c_str (),
                                   details->title.c_str (), details->description.c_str (), details->category.c_str ());
}

GType
make_type (const char *id, const char *version, const char *title = "Title", const char *description = "Text",
           const char *category = "Test")
{
  static int count = 0;
  auto *details = new Details { id, version, title, description, category }; /* types are never freed */
  GTypeInfo info = {};
  info.class_size = sizeof (NebulaActionClass);
  info.class_init = class_init;
  info.class_data = details;
  info.instance_size = sizeof (NebulaAction);
  std::string name = "TestAction" + std::to_string (count++);
  return g_type_register_static (NEBULA_TYPE_ACTION, name.c_str (), &info, G_TYPE_FLAG_NONE);
}

class RegistryTest : public nebula::LoopTest
{
protected:
  void
  SetUp () override
  {
    LoopTest::SetUp ();
    static const char *const nothing[] = { nullptr };
    registry_ = NEBULA_REGISTRY (g_object_new (NEBULA_TYPE_REGISTRY, "search-path", nothing, "cache-file",
                                               "/nonexistent/cache", nullptr));
  }
  void
  TearDown () override
  {
    g_object_unref (registry_);
    LoopTest::TearDown ();
  }
  void
  add (GType type)
  {
    Error error;
    ASSERT_TRUE (nebula_registry_add_action (registry_, type, error.out ())) << error.message ();
  }
  std::string
  lookup (const char *id, const char *version)
  {
    Info info (nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (registry_), id, version, error_.out ()));
    return info ? nebula_action_info_get_version (info.get ()) : "";
  }
  std::string
  search (const char *text, guint limit = 10)
  {
    g_autoptr (GPtrArray) infos = nebula_registry_search (registry_, text, limit);
    std::string ids;
    for (guint i = 0; i < infos->len; i++)
      ids += std::string (i ? " " : "") + nebula_action_info_get_id (static_cast<NebulaActionInfo *> (g_ptr_array_index (infos, i)));
    return ids;
  }
  NebulaRegistry *registry_ = nullptr;
  Error error_;
};

TEST_F (RegistryTest, NewestByDefault)
{
  add (make_type ("a.b", "1.2.0"));
  add (make_type ("a.b", "2.0.1"));
  add (make_type ("a.b", "1.10.0"));
  EXPECT_EQ (lookup ("a.b", nullptr), "2.0.1");
}

TEST_F (RegistryTest, SameMajorAndAtLeastMinor)
{
  add (make_type ("a.b", "1.2.0"));
  add (make_type ("a.b", "1.10.0"));
  add (make_type ("a.b", "2.0.0"));
  EXPECT_EQ (lookup ("a.b", "1.0"), "1.10.0");
  EXPECT_EQ (lookup ("a.b", "1.3"), "1.10.0");
  EXPECT_EQ (lookup ("a.b", "1"), "1.10.0");
  EXPECT_EQ (lookup ("a.b", "2.0"), "2.0.0");
  EXPECT_EQ (lookup ("a.b", "2.1"), "");
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_UNKNOWN_ACTION));
  EXPECT_EQ (lookup ("a.b", "3.0"), "");
  EXPECT_EQ (lookup ("a.b", "x"), "");
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_INVALID_ARGUMENT));
}

TEST_F (RegistryTest, UnknownActionHasAHint)
{
  add (make_type ("http.request", "1.0.0"));
  add (make_type ("data.set", "1.0.0"));
  EXPECT_EQ (lookup ("http.requst", nullptr), "");
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_UNKNOWN_ACTION));
  EXPECT_THAT (error_.message (), testing::HasSubstr ("“http.request”?"));
  EXPECT_EQ (lookup ("nothing.like-it", nullptr), "");
  EXPECT_THAT (error_.message (), testing::Not (testing::HasSubstr ("?")));
}

TEST_F (RegistryTest, SameVersionTwice)
{
  add (make_type ("a.b", "1.0.0"));
  EXPECT_FALSE (nebula_registry_add_action (registry_, make_type ("a.b", "1.0.0"), error_.out ()));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_EXISTS));
}

TEST_F (RegistryTest, BadDetailsAreRefused)
{
  for (const char *id : { "", "one", "Upper.case", "a..b", "a.b.", "a b.c", ".a" }) {
    EXPECT_FALSE (nebula_registry_add_action (registry_, make_type (id, "1.0.0"), error_.out ())) << id;
    EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_INVALID_DATA));
  }
  for (const char *version : { "", "1", "1.x", "1.0.0.0", "-1.0" }) {
    EXPECT_FALSE (nebula_registry_add_action (registry_, make_type ("a.b", version), error_.out ())) << version;
    EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_INVALID_DATA));
  }
}

TEST_F (RegistryTest, LoadGivesTheClass)
{
  GType type = make_type ("a.b", "1.0.0");
  add (type);
  Info info (nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (registry_), "a.b", nullptr, error_.out ()));
  ASSERT_TRUE (info);
  NebulaActionClass *klass = nebula_action_resolver_load (NEBULA_ACTION_RESOLVER (registry_), info.get (), error_.out ());
  ASSERT_NE (klass, nullptr) << error_.message ();
  EXPECT_EQ (G_TYPE_FROM_CLASS (klass), type);
}

TEST_F (RegistryTest, LoadOfWhatIsGone)
{
  Info info (nebula_action_info_new_from_class (
      NEBULA_ACTION_CLASS (g_type_class_ref (make_type ("gone.away", "1.0.0"))), "gone", error_.out ()));
  ASSERT_TRUE (info);
  EXPECT_EQ (nebula_action_resolver_load (NEBULA_ACTION_RESOLVER (registry_), info.get (), error_.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_MODULE_MISSING));
}

TEST_F (RegistryTest, ListIsSorted)
{
  add (make_type ("b.a", "1.0.0"));
  add (make_type ("a.b", "1.0.0"));
  add (make_type ("a.b", "1.1.0"));
  g_autoptr (GPtrArray) infos = nebula_registry_list_actions (registry_);
  ASSERT_EQ (infos->len, 3u);
  EXPECT_STREQ (nebula_action_info_get_version (static_cast<NebulaActionInfo *> (g_ptr_array_index (infos, 0))), "1.1.0");
  EXPECT_STREQ (nebula_action_info_get_id (static_cast<NebulaActionInfo *> (g_ptr_array_index (infos, 2))), "b.a");
}

TEST_F (RegistryTest, SearchRanks)
{
  add (make_type ("mail.send", "1.0.0", "Send mail", "Sends a letter", "Messages"));
  add (make_type ("file.write", "1.0.0", "Write a file", "Sends data to a file", "Files"));
  add (make_type ("queue.push", "1.0.0", "Mail to a queue", "Pushes", "Messages"));
  EXPECT_EQ (search ("mail"), "mail.send queue.push");
  EXPECT_EQ (search ("SEND"), "mail.send file.write");
  EXPECT_EQ (search ("file data"), "file.write");
  EXPECT_EQ (search ("messages", 1), "mail.send");
  EXPECT_EQ (search ("file.write"), "file.write");
  EXPECT_EQ (search ("nothing"), "");
  EXPECT_EQ (search (""), "");
}

TEST_F (RegistryTest, DefaultSearchPathFollowsTheEnvironment)
{
  char *before = g_strdup (g_getenv ("NEBULA_MODULE_PATH"));
  g_setenv ("NEBULA_MODULE_PATH", "/one::/two", TRUE);
  g_auto (GStrv) path = nebula_registry_get_default_search_path ();
  ASSERT_EQ (g_strv_length (path), 4u);
  EXPECT_STREQ (path[0], "/one");
  EXPECT_STREQ (path[1], "/two");
  EXPECT_TRUE (g_str_has_suffix (path[2], "/nebula/modules"));
  EXPECT_TRUE (g_str_has_suffix (path[3], "/nebula-1/modules"));
  if (before)
    g_setenv ("NEBULA_MODULE_PATH", before, TRUE);
  g_free (before);
}

TEST_F (RegistryTest, SearchOfManyIsComplete)
{
  for (int i = 0; i < 500; i++)
    add (make_type (("many.n" + std::to_string (i)).c_str (), "1.0.0"));
  g_autoptr (GPtrArray) infos = nebula_registry_search (registry_, "many", 1000);
  EXPECT_EQ (infos->len, 500u);
}

} // namespace
