"""Texts of tables, as spreadsheets read them."""

from __future__ import annotations

import re

# Where a cell may begin: at the start, and after a semicolon, at which spreadsheets of many countries split a CSV, in
# quotes or not. Some take the wide forms of the signs for the signs. The pages have the same (shared/csv.js);
# tests/spreadsheet_texts.json holds both to it.
_FORMULA = re.compile(r"(^|;)(?=[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def spreadsheet_text(text: str) -> str:
    """`text`, with an apostrophe before what a spreadsheet would take for a formula.

    >>> spreadsheet_text("=1+1")
    "'=1+1"
    >>> spreadsheet_text("Lung;=1+1")
    "Lung;'=1+1"
    """
    return _FORMULA.sub(r"\1'", text)
