#!/bin/sh
# The tests under other Pythons than this machine's, and with the oldest libraries that pyproject.toml accepts.
#
#   packaging/pythons.sh FOLDER [stable|testing|lowest ...]
#
# stable, testing: the Python of that Debian, in a root FOLDER/SUITE made by root.sh, as an ordinary user, by "make test"
# (run as root; needs debootstrap). lowest: this machine's PYTHON, every direct dependency in its oldest version (needs
# uv). Without a word, all three. The output of each is in FOLDER/tests-WORD.log; prints its last line.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
shift
[ $# -gt 0 ] || set -- stable testing lowest
mkdir -p "$folder"
failed=0

PACKAGES="python3 python3-venv make git libgl1 libglib2.0-0 libturbojpeg0"

copy() { # the committed files, as a clone
    rm -rf "$1"
    git clone --quiet "$here/.." "$1"
}

in_root() {
    root=$folder/$1
    "$here/root.sh" make "$1" "$root"
    # A mirror's list of testing may be some days too old. That is no matter here.
    "$here/root.sh" run "$root" root sh -c "apt-get update -qq -o Acquire::Check-Valid-Until=false &&
        apt-get install -qq -y --no-install-recommends $PACKAGES"
    copy "$root/home/user/realtime-matte"
    "$here/root.sh" run "$root" root chown -R user:user /home/user/realtime-matte
    "$here/root.sh" run "$root" user sh -c "cd realtime-matte && python3 --version && make test"
}

lowest() {
    copy "$folder/lowest"
    cd "$folder/lowest"
    uv venv --quiet --python "${PYTHON:-python3}" .venv
    uv pip install --quiet --python .venv/bin/python --resolution lowest-direct --editable . --group test
    uv pip list --python .venv/bin/python
    .venv/bin/python -m pytest -rs
}

for word in "$@"; do
    log=$folder/tests-$word.log
    case "$word" in lowest) command=lowest ;; *) command="in_root $word" ;; esac
    set +e # as a condition, the command would go on after a failure
    (set -e; $command) > "$log" 2>&1
    code=$?
    set -e
    if [ $code = 0 ]; then state=passed; else state=failed failed=1; fi
    echo "$word: $state: $({ grep -E '[0-9]+ passed' "$log" || cat "$log"; } | tail -n 1)"
done
exit "$failed"
