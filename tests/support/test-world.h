/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions and a resolver for tests of kernel and engine that load no modules. */
#pragma once

#include "nebula-action-resolver.h"
#include "nebula-invocation.h"
#include "nebula-plan-internal.h"
#include "nebula-simple-action.h"
#include "nebula-test.h"

#include <vector>

G_BEGIN_DECLS
GType world_resolver_get_type (void);
G_END_DECLS

namespace nebula
{

using Plan = Owned<NebulaPlan, nebula_plan_unref>;

/* A resolver that knows: data.set, flow.if, flow.switch (port by `port`), flow.no-op, all constructs, test.where (as
 * data.set; it notes its thread), and the invoked test.pure, test.read, test.idempotent, test.effect, and test.late, which
 * computes its expression `each` for its `items` on a thread of its own. */
Ref<NebulaActionResolver> new_world_resolver ();
/* The threads in which test.where was evaluated since the last call. */
std::vector<GThread *> take_evaluated ();
/* Compiles and links; fails the test with the diagnostics if it does not work. */
Plan compile (NebulaActionResolver *resolver, const char *text);

} // namespace nebula
