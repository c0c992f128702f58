#!/bin/sh
# A minimal Debian in a folder, to try bundles and packages in. Run as root; needs debootstrap.
#
#   packaging/root.sh make SUITE ROOT              SUITE: bullseye, stable, testing ...
#   packaging/root.sh run ROOT USER COMMAND...     USER: root, or user, an ordinary one that "make" adds
#
# A command has processes, mounts and /tmp of its own; /dev has no cameras. All of its processes end with it.
set -eu
action=$1
shift

make_root() {
    suite=$1
    root=$2
    [ ! -e "$root/home/user" ] || return 0
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" > "$root.log"
    chroot "$root" /usr/sbin/useradd --create-home --shell /bin/bash user
}

# How this machine reaches the network: names, its certificates, and pip's settings. Before each command, as an
# installation in the root may replace them.
settings() {
    cp /etc/resolv.conf "$1/etc/resolv.conf"
    [ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
    [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$1/etc/pip.conf"
}

run_in() {
    root=$1
    user=$2
    shift 2
    settings "$root"
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child sh -ec '
        root=$1 user=$2
        shift 2
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/tmp"
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        for name in null zero full random urandom tty; do
            touch "$root/dev/$name"
            mount --bind "/dev/$name" "$root/dev/$name"
        done
        mkdir "$root/dev/shm" "$root/dev/pts"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
        ln -s pts/ptmx "$root/dev/ptmx"
        chmod 1777 "$root/dev/shm" "$root/tmp"
        ln -s /proc/self/fd "$root/dev/fd"
        cd /
        home=$(chroot "$root" sh -c "getent passwd $user | cut -d: -f6")
        clean="env -i HOME=$home USER=$user LOGNAME=$user LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive"
        path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        exec chroot --userspec="$user" --groups="$user" "$root" $clean "$path" sh -c "cd; exec \"\$@\"" sh "$@"
    ' sh "$root" "$user" "$@"
}

case "$action" in
    make) make_root "$@" ;;
    run) run_in "$@" ;;
    *)
        sed -n 's/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
