"""Tables of a few rows, which the short tests of exports do with."""

import pytest
from made import of_few_rows


@pytest.fixture(scope="module")
def few_rows():
    """Let tables and running text have a few rows in the short tests, and all in the long ones."""
    with of_few_rows():
        yield
