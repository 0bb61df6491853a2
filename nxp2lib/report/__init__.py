"""Pages for people: a cohort beside the published one, queries for the charts, and the whole run as a book."""

from nxp2lib.report import beside, book, drawing, pages, queries, recomputed, summary

__all__ = ["beside", "book", "drawing", "pages", "queries", "recomputed", "summary"]
