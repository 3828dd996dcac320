#!/bin/sh
# tests/gpu/run.sh fetch     where there is a network: brings what a bare GPU machine lacks into .gpu/, and makes configure
# tests/gpu/run.sh [OUT]     on a machine with a GPU, CUDA and cuDNN: builds, checks, measures; at most ten minutes
# tests/gpu/run.sh rest [OUT]  the same again, but for the parts that passed the last time
#
# OUT (default build-gpu/out) gets a log of each part and performance.md, a section for doc/performance.md. Every part has
# a limit of its own and failing it stops no other; the table at the end says how each went. LIMIT=seconds for all. What
# there was no time for `rest` does, in another ten minutes.
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

rest=
[ "${1:-}" = rest ] && rest=yes && shift
out=${1:-$top/build-gpu/out}
mkdir -p "$out" build-gpu
out=$(cd "$out" && pwd)
began=$(date +%s)
limit=${LIMIT:-580}
[ -n "$rest" ] || rm -f "$out"/*.log "$out"/*.err "$out/table" # nothing of another build
touch "$out/table"
left() { echo $((limit - ($(date +%s) - began))); }

# part NAME SECONDS COMMAND…: what it prints to OUT/NAME.log, its complaints to OUT/NAME.err, a line of the table
part() {
    name=$1
    most=$2
    shift 2
    grep -q "^| $name | passed" "$out/table" && return 0
    sed -i "/^| $name |/d" "$out/table"
    if [ "$(left)" -lt $((most / 2)) ]; then # it would hardly come to its end
        echo "| $name | not run: no time left | | |" >>"$out/table"
        return 1
    fi
    [ "$(left)" -lt "$most" ] && most=$(left)
    at=$(date +%s)
    timeout -k 5 "$most" "$@" >"$out/$name.log" 2>"$out/$name.err"
    status=$?
    took=$(($(date +%s) - at))
    last=
    case $status in
    0) how=passed ;;
    77) how=skipped ;;
    124 | 137) how="stopped after $most s" ;;
    *) # what it complained of first
        how="failed ($status)"
        last=$(cat "$out/$name.err" "$out/$name.log" | grep -E 'FAIL|rror|there is no|cannot|could not' | head -n 1)
        ;;
    esac
    [ -n "$last" ] || last=$(cat "$out/$name.err" "$out/$name.log" | grep -v '^$' | tail -n 1)
    case $last in "{"*) last= ;; esac # figures, for the report
    last=$(echo "$last" | cut -c1-150 | tr '|' '/')
    echo "| $name | $how | $took s | $last |" >>"$out/table"
    echo "== $name: $how, $took s: $last"
    return $status
}

# What all else needs; the programs of a part are built as parts.
build() {
    [ -x configure ] || autoreconf -fi
    for f in aclocal.m4 configure Makefile.in; do touch "$f"; done # whatever the copying did to their order
    lib=$(find "$top/.gpu" -name libcjson.so 2>/dev/null | head -n 1)
    if [ -n "$lib" ]; then
        dir=$(dirname "$lib")
        export CJSON_CFLAGS="-I$top/.gpu/include" CJSON_LIBS="-L$dir -Wl,-rpath,$dir -lcjson"
        export CMOCKA_CFLAGS="-I$top/.gpu/include" CMOCKA_LIBS="-L$dir -Wl,-rpath,$dir -lcmocka"
    fi
    cd build-gpu
    rm -f libsakuga-cuda.so # never measure an old one
    ../configure -q --enable-runtime-only --with-cuda --with-cuda-arch="$arch"
    make -s -j"$(nproc)" all
    sed -n "s/^CUDA_DIR = //p" Makefile >cuda_dir
    mkdir -p tests/unit/tensor
    ln -sf ../../../libsakuga-cuda.so tests/unit/tensor/ # found beside the program
    ls -la libsakuga-cuda.so
}

bench() { # NAME SECONDS ARGS…: wan-bench as JSON too
    name=$1
    most=$2
    shift 2
    part "$name" "$most" build-gpu/wan-bench --device cuda --json "$@"
}

ask() { nvidia-smi -i "$gpu" --query-"$1" --format=csv,noheader; }

# the GPU that CUDA counts first: nvidia-smi counts by the bus
export CUDA_DEVICE_ORDER=PCI_BUS_ID
gpu=${CUDA_VISIBLE_DEVICES:-}
gpu=${gpu%%,*}
case $gpu in MIG-*) gpu= ;; esac
nvidia-smi >"$out/nvidia-smi.log" 2>&1 || { echo "there is no GPU here (nvidia-smi)"; exit 1; }
[ -n "$gpu" ] || gpu=0
arch=$(ask gpu=compute_cap | head -n 1 | tr -d .)
[ "$arch" = 90 ] && arch=90a
(set -e; build) >"$out/build.log" 2>&1 # in no condition: there -e would not count
[ $? = 0 ] || { tail -n 30 "$out/build.log"; echo "the build failed"; exit 1; }
cat build-gpu/libsakuga-cuda.so build-gpu/wan-bench | sha256sum >"$out/built.now"
cmp -s "$out/built" "$out/built.now" || : >"$out/table" # what passed was another build
mv "$out/built.now" "$out/built"
echo "== built in $(($(date +%s) - began)) s"

# What a figure depends on beside the code: who else is there, and the clocks while it works
{
    ask gpu=name,driver_version,mig.mode.current,ecc.mode.current,power.limit,clocks.max.sm,clocks.max.mem,memory.used
    ask compute-apps=pid,name,used_memory
} >"$out/facts.log" 2>&1
why=clocks_event_reasons.active # of old drivers another name
ask gpu=$why >/dev/null 2>&1 || why=clocks_throttle_reasons.active
nvidia-smi -i "$gpu" -l 1 --format=csv,noheader,nounits \
    --query-gpu=utilization.gpu,clocks.sm,clocks.mem,power.draw,temperature.gpu,$why >>"$out/clocks.log" 2>&1 &
watch=$!
trap 'kill $watch 2>/dev/null' EXIT

# In the order of what is asked of this runtime: are the numbers right, then each row of the table of targets with the peer
# that they are held against. What else is known of the chip and of the kernels comes behind, for as long as there is time.
clip="--size 832x480 --frames 81 --text-tokens 64"
short="--no-text --no-vae"
small=wan2.1-t2v-1.3b
large=wan2.1-t2v-14b
part golden-bf16 90 build-gpu/wan-golden --device cuda --dtype bf16 tests/wan/open
part golden-fp8 60 build-gpu/wan-golden --device cuda --dtype fp8 tests/wan/open
bench forward-1.3b 60 --dtype bf16 --random $small $clip --steps 5 $short
bench forward-1.3b-fp8 60 --dtype fp8 --random $small $clip --steps 5 $short
bench clip-1.3b 90 --dtype bf16 --random $small $clip --steps 4 --repeat 3
for type in bf16 fp8; do
    bench forward-14b-$type 90 --dtype $type --random $large $clip --steps 4 $short
done
bench causal-1.3b 60 --dtype bf16 --random $small $clip --no-text --repeat 3 --causal
if python3 -c 'import torch' 2>/dev/null; then
    part torch 160 python3 tests/bench/torch_peer.py --seconds 155 --bench build-gpu
fi
part golden-f32 60 build-gpu/wan-golden --device cuda --dtype f32 tests/wan/open
part build-tests 120 make -s -j"$(nproc)" -C build-gpu tests/unit/tensor/test_ops
for type in bf16 fp8 f32; do
    part ops-$type 90 build-gpu/tests/unit/tensor/test_ops cuda $type
done
part build-shares 60 make -s -j"$(nproc)" -C build-gpu tests/gpu/shares
part kernels 30 build-gpu/tests/gpu/shares
part build-ceilings 60 sh -ec 'cd build-gpu
    "$(cat cuda_dir)/bin/nvcc" -O2 -std=c++17 -gencode "arch=compute_$0,code=sm_$0" \
        $(sed -n "s/^CUDA_CPPFLAGS = //p" Makefile) -c -o ceilings.o ../tests/gpu/ceilings.cu
    g++ -o ceilings ceilings.o $(sed -n "s/^CUDA_LIBS = //p" Makefile)' "$arch"
part ceilings 180 build-gpu/ceilings
bench forward-1.3b-fp8-linear 60 --dtype fp8-linear --random $small $clip --steps 5 $short
bench causal-1.3b-no-graphs 60 --dtype bf16 --random $small $clip $short --repeat 2 --causal --no-graphs
# four tokens are no work: what is left is launching, and reading the weights once (0.65 ms)
bench launches 20 --dtype bf16 --random $small --size 32x32 --frames 1 --steps 9 --text-tokens 64 $short
for graphs in "" --no-graphs; do # a causal pass of twelve
    bench launches-causal$graphs 20 --dtype bf16 --random $small --size 32x32 --frames 81 --text-tokens 64 $short --repeat 2 --causal $graphs
done
for n in 2 4; do
    bench vae-chunk-$n 40 --dtype bf16 --random $small $clip --steps 1 --layers 1 --no-text --repeat 3 --chunk $n
done
bench forward-1.3b-parked 60 --dtype bf16 --random $small $clip --steps 4 $short --parked
bench forward-14b-fp8-linear 60 --dtype fp8-linear --random $large $clip --steps 3 $short
part golden-parked 90 build-gpu/wan-golden --device cuda --dtype bf16 --parked tests/wan/open
for type in fp8-linear fp8-weight; do
    part golden-$type 60 build-gpu/wan-golden --device cuda --dtype $type tests/wan/open
    part ops-$type 60 build-gpu/tests/unit/tensor/test_ops cuda $type
done
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck; do
        part sanitizer-$tool 90 compute-sanitizer --tool $tool --error-exitcode 9 \
            build-gpu/wan-golden --device cuda --dtype bf16 --part dit_t2v tests/wan/open
    done
fi

kill $watch 2>/dev/null
python3 tests/gpu/report.py "$out" >"$out/performance.md" || echo "the report failed; what was measured lies in $out"
cat "$out/performance.md"
echo
echo "| part | how | time | last line |"
echo "|---|---|---|---|"
cat "$out/table"
! grep -qE '\| (failed|stopped)' "$out/table"
