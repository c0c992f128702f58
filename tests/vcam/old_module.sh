#!/bin/bash
# old_module.sh VERSION FOLDER: build Debian's v4l2loopback VERSION (0.12.5 or 0.12.7) for the kernel of the camera lab,
# and write FOLDER/modules.sh, which loads it there. On Debian, as root; a minute, 2 GB in FOLDER, outside /tmp. Then:
#
#   CAMRUN_ENV=PYTHONPATH PYTHONPATH=$PWD ../shared/vcam-lab/camrun -M FOLDER/modules.sh \
#       .venv/bin/python -m pytest tests/vcam/test_old_module.py
#
# The lab's kernel has renamed some calls, and passes NULL where the module expects its file handle: both are changed in
# the copy; with RENAMES_ONLY=1 only the names are, as by a distribution that makes an old module compile. VCAM_LAB is
# the lab, if it is elsewhere.
set -euo pipefail
version=$1
lab=$(realpath "${VCAM_LAB:-$(dirname "${BASH_SOURCE[0]}")/../../../shared/vcam-lab}")
release=$(cat "$lab/kernel/version")
mkdir -p "$2" && cd "$2"
folder=$PWD

mkdir -p apt/lists/partial apt/cache/archives/partial
for suite in bullseye bookworm trixie sid; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main"
done > apt/sources.list
printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "-";\nDir::State::lists "%s";\nDir::Cache "%s";\n' \
    "$folder/apt/sources.list" "$folder/apt/lists" "$folder/apt/cache" > apt/apt.conf
echo 'APT::Sandbox::User "root";' >> apt/apt.conf
apt-get install -y -qq --no-install-recommends xz-utils gcc make bc flex bison libelf-dev libssl-dev > /dev/null
export APT_CONFIG=$folder/apt/apt.conf
apt-get update -qq

kernel=linux-source-${release%.*}
if [ ! -d "$kernel" ]; then
    apt-get download -qq "$kernel=$release-*"
    dpkg-deb --fsys-tarfile "$kernel"_*.deb | tar -x --to-stdout "./usr/src/$kernel.tar.xz" | tar -xJ
    make -s -C "$kernel" ARCH=um defconfig > /dev/null
    (cd "$kernel" && scripts/kconfig/merge_config.sh -m .config "$lab/uml-fragment.config" > /dev/null)
    make -s -C "$kernel" ARCH=um olddefconfig
    make -s -C "$kernel" ARCH=um modules_prepare
fi

apt-get download -qq "v4l2loopback-dkms=$version-*"
rm -rf module && mkdir module
dpkg-deb --fsys-tarfile v4l2loopback-dkms_"$version"-*.deb |
    tar -x -C module --strip-components 4 "./usr/src/v4l2loopback-$version"
cd module
cat > compat.h << 'END'
#include <linux/timer.h>
#include <linux/string.h>
#include <media/v4l2-fh.h>
#define from_timer timer_container_of
#define del_timer_sync timer_delete_sync
#define strlcpy strscpy
END
printf 'obj-m := v4l2loopback.o\nccflags-y += -include $(src)/compat.h\n' > Kbuild
sed -i 's/\(v4l2_fh_\(add\|del\)(&opener->fh\))/\1, file)/' v4l2loopback.c
if ! grep -q v4l2_fh v4l2loopback.c; then # 0.12.5 has no file handles, which the kernel requires
    sed -i -e 's/^struct v4l2_loopback_opener {/&\n\tstruct v4l2_fh fh;/' \
        -e 's/^\tdprintk("opened dev:/\tv4l2_fh_init(\&opener->fh, video_devdata(file));\n\tv4l2_fh_add(\&opener->fh, file);\n&/' \
        -e 's/^\tkfree(opener);/\tv4l2_fh_del(\&opener->fh, file);\n\tv4l2_fh_exit(\&opener->fh);\n&/' v4l2loopback.c
fi
if [ -z "${RENAMES_ONLY:-}" ]; then
    sed -i 's/^\(#define fh_to_opener(ptr) container_of(\)(ptr)/\1(struct v4l2_fh *)file->private_data/' v4l2loopback.c
fi
make -s -C "$folder/$kernel" ARCH=um M="$PWD" KBUILD_MODPOST_WARN=1 modules 2> "$folder/build.log" ||
    { cat "$folder/build.log"; exit 1; }

cat > "$folder/modules.sh" << END
insmod $folder/module/v4l2loopback.ko devices=2 video_nr=10,11 exclusive_caps=1,1 card_label=VirtualCamera,FeedCamera
/run/mp vivid n_devs=1 node_types=0x1 vid_cap_nr=0 input_types=0x0 num_inputs=1
END
echo "built: $folder/module/v4l2loopback.ko"
