#!/bin/sh
# tests/gpu/run.sh fetch     where there is a network: brings what a bare GPU machine lacks into .gpu/, and makes configure
# tests/gpu/run.sh [OUT]     on a machine with a GPU, CUDA and cuDNN: builds, checks, measures; at most ten minutes
#
# OUT (default build-gpu/out) gets a log of each part and performance.md, a section for doc/performance.md. Every part has
# a limit of its own and failing it stops no other; the table at the end says how each went. LIMIT=seconds for all.
# Take along to that machine: the tree, configure, Makefile.in, aclocal.m4, build-aux and .gpu.
set -u
cd "$(dirname "$0")/../.."
top=$PWD

if [ "${1:-}" = fetch ]; then
    autoreconf -fi >/dev/null 2>&1 || { echo "autoreconf failed"; exit 1; }
    mkdir -p .gpu/deb && cd .gpu/deb || exit 1
    apt-get download libcjson1 libcjson-dev libcmocka0 libcmocka-dev >/dev/null || exit 1
    for f in *.deb; do dpkg -x "$f" ..; done
    cd .. && rm -rf deb usr/share
    mv usr/include usr/lib/*/ . 2>/dev/null
    find . -name 'libcjson.so' -o -name 'libcmocka.so' | sed 's/^/brought /'
    exit 0
fi

out=${1:-$top/build-gpu/out}
mkdir -p "$out" build-gpu
out=$(cd "$out" && pwd)
began=$(date +%s)
limit=${LIMIT:-590}
: >"$out/table"
left() { echo $((limit - ($(date +%s) - began))); }

# part NAME SECONDS COMMAND…: its output to OUT/NAME.log, a line of the table
part() {
    name=$1
    most=$2
    shift 2
    [ "$(left)" -lt "$most" ] && most=$(left)
    if [ "$most" -lt 5 ]; then
        echo "| $name | not run: no time left | |" >>"$out/table"
        return 1
    fi
    at=$(date +%s)
    timeout "$most" "$@" >"$out/$name.log" 2>&1
    status=$?
    took=$(($(date +%s) - at))
    case $status in
    0) how=passed ;;
    77) how=skipped ;;
    124) how="stopped after $most s" ;;
    *) how="failed ($status)" ;;
    esac
    last=$(grep -v '^$' "$out/$name.log" | tail -n 1 | cut -c1-100)
    echo "| $name | $how | $took s | $last |" >>"$out/table"
    echo "== $name: $how, $took s: $last"
    return $status
}

build() {
    set -e
    [ -x configure ] || autoreconf -fi
    for f in aclocal.m4 configure Makefile.in; do touch "$f"; done # whatever the copying did to their order
    arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
    [ "$arch" = 90 ] && arch=90a
    lib=$(find "$top/.gpu" -name libcjson.so 2>/dev/null | head -n 1)
    if [ -n "$lib" ]; then
        dir=$(dirname "$lib")
        export CJSON_CFLAGS="-I$top/.gpu/include" CJSON_LIBS="-L$dir -Wl,-rpath,$dir -lcjson"
        export CMOCKA_CFLAGS="-I$top/.gpu/include" CMOCKA_LIBS="-L$dir -Wl,-rpath,$dir -lcmocka"
    fi
    cd build-gpu
    ../configure -q --enable-runtime-only --with-cuda --with-cuda-arch="$arch"
    make -s -j"$(nproc)" all tests/unit/tensor/test_ops tests/gpu/shares
    sed -n "s/^CUDA_DIR = //p" Makefile >cuda_dir
    "$(cat cuda_dir)/bin/nvcc" -O2 -std=c++17 -gencode "arch=compute_$arch,code=sm_$arch" \
        $(sed -n 's/^CUDA_CPPFLAGS = //p' Makefile) -c -o ceilings.o ../tests/gpu/ceilings.cu
    g++ -o ceilings ceilings.o $(sed -n 's/^CUDA_LIBS = //p' Makefile)
    ln -sf ../../../libsakuga-cuda.so tests/unit/tensor/ # found beside the program
    ls -la libsakuga-cuda.so
}

bench() { # NAME SECONDS ARGS…: wan-bench as JSON too
    name=$1
    most=$2
    shift 2
    part "$name" "$most" build-gpu/wan-bench --device cuda --json "$@"
}

nvidia-smi >"$out/nvidia-smi.log" 2>&1 || { echo "there is no GPU here (nvidia-smi)"; exit 1; }
(build) >"$out/build.log" 2>&1 || { tail -n 30 "$out/build.log"; echo "the build failed"; exit 1; }
echo "== built in $(($(date +%s) - began)) s"

part ops-f32 60 build-gpu/tests/unit/tensor/test_ops cuda f32
part ops-bf16 90 build-gpu/tests/unit/tensor/test_ops cuda bf16
part ops-fp8 90 build-gpu/tests/unit/tensor/test_ops cuda fp8
part golden-f32 60 build-gpu/wan-golden --device cuda --dtype f32 tests/wan/open
part golden-bf16 60 build-gpu/wan-golden --device cuda --dtype bf16 tests/wan/open
for type in fp8-linear fp8-weight; do
    part ops-$type 60 build-gpu/tests/unit/tensor/test_ops cuda $type
done
for type in fp8 fp8-linear fp8-weight; do
    part golden-$type 40 build-gpu/wan-golden --device cuda --dtype $type tests/wan/open
done
part golden-parked 60 build-gpu/wan-golden --device cuda --dtype bf16 --parked tests/wan/open
part ceilings 120 build-gpu/ceilings
part kernels 30 build-gpu/tests/gpu/shares
bench forward-1.3b 60 --dtype bf16 --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --steps 5 --text-tokens 64 --no-text --no-vae
bench forward-1.3b-fp8 60 --dtype fp8 --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --steps 5 --text-tokens 64 --no-text --no-vae
bench forward-1.3b-fp8-linear 60 --dtype fp8-linear --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --steps 5 --text-tokens 64 --no-text --no-vae
bench clip-1.3b 90 --dtype bf16 --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --steps 4 --text-tokens 64 --repeat 3
bench causal-1.3b 60 --dtype bf16 --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --text-tokens 64 --no-text --repeat 3 --causal
bench causal-1.3b-no-graphs 60 --dtype bf16 --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --text-tokens 64 --no-text --no-vae --causal --no-graphs
# four tokens are no work: what is left is launching, and reading the weights once (0.65 ms)
bench launches 20 --dtype bf16 --random wan2.1-t2v-1.3b --size 32x32 --frames 1 --steps 9 --text-tokens 64 --no-text --no-vae
for graphs in "" --no-graphs; do # a causal pass of twelve
    bench launches-causal$graphs 20 --dtype bf16 --random wan2.1-t2v-1.3b --size 32x32 --frames 81 --text-tokens 64 --no-text --no-vae --causal $graphs
done
for n in 2 4; do
    bench vae-chunk-$n 40 --dtype bf16 --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --steps 1 --layers 1 --no-text --repeat 3 --chunk $n
done
for type in bf16 fp8; do
    bench forward-14b-$type 90 --dtype $type --random wan2.1-t2v-14b --size 832x480 --frames 81 --steps 4 --text-tokens 64 --no-text --no-vae
done
bench forward-1.3b-parked 60 --dtype bf16 --random wan2.1-t2v-1.3b --size 832x480 --frames 81 --steps 4 --text-tokens 64 --no-text --no-vae --parked
if python3 -c 'import torch' 2>/dev/null; then
    part torch 150 python3 tests/bench/torch_peer.py --seconds "$(left)" --bench build-gpu
fi
bench forward-14b-fp8-linear 60 --dtype fp8-linear --random wan2.1-t2v-14b --size 832x480 --frames 81 --steps 3 --text-tokens 64 --no-text --no-vae
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck; do
        part sanitizer-$tool 45 compute-sanitizer --tool $tool --error-exitcode 9 \
            build-gpu/wan-golden --device cuda --dtype bf16 --part dit_t2v tests/wan/open
    done
fi

python3 - "$out" <<'PY' >"$out/performance.md"
import datetime, json, os, subprocess, sys
out = sys.argv[1]
def load(name):
    try:
        return json.loads(open(os.path.join(out, name + ".log")).read())
    except (OSError, ValueError):
        return None
q = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True).stdout.strip()
words = next((load(n)["device"] for n in ("forward-1.3b", "clip-1.3b", "forward-14b-bf16") if load(n)), "")
print("Measured %s on %s; %s.\n" % (datetime.date.today(), q, words))
print("| part | measured | limit of the chip | share |\n|---|---|---|---|")
def row(name, s, limit):
    print("| %s | %.3f s | %.3f s | %.0f %% |" % (name, s, limit, 100 * limit / s))
f = load("forward-1.3b")
if f: row("1.3B, one forward, bf16", min(f["step_s"]), 0.391)
for size, whole, linear in (("1.3b", 0.242, 0.339), ("14b", 1.342, 1.771)):
    g = load("forward-%s-fp8-linear" % size)
    if g: row(size.upper() + ", one forward, linear layers in fp8", min(g["step_s"]), linear)
    g = load("forward-%s-fp8" % size)
    if g: row(size.upper() + ", one forward, linear layers and attention in fp8", min(g["step_s"]), whole)
g = load("forward-14b-bf16")
if g: row("14B, one forward, bf16", min(g["step_s"]), 2.267)
g2 = load("forward-1.3b-parked")
if g2: row("1.3B, one forward, bf16, its blocks in turns", min(g2["step_s"]), 0.391)
c = load("clip-1.3b")
if c:
    row("VAE decode, 81 frames", c["vae_s"], 0.35)
    print("| VAE decode, the first of a process | %.2f s | | |" % c["vae_first_s"])
    print("| text, 64 tokens, resident | %.4f s | | |" % min(c["text_s"], c["text_first_s"]))
    print("| text encoder, load | %.2f s | | |" % c["text_load_s"])
    print("| transformer and VAE, load | %.2f s | | |" % c["load_s"])
    print("| 1.3B, 4 steps, no CFG: text + steps + decode | %.2f s | | |" % (c["text_s"] + 4 * min(c["step_s"]) + c["vae_s"]))
    print("| 1.3B, 50 steps, CFG, from the same | %.1f s | | |" % (c["text_s"] + 100 * min(c["step_s"]) + c["vae_s"]))
    print("| memory of the device at most, of what was planned | %.2f of %.2f GB | | |" % (c["device_peak_bytes"] * 1e-9, c["device_planned_bytes"] * 1e-9))
b = load("causal-1.3b")
if b:
    print("| 1.3B, causal: first block of 12 pictures, last | %.3f s, %.3f s | | |" % (b["block_s"][0], b["block_s"][-1]))
    print("| 1.3B, causal: pictures a second, decoded | %.1f | | |" % b["pictures_per_s"])
    print("| 1.3B, causal: graphs played | %d | | |" % b["graphs_played"])
    if b.get("note"): print("| 1.3B, causal: note | %s | | |" % b["note"])
b = load("causal-1.3b-no-graphs")
if b: print("| 1.3B, causal, without graphs: first block of 12 pictures, last | %.3f s, %.3f s | | |" % (b["block_s"][0], b["block_s"][-1]))
l = load("launches")
if l: print("| 1.3B, one forward of four tokens: launching | %.4f s | | |" % min(l["step_s"]))
for name, words in (("launches-causal", "with graphs"), ("launches-causal--no-graphs", "without")):
    b = load(name) # a block is four steps and a last look
    if b: print("| 1.3B, one causal pass of twelve tokens, %s: launching | %.4f s | | |" % (words, min(b["block_s"]) / 5))
for n in (2, 4):
    v = load("vae-chunk-%d" % n)
    if v: print("| VAE decode, %d latent frames at a time | %.3f s | | |" % (n, v["vae_s"]))
if c:
    for size in ("1.3b", "14b"):
        g = load("forward-%s-fp8" % size)
        if g: print("| %s in fp8, 4 steps, no CFG, from the parts | %.2f s | | |" % (size.upper(), c["text_s"] + 4 * min(g["step_s"]) + c["vae_s"]))
g = load("forward-14b-bf16")
if c and g: print("| 14B, 4 steps, no CFG, from the parts | %.2f s | | |" % (c["text_s"] + 4 * min(g["step_s"]) + c["vae_s"]))
for size in ("1.3b", "14b"):
    g = load("forward-%s-fp8" % size)
    if g and g.get("note"): print("\n%s: %s" % (size.upper(), g["note"]))
for name in ("kernels", "ceilings", "torch"):
    try:
        text = open(os.path.join(out, name + ".log")).read()
        print("\n" + "\n".join(l for l in text.splitlines() if l.startswith("|") or "GELU" in l))
    except OSError:
        pass
PY
cat "$out/performance.md"
echo
echo "| part | how | time | last line |"
echo "|---|---|---|---|"
cat "$out/table"
! grep -qE '\| (failed|stopped)' "$out/table"
