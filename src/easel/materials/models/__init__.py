"""The networks: encoders, fusion of views, decoders, discriminators."""
