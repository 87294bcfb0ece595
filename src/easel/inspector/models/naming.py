"""Names and lines for people: of operations, of repeated ones, of errors."""

from collections import Counter
from collections.abc import Container

_OPERATORS = frozenset({"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"})


def one_line(error: BaseException) -> str:
    """An exception as a line for a label."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def number_names(bases: list[str], taken: Container[str]) -> list[str]:
    """The bases, numbered `:1`, `:2` … where they come more than once or are taken."""
    times, seen = Counter(bases), Counter[str]()
    names: list[str] = []
    for base in bases:
        seen[base] += 1
        names.append(f"{base}:{seen[base]}" if times[base] > 1 or base in taken else base)
    return names


def plain_name(name: str) -> str:
    """`__radd__` is add, `_max_pool2d` max_pool2d; `add_` keeps what tells that it works in place."""
    if not name.startswith("__"):
        return name.lstrip("_")
    name = name.strip("_")
    return name[1:] if name[0] in "ri" and name[1:] in _OPERATORS else name
