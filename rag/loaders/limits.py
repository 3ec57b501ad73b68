"""Every cap of reading foreign files, with its reason. Bytes unless a name says otherwise."""

from __future__ import annotations

MIB = 1024 * 1024

FILE_BYTES = 2 * 1024 * MIB
"""A larger file is refused: it is data, not a document. Films are larger, and of these only the sound is read."""
WHOLE_BYTES = 64 * MIB
"""Of formats that are read as a whole (HTML, one e-mail, a notebook): a parsed tree takes ten times as much."""
PART_CHARACTERS = 60_000
"""Where a text without pages is cut into parts: a few milliseconds of work, and a short way to its line."""
PAGE_CHARACTERS = 400_000
"""Of one page, slide or chapter. What a person reads at once holds a fiftieth; a longer chapter goes on as another."""
HIDDEN_CHARACTERS = 20_000
"""Of what is shown as hidden for each page and reason."""
TITLE_CHARACTERS = 300
HEADINGS = 20_000
"""Of one document's outline."""
PAGES = 100_000
"""What claims to have more pages lies, or is no document."""
ARCHIVE_MEMBERS = 20_000
ARCHIVE_BYTES = 600 * MIB
"""All members of an office document unpacked."""
ARCHIVE_RATIO = 200
"""How many times its packed size a member may unpack to: XML reaches 30, bombs 1,000."""
ARCHIVE_SMALL = MIB
"""Smaller members may be packed more tightly: a few kilobytes of equal cells are."""
XML_BYTES = 96 * MIB
"""One XML member that is read as a tree."""
XML_DEPTH = 250
"""Below libxml2's own limit of 256, for trees of its lenient reader too."""
CELL_CHARACTERS = 4_000
SHEET_COLUMNS = 1_000
"""What stands further right is left out: no table that a person reads is wider."""
PDF_OBJECTS = 50_000
"""Objects of one page that are looked at for hidden text; a page with more is a drawing."""
PDF_FORM_DEPTH = 8
RENDER_PIXELS = 3_000_000
"""Of a page that is rendered to look for hidden text."""
RENDER_S = 1.5
"""For one such rendering."""
PREVIEW_PIXELS = 16_000_000
IMAGE_PIXELS = 60_000_000
"""Of an image that is read by character recognition; 48-megapixel cameras exist."""
OCR_SIDE = 2_500
"""Pixels of the longer side that recognition looks at: 300 dots an inch of a letter page are 3,300, and 200 do."""
