"""The project file, the working copy that follows every finished stroke, saving, and recovery after an unclean end."""
