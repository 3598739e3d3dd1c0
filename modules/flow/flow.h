/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nebula/nebula-sdk.h>

G_BEGIN_DECLS

GType nebula_flow_if_get_type (void);
GType nebula_flow_switch_get_type (void);
GType nebula_flow_merge_get_type (void);
GType nebula_flow_no_op_get_type (void);
GType nebula_flow_log_get_type (void);
GType nebula_flow_for_each_get_type (void);
GType nebula_flow_repeat_get_type (void);
GType nebula_flow_while_get_type (void);
GType nebula_flow_wait_get_type (void);
GType nebula_flow_stop_get_type (void);
GType nebula_flow_fail_get_type (void);
GType nebula_flow_break_get_type (void);
GType nebula_flow_continue_get_type (void);
GType nebula_flow_try_get_type (void);
GType nebula_flow_race_get_type (void);
GType nebula_flow_cancel_get_type (void);
GType nebula_flow_add_get_type (void);
GType nebula_flow_call_get_type (void);
GType nebula_flow_token_get_type (void);

G_END_DECLS
