"""The application: settings put together, runs and their records, maintenance."""
