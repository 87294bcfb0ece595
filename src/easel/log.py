"""Logging: one logger, `easel`; warnings and errors until a program asks for more or for less."""

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
    # Among a list: a mapping takes only keys that have a hash, and a user may pass anything.
    if level not in list(LEVELS):
        raise ValueError(f"unknown log level {level!r}. Known: {', '.join(LEVELS)}.")
    logger = logging.getLogger("easel")
    logger.setLevel(LEVELS[level])
    if not logging.getLogger().handlers:
        # Each time anew: a notebook or a test may have put another stream in its place.
        _handler.setStream(sys.stderr)
        logger.addHandler(_handler)
