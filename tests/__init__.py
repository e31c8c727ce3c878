"""Tests mirror `app/`. A package, so that they share `tests.meshes` and may bear the same name in two folders."""
