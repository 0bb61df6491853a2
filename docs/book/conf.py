"""Settings of the book: everything that a page needs lies in its folder, nothing comes from a network."""

from pathlib import Path

from nxp2lib import __version__

project = "Anti-NXP2 myositis, re-executed"
author = "The nxp2lib authors"
release = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc"]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
add_module_names = False
exclude_patterns = ["_static", "files"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_domain_indices = False
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_show_search_summary = False  # a browser does not let a page in a folder read another
html_last_updated_fmt = None
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b5a8a", "color-brand-content": "#0b5a8a"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f2", "color-brand-content": "#7cc4f2"},
}
myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_code_prompt_show = "Show the {type}"
nb_code_prompt_hide = "Hide the {type}"
suppress_warnings = ["myst.xref_missing", "mystnb.unknown_mime_type"]
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def setup(app):
    """Keep the pictures of notebooks with what has been read of them; MyST-NB would leave them beside the book."""

    def keep(app):
        place = Path(app.doctreedir) / "pictures"
        app.env.mystnb_config = app.env.mystnb_config.copy(output_folder=str(place))

    app.connect("builder-inited", keep, priority=900)  # after MyST-NB's own
