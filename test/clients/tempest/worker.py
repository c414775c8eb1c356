"""Tests of tempest for run.ts. `worker.py list FOLDER...` prints the classes under these folders of tempest's API tests, one a line; `worker.py run` reads names
of classes, one a line, and prints one line of JSON for each test and an empty one at the end of each class."""
import importlib
import json
import os
import sys
import time
import unittest

out = os.fdopen(os.dup(1), 'w', buffering=1)
os.dup2(2, 1)


def tests(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from tests(one)
        else:
            yield one


def folders(names):
    import tempest.api
    top = os.path.dirname(os.path.dirname(os.path.dirname(tempest.api.__file__)))
    for name in names:
        place = os.path.join(os.path.dirname(tempest.api.__file__), name)
        yield from tests(unittest.TestLoader().discover(place, top_level_dir=top))


class Said(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def say(self, test, outcome, why=''):
        seconds = time.monotonic() - getattr(self, 'began', time.monotonic())
        out.write(json.dumps({'test': test.id().split('[')[0], 'outcome': outcome, 'why': why, 'seconds': round(seconds, 2)}) + '\n')

    def addSuccess(self, test):
        self.say(test, 'passed')

    def addSkip(self, test, reason):
        self.say(test, 'skipped', reason)

    def addFailure(self, test, err):
        self.say(test, 'failed', self._exc_info_to_string(err, test))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addFailure(subtest, err)

    def addExpectedFailure(self, test, err):
        self.say(test, 'passed')

    def addUnexpectedSuccess(self, test):
        self.say(test, 'failed', 'passed where tempest says that it must not')


def main():
    if sys.argv[1] == 'list':
        for name in sorted({f'{type(test).__module__}.{type(test).__qualname__}' for test in folders(sys.argv[2:])}):
            out.write(name + '\n')
        return
    for line in sys.stdin:
        module, name = line.strip().rsplit('.', 1)
        suite = unittest.TestLoader().loadTestsFromTestCase(getattr(importlib.import_module(module), name))
        suite.run(Said())
        out.write('\n')


main()
