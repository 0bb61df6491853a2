"""How much a test tries: little in `make test`, much in `make test-long`. They are the same tests."""

import os

LONG = bool(os.environ.get("NXP2_TEST_LONG"))
FEW = [] if LONG else ["-p", "number_of_cohorts=3"]  # what a run of all notebooks is given


def budget(short, long):
    """Return what a test is to try: examples, patients, kills, notebooks."""
    return long if LONG else short
