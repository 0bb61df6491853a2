"""The house: a small flat core, rooms beside it, and imports that run one way."""

import ast
import re

import nbformat
import pytest

from nxp2lib import paths

# A room imports the core and the rooms below it.
ORDER = {"intake": 0, "reconstruction": 1, "run": 1, "audit": 2, "report": 3, "teach": 4, "release": 4, "cli": 5}
HEAVY = {"pandas", "numpy", "scipy", "matplotlib", "seaborn", "ortools", "papermill", "rich", "openpyxl", "docx"}
FILES = {path.relative_to(paths.PACKAGE).with_suffix(""): path for path in sorted(paths.PACKAGE.rglob("*.py"))}
TREES = {".".join(["nxp2lib", *name.parts]): ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
TREES = {name.removesuffix(".__init__"): tree for name, tree in TREES.items()}
CORE = {name for name in TREES if name.count(".") < 2 and name.rpartition(".")[2] not in ORDER}


def room(module: str) -> str:
    """Name the room of a module, ``core`` for the flat files."""
    return "core" if module in CORE else module.split(".")[1]


def imports(module: str) -> set[str]:
    """Modules of the package that a module imports, anywhere in it; a room by itself is its ``__init__``."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "nxp2lib":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in TREES else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in TREES}
    return found - {module, "nxp2lib"}


def reached(start: str) -> set[str]:
    """Modules that a module imports, and those that these import, and so on."""
    seen, waiting = set(), [start]
    while waiting:
        new = imports(waiting.pop()) - seen
        seen |= new
        waiting += new
    return seen


def test_every_room_stands_in_the_order_and_every_folder_is_a_room():
    folders = {path.parent.name for path in paths.PACKAGE.glob("*/__init__.py")}
    assert folders == set(ORDER), "a new room gets its place in ORDER, and its sentence in CONTRIBUTING.md"


@pytest.mark.parametrize("module", sorted(TREES))
def test_imports_run_one_way(module):
    allowed = {"core", room(module)}
    if room(module) != "core":
        allowed |= {name for name, floor in ORDER.items() if floor < ORDER[room(module)]}
    elif module == "nxp2lib.cohort":
        allowed |= {"intake"}
    elif module == "nxp2lib.__main__":
        allowed |= {"cli"}
    wrong = {other for other in imports(module) if room(other) not in allowed}
    assert not wrong, f"{module} may import from {', '.join(sorted(allowed))}: move what it needs down, or it up"


@pytest.mark.parametrize("module", sorted(TREES))
def test_no_module_imports_itself_on_the_way(module):
    inside = {name for name in reached(module) if name.count(".") == 2 or name in CORE}
    assert module not in inside, f"a circle of imports goes through {module}"


def test_the_core_is_small():
    flat = [path for name, path in FILES.items() if len(name.parts) == 1]
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in flat}
    assert len(flat) <= 16, "a module that no notebook from 01 to 04 needs belongs into a room"
    assert sum(lines.values()) <= 2_820, f"the core has to be read in an afternoon: {lines}"


def test_the_package_is_small():
    """10,000 when it moved in; since then proofs of exports, rules of reading, sandbox, cache, auditor, kernels."""
    assert sum(len(path.read_text("utf-8").splitlines()) for path in FILES.values()) <= 13_240


@pytest.mark.parametrize("number", ["01", "02", "03", "04"])
def test_a_section_imports_the_core_and_the_check_of_its_exercises_alone(number):
    (path,) = paths.NOTEBOOKS.glob(f"{number}_*.ipynb")
    code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    found = re.findall(r"^\s*from (nxp2lib[.\w]*) import (.+)$", code, flags=re.M)
    assert {(source, names) for source, names in found if source != "nxp2lib"} == {("nxp2lib.teach", "check")}
    for source, names in found:
        if source == "nxp2lib":
            assert {f"nxp2lib.{name.strip()}" for name in names.split(",")} <= CORE


@pytest.mark.parametrize("name", sorted(ORDER))
def test_a_room_says_in_one_sentence_what_it_is_for_and_exports_what_others_use(name):
    tree = TREES[f"nxp2lib.{name}"]
    assert re.fullmatch(r"[A-Z][^\n]+[.?]", ast.get_docstring(tree)), "one sentence"
    exported = next(node for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__")
    assert ast.literal_eval(exported.value) == sorted(ast.literal_eval(exported.value))


def test_the_command_line_imports_nothing_heavy_before_it_is_needed():
    for module in {"nxp2lib.cli", *(name for name in TREES if name.startswith("nxp2lib.cli."))}:
        top = [node for node in TREES[module].body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in top for alias in node.names if isinstance(node, ast.Import)}
        names |= {node.module for node in top if isinstance(node, ast.ImportFrom)}
        assert not {name.partition(".")[0] for name in names} & HEAVY, module
        assert {name for name in names if name.startswith("nxp2lib")} <= {"nxp2lib", "nxp2lib.cli", "nxp2lib.cli.app",
                                                                         "nxp2lib.cli.cohorts"}  # fmt: skip
