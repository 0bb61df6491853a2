"""Printed numbers judged: does each follow from the others, and how? Those of this paper, and of any other."""

from nxp2lib.audit import attainable, conventions, ledger, paper, summaries, verdicts

__all__ = ["attainable", "conventions", "ledger", "paper", "summaries", "verdicts"]
