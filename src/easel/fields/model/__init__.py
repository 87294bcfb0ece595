"""Fields themselves: coordinates, encodings, networks, and the module that joins them."""
