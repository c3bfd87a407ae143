"""What teams drop into a folder: loaded beside the mart, each file by itself."""

from consumption_datamart.discovery.found import Discovered, Problem, TeamFile
from consumption_datamart.discovery.loading import code_location_of, discover

__all__ = ["Discovered", "Problem", "TeamFile", "code_location_of", "discover"]
