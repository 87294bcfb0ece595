"""What a view is shown in: one contract (`base`), one file each, and `select`, which takes the best that works here."""
