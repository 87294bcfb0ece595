"""Names that a caller may choose from, and the sentence about one that is not among them."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, given: object, known: Iterable[str]) -> str:
    """Return "unknown colormap 'virdis'. Did you mean 'viridis'? Known: cool, gray." without regard to case."""
    names = {name.lower(): name for name in known}
    near = get_close_matches(str(given).lower(), names, n=1)
    hint = "".join(f" Did you mean {names[name]!r}?" for name in near)
    return f"unknown {kind} {given!r}.{hint} Known: {', '.join(names.values())}."
