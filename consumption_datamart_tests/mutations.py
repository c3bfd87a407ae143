"""Good dumps as bytes, and the same bytes damaged: what a lake may hold on a bad day."""

import csv
import gzip
import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from consumption_datamart_tests.lakes import (
    Row,
    day,
    entitlement,
    invoice,
    noon,
    text_of,
    usage,
    write_dump,
)

ROWS = 8
TOKENS = [
    *(b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\n\n", b";", b"\t", b"'", b"\\", b" ", b"#"),
    *(b"\x00", b"\x00" * 64, b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xfe\xff"),
    *(b"NULL", b"nan", b"-inf", b"1e999", b"9" * 400, b"0x1F", b"-1", b"\xe2\x80\xa8", b"\x1a"),
]
CODECS = ["none", "none", "none", "none", "snappy", "gzip", "zstd", "lz4", "brotli"]


def rows_of(table: str, number: int) -> list[Row]:
    """Good rows of a dump, no key of which is another's, or is another's but for a byte or two."""

    def name(index: int) -> str:
        return hashlib.blake2b(f"{table} {number} {index}".encode(), digest_size=8).hexdigest()

    awkward = ["DEP-1", "DEP,1", 'DEP "1"', "Dép", "DEP\n1"]
    rows = {
        "invoices": lambda index: invoice(
            invoice_id=name(index), invoice_date=day(number), customer_name=awkward[index % 5]
        ),
        "entitlements": lambda index: entitlement(
            entitlement_id=name(index), invoice_id=None, customer_id=f"CUST-{index}"
        ),
        "telemetry": lambda index: usage(
            event_id=name(index), event_ts=noon(number), deployment_id=awkward[index % 5]
        ),
    }
    return [rows[table](index) for index in range(ROWS)]


def good_dump(table: str, number: int, format: str, random: Random) -> bytes:
    """The dump of a day with that number, as a file; one that is compressed before it is so."""
    written = format.partition(".")[0]
    if written in TEXTS:
        return TEXTS[written](rows_of(table, number))
    with tempfile.TemporaryDirectory() as folder:
        rows, is_odd = rows_of(table, number), random.random() < 0.3
        how = {"as_text": is_odd} if written == "parquet" else {"crlf": is_odd}
        path = write_dump(Path(folder), table, day(number), rows, format=written, **how)
        if written == "parquet":
            pq.write_table(
                pq.read_table(path),
                path,
                compression=random.choice(CODECS),
                use_dictionary=random.random() < 0.5,
                row_group_size=random.choice([3, ROWS]),
                data_page_version=random.choice(["1.0", "2.0"]),
                write_page_checksum=random.random() < 0.2,
            )
        return path.read_bytes()


def _tsv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([text_of(value) for value in row.values()] for row in rows)
    return text.getvalue().encode()


def _jsonl(rows: Sequence[Row]) -> bytes:
    numbers = (int, float)
    found = (
        {
            name: value if isinstance(value, numbers) else text_of(value)
            for name, value in row.items()
        }
        for row in rows
    )
    return b"".join(json.dumps(each).encode() + b"\n" for each in found)


TEXTS = {"tsv": _tsv, "jsonl": _jsonl}
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    "gz": lambda content: gzip.compress(content, mtime=0),
    "zst": lambda content: pa.compress(content, "zstd", asbytes=True),
}


def delivered(content: bytes, format: str, random: Random) -> bytes:
    """A good dump, damaged before it was compressed or after."""
    compress = COMPRESS[format.partition(".")[2]]
    if format.count(".") and random.random() < 0.5:
        return damaged(compress(content), "", random)
    return compress(damaged(content, format.partition(".")[0], random))


def damaged(content: bytes, format: str, random: Random) -> bytes:
    """The bytes, damaged in one way or a few; the header of a CSV file not too often."""
    ways = [*ANY, *{"parquet": PARQUET, "": []}.get(format, CSV)]
    spared = format in ("csv", "tsv") and random.random() < 0.85
    begins = content.index(b"\n") + 1 if spared else 0
    header, rest = content[:begins], content[begins:]
    for _ in range(random.choice([1, 1, 1, 2, 3, 8])):
        rest = random.choice(ways)(rest, random)
    return header + rest


def _place(content: bytes, random: Random, most: int = 60) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.randint(1, most))


def _flip_bit(content: bytes, random: Random) -> bytes:
    start, end = _place(content, random, 1)
    flipped = bytes(each ^ (1 << random.randrange(8)) for each in content[start:end])
    return content[:start] + flipped + content[end:]


