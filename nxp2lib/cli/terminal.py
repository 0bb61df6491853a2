"""What every command says to a person, and how: plain lines, tables, progress; nothing that moves a cursor."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import typer

from nxp2lib import paths

OUTPUTS = str(paths.output_folder("outputs"))  # where a run leaves its results if no folder is named


def end(message: str, status: int = 2) -> typer.Exit:
    """Print why the command ends; raise what is returned."""
    typer.echo(printable(message), err=True)
    return typer.Exit(status)


@contextmanager
def told(cannot: str, *refused: type, failed: tuple = (), status: int = 2, stopped: str = "") -> Iterator[None]:
    """End the command with one sentence where the block raises what a person can do something about.

    What is ``refused`` says it itself, with exit status 2, and what ``failed`` with 1. Where a file is at fault,
    ``cannot`` says what this means, with ``status``; ``stopped`` answers Ctrl-C, with 130. Empty: the error goes on.
    """
    try:
        yield
    except (*refused, *failed) as error:
        raise end(str(error), 2 if isinstance(error, refused) else 1) from None
    except OSError as error:
        if not cannot:
            raise
        raise end(f"{cannot} ({error.strerror or error})", status) from None
    except KeyboardInterrupt:
        if not stopped:
            raise
        raise end(stopped, 130) from None


@contextmanager
def taken(stream: TextIO) -> Iterator[None]:
    """End the command where a stream takes no more: in one sentence, or none to a reader that has left, as ``head``."""
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # for what still waits to be written
        said = f"standard output: cannot be written ({error.strerror})"
        raise SystemExit(1 if isinstance(error, BrokenPipeError) else said) from None


def output(path: str, *suffixes: str, option: str = "", new: bool = False) -> Path:
    """Return the place of a file to write (without suffixes: a folder), a ``new`` one over none, or end the command."""
    place = paths.expanded(path).absolute()
    with told(f"{option}{path}: the file cannot be written"):
        if paths.is_own(place):
            raise end(f"{option}{path}: results do not go among the project's own files; choose another place")
        if suffixes and (place.suffix.lower() not in suffixes or place.is_dir()):
            raise end(f"{option}{path}: accepted is the name of a {' or '.join(suffixes)} file")
        if new and place.exists():
            raise end(f"{option}{path}: exists already and is left as it is; choose another name")
    return place


def printable(text: str) -> str:
    """Spell out characters that would move a terminal's cursor or hide text, but for line ends."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def tell(text: str) -> None:
    """Print what a command has to say."""
    typer.echo(printable(text))


def say_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print rows: as a table on a terminal, as aligned lines elsewhere."""
    from rich import box
    from rich.cells import cell_len, set_cell_size
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    rows, console = [tuple(map(printable, row)) for row in rows], Console()
    if console.is_terminal:
        table = Table(*(Column(name, overflow="fold") for name in header), box=box.SIMPLE_HEAD)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
    else:
        widths = [max(map(cell_len, cells)) for cells in zip(header, *rows, strict=True)]
        for row in [header, *rows]:
            typer.echo("  ".join(map(set_cell_size, row, widths)).rstrip())


def waiting(text: str):
    """Show on a terminal that work goes on."""
    from rich.console import Console

    return Console(stderr=True).status(text)


@contextmanager
def without_stray_lines() -> Iterator[None]:
    """Keep off the standard output what a library in C prints there by itself: HiGHS has a line that was forgotten."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        (ctypes.cdll.msvcrt if os.name == "nt" else ctypes.CDLL(None)).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)


def write(target: Path | None, writer: Callable[[Path], object]) -> None:
    """Write a file whole or not at all, where one is wanted, or end the command."""
    if target:
        with told(f"{target}: the file cannot be written"), paths.replacing(target) as partial:
            writer(partial)
