"""What the benchmarks read, quote and say: our own words, in English as the voice that comes with Hearth is."""

from __future__ import annotations

PARAGRAPHS = {
    "harbour": (
        "The old harbour of Marlund lies behind two stone moles that were built in 1784. Up to forty fishing boats "
        "find room in it, and in the winter months the coast guard keeps a cutter at the northern quay. The harbour "
        "master opens the office at half past five each morning and writes down the depth at the gauge, the direction "
        "of the wind, and the name of every vessel that has come in during the night."
    ),
    "bakery": (
        "Since 1921 the Lindqvist family has baked bread in the vaulted cellar below the market square. The oven is "
        "fired with beech wood at one in the morning, and the first loaves are ready at twenty to five. The rye bread "
        "is made of a dough that rests for eighteen hours and is turned by hand four times."
    ),
    "railway": (
        "A narrow-gauge railway has joined Marlund to the inland town of Vestby since 1898. The line is forty-six "
        "kilometres long, crosses nineteen bridges and climbs to a height of four hundred and twelve metres at the "
        "Hollow Pass, where snow may lie until the end of May. Two trains run in each direction every day."
    ),
}
PROSE = "Tell me of a day in a small harbour, in your own words."
SPOKEN = "The harbour master writes down the name of every vessel that has come in during the night."
QUESTIONS = (
    "How do I add a document?",
    "Which key opens the list of models?",
    "Where are my chats kept?",
    "Can a persona see my documents?",
    "What leaves this computer?",
    "How do I talk to it?",
    "Why is the first answer slow?",
    "How can I share a persona?",
    "What does the memory map show?",
    "How do I stop an answer?",
    "Which files can it read?",
    "How do I search in old chats?",
)
"""Asked of Hearth's own manual."""


def notes(name: str, sentences: int) -> str:
    """So many sentences that begin with `name`: nothing of them was read before, unless `name` was used before."""
    lines = (f"{name}, note {line}: the keeper wrote down {line * 37 % 991} ships." for line in range(sentences))
    return " ".join(lines)


def quoting_question(subject: str) -> str:
    """A person's message with all paragraphs in it, which asks for one of them back. It begins the same each time."""
    document = "\n\n".join(PARAGRAPHS.values())
    return (
        f"Here is a document about a town.\n\n{document}\n\nQuote the paragraph about the {subject} word for word, "
        "and write nothing else."
    )
