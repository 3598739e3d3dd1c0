/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls the functions that a module brings to expressions, in hosts of the module, and waits for what they give. An
 * expression is evaluated in one go, so that its thread has to wait: these hosts belong to no loop, and to one thread at a
 * time.
 *
 * Thread: any that may wait, never an engine's loop.
 */
#pragma once

#include "nebula-host-pool-internal.h"

G_BEGIN_DECLS

typedef struct _NebulaHostCaller NebulaHostCaller;

/* Copies @options; @capabilities: what a sandbox allows besides, NULL: nothing. */
NebulaHostCaller *nebula_host_caller_new (const NebulaHostOptions *options,
                                          NebulaModuleInfo *module,
                                          NebulaIsolation isolation,
                                          const char *const *capabilities);
NebulaHostCaller *nebula_host_caller_ref (NebulaHostCaller *self);
void nebula_host_caller_unref (NebulaHostCaller *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaHostCaller, nebula_host_caller_unref)
/* Full. Errors: what the function fails with; module-broken; unavailable when its host dies; timed-out after 5 s. */
NebulaValue *nebula_host_caller_call (NebulaHostCaller *self,
                                      const char *name,
                                      NebulaValue *arguments,
                                      GError **error);

G_END_DECLS
