"""Office documents as the zip files they are: opened with every bomb's fuse looked at first, XML read without entities.

Knows members and trees, no format.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from itertools import pairwise
from typing import Any

from lxml import etree

from rag.loaders.limits import ARCHIVE_BYTES, ARCHIVE_MEMBERS, ARCHIVE_RATIO, ARCHIVE_SMALL, XML_BYTES
from rag.loaders.loader import DAMAGED, PROTECTED, UNPACKS_TOO_LARGE, Source

_ENCRYPTED = 0x1
_UNREADABLE = (
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
)


def open_archive(source: Source) -> zipfile.ZipFile:
    """The zip file, checked by its directory: how many members, how large, how tightly packed. Raises `DocumentError`.

    `zipfile` never unpacks more of a member than the directory says, so the check holds.
    """
    source.file.seek(0)
    try:
        archive = zipfile.ZipFile(source.file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise source.error(DAMAGED) from error
    members = archive.infolist()
    if len(members) > ARCHIVE_MEMBERS or sum(member.file_size for member in members) > ARCHIVE_BYTES:
        raise source.error(UNPACKS_TOO_LARGE)
    if any(
        member.file_size > ARCHIVE_SMALL and member.file_size > ARCHIVE_RATIO * max(member.compress_size, 1)
        for member in members
    ):
        raise source.error(UNPACKS_TOO_LARGE)
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise source.error(PROTECTED)
    if _overlaps(members):
        raise source.error(UNPACKS_TOO_LARGE)
    return archive


def _overlaps(members: list[zipfile.ZipInfo]) -> bool:
    """Members that share their packed bytes (Fifield, "A better zip bomb", 2019) add up to more than the file."""
    places = sorted((member.header_offset, member.compress_size) for member in members)
    return any(start + size > following for (start, size), (following, _) in pairwise(places))


def member(archive: zipfile.ZipFile, source: Source, name: str, most: int = XML_BYTES) -> bytes:
    """A member's bytes. Raises `DocumentError` where it is not there, is damaged, or longer than `most`."""
    try:
        if archive.getinfo(name).file_size > most:
            raise source.error(UNPACKS_TOO_LARGE)
        return archive.read(name)
    except _UNREADABLE as error:
        raise source.error(DAMAGED) from error


def xml_member(archive: zipfile.ZipFile, source: Source, name: str) -> Any:
    """The root of an XML member. Raises `DocumentError`."""
    return xml_root(member(archive, source, name), source)


def xml_root(data: bytes, source: Source) -> Any:
    """The root of an XML tree that fetches nothing and grows nothing. Raises `DocumentError`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise source.error(DAMAGED) from error
