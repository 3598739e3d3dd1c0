#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Lines covered by the tests, for each subsystem and module; fails below 90 %.
set -uo pipefail
. "$(dirname "$0")/common.sh"

configure build-coverage -Db_coverage=true -Dintrospection=enabled -Dtests=enabled &&
  compile build-coverage || exit 1
find "$NEBULA_TOP/build-coverage" -name '*.gcda' -delete
run_tests build-coverage || say "some tests failed; the figures are of those that ran"

cd "$NEBULA_TOP" || exit 1
# Argument checks and impossible states are contracts, not paths.
"$(pick gcovr)" --root . --object-directory build-coverage --filter core/ --filter modules/ --filter sdk/ \
  --exclude-lines-by-pattern '.*(g_return_(val_)?if_(fail|reached)|g_assert|G_OBJECT_WARN_INVALID_PROPERTY_ID).*' \
  --exclude-unreachable-branches --exclude-throw-branches \
  --json build-coverage/coverage.json --html-details build-coverage/coverage.html >/dev/null || exit 1
"$PYTHON" tests/ci/coverage.py build-coverage/coverage.json 90
