"""Patients behind the tables: synthetic cohorts that keep the printed numbers, and what all of them have in common."""

from nxp2lib.reconstruction import archive, bounds, contradictions, drawing, facts, reconstruct, witnesses
from nxp2lib.reconstruction.puzzle import Infeasible, NotReached

__all__ = [
    "Infeasible", "NotReached", "archive", "bounds", "contradictions", "drawing", "facts", "reconstruct", "witnesses"
]  # fmt: skip
