"""Every cap of the program in one place; each is tested at -1, 0 and +1. Bytes unless a name says otherwise."""

from __future__ import annotations

from engine.model import picture

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

COMPOSER_CHARACTERS = 200_000
"""A longer paste becomes an attachment."""
ATTACHMENT_BYTES = 10 * MIB
"""A larger text file is refused, with a sentence."""
ATTACHMENTS_PER_MESSAGE = 20
IMAGE_BYTES = picture.MAX_BYTES
"""A larger image file is refused, with a sentence; so is one of more than `IMAGE_PIXELS` (width times height)."""
IMAGE_PIXELS = picture.MAX_PIXELS
TITLE_CHARACTERS = 120
IMPORT_FILE_BYTES = 2 * GIB
"""Also the unpacked size of a zipped export."""
IMPORT_RATIO = 200
"""How many times its packed size a zipped export may unpack to."""
IMPORT_MESSAGES = 100_000
"""Messages in one imported conversation."""
IMPORT_MESSAGE_CHARACTERS = 1_000_000
IMPORT_CONVERSATION_CHARACTERS = 64_000_000
"""JSON text of one imported conversation, which is read whole."""
BACKUPS_KEPT = 7
SEARCH_CHARACTERS = 400
SEARCH_TERMS = 16
"""What a query says beyond these is not looked for."""
LINK_CHARACTERS = 4_096
"""A longer address in an answer is text, not a link."""
LATEX_CHARACTERS = 2_000
"""A longer formula is shown as its source."""
HIGHLIGHT_CHARACTERS = 200_000
"""A longer code block is shown in one colour."""
