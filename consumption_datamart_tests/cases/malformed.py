"""Section 2: lines that are not rows, and that they cost no other row."""

from consumption_datamart_tests.cases.base import Case, dump, lake, line, table_of
from consumption_datamart_tests.lakes import Row, day, usage

OPEN = line("open", deployment_id='"DEP-1')


def set_aside(*lines: str) -> list[Row]:
    """A quarantine of malformed lines."""
    return [{"event_id": None, "line": text, "reason": "unreadable_value"} for text in lines]


CASES = [
    Case(
        "malformed lines hide no other row",
        lake(
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="before"),
                    "too,few,fields",
                    line("too many") + ",fields",
                    line("quote", deployment_id='"DEP"-1'),
                    line("bytes", deployment_id="DEP-X").encode().replace(b"X", b"\xff"),
                    usage(event_id="after"),
                ],
            )
        ),
        {
            "lake.raw_telemetry": table_of("event_id", ("before",), ("after",)),
            "lake.quarantine_telemetry": table_of(
                "event_id quantity line dump_day reason file",
                *(
                    (None, None, text, day(5), "unreadable_value", "telemetry/2026-01-05.csv")
                    for text in (
                        "too,few,fields",
                        line("too many") + ",fields",
                        line("quote", deployment_id='"DEP"-1'),
                        line("bytes", deployment_id="DEP-?"),
                    )
                ),
            ),
        },
    ),
    Case(
        "a quote that is never closed, at the end",
        lake(dump("telemetry", 5, [line("good"), OPEN])),
        {
            "lake.raw_telemetry": [{"event_id": "good"}],
            "lake.quarantine_telemetry": set_aside(OPEN),
        },
    ),
    Case(
        "a quote that is never closed costs its own line, not those behind it",
        lake(dump("telemetry", 5, [line("before"), OPEN, line("next"), line("last")])),
        {
            "lake.raw_telemetry": table_of("event_id", ("before",), ("next",), ("last",)),
            "lake.quarantine_telemetry": set_aside(OPEN),
        },
    ),
    Case(
        "a quote that only another one behind it would close",
        lake(
            dump(
                "telemetry", 5, [OPEN, line("quoted", deployment_id='"DEP,2"'), OPEN, line("last")]
            )
        ),
        {
            "lake.raw_telemetry": table_of(
                "event_id deployment_id", ("quoted", "DEP,2"), ("last", "DEP-1")
            ),
            "lake.quarantine_telemetry": set_aside(OPEN, OPEN),
        },
    ),
    Case(
        "a quote that is never closed, where some lines end with CRLF",
        lake(dump("telemetry", 5, [line("before"), f"{OPEN}\r", line("next"), f"{OPEN}\r"])),
        {
            "lake.raw_telemetry": table_of("event_id", ("before",), ("next",)),
            "lake.quarantine_telemetry": set_aside(OPEN, OPEN),
        },
    ),
    Case(
        "text behind a quote, where some lines end with CRLF",
        lake(
            dump(
                "telemetry",
                5,
                [line("before"), line("text", deployment_id='"DEP"1') + ',""\r', line("next")],
            )
        ),
        {
            "lake.raw_telemetry": table_of("event_id", ("before",), ("next",)),
            "lake.quarantine_telemetry": set_aside(line("text", deployment_id='"DEP"1') + ',""'),
        },
    ),
    Case(
        "what a line is read as does not depend on a broken one beside it",
        lake(
            dump(
                "telemetry",
                5,
                [
                    line("comma at the end") + ",",
                    line("breaks", deployment_id='"DEP\n1"'),
                    OPEN,
                    line("doubled", deployment_id='"DEP""1"'),
                    "",
                    line("inside", deployment_id='DEP"1"'),
                    line("blank", unit=" "),
                    "too,few",
                ],
            )
        ),
        {
            "lake.raw_telemetry": table_of(
                "event_id deployment_id",
                ("comma at the end", "DEP-1"),
                ("breaks", "DEP\n1"),
                ("doubled", 'DEP"1'),
                ("inside", 'DEP"1"'),
            ),
            "lake.quarantine_telemetry": table_of(
                "event_id line reason",
                (None, OPEN, "unreadable_value"),
                ("blank", None, "missing_value"),
                (None, "too,few", "unreadable_value"),
            ),
        },
    ),
    Case(
        "a broken quote in one part does not hurt the others",
        lake(
            dump("telemetry", 5, [line("a"), OPEN], part="part-0"),
            dump("telemetry", 5, [line("b"), line("c")], part="part-1"),
            dump("telemetry", 5, [usage(event_id="d")], part="part-2", format="parquet"),
        ),
        {
            "lake.raw_telemetry": table_of("event_id", ("a",), ("b",), ("c",), ("d",)),
            "lake.quarantine_telemetry": table_of(
                "line file", (OPEN, "telemetry/2026-01-05/part-0.csv")
            ),
        },
    ),
    Case(
        "a quote that is never closed, at the end of one of many files",
        lake(
            dump("telemetry", 5, [line("good"), OPEN]),
            *(dump("telemetry", 5, [line(f"part {n}")], part=f"part-{n}") for n in range(8)),
        ),
        {
            "lake.raw_telemetry": table_of(
                "event_id", ("good",), *((f"part {n}",) for n in range(8))
            ),
            "lake.quarantine_telemetry": set_aside(OPEN),
        },
    ),
]
