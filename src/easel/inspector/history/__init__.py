"""A network over time: snapshots, their differences and statistics, and watchers that take them while it trains."""
