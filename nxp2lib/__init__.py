"""Helpers behind the notebooks on anti-NXP2 antibody-positive myositis.

The core, in an order to read it in; the sections 01 to 04 import nothing else:

- `paths`: where things lie, and files that appear whole or not at all
- `dictionary`: every column of a cohort, its label, type and accepted values
- `findings`: what a finding, a group and a row of the tables mean
- `wording`: words beside numbers
- `digits`: what printed digits stand for
- `published`: the numbers that the paper prints
- `cohort`: read a cohort file, check it, and derive what the paper derives
- `describe`: counts, percentages, means and quartiles, overall and by group
- `fourfold`: Fisher's exact test with its odds ratio and interval, and every other test of a 2x2 table
- `compare`: two groups row by row, the Mann-Whitney U test, adjustment for many tests
- `incidence`: malignancies beside the general population's
- `table`: results laid out as in the paper, and saved
- `formats`: a table as HTML, LaTeX, CSV and Word
- `figure`: the figures, with words for those who cannot see them

Rooms beside it: `intake`, `reconstruction`, `run`, `audit`, `report`, `release`, `teach`, `cli`.
"""

__version__ = "0.4.0"
