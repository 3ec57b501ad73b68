"""Signs, units and abbreviations as the words they are read as, in English. Knows no Markdown and no synthesizer.

Numbers stay digits: each synthesizer reads numbers, dates and sums of money itself. What is here is what they leave
out or read letter by letter; text in another language loses only what nobody can read aloud.
"""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"(?:https?://|www\.)(?:www\.)?([^\s/<>()\[\]]+)[^\s<>()\[\]]*", re.IGNORECASE)
_CITATION = re.compile(r"\s?\[\^?\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]")
_SQUARE = {"²": "square", "³": "cubic"}
_UNIT = {
    "mm": "millimeters", "cm": "centimeters", "m": "meters", "km": "kilometers", "mi": "miles", "ft": "feet",
    "in": "inches", "g": "grams", "mg": "milligrams", "kg": "kilograms", "lb": "pounds", "lbs": "pounds",
    "oz": "ounces", "l": "liters", "L": "liters", "ml": "milliliters", "mL": "milliliters", "s": "seconds",
    "ms": "milliseconds", "µs": "microseconds", "μs": "microseconds", "ns": "nanoseconds", "min": "minutes",
    "h": "hours", "hr": "hours", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz",
    "W": "watts", "kW": "kilowatts", "MW": "megawatts", "kWh": "kilowatt hours", "V": "volts", "A": "amperes",
    "mAh": "milliampere hours", "N": "newtons", "J": "joules", "kJ": "kilojoules", "kcal": "kilocalories",
    "Pa": "pascals", "kPa": "kilopascals", "hPa": "hectopascals", "bar": "bar", "dB": "decibels", "KB": "kilobytes",
    "kB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes", "KiB": "kibibytes",
    "MiB": "mebibytes", "GiB": "gibibytes", "Mbps": "megabits per second", "Gbps": "gigabits per second",
    "mph": "miles per hour", "kph": "kilometers per hour", "rpm": "revolutions per minute",
    "fps": "frames per second", "px": "pixels", "°C": "degrees Celsius", "°F": "degrees Fahrenheit", "K": "kelvins",
}  # fmt: skip
_AMBIGUOUS = {"in", "A", "K", "bar", "L", "N", "W", "V", "J", "s"}
"""Words or letters of their own: units only in a rate ("3 K/s") or with an exponent."""
_UNITS = "|".join(re.escape(unit) for unit in sorted(_UNIT, key=len, reverse=True))
_PER = re.compile(rf"(?<=\d)\s?({_UNITS})\s?/\s?({_UNITS})([²³]?)(?![\w²³])")
_POWER = re.compile(rf"(?<=\d)\s?({_UNITS})([²³])(?![\w²³])")
_CLEAR = "|".join(re.escape(unit) for unit in sorted(_UNIT.keys() - _AMBIGUOUS, key=len, reverse=True))
_PLAIN = re.compile(rf"(?:(?<![\w.,])(1)|(?<=\d))\s?({_CLEAR})(?![\w²³/])")
_ABBREVIATIONS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\b[Ee]\.\s?g\.,?", "for example,"),
        (r"\b[Ii]\.\s?e\.,?", "that is,"),
        (r"\betc\.", "et cetera."),
        (r"\bvs\.?(?=\s)", "versus"),
        (r"\bapprox\.(?=\s)", "approximately"),
        (r"\b[Ff]ig\.(?=\s?\d)", "figure"),
        (r"\b[Ee]q\.(?=\s?\d)", "equation"),
        (r"\b[Cc]h\.(?=\s?\d)", "chapter"),
        (r"\b[Pp]p\.(?=\s?\d)", "pages"),
        (r"\b[Pp]\.(?=\s?\d)", "page"),
        (r"\b[Ss]ec\.(?=\s?\d)", "section"),
        (r"\bw/o\b", "without"),
        (r"\bw/(?=\s|\w)", "with "),
    )
)
_SIGNS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"(?<=\d)\s?x\s?(?=\d)", " by "),
        (r"\s?[×⋅·]\s?(?=[\w(])", " times "),
        (r"\s?÷\s?", " divided by "),
        (r"\s?±\s?", " plus or minus "),
        (r"\s?≈\s?|(?<!\w)~(?=\d)", " about "),
        (r"\s?≠\s?", " is not "),
        (r"\s?(?:≤|<=)\s?", " at most "),
        (r"\s?(?:≥|>=)\s?", " at least "),
        (r"(?<=[\w)])\s?<\s?(?=[\w(])", " less than "),
        (r"(?<=[\w)])\s?>\s?(?=[\w(])", " more than "),
        (r"(?<=\w)\s?(?:==?)\s?(?=[\w(-])", " equals "),
        (r"\s?(?:→|⇒|->|=>)\s?", ", "),
        (r"\s?←\s?", ", "),
        (r"\s?[•●◦▪‣]\s?", ", "),
        (r"√(?=\w)", "the square root of "),
        (r"(?<=\w)²", " squared"),
        (r"(?<=\w)³", " cubed"),
        (r"\s?∞\s?", " infinity "),
        (r"(?<=\w)\s?&\s?(?=\w)", " and "),
        (r"(?<=\d)\s?°(?!\s?[CF]\b)", " degrees"),
        (r"½", " one half"),
        (r"¼", " one quarter"),
        (r"¾", " three quarters"),
        (r"§\s?", "section "),
        (r"(?<=\d)\s?‰", " per mille"),
        (r"(?<=\s)[−–-](?=\d)|^[−–-](?=\d)", "minus "),
        (r"(?<=\w)_(?=\w)", " "),
    )
)
_SPACES = re.compile(r"\s+")
_LOOSE = re.compile(r"\s+([,.;:!?])")
_DOUBLED = re.compile(r"([,;:])(?:\s*[,;:])+|,\s*(?=[.!?])")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]")
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}
_SPOKEN_SYMBOLS = set("°©®™")


