"""Texts without a mark are read in their own encoding, also short ones."""

from __future__ import annotations

import io
import os

import pytest

from engine.decode_text import decode_text, decoded_blocks, encoding_of
from engine.guess_encoding import guessed

RUSSIAN = "Лампа маяка была заменена в марте 2019 года.\n"
NOTES = {
    "russian": RUSSIAN,
    "one word": "Привет\n",
    "ukrainian": "Лампу маяка замінили в березні. Її вартість 48200 гривень.\n",
    "greek": "Η λάμπα του φάρου αντικαταστάθηκε τον Μάρτιο.\n",
    "hebrew": "נורת המגדלור הוחלפה במרץ 2019.\n",
    "arabic": "تم استبدال مصباح المنارة في مارس.\n",
    "polish": "Żarówka latarni została wymieniona, więc świeci.\n",
    "czech": "Žárovka majáku byla vyměněna v březnu.\n",
    "turkish": "Deniz fenerinin ampulü değiştirildi, ışığı güçlü.\n",
    "german": "Die Glühbirne des Leuchtturms ist größer.\n",
    "french": "L'ampoule du phare a été changée, ça va.\n",
    "spanish": "La lámpara del faro se cambió el año pasado.\n",
    "english": "The bulb of the lighthouse was changed in March.\n",
    "japanese": "これは灯台です。電球は3月に交換されました。\n",
    "korean": "회의록\n\n일시: 2024년 5월 3일\n장소: 서울 본사\n",
    "chinese": "灯塔的灯泡于2019年3月更换，费用为四万元。\n",
    "taiwanese": "燈塔的燈泡在去年三月更換，費用是四萬元。\n",
}


@pytest.mark.parametrize(
    ("note", "encodings"),
    [
        ("russian", "cp1251 koi8_r cp866 iso8859_5 utf-16-le utf-16-be"),
        ("one word", "cp1251 utf-16-le"),
        ("ukrainian", "cp1251 koi8_u utf-16-le"),
        ("greek", "cp1253 utf-16-le"),
        ("hebrew", "cp1255 utf-16-le"),
        ("arabic", "utf-16-le utf-16-be"),
        ("polish", "cp1250 iso8859_2 utf-16-le"),
        ("czech", "cp1250 iso8859_2"),
        ("turkish", "cp1254"),
        ("german", "cp1252 utf-16-le utf-16-be"),
        ("french", "cp1252"),
        ("spanish", "cp1252"),
        ("english", "utf-16-le utf-16-be"),
        ("japanese", "cp932 euc_jp iso2022_jp utf-16-le utf-16-be"),
        ("korean", "cp949 iso2022_kr utf-16-le"),
        ("chinese", "gb18030 utf-16-le utf-16-be"),
        ("taiwanese", "big5 utf-16-le"),
    ],
)
@pytest.mark.parametrize("times", [1, 40])
def test_a_short_note_is_read_as_it_was_written(note: str, encodings: str, times: int) -> None:
    text = NOTES[note] * times
    for encoding in encodings.split():
        data = text.encode(encoding)
        assert decode_text(data) == text, encoding
        found = encoding_of(io.BytesIO(data))
        assert found is not None, encoding
        assert "".join(decoded_blocks(io.BytesIO(data), found)) == text, encoding


def test_a_line_far_down_in_plain_english_tells() -> None:
    text = "Nothing of this tells anything.\n" * 5_000 + RUSSIAN
    assert decode_text(text.encode("cp1251")) == text


def test_other_bytes_are_no_text() -> None:
    samples = bytes(number for place in range(4_000) for number in (place % 200, 0))
    assert guessed(samples) is None, "small numbers of 16 bits"
    assert decode_text(samples) is None
    assert decode_text(b"\x7fELF\x02\x01\x01" + bytes(2_000)) is None
    assert encoding_of(io.BytesIO(os.urandom(40_000))) is None


def test_colours_of_a_terminal_are_no_other_script() -> None:
    log = "\x1b[1mDone\x1b[0m\n"
    assert decode_text(log.encode()) == log
