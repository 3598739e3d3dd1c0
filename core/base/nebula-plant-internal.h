/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Bugs that the robustness loops must notice, each one line where it would be made by mistake. They exist only in builds
 * with -Dplanted_bugs=true, and sleep there until the environment variable NEBULA_PLANT names one:
 *
 *   ack-before-commit  answers are given when a unit is handed to the journal, not when it is committed
 *   no-recheck         an attempt starts without looking whether the facts behind it are committed
 *   repeat-unknown     an effectful attempt whose end nobody knows is repeated after a crash
 *   normal-sync        a strict unit is committed without a sync
 *
 * and one that the simulation must notice (`NEBULA_PLANT=NAME nebula-simulation`):
 *
 *   checkpoint-forgets-tokens  a checkpoint leaves out the tokens that wait in connections
 */

#ifdef NEBULA_PLANTED_BUGS
#define NEBULA_PLANT(name) (g_strcmp0 (g_getenv ("NEBULA_PLANT"), name) == 0)
#else
#define NEBULA_PLANT(name) (FALSE)
#endif
