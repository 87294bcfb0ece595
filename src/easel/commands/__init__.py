"""What a command line does: a config becomes calls of the products, and what they return becomes files."""
