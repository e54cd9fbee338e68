"""Draws the pictures of the model card: `python3 plots.py LOG.jsonl EXPERTS.json DIRECTORY`."""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

INK, FIRST, SECOND, THIRD = "#333333", "#1f5fa8", "#c8552b", "#3f8f4f"


def draw_loss(lines, path):
    figure, (left, *others) = pyplot.subplots(1, 3, figsize=(11, 3.8), gridspec_kw={"width_ratios": [1, 2, 1]}, sharey=True)
    for name, color in (("repeating", FIRST), ("looking up", SECOND)):
        lesson = [line for line in lines if line["lesson"] == name]
        left.plot([line["step"] for line in lesson], [line["loss"] for line in lesson], color=color, label=name)
    left.set(title="lessons on random tokens", xlabel="step", ylabel="loss (nats per token)")
    for axes, name in zip(others, ("text", "worked sums")):
        text = [line for line in lines if line["lesson"] == name]
        valid = [line for line in text if "valid" in line]
        million = lambda chosen: [line["tokens"] / 1e6 for line in chosen]
        axes.plot(million(text), [line["loss"] for line in text], color=FIRST, linewidth=0.8, label="training")
        axes.plot(million(valid), [line["valid"] for line in valid], color=SECOND, marker="o", markersize=3, label="validation")
        axes.plot(million(valid), [line["valid_answers"] for line in valid], color=THIRD, marker="o", markersize=3, label="its answers")
        axes.set(title=name, xlabel="million tokens")
    for axes in (left, *others):
        axes.set_yscale("log")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
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
