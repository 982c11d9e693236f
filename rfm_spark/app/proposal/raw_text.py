"""Raw text: the beginning of a file, taken out of its compression and decoded."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from rfm_spark.core.errors import UserError

MAX_BYTES = 4 * 2**20
"""Of a file, uncompressed: what is looked at."""

ANY_ENCODING = "US-ASCII"
"""Of a text without a letter that would tell: it is the same in UTF-8 and in ISO-8859-1."""

_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_WINDOWS_LETTERS = range(0x80, 0xA0)
"""Bytes that are letters and signs in windows-1252, and nothing in ISO-8859-1."""


@dataclass(frozen=True)
class RawText:
    """The beginning of a text file.

    Attributes:
        text: decoded, without the mark at its beginning.
        encoding: as `[receipts] encoding` names it.
        is_whole: whether the file has no more.
        doubt: what is not certain of the encoding; empty otherwise.
    """

    text: str
    encoding: str
    is_whole: bool
    doubt: str = ""


def read_text(file: Path, most: int | None = None) -> RawText:
    """The first bytes of a file, MAX_BYTES or as many as are asked for, as text.

    Raises:
        UserError: if it cannot be read, or is no text.
    """
    most = MAX_BYTES if most is None else most
    head = _head(file, most)
    is_whole = len(head) <= most
    head = head[:most]
    for mark, codec, name in _MARKS:
        if head.startswith(mark):
            return RawText(_decoded(head, codec), name, is_whole)
    if b"\0" in head[:1000]:
        return _without_mark(file, head, is_whole)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=is_whole)
    except UnicodeDecodeError:
        return _of_one_byte_a_letter(head, is_whole)
    return RawText(text, ANY_ENCODING if text.isascii() else "UTF-8", is_whole)


def without_compression(name: str) -> str:
    """The name of a file without the ending that tells its compression."""
    ending = Path(name).suffix.lower()
    return name[: -len(ending)] if ending in _COMPRESSIONS else name


def opened(file: Path) -> pa.NativeFile:
    """The bytes of a file, taken out of its compression."""
    return pa.input_stream(str(file), compression=_COMPRESSIONS.get(file.suffix.lower()))


def _head(file: Path, most: int) -> bytes:
    try:
        with opened(file) as stream:
            return bytes(stream.read(most + 1))
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{file}: cannot be read: {error}") from None


def _decoded(head: bytes, codec: str) -> str:
    """Text of bytes that may end inside of a letter."""
    return codecs.getincrementaldecoder(codec)(errors="replace").decode(head)


def _without_mark(file: Path, head: bytes, is_whole: bool) -> RawText:
    """UTF-16 that does not say so: most letters of a header have a zero byte at one side."""
    even, odd = head[0:1000:2].count(0), head[1:1000:2].count(0)
    for name, zeros, others in (("UTF-16LE", odd, even), ("UTF-16BE", even, odd)):
        if zeros > 100 * others and zeros > len(head[:1000]) // 4:
            return RawText(_decoded(head, name), name, is_whole)
    raise UserError(f"{file}: is no text: give CSV, JSON lines, Parquet or a Delta table")


def _of_one_byte_a_letter(head: bytes, is_whole: bool) -> RawText:
    doubt = (
        "the file is not UTF-8: it is read as ISO-8859-1; if letters look wrong, write it as UTF-8"
    )
    if any(byte in _WINDOWS_LETTERS for byte in head):
        doubt = (
            "the file looks like windows-1252, of which Spark reads the part that is ISO-8859-1: "
            "letters with accents are right, but € and curved quotes are lost in texts; "
            "write it as UTF-8 if they matter"
        )
    return RawText(head.decode("latin-1"), "ISO-8859-1", is_whole, doubt)
