"""Trains the tiny MoE: `python3 train.py DIRECTORY [--device cuda] [--steps N]`.

Reads from the directory what `TinyMoe prepare` wrote: shape.json and the packed tokens of train.bin and valid.bin (uint16, windows of
`context` tokens, the highest bit set in answers). Writes log.jsonl and, every now and then, the weights: one file of float32 a tensor, named as in a GGUF file.
The architecture is qwen3moe's: RMSNorm, grouped-query attention with normed queries and keys, NeoX RoPE, SiLU-gated experts of which the
router's best are weighted by their renormed probabilities (Qwen3 technical report, arXiv:2505.09388).
"""
import argparse
import json
import math
import pathlib
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

BLOCK = 128
COPY_LENGTH = 32
COPY_BATCH = 16
COPY_LESSONS = ((160, 64), (100, 512), (140, None))  # steps, and how many of the tokens; None: all


class Norm(nn.Module):
    def __init__(self, size, epsilon, gain=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.full((size,), gain))
        self.epsilon = epsilon

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def matrix(*shape, fan_in, scale=1.0):
    return nn.Parameter(torch.randn(*shape) * (scale * fan_in ** -0.5))


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.heads, self.groups, self.size = shape["heads"], shape["keyValueHeads"], shape["headLength"]
        width = shape["width"]
        self.q = matrix(self.heads * self.size, width, fan_in=width)
        self.k = matrix(self.groups * self.size, width, fan_in=width)
        self.v = matrix(self.groups * self.size, width, fan_in=width)
        self.o = matrix(width, self.heads * self.size, fan_in=self.heads * self.size, scale=(2 * shape["layers"]) ** -0.5)
        # Normed queries and keys bound the scores; with a gain of 1 no head can look at one place only until the gain has grown.
        self.q_norm = Norm(self.size, shape["epsilon"], gain=1.5)
        self.k_norm = Norm(self.size, shape["epsilon"], gain=1.5)

    def rotate(self, x, cosine, sine):
        first, second = x.chunk(2, -1)
        return torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1)

    def forward(self, x, cosine, sine, mask):
        batch, length, _ = x.shape
        split = lambda y, heads: y.view(batch, length, heads, self.size).transpose(1, 2)
        q = self.rotate(self.q_norm(split(functional.linear(x, self.q), self.heads)), cosine, sine)
        k = self.rotate(self.k_norm(split(functional.linear(x, self.k), self.groups)), cosine, sine)
        v = split(functional.linear(x, self.v), self.groups)
        repeat = self.heads // self.groups
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        q, k = q * self.size ** -0.5, k.transpose(-2, -1)
        blocks = []
        for start in range(0, length, BLOCK):
            # Only what a block of queries may look at is computed.
            end = min(start + BLOCK, length)
            scores = torch.matmul(q[:, :, start:end], k[..., :end]) + mask[start:end, :end]
            blocks.append(torch.matmul(scores.softmax(-1), v[:, :, :end]))
        return functional.linear(torch.cat(blocks, 2).transpose(1, 2).reshape(batch, length, -1), self.o)


class Experts(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.count, self.used = shape["experts"], shape["expertsUsed"]
        width, hidden = shape["width"], shape["expertLength"]
        self.router = matrix(self.count, width, fan_in=width)
        self.gate_up = matrix(self.count, 2 * hidden, width, fan_in=width)
        self.down = matrix(self.count, width, hidden, fan_in=hidden, scale=(2 * shape["layers"]) ** -0.5)

    def forward(self, x):
        rows = x.reshape(-1, x.shape[-1])
        probabilities = functional.linear(rows, self.router).softmax(-1)
        weights, chosen = probabilities.topk(self.used, -1)
        weights = weights / weights.sum(-1, keepdim=True)

        # Each expert computes the tokens that chose it, as many as they are.
        order = chosen.flatten().argsort(stable=True)
        counts = torch.bincount(chosen.flatten(), minlength=self.count)
        tokens = torch.div(order, self.used, rounding_mode="floor")
        outputs = []
        for expert, part in enumerate(rows[tokens].split(counts.tolist())):
            gate, up = functional.linear(part, self.gate_up[expert]).chunk(2, -1)
            outputs.append(functional.linear(functional.silu(gate) * up, self.down[expert]))
        y = torch.zeros_like(rows).index_add(0, tokens, torch.cat(outputs) * weights.flatten()[order].unsqueeze(-1))

        # Switch Transformers' load-balancing loss (arXiv:2101.03961): 1 where all experts are used alike.
        share = counts.float() / counts.sum()
        return y.view_as(x), self.count * (share * probabilities.mean(0)).sum(), share


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.attention_norm = Norm(shape["width"], shape["epsilon"])
        self.attention = Attention(shape)
        self.expert_norm = Norm(shape["width"], shape["epsilon"])
        self.experts = Experts(shape)

    def forward(self, x, cosine, sine, mask):
        x = x + self.attention(self.attention_norm(x), cosine, sine, mask)
        y, balance, share = self.experts(self.expert_norm(x))
        return x + y, balance, share


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        # As large as what the layers add, so that a token can still be told, and copied, behind all of them.
        self.embedding = nn.Parameter(torch.randn(shape["vocabulary"], shape["width"]) * 0.5)
        self.output = matrix(shape["vocabulary"], shape["width"], fan_in=shape["width"], scale=0.5)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape["layers"]))
        self.norm = Norm(shape["width"], shape["epsilon"])
        length, size = shape["context"], shape["headLength"]
        angles = torch.outer(torch.arange(length), shape["ropeBase"] ** (-torch.arange(0, size, 2) / size))
        self.register_buffer("cosine", angles.cos())
        self.register_buffer("sine", angles.sin())
        self.register_buffer("mask", torch.full((length, length), -math.inf).triu(1))

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.embedding[tokens]
        balances, shares = [], []
        for layer in self.layers:
            x, balance, share = layer(x, self.cosine[:length], self.sine[:length], self.mask[:length, :length])
            balances.append(balance)
            shares.append(share)
        return functional.linear(self.norm(x), self.output), torch.stack(balances).mean(), torch.stack(shares)

    def tensors(self):
        yield "token_embd.weight", self.embedding
        yield "output_norm.weight", self.norm.weight
        yield "output.weight", self.output
        for i, layer in enumerate(self.layers):
            attention, experts = layer.attention, layer.experts
            gate, up = experts.gate_up.chunk(2, 1)
            for name, tensor in (
                ("attn_norm", layer.attention_norm.weight), ("attn_q", attention.q), ("attn_k", attention.k), ("attn_v", attention.v),
                ("attn_output", attention.o), ("attn_q_norm", attention.q_norm.weight), ("attn_k_norm", attention.k_norm.weight),
                ("ffn_norm", layer.expert_norm.weight), ("ffn_gate_inp", experts.router), ("ffn_gate_exps", gate),
                ("ffn_up_exps", up), ("ffn_down_exps", experts.down)):
                yield f"blk.{i}.{name}.weight", tensor


