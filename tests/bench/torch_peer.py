#!/usr/bin/env python3
"""The Wan 2.1 transformer in PyTorch, written from the specification: what `wan-bench --device cuda` is held against.

First the same numbers: the tiny model of tests/wan/open in f32 and bf16 must give the golden velocity. Then the time of
one forward with random weights of the true shapes, in bf16, attention by cuDNN and by flash (the better one counts),
eager and with each block compiled for the fastest kernels (max-autotune; all blocks are one compilation, which then ends
in the time there is; graphs of CUDA gain nothing on passes this long). Prints a table with the share of the chip's limit.
Needs torch and a GPU; nothing of the build needs this.

    torch_peer.py [--model 1.3b|14b] [--size 832x480] [--frames 81] [--seconds 150] [--bench BUILD_DIR] [--check-only]
"""
import argparse
import contextlib
import json
import math
import os
import struct
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

MODELS = {"1.3b": (1536, 8960, 12, 30), "14b": (5120, 13824, 40, 40)}
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EPS = 1e-6
TEXT = 512


def read_safetensors(path):
    types = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16, "I64": torch.int64}
    with open(path, "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        head = json.loads(f.read(n))
        data = bytearray(f.read())
    out = {}
    for name, t in head.items():
        if name == "__metadata__" or t["dtype"] not in types:
            continue
        a, b = t["data_offsets"]
        out[name] = torch.frombuffer(data[a:b], dtype=types[t["dtype"]]).reshape(t["shape"]).clone()
    return out


def rms(x, w):  # over the full width, statistics in f32
    y = x.float()
    return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + EPS) * w.float()).to(x.dtype)


def layer_norm(x, dtype, w=None, b=None):
    return F.layer_norm(x.float(), x.shape[-1:], None if w is None else w.float(), None if b is None else b.float(),
                        EPS).to(dtype) if w is not None else F.layer_norm(x.float(), x.shape[-1:], eps=EPS)


def turn(x, cs):  # x [L, heads, 128], cs [L, 1, 64, 2]: pairs (2j, 2j + 1)
    p = x.float().unflatten(-1, (-1, 2))
    re = p[..., 0] * cs[..., 0] - p[..., 1] * cs[..., 1]
    im = p[..., 0] * cs[..., 1] + p[..., 1] * cs[..., 0]
    return torch.stack((re, im), -1).flatten(-2).to(x.dtype)


def attend(q, k, v):  # [n, heads, width] each
    q, k, v = (t.transpose(0, 1).unsqueeze(0) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).squeeze(0).transpose(0, 1).flatten(1)


class Attention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.ones(dim))


class Block(nn.Module):
    def __init__(self, dim, ffn, heads):
        super().__init__()
        self.heads = heads
        self.self_attn, self.cross_attn = Attention(dim), Attention(dim)
        self.norm3_w, self.norm3_b = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))
        self.up, self.down = nn.Linear(dim, ffn), nn.Linear(ffn, dim)
        self.modulation = nn.Parameter(torch.zeros(6, dim))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1))

    def forward(self, x, e0, cs, text_k, text_v):  # x [L, dim] f32
        dtype = self.up.weight.dtype
        s1, c1, g1, s2, c2, g2 = (self.modulation.float() + e0).unbind(0)
        h = (layer_norm(x, dtype) * (1 + c1) + s1).to(dtype)
        a = self.self_attn
        q, k = turn(self.split(rms(a.q(h), a.norm_q)), cs), turn(self.split(rms(a.k(h), a.norm_k)), cs)
        x = x + a.o(attend(q, k, self.split(a.v(h)))).float() * g1
        a = self.cross_attn
        h = layer_norm(x, dtype, self.norm3_w, self.norm3_b)
        x = x + a.o(attend(self.split(rms(a.q(h), a.norm_q)), text_k, text_v)).float()
        h = (layer_norm(x, dtype) * (1 + c2) + s2).to(dtype)
        return x + self.down(F.gelu(self.up(h), approximate="tanh")).float() * g2


