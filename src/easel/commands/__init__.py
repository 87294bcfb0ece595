"""The commands of `easel`: a config becomes calls of the products, and their results become files or a window."""
