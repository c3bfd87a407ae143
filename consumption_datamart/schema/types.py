"""Column types of the mart, one name each, as Pandera models annotate them."""

from typing import Annotated

import ibis.expr.datatypes as dt

Text = dt.String
Integer = dt.Int64
Real = dt.Float64
Flag = dt.Boolean
Day = dt.Date
Instant = Annotated[dt.Timestamp, None, 6, True]
"""A point in time to the microsecond, UTC, without a time zone of its own."""
Amount = Annotated[dt.Decimal, 18, 4, True]
"""The contract's decimal(18,4)."""
Rate = Annotated[dt.Decimal, 18, 8, True]
"""The contract's decimal(18,8), of exchange rates."""
WIDE = dt.Decimal(38, 4)
"""Wide enough for the product of two amounts, to calculate it in."""
PRODUCT = dt.Decimal(36, 8)
Money = Annotated[dt.Decimal, 36, 8, True]
"""The exact product of two amounts."""
