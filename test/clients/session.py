"""Runs Debian's unmodified openstack client again and again in one process, since importing it costs more than all its requests.

Reads a JSON list of arguments a line; answers each with a line {"code": 0, "out": "...", "err": "..."}.
"""

import contextlib
import io
import json
import sys

from openstackclient import shell

answers = sys.stdout
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.main(json.loads(line))
        except SystemExit as end:
            code = end.code
    answers.write(json.dumps({"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}) + "\n")
    answers.flush()
