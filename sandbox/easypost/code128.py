"""Code 128: the bars of a tracking code. Pure: widths only, it must not draw."""

START_B, START_C, STOP = 104, 105, 106
QUIET = 10  # modules of white on either side

# widths of bar, space, bar, space, bar, space for the values 0 to 105; 106 is the stop with a seventh bar
_PATTERNS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
PATTERNS = _PATTERNS.split()


def values(text: str) -> list[int]:
    """Start, data, checksum and stop; digits in pairs (set C) where they come in pairs, else set B."""
    if len(text) % 2 == 0 and text.isdecimal() and text.isascii():
        data = [START_C, *(int(text[i : i + 2]) for i in range(0, len(text), 2))]
    elif all(32 <= ord(char) < 127 for char in text):
        data = [START_B, *(ord(char) - 32 for char in text)]
    else:
        raise ValueError("Code 128 set B prints ASCII only")
    check = (data[0] + sum(i * value for i, value in enumerate(data))) % 103
    return [*data, check, STOP]


def widths(text: str) -> list[int]:
    """Modules of bar and space in turn, beginning with a bar."""
    return [int(width) for value in values(text) for width in PATTERNS[value]]
