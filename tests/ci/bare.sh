#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Asserts and argument checks compiled out: nothing may depend on their side effects. Death tests, which want
# the checks, are left out.
set -uo pipefail
. "$(dirname "$0")/common.sh"

configure build-bare -Dintrospection=disabled -Dtests=enabled \
  -Dc_args='-DG_DISABLE_ASSERT -DG_DISABLE_CHECKS -Wno-unused-variable -Wno-unused-but-set-variable -Wno-unused-function' &&
  compile build-bare || exit 1
export GTEST_FILTER='-*DeathTest*'
run_tests build-bare --suite unit
count_tests
