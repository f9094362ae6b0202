#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Trains the digits model that sealgate embeds.

Writes, beside this script:

- ``digits.json``: the network (64 pixels, one hidden layer with ReLU, 10 classes with softmax), the
  accuracy it reaches on images it never saw, and the versions it was trained with;
- ``digits_test.json``: those held-out images with their labels.

The images are scikit-learn's copy of the test part of "Optical Recognition of Handwritten Digits"
(E. Alpaydin, C. Kaynak; UCI Machine Learning Repository, doi:10.24432/C50P49), licensed CC BY 4.0.
Each is 8 by 8 pixels, row by row from the top left, with whole intensities from 0 (paper) to 16 (ink).

    python3 -m venv /tmp/digits && /tmp/digits/bin/pip install -r requirements.txt
    /tmp/digits/bin/python train_digits.py
"""

import json
import platform
from pathlib import Path

import numpy
import sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEED = 8446
HELD_OUT_FRACTION = 0.2
HIDDEN_WIDTH = 48
MAX_INTENSITY = 16
SIGNIFICANT_DIGITS = 5
ACCURACY_FLOOR = 0.975

DATASET = {
    "title": "Optical Recognition of Handwritten Digits",
    "authors": "E. Alpaydin, C. Kaynak",
    "source": "UCI Machine Learning Repository, doi:10.24432/C50P49, as packed in scikit-learn",
    "licence": "CC BY 4.0",
}


def train(pixels, labels):
    """Fits the network on intensities scaled to 0..1.

    It trains for a fixed number of epochs, so scikit-learn's ConvergenceWarning is to be expected.
    """
    network = MLPClassifier(
        hidden_layer_sizes=(HIDDEN_WIDTH,),
        activation="relu",
        solver="adam",
        alpha=1e-3,
        batch_size=32,
        learning_rate_init=2e-3,
        max_iter=150,
        tol=0.0,
        n_iter_no_change=150,
        random_state=SEED,
    )
    return network.fit(pixels / MAX_INTENSITY, labels)


def short(values):
    """The values as they are written: float32 with few digits."""
    return [float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in numpy.float32(values).ravel()]


def dense(name, weights, bias):
    """One dense layer; weights go from [inputs][outputs] to one row of inputs per output."""
    inputs, outputs = weights.shape
    return {
        "op": "dense",
        "name": name,
        "inputs": inputs,
        "outputs": outputs,
        "weights": short(weights.T),
        "bias": short(bias),
    }


def layers_of(network):
    """The trained network as the list of layers that the executor runs."""
    (hidden, output), (hidden_bias, output_bias) = network.coefs_, network.intercepts_
    return [
        {"op": "scale", "factor": 1 / MAX_INTENSITY},
        dense("hidden", hidden, hidden_bias),
        {"op": "relu"},
        dense("output", output, output_bias),
        {"op": "softmax"},
    ]


def classify(layers, pixels):
    """Runs the layers as written, in float32: what is stated is what is shipped."""
    values = numpy.float32(pixels)
    for layer in layers:
        match layer["op"]:
            case "scale":
                values = values * numpy.float32(layer["factor"])
            case "dense":
                shape = (layer["outputs"], layer["inputs"])
                weights = numpy.float32(layer["weights"]).reshape(shape)
                values = values @ weights.T + numpy.float32(layer["bias"])
            case "relu":
                values = numpy.maximum(values, 0)
    return values.argmax(axis=1)


def main():
    pixels, labels = load_digits(return_X_y=True)
    seen, held_out, seen_labels, held_out_labels = train_test_split(
        pixels, labels, test_size=HELD_OUT_FRACTION, random_state=SEED, stratify=labels
    )
    layers = layers_of(train(seen, seen_labels))
    correct = int((classify(layers, held_out) == held_out_labels).sum())
    accuracy = correct / len(held_out_labels)
    print(f"held-out accuracy {accuracy:.4f} ({correct} of {len(held_out_labels)})")
    if accuracy < ACCURACY_FLOOR:
        raise SystemExit(f"below {ACCURACY_FLOOR}: nothing written")

    folder = Path(__file__).parent
    model = {
        "name": "digits",
        "dataset": DATASET,
        "trained_with": {
            "python": platform.python_version(),
            "numpy": numpy.__version__,
            "scikit-learn": sklearn.__version__,
            "seed": SEED,
            "images": len(seen_labels),
        },
        "held_out": {
            "images": len(held_out_labels),
            "correct": correct,
            "accuracy": round(accuracy, 6),
        },
        "input": {"width": pixels.shape[1], "minimum": 0, "maximum": MAX_INTENSITY},
        "output": {"width": 10},
        "layers": layers,
    }
    test = {
        "dataset": DATASET,
        "labels": held_out_labels.tolist(),
        "images": held_out.astype(int).tolist(),
    }
    for name, content in (("digits.json", model), ("digits_test.json", test)):
        text = json.dumps(content, separators=(",", ":"))
        (folder / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
