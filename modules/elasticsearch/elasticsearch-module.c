/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "elasticsearch-private.h"

static void
register_types (NebulaModuleRegistrar *registrar)
{
  nebula_log_sink_add_type ("elasticsearch", NEBULA_TYPE_ELASTICSEARCH_SINK);
}

NEBULA_DEFINE_MODULE (elasticsearch, "1.0.0", N_ ("Elasticsearch"), register_types)
