"""Fields as files of few bytes."""
