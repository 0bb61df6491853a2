"""The README shows what a run produces; run as a script, this file writes it there."""

import re
import shutil
import sys

from nxp2lib import cohort, compare, describe, figure, paths, published, table

README = paths.ROOT / "README.md"
FIGURE = paths.ROOT / "docs" / "figure1.svg"
BLOCK = re.compile(r"(<!-- table1 -->\n).*(<!-- /table1 -->)", flags=re.S)


def table_1() -> str:
    """Table 1 as Markdown, section headings in bold."""
    patients, rows = cohort.load(), published.rows("table1")
    results = compare.two_groups(patients, rows, "age_group")
    shown = table.build(results, rows, "age_group", table.TITLES["table1"], cohort.provenance(patients))
    lines = [shown.header, ["---"] * len(shown.header)]
    lines += [
        (f"**{cells[0]}**", *[""] * (len(shown.header) - 1)) if len(cells) == 1 else cells for cells in shown.body
    ]
    grid = "\n".join(
        "| " + " | ".join(cell.replace("*", r"\*") if i else cell for i, cell in enumerate(cells)) + " |"
        for cells in lines
    )
    notes = "\n".join(f"{note}<br>".replace("*", r"\*") for note in shown.footnotes)
    return f"**{shown.title}**\n\n{grid}\n\n{notes}\n"


def write() -> None:
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda found: found[1] + table_1() + found[2], text), encoding="utf-8")
    shutil.copyfile(paths.output_folder("outputs") / "figures" / "figure1.svg", FIGURE)


def test_table_1_in_the_readme_is_the_one_that_is_produced():
    assert table_1() in README.read_text(encoding="utf-8")


def test_figure_1_in_the_readme_is_the_one_that_is_produced():
    patients = cohort.load()
    made = figure.phenotype_proportions(patients, describe.phenotypes(patients))
    words = FIGURE.read_text(encoding="utf-8").replace("&lt;", "<").replace("&amp;", "&")
    assert made.alternative_text in words


def test_the_readme_maps_every_notebook_and_says_what_the_cohort_is():
    text = README.read_text(encoding="utf-8")
    assert all(f"notebooks/{path.name}" in text for path in paths.NOTEBOOKS.glob("*.ipynb"))
    assert "The patients here are reconstructed." in text
    assert published.EDITION in text.partition("\n## ")[0].replace("\n", " ")
    assert "Nothing here is medical advice or a basis for clinical decisions." in text


def test_every_link_of_the_readme_leads_to_a_file():
    for target in re.findall(r"\]\(([\w./-]+)\)", README.read_text(encoding="utf-8")):
        assert (paths.ROOT / target).exists(), target


if __name__ == "__main__":
    sys.exit(write())
