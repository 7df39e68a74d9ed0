/** Where the rules are written down. */
export const sources = {
  explicit: "TensorRT documentation, Working with Quantized Types, Explicit Quantization: https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/work-quantized-types.html",
  operators: "ONNX-TensorRT, docs/operators.md: https://github.com/onnx/onnx-tensorrt/blob/main/docs/operators.md",
  opsets: "ONNX-TensorRT, docs/operators.md of each release (8.2, 8.5, 10.1, 10.15), and https://docs.nvidia.com/deeplearning/tensorrt/latest/reference/onnx-opset-guide.html",
  importer: "ONNX-TensorRT, onnxOpImporters.cpp (10.1), QuantizeLinear and DequantizeLinear: https://github.com/onnx/onnx-tensorrt",
  bias: "ONNX-TensorRT issue 850, ONNX Runtime issues 14229 and 17738: an int32 bias behind DequantizeLinear is refused",
  placement: "NVIDIA TensorRT Model Optimizer, modelopt/onnx/quantization (int8.py, graph_utils.py): https://github.com/NVIDIA/TensorRT-Model-Optimizer",
  typing: "TensorRT 10 to 11 migration guide, trtexec: precision flags are gone, networks are strongly typed: https://docs.nvidia.com/deeplearning/tensorrt/latest/api/migration/tensorrt-10x-to-11x-trtexec.html",
  formats: "TensorRT documentation, I/O formats: int8 kernels work on vectors of 4, 16 or 32 channels; Model Optimizer asks for multiples of 8",
  shapes: "TensorRT documentation, Working with Dynamic Shapes: https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/work-dynamic-shapes.html",
  dla: "TensorRT documentation, DLA Supported Layers and Restrictions: https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/dla-layer-restrictions.html; NVIDIA/Deep-Learning-Accelerator-SW, operators",
  profile: "NVIDIA/TensorRT, samples/common/sampleReporting.cpp: layer names are written to JSON without escapes",
} as const;
