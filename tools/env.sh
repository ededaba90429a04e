# Sourced by tools/demo and tools/test: a virtual environment with this checkout in it. Needs Python 3.11-3.13 and nothing else.
# KBUILD_VENV names its folder (default .venv), KBUILD_PYTHON the interpreter to make it with.

python_for_kbuild() {
    for candidate in ${KBUILD_PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null </dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    printf 'kbuild needs Python 3.11, 3.12 or 3.13, and finds none of them. Install one, or name one: KBUILD_PYTHON=... %s\n' "$0" >&2
    return 1
}

# environment EXTRAS: makes or brings up to date the environment, with `.[EXTRAS]` installed; afterwards $VENV is its folder.
environment() {
    VENV=${KBUILD_VENV:-$ROOT/.venv}
    local wanted stamp=$VENV/.kbuild-installed have= extras=$1
    [ -f "$stamp" ] && have=$(sed -n 2p "$stamp")
    # what was installed for the tests serves the demo too
    case ",$have," in *",$extras,"*) ;; *) [ -z "$extras" ] && extras=$have ;; esac
    wanted=$(cksum <"$ROOT/setup.py")
    if [ -x "$VENV/bin/python" ] && [ -f "$stamp" ] && [ "$(sed -n 1p "$stamp")" = "$wanted" ] && [ "$have" = "$extras" ]; then
        return
    fi
    if ! [ -x "$VENV/bin/python" ]; then
        local python
        python=$(python_for_kbuild) || return
        printf 'making %s with %s\n' "$VENV" "$("$python" --version)"
        "$python" -m venv "$VENV" || return
    fi
    printf 'installing kbuild and what it needs (TensorFlow is large: some minutes the first time)\n'
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --editable "$ROOT${extras:+[$extras]}" </dev/null || return
    printf '%s\n%s\n' "$wanted" "$extras" >"$stamp"
}
