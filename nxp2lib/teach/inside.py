"""Run inside the sandbox: execute one returned notebook, and say what it answers.

Reads one JSON object on standard input (``notebook``, its text; ``files``, text by name; the limits ``seconds``,
``megabytes``, ``processes``, and ``told``, characters of a text), writes one on standard output (``answers`` by
exercise, ``errors`` by cell, ``ended``). What protects the grader is outside: the process that started this one trusts
nothing that it says but the form.
"""

import ast
import ctypes
import json
import os
import platform
import resource
import sys
from math import isfinite
from pathlib import Path

from nxp2lib import paths
from nxp2lib.teach import needed
from nxp2lib.teach.exercises import checked

MOST = 40  # answers and errors that are told
JOIN_SESSION_KEYRING = 1  # of the system call keyctl


def main() -> None:
    """Execute the notebook that comes in, and print what it answers."""
    asked = json.load(sys.stdin)
    said = os.fdopen(os.dup(1), "w")
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    for name, content in asked["files"].items():
        Path(name).write_text(content, encoding="utf-8")
    forget_keys()
    os.environ["MPLBACKEND"] = "agg"
    limit(asked["seconds"], asked["megabytes"], asked["processes"])
    json.dump(executed(asked["notebook"], asked["megabytes"], asked["told"]), said)
    said.flush()
    os._exit(0)  # whatever the notebook left running does not keep this process


def forget_keys() -> None:
    """Leave the keyring of the session that started this process (Linux), for an empty one."""
    if call := {"x86_64": 250, "aarch64": 219}.get(platform.machine() if sys.platform == "linux" else ""):
        ctypes.CDLL(None).syscall(call, JOIN_SESSION_KEYRING, None)


def limit(seconds: float, megabytes: int, processes: int) -> None:
    """Limit memory and processor time of each process, files, and the number of processes, for good."""
    for what, most in {
        resource.RLIMIT_AS: megabytes << 20,
        resource.RLIMIT_FSIZE: 100 << 20,
        resource.RLIMIT_CPU: int(seconds) + 1,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_CORE: 0,
    }.items():
        resource.setrlimit(what, (most, most))


def executed(notebook: str, megabytes: int, told: int) -> dict:
    """Return what a notebook answers: cell by cell, those after a failing one still count.

    Only what answers can rest on is executed (`nxp2lib.teach.needed`); everything where one of these cells fails, since
    it may rest on something else, such as a file that another one writes.
    """
    try:
        cells = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"answers": {}, "errors": {}, "ended": "it is not a notebook"}
    trees, known = [parsed(source) for source in sources], handed_out()
    short = needed.cells(trees, (source not in known for source in sources))
    answers, errors = answered(sources, short, megabytes, told)
    if errors and not all(short):
        answers, errors = answered(sources, [True] * len(sources), megabytes, told)
    few = {name: dict(list(found.items())[:MOST]) for name, found in {"answers": answers, "errors": errors}.items()}
    return {**few, "ended": ""}


def parsed(source: str) -> ast.Module | None:
    """Return a cell's tree; None where it is not Python, which is told when it is executed."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def handed_out() -> set[str]:
    """Return the cells of the project's notebooks, of which a trainee's are made."""
    notebooks = [json.loads(path.read_text(encoding="utf-8")) for path in paths.NOTEBOOKS.glob("*.ipynb")]
    return {"".join(cell["source"]) for notebook in notebooks for cell in notebook["cells"]}


def answered(sources: list[str], wanted: list[bool], megabytes: int, told: int) -> tuple[dict, dict]:
    """Execute the cells that are wanted; return the answers by exercise, and the errors by cell."""
    answers, errors, scope = {}, {}, {"__name__": "__main__", "display": lambda *shown: None}
    for number, (text, is_wanted) in enumerate(zip(sources, wanted, strict=True), 1):
        try:
            tree = ast.parse(text)
            for name in checked(tree):
                answers[name] = plain(scope.get("answer"), told)
            if is_wanted:
                exec(compile(tree, f"cell {number}", "exec"), scope)
        except MemoryError:
            errors[number] = f"more than {megabytes} MB of memory"
        except BaseException as error:  # a cell may raise anything
            errors[number] = f"{type(error).__name__}: {error}"[:told]
    return answers, errors


def plain(answer: object, told: int) -> str | int | float | bool | None:
    """Return an answer as a number or a text that can be sent; anything else as a question mark."""
    if type(answer) is str:
        return answer[:told]
    if type(answer) is int:
        return answer if abs(answer) < 10**told else "?"
    if type(answer) is float:
        return answer if isfinite(answer) else str(answer)
    if type(answer) is bool or answer is None:
        return answer
    if type(answer).__module__ == "numpy" and callable(getattr(answer, "item", None)):
        return plain(answer.item(), told)
    return "?"


if __name__ == "__main__":
    main()
