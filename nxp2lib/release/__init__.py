"""What may leave a centre: aggregates of a run without small counts, and without what would reveal them."""

from nxp2lib.release import disclosure, export, outgoing, releases, verify

__all__ = ["disclosure", "export", "outgoing", "releases", "verify"]
