"""Every cap of the program in one place; each is tested at -1, 0 and +1. Bytes unless a name says otherwise."""

from __future__ import annotations

from engine.model import picture

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

COMPOSER_CHARACTERS = 200_000
"""A longer paste becomes a document of the chat."""
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
PERSONA_BUNDLE_BYTES = 20 * MIB
"""A larger `.hearth` file is refused, with a sentence."""
PERSONA_BUNDLE_MEMBERS = 200
PERSONA_UNPACKED_BYTES = 100 * MIB
"""All members of a bundle, and all files of a persona, together."""
PERSONA_BUNDLE_RATIO = 100
"""How many times its packed size a member may unpack to; one below `PERSONA_BUNDLE_SMALL` may be packed tighter."""
PERSONA_BUNDLE_SMALL = 64 * KIB
PERSONA_MANIFEST_BYTES = 128 * KIB
PERSONA_DOCUMENT_BYTES = 2 * MIB
"""persona.toml, and INSTRUCTIONS.md."""
PERSONA_TEXT_CHARACTERS = 200_000
"""Of one long text: the instructions, a greeting, an entry."""
PERSONA_LINE_CHARACTERS = 200
"""Of a name, an author, a tag."""
PERSONA_LIST_ITEMS = 100
"""Starters, tags, models, tools, keys of an entry."""
PERSONA_KEYED_ENTRIES = 2_000
PERSONA_KNOWLEDGE_FILES = 190
"""So that a bundle has room for what else is in it."""
PERSONA_JSON_DEPTH = 50
"""Tables in tables of what a foreign format says."""
PERSONA_FACTS = 200
"""That one persona remembers."""
PERSONA_FACT_CHARACTERS = 400
PERSONA_ICON_BYTES = MIB
PERSONA_ICON_SIDE = 1024
"""Pixels."""
PERSONA_SHELF_BUNDLES = 1_000
"""Shown of one folder of bundles."""
PERSONA_SHELF_ICON_BYTES = 128 * KIB
"""A larger icon is not shown before its bundle is imported."""
PERSONA_EMBEDDINGS_BYTES = 16 * MIB
"""Of the vectors that travel in a bundle: some 20,000 passages."""
PERSONA_FOREIGN_TEXT_BYTES = 4 * MIB
"""Of what another program's file says in text."""
API_BODY_BYTES = 32 * MIB
"""Of one request to the local API, images and sound included."""
API_HEAD_BYTES = 16 * KIB
"""Of a request's line and headers."""
API_JSON_DEPTH = 64
"""Lists and objects in each other."""
API_JSON_SIGNS = 1_000_000
"""Quotes, brackets and escapes of one request: what makes JSON slow to read."""
API_HEAD_S = 10.0
"""For a connection to say what it wants."""
API_BODY_S = 30.0
"""For a request's body to arrive."""
API_SEND_S = 30.0
"""For a client to take a piece of an answer."""
API_CONNECTIONS = 128
API_ANSWERS = 8
"""Written at once; the others stand in line."""
API_LINE = 32
"""Requests that may stand in line."""
API_PATIENCE_S = 60.0
"""In line."""
API_CHOICES = 8
"""Answers to one request."""
API_STOPS = 16
API_MESSAGES = 2_000
API_TEXTS = 2_048
"""Texts of one request for embeddings or completions."""
API_TEXT_CHARACTERS = 4_000_000
API_TOOLS = 128
API_SOUNDS = 2
"""Recordings heard and texts spoken at once; the others stand in line."""
API_SPEECH_CHARACTERS = 4_096
"""Of a text to speak."""
