"""Pictures that are too large for an icon: made small by a process that a hostile one may end."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.limits import PERSONA_ICON_SIDE
from app.personas.foreign import formats
from app.personas.foreign.imported import Format
from app.personas.icon_scaling import SIDE, scaled_icon
from app.personas.importing import fitting_icon, take
from app.personas.persona import Persona
from app.personas.shelf import Shelf
from engine.errors import LimitError, PersonaError
from engine.model.picture import read_picture
from tests.unit.images import png, png_claiming


def test_a_large_picture_of_a_card_becomes_its_icon(tmp_path: Path) -> None:
    wide = png(PERSONA_ICON_SIDE + 500, PERSONA_ICON_SIDE // 2)
    formats.write(Persona("cook", "Cook", instructions="Cook."), Format.CARD_V3_PNG, tmp_path / "cook.png", wide)
    taken = take(Shelf(tmp_path / "personas"), tmp_path / "cook.png")
    assert taken.notes == ()
    persona = taken.shelved.persona
    icon = Shelf(tmp_path / "personas").place("cook").found(persona, persona.icon_sha256)
    size = read_picture(icon)
    assert (size.width, size.kind) == (SIDE, "png")
    assert size.height == round(SIDE * (PERSONA_ICON_SIDE // 2) / (PERSONA_ICON_SIDE + 500))


def test_one_that_fits_stays_as_it_is() -> None:
    picture = png(64, 64)
    assert fitting_icon(picture) == picture
    with pytest.raises(PersonaError):
        fitting_icon(b"GIF89a")


@pytest.mark.parametrize("size", [(1_025, 1_025), (60_000, 60_000)])
def test_a_damaged_or_endless_one_is_refused(size: tuple[int, int]) -> None:
    hostile = png_claiming(*size, b"no pixels")
    assert scaled_icon(hostile) is None
    with pytest.raises(LimitError):
        fitting_icon(hostile)
