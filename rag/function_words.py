"""Words that hold a question together and say nothing of its matter. Pure; knows no index.

BM25 takes a word for telling that few passages hold, and manuals hardly ever say "how do I": such words then outweigh
the matter. Words that also name things somebody may look for ("use", "need", "want", German "Arm") are left to be
found. Languages that are not here keep all their words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = {
    "en": "a about after all also am an and any are aren as at be because been before being between both but by can "
    "cannot could couldn did didn do does doesn doing don during each few for from further had hadn has hasn have "
    "haven having he her here hers him his how i if in into is isn it its itself just let ll me might more most must "
    "my myself no nor not of off on once only or other ought our ours out own per please re s same shall she should "
    "shouldn so some such t than that the their theirs them then there these they this those through to too until us "
    "ve very was wasn way we were weren what when where whether which while who whom whose why will with won would "
    "wouldn you your yours",
    "de": "aber alle als also am an auch auf aus bei bin bis bist da damit dann darf das dass dein deine dem den denn "
    "der des die dies diese dieser dieses doch du durch ein eine einem einen einer eines er es etwas für gegen gibt "
    "hat hatte habe haben hier ich ihm ihn ihr ihre im in ist ja jede jeder jedes kann kannst können könnte man mein "
    "meine meinem meinen meiner mich mir mit muss musst müssen nach nicht noch nun nur ob oder ohne sich sie sind so "
    "soll sollte sollten über um und uns unter vom von vor wann war waren warum was weil welche welchem welchen "
    "welcher welches wem wen wenn wer werden wie wieso wird wirst wissen wo wohin woher wozu wurde zu zum zur",
    "es": "a al algo ante antes aquí como cómo con cual cuál cuáles cuando cuándo cuanto cuánto cuántos de debe debo "
    "del desde donde dónde e el él ella ellos en entre era es esa ese eso esta está están este esto estos fue ha hace "
    "hacer hago hasta hay la las le les lo los más me mi mis muy ni no nos o para pero por porque puede puedo que qué "
    "quien quién saber se ser si sí sin sobre son soy su sus también te tengo tiene tu tus u un una uno unos y ya yo",
    "fr": "à ai alors après au aussi autre aux avant avec avoir c ça ce ceci cela ces cet cette ceux chez comment d "
    "dans de depuis des dois doit donc dont du elle elles en entre est et être été eu faire fait faut il ils j je l "
    "la là le les leur leurs lui m ma mais me même mes moi mon n ne ni nos notre nous on ont ou où par pas peut peux "
    "plus pour pourquoi puis qu quand que quel quelle quelles quels qui quoi sa sans savoir se sera ses si son sont "
    "sous sur t ta te tes toi ton tous tout toute tu un une vers vos votre vous y",
    "it": "a ai al alla alle anche c che chi ci come con cosa cui da dal dalla dei del della delle deve devo di dopo "
    "dove e è ed era essere fa fare fra gli ha hai hanno ho i il in io l la le lei lo loro lui ma mi mio nel nella "
    "non o per perché più posso può prima qual quale quali quando quanto quello questa questo qui sapere se sei si "
    "siamo sono su sua sue sul sulla suo te ti tra tu tuo un una uno vi",
    "nl": "aan al als bij daar dan dat de den der deze die dit doe doen door dus een en er gaat geen had heb hebben "
    "heeft het hij hoe hun ik in is ja je kan kun kunnen maar me met mij mijn moet moeten na naar niet nog nu of om "
    "onder ons ook op over te tot u uit uw van veel voor waar waarom wanneer was wat we weten welk welke wie wij "
    "worden wordt zal ze zich zij zijn zo zou",
    "pt": "a à ao aos aquela aquele as às até com como da das de dela dele depois deve devo do dos e é ela ele eles em "
    "entre era essa esse esta está este eu faço faz fazer foi há isso isto já lhe mais mas me mesmo meu minha muito na "
    "não nas nem no nos nós o onde os ou para pela pelo por porque posso pode quais qual quando quanto que quê quem "
    "saber se sem ser seu seus são só sobre sou sua suas também te tem tenho ter um uma você",
    "ru": "а без более бы был была были было быть в вам вас весь во вот все всё вы где да для до его её если есть ещё "
    "же за зачем здесь знать и из или им их к каждый как какая какие какой какую когда кого кто куда ли между меня мне "
    "могу может можно мой моя мы на над надо нам нас не него нет ни но ну нужно о об он она они оно от отчего по под "
    "почему при про с сам свой себя сколько со так также там то тогда того только том тот ты у уже чего чем через что "
    "чтобы чья эта эти это этого этой этот я",
}
_BY_LANGUAGE = {language: frozenset(words.split()) for language, words in _WORDS.items()}


def content_words(words: Sequence[str], language: str) -> list[str]:
    """The words, in lower case, that say what a question is about; all of them where none would be left.

    `language` is that of the question (ISO 639-1); where it could not be told (""), English is assumed.
    """
    held_together_by = _BY_LANGUAGE.get(language or "en", frozenset())
    return [word for word in words if word not in held_together_by] or list(words)


_BETWEEN = re.compile(
    "[\u3040-\u309f]+|为什么|為什麼|什么|什麼|怎么|怎麼|怎样|怎樣|如何|为何|為何|哪里|哪裡|哪些|哪个|哪個|多少|是否|关于|關於|"
    "可以|能否|需要|知道|应该|應該|请问|請問|我们|我們|你们|你們|他们|他們|[我你您他她它吗嗎呢吧的了何]"
)


def content_runs(letters: str) -> list[str]:
    """The parts, two letters long at least, of a run of Chinese or Japanese that say what a question is about; all of
    it where none would be left."""
    return [run for run in _BETWEEN.split(letters) if len(run) > 1] or [letters]
