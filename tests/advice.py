"""What to do when a test fails, by where it stands; the longest place that fits speaks."""

ALONE = "Alone: .venv/bin/python -m pytest '{test}'"
ADVICE = {
    "": "The message says what was expected. If the promise changed, change the test, and say so.",
    "notebooks/": "An output differs from the stored one. Not meant: find what changed it. Meant: `make notebooks`, "
    "and name every number that moved, with the reason, in CHANGELOG.md.",
    "nxp2lib/": "An example in a docstring no longer holds: mend the code, or the example if the promise changed.",
    "tests/test_readme.py": "The README shows something else than a run makes: `make run`, then `make notebooks`.",
    "tests/test_environment.py": "Change pyproject.toml and environment.yml together, then `make lock`.",
    "tests/test_house.py": "A module stands in the wrong room, or grew: CONTRIBUTING.md draws the house.",
    "tests/test_notebooks.py": "A house rule of the notebooks is broken: edit the notebook, then `make notebooks`.",
    "tests/test_published.py": "A printed number was mistyped, or its address: compare data/published/ with the paper.",
    "tests/reconstruction/": "Not meant: find what changed it. If the model of the patients was to change, `make data` "
    "writes the reconstructed cohort again, `make notebooks` what rests on it, and CHANGELOG.md names what moved.",
    "tests/audit/": "A verdict moved: it may only with a reason, which stands in CHANGELOG.md.",
    "tests/release/": "A count that must stay hidden may be exposed. Do not export with this version.",
    "tests/teach/": "A returned notebook reaches what it must not, or is graded otherwise: do not grade with this.",
    "tests/report/test_book.py": "Look at the page: `make book`, then open outputs/book/index.html.",
}


def what_to_do(test: str) -> str:
    """Return the advice for a test by its id."""
    place = max((place for place in ADVICE if test.startswith(place)), key=len)
    return f"{ADVICE[place]}\n{ALONE.format(test=test)}"
