"""Words beside numbers."""


def count(number: int, thing: str) -> str:
    """Return a number with the name of what it counts.

    >>> count(1, "patient"), count(2, "patient")
    ('1 patient', '2 patients')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"
