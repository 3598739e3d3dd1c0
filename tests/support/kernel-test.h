/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A test that runs one workflow with a kernel driver. */
#pragma once

#include "kernel-driver.h"
#include <memory>

namespace nebula
{

class KernelFixture : public testing::Test
{
protected:
  /* Runs a workflow to its end and keeps the driver. */
  KernelDriver &run (const char *text, const char *input = "{}")
  {
    begin (text, input);
    driver->run ();
    return *driver;
  }
  KernelDriver &begin (const char *text, const char *input = "{}")
  {
    driver.reset ();
    plan = compile (resolver.get (), text);
    driver = std::make_unique<KernelDriver> (plan.get ());
    driver->start (input);
    return *driver;
  }

  Ref<NebulaActionResolver> resolver = new_world_resolver ();
  Plan plan;
  std::unique_ptr<KernelDriver> driver;
};

} // namespace nebula
