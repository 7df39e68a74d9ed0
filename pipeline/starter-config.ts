/** What `edgestill init` writes. Every key with its default is in docs/config.md. */
export const starterConfig = `# Edgestill: one run from a teacher to a small int8 model.
# Paths are relative to this file. All keys: docs/config.md, or \`edgestill init --schema\` for your editor.
name: my-detector
seed: 1                        # the same seed gives the same models

data:
  train: data/train.json       # COCO .json, YOLO data.yaml, or a folder (YOLO, VOC)
  val: data/val.json           # labelled; epochs and float layers are chosen on it
  # test: data/test.json       # labelled; the reported mAP comes from it (default: from val)
  # images: data/images        # COCO: folder of the pictures, when it is not near the .json
  # classes: [car, truck]      # default: all classes of the training set
  # skipInvalid: true          # leave out broken pictures instead of stopping

input:
  size: [320, 320]             # width, height; multiples of 32

teacher:
  model: teacher.onnx          # any YOLOv5/v8/v11, YOLOX, DETR-like or boxes+scores detector that knows the classes
  # family: auto

student:
  arch: yolo                   # built from a spec; or {model: student.onnx}, or {from: teacher, macs: 0.5}
  width: 0.25
  depth: 0.33

distill:
  epochs: 40
  batch: 16
  alpha: 0.5                   # share of the teacher in the loss
  temperature: 1
  baseline: true               # also train without the teacher, to see what it brings

prune:
  macs: 0.6                    # keep 60 % of the MACs
  criterion: taylor
  recover: {epochs: 5}

quantize:
  method: mse
  images: 256
  scheme: both                 # one file for CPUs (ONNX Runtime), one for TensorRT
  maxDrop: 0.005               # mAP that int8 may lose

targets: [local]
gates: {mapDrop: 0.05}         # the run fails when the result is worse
`;
