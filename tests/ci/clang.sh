#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# clang, every warning an error, then the unit tests.
set -uo pipefail
. "$(dirname "$0")/common.sh"

CC=clang CXX=clang++ configure build-clang --werror -Dintrospection=disabled -Dtests=enabled &&
  compile build-clang || exit 1
run_tests build-clang --suite unit
count_tests
