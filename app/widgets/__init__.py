"""Qt: main window, panels, dialogs."""
