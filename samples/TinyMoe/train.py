"""Trains the tiny MoE: `python3 train.py DIRECTORY [--device cuda]`.

Reads from the directory what `TinyMoe prepare` wrote: shape.json and the packed tokens of two corpora, train.bin and valid.bin, and
worked-train.bin and worked-valid.bin (uint16, windows of `context` tokens, the highest bit set in answers). Writes log.jsonl and, every
now and then, the weights: one file of float32 a tensor, named as in a GGUF file.
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
LOOK_BACK = (1, 2, 1, 2, 1, 3, 1, 4)
LESSON_LENGTH = 96
LESSON_BATCH = 16
REPEATING = ((160, 64, 24), (60, 512, 40), (80, None, 40))  # steps, how many of the tokens (None: all), the longest period
LOOKING_UP = ((240, False), (200, True))  # steps, and whether values may stand before what they belong to
WARM_UP = 50
LOG_EVERY = 20
VALIDATE_EVERY = 400


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
            scores = torch.matmul(q[:, :, start:end], k[..., :end]) + mask[..., start:end, :end]
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
        self.look_back()

    def forward(self, tokens):
        length = tokens.shape[1]
        # A document sees nothing of those before it in its window, as it is when the model is used.
        ends = tokens == self.shape["end"]
        document = ends.cumsum(1) - ends.long()
        mask = self.mask[:length, :length].masked_fill((document.unsqueeze(2) != document.unsqueeze(1)).unsqueeze(1), -math.inf)
        x = self.embedding[tokens]
        balances, shares = [], []
        for layer in self.layers:
            x, balance, share = layer(x, self.cosine[:length], self.sine[:length], mask)
            balances.append(balance)
            shares.append(share)
        return functional.linear(self.norm(x), self.output), torch.stack(balances).mean(), torch.stack(shares)

    def look_back(self):
        """Has each head of the first layer begin by looking a few tokens back, all the same what they are.

        What stood before a token is what all looking up starts with, and is found only late by chance. A part of the embedding that all
        tokens share is what queries and keys are made of; of RoPE's angles, the steepest tell neighbors apart.
        """
        attention, angles = self.layers[0].attention, 4
        half = attention.size // 2
        with torch.no_grad():
            self.embedding[:, 0] = 2
            attention.q.zero_()
            attention.k.zero_()
            q, k = (x.view(-1, attention.size, x.shape[1])[:, :, 0] for x in (attention.q, attention.k))
            k[:, :angles] = 1
            for head, tokens in enumerate(LOOK_BACK[:attention.heads]):
                q[head, :angles] = self.cosine[tokens, :angles]
                q[head, half:half + angles] = -self.sine[tokens, :angles]

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


def repeating(count, vocabulary, longest):
    """Random tokens over and over, each row with a period of its own, so that only what stood before tells what follows."""
    rows = []
    for period in torch.randint(3, longest + 1, (count,)).tolist():
        row = torch.randint(0, vocabulary, (period,)).repeat(LESSON_LENGTH // period + 2)[:LESSON_LENGTH + 1]
        rows.append((row, torch.arange(1, LESSON_LENGTH + 1) > period))
    batch, weights = (torch.stack(part) for part in zip(*rows))
    return batch[:, :-1], batch[:, 1:], weights.float()


def looking_up(count, vocabulary, either):
    """Random tokens that say of some keys what belongs to each, two tokens behind or before it, and then say it again, key first."""
    rows = []
    for _ in range(count):
        article, *tokens = torch.randperm(vocabulary)[:40].tolist()
        links, others, records = tokens[:3], tokens[3:12], list(zip(*[iter(tokens[12:])] * 3))[:int(torch.randint(3, 8, ()))]
        row = []
        for key, first, second in records:
            link, gap = links[int(torch.randint(3, ()))], others[:int(torch.randint(3, ()))]
            row += ([article, first, second, link, key] if either and torch.rand(()) < 0.5 else [key, link, article, first, second]) + gap
        answers = [0] * len(row)
        while len(row) <= LESSON_LENGTH:
            key, first, second = records[int(torch.randint(len(records), ()))]
            row += [key, links[int(torch.randint(3, ()))], article, first, second]
            answers += [0, 0, 0, 1, 1]
        rows.append((torch.tensor(row[:LESSON_LENGTH + 1]), torch.tensor(answers[1:LESSON_LENGTH + 1])))
    batch, weights = (torch.stack(part) for part in zip(*rows))
    return batch[:, :-1], batch[:, 1:], weights.float()


def windows(path, shape):
    return torch.from_numpy(numpy.fromfile(path, dtype=numpy.uint16).astype(numpy.int64)).view(-1, shape["context"])


def save(model, directory):
    directory.mkdir(exist_ok=True)
    for name, tensor in model.tensors():
        tensor.detach().float().cpu().numpy().tofile(directory / f"{name}.f32")


class Trainer:
    def __init__(self, model, arguments, log):
        self.model, self.arguments, self.log = model, arguments, log
        self.start = time.monotonic()
        self.restart()

    def restart(self):
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}], betas=(0.9, 0.98))

    def write(self, lesson, step, line):
        line = {"lesson": lesson, "step": step, "seconds": round(time.monotonic() - self.start, 1), **line}
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()
        print(line, flush=True)

    def learn(self, batch, rate):
        loss, balance, shares = losses(self.model, *(part.to(self.arguments.device) for part in batch))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        (loss + self.arguments.balance * balance).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return {"rate": round(rate, 6), "loss": round(loss.item(), 4), "balance": round(balance.item(), 4), "least_used": round(shares.min().item(), 4)}

    def learn_to_look_up(self):
        """To answer from a story is to look up what it says, and to copy that.

        The attention for it comes late from text, where it is rarely needed, and soon from this, first with few tokens and then with all
        (induction heads: arXiv:2209.11895).
        """
        end = self.model.shape["end"]
        parts = [("repeating", count, lambda v=vocabulary, p=longest: repeating(LESSON_BATCH, v or end, p)) for count, vocabulary, longest in REPEATING]
        parts += [("looking up", count, lambda e=either: looking_up(LESSON_BATCH, end, e)) for count, either in LOOKING_UP]
        step = 0
        for name, count, make in parts:
            for _ in range(count):
                line = self.learn(make(), self.arguments.rate * min(1, (step + 1) / WARM_UP))
                if step % LOG_EVERY == 0:
                    self.write(name, step, line)
                step += 1

    def validate(self, valid):
        end, line = self.model.shape["end"], {}
        with torch.no_grad():
            for name, weight in (("valid", 1), ("valid_answers", 1e6)):
                parts = [losses(self.model, *(part.to(self.arguments.device) for part in lessons(rows, end, weight)))[0].item() for rows in valid.split(8)]
                line[name] = round(numpy.mean(parts), 4)
        return line

    def read(self, name, prefix, epochs, peak, enough=0.0):
        """Learns from a corpus, at a rate that falls as a cosine, until the loss of answers of validation text is enough."""
        shape, directory, count = self.model.shape, self.arguments.directory, self.arguments.batch
        train, valid = (windows(directory / f"{prefix}{part}.bin", shape) for part in ("train", "valid"))
        steps = int(epochs * len(train) / count)
        order = torch.empty(0, dtype=torch.int64)
        for step in range(steps):
            if len(order) < count:
                order = torch.cat((order, torch.randperm(len(train))))
            batch, order = train[order[:count]], order[count:]
            rate = peak * min(1, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
            line = self.learn(lessons(batch, shape["end"], self.arguments.answers), rate)
            is_last = step == steps - 1
            if step % VALIDATE_EVERY == 0 or is_last:
                line |= self.validate(valid)
                save(self.model, directory / "weights")
                is_last |= line["valid_answers"] < enough
            if step % LOG_EVERY == 0 or is_last:
                self.write(name, step, {"steps": steps, "tokens": (step + 1) * batch.numel(), **line})
            if is_last:
                break


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--epochs", type=float, default=1.8, help="of the first corpus, at most")
    parser.add_argument("--enough", type=float, default=0.042, help="loss of answers that ends the first corpus")
    parser.add_argument("--batch", type=int, default=4, help="windows a step")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--answers", type=float, default=2, help="how many times a token of an answer counts")
    parser.add_argument("--balance", type=float, default=0.01)
    arguments = parser.parse_args()

    torch.manual_seed(1)
    model = Model(json.loads((arguments.directory / "shape.json").read_text())).to(arguments.device)
    with open(arguments.directory / "log.jsonl", "w") as log:
        trainer = Trainer(model, arguments, log)
        trainer.learn_to_look_up()
        trainer.read("text", "", arguments.epochs, arguments.rate, arguments.enough)

        # Sums known by heart go no further than those that were told; with the way to the answer they do.
        torch.manual_seed(2)
        trainer.restart()
        trainer.read("worked sums", "worked-", 1, 0.4 * arguments.rate)


main()
