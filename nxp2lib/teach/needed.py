"""Which cells of a returned notebook an answer can rest on: the trainee's own, and of the others what these use.

Most answers are a number that was typed, and most cells stand there to be read. A cell as it was handed out, of which
nothing is used later, changes no answer: it need not be executed to grade one.
"""

import ast
from collections.abc import Iterable

from nxp2lib.teach.exercises import checked

ANSWER = "answer"
# Whatever uses one of these may reach names unseen.
ANY = {"eval", "exec", "dir", "globals", "locals", "vars", "inspect", "builtins", "importlib", "__import__",
       "get_ipython"}  # fmt: skip


def cells(trees: list[ast.Module | None], own: Iterable[bool]) -> list[bool]:
    """Tell of each cell whether it has to be executed.

    ``trees`` are the parsed cells in order (None: cannot be parsed), ``own`` tells which of them the trainee wrote or
    changed. These are executed, and so are cells that give a name a value which an executed one reads, the name
    ``answer`` always. A cell that does nothing but check is not.

    >>> sources = ["import math", "n = 3", "shown = [n]", "shown.append(4)", "answer = n", 'check("n", answer)']
    >>> cells([ast.parse(source) for source in sources], [False] * 4 + [True, False])
    [False, True, False, False, True, False]
    """
    own = list(own)
    if any(mine and (tree is None or _names(tree) & ANY) for tree, mine in zip(trees, own, strict=True)):
        return [True] * len(trees)
    imported = set().union(*(_imported(tree) for tree in trees if tree))
    only_check = [tree is not None and _only_checks(tree) for tree in trees]
    needed, before = [mine and not checks for mine, checks in zip(own, only_check, strict=True)], None
    while needed != before:  # whatever the order: what a function reads is looked up when it is called
        before = needed
        read = {ANSWER}.union(*(_names(tree) for tree, wanted in zip(trees, needed, strict=True) if tree and wanted))
        needed = [
            wanted or bool(tree and not checks and _given(tree, imported) & read)
            for tree, wanted, checks in zip(trees, needed, only_check, strict=True)
        ]
    return needed


def _only_checks(tree: ast.Module) -> bool:
    return bool(checked(tree)) and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _imported(tree: ast.AST) -> set[str]:
    lines = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(alias.asname or alias.name).partition(".")[0] for line in lines for alias in line.names}


def _given(tree: ast.AST, imported: set[str]) -> set[str]:
    """Return the names that a cell gives a value or may change: also ``x`` in ``x[0] = 1`` and in ``x.append(1)``."""
    found = _imported(tree)
    for node in ast.walk(tree):
        found.add(getattr(node, "name", None) or "")  # of a function, a class, a caught error
        if isinstance(node, ast.Name | ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found.add(_root(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found |= {_root(node.value.func)} - imported
    return found


def _root(node: ast.AST) -> str:
    """Return the name that a place or a call begins with; empty where it begins with none."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "value", None) or getattr(node, "func", None)
        if not isinstance(inner, ast.AST):
            return ""
        node = inner
    return node.id
