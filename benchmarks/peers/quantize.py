"""Peer of benchmarks/quantization: onnxruntime's own quantizer on the same model and pictures.

Standard input: {"model": path, "feeds": path of a float32 file, "shape": [pictures, 3, H, W], "input": name,
"method": "minmax" | "entropy" | "percentile", "ops": [...] or null for all, "keepFloat": [node names], "output": path}.
Answer: {"seconds": x, "peakBytes": n}. Q/DQ, symmetric, weights per channel. The model must be of opset 13 or later.
"""
import json
import resource
import sys
import time

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

job = json.load(sys.stdin)


class Reader(CalibrationDataReader):
    def __init__(self):
        self.pictures = np.memmap(job["feeds"], dtype=np.float32, mode="r", shape=tuple(job["shape"]))
        self.next = 0

    def get_next(self):
        if self.next == len(self.pictures):
            return None
        self.next += 1
        return {job["input"]: np.array(self.pictures[self.next - 1 : self.next])}


methods = {"minmax": CalibrationMethod.MinMax, "entropy": CalibrationMethod.Entropy, "percentile": CalibrationMethod.Percentile}
start = time.perf_counter()
quantize_static(
    job["model"], job["output"], Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
    activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, calibrate_method=methods[job["method"]],
    op_types_to_quantize=job["ops"], nodes_to_exclude=job["keepFloat"],
    extra_options={"ActivationSymmetric": True, "WeightSymmetric": True},
)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": time.perf_counter() - start, "peakBytes": peak}))
