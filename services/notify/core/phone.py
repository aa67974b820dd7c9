"""Phone numbers: the same phone, however it was typed or a gateway wrote it."""

import re
import unicodedata

_MAINLAND = re.compile(r"(?:\+86|0086|86)?([0-9]{11})", re.ASCII)


def plain_number(text: str) -> str:
    """Without blanks and hyphens, and before eleven digits without `+86`, `0086` or `86`.

    Full-width digits count as digits. What is no mainland number (a short code, a number of
    another country) keeps its prefix. Applying it twice changes nothing.
    """
    folded = unicodedata.normalize("NFKC", text)
    kept = "".join(
        char for char in folded if unicodedata.category(char) not in ("Zs", "Pd", "Cf", "Cc")
    )
    kept = unicodedata.normalize("NFKC", kept)  # what stood apart may compose now
    match = _MAINLAND.fullmatch(kept)
    return match[1] if match else kept
