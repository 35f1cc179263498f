#!/usr/bin/env python3
"""tests/cli/test-guard-race.py with the numbers that are worth a claim: 10,000 rounds of changes in each mode, 1,000 containers."""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
os.environ.update(SEKISHO_TEST_ROUNDS='1120', SEKISHO_TEST_CONTAINERS='1000')
test = os.path.join(here, '..', 'cli', 'test-guard-race.py')
os.execv(sys.executable, [sys.executable, test])
