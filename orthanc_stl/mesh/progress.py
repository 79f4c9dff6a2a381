"""How a conversion tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction (0..1) of the whole conversion that is done, and the step that begins, in words."""


def no_progress(fraction: float, step: str) -> None:
    """For callers who do not want to know."""
