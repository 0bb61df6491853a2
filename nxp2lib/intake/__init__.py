"""A centre's own file: read as it is, its headers and codes understood, checked against the data dictionary."""

from nxp2lib.intake import checks, column_map, problems, reading
from nxp2lib.intake.checks import Inspection, inspect
from nxp2lib.intake.problems import CohortError, Problem

__all__ = ["CohortError", "Inspection", "Problem", "checks", "column_map", "inspect", "problems", "reading"]
