#!/bin/sh
# Builds the Python of the Linux bundle, in a root of an old Debian, so that the bundle runs with that Debian's C library
# and every newer one. Run as root; needs debootstrap. The result is ROOT/opt/python, which can be moved.
#
#   packaging/old_python.sh ROOT
#
# Sources are those of Debian stable: its Python and its OpenSSL, which is linked statically, as the old Debian's own
# gets no corrections any more.
set -eu
ROOT=$1
SUITE=bullseye # glibc 2.31; the wheels of the libraries need 2.28
PYTHON=python3.13

run() { chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }

if [ ! -x "$ROOT/usr/bin/apt-get" ]; then
    debootstrap --variant=minbase "$SUITE" "$ROOT"
fi
[ ! -x "$ROOT/opt/python/bin/python3" ] || exit 0

# The name of the mirror is the one that debootstrap wrote.
sed -n "s/^deb \([^ ]*\) .*/deb-src \1 stable main\ndeb \1 stable main/p" "$ROOT/etc/apt/sources.list" | head -n 2 \
    > "$ROOT/etc/apt/sources.list.d/stable.list"
printf 'Package: *\nPin: release a=stable\nPin-Priority: -1\n' > "$ROOT/etc/apt/preferences.d/stable"
cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
run apt-get update -qq
run apt-get install -qq --yes --no-install-recommends \
    build-essential ca-certificates patchelf pkg-config xz-utils \
    zlib1g-dev libbz2-dev liblzma-dev libffi-dev uuid-dev libglib2.0-0
mkdir -p "$ROOT/build"
run sh -ec "cd /build
    apt-get source -qq --download-only $PYTHON openssl
    for name in openssl $PYTHON; do
        rm -rf \$name debian
        mkdir \$name
        tar -xf \${name}_*.orig.tar.?z --strip-components=1 -C \$name
        tar -xf \${name}_*.debian.tar.xz
        # Debian's corrections are the files .patch; what moves files to Debian's places is in the files .diff.
        grep '\.patch\$' debian/patches/series | while read -r patch; do
            patch -d \$name -p1 -s < debian/patches/\$patch
        done
    done"

run sh -ec "cd /build/openssl
    ./Configure linux-x86_64 no-shared no-tests no-apps no-docs -fPIC --prefix=/opt/openssl --libdir=lib \
        --openssldir=/etc/ssl > configure.log
    make -s -j2 > make.log
    make -s install_sw > install.log"

# Decodes the frames of cameras. The old Debian's is too old; that of Debian stable needs glibc 2.14 only.
run sh -ec "cd /build
    apt-get download -qq libturbojpeg0/stable
    dpkg-deb --extract libturbojpeg0_*.deb turbojpeg"

run sh -ec "cd /build/$PYTHON
    ./configure --prefix=/opt/python --with-openssl=/opt/openssl --with-ensurepip=install --disable-test-modules \
        --without-readline CFLAGS='-O3' LDFLAGS='-Wl,--no-as-needed' > configure.log 2>&1
    make -s -j2 > make.log 2>&1
    make -s install > install.log 2>&1"

# The libraries that its own modules need, beside them.
run sh -ec '
    lib=/opt/python/lib
    modules=$(echo $lib/python3.*/lib-dynload)
    for found in $(ldd $modules/*.so | sed -n "s/.*=> \(\/[^ ]*\) .*/\1/p" | sort -u); do
        case "$found" in
            */libc.so*|*/libm.so*|*/libm-*|*/libdl.so*|*/libdl-*|*/libpthread*|*/librt*|*/libutil*|*/ld-linux*) ;;
            */libc-* | */lib-dynload/*) ;;
            *) cp -L "$found" $lib/ ;;
        esac
    done
    # Qt, in OpenCV, needs them, also where no window is shown.
    for name in libglib-2.0.so.0 libgthread-2.0.so.0; do cp -L /usr/lib/x86_64-linux-gnu/$name $lib/; done
    cp -L /lib/x86_64-linux-gnu/libpcre.so.3 $lib/
    cp -L /build/turbojpeg/usr/lib/x86_64-linux-gnu/libturbojpeg.so.0 $lib/
    strip --strip-unneeded /opt/python/bin/python3 $modules/*.so
    for module in $modules/*.so; do patchelf --set-rpath "\$ORIGIN/../.." "$module"; done'
run /opt/python/bin/python3 -c "
import bz2, ctypes, lzma, ssl, uuid, zlib
ctypes.CDLL('libturbojpeg.so.0')
print(ssl.OPENSSL_VERSION)"
