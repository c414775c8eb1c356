"""Runs one of Debian's unmodified clients again and again in one process, since importing it costs more than all its requests.

The module that has the client's main is the argument. Reads a JSON list of arguments a line; answers each with a line
{"code": 0, "out": "...", "err": "..."}.
"""

import contextlib
import importlib
import inspect
import io
import json
import logging
import sys

shell = importlib.import_module(sys.argv[1])

answers, commands = sys.stdout, sys.stdin


class Terminal(io.StringIO):
    """glance takes what comes in for an image's bytes, unless somebody sits there."""

    def isatty(self):
        return True



def run(words):
    # glance's main takes its arguments from the process.
    sys.argv = [sys.argv[0], *words]
    return shell.main(words) if inspect.signature(shell.main).parameters else shell.main()


sys.stdin = Terminal()
for line in commands:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run(json.loads(line))
        except SystemExit as end:
            code = end.code
    # Each run of a client adds a handler, and the next would say everything twice.
    logging.getLogger().handlers.clear()
    answers.write(json.dumps({"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}) + "\n")
    answers.flush()
