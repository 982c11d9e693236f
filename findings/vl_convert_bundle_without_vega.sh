#!/usr/bin/env bash
# vl-convert-python 1.9.0.post1: in the scripts of javascript_bundle(), `vega` and `vegaLite` are null.
#
# Seen: a bundle that only says `window.vega = vega;` ends by giving the page null, and so does the
# default one; `vegaEmbed` is a function, and has both as vegaEmbed.vega and vegaEmbed.vegaLite. (Vega 6
# has no default export, which is what the names are imported by.) So: bundle vegaEmbed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check vl-convert-python==1.9.0.post1
cat >one.py <<'PYTHON'
import re

import vl_convert

for name in ("vega", "vegaLite", "vegaEmbed"):
    code = vl_convert.javascript_bundle(f"window.given = {name};")
    [given] = re.findall(r"window\.given=([\w$]+);", code)
    is_null = re.search(rf"(?:const |[,;]){re.escape(given)}=null[,;]", code) is not None
    print(f"{name}: {'null' if is_null else 'something'}")
PYTHON
env/bin/python one.py | tee seen
diff seen - <<'SEEN'
vega: null
vegaLite: null
vegaEmbed: something
SEEN
