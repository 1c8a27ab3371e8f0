"""How Vietnamese reads a whole number aloud, word by word. Pure; knows no voice and no loudspeaker.

The rules are those of school grammar: mốt after mươi, lăm after mười and mươi, linh (in the South lẻ) for a missing
ten, and after the thousands even a missing hundred is said. num2words is wrong for 1005 and 1015, hence our own.
"""

WORDS = {
    "10": "mười",
    "muoi": "mươi",
    "mot": "mốt",
    "lam": "lăm",
    "linh": "linh",
    "le": "lẻ",
    "tram": "trăm",
    "nghin": "nghìn",
}
"""The words beside the ten digits, by the names that their clips have: without marks mười and mươi would be one."""
MOST_DIGITS = 6


def read(number: int, missing_ten: str = "linh") -> list[str]:
    """The words of a number from 0 to 999999, each a digit or a name of WORDS; `missing_ten` is linh or le.

    1015 → 1 nghin 0 tram 10 lam: một nghìn không trăm mười lăm.
    """
    if not 0 <= number < 10**MOST_DIGITS:
        raise ValueError(f"{number} is not between 0 and {10**MOST_DIGITS - 1}")
    if number == 0:
        return ["0"]
    thousands, rest = divmod(number, 1000)
    words = [*_below_thousand(thousands, missing_ten, False), "nghin"] if thousands else []
    return words + (_below_thousand(rest, missing_ten, bool(thousands)) if rest else [])


def _below_thousand(number: int, missing_ten: str, after_thousands: bool) -> list[str]:
    hundreds, rest = divmod(number, 100)
    said = bool(hundreds) or after_thousands
    words = [str(hundreds), "tram"] if said else []
    return words + (_below_hundred(rest, missing_ten if said else "") if rest else [])


def _below_hundred(number: int, missing_ten: str) -> list[str]:
    tens, ones = divmod(number, 10)
    if tens == 0:
        return [missing_ten, str(ones)] if missing_ten else [str(ones)]
    words = ["10"] if tens == 1 else [str(tens), "muoi"]
    if ones == 5:
        return [*words, "lam"]
    if ones == 1 and tens > 1:
        return [*words, "mot"]
    return [*words, str(ones)] if ones else words
