"""Figures by matplotlib: .png, .svg and .pdf files with the colours and markers of the HTML report.

matplotlib comes with the extra ``plot`` and is imported when the first picture is drawn, never before.
"""

from .drawing import save

__all__ = ["save"]
