"""A lock that a process holds for as long as it renews it; that of a killed one runs out."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import uniform
from threading import Event, Thread
from typing import TypeVar
from uuid import uuid4

from consumption_datamart.errors import WarehouseError

LEASE_SECONDS = 60
"""It is renewed three times as often."""


class Lease(ABC):
    """A lock that is held until the end, if it is renewed.

    Attributes:
        name: of the warehouse, in messages.
        holder: who holds it, by a name that nobody else has.
    """

    def __init__(self, name: str) -> None:
        """It is not held yet."""
        self.name, self.holder = name, uuid4().hex

    @abstractmethod
    def try_once(self) -> bool:
        """Takes it, if nobody holds it."""

    @abstractmethod
    def extend(self) -> bool:
        """Holds it for longer; False: it has run out, and another has taken it."""

    @abstractmethod
    def give_up(self) -> None:
        """Lets others take it at once; it would run out."""

    def take(self, seconds: float) -> None:
        """Waits until nobody holds it.

        Args:
            seconds: how long to wait.

        Raises:
            WarehouseError: another still holds it.
        """
        began = time.monotonic()
        while not self.try_once():
            if time.monotonic() - began > seconds:
                raise WarehouseError(
                    f"warehouse {self.name}: another process writes to it since {seconds:.0f} s;"
                    " wait until it is done"
                )
            time.sleep(uniform(0.2, 0.6))

    def renew(self) -> None:
        """Holds it for longer.

        Raises:
            WarehouseError: it has run out, and another has taken it.
        """
        if not self.extend():
            raise WarehouseError(
                f"warehouse {self.name}: this process did not answer for {LEASE_SECONDS} s, and"
                " another writes to it now; nothing was published, run again"
            )


L = TypeVar("L", bound=Lease)


@contextmanager
def held(lease: L, seconds: float, passing: tuple[type[Exception], ...]) -> Iterator[L]:
    """Takes a lease, and renews it until the end.

    Args:
        lease: that this process does not hold.
        seconds: how long to wait for another.
        passing: errors by which it cannot be renewed now; who commits asks again.

    Raises:
        WarehouseError: another still holds it.
    """
    lease.take(seconds)
    ends = Event()

    def renew() -> None:
        while not ends.wait(LEASE_SECONDS / 3):
            with suppress(WarehouseError, *passing):
                lease.renew()

    thread = Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ends.set()
        thread.join()
        lease.give_up()
