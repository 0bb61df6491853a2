"""Pages for people, from templates: HTML without outside parts, for screen, telephone and paper."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from markupsafe import Markup

from nxp2lib import formats, paths


@lru_cache
def _environment():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    places, layout = [paths.PACKAGE, paths.ROOT / "docs"], {"trim_blocks": True, "lstrip_blocks": True}
    made = Environment(loader=FileSystemLoader(places), autoescape=True, undefined=StrictUndefined, **layout)
    made.globals["table"] = table
    return made


def render(template: str, **values: object) -> str:
    """Return a page from a template, called by its place in the package or in ``docs``; all values are escaped."""
    return _environment().get_template(template).render(values)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """Return a table; cells are escaped, and a row of one cell is a heading over the rows that follow."""
    body = tuple(tuple(map(str, row)) for row in rows)
    return Markup(formats.to_html(formats.Table("", tuple(header), body, ()), inline=False))
