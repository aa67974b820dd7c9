"""Units: lengths as a phone counts them (UTF-16), and cutting without breaking a character."""

import unicodedata


def units(text: str) -> int:
    """UTF-16 code units: most characters 1, emoji and rare characters 2."""
    return sum(2 if ord(char) > 0xFFFF else 1 for char in text)


def cut(text: str, most: int) -> str:
    """The longest beginning of at most `most` units; never half a surrogate pair."""
    used = 0
    for index, char in enumerate(text):
        used += 2 if ord(char) > 0xFFFF else 1
        if used > most:
            return text[:index].rstrip()
    return text


def one_line(text: str) -> str:
    """A name fit for a text: blanks for line breaks, no control or direction signs.

    【】 become 〔〕, since carriers take the first 【】 for the signature.
    """
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if category in ("Zs", "Zl", "Zp") or char in "\t\n\r\v\f\x85":
            kept.append(" ")
        elif category in ("Cc", "Cs") or (category == "Cf" and char != "\u200d"):
            continue
        else:
            kept.append({"【": "〔", "】": "〕"}.get(char, char))
    return " ".join("".join(kept).split())
