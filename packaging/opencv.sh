#!/bin/sh
# Builds OpenCV's module for the Linux bundle, in the root that old_python.sh made, without what may not be passed on
# together with x264 or is not used: Intel IPP, FFmpeg with OpenSSL, and the modules, codecs and cameras that rtmatte does
# not need. Run as root; half an hour on two processors; called again after it was stopped, it goes on. The result is
# ROOT/opt/opencv/cv2.abi3.so.
#
#   packaging/opencv.sh ROOT
#
# Compiled with the headers of the old Debian's Qt 5.15, and linked with the Qt 5.15 of OpenCV's own wheel, which the
# bundle has: opencv_qt.cmake.
set -eu
ROOT=$1
VERSION=$(sed -n 's/^opencv-python==//p' "$(dirname "$0")/constraints.txt")
BUILD=/build/opencv-$VERSION
SOURCE=$BUILD/opencv_python-$VERSION/opencv

run() { chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }

[ "$(cat "$ROOT/opt/opencv/version" 2> /dev/null)" != "$VERSION" ] || exit 0
cp /etc/resolv.conf "$ROOT/etc/resolv.conf"

if [ ! -e "$ROOT$BUILD/ready" ]; then
    run apt-get install -qq --yes --no-install-recommends cmake nasm qtbase5-dev
    rm -rf "$ROOT$BUILD"
    mkdir -p "$ROOT$BUILD"
    pip="/opt/python/bin/python3 -m pip --disable-pip-version-check --quiet --root-user-action ignore"
    run $pip download --no-deps --no-binary opencv-python --dest "$BUILD" "opencv-python==$VERSION"
    run tar -xf "$BUILD/opencv_python-$VERSION.tar.gz" -C "$BUILD"
    run $pip install --no-deps --only-binary opencv-python --target "$BUILD/wheel" "opencv-python==$VERSION"
    # Its headers. A module that is built with the headers of 2.0 or later works with every later 2.
    run $pip install --target "$BUILD/numpy" "numpy==2.1.*"
    touch "$ROOT$BUILD/ready"
fi

cp "$(dirname "$0")/opencv_qt.cmake" "$ROOT$BUILD/"

# ITT measures, and UNIFONT would be downloaded. NumPy needs SSE4.2 as well. The test modules need all of the others.
run cmake -S "$SOURCE" -B "$BUILD/made" -DCMAKE_BUILD_TYPE=Release \
    -DBUILD_LIST=core,imgproc,imgcodecs,videoio,highgui,python3 -DBUILD_SHARED_LIBS=OFF \
    -DBUILD_opencv_python2=OFF -DPYTHON3_LIMITED_API=ON -DPYTHON3_LIBRARY=none \
    -DPYTHON3_EXECUTABLE=/opt/python/bin/python3 -DPYTHON_DEFAULT_EXECUTABLE=/opt/python/bin/python3 \
    -DPYTHON3_INCLUDE_DIR="$(run /opt/python/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
    -DPYTHON3_NUMPY_INCLUDE_DIRS="$BUILD/numpy/numpy/_core/include" \
    -DCPU_BASELINE=SSE4_2 -DCPU_DISPATCH=AVX2 \
    -DWITH_IPP=OFF -DWITH_ITT=OFF -DBUILD_ITT=OFF -DWITH_LAPACK=OFF -DWITH_EIGEN=OFF -DWITH_OPENCL=OFF \
    -DWITH_PROTOBUF=OFF -DWITH_FLATBUFFERS=OFF -DWITH_UNIFONT=OFF \
    -DWITH_FFMPEG=OFF -DWITH_GSTREAMER=OFF -DWITH_OBSENSOR=OFF -DWITH_V4L=ON -DWITH_VA=OFF \
    -DWITH_QT=5 -DCMAKE_PROJECT_OpenCV_INCLUDE="$BUILD/opencv_qt.cmake" -DQT_OF_WHEEL="$BUILD/wheel/opencv_python.libs" \
    -DWITH_GTK=OFF -DWITH_OPENGL=OFF \
    -DBUILD_ZLIB=ON -DBUILD_PNG=ON -DBUILD_JPEG=ON \
    -DWITH_TIFF=OFF -DWITH_WEBP=OFF -DWITH_AVIF=OFF -DWITH_OPENJPEG=OFF -DWITH_JASPER=OFF -DWITH_OPENEXR=OFF \
    -DBUILD_TESTS=OFF -DBUILD_PERF_TESTS=OFF -DBUILD_DOCS=OFF -DBUILD_opencv_apps=OFF -DBUILD_JAVA=OFF \
    > "$ROOT$BUILD/configure.log" 2>&1
run cmake --build "$BUILD/made" --target opencv_python3 --parallel "$(nproc)" > "$ROOT$BUILD/make.log" 2>&1

mkdir -p "$ROOT/opt/opencv"
cp "$ROOT$BUILD/made/lib/python3/"cv2*.so "$ROOT/opt/opencv/cv2.abi3.so"
echo "$VERSION" > "$ROOT/opt/opencv/version"
