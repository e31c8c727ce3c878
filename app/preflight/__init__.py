"""Printer profiles, checks against them, and the verified export."""
