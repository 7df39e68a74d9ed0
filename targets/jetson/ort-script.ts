/**
 * The second runner: ONNX Runtime's TensorRT provider through Python, where a wheel with it is installed. Reads one JSON argument, prints one JSON
 * line. Timed runs come first, without profiling; a second session on the same engine cache then records which provider runs each node.
 * Needs Python 3.6 (JetPack 4), numpy and onnxruntime.
 */
export const ortScript = String.raw`
import json, os, sys, time
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the native library loads
import numpy as np
import onnxruntime as ort

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(bool)": np.bool_}

def session(job, profile):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = os.path.join(job["folder"], "profile")
    return ort.InferenceSession(job["model"], options, providers=[(name, given) if given else name for name, given in job["providers"]])

def feeds_of(sess, batch):
    feeds = {}
    for port in sess.get_inputs():
        shape = [size if isinstance(size, int) else batch for size in port.shape]
        count = int(np.prod(shape))
        feeds[port.name] = (np.arange(count) % 251 / 251.0).reshape(shape).astype(TYPES[port.type])
    return feeds

def timed(sess, feeds):
    start = time.perf_counter()
    sess.run(None, feeds)
    return 1000 * (time.perf_counter() - start)

def nodes_of(path):
    with open(path) as file:
        events = json.load(file)
    found = {}
    for event in events:
        if event.get("cat") == "Node" and event.get("name", "").endswith("_kernel_time"):
            args = event.get("args", {})
            found[event["name"][:-len("_kernel_time")]] = {"op": args.get("op_name", ""), "provider": args.get("provider", "")}
    return [dict(name=name, **about) for name, about in found.items()]

job = json.loads(sys.argv[1])
start = time.perf_counter()
sess = session(job, False)
feeds = feeds_of(sess, job["batch"])
sess.run(None, feeds)
load = time.perf_counter() - start

warmup, end = 0, time.perf_counter() + job["warmupSeconds"]
while time.perf_counter() < end or warmup < 5:
    sess.run(None, feeds)
    warmup += 1
latencies, end = [], time.perf_counter() + job["seconds"]
while len(latencies) < job["runs"] or time.perf_counter() < end:
    latencies.append(timed(sess, feeds))

profiled = session(job, True)
for _ in range(3):
    profiled.run(None, feeds)
path = profiled.end_profiling()
print(json.dumps({"version": ort.__version__, "providers": sess.get_providers(), "loadSeconds": load, "warmup": warmup, "latencyMs": latencies, "nodes": nodes_of(path)}))
os.remove(path)
`;
