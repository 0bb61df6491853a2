"""The house: a module imports from floors below its own, or from its own floor without a cycle."""

import ast

import pytest

from nxp2lib import paths

FLOORS = [
    {"__init__"},
    {"paths", "dictionary", "digits", "findings", "published", "problem"},
    {"reading", "identifiers", "column_map", "understanding", "plausibility", "cohort"},
    {"describe", "compare", "incidence"},
    {
        *("constraints", "counts", "creatine_kinase", "reconstruct", "bounds", "witnesses", "archive"),
        *("patterns", "contradictions", "attainable", "conventions", "summaries", "verdicts", "audit"),
        *("beside", "disclosure", "exercises"),
        *("cells", "ledger_row", "ledger"),
    },
    {"export", "table", "figure", "pages", "forms", "queries", "summary", "release"},
    {"parameters", "record", "run", "teach", "sandbox", "grade", "book"},
    {"terminal", "cli_paper", "cli_cohort", "cli_class", "cli", "__main__"},
]
HEAVY = {"pandas", "numpy", "scipy", "matplotlib", "seaborn", "ortools", "papermill", "pandera", "rich"}
MODULES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in (paths.ROOT / "nxp2lib").glob("*.py")}


def floor(module: str) -> int:
    return next(place for place, modules in enumerate(FLOORS) if module in modules)


def imports(module: str) -> set[str]:
    """Modules of the package that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.ImportFrom) and node.module == "nxp2lib":
            found |= {alias.name for alias in node.names} & set(MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nxp2lib."):
            found.add(node.module.partition(".")[2])
    return found


def reached(module: str, seen: frozenset = frozenset()) -> set[str]:
    found = imports(module) - seen
    return found.union(*(reached(other, seen | found) for other in found)) if found else set()


def test_every_module_has_a_floor_and_every_floor_its_modules():
    assert set().union(*FLOORS) == set(MODULES)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_nothing_from_above_and_never_itself(module):
    assert all(floor(other) <= floor(module) for other in imports(module)), imports(module)
    assert module not in reached(module)


def test_the_command_line_imports_nothing_heavy_before_it_is_needed():
    top = [node for node in MODULES["cli"].body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name.partition(".")[0] for node in top for alias in node.names if isinstance(node, ast.Import)}
    assert not names & HEAVY
