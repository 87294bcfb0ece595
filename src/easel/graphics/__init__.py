"""Pictures, colour and their measures as tensors: the ground floor, which imports nothing of ours.

Import what is needed by its full file name, for instance `from easel.graphics.image import imread`.
"""
