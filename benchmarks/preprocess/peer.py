"""peer.py <width> <height> <picture.rgb> <output.bin> <frames>: OpenCV on one thread for the same work.

Milliseconds of a core for each frame's resize + pad + normalise (resize, copyMakeBorder, blobFromImage) and for its decoding with cv2.dnn.NMSBoxesBatched.
The first line says whether the tensor equals resize + pad + exact division, which is what the contract says.
"""
import sys
import time

import cv2
import numpy

width, height, frames = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[5])
W, H = 640, 384
cv2.setNumThreads(1)
picture = numpy.fromfile(sys.argv[3], numpy.uint8).reshape(height, width, 3)
output = numpy.fromfile(sys.argv[4], numpy.float32).reshape(9, -1)
ratio = min(W / width, H / height)
new_w, new_h = round(width * ratio), round(height * ratio)
left, top = round((W - new_w) / 2 - 0.1), round((H - new_h) / 2 - 0.1)


def preprocess():
    resized = cv2.resize(picture, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
    padded = cv2.copyMakeBorder(resized, top, H - new_h - top, left, W - new_w - left, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    return padded, cv2.dnn.blobFromImage(padded, 1 / 255)


def postprocess():
    scores = output[4:]
    classes = scores.argmax(0)
    best = scores[classes, numpy.arange(scores.shape[1])]
    kept = numpy.flatnonzero(best > 0.25)
    cx, cy, w, h = output[:4, kept]
    boxes = numpy.stack([cx - w / 2, cy - h / 2, w, h], 1)
    chosen = cv2.dnn.NMSBoxesBatched(boxes.tolist(), best[kept].tolist(), classes[kept].tolist(), 0.25, 0.45)
    return boxes[chosen]


padded, blob = preprocess()
exact = (padded.astype(numpy.float64) / 255).astype(numpy.float32).transpose(2, 0, 1)
print(cv2.__version__, int((blob[0] == exact).all()), float(numpy.abs(blob[0] - exact).max()))
for frame in range(-3, frames):
    start = time.thread_time()
    preprocess()
    between = time.thread_time()
    found = postprocess()
    end = time.thread_time()
    if frame >= 0:
        print(f"{(between - start) * 1e3:.4f} {(end - between) * 1e3:.4f} {len(found)}")
