"""Video for Linux: all ioctl code."""
