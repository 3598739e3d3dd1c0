# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes a file out of a page: extract.py PAGE NAME [OUTPUT]

A file is the block of code that follows the line `<!-- file: NAME -->`.
"""

import re
import sys


def extract(page, name):
    with open(page, encoding='utf-8') as file:
        text = file.read()
    match = re.search(r'^<!-- file: %s -->\n```\w*\n(.*?)^```$' % re.escape(name), text, re.MULTILINE | re.DOTALL)
    if not match:
        sys.exit('%s: there is no block of code after <!-- file: %s -->' % (page, name))
    return match.group(1)


def main(page, name, output=None):
    text = extract(page, name)
    if name.endswith('.c'):
        text = '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n' + text
    if output is None:
        sys.stdout.write(text)
        return
    with open(output, 'w', encoding='utf-8') as file:
        file.write(text)


if __name__ == '__main__':
    main(*sys.argv[1:])
