# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the linter lets pass, and why. Few, and each with its reason.

(path or path prefix ending in /, rule, text that the message must contain or '', reason)
"""

EXCEPTIONS = (
    ('tests/lint/test_lint.py', 'names', '', 'bad examples for the linter'),
)
