"""Look inside a network, in 3D: every tensor is one sheet in space, coloured by value and exact under the mouse."""
