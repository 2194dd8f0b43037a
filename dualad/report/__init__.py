"""Reports: figures as SVG of our own, results as one HTML page that needs nothing else.

    palette   role -> colour, marker, dash          axes     numbers -> pixels, ticks
    marks     markers and lines as SVG paths        labels   where words find room
    svg       a Figure as SVG                       heat     its heat map
    html      results as a page (page.css, page.js)   command  what to type to run an experiment again
"""

from .html import page
from .svg import draw

__all__ = ["draw", "page"]
