#!/bin/sh
# Makes the virtual environment: python-environment.sh PYTHON FOLDER
# Debian's Python comes without venv; as root it is installed, elsewhere one line says what to type.
set -eu
python=$1
folder=$2

if ! command -v "$python" >/dev/null 2>&1; then
    echo "$python is not installed. Cordboard needs Python 3.11 or newer: apt-get install python3 python3-venv" >&2
    exit 3
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Cordboard needs Python 3.11 or newer; $python is $("$python" --version). Name another: make PYTHON=python3.11" >&2
    exit 3
fi
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    else
        echo "Python's venv module is missing: sudo apt-get install python3-venv" >&2
        exit 3
    fi
fi
echo "Setting up the Python environment in $folder ..."
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test,check]'
