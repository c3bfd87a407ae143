"""The data dictionary, written from the models: `docs/data-dictionary.md`."""

from collections.abc import Iterable

from consumption_datamart.schema.codes import (
    BANDS,
    QUARANTINE_REASONS,
    STATUSES,
    WARNING_CODES,
)
from consumption_datamart.schema.table import Table


def dictionary(models: Iterable[type[Table]]) -> str:
    """Every table, column and code of the mart as Markdown."""
    parts = ["# Data dictionary", "", "Written from the models; all times are UTC.", ""]
    for model in models:
        parts += [f"## {model.full_name()}", "", model.title(), ""]
        if model.key():
            parts += [f"Key: {', '.join(model.key())}.", ""]
        if model.day_column():
            parts += [f"Partitioned by {model.day_column()}.", ""]
        parts += ["| column | type | required | unit | meaning |", "|---|---|---|---|---|"]
        types, required = model.ibis_schema(), model.required()
        for name, meaning in model.meanings().items():
            must = "yes" if name in required else "no"
            unit = meaning.unit or ""
            parts.append(f"| {name} | {types[name]} | {must} | {unit} | {meaning.description} |")
        parts.append("")
    vocabularies = {
        "Quarantine reasons": QUARANTINE_REASONS,
        "Warning codes": WARNING_CODES,
        "Bands": BANDS,
        "Statuses of commitments": STATUSES,
    }
    for title, codes in vocabularies.items():
        parts += [f"## {title}", "", "| code | when |", "|---|---|"]
        parts += [f"| {code} | {meaning} |" for code, meaning in codes.items()] + [""]
    return "\n".join(parts)
