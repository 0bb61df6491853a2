"""The audit of ledgers on tables whose truth is known, made by code that shares nothing with it (`made_tables`)."""

import ast
from itertools import islice
from pathlib import Path

import made_tables
import numpy as np
import pandas as pd
import pytest
from budget import LONG, budget

from nxp2lib import paths
from nxp2lib.audit import ledger
from nxp2lib.audit.verdicts import INCONSISTENT

TABLES = budget(63, 630)  # one planted error each, beside five true rows


def few_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the row with the error, and five of the others: in the short tests none of medians, which take longest."""
    true = table[(table["error"] == "") & (LONG | ~table["form"].str.startswith("median"))]
    return pd.concat([table[table["error"] != ""], true.sample(5, random_state=1)])


@pytest.fixture(scope="module")
def judged():
    made = islice(made_tables.tables([pd.read_csv(paths.COHORT)], 4, made_tables.ERRORS), TABLES)
    return made_tables.judged(pd.concat(map(few_rows, made), ignore_index=True), ledger.audit)


def test_no_true_row_is_accused(judged):
    true = judged[judged["error"] == ""]
    accused = true[true["verdict"] == INCONSISTENT]
    assert len(true) > 4 * TABLES
    assert accused.empty, accused[["form", "made_by", "named", "habit", "p_printed", "reason"]].to_string()


def test_most_errors_are_found_where_the_row_excludes_itself(judged):
    assert set(judged["error"]) == {"", *made_tables.ERRORS}
    knowable = judged[(judged["error"] != "") & judged["knowable"]]
    assert knowable["found"].mean() > 0.9


def test_every_true_row_can_be_true():
    rng, cohort = np.random.default_rng(3), pd.read_csv(paths.COHORT)
    for _, author, rows in (made_tables.a_table(cohort, rng) for _ in range(budget(20, 300))):
        assert [row for row in rows if not made_tables.can_be_true(row, author)] == []


def test_what_makes_the_tables_shares_nothing_with_the_audit():
    tree = ast.parse(Path(made_tables.__file__).read_text("utf-8"))
    names = [node.module if isinstance(node, ast.ImportFrom) else alias.name for node in ast.walk(tree)
             if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]  # fmt: skip
    assert names and not any(name.startswith("nxp2lib") for name in names)
