"""Hardware and parts replaced in tests."""
