"""Find columns that may say who a patient is: by their names, and by what stands in them.

Names of columns are looked for in English and Japanese. A miss is possible, so this does not replace a person's look.
"""

import re
import unicodedata
from collections.abc import Iterable

import yaml

from nxp2lib import paths

KNOWN = yaml.load((paths.PACKAGE / "intake" / "identifiers.yml").read_text(encoding="utf-8"), yaml.BaseLoader)


def header(name: str) -> bool:
    """Tell whether the name of a column promises an identifier, or free text.

    >>> [header(name) for name in ("Patient name", "DateOfBirth", "カルテ番号", "Dysphagia", "patient_id")]
    [True, True, True, False, False]
    """
    spaced, known = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", unicodedata.normalize("NFKC", name)), KNOWN["header"]
    words = [word.lower() for word in re.findall(r"[^\W_]+", spaced)]
    english = not set(words).isdisjoint(known["words"]) or re.search(known["phrases"], "_".join(words))
    return bool(english) or any(word in spaced for word in known["japanese"])


def contents(texts: Iterable[str], codes: bool) -> str:
    """Say what identifier some of the texts look like, or nothing; ``codes``: they are the patients' study codes.

    >>> contents(["P-001", "0012345678"], codes=True)
    'a long number, such as a record number'
    >>> contents(["Tokyo A", "Osaka"], codes=False)
    ''
    """
    looks, texts = KNOWN["cells"] | (KNOWN["codes"] if codes else {}), list(texts)
    return next((said for said, pattern in looks.items() if any(re.search(pattern, text) for text in texts)), "")
