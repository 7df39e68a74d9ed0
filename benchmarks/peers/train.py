"""PyTorch peer of benchmarks/training: trains the net that the first line of standard input describes.

First line: {"layers": [...], "outputs": [...], "input": [N, 3, H, W], "threads": n, "layout": "default" | "channels_last"}.
Each further line is a number of steps; the answer is {"seconds": [...], "loss": x, "peakBytes": n}.
"""
import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    """Runs a list of ONNX-like layers in order."""

    def __init__(self, layers, outputs):
        super().__init__()
        self.layers, self.outputs = layers, outputs
        self.parts = nn.ModuleDict()
        for index, layer in enumerate(layers):
            part = self.make(layer)
            if part is not None:
                self.parts[str(index)] = part

    @staticmethod
    def make(layer):
        a = layer["attributes"]
        if layer["op"] == "Conv":
            m, c, *kernel = layer["parameters"][0]
            group = a.get("group", 1)
            return nn.Conv2d(c * group, m, kernel, a["strides"], a["pads"][:2], a["dilations"], group, bias=a["bias"])
        if layer["op"] == "BatchNormalization":
            return nn.BatchNorm2d(layer["parameters"][0][0], eps=a["epsilon"], momentum=0.03)
        return None

    def forward(self, x):
        values = {"images": x}
        for index, layer in enumerate(self.layers):
            inputs = [values[name] for name in layer["inputs"]]
            result = self.run(index, layer, inputs)
            values.update(zip(layer["outputs"], result if isinstance(result, (tuple, list)) else [result]))
        return [values[name] for name in self.outputs]

    def run(self, index, layer, x):
        a = layer["attributes"]
        match layer["op"]:
            case "Conv" | "BatchNormalization": return self.parts[str(index)](x[0])
            case "SiLU": return F.silu(x[0])
            case "Relu": return F.relu(x[0])
            case "Add": return x[0] + x[1]
            case "Concat": return torch.cat(x, a["axis"])
            case "Split": return torch.split(x[0], [int(n) for n in a["split"]], a["axis"])
            case "MaxPool": return F.max_pool2d(x[0], a["kernel_shape"], a["strides"], a["pads"][:2])
            case "Resize": return F.interpolate(x[0], scale_factor=2, mode="nearest")
        raise ValueError(layer["op"])


def main():
    setup = json.loads(sys.stdin.readline())
    torch.set_num_threads(setup["threads"])
    torch.manual_seed(0)
    layout = torch.channels_last if setup["layout"] == "channels_last" else torch.contiguous_format
    net = Net(setup["layers"], setup["outputs"]).train().to(memory_format=layout)
    images = torch.rand(setup["input"]).to(memory_format=layout)
    optimizer = torch.optim.SGD(net.parameters(), 1e-4, momentum=0.9, nesterov=True, weight_decay=5e-4, foreach=True)
    print(json.dumps({"torch": torch.__version__, "parameters": sum(p.numel() for p in net.parameters())}), flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            loss = sum((y * y).mean() for y in net(images))
            loss.backward()
            optimizer.step()
            value = loss.item()
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"seconds": seconds, "loss": value, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)


main()
