#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The house linter and its own tests; no build.
set -uo pipefail
. "$(dirname "$0")/common.sh"

status=0
"$PYTHON" -I "$NEBULA_TOP/tests/lint/lint.py" "$NEBULA_TOP" || status=1
"$PYTHON" "$NEBULA_TOP/tests/lint/test_lint.py" || status=1
exit $status
