#!/bin/sh
# Prints the path of a Python interpreter: the first installed version of those in the arguments.
#
#   sh infra/find_python.sh 3.13 3.12
#
# Each candidate is executed, because being on the PATH is not enough: the shim of a version manager fails if its version
# is not active, and Debian's python3 cannot create virtual environments without the package python3-venv.
# The installation folders of pyenv, asdf, mise and uv are searched, too.

check='
import sys
import ensurepip, ssl, venv
sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1] or print(sys.executable))
'

for version in "$@"; do
    for candidate in "python$version" python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python3 \
        "${ASDF_DATA_DIR:-$HOME/.asdf}/installs/python/$version".*/bin/python3 \
        "${MISE_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/mise}/installs/python/$version".*/bin/python3 \
        "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}/cpython-$version".*/bin/python3; do
        "$candidate" -I -c "$check" "$version" 2>/dev/null && exit 0
    done
done
exit 1
