"""Problems of the configuration and the input: detects and explains what does not match."""
