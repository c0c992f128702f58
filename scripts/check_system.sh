#!/bin/sh
# Says what this system lacks, with the command that installs it, before anything is installed. Called by the Makefile.
#
#   sh scripts/check_system.sh PYTHON [git]        PYTHON: the command to make the environment with
#
# Ends with status 1 after naming everything that is missing. OS_RELEASE is another file than /etc/os-release, for tests.
set -u
python=$1
need_git=${2-}
missing=0

os_release=${OS_RELEASE:-/etc/os-release}
# shellcheck disable=SC1090
ids=$( [ -r "$os_release" ] && . "$os_release" && printf ' %s %s ' "${ID-}" "${ID_LIKE-}" )
[ "$(uname -s)" != Darwin ] || ids=' darwin '
sudo=
as=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo > /dev/null 2>&1; then sudo='sudo '; else as='as root: '; fi
fi

# The command that installs the packages of this system's family: of Debian, Fedora, Arch, openSUSE, Homebrew, in order.
install() {
    case "$ids" in
        *' debian '* | *' ubuntu '*) [ -n "$1" ] && echo "${sudo}apt-get update && ${sudo}apt-get install $1" ;;
        *' fedora '* | *' rhel '*) [ -n "$2" ] && echo "${sudo}dnf install $2" ;;
        *' arch '*) [ -n "$3" ] && echo "${sudo}pacman -S --needed $3" ;;
        *' suse '* | *' opensuse '*) [ -n "$4" ] && echo "${sudo}zypper install $4" ;;
        *' darwin '*) [ -n "$5" ] && echo "brew install $5" ;;
    esac
}

# What is missing, why it is needed, and its package for each family.
report() {
    what=$1
    why=$2
    shift 2
    command=$(install "$@")
    echo "rtmatte: $what: $why" >&2
    if [ -n "$command" ]; then
        case "$command" in brew*) as= ;; esac
        echo "         -> $as$command" >&2
    else
        echo "         -> install it with the package manager of this system" >&2
    fi
    missing=1
}

# A newer Python that is installed under another name.
other_python() {
    for name in python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" > /dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
}

check_python() {
    if ! command -v "$python" > /dev/null 2>&1; then
        report "$python is missing" "rtmatte is written in Python" \
            'python3 python3-venv' python3 python python313 python@3.13
        return
    fi
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        other=$(other_python)
        if [ -n "$other" ]; then
            echo "rtmatte: $python is Python $version, too old: rtmatte needs 3.11 or newer" >&2
            echo "         -> make PYTHON=$other, as $other is installed too" >&2
            missing=1
            return
        fi
        report "$python is Python $version, too old" "rtmatte needs 3.11 or newer; then make PYTHON=python3.11 or so" \
            'python3.11 python3.11-venv' python3.12 python python313 python@3.13
        return
    fi
    if ! "$python" -c 'import venv, ensurepip' 2> /dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        report "Python's module venv is missing" "rtmatte is installed into an environment of its own" \
            "python$version-venv" python3 python python313 python@3.13
    fi
    case "$ids" in *' darwin '*) return ;; esac
    if ! "$python" -c 'import ctypes, sys; sys.platform == "linux" and ctypes.CDLL("libGL.so.1")' 2> /dev/null; then
        report "the library libGL.so.1 is missing" "OpenCV needs it" libgl1 mesa-libGL libglvnd Mesa-libGL1 ''
    fi
}

check_python
if [ -n "$need_git" ] && ! command -v git > /dev/null 2>&1; then
    report "git is missing" "the tests list the repository's files with it" git git git git git
fi
case "$ids" in
    *' alpine '*)
        echo "rtmatte: Alpine Linux is not supported: ONNX Runtime has no build for its C library, musl" >&2
        missing=1
        ;;
esac
exit "$missing"
