"""`easel fields …`: paint, fit, render, film and pack neural fields."""
