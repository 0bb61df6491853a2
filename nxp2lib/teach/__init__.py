"""Teaching: exercises that check themselves, a class with a cohort for each trainee, grading of what comes back."""

from nxp2lib.teach import exercises
from nxp2lib.teach.exercises import check

__all__ = ["check", "exercises"]
