"""What is written from the code: `docs/cli.md`, `docs/data-dictionary.md`, `docs/superset/`.

`python -m consumption_datamart.cli.reference` writes all; a test requires that they are true.
"""

from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from consumption_datamart.cli.app import app
from consumption_datamart.definitions import models
from consumption_datamart.schema.alerts import ALERTS
from consumption_datamart.schema.dictionary import dictionary
from consumption_datamart.schema.monitoring import MONITORING
from consumption_datamart.schema.superset import superset


def reference() -> str:
    """Every command and option as Markdown."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="consumption-datamart")
    return get_docs_for_click(obj=command, ctx=context, name="consumption-datamart").strip() + "\n"


if __name__ == "__main__":
    docs = Path("docs")
    docs.joinpath("cli.md").write_text(reference())
    docs.joinpath("data-dictionary.md").write_text(
        dictionary([*models().values(), *MONITORING, *ALERTS])
    )
    for name, content in superset().items():
        place = docs / "superset" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
