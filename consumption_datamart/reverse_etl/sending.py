"""A sync: the outbox is filled, Census is asked to send it, and its end is awaited.

Each step is written down before the next, so that whatever is lost in between, the next run knows
what it has to look for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from consumption_datamart.reverse_etl import SyncEntry
from consumption_datamart.reverse_etl.census import UNDER_WAY, Census, CensusError, SyncRun
from consumption_datamart.reverse_etl.outbox import Attempt, Outbox
from consumption_datamart.schema.table import Table

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """What was sent.

    Attributes:
        attempt: that is completed.
        is_new: whether it was found out now, or was known before.
    """

    attempt: Attempt
    is_new: bool


def send(
    census: Census,
    outbox: Outbox,
    sync: SyncEntry,
    model: type[Table],
    tell: Tell,
    *,
    again: bool = False,
) -> Done:
    """Sends the report as it is now, unless that was sent.

    Args:
        census: to ask.
        outbox: of the sync.
        sync: as it is declared.
        model: of the report.
        tell: what was found that an earlier run, or others, have begun.
        again: whether what was sent is sent once more.

    Raises:
        CensusError: it was not sent, or not all of it.
        OutboxError: the report cannot be read.
    """
    last, was_open = outbox.last(), False
    if last is not None and last.is_open:
        last, was_open = _found_again(census, outbox, sync, last, tell), True
    runs = census.runs(sync.id)
    for busy in (run for run in runs if run.status in UNDER_WAY):
        tell(f"sync run {busy.id}, which others have started, is awaited first")
        census.awaited(busy.id)
    is_known = last is not None and last.status == "completed" and (was_open or not again)
    if last is not None and is_known and last.publication == outbox.publication(model):
        return Done(last, is_new=was_open)
    attempt = outbox.fill(model, sync.where, runs[-1].id if runs else 0)
    run = census.awaited(_started(census, outbox, sync, attempt))
    return Done(_require_all(sync, _ended(outbox, attempt, run), run), is_new=True)


def _started(census: Census, outbox: Outbox, sync: SyncEntry, attempt: Attempt) -> int:
    """Starts it; gives the id of the run."""
    try:
        run = census.trigger(sync.id)
    except CensusError as error:
        if not error.may_pass:  # it was refused, and so is not under way
            outbox.ended(attempt, "failed", attempt.sync_run, {})
            raise
        found = _looked_for(census, sync, attempt)  # its answer may have been lost
        if found is None:
            raise
        run = found.id
    outbox.triggered(attempt, run)
    return run


def _looked_for(census: Census, sync: SyncEntry, attempt: Attempt) -> SyncRun | None:
    """The run that was asked for without an answer: it may begin some time later."""
    until = time.monotonic() + census.entry.timeout_seconds
    while (found := _later(census.runs(sync.id), attempt)) is None and time.monotonic() < until:
        time.sleep(census.entry.poll_seconds)
    return found


def _later(runs: list[SyncRun], attempt: Attempt) -> SyncRun | None:
    """The first run after the outbox was filled: whoever has started it, it has read that."""
    return next((run for run in runs if run.id > attempt.run_before), None)


def _found_again(
    census: Census, outbox: Outbox, sync: SyncEntry, last: Attempt, tell: Tell
) -> Attempt | None:
    """What became of an attempt whose end no run has seen; None: it was not started."""
    run = last.sync_run
    if run is None:
        found = _later(census.runs(sync.id), last)
        if found is None:
            tell("an earlier run has asked for the sync, and Census has not started it")
            outbox.ended(last, "failed", None, {})
            return None
        run = found.id
    tell(f"sync run {run}, which an earlier run has started, is awaited")
    return _ended(outbox, last, census.awaited(run))


def _ended(outbox: Outbox, attempt: Attempt, run: SyncRun) -> Attempt:
    status = "rejected" if run.status == "completed" and run.rejected else run.status
    return outbox.ended(attempt, status, run.id, run.counts)


def _require_all(sync: SyncEntry, attempt: Attempt, run: SyncRun) -> Attempt:
    """What was sent whole.

    Raises:
        CensusError: it was not.
    """
    if attempt.status == "completed":
        return attempt
    told, later = f"[[sync]] {sync.name}: sync run {run.id}", "the next full hour"
    if attempt.status == "rejected":
        rows = [run.counts.get(f"records_{how}", 0) for how in ("failed", "invalid")]
        told += (
            f": of {attempt.row_count} rows the destination has rejected {rows[0]}, and Census"
            f" {rows[1]}; look at them in Census"
        )
    elif attempt.status == "skipped":
        told, later = f"{told} was skipped, as an earlier one was under way", "once"
    else:
        told += f" has failed: {run.told or 'Census does not say why'}"
    raise CensusError(
        f"{told}; it is sent again at {later}",
        may_pass=attempt.status == "skipped",
        counts=run.counts,
    )
