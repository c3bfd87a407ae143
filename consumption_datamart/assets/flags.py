"""Arithmetic with flags that every engine can do."""

import ibis.expr.types as ir


def as_number(flag: ir.BooleanValue) -> ir.IntegerValue:
    """1 where a flag holds, 0 where not, null where it is null.

    Not at once: PostgreSQL makes no number of a flag but one of 32 bits.
    """
    return flag.cast("int32").cast("int64")
