#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Thread sanitizer over the unit tests. GLib itself is not instrumented: tsan.supp names its inside, and
# nebula-sync-internal.h tells the sanitizer about our hand-offs.
set -uo pipefail
. "$(dirname "$0")/common.sh"

configure build-tsan -Db_sanitize=thread -Db_lundef=false -Dintrospection=disabled -Dtests=enabled &&
  compile build-tsan || exit 1
export TSAN_OPTIONS="suppressions=$NEBULA_TOP/tests/ci/tsan.supp halt_on_error=1 second_deadlock_stack=1"
export G_SLICE=always-malloc
run_tests build-tsan --suite unit --timeout-multiplier 10
count_tests
