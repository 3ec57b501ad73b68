"""A document of about 1,100 tokens and questions whose answers quote it, with a measure of how much they do."""

from __future__ import annotations

from engine.engine import Engine

DOCUMENT = """\
The harbour. The old harbour of Marlund lies behind two stone moles that were built in 1784 by prisoners of war. \
Up to forty fishing boats find room in it, and in the winter months the coast guard keeps a cutter at the northern \
quay. The harbour master, Inge Solberg, opens the office at half past five each morning and writes down the depth at \
the gauge, the direction of the wind, and the name of every vessel that has come in during the night. Visitors pay \
twelve crowns for a berth, and nothing at all if they stay for less than three hours.

The library. The public library stands in the former customs house and holds 31,400 volumes, among them nine \
hundred books about knots, sails and rigging that a retired captain left to the town. It is open from ten until \
seven, on Saturdays until two. Members may take home six books for four weeks. Whoever returns a book late does not \
pay a fine but reads aloud to the children's group on the following Wednesday, which the librarian, Oskar Brandt, \
considers to be the best rule he ever made.

The bakery. Since 1921 the Lindqvist family has baked bread in the vaulted cellar below the market square. The oven \
is fired with beech wood at one in the morning, and the first loaves are ready at twenty to five. The rye bread is \
made of a dough that rests for eighteen hours and is turned by hand four times. On the day of the regatta the bakery \
sells about two thousand cardamom buns, and the recipe has been changed only once, in the year in which there was no \
butter to be had.

The lighthouse. The lighthouse on Skarv rock is thirty-one metres high and has shown its light since the autumn of \
1869. Its lens was ground in Paris and weighs two and a half tonnes. Until 1987 a keeper lived there with his \
family; the last one, Halvard Moe, kept bees between the rocks and sold the honey under the name of Salt and Clover. \
Today the lamp is controlled from the mainland, and the tower may be climbed on the first Sunday of every month when \
the sea is calm.

The school. The school of Marlund has one hundred and eighteen pupils in seven classes. Lessons begin at a quarter \
past eight with a song. In May the older pupils repair three boats under the eye of the boat builder, and in June \
they sail them to the island of Tarn, where they stay for four nights in tents. The kitchen cooks with vegetables \
from the school's own garden, and each class is responsible for one of its eleven beds.

The railway. A narrow-gauge railway has joined Marlund to the inland town of Vestby since 1898. The line is \
forty-six kilometres long, crosses nineteen bridges and climbs to a height of four hundred and twelve metres at the \
Hollow Pass, where snow may lie until the end of May. Two trains run in each direction every day, and a third on \
market days. The journey takes one hour and fifty minutes, and dogs, bicycles and crates of fish travel free of \
charge.
"""
SUBJECTS = ("harbour", "library", "bakery", "lighthouse", "school", "railway")
QUOTED_WORDS = 8
"""A run of so many words that stands in the document is a quotation."""


def quoting_question(first: str, second: str) -> str:
    """A person's message with the document in it."""
    return (
        f"Here is a document about a town.\n\n{DOCUMENT}\nQuote the paragraph about the {first} and the paragraph "
        f"about the {second} word for word, and write nothing else."
    )


def quoted_share(engine: Engine, answer: str) -> float:
    """The share of the answer's tokens that stand in runs of at least eight words taken from the document."""
    known = f" {' '.join(DOCUMENT.split())} "
    words = answer.split()
    quoted: list[str] = []
    at = 0
    while at < len(words):
        length = 0
        while at + length < len(words) and f" {' '.join(words[at : at + length + 1])} " in known:
            length += 1
        if length >= QUOTED_WORDS:
            quoted.append(" ".join(words[at : at + length]))
        at += max(1, length)
    inside, all_ = engine.count_tokens(["\n".join(quoted), answer]).result(60)
    return inside / all_ if all_ else 0.0
