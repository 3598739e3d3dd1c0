/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The whole library, for programs that run workflows themselves. Modules include nebula-sdk.h. */

#include "nebula-sdk.h"

#include "nebula-catalog.h"
#include "nebula-config.h"
#include "nebula-convert.h"
#include "nebula-engine.h"
#include "nebula-id.h"
#include "nebula-log.h"
#include "nebula-memory-store.h"
#include "nebula-msgpack.h"
#include "nebula-path.h"
#include "nebula-registry.h"
#include "nebula-scope.h"
#include "nebula-sqlite-store.h"
#include "nebula-template.h"
#include "nebula-workflow.h"