class Dit(nn.Module):
    def __init__(self, dim, ffn, heads, layers, text_dim=4096, freq=256):
        super().__init__()
        self.freq, self.heads = freq, heads
        self.patch = nn.Linear(64, dim)
        self.text0, self.text2 = nn.Linear(text_dim, dim), nn.Linear(dim, dim)
        self.time0, self.time2, self.projection = nn.Linear(freq, dim), nn.Linear(dim, dim), nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList(Block(dim, ffn, heads) for _ in range(layers))
        self.head, self.head_modulation = nn.Linear(dim, 64), nn.Parameter(torch.zeros(2, dim))

    def to_bf16(self):  # all but what depends on the timestep alone, and the head (spec 4, precisions)
        self.to(torch.bfloat16)
        for m in (self.time0, self.time2, self.projection, self.head):
            m.float()
        return self

    def prompt(self, context):
        c = torch.zeros(TEXT, context.shape[1], device=context.device, dtype=self.text0.weight.dtype)
        c[:len(context)] = context
        c = self.text2(F.gelu(self.text0(c), approximate="tanh"))
        out = []
        for b in self.blocks:
            a = b.cross_attn
            out.append((b.split(rms(a.k(c), a.norm_k)), b.split(a.v(c))))
        return out

    def angles(self, f, h, w, device):
        n = (22, 21, 21)
        parts = []
        for size, count, shape in zip((f, h, w), n, ((f, 1, 1), (1, h, 1), (1, 1, w))):
            t = torch.arange(size, dtype=torch.float64)[:, None] * 10000.0 ** (-torch.arange(count, dtype=torch.float64) / count)
            parts.append(t.view(*shape, count).expand(f, h, w, count))
        t = torch.cat(parts, -1).reshape(f * h * w, 1, 64)
        return torch.stack((t.cos(), t.sin()), -1).float().to(device)

    def forward(self, tokens, e_in, cs, text):  # [L, 64], [freq]
        x = self.patch(tokens.to(self.patch.weight.dtype)).float()
        e = self.time2(F.silu(self.time0(e_in)))
        e0 = self.projection(F.silu(e)).view(6, -1)
        for b, (k, v) in zip(self.blocks, text):
            x = b(x, e0, cs, k, v)
        s, c = (self.head_modulation.float() + e).unbind(0)
        return self.head(layer_norm(x, torch.float32) * (1 + c) + s)


