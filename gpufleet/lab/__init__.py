"""Container hosts that behave like machines: the controller, the image recipe and the emulated hardware."""
