"""Reference photos: reading them safely, and how each is viewed."""
