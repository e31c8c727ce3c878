"""Likeness: refine AI base meshes of people and pets into printable colour figurines."""

__version__ = "0.1.0"
