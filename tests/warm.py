"""Execute notebooks in this process, one after another: what a run computes and shows, without a kernel for each."""

import sys
from pathlib import Path

import nbformat
from matplotlib import pyplot as plt

from nxp2lib import paths

NAMES = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]


def execute(cohort: Path, out: Path, names: list[str] = NAMES, **parameters) -> dict[str, str]:
    """Run the code cells of notebooks on a cohort file; return what each shows: its text, and tables as HTML."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    main = sys.modules["__main__"]  # which IPython replaces, and processes that are spawned later need
    shell, shown = InteractiveShell.instance(), {}
    for name in names:
        shell.reset(new_session=False)
        given = {"cohort_path": str(cohort), "output_dir": str(out), **parameters}
        parts = []
        for cell in nbformat.read(paths.NOTEBOOKS / f"{name}.ipynb", as_version=4).cells:
            if cell.cell_type != "code":
                continue
            with capture_output() as captured:
                shell.run_cell(cell.source).raise_error()
            parts += [captured.stdout, *(str(output.data.get("text/html", "")) for output in captured.outputs)]
            if "parameters" in cell.metadata.get("tags", []):
                shell.user_ns.update({key: value for key, value in given.items() if key in shell.user_ns})
            plt.close("all")
        shown[name] = "\n".join(parts)
    sys.modules["__main__"] = main
    return shown
