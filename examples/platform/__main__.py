"""`python -m examples.platform start|verify|picture`: the worked platform (docs/platform.md)."""

import argparse
import os
import signal
import tempfile
import time
from pathlib import Path

from examples.platform.picture import write
from examples.platform.platform import SYNC_SECONDS, Platform
from examples.platform.verify import verify

TOLD = """
Dagster's UI     {url}
ERP              psql '{erp}'
warehouse        psql '{warehouse}'
page             {site}
CRM              sqlite3 {crm}
settings         {folder}

Fivetran syncs every {seconds:.0f} s. Change something in the ERP, and watch:
  INSERT INTO readings SELECT 'mine', event_ts, customer_id, deployment_id, product_id,
    infrastructure, quantity * 100, unit FROM readings
    ORDER BY event_ts::date DESC, quantity DESC LIMIT 1;

Ctrl-C ends all of it.
"""


def main() -> None:
    """Starts all, and stays; or tells whether it works, and ends."""
    parser = argparse.ArgumentParser(prog="python -m examples.platform", description=__doc__)
    parser.add_argument("what", choices=["start", "verify", "picture"])
    parser.add_argument("--port", type=int, default=3000, help="of Dagster's UI (start)")
    parser.add_argument("--only", default="", help="pattern of the harms that are done (verify)")
    given = parser.parse_args()
    # what it has started ends with it, however it is ended
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="platform", ignore_cleanup_errors=True) as folder:
        platform = Platform(Path(folder))
        if given.what == "picture":
            os.environ |= platform.environment()
            write(platform.settings(), Path("docs/platform.svg"))
            return
        if given.what == "verify":
            raise SystemExit(verify(platform, given.only))
        with platform.running(given.port) as dagster:
            told = TOLD.format(
                url=dagster.url,
                erp=platform.erp,
                warehouse=platform.warehouse,
                site=platform.site,
                crm=platform.crm.file,
                folder=platform.folder,
                seconds=SYNC_SECONDS,
            )
            print(told, flush=True)
            while True:
                time.sleep(60)


if __name__ == "__main__":
    main()
