"""A view in a browser tab: what travels, who may look, and the server between them."""
