"""What is true of a host: pyinfra facts, one command each, never failing where the thing asked about is absent."""
