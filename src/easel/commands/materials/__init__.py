"""`easel materials …`: render datasets, train, evaluate and turn photographs into maps."""
