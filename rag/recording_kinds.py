"""Which files are sound or video, by what they begin with, and by their names. Opens none."""

from __future__ import annotations

BEGINNING = 64
"""Bytes that `is_recording` looks at."""
RECORDING_SUFFIXES = frozenset(
    """
    .wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .m4a .m4b .aac .wma .amr .caf .au .mka .ac3
    .mp4 .m4v .mkv .mov .webm .avi .wmv .asf .mpg .mpeg .flv .ogv .3gp .3g2 .mts .m2ts .vob
    """.split()  # noqa: SIM905  # easier to read than a list
)
_BEGINNINGS = (
    b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2",  # MP3
    b"\xff\xf1", b"\xff\xf9",  # AAC
    b"OggS", b"fLaC", b"RF64", b"caff", b".snd\0", b"#!AMR",
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"0&\xb2u\x8ef\xcf\x11",  # Windows Media
    b"FLV\x01", b"\0\0\x01\xba",
)  # fmt: skip
_FORMS = ((b"RIFF", b"WAVE"), (b"RIFF", b"AVI "), (b"FORM", b"AIFF"), (b"FORM", b"AIFC"))
_PICTURES = frozenset({b"heic", b"heix", b"avif", b"mif1"})
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide"})


def is_recording(head: bytes) -> bool:
    """Whether a file that begins so holds sound or a film."""
    if head.startswith(_BEGINNINGS):
        return True
    if any(head.startswith(form) and head[8:12] == kind for form, kind in _FORMS):
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] not in _PICTURES
    # The size of a box comes first: no text begins with a zero byte.
    return head[:1] == b"\0" and head[4:8] in _OLD_QUICKTIME
