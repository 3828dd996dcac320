#!/usr/bin/env python3
"""report.py OUT: the section for doc/performance.md out of what tests/gpu/run.sh left in OUT. A part that is missing, or
that failed, is a line less and costs no other."""
import datetime
import json
import os
import sys

out = sys.argv[1]
SIZES = ("1.3b", "14b")


def text_of(name):
    try:
        with open(os.path.join(out, name + ".log"), errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def load(name):
    try:
        return json.loads(text_of(name))
    except ValueError:
        return None


def row(name, s, limit):
    print("| %s | %.3f s | %.3f s | %.0f %% |" % (name, s, limit, 100 * limit / s))


def line(name, format, *values):
    print("| %s | %s | | |" % (name, format % values))


def facts():
    words = next((load(n)["device"] for n in ("forward-1.3b", "clip-1.3b", "forward-14b-bf16") if load(n)), "no forward pass")
    known = text_of("facts").splitlines()
    print("Measured %s: %s.\nThe GPU (name, driver, MIG, ECC, power limit, most of the clocks, memory in use): %s." %
          (datetime.date.today(), words, known[0] if known else "nvidia-smi told nothing"))
    for other in known[1:]:
        print("Beside it ran: %s." % other)
    busy = []
    for sample in text_of("clocks").splitlines():
        fields = [v.strip() for v in sample.split(",")]
        try:
            if len(fields) == 6 and float(fields[0]) >= 50:
                busy.append((float(fields[1]), float(fields[3]), float(fields[4]), fields[5]))
        except ValueError:
            continue
    if busy:
        clocks = sorted(b[0] for b in busy)
        print("While it worked (%d seconds): SM clock %.0f to %.0f MHz, median %.0f; at most %.0f W and %.0f degrees; "
              "reasons for a lower clock: %s." % (len(busy), clocks[0], clocks[-1], clocks[len(clocks) // 2],
                                                  max(b[1] for b in busy), max(b[2] for b in busy),
                                                  " ".join(sorted({b[3] for b in busy}))))
    print()


def asked():
    """The targets on an H200, text to frames in host memory, and what the parts come to, bf16 beside fp8."""
    forward = {n: min(f["step_s"]) for n in ("1.3b", "1.3b-fp8", "14b-bf16", "14b-fp8") for f in [load("forward-" + n)] if f}
    c = load("clip-1.3b")

    def clip(name, n):
        return c["text_s"] + n * forward[name] + c["vae_s"] if c and name in forward else None

    def cell(s, most):
        if not most:
            return "| "
        return "%s | %.3f %s" % ("not measured" if s is None else "%.3f s" % s, most, "" if s is None else "met" if s <= most else "MISSED")

    print("| asked for, 832x480, 81 frames | bf16 | at most, s | fp8 | at most, s |\n|---|---|---|---|---|")
    for words, low, lowest, eight, most in (
            ("1.3B, one forward", forward.get("1.3b"), 0.44, forward.get("1.3b-fp8"), 0.30),
            ("VAE decode", c and c["vae_s"], 0.70, None, None),
            ("1.3B, 4 steps, no CFG, whole clip", clip("1.3b", 4), 2.6, clip("1.3b-fp8", 4), 2.0),
            ("1.3B, 50 steps, CFG, whole clip", clip("1.3b", 100), 45, clip("1.3b-fp8", 100), 33),
            ("14B, 4 steps, no CFG, whole clip", clip("14b-bf16", 4), 11, clip("14b-fp8", 4), 8.5),
            ("text encoder, 64 tokens, resident", c and c["encode_s"], 0.015, None, None)):
        print("| %s | %s | %s |" % (words, cell(low, lowest), cell(eight, most)))
    if c: # encoding overlaps the decoder in a clip; wan-bench times it by itself
        h264 = c.get("h264_s")
        print("| to MP4 on disk, more than to frames | not measured: %s | 0.150 | | |" %
              ("H.264 was timed by itself, below" if h264 is not None else "wan-bench gave no time for H.264: without libx264, or it failed"))
    b = load("causal-1.3b")
    if b:
        print("| 1.3B, causal, pictures a second | %.1f | at least 16: %s | | |" %
              (b["pictures_per_s"], "met" if b["pictures_per_s"] >= 16 else "MISSED"))
    print("\nA whole clip is text + steps + decode, each measured by itself in one process.\n")


def table():
    print("| part | measured | limit of the chip | share |\n|---|---|---|---|")
    for name, words, limit in (("1.3b", "1.3B, one forward, bf16", 0.391),
                               ("1.3b-fp8-linear", "1.3B, one forward, linear layers in fp8", 0.339),
                               ("1.3b-fp8", "1.3B, one forward, linear layers and attention in fp8", 0.242),
                               ("14b-bf16", "14B, one forward, bf16", 2.267),
                               ("14b-fp8-linear", "14B, one forward, linear layers in fp8", 1.771),
                               ("14b-fp8", "14B, one forward, linear layers and attention in fp8", 1.342),
                               ("1.3b-parked", "1.3B, one forward, bf16, its blocks in turns", 0.391)):
        f = load("forward-" + name)
        if f:
            row(words, min(f["step_s"]), limit)
    c = load("clip-1.3b")
    if c:
        row("VAE decode, 81 frames", c["vae_s"], 0.35)
        line("VAE decode, the first of a process", "%.2f s", c["vae_first_s"])
        line("text encoder, 64 tokens, resident", "%.4f s", c["encode_s"])
        line("text encoder, the first of a process", "%.4f s", c["text_first_s"])
        if c.get("h264_s") is not None:
            line("H.264 of the clip on the CPU, by itself", "%.2f s", c["h264_s"])
        line("keys and values of a prompt", "%.4f s", c["prompt_s"])
        line("text encoder, to the GPU from memory that is cached (no file is read)", "%.2f s", c["text_load_s"])
        line("transformer and VAE, likewise", "%.2f s", c["load_s"])
        line("memory of the device at most, of what was planned", "%.2f of %.2f GB", c["device_peak_bytes"] * 1e-9,
             c["device_planned_bytes"] * 1e-9)
    b = load("causal-1.3b")
    if b:
        line("1.3B, causal: first block of 12 pictures, last", "%.3f s, %.3f s", b["block_s"][0], b["block_s"][-1])
        line("1.3B, causal: pictures a second, decoded", "%.1f", b["pictures_per_s"])
        line("1.3B, causal: graphs played", "%d", b["graphs_played"])
        if b.get("note"):
            line("1.3B, causal: note", "%s", b["note"])
    b = load("causal-1.3b-no-graphs")
    if b:
        line("1.3B, causal, without graphs: first block of 12 pictures, last", "%.3f s, %.3f s", b["block_s"][0], b["block_s"][-1])
    launches = load("launches")
    if launches:
        line("1.3B, one forward of four tokens: launching", "%.4f s", min(launches["step_s"]))
    for name, words in (("launches-causal", "with graphs"), ("launches-causal--no-graphs", "without")):
        b = load(name) # a block is four steps and a last look
        if b:
            line("1.3B, one causal pass of twelve tokens, %s: launching" % words, "%.4f s", min(b["block_s"]) / 5)
    for n in (2, 4):
        v = load("vae-chunk-%d" % n)
        if v:
            line("VAE decode, %d latent frames at a time" % n, "%.3f s", v["vae_s"])


facts()
asked()
table()
told = {f["note"] for f in map(load, sorted(n[:-4] for n in os.listdir(out) if n.endswith(".log")))
        if isinstance(f, dict) and f.get("note")}
for note in sorted(told):
    print("\nThe device: %s" % note)
for name in ("kernels", "ceilings", "torch"):
    print("\n" + "\n".join(l for l in text_of(name).splitlines() if l.startswith("|") or "GELU" in l))
