"""Find columns that may say who a patient is: by their names, and by what stands in them.

Names of columns are looked for in English and Japanese. A miss is possible, so this does not replace a person's look.
"""

import re
import unicodedata
from collections.abc import Iterable

WORDS = {
    "name", "names", "surname", "firstname", "lastname", "forename", "initial", "initials", "birth", "birthdate",
    "birthday", "dob", "mrn", "chart", "address", "street", "postcode", "postal", "zip", "phone", "telephone", "tel",
    "mobile", "fax", "email", "mail", "ssn", "nhs", "insurance", "passport", "photo",
    "comment", "comments", "note", "notes", "remark", "remarks", "memo", "text",
}  # fmt: skip
PHRASE = re.compile("(?:^|_)(?:record_n|record_id|hospital_id|hospital_n|my_number|e_mail|patient_n(?:o|umber)(?:_|$))")
JAPANESE = re.compile(
    "氏名|名前|患者名|姓名|イニシャル|カルテ|診察券|生年月日|誕生日|住所|郵便|電話|携帯|メール|保険|マイナンバー"
    "|備考|コメント|メモ|自由記載"
)
ANYWHERE = {
    "an e-mail address": re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.I),
    "a date": re.compile(r"(?<!\d)(?:\d{4}([-/.年])\d{1,2}[-/.月]\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{2,4})"),
    "a telephone number": re.compile(r"(?<!\d)\+?\d{2,4}[- ()]+\d{2,4}[- ()]+\d{3,4}(?!\d)"),
    "a long text": re.compile(r".{61,}", re.S),
}
IN_CODES = {  # in the patients' study codes
    "a long number, such as a record number": re.compile(r"\d{7,}"),
    "words, such as a name": re.compile(r"[^\W\d_]{2,}[ ,.]+[^\W\d_]{2,}|[\u3040-\u30ff\u4e00-\u9fff]{2,}"),
}


def header(name: str) -> bool:
    """Tell whether the name of a column promises an identifier, or free text.

    >>> [header(name) for name in ("Patient name", "DateOfBirth", "カルテ番号", "Dysphagia", "patient_id")]
    [True, True, True, False, False]
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", unicodedata.normalize("NFKC", name))
    plain = "_".join(re.findall(r"[^\W_]+", spaced)).lower()
    return bool(set(plain.split("_")) & WORDS or PHRASE.search(plain) or JAPANESE.search(spaced))


def contents(texts: Iterable[str], codes: bool) -> str:
    """Say what identifier some of the texts look like, or nothing; ``codes``: they are the patients' study codes.

    >>> contents(["P-001", "0012345678"], codes=True)
    'a long number, such as a record number'
    >>> contents(["Tokyo A", "Osaka"], codes=False)
    ''
    """
    looks = {**ANYWHERE, **(IN_CODES if codes else {})}
    texts = list(texts)
    return next((said for said, pattern in looks.items() if any(pattern.search(text) for text in texts)), "")
