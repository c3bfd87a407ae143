"""The commands that are about a lake that is not built yet: check-lake, init and demo."""

from pathlib import Path
from typing import Annotated

import typer

from consumption_datamart.cli.options import Lake


def check_lake(lake: Lake = None) -> None:
    """Try the lake's sources: their files and days, mapped rows, and what no source takes.

    Nothing is built. The exit code is 1 where something is wrong.
    """
    from consumption_datamart.cli.check_lake import write
    from consumption_datamart.definitions import lake_of
    from consumption_datamart.lake.checking import check_lake as check
    from consumption_datamart.settings import load_settings

    settings = load_settings(lake=lake)
    raise typer.Exit(write(check(lake_of(settings)), settings.quarantined_share))


def init(
    folder: Annotated[
        Path, typer.Argument(help="The company's folder of dumps.", metavar="FOLDER")
    ],
    force: Annotated[bool, typer.Option("--force", help="Overwrite a lake.toml.")] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="Print it, and write no file.")] = False,
) -> None:
    """Look at a company's folder, and write a lake.toml that says how to read it.

    It is guessed from names and from the first rows of some files. What could not be told is said.
    """
    from consumption_datamart.cli.init import init as propose

    propose(folder, force=force, stdout=stdout)


def demo(
    out: Annotated[
        Path, typer.Option("--out", help="Folder to write the lake to.", metavar="DIR")
    ] = Path("source_data"),
) -> None:
    """Write the sample lake: ninety days of forty customers of six products.

    A folder that has files is left alone.
    """
    from consumption_datamart.errors import DatamartError
    from consumption_datamart.simulation.sample import write_sample

    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise DatamartError(f"{out}: there is something already; name another folder with --out")
    write_sample(out)
    typer.echo(
        f"Wrote the sample lake into {out}. Next:\n"
        f"  consumption-datamart build --lake {out}\n"
        "  consumption-datamart report\n"
        "  dagster dev -m consumption_datamart.definitions"
    )
