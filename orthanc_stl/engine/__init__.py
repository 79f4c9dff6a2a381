"""Conversions run in worker processes."""
