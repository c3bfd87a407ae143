"""Guessing a `lake.toml` from a company's folder: files, formats, tables, columns."""

from consumption_datamart.guessing.proposal import Proposal, propose

__all__ = ["Proposal", "propose"]
