"""A number as words that two people can compare on the telephone. The list is Hearth's own, and stays as it is.

Knows no key.
"""

from __future__ import annotations

import hashlib

N_WORDS = 12
"""One of 256 words each, so 8 bits each: 96 bits, which nobody finds a second key for."""
WORDS = tuple(
    """
    acid actor album alley amber anchor angel apple april arch arrow atlas attic autumn baby bacon badge baker
    bamboo banana banjo barn basket beach bean beaver bell bench berry bike birch bird bishop blanket boat bonus
    book bottle bowl bread brick bridge bronze broom brush bubble bucket butter cabin cactus cake camel candle
    canoe carbon castle cedar chain chalk cherry chess circle citrus clay cliff clock cloud clover coach cobra
    coconut coffee comet copper coral cotton cradle crane crown cup daisy dance danger deer desert diamond dinner
    doctor dolphin donkey door dragon dream drum duck eagle earth echo egg elbow elephant ember engine evening
    fabric falcon farmer feather fence ferry fiddle finger fire fish flag flute forest fox frog fruit galaxy garden
    garlic ghost giant ginger glass globe glove goat gold grape gravel guitar hammer harbor hazel helmet hero honey
    hotel house ice igloo index ink iron island ivory jacket jaguar jelly jewel jungle kayak kettle kingdom kitchen
    kite knee ladder lake lamp lantern laser lemon letter lily lion lizard llama lobster lotus lunch magnet mango
    maple marble market meadow melon metal mirror monkey moon motor mountain museum mushroom napkin needle nest
    nickel night north novel ocean olive onion opera orange orchid otter oven oyster paddle palace panda paper
    parrot pearl pencil pepper piano pigeon pilot pirate planet plum pocket poem pony potato prince pumpkin puzzle
    queen quilt rabbit radar radio rain raven ribbon river robot rocket rose ruby saddle sailor salmon shadow
    silver spider spoon summer temple tiger tulip turtle velvet violin walnut window zebra
    """.split()  # noqa: SIM905  # easier to read than a list
)


def words_of(data: bytes) -> tuple[str, ...]:
    """The first 96 bits of the data's sha256, in words."""
    return tuple(WORDS[byte] for byte in hashlib.sha256(data).digest()[:N_WORDS])
