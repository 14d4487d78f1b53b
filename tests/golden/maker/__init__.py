"""Makes the golden files of Switchback with runtimes that share no code with it."""
