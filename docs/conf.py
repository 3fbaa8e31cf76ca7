"""How the documentation is built: pages in Markdown, examples that are run, and a catalogue made of the code."""

import doctest
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "docs"), str(ROOT)]

from catalogue_page import write_catalogue  # noqa: E402

from jobtck import __version__  # noqa: E402

project = "jobtck"
author = "the jobtck authors"
copyright = author  # noqa: A001 - Sphinx's name
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.doctest"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"jobtck {release}"
html_static_path: list[str] = []
myst_heading_anchors = 3
doctest_default_flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

write_catalogue(ROOT / "docs" / "_generated" / "catalogue.md")
