"""The documentation as a site: sphinx-build -W -n docs docs/_build/html (pip install ".[docs]").

Every page is plain Markdown that reads well by itself. What a site needs besides is made here and in docs/site_pages.py: the
navigation from the lists of links in the index pages, the API reference from the docstrings, the figures of the gallery from their
scripts, formulas as MathML. Nothing is fetched from a network, neither when it is built nor when it is read.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dualad

project = "dualad"
author = "the dualad authors"
project_copyright = author
version = release = dualad.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "formulas", "site_pages"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
highlight_language = "none"
default_role = "literal"
nitpicky = True
nitpick_ignore = [("py:class", "scalar")]  # of the signatures of the compiled functions

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autodoc_typehints = "none"  # the docstrings say shapes, which annotations cannot
autodoc_member_order = "bysource"
autodoc_docstring_signature = False  # a docstring's first line is a sentence, whatever parentheses it has
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "dualad"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["site.css"]
