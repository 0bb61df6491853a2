"""Tables of a few rows, which the short tests of exports do with."""

import pytest
from budget import LONG

from nxp2lib import describe, published

ROWS = ["male", "age_at_onset", "distal_weakness", "dysphagia", "any_rash", "malignancy"]


@pytest.fixture(scope="module")
def few_rows():
    """Let tables and running text have a few rows in the short tests, and all in the long ones."""
    with pytest.MonkeyPatch.context() as patched:
        if not LONG:
            rows, text = published.rows, describe.running_text
            patched.setattr(published, "rows", lambda name: rows(name).query("row in @ROWS").reset_index(drop=True))
            patched.setattr(describe, "running_text", lambda patients: text(patients).query("row in @ROWS"))
        yield
