"""Photographs and maps on disk, as samples and batches in the frame of the texture."""
