#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Address and undefined-behaviour sanitizer over unit, hostile-input and corpus-replay tests.
# With --only-run the caller counts (./dev test).
set -uo pipefail
. "$(dirname "$0")/common.sh"

status=0
configure build-asan -Db_sanitize=address,undefined -Db_lundef=false -Dintrospection=disabled -Dtests=enabled &&
  compile build-asan || exit 1
sanitizer_environment
run_tests build-asan --suite unit --suite hostile --suite fuzz --timeout-multiplier 4 || status=1
[ "${1:-}" = --only-run ] && exit $status
count_tests
