"""A camera in PipeWire, by the system's libpipewire."""
