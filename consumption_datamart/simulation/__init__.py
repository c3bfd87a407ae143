"""A simulated lake of any size: companies buy, and use more or less of what they bought.

This imports NumPy and PyArrow, so import it where it is used rather than at start-up.
"""

from .lake import simulate

__all__ = ["simulate"]
