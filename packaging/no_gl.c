/* libGL.so.1 for the bundle: the four functions that Qt's library names, which rtmatte's window never calls, since its
   images are drawn by the processor. With it, OpenCV starts on a system without any library of a screen. */
void glLoadIdentity(void) {}
void glLoadMatrixf(const float *matrix) { (void)matrix; }
void glMatrixMode(unsigned mode) { (void)mode; }
void glOrtho(double left, double right, double bottom, double top, double near, double far) {
    (void)left, (void)right, (void)bottom, (void)top, (void)near, (void)far;
}
