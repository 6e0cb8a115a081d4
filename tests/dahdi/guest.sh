#!/bin/bash
# usage, in the virtual machine: guest.sh PYTHON [PYTEST ARGUMENT...]
set -eu
python=$1
shift
cd "$(dirname "$(readlink -f "$0")")"
export PYDANTIC_DISABLE_PLUGINS=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 OPENBLAS_NUM_THREADS=1
exec "$python" -m pytest -q -p rig.dahdi_machine --junitxml="$OUT/results.xml" -o timeout=0 "$@"
