/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What scripts do with actions: each parameter of each action is a property that gives back what it was given. */
#include "module-test.h"

class PropertyTest : public nebula::LoopTest
{
protected:
  /* A value of the property's type that is not its default, where there is one. */
  static void
  fill (GParamSpec *spec, GValue *value)
  {
    g_value_init (value, G_PARAM_SPEC_VALUE_TYPE (spec));
    if (G_IS_PARAM_SPEC_STRING (spec))
      g_value_set_string (value, "some text");
    else if (G_IS_PARAM_SPEC_BOOLEAN (spec))
      g_value_set_boolean (value, !G_PARAM_SPEC_BOOLEAN (spec)->default_value);
    else if (G_IS_PARAM_SPEC_INT64 (spec))
      g_value_set_int64 (value, G_PARAM_SPEC_INT64 (spec)->minimum);
    else if (G_IS_PARAM_SPEC_DOUBLE (spec))
      g_value_set_double (value, G_PARAM_SPEC_DOUBLE (spec)->minimum);
    else if (G_IS_PARAM_SPEC_ENUM (spec))
      g_value_set_enum (value, G_PARAM_SPEC_ENUM (spec)->enum_class->maximum);
    else if (G_VALUE_HOLDS (value, G_TYPE_STRV))
      g_value_take_boxed (value, g_strsplit ("a b", " ", -1));
    else if (G_VALUE_HOLDS (value, NEBULA_TYPE_VALUE))
      g_value_set_boxed (value, nebula::json ("{\"a\": [1]}").get ());
    else
      g_param_value_set_default (spec, value);
  }
  static void
  check (GObject *object, GParamSpec *spec)
  {
    GValue given = G_VALUE_INIT;
    GValue got = G_VALUE_INIT;

    fill (spec, &given);
    g_object_set_property (object, spec->name, &given);
    g_value_init (&got, G_PARAM_SPEC_VALUE_TYPE (spec));
    g_object_get_property (object, spec->name, &got);
    if (G_VALUE_HOLDS (&given, G_TYPE_STRV))
      EXPECT_TRUE (g_strv_equal ((GStrv) g_value_get_boxed (&given), (GStrv) g_value_get_boxed (&got)));
    else if (G_VALUE_HOLDS (&given, NEBULA_TYPE_VALUE))
      EXPECT_TRUE (nebula_value_equal ((NebulaValue *) g_value_get_boxed (&given),
                                       (NebulaValue *) g_value_get_boxed (&got)));
    else
      EXPECT_EQ (g_param_values_cmp (spec, &given, &got), 0) << G_OBJECT_TYPE_NAME (object) << ":" << spec->name;
    g_value_unset (&given);
    g_value_unset (&got);
  }
};

TEST_F (PropertyTest, GiveBackWhatTheyWereGiven)
{
  NebulaActionResolver *resolver = NEBULA_ACTION_RESOLVER (nebula::registry ());
  GPtrArray *infos = nebula_registry_list_actions (nebula::registry ());
  guint n_properties = 0;

  for (guint i = 0; i < infos->len; i++) {
    nebula::Error error;
    NebulaActionClass *klass = nebula_action_resolver_load (
        resolver, static_cast<NebulaActionInfo *> (g_ptr_array_index (infos, i)), error.out ());
    ASSERT_NE (klass, nullptr) << error.message ();
    nebula::Ref<GObject> object (G_OBJECT (g_object_new (G_TYPE_FROM_CLASS (klass), nullptr)));
    guint n_specs = 0;
    GParamSpec **specs = g_object_class_list_properties (G_OBJECT_CLASS (klass), &n_specs);

    for (guint k = 0; k < n_specs; k++) {
      if ((specs[k]->flags & G_PARAM_READWRITE) != G_PARAM_READWRITE || (specs[k]->flags & G_PARAM_CONSTRUCT_ONLY))
        continue;
      check (object.get (), specs[k]);
      n_properties++;
    }
    g_free (specs);
  }
  EXPECT_GT (n_properties, 30u);
  g_ptr_array_unref (infos);
}