def in_words(text: str, *, language: str = "en", link: str = "a link to {site}") -> str:
    """Plain text as it is read aloud. `link` is what a bare address becomes."""
    text = _CITATION.sub("", text)
    text = _ADDRESS.sub(lambda match: link.format(site=match[1].rstrip(".,;:!?")) + _trailing(match[0]), text)
    if language in ("", "en"):
        text = _english(text)
    text = "".join(character for character in text if _is_readable(character))
    text = _EMPTY_BRACKETS.sub("", text)
    text = _LOOSE.sub(r"\1", _SPACES.sub(" ", text))
    return _DOUBLED.sub(r"\1", text).strip()


def _english(text: str) -> str:
    for pattern, words in _ABBREVIATIONS:
        text = pattern.sub(words, text)
    text = _PER.sub(lambda match: f" {_UNIT[match[1]]} per {_exponent(match[3])}{_one(_UNIT[match[2]])}", text)
    text = _POWER.sub(lambda match: f" {_exponent(match[2])}{_UNIT[match[1]]}", text)
    text = _PLAIN.sub(_unit, text)
    for pattern, words in _SIGNS:
        text = pattern.sub(words, text)
    return "".join(_greek(character) for character in text)


def _unit(match: re.Match[str]) -> str:
    words = _UNIT[match[2]]
    return f"1 {_one(words)}" if match[1] else f" {words}"


def _one(words: str) -> str:
    """The singular: "meters" -> "meter", "degrees Celsius" -> "degree Celsius"."""
    if words in ("feet", "inches"):
        return {"feet": "foot", "inches": "inch"}[words]
    first, space, rest = words.partition(" ")
    if first in ("kilowatt", "milliampere"):
        return f"{first} {_one(rest)}"
    return (first[:-1] if first.endswith("s") and first != "hertz" else first) + space + rest


def _exponent(sign: str) -> str:
    return f"{_SQUARE[sign]} " if sign else ""


def _greek(character: str) -> str:
    name = unicodedata.name(character, "") if "\u0370" <= character <= "\u03ff" else ""
    return f" {name.rsplit(' ', 1)[-1].lower()} " if name.startswith("GREEK ") and "WITH" not in name else character


def _is_readable(character: str) -> bool:
    """False for emoji, pictures, joiners and control characters."""
    if character in _JOINERS or "\U000e0000" <= character <= "\U000e007f":
        return False
    category = unicodedata.category(character)
    return (
        character in _SPOKEN_SYMBOLS
        or category not in ("So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf")
        or character.isspace()
    )


def _trailing(address: str) -> str:
    """Punctuation that ended the sentence, not the address."""
    return address[len(address.rstrip(".,;:!?")) :]
