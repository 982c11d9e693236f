#!/usr/bin/env bash
# Spark 4.2.0: on Kubernetes spark-submit ends with 0 however the driver ended, and gives its own Python away.
#
# Seen, of an application in cluster mode whose driver's container ends with 0, with 3 and with 137 (which is
# what becomes of one that has not enough memory): spark-submit waits for its end, tells `phase: Failed` and
# `exit code: 3` in its log, and ends with 0 each time. Of YARN it ends with 1 for everything but 0.
# And PYSPARK_PYTHON of the machine that submits becomes a variable of the driver's container, where it hides
# the image's own; on YARN the cluster's variable has a name of its own (`spark.yarn.appMasterEnv`).
# So: a scheduler takes a failed night for a good one, unless it reads spark-submit's log; and who submits from
# a virtual environment starts a driver whose interpreter is not there.
#
# Kubernetes' part is played by a server of the requests that spark-submit makes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME PYSPARK_DRIVER_PYTHON
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
cat >api.py <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

exit_code = int(sys.argv[1])
pod = {}


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        pod.update(self.sent())
        pod["metadata"] |= {"uid": "1", "resourceVersion": "1"}
        [container] = pod["spec"]["containers"]
        variables = {one["name"]: one.get("value") for one in container["env"]}
        with open("pod", "w") as seen:
            print("in the pod, PYSPARK_PYTHON is", variables.get("PYSPARK_PYTHON"), file=seen)
        self.answer(201, pod)

    def do_PATCH(self):
        self.answer(200, self.sent())

    def do_GET(self):
        state = {"terminated": {"exitCode": exit_code}}
        container = {"name": "spark-kubernetes-driver", "image": "i", "imageID": "i", "ready": False}
        container |= {"restartCount": 0, "state": state}
        phase = "Failed" if exit_code else "Succeeded"
        ended = pod | {"status": {"phase": phase, "containerStatuses": [container]}}
        watched = {"type": "MODIFIED", "object": ended}
        self.answer(200, watched if "watch=true" in self.path else ended)

    def sent(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, code, body):
        content = json.dumps(body).encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
    threading.Timer(120, server.shutdown).start()
    print(server.server_port, flush=True)
    server.serve_forever()
PYTHON
for code in 0 3 137; do
    python3 api.py "$code" >port &
    api=$!
    until [[ -s port ]]; do sleep 0.1; done
    submitted=0
    PYSPARK_PYTHON=$folder/venv/bin/python venv/bin/spark-submit --deploy-mode cluster \
        --master "k8s://http://127.0.0.1:$(<port)" --conf spark.kubernetes.container.image=i \
        local:///program.py 2>log || submitted=$?
    kill "$api"
    wait "$api" 2>/dev/null || true
    rm port
    echo "the log tells: $(grep -oE 'exit code: [0-9]+' log | tail -n 1); spark-submit ended with $submitted"
done | tee seen
sed "s#$folder#FOLDER#" pod | tee -a seen
diff - seen <<'SEEN'
the log tells: exit code: 0; spark-submit ended with 0
the log tells: exit code: 3; spark-submit ended with 0
the log tells: exit code: 137; spark-submit ended with 0
in the pod, PYSPARK_PYTHON is FOLDER/venv/bin/python
SEEN
