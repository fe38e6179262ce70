"""Finding the header of a data file, or what stands in for it."""

from __future__ import annotations

import hashlib
from typing import Final

from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.lines import records_of
from sessionkit_jsonl.marks import Header, read_header_line, read_mark

_BLOCK: Final = 8 * 1024


def find_header(file: OpenFile, size: int) -> Header | None:
    """The header of a file; None when it has neither a header nor a message.

    It stands in the first line, or (when a crash tore that one) in the first that is whole. A file that picoclaw
    made has none: there the file's identity and its first message stand in.
    """
    start, wanted = 0, _BLOCK
    while start < size:
        buffer = file.read(start, min(wanted, size - start))
        texts = buffer.split(b"\n")
        if len(texts) == 1 and start + len(buffer) < size and read_mark(buffer) is None:
            wanted *= 2
            continue
        if start + len(buffer) < size and len(texts) > 1:
            texts.pop()
        for text in texts:
            header = _header_in(text, file)
            if header is not None:
                return header
        if len(buffer) < wanted:
            return None
        start += sum(map(len, texts)) + len(texts)
        wanted = _BLOCK
    return None


def _header_in(text: bytes, file: OpenFile) -> Header | None:
    mark = read_mark(text)
    if mark is not None and mark.header is not None:
        return mark.header
    line = read_header_line(text)
    if line is not None:
        return line
    records = records_of(text, mark)
    return _derived(records[0][0], file) if records else None


def _derived(record: bytes, file: OpenFile) -> Header:
    digest = hashlib.blake2b(repr(file.inode).encode() + record, digest_size=8).hexdigest()
    return Header(digest, generation=digest, written=False)
