/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that a module needs. A module is one shared object with one descriptor; see NEBULA_DEFINE_MODULE. */

#include "nebula-action.h"
#include "nebula-blob.h"
#include "nebula-caller.h"
#include "nebula-catalog.h"
#include "nebula-context.h"
#include "nebula-document.h"
#include "nebula-duration.h"
#include "nebula-error-chain.h"
#include "nebula-error-problem.h"
#include "nebula-error.h"
#include "nebula-event.h"
#include "nebula-executor.h"
#include "nebula-expression.h"
#include "nebula-invocation.h"
#include "nebula-json-schema.h"
#include "nebula-json.h"
#include "nebula-limits.h"
#include "nebula-log-sink.h"
#include "nebula-log.h"
#include "nebula-module.h"
#include "nebula-parameter.h"
#include "nebula-patch.h"
#include "nebula-permission.h"
#include "nebula-redactor.h"
#include "nebula-service-host.h"
#include "nebula-service.h"
#include "nebula-simple-action.h"
#include "nebula-stateful-action.h"
#include "nebula-supply-action.h"
#include "nebula-time-zone.h"
#include "nebula-trace-context.h"
#include "nebula-trigger-action.h"
#include "nebula-value.h"
#include "nebula-violation.h"
#include "nebula-zstd.h"

/* NEBULA_DEFINE_ACTION (NebulaFlowIf, nebula_flow_if)
 *
 * Defines the type of an action without properties or state: one that is evaluated, or a construct. The author
 * declares type_name_get_type () in a header and writes type_name_class_init () below the macro. */
#define NEBULA_DEFINE_ACTION(TypeName, type_name)              \
  typedef struct                                               \
  {                                                            \
    NebulaAction parent_instance;                              \
  } TypeName;                                                  \
  typedef struct                                               \
  {                                                            \
    NebulaActionClass parent_class;                            \
  } TypeName##Class;                                           \
  G_DEFINE_TYPE (TypeName, type_name, NEBULA_TYPE_ACTION)      \
  static void type_name##_init (TypeName *self)                \
  {                                                            \
  }
