"""Texts of tables, as spreadsheets read them."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_text(text: str) -> str:
    """`text`, with an apostrophe before what a spreadsheet would take for a formula.

    >>> spreadsheet_text("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