def losses(model, tokens, targets, weights):
    logits, balance, shares = model(tokens)
    each = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (each * weights.flatten()).sum() / weights.sum(), balance, shares


def lessons(batch, end, answer_weight):
    """Tokens of windows, what follows each, and how much that counts: most words of a story could be others, of an answer none."""
    tokens, answers = batch & 0x7FFF, batch[:, 1:] >> 15
    tokens, targets = tokens[:, :-1], tokens[:, 1:]
    weights = 1.0 + (answer_weight - 1) * answers
    return tokens, targets, weights.masked_fill((targets == end) & (tokens == end), 0)  # what fills a window up teaches nothing


def copies(count, vocabulary):
    """Random tokens twice over, of which the second time all but the first can be told."""
    half = torch.randint(0, vocabulary, (count, COPY_LENGTH))
    batch = torch.cat((half, half), 1)
    weights = torch.zeros(batch[:, 1:].shape)
    weights[:, COPY_LENGTH:] = 1
    return batch[:, :-1], batch[:, 1:], weights


def windows(path, shape):
    return torch.from_numpy(numpy.fromfile(path, dtype=numpy.uint16).astype(numpy.int64)).view(-1, shape["context"])


def save(model, directory):
    directory.mkdir(exist_ok=True)
    for name, tensor in model.tensors():
        tensor.detach().float().cpu().numpy().tofile(directory / f"{name}.f32")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--epochs", type=float, default=1.1)
    parser.add_argument("--batch", type=int, default=8, help="windows a step")
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--answers", type=float, default=5, help="how many times a token of an answer counts")
    parser.add_argument("--balance", type=float, default=0.01)
    arguments = parser.parse_args()

    torch.manual_seed(1)
    shape = json.loads((arguments.directory / "shape.json").read_text())
    train, valid = windows(arguments.directory / "train.bin", shape), windows(arguments.directory / "valid.bin", shape)
    model = Model(shape).to(arguments.device)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}], lr=arguments.rate, betas=(0.9, 0.95))
    end = shape["end"]

    def learn(batch, rate):
        loss, balance, shares = losses(model, *(part.to(arguments.device) for part in batch))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        (loss + arguments.balance * balance).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"rate": round(rate, 6), "loss": round(loss.item(), 4), "balance": round(balance.item(), 4), "least_used": round(shares.min().item(), 4)}

    start = time.monotonic()
    with open(arguments.directory / "log.jsonl", "w") as log:
        def write(line):
            log.write(json.dumps(line) + "\n")
            log.flush()
            print(line, flush=True)

        # To answer from a story is to copy from it. The attention for that comes late from text, where it is rarely needed, and soon
        # from this, first with few tokens and then with all (induction heads: arXiv:2209.11895).
        step = 0
        for count, vocabulary in COPY_LESSONS:
            for _ in range(count):
                line = learn(copies(COPY_BATCH, vocabulary or shape["vocabulary"]), arguments.rate * min(1, (step + 1) / 50))
                if step % 20 == 0:
                    write({"lesson": "copying", "step": step, "seconds": round(time.monotonic() - start, 1), **line})
                step += 1

        steps = int(arguments.epochs * len(train) / arguments.batch)
        order = torch.empty(0, dtype=torch.int64)
        for step in range(steps):
            if len(order) < arguments.batch:
                order = torch.cat((order, torch.randperm(len(train))))
            batch, order = train[order[:arguments.batch]], order[arguments.batch:]
            rate = arguments.rate * min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
            line = learn(lessons(batch, end, arguments.answers), rate)
            is_last = step == steps - 1
            if step % 200 == 0 or is_last:
                with torch.no_grad():
                    for name, weight in (("valid", 1), ("valid_answers", 1e6)):
                        parts = [losses(model, *(part.to(arguments.device) for part in lessons(rows, end, weight)))[0].item() for rows in valid.split(8)]
                        line[name] = round(numpy.mean(parts), 4)
                save(model, arguments.directory / "weights")
            if step % 10 == 0 or is_last:
                write({"lesson": "text", "step": step, "steps": steps, "tokens": (step + 1) * batch.numel(),
                       "seconds": round(time.monotonic() - start, 1), **line})


main()
