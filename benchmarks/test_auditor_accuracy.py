"""How often the audit of ledgers accuses a true row, and how many planted errors it finds.

    .venv/bin/python benchmarks/test_auditor_accuracy.py

prints the README's table. The tables are those of `made_tables`, which shares nothing with the audit.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from nxp2lib import paths
from nxp2lib.audit import ledger
from nxp2lib.report import letter

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # as pytest does
import made_tables

ROWS = 10_000  # true ones
SHOWN = {"inconsistent": "inconsistent", "reproduced under another convention": "excused",
         "undetermined": "undetermined", "consistent": "consistent", "reproduced": "reproduced"}  # fmt: skip


def cohorts() -> list[pd.DataFrame]:
    """Return the reconstructed cohort, and three others that keep the same printed numbers."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nxp2lib", "reconstruct", "--count", "3", "--seed", "5", "--out", folder]
        subprocess.run(command, check=True, capture_output=True)
        return [pd.read_csv(path) for path in (paths.COHORT, *sorted(Path(folder).glob("*.csv")))]


def measure(rows: int = ROWS) -> pd.DataFrame:
    """Return so many true rows or some more, with errors planted in seven of ten tables, and what the audit finds."""
    made, missing = [], rows
    for table in made_tables.tables(cohorts(), 20, [*made_tables.ERRORS, "", "", ""]):
        made.append(table)
        missing -= int((table["error"] == "").sum())
        if missing <= 0:
            break
    return made_tables.judged(pd.concat(made, ignore_index=True), ledger.audit)


def by_kind(found: pd.DataFrame) -> pd.DataFrame:
    """Return how many rows with each kind of error got which verdict, and how many of the knowable errors are found."""
    verdicts = pd.crosstab(found["error"], found["verdict"]).reindex(columns=list(SHOWN), fill_value=0)
    verdicts = verdicts.rename(columns=SHOWN).reindex(["", *made_tables.ERRORS], fill_value=0)
    verdicts.insert(0, "rows", verdicts.sum(axis=1))
    can = found[(found["error"] != "") & found["knowable"]]
    share = {name: f"{sum(some)} of {len(some)}, {100 * sum(some) / len(some):.0f} %"
             for name, some in can.groupby("error")["found"]}  # fmt: skip
    return verdicts.assign(**{"found of knowable": [share.get(name, "") for name in verdicts.index]})


def chance_matches(found: pd.DataFrame) -> tuple[int, float, int] | None:
    """Return how many unrelated P values were printed, how many matches the audit predicts, and how many occurred."""
    if "chance" not in found:
        return None
    wrong = found[found["error"].isin(["P", "copied row"]) & found["knowable"] & (found["a_center"] == "")]
    matched = wrong["conventions"].map(lambda names: bool(set(names.split("; ")) & letter.EXPLAIN))
    return len(wrong), float(wrong["chance"].sum()), int(matched.sum())


def markdown(table: pd.DataFrame) -> str:
    lines = [[table.index.name, *table.columns], ["---"] * (len(table.columns) + 1), *table.reset_index().to_numpy()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def main(rows: int = ROWS) -> pd.DataFrame:
    """Print the README's table, then which true rows are accused; return what was measured."""
    found = measure(rows)
    kinds = by_kind(found).rename({"": "none: true rows"}).rename_axis("Planted error")
    print(markdown(kinds))
    if chance := chance_matches(found):
        print("\nOf {} unrelated P values, {:.1f} are predicted to match by chance, and {} do.".format(*chance))
    accused = found[(found["error"] == "") & (found["verdict"] == "inconsistent")]
    if len(accused):
        print("\nTrue rows accused, by how they are printed and made:\n")
        print(pd.crosstab([accused["form"], accused["made_by"]], accused["habit"]).to_string())
    return found


def test_no_true_row_is_accused(capsys):
    with capsys.disabled():
        print()
        found = main()
    true = found[found["error"] == ""]
    assert len(true) >= ROWS and not (true["verdict"] == "inconsistent").any()


if __name__ == "__main__":
    main()
