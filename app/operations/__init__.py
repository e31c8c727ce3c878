"""Declared whole-mesh operations."""
