"""Text as a carrier's label printer can print it: plain ASCII, by the letters' own decomposition and a small table.

What is stored stays as typed; only what goes to the carrier passes here.
"""

import unicodedata
from typing import Final

from models.vendors import NoLabelError

_LETTERS: Final = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "SS",
        "Æ": "AE",
        "æ": "ae",
        "Œ": "OE",
        "œ": "oe",
        "Ø": "O",
        "ø": "o",
        "Ł": "L",
        "ł": "l",
        "Đ": "D",
        "đ": "d",
        "Ð": "D",
        "ð": "d",
        "Þ": "Th",
        "þ": "th",
        "Ħ": "H",
        "ħ": "h",
        "\u0131": "i",
        "Ŋ": "N",
        "ŋ": "n",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
    }
)


def printable(text: str, field: str) -> str:
    """`text` for the label: `Łódź` is `Lodz`.

    Raises NoLabelError, naming `field`, where nothing that identifies is left: no letter of a text that had some
    (a street in Hangul is not its house number), or nothing at all.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    kept = "".join(char if " " <= char <= "~" else " " if char.isspace() else "" for char in plain)
    words = " ".join(kept.split())
    had_letters, has_letters = any(map(str.isalpha, text)), any(map(str.isalpha, words))
    if not any(map(str.isalnum, words)) or (had_letters and not has_letters):
        raise NoLabelError("unprintable", field)
    return words
