"""The look of a page that stands alone: one HTML file without outside parts, for screen, telephone and paper."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from nxp2lib import formats

STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--soft:#56616d;--rule:#c9d1d9;--back:#fff;--band:#f3f6f9;--mark:#0b5cad}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#a9b3bd;--rule:#444d57;--back:#14181d;--band:#1d232a;
--mark:#7db7ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:74rem;padding:1.5rem 1rem 4rem;background:var(--back);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Hiragino Sans","Noto Sans CJK JP","Noto Sans",sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4rem}h2{font-size:1.2rem;margin:2.2rem 0 .5rem}
p{max-width:48rem}p.lead{color:var(--soft);margin-top:0}
p.note{border-left:4px solid var(--mark);padding:.3rem .8rem;background:var(--band)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.32rem .6rem;border-bottom:1px solid var(--rule);
overflow-wrap:anywhere}
thead th{border-bottom:2px solid var(--ink)}tbody th{font-weight:400}
tbody tr.section th{background:var(--band);font-weight:600}
td.short{white-space:nowrap}a{color:var(--mark)}code{font-family:ui-monospace,monospace;font-size:.92em}
figure{margin:1rem 0;padding:.5rem;background:#fff;border-radius:4px}
figure img{max-width:100%;height:auto;display:block}
@media print{body{font-size:10pt;max-width:none;padding:0}thead{display:table-header-group}tr{break-inside:avoid}
h2{break-after:avoid}.scroll{overflow:visible}}
"""
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style }}</style></head>
<body><main><h1>{{ title }}</h1>
{% if lead %}<p class="lead">{{ lead }}</p>{% endif %}
{{ body }}
</main></body>
</html>
"""
def _render(template: str, **values: object) -> Markup:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return Markup(environment.from_string(template).render(**values))


def page(title: str, body: Markup, lead: str = "") -> str:
    """Return a whole page; ``title`` and ``lead`` are escaped, ``body`` is HTML already."""
    return _render(PAGE, title=title, lead=lead, body=body, style=Markup(STYLE))


def table(header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> Markup:
    """Return a table; cells are escaped, and a row of one cell is a heading over the rows that follow."""
    body = tuple(tuple(map(str, row)) for row in rows)
    return Markup(formats.to_html(formats.Table(caption, tuple(header), body, ()), inline=False))


def paragraphs(*texts: object, kind: str = "") -> Markup:
    """Return one paragraph per text, escaped; ``kind`` may be ``note``."""
    opening = Markup('<p class="{}">').format(kind) if kind else Markup("<p>")
    return Markup("\n").join(opening + text + Markup("</p>") for text in texts)


def heading(text: str) -> Markup:
    """Return a heading of the second level, escaped."""
    return Markup("<h2>{}</h2>").format(text)