def sinus(t, freq, device):
    w = 10000.0 ** (-torch.arange(freq // 2, dtype=torch.float64) / (freq // 2))
    return torch.cat(((t * w).cos(), (t * w).sin())).float().to(device)


def to_tokens(x):  # [16, F, H, W] → [L, 64], channel first within a patch
    c, f, h, w = x.shape
    return x.view(c, f, h // 2, 2, w // 2, 2).permute(1, 2, 4, 0, 3, 5).reshape(-1, 4 * c)


def from_tokens(v, c, f, h, w):  # channel last within a patch
    return v.view(f, h // 2, w // 2, 2, 2, c).permute(5, 0, 1, 3, 2, 4).reshape(c, f, h, w)


def load(model, weights):
    names = {"patch_embedding": "patch", "text_embedding.0": "text0", "text_embedding.2": "text2",
             "time_embedding.0": "time0", "time_embedding.2": "time2", "time_projection.1": "projection",
             "head.head": "head"}
    state = {}
    for name, t in weights.items():
        module, leaf = name.rsplit(".", 1)
        name = name.replace("ffn.0.", "up.").replace("ffn.2.", "down.")
        for part in ("norm_q", "norm_k"):
            name = name.replace(part + ".weight", part)
        name = name.replace("norm3.weight", "norm3_w").replace("norm3.bias", "norm3_b")
        name = name.replace("head.modulation", "head_modulation")
        if module in names:
            name = names[module] + "." + leaf
        if name.startswith("patch.") and t.dim() > 1:
            t = t.flatten(1)
        state[name] = t.float().squeeze(0) if "modulation" in name else t.float()
    model.load_state_dict(state)


def check(device):
    folder = os.path.join(TOP, "tests", "wan", "open")
    golden = read_safetensors(os.path.join(folder, "dit_t2v.safetensors"))
    weights = read_safetensors(os.path.join(folder, "tiny_t2v", "diffusion_pytorch_model.safetensors"))
    good = True
    for low, bound in ((False, 1e-5), (True, 1.5e-2)):
        model = Dit(256, 384, 2, 3, 64)
        load(model, weights)
        model = model.to(device)
        if low:
            model.to_bf16()
        for i in range(4):
            x, want = golden["%d.x" % i].to(device), golden["%d.out" % i].to(device)
            _, f, h, w = x.shape
            # in f32 by plain products: others may round them
            with torch.no_grad(), contextlib.nullcontext() if low else sdpa_kernel(SDPBackend.MATH):
                text = model.prompt(golden["%d.context" % i].to(device))
                v = model(to_tokens(x), sinus(float(golden["%d.t" % i]), 256, device),
                          model.angles(f, h // 2, w // 2, device), text)
            error = float((from_tokens(v.float(), 16, f, h, w) - want).norm() / want.norm())
            good &= error <= bound
            print("golden %d, %s: %.1e, bound %.1e %s" % (i, "bf16" if low else "f32", error, bound, "ok" if error <= bound else "FAIL"))
    return good


def timed(run, seconds):
    for _ in range(2):
        run()
    torch.cuda.synchronize()
    times, end = [], time.time() + seconds
    while len(times) < 3 or (time.time() < end and len(times) < 10):
        a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        a.record()
        run()
        b.record()
        torch.cuda.synchronize()
        times.append(a.elapsed_time(b) * 1e-3)
    return min(times)  # as of wan-bench's steps


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", default="1.3b", choices=sorted(MODELS))
    p.add_argument("--size", default="832x480")
    p.add_argument("--frames", type=int, default=81)
    p.add_argument("--seconds", type=float, default=150)
    p.add_argument("--bench", help="a build folder: times wan-bench in the same call")
    p.add_argument("--check-only", action="store_true")
    a = p.parse_args()
    began = time.time()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = False
    good = check(device)  # one that is off is told at the end: what it takes is of use all the same
    if a.check_only or device == "cpu":
        return 0 if good else 1
    width, height = map(int, a.size.split("x"))
    f, h, w = (a.frames + 3) // 4, height // 8, width // 8
    dim, ffn, heads, layers = MODELS[a.model]
    L = f * h * w // 4
    products = layers * (12.0 * L * dim * dim + 4.0 * L * dim * ffn) * 1e-12
    attention = layers * (4.0 * L * L * dim + 4.0 * L * TEXT * dim) * 1e-12
    limit = products / 790 + attention / 700  # seconds, at the rates of doc/performance.md
    limits = {"bf16": limit, "fp8": products / 1580 + attention / 1055}
    with torch.device("cuda"):
        model = Dit(dim, ffn, heads, layers).to_bf16().requires_grad_(False)
    x = torch.randn(16, f, h, w, device=device)
    tokens, e, cs = to_tokens(x), sinus(500.0, 256, device), model.angles(f, h // 2, w // 2, device)
    text = model.prompt(torch.randn(64, 4096, device=device))
    rows = []

    def measure(name, forward, backend):
        try:
            with torch.no_grad(), sdpa_kernel(getattr(SDPBackend, backend + "_ATTENTION")):
                s = timed(lambda: forward(tokens, e, cs, text), 10)
            rows.append((name, s))
            print("| torch %s, %s | %.3f s | %.0f %% of the limit |" % (torch.__version__, name, s, 100 * limit / s), flush=True)
        except Exception as why:  # a backend that the version lacks is a row, not the end
            print("| torch, %s | %s | |" % (name, (str(why) or type(why).__name__).splitlines()[0][:80]), flush=True)

    measure("eager, cuDNN attention", model, "CUDNN")
    measure("eager, flash attention", model, "FLASH")
    ours = {}
    for dtype in ("bf16", "fp8") if a.bench else ():
        if time.time() - began > a.seconds - 20:
            print("| sakuga, %s | not run: no time left | |" % dtype, flush=True)
            continue
        out = subprocess.run([os.path.join(a.bench, "wan-bench"), "--device", "cuda", "--dtype", dtype, "--random",
                              "wan2.1-t2v-" + a.model, "--size", a.size, "--frames", str(a.frames), "--steps", "5",
                              "--text-tokens", "64", "--no-text", "--no-vae", "--json"], capture_output=True, text=True)
        try:
            s = ours[dtype] = min(json.loads(out.stdout)["step_s"])
            print("| sakuga, %s | %.3f s | %.0f %% of the limit |" % (dtype, s, 100 * limits[dtype] / s), flush=True)
        except ValueError:
            print("| sakuga, %s | %s | |" % (dtype, out.stderr.strip()[:100]), flush=True)

    def verdict(of):
        for dtype, asked in (("bf16", 1.1), ("fp8", 1.5)):
            if rows and dtype in ours:
                print("| sakuga in %s is %.2f times as fast as the best of torch in bf16, %s; asked for: %.1f | | |" %
                      (dtype, min(r[1] for r in rows) / ours[dtype], of, asked), flush=True)

    verdict("eager")  # should compiling not come to its end
    if time.time() - began < a.seconds - 40:
        best = min((r for r in rows if r[0].startswith("eager")), key=lambda r: r[1], default=None)
        flash = best and "flash" in best[0]
        for block in model.blocks:
            block.compile(mode="max-autotune-no-cudagraphs")
        measure("compiled, %s attention" % ("flash" if flash else "cuDNN"), model, "FLASH" if flash else "CUDNN")
        if rows and rows[-1][0].startswith("compiled"):
            verdict("eager and compiled")
    else:
        print("| torch, compiled | not run: no time left | |", flush=True)
    return 0 if good else 1


sys.exit(main())
