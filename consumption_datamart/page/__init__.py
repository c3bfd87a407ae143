"""The executives' page: the report as a site of pages that need no server."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from consumption_datamart.page.figures import Figure, figures
from consumption_datamart.page.index import overview
from consumption_datamart.page.reading import Material, read
from consumption_datamart.page.render import Renderer, empty, pages
from consumption_datamart.page.site import Published, publish
from consumption_datamart.settings import Settings

__all__ = ["Published", "Site", "write_site"]


@dataclass(frozen=True)
class Site:
    """What was written.

    Attributes:
        published: where, and how many pages.
        material: what it was made of; None: the mart is empty.
    """

    published: Published
    material: Material | None

    def figures(self) -> list[Figure]:
        """Of the index; none of an empty mart."""
        return [] if self.material is None else figures(self.material)

    def picture(self) -> bytes | None:
        """An SVG of customers by band over time; None of an empty mart."""
        return None if self.material is None else Renderer().picture(overview(self.material))


def write_site(
    settings: Settings,
    out: str,
    day: date | None = None,
    *,
    is_priced: bool = True,
    tell: Callable[[int, int], None] = lambda _, __: None,
) -> Site:
    """Writes the site of what readers see of the mart.

    Args:
        settings: where the warehouse is.
        out: a folder, or a URI that fsspec opens.
        day: to report consumption of; None: the last.
        is_priced: whether it has any money in it.
        tell: is told how many pages are made, of how many.

    Raises:
        WarehouseError: the warehouse cannot be opened, is not built, or does not have the day.
        DatamartError: the site cannot be written, or Jinja2 is missing.
    """
    Renderer()  # what is missing is told before anything is read
    material = read(settings, day, is_priced=is_priced)
    if material is None:
        return Site(publish(out, empty()), None)
    return Site(publish(out, pages(material, tell)), material)
