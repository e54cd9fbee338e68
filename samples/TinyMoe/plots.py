"""Draws the pictures of the model card: `python3 plots.py LOG.jsonl EXPERTS.json DIRECTORY`."""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

INK, FIRST, SECOND = "#333333", "#1f5fa8", "#c8552b"


def draw_loss(lines, path):
    text = [line for line in lines if line["lesson"] == "text"]
    valid = [line for line in text if "valid" in line]
    copying = [line for line in lines if line["lesson"] == "copying"]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.8), gridspec_kw={"width_ratios": [1, 3]}, sharey=True)
    left.plot([line["step"] for line in copying], [line["loss"] for line in copying], color=FIRST)
    left.set(title="copying random tokens", xlabel="step", ylabel="loss (nats per token)")
    right.plot([line["tokens"] / 1e6 for line in text], [line["loss"] for line in text], color=FIRST, linewidth=0.8, label="training")
    right.plot([line["tokens"] / 1e6 for line in valid], [line["valid"] for line in valid], color=SECOND, marker="o", markersize=3, label="validation")
    right.set(title="text", xlabel="million tokens")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.set_yscale("log")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def draw_experts(kinds, path):
    layers = len(next(iter(kinds.values())))
    figure, grid = pyplot.subplots(1, len(kinds), figsize=(12, 2.9), sharey=True)
    for axes, (kind, shares) in zip(grid, kinds.items()):
        image = axes.imshow([[100 * share for share in layer] for layer in shares], cmap="magma", vmin=0, vmax=30, aspect="auto")
        axes.set(title=kind, xlabel="expert", xticks=range(0, len(shares[0]), 3), yticks=range(layers))
    grid[0].set_ylabel("layer")
    bar = figure.colorbar(image, ax=grid, fraction=0.02, pad=0.01)
    bar.set_label("% of choices")
    save(figure, path)


def save(figure, path):
    figure.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})


def main():
    log, experts, directory = map(pathlib.Path, sys.argv[1:])
    pyplot.rcParams.update({"font.size": 9, "axes.edgecolor": INK, "text.color": INK, "axes.labelcolor": INK})
    draw_loss([json.loads(line) for line in log.read_text().splitlines()], directory / "loss.png")
    draw_experts(json.loads(experts.read_text()), directory / "experts.png")


main()
