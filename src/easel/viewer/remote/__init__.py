"""A view in a browser tab: the protocol, authentication, and the server between view and tabs."""
