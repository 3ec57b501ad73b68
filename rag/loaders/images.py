"""Image files by character recognition; a TIFF of several pages page by page. Keeps no pixels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from engine.errors import sentence
from rag.loaders import ocr
from rag.loaders.limits import IMAGE_PIXELS, OCR_SIDE, PAGES
from rag.loaders.loader import DAMAGED, NO_TEXT, OpenDocument, Source
from rag.loaders.visible import visible
from rag.types import DocumentInfo, Page, Unit

_TOO_MANY_PIXELS = sentence("The image “{name}” has too many pixels. Make it smaller, and add it again.")
_FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")


def open_image(source: Source) -> OpenDocument:
    """Raises `DocumentError`, also where nothing on this machine reads print in images."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415  # only for this format

    read = source.recogniser()
    if read is None:
        raise ocr.missing(source.name)
    source.file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is looked at below
        try:
            image = Image.open(source.file, formats=_FORMATS)
        except Image.DecompressionBombError as error:
            raise source.error(_TOO_MANY_PIXELS) from error
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise source.error(DAMAGED) from error
    n_frames = min(int(getattr(image, "n_frames", 1)), PAGES) if image.format == "TIFF" else 1

    def pages() -> Iterator[Page]:
        import numpy as np  # noqa: PLC0415  # only for this format

        with image:
            anything = False
            for number in range(1, n_frames + 1):
                try:
                    image.seek(number - 1)
                    if image.width * image.height > IMAGE_PIXELS:
                        raise source.error(_TOO_MANY_PIXELS)
                    image.draft("RGB", (OCR_SIDE, OCR_SIDE))  # JPEG: decoded at a fraction of its size
                    upright = ImageOps.exif_transpose(image).convert("RGBA")
                    ground = Image.new("RGBA", upright.size, "white")
                    ground.alpha_composite(upright)
                    ground.thumbnail((OCR_SIDE, OCR_SIDE))
                except (OSError, ValueError, SyntaxError, EOFError) as error:
                    raise source.error(DAMAGED) from error
                text, hidden = visible(read(np.asarray(ground.convert("RGB"))))
                anything = anything or bool(text.strip())
                yield Page(number, text, hidden=hidden)
            if not anything:
                raise source.error(NO_TEXT)

    info = DocumentInfo(source.title, Unit.PAGE, f"image/{(image.format or '').lower()}", n_frames)
    return OpenDocument(info, pages())
