"""Settings of Sphinx for the staged pages; `build.py` calls it."""

from mlperf_logging import __version__

project = "mlperf-log-toolkit"
author = copyright = "The mlperf-log-toolkit contributors"  # noqa: A001 - Sphinx's name
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 6
myst_enable_extensions = ["html_image"]
html_theme = "furo"
html_title = f"{project} {release}"
html_show_sphinx = False
html_copy_source = False
html_use_index = False  # the search finds names, and its table is wider than a desktop
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_use_ivar = True  # a NamedTuple's attributes are described once
suppress_warnings = ["misc.highlighting_failure"]  # shortened JSON is no JSON
