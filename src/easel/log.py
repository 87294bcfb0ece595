"""What the library says: one logger, `easel`; warnings and errors until a program asks for more or for less."""

import logging
import sys

LEVELS = {
    "quiet": logging.CRITICAL + 1,
    "off": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}

_handler = logging.StreamHandler()
_handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))


def set_log_level(level: str = "info") -> None:
    """Let Easel write messages of this level and above to stderr: quiet (or off), error, warning, info, debug.

    A program that has set up logging itself keeps its own handlers; then only the level changes.
    """
    if level not in list(LEVELS):  # a list takes anything, a mapping only what has a hash
        raise ValueError(f"unknown log level {level!r}. Known: {', '.join(LEVELS)}.")
    logger = logging.getLogger("easel")
    logger.setLevel(LEVELS[level])
    if not logging.getLogger().handlers:
        _handler.setStream(sys.stderr)
        logger.addHandler(_handler)
