/* libavdevice for OpenCV in the bundle: no devices. OpenCV reads cameras by V4L2 itself, and rtmatte uses no devices of
   FFmpeg. PyAV's own libavdevice brings a libxcb beside the system's, at which Qt's windows hang. */
void avdevice_register_all(void) {}
int avdevice_list_input_sources(void *device, const char *name, void *options, void **list) {
    (void)device, (void)name, (void)options, (void)list;
    return -38; /* AVERROR(ENOSYS) */
}
void avdevice_free_list_devices(void **list) { (void)list; }