def _set_byte(content: bytes, random: Random) -> bytes:
    start, end = _place(content, random, 1)
    return content[:start] + bytes([random.randrange(256)]) + content[end:]


def _insert(content: bytes, random: Random) -> bytes:
    start, _ = _place(content, random)
    return content[:start] + random.choice(TOKENS) + content[start:]


def _delete(content: bytes, random: Random) -> bytes:
    start, end = _place(content, random)
    return content[:start] + content[end:]


def _truncate(content: bytes, random: Random) -> bytes:
    return content[: _place(content, random)[0]]


def _behead(content: bytes, random: Random) -> bytes:
    return content[_place(content, random)[0] :]


def _repeat(content: bytes, random: Random) -> bytes:
    """A block is there twice, the second time anywhere."""
    start, end = _place(content, random, 200)
    other, _ = _place(content, random)
    return content[:other] + content[start:end] + content[other:]


def _exchange(content: bytes, random: Random) -> bytes:
    """Two blocks have changed places."""
    one, two, three, four = sorted(random.randrange(len(content) + 1) for _ in range(4))
    head, tail = content[:one] + content[three:four], content[one:two] + content[four:]
    return head + content[two:three] + tail


def _blank(content: bytes, random: Random) -> bytes:
    """A block that was never written, as a disk gives it after a crash."""
    start, end = _place(content, random)
    return content[:start] + bytes(end - start) + content[end:]


def _noise(content: bytes, random: Random) -> bytes:
    start, end = _place(content, random)
    return content[:start] + random.randbytes(end - start) + content[end:]


def _move_quote(content: bytes, random: Random) -> bytes:
    """A quote changes places with the byte next to it; without quotes one more is there."""
    places = [index for index, each in enumerate(content) if each == ord('"')][:-1]
    if not places:
        return _insert(content, random)
    at = random.choice(places)
    return content[:at] + content[at : at + 2][::-1] + content[at + 2 :]


def _other_line_ends(content: bytes, random: Random) -> bytes:
    """Some lines end otherwise."""
    ends = [b"\n", b"\r\n", b"\r", b"\n\r", b""]
    share = random.choice([0.1, 0.5, 1.0])
    return b"".join(
        line.rstrip(b"\r\n") + random.choice(ends) if random.random() < share else line
        for line in content.splitlines(keepends=True)
    )


def _shuffle_lines(content: bytes, random: Random) -> bytes:
    """The header may be anywhere."""
    lines = content.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


def _header_again(content: bytes, random: Random) -> bytes:
    """As where files were joined."""
    lines = content.splitlines(keepends=True)
    lines.insert(random.randrange(len(lines) + 1), b"".join(lines[:1]))
    return b"".join(lines)


def _other_delimiter(content: bytes, random: Random) -> bytes:
    return content.replace(b",", random.choice([b";", b"\t", b"|", b",,"]), random.randrange(40))


def _other_encoding(content: bytes, random: Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(random.choice(["utf-16", "utf-8-sig", "latin-1", "utf-32"]), "replace")


def _damage_footer(content: bytes, random: Random) -> bytes:
    """Anywhere in the footer: Parquet's last bytes say where all else is."""
    start = max(0, len(content) - random.choice([8, 64, 512, 2048]))
    ways = [_flip_bit, _set_byte, _blank, _noise, _insert, _delete]
    return content[:start] + random.choice(ways)(content[start:], random)


def _footer_length(content: bytes, random: Random) -> bytes:
    length = random.choice([0, 1, 7, len(content), 2**31 - 1, 2**32 - 1, random.randrange(2**32)])
    return content[:-8] + length.to_bytes(4, "little") + content[-4:]


def _nest(content: bytes, random: Random) -> bytes:
    """The footer of a file behind the pages of another."""
    start, _ = _place(content, random)
    return content[:start] + content


def _as_csv(content: bytes, random: Random) -> bytes:
    """By its name something else than by its bytes."""
    return random.choice([b"PAR1", b"", b"PAR1PAR1", b"event_id,event_ts\n", content + b"\n"])


Way = Callable[[bytes, Random], bytes]
ANY: list[Way] = [
    *(_flip_bit, _set_byte, _insert, _delete, _truncate, _behead, _repeat, _exchange, _blank),
    _noise,
]
CSV: list[Way] = [
    *(_move_quote, _other_line_ends, _shuffle_lines, _header_again, _other_delimiter, _insert),
    _other_encoding,
]
PARQUET: list[Way] = [_damage_footer, _damage_footer, _footer_length, _nest, _as_csv]
